"""How near confirmed fraud is, held against all ways tried one by one."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from kg.derivations.fraud_spread import TIES, spread_fraud
from kg.errors import UsageError
from kg.rules import RULES
from kg.schema import edge

DAY = date(2026, 6, 15)


def cases(*entities, known_on=date(2026, 1, 1)):
    return pa.table({"entity": pa.array(entities, pa.string()), "known_on": pa.array([known_on] * len(entities), pa.date32())})


def ties(*rows):
    words = [row.replace(">", " ").split() for row in rows]
    return pa.table(
        {
            "src": pa.array([w[0] for w in words], pa.string()),
            "dst": pa.array([w[1] for w in words], pa.string()),
            "type": pa.array([w[3] if len(w) > 3 else "T" for w in words], pa.string()),
            "ppm": pa.array([int(w[2]) for w in words], pa.int64()),
        }
    )


def near(seeds, rows, **more):
    found = spread_fraud(seeds, rows, **{"as_of": DAY, **more}).to_pylist()
    return {row["party"]: (row["ppm"], row["steps"], "".join(row["path"])) for row in found}


def test_what_is_near_falls_with_every_step_and_tie():
    found = near(cases("a"), ties("a>b 800000", "b>c 500000", "c>d 1000000", "d>e 1000000"))
    assert found == {
        "a": (1_000_000, 0, "a"),
        "b": (400_000, 1, "ab"),
        "c": (100_000, 2, "abc"),
        "d": (50_000, 3, "abcd"),
    }


def test_the_strongest_way_counts_and_of_two_as_strong_the_shorter_then_the_first():
    rows = ties("a>b 1000000", "b>d 1000000", "a>d 400000", "a>c 1000000", "c>d 1000000")
    assert near(cases("a"), rows)["d"] == (250_000, 2, "abd")
    assert near(cases("a"), ties("a>b 1000000", "b>d 1000000", "a>d 500000"))["d"] == (250_000, 1, "ad")


def test_ways_do_not_add_up_and_several_cases_leave_the_nearest():
    rows = ties("a>x 400000", "b>x 600000", "a>b 100000")
    assert near(cases("a", "b", "a"), rows)["x"] == (300_000, 1, "bx")
    assert near(cases("a", "b"), rows)["b"] == (1_000_000, 0, "b")


def test_a_case_counts_from_the_day_on_which_it_was_known():
    rows = ties("a>b 800000")
    assert near(cases("a", known_on=DAY), rows).keys() == {"a", "b"}
    assert near(cases("a", known_on=date(2026, 6, 16)), rows) == {}


def test_types_of_the_ties_on_the_way_are_told_and_a_party_without_ties_stands_alone():
    rows = ties("a>b 800000 CONTROLS", "a>b 800000 KIN_OF", "b>c 900000 SUPPLIES")
    found = {row["party"]: row["types"] for row in spread_fraud(cases("a", "z"), rows, as_of=DAY).to_pylist()}
    assert found == {"a": [], "z": [], "b": ["CONTROLS"], "c": ["CONTROLS", "SUPPLIES"]}
    assert near(cases("z"), ties()) == {"z": (1_000_000, 0, "z")}
    assert near(cases(), rows) == {}


@pytest.mark.parametrize("seed", range(15))
def test_all_is_what_trying_every_way_gives(seed):
    dice = np.random.default_rng(seed)
    names = "abcdefgh"
    rows = {}
    for _ in range(20):
        a, b = dice.choice(list(names), 2, replace=False)
        rows[str(a), str(b)] = int(dice.integers(0, 1_000_001))
    seeds = [str(each) for each in dice.choice(list(names), 2, replace=False)]
    best = {}

    def walk(party, score, way):
        if score and (party not in best or (-score, len(way), way) < best[party]):
            best[party] = (-score, len(way), way)
        if len(way) <= 3:
            for (a, b), ppm in rows.items():
                if a == party:
                    walk(b, score * ppm // 1_000_000 * 500_000 // 1_000_000, way + b)

    for each in seeds:
        walk(each, 1_000_000, each)
    table = ties(*(f"{a}>{b} {ppm}" for (a, b), ppm in rows.items()))
    found = near(cases(*seeds), table)
    assert {party: row[:2] for party, row in found.items()} == {party: (-score, size - 1) for party, (score, size, _) in best.items()}
    shuffled = table.take(pa.array(dice.permutation(len(table))))
    assert near(cases(*reversed(seeds)), shuffled) == found


def test_wrong_rows_and_numbers_out_of_range_are_refused():
    for wrong, said in (({"decay": -1}, "decay"), ({"steps": 11}, "steps")):
        with pytest.raises(UsageError, match=said):
            near(cases("a"), ties("a>b 1"), **wrong)
    with pytest.raises(UsageError, match="ties row 1: ppm is 1000001"):
        near(cases("a"), ties("a>b 1", "a>c 1000001"))
    with pytest.raises(UsageError, match="cases row 0: known_on is null"):
        near(cases("a", known_on=None), ties("a>b 1"))


def test_every_tie_is_of_the_schema_says_why_and_no_rule_reads_cases():
    for tie in TIES:
        assert set(edge(tie.type).source) | set(edge(tie.type).target) <= {"Company", "Person", "Loan"}
        assert tie.of is None or tie.of in {p.name for p in edge(tie.type).properties}
        assert tie.why
    assert not [need for rule in RULES for need in rule.requires if "cases" in need.name]
