"""String ids ↔ dense integers, so that kernels work on plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.kernel import Ints
from kg.algorithms.ranking import ranked

Column: TypeAlias = pa.Array | pa.ChunkedArray
#: From so many values on strings are ranked as numbers; so many bytes fit into one array.
_MANY, _ONE_PIECE = 100_000, 2**31 - 1


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
        return cls.encode(*columns)[0]

    @classmethod
    def encode(cls, *columns: Column) -> tuple[Interner, list[Ints]]:
        """Intern all values of the columns and return the codes of each column too, with one look at each value.

        >>> ids, codes = Interner.encode(pa.array(["b", None]), pa.array(["a", "b"]))
        >>> [c.tolist() for c in codes]
        [[1, -1], [0, 1]]
        """
        lengths = [len(column) for column in columns]
        chunks = [chunk for column in columns for chunk in _chunks(column)]
        if sum(lengths) >= _MANY and (found := _by_ranks(cls, chunks)) is not None:
            return found[0], np.split(found[1], np.cumsum(lengths)[:-1])
        encoded = pa.chunked_array(chunks, type=pa.string()).dictionary_encode().combine_chunks()
        seen = encoded.dictionary
        order = pc.array_sort_indices(seen)
        place = np.empty(len(seen) + 1, dtype=np.int64)
        place[order.to_numpy()] = np.arange(len(seen))
        place[-1] = -1  # where the index -1 of a null leads
        codes = place[pc.fill_null(encoded.indices, -1).to_numpy()]
        return cls(seen.take(order)), np.split(codes, np.cumsum(lengths)[:-1])

    def __len__(self) -> int:
        """Return the number of distinct ids."""
        return len(self.values)

    def codes(self, column: Column) -> Ints:
        """Return the code of each value as int64, -1 where it is null or not among the ids."""
        if column.null_count == len(column):  # to look for nothing, all ids would be hashed
            return np.full(len(column), -1, np.int64)
        found = pc.index_in(column.cast(pa.string()), value_set=self.values)
        return np.asarray(pc.fill_null(found, -1).to_numpy(), dtype=np.int64)

    def names(self, codes: Ints) -> pa.Array:
        """Return the ids of the codes."""
        return self.values.take(pa.array(codes))


def _by_ranks(cls: type[Interner], chunks: list[pa.Array]) -> tuple[Interner, Ints] | None:
    """Intern many strings by sorting numbers, where Arrow can hold them in one piece."""
    if sum(chunk.nbytes for chunk in chunks) >= _ONE_PIECE:
        return None
    whole = pa.concat_arrays(chunks)
    texts = whole.drop_null() if whole.null_count else whole
    codes, rows = ranked(texts)
    if whole.null_count:
        places, codes = codes, np.full(len(whole), -1, np.int64)
        codes[pc.is_valid(whole).to_numpy(zero_copy_only=False)] = places
    return cls(texts.take(pa.array(rows))), codes


def _chunks(column: Column) -> list[pa.Array]:
    text = column.cast(pa.string())
    return list(text.chunks) if isinstance(text, pa.ChunkedArray) else [text]
