"""Patient tokens: a keyed hash stands for an identifier, so that claims join and nobody is named.

HMAC-SHA-256 of the identifier's UTF-8 bytes (RFC 2104, FIPS 180-4), its first 128 bits in hexadecimal. The key lies
outside the warehouse: in the environment, or in a file that only its owner can read. Whoever has the key can find a
known identifier's token again; whoever has not cannot tell even whether an identifier is there.
"""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from restframe_epidemic import errors

if TYPE_CHECKING:
    import pyarrow as pa

KEY = "RESTFRAME_EPIDEMIC_TOKEN_KEY"
KEY_FILE = "RESTFRAME_EPIDEMIC_TOKEN_KEY_FILE"
LENGTH = 32
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Key:
    """The secret; it never shows itself."""

    secret: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """Tells it from other keys, and tells nothing of it."""
        return hmac.digest(self.secret, b"the name of this key", "sha256").hex()[:16]


def load_key(warehouse: Path | str | None = None, path: Path | None = None) -> Key:
    """The key of the environment's RESTFRAME_EPIDEMIC_TOKEN_KEY (64 hexadecimal digits), else of a file: `path`, else
    the environment's RESTFRAME_EPIDEMIC_TOKEN_KEY_FILE, else `restframe-epidemic/token.key` of the user's configuration
    directory. A file that does not exist is made, readable by its owner alone.

    UsageError when the file lies in the warehouse's directory, others can read it, or it holds no key.
    """
    given = os.environ.get(KEY)
    if given is not None and path is None:
        return Key(_decoded(given, f"the environment's {KEY}"))
    path = path or Path(os.environ.get(KEY_FILE) or _configuration() / "restframe-epidemic" / "token.key")
    path = path.expanduser().resolve()
    if warehouse is not None and path.is_relative_to(Path(warehouse).resolve()):
        raise errors.UsageError(
            f'the token key "{path}" would lie inside the warehouse',
            hint=f"Set {KEY_FILE} to a file outside of it: who copies the warehouse must not get the key.",
        )
    if not path.exists():
        _make(path)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise errors.UsageError(f'others can read the token key "{path}"', hint=f"Run: chmod 600 '{path}'")
    return Key(_decoded(path.read_text(encoding="ascii", errors="replace"), f'the file "{path}"'))


def _configuration() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def _make(path: Path) -> None:
    """Write a new key beside and link it: of two processes that start at once, both go on with the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(beside, path)
        except FileExistsError:
            return
    finally:
        beside.unlink()


def _decoded(text: str, place: str) -> bytes:
    try:
        secret = bytes.fromhex(text.strip())
    except ValueError:
        secret = b""
    if len(secret) != _KEY_BYTES:
        # Whatever stands there may be most of a key: it is not shown.
        raise errors.UsageError(f"{place} holds no token key: {2 * _KEY_BYTES} hexadecimal digits are expected")
    return secret


def tokenise(array: pa.Array | pa.ChunkedArray, key: Key) -> pa.Array:
    """Tokens of a column of identifiers: strings of 32 hexadecimal digits; NULL and blank identifiers are NULL.

    array : strings or integers, of any length; equal identifiers get equal tokens, whatever file they come from, when
        they are written alike (the number 7 and the text "7" are; "07" is another).
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    text = pc.utf8_trim_whitespace(array.cast(pa.large_string()))
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.large_string()), text)
    hashed = _hashed(text, key)
    return pc.if_else(text.is_valid(), hashed, pa.scalar(None, hashed.type)) if text.null_count else hashed


def _hashed(texts: pa.Array, key: Key) -> pa.Array:
    import pyarrow as pa

    from restframe_epidemic.privacy import sha256

    _, offsets, data = texts.buffers()
    starts = np.frombuffer(offsets, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    content = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, np.uint8)
    digits = sha256.hmac_digits(content, starts, key.secret, LENGTH)
    places = np.arange(len(texts) + 1, dtype=np.int32) * LENGTH
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(places), pa.py_buffer(digits))
