"""The alerts of IBM's AMLSim among generated transfers: sums scattered and gathered, gathered and scattered, are found whole.

AMLSim, Apache-2.0; the file is read where it lies, since the transfers between its alerts are not in it.
"""

import csv
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from kg.rules import gather_scatter, scatter_gather

ALERTS = Path(__file__).parents[3] / "shared" / "data" / "amlsim_alerts" / "alert_transactions.csv"
RULES = {"scatter_gather": (scatter_gather, 30), "gather_scatter": (gather_scatter, 50)}
ACCOUNTS = 200_000  # those of the alerts among them


@pytest.fixture(scope="module")
def alerts():
    if not ALERTS.exists():
        pytest.skip("amlsim_alerts is not at hand in ../shared/data")
    with ALERTS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def background(first, last, count, seed):
    """Return so many transfers between accounts of which some pay far more often than others, with amounts that differ as much."""
    rng = np.random.default_rng(seed)
    activity = np.cumsum(rng.permutation(rng.pareto(1.3, ACCOUNTS) + 1))
    payer, payee = (np.searchsorted(activity, rng.random(count) * activity[-1]) for _ in range(2))
    fen = np.exp(rng.normal(np.log(280_000), 1.4, count)).astype(np.int64) + 1
    at = np.datetime64(first, "us") + rng.integers(0, int((last - first).total_seconds()), count).astype("timedelta64[s]")
    return payer, payee, fen, at


def named(prefix, numbers):
    return pc.binary_join_element_wise(prefix, pa.array(numbers).cast(pa.string()), "")


def tables(alerts, count):
    at = [datetime.fromisoformat(row["tran_timestamp"][:10]) for row in alerts]
    payer, payee, fen, when = background(min(at), max(at), count, 7)
    mine = ([int(row[end]) for row in alerts] for end in ("orig_acct", "bene_acct"))
    ends = [named("account:x:", np.concatenate([own, other])) for own, other in zip(mine, (payer, payee), strict=True)]
    moved = {
        "id": pa.concat_arrays([pa.array([f"alert/{row['tran_id']}" for row in alerts]), named("t/", np.arange(count))]),
        "src": ends[0],
        "dst": ends[1],
        "amount_fen": np.concatenate([[int(float(row["base_amt"]) * 100 + 0.5) for row in alerts], fen]),
        "currency": pa.nulls(len(alerts) + count, pa.string()),
        "at": pa.array(np.concatenate([np.array(at, "datetime64[us]"), when])).cast(pa.timestamp("us", "UTC")),
    }
    number = np.arange(ACCOUNTS)
    owns = {"id": named("o/", number), "src": named("person:x:", number), "dst": named("account:x:", number)}
    return {"TRANSFERRED_TO": pa.table(moved), "OWNS_ACCOUNT": pa.table(owns)}


def found(alerts, count, name):
    """Return how many alerts of a type stand whole in a case, and how many cases there are that have nothing of one."""
    rule = RULES[name][0].RULE
    cases = {hit["root"]: set(hit["evidence"]) for hit in rule.find(tables(alerts, count), rule.parameters).to_pylist()}
    planted = defaultdict(set)
    for row in alerts:
        if row["alert_type"] == name:
            planted[row["alert_id"]].add(f"alert/{row['tran_id']}")
    whole = sum(any(legs <= case for case in cases.values()) for legs in planted.values())
    of_alerts = set().union(*planted.values())
    return whole, sum(case.isdisjoint(of_alerts) for case in cases.values())


@pytest.mark.parametrize("name", RULES)
def test_all_alerts_are_found_among_few_transfers(alerts, name):
    whole, false = found(alerts, 50_000, name)
    assert whole == RULES[name][1]
    assert false <= 2


@pytest.mark.soak
@pytest.mark.parametrize(("name", "most"), [("scatter_gather", 5), ("gather_scatter", 250)])
def test_all_alerts_are_found_among_two_million_transfers(alerts, name, most):
    whole, false = found(alerts, 2_000_000, name)
    print(f"{name}: {whole} of {RULES[name][1]} alerts found whole, {false} cases among 2,000,000 generated transfers")  # noqa: T201 - told beside
    assert whole == RULES[name][1]
    assert false <= most
