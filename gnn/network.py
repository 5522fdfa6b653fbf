"""Averaged perceptrons on quantile-normal columns that can be kept as safetensors, with what each column adds to a score.

::

    middle                                   the start of contributions, float32, shape (n_inputs,)
    quantiles.values, .times                 distinct known values of all columns one after the other, and how often each was there
    quantiles.many, .lacks                   how many of them each column has, and whether the column lacked some
    0.1.weight, 0.1.bias, 0.2.weight …       weights of the first perceptron, and so on

Nothing in such a file is run as a program.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from gnn.encode import Floats
from gnn.metrics import Labels
from gnn.quantiles import Quantiles
from kg.algorithms.kernel import Ints
from kg.errors import DependencyError, VerificationError

#: What the file says of itself; one word, since several have no order.
_FORMAT = {"kgfraud": "perceptrons on quantiles, 1"}
#: Networks learn from all of the rarer class and as many of the other: more of these cost hours and change no ranking.
_MANY = 20_000
#: Rows that are scored at once, and digits of a score: how many rows stand together is heard in the last digits of a sum.
_BLOCK, _DIGITS = 16_384, 9

_Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Network:
    """Fitted perceptrons over some columns; a missing value is the middle and a mark.

    Attributes
    ----------
    quantiles
        How columns become inputs: the columns as normal scores, then the marks of missing values.
    middle : float32, shape (n_inputs,)
        The median of each input in the rows that it learnt from.
    layers
        The weights of each perceptron by name.
    """

    kind: ClassVar[str] = "network"
    file: ClassVar[str] = "weights.safetensors"
    about: ClassVar[str] = "averaged perceptrons on quantiles; reasons by integrated gradients from the middle of the rows learnt from"
    quantiles: Quantiles
    middle: NDArray[np.float32]
    layers: tuple[dict[str, NDArray[np.float32]], ...]

    @classmethod
    def fit(cls, values: Floats, label: Labels, seed: int) -> Network:
        """Fit perceptrons on one thread; the same rows in the same order and the same seed give the same weights.

        They learn from all rows of the rarer class and from at most 20,000 of the other, drawn by the seed.
        """
        kept = _fewer(label, np.random.default_rng(seed))
        quantiles = Quantiles.of(values, kept)
        known = quantiles.normal(values[kept])
        return cls(quantiles, np.median(known, axis=0), _perceptrons().learn(known, label[kept], seed))

    @property
    def n_columns(self) -> int:
        """How many columns it reads."""
        return len(self.quantiles.known)

    def score(self, values: Floats) -> Floats:
        """Return the mean of the perceptrons' log-odds, shape (n,)."""
        found = np.empty(len(values))
        for begin in range(0, len(values), _BLOCK):
            rows = slice(begin, begin + _BLOCK)
            found[rows] = _perceptrons().odds(self.layers, self.quantiles.normal(values[rows]))
        return np.asarray(np.round(found, _DIGITS))

    def used(self) -> Ints:
        """Return the columns of which an input has a weight, int64: those that were not the same in all rows."""
        heard = np.any([layers[_perceptrons().FIRST].any(axis=0) for layers in self.layers], axis=0)
        return np.flatnonzero(self._by_column(heard[None, :].astype(float))[0]).astype(np.int64)

    def contributions(self, values: Floats) -> Floats:
        """Return what each column adds to the log-odds of each row, and last what all rows begin with (integrated gradients [1]_).

        The way leads from the middle of all rows learnt from, input by input, to the row. What a column's mark of missing values adds is
        the column's. What the sum of gradients lacks of the score is shared among the columns by how much each adds, so that a column
        which adds nothing is left with nothing.

        Returns
        -------
        float64, shape (n, n_columns + 1)
            Each row sums to its score.

        References
        ----------
        .. [1] Sundararajan, Taly, Yan, Axiomatic attribution for deep networks, ICML 2017.
        """
        found = np.empty((len(values), self.n_columns + 1))
        found[:, -1] = np.round(_perceptrons().odds(self.layers, self.middle[None, :]), _DIGITS)
        for begin in range(0, len(values), _BLOCK):
            rows = slice(begin, begin + _BLOCK)
            found[rows, :-1] = self.gradients(values[rows])
        lacks, size = self.score(values) - found.sum(axis=1), np.abs(found[:, :-1])
        total = size.sum(axis=1)
        found[:, :-1] += size * np.divide(lacks, total, out=np.zeros(len(values)), where=total > 0)[:, None]
        return found

    def gradients(self, values: Floats) -> Floats:
        """Return integrated gradients by column as they were summed, shape (n, n_columns)."""
        return self._by_column(_perceptrons().integrated(self.layers, self.quantiles.normal(values), self.middle))

    def _by_column(self, inputs: Floats) -> Floats:
        found = inputs[:, : self.n_columns].copy()
        found[:, self.quantiles.lacks] += inputs[:, self.n_columns :]
        return found

    def kept(self) -> bytes:
        """Return the network as safetensors; the same network is the same bytes."""
        found: bytes = save(self._tensors(), metadata=_FORMAT)
        return found

    def _tensors(self) -> _Tensors:
        distinct = [np.unique(known, return_counts=True) for known in self.quantiles.known]
        named = {f"{n}.{name}": np.ascontiguousarray(each) for n, layers in enumerate(self.layers) for name, each in layers.items()}
        return named | {
            "middle": self.middle,
            "quantiles.values": np.concatenate([np.empty(0), *(values for values, _ in distinct)]),
            "quantiles.times": np.concatenate([np.empty(0, np.int32), *(times.astype(np.int32) for _, times in distinct)]),
            "quantiles.many": np.array([len(values) for values, _ in distinct], np.int64),
            "quantiles.lacks": self.quantiles.lacks,
        }

    @classmethod
    def read(cls, kept: bytes) -> Network:
        """Read a network that was kept.

        Raises
        ------
        VerificationError
            If it is none, or not whole, or a weight is no number.
        DependencyError
            If torch is missing.
        """
        try:
            tensors = load(kept)
            if json.loads(kept[8 : 8 + int.from_bytes(kept[:8], "little")]).get("__metadata__") != _FORMAT:
                raise _foreign("it does not say that it is one of this version")
            quantiles = _quantiles(tensors)
            inputs = len(quantiles.known) + int(quantiles.lacks.sum())
            return cls(quantiles, _weights(tensors, "middle", (inputs,)), _layers(tensors, inputs))
        except SafetensorError as error:
            raise _foreign(str(error)) from None
        except (KeyError, ValueError, TypeError) as error:
            raise _foreign(f"{type(error).__name__} {error}") from None


