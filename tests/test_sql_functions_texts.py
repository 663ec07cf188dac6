"""String functions against values from the manual, and hashes against Python's."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe import errors

once_per_test = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("upper('abc')", "ABC"),
        ("initcap('hello wORLD-foo bar_baz')", "Hello World-Foo Bar_Baz"),
        ("initcap('École d''été')", "École D'Été"),
        ("len('héllo')", 5),
        ("len('abc  '::char(5))", 3),
        ("octet_length('héllo')", 6),
        ("left('caterpillar', 3) || right('caterpillar', 3)", "catlar"),
        ("left('abc', -1) || right('abc', 0)", ""),
        ("lpad('dog', 7)", "    dog"),
        ("lpad('dog', 7, 'ab') || rpad('dog', 5, '*') || lpad('elephant', 3)", "ababdogdog**ele"),
        ("substring('caterpillar', 6, 4)", "pill"),
        ("substring('caterpillar', 6, 8)", "pillar"),
        ("substring('caterpillar', -2, 6)", "cat"),
        ("substring('caterpillar', -5, 4)", ""),
        ("substring('caterpillar' from 6 for 4)", "pill"),
        ("substring('caterpillar', 0)", "caterpillar"),
        ("substr('caterpillar', 0, 4)", "cat"),
        ("strpos('dogfish', 'fish')", 4),
        ("charindex('dog', 'fish')", 0),
        ("position('fish' in 'dogfish')", 4),
        ("strpos(111.15, '.')", 4),
        ("substring(timestamp '2008-01-24 06:43:29', 6, 2)", "01"),
        ("btrim('xyzaxyzbxyzcxyz', 'xyz')", "axyzbxyzc"),
        ("trim('\"' from '\"dog\"')", "dog"),
        ("trim(leading 'x' from 'xax') || trim(trailing 'x' from 'xax')", "axxa"),
        ("'[' || btrim('  a b  ') || ']'", "[a b]"),
        ("ltrim('xxab', 'x') || rtrim('abxx', 'x')", "abab"),
        ("replace('abcabc', 'b', 'xy')", "axycaxyc"),
        ("translate('mint tea', 'inea', 'osin')", "most tin"),
        ("translate('St. Paul', ' .', '_')", "St_Paul"),
        ("repeat('ab', 3) || replicate('c', 2)", "abababcc"),
        ("reverse('héllo')", "olléh"),
        ("split_part('abc$def$ghi', '$', 2)", "def"),
        ("split_part('abc$def$ghi', '$', 4)", ""),
        ("ascii('a')", 97),
        ("chr(65)", "A"),
        ("concat('a', null)", None),
        ("concat('a', 'b')", "ab"),
        ("'a' || null", None),
        ("'a' || 1 || 2.50 || date '2020-01-01'", "a12.502020-01-01"),
        ("1.5e0 || '|' || 100e0 || '|' || 1e20 || '|' || (1e0 / 3)", "1.5|100|1e+20|0.333333333333333"),
        ("'a' + 'b'", "ab"),
        ("quote_ident('a b') || quote_ident('ab') || quote_ident('a\"b')", '"a b"ab"a""b"'),
        ("quote_literal('it''s')", "'it''s'"),
        ("bpcharcmp('a  ', 'a')", 0),
        ("octetindex('q', 'Amazonéq')", 9),
        ("soundex('Amazon') || soundex('AWS Amazon') || soundex('+-*/%')", "A525A252"),
        ("soundex('Tymczak') || soundex('Pfister') || soundex('Ashcraft')", "T522P236A261"),
        ("difference('AC/DC', 'Ay See Dee See')", 4),
        ("difference('Amazon', '+-*/%')", 0),
        ("strtol('0xf', 16)", 15),
        ("strtol('abcd1234', 16)", 2882343476),
        ("strtol('1234567', 8)", 342391),
        ("strtol('110101', 2)", 53),
        ("strtol(' -ff', 16)", -255),
        ("strtol('', 10)", 0),
        ("to_hex(255)", "ff"),
        ("to_hex(-1)", "ffffffff"),
        ("to_hex((-1)::bigint)", "f" * 16),
        ("collate('a', 'case_insensitive') = 'A'", True),
        ("from_varbyte(to_varbyte('616263', 'hex'), 'utf8')", "abc"),
        ("from_varbyte('abc'::varbyte, 'hex')", "616263"),
    ],
)  # fmt: skip
def test_text_functions(redshift: Any, expression: str, expected: object) -> None:
    assert redshift.value(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("fnv_hash(1)", -5968735742475085980),
        ("fnv_hash(1::smallint)", 589727492704079044),
        ("fnv_hash(1::bigint)", -8517097267634966620),
        ("fnv_hash('Amazon Redshift')", 7783490368944507294),
        ("fnv_hash('Amazon Redshift', fnv_hash(1))", -2202602717770968555),
        ("fnv_hash('cd', fnv_hash('ab')) = fnv_hash('abcd')", True),
        ("crc32('Amazon Redshift')", "f2726906"),
        ("func_sha1('a')", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
        ("sha2('a', 256)", hashlib.sha256(b"a").hexdigest()),
    ],
)
def test_hashes_of_the_manual(redshift: Any, expression: str, expected: object) -> None:
    assert redshift.value(expression) == expected


@given(st.text(max_size=20).filter(lambda text: "\0" not in text))
@once_per_test
def test_hashes_of_any_text(redshift: Any, text: str) -> None:
    data = text.encode()
    found = redshift.row("select fnv_hash($1::varchar), crc32($1::varchar), md5($1::varchar)", [text])
    assert found == (fnv1a(data), crc32c(data), hashlib.md5(data).hexdigest())


def fnv1a(data: bytes) -> int:
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 % 2**64
    return h - 2**64 if h >= 2**63 else h


def crc32c(data: bytes) -> str:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return f"{crc ^ 0xFFFFFFFF:08x}"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("regexp_replace('a1b22', '[0-9]+', '#')", "a#b#"),
        ("regexp_replace('the fox', 'FOX', 'quick brown fox', 1, 'i')", "the quick brown fox"),
        ("regexp_replace('user@example.com', '@.*\\\\.(org|com)$')", "user"),
        ("regexp_replace('aaa', 'a', 'b', 2)", "abb"),
        ("regexp_replace('john smith', '(\\\\w+) (\\\\w+)', '$2 $1')", "smith john"),
        ("regexp_substr('abc123def45', '[0-9]+')", "123"),
        ("regexp_substr('abc123def45', '[0-9]+', 1, 2)", "45"),
        ("regexp_substr('abc123def45', '[0-9]+', 5)", "23"),
        ("regexp_substr('key=value', '(\\\\w+)=(\\\\w+)', 1, 1, 'e')", "key"),
        ("regexp_substr('abc', 'x')", ""),
        ("regexp_count('abcdefghijklmnopqrstuvwxyz', '[a-z]{3}')", 8),
        ("regexp_count('the fox', 'FOX', 1, 'i')", 1),
        ("regexp_instr('venue@example', '@[^.]*')", 6),
        ("regexp_instr('the fox', 'FOX', 1, 1, 0, 'i')", 5),
        ("regexp_instr('a1b2c3', '[0-9]', 1, 3)", 6),
        ("regexp_instr('a1b2c3', '[0-9]', 1, 2, 1)", 5),
        ("regexp_instr('a1b2c3', '[0-9]', 3)", 4),
        ("regexp_instr('abc', 'x')", 0),
    ],
)  # fmt: skip
def test_regular_expressions(redshift: Any, expression: str, expected: object) -> None:
    assert redshift.value(expression) == expected


def test_null_goes_in_and_out(redshift: Any) -> None:
    redshift.table("t", "s varchar(10)", "null")
    for call in ("initcap(s)", "soundex(s)", "crc32(s)", "fnv_hash(s)", "strtol(s, 10)", "substring(s, -1, 2)",
                 "regexp_substr(s, 'a')", "regexp_instr(s, 'a')", "regexp_count(s, 'a')", "octetindex('a', s)",
                 "quote_ident(s)", "left(s, 1)", "split_part(s, 'a', 1)"):  # fmt: skip
        assert redshift.row(f"select {call} from t") == (None,), call


@pytest.mark.parametrize(
    ("expression", "condition"),
    [
        ("substring('abc', 1, -1)", errors.InvalidParameterValue),
        ("split_part('a', 'b', 0)", errors.InvalidParameterValue),
        ("strtol('1', 37)", errors.InvalidParameterValue),
        ("sha2('a', 512)", errors.NotSupportedError),
        ("to_varbyte('a', 'rot13')", errors.InvalidParameterValue),
        ("upper(true)", errors.CannotCoerce),
        ("upper()", errors.UndefinedFunction),
        ("upper('a', 'b')", errors.UndefinedFunction),
        ("upper(distinct 'a')", errors.SyntaxError),
    ],
)
def test_what_is_refused(redshift: Any, expression: str, condition: type[errors.Error]) -> None:
    with pytest.raises(condition) as caught:
        redshift.value(expression)
    assert caught.value.position is not None


@pytest.mark.parametrize("expression", ["regexp_count('aaa', '{}')", "regexp_substr('aaa', '{}', 1, 2)"])
def test_groups_that_would_end_the_process(redshift: Any, expression: str) -> None:
    """The engine has no room on its stack for some ten thousand of them."""
    assert redshift.value(expression.format("(" * 500 + ")" * 500)) in (4, "")
    for groups in ("(" * 501 + ")" * 501, "()" * 32_000):
        with pytest.raises(errors.InvalidRegularExpression, match="more than 500 groups"):
            redshift.value(expression.format(groups))
