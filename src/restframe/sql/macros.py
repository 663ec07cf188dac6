"""What translated SQL calls in the engine: macros in the schema of our own.

They are made when a warehouse opens. A macro costs nothing at run time and, being parsed already, less than the same
expression written out. `_restframe.fail('[SQLSTATE] message')` becomes the error of that state.
"""

from __future__ import annotations

from restframe.errors import MARK_OF_FAILURE
from restframe.sql.nodes import MACRO_SCHEMA
from restframe.sql.units import PARTS

_DATES = ("%Y%m%d", "%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d-%b-%Y", "%Y-%b-%d",
          "%b-%d-%Y", "%d.%m.%Y")  # fmt: skip
_HALF_DAYS = (" %I:%M:%S.%f %p", " %I:%M:%S %p", " %I:%M %p", " %I:%M:%S.%f%p", " %I:%M:%S%p", " %I:%M%p")
_TIMES = ("", " %H:%M:%S.%f", " %H:%M:%S", " %H:%M", *_HALF_DAYS)
# What the engine's own cast does not read.
_TEXT_DATES = [*("%Y-%m-%d" + time for time in _HALF_DAYS), *(date + time for date in _DATES for time in _TIMES)]
_TEXT_TIMES = [time.strip() for time in _HALF_DAYS]

