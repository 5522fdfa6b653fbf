"""Candidate rings as the units of a task: those of some years, each as it was at the end of its year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gnn.encode import Floats
from gnn.family import Family
from gnn.metrics import Labels
from gnn.past import Archive
from gnn.rings.candidates import looked_at
from gnn.snapshot import Snapshot, own_names, table
from gnn.task import Known, Units
from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.graph import Graph

#: Years that are looked at.
YEARS = 3
#: Of the companies of a guilty ring so many in a hundred are known cases; where it is less, but some are, nobody can say.
_HALF = 50


@dataclass(frozen=True)
class Rings(Snapshot):
    """Rings on a day.

    Attributes
    ----------
    row, company
        Number of the ring and id of a company, for each of its companies.
    begun : datetime64[D], shape (n,)
        Day of the first payment.
    period
        The period for which they were looked at.
    """

    row: Ints
    company: pa.Array
    begun: np.ndarray[tuple[int], np.dtype[np.datetime64]]
    period: str | None


def _look(archive: Archive, day: date, families: Sequence[Family], period: str | None) -> Snapshot:
    ends = [day - timedelta(days=365 * year) for year in range(YEARS)]
    parts = [_of_year(archive.on(end), families, period) for end in ends]
    start = np.cumsum([0, *(len(each.ids) for each in parts)])
    row = np.concatenate([each.row + begin for each, (begin, _) in zip(parts, pairwise(start), strict=True)])
    values: Floats = np.concatenate([each.values for each in parts])
    company = pa.concat_arrays([each.company for each in parts])
    ids = pa.concat_arrays([each.ids for each in parts])
    begun = np.concatenate([each.begun for each in parts])
    order = np.asarray(pc.sort_indices(ids).to_numpy(), np.int64)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return Rings(day, ids.take(pa.array(order)), values[order], parts[0].columns, parts[0].n_own, place[row], company, begun[order], period)


def _of_year(graph: Graph, families: Sequence[Family], period: str | None) -> Rings:
    """Return the rings of the year up to the day of a graph; their ids bear that day."""
    found = graph.engine.table(families[0].make(graph).select("id"))
    ids = Interner.of(found["id"])
    values = table(graph, families, ids)
    rows = graph.engine.table(looked_at(graph).select("ring_id", "member", "first_at"))
    row = ids.codes(rows["ring_id"])
    begun = np.full(len(ids), np.datetime64("NaT"), "datetime64[D]")
    begun[row] = rows["first_at"].to_numpy().astype("datetime64[D]")
    of_firms = pc.starts_with(rows["member"], "company:").to_numpy()
    named = pc.binary_join_element_wise(ids.values, graph.as_of.isoformat(), "@")
    company = rows["member"].filter(pa.array(of_firms)).combine_chunks()
    return Rings(graph.as_of, named, values, own_names(families), len(families[0].columns), row[of_firms], company, begun, period)


def _labels(seen: Snapshot, known: Known, horizon: int) -> Labels:
    """Return 1 for rings of which half of the companies are known by the horizon, 0 where none is, -1 where some are.

    In validation and the held-out period only rings that began within the horizon before the day count: no earlier period has them.
    """
    assert isinstance(seen, Rings)  # noqa: S101 - made above
    last = seen.day + timedelta(days=horizon)
    guilty = np.array([known.get(each, date.max) <= last for each in seen.company.to_pylist()], np.int64)
    size = np.bincount(seen.row, minlength=len(seen.ids))
    count = np.bincount(seen.row, guilty, len(seen.ids))
    found = np.where(100 * count >= _HALF * np.maximum(size, 1), 1, np.where(count > 0, -1, 0)).astype(np.int8)
    if seen.period in ("valid", "test"):
        found[seen.begun <= np.datetime64(seen.day - timedelta(days=horizon))] = -1
    return found


RINGS = Units("ring", "rings", "were guilty", False, _look, _labels)
