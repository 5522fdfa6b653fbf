"""Whether the settings of the sources fit the kinds: every reason to refuse one before a file is read.

Knows which words the settings themselves put into columns (constants, and the targets of ``values``); each is judged
as a cell would be, so that a slip in ``kgfraud.toml`` is one sentence with its line and not a fault in every row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kg.config import Pick, SourceSettings
from kg.engine import Engine
from kg.errors import UsageError, did_you_mean, did_you_mean_one_of
from kg.identifiers import IdentifierError, canonical
from loaders.plan import check, normal, wrong
from loaders.rows import about, misread
from loaders.source import STORED, Column, Kind
from loaders.sources import kind

#: Identifiers that are judged one by one; what is wrong with a personal one is told without the value.
_IDENTIFIERS = ("cnid", "phone", "email", "account", "device", "uscc")


@dataclass(frozen=True)
class _Word:
    """A word that a source's settings put into a column, in normal form, and where it is written."""

    source: SourceSettings
    column: Column
    text: str
    pick: Pick
    path: tuple[str | int, ...]

    @property
    def identifier(self) -> str | None:
        """The kind of identifier that it must be, if it must be one."""
        by = {"uscc": "uscc", "cnid": "cnid"}.get(self.pick.by)
        return by or (self.column.type if self.column.type in _IDENTIFIERS else None)

    def refused(self, what: str) -> UsageError:
        """Return the refusal of the word."""
        return wrong(self.source, what, *self.path)


def fit(sources: Iterable[SourceSettings], engine: Engine) -> None:
    """Refuse settings of sources that no file could make right.

    Raises
    ------
    UsageError
        With a sentence for each wrong word, or the first other fault: where it stands, and the nearest right spelling.
    """
    words: list[_Word] = []
    for source in sources:
        of = _kind(source)
        if source.mode == "upsert" and not source.record_id:
            raise wrong(
                source, "mode is upsert, so rows replace their records, but no record_id says which those are; name its columns", "mode"
            )
        check(source, of, source.columns, [column.name for column in of.columns])
        words += _words(source, of)
    said = [str(word.refused(what)) for word, what in [*_unlisted(words), *_misread(words, engine)]]
    if said:
        raise UsageError("\n".join(said))


def _kind(source: SourceSettings) -> Kind:
    try:
        return kind(source.kind)
    except UsageError as error:
        raise wrong(source, str(error), "kind") from None


def _words(source: SourceSettings, of: Kind) -> Iterator[_Word]:
    for name, text in source.constants.items():
        yield _Word(source, of.column(name), normal(text), Pick(column=name), ("constants", name))
    for name, choices in source.columns.items():
        for number, pick in enumerate(choices):
            for written, text in (pick.values or {}).items():
                # a word that stands for nothing at all empties the cell
                if normal(text):
                    yield _Word(source, of.column(name), normal(text), pick, ("columns", name, number, "values", written))


def _unlisted(words: Iterable[_Word]) -> Iterator[tuple[_Word, str]]:
    """Yield the words that are blank where they may not be, in no list that is closed, or no identifier."""
    for word in words:
        name, known = word.column.name, word.column.values
        if not word.text:
            if word.column.required:
                yield word, f"'{name}' is blank, but must be filled"
        elif known and word.text not in known:
            yield word, f"'{name}' cannot be \"{word.text}\"{did_you_mean_one_of(word.text, known)}"
        elif word.identifier and (rule := _broken(word.identifier, word.text)):
            yield word, f"the value for '{name}' is no {word.identifier}: {about(rule)}"


def _broken(identifier: str, text: str) -> str | None:
    """Return the rule that a text breaks as an identifier, or None."""
    try:
        canonical(identifier, text)
    except IdentifierError as error:
        return error.rule
    return None


def _misread(words: Sequence[_Word], engine: Engine) -> Iterator[tuple[_Word, str]]:
    """Yield the words that are no value of the type of their column."""
    typed = [word for word in words if word.text and word.column.type in STORED]
    for number in misread(engine, [(word.column.type, word.pick, word.text) for word in typed]):
        word = typed[number]
        near = did_you_mean(word.text, ("true", "false")) if word.column.type == "flag" else ""
        yield word, f"'{word.column.name}' cannot be \"{word.text}\": {about(word.column.type)}{near}"
