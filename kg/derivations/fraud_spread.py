"""How near confirmed fraud is: from the parties of known cases along ties of several types, less with every step.

It orders what people look at and may feed a score. It is never a reason of its own for a flag: who stands near fraud has done nothing.
A case counts from the day on which the bank knew of it; before that day it must not be seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.kernel import Ints
from kg.engine import union
from kg.errors import UsageError
from kg.graph import Graph
from kg.ownership.holdings import numbered_alike
from kg.rule import refuse_outside
from kg.ruleset import WHOLE
from kg.tables import first_row, refuse_nulls

#: What is left after each step beside what the tie hands on, and the steps that are followed.
DECAY, STEPS = 500_000, 3


@dataclass(frozen=True)
class Tie:
    """How much a type of relationship hands on, in ppm, from its source to its target and back, and why.

    ``of`` names a property in ppm by which it is multiplied in both directions.
    """

    type: str
    onward: int
    back: int
    why: str
    of: str | None = None


TIES = (
    Tie("CONTROLS", 900_000, 600_000, "who commands a company answers for its conduct more than the company for all that its master does"),
    Tie("REPRESENTS", 800_000, 800_000, "the legal representative signs; a company is used by who signs for it"),
    Tie("OFFICER_OF", 400_000, 300_000, "officers know, but one of several decides little"),
    Tie("KIN_OF", 300_000, 300_000, "relatives lend their names, most of them never"),
    Tie("GUARANTEES", 300_000, 300_000, "who stands for a debt is close to the debtor, or was misled by it"),
    Tie("LINKED_TO", 800_000, 800_000, "evidence of one hand behind two parties, as far as it goes", of="score"),
    Tie("SUPPLIES", 200_000, 200_000, "trade is innocent; the more of a firm's sales go to one buyer, the closer they are", of="sales_ppm"),
)


def spread_fraud(cases: pa.Table, ties: pa.Table, *, as_of: date, decay: int = DECAY, steps: int = STEPS) -> pa.Table:
    """Follow confirmed fraud along ties.

    Parameters
    ----------
    cases
        ``entity`` (strings or int64), ``known_on``; cases known after ``as_of`` are left out.
    ties
        ``src, dst, type, ppm``: how much of what is at ``src`` goes on to ``dst``; a tie that works both ways has two rows.
    as_of
        The day as of which it is seen.
    decay
        What is left after each step, in ppm.
    steps
        Steps that are followed.

    Returns
    -------
    Table
        ``party, ppm, steps, path, types``: of each party that it reaches the greatest product over all ways of so many steps, rounded
        down at each; the parties on that way from the one of the case to this one, and the types of the ties between them. Of ways
        as strong the shorter is told, then that over the party that comes first. In the order of ppm, the greatest first, and party.

    Raises
    ------
    UsageError
        If a row is wrong or a number makes no sense.

    Examples
    --------
    >>> cases = pa.table({"entity": ["a"], "known_on": [date(2026, 1, 1)]})
    >>> ties = pa.table({"src": ["a", "b"], "dst": ["b", "c"], "type": ["CONTROLS", "SUPPLIES"], "ppm": [800_000, 100_000]})
    >>> spread_fraud(cases, ties, as_of=date(2026, 6, 1)).select(["party", "ppm", "path"]).to_pylist()[1:]
    [{'party': 'b', 'ppm': 400000, 'path': ['a', 'b']}, {'party': 'c', 'ppm': 20000, 'path': ['a', 'b', 'c']}]
    """
    refuse_nulls("cases", cases, ("entity", "known_on"))
    refuse_nulls("ties", ties, ("src", "dst", "type", "ppm"))
    refuse_outside("decay", decay, 0, WHOLE)
    refuse_outside("steps", steps, 0, 10)
    if (row := first_row(pc.or_(pc.less(ties["ppm"], 0), pc.greater(ties["ppm"], WHOLE)))) is not None:
        raise UsageError(f"ties row {row}: ppm is {ties['ppm'][row]}; it lies between 0 and {WHOLE}")
    known = cases.filter(pc.less_equal(cases["known_on"], pa.scalar(as_of)))
    parties, (src, dst, seed) = numbered_alike("ties and cases", ties["src"], ties["dst"], known["entity"])
    # of ties as strong the one over the party that comes first, whatever the order of rows
    order = pc.sort_indices(
        pa.table({"src": src, "dst": dst, "type": ties["type"]}), [(n, "ascending") for n in ("src", "dst", "type")]
    ).to_numpy()
    links = _Links(src[order], dst[order], ties["ppm"].cast(pa.int64()).to_numpy()[order], ties["type"].take(pa.array(order)))
    score = np.zeros(len(parties), np.int64)
    score[seed] = WHOLE
    rounds: list[Ints] = []
    for _ in range(steps):
        score, came = _stepped(links, score, decay)
        rounds.append(came)
    return _told(parties, links, score, rounds)


@dataclass(frozen=True)
class _Links:
    """Ties by number, in the order of source, target and type."""

    src: Ints
    dst: Ints
    ppm: Ints
    type: pa.ChunkedArray


def _stepped(links: _Links, score: Ints, decay: int) -> tuple[Ints, Ints]:
    """Go one step on; return the scores and, of each party whose score grew, the tie by which it did, else -1."""
    handed = score[links.src] * links.ppm // WHOLE * decay // WHOLE
    best, came = score.copy(), np.full(score.size, -1)
    np.maximum.at(best, links.dst, handed)
    rows = np.flatnonzero((handed > score[links.dst]) & (handed == best[links.dst]))[::-1]
    came[links.dst[rows]] = rows
    return best, came


def _told(parties: pa.Array, links: _Links, score: Ints, rounds: list[Ints]) -> pa.Table:
    """Return who is reached, with the ways, followed back from the last round to the first."""
    who = np.flatnonzero(score > 0)
    who = who[np.lexsort((who, -score[who]))]
    here, stations, taken = who, [who], []
    steps = np.zeros(who.size, np.int64)
    for came in reversed(rounds):
        row = came[here]
        moved = row >= 0
        before = links.src[row] if links.src.size else row
        taken.append(row)
        stations.append(np.where(moved, before, -1))
        here = np.where(moved, before, here)
        steps += moved
    path, types = _lists(stations, steps + 1, parties), _lists(taken, steps, links.type.combine_chunks())
    return pa.table({"party": parties.take(pa.array(who)), "ppm": score[who], "steps": steps, "path": path, "types": types})


def _lists(columns: list[Ints], sizes: Ints, names: pa.Array) -> pa.Array:
    """Return the lists of names that columns of numbers give from the last to the first, -1 being nothing."""
    table = np.stack(columns[::-1], axis=1) if columns else np.empty((sizes.size, 0), np.int64)
    return pa.ListArray.from_arrays(pa.array(np.cumsum([0, *sizes]), pa.int32()), names.take(pa.array(table[table >= 0])))


def ties_of(relationships: Mapping[str, ir.Table]) -> ir.Table:
    """Return the ties between parties in both directions: ``src, dst, type, ppm``; of parallel ones the strongest.

    Parameters
    ----------
    relationships
        By type, those of `TIES`: ``src``, ``dst`` and the property that a tie names.
    """
    tables = []
    for tie in TIES:
        rows = relationships[tie.type]
        for src, dst, ppm in (("src", "dst", tie.onward), ("dst", "src", tie.back)):
            part = ibis.literal(ppm) if tie.of is None else ppm * rows[tie.of].fill_null(0) // WHOLE
            tables.append(rows.select(src=src, dst=dst, type=ibis.literal(tie.type), ppm=part.cast("int64")))
    every = union(tables)
    # a guarantee may be of a loan, which is no party
    between = every.filter(~every.src.startswith("loan:") & ~every.dst.startswith("loan:") & (every.src != every.dst))
    return between.group_by("src", "dst", "type").aggregate(ppm=ibis.least(between.ppm.max(), WHOLE).cast("int64"))


def fraud_near(graph: Graph) -> pa.Table:
    """Return how near the confirmed fraud that was known on the day of a graph is to its parties, see `spread_fraud`."""
    cases = graph.records("cases", "entity")
    known = pa.table({"entity": pa.array([], pa.string()), "known_on": pa.array([], pa.date32())})
    if cases is not None:
        known = graph.engine.table(cases.select("entity", "known_on"))
    none = pa.table({"src": known["entity"][:0], "dst": known["entity"][:0], "type": known["entity"][:0], "ppm": pa.array([], pa.int64())})
    return spread_fraud(
        known, graph.engine.table(ties_of({tie.type: graph.edges(tie.type) for tie in TIES})) if known.num_rows else none, as_of=graph.as_of
    )
