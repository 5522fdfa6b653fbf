"""The mapping: rows of a file become rows of a kind's contract, all text still, with tokens in the place of personal identifiers.

Knows what each type of column makes of a cell; hides the heads of the file, which never leave here unless mapped.
Units, formats and zones are read later, when the text becomes typed values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.config import Pick, SourceSettings
from kg.ids import joined, shielded
from kg.personal import scrub
from kg.privacy import Keyring
from loaders.cells import NO_NUMBER, cards, no_numbers, normalised, tokenised, translated, valid
from loaders.plan import NUMBERS, Plan, check, normal, plan
from loaders.readers import RawBatch, restored
from loaders.source import Column, Kind

_NULL = pa.scalar(None, pa.string())
#: The bank's own number of a customer, by which the loan system knows it: it is shown even where it looks like a phone or a card.
_CUSTOMER = "customer_ref"
_MARKS = (
    ("_file", pa.int32()),
    ("_line", pa.int64()),
    ("_row", pa.int64()),
    ("_part", pa.int32()),
    ("_fault", pa.string()),
    ("_key", pa.string()),
)


class Mapper:
    """The mapping of one source.

    Raises
    ------
    UsageError
        If the mapping does not fit the kind's contract.
    """

    def __init__(self, source: SourceSettings, kind: Kind, keyring: Keyring) -> None:
        check(source, kind, source.columns, [column.name for column in kind.columns])
        self.source = source
        self.kind = kind
        self.keyring = keyring
        self._plans: dict[tuple[str, ...], Plan] = {}
        self._seen: set[str] = set()

    @property
    def schema(self) -> pa.Schema:
        """The columns of every batch: those of the contract as strings, then file, line, row, part, fault and key."""
        return pa.schema([*((column.name, pa.string()) for column in self.kind.columns), *_MARKS])

    @property
    def unseen(self) -> tuple[str, ...]:
        """Mapped heads that no row of any batch had, for a warning: in JSON lines that is no error."""
        mapped = dict.fromkeys(pick.column for choices in self.source.columns.values() for pick in choices)
        return tuple(head for head in mapped if normal(head) not in self._seen)

    def map(self, raw: RawBatch) -> pa.RecordBatch:
        """Return the rows of a batch that belong to the source, as rows of the contract.

        Returns
        -------
        pa.RecordBatch
            Of `schema`. ``_fault`` is null or ``<column>|<rule>|<redacted value>``; a column with a fault is null.
            ``_part`` counts the rows that one cell was split into. ``_key`` is null where the source names no record id.

        Raises
        ------
        UsageError, GateError
            If the heads of the file do not fit the mapping.
        """
        if raw.heads not in self._plans:
            self._plans[raw.heads] = plan(self.source, self.kind, raw.heads, raw.file, lenient=raw.open)
        found = self._plans[raw.heads]
        self._seen.update(found.heads)
        rows = _rows(raw, found)
        return _Batch(self, found, rows).mapped()


def map_raw_table(table: pa.Table, source: SourceSettings, kind: Kind, keyring: Keyring) -> pa.Table:
    """Map rows that `loaders.readers.collect_raw` kept, under the settings of now.

    Returns
    -------
    pa.Table
        As `Mapper.map` returns them, in the order of ``_row`` and ``_part``.
    """
    mapper = Mapper(source, kind, keyring)
    batches = [mapper.map(raw) for raw in restored(table, source)]
    return pa.Table.from_batches(batches, mapper.schema).sort_by([("_row", "ascending"), ("_part", "ascending")])


@dataclass(frozen=True)
class _Rows:
    """The rows that belong to the source: texts in normal form by head, place, number of the part of a split cell.

    ``no_numbers`` says by head which texts held digits that are none of a number, where any did.
    """

    texts: dict[str, pa.Array]
    no_numbers: dict[str, pa.Array]
    place: pa.RecordBatch
    part: pa.Array

    def take(self, rows: pa.Array) -> _Rows:
        """Return the rows of these numbers."""
        texts, odd = ({head: each.take(rows) for head, each in of.items()} for of in (self.texts, self.no_numbers))
        return _Rows(texts, odd, self.place.take(rows), self.part.take(rows))


def _rows(raw: RawBatch, found: Plan) -> _Rows:
    faults = raw.place.column("_fault")
    sound = pc.is_null(faults) if faults.null_count < raw.num_rows else None
    texts, odd = {}, {}
    for head, place in found.heads.items():
        cells = normalised(raw.cells.column(place))
        if head in found.numbers and (wrong := no_numbers(raw.cells.column(place))) is not None:
            odd[head] = wrong
        # A row with a fault may still hold its cells (a NUL in Parquet): nothing of them is shown.
        texts[head] = cells if sound is None else pc.if_else(sound, cells, _NULL)
    rows = _Rows(texts, odd, raw.place, pa.repeat(pa.scalar(0, pa.int32()), raw.num_rows))
    if found.where:
        rows = _belonging(rows, found)
    return _split(rows, found) if found.split else rows


def _belonging(rows: _Rows, found: Plan) -> _Rows:
    """Keep the rows that have what ``where`` asks for, and those that could not be read: they may be the source's."""
    kept = pa.repeat(True, rows.place.num_rows)
    for head, value in found.where:
        texts = rows.texts.get(head, pa.nulls(len(kept), pa.string()))
        kept = pc.and_(kept, pc.fill_null(pc.equal(pc.fill_null(texts, ""), value), False))
    kept = pc.or_(kept, pc.is_valid(rows.place.column("_fault")))
    return rows.take(pc.indices_nonzero(kept))


