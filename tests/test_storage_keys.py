"""Keys as file names: readable where they can be, safe always, and back again."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from restframe.storage.keys import coded, decoded, is_plain

_nasty = st.sampled_from(["..", ".", "", "/", "\0", "a", "=", "+", "%", "%2F", "ä", " ", "x" * 300, "+a", "=a"])
_keys = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    st.lists(_nasty, min_size=1, max_size=3).map("/".join),
)


def test_readable_keys_are_their_own_path() -> None:
    assert is_plain("trip data/green_tripdata_2020-01.csv")
    assert is_plain("übung/数据 (1).csv")
    assert is_plain(".restframe/intents/x.json")
    assert is_plain("a..b/...")


def test_keys_that_would_leave_the_bucket_or_cannot_be_a_name_are_coded() -> None:
    for key in ("", "/", "/etc/passwd", "a/../../b", "..", ".", "a//b", "folder/", "a\0b", "x" * 256, "ä" * 128):
        assert not is_plain(key), key
    assert coded("../x") == ["=..%2Fx"]
    assert coded("") == ["="]
    assert coded("y" * 450) == ["+" + "y" * 200, "+" + "y" * 200, "=" + "y" * 50]


@given(_keys)
@settings(max_examples=300)
def test_a_coded_key_comes_back_and_stays_inside(key: str) -> None:
    segments = coded(key)
    assert decoded(segments) == key
    assert all(0 < len(segment) <= 201 and segment.isascii() and "\0" not in segment for segment in segments)
    assert all("/" not in segment and segment not in (".", "..") for segment in segments)


@given(_keys, _keys)
@settings(max_examples=300)
def test_no_coded_key_is_a_folder_of_another(one: str, other: str) -> None:
    a, b = coded(one), coded(other)
    assert (a == b) == (one == other)
    assert one == other or a != b[: len(a)]


def test_names_we_would_not_have_made_are_no_keys() -> None:
    assert decoded(["a"]) is None
    assert decoded(["=%2f"]) is None
    assert decoded(["=%FF"]) is None
    assert decoded(["+a", "=b"]) is None
    assert decoded(["=a/b"]) is None
