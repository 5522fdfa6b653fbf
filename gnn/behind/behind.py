"""The contract of evidence: which rows stand behind the features of a family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir

from kg.engine import union
from kg.graph import Graph

#: The rows that a table step names at least; further columns say of each row what it is, as booleans.
COLUMNS = ("id", "row", "weight")


@dataclass(frozen=True)
class Behind:
    """The rows behind a family of features.

    Attributes
    ----------
    rows
        A graph and some companies (``id``) in; ``id`` of the company, ``row`` (the id of a relationship or record), ``weight`` (a whole
        number, the strongest has the greatest) and booleans out.
    high, low
        For a column of the family the boolean that says which rows make it large, and which make it small (of a part or a ratio alone:
        what is counted is small because there are no rows).
    """

    family: str
    rows: Callable[[Graph, ir.Table], ir.Table]
    high: Mapping[str, str]
    low: Mapping[str, str] = field(default_factory=dict)


def stacked(*tables: ir.Table) -> ir.Table:
    """Put tables of rows together; a boolean that one of them lacks is false there.

    Raises
    ------
    ValueError
        If there is no table.
    """
    names = sorted({name for table in tables for name in table.columns} - set(COLUMNS))
    filled = [table.mutate(**{name: ibis.literal(False) for name in names if name not in table.columns}) for table in tables]
    whole = [table.mutate(weight=table.weight.fill_null(0).cast("int64")) for table in filled]
    return union([table.select(*COLUMNS, *(table[name].fill_null(False).name(name) for name in names)) for table in whole])


def called(rows: ir.Table) -> ir.StringValue:
    """Return the ids of records, as relationships made of them bear them."""
    found: ir.StringValue = rows.source + "/" + rows.record_id
    return found
