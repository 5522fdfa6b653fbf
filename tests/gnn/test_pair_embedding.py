"""The network over ties: it learns from what is around pairs, never from the tie that it is asked about."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa

from gnn.metrics import auc
from gnn.pairs.candidates import AND
from gnn.pairs.embedding import Embedded
from gnn.pairs.units import Pairs
from gnn.snapshot import Named

NAMES = (
    "evidence.score",
    "evidence.hidden_control",
    *(f"{n}_{e}" for n in ("around.pairs", "around.best", "around.partners") for e in "ab"),
)


def ties(seed):
    """Return pairs of companies, of which those of one of two kinds are linked; who is of which shows in how many deal with it."""
    dice = np.random.default_rng(seed)
    kind = dice.integers(0, 2, 80)
    pairs = sorted({(a, b) for a, b in dice.integers(0, 80, (900, 2)).tolist() if a < b})
    a, b = np.array(pairs).T
    values = np.zeros((len(pairs), len(NAMES)))
    values[:, 0] = dice.random(len(pairs))
    for place, end in ((NAMES.index("around.partners_a"), a), (NAMES.index("around.partners_b"), b)):
        values[:, place] = 5 + 40 * kind[end]
    ids = pa.array([f"company:{one:03}{AND}company:{other:03}" for one, other in pairs])
    columns = tuple(Named(name, name, name, "1", "f", "f") for name in NAMES)
    return Pairs(date(2024, 1, 1), ids, values, columns, 1, (kind[a] == kind[b]).astype(np.int8))


def test_pairs_are_told_by_what_is_around_them_in_another_graph_and_again_the_same():
    early, late = ties(1), ties(2)
    found = Embedded.fit(early, 0).score(late)
    assert auc(late.stated, found) > 0.9
    assert np.array_equal(found, Embedded.fit(early, 0).score(late))


def test_the_tie_between_two_parties_has_no_part_in_their_own_score():
    seen = ties(3)
    model = Embedded.fit(seen, 0)
    values = seen.values.copy()
    values[8, 0] = 0.0  # no evidence between the two any more
    assert model.score(replace(seen, values=values))[8] == model.score(seen)[8]
    assert not np.array_equal(model.score(replace(seen, values=values)), model.score(seen))
