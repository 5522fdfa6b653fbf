"""How mapped text becomes a typed, checked row: one table expression for each kind, for DuckDB and for PySpark.

Knows the rules that a row can be checked against by itself; rules that need the whole delivery or the lake
(repeated ids, ends that exist nowhere) are checked where the delivery is known.

The expression is made of steps, each of which uses the columns of the one before more than once: what a step
computes is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from kg.config import Pick, SourceSettings
from kg.dates import ZONE, Wall, day, utc, wall
from kg.engine import Engine
from kg.identifiers import uscc_fault, uscc_spelled
from kg.money import fen, ppm
from kg.personal import AROUND_AT, LONG_NUMBER, MARKED, NARROW, WIDE
from loaders.source import REFERENCES, Column, ColumnType, Kind


@dataclass(frozen=True)
class Rule:
    """A rule that a row can break, and what it asks for."""

    name: str
    about: str


#: The rules that a row can break: by itself, in the reader, and within the whole delivery.
RULES = (
    Rule("required", "the column must be filled"),
    Rule("one_of", "at least one of these columns must be filled"),
    Rule("needs", "where the first of these columns is filled, the second must be filled too"),
    Rule("least", "a number that is not below the least one that the kind's contract allows (kgfraud ref sources)"),
    Rule("at_most", "the first of these columns must not be more than the second"),
    Rule("differ", "two different parties: nobody stands in this relation to himself"),
    Rule("integer", "a whole number of at most 9 digits"),
    Rule("money", "an amount below 10^15 yuan, such as 1234.50, 1,234.50 or 12.5万元; no scientific notation"),
    Rule("share", "a share between nothing and the whole, such as 0.125 or 12.5%"),
    Rule("date", "a day that exists, in a form that is known or in the format of the mapping"),
    Rule("timestamp", "a day and time that exist, in a form that is known or in the format of the mapping"),
    Rule("flag", "true or false, 1 or 0, yes or no, Y or N, 是 or 否"),
    Rule("values", "one of the words that the kind's contract lists (kgfraud ref sources)"),
    Rule("uscc", "a unified social credit code: 18 characters of its alphabet"),
    Rule("uscc_check", "the check digit of the unified social credit code (GB 32100)"),
    Rule("uscc_organisation", "the check digit of the organisation code within it (GB 11714)"),
    Rule("cnid", "a resident identity number: 18 characters, or 15 digits"),
    Rule("cnid_check", "the check digit of the resident identity number (GB 11643)"),
    Rule("cnid_birth", "a day of birth that exists"),
    Rule("phone", "a mobile number, a landline with its area code, or another country's number with + in front"),
    Rule("email", "an e-mail address"),
    Rule("account", "an account or card number: 4 to 40 letters and digits"),
    Rule("device", "the number of a device: at most 200 characters"),
    Rule("label", "whether a party is a company or a person must be known"),
    Rule("graph", "it must be an id of the graph, such as company:uscc:91110000600037341L"),
    Rule("ragged", "as many cells as the file has heads"),
    Rule("encoding", "text in the encoding of the source; in Parquet UTF-8"),
    Rule("nul", "no NUL bytes"),
    Rule("json", "one JSON object on the line"),
    Rule("unknown_end", "a node that some source registers (a later delivery may bring it: kgfraud quarantine replay)"),
    Rule("ambiguous", "one node only; several bear this name"),
    Rule("duplicate", "a record id that no earlier row of the delivery bears"),
    Rule("changed", "what was accepted under this record id before; a source that corrects its rows has mode upsert"),
)


def about(rule: str) -> str:
    """Return what a rule asks for.

    >>> about("nul")
    'no NUL bytes'
    """
    return {r.name: r.about for r in RULES}.get(rule, rule)


FAULT = "struct<column: string, rule: string, value: string>"
FAULTS = f"array<{FAULT}>"

#: Columns that the reader adds and that stay: file, line, row, part of a split cell, named record id.
MARKS = ("_file", "_line", "_row", "_part", "_key")

_TRUE = ("TRUE", "1", "是", "Y", "YES", "T")
_FALSE = ("FALSE", "0", "否", "N", "NO", "F")
_REFERENCE_USCC = "company:uscc:"
_SHOWN = 40


def typed(raw: ir.Table, kind: Kind, source: SourceSettings, zone: str = ZONE, absent: Collection[str] = ()) -> ir.Table:
    """Return the rows of a delivery as typed values, each with its digest and its faults.

    Parameters
    ----------
    raw
        What the mapping gives: the kind's columns as strings, ``_file, _line, _row, _part, _fault, _key``.
    kind, source
        The contract, and the settings that say in which unit, format and zone the file writes a column.
    zone
        The zone of times for which the source states none.
    absent
        Columns that hold nothing in any row: nothing is made of their texts, which is quicker and gives the same.

    Returns
    -------
    ir.Table
        ``MARKS``; the kind's columns as ``Column.stored`` says, null where the text is no such value; ``record_id``
        (the named one, else the digest: equal rows of a delivery are told apart later); ``digest`` (SHA-256 of the
        canonical row, lower-case hexadecimal); ``faults`` (empty where the row is good), whose values are redacted.

    Raises
    ------
    UsageError
        If a unit, a format or a zone is not known.
    """
    # what the settings say of a column is looked at all the same
    read = _Reading(kind, source, zone, frozenset(absent) - source.columns.keys())
    clocks = raw.mutate(**read.clocks(raw))
    values = clocks.select(*MARKS, **read.values(clocks), **read.texts(clocks), **_reported(clocks))
    judged = values.mutate(_digest=_digest(values, kind), faults=_faults(values, kind, read.absent))
    record_id = judged["_key"].fill_null(judged["_digest"])
    columns = [column.name for column in kind.columns]
    return judged.select(*MARKS, *columns, record_id=record_id, digest=judged["_digest"], faults=judged.faults)


def misread(engine: Engine, words: Sequence[tuple[ColumnType, Pick, str]]) -> list[int]:
    """Return the places of the words (type of the column, how it is read, text) that a row could not hold."""
    if not words:
        return []
    own = tuple(Column(f"w{place}", type_, "") for place, (type_, _, _) in enumerate(words))
    of = Kind("words", "", own)
    source = SourceSettings(name="words", kind=of.name, path=of.name)
    source = source.model_copy(update={"columns": {c.name: (pick,) for c, (_, pick, _) in zip(own, words, strict=True)}})
    texts = {c.name: text for c, (_, _, text) in zip(own, words, strict=True)}
    names = [*(c.name for c in of.columns), *MARKS, "_fault"]
    row = pa.table({name: pa.array([texts.get(name)], pa.string()) for name in names})
    (faults,) = engine.table(typed(engine.arrow(row), of, source).select("faults"))["faults"].to_pylist()
    return [int(fault["column"].removeprefix("w")) for fault in faults]


def redacted(text: ir.StringValue) -> ir.StringValue:
    """Return a value as it may be shown: no long numbers, no Chinese characters, no e-mail address, 40 characters.

    >>> ibis.duckdb.connect().to_pyarrow(redacted(ibis.literal("-12,5O 王五 13912345678 li@a.cn"))).as_py()
    '-12,5O 某某 # …@…'
    >>> ibis.duckdb.connect().to_pyarrow(redacted(ibis.literal("2020-02-30, 6225 8800 0000 0002 601"))).as_py()
    '2020-02-30, #'
    """
    short = text.left(8 * _SHOWN).translate(WIDE, NARROW).re_replace(AROUND_AT, "…@…")
    return (
        short.re_replace(MARKED, "#")
        .re_replace(LONG_NUMBER, "#")
        .re_replace("[0-9]{7,}", "#")
        .re_replace("[㐀-䶿一-鿿豈-﫿]", "某")
        .left(_SHOWN)
    )


@dataclass(frozen=True)
class _Reading:
    """How the columns of a source are read."""

    kind: Kind
    source: SourceSettings
    zone: str
    absent: frozenset[str] = frozenset()

    def clocks(self, raw: ir.Table) -> dict[str, ir.Value]:
        """Return the first half of reading days and times, which the second half uses many times."""
        found: dict[str, ir.Value] = {}
        for column in self.kind.columns:
            if column.type in ("date", "timestamp") and column.name not in self.absent:
                seen = wall(raw[column.name], self._pick(column).format)
                found |= {f"_{column.name}_moment": seen.moment, f"_{column.name}_shift": seen.shift}
        return found

    def values(self, clocks: ir.Table) -> dict[str, ir.Value]:
        """Return the kind's columns as typed values."""
        return {column.name: self._value(clocks, column).cast(column.stored) for column in self.kind.columns}

    def texts(self, clocks: ir.Table) -> dict[str, ir.Value]:
        """Return what faults are found by: texts that may be no value of their type, and what codes break."""
        found: dict[str, ir.Value] = {}
        for column in self.kind.columns:
            text = clocks[column.name]
            if column.stored != "string":
                found[f"_{column.name}_text"] = text
            if column.name in self.absent:
                continue
            if column.type == "uscc":
                found[f"_{column.name}_uscc"] = uscc_fault(uscc_spelled(text))
            if column.type in ("company", "party"):
                code = ibis.ifelse(text.startswith(_REFERENCE_USCC), text.substr(len(_REFERENCE_USCC)), ibis.null("string"))
                found[f"_{column.name}_uscc"] = uscc_fault(code)
        return found

    def _value(self, table: ir.Table, column: Column) -> ir.Value:
        text, pick = table[column.name], self._pick(column)
        if column.name in self.absent:
            return ibis.null(column.stored)
        if column.type in ("date", "timestamp"):
            seen = Wall(table[f"_{column.name}_moment"], table[f"_{column.name}_shift"])
            return (day if column.type == "date" else utc)(seen, pick.zone or self.zone)
        if column.type == "money":
            return fen(text, pick.unit or "元")
        if column.type == "share":
            return ppm(text, pick.unit or "fraction")
        return _PLAIN[column.type](text) if column.type in _PLAIN else text

    def _pick(self, column: Column) -> Pick:
        """Return the first choice for a column, which names its unit, format and zone."""
        choices = self.source.columns.get(column.name)
        return choices[0] if choices else Pick(column=column.name)


