"""A small graph whose guilty rows can be told, in part by what stands around them."""

from __future__ import annotations

import numpy as np

from gnn.encode import Relation, TaskGraph


def small_graph(seed: int = 1, n: int = 240, persons: int = 60) -> TaskGraph:
    """Companies whose guilt shows in two figures and in the figures of those who share a person with them."""
    dice = np.random.default_rng(seed)
    values = dice.lognormal(size=(n, 4))
    values[dice.random((n, 4)) < 0.1] = np.nan
    source, target = dice.integers(0, n, 3 * n), n + dice.integers(0, persons, 3 * n)
    deals = dice.integers(0, n, (2, n))
    guilt = np.nan_to_num(values[:, 0]) + dice.normal(size=n) > 1.8
    split = np.asarray(["train", "train", "train", "valid", "test"])[dice.integers(0, 5, n)]
    label = np.where(split == "test", -1, guilt).astype(np.int8)
    relations = (
        Relation("holds", source, target, dice.random(3 * n)),
        Relation("sells", deals[0], deals[1], np.ones(n)),
    )
    return TaskGraph(
        dice.permutation(n), split, label, ("a", "b", "c", "d"), values, ("a", "b"), relations, n + persons, {"old": values[:, 1] > 1}
    )


def shuffled(graph: TaskGraph, seed: int) -> TaskGraph:
    """The same graph, its rows, nodes and edges in another order and under other ids."""
    dice = np.random.default_rng(seed)
    n = len(graph.ids)
    order, others = dice.permutation(n), n + dice.permutation(graph.n_nodes - n)
    place = np.empty(graph.n_nodes, np.int64)
    place[np.concatenate([order, others])] = np.arange(graph.n_nodes)
    relations = []
    for each in graph.relations:
        rows = dice.permutation(len(each.source))
        relations.append(Relation(each.name, place[each.source[rows]], place[each.target[rows]], each.weight[rows]))
    return TaskGraph(
        dice.permutation(10 * n)[:n],
        graph.split[order],
        graph.label[order],
        graph.columns,
        graph.values[order],
        graph.told,
        tuple(relations[::-1]),
        graph.n_nodes,
        {name: rows[order] for name, rows in graph.segments.items()},
    )
