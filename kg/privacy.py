"""Keys of a workspace: tokens in the place of personal identifiers, sealed bytes in the place of refused rows.

Knows the folder ``keys/``: ``token.key`` and ``seal.key`` live as long as the workspace and lie there wrapped
by the key in ``wrap.key``, which may be changed at any time. Hides every key byte: nothing here prints one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kg.errors import DependencyError, UsageError, VerificationError

TokenKind = Literal["cnid", "phone", "email", "account", "device", "record"]

#: Characters of a token: 15 bytes of the digest, five bits a character.
TOKEN_LENGTH = 24
_TOKEN_BYTES = 15
_ALPHABET = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", dtype=np.uint8)
#: The two characters of each ten bits.
_PAIRS = np.stack([np.repeat(_ALPHABET, 32), np.tile(_ALPHABET, 32)], axis=1).copy().view(np.uint16).ravel()

_KEY, _NONCE, _BLOCK = 32, 12, 64
_WRAP, _TOKEN, _SEAL = "wrap.key", "token.key", "seal.key"


class Keyring:
    """The keys of one workspace, opened.

    Examples
    --------
    >>> import tempfile
    >>> keyring = Keyring.create(Path(tempfile.mkdtemp()) / "keys")
    >>> len(keyring.token("phone", "+8613800138000"))
    24
    >>> keyring.unseal(keyring.seal(b"a row", b"transfers"), b"transfers")
    b'a row'
    >>> keyring
    Keyring('keys')
    """

    def __init__(self, folder: Path, token_key: bytes, seal_key: bytes) -> None:
        self._folder = folder
        self._token_key = token_key
        self._seal_key = seal_key
        # HMAC (RFC 2104) with both pads hashed beforehand: the digest of hmac.digest in a third of its time.
        padded = token_key.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def __repr__(self) -> str:
        return f"Keyring('{self._folder.name}')"

    def __reduce__(self) -> str:
        raise TypeError("a Keyring holds keys and is not pickled; open it again where it is needed")

    @classmethod
    def create(cls, folder: Path) -> Keyring:
        """Make the folder with fresh keys and open it.

        Raises
        ------
        UsageError
            If keys lie there already: a new token key would cut the workspace off from every token it holds.
        """
        for name in (_WRAP, _TOKEN, _SEAL):
            if (folder / name).exists():
                raise UsageError(f"{folder} holds {name} already; the keys of a workspace are made once and not made anew")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        wrap, token_key, seal_key = os.urandom(_KEY), os.urandom(_KEY), os.urandom(_KEY)
        _write(folder / _WRAP, wrap)
        _write(folder / _TOKEN, _encrypt(wrap, token_key, _TOKEN.encode()))
        _write(folder / _SEAL, _encrypt(wrap, seal_key, _SEAL.encode()))
        return cls(folder, token_key, seal_key)

    @classmethod
    def open(cls, folder: Path) -> Keyring:
        """Open the keys in ``folder``.

        Raises
        ------
        DependencyError
            If a key is missing, cannot be read, or is open to other users of the machine.
        VerificationError
            If a key is damaged or wrapped by another wrapping key.
        """
        if not folder.is_dir():
            raise DependencyError(
                f"the folder of the keys {folder} is missing; restore it from the backup (tokens cannot be made without it)"
            )
        _refuse_open_to_others(folder, 0o700)
        wraps = _wrapping_keys(folder)
        return cls(folder, _unwrap(folder, _TOKEN, wraps), _unwrap(folder, _SEAL, wraps))

    def token(self, kind: str, value: str) -> str:
        """Return the token of one canonical value (see `tokens`)."""
        return str(self.tokens(kind, pa.array([value], pa.string()))[0].as_py())

    def tokens(self, kind: str, values: pa.Array) -> pa.Array:
        """Return the tokens of canonical values.

        Each distinct value is hashed once. Nothing is kept for the next batch: where values seldom return, looking for
        them and keeping them takes longer than hashing them again.

        Parameters
        ----------
        kind
            What the values are: ``cnid``, ``phone``, ``email``, ``account``, ``device`` or ``record``.
        values : pa.Array of string
            Canonical values (`kg.identifiers.canonical`); null stays null.

        Returns
        -------
        pa.Array of string
            First 15 bytes of HMAC-SHA-256(token key, ``<kind>:<value>``) in lower-case base32, 24 characters each.
        """
        encoded = values.dictionary_encode()
        digests = self.digests(kind, encoded.dictionary.to_pylist())
        return base32(digests).take(encoded.indices)

    def digests(self, kind: str, distinct: Iterable[str]) -> bytes:
        """Return the first 15 bytes of the keyed digest of each value, one after another."""
        prefix = self._inner.copy()
        prefix.update(f"{kind}:".encode())
        inner_copy, outer_copy = prefix.copy, self._outer.copy
        digests: list[bytes] = []
        for value in distinct:
            inner, outer = inner_copy(), outer_copy()
            inner.update(value.encode())
            outer.update(inner.digest())
            digests.append(outer.digest()[:_TOKEN_BYTES])
        return b"".join(digests)

    def seal(self, data: bytes, context: bytes) -> bytes:
        """Encrypt ``data`` (AES-256-GCM); it opens only with the same ``context``, which is not secret."""
        return _encrypt(self._seal_key, data, context)

    def unseal(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt what `seal` made.

        Raises
        ------
        VerificationError
            If it was changed, cut, sealed in another context or by another workspace.
        """
        data = _decrypt(self._seal_key, sealed, context)
        if data is None:
            raise VerificationError(
                "sealed data do not open: they were changed, or sealed by another workspace; restore them and keys/ from the same backup"
            )
        return data

    def rotate(self) -> None:
        """Wrap the same token and seal keys with a new wrapping key.

        Both wrapping keys lie in ``wrap.key`` until the last file is done, so a crash at any moment leaves
        keys that open; the next `rotate` sweeps the old one away.
        """
        old, new = _wrapping_keys(self._folder), os.urandom(_KEY)
        _write(self._folder / _WRAP, b"".join([new, *old]))
        _write(self._folder / _TOKEN, _encrypt(new, self._token_key, _TOKEN.encode()))
        _write(self._folder / _SEAL, _encrypt(new, self._seal_key, _SEAL.encode()))
        _write(self._folder / _WRAP, new)


