"""Boosted trees that can be kept as text, with what each column adds to a score."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    "lambda_l2": 5.0,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}


@dataclass(frozen=True)
class Growth:
    """How many trees are grown, how fast they learn, how fine they are, and which part of the columns each of them may ask."""

    rounds: int = 300
    rate: float = 0.03
    leaves: int = 7
    in_leaf: int = 15
    columns: float = 0.3


#: Trees that ask some columns alone, and those that are grown on what they leave.
_EARLY, _LATE = Growth(rounds=100, columns=1.0), Growth(rounds=100, rate=0.02)
#: Trees so slow that they move no score by more than others lie apart, and so many and fine that hardly two rows share all their leaves.
_FINE = Growth(rounds=600, rate=0.0002, leaves=31, in_leaf=1, columns=0.01)
_RATE = re.compile(r"^shrinkage=(\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Trees:
    """Fitted trees over some columns; missing values are left to them.

    Attributes
    ----------
    telling
        How many of them, from the first, tell of the outcome; those behind only put in order what these leave tied.
    """

    kind: ClassVar[str] = "trees"
    file: ClassVar[str] = "weights.txt"
    about: ClassVar[str] = "boosted trees; reasons by TreeSHAP"
    booster: lightgbm.Booster
    n_columns: int
    telling: int

    @classmethod
    def fit(cls, values: Floats, label: Labels, seed: int, growth: Growth = Growth()) -> Trees:
        """Fit trees; the same rows in the same order and the same seed give the same trees."""
        return cls._of(_grown(values, label, seed, growth, {}))

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
        early = _grown(values, label, seed, _EARLY, {"interaction_constraints": [first.tolist()]})
        return cls._of(_grown(values, label, seed, _LATE, {}, after=early))

    def untied(self, values: Floats, label: Labels, seed: int) -> Trees:
        """Return these trees with fine ones behind, learnt from the same rows: rows that share a score differ in hardly any column then."""
        return replace(self, booster=_grown(values, label, seed, _FINE, {}, after=self.booster))

    @classmethod
    def _of(cls, booster: lightgbm.Booster) -> Trees:
        return cls(booster, booster.num_feature(), booster.num_trees())

    @classmethod
    def read(cls, kept: bytes) -> Trees:
        """Read trees that were kept as text.

        Raises
        ------
        VerificationError
            If it is none.
        """
        try:
            text = kept.decode()
            booster = lightgbm.Booster(model_str=text)
        except (lightgbm.basic.LightGBMError, UnicodeDecodeError) as error:
            raise VerificationError(f"the weights cannot be read as LightGBM's text ({error}); roll back, or train again") from None
        fine = sum(float(rate) <= _FINE.rate for rate in _RATE.findall(text))
        return cls(booster, booster.num_feature(), booster.num_trees() - fine)

    def kept(self) -> bytes:
        """Return the trees as the bytes of LightGBM's text."""
        text: str = self.booster.model_to_string(num_iteration=-1)
        return text.encode()

    def score(self, values: Floats) -> Floats:
        """Return log-odds, shape (n,)."""
        return np.asarray(self.booster.predict(values, raw_score=True, num_threads=1))

    def used(self) -> Ints:
        """Return the columns that any telling tree asks for, int64."""
        return np.flatnonzero(self.booster.feature_importance(iteration=self.telling)).astype(np.int64)

    def contributions(self, values: Floats) -> Floats:
        """Return what each column adds to the log-odds of each row, and last what all rows begin with (TreeSHAP [1]_).

        Returns
        -------
        float64, shape (n, n_columns + 1)
            Each row sums to its score, but for the little by which fine trees tell rows apart.

        References
        ----------
        .. [1] Lundberg et al., From local explanations to global understanding with explainable AI for trees, 2020.
        """
        return np.asarray(self.booster.predict(values, pred_contrib=True, num_iteration=self.telling, num_threads=1))


def _grown(
    values: Floats, label: Labels, seed: int, growth: Growth, further: Mapping[str, Any], *, after: lightgbm.Booster | None = None
) -> lightgbm.Booster:
    """Grow trees, ``after`` others whose scores they begin with; the booster holds both."""
    data = lightgbm.Dataset(values, label.astype(float), free_raw_data=False)
    grown = {"learning_rate": growth.rate, "num_leaves": growth.leaves, "min_data_in_leaf": growth.in_leaf}
    grown["feature_fraction"] = growth.columns
    return lightgbm.train({**_SETTINGS, **grown, **further, "seed": seed}, data, num_boost_round=growth.rounds, init_model=after)
