"""Systemic risk: cases worked by hand, a plain reference on dense matrices, and what is refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.derivations.contagion import esri, hurt
from kg.errors import UsageError


def trade(*rows):
    """Make supplies of ``supplier>buyer weight``."""
    words = [row.replace(">", " ").split() for row in rows]
    return pa.table({"supplier": [w[0] for w in words], "buyer": [w[1] for w in words], "weight": [float(w[2]) for w in words]})


def belonging(words):
    """Make industries of ``company:industry``."""
    pairs = [word.split(":") for word in words.split()]
    return pa.table({"company": [a for a, _ in pairs], "industry": [b for _, b in pairs]})


def needs(*rows):
    """Make what is essential of ``supplier_industry>buyer_industry kind``."""
    words = [row.replace(">", " ").split() for row in rows]
    return pa.table(
        {"supplier_industry": [w[0] for w in words], "buyer_industry": [w[1] for w in words], "kind": [int(w[2]) for w in words]}
    )


def stops(*rows):
    """Make one shock of ``company remaining``."""
    words = [row.split() for row in rows]
    return pa.table({"shock": ["x"] * len(words), "company": [w[0] for w in words], "remaining": [float(w[1]) for w in words]})


def index(*tables, **more):
    found = esri(*tables, **more)
    return {row[found.column_names[0]]: (row["esri"], row["downstream"], row["upstream"]) for row in found.to_pylist()}


def remaining(*tables, **more):
    return {row["company"]: (row["downstream"], row["upstream"]) for row in hurt(*tables, **more).to_pylist()}


# -- worked by hand ----------------------------------------------------------------------------------------------

CHAIN = trade("a>b 10", "b>c 30", "c>d 60"), belonging("a:A b:B c:C d:D")


def test_in_a_chain_of_essential_inputs_all_below_fall_and_all_above_lose_their_only_customer():
    found = index(*CHAIN, needs("A>B 2", "B>C 2", "C>D 2"))
    # sales: a 10, b 30, c 60, d none, 100 in all
    assert found["a"] == pytest.approx((1.0, 1.0, 0.1))
    assert found["b"] == pytest.approx((1.0, 0.9, 0.4))
    assert found["c"] == pytest.approx((1.0, 0.6, 1.0))
    assert found["d"] == pytest.approx((1.0, 0.0, 1.0))


def test_what_is_not_essential_costs_the_part_that_it_is_of_all_purchases():
    rows = trade("a>c 30", "b>c 50", "x>c 20", "c>d 100"), belonging("a:A b:B x:X c:C d:D")
    found = index(*rows, needs("A>C 1", "B>C 1", "X>C 0", "C>D 1"))
    # c lacks 30 of 100, whatever the rest is; d has nothing else
    assert found["a"][1] == pytest.approx((30 + 100 * 0.3) / 200)
    # what is not needed costs nothing, but stays among all purchases
    assert found["x"][1] == pytest.approx(20 / 200)
    assert found["b"][1] == pytest.approx((50 + 100 * 0.5) / 200)


def test_of_essential_inputs_the_worst_counts_each_relative_to_what_is_bought_of_its_industry():
    rows = trade("a1>c 30", "a2>c 10", "b>c 1", "c>d 100"), belonging("a1:A a2:A b:B c:C d:D")
    table = needs("A>C 2", "B>C 2", "C>D 2")
    found = index(*rows, table)
    # one of two of an industry: a part of it; the whole of another, however small: everything
    assert found["a1"][1] == pytest.approx((30 + 100 * 0.75) / 141)
    assert found["b"][1] == pytest.approx((1 + 100) / 141)
    both = esri(*rows, table, shocks=stops("a1 0.5", "b 0.6"))
    assert both["downstream"].to_pylist() == pytest.approx([(15 + 0.4 + 100 * 0.4) / 141])


def test_essential_and_other_losses_do_not_add_up_but_others_do_among_themselves():
    rows = trade("a>c 50", "b>c 25", "e>c 25", "c>d 100"), belonging("a:A b:B e:E c:C d:D")
    table = needs("A>C 2", "B>C 1", "E>C 1", "C>D 2")
    left = remaining(*rows, table, stops("a 0.6", "b 0", "e 0"))
    assert left["c"][0] == pytest.approx(0.5)
    left = remaining(*rows, table, stops("a 0.3", "b 0", "e 0"))
    assert left["c"][0] == pytest.approx(0.3)


def test_a_star_loses_its_rays_by_what_each_sells_to_the_centre():
    rows = trade("a>z 10", "b>z 10", "b>y 30", "c>y 5"), belonging("a:A b:A c:A z:Z y:Z")
    found = index(*rows, needs("A>Z 1", "Z>A 0"))
    # a sells all to z, b a quarter; of 55 sold
    assert found["z"][2] == pytest.approx((10 + 40 * 0.25) / 55)
    assert found["y"][2] == pytest.approx((5 + 40 * 0.75) / 55)
    assert found["a"][1] == pytest.approx(10 / 55)


def test_two_that_supply_each_other_fall_together_or_fade():
    rows, table = (trade("a>b 10", "b>a 10"), belonging("a:A b:B")), needs("A>B 2", "B>A 2")
    assert index(*rows, table)["a"] == (1.0, 1.0, 1.0)
    # each buys half of the other: the loss halves on the way round; what a lost at first stays
    halves = trade("a>b 10", "x>b 10", "b>a 10", "y>a 10"), belonging("a:A b:B x:X y:Y")
    others = needs("A>B 1", "B>A 1", "X>B 1", "Y>A 1")
    assert remaining(*halves, others, stops("x 0"), tolerance=0)["b"][0] == pytest.approx(1 - 0.5 / (1 - 0.25))
    assert remaining(*halves, others, stops("x 0"), tolerance=0)["a"][0] == pytest.approx(1 - 0.25 / (1 - 0.25))


def test_it_stops_after_the_first_step_in_which_nobody_falls_by_more_than_the_tolerance_on_either_side():
    rows = trade("a>b 1", "x>b 1", "b>c 1", "y>c 1", "c>d 1", "z>d 1"), belonging("a:A b:A c:A d:A x:A y:A z:A")
    table = needs("A>A 1")
    # upstream nobody buys of those that fall; b falls by 0.5, then c by 0.25, then d by 0.125
    left = remaining(*rows, table, stops("a 0"), tolerance=0.25)
    assert (left["b"][0], left["c"][0], "d" in left) == (0.5, 0.75, False)
    assert remaining(*rows, table, stops("a 0"), tolerance=0.2)["d"][0] == 0.875
    # as long as customers are lost the other side goes on too
    busy = trade("a>b 1", "x>b 1", "b>c 1", "y>c 1", "c>d 1", "z>d 1", "p>a 1", "q>p 1"), belonging("a:A b:A c:A d:A x:A y:A z:A p:A q:A")
    assert remaining(*busy, table, stops("a 0"), tolerance=0.25)["d"][0] == 0.875


def test_size_is_sales_or_the_greater_of_sales_and_purchases():
    table = needs("A>B 2", "B>C 2", "C>D 2")
    found = index(*CHAIN, table, size="max")
    # a 10, b 30, c 60, d 60 bought
    assert found["c"] == pytest.approx((1.0, 120 / 160, 100 / 160))
    assert index(*CHAIN, table, size="max")["d"] == pytest.approx((1.0, 60 / 160, 1.0))


def test_a_shock_may_hit_several_in_part_and_is_told_by_its_name():
    table = needs("A>B 2", "B>C 2", "C>D 2")
    shocks = pa.table({"shock": [2, 1, 2], "company": ["a", "d", "c"], "remaining": [0.5, 0.9, 0.25]})
    found = esri(*CHAIN, table, shocks=shocks)
    assert found.column_names == ["shock", "esri", "downstream", "upstream"]
    assert found["shock"].to_pylist() == [1, 2]
    # the first takes a tenth of everybody's sales
    assert found["upstream"].to_pylist()[0] == pytest.approx(0.1)
    assert found["downstream"].to_pylist()[1] == pytest.approx((10 * 0.5 + 30 * 0.5 + 60 * 0.75) / 100)
    assert found["esri"].to_pylist()[1] == pytest.approx((10 * 0.75 + 30 * 0.75 + 60 * 0.75) / 100)


def test_who_trades_with_nobody_and_a_world_without_trade_lose_nothing():
    found = index(*(CHAIN[0], belonging("a:A b:B c:C d:D idle:Z")), needs("A>B 2", "B>C 2", "C>D 2"))
    assert found["idle"] == (0.0, 0.0, 0.0)
    nothing = pa.table({"supplier": pa.array([], pa.string()), "buyer": pa.array([], pa.string()), "weight": pa.array([], pa.int64())})
    empty = pa.table(
        {"supplier_industry": pa.array([], pa.string()), "buyer_industry": pa.array([], pa.string()), "kind": pa.array([], pa.int64())}
    )
    assert index(nothing, belonging("a:A"), empty) == {"a": (0.0, 0.0, 0.0)}
    assert index(nothing, belonging("a:A").slice(0, 0), empty) == {}


def test_parallel_rows_are_added_up_zero_is_no_trade_and_what_one_supplies_to_itself_counts():
    table = needs("A>B 1", "B>B 1")
    whole = index(trade("a>b 30", "b>b 10", "x>b 60"), belonging("a:A b:B x:A"), table)
    parts = index(trade("a>b 10", "b>b 10", "a>b 20", "x>b 60", "b>a 0"), belonging("a:A b:B x:A"), table)
    assert whole == parts
    # b lacks 30 of 100, and then a tenth of what it lacks itself, and so on; sales are 100
    left = remaining(trade("a>b 30", "b>b 10", "x>b 60"), belonging("a:A b:B x:A"), table, stops("a 0"), tolerance=0)
    assert left["b"][0] == pytest.approx(1 - 0.3 / 0.9)


def test_who_is_hurt_is_told_with_the_strongest_chain_and_the_side_that_tells():
    rows = (
        trade("x>a 90", "x>b 10", "y>b 90", "a>c 80", "b>c 20", "s>x 50", "s>q 50", "t>s 10"),
        belonging("a:A b:A c:A x:A y:A s:A q:A t:A"),
    )
    found = hurt(*rows, needs("A>A 1"), stops("x 0"))
    told = {row["company"]: row for row in found.to_pylist()}
    assert found["company"].to_pylist()[:2] == ["a", "x"]
    assert told["x"]["by"] == "shock"
    assert told["x"]["path"] == ["x"]
    assert told["c"]["path"] == ["x", "a", "c"]
    assert told["c"]["remaining"] == pytest.approx(1 - 0.8 - 0.2 * 0.1)
    assert (told["s"]["by"], told["s"]["remaining"], told["s"]["path"]) == ("customers", 0.5, ["x", "s"])
    assert told["t"]["path"] == ["x", "s", "t"]
    assert {"y", "q"}.isdisjoint(told)


def test_who_is_struck_hardly_or_not_at_all_is_hurt_by_whom_the_loss_came_from():
    rows = trade("mine>mill 10"), belonging("mine:ore mill:steel"), needs("ore>steel 2")
    for left in (1.0, 0.9):
        told = {row["company"]: row for row in hurt(*rows, stops("mine 0", f"mill {left}")).to_pylist()}
        assert (told["mill"]["by"], told["mill"]["path"]) == ("inputs", ["mine", "mill"])
        assert (told["mine"]["by"], told["mine"]["path"]) == ("shock", ["mine"])
    told = {row["company"]: row for row in hurt(*rows, stops("mine 0.9", "mill 0.1")).to_pylist()}
    assert (told["mill"]["by"], told["mill"]["path"]) == ("shock", ["mill"])
    assert (told["mine"]["by"], told["mine"]["path"]) == ("customers", ["mill", "mine"])


def test_a_chain_round_a_loop_still_begins_where_the_shock_did():
    rows = trade("x>a 1", "o>a 9", "a>b 1", "b>a 10"), belonging("x:X o:O a:A b:B")
    found = hurt(*rows, needs("X>A 1", "O>A 1", "A>B 2", "B>A 1"), stops("x 0"), tolerance=0)
    assert {row["company"]: row["path"] for row in found.to_pylist()} == {"x": ["x"], "a": ["x", "a"], "b": ["x", "a", "b"]}


# -- against a plain reference -----------------------------------------------------------------------------------


def by_hand(weight, industry, kind, left, size, tolerance):
    """Follow one shock on dense matrices, company by company; return the three indices and the two sides."""
    count = len(industry)
    bought, sold = weight.sum(axis=0), weight.sum(axis=1)
    down, up = left.copy(), left.copy()
    while True:
        next_down, next_up = np.ones(count), np.ones(count)
        for buyer in range(count):
            losses, others = [0.0], 0.0
            for each in set(industry):
                of = industry == each
                lacks, whole = (weight[of, buyer] * (1 - down[of])).sum(), weight[of, buyer].sum()
                if whole > 0 and kind[each, industry[buyer]] == 2:
                    losses.append(lacks / whole)
                elif whole > 0 and kind[each, industry[buyer]] == 1:
                    others += lacks / bought[buyer]
            next_down[buyer] = max(min(left[buyer], 1 - max(*losses, others)), 0)
        for supplier in range(count):
            if sold[supplier] > 0:
                next_up[supplier] = 1 - (weight[supplier] * (1 - up)).sum() / sold[supplier]
        next_up = np.maximum(np.minimum(left, next_up), 0)
        fall = max((down - next_down).max(), (up - next_up).max())
        down, up = next_down, next_up
        if fall <= tolerance:
            break
    of = sold if size == "out" else np.maximum(sold, bought)
    return [(of * (1 - h)).sum() / of.sum() for h in (np.minimum(down, up), down, up)], down, up


def world(seed, count=None, industries=None):
    dice = np.random.default_rng(seed)
    count = count or int(dice.integers(2, 40))
    industries = industries or int(dice.integers(1, 6))
    links = int(dice.integers(1, 4 * count))
    supplier, buyer = dice.integers(0, count, links), dice.integers(0, count, links)
    return (
        (supplier, buyer, dice.lognormal(3, 2, links)),
        dice.integers(0, industries, count),
        dice.integers(0, 3, (industries, industries)),
    )


def tables(links, industry, kind, names=None):
    names = np.arange(len(industry)) if names is None else np.array(names)
    sectors = np.arange(len(kind))
    return (
        pa.table({"supplier": names[links[0]], "buyer": names[links[1]], "weight": links[2]}),
        pa.table({"company": names, "industry": industry}),
        pa.table({"supplier_industry": np.repeat(sectors, len(kind)), "buyer_industry": np.tile(sectors, len(kind)), "kind": kind.ravel()}),
    )


def matrix(links, count):
    weight = np.zeros((count, count))
    np.add.at(weight, (links[0], links[1]), links[2])
    return weight


@pytest.mark.parametrize("seed", range(30))
def test_every_single_shock_is_what_a_plain_reference_finds(seed):
    links, industry, kind = world(seed)
    size, tolerance = ("out", "max")[seed % 2], (1e-2, 0.1, 3e-3)[seed % 3]
    found = esri(*tables(links, industry, kind), size=size, tolerance=tolerance)
    assert found["company"].to_pylist() == list(range(len(industry)))
    for company in range(len(industry)):
        left = np.ones(len(industry))
        left[company] = 0.0
        expected, _, _ = by_hand(matrix(links, len(industry)), industry, kind, left, size, tolerance)
        assert [found[name][company].as_py() for name in ("esri", "downstream", "upstream")] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(40, 60))
def test_shocks_to_several_in_part_are_what_a_plain_reference_finds(seed):
    links, industry, kind = world(seed)
    dice, count = np.random.default_rng(seed), len(industry)
    left = np.where(dice.random((11, count)) < 0.3, dice.random((11, count)), 1.0)
    shock, company = np.nonzero(left < 1.0)
    found = esri(*tables(links, industry, kind), shocks=pa.table({"shock": shock, "company": company, "remaining": left[shock, company]}))
    for place, each in enumerate(found["shock"].to_pylist()):
        expected, down, up = by_hand(matrix(links, count), industry, kind, left[each], "out", 1e-2)
        assert [found[name][place].as_py() for name in ("esri", "downstream", "upstream")] == pytest.approx(expected, abs=1e-9)
        rows = shock == each
        one = pa.table({"shock": shock[rows], "company": company[rows], "remaining": left[each, company[rows]]})
        told = {row["company"]: row for row in hurt(*tables(links, industry, kind), one).to_pylist()}
        for number in range(count):
            row = told.get(number, {"downstream": 1.0, "upstream": 1.0})
            assert (row["downstream"], row["upstream"]) == pytest.approx((down[number], up[number]), abs=1e-9)
        assert all(row["path"][0] in company[rows] and row["path"][-1] == number for number, row in told.items())


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_order_of_rows_and_names_change_nothing(seed, dice):
    links, industry, kind = world(seed)
    count = len(industry)
    names = [f"c{number:03}" for number in range(count)]
    dice.shuffle(names)
    supplies, belongs, needed = tables(links, industry, kind, names)
    shuffled = [table.take(pa.array(dice.sample(range(len(table)), len(table)), pa.int64())) for table in (supplies, belongs, needed)]
    plain, other = index(*tables(links, industry, kind)), index(*shuffled)
    for number, name in enumerate(names):
        assert other[name] == pytest.approx(plain[number], abs=1e-12)
    assert index(supplies, belongs, needed) == other


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.data())
def test_a_deeper_shock_leaves_nobody_more(seed, data):
    (supplier, buyer, weight), industry, kind = world(seed)
    count, kept = len(industry), supplier != buyer
    # nobody supplies those above: all comes to rest by itself, while a milder shock that is cut short may have gone on for longer
    links = np.minimum(supplier, buyer)[kept], np.maximum(supplier, buyer)[kept], weight[kept]
    of = tables(links, industry, kind)
    mild = data.draw(st.lists(st.floats(0, 1), min_size=count, max_size=count))
    deep = [left * data.draw(st.sampled_from([1.0, 0.5, 0.0])) for left in mild]

    def left(shares):
        rows = pa.table({"shock": ["x"] * count, "company": list(range(count)), "remaining": shares})
        found = hurt(*of, rows, tolerance=0)
        sides = np.ones((2, count))
        sides[:, found["company"].to_numpy()] = [found["downstream"].to_numpy(), found["upstream"].to_numpy()]
        return sides

    assert (left(deep) <= left(mild) + 1e-12).all()


@pytest.mark.parametrize("count", [1, 7, 8, 9, 17])
def test_more_shocks_than_go_side_by_side_are_all_told(count):
    links, industry, kind = world(3, count=20, industries=3)
    of = tables(links, industry, kind)
    every = index(*of)
    some = pa.table({"shock": list(range(count)), "company": list(range(count)), "remaining": [0.0] * count})
    assert index(*of, shocks=some) == {company: every[company] for company in range(count)}


# -- what is refused ---------------------------------------------------------------------------------------------

GOOD = {
    "supplies": {"supplier": ["a", "b"], "buyer": ["b", "c"], "weight": [1.0, 2.0]},
    "industries": {"company": ["a", "b", "c"], "industry": ["A", "B", "C"]},
    "essential": {"supplier_industry": ["A", "B"], "buyer_industry": ["B", "C"], "kind": [2, 1]},
    "shocks": {"shock": ["x", "x"], "company": ["a", "b"], "remaining": [0.5, 0.0]},
}
WRONG = [
    ("supplies", "supplier", ["a", None], "supplies row 1: supplier is null"),
    ("supplies", "buyer", [None, "c"], "supplies row 0: buyer is null"),
    ("supplies", "weight", [1.0, None], "supplies row 1: weight is null"),
    ("supplies", "weight", [1.0, -2.0], "supplies row 1: weight is -2; a weight is finite, and 0 or more"),
    ("supplies", "weight", [float("nan"), 1.0], "supplies row 0: weight is nan"),
    ("supplies", "weight", [float("inf"), 1.0], "supplies row 0: weight is inf"),
    ("supplies", "weight", ["1", "2"], "supplies: weight is string"),
    ("supplies", "weight", [1.5e308, 1.5e308], "supplies row 0: weight is 1.5e\\+308; so many of these add up to no number"),
    ("supplies", "buyer", ["b", "z"], "supplies row 1: buyer z has no industry; give it a row in industries"),
    ("supplies", "supplier", ["z", "b"], "supplies row 0: supplier z has no industry"),
    ("industries", "company", ["a", None, "c"], "industries row 1: company is null"),
    ("industries", "industry", ["A", "B", None], "industries row 2: industry is null"),
    ("industries", "company", ["a", "b", "a"], "industries row 2: the company stands in an earlier row already"),
    ("industries", "industry", ["A", "B", "Z"], "supplies row 1: essential says nothing of the industry Z of buyer c"),
    ("essential", "kind", [2, 3], "essential row 1: kind is 3; it is 0"),
    ("essential", "kind", [-1, 1], "essential row 0: kind is -1"),
    ("essential", "kind", [None, 1], "essential row 0: kind is null"),
    ("essential", "kind", [2.0, 1.0], "essential: kind is double"),
    ("essential", "supplier_industry", ["A", None], "essential row 1: supplier_industry is null"),
    ("shocks", "company", ["a", "a"], "shocks row 1: the company of this shock stands in an earlier row already"),
    ("shocks", "company", ["a", "z"], "shocks row 1: no company z trades or has an industry"),
    ("shocks", "company", ["a", None], "shocks row 1: company is null"),
    ("shocks", "shock", [None, "x"], "shocks row 0: shock is null"),
    ("shocks", "remaining", [0.5, 1.5], "shocks row 1: remaining is 1.5; it lies from 0"),
    ("shocks", "remaining", [-0.1, 0.5], "shocks row 0: remaining is -0.1"),
    ("shocks", "remaining", [float("nan"), 0.5], "shocks row 0: remaining is nan"),
    ("shocks", "remaining", ["0", "1"], "shocks: remaining is string"),
    ("industries", "company", [1, 2, 3], "ids are numbers in one table and strings in another"),
]


@pytest.mark.parametrize(("table", "column", "values", "said"), WRONG, ids=[f"{w[0]}-{w[1]}-{n}" for n, w in enumerate(WRONG)])
def test_a_wrong_row_is_refused_with_a_sentence_that_names_it(table, column, values, said):
    given_ = {name: pa.table(columns) for name, columns in GOOD.items()}
    given_[table] = pa.table({**GOOD[table], column: values})
    with pytest.raises(UsageError, match=said.replace("(", "\\(")):
        esri(**given_)


def test_a_pair_of_industries_twice_and_a_missing_column_are_refused():
    given_ = {name: pa.table(columns) for name, columns in GOOD.items()}
    twice = pa.concat_tables([given_["essential"], given_["essential"].slice(1)])
    with pytest.raises(UsageError, match="essential row 2: the pair of industries stands in an earlier row already"):
        esri(given_["supplies"], given_["industries"], twice)
    with pytest.raises(UsageError, match="supplies lack the column weight"):
        esri(given_["supplies"].drop_columns(["weight"]), given_["industries"], given_["essential"])


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"size": "in"}, "size is out"),
        ({"tolerance": -0.1}, "tolerance"),
        ({"tolerance": 1.0}, "tolerance"),
        ({"tolerance": float("nan")}, "tolerance"),
        ({"tolerance": "x"}, "tolerance is a fraction of a company, from 0 to below 1, not 'x'"),
        ({"tolerance": None}, "not None"),
    ],
)
def test_options_out_of_range_are_refused(option, said):
    with pytest.raises(UsageError, match=said):
        esri(*(pa.table(GOOD[name]) for name in ("supplies", "industries", "essential")), **option)


def test_ids_of_more_than_64_bits_are_refused():
    ids = {name: pa.array([2**63, 5], pa.uint64()) for name in ("supplier", "buyer")}
    with pytest.raises(UsageError, match="supplies and industries: ids that are numbers lie between"):
        esri(pa.table({**ids, "weight": [1, 1]}), pa.table({"company": [5], "industry": ["A"]}), pa.table(GOOD["essential"]))


def test_who_is_hurt_is_told_of_one_shock():
    two = pa.table({"shock": ["x", "y"], "company": ["a", "b"], "remaining": [0.5, 0.5]})
    with pytest.raises(UsageError, match="shocks hold 2 shocks"):
        hurt(*(pa.table(GOOD[name]) for name in ("supplies", "industries", "essential")), two)


@pytest.mark.parametrize("type_", [pa.int32(), pa.uint64(), pa.float32(), pa.decimal128(38, 0)])
def test_weights_may_be_numbers_of_any_kind(type_):
    rows, belongs, table = *CHAIN, needs("A>B 2", "B>C 1", "C>D 2")
    cast = rows.set_column(2, "weight", rows["weight"].cast(type_))
    assert index(cast, belongs, table) == index(rows, belongs, table)


def test_ids_may_be_numbers_or_strings_and_keep_their_form():
    links, industry, kind = world(11)
    numbers = tables(links, industry, kind)
    strings = [
        pa.table(
            {
                name: column if name in ("weight", "kind") else column.cast(pa.string())
                for name, column in zip(t.column_names, t.columns, strict=True)
            }
        )
        for t in numbers
    ]
    assert esri(*numbers)["company"].type == pa.int64()
    assert esri(*strings)["company"].type == pa.string()
    assert {str(k): pytest.approx(v, abs=1e-12) for k, v in index(*numbers).items()} == index(*strings)
