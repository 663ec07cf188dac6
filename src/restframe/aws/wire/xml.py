"""XML in both directions: bodies of S3, and the answers of the query protocol.

https://smithy.io/2.0/spec/protocol-traits.html#xml-bindings
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from botocore.model import ListShape, MapShape, Shape, StructureShape

from restframe.aws.wire import values
from restframe.aws.wire.shapes import ShapeFunctions
from restframe.aws.wire.values import Unreadable

_DEEPEST = 64
_MOST = 200_000  # elements of a document; the largest that S3 allows, a list of 10,000 parts, has half of it
# what XML 1.0 has no way to write, not even as a number
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPECIAL = re.compile('[&<>"\r\n\t]')
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}


class Element:
    """tag and the names of attributes are without the namespace's prefix for elements, with it for attributes."""

    __slots__ = ("attributes", "children", "tag", "texts")

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Element] = []
        self.texts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self.texts)


class _Tree:
    """Builds elements from the parser's events; refuses what makes XML dangerous."""

    def __init__(self) -> None:
        self.open = [Element("", {})]
        self.size = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.size += 1
        if len(self.open) > _DEEPEST:
            raise Unreadable("the XML is nested too deeply")
        if self.size > _MOST:
            raise Unreadable("the XML has too many elements")
        element = Element(tag.rpartition(":")[2], attributes)
        self.open[-1].children.append(element)
        self.open.append(element)

    def end(self, tag: str) -> None:
        self.open.pop()

    def text(self, text: str) -> None:
        self.open[-1].texts.append(text)

    def doctype(self, *_: Any) -> None:
        raise Unreadable("the XML has a document type, which is not allowed")


def load(body: bytes) -> Element:
    """The root of a document; Unreadable for anything that is not well-formed, has a DTD, is very deep or very long."""
    tree = _Tree()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.text
    parser.StartDoctypeDeclHandler = tree.doctype
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise Unreadable(f"the XML is not well-formed: line {error.lineno}, column {error.offset}") from error
    return tree.open[0].children[0]


Read = Callable[[list[Element]], Any]


class Readers(ShapeFunctions[Read]):
    """What turns the elements of one name into a value; they are several for a flattened list or map only."""

    def __init__(self) -> None:
        super().__init__(self._reader)

    def read(self, shape: Shape, element: Element) -> Any:
        """Unreadable names the element of another type. Elements that the shape does not have are left out."""
        reader = self.of(shape)
        assert reader
        return reader([element])

    def _reader(self, shape: Shape) -> Read:
        if isinstance(shape, StructureShape):
            return self._structure(shape)
        flattened = bool(shape.serialization.get("flattened"))
        if isinstance(shape, ListShape):
            return self._list(shape, flattened)
        if isinstance(shape, MapShape):
            return self._map(shape, flattened)
        form = shape.serialization.get("timestampFormat", "iso8601")
        kind = shape.type_name

        def read(elements: list[Element]) -> Any:
            element = _only(elements)
            if element.children:
                raise Unreadable(f"an element where text of type {kind} was expected")
            return values.scalar(element.text, kind, form)

        return read

    def _structure(self, shape: StructureShape) -> Read:
        attributes, members = {}, {}
        for name, member in shape.members.items():
            key = member.serialization.get("name", name)
            if member.serialization.get("xmlAttribute"):
                attributes[key] = name
            else:
                members[key] = (name, self.inner(member))

        def read(elements: list[Element]) -> dict[str, Any]:
            element = _only(elements)
            result: dict[str, Any] = {
                name: element.attributes[key] for key, name in attributes.items() if key in element.attributes
            }
            for tag, inside in _by_tag(element).items():
                if tag not in members:
                    continue
                name, reader = members[tag]
                try:
                    result[name] = reader(inside) if reader else None
                except Unreadable as error:
                    raise error.inside(values.shown(tag)) from None
            return result

        return read

    def _list(self, shape: ListShape, flattened: bool) -> Read:
        reader = self.inner(shape.member)
        tag = shape.member.serialization.get("name", "member")

        def read(elements: list[Element]) -> list[Any]:
            items = elements if flattened else [item for item in _only(elements).children if item.tag == tag]
            result = []
            for index, item in enumerate(items, 1):
                try:
                    result.append(reader([item]) if reader else None)
                except Unreadable as error:
                    raise error.inside(str(index)) from None
            return result

        return read

    def _map(self, shape: MapShape, flattened: bool) -> Read:
        key_reader, value_reader = self.inner(shape.key), self.inner(shape.value)
        key_tag = shape.key.serialization.get("name", "key")
        value_tag = shape.value.serialization.get("name", "value")

        def read(elements: list[Element]) -> dict[str, Any]:
            entries = elements if flattened else [item for item in _only(elements).children if item.tag == "entry"]
            result = {}
            for entry in entries:
                parts = _by_tag(entry)
                if key_tag not in parts or value_tag not in parts:
                    raise Unreadable(f"an entry of a map without {key_tag} or {value_tag}")
                assert key_reader
                assert value_reader
                result[key_reader(parts[key_tag])] = value_reader(parts[value_tag])
            return result

        return read


