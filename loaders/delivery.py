"""A delivery: the files that a source's path means tonight, and proof that they stood still while they were read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from io import FileIO
from pathlib import Path

from kg.config import SourceSettings
from kg.errors import GateError
from kg.ids import without_identifiers

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Mark:
    """What changes when a file does: its number, size and times. The time of change cannot be set back by hand."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Mark:
        """Return the mark that a file's status bears."""
        return cls(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@dataclass(frozen=True)
class DeliveredFile:
    """One file of a delivery, as it stood when the delivery was listed."""

    path: Path
    mark: Mark
    called: str

    @classmethod
    def of(cls, path: Path, called: str | None = None) -> DeliveredFile:
        """List the file at ``path``, which is called by its name unless it is ``called`` otherwise."""
        try:
            return cls(path, Mark.of(path.stat()), called or path.name)
        except OSError as error:
            raise _unreadable(path, error) from None

    @property
    def name(self) -> str:
        """What the file is called, without the personal identifiers that some people put into it."""
        return _shown(self.called)

    @contextmanager
    def open(self) -> Iterator[OpenFile]:
        """Open the file for one reading from the first byte to the last.

        Raises
        ------
        GateError
            If it cannot be read, or is not the file that was listed any more.
        """
        try:
            raw = FileIO(self.path, "rb")
        except OSError as error:
            raise _unreadable(self.path, error) from None
        with raw:
            opened = OpenFile(self, raw)
            opened.check()
            yield opened


class OpenFile:
    """A file being read: every byte read goes into the digest, and the end proves that the file stood still."""

    def __init__(self, file: DeliveredFile, raw: FileIO) -> None:
        self.file = file
        self.raw = raw
        self._digest = hashlib.sha256()

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return self.file.name

    @property
    def position(self) -> int:
        """Bytes read so far."""
        return self.raw.tell()

    def read(self, size: int) -> bytes:
        """Read up to ``size`` bytes; an empty result is the end."""
        try:
            data = self.raw.read(size)
        except OSError as error:
            raise _unreadable(self.file.path, error) from None
        self._digest.update(data or b"")
        return data or b""

    def rewind(self) -> None:
        """Take in the whole file for the digest, then stand at its beginning; for formats that are read from the end."""
        while self.read(_CHUNK):
            pass
        self.raw.seek(0)

    def check(self) -> None:
        """Refuse the file if it is not as it was listed; both what is open and what now bears its name are looked at."""
        try:
            marks = {Mark.of(os.fstat(self.raw.fileno())), Mark.of(self.file.path.stat())}
        except OSError as error:
            raise _unreadable(self.file.path, error) from None
        if marks != {self.file.mark}:
            raise GateError(
                f"{self.name} changed while it was read; nothing of it was taken. Deliver it under another name, rename it when it is "
                "whole, and run again"
            )

    def finish(self) -> str:
        """Return the SHA-256 of all bytes, once the last one was read and the file proved unchanged."""
        while self.read(_CHUNK):
            pass
        self.check()
        return self._digest.hexdigest()


@dataclass
class Delivery:
    """The files of one source, in the order of their names.

    Attributes
    ----------
    digests, rows
        SHA-256 of each file's bytes and the number of its rows, by the file's place in ``files``;
        filled as each file is read to its end.
    """

    source: str
    files: tuple[DeliveredFile, ...]
    digests: dict[int, str] = field(default_factory=dict)
    rows: dict[int, int] = field(default_factory=dict)

    @classmethod
    def find(cls, source: SourceSettings) -> Delivery:
        """List the files that the source's path names: one file, a pattern, or a folder (all its files, hidden ones left out).

        Raises
        ------
        GateError
            If there is none.
        """
        folder = Path(source.path)
        if folder.is_dir():
            files = [DeliveredFile.of(path) for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
        else:
            files = [DeliveredFile.of(path, source.shown(path)) for path in source.files()]
        if not files:
            raise GateError(f"{source.name}: no file at {source.path}; deliver it, or mend the path ({source.at('path')})")
        return cls(source.name, tuple(files))

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.mark.size for file in self.files)

    def finish(self, index: int, digest: str, rows: int) -> None:
        """Note that a file was read to its end.

        Raises
        ------
        GateError
            If it was read before and held other bytes then.
        """
        if self.digests.get(index, digest) != digest:
            raise GateError(f"{self.files[index].name} is not the file that was read before; nothing of it was taken, run again")
        self.digests[index] = digest
        self.rows[index] = rows


def _unreadable(path: Path, error: OSError) -> GateError:
    name = _shown(path.name)
    return GateError(f"{name} cannot be read ({error.strerror}); deliver it again, or let the user who runs kgfraud read it: {path.parent}")


@cache
def _shown(name: str) -> str:
    return without_identifiers(name)