def _foreign(said: str) -> VerificationError:
    return VerificationError(f"the weights cannot be read as a network in safetensors ({said}); roll back, or train again")


def _quantiles(tensors: _Tensors) -> Quantiles:
    values, times, many, lacks = (tensors[f"quantiles.{name}"] for name in ("values", "times", "many", "lacks"))
    whole = values.dtype == np.float64 and times.dtype == np.int32 and many.dtype == np.int64 and lacks.dtype == np.bool_
    fits = whole and {each.ndim for each in (values, times, many, lacks)} == {1} and len(values) == len(times) == many.sum()
    if not (fits and len(many) == len(lacks) and (many >= 0).all() and (times > 0).all() and not np.isnan(values).any()):
        raise _foreign("its table of quantiles is not whole")
    ends = np.cumsum(many)[:-1]
    if any((np.diff(known) <= 0).any() for known in np.split(values, ends)):
        raise _foreign("its table of quantiles does not ascend")
    pairs = zip(np.split(values, ends), np.split(times, ends), strict=True)
    return Quantiles(tuple(np.repeat(known, often) for known, often in pairs), lacks)


def _layers(tensors: _Tensors, inputs: int) -> tuple[dict[str, NDArray[np.float32]], ...]:
    torch = _perceptrons()
    wanted = torch.shapes(inputs)
    found = tuple({name: _weights(tensors, f"{n}.{name}", shape) for name, shape in wanted.items()} for n in range(torch.NETWORKS))
    if stray := sorted(name for name in tensors if name[:1].isdigit() and name.partition(".")[0] not in map(str, range(len(found)))):
        raise _foreign(f"it has weights of no perceptron: {stray[0]}")
    return found


def _weights(tensors: _Tensors, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    found = tensors[name]
    if found.dtype != np.float32 or found.shape != shape:
        raise _foreign(f"{name} is {found.dtype} of shape {found.shape}, not float32 of shape {shape}")
    if not np.isfinite(found).all():
        raise _foreign(f"{name} has weights that are no numbers")
    return found


def _fewer(label: Labels, dice: np.random.Generator) -> Ints:
    rare = int(label.sum() * 2 <= len(label))
    many = np.flatnonzero(label != rare)
    return np.sort(np.concatenate([np.flatnonzero(label == rare), dice.permutation(many)[:_MANY]]))


def _perceptrons() -> ModuleType:
    """Import what needs torch, which is slow to import.

    Raises
    ------
    DependencyError
        If it is missing.
    """
    try:
        from gnn import perceptrons  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise DependencyError(f"the package {error.name} is missing; install kgfraud[models]") from error
    return perceptrons
