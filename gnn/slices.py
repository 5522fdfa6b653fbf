"""Whether the highest probabilities hold: observed beside predicted in slices of the ranking."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import binom

from gnn.encode import Floats
from gnn.metrics import Labels

#: Slices from the highest on, and the part of all rows that each is.
COUNT, PART = 10, 0.005


def slices(label: Labels, probability: Floats) -> list[dict[str, Any]]:
    """Return the highest slices: rows, predicted and observed rate, and whether this lies in the 95 % interval of the predicted one.

    The interval is that of the rate among as many rows, each guilty by the mean of what was said.

    >>> said = np.linspace(0.9, 0.0, 1000)
    >>> found = slices((np.arange(1000) < 5).astype(np.int8), said)
    >>> len(found), found[0]["rows"], found[0]["holds"], found[9]["holds"]
    (10, 5, True, False)
    """
    order, each = np.argsort(-probability, kind="stable"), max(1, round(PART * len(label)))
    found = []
    for number in range(COUNT):
        rows = order[number * each : (number + 1) * each]
        if len(rows):
            said, guilty = float(probability[rows].mean()), int(label[rows].sum())
            low, high = (int(end) for end in binom.ppf([0.025, 0.975], len(rows), said))
            found.append(
                {
                    "rows": len(rows),
                    "said": said,
                    "low": low / len(rows),
                    "high": high / len(rows),
                    "observed": guilty / len(rows),
                    "holds": low <= guilty <= high,
                }
            )
    return found
