"""COPY as it is written: the manual's grammar in any order and case, and what is refused with its place."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe import errors
from restframe.sql.lexer import Cursor, tokenize
from restframe.sql.statements.columns import ColumnName
from restframe.sql.statements.copy import Columnar, Copy, Csv, Delimited, FixedWidth, Json, read_copy


def read(text: str) -> Copy:
    return read_copy(Cursor(text, tokenize(text)))


def options(text: str) -> Copy:
    return read(f"COPY t FROM 's3://b/p' {text}")


# Statements of the documents and of the demos

TAXI = "s3://sagemaker-sample-files/datasets/tabular/anomaly_benchmark_taxi/NAB_nyc_taxi.csv"


def test_the_anomaly_documents_statement() -> None:
    copy = read(f"COPY public.rcf_taxi_data\nFROM '{TAXI}'\niam_role '<<Arn>>'\nignoreheader 1 csv delimiter ','")
    assert (copy.table.schema, copy.table.name) == ("public", "rcf_taxi_data")
    assert copy.source == TAXI
    assert copy.authorization == "iam_role"
    assert copy.format == Csv()
    assert copy.ignore_header == 1


def test_its_variant_with_the_default_role() -> None:
    copy = read(f"COPY public.rcf_taxi_data FROM '{TAXI}' iam_role default ignoreheader 1 csv delimiter ','")
    assert copy.authorization == "iam_role"


def test_the_forecasting_documents_statement() -> None:
    copy = read(
        "COPY taxischema.nyc_greentaxi FROM 's3://nyc-tlc/trip data/green_tripdata_2020' "
        "IAM_ROLE 'arn:aws:iam::1:role/r' csv ignoreheader 1 region 'us-east-1'"
    )
    assert copy.source == "s3://nyc-tlc/trip data/green_tripdata_2020"
    assert copy.region == "us-east-1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("delimiter ',' IGNOREHEADER 1 region 'us-east-1'", {"format": Delimited(","), "ignore_header": 1}),
        ("IGNOREHEADER 1 delimiter '\\t' maxerror 100", {"format": Delimited("\t"), "max_error": 100}),
        (
            "FORMAT csv IGNOREHEADER 1 DATEFORMAT 'auto' TIMEFORMAT 'auto' REGION 'us-west-2' gzip",
            {"format": Csv(), "date_format": "auto", "time_format": "auto", "compression": "gzip"},
        ),
        ("FORMAT AS CSV QUOTE AS '\"'", {"format": Csv(",", '"')}),
        ("csv DATEFORMAT 'MM/DD/YYYY'", {"date_format": "MM/DD/YYYY"}),
        (
            "format as csv delimiter '|' quote '\"' blanksasnull emptyasnull fillrecord maxerror 50 region as 'r'",
            {
                "format": Csv("|"), "blanks_as_null": True, "empty_as_null": True, "fill_record": True,
                "max_error": 50,
            },
        ),
    ],
)  # fmt: skip
def test_statements_of_the_demos(text: str, expected: dict[str, object]) -> None:
    copy = options(f"iam_role default {text}")
    assert {name: getattr(copy, name) for name in expected} == expected


# Each option


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("csv", "format", Csv()),
        ("format csv", "format", Csv()),
        ("format as csv", "format", Csv()),
        ("as csv", "format", Csv()),
        ("csv quote as '%'", "format", Csv(quote="%")),
        ("csv quote '\\''", "format", Csv(quote="'")),
        ("", "format", Delimited("|")),
        ("delimiter as ','", "format", Delimited(",")),
        ("delimiter'\\001'", "format", Delimited("\x01")),
        ("delimiter '\\x1f'", "format", Delimited("\x1f")),
        ("format delimiter ';'", "format", Delimited(";")),
        ("escape removequotes", "format", Delimited("|", escape=True, remove_quotes=True)),
        ("fixedwidth '0:3,1:25, 2:012'", "format", FixedWidth((3, 25, 12))),
        ("json", "format", Json()),
        ("json 'auto'", "format", Json("auto")),
        ("format as json as 'auto ignorecase'", "format", Json("auto ignorecase")),
        ("json 'noshred'", "format", Json("noshred")),
        ("json 's3://b/paths.json'", "format", Json("paths", "s3://b/paths.json")),
        ("parquet", "format", Columnar("parquet")),
        ("FORMAT AS ORC", "format", Columnar("orc")),
        ("gzip", "compression", "gzip"),
        ("bzip2", "compression", "bzip2"),
        ("zstd", "compression", "zstd"),
        ("manifest", "manifest", True),
        ("credentials 'aws_iam_role=arn'", "authorization", "credentials"),
        ("iam_role 'arn'", "iam_role", "arn"),
        ("iam_role default", "iam_role", "default"),
        ("credentials 'aws_iam_role=arn'", "iam_role", "arn"),
        ("credentials 'aws_access_key_id=a;aws_secret_access_key=b'", "iam_role", "default"),
        ("with credentials as 'aws_access_key_id=a;aws_secret_access_key=b'", "authorization", "credentials"),
        ("access_key_id 'a' secret_access_key 'b' session_token 'c'", "authorization", "access_key"),
        ("null as ''", "null", ""),
        ("null '\\N'", "null", "\\N"),
        ("null as '\\\\N'", "null", "\\N"),
        ("null as '\\0'", "null", "\0"),
        ("null as '\\000'", "null", "\0"),
        ("null 'it''s'", "null", "it's"),
        ("emptyasnull", "empty_as_null", True),
        ("blanksasnull", "blanks_as_null", True),
        ("trimblanks", "trim_blanks", True),
        ("truncatecolumns", "truncate_columns", True),
        ("roundec", "round_decimals", True),
        ("fillrecord", "fill_record", True),
        ("ignoreblanklines", "ignore_blank_lines", True),
        ("ignoreheader as 2", "ignore_header", 2),
        ("acceptanydate", "accept_any_date", True),
        ("acceptinvchars", "accept_invalid", "?"),
        ("acceptinvchars as '^'", "accept_invalid", "^"),
        ("acceptinvchars '*'", "accept_invalid", "*"),
        ("dateformat as 'DD.MM.YYYY'", "date_format", "DD.MM.YYYY"),
        ("timeformat 'epochmillisecs'", "time_format", "epochmillisecs"),
        ("encoding as utf16le", "encoding", "utf16le"),
        ("encoding 'UTF-8'", "encoding", "utf8"),
        ("explicit_ids", "explicit_ids", True),
        ("maxerror as 100000", "max_error", 100_000),
        ("noload", "no_load", True),
        ("ignoreallerrors", "max_error", 2**62),
        ("parquet serializetojson", "format", Columnar("parquet")),
        ("compupdate off statupdate on", "accepted", ("COMPUPDATE", "STATUPDATE")),
        ("compupdate preset comprows 1000", "accepted", ("COMPUPDATE", "COMPROWS")),
        ("statupdate, compupdate", "accepted", ("STATUPDATE", "COMPUPDATE")),
    ],
)
def test_each_option(text: str, field: str, value: object) -> None:
    assert getattr(options(text), field) == value
    if "'" not in text:
        assert getattr(options(text.upper()), field) == value


def test_a_column_list() -> None:
    copy = read("copy t (a, \"B c\") from 's3://b/p' csv")
    assert copy.columns == (ColumnName("a", 9), ColumnName("b c", 12))


def test_quotes_may_touch_keywords() -> None:
    copy = read("copy t from's3://b/p'iam_role'arn'csv quote'|'delimiter','null as'x'region'r'")
    assert (copy.format, copy.null, copy.region) == (Csv(",", "|"), "x", "r")


ANY_ORDER = ["IAM_ROLE 'arn'", "FORMAT AS CSV", "DELIMITER ';'", "IGNOREHEADER 1", "NULL AS 'x'", "GZIP", "MAXERROR 5"]


@given(st.permutations(ANY_ORDER), st.sampled_from([" ", ", ", "\n-- one\n", " /* two */ "]))
@settings(max_examples=50, deadline=None)
def test_options_stand_in_any_order(order: list[str], between: str) -> None:
    assert options(between.join(order)) == options(" ".join(ANY_ORDER))


# What is refused, and where


def refusal(text: str) -> tuple[type[errors.Error], str, str]:
    """The kind of error, its message, and the text from its position on."""
    with pytest.raises(errors.Error) as caught:
        read(text)
    assert caught.value.position is not None
    return type(caught.value), str(caught.value), text[caught.value.position - 1 :]


SYNTAX, VALUE, REFUSED = errors.SyntaxError, errors.InvalidParameterValue, errors.NotSupportedError


@pytest.mark.parametrize(
    ("text", "kind", "message", "at"),
    [
        ("nonsense", SYNTAX, 'syntax error at or near "nonsense"', "nonsense"),
        ("csv nonsense 1", SYNTAX, 'syntax error at or near "nonsense"', "nonsense 1"),
        ("format as", SYNTAX, "syntax error at end of input", ""),
        ("format as gzip", SYNTAX, 'syntax error at or near "gzip"', "gzip"),
        ("csv gzip csv", SYNTAX, "conflicting or redundant options: CSV", "csv"),
        ("null 'a' null 'b'", SYNTAX, "conflicting or redundant options: NULL", "null 'b'"),
        ("csv json 'auto'", SYNTAX, "JSON cannot be used with CSV", "json 'auto'"),
        ("gzip bzip2", SYNTAX, "BZIP2 cannot be used with GZIP", "bzip2"),
        ("csv escape", SYNTAX, "ESCAPE cannot be used with CSV", "escape"),
        ("removequotes csv", SYNTAX, "REMOVEQUOTES cannot be used with CSV", "removequotes csv"),
        ("quote '\"'", SYNTAX, "QUOTE can only be used with CSV", "quote '\"'"),
        ("json 'auto' fillrecord", SYNTAX, "FILLRECORD cannot be used with JSON", "fillrecord"),
        ("fixedwidth 'a:1' delimiter ','", SYNTAX, "DELIMITER cannot be used with FIXEDWIDTH", "delimiter ','"),
        ("parquet gzip", SYNTAX, "GZIP argument is not supported for PARQUET based COPY", "gzip"),
        ("orc maxerror 3", SYNTAX, "MAXERROR argument is not supported for ORC based COPY", "maxerror 3"),
        ("csv serializetojson", SYNTAX, "SERIALIZETOJSON cannot be used with CSV", "serializetojson"),
        ("maxerror 5 ignoreallerrors", SYNTAX, "IGNOREALLERRORS cannot be used with MAXERROR", "ignoreallerrors"),
        ("iam_role 'a' credentials 'b'", SYNTAX, "CREDENTIALS cannot be used with IAM_ROLE", "credentials 'b'"),
        ("access_key_id 'a'", SYNTAX, "ACCESS_KEY_ID and SECRET_ACCESS_KEY must be used together", "access_key_id 'a'"),
        ("maxerror 100001", VALUE, "MAXERROR must be between 0 and 100000", "100001"),
        ("maxerror -1", VALUE, "MAXERROR must be between 0 and 100000", "-1"),
        ("maxerror 'x'", SYNTAX, "syntax error at or near \"'x'\"", "'x'"),
        ("comprows 999", VALUE, "COMPROWS must be between 1000 and 2147483647", "999"),
        ("delimiter '||'", VALUE, "COPY delimiter must be a single ASCII character", "'||'"),
        ("delimiter '\\n'", VALUE, "COPY delimiter must be a single ASCII character", "'\\n'"),
        ("delimiter 'é'", VALUE, "COPY delimiter must be a single ASCII character", "'é'"),
        ("csv quote ''", VALUE, "COPY quote must be a single ASCII character", "''"),
        ("null as 'a\\nb'", VALUE, "the NULL string cannot contain a line end", "'a\\nb'"),
        ("null as 'a|b'", SYNTAX, "NULL cannot be used with a delimiter inside the NULL string", "null as 'a|b'"),
        ("acceptinvchars 'ab'", VALUE, "the replacement must be a single ASCII character", "'ab'"),
        ("encoding latin1", VALUE, '"latin1" is not a file encoding', "latin1"),
        ("fixedwidth 'a:0'", VALUE, '"a:0" is not a fixed width specification', "'a:0'"),
        ("json 'always'", VALUE, '"always" is not an option of JSON', "'always'"),
        ("avro 'auto'", REFUSED, "COPY option AVRO is not supported", "avro 'auto'"),
        ("format as shapefile", REFUSED, "COPY option SHAPEFILE is not supported", "shapefile"),
        ("lzop", REFUSED, "COPY option LZOP is not supported", "lzop"),
        ("csv encrypted", REFUSED, "COPY option ENCRYPTED is not supported", "encrypted"),
        ("ssh", REFUSED, "COPY option SSH is not supported", "ssh"),
        ("readratio 50", REFUSED, "COPY option READRATIO is not supported", "readratio 50"),
        (
            "credentials 'aws_iam_role=a;master_symmetric_key=b'",
            REFUSED,
            "client-side encryption is not supported",
            "credentials 'aws_iam_role=a;master_symmetric_key=b'",
        ),
    ],
)  # fmt: skip
def test_options_that_are_refused(text: str, kind: type[errors.Error], message: str, at: str) -> None:
    assert refusal(f"COPY t FROM 's3://b/p' {text}") == (kind, message, at)


@pytest.mark.parametrize(
    ("text", "kind", "message", "at"),
    [
        ("copy", SYNTAX, "syntax error at end of input", ""),
        ("copy t", SYNTAX, "syntax error at end of input", ""),
        ("copy t from", SYNTAX, "syntax error at end of input", ""),
        ("copy t from x", SYNTAX, 'syntax error at or near "x"', "x"),
        ("copy t (a, a) from 's3://b/p'", errors.DuplicateColumn, 'column "a" specified more than once', "a) from 's3://b/p'"),
        ("copy t () from 's3://b/p'", SYNTAX, 'syntax error at or near ")"', ") from 's3://b/p'"),
        ("copy (select 1) to 's3://b/p'", SYNTAX, 'syntax error at or near "("', "(select 1) to 's3://b/p'"),
        ("copy t from program 'ls'", REFUSED, "COPY FROM PROGRAM is not supported", "program 'ls'"),
        ("copy t from 'emr://j/x'", REFUSED, "COPY from emr:// is not supported", "'emr://j/x'"),
        ("copy t from 'dynamodb://x'", REFUSED, "COPY from dynamodb:// is not supported", "'dynamodb://x'"),
        ("copy t from '/etc/passwd'", VALUE, '"/etc/passwd" is not an s3:// location', "'/etc/passwd'"),
        ("copy t from 'file:///x'", VALUE, '"file:///x" is not an s3:// location', "'file:///x'"),
    ],
)  # fmt: skip
def test_statements_that_are_refused(text: str, kind: type[errors.Error], message: str, at: str) -> None:
    assert refusal(text) == (kind, message, at)


def test_a_long_location_is_cut_in_the_message() -> None:
    with pytest.raises(errors.InvalidParameterValue) as caught:
        read(f"copy t from '{'x' * 100_000}'")
    assert len(str(caught.value)) < 200


WORDS = [
    "csv", "json", "'auto'", "format", "as", "delimiter", "','", "null", "quote", "fixedwidth", "'a:1'", "gzip", "7",
    "-", ".", ";", ",", "(", "iam_role", "default", "credentials", "'x'", "escape", "maxerror", "parquet",
    "acceptinvchars", "encoding", "utf16", "with", '"q"', "manifest",
]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=12))
@settings(max_examples=400, deadline=None)
def test_any_words_are_read_or_refused_with_a_place(words: list[str]) -> None:
    text = " ".join(["COPY t FROM 's3://b/p'", *words])
    try:
        read(text)
    except errors.Error as error:
        assert error.position is not None
        assert 1 <= error.position <= len(text) + 1
