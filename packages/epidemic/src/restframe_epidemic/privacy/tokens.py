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
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numpy.typing import NDArray

from restframe_epidemic import errors

if TYPE_CHECKING:
    import pyarrow as pa

KEY = "RESTFRAME_EPIDEMIC_TOKEN_KEY"
KEY_FILE = "RESTFRAME_EPIDEMIC_TOKEN_KEY_FILE"
LENGTH = 32
_KEY_BYTES = 32
_BLOCK = 64
# Messages up to here fit into one block with their end mark and length.
_LONGEST = 55
_LANES = 32


@dataclass(frozen=True, slots=True)
class Key:
    """The secret; it never shows itself."""

    secret: bytes = field(repr=False)


def load_key(warehouse: Path | None = None, path: Path | None = None) -> Key:
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
    if warehouse is not None and path.is_relative_to(warehouse.resolve()):
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
    # Claims repeat their patients: each identifier is hashed once.
    encoded = text.dictionary_encode()
    return pc.take(_hashed(encoded.dictionary, key), encoded.indices)


def _hashed(texts: pa.Array, key: Key) -> pa.Array:
    import pyarrow as pa

    _, offsets, data = texts.buffers()
    starts = np.frombuffer(offsets, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    content = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, np.uint8)
    padded = key.secret.ljust(_BLOCK, b"\0")
    pads = np.frombuffer(padded, dtype=np.uint8) ^ np.array([[0x36], [0x5C]], dtype=np.uint8)
    digits = np.empty((len(texts), LENGTH), dtype=np.uint8)
    _hmac(content, starts, pads, digits)
    for i in np.flatnonzero(np.diff(starts) > _LONGEST):
        message = content[starts[i] : starts[i + 1]].tobytes()
        digits[i] = np.frombuffer(hmac.digest(key.secret, message, "sha256").hex()[:LENGTH].encode(), dtype=np.uint8)
    places = np.arange(len(texts) + 1, dtype=np.int32) * LENGTH
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(places), pa.py_buffer(digits))


def _root_bits(degree: int, count: int) -> NDArray[np.uint32]:
    """The first 32 bits of the fractional parts of the roots of the first primes: the constants of FIPS 180-4, 4.2.2
    and 5.3.3.
    """
    primes = [p for p in range(2, 312) if all(p % q for q in range(2, isqrt(p) + 1))][:count]
    return np.array([_root(p << (32 * degree), degree) & 0xFFFFFFFF for p in primes], dtype=np.uint32)


def _root(value: int, degree: int) -> int:
    low, high = 0, 1 << 40
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**degree <= value else (low, middle)
    return low


_H0 = _root_bits(2, 8)
_K = _root_bits(3, 64)
_u = np.uint32
_HEXADECIMAL = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


@numba.njit(nogil=True, cache=True)
def _compress(state: Any, W: Any, V: Any) -> None:
    """One step of SHA-256 for many messages side by side, so that the processor's vectors are full. FIPS 180-4, 6.2.2.

    state, V : (8, lanes); V is what the standard calls a..h, turned by one each round instead of being moved
    W : (64, lanes), of which the first 16 rows are the block
    """
    lanes = W.shape[1]
    for t in range(16, 64):
        for i in range(lanes):
            x, y = W[t - 15, i], W[t - 2, i]
            s0 = ((x >> _u(7)) | (x << _u(25))) ^ ((x >> _u(18)) | (x << _u(14))) ^ (x >> _u(3))
            s1 = ((y >> _u(17)) | (y << _u(15))) ^ ((y >> _u(19)) | (y << _u(13))) ^ (y >> _u(10))
            W[t, i] = _u(W[t - 16, i] + s0 + W[t - 7, i] + s1)
    V[:] = state
    for t in range(64):
        a, b, c, d = V[-t % 8], V[(1 - t) % 8], V[(2 - t) % 8], V[(3 - t) % 8]
        e, f, g, h = V[(4 - t) % 8], V[(5 - t) % 8], V[(6 - t) % 8], V[(7 - t) % 8]
        for i in range(lanes):
            x, y = e[i], a[i]
            S1 = ((x >> _u(6)) | (x << _u(26))) ^ ((x >> _u(11)) | (x << _u(21))) ^ ((x >> _u(25)) | (x << _u(7)))
            S0 = ((y >> _u(2)) | (y << _u(30))) ^ ((y >> _u(13)) | (y << _u(19))) ^ ((y >> _u(22)) | (y << _u(10)))
            T1 = _u(h[i] + S1 + ((x & f[i]) ^ (~x & g[i])) + _K[t] + W[t, i])
            d[i] = _u(d[i] + T1)
            h[i] = _u(T1 + S0 + ((y & b[i]) ^ (y & c[i]) ^ (b[i] & c[i])))
    for j in range(8):
        for i in range(lanes):
            state[j, i] = _u(state[j, i] + V[j, i])


@numba.njit(nogil=True, cache=True)
def _hmac(content: Any, starts: Any, pads: Any, digits: Any) -> None:
    """digits[i] = the first 128 bits of HMAC(key, content[starts[i]:starts[i + 1]]) as hexadecimal digits; messages of
    more than 55 bytes are left out.

    pads : (2, 64) the key, padded, xor 0x36 and 0x5c. RFC 2104, section 2.
    """
    W = np.zeros((64, _LANES), np.uint32)
    V = np.empty((8, _LANES), np.uint32)
    keyed = np.empty((2, 8, _LANES), np.uint32)
    for side in range(2):
        keyed[side] = _H0.copy().reshape(8, 1)
        W[:16] = 0
        for j in range(64):
            W[j // 4] |= _u(pads[side, j]) << _u(24 - 8 * (j % 4))
        _compress(keyed[side], W, V)
    state = np.empty((8, _LANES), np.uint32)
    for begin in range(0, len(digits), _LANES):
        count = min(_LANES, len(digits) - begin)
        W[:16] = 0
        for i in range(count):
            start = starts[begin + i]
            length = min(starts[begin + i + 1] - start, _LONGEST)
            for j in range(length):
                W[j // 4, i] |= _u(content[start + j]) << _u(24 - 8 * (j % 4))
            W[length // 4, i] |= _u(0x80) << _u(24 - 8 * (length % 4))
            W[15, i] = 8 * (_BLOCK + length)
        state[:] = keyed[0]
        _compress(state, W, V)
        # The inner digest is the outer message: eight words, the end mark, its length in bits.
        W[:8] = state
        W[8:15] = 0
        W[8] = 0x80000000
        W[15] = 8 * (_BLOCK + 32)
        state[:] = keyed[1]
        _compress(state, W, V)
        for i in range(count):
            for j in range(LENGTH):
                digits[begin + i, j] = _HEXADECIMAL[(state[j // 8, i] >> _u(28 - 4 * (j % 8))) & _u(0xF)]
