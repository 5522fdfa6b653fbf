"""What each layer of features is worth: which columns a layer has, and how much better one ranks than another."""

from __future__ import annotations

import numpy as np

from gnn.company import DERIVED, FAMILIES
from gnn.company.schemes import family
from gnn.ladder import ladder, layers
from gnn.snapshot import names
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
