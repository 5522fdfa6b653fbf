"""The plan of a mapping: which heads of a file fill which columns of a contract, and every reason to refuse it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import ibis

from kg.config import Pick, SourceSettings
from kg.dates import first_offset, wall
from kg.errors import GateError, UsageError, did_you_mean
from kg.money import money_places, share_places
from loaders.source import Column, Kind

#: By what a reference of each type can be made; a column of any other type has no choice.
_BY = {
    "company": ("id", "uscc", "name", "graph"),
    "person": ("id", "cnid", "name", "graph"),
    "party": ("id", "uscc", "cnid", "name", "graph"),
}
#: Which types of column are read by a unit, a format, a zone, and what refuses one that is not known.
_READ_BY: dict[str, tuple[tuple[str, ...], Callable[[str, str], object]]] = {
    "unit": (("money", "share"), lambda of, unit: (money_places if of == "money" else share_places)(unit)),
    "format": (("date", "timestamp"), lambda _, format: wall(ibis.literal(""), format)),
    "zone": (("timestamp", "date"), lambda _, zone: first_offset(zone)),
}
#: Types whose texts are numbers.
NUMBERS = ("integer", "money", "share")
#: Separators that files are known to have, as they are called.
_SEPARATORS = {";": "';'", "\t": "a tab", "|": "'|'", ",": "','"}
#: Heads shown of a file, and characters of each.
_SHOWN, _LONGEST = 10, 40
#: What no head of a table looks like: a long number, an address, nothing but digits and signs.
_NO_HEAD = r"[0-9]{7}|@|^[-+0-9.,:/ ]*[0-9][-+0-9.,:/ ]*$"


@dataclass(frozen=True)
class KeyPart:
    """One part of a named record id: a column of the contract, or a head that is not mapped."""

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
    numbers
        The heads that some column reads as numbers.
    """

    picks: Mapping[str, tuple[Pick, ...]]
    heads: Mapping[str, int]
    where: tuple[tuple[str, str], ...]
    split: str | None
    key: tuple[KeyPart, ...]
    numbers: frozenset[str]


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
    hint = "" if lenient else _hint(source, heads)
    _refuse_unfilled(source, kind, {*picks, *source.constants}, hint)
    key = tuple(_key_part(source, picks, part) for part in source.record_id)
    if not lenient:
        _refuse_unknown_keys(source, kind, key, found, hint)
    mapped = [pick.column for choices in picks.values() for pick in choices] + [part.name for part in key if part.is_head]
    needed = [*mapped, *source.where]
    _refuse_missing(source, map(normal, mapped), found, file, hint)
    for head in source.where:
        _refuse_missing(source, (normal(head),), found, file, hint, "where", head)
    places = {head: found.index(head) for head in map(normal, needed) if head in found}
    where = tuple((normal(head), normal(value)) for head, value in source.where.items())
    split = next((name for name, choices in picks.items() if choices[0].split), None)
    return Plan(picks, places, where, split, key, _numbers(kind, picks))


def _numbers(kind: Kind, picks: Mapping[str, tuple[Pick, ...]]) -> frozenset[str]:
    return frozenset(normal(pick.column) for name, choices in picks.items() if kind.column(name).type in NUMBERS for pick in choices)


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
                near = did_you_mean(name, known)
                raise wrong(source, f"{kind.name} have no column '{name}'{near} (kgfraud ref sources {kind.name})", table, name)
    for name in source.constants:
        if name in source.columns:
            raise wrong(source, f"'{name}' is mapped and constant at once; keep one of the two", "constants", name)
    for name, choices in picks.items():
        _check_column(source, known[name], choices)
        for number, pick in enumerate(choices):
            _check_pick(source, known[name], number, pick, filled)
            _check_reading(source, known[name], number, pick)
    _refuse_contradictions(source, known, picks)
    splitting = [name for name, choices in picks.items() if choices[0].split]
    if len(splitting) > 1:
        one, two, *_ = splitting
        raise wrong(source, f"both '{one}' and '{two}' are split; only one column of a source can be", "columns", two)


def _check_column(source: SourceSettings, column: Column, choices: tuple[Pick, ...]) -> None:
    path = ("columns", column.name)
    for verb in ("unit", "format", "zone"):
        if len({getattr(pick, verb) for pick in choices}) > 1:
            raise wrong(source, f"the choices of '{column.name}' differ in {verb}; it must be the same for all of them", *path)
    if len(choices) > 1 and any(pick.split for pick in choices):
        raise wrong(source, f"'{column.name}' is split and has several choices; a column that is split has one", *path)
    heads = [normal(pick.column) for pick in choices]
    if len(set(heads)) < len(heads):
        raise wrong(source, f"'{column.name}' names a head twice among its choices", *path)


def _check_pick(source: SourceSettings, column: Column, number: int, pick: Pick, filled: Collection[str]) -> None:
    name, path = column.name, ("columns", column.name, number)
    allowed = _BY.get(column.type, ("id",))
    if pick.by not in allowed:
        what = f"'{name}' is a {column.type}, which cannot be named by {pick.by}; by is {' or '.join(allowed)}"
        raise wrong(source, what, *path, "by")
    if pick.label and column.type not in ("party", pick.label):
        raise wrong(source, f"'{name}' is a {column.type}, so label = \"{pick.label}\" means nothing there", *path, "label")
    if pick.label and pick.by in ("uscc", "cnid") and pick.label != {"uscc": "company", "cnid": "person"}[pick.by]:
        raise wrong(source, f"'{name}' is named by {pick.by}, so it cannot be a {pick.label}", *path, "label")
    if pick.bank and column.type != "account":
        raise wrong(source, f"'{name}' is no account, so bank means nothing there", *path, "bank")
    told = pick.label or pick.by in ("uscc", "cnid", "graph") or f"{name}_kind" in filled
    if column.type == "party" and not told:
        raise wrong(source, f"'{name}' may be a company or a person; set its label, or fill '{name}_kind'", *path)