def _integer(text: ir.StringValue) -> ir.IntegerValue:
    # what is longer counts nothing: it is a phone or an identity card
    return ibis.ifelse(text.re_search("^[+-]?[0-9]{1,9}$"), text, ibis.null("string")).try_cast("int64")


def _flag(text: ir.StringValue) -> ir.BooleanValue:
    word = text.upper()
    return ibis.cases((word.isin(_TRUE), ibis.literal(True)), (word.isin(_FALSE), ibis.literal(False)))


#: Types that are read without a unit, format or zone; what is neither here nor above stays text.
_PLAIN: dict[str, Callable[[ir.StringValue], ir.Value]] = {"integer": _integer, "flag": _flag, "uscc": uscc_spelled}


def _reported(table: ir.Table) -> dict[str, ir.Value]:
    """Return the parts of the fault that the reader reports: ``column|rule|value``, in which the value may hold ``|``."""
    fault = table["_fault"]
    return {
        "_fault_column": fault.re_extract("^([^|]*)[|]", 1).nullif(""),
        "_fault_rule": fault.re_extract("^[^|]*[|]([^|]*)[|]", 1).nullif(""),
        "_fault_value": fault.re_extract("^[^|]*[|][^|]*[|](.*)$", 1),
        "_fault": fault,
    }


