"""The strongest reasons of scores and the rows behind them; a row is named only where the score falls without it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa

from gnn.behind import BEHIND, Behind, neighbours
from gnn.contributions import Contributions
from gnn.encode import Floats
from gnn.family import Family
from gnn.past import Archive
from gnn.reasons import reason_of
from gnn.registry import Registered
from gnn.snapshot import Snapshot, snapshot
from gnn.without import Without
from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.graph import Graph
from kg.reason import Reason

#: Reasons of a score, columns that a reason is told by, and rows that are named for it at most.
REASONS, COLUMNS, ROWS = 4, 3, 40
#: How many of the highest scores have their reasons told in the night.
REASONED = 1_000
_NEAR = "near."


@dataclass(frozen=True)
class Told:
    """A reason for the score of a company.

    Attributes
    ----------
    place
        Of the company in its snapshot.
    adds
        What the family of features adds to the log-odds.
    columns : int64
        The columns that say so, the strongest first.
    rows
        Ids of relationships and records behind them (of the company where it is its entry in the register). None where the reason is that
        something is not there, or where no row was found without which the score falls.
    parties
        The neighbours to whom the rows lead, where these are the reason.
    falls
        By how much the log-odds fall without the rows; None where that was not tried.
    """

    place: int
    reason: Reason
    family: str
    adds: float
    columns: tuple[int, ...]
    rows: tuple[str, ...] = ()
    parties: tuple[str, ...] = ()
    falls: float | None = None


@dataclass(frozen=True)
class Explainer:
    """What reasons are found with.

    Attributes
    ----------
    hits
        The rows behind hits of rules; None where no rule is among the features.
    """

    archive: Archive
    families: Sequence[Family]
    model: Registered
    hits: Behind | None = None

    def explain(self, seen: Snapshot, places: Ints) -> list[Told]:
        """Return the reasons of companies' scores, those of one company side by side, the strongest first.

        All companies' strongest reasons are tried together, then all second ones, and so on: as many snapshots as there are reasons of a
        company, however many companies there are. Where companies stand side by side the fall of one may owe something to another's rows.
        """
        table = Contributions.of(self.model, seen, places)
        found = self.named(seen, table, strongest(table))
        score, _ = self.model.score(seen)
        rank = ranks(found)
        for turn in range(max(rank, default=-1) + 1):
            tried = [n for n, each in enumerate(found) if rank[n] == turn and each.rows]
            if not tried:
                continue
            after = self.without(seen, [row for n in tried for row in found[n].rows])
            for n in tried:
                each, falls = found[n], float(score[found[n].place] - after[found[n].place])
                found[n] = replace(each, falls=falls) if falls > 0 else replace(each, falls=falls, rows=(), parties=())
        return found

    def without(self, seen: Snapshot, rows: Sequence[str]) -> Floats:
        """Return the scores of a snapshot's companies, all features computed again from the graph without some rows.

        Returns
        -------
        float64, shape (n,)
            nan for a company that is there no more.
        """
        again = snapshot(Without(self.archive.on(seen.day), pa.array(rows, pa.string())), self.families)
        score, _ = self.model.score(again)
        place = Interner(again.ids).codes(seen.ids)
        return np.where(place >= 0, score[place], np.nan)

    def named(self, seen: Snapshot, table: Contributions, told: Sequence[Told]) -> list[Told]:
        """Return reasons with the rows that stand behind their columns."""
        graph = self.archive.on(seen.day)
        found = list(told)
        for family in dict.fromkeys(each.family for each in told):
            mine = [n for n, each in enumerate(told) if each.family == family]
            who = seen.ids.take(pa.array([told[n].place for n in mine]))
            if family.startswith(_NEAR):
                rows = _to_neighbours(graph, family, who, seen)
            else:
                behind = self.hits if family == "schemes" else BEHIND.get(family)
                rows = _of_its_own(graph, behind, who) if behind else _nothing
            for place, n in enumerate(mine):
                found[n] = _with_rows(told[n], table, partial(rows, place))
        return found


#: Ids of rows behind a column of the n-th company, the strongest first, and the parties to whom they lead.
_Rows = Callable[[int, str, bool], tuple[list[str], list[str]]]


def strongest(table: Contributions) -> list[Told]:
    """Return the families that add most to each company's score, without evidence."""
    families, sums = table.families()
    names = np.array([column.family for column in table.columns])
    found = []
    for n, place in enumerate(table.places.tolist()):
        for number in np.argsort(-sums[n], kind="stable")[:REASONS].tolist():
            if sums[n, number] > 0:
                family = families[number]
                mine = np.flatnonzero((names == family) & (table.adds[n] > 0))
                columns = mine[np.argsort(-table.adds[n, mine], kind="stable")][:COLUMNS]
                found.append(Told(place, reason_of(family), family, float(sums[n, number]), tuple(columns.tolist())))
    return found


