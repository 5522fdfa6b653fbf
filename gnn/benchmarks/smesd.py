"""SMEsD: small Chinese firms, their lawsuits, and the persons and firms around them; the label is bankruptcy.

Each split is a graph of its own, of the firms whose bankruptcy falls into its years. The collection of the data began with some bankrupt
firms (crawl seeds), which have more lawsuits and neighbours than others; what scores are worth is told for the other firms too. Months
are counted back from bankruptcy, or from the end of 2021 where there is none; what came after a bankruptcy stands there as month 0.

Wei, Lv, Guo et al., Combining intra-risk and contagion risk for enterprise bankruptcy prediction using graph neural networks,
Information Sciences, 2024, 120081.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gnn.benchmark import Benchmark, Variant
from gnn.benchmarks.reading import integers, labels, numbers, places, read
from gnn.encode import Bools, Floats, Relation, TaskGraph
from gnn.feature import Block
from gnn.features.lawsuits import lawsuits
from kg.algorithms.kernel import Ints
from kg.errors import GateError, did_you_mean_one_of

SPLITS = ("train", "valid", "test")
#: Relations by the name of one direction, and that of the other, which says the same once more.
RELATIONS = {
    "invest_CP": "invested_CP",
    "stakeholder": "stakeholderd",
    "execute": "executed",
    "supervise": "supervised",
    "invest_CC": "invested_CC",
    "branch": "branched",
    "loan": "loaned",
    "deal": "dealed",
    "rent": "rented",
    "creditor": "creditored",
}
#: What is too rare to be a relation of its own.
_TRADE = ("loan", "deal", "rent", "creditor")
_MEMBERSHIPS = ("area", "industry", "qualify")
_CAPITAL = ("registered_capital_10k_cny", "paid_in_capital_10k_cny", "age_months")
TOLD = (
    "registered",
    "paid_in",
    "paid_fraction",
    "age",
    "lawsuits",
    "result.0",
    "result.2",
    "result.3",
    "lost",
    "months.last",
    "months.first",
)


@dataclass(frozen=True)
class _Split:
    """A split's files."""

    name: str
    firms: pa.Table
    ids: Ints
    edges: pa.Table
    suits: pa.Table
    memberships: pa.Table


def load(folder: Path) -> tuple[Variant, ...]:
    """Read the data set; the first variant leaves out lawsuits dated after the label date, the second has them.

    A firm that stands in two splits counts as labelled in the later one alone.
    """
    splits = [_read(folder, name) for name in SPLITS]
    return (Variant("", _graph(splits, late=False)), Variant("with lawsuits after the label date", _graph(splits, late=True)))


def _read(folder: Path, name: str) -> _Split:
    told = () if name == "test" else ("bankrupt", "crawl_seed")
    firms = read(folder, f"{name}_companies", "company_id", *_CAPITAL, *told)
    ids = integers(firms, "company_id", f"{name}_companies.parquet")
    if len(np.unique(ids)) < len(ids):
        raise GateError(f"{name}_companies.parquet: an id stands in two rows; every firm has one")
    edges = read(folder, f"{name}_edges", "src", "dst", "relation", "weight")
    suits = read(folder, f"{name}_lawsuits", "company", "cause", "court", "result", "months")
    return _Split(name, firms, ids, edges, suits, read(folder, f"{name}_hyperedges", "kind", "edge", "company"))


def _graph(splits: list[_Split], *, late: bool) -> TaskGraph:
    ids = np.concatenate([each.ids for each in splits])
    split = np.concatenate([np.full(len(each.ids), each.name) for each in splits])
    label, seeds = _labels(splits)
    own = _own(splits, late=late)
    relations, n_nodes = _relations(splits)
    return TaskGraph(ids, split, label, own.names, own.values, TOLD, relations, n_nodes, {"not crawl seeds": ~seeds})


def _labels(splits: list[_Split]) -> tuple[np.ndarray[tuple[int], np.dtype[np.int8]], Bools]:
    """Return labels, and who is a crawl seed; the label of a firm that stands in a later split too is not told."""
    label, seeds = [], []
    for place, each in enumerate(splits):
        n, where = len(each.ids), f"{each.name}_companies.parquet"
        later = np.concatenate([np.empty(0, np.int64), *(other.ids for other in splits[place + 1 :])])
        if each.name == "test":
            label.append(np.full(n, -1, np.int8))
            seeds.append(np.zeros(n, bool))
        else:
            told = labels(each.firms, "bankrupt", np.ones(n, bool), where)
            label.append(np.where(np.isin(each.ids, later), -1, told).astype(np.int8))
            seeds.append(integers(each.firms, "crawl_seed", where) == 1)
    return np.concatenate(label), np.concatenate(seeds)


