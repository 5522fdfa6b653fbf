"""Export: the files that the loan system takes, complete or not there at all, signed and checkable.

A folder ``<run>/`` holds the data files, ``manifest.json`` (what they are), ``manifest.sig`` (64 bytes,
Ed25519 over the manifest as it stands) and, written last, ``.ok``, which is empty. The data files hold no clock time:
the same run gives the same bytes. Any tool can check the signature::

    openssl pkeyutl -verify -pubin -inkey sign.pub -rawin -in manifest.json -sigfile manifest.sig
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.compute as pc
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kg.errors import DependencyError, KgfraudError, UsageError, VerificationError
from kg.flags import SCHEMA_VERSION, in_order

MANIFEST, SIGNATURE, OK = "manifest.json", "manifest.sig", ".ok"
SIGN_KEY, SIGN_PUB = "sign.key", "sign.pub"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Exporter(Protocol):
    """A form of file in which flags are handed over."""

    @property
    def name(self) -> str:
        """Name of the file."""

    def write(self, flags: pa.Table, to: BinaryIO) -> None:
        """Write flags (the columns `kg.flags.FLAGS`, in order); equal flags give equal bytes."""

    def count(self, path: Path) -> Mapping[str, int]:
        """Return the number of rows of a file by reason."""


@dataclass(frozen=True)
class DataFile:
    """What the manifest says of a data file."""

    name: str
    sha256: str
    rows: int
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """What an export is; ``key`` is the SHA-256 of the raw public key that it is signed with."""

    schema_version: int
    run_id: str
    as_of: str
    rows: int
    reasons: dict[str, int]
    files: tuple[DataFile, ...]
    generated_at: str
    key: str

    def to_bytes(self) -> bytes:
        """Return the manifest as it is written and signed."""
        return (json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n").encode()

    @classmethod
    def parse(cls, data: bytes, where: Path) -> Manifest:
        """Read a manifest.

        Raises
        ------
        VerificationError
            If it is not one, or one of another schema version.
        """
        try:
            raw: dict[str, Any] = json.loads(data)
            manifest = cls(**{**raw, "files": tuple(DataFile(**f) for f in raw["files"])})
        except (ValueError, TypeError, KeyError):
            raise VerificationError(f"{where} is no manifest of an export; ask for the export again") from None
        if manifest.schema_version != SCHEMA_VERSION:
            raise VerificationError(f"{where} has schema version {manifest.schema_version}; this program reads {SCHEMA_VERSION}")
        return manifest


@dataclass(frozen=True)
class PublicKey:
    """The key by which an export is checked."""

    key: Ed25519PublicKey

    @classmethod
    def open(cls, path: Path) -> PublicKey:
        """Read a public key (PEM).

        Raises
        ------
        UsageError
            If there is none at that place.
        """
        try:
            key = serialization.load_pem_public_key(path.read_bytes())
        except FileNotFoundError:
            raise UsageError(f"there is no public key at {path}; name the signer's sign.pub with --key") from None
        except ValueError:
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise UsageError(f"{path} is no Ed25519 public key (PEM); name the signer's sign.pub with --key")
        return cls(key)

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the raw public key."""
        return hashlib.sha256(self.key.public_bytes_raw()).hexdigest()

    def holds(self, signature: bytes, data: bytes) -> bool:
        """Say whether a signature of the data is this key's."""
        try:
            self.key.verify(signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """The key with which exports are signed."""

    key: Ed25519PrivateKey

    @classmethod
    def create(cls, folder: Path) -> SigningKey:
        """Make a key pair, ``sign.key`` (mode 0600) and ``sign.pub``, in a folder of keys.

        Raises
        ------
        UsageError
            If the folder holds one already.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = cls(Ed25519PrivateKey.generate())
        pem, raw = serialization.Encoding.PEM, serialization.NoEncryption()
        private = new.key.private_bytes(pem, serialization.PrivateFormat.PKCS8, raw)
        public = new.key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
        try:
            handle = os.open(folder / SIGN_KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise UsageError(f"{folder} holds {SIGN_KEY} already; the key that signs is made once") from None
        with _synced(handle) as file:
            file.write(private)
        _write(folder / SIGN_PUB, public)
        return new

    @classmethod
    def open(cls, folder: Path) -> SigningKey:
        """Read the key of a folder of keys.

        Raises
        ------
        DependencyError
            If it is missing, damaged or open to other users.
        """
        path = folder / SIGN_KEY
        try:
            mode = path.stat().st_mode & 0o777
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except FileNotFoundError:
            raise DependencyError(
                f"the key {path} is missing; restore keys/ from the backup (exports cannot be signed without it)"
            ) from None
        except ValueError:
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise DependencyError(f"the key {path} is no Ed25519 private key (PEM); restore keys/ from the backup")
        if mode & 0o077:
            raise DependencyError(
                f"{path} is open to other users (mode {mode:04o}); find out whether it was copied, then: chmod 600 {path}"
            )
        return cls(key)

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return PublicKey(self.key.public_key())


def export(
    flags: pa.Table,
    root: Path,
    exporters: Sequence[Exporter],
    key: SigningKey,
    *,
    run_id: str,
    as_of: date,
    now: datetime | None = None,
) -> Path:
    """Write a run's flags to ``root/<run_id>/``, all files or none.

    They are written to a hidden folder beside it, which is renamed when it is complete. An export that is
    there already is left as it is if its data are the same; one that lacks ``.ok`` is replaced.

    Raises
    ------
    KgfraudError
        If a complete export of the run says something else.
    UsageError
        If ``run_id`` cannot be the name of a folder.
    """
    if not _PLAIN_NAME.fullmatch(run_id):
        raise UsageError(f"the run '{run_id}' cannot be the name of a folder; it may hold letters, digits and . _ - only")
    root.mkdir(parents=True, exist_ok=True)
    final, partial = root / run_id, root / f".{run_id}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        files = write_data(flags, partial, exporters)
        if (final / OK).exists():
            _refuse_other(final, files)
            return final
        reasons = {v["values"]: v["counts"] for v in pc.value_counts(flags.column("reason")).to_pylist()}
        made = (now or datetime.now(UTC)).isoformat(timespec="seconds")
        reasons = dict(sorted(reasons.items()))
        manifest = Manifest(SCHEMA_VERSION, run_id, as_of.isoformat(), flags.num_rows, reasons, files, made, key.public.fingerprint)
        _write(partial / MANIFEST, manifest.to_bytes())
        _write(partial / SIGNATURE, key.key.sign(manifest.to_bytes()))
        _write(partial / OK, b"")
        _sync_folder(partial)
        shutil.rmtree(final, ignore_errors=True)
        partial.rename(final)
        _sync_folder(root)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return final


def write_data(flags: pa.Table, folder: Path, exporters: Sequence[Exporter]) -> tuple[DataFile, ...]:
    """Write the data files of flags alone into a folder; they are the same bytes for equal flags."""
    flags = in_order(flags)
    for exporter in exporters:
        with _synced(os.open(folder / exporter.name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)) as file:
            exporter.write(flags, file)
    return tuple(
        DataFile(exporter.name, _sha256(folder / exporter.name), flags.num_rows, (folder / exporter.name).stat().st_size)
        for exporter in exporters
    )


#: What runs are called.
_RUN = re.compile(r"\d{8}T\d{6}Z")


def verify(folder: Path, key: PublicKey, exporters: Sequence[Exporter]) -> Manifest:
    """Check that an export is complete, signed by the key, and what its manifest says; return the manifest.

    Nothing in the folder is trusted before the signature holds, a public key that lies in it never.

    Raises
    ------
    VerificationError
        Naming every file that is missing, surplus or different, or the run that was put in the place of another.
    """
    if not folder.is_dir():
        raise VerificationError(f"there is no export at {folder}; name the folder of a run")
    missing = [name for name in (OK, MANIFEST, SIGNATURE) if not _is_plain_file(folder / name)]
    if missing:
        raise VerificationError(f"{folder} lacks {', '.join(missing)}: the export is not complete; wait for it or ask for it again")
    if (folder / OK).stat().st_size:
        raise VerificationError(f"{folder / OK} is not empty, as the mark of a complete export is; use none of the files, ask for it again")
    data = (folder / MANIFEST).read_bytes()
    if not key.holds((folder / SIGNATURE).read_bytes(), data):
        raise VerificationError(
            f"{folder / SIGNATURE} is no signature of {MANIFEST} by the key {key.fingerprint[:16]}…; use none of the files"
        )
    manifest = Manifest.parse(data, folder / MANIFEST)
    named = folder.resolve().name
    if _RUN.fullmatch(named) and named != manifest.run_id:
        raise VerificationError(
            f"{folder} bears the name of run {named} and holds what was signed of run {manifest.run_id}: "
            "an older export was put in its place, or a folder renamed; ask for the export again"
        )
    problems = [*_strays(folder, manifest), *(p for file in manifest.files for p in _problems(folder, file, manifest, exporters))]
    if problems:
        raise VerificationError(f"{folder} does not hold what was signed: {'; '.join(problems)}; ask for the export again")
    return manifest


def _strays(folder: Path, manifest: Manifest) -> Iterator[str]:
    expected = {OK, MANIFEST, SIGNATURE, *(file.name for file in manifest.files)}
    yield from (f"{name} is in no manifest" for name in sorted({p.name for p in folder.iterdir()} - expected))


def _problems(folder: Path, file: DataFile, manifest: Manifest, exporters: Sequence[Exporter]) -> Iterator[str]:
    path, exporter = folder / file.name, {e.name: e for e in exporters}.get(file.name)
    if not _is_plain_file(path):
        yield f"{file.name} is missing"
    elif _sha256(path) != file.sha256:
        yield f"{file.name} differs (its SHA-256 is not the manifest's)"
    elif exporter is not None:
        counts = dict(exporter.count(path))
        if counts != manifest.reasons or {sum(counts.values())} != {file.rows, manifest.rows}:
            yield f"{file.name} holds {sum(counts.values())} rows, by reason {counts}, where the manifest counts {manifest.reasons}"


def _refuse_other(final: Path, files: Sequence[DataFile]) -> None:
    there = Manifest.parse((final / MANIFEST).read_bytes(), final / MANIFEST).files
    changed = [f.name for f in files if f not in there or not (final / f.name).is_file() or _sha256(final / f.name) != f.sha256]
    if changed or len(there) != len(files):
        raise KgfraudError(
            f"the export {final} is there already and differs in {', '.join(changed) or 'its files'}; an export is never overwritten: "
            "move it away if it is wrong"
        )


def _is_plain_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _synced(handle: int) -> Iterator[BinaryIO]:
    with os.fdopen(handle, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _write(path: Path, data: bytes) -> None:
    with _synced(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)) as file:
        file.write(data)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
