"""A task's graph as arrays: what is scored, what is known of it, and who stands to whom.

The rows are put in an order that follows from their contents alone, so that neither the ids nor the order in a file changes a score.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from kg.algorithms.csr import Csr, group_rows
from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import distinct
from kg.errors import KgfraudError

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
_Hashes: TypeAlias = NDArray[np.uint64]

#: Rounds in which a node's fingerprint takes in those of its neighbours.
_ROUNDS = 3
_ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Relation:
    """Directed edges of one kind between nodes.

    Attributes
    ----------
    source, target : int64, shape (n_edges,)
    weight : float64, shape (n_edges,)
        Such as an amount invested; one where the kind has none.
    """

    name: str
    source: Ints
    target: Ints
    weight: Floats


@dataclass(frozen=True)
class TaskGraph:
    """What a task scores, and the graph around it.

    The first ``n`` nodes are scored; those that follow (persons, say) have no attributes and only tie others together.

    Attributes
    ----------
    ids : int64, shape (n,)
        Names for the table of scores. No model sees them.
    split : str, shape (n,)
        ``train``, ``valid`` or ``test``.
    label : int8, shape (n,)
        0 or 1; -1 where it is not known or must not be used.
    values : float64, shape (n, n_columns)
        Own attributes; nan where missing.
    told
        The columns that neighbours hear of.
    segments
        Parts of the rows that are measured by themselves, by name. No model sees them.
    """

    ids: Ints
    split: NDArray[np.str_]
    label: NDArray[np.int8]
    columns: tuple[str, ...]
    values: Floats
    told: tuple[str, ...]
    relations: tuple[Relation, ...]
    n_nodes: int
    segments: dict[str, Bools] = field(default_factory=dict)

    def labelled(self, split: str) -> Ints:
        """Return the rows of a split whose label may be used."""
        return np.flatnonzero((self.split == split) & (self.label >= 0))

    def only(self, *names: str) -> TaskGraph:
        """Return the graph with the named relations alone."""
        return replace(self, relations=tuple(each for each in self.relations if each.name in names))


def adjacency(relations: tuple[Relation, ...], n_nodes: int) -> Csr:
    """Return who is tied to whom by any of some relations, in either direction, once each and nobody to himself.

    >>> one = Relation("knows", np.array([0, 1, 2]), np.array([1, 0, 2]), np.ones(3))
    >>> csr = adjacency((one,), 3)
    >>> csr.start.tolist(), csr.items.tolist()
    ([0, 1, 2, 2], [1, 0])
    """
    empty = np.empty(0, np.int64)
    source = np.concatenate([empty, *(each.source for each in relations)])
    target = np.concatenate([empty, *(each.target for each in relations)])
    apart = source != target
    source, target = source[apart], target[apart]
    pair = distinct(np.concatenate([source * n_nodes + target, target * n_nodes + source]))
    return Csr(group_rows(pair // n_nodes, n_nodes).start, pair % n_nodes)


def fingerprints(graph: TaskGraph) -> _Hashes:
    """Return a number for each node that follows from its attributes and its surroundings, and from no id.

    Attributes are hashed, then each node takes in the hashes of its neighbours, by relation, direction and weight, three times
    (colour refinement [1]_). Hashes are added up modulo 2⁶⁴, so no order of rows matters.

    Returns
    -------
    uint64, shape (n_nodes,)

    References
    ----------
    .. [1] Weisfeiler, Leman, The reduction of a graph to canonical form, 1968.
    """
    colour = np.zeros(graph.n_nodes, np.uint64)
    values = np.where(np.isnan(graph.values), np.nan, graph.values) + 0.0
    # arrays of numbers overflow as they should here, single ones would warn of it
    word = _mixed(np.arange(1, values.shape[1] + len(graph.relations) + 1, dtype=np.uint64))
    for place, column in enumerate(np.ascontiguousarray(values.T)):
        colour[: len(column)] += _mixed(column.view(np.uint64) ^ word[place])
    for _ in range(_ROUNDS):
        heard = np.zeros_like(colour)
        for place, each in enumerate(sorted(graph.relations, key=lambda one: one.name)):
            said = _mixed(each.weight.view(np.uint64) ^ word[values.shape[1] + place])
            np.add.at(heard, each.target, _mixed(colour[each.source] ^ said))
            np.add.at(heard, each.source, _mixed(colour[each.target] ^ ~said))
        colour = _mixed(colour + heard * _ODD)
    return colour


def _mixed(number: _Hashes) -> _Hashes:
    """Scatter the bits of a number (the finisher of SplitMix64)."""
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return number ^ (number >> np.uint64(31))


def canonical(graph: TaskGraph) -> TaskGraph:
    """Return the same graph with its nodes and edges in an order that depends on contents alone.

    Nodes that are alike in everything, their surroundings included, may stand either way round.

    Raises
    ------
    KgfraudError
        If an edge leads to a node that is not there.
    """
    n = len(graph.ids)
    for each in graph.relations:
        ends = np.concatenate([each.source, each.target])
        if ends.size and not 0 <= ends.min() <= ends.max() < graph.n_nodes:
            raise KgfraudError(
                f"relation {each.name} leads to node {ends.max()}, but there are {graph.n_nodes} nodes; number the ends anew"
            )
    colour = fingerprints(graph)
    first = np.lexsort((graph.label, colour[:n], graph.split))
    order = np.concatenate([first, n + np.argsort(colour[n:], kind="stable")])
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return replace(
        graph,
        ids=graph.ids[first],
        split=graph.split[first],
        label=graph.label[first],
        values=graph.values[first],
        relations=tuple(_moved(each, place) for each in sorted(graph.relations, key=lambda one: one.name)),
        segments={name: rows[first] for name, rows in graph.segments.items()},
    )


def _moved(relation: Relation, place: Ints) -> Relation:
    source, target = place[relation.source], place[relation.target]
    order = np.lexsort((relation.weight, target, source))
    return Relation(relation.name, source[order], target[order], relation.weight[order])
