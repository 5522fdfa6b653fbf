"""The one way in which a function is compiled, typed so that a compiled function keeps its signature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])
Ints: TypeAlias = NDArray[np.int64]


def kernel(function: F) -> F:
    """Compile a function with numba, once for each machine (the code is kept beside the module)."""
    return cast(F, numba.njit(cache=True)(function))
