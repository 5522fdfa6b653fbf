"""Rings: what joins cycles, what does not, by which id a ring is known, and how those that a city plants are found."""

import itertools
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from kg.derivations.ring_evidence import corroborated
from kg.derivations.rings import SPLIT, TIERS, find_cycles, find_rings
from kg.errors import UsageError

DAY = 86_400_000_000


def table(rows):
    names = ("transfer_id", "payer", "payee", "amount_fen", "at")
    return pa.table({name: [row[i] for row in rows] for i, name in enumerate(names)})


def rounds(*ways, start=0):
    """Transfers of 100 that go round each way, an hour from hop to hop, a day from way to way."""
    rows = []
    for day, way in enumerate(ways, start):
        for hop, (payer, payee) in enumerate(zip(way, way[1:] + way[:1], strict=True)):
            rows.append((f"t{day:03}{hop:02}", payer, payee, 100, day * DAY + hop * 3_600_000_000))
    return rows


def cycles(*ways, start=0):
    """Just these ways as cycles."""
    rows, at = rounds(*ways, start=start), 0
    numbered = []
    for number, way in enumerate(ways):
        numbered += [(number, place, *rows[at + place]) for place in range(len(way))]
        at += len(way)
    names = ("cycle_id", "position", "transfer_id", "payer", "payee", "amount_fen", "at")
    return pa.table({name: [row[i] for row in numbered] for i, name in enumerate(names)})


def members(rings):
    found = {}
    for row in rings.table.to_pylist():
        found.setdefault(row["ring_id"], set()).add(row["member"])
    return sorted("".join(sorted(each)) for each in found.values())


def events(rings):
    return [tuple(row.values()) for row in rings.events.to_pylist()]


def test_cycles_that_share_two_members_are_one_ring_and_those_that_share_one_are_not():
    assert members(find_rings(cycles("abc", "abd"))) == ["abcd"]
    assert members(find_rings(cycles("abc", "ade"))) == []
    assert members(find_rings(cycles("abc", "bca", "cde", "dec"))) == ["abc", "cde"]


def test_one_cycle_is_no_ring():
    assert find_rings(cycles("abcde")).table.num_rows == 0
    assert find_rings([]).table.num_rows == 0


def test_one_cycle_is_a_ring_where_one_of_so_many_members_is_to_count_alone():
    found = cycles("abcde", "xyz", "pq")
    assert members(find_rings(found, alone=5)) == ["abcde"]
    assert members(find_rings(found, alone=3)) == ["abcde", "xyz"]
    assert members(find_rings(found, alone=6)) == []


def test_a_row_says_who_leads_what_came_and_when():
    rings = find_rings(cycles("abc", "bca", "abc"))
    rows = rings.table.to_pylist()
    assert [(row["member"], row["role"], row["support"], row["amount_fen"]) for row in rows] == [
        ("a", "leader", 3, 300),
        ("b", "member", 3, 300),
        ("c", "member", 3, 300),
    ]
    assert {(row["first_at"], row["last_at"]) for row in rows} == {(0, 2 * DAY + 2 * 3_600_000_000)}
    assert rows[0]["because"] == "3 of 3 cycles of 3 hops"
    assert events(rings) == [("new", rows[0]["ring_id"], None)]


def test_a_transfer_in_two_cycles_counts_once():
    rows = [(1, "a", "b", 100, 0), (2, "b", "c", 100, 1), (3, "c", "a", 100, 2), (4, "c", "a", 90, 3)]
    found = find_rings(find_cycles(table(rows), TIERS["A"])).table.to_pylist()
    assert {row["member"]: row["amount_fen"] for row in found} == {"a": 190, "b": 100, "c": 100}
    assert {row["support"] for row in found} == {2}


def test_cycles_of_two_count_only_where_other_evidence_ties_the_two():
    twice = cycles("ab", "ab")
    assert members(find_rings(twice)) == []
    assert members(find_rings(twice, links=pa.table({"a": ["b"], "b": ["a"]}))) == ["ab"]
    assert members(find_rings(twice, groups=pa.table({"group_id": ["g", "g", "h"], "party": ["a", "b", "c"]}))) == ["ab"]
    assert members(find_rings(twice, groups=pa.table({"group_id": ["g", "h", "h"], "party": ["a", "b", "c"]}))) == []
    assert members(find_rings(twice, links=pa.table({"a": ["x", "a"], "b": ["y", "c"]}))) == []


def test_a_hub_joins_no_cycles_and_belongs_to_no_ring():
    through = [f"h{chr(65 + n)}{chr(97 + n)}{chr(110 + n)}" for n in range(7)]
    assert members(find_rings(cycles(*through, *through))) == [way[1:] for way in through]


