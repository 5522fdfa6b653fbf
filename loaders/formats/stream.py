"""Bytes of a delivered file as UTF-8 text in bounded blocks: unpacked, transcoded, without a byte order mark."""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Iterator

from kg.errors import GateError
from loaders.delivery import OpenFile

#: Bytes of text scanned at once; a batch of rows holds no more, save where a single row is longer.
BLOCK = 16 << 20
#: So many different Chinese characters that bytes spell as UTF-8 are no chance in a text of GB18030; one in so many may be torn.
_TELLING, _TORN = 3, 20
#: Longest row.
LONGEST = 64 << 20
_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_BOM = codecs.BOM_UTF8
_CHINESE = re.compile("[\u3400-\u9fff]")


def text_blocks(opened: OpenFile, encoding: str) -> Iterator[bytes]:
    """Yield the file's text as UTF-8.

    Bytes that the encoding does not have stay recognisable: in a file that says UTF-8 they are left as they
    are, in a GB18030 file they become lone surrogates. Both are no UTF-8, which the scan sees row by row.

    Raises
    ------
    GateError
        If the file is packed and damaged, is in UTF-16, or is in UTF-8 where GB18030 is said: most such bytes would pass as other
        characters.
    """
    start = opened.read(_CHUNK)
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise GateError(f"{opened.name} is in UTF-16; save it as UTF-8 or GB18030 and deliver it again")
    chunks = _chunks(opened, start)
    if start[:2] == _GZIP or opened.name.lower().endswith(".gz"):
        chunks = _unpacked(chunks, opened.name)
    if encoding == "GB18030":
        chunks = _transcoded(chunks, opened.name)
    return _without_mark(chunks)


def original(text: bytes, encoding: str) -> bytes:
    """Return the bytes of the file of which ``text`` was made.

    >>> original("中".encode(), "GB18030") == "中".encode("gb18030")
    True
    """
    if encoding == "UTF-8":
        return text
    return text.decode("utf-8", "surrogatepass").encode("gb18030", "surrogateescape")


def as_text(data: bytes, encoding: str) -> bytes:
    """Return bytes of a file as `text_blocks` would."""
    if encoding == "UTF-8":
        return data
    return data.decode("gb18030", "surrogateescape").encode("utf-8", "surrogatepass")


def _chunks(opened: OpenFile, start: bytes) -> Iterator[bytes]:
    while start:
        yield start
        start = opened.read(_CHUNK)


def _unpacked(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Unpack gzip, several members too; zeros after the last are padding, anything else is damage."""
    try:
        member = zlib.decompressobj(31)
        for chunk in chunks:
            rest = chunk
            while rest:
                if member.eof:
                    rest = rest.lstrip(b"\0")
                    member = zlib.decompressobj(31) if rest else member
                if rest:
                    yield member.decompress(rest, BLOCK)
                    rest = member.unconsumed_tail or member.unused_data
        yield member.flush()
    except zlib.error as error:
        raise GateError(f"{name} is damaged gzip ({error}); nothing of it was taken, deliver it again") from None
    if not member.eof:
        raise GateError(f"{name} is cut short (its gzip data end too early); nothing of it was taken, deliver it again")


def _transcoded(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    decode = codecs.getincrementaldecoder("gb18030")("surrogateescape").decode
    judged = begun = False
    for chunk in chunks:
        utf8, judged = (False, True) if judged else _read_as_utf8(chunk)
        if utf8 or (not begun and chunk.startswith(_BOM)):
            raise GateError(f'{name} is in UTF-8, not in GB18030; nothing of it was taken, set encoding = "UTF-8" and run again')
        begun = True
        yield decode(chunk).encode("utf-8", "surrogatepass")
    yield decode(b"", final=True).encode("utf-8", "surrogatepass")


def _read_as_utf8(chunk: bytes) -> tuple[bool, bool]:
    """Say whether a part of a text is UTF-8, and whether that is certain; where it is cut, a character may be torn.

    Bytes of GB18030 may happen to be UTF-8 (元 is one letter there), but hardly ever Chinese characters in it.
    """
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(chunk[_continued(chunk) :])
    torn, chinese = text.count("\ufffd"), _CHINESE.findall(text)
    utf8 = len(set(chinese)) >= _TELLING and torn * _TORN <= len(chinese)
    return utf8, utf8 or torn > len(chinese)


def _continued(chunk: bytes) -> int:
    """Return how many bytes of a character stand at the beginning that began in the chunk before."""
    return next((n for n, byte in enumerate(chunk[:3]) if byte & 0xC0 != 0x80), 3)


def _without_mark(chunks: Iterator[bytes]) -> Iterator[bytes]:
    start = b""
    for chunk in chunks:
        start += chunk
        if len(start) >= len(_BOM):
            break
    yield start.removeprefix(_BOM)
    yield from chunks


class Blocks:
    """Text cut into blocks, each of which begins with what the scan of the one before left over."""

    def __init__(self, chunks: Iterator[bytes], name: str) -> None:
        self._chunks = chunks
        self._name = name

    def after(self, rest: bytes) -> tuple[bytes, bool]:
        """Return ``rest`` with more text behind it, and whether the text ends there.

        Raises
        ------
        GateError
            If ``rest``, which is one row that is not whole yet, is longer than any row may be.
        """
        if len(rest) > LONGEST:
            raise GateError(f"{self._name} holds a row of more than {LONGEST >> 20} MB; check its line ends, separator and quotes")
        # A row longer than a block is scanned anew with each block: doubling keeps that linear.
        pieces, more = [rest], max(BLOCK, len(rest))
        for chunk in self._chunks:
            pieces.append(chunk)
            more -= len(chunk)
            if more <= 0:
                return b"".join(pieces), False
        return b"".join(pieces), True
