"""Boosted trees that can be kept as text, with what each column adds to a score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import lightgbm
import numpy as np

from gnn.encode import Floats
from gnn.metrics import Labels
from kg.algorithms.kernel import Ints
from kg.errors import VerificationError

_SETTINGS: dict[str, Any] = {
    "objective": "binary",
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "feature_fraction": 0.3,
    "lambda_l2": 5.0,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}


@dataclass(frozen=True)
class Growth:
    """How many trees are grown, how fast they learn, and how fine they are."""

    rounds: int = 300
    rate: float = 0.03
    leaves: int = 7
    in_leaf: int = 15


#: Trees that ask some columns alone, and those that are grown on what they leave.
_EARLY, _LATE = Growth(rounds=100), Growth(rounds=100, rate=0.02)


@dataclass(frozen=True)
class Trees:
    """Fitted trees over some columns; missing values are left to them."""

    kind: ClassVar[str] = "trees"
    file: ClassVar[str] = "weights.txt"
    about: ClassVar[str] = "boosted trees; reasons by TreeSHAP"
    booster: lightgbm.Booster
    n_columns: int

    @classmethod
    def fit(cls, values: Floats, label: Labels, seed: int, growth: Growth = Growth()) -> Trees:
        """Fit trees; the same rows in the same order and the same seed give the same trees."""
        return cls(_grown(values, label, seed, growth, {}), values.shape[1])

    @classmethod
    def staged(cls, values: Floats, label: Labels, seed: int, first: Ints) -> Trees:
        """Fit trees of which the first ask some columns alone, and the others what these leave, of all columns.

        A few dozen cases among hundreds of columns teach trees of all columns their chances; what is known to tell of cases goes first.

        Parameters
        ----------
        first : int64
            Places of the columns that go first; without any, these are the trees of ``fit``.
        """
        if not len(first):
            return cls.fit(values, label, seed)
        alone = {"interaction_constraints": [first.tolist()], "feature_fraction": 1.0}
        early = _grown(values, label, seed, _EARLY, alone)
        return cls(_grown(values, label, seed, _LATE, {}, after=early), values.shape[1])

    @classmethod
    def read(cls, kept: bytes) -> Trees:
        """Read trees that were kept as text.

        Raises
        ------
        VerificationError
            If it is none.
        """
        try:
            booster = lightgbm.Booster(model_str=kept.decode())
        except (lightgbm.basic.LightGBMError, UnicodeDecodeError) as error:
            raise VerificationError(f"the weights cannot be read as LightGBM's text ({error}); roll back, or train again") from None
        return cls(booster, booster.num_feature())

    def kept(self) -> bytes:
        """Return the trees as the bytes of LightGBM's text."""
        text: str = self.booster.model_to_string(num_iteration=-1)
        return text.encode()

    def score(self, values: Floats) -> Floats:
        """Return log-odds, shape (n,)."""
        return np.asarray(self.booster.predict(values, raw_score=True, num_threads=1))

    def used(self) -> Ints:
        """Return the columns that any tree asks for, int64."""
        return np.flatnonzero(self.booster.feature_importance()).astype(np.int64)

    def contributions(self, values: Floats) -> Floats:
        """Return what each column adds to the log-odds of each row, and last what all rows begin with (TreeSHAP [1]_).

        Returns
        -------
        float64, shape (n, n_columns + 1)
            Each row sums to its score.

        References
        ----------
        .. [1] Lundberg et al., From local explanations to global understanding with explainable AI for trees, 2020.
        """
        return np.asarray(self.booster.predict(values, pred_contrib=True, num_threads=1))


def _grown(
    values: Floats, label: Labels, seed: int, growth: Growth, further: Mapping[str, Any], *, after: lightgbm.Booster | None = None
) -> lightgbm.Booster:
    """Grow trees, ``after`` others whose scores they begin with; the booster holds both."""
    data = lightgbm.Dataset(values, label.astype(float), free_raw_data=False)
    grown = {"learning_rate": growth.rate, "num_leaves": growth.leaves, "min_data_in_leaf": growth.in_leaf}
    return lightgbm.train({**_SETTINGS, **grown, **further, "seed": seed}, data, num_boost_round=growth.rounds, init_model=after)
