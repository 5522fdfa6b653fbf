"""Series of payments just below the amounts from which payments are reported: a sum was cut up so that nobody hears of it.

Look-alikes that are no hit: a payer of many payments of all sizes, as many of them just above an amount as below; the same rent or
instalment month after month.

References
----------
.. [1] 《金融机构大额交易和可疑交易报告管理办法》 (中国人民银行令〔2016〕第 3 号), art. 5: cash from 50,000 yuan, transfers of persons from
   500,000 yuan (200,000 across the border), those of others from 2,000,000 yuan.
.. [2] FATF, Professional Money Laundering, 2018: structuring.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.algorithms.temporal_paths import Flow
from kg.algorithms.windows import crowded
from kg.errors import UsageError
from kg.graph import Graph
from kg.payments.legs import legs, told
from kg.payments.transfers import around_clients, as_flow, seen_whole, to_owners, usable
from kg.reason import BELOW_THRESHOLD
from kg.rule import FOUND, Need, Rule, Tables, conform, parameter, refuse_outside

_DAY = 86_400_000_000


@dataclass(frozen=True)
class BelowThresholdParameters:
    """Which amounts, how near, how many."""

    thresholds_fen: tuple[int, ...] = parameter(
        (5_000_000, 20_000_000, 50_000_000, 200_000_000), "fen", "from these amounts on banks report payments"
    )
    band_percent: int = parameter(5, "% below the amount, it excluded", "who cuts a sum up goes near the limit; further down it is chance")
    min_payments: int = parameter(4, "payments", "three in a week are seen by chance of whoever pays much")
    window_days: int = parameter(7, "days of 24 hours, inclusive", "a sum that is cut up is wanted soon")
    times_above: int = parameter(3, "times as many as in the same band from the amount on", "chance makes as many above as below")

    def __post_init__(self) -> None:
        _refuse_no_amounts(self.thresholds_fen)
        refuse_outside("band_percent", self.band_percent, 1, 50)
        refuse_outside("min_payments", self.min_payments, 2, 1_000_000)
        refuse_outside("window_days", self.window_days, 0, 366)
        refuse_outside("times_above", self.times_above, 1, 1_000_000)


def _refuse_no_amounts(value: object) -> None:
    """Refuse what is no tuple of amounts, each once: what lies below one that is named twice would be told twice."""
    if not isinstance(value, tuple):
        raise UsageError(f"thresholds_fen is {value!r}; give a tuple of amounts in fen, such as (5000000, 20000000)")
    refuse_outside("the number of thresholds_fen", len(value), 1, 100)
    for place, fen in enumerate(value):
        refuse_outside("thresholds_fen", fen, 100, 2**55)
        if fen in value[:place]:
            raise UsageError(f"thresholds_fen names {fen} twice; name each amount once")


def _near(transfers: ir.Table, graph: Graph, parameters: BelowThresholdParameters) -> ir.Table:  # noqa: ARG001 - as every narrowing
    bands = [(fen, _band(fen, parameters)) for fen in parameters.thresholds_fen]
    return transfers.filter(ibis.or_(*(transfers.amount_fen.between(fen - band, fen + band) for fen, band in bands)))


def _band(fen: int, parameters: BelowThresholdParameters) -> int:
    return -(-fen * parameters.band_percent // 100)


REQUIRES = (
    Need("TRANSFERRED_TO", ("id", "src", "dst", "amount_fen", "currency", "at"), narrow=_near, scope=around_clients, judged=seen_whole),
    Need("OWNS_ACCOUNT", ("id", "src", "dst")),
)


def find_below_threshold(tables: Tables, parameters: BelowThresholdParameters) -> pa.Table:
    """Find payers of series of payments just below a threshold.

    Accounts with one owner are folded to it. A payment is *just below* where it is less than the threshold by at most ``band_percent`` of
    it, and *above* where it is the threshold or more by less than as much. Told is each payer and threshold with at least ``min_payments``
    payments just below within ``window_days``, where all those just below are at least ``times_above`` times as many as those above.

    Parameters
    ----------
    tables
        ``TRANSFERRED_TO`` and ``OWNS_ACCOUNT``; rows that hold today.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each such payer and threshold.
        ``root``: ``below``, the threshold in fen and the payer, joined by ``:``; ``amount_fen``: the sum of the payments in such times;
        ``at``: the last of them; ``evidence``: these payments.
    """
    given = conform(REQUIRES, tables)
    transfers = to_owners(given["TRANSFERRED_TO"], given["OWNS_ACCOUNT"])
    row = usable(transfers)
    if not len(row):
        return FOUND.empty_table()
    money, accounts = as_flow(transfers, row)
    found = [_of_threshold(money, (accounts, transfers.column("id")), place, parameters) for place in range(len(parameters.thresholds_fen))]
    rows, known = (pa.concat_tables(tables) for tables in zip(*found, strict=True))
    members = known.select(["case", "entity_id"])
    return told(rows, known.select(["case", "root"]), given["OWNS_ACCOUNT"], counted=0, members=members)


def _of_threshold(
    money: Flow, names: tuple[Interner, pa.ChunkedArray], place: int, parameters: BelowThresholdParameters
) -> tuple[pa.Table, pa.Table]:
    """Return the payments of series below one of the thresholds, and ``case, root, entity_id`` of their payers."""
    fen, many = parameters.thresholds_fen[place], np.int64(len(parameters.thresholds_fen))
    kept = _series(money.payer, money.amount, money.at, fen, parameters)
    payer = np.unique(money.payer[kept])
    who = names[0].names(payer)
    known = pa.table({"case": payer * many + place, "root": pc.binary_join_element_wise(f"below:{fen}:", who, ""), "entity_id": who})
    return legs(money, names, money.payer[kept] * many + place, kept, side=0), known


def _series(payer: Ints, amount: Ints, at: Ints, fen: int, parameters: BelowThresholdParameters) -> Ints:
    """Return the payments of series just below a threshold."""
    band = _band(fen, parameters)
    below, above = np.flatnonzero((amount >= fen - band) & (amount < fen)), (amount >= fen) & (amount < fen + band)
    size = int(payer.max(initial=-1)) + 1
    under, over = np.bincount(payer[below], minlength=size), np.bincount(payer[above], minlength=size)
    marked = crowded(payer[below], np.arange(len(below)), at[below], window=parameters.window_days * _DAY, least=parameters.min_payments)
    kept = below[marked > 0]
    found: Ints = kept[under[payer[kept]] >= parameters.times_above * over[payer[kept]]]
    return found


RULE = Rule(
    name="below_threshold",
    version="1",
    about="Several payments within a week lie just below an amount from which payments are reported.",
    reason=BELOW_THRESHOLD,
    severity="medium",
    action="watch",
    parameters=BelowThresholdParameters(),
    requires=REQUIRES,
    find=find_below_threshold,
)