def _digest(table: ir.Table, kind: Kind) -> ir.StringValue:
    """Return the SHA-256 of the canonical row.

    A text is written with its length before it, a number with a semicolon after it, null as ``~``: no two rows are
    written alike.
    """
    written = [_written(table[column.name], column) for column in kind.columns]
    return ibis.literal("").join(written).hexdigest("sha256")


def _written(value: ir.Value, column: Column) -> ir.StringValue:
    if column.stored == "string":
        return (value.length().cast("string") + ":" + value).fill_null("~")
    return (value.cast("string") + ";").fill_null("~")


def _faults(table: ir.Table, kind: Kind, absent: Collection[str]) -> ir.ArrayValue:
    """Return what is wrong with each row; the list is only made for rows with a fault."""
    found = list(_checks(table, kind, absent))
    clean = ibis.literal([], type=FAULTS)
    entries = [ibis.ifelse(check.broken, check.fault(), ibis.null(FAULT)) for check in found]
    broken = [check.broken for check in found]
    every = ibis.array(entries).filter(lambda entry: entry.notnull())
    return ibis.ifelse(ibis.or_(*broken), every, clean)


@dataclass(frozen=True)
class _Check:
    """One way in which a row can be wrong; ``broken`` is never null."""

    broken: ir.BooleanValue
    column: str | ir.StringValue
    rule: str | ir.StringValue
    value: ir.StringValue

    def fault(self) -> ir.StructValue:
        """Return the fault as it is put into quarantine."""
        parts = {"column": self.column, "rule": self.rule, "value": self.value}
        return ibis.struct({name: ibis.literal(part) if isinstance(part, str) else part for name, part in parts.items()})