def test_the_same_cycles_in_another_order_and_from_several_tables_are_the_same_rings():
    whole = find_rings(cycles("abc", "abd", "efg", "fge"))
    rows = cycles("abc", "abd", "efg", "fge")
    mixed = rows.take(pa.array(np.random.default_rng(1).permutation(rows.num_rows)))
    assert find_rings(mixed).table.equals(whole.table)
    apart = [cycles("abc", "abd"), cycles("efg", "fge", start=2)]
    assert find_rings(apart).table.select(["ring_id", "member", "support"]).equals(whole.table.select(["ring_id", "member", "support"]))


def test_a_ring_keeps_its_id_while_three_tenths_of_its_members_stay():
    first = find_rings(cycles("abcd", "abcd"))
    second = find_rings(cycles("abef", "abef"), previous=first)
    assert set(second.table["ring_id"].to_pylist()) == set(first.table["ring_id"].to_pylist())
    third = find_rings(cycles("abghi", "abghi"), previous=first.table)
    assert set(third.table["ring_id"].to_pylist()).isdisjoint(first.table["ring_id"].to_pylist())
    assert [event for event, *_ in events(second)] == ["kept"]


def test_of_two_rings_the_one_that_shares_most_keeps_the_id_and_the_split_is_told():
    first = find_rings(cycles("abcdef", "abcdef"))
    (earlier,) = set(first.table["ring_id"].to_pylist())
    second = find_rings(cycles("abcd", "abcd", "efgh", "efgh"), previous=first)
    by_member = dict(zip(second.table["member"].to_pylist(), second.table["ring_id"].to_pylist(), strict=True))
    assert by_member["a"] == earlier != by_member["e"]
    assert events(second) == [("kept", earlier, earlier), *sorted(("split", by_member[m], earlier) for m in "ae")]


def test_rings_that_come_together_and_rings_that_end_are_told():
    first = find_rings(cycles("abc", "abc", "def", "def", "xyz", "xyz"))
    ids = dict(zip(first.table["member"].to_pylist(), first.table["ring_id"].to_pylist(), strict=True))
    second = find_rings(cycles("abcdef", "abcdef"), previous=first)
    (now,) = set(second.table["ring_id"].to_pylist())
    assert now in (ids["a"], ids["d"])
    assert events(second) == [
        ("ended", None, ids["x"]),
        ("kept", now, now),
        *(("merged", now, each) for each in sorted((ids["a"], ids["d"]))),
    ]


def test_a_new_ring_takes_no_id_that_another_has_kept():
    first = find_rings(cycles("abc", "abc"))
    grown = find_rings(cycles("abcdef", "abcdef"), previous=first)
    split = find_rings(cycles("abc", "abc", "defgh", "defgh"), previous=grown)
    assert len(set(split.table["ring_id"].to_pylist())) == 2


def test_a_sum_that_goes_on_in_parts_and_comes_on_as_one_makes_a_cycle():
    rows = [
        (1, "a", "b", 1000, 0),
        (2, "b", "c", 300, 1),
        (3, "b", "c", 660, 2),
        (4, "c", "a", 950, 3),
    ]
    assert find_cycles(table(rows), TIERS["A"]).table.num_rows == 0
    found = find_cycles(table(rows), SPLIT).table
    assert found["transfer_id"].to_pylist() == [1, 2, 3, 4]
    assert found["position"].to_pylist() == [0, 1, 1, 2]
    assert find_rings(find_cycles(table(rows), SPLIT)).table["support"].to_pylist() == [2, 2, 2]
    for other in (
        [*rows[:3], (4, "c", "a", 950, 1)],  # goes on before all parts are there
        [*rows[:3], (4, "c", "a", 961, 3)],  # more than came
        [*rows[:3], (4, "c", "a", 892, 3)],  # more is kept than 7 %
        [*rows[:2], (3, "b", "c", 660, 10 * DAY), (4, "c", "a", 950, 11 * DAY)],  # parts too far apart
        [*rows[:3], (4, "c", "a", 950, 10 * DAY)],  # rests too long
        [*rows, (5, "b", "c", 1, 1)],  # another payment between the parts makes another sum
    ):
        found = find_cycles(table(other), SPLIT).table.num_rows
        assert found == (5 if len(other) == 5 else 0)


