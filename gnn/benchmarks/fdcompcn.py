"""FDCompCN: listed Chinese companies, their figures, and who invests in, supplies and sells to whom; the label is fraud in statements.

Wu, Yao, Zhang et al., SplitGNN: spectral graph neural network for fraud detection against heterophily, CIKM 2023.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gnn.benchmark import Benchmark, Variant
from gnn.benchmarks.reading import integers, labels, numbers, places, read
from gnn.encode import Relation, TaskGraph
from gnn.features.imputed import gaps
from kg.errors import GateError

FIGURES = tuple(f"f{number:02}" for number in range(57))


def load(folder: Path) -> tuple[Variant, ...]:
    """Read the data set; figures that stand for missing ones are taken out."""
    where = "companies.parquet"
    table = read(folder, "companies", "company_id", *FIGURES, "split", "fraud")
    ids, split = integers(table, "company_id", where), np.asarray(table["split"].to_pylist(), dtype=np.str_)
    if len(np.unique(ids)) < len(ids):
        raise GateError(f"{where}: an id stands in two rows; every company has one")
    values = gaps(np.column_stack([numbers(table, name, where) for name in FIGURES]))
    edges = read(folder, "edges", "src", "dst", "relation")
    ends = [places(ids, integers(edges, end, "edges.parquet"), "edges.parquet") for end in ("src", "dst")]
    kinds = np.asarray(edges["relation"].to_pylist(), dtype=np.str_)
    relations = tuple(
        Relation(str(kind), ends[0][kinds == kind], ends[1][kinds == kind], np.ones(int((kinds == kind).sum())))
        for kind in np.unique(kinds)
    )
    label = labels(table, "fraud", split != "test", where)
    label[split == "test"] = -1
    return (Variant("", TaskGraph(ids, split, label, (*FIGURES, "gaps"), values, FIGURES, relations, len(ids))),)


BENCHMARK = Benchmark("fdcompcn", "fraud in the statements of listed Chinese companies", load)
