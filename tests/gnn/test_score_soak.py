"""The script that judges scores on cities of other seeds: what it says of figures whose answer is known."""

from __future__ import annotations

import importlib
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gnn.slices import slices

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        yield importlib.import_module("score_soak")  # scripts are no package
    finally:
        sys.path.remove(str(ROOT / "scripts"))


def figures(seed, own, graph, refused=()):
    ap = {name: {"ap": {"value": value, "low": value, "high": value}} for name, value in (("boosted_own", own), ("boosted_graph", graph))}
    rows = {name: {"rows": 100, "guilty": 5} for name in ("train", "valid", "test")}
    further = {"unlabelled": {"estimated": 0.5}}
    return {
        "seed": seed,
        "refused": list(refused),
        "cases": {},
        "metrics": {"models": ap, "rivals": {}, "rows": rows, "further": further, "walk": {"days": {}}},
    }


def rows(seed, *, true=True):
    """Companies of whom half of the guilty are found, with probabilities that are right or ten times too high."""
    dice = np.random.default_rng(seed)
    likely = np.minimum(dice.beta(0.2, 4.0, 3_000), 0.5)
    guilty = (dice.random(3_000) < 2 * likely).astype(np.int8)
    label = (guilty & (dice.random(3_000) < 0.5)).astype(np.int8)
    return {"label": label, "guilty": guilty, "probability": likely if true else np.minimum(10 * likely, 0.99)}


def test_right_probabilities_reach_all_aims_against_cases_and_against_the_truth(script):
    said = script.report([(figures(1, 0.2, 0.3), rows(1)), (figures(2, 0.4, 0.3, ["why"]), rows(2))])
    assert said.count("aims missed: none") == 3
    assert "against the truth, corrected by the estimated part that is found (0.50)" in said
    assert "seed 1: boosted_own 0.200 [0.200, 0.200]; boosted_graph 0.300" in said
    assert "passed the gate" in said
    assert "refused: why" in said


def test_probabilities_that_are_too_high_miss_what_they_miss(script):
    said = script.report([(figures(1, 0.2, 0.3), rows(1, true=False))])
    assert "aims missed: slope, intercept, slices, Brier skill" in said


def test_the_report_says_plainly_what_won(script):
    assert "won: boosted_own; boosted trees with the neighbours' features come to 0.50 times those without" in script.report(
        [(figures(1, 0.4, 0.2), rows(1))]
    )


def test_a_city_with_too_few_cases_is_told_and_does_not_stop_the_others(script):
    few = {"seed": 3, "refused": ["the period 'test' has 2 of 20 companies"], "metrics": None, "cases": {"all": 7}}
    said = script.report([(few, {}), (figures(1, 0.4, 0.2), rows(1))])
    assert "seed 3: the period 'test' has 2 of 20 companies; {'all': 7}" in said
    assert "won: boosted_own" in said
    assert script.report([(few, {})]).endswith("{'all': 7}\n")


def test_the_report_tells_what_each_layer_of_features_is_worth_over_all_days_of_all_cities(script):
    label = (np.arange(400) < 20).astype(np.int8)
    kept = {f"{day}/{name}": each for day in ("2024-01-01", "2024-07-01") for name, each in (("label", label), ("one", 0 * label))}
    kept |= {f"{day}/all": label for day in ("2024-01-01", "2024-07-01")}
    days = script.judged_days(kept)
    assert [list(scores) for _, scores in days] == [["one", "all"]] * 2
    said = "\n".join(script.layered(days))
    assert "over 2 days of all cities (40 cases)" in said
    assert "one 0.0500 [0.0500, 0.0500]; all features come to 20.00 [20.00, 20.00] times it" in said
    assert script.layered([]) == []


def test_who_has_a_part_in_a_scheme_that_begins_later_is_not_guilty_yet(script, tmp_path):
    pq.write_table(pa.table({"number": [1, 2], "start": [date(2024, 1, 1), date(2025, 1, 1)]}), tmp_path / "schemes.parquet")
    pq.write_table(pa.table({"number": [1, 2, 2], "company": ["a", "b", "c"]}), tmp_path / "members.parquet")
    ids = pa.array(["company:a", "company:b", "company:d"])
    assert script._guilty(tmp_path, ids, date(2024, 6, 1)).tolist() == [1, 0, 0]
    assert script._guilty(tmp_path, ids, date(2025, 1, 1)).tolist() == [1, 1, 0]


def test_a_slice_holds_where_its_rate_lies_in_the_interval_of_what_was_said():
    said = np.repeat([0.5, 0.1], [100, 19_900])
    label = np.zeros(20_000, np.int8)
    label[:50] = 1
    found = slices(label, said)
    assert [each["rows"] for each in found] == [100] * 10
    assert [each["holds"] for each in found] == [True] + [False] * 9
    assert found[0]["low"] == pytest.approx(0.40)
    assert found[0]["high"] == pytest.approx(0.60)
