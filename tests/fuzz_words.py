"""What the fuzzer says: names that meet, texts that hurt, statements."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

POLICY = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "*", '
    '"Resource": "*"}]}'
)
IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/randomcutforest:1"
ROLE = "arn:aws:iam::000000000000:role/restframe"
NAMES = ("rides", "taxi", "zones", "a", "model-one", "t-2")
BUCKETS = ("fuzz-one", "fuzz-two", "fuzz.three")
KEYS = ("a", "a/b", "a/b/c.csv", "z z", "ü/é.txt", "a+b%20c", "/lead", "trail/", "x" * 900, "..", "a/../b", "é" * 100)
TEXTS = (
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "\n",
        "a\r\nX-Injected: yes",
        "\x7f\x1b[31m",
        "%",
        "%00",
        "%2e%2e%2f",
        "%zz",
        "..",
        "../../etc",
    ),
    *(
        "/etc/passwd",
        "file:///etc/passwd",
        "s3://../../etc/passwd",
        "\u202e\u200b\ufeff",
        "😀" * 30,
        "e\u0301",
        "ß",
        "\ud800",
    ),
    *(
        "\uffff",
        "null",
        "true",
        "0",
        "-1",
        "1e400",
        "NaN",
        "[]",
        "{}",
        '{"a":',
        "[" * 3000,
        '{"a":' * 300,
        "<a>",
        "]]>",
        "&amp;",
    ),
    *("'; drop table rides; --", "${jndi:x}", "{{7*7}}", "%s%n%d", "a" * 65, "a" * 257, "a" * 2049, "a" * 70_000),
    *(
        "arn:aws:iam::000000000000:role/restframe",
        "arn:aws",
        ":::::",
        "AAAA",
        "====",
        "http://127.0.0.1:1/",
        "*",
        "?",
        "\\",
    ),
)
NUMBERS = (
    0,
    1,
    -1,
    2,
    7,
    255,
    2**31 - 1,
    2**31,
    -(2**31),
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    10**30,
    0.5,
    -0.0,
    1e308,
    1e-308,
)
OTHER_TYPES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1.5,
    "text",
    [],
    {},
    [None],
    {"": None},
    [[[]]],
    {"a": {"a": []}},
    10**40,
)

SQL = (
    *(
        "select 1",
        "select 'a' as x, 2.5 as y, null as z",
        "select * from rides",
        "show tables",
        "select current_user, version()",
    ),
    *(
        "create table if not exists rides (id int, zone varchar(10), fare decimal(8,2), day timestamp)",
        "drop table rides",
    ),
    *(
        "insert into rides values (1, 'north', 2.5, '2020-01-01'), (2, null, null, null)",
        "truncate rides",
        "vacuum rides",
    ),
    *("unload ('select * from rides') to 's3://fuzz-one/out_' iam_role default csv header", "analyze rides"),
    *(
        "unload ('select 1 as a') to 's3://fuzz-one/../../../../tmp/x' iam_role default",
        "select :a + :b",
        "select :a::int",
    ),
    *(
        "copy rides from 's3://fuzz-one/out_' iam_role default csv ignoreheader 1",
        "copy rides from 's3://fuzz-one/../x' iam_role default",
    ),
    *(
        "copy rides from '/etc/passwd' iam_role default",
        "select * from '/etc/passwd'",
        "select * from read_csv('/etc/passwd')",
    ),
    *(
        "attach '/tmp/x.db' as y",
        "install httpfs",
        "load httpfs",
        "pragma database_list",
        "copy rides to '/tmp/x'",
        "set statement_timeout to 1",
    ),
    *(
        "begin; select 1; commit",
        "begin",
        "commit",
        "rollback",
        ";",
        ";;;",
        "--",
        "/*",
        "/* a */",
        "select 1;;",
        "select $1",
        "explain select 1",
    ),
    *(
        "select count(*) from generate_series(1, 300000)",
        "select repeat('x', 100000)",
        "select repeat('x', 2000000000)",
        "select 1/0",
    ),
    *(
        "with recursive t(n) as (select 1 union all select n+1 from t where n < 1000) select count(*) from t",
        "select pg_sleep(1)",
    ),
    *(
        "select " + "(" * 200 + "1" + ")" * 200,
        "select " + "(" * 20000 + "1",
        "select " + "1+" * 3000 + "1",
        "select '" + "a" * 90000 + "'",
    ),
    *(
        "select case " + "when 1=1 then 1 " * 500 + "end",
        "select 9223372036854775807 + 1",
        "select cast('nan' as float)",
        "select 'a'::int",
    ),
    *(
        "create model m from rides target fare function f iam_role default settings (s3_bucket 'fuzz-one')",
        "show model all",
        "drop model m",
    ),
    *(
        "grant select on rides to public",
        "create user u password 'Abcdefg1'",
        "create view v as select 1 as a",
        "select * from v",
        "drop view v",
    ),
    *(
        "select x'00', chr(0), 'a\0b'",
        "select to_char(now(), 'YYYY')",
        "select json_parse('[1,{\"a\":2}]')",
        "select '\ud83d\ude00', 'ü'",
    ),
    *(
        "select regexp_replace('" + "a" * 30 + "', '(a+)+$', 'b')",
        "select date '0001-01-01', date '9999-12-31'",
        "select interval '1 year'",
    ),
    *(
        "prepare p as select 1",
        "execute p",
        "declare c cursor for select 1",
        "fetch 1 from c",
        "call f()",
        "lock rides",
        "cancel 1",
    ),
    *(
        "select * from information_schema.tables",
        "select * from pg_catalog.pg_class",
        "select * from svv_tables",
        "select * from stl_query",
    ),
)  # Arguments of functions, of types and sizes that few of them expect.
ARGUMENTS = (
    *(
        "null",
        "1",
        "-1",
        "0",
        "2147483647",
        "-9223372036854775808",
        "1.5",
        "1e308",
        "'nan'::float",
        "9" * 38,
        "true",
        "i",
    ),
    *(
        "'a'",
        "''",
        "'2020-01-01'",
        "'0001-01-01'::date",
        "'9999-12-31 23:59:59'::timestamp",
        "'12:00'::time",
        "'month'",
    ),
    *(
        "interval '1 day'",
        "to_varbyte('ff', 'hex')",
        "'US/Pacific'",
        "'YYYY-MM-DD HH24:MI:SS'",
        "chr(0)",
        "'\U0001f600'",
    ),
    *("repeat('a', 60000)", "repeat('(', 20000)", "repeat('%', 60000)", "repeat('9', 5000)", "repeat('\u00e9', 30000)"),
    *(
        "repeat('[', 30000) || repeat(']', 30000)",
        "repeat('{\"a\":', 10000)",
        "json_parse('[1, {\"a\": [null, 1.5]}]')",
    ),
    *("repeat('YYYY', 15000)", "repeat('FM999', 10000)", "$2000000000", "i::varchar", "i::decimal(38, 37)"),
)

_GRAMMAR = r"""
select from where group by order limit 1 0 -1 null 'a' '' "b" rides * , ( ) ; :: as join on using left union all
distinct case when then else end in like ilike escape between and or not is exists over partition rows range interval
'1 day' create table view model insert into values update set delete copy unload to iam_role default csv parquet gzip
manifest grant revoke alter drop if begin commit abort show with recursive top cast :a :b $1 ? [ ] { } @ # % ^ & | ~ !
= < > / + -- /* */ $$ e'\x' u&'\0041' b'1' 1e999 .5 0x1f s3://fuzz-one/a pg_catalog sys pivot unpivot qualify sample
lateral
"""
WORDS = tuple(_GRAMMAR.split())

_FILE = re.compile(r"^(?:statement|query)[^\n]*\n(.*?)(?=^----|\n\s*\n|\Z)", re.MULTILINE | re.DOTALL)


def tested_sql() -> tuple[str, ...]:
    """The statements of our own tests of SQL."""
    found: list[str] = []
    for path in sorted((Path(__file__).parent / "sql").glob("*.test")):
        found += [text.strip() for text in _FILE.findall(path.read_text(encoding="utf-8"))]
    return tuple(text for text in found if text)