def _own(splits: list[_Split], *, late: bool) -> Block:
    """Return a firm's own attributes: capital, age, memberships, lawsuits."""
    parts = [_attributes(each) for each in splits]
    count = sum(len(each.ids) for each in splits)
    begin = np.cumsum([0, *(len(each.ids) for each in splits)])
    firm, months, kinds = [], [], {kind: [] for kind in ("cause", "court", "result")}  # type: ignore[var-annotated]
    for each, first in zip(splits, begin, strict=False):
        where = f"{each.name}_lawsuits.parquet"
        ago = integers(each.suits, "months", where)
        kept = np.ones(len(ago), bool) if late else ago > 0
        firm.append(first + places(each.ids, integers(each.suits, "company", where)[kept], where))
        months.append(ago[kept])
        for kind, codes in kinds.items():
            codes.append(integers(each.suits, kind, where)[kept])
    block = lawsuits(np.concatenate(firm), {kind: np.concatenate(codes) for kind, codes in kinds.items()}, np.concatenate(months), count)
    own = np.concatenate([values for _, values in parts])
    return Block((*parts[0][0], *block.names), np.column_stack([own, block.values]))


def _attributes(each: _Split) -> tuple[tuple[str, ...], Floats]:
    """Return capital (logarithm of 10,000 yuan), the fraction of it that is paid in, age (months), and memberships."""
    where = f"{each.name}_companies.parquet"
    registered, paid, age = (numbers(each.firms, name, where) for name in _CAPITAL)
    kind = np.asarray(each.memberships["kind"].to_pylist(), dtype=np.str_)
    member = places(each.ids, integers(each.memberships, "company", f"{each.name}_hyperedges.parquet"), f"{each.name}_hyperedges.parquet")
    columns = [np.log1p(registered), np.log1p(paid), paid / np.maximum(registered, 1e-9), age]
    edge = np.asarray(["nan" if edge is None else str(edge) for edge in each.memberships["edge"].to_pylist()], dtype=np.str_)
    for one in _MEMBERSHIPS:
        rows = (kind == one) & (edge != "nan")
        columns += _membership(member[rows], edge[rows], len(each.ids))
    counted = tuple(f"{one}{what}" for one in _MEMBERSHIPS for what in ("", ".common"))
    return ("registered", "paid_in", "paid_fraction", "age", *counted), np.column_stack(columns)


def _membership(member: Ints, edge: NDArray[np.str_], count: int) -> tuple[Floats, Floats]:
    """Return to how many areas (industries, qualifications) a firm belongs, and which fraction of all firms belongs to them, on average."""
    _, which, size = np.unique(edge, return_inverse=True, return_counts=True)
    belongs = np.bincount(member, minlength=count).astype(float)
    # sums of whole numbers are the same in any order of rows
    common = np.bincount(member, weights=size[which], minlength=count)
    return belongs, np.divide(common, belongs * count, out=np.full(count, np.nan), where=belongs > 0)


def _relations(splits: list[_Split]) -> tuple[tuple[Relation, ...], int]:
    """Number firms of all splits first, then whoever else each split's edges name; no edge leads from one split to another."""
    firms = sum(len(each.ids) for each in splits)
    found: dict[str, list[tuple[Ints, Ints, Floats]]] = {}
    begin, others = 0, firms
    for each in splits:
        where = f"{each.name}_edges.parquet"
        ends = np.stack([integers(each.edges, end, where) for end in ("src", "dst")])
        strangers = np.setdiff1d(ends, each.ids)
        known = np.concatenate([each.ids, strangers])
        number = np.concatenate([begin + np.arange(len(each.ids)), others + np.arange(len(strangers))])
        node = number[places(known, ends.ravel(), where)].reshape(2, -1)
        kind, weight = np.asarray(each.edges["relation"].to_pylist(), dtype=np.str_), numbers(each.edges, "weight", where)
        _refuse_unknown(kind, where)
        for name in RELATIONS:
            rows = kind == name
            found.setdefault("trade" if name in _TRADE else name, []).append((node[0, rows], node[1, rows], weight[rows]))
        begin, others = begin + len(each.ids), others + len(strangers)
    relations = [Relation(name, *(np.concatenate(part) for part in zip(*parts, strict=True))) for name, parts in found.items()]
    return tuple(each for each in relations if each.source.size), others


def _refuse_unknown(kind: np.ndarray[tuple[int], np.dtype[np.str_]], where: str) -> None:
    known = {*RELATIONS, *RELATIONS.values()}
    for name in np.unique(kind):
        if name not in known:
            raise GateError(f"{where}: no relation is called '{name}'{did_you_mean_one_of(str(name), known)}")


BENCHMARK = Benchmark("smesd", "bankruptcy of small Chinese firms", load)
