"""The cycles that IBM's AMLSim planted, found whole among payments of others (`../shared/data/amlsim_alerts`, not in this repository).

Each holder keeps a tenth, so of the three tiers the second finds all; the first asks for four fifths of the largest amount over the whole
cycle, which three hops keep and four do not.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import csv

from kg.derivations.rings import TIERS, find_cycles

FILE = Path(__file__).parents[3] / "shared" / "data" / "amlsim_alerts" / "alert_transactions.csv"
pytestmark = pytest.mark.skipif(not FILE.exists(), reason="amlsim_alerts is not beside this repository")


@pytest.fixture(scope="module")
def alerts():
    return csv.read_csv(FILE)


def as_transfers(alerts):
    ends = {"payer": alerts["orig_acct"], "payee": alerts["bene_acct"]}
    fen = pc.round(pc.multiply(alerts["base_amt"], 100)).cast(pa.int64())
    return pa.table({"transfer_id": alerts["tran_id"], **ends, "amount_fen": fen, "at": alerts["tran_timestamp"].cast(pa.timestamp("us"))})


def background(alerts, count, accounts, seed=1):
    """Payments among the accounts of the alerts and others: few have very many, amounts as widely spread, over the same two years."""
    rng = np.random.default_rng(seed)
    weight = (1 - rng.random(accounts)) ** -0.5
    ids = rng.permutation(np.unique(np.concatenate([np.arange(20_000), np.arange(100_000, 80_000 + accounts)])))
    payer, payee = (ids[np.searchsorted(np.cumsum(weight), rng.random(count) * weight.sum())] for _ in range(2))
    first, last = (pc.min_max(alerts["tran_timestamp"].cast(pa.timestamp("us")).cast(pa.int64()))[end].as_py() for end in ("min", "max"))
    return pa.table(
        {
            "transfer_id": np.arange(10**9, 10**9 + count),
            "payer": payer,
            "payee": payee,
            "amount_fen": np.exp(rng.normal(12.4, 1.5, count)).astype(np.int64) + 1,
            "at": pa.array(rng.integers(first, last, count)).cast(pa.timestamp("us")),
        }
    )


def planted(alerts):
    rows = alerts.filter(pc.equal(alerts["alert_type"], "cycle"))
    found = {}
    for alert, transfer in zip(rows["alert_id"].to_pylist(), rows["tran_id"].to_pylist(), strict=True):
        found.setdefault(alert, set()).add(transfer)
    assert len(found) == 20
    return {frozenset(transfers) for transfers in found.values()}


def told(cycles):
    start = np.flatnonzero(cycles.table["position"].to_numpy() == 0)
    return {frozenset(part.tolist()) for part in np.split(cycles.table["transfer_id"].to_numpy(), start[1:])}


@pytest.mark.parametrize(
    ("count", "accounts"), [(100_000, 60_000), pytest.param(2_000_000, 200_000, marks=pytest.mark.soak)], ids=["some", "all"]
)
def test_all_twenty_cycles_are_found_whole_among_payments_of_others(alerts, count, accounts):
    rows = pa.concat_tables([as_transfers(alerts), background(alerts, count, accounts)])
    cycles = find_cycles(rows, TIERS["B"])
    found = told(cycles)
    assert cycles.truncated.num_rows == 0
    assert planted(alerts) <= found


def test_the_first_tier_finds_those_in_which_four_fifths_remain_and_the_third_all(alerts):
    rows = as_transfers(alerts)
    amount = dict(zip(rows["transfer_id"].to_pylist(), rows["amount_fen"].to_pylist(), strict=True))
    kept = {ids for ids in planted(alerts) if 5 * min(amount[i] for i in ids) >= 4 * max(amount[i] for i in ids)}
    assert len(kept) == 3
    assert told(find_cycles(rows, TIERS["A"])) & planted(alerts) == kept
    assert planted(alerts) <= told(find_cycles(rows, TIERS["C"]))