def codes(model: Registered, seen: Snapshot) -> list[list[str] | None]:
    """Return the codes of the strongest reasons of the highest scores of a snapshot, None for all other companies."""
    score, _ = model.score(seen)
    found: list[list[str] | None] = [None] * len(score)
    for each in strongest(Contributions.of(model, seen, np.argsort(-score, kind="stable")[:REASONED])):
        found[each.place] = [*(found[each.place] or []), each.reason.code]
    return found


def ranks(told: Sequence[Told]) -> list[int]:
    """Return which reason of its company each one is, counted from 0."""
    seen: dict[int, int] = {}
    found = []
    for each in told:
        found.append(seen.get(each.place, 0))
        seen[each.place] = found[-1] + 1
    return found


def _with_rows(told: Told, table: Contributions, rows: Callable[[str, bool], tuple[list[str], list[str]]]) -> Told:
    """Name the rows behind the columns of a reason, those of its strongest column first."""
    of = int(np.flatnonzero(table.places == told.place)[0])
    named: dict[str, None] = {}
    parties: dict[str, None] = {}
    for place in told.columns:
        value, typical = table.values[of, place], table.typical[place]
        if not np.isnan(value):
            ids, to = rows(table.columns[place].name, bool(np.isnan(typical) or value > typical))
            named |= dict.fromkeys(ids[: max(0, ROWS - len(named))])
            parties |= dict.fromkeys(to)
    return replace(told, rows=tuple(named), parties=tuple(parties) if named else ())


def _nothing(place: int, column: str, large: bool) -> tuple[list[str], list[str]]:  # noqa: ARG001 - as all of its kind
    return [], []


def _of_its_own(graph: Graph, behind: Behind, who: pa.Array) -> _Rows:
    """Look up the rows behind columns of some companies' own."""
    table = graph.engine.table(behind.rows(graph, graph.engine.arrow(pa.table({"id": who}))))
    table = table.sort_by([("weight", "descending"), ("row", "ascending")])
    code = Interner(who.unique().sort()).codes(table["id"]) if len(who) else np.empty(0, np.int64)
    order = Interner(who.unique().sort()).codes(who)

    def rows(place: int, column: str, large: bool) -> tuple[list[str], list[str]]:
        said = (behind.high if large else behind.low).get(column.rpartition(".")[2])
        if said is None:
            return [], []
        mine = (code == order[place]) & table[said].to_numpy()
        return table["row"].take(pa.array(np.flatnonzero(mine)[:ROWS])).to_pylist(), []

    return rows


def _to_neighbours(graph: Graph, family: str, who: pa.Array, seen: Snapshot) -> _Rows:
    """Look up the rows to the neighbours that push a mean up or down, whole neighbours at a time."""
    relation = family.removeprefix(_NEAR)
    table = graph.engine.table(neighbours(graph, relation, graph.engine.arrow(pa.table({"id": who}))))
    table = table.sort_by([("other", "ascending"), ("row", "ascending")])
    ids = Interner(who.unique().sort())
    code, order = ids.codes(table["id"]), ids.codes(who)
    other, count = Interner(seen.ids).codes(table["other"]), table["count"].to_numpy()
    own = {column.name: n for n, column in enumerate(seen.columns[: seen.n_own])}

    def rows(place: int, column: str, large: bool) -> tuple[list[str], list[str]]:
        mine = np.flatnonzero(code == order[place])
        told = column.removeprefix(f"{family}.")
        if told in own:
            value = np.where(other[mine] >= 0, seen.values[other[mine], own[told]], np.nan)
            mine, value = mine[~np.isnan(value)], value[~np.isnan(value)]
            mine = mine[np.argsort(-value if large else value, kind="stable")]
        elif not large:
            return [], []
        kept = _whole(mine, count)
        return table["row"].take(pa.array(kept)).to_pylist(), table["other"].take(pa.array(kept)).unique().to_pylist()

    return rows


def _whole(rows: Ints, count: Ints) -> Ints:
    """Return the first rows of neighbours all of whose rows find room.

    >>> _whole(np.array([0, 1, 2, 3]), np.array([2, 2, 50, 1])).tolist()
    [0, 1, 3]
    """
    return rows[count[rows] <= ROWS // 2][:ROWS]
