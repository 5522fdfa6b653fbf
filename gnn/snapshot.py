"""Companies on a day: their features, own and of their neighbours, as of that day. Knows how families become the table of any units."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gnn.around import NEAR, around
from gnn.encode import Floats
from gnn.family import Column, Family
from kg.algorithms.interning import Interner
from kg.errors import GateError
from kg.graph import Graph


@dataclass(frozen=True)
class Named:
    """A column of a model's table: its whole name, and the words for it."""

    name: str
    about: str
    zh: str
    unit: str
    family: str
    family_zh: str


@dataclass(frozen=True)
class Snapshot:
    """What is known of companies, or of other units, on a day.

    Attributes
    ----------
    ids : string, shape (n,)
        Sorted; no model sees them.
    values : float64, shape (n, n_columns)
        nan where missing. The first ``n_own`` columns are a unit's own, the others of what is around it.
    """

    day: date
    ids: pa.Array
    values: Floats
    columns: tuple[Named, ...]
    n_own: int


def snapshot(graph: Graph, families: Sequence[Family]) -> Snapshot:
    """Compute all features of the companies of a graph, as of its day."""
    ids = Interner.of(graph.engine.table(companies(graph))["id"])
    own = table(graph, families, ids)
    told = [place for place, (_, column) in enumerate(_own(families)) if column.told]
    near = around(graph, ids, own[:, told])
    return Snapshot(graph.as_of, ids.values, np.column_stack([own, near]), names(families), own.shape[1])


def companies(graph: Graph) -> ir.Table:
    """Return ``id`` of the companies that are scored: customers of the bank where it names any, else all that are registered."""
    rows = graph.nodes("Company")
    known = rows.filter(~rows.stub.fill_null(False), rows.kind.fill_null("company") == "company").select("id", "customer_ref")
    clients = known.filter(known.customer_ref.notnull())
    return (clients if graph.engine.count(clients.limit(1)) else known).select("id")


def names(families: Sequence[Family]) -> tuple[Named, ...]:
    """Return the columns of the table of companies that families make, in their order, and those of their neighbours."""
    own = list(own_names(families))
    told = [named for named, (_, column) in zip(own, _own(families), strict=True) if column.told]
    for near in NEAR:
        own.append(Named(f"near.{near.name}", f"number of {near.about}", f"{near.zh}数", "walks", f"near.{near.name}", near.zh))
        own += [
            Named(
                f"near.{near.name}.{each.name}",
                f"{each.about} (mean over {near.about})",
                f"{near.zh}的平均{each.zh}",
                each.unit,
                f"near.{near.name}",
                near.zh,
            )
            for each in told
        ]
    return tuple(own)


def own_names(families: Sequence[Family]) -> tuple[Named, ...]:
    """Return the columns that families make of units themselves, in their order."""
    return tuple(
        Named(f"{family.name}.{column.name}", column.about, column.zh, column.unit, family.name, family.zh)
        for family, column in _own(families)
    )


def table(graph: Graph, families: Sequence[Family], ids: Interner) -> Floats:
    """Return the columns that families make, a row for each id in its order; nan where missing."""
    blocks = [_block(graph, family, ids) for family in families]
    return np.column_stack(blocks) if blocks else np.empty((len(ids), 0))


def schema_digest(columns: Sequence[Named]) -> str:
    """Return a digest of what columns are called, mean and are counted in: a model reads no others."""
    told = [[column.name, column.about, column.unit] for column in columns]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()[:16]


def _own(families: Sequence[Family]) -> list[tuple[Family, Column]]:
    return [(family, column) for family in families for column in family.columns]


def _block(graph: Graph, family: Family, ids: Interner) -> Floats:
    """Return the columns of a family in the order of the ids."""
    table = graph.engine.table(family.make(graph))
    code = ids.codes(table["id"])
    ours = np.flatnonzero(code >= 0)
    if len(np.unique(code[ours])) < len(ours):
        raise GateError(f"the features '{family.name}' name one unit twice; each has one row")
    block = np.tile([column.none for column in family.columns], (len(ids), 1)).astype(np.float64)
    for place, column in enumerate(family.columns):
        given = table[column.name].cast(pa.float64(), safe=False)
        known = pc.is_valid(given).to_numpy(zero_copy_only=False)
        numbers = pc.fill_null(given, 0.0).to_numpy()
        block[code[ours], place] = np.where(known, numbers, column.none)[ours]
    if np.isinf(block).any():
        raise GateError(f"the features '{family.name}' hold numbers without bound; a part of nothing must be null")
    return block