def _split(rows: _Rows, found: Plan) -> _Rows:
    """Give each part of the split cell a row of its own; blank parts have none, a blank cell has one."""
    pick = found.picks[found.split or ""][0]
    head, count = normal(pick.column), rows.place.num_rows
    if head not in rows.texts:
        return rows
    cells = pc.split_pattern(pc.fill_null(rows.texts[head], ""), normal(pick.split or "") or pick.split)
    parts, parent = normalised(pc.list_flatten(cells)), pc.list_parent_indices(cells)
    there = pc.is_valid(parts)
    parts, parent = parts.filter(there), parent.filter(there).to_numpy()
    blank = np.setdiff1d(np.arange(count), parent)
    order = np.argsort(np.concatenate([parent, blank]), kind="stable")
    parent = np.concatenate([parent, blank])[order]
    number = np.arange(parent.size) - np.searchsorted(parent, parent)
    taken = rows.take(pa.array(parent))
    texts = pa.concat_arrays([parts, pa.nulls(blank.size, pa.string())]).take(pa.array(order))
    return _Rows(taken.texts | {head: texts}, taken.no_numbers, taken.place, pa.array(number.astype(np.int32)))


@dataclass
class _Batch:
    """One batch on its way through the mapping: the columns made so far, and the faults found so far."""

    mapper: Mapper
    plan: Plan
    rows: _Rows
    columns: dict[str, pa.Array] = field(default_factory=dict)
    faults: list[pa.Array] = field(default_factory=list)

    def mapped(self) -> pa.RecordBatch:
        """Return the batch in the form of the contract."""
        place = self.rows.place
        self.faults.append(place.column("_fault"))
        columns = [self.column(column.name) for column in self.mapper.kind.columns]
        key = self._key()
        fault = pc.coalesce(*self.faults)
        marks = [place.column("_file"), place.column("_line"), place.column("_row"), self.rows.part, fault, key]
        return pa.RecordBatch.from_arrays([*columns, *marks], schema=self.mapper.schema)

    def column(self, name: str) -> pa.Array:
        """Return a column of the contract: a constant, or the first choice that is not blank."""
        if name not in self.columns:
            column = self.mapper.kind.column(name)
            constant = self.mapper.source.constants.get(name)
            if constant is not None:
                self.columns[name] = self._cells(
                    column, Pick(column=name), pa.repeat(pa.scalar(normal(constant) or None, pa.string()), self._count)
                )
            else:
                self.columns[name] = self._choices(column, self.plan.picks.get(name, ()))
        return self.columns[name]

    @property
    def _count(self) -> int:
        return int(self.rows.place.num_rows)

    def _choices(self, column: Column, choices: tuple[Pick, ...]) -> pa.Array:
        filled, taken = pa.nulls(self._count, pa.string()), None
        for pick in choices:
            texts = translated(self._texts(pick.column), pick.values)
            odd = self.rows.no_numbers.get(normal(pick.column)) if column.type in NUMBERS else None
            if odd is not None:
                told = pc.is_in(self._texts(pick.column), value_set=pa.array(map(normal, pick.values or ()), pa.string()))
                texts = pc.if_else(pc.and_(odd, pc.invert(told)), NO_NUMBER, texts)
            # A later choice counts only where all before it are blank, even where those are wrong.
            if taken is not None:
                texts = pc.if_else(taken, _NULL, texts)
            cells = self._cells(column, pick, texts)
            filled = cells if taken is None else pc.coalesce(filled, cells)
            taken = pc.is_valid(texts) if taken is None else pc.or_(taken, pc.is_valid(texts))
        return filled

    def _texts(self, head: str) -> pa.Array:
        found = self.rows.texts.get(normal(head))
        return pa.nulls(self._count, pa.string()) if found is None else found

    def _cells(self, column: Column, pick: Pick, texts: pa.Array) -> pa.Array:
        """Return what a column of that type holds for these texts."""
        keyring, home = self.mapper.keyring, self.mapper.source.namespace
        match column.type:
            case "cnid" | "phone" | "email":
                cells = self._tokens(column.name, column.type, texts)
            case "account":
                cells = joined("account:", self._banks(column, pick), ":", self._tokens(column.name, "account", texts))
            case "device":
                cells = joined(f"device:{home}:", self._tokens(column.name, "device", texts))
            case "text" | "name":
                cells = scrub(texts)
            case "code":
                cells = shielded(texts, keyring, only_cards=column.name == _CUSTOMER)
            case "uscc":
                cells = self._uscc(column.name, texts)
            case "loan" | "court_case":
                cells = shielded(texts, keyring, f"{column.type}:{home}:", f"{column.type}:{home}:")
            case "company" | "person" | "party":
                cells = self._party(column, pick, texts)
            case _:
                cells = texts
        return cells

    def _tokens(self, name: str, kind: str, texts: pa.Array) -> pa.Array:
        tokens, rules = tokenised(kind, texts, self.mapper.keyring)
        if rules is not None:
            self.faults.append(joined(f"{name}|", rules, "|***"))
        return tokens

    def _uscc(self, name: str, texts: pa.Array) -> pa.Array:
        """Return credit codes in capitals; an identity card number that is no credit code is refused before anyone can see it."""
        texts = pc.replace_substring_regex(pc.ascii_upper(texts), "[ -]", "")
        found = cards(texts)
        if found is None:
            return texts
        codes = valid("uscc", texts, found)
        wrong = found if codes is None else pc.and_(found, pc.invert(codes))
        self.faults.append(pc.if_else(wrong, f"{name}|uscc|***", _NULL))
        return pc.if_else(wrong, _NULL, texts)

    def _banks(self, column: Column, pick: Pick) -> str | pa.Array:
        home, other = self.mapper.source.namespace, f"{column.name}_bank"
        if pick.bank:
            return pick.bank
        if other not in self.mapper.schema.names:
            return home
        return pc.fill_null(self.column(other), home)

    def _party(self, column: Column, pick: Pick, texts: pa.Array) -> pa.Array:
        """Return ids of companies and persons."""
        if pick.by == "uscc":
            return joined("company:uscc:", self._uscc(column.name, texts))
        if pick.by == "cnid":
            return joined("person:cnid:", self._tokens(column.name, "cnid", texts))
        label = pick.label or (column.type if column.type != "party" else None)
        if pick.by == "graph":
            return self._of_graph(column.name, (label,) if label else ("company", "person"), texts)
        if label:
            return self._named(label, pick, texts)
        kinds = self.column(f"{column.name}_kind")
        known = pc.fill_null(pc.is_in(kinds, value_set=pa.array(["company", "person"])), False)
        self.faults.append(pc.if_else(pc.and_(pc.is_valid(texts), pc.invert(known)), f"{column.name}|label|***", _NULL))
        ids = pa.nulls(self._count, pa.string())
        for word in ("company", "person"):
            own = pc.if_else(pc.fill_null(pc.equal(kinds, word), False), texts, _NULL)
            ids = pc.coalesce(ids, self._named(word, pick, own))
        return ids

    def _of_graph(self, name: str, labels: Sequence[str], texts: pa.Array) -> pa.Array:
        """Return ids that are the graph's own already; what begins otherwise is refused."""
        ours = reduce(pc.or_, [pc.fill_null(pc.starts_with(texts, f"{label}:"), False) for label in labels])
        self.faults.append(pc.if_else(pc.and_(pc.is_valid(texts), pc.invert(ours)), f"{name}|graph|***", _NULL))
        return pc.if_else(ours, shielded(texts, self.mapper.keyring), _NULL)

    def _named(self, label: str, pick: Pick, texts: pa.Array) -> pa.Array:
        home = self.mapper.source.namespace
        if pick.by == "name":
            return joined(f"{label}:{home}:name=", scrub(texts))
        # A person is known by the identity card wherever its number stands; with a company such a number stays a number of its own.
        return shielded(texts, self.mapper.keyring, f"{label}:{home}:", "person:cnid:" if label == "person" else f"{label}:{home}:")

    def _key(self) -> pa.Array:
        """Return the named record id, its parts joined by ``|``; a row without one of them has a fault."""
        if not self.plan.key:
            return pa.nulls(self._count, pa.string())
        keyring = self.mapper.keyring
        # A number of the source's own leads back to its row there, so it is shown.
        parts = [shielded(self._texts(part.name), keyring) if part.is_head else self.column(part.name) for part in self.plan.key]
        if self.plan.split and not any(part.name == self.plan.split for part in self.plan.key):
            parts.append(self.rows.part.cast(pa.string()))
        escaped = [pc.replace_substring(pc.replace_substring(part, "\\", "\\\\"), "|", "\\|") for part in parts]
        key = pc.binary_join_element_wise(*escaped, "|")
        self.faults.append(pc.if_else(pc.is_null(key), "record_id|required|", _NULL))
        return key
