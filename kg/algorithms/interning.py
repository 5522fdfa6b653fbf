"""String ids ↔ dense integers, so that kernels work on plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.kernel import Ints

Column: TypeAlias = pa.Array | pa.ChunkedArray


@dataclass(frozen=True)
class Interner:
    """The distinct ids of some columns; the code of an id is its place in byte order.

    Codes therefore depend on the set of ids alone and not on the order of rows, and comparing
    codes compares ids.

    Examples
    --------
    >>> ids = Interner.of(pa.array(["b", None, "a"]), pa.array(["c", "b"]))
    >>> ids.codes(pa.array(["c", "zzz", None, "a"])).tolist()
    [2, -1, -1, 0]
    >>> ids.names(ids.codes(pa.array(["c", "a"]))).to_pylist()
    ['c', 'a']
    """

    values: pa.Array

    @classmethod
    def of(cls, *columns: Column) -> Interner:
        """Intern all values of the columns; nulls are left out."""
        chunks = [chunk for column in columns for chunk in _chunks(column)]
        distinct = pc.unique(pa.chunked_array(chunks, type=pa.string())).drop_null()
        return cls(distinct.take(pc.array_sort_indices(distinct)))

    def __len__(self) -> int:
        """Return the number of distinct ids."""
        return len(self.values)

    def codes(self, column: Column) -> Ints:
        """Return the code of each value as int64, -1 where it is null or not among the ids."""
        found = pc.index_in(column.cast(pa.string()), value_set=self.values)
        return np.asarray(pc.fill_null(found, -1).to_numpy(), dtype=np.int64)

    def names(self, codes: Ints) -> pa.Array:
        """Return the ids of the codes."""
        return self.values.take(pa.array(codes))


def _chunks(column: Column) -> list[pa.Array]:
    text = column.cast(pa.string())
    return list(text.chunks) if isinstance(text, pa.ChunkedArray) else [text]
