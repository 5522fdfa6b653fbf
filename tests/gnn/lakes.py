"""A generated city as the declared tables of a lake, without a night; and tables changed after a day."""

from __future__ import annotations

import sys
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from city_columns import InMemory
from city_lake import lake_of, put

from kg.lake import Lake
from loaders.city import Params

__all__ = ["changed", "city_lake", "put", "same"]


def city_lake(folder, engine, **params):
    """Write a city's declared tables and records to a lake; return it and the city's last day."""
    return lake_of(InMemory(Params(**params)), engine, folder)


def changed(lake, folder, alter):
    """Return a second lake whose tables are those of a lake after ``alter(name, arrow)``."""
    twin = Lake(folder, lake.engine)
    for name in lake.versions:
        rows = lake.engine.table(lake.view(name))
        of = ibis.Schema.from_pyarrow(rows.schema)
        twin.ensure(name, of)
        twin.append(name, lake.engine.arrow(pa.table(alter(name, rows))), "r1")
    return twin


def same(one, other):
    """Tell whether two snapshots have the same units with the same features, to the bit."""
    return one.ids.equals(other.ids) and np.array_equal(one.values, other.values, equal_nan=True)