def _only(elements: list[Element]) -> Element:
    if len(elements) != 1:
        raise Unreadable("an element stands there twice")
    return elements[0]


def _by_tag(element: Element) -> dict[str, list[Element]]:
    found: dict[str, list[Element]] = {}
    for child in element.children:
        found.setdefault(child.tag, []).append(child)
    return found


# parts of the document so far, the tag, the value
Write = Callable[[list[str], str, Any], None]


class Writers(ShapeFunctions[Write]):
    """What appends the element of a value to the pieces of a document."""

    def __init__(self) -> None:
        super().__init__(self._writer)

    def write(self, parts: list[str], shape: Shape, tag: str, value: Any) -> None:
        """TypeError for a member that the shape does not have; members that are None are left out."""
        writer = self.of(shape)
        assert writer
        writer(parts, tag, value)

    def _writer(self, shape: Shape) -> Write:
        if isinstance(shape, StructureShape):
            return self._structure(shape)
        flattened = bool(shape.serialization.get("flattened"))
        if isinstance(shape, ListShape):
            return self._list(shape, flattened)
        if isinstance(shape, MapShape):
            return self._map(shape, flattened)
        form = shape.serialization.get("timestampFormat", "iso8601")
        kind = shape.type_name

        def write(parts: list[str], tag: str, value: Any) -> None:
            parts.append(f"<{tag}>{escape(values.scalar_text(value, kind, form))}</{tag}>")

        return write

    def _structure(self, shape: StructureShape) -> Write:
        attributes, members = {}, {}
        for name, member in shape.members.items():
            key = member.serialization.get("name", name)
            if member.serialization.get("xmlAttribute"):
                attributes[name] = key
            elif member.serialization.get("location") not in ("header", "headers", "statusCode"):
                members[name] = (_member_tag(member, key), self.inner(member))
        namespace = _prefixed_namespace(shape)

        def write(parts: list[str], tag: str, value: Any) -> None:
            opening = f"<{tag}{namespace}"
            for name, key in attributes.items():
                if value.get(name) is not None:
                    opening += f' {key}="{escape(str(value[name]))}"'
            parts.append(f"{opening}>")
            for name, item in value.items():
                if item is None or name in attributes:
                    continue
                try:
                    key, writer = members[name]
                except KeyError:
                    raise TypeError(f"{shape.name} has no member {name}") from None
                assert writer
                writer(parts, key, item)
            parts.append(f"</{tag}>")

        return write

    def _list(self, shape: ListShape, flattened: bool) -> Write:
        writer = self.inner(shape.member)
        inner_tag = shape.member.serialization.get("name", "member")
        assert writer

        def write(parts: list[str], tag: str, value: Any) -> None:
            if not flattened:
                parts.append(f"<{tag}>")
            for item in value:
                writer(parts, tag if flattened else inner_tag, item)
            if not flattened:
                parts.append(f"</{tag}>")

        return write

    def _map(self, shape: MapShape, flattened: bool) -> Write:
        key_writer, value_writer = self.inner(shape.key), self.inner(shape.value)
        key_tag = shape.key.serialization.get("name", "key")
        value_tag = shape.value.serialization.get("name", "value")
        assert key_writer
        assert value_writer

        def write(parts: list[str], tag: str, value: Any) -> None:
            if not flattened:
                parts.append(f"<{tag}>")
            entry = tag if flattened else "entry"
            for key, item in value.items():
                parts.append(f"<{entry}>")
                key_writer(parts, key_tag, key)
                value_writer(parts, value_tag, item)
                parts.append(f"</{entry}>")
            if not flattened:
                parts.append(f"</{tag}>")

        return write


def _member_tag(member: Shape, key: str) -> str:
    """The items of a flattened list may have a name of their own."""
    if isinstance(member, ListShape) and member.serialization.get("flattened"):
        return str(member.member.serialization.get("name", key))
    return key


def _prefixed_namespace(shape: Shape) -> str:
    """A namespace that the names of attributes are taken from; that of elements stands on the root alone."""
    namespace = shape.serialization.get("xmlNamespace")
    if isinstance(namespace, dict) and namespace.get("prefix"):
        return f' xmlns:{namespace["prefix"]}="{namespace["uri"]}"'
    return ""


def escape(text: str) -> str:
    """A text as it may stand in an element or attribute; characters that XML cannot hold become U+FFFD."""
    text = _UNWRITABLE.sub("\ufffd", text)
    return _SPECIAL.sub(lambda special: _ESCAPES[special[0]], text)


DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