def test_the_split_tier_finds_what_trying_all_runs_finds():
    rng, some = np.random.default_rng(3), 0
    for _ in range(60):
        rows = [
            (i, int(rng.integers(4)), int(rng.integers(4)), int(rng.choice([10, 20, 29, 30, 48, 50, 59, 60])), int(rng.integers(8)) * DAY)
            for i in range(14)
        ]
        found = {}
        for row in find_cycles(table(rows), SPLIT).table.to_pylist():
            found.setdefault(row["cycle_id"], {}).setdefault(row["position"], []).append(row["transfer_id"])
        mine = {frozenset(frozenset(ids) for ids in hops.values()) for hops in found.values()}
        assert len(mine) == len(found)
        assert mine == every_split(rows)
        some += len(mine)
    assert some > 40


def every_split(rows):
    """All cycles of runs of up to four transfers between the same two, by walking all ways."""
    runs = []
    for ends in {row[1:3] for row in rows if row[1] != row[2]}:
        own = sorted((row for row in rows if row[1:3] == ends), key=lambda row: (row[4], row[0]))
        runs += [own[i : i + size] for size in range(1, 5) for i in range(len(own) - size + 1)]
    runs = [run for run in runs if run[-1][4] - run[0][4] <= 9 * DAY]
    found = set()

    def go(way):
        for run in runs:
            before, worth = sum(row[3] for row in way[-1]), sum(row[3] for row in run)
            follows = run[0][1] == way[-1][0][2] and way[-1][-1][4] <= run[0][4] <= way[-1][-1][4] + 9 * DAY
            if not follows or not 0.93 * before <= worth <= before:
                continue
            if run[0][2] == way[0][0][1] and 2 * worth >= sum(row[3] for row in way[0]):
                found.add(frozenset(frozenset(row[0] for row in each) for each in [*way, run]))
            elif run[0][2] not in {row[0][1] for row in way} | {run[0][1]}:
                go([*way, run])

    for run in runs:
        go([run])
    return found


def test_cycles_that_come_again_or_are_long_speak_of_a_ring_and_others_are_chance():
    again = corroborated(cycles("abc", "abc", "xyz", "abd"))
    assert set(again["cycle_id"].to_pylist()) == {0, 1}
    assert set(corroborated(cycles("abc", "vwxyz"))["cycle_id"].to_pylist()) == {1}
    assert set(corroborated(cycles("abc", "abd"), alike_ppm=600_000)["cycle_id"].to_pylist()) == {0, 1}
    assert corroborated(cycles("abc")).num_rows == 0


def test_payments_beside_the_cycles_make_them_chance():
    rows = table(rounds("abc", "abc"))
    found = cycles("abc", "abc")
    assert corroborated(found, rows).num_rows == 6
    beside = table([(f"x{n}", "a", "b", 5, n * DAY) for n in range(2)])
    assert corroborated(found, pa.concat_tables([rows, beside])).num_rows == 6
    assert corroborated(found, pa.concat_tables([rows, beside, beside])).num_rows == 0


def test_what_partners_of_a_long_cycle_pay_beside_it_makes_it_chance_unless_it_comes_again():
    beside = table([(f"x{n}", "a", "b", 5, n * DAY) for n in range(10)])
    once, twice = rounds("abcde"), rounds("abcde", "abcde")
    assert corroborated(cycles("abcde"), table(once)).num_rows == 5
    assert corroborated(cycles("abcde"), pa.concat_tables([table(once), beside])).num_rows == 0
    assert corroborated(cycles("abcde", "abcde"), pa.concat_tables([table(twice), beside])).num_rows == 10
    assert corroborated(cycles("abcde", "abcde"), pa.concat_tables([table(twice), beside, beside])).num_rows == 0


def test_money_lent_and_paid_back_between_two_says_nothing_of_longer_cycles():
    assert set(corroborated(cycles("abcd", "ab"))["cycle_id"].to_pylist()) == set()
    assert set(corroborated(cycles("abcd", "ab", "ab"))["cycle_id"].to_pylist()) == {1, 2}


def test_one_cycle_found_in_several_tiers_is_one():
    rows = table(rounds("abc"))
    assert find_rings([find_cycles(rows, TIERS[tier]) for tier in "ABC"]).table.num_rows == 0
    twice = table(rounds("abc", "abc"))
    whole = find_rings(find_cycles(twice, TIERS["A"])).table
    assert find_rings([find_cycles(twice, TIERS[tier]) for tier in "AA"]).table.equals(whole)


def test_two_who_meet_over_a_hub_are_a_ring_only_where_they_are_tied():
    others = [f"h{chr(200 + n)}{chr(300 + n)}" for n in range(14)]
    found = members(find_rings(cycles(*others, "hxy", "hxy")))
    assert "xy" not in found
    tie = pa.table({"a": ["x"], "b": ["y"]})
    assert "xy" in members(find_rings(cycles(*others, "hxy", "hxy", "xy"), links=tie))


