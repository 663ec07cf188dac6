"""UNLOAD as it is written: the manual's grammar in any order, and what is refused with its place."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe import errors
from restframe.sql.lexer import Cursor, tokenize
from restframe.sql.statements.columns import ColumnName
from restframe.sql.statements.unload import Unload, read_unload


def read(text: str) -> Unload:
    return read_unload(Cursor(text, tokenize(text)))


def options(text: str) -> Unload:
    return read(f"UNLOAD ('select 1') TO 's3://b/p_' {text}")


def test_the_documents_statement() -> None:
    unload = read(
        "unload('select date_trunc(''hour'', t), vendorid from rides where vendorid = 1 group by 1;\n')\n"
        "to 's3://bucket/trip data/taxi_' iam_role'arn:aws:iam::1:role/r' format as CSV header ALLOWOVERWRITE GZIP"
    )
    assert unload == Unload(
        query="select date_trunc('hour', t), vendorid from rides where vendorid = 1 group by 1",
        target="s3://bucket/trip data/taxi_",
        authorization="iam_role",
        iam_role="arn:aws:iam::1:role/r",
        format="csv",
        header=True,
        allow_overwrite=True,
        compression="gzip",
    )


def test_every_option_at_once_in_any_order_and_case() -> None:
    text = options(
        "manifest VERBOSE, zstd partition by (a, \"B c\") include null as 'x' maxfilesize as 1.5 gb region 'eu-west-1' "
        "addQuotes escape delimiter as '\\t' parallel off cleanpath encrypted auto extension 'txt.zst' header "
        "with credentials as 'aws_iam_role=arn'"
    )
    assert text == Unload(
        query="select 1",
        target="s3://b/p_",
        authorization="credentials",
        iam_role="arn",
        header=True,
        delimiter="\t",
        add_quotes=True,
        null="x",
        escape=True,
        compression="zstd",
        extension="txt.zst",
        parallel=False,
        partition_by=(ColumnName("a", 0), ColumnName("b c", 0)),
        include_partitions=True,
        max_file_bytes=1_610_612_736,
        manifest="verbose",
        clean_path=True,
        region="eu-west-1",
        accepted=("REGION", "ENCRYPTED"),
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("csv", {"format": "csv"}),
        ("FORMAT PARQUET ROWGROUPSIZE 64 MB", {"format": "parquet", "row_group_bytes": 64 << 20}),
        ("FORMAT AS JSON", {"format": "json"}),
        ("AS PARQUET", {"format": "parquet"}),
        ("CSV DELIMITER AS '|'", {"format": "csv", "delimiter": "|"}),
        ("FIXEDWIDTH 'id: 3, Name:012'", {"format": "fixedwidth", "widths": (("id", 3), ("name", 12))}),
        ("PARALLEL", {"parallel": True}),
        ("PARALLEL TRUE", {"parallel": True}),
        ("PARALLEL FALSE", {"parallel": False}),
        ("MAXFILESIZE 5", {"max_file_bytes": 5 << 20}),
        ("MAXFILESIZE 256MB", {"max_file_bytes": 256 << 20}),
        ("MAXFILESIZE AS 6.2 GB", {"max_file_bytes": 6_657_199_308}),
        ("MANIFEST", {"manifest": "plain"}),
        ("BZIP2", {"compression": "bzip2"}),
        ("NULL '\\N'", {"null": "\\N"}),
        ("NULL AS '\\\\N'", {"null": "\\N"}),
        ("NULL AS ''", {"null": ""}),
        ("DELIMITER '\\001'", {"delimiter": "\x01"}),
        ("DELIMITER ''''", {"delimiter": "'"}),
        ("IAM_ROLE default", {"authorization": "iam_role"}),
        ("ACCESS_KEY_ID 'a' SECRET_ACCESS_KEY 's' SESSION_TOKEN 't'", {"authorization": "access_key"}),
        ("ENCRYPTED KMS_KEY_ID 'k'", {"accepted": ("ENCRYPTED", "KMS_KEY_ID")}),
        ("PARTITION\n BY (y)", {"partition_by": (ColumnName("y", 0),)}),
        ("PARTITION/**/BY (y)", {"partition_by": (ColumnName("y", 0),)}),
    ],
)  # fmt: skip
def test_one_option(text: str, wanted: dict[str, object]) -> None:
    assert options(text) == Unload(query="select 1", target="s3://b/p_", **wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("unload ($$select 'a''b' from t;$$) to 's3://b/p'", "select 'a''b' from t"),
        ("unload ($q$select '$$'$q$) to 's3://b/p'", "select '$$'"),
        ("unload ('select \\'NV\\', ''x\\\\d''') to 's3://b/p'", "select 'NV', 'x\\d'"),
        ("unload ('select ''\\d'' ; ; ') to 's3://b/p'", "select '\\d'"),
    ],
)
def test_a_query_in_any_quotes(text: str, query: str) -> None:
    assert read(text).query == query


@pytest.mark.parametrize(
    "text",
    [
        "unload ('select ''a'', ''b'' from missing') to 's3://b/p'",
        "  unload ($$select 'a', 'b' from missing$$) to 's3://b/p'",
        "unload ($x$select 'a', 'b' from missing$x$) to 's3://b/p'",
        "unload ('select \\'a\\', ''b'' from missing;') to 's3://b/p'",
    ],
)
def test_a_place_in_the_query_is_found_in_the_statement(text: str) -> None:
    unload = read(text)
    assert unload.place(unload.query.index("missing") + 1) == text.index("missing") + 1
    assert unload.place(1) == text.index("select") + 1


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("GZIP GZIP", "conflicting or redundant options: GZIP", "GZIP GZIP"[5:]),
        ("HEADER FROBNICATE", 'syntax error at or near "FROBNICATE"', "FROBNICATE"),
        ("VERBOSE", 'syntax error at or near "VERBOSE"', "VERBOSE"),
        ("FORMAT AS TEXT", 'syntax error at or near "TEXT"', "TEXT"),
        ("FORMAT AS CSV JSON", "CSV cannot be used with JSON", "JSON"),
        ("FIXEDWIDTH 'a:1' CSV", "CSV cannot be used with FIXEDWIDTH", "CSV"),
        ("FIXEDWIDTH 'a:1' HEADER", "FIXEDWIDTH cannot be used with HEADER", "HEADER"),
        ("GZIP PARQUET", "PARQUET cannot be used with GZIP", "PARQUET"),
        ("PARQUET NULL 'x'", "PARQUET cannot be used with NULL", "NULL"),
        ("JSON HEADER", "JSON cannot be used with HEADER", "HEADER"),
        ("CSV ADDQUOTES", "CSV cannot be used with ADDQUOTES", "ADDQUOTES"),
        ("GZIP ZSTD", "GZIP cannot be used with ZSTD", "ZSTD"),
        ("ALLOWOVERWRITE CLEANPATH", "CLEANPATH cannot be used with ALLOWOVERWRITE", "CLEANPATH"),
        ("IAM_ROLE 'r' CREDENTIALS 'c'", "CREDENTIALS cannot be used with IAM_ROLE", "CREDENTIALS"),
        ("ROWGROUPSIZE 64", "ROWGROUPSIZE needs PARQUET", "ROWGROUPSIZE"),
        ("KMS_KEY_ID 'k'", "KMS_KEY_ID needs ENCRYPTED", "KMS_KEY_ID"),
        ("ACCESS_KEY_ID 'k'", "ACCESS_KEY_ID needs SECRET_ACCESS_KEY", "ACCESS_KEY_ID"),
        ("SECRET_ACCESS_KEY 'k'", "SECRET_ACCESS_KEY needs ACCESS_KEY_ID", "SECRET_ACCESS_KEY"),
        ("MAXFILESIZE 4", "MAXFILESIZE must be between 5 MB and 6.2 GB", "4"),
        ("MAXFILESIZE 7 GB", "MAXFILESIZE must be between 5 MB and 6.2 GB", "7"),
        ("MAXFILESIZE 'x'", "MAXFILESIZE must be a number of MB or GB", "'x'"),
        ("PARQUET ROWGROUPSIZE 31", "ROWGROUPSIZE must be between 32 MB and 128 MB", "31"),
        ("PARQUET ROWGROUPSIZE 64.5", "ROWGROUPSIZE must be a number of MB or GB", "64.5"),
        ("DELIMITER 'ab'", "UNLOAD delimiter must be a single ASCII character", "'ab'"),
        ("DELIMITER '\\n'", "UNLOAD delimiter must be a single ASCII character", "'\\n'"),
        ("DELIMITER", "syntax error at end of input", ""),
        ("EXTENSION 'a/b'", "an extension has 1 to 100 characters and no slash", "'a/b'"),
        ("NULL 'a\\nb'", "the NULL string cannot contain a line end or more than 1000 characters", "'a"),
        ("FIXEDWIDTH 'a'", '"a" is not a fixed width specification', "'a'"),
        ("PARTITION BY (a, a)", 'column "a" specified more than once', "a)"),
        ("PARTITION BY a", 'syntax error at or near "a"', "a"),
        ("PARTITION BY ()", 'syntax error at or near ")"', ")"),
        ("MASTER_SYMMETRIC_KEY 'k' ENCRYPTED", "client-side encryption is not supported", "MASTER_SYMMETRIC_KEY"),
        ("CREDENTIALS 'x;master_symmetric_key=k'", "client-side encryption is not supported", "'x;"),
    ],
)  # fmt: skip
def test_what_does_not_go_is_refused_at_its_place(text: str, message: str, at: str) -> None:
    with pytest.raises(errors.DatabaseError) as caught:
        options(text)
    assert caught.value.message == message
    start = len("UNLOAD ('select 1') TO 's3://b/p_' ")
    assert caught.value.position == start + (text.rindex(at) if at else len(text)) + 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("unload select 1 to 's3://b/p'", 'syntax error at or near "select"'),
        ("unload (select 1) to 's3://b/p'", 'syntax error at or near "select"'),
        ("unload ('') to 's3://b/p'", "UNLOAD needs a query"),
        ("unload (' ; ') to 's3://b/p'", "UNLOAD needs a query"),
        ("unload ('select 1') 's3://b/p'", "syntax error at or near \"'s3://b/p'\""),
        ("unload ('select 1') to '/etc/passwd'", '"/etc/passwd" is not an s3:// location'),
        ("unload ('select 1')", "syntax error at end of input"),
    ],
)
def test_a_statement_that_is_none(text: str, message: str) -> None:
    with pytest.raises(errors.DatabaseError) as caught:
        read(text)
    assert caught.value.message == message
    assert caught.value.position is not None


@given(st.text("ab';\\$ \n", min_size=1, max_size=40))
@settings(max_examples=200)
def test_any_query_written_with_doubled_quotes_comes_back(query: str) -> None:
    wanted = ("select " + query).rstrip("; \t\r\n")
    quoted = "select " + query.replace("\\", "\\\\").replace("'", "''")
    unload = read(f"unload ('{quoted}') to 's3://b/p'")
    assert unload.query == wanted
    text = f"unload ('{quoted}') to 's3://b/p'"
    for position, letter in enumerate(wanted, 1):
        assert text[unload.place(position) - 1] in (letter, "'", "\\")
