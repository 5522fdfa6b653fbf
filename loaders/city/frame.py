"""Sets of columns: frozen dataclasses whose fields are numpy arrays of one length.

Knows how such sets are put end to end, thinned out and made empty; hides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from loaders.city.draw import Bools, Ints


@dataclass(frozen=True)
class Frame:
    """A set of columns of one length; every field of a subclass is an array."""

    def __len__(self) -> int:
        first: NDArray[Any] = getattr(self, fields(self)[0].name)
        return int(first.shape[0])

    def take(self, rows: Ints | Bools) -> Self:
        """Return these rows: by number, or those that are true."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def stacked(cls, parts: Iterable[Self]) -> Self:
        """Return sets put end to end; of no sets, an empty one."""
        kept = list(parts)
        if not kept:
            return cls.empty()
        return cls(*(np.concatenate([getattr(part, field.name) for part in kept]) for field in fields(cls)))

    @classmethod
    def empty(cls) -> Self:
        """Return a set without rows."""
        return cls(*(np.empty(0, np.int64) for _ in fields(cls)))


def column(value: int, count: int) -> Ints:
    """Return the same value for each row."""
    return np.full(count, value, np.int64)
