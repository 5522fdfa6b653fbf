"""The plan of a mapping: which heads of a file fill which columns of a contract, and every reason to refuse it."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from kg.config import Pick, SourceSettings
from kg.errors import GateError, UsageError, did_you_mean
from loaders.source import Column, Kind

#: By what a reference of each type can be made; a column of any other type has no choice.
_BY = {"company": ("id", "uscc", "name"), "person": ("id", "cnid", "name"), "party": ("id", "uscc", "cnid", "name")}


@dataclass(frozen=True)
class KeyPart:
    """One part of a named record id: a column of the contract, or a head that is not mapped and so becomes a token."""

    name: str
    is_head: bool


@dataclass(frozen=True)
class Plan:
    """What is done with files of these heads.

    Attributes
    ----------
    picks
        The ways to fill each contract column that is filled from the file, those of the same name as a head included.
    heads
        Place of each head that is needed, by its normal form.
    where
        Head and value, both in normal form, that a row must have to belong to the source.
    split
        The contract column whose cell is split into several rows.
    key
        The parts of the named record id.
    """

    picks: Mapping[str, tuple[Pick, ...]]
    heads: Mapping[str, int]
    where: tuple[tuple[str, str], ...]
    split: str | None
    key: tuple[KeyPart, ...]


def normal(text: str) -> str:
    """Return the normal form of a head or value: NFKC, without blanks around it.

    >>> normal("　Ａmount ")
    'Amount'
    """
    return unicodedata.normalize("NFKC", text).strip()


def plan(source: SourceSettings, kind: Kind, heads: tuple[str, ...], file: str, *, lenient: bool) -> Plan:
    """Bind a source's mapping to the heads of a file.

    Parameters
    ----------
    lenient
        Whether a head that is not there is merely empty, as in JSON lines.

    Raises
    ------
    UsageError
        If a required column of the contract is filled by nothing, or the columns of the file's own names contradict the mapping.
    GateError
        If the file lacks a mapped head, or has it twice.
    """
    found = [normal(head) for head in heads]
    named = {column.name: (Pick(column=column.name),) for column in kind.columns if lenient or column.name in found}
    picks = {name: found_by for name, found_by in (named | dict(source.columns)).items() if name not in source.constants}
    check(source, kind, picks, {*picks, *source.constants})
    _refuse_unfilled(source, kind, {*picks, *source.constants})
    key = tuple(_key_part(source, picks, part) for part in source.record_id)
    if not lenient:
        _refuse_unknown_keys(source, kind, key, found)
    needed = [pick.column for choices in picks.values() for pick in choices] + [*source.where, *(part.name for part in key if part.is_head)]
    _refuse_missing(source, map(normal, needed), found, file, lenient)
    places = {head: found.index(head) for head in map(normal, needed) if head in found}
    where = tuple((normal(head), normal(value)) for head, value in source.where.items())
    split = next((name for name, choices in picks.items() if choices[0].split), None)
    return Plan(picks, places, where, split, key)


def check(source: SourceSettings, kind: Kind, picks: Mapping[str, tuple[Pick, ...]], filled: Collection[str]) -> None:
    """Refuse what is wrong with a mapping whatever the file holds.

    Parameters
    ----------
    filled
        The contract columns that are filled, or may be once the heads of the file are known.

    Raises
    ------
    UsageError
        Naming the source, where the setting stands, and the nearest right spelling.
    """
    known = {column.name: column for column in kind.columns}
    for table, names in (("columns", picks), ("constants", source.constants)):
        for name in names:
            if name not in known:
                raise _wrong(
                    source, table, name, f"{kind.name} have no column '{name}'{did_you_mean(name, known)} (kgfraud ref sources {kind.name})"
                )
    for name in source.constants:
        if name in source.columns:
            raise _wrong(source, "constants", name, f"'{name}' is mapped and constant at once; keep one of the two")
    for name, choices in picks.items():
        _check_column(source, known[name], choices)
        for pick in choices:
            _check_pick(source, known[name], pick, filled)
    _refuse_contradictions(source, known, picks)
    splitting = [name for name, choices in picks.items() if choices[0].split]
    if len(splitting) > 1:
        raise _wrong(
            source, "columns", splitting[1], f"both '{splitting[0]}' and '{splitting[1]}' are split; only one column of a source can be"
        )


def _check_column(source: SourceSettings, column: Column, choices: tuple[Pick, ...]) -> None:
    for verb in ("unit", "format", "zone"):
        if len({getattr(pick, verb) for pick in choices}) > 1:
            raise _wrong(
                source, "columns", column.name, f"the choices of '{column.name}' differ in {verb}; it must be the same for all of them"
            )
    if len(choices) > 1 and any(pick.split for pick in choices):
        raise _wrong(source, "columns", column.name, f"'{column.name}' is split and has several choices; a column that is split has one")
    heads = [normal(pick.column) for pick in choices]
    if len(set(heads)) < len(heads):
        raise _wrong(source, "columns", column.name, f"'{column.name}' names a head twice among its choices")


def _check_pick(source: SourceSettings, column: Column, pick: Pick, filled: Collection[str]) -> None:
    allowed = _BY.get(column.type, ("id",))
    if pick.by not in allowed:
        raise _wrong(
            source,
            "columns",
            column.name,
            f"'{column.name}' is a {column.type}, which cannot be named by {pick.by}; by is {' or '.join(allowed)}",
        )
    if pick.label and column.type not in ("party", pick.label):
        raise _wrong(source, "columns", column.name, f"'{column.name}' is a {column.type}, so label = \"{pick.label}\" means nothing there")
    if pick.label and pick.by in ("uscc", "cnid") and pick.label != {"uscc": "company", "cnid": "person"}[pick.by]:
        raise _wrong(source, "columns", column.name, f"'{column.name}' is named by {pick.by}, so it cannot be a {pick.label}")
    if pick.bank and column.type != "account":
        raise _wrong(source, "columns", column.name, f"'{column.name}' is no account, so bank means nothing there")
    told = pick.label or pick.by in ("uscc", "cnid") or f"{column.name}_kind" in filled
    if column.type == "party" and not told:
        raise _wrong(
            source, "columns", column.name, f"'{column.name}' may be a company or a person; set its label, or fill '{column.name}_kind'"
        )


def _refuse_contradictions(source: SourceSettings, known: Mapping[str, Column], picks: Mapping[str, tuple[Pick, ...]]) -> None:
    """Refuse a head that one column hides as a personal identifier and another shows, or that has two units."""
    seen: dict[str, tuple[str, Pick]] = {}
    for name, choices in picks.items():
        for pick in choices:
            other, before = seen.setdefault(normal(pick.column), (name, pick))
            if _hidden(known[name], pick) != _hidden(known[other], before):
                raise _wrong(
                    source,
                    "columns",
                    name,
                    f"head '{pick.column}' is a personal identifier in one of '{other}' and '{name}', and clear in the other",
                )
            if (pick.unit, pick.format, pick.zone) != (before.unit, before.format, before.zone):
                raise _wrong(
                    source, "columns", name, f"head '{pick.column}' is read in two ways by '{other}' and '{name}' (unit, format or zone)"
                )


def _hidden(column: Column, pick: Pick) -> bool:
    return column.personal == "identifier" or pick.by == "cnid"


def _refuse_unfilled(source: SourceSettings, kind: Kind, filled: set[str]) -> None:
    for column in kind.columns:
        if column.required and column.name not in filled:
            raise _wrong(
                source,
                "columns",
                column.name,
                f"{kind.name} need the column '{column.name}' ({column.about}); map it or make it a constant",
            )
    for group in kind.one_of:
        if not filled.intersection(group):
            raise _wrong(
                source, "columns", group[0], f"{kind.name} need one of the columns {', '.join(group)}; map it or make it a constant"
            )


def _key_part(source: SourceSettings, picks: Mapping[str, tuple[Pick, ...]], part: str) -> KeyPart:
    if part in picks or part in source.constants:
        return KeyPart(part, is_head=False)
    head = normal(part)
    for name, choices in picks.items():
        if len(choices) == 1 and normal(choices[0].column) == head and not choices[0].split and not choices[0].values:
            return KeyPart(name, is_head=False)
    return KeyPart(head, is_head=True)


def _refuse_unknown_keys(source: SourceSettings, kind: Kind, key: tuple[KeyPart, ...], found: list[str]) -> None:
    for part in key:
        if part.is_head and part.name not in found:
            near = did_you_mean(part.name, [*(column.name for column in kind.columns), *found])
            what = f"record_id names '{part.name}', which is neither a mapped column nor a head of the file{near}"
            raise UsageError(f"{source.at('record_id')}: source {source.name}: {what}")


def _refuse_missing(source: SourceSettings, needed: Iterable[str], found: list[str], file: str, lenient: bool) -> None:
    count = Counter(found)
    for head in needed:
        if count[head] > 1:
            raise GateError(f"{file} has the head '{head}' {count[head]} times, so {source.name} cannot tell which is meant; mend the file")
        if head not in count and not lenient:
            raise GateError(f"{file} has no head '{head}', which {source.name} maps{did_you_mean(head, found)} ({source.at('columns')})")


def _wrong(source: SourceSettings, table: str, name: str, what: str) -> UsageError:
    return UsageError(f"{source.at(table, name)}: source {source.name}: {what}")