def base32(digests: bytes) -> pa.Array:
    """Return tokens (lower-case base32, 24 characters) of digests of 15 bytes that lie one after another.

    >>> base32(bytes(15)).to_pylist()
    ['aaaaaaaaaaaaaaaaaaaaaaaa']
    """
    count = len(digests) // _TOKEN_BYTES
    # Five bytes are eight characters: gather each five in one integer and cut it into groups of ten bits.
    fives = np.frombuffer(digests, dtype=np.uint8).reshape(-1, 5)
    whole = np.zeros(len(fives), dtype=np.int64)
    for byte in range(5):
        whole = (whole << 8) | fives[:, byte]
    letters = np.empty((len(fives), 4), dtype=np.uint16)
    for place in range(4):
        letters[:, place] = _PAIRS[(whole >> (30 - 10 * place)) & 1023]
    offsets = np.arange(count + 1, dtype=np.int32) * TOKEN_LENGTH
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(letters))


def _write(path: Path, data: bytes) -> None:
    """Write a key file for its owner alone, whole or not at all."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path) -> bytes:
    try:
        _refuse_open_to_others(path, 0o600)
        return path.read_bytes()
    except FileNotFoundError:
        raise DependencyError(f"the key {path} is missing; restore keys/ from the backup (tokens cannot be made without it)") from None
    except OSError as error:
        raise DependencyError(f"the key {path} cannot be read ({error.strerror}); give it to the user who runs kgfraud") from None


def _refuse_open_to_others(path: Path, mode: int) -> None:
    found = path.stat().st_mode & 0o777
    if found & ~mode:
        raise DependencyError(
            f"{path} is open to other users (mode {found:04o}); find out whether it was copied, then close it: chmod {mode:o} {path}"
        )


def _wrapping_keys(folder: Path) -> list[bytes]:
    """Return the wrapping key, and the one before it if a rotation was cut short."""
    data = _read(folder / _WRAP)
    if not data or len(data) % _KEY:
        raise VerificationError(f"the key {folder / _WRAP} is damaged ({len(data)} bytes); restore keys/ from the backup")
    return [data[start : start + _KEY] for start in range(0, len(data), _KEY)]


def _unwrap(folder: Path, name: str, wraps: list[bytes]) -> bytes:
    wrapped = _read(folder / name)
    for wrap in wraps:
        key = _decrypt(wrap, wrapped, name.encode())
        if key is not None and len(key) == _KEY:
            return key
    raise VerificationError(
        f"the key {folder / name} does not open with {_WRAP}: one of them is damaged or of another workspace; restore keys/ from the backup"
    )


def _encrypt(key: bytes, data: bytes, context: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, data, context)


def _decrypt(key: bytes, sealed: bytes, context: bytes) -> bytes | None:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], context)
    except (InvalidTag, ValueError):
        return None
