"""The contract of fitted weights: it knows what a registered model is asked for, and hides what was fitted and how it is kept."""

from __future__ import annotations

from typing import ClassVar, Protocol, Self

from gnn.encode import Floats
from kg.algorithms.kernel import Ints


class Weights(Protocol):
    """What was fitted to some columns.

    Attributes
    ----------
    kind
        What ``model.json`` calls it.
    file
        The file of a registered model that keeps it.
    about
        What the card says that it is.
    """

    kind: ClassVar[str]
    file: ClassVar[str]
    about: ClassVar[str]

    @property
    def n_columns(self) -> int:
        """How many columns it reads."""

    def score(self, values: Floats) -> Floats:
        """Return log-odds, shape (n,), of rows of shape (n, n_columns); nan is a value that is not known."""

    def used(self) -> Ints:
        """Return the columns that have a part in any score, int64, ascending."""

    def contributions(self, values: Floats) -> Floats:
        """Return what each column adds to each row's score, and last what all rows begin with.

        Returns
        -------
        float64, shape (n, n_columns + 1)
            Each row sums to its score.
        """

    def kept(self) -> bytes:
        """Return the bytes that it can be read from; the same weights are the same bytes."""

    @classmethod
    def read(cls, kept: bytes) -> Self:
        """Read what was kept.

        Raises
        ------
        VerificationError
            If it is none.
        """