def test_a_ring_much_unlike_the_earlier_one_is_new_and_that_one_has_ended():
    before = find_rings(cycles("abcdefgh", "abcdefgh"))
    after = find_rings(cycles("abcxyz", "abcxyz"), previous=before)
    old, new = before.table["ring_id"][0].as_py(), after.table["ring_id"][0].as_py()
    assert new != old
    assert events(after) == [("ended", None, old), ("new", new, None)]


def test_of_two_earlier_rings_as_good_the_same_keeps_its_id_in_whatever_order_rows_come():
    now = cycles("abcd", "abcd")
    rows = [("r1", "a"), ("r1", "b"), ("r2", "c"), ("r2", "d")]
    for order in itertools.permutations(rows):
        previous = pa.table({"ring_id": [ring for ring, _ in order], "member": [member for _, member in order]})
        assert set(find_rings(now, previous=previous).table["ring_id"].to_pylist()) == {"r1"}


def test_of_two_halves_of_an_earlier_ring_the_same_keeps_its_id_in_whatever_order_cycles_come():
    before = pa.table({"ring_id": ["r"] * 6, "member": list("abcxyz")})
    kept = []
    for ways in (("abc", "abc", "xyz", "xyz"), ("xyz", "xyz", "abc", "abc")):
        rings = find_rings(cycles(*ways), previous=before).table
        kept.append(sorted(row["member"] for row in rings.to_pylist() if row["ring_id"] == "r"))
    assert kept == [["a", "b", "c"]] * 2


def test_days_in_the_place_of_moments_come_back_as_days():
    rows = [(f"t{n}", "abc"[n % 3], "abc"[(n + 1) % 3], 100, date(2024, 1, 1 + n)) for n in range(6)]
    found = find_rings(find_cycles(table(rows), TIERS["A"])).table
    assert set(zip(found["first_at"].to_pylist(), found["last_at"].to_pylist(), strict=True)) == {(date(2024, 1, 1), date(2024, 1, 6))}


def test_rings_of_no_cycles_are_of_the_types_of_those_of_some_and_a_table_without_rows_is_like_any():
    rows = table(rounds("abc", "abc"))
    rows = rows.set_column(4, "at", rows["at"].cast(pa.timestamp("us")))
    some, none = (find_cycles(of, TIERS["A"]) for of in (rows, rows.slice(0, 2)))
    assert none.table.num_rows == 0
    assert find_rings(none).table.schema.types == find_rings([none, none]).table.schema.types == find_rings(some).table.schema.types
    empty = pa.table({name: pa.array([], pa.int64()) for name in none.table.column_names})
    assert find_rings([empty, some, empty]).table.equals(find_rings(some).table)


def test_tables_of_cycles_that_are_unlike_are_refused():
    one = cycles("abc", "abc")
    numbers = pa.array(range(one.num_rows))
    with pytest.raises(UsageError, match="cycles: transfer_id is of type string in one table and int64 in another; make them alike"):
        find_rings([one, one.set_column(2, "transfer_id", numbers)])
    with pytest.raises(UsageError, match="cycles: amount_fen is of type double; it is whole fen"):
        find_rings(one.set_column(one.column_names.index("amount_fen"), "amount_fen", one["amount_fen"].cast(pa.float64())))
    with pytest.raises(UsageError, match="alone is '5'; give 3 members or more, or none"):
        find_rings(one, alone="5")


def test_what_makes_no_sense_is_refused():
    with pytest.raises(UsageError, match="cycles lack the column cycle_id"):
        find_rings(table(rounds("abc")))
    with pytest.raises(UsageError, match="links lack the column b"):
        find_rings(cycles("ab"), links=pa.table({"a": ["a"]}))
    with pytest.raises(UsageError, match="links: a is of type int64, but the parties of cycles are string; make them alike"):
        find_rings(cycles("ab"), links=pa.table({"a": [1], "b": [2]}))
    with pytest.raises(UsageError, match="groups: party is of type double; ids are strings or whole numbers"):
        find_rings(cycles("ab"), groups=pa.table({"group_id": ["g"], "party": [1.0]}))
    with pytest.raises(UsageError, match="previous row 0: member is null"):
        find_rings(cycles("abc", "abc"), previous=pa.table({"ring_id": ["r"], "member": pa.array([None], pa.string())}))
    with pytest.raises(UsageError, match="alone is 2; give 3 members or more"):
        find_rings(cycles("abc"), alone=2)
    with pytest.raises(UsageError, match="give ppm, and 2 members or more"):
        corroborated(cycles("abc"), alone=1)