# In an order in which each calls only those above it.
_BODIES: dict[str, str] = {
    # The engine's own error() counts as volatile, which windows and references to aliases refuse; a cast does not.
    "fail(message)": f"CAST(CAST('{MARK_OF_FAILURE}' || message AS INTEGER) AS VARCHAR)",
    # Text
    "continues(byte)": "hex(byte) BETWEEN '80' AND 'BF'",  # a character that began before
    "cut_bytes(bytes, n)": """
        decode(bytes[1:CASE WHEN NOT _restframe.continues(bytes[n + 1:n + 1]) THEN n
                            WHEN NOT _restframe.continues(bytes[n:n]) THEN n - 1
                            WHEN NOT _restframe.continues(bytes[n - 1:n - 1]) THEN n - 2 ELSE n - 3 END])""",
    # More than any text may have, and less than fills the memory.
    "short(n)": """
        CASE WHEN n <= 16777216 THEN CAST(n AS INTEGER)
             WHEN n > 0 THEN CAST(_restframe.fail('[22023] requested length too large') AS INTEGER) END""",
    # The engine would also read 1.6, 1e3, 0x1F and 1_000.
    "try_whole(x)": r"CASE WHEN regexp_full_match(x, '\s*[-+]?[0-9]+\s*') THEN x END",
    "number_or_boolean(x)": "CASE x WHEN 'true' THEN '1' WHEN 'false' THEN '0' ELSE x END",
    "whole(x, type)": r"""
        CASE WHEN regexp_full_match(x, '\s*[-+]?[0-9]+\s*') THEN x WHEN x IS NOT NULL
             THEN _restframe.fail(
                 '[22P02] invalid input syntax for type ' || type || ': "' || left(x, 100) || '"') END""",
    "cut(x, n)": """
        CASE WHEN strlen(x) <= n THEN x WHEN strlen(x) = length(x) THEN left(x, n)
             ELSE _restframe.cut_bytes(encode(x), n) END""",
    "pad_left(x, n, fill)": "CASE WHEN fill = '' THEN left(x, n) ELSE lpad(x, _restframe.short(n), fill) END",
    "pad_right(x, n, fill)": "CASE WHEN fill = '' THEN left(x, n) ELSE rpad(x, _restframe.short(n), fill) END",
    "repeated(x, n)": "repeat(x, CASE WHEN _restframe.short(strlen(x) * n) IS NOT NULL THEN n END)",
    "float_text(x, digits)": """
        CASE WHEN isfinite(x) THEN printf(CASE digits WHEN 6 THEN '%.6g' ELSE '%.15g' END, CAST(x AS DOUBLE))
             WHEN isnan(x) THEN 'NaN' WHEN x > 0 THEN 'Infinity' WHEN x < 0 THEN '-Infinity' END""",
    "leading(x, n)": "left(x, greatest(n, 0))",
    "trailing(x, n)": "CASE WHEN n <= 0 THEN '' ELSE right(x, n) END",
    "substring_from(x, start)": "substring(x, greatest(start, 1))",
    "substring_for(x, start, n)": "substring(x, greatest(start, 1), greatest(n + least(start - 1, 0), 0))",
    "initcap(x)": r"""
        array_to_string(list_transform(regexp_extract_all(x, '[\p{L}\p{N}]+|[^\p{L}\p{N}]+'),
            lambda w: upper(left(w, 1)) || lower(substring(w, 2))), '')""",
    "quote_literal(x)": "'''' || replace(replace(x, '\\', '\\\\'), '''', '''''') || ''''",
    "quote_ident(x)": """
        CASE WHEN regexp_full_match(x, '[a-z_][a-z0-9_$]*') THEN x ELSE '"' || replace(x, '"', '""') || '"' END""",
    "octetindex(part, x)": """
        CASE WHEN strpos(x, part) = 0 THEN 0 ELSE strlen(left(x, strpos(x, part) - 1)) + 1 END""",
    "compare(a, b)": "CASE WHEN a < b THEN -1 WHEN a > b THEN 1 WHEN a = b THEN 0 END",
    "nth_or_empty(list, n)": "CASE WHEN n >= 1 THEN CASE WHEN list IS NOT NULL THEN coalesce(list[n], '') END END",
    "few_groups(pattern)": """
        CASE WHEN length(pattern) - length(replace(pattern, '(', '')) <= 500 THEN pattern WHEN pattern IS NOT NULL
             THEN _restframe.fail('[2201B] regular expression has more than 500 groups') END""",
    "place_after(x, pattern, options, start)": """
        CASE WHEN regexp_matches(x, pattern, options)
             THEN length(regexp_extract(x, pattern, 1, options)) + greatest(start, 1)
             WHEN x IS NOT NULL AND pattern IS NOT NULL THEN 0 END""",
    "soundex_codes(x)": """
        translate(x, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', '01230120022455012623010202')""",
    "soundex_of(x)": r"""
        CASE WHEN x = '' THEN '' ELSE rpad(left(x, 1) || replace(substring(regexp_replace(
            regexp_replace(_restframe.soundex_codes(left(x, 1) || regexp_replace(substring(x, 2), '[HW]', '', 'g')),
                '(0)0+|(1)1+|(2)2+|(3)3+|(4)4+|(5)5+|(6)6+', '\1\2\3\4\5\6\7', 'g'),
            '^.', '#'), 2), '0', ''), 4, '0') END""",
    "soundex(x)": "left(_restframe.soundex_of(regexp_replace(upper(x), '[^A-Z]', '', 'g')), 4)",
    "difference(a, b)": """
        CASE WHEN _restframe.soundex(a) = '' OR _restframe.soundex(b) = ''
             THEN CASE WHEN _restframe.soundex(a) = _restframe.soundex(b) THEN 1 ELSE 0 END
             ELSE list_sum(list_transform([1, 2, 3, 4],
                 lambda i: CAST(_restframe.soundex(a)[i] = _restframe.soundex(b)[i] AS INTEGER))) END""",
    # The engine's own root is a digit off: 3.0000000000000004 for 27. One step of Newton's puts it right.
    "cube_root(x)": """
        CASE WHEN cbrt(x) = 0 OR NOT isfinite(cbrt(x)) THEN cbrt(x)
             ELSE cbrt(x) - (cbrt(x) * cbrt(x) * cbrt(x) - x) / (3 * cbrt(x) * cbrt(x)) END""",
    "bit_of(x, n)": "get_bit(CAST(x AS BIT), CAST(bit_length(CAST(x AS BIT)) - 1 - n AS INTEGER))",
    # Arrays
    "list_item(list, n)": "CASE WHEN n >= 1 THEN list[CAST(n AS BIGINT)] END",
    # NULL, as of IN, when what is looked for may be the one among the elements that is NULL.
    "list_among(list, x)": """
        CASE WHEN list_contains(list, x) OR len(list) = list_count(list) THEN list_contains(list, x) END""",
    "list_part(list, a, b)": "CASE WHEN b >= 1 THEN list[greatest(a, 1):b] ELSE list[1:0] END",
    "list_joined(list, delimiter)": """
        CASE WHEN list IS NOT NULL AND delimiter IS NOT NULL THEN coalesce(array_to_string(list, delimiter), '') END""",
    "list_with_nulls(list, text)": "list_transform(list, lambda x: coalesce(x, text))",
    "pg_array_length(list, n)": "CASE WHEN n = 1 THEN nullif(len(list), 0) END",
    "pg_array_upper(list, n)": "CASE WHEN n = 1 THEN nullif(len(list), 0) END",
    "pg_array_lower(list, n)": "CASE WHEN n = 1 AND len(list) > 0 THEN 1 END",
    "pg_array_ndims(list)": "CASE WHEN len(list) > 0 THEN 1 END",
    "list_without(list, value)": "list_filter(list, lambda x: x IS DISTINCT FROM value)",
    "split_text(x, delimiter)": """
        CASE WHEN x = '' THEN CAST([] AS VARCHAR[]) WHEN delimiter IS NULL THEN string_split(x, '')
             WHEN delimiter = '' THEN [x] ELSE string_split(x, delimiter) END""",
    "list_element_text(x)": r"""
        CASE WHEN x IS NULL THEN 'NULL'
             WHEN x = '' OR lower(x) = 'null' OR regexp_matches(x, '[\s{},"\\]')
             THEN '"' || replace(replace(x, '\', '\\'), '"', '\"') || '"' ELSE x END""",
    "list_text(list, brace)": """
        CASE WHEN list IS NULL THEN NULL WHEN brace = '' THEN coalesce(array_to_string(list, ' '), '')
             ELSE '{' || coalesce(array_to_string(list_transform(CAST(list AS VARCHAR[]),
                 lambda x: _restframe.list_element_text(x)), ','), '') || '}' END""",
    "list_of_text(x)": r"""
        CASE WHEN regexp_full_match(x, '\s*\{\s*\}\s*') THEN CAST([] AS VARCHAR[])
             WHEN regexp_full_match(x, '\s*\{.*\}\s*', 's') THEN list_transform(
                 regexp_extract_all(trim(x)[2:-2], '(?s)"(?:[^"\\]|\\.)*"|[^,"]+'),
                 lambda e: CASE WHEN trim(e)[1] = '"' THEN regexp_replace(trim(e)[2:-2], '\\(.)', '\1', 'gs')
                                WHEN upper(trim(e)) <> 'NULL' THEN trim(e) END)
             WHEN x IS NOT NULL
             THEN [_restframe.fail('[22P02] malformed array literal: "' || left(x, 100) || '"')] END""",
    # Hashes
    "bytes(x)": """
        list_transform(range(1, strlen(x) * 2, 2),
            lambda i: CAST('0x' || substring(hex(encode(x)), i, 2) AS HUGEINT))""",
    "little_endian(x, width)": """
        list_transform(range(width), lambda i: CAST((x >> CAST(i * 8 AS BIGINT)) & 255 AS HUGEINT))""",
    "unsigned(x)": "CASE WHEN x < 0 THEN CAST(x AS HUGEINT) + 18446744073709551616 ELSE CAST(x AS HUGEINT) END",
    "signed(x)": """
        CAST(CASE WHEN x >= 9223372036854775808 THEN x - 18446744073709551616 ELSE x END AS BIGINT)""",
    "fnv_hash(data, seed)": """
        CASE WHEN data IS NOT NULL THEN _restframe.signed(list_reduce(list_prepend(_restframe.unsigned(seed), data),
            lambda h, b: (xor(h, b) * 1099511628211) % 18446744073709551616)) END""",
    "crc32_bit(c)": "xor(c >> 1, CASE WHEN c & 1 = 1 THEN 2197175160 ELSE 0 END)",
    "crc32(x)": """
        CASE WHEN x IS NOT NULL THEN lpad(lower(to_hex(xor(list_reduce(list_prepend(CAST(4294967295 AS BIGINT),
            list_transform(_restframe.bytes(x), lambda b: CAST(b AS BIGINT))),
            lambda c, b: list_reduce(list_prepend(xor(c, b), [0, 1, 2, 3, 4, 5, 6, 7]::BIGINT[]),
                lambda d, i: _restframe.crc32_bit(d))), 4294967295))), 8, '0') END""",
    "strtol_digits(x, base)": r"""
        regexp_replace(lower(regexp_replace(x, '^\s*[-+]?', '')), CASE WHEN base = 16 THEN '^0x' ELSE '^$' END, '')""",
    "strtol_value(digits, base)": """
        list_reduce(list_prepend(CAST(0 AS HUGEINT), list_transform(string_split(digits, ''),
            lambda c: CASE WHEN strpos(left('0123456789abcdefghijklmnopqrstuvwxyz', CAST(base AS INTEGER)), c) = 0
                THEN CAST(_restframe.fail('[22023] invalid digit for the base') AS HUGEINT) ELSE CAST(
                strpos('0123456789abcdefghijklmnopqrstuvwxyz', c) - 1 AS HUGEINT) END)),
            lambda a, d: a * base + d)""",
    "strtol(x, base)": r"""
        CASE WHEN x IS NULL THEN NULL WHEN _restframe.strtol_digits(x, base) = '' THEN 0
             ELSE CAST(_restframe.strtol_value(_restframe.strtol_digits(x, base), base)
                 * CASE WHEN regexp_matches(x, '^\s*-') THEN -1 ELSE 1 END AS BIGINT) END""",
    # Dates and times
    # JDBC's dates bring a zone.
    "with_a_time(x)": r"""
        regexp_replace(x, '^\s*(\d{4,}-\d{1,2}-\d{1,2})\s*(Z|[-+]\d{1,2}(?::?\d\d)?)\s*$', '\1 00:00:00\2')""",
    # 0044-03-15 12:00:00+01 BC, as the engine writes it; JDBC has the zone of a date behind BC.
    "before_christ(x)": r"""
        nullif(regexp_replace(x, '^\s*(\d{4,}-\d{1,2}-\d{1,2})([ T][0-9:.]+)?\s*(Z|[-+]\d{1,2}(?::?\d\d)?)?\s+(?:BC|bc)'
            || '(?:\s+[-+]\d{1,2}(?::?\d\d)?)?\s*$', '\1 (BC)\2\3'), x)""",
    # The engine passes over any word behind a time, PM too. It has to be PM, Z or a zone's name.
    "try_timestamp(x)": fr"""
        coalesce(CASE WHEN NOT regexp_matches(x, '([A-Za-z]{{2}}|[A-Ya-y])\s*$') THEN TRY_CAST(x AS TIMESTAMP)
                      WHEN TRY_CAST(x AS TIMESTAMPTZ) IS NOT NULL THEN TRY_CAST(x AS TIMESTAMP) END,
                 try_strptime(regexp_replace(replace(trim(x), ',', ', '), '\s+', ' ', 'g'), {_TEXT_DATES}),
                 TRY_CAST(nullif(_restframe.with_a_time(x), x) AS TIMESTAMP),
                 TRY_CAST(_restframe.before_christ(x) AS TIMESTAMP))""",
    "timestamp(x)": """
        CASE WHEN x IS NOT NULL THEN coalesce(_restframe.try_timestamp(x),
            CAST(_restframe.fail('[22007] invalid input syntax for type timestamp: "' || left(x, 100) || '"')
                AS TIMESTAMP)) END""",
    # The engine passes over an offset with a blank before it.
    "try_timestamptz(x)": r"""
        coalesce(TRY_CAST(regexp_replace(_restframe.with_a_time(x), '(:[0-9.]+) +([-+][0-9])', '\1\2') AS TIMESTAMPTZ),
                 TRY_CAST(_restframe.before_christ(x) AS TIMESTAMPTZ),
                 TRY_CAST(regexp_replace(x, '(:[0-9.]+) *([-+])(\d)\s*$', '\1\20\3') AS TIMESTAMPTZ))""",
    "timestamptz(x)": "coalesce(_restframe.try_timestamptz(x), CAST(_restframe.timestamp(x) AS TIMESTAMPTZ))",
    "time(x)": fr"""
        CASE WHEN regexp_matches(x, '\d\s*[AaPp][Mm]\s*$') THEN CAST(strptime(trim(x), {_TEXT_TIMES}) AS TIME)
             ELSE CAST(x AS TIME) END""",
    # A time with a zone is kept in UTC; the name of a zone means its winter time.
    "try_timetz(x)": """
        timezone('UTC', CAST(coalesce(_restframe.try_timestamptz(x),
            CAST(_restframe.try_timestamp(x) AS TIMESTAMPTZ)) AS TIMETZ))""",
    "timetz(x)": r"""
        CASE WHEN x IS NOT NULL THEN coalesce(_restframe.try_timetz(
                CASE WHEN regexp_matches(x, '^\s*\d{1,2}:') THEN '2000-01-01 ' || ltrim(x) ELSE x END),
            CAST(_restframe.fail('[22007] invalid input syntax for type time with time zone: "' || left(x, 100) || '"')
                AS TIMETZ)) END""",
    "seconds(x)": "date_part('microsecond', x) / 1e6",
    "microseconds(x)": "date_part('microsecond', x) % 1000000",
    "weeks_between(a, b)": """
        date_diff('day', CAST(date_trunc('week', a) AS DATE), CAST(date_trunc('week', b) AS DATE)) // 7""",
    "add_years(x, n)": """
        CASE WHEN month(x) = 2 AND day(x) = 29 THEN x - INTERVAL 1 DAY + to_years(n) + INTERVAL 1 DAY
             ELSE x + to_years(n) END""",
    "is_last_day(x)": "last_day(x) = CAST(x AS DATE)",
    "add_months(x, n)": """
        CASE WHEN _restframe.is_last_day(x)
             THEN CAST(last_day(x + to_months(n)) AS TIMESTAMP) + (x - date_trunc('day', x))
             ELSE x + to_months(n) END""",
    "months_between(a, b)": """
        (year(a) - year(b)) * 12 + month(a) - month(b)
        + CASE WHEN day(a) = day(b) OR (_restframe.is_last_day(a) AND _restframe.is_last_day(b)) THEN 0.0
               ELSE (day(a) - day(b)) / 31e0 + (epoch(a - date_trunc('day', a)) - epoch(b - date_trunc('day', b)))
                    / (31 * 86400e0) END""",
    "next_day(x, dow)": "x + CAST((dow - date_part('dow', x) + 6) % 7 + 1 AS INTEGER)",
    # Centuries and millennia begin with the years 1, 101 and so on.
    "first_of_years(x, n)": "make_date((year(x) - 1) // n * n + 1, 1, 1)",
    "unit(x)": f"""
        CASE WHEN x IS NOT NULL THEN coalesce(MAP {PARTS}[lower(trim(x))],
            _restframe.fail('[22023] timestamp units "' || left(x, 64) || '" not recognized')) END""",
    "date_trunc(part, x)": """
        CASE part WHEN 'century' THEN CAST(_restframe.first_of_years(x, 100) AS TIMESTAMP)
                  WHEN 'millennium' THEN CAST(_restframe.first_of_years(x, 1000) AS TIMESTAMP)
                  ELSE date_trunc(part, x) END""",
    "date_part(part, x)": """
        CAST(CASE part WHEN 'second' THEN _restframe.seconds(x) WHEN 'millisecond' THEN _restframe.seconds(x) * 1000
                       WHEN 'microsecond' THEN _restframe.microseconds(x)
                       WHEN 'decade' THEN date_part(part, x) + 1 ELSE date_part(part, x) END AS DOUBLE)""",
    "roman_month(x)": "['I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX', 'X', 'XI', 'XII'][month(x)]",
    "ordinal_suffix(digits)": """
        CASE WHEN right(digits, 2) IN ('11', '12', '13') THEN 'th' WHEN right(digits, 1) = '1' THEN 'st'
             WHEN right(digits, 1) = '2' THEN 'nd' WHEN right(digits, 1) = '3' THEN 'rd' ELSE 'th' END""",
    "ordinal(digits, suffix)": """
        digits || CASE WHEN suffix = 'TH' THEN upper(_restframe.ordinal_suffix(digits))
                       ELSE _restframe.ordinal_suffix(digits) END""",
    "full_year(y)": "CASE WHEN y < 70 THEN 2000 + y WHEN y < 100 THEN 1900 + y ELSE 2000 + y END",
    "month_number(name)": """
        nullif((strpos('janfebmaraprmayjunjulaugsepoctnovdec', lower(left(name, 3))) + 2) // 3, 0)""",
    "hour_of_day(hour, meridiem)": "hour % 12 + CASE WHEN lower(meridiem) = 'p' THEN 12 ELSE 0 END",
    "build_timestamp(y, mo, d, h, mi, s, us)": """
        CAST(make_date(CAST(y AS BIGINT), 1, 1) AS TIMESTAMP) + to_months(CAST(mo - 1 AS INTEGER))
        + to_days(CAST(d - 1 AS INTEGER)) + to_hours(CAST(h AS BIGINT)) + to_minutes(CAST(mi AS BIGINT))
        + to_microseconds(CAST(s AS BIGINT) * 1000000 + us)""",
    # Numbers as text
    "digits(x, width)": """
        lpad(ltrim(replace(x, '.', ''), '0'), greatest(CAST(width AS INTEGER),
            CAST(length(ltrim(replace(x, '.', ''), '0')) AS INTEGER)), '0')""",
    "blank_zeros(x, n)": "lpad(ltrim(left(x, n), '0,'), CAST(n AS INTEGER), ' ') || substring(x, n + 1)",
    "roman(x)": """
        CASE WHEN round(x) BETWEEN 1 AND 3999 THEN _restframe.roman_digits(CAST(round(x) AS INTEGER))
             WHEN x IS NOT NULL THEN '###############' END""",
    "roman_digits(n)": """
        repeat('M', n // 1000)
        || ['', 'C', 'CC', 'CCC', 'CD', 'D', 'DC', 'DCC', 'DCCC', 'CM'][n // 100 % 10 + 1]
        || ['', 'X', 'XX', 'XXX', 'XL', 'L', 'LX', 'LXX', 'LXXX', 'XC'][n // 10 % 10 + 1]
        || ['', 'I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX'][n % 10 + 1]""",
    "plain_number(x)": r"""
        CASE WHEN regexp_matches(x, '-\s*$|^\s*<|^[^0-9]*-') THEN '-' ELSE '' END
        || regexp_replace(x, '[^0-9.]', '', 'g')""",
    # SUPER
    "element(x, i)": "CASE WHEN i BETWEEN 0 AND 2147483647 THEN json_extract(x, CAST(i AS BIGINT)) END",
    "elements(x)": "TRY_CAST(x AS JSON[])",
    "attribute_values(x)": """
        list_transform(json_keys(x), lambda k: json_extract(x, '/' || replace(replace(k, '~', '~0'), '/', '~1')))""",
    "super_value(x)": "CASE WHEN json_type(x) <> 'NULL' THEN x END",
    "super_text(x)": "CASE WHEN json_type(x) NOT IN ('OBJECT', 'ARRAY') THEN json_extract_string(x, '$') END",
    "super_string(x)": "CASE WHEN json_type(x) = 'VARCHAR' THEN json_extract_string(x, '$') END",
    "super_number(x)": """
        CASE WHEN json_type(x) IN ('UBIGINT', 'BIGINT', 'DOUBLE', 'HUGEINT', 'UHUGEINT')
             THEN TRY_CAST(x AS DOUBLE) END""",
    "json_typeof(x)": """
        CASE json_type(x) WHEN 'VARCHAR' THEN 'string' WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null'
             WHEN 'OBJECT' THEN 'object' WHEN 'ARRAY' THEN 'array'
             ELSE CASE WHEN x IS NOT NULL THEN 'number' END END""",
    "is_kind(x, kind)": "_restframe.json_typeof(x) = kind",
    "is_scalar(x)": "_restframe.json_typeof(x) NOT IN ('object', 'array')",
    "is_whole(x, bound)": """
        CASE WHEN json_type(x) IN ('UBIGINT', 'BIGINT') THEN CAST(x AS HUGEINT) BETWEEN -bound AND bound - 1
             WHEN x IS NOT NULL THEN false END""",
    "array_length(x)": "CASE WHEN json_type(x) = 'ARRAY' THEN json_array_length(x) END",
    "subarray(x, start, n)": """
        to_json(CASE WHEN start >= 0 AND n >= 0 THEN _restframe.elements(x)[start + 1:start + n] END)""",
    "array_flatten(x)": """
        to_json(flatten(list_transform(_restframe.elements(x),
            lambda e: CASE WHEN json_type(e) = 'ARRAY' THEN CAST(e AS JSON[]) ELSE [e] END)))""",
    # JSON as text
    "json_path_text(x, path)": "CASE WHEN x IS NOT NULL THEN coalesce(json_extract_string(x, path), '') END",
    "json_element_text(x, i)": """
        CASE WHEN x IS NOT NULL AND i IS NOT NULL
             THEN coalesce(CASE WHEN i >= 0 THEN json_extract_string(x, '$[' || i || ']') END, '') END""",
    "path_step(key)": r"""'."' || replace(replace(key, '\', '\\'), '"', '\"') || '"'""",
    # The engine forgives a comma before a closing bracket.
    "is_json(x)": r"""
        json_valid(x)
        AND NOT regexp_matches(regexp_replace(x, '"(\\.|[^"\\])*"', '""', 'g'), ',\s*[\]}]')""",
    "is_json_object(x)": "CASE WHEN _restframe.is_json(x) THEN json_type(x) = 'OBJECT' ELSE _restframe.is_json(x) END",
    "is_json_array(x)": "CASE WHEN _restframe.is_json(x) THEN json_type(x) = 'ARRAY' ELSE _restframe.is_json(x) END",
    # Storing
    "store_text(x, n)": """
        CASE WHEN strlen(x) <= n THEN x WHEN strlen(rtrim(x, ' ')) <= n THEN _restframe.cut(x, n)
             WHEN x IS NOT NULL
             THEN _restframe.fail('[22001] value too long for type character varying(' || n || ')') END""",
    "store_char(x, n)": """
        CASE WHEN strlen(rtrim(x, ' ')) <= n THEN rtrim(x, ' ')
             WHEN x IS NOT NULL THEN _restframe.fail('[22001] value too long for type character(' || n || ')') END""",
    "store_bytes(x, n)": """
        CASE WHEN octet_length(x) <= n THEN x
             WHEN x IS NOT NULL
             THEN encode(_restframe.fail('[22001] value too long for type binary varying(' || n || ')')) END""",
}  # fmt: skip

MACROS: tuple[str, ...] = tuple(
    f"CREATE OR REPLACE MACRO {MACRO_SCHEMA}.{head} AS {' '.join(body.split())}" for head, body in _BODIES.items()
)
