"""Core firms, their tiers, and chains of goods."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest

from kg.derivations.goods import firms_on, follow_goods
from kg.derivations.tiers import find_cores, tiers
from kg.errors import UsageError

OPENSPG = Path(__file__).parents[3] / "shared" / "data" / "openspg" / "supplychain"


def sold(*rows):
    words = [row.replace(">", " ").split() for row in rows]
    columns = {"supplier": [w[0] for w in words], "buyer": [w[1] for w in words]}
    return pa.table({**columns, "amount_fen": [int(w[2]) for w in words]})


def around(supplies, *cores, **more):
    rows = tiers(supplies, pa.array(cores), **more).to_pylist()
    return {(row["core"], row["company"]): (row["tier"], row["via"], row["ppm"], row["depends"]) for row in rows}


# -- core firms --------------------------------------------------------------------------------------------------


def test_a_buyer_on_which_three_smaller_suppliers_depend_is_a_core_firm():
    rows = sold("a>core 10", "b>core 10", "c>core 10", "c>x 10", "d>core 1", "d>x 9")
    assert find_cores(rows).to_pylist() == [{"company": "core", "suppliers": 3, "purchases_fen": 31}]
    assert find_cores(rows, suppliers=4).num_rows == 0
    # c sells just half of its goods
    assert find_cores(rows, ppm=500_001).num_rows == 0


def test_a_small_buyer_does_not_become_a_core_firm_by_its_large_supplier():
    rows = sold("large>small 60", "large>x 20", "large>y 20", "a>small 1")
    assert find_cores(rows, suppliers=2).num_rows == 0
    assert find_cores(rows, suppliers=1)["company"].to_pylist() == ["small"]


def test_core_firms_with_more_suppliers_come_first_then_those_that_buy_more():
    rows = sold("a>p 5", "b>p 5", "c>q 6", "d>q 6", "e>r 1", "f>r 1", "g>r 1")
    assert find_cores(rows, suppliers=2)["company"].to_pylist() == ["r", "q", "p"]


# -- tiers -------------------------------------------------------------------------------------------------------


def test_the_suppliers_of_suppliers_are_the_next_tier_and_the_part_of_their_sales_is_told():
    rows = sold("a>core 30", "a>x 70", "b>core 50", "b>x 50", "c>a 10", "c>b 20", "c>x 10", "d>c 5", "e>x 9")
    assert around(rows, "core") == {
        ("core", "a"): (1, "core", 300_000, False),
        ("core", "b"): (1, "core", 500_000, True),
        ("core", "c"): (2, "b", 750_000, True),
        ("core", "d"): (3, "c", 1_000_000, True),
    }


def test_a_company_is_in_the_first_tier_that_reaches_it_and_the_core_firm_in_none():
    rows = sold("a>core 1", "b>a 1", "b>core 1", "core>b 1")
    assert around(rows, "core") == {("core", "a"): (1, "core", 1_000_000, True), ("core", "b"): (1, "core", 500_000, True)}


def test_links_that_are_too_small_a_part_and_tiers_beyond_the_last_are_not_followed():
    rows = sold("a>core 30", "a>x 70", "b>core 5", "b>x 95", "c>a 1", "d>c 1")
    assert {company for _, company in around(rows, "core", ppm=100_000, most=2)} == {"a", "c"}


def test_several_core_firms_are_told_one_after_another_each_once():
    rows = sold("a>p 1", "a>q 1")
    told = tiers(rows, pa.array(["q", "p", "q"]))
    assert told["core"].to_pylist() == ["p", "q"]
    assert tiers(rows, pa.array([], pa.string())).num_rows == 0
    rows = sold("a>p 2", "b>q 1")
    assert tiers(rows, find_cores(rows, suppliers=1)["company"])["core"].to_pylist() == ["p", "q"]


@pytest.mark.parametrize("seed", range(10))
def test_tiers_are_the_shortest_ways_of_a_graph_and_parts_what_adding_up_gives(seed):
    dice = np.random.default_rng(seed)
    supplier, buyer, fen = dice.integers(0, 30, 80), dice.integers(0, 30, 80), dice.integers(0, 1_000, 80)
    table = pa.table({"supplier": supplier, "buyer": buyer, "amount_fen": fen})
    sales, pairs = defaultdict(int), defaultdict(int)
    for a, b, amount in zip(supplier.tolist(), buyer.tolist(), fen.tolist(), strict=True):
        sales[a] += amount
        pairs[a, b] += amount
    graph = nx.DiGraph([(b, a) for (a, b), amount in pairs.items() if amount])
    core = int(buyer[0])
    steps = nx.single_source_shortest_path_length(graph, core, cutoff=3) if core in graph else {}
    told = around(table, core, most=3)
    assert {company: row[0] for (_, company), row in told.items()} == {company: step for company, step in steps.items() if step}
    for (_, company), (tier, via, ppm, depends) in told.items():
        into = {b: amount for (a, b), amount in pairs.items() if a == company and steps.get(b) == tier - 1}
        assert ppm == sum(into.values()) * 1_000_000 // sales[company]
        assert into[via] == max(into.values())
        assert depends == (ppm >= 500_000)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (sold("a>b -1"), "supplies row 0: amount_fen is -1"),
        (pa.table({"supplier": ["a", None], "buyer": ["b", "b"], "amount_fen": [1, 1]}), "supplies row 1: supplier is null"),
        (pa.table({"supplier": ["a"], "buyer": ["b"], "amount_fen": [1.5]}), "supplies row 0: amount_fen is 1.5, of type double"),
        (pa.table({"supplier": ["a"], "buyer": ["b"]}), "supplies lack the column amount_fen"),
    ],
)
def test_wrong_supplies_are_refused(table, said):
    with pytest.raises(UsageError, match=said):
        find_cores(table)
    with pytest.raises(UsageError, match=said):
        tiers(table, pa.array(["b"]))


def test_an_unknown_core_firm_and_numbers_out_of_range_are_refused():
    with pytest.raises(UsageError, match="cores row 1: z trades with nobody"):
        around(sold("a>b 1"), "b", "z")
    for wrong in ({"most": 0}, {"ppm": -1}, {"depends": 0}):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            around(sold("a>b 1"), "b", **wrong)
    for wrong in ({"suppliers": 0}, {"ppm": 1_000_001}):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            find_cores(sold("a>b 1"), **wrong)


# -- goods -------------------------------------------------------------------------------------------------------

GOODS = pa.table(
    {"goods": ["tyre", "tyre", "car", "rubber", "part", "rubber"], "made_from": ["rubber", "steel", "tyre", None, "steel", "car"]}
)


def test_goods_are_followed_into_what_is_made_of_them_and_from_what_they_are_made():
    into = follow_goods(GOODS, "steel").to_pylist()
    assert [(row["goods"], row["step"], row["via"]) for row in into] == [
        ("steel", 0, None),
        ("part", 1, "steel"),
        ("tyre", 1, "steel"),
        ("car", 2, "tyre"),
        ("rubber", 3, "car"),
    ]
    back = follow_goods(GOODS, "car", direction="from", most=1).to_pylist()
    assert [(row["goods"], row["step"]) for row in back] == [("car", 0), ("tyre", 1)]


def test_companies_stand_on_a_chain_by_what_they_sell():
    sellers = pa.table({"company": ["y", "x", "x", "z"], "goods": ["car", "tyre", "tyre", "paper"], "amount_fen": [5, 1, 2, 9]})
    assert firms_on(follow_goods(GOODS, "rubber"), sellers).to_pylist() == [
        {"step": 1, "goods": "tyre", "company": "x", "amount_fen": 3},
        {"step": 2, "goods": "car", "company": "y", "amount_fen": 5},
    ]


def test_unknown_goods_wrong_rows_and_directions_are_refused():
    with pytest.raises(UsageError, match="no row of goods names gold"):
        follow_goods(GOODS, "gold")
    with pytest.raises(UsageError, match="direction is into"):
        follow_goods(GOODS, "car", direction="up")
    with pytest.raises(UsageError, match="most is 0"):
        follow_goods(GOODS, "car", most=0)
    with pytest.raises(UsageError, match="goods row 0: goods is null"):
        follow_goods(pa.table({"goods": pa.array([None], pa.string()), "made_from": ["car"]}), "car")
    with pytest.raises(UsageError, match="sellers row 0: company is null"):
        firms_on(follow_goods(GOODS, "car"), pa.table({"company": pa.array([None], pa.string()), "goods": ["car"]}))


@pytest.mark.skipif(not OPENSPG.exists(), reason="openspg_supplychain is not there")
def test_the_chain_of_rubber_to_tyres_and_its_makers_in_a_real_set_is_what_networkx_finds():
    with (OPENSPG / "Product.csv").open(encoding="utf-8") as file:
        pairs = {(made, row["id"]) for row in csv.DictReader(file) for made in row["hasSupplyChain"].split(",") if made}
    with (OPENSPG / "Company.csv").open(encoding="utf-8") as file:
        makes = {(row["id"], goods) for row in csv.DictReader(file) for goods in row["product"].split(",") if goods}
    table = pa.table({"goods": [made for made, _ in pairs], "made_from": [source for _, source in pairs]})
    chain = follow_goods(table, "商品化工-橡胶")
    steps = nx.single_source_shortest_path_length(nx.DiGraph([(source, made) for made, source in pairs]), "商品化工-橡胶")
    assert dict(zip(chain["goods"].to_pylist(), chain["step"].to_pylist(), strict=True)) == steps
    assert steps["轮胎与橡胶"] == 1
    on = firms_on(chain, pa.table({"company": [who for who, _ in makes], "goods": [goods for _, goods in makes]}))
    assert {(row["company"], row["goods"]) for row in on.to_pylist()} == {(who, goods) for who, goods in makes if goods in steps}
    assert on.num_rows
