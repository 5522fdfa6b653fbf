"""Networks that pass messages between companies, measured beside the trees: they show what else would be worth it and serve nobody.

Knows how the companies of several days stand in one graph, each day for itself; hides the networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import pyarrow as pa

from gnn.around import NEAR, Near, relation_of
from gnn.encode import Floats, Relation, TaskGraph
from gnn.feature import Inputs
from gnn.metrics import Labels
from gnn.model import Model
from gnn.models import relational, sage, wavelet
from gnn.past import Archive
from gnn.snapshot import Snapshot
from kg.algorithms.interning import Interner
from kg.graph import Graph

MODELS: tuple[Model, ...] = (relational.MODEL, sage.MODEL, wavelet.MODEL)
#: Companies to whom nothing happened from whom is learnt: more of them change no ranking.
_MANY = 20_000


def scores(archive: Archive, early: Sequence[tuple[Snapshot, Labels]], later: Snapshot, seed: int) -> dict[str, Floats]:
    """Fit each network to the companies of early days and score those of a later one.

    Parameters
    ----------
    early
        Days and what became of their companies; -1 for companies from whom nothing is learnt. They hear and tell all the same.

    Returns
    -------
    dict
        By model, log-odds of shape (n_later,), in the order of the later snapshot.
    """
    known, asked = _inputs(archive, [seen for seen, _ in early]), _inputs(archive, [later])
    label = np.concatenate([each for _, each in early])
    dice = np.random.default_rng(seed)
    many = dice.permutation(np.flatnonzero(label == 0))[:_MANY]
    rows = np.sort(np.concatenate([np.flatnonzero(label == 1), many]))
    return {model.name: model.fit(known, rows, label[rows], seed)(asked) for model in MODELS}


def _inputs(archive: Archive, days: Sequence[Snapshot]) -> Inputs:
    graph = beside([_wired(archive.on(seen.day), seen) for seen in days])
    columns = tuple(column.name for column in days[0].columns[: days[0].n_own])
    return Inputs(graph, graph.values, graph.values, columns)


def beside(days: Sequence[TaskGraph]) -> TaskGraph:
    """Put graphs of the same columns and relations beside one another: the scored nodes of all come first, no edge leads between them.

    Raises
    ------
    ValueError
        If there is no graph.
    """
    first = list(accumulate((len(day.ids) for day in days), initial=0))
    rest = list(accumulate((day.n_nodes - len(day.ids) for day in days), initial=first[-1]))
    values = np.concatenate([day.values for day in days])
    moved = [tuple(_moved(each, len(day.ids), first[n], rest[n]) for each in day.relations) for n, day in enumerate(days)]
    relations = tuple(
        Relation(
            same[0].name,
            np.concatenate([each.source for each in same]),
            np.concatenate([each.target for each in same]),
            np.concatenate([each.weight for each in same]),
        )
        for same in zip(*moved, strict=True)
    )
    rows = len(values)
    unknown = np.full(rows, -1, np.int8)
    return TaskGraph(np.arange(rows), np.full(rows, "train"), unknown, days[0].columns, values, (), relations, rest[-1])


def _moved(of: Relation, scored: int, first: int, rest: int) -> Relation:
    """Number the ends of a relation anew: the scored nodes from ``first`` on, all others from ``rest`` on."""
    source, target = (np.where(ends < scored, ends + first, ends - scored + rest) for ends in (of.source, of.target))
    return Relation(of.name, source, target, of.weight)


def _wired(graph: Graph, seen: Snapshot) -> TaskGraph:
    """Return the companies of a day with their own features and the relations by which they have neighbours."""
    ids, relations, n_nodes = Interner(seen.ids), [], len(seen.ids)
    for near in NEAR:
        relation, nodes = relation_of(near.name, _pairs(graph, near), ids)
        if near.hops == 1:  # of those who are no companies nobody hears
            kept = (relation.source < len(ids)) & (relation.target < len(ids))
            relations.append(Relation(near.name, relation.source[kept], relation.target[kept], relation.weight[kept]))
        else:
            shift = n_nodes - len(ids)
            source, target = (np.where(ends < len(ids), ends, ends + shift) for ends in (relation.source, relation.target))
            relations.append(Relation(near.name, source, target, relation.weight))
            n_nodes += nodes - len(ids)
    rows, columns = len(seen.ids), tuple(column.name for column in seen.columns[: seen.n_own])
    own = np.ascontiguousarray(seen.values[:, : seen.n_own])
    return TaskGraph(np.arange(rows), np.full(rows, "train"), np.full(rows, -1, np.int8), columns, own, (), tuple(relations), n_nodes)


def _pairs(graph: Graph, near: Near) -> pa.Table:
    return graph.engine.table(near.pairs(graph).select("src", "dst"))
