"""XML in both directions, apart from what S3 and the query protocol make of it."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from botocore.model import DenormalizedStructureBuilder
from hypothesis import given
from hypothesis import strategies as st

from restframe.aws import wire
from restframe.aws.wire import xml
from restframe.aws.wire.values import Unreadable


def read(name: str, text: str | bytes) -> Any:
    body = text.encode() if isinstance(text, str) else text
    return xml.Readers().read(wire.service("s3").model.shape_for(name), xml.load(body))


def written(name: str, value: Any) -> str:
    parts: list[str] = []
    xml.Writers().write(parts, wire.service("s3").model.shape_for(name), "Root", value)
    return "".join(parts)


TAGGING = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"


@pytest.mark.parametrize(
    "text",
    [
        TAGGING,
        TAGGING.replace("<Tagging>", '<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'),
        '<s3:Tagging xmlns:s3="x"><s3:TagSet><s3:Tag><Key>a</Key><Value>b</Value></s3:Tag></s3:TagSet></s3:Tagging>',
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- tags --><Tagging> <TagSet>\n<Tag><Value><![CDATA[b]]></Value>'
        "<Key>&#97;</Key></Tag></TagSet></Tagging>\n",
        TAGGING.replace("<TagSet>", "<Sauce><Key>x</Key></Sauce><TagSet>"),
    ],
)
def test_one_document_in_several_dresses(text: str) -> None:
    assert read("Tagging", text) == {"TagSet": [{"Key": "a", "Value": "b"}]}


def test_lists_with_and_without_an_element_around_them() -> None:
    assert read("Tagging", "<Tagging><TagSet/></Tagging>") == {"TagSet": []}
    assert read("Delete", "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>") == {
        "Objects": [{"Key": "a"}, {"Key": "b"}]
    }
    assert read("Delete", "<Delete></Delete>") == {}


def test_an_attribute() -> None:
    text = '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"><URI>u</URI></Grantee>'
    assert read("Grantee", text) == {"Type": "Group", "URI": "u"}
    assert written("Grantee", {"Type": "Group", "URI": "u"}) == text.replace("Grantee", "Root")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("Tagging", "", "the XML is not well-formed: line 1, column 0"),
        ("Tagging", "Tagging", "the XML is not well-formed: line 1, column 0"),
        ("Tagging", "<Tagging>", "the XML is not well-formed: line 1, column 9"),
        ("Tagging", "<Tagging/><Tagging/>", "the XML is not well-formed: line 1, column 10"),
        ("Tagging", "<Tagging>&b;</Tagging>", "the XML is not well-formed: line 1, column 9"),
        ("Tagging", "<Tagging>&#0;</Tagging>", "the XML is not well-formed: line 1, column 9"),
        ("Tagging", b"<Tagging>\xff</Tagging>", "the XML is not well-formed: line 1, column 9"),
        ("Tagging", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "the XML has a document type, which is not allowed"),
        (
            "Tagging",
            '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
            "the XML has a document type, which is not allowed",
        ),
        ("Tagging", "<a>" * 100_000, "the XML is nested too deeply"),
        ("Tagging", "<a>" + "<b/>" * 200_000 + "</a>", "the XML has too many elements"),
        ("Tagging", "<Tagging><TagSet/><TagSet/></Tagging>", "an element stands there twice at 'TagSet'"),
        (
            "Tagging",
            "<Tagging><TagSet><Tag/><Tag><Key><b/></Key></Tag></TagSet></Tagging>",
            "an element where text of type string was expected at 'TagSet.2.Key'",
        ),
        ("Delete", "<Delete><Quiet>yes</Quiet></Delete>", "'yes' is not a boolean at 'Quiet'"),
        ("CompletedPart", "<Part><PartNumber>one</PartNumber></Part>", "'one' is not a whole number at 'PartNumber'"),
    ],
)
def test_a_document_that_cannot_be_read(name: str, text: str | bytes, message: str) -> None:
    with pytest.raises(Unreadable) as error:
        read(name, text)
    assert error.value.message == message


def test_structures_lists_and_what_is_none() -> None:
    assert written("Tagging", {"TagSet": [{"Key": "a", "Value": None}]}) == (
        "<Root><TagSet><Tag><Key>a</Key></Tag></TagSet></Root>"
    )
    assert written("Delete", {"Objects": [{"Key": "a"}, {"Key": "b"}], "Quiet": False}) == (
        "<Root><Object><Key>a</Key></Object><Object><Key>b</Key></Object><Quiet>false</Quiet></Root>"
    )


def test_maps_come_back() -> None:
    shape = (
        DenormalizedStructureBuilder()
        .with_members({"Sizes": {"type": "map", "key": {"type": "string"}, "value": {"type": "integer"}}})
        .build_model()
    )
    parts: list[str] = []
    xml.Writers().write(parts, shape, "Root", {"Sizes": {"a": 1, "b": 2}})
    text = "".join(parts)
    assert text == (
        "<Root><Sizes><entry><key>a</key><value>1</value></entry><entry><key>b</key><value>2</value></entry></Sizes></Root>"
    )
    assert xml.Readers().read(shape, xml.load(text.encode())) == {"Sizes": {"a": 1, "b": 2}}


def test_a_member_that_there_is_not_is_our_fault() -> None:
    with pytest.raises(TypeError, match="Tagging has no member Sauce"):
        written("Tagging", {"Sauce": 1})


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_makes_a_document_that_others_read(text: str) -> None:
    document = f'<a b="{xml.escape(text)}">{xml.escape(text)}</a>'
    root = ElementTree.fromstring(document)
    assert root.attrib["b"] == (root.text or "")
    assert len(root.text or "") == len(text)
    assert "".join(xml.load(document.encode()).texts) == (root.text or "")


def test_control_characters_do_not_break_the_document() -> None:
    assert xml.escape('a\x00\x01\x1b\ufffe\ud800b\r\n\t<&>"') == "a�����b&#13;&#10;&#9;&lt;&amp;&gt;&quot;"
