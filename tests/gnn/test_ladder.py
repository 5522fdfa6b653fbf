"""What each layer of features is worth: which columns a layer has, and how much better one ranks than another."""

from __future__ import annotations

from datetime import date

import numpy as np

from gnn.company import DERIVED, FAMILIES
from gnn.company.schemes import family
from gnn.ladder import ladder, layers
from gnn.snapshot import names
from gnn.walk import Day, _fewer, walked
from kg.rules import RULES


def test_each_layer_has_all_columns_of_the_one_before_and_the_first_knows_nobody_but_the_company():
    columns = names((*FAMILIES, *DERIVED, family(RULES)))
    found = {name: {columns[place].name for place in places.tolist()} for name, places in layers(columns).items()}
    assert list(found) == ["attributes", "own", "aggregates", "rules", "all"]
    sizes = [len(each) for each in found.values()]
    assert sizes == sorted(sizes)
    assert all(one < other for one, other in zip(list(found.values())[:-1], list(found.values())[1:], strict=True))
    assert {"registration.age_days", "payments.in_fen"} <= found["attributes"]
    assert not any(name.startswith(("near.", "ownership.", "contacts.", "schemes.")) for name in found["attributes"])
    assert "near.paid.payments.payers" in found["aggregates"]
    assert not any("schemes" in name or "rings" in name for name in found["aggregates"])
    assert {"schemes.payment_ring", "near.paid.schemes.hits"} <= found["rules"]
    assert "links.known" in found["all"] - found["rules"]


def test_a_layer_that_ranks_everybody_right_is_told_to_be_so_many_times_better():
    label = (np.arange(400) < 20).astype(np.int8)
    right, blind = label.astype(float), np.zeros(400)
    found = ladder([(label, {"blind": blind, "right": right})] * 2)
    assert (found["days"], found["cases"]) == (2, 40)
    assert found["ap"]["right"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert found["ap"]["blind"]["value"] == 0.05
    assert found["times"]["blind"]["value"] == 20.0
    assert "right" not in found["times"]


def test_days_without_a_case_say_nothing():
    none = (np.zeros(10, np.int8), {"one": np.zeros(10)})
    assert ladder([none])["days"] == 0
    assert ladder([])["ap"] == {}


def test_trees_of_a_walk_learn_from_cases_of_which_the_day_tells_and_from_as_many_others_as_they_may():
    dice = np.random.default_rng(2)

    def day(sign):
        label = (np.arange(600) < 60).astype(np.int8)
        taught = np.where(np.arange(600) < 30, -1, label).astype(np.int8)
        # of untold cases the column says the contrary
        return Day(np.column_stack([np.where(taught < 0, -sign, sign * label) + dice.normal(scale=0.1, size=600)]), label, taught)

    days = {date(2024, 1, 1): day(1), date(2024, 7, 1): day(1)}
    found = walked(days, {"one": np.array([0])}, 180, 0, first=np.empty(0, np.int64))[date(2024, 7, 1)]["one"]
    assert found[30:60].min() > found[60:].max()
    assert found[:30].max() <= np.median(found[60:])
    few, many = (_fewer(days[date(2024, 1, 1)].label, days[date(2024, 1, 1)].values, most, 0) for most in (100, None))
    assert (len(few[0]), few[0].sum(), len(many[0])) == (160, 60, 600)
    assert set(few[1][:, 0]) <= set(many[1][:, 0])
