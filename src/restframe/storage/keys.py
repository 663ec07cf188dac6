"""Object keys as file names.

A plain key is the path itself, so that people can read a bucket with `ls` and drop files into it: `trip data/ä.csv`.
Every other key (`a//b`, `../x`, `folder/`, a segment of 600 bytes, a NUL) has a coded name, as has a plain key whose
path is taken: `a` beside `a/b`. Coded names live in a tree of their own and cannot meet plain ones.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from restframe.storage.urls import MAX_KEY_BYTES

_MAX_SEGMENT_BYTES = 255  # NAME_MAX of every file system in use
_PIECE = 200


def is_plain(key: str) -> bool:
    """Whether the key can be used as a relative path as it stands."""
    return len(key.encode()) <= MAX_KEY_BYTES and all(map(_is_plain_segment, key.split("/")))


def _is_plain_segment(segment: str) -> bool:
    return segment not in ("", ".", "..") and "\0" not in segment and len(segment.encode()) <= _MAX_SEGMENT_BYTES


def coded(key: str) -> list[str]:
    """The key as path segments of safe ASCII: percent-encoded, in pieces of 200, the last marked by `=`.

    The pieces before it are folders, marked by `+`, so a file never needs a folder's name.
    """
    text = quote(key, safe="")
    pieces = [text[i : i + _PIECE] for i in range(0, len(text), _PIECE)] or [""]
    return ["+" + piece for piece in pieces[:-1]] + ["=" + pieces[-1]]


def decoded(segments: list[str]) -> str | None:
    """The key of a coded path; None when `coded` would never have made it."""
    try:
        key = unquote("".join(segment[1:] for segment in segments), errors="strict")
    except UnicodeDecodeError:
        return None
    return key if coded(key) == segments else None