def _check_reading(source: SourceSettings, column: Column, number: int, pick: Pick) -> None:
    """Refuse a unit, a format or a zone that is not known, or that nothing in the column is read by."""
    for verb, (types, known) in _READ_BY.items():
        said = getattr(pick, verb)
        if said is None:
            continue
        if column.type not in types:
            what = f"'{column.name}' is a {column.type}, so {verb} = \"{said}\" means nothing there; it is for a {' or a '.join(types)}"
            raise wrong(source, what, "columns", column.name, number, verb)
        try:
            known(column.type, said)
        except UsageError as error:
            raise wrong(source, f"{verb} of '{column.name}': {error}", "columns", column.name, number, verb) from None


def _refuse_contradictions(source: SourceSettings, known: Mapping[str, Column], picks: Mapping[str, tuple[Pick, ...]]) -> None:
    """Refuse a head that one column hides as a personal identifier and another shows, or that has two units."""
    seen: dict[str, tuple[str, Pick]] = {}
    for name, choices in picks.items():
        for pick in choices:
            other, before = seen.setdefault(normal(pick.column), (name, pick))
            if _hidden(known[name], pick) != _hidden(known[other], before):
                what = f"head '{pick.column}' is a personal identifier in one of '{other}' and '{name}', and clear in the other"
                raise wrong(source, what, "columns", name)
            if (pick.unit, pick.format, pick.zone) != (before.unit, before.format, before.zone):
                what = f"head '{pick.column}' is read in two ways by '{other}' and '{name}' (unit, format or zone)"
                raise wrong(source, what, "columns", name)


def _hidden(column: Column, pick: Pick) -> bool:
    return column.personal == "identifier" or pick.by == "cnid"


def _refuse_unfilled(source: SourceSettings, kind: Kind, filled: set[str], hint: str) -> None:
    for column in kind.columns:
        if column.required and column.name not in filled:
            what = f"{kind.name} need the column '{column.name}' ({column.about}); map it or make it a constant{hint}"
            raise wrong(source, what, "columns", column.name)
    for group in kind.one_of:
        if not filled.intersection(group):
            what = f"{kind.name} need one of the columns {', '.join(group)}; map it or make it a constant{hint}"
            raise wrong(source, what, "columns", group[0])


def _key_part(source: SourceSettings, picks: Mapping[str, tuple[Pick, ...]], part: str) -> KeyPart:
    if part in picks or part in source.constants:
        return KeyPart(part, is_head=False)
    head = normal(part)
    for name, choices in picks.items():
        if len(choices) == 1 and normal(choices[0].column) == head and not choices[0].split and not choices[0].values:
            return KeyPart(name, is_head=False)
    return KeyPart(head, is_head=True)


def _refuse_unknown_keys(source: SourceSettings, kind: Kind, key: tuple[KeyPart, ...], found: list[str], hint: str) -> None:
    for part in key:
        if part.is_head and part.name not in found:
            near = did_you_mean(part.name, [*(column.name for column in kind.columns), *found])
            what = f"record_id names '{part.name}', which is neither a mapped column nor a head of the file{near}{hint}"
            raise wrong(source, what, "record_id")


def _refuse_missing(source: SourceSettings, needed: Iterable[str], found: list[str], file: str, hint: str, *written: str) -> None:
    """Refuse a head that is there twice and, where a ``hint`` at the heads is given, one that is not there.

    It is ``written`` at a setting of the source; without one, somewhere among the columns.
    """
    count = Counter(found)
    for head in needed:
        if count[head] > 1:
            raise GateError(f"{file} has the head '{head}' {count[head]} times, so {source.name} cannot tell which is meant; mend the file")
        if head not in count and hint:
            near = did_you_mean(head, found) if len(found) > 1 else ""
            verb, place = ("asks for", written) if written else ("maps", ("columns",))
            raise GateError(f"{file} has no head '{head}', which {source.name} {verb}{near} ({source.at(*place)}){hint}")


def _hint(source: SourceSettings, heads: tuple[str, ...]) -> str:
    """Say which heads a file has, and what may be wrong with all of them: another separator, or no row of heads."""
    if any(re.search(_NO_HEAD, normal(head)) for head in heads):
        return "; its first row reads like data, so it is not shown here: deliver the file with a row of heads"
    shown = ", ".join(f"'{' '.join(normal(head).split())[:_LONGEST]}'" for head in heads[:_SHOWN])
    said = f"; its heads are {shown or 'none'}" + (f" and {len(heads) - _SHOWN} more" if len(heads) > _SHOWN else "")
    other = [sign for sign in _SEPARATORS if len(heads) == 1 and sign != source.separator and sign in heads[0]]
    if other:
        said += f"; perhaps the cells stand apart by {_SEPARATORS[other[0]]}: set separator = {json.dumps(other[0])}"
    return said


def wrong(source: SourceSettings, what: str, *path: str | int) -> UsageError:
    """Return the refusal of a setting of a source, with the file and line on which it stands."""
    return UsageError(f"{source.at(*path)}: source {source.name}: {what}")