def _checks(table: ir.Table, kind: Kind, absent: Collection[str]) -> Iterator[_Check]:
    reported, nothing = table["_fault_column"], ibis.null("string")
    yield _Check(table["_fault"].notnull(), reported, table["_fault_rule"], table["_fault_value"])

    def missing(name: str) -> ir.BooleanValue:
        # What the reader could not read is reported already and not missing as well.
        return table[name].isnull() & (reported.fill_null("") != name) & _unread(table, name)

    readable = ~table["_fault_rule"].fill_null("").isin(("ragged", "encoding", "nul"))
    for column in kind.columns:
        if column.required:
            yield _Check(missing(column.name) & readable, column.name, "required", nothing)
        if column.name not in absent:
            yield from _value_checks(table, column)
    for group in kind.one_of:
        yield _Check(ibis.and_(*(missing(name) for name in group)) & readable, ", ".join(group), "one_of", nothing)
    for first, second in kind.needs:
        yield _Check(_stated(table[first]) & missing(second) & readable, f"{first}, {second}", "needs", _text(table, first))
    yield from _comparisons(table, kind)


def _comparisons(table: ir.Table, kind: Kind) -> Iterator[_Check]:
    """Return the checks of one value against another; what is missing is compared with nothing."""
    for first, second in kind.at_most:
        more = (table[first] > table[second]).fill_null(False)
        yield _Check(more, f"{first}, {second}", "at_most", _text(table, first))
    for first, second in kind.differ:
        same = (table[first] == table[second]).fill_null(False)
        yield _Check(same, f"{first}, {second}", "differ", ibis.literal("***"))


def _stated(value: ir.Value) -> ir.BooleanValue:
    """Say that a column states something; no amount is nothing stated."""
    return (value != 0).fill_null(False) if isinstance(value, ir.NumericValue) else value.notnull()


def _text(table: ir.Table, name: str) -> ir.StringValue:
    """Return what a number was read from, as it may be shown."""
    return redacted(table[f"_{name}_text"])


def _unread(table: ir.Table, name: str) -> ir.BooleanValue:
    """Say that a column had no text at all: a text that is no value of its type is a fault of its own."""
    text = f"_{name}_text"
    return table[text].isnull() if text in table.columns else ibis.literal(True)


def _value_checks(table: ir.Table, column: Column) -> Iterator[_Check]:
    """Return the checks of one value."""
    value = table[column.name]
    hidden = column.personal is not None or column.type in REFERENCES
    if column.stored != "string":
        text = table[f"_{column.name}_text"]
        yield _Check(text.notnull() & value.isnull(), column.name, column.type, redacted(text))
    if column.least is not None:
        yield _Check((value < column.least).fill_null(False), column.name, "least", _text(table, column.name))
    if column.values:
        yield _Check((~value.isin(column.values)).fill_null(False), column.name, "values", redacted(value))
    if f"_{column.name}_uscc" in table.columns:
        rule = table[f"_{column.name}_uscc"]
        yield _Check(rule.notnull(), column.name, rule, ibis.literal("***") if hidden else redacted(value))
