"""The unified limit: known answers with their sources, cases worked by hand, and sums in plain Python."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.derivations.groups import find_groups
from kg.derivations.limits import aggregate_exposure, headroom
from kg.errors import UsageError
from kg.rulesets import get

LARGE, GROUP, INSIDERS = get("CN-LE-2018"), get("CN-GROUP-2010"), get("CN-RPT-2022")
NOTICE, LOANS, SINGLE, SET, BANK = (str(limit) for limit in LARGE.limits)
STRING, NUMBER = pa.string(), pa.int64()
#: Tier 1 = net capital = 100 yuan.
HUNDRED = pa.table({"net_capital_fen": [10_000], "tier_1_fen": [10_000]})


def exposures(*rows, **columns):
    """Return exposures written as ``A loan 20.00``, or ``A loan 20.00 less 5 by G``; in yuan."""
    words = [row.split() for row in rows]
    covered = [len(word) > 3 for word in words]
    return pa.table(
        {
            "party": pa.array([word[0] for word in words], STRING),
            "kind": pa.array([word[1] for word in words], STRING),
            "amount_fen": pa.array([round(float(word[2]) * 100) for word in words], NUMBER),
            "mitigated_fen": pa.array([round(float(word[4]) * 100) if c else None for word, c in zip(words, covered, strict=True)], NUMBER),
            "provider": pa.array([word[6] if c else None for word, c in zip(words, covered, strict=True)], STRING),
            **columns,
        }
    )


def groups(**members):
    """Return groups written as ``g="AB"``: A is the head and controls the others."""
    rows = [
        (name, party, "controls" if party == of[0] else f"controlled by {of[0]} with 600000 ppm")
        for name, of in members.items()
        for party in of
    ]
    return pa.table(
        {column: pa.array([row[place] for row in rows], STRING) for place, column in enumerate(("group_id", "party", "because"))}
    )


def found(of, owed, rules=LARGE, capital=HUNDRED, **more):
    rows = aggregate_exposure(of, owed, capital, rules, **more).to_pylist()
    return {(row["group_id"], row["limit"]): row for row in rows}


def breaches(of, owed, rules=LARGE, **more):
    return {pair for pair, row in found(of, owed, rules, **more).items() if row["breach"]}


# -- cases with known answers ------------------------------------------------------------------------------------


def test_ownership_md_a_connected_set_of_20_passes_and_20_01_breaches():
    assert ("g", SET) not in breaches(groups(g="AB"), exposures("A other 12", "B other 8"))
    assert ("g", SET) in breaches(groups(g="AB"), exposures("A other 12", "B other 8.01"))


def test_ownership_md_2_5_is_not_large_and_2_51_is():
    assert breaches(groups(), exposures("A other 2.5", "B other 2.51")) == {("B", NOTICE)}


def test_ownership_md_all_six_kinds_of_exposure_add_up():
    kinds = ("loan", "specific", "trading", "counterparty", "potential", "other")
    rows = found(groups(g="AB"), exposures(*(f"A {kind} 1.01" for kind in kinds)))
    assert [rows[who, limit]["used_fen"] for who, limit in (("A", SINGLE), ("g", SET), ("A", LOANS))] == [606, 606, 101]


def test_ownership_md_mitigation_moves_exposure_to_the_provider_who_is_in_another_group():
    owed = exposures("A other 10 less 4 by Q", "B other 1", "Q other 2")
    rows = found(groups(g="AB", h="PQ"), owed)
    assert {who: rows[who, limit]["used_fen"] for who, limit in (("A", SINGLE), ("Q", SINGLE), ("g", SET), ("h", SET))} == {
        "A": 600,
        "Q": 600,
        "g": 700,
        "h": 600,
    }
    assert (rows["h", SET]["members"], rows["h", SET]["edges"]) == (["Q"], ["controlled by P with 600000 ppm"])


def test_ownership_md_a_firm_dependent_on_two_groups_counts_in_each():
    control = pa.table({"controller": ["P", "Q"], "controlled": ["A", "B"], "votes_ppm": [600_000] * 2, "certain": [True] * 2})
    depends = pa.table({"dependent": ["D", "D"], "on": ["A", "B"], "test": ["receipts", "guarantee"], "ppm": [500_000, None]})
    of = find_groups(control, depends, LARGE)
    rows = [row for row in found(of, exposures("A other 11", "B other 12", "D other 9")).values() if row["limit"] == SET]
    assert sorted((row["used_fen"], row["members"], row["edges"]) for row in rows) == [
        (2_000, ["A", "D"], ["controlled by P with 600000 ppm", "depends on A: receipts 500000 ppm"]),
        (2_100, ["B", "D"], ["controlled by Q with 600000 ppm", "depends on B: guarantee"]),
    ]


def test_ownership_md_group_clients_may_owe_15_percent_of_net_capital():
    capital = pa.table({"net_capital_fen": [20_000], "tier_1_fen": [1]})
    assert breaches(groups(g="AB"), exposures("A loan 30"), GROUP, capital=capital) == set()
    assert breaches(groups(g="AB"), exposures("A loan 30", "B loan 0.01"), GROUP, capital=capital) == {("g", str(GROUP.limits[0]))}


def test_ownership_md_single_loans_may_reach_10_percent_of_net_capital_and_exposure_15_of_tier_1():
    assert breaches(groups(), exposures("A loan 10", "A other 5")) == {("A", NOTICE)}
    assert breaches(groups(), exposures("A loan 10.01", "A other 4.99")) == {("A", NOTICE), ("A", LOANS)}
    assert breaches(groups(), exposures("A loan 10", "A other 5.01")) == {("A", NOTICE), ("A", SINGLE)}


# -- worked by hand ----------------------------------------------------------------------------------------------


def test_loans_count_with_who_borrowed_them_whoever_guarantees():
    rows = found(groups(), exposures("A loan 11 less 11 by Q"))
    assert (rows["A", LOANS]["used_fen"], rows["A", SINGLE]["used_fen"]) == (1_100, 0)
    assert (rows["Q", LOANS]["used_fen"], rows["Q", SINGLE]["used_fen"]) == (0, 1_100)


def test_mitigation_within_a_group_changes_nothing_for_the_group():
    rows = found(groups(g="AB"), exposures("A other 10 less 10 by B"))
    assert (rows["g", SET]["used_fen"], rows["g", SET]["members"]) == (1_000, ["B"])


def test_members_are_told_the_largest_first_each_with_the_reason_why_it_belongs():
    rows = found(groups(g="PABC"), exposures("A other 1", "B other 3", "C other 3", "P other 2", "X other 9"))
    assert rows["g", SET]["members"] == ["B", "C", "P", "A"]
    assert rows["g", SET]["edges"] == [*["controlled by P with 600000 ppm"] * 2, "controls", "controlled by P with 600000 ppm"]
    assert (rows["X", SINGLE]["members"], rows["X", SINGLE]["edges"]) == (["X"], [])


def test_a_group_that_owes_nothing_has_all_of_its_headroom():
    row = found(groups(g="AB"), exposures("X other 1"))["g", SET]
    assert row == {"group_id": "g", "limit": SET, "used_fen": 0, "headroom_fen": 2_000, "breach": False, "members": [], "edges": []}


def test_a_limit_of_a_broken_number_of_fen_is_reached_by_the_whole_fen_below_it():
    capital = pa.table({"net_capital_fen": [9_999], "tier_1_fen": [9_999]})
    row = found(groups(g="AB"), exposures("A other 19.99"), capital=capital)["g", SET]
    assert (row["headroom_fen"], row["breach"]) == (0, False)


def test_amounts_beyond_what_floats_count_are_exact():
    large = 2**53 + 1
    capital = pa.table({"net_capital_fen": [5 * (large + 1)], "tier_1_fen": [5 * (large + 1)]})
    owed = pa.table({"party": ["A", "B"], "kind": ["other", "other"], "amount_fen": [large, 2]})
    row = found(groups(g="AB"), owed, capital=capital)["g", SET]
    assert (row["used_fen"], row["headroom_fen"], row["breach"]) == (large + 2, -1, True)


def test_a_bank_has_the_limit_of_banks_in_the_place_of_those_of_clients():
    banks = pa.table({"party": ["A", "B"], "bank": [True, False]})
    rows = found(groups(), exposures("A loan 25.01", "B other 3"), parties=banks)
    assert {limit for who, limit in rows if who == "A"} == {NOTICE, BANK}
    assert {limit for who, limit in rows if who == "B"} == {NOTICE, LOANS, SINGLE}
    assert rows["A", BANK]["headroom_fen"] == -1


def test_insiders_alone_are_limited_under_the_rules_on_insiders_singly_by_group_and_together():
    client, group, every = (str(limit) for limit in INSIDERS.limits)
    owed = exposures("A loan 9", "B loan 7", "C loan 30", "D loan 42")
    rows = found(groups(g="AB", h="CE"), owed, INSIDERS, insiders=pa.table({"party": ["A", "D", "Z"]}))
    assert set(rows) == {("A", client), ("D", client), ("g", group), ("insiders", every)}
    assert [rows[key]["headroom_fen"] for key in (("A", client), ("D", client), ("g", group), ("insiders", every))] == [
        100,
        -3_200,
        -100,
        -100,
    ]
    assert rows["insiders", every]["members"] == ["D", "A"]


def test_without_a_table_of_insiders_nobody_is_left_out_and_nothing_is_said_of_all_together():
    client, group, _ = (str(limit) for limit in INSIDERS.limits)
    assert set(found(groups(g="AB"), exposures("C loan 1"), INSIDERS)) == {("C", client), ("g", group)}


def test_the_bank_s_own_limits_are_told_beside_those_of_the_law():
    own = pa.table({"party": ["A", None, "A", "N", None], "group_id": [None, "g", None, None, "gone"], "limit_fen": [400, 900, 300, 50, 1]})
    rows = found(groups(g="AB"), exposures("A other 3", "B other 7"), internal=own)
    told = {who: (row["used_fen"], row["headroom_fen"], row["breach"]) for (who, limit), row in rows.items() if limit == "internal limit"}
    assert told == {"A": (300, 0, False), "g": (1_000, -100, True), "N": (0, 50, False)}


def test_the_least_headroom_of_a_party_is_that_of_itself_or_of_any_group_it_is_in():
    of = groups(g="AB", h="AC")
    owed = exposures("A loan 1", "B other 6", "C other 14")
    table = aggregate_exposure(of, owed, HUNDRED, LARGE)
    least = headroom(table, of, "A", LARGE).to_pylist()
    assert [(row["group_id"], row["limit"], row["headroom_fen"]) for row in least] == [
        ("h", SET, 500),
        ("A", LOANS, 900),
        ("g", SET, 1_300),
        ("A", SINGLE, 1_400),
    ]
    assert (least[0]["members"], least[0]["edges"]) == (["C", "A"], ["controlled by A with 600000 ppm", "controls"])
    assert headroom(table, of, "g", LARGE)["headroom_fen"].to_pylist() == [1_300]


def test_what_is_left_for_all_insiders_binds_each_of_them():
    who = pa.table({"party": ["A", "D"]})
    table = aggregate_exposure(groups(), exposures("A loan 1", "D loan 48"), HUNDRED, INSIDERS, insiders=who)
    assert headroom(table, groups(), "A", INSIDERS, insiders=who)["headroom_fen"].to_pylist() == [100, 900]


def test_a_client_of_whom_nothing_is_known_has_no_headroom_before_it_has_a_row():
    of = groups(g="AB")
    table = aggregate_exposure(of, exposures("B other 6", "N other 0"), HUNDRED, LARGE)
    with pytest.raises(UsageError, match="exposures name no A; give a client that owes nothing a row of 0"):
        headroom(table, of, "A", LARGE)
    assert headroom(table, of, "N", LARGE)["headroom_fen"].to_pylist() == [1_000, 1_500]


def test_exposures_and_capital_are_those_of_the_day():
    days = {"valid_from": pa.array([None, date(2024, 1, 1)], pa.date32()), "valid_to": pa.array([date(2024, 1, 1), None], pa.date32())}
    capital = pa.table({"net_capital_fen": [10_000, 20_000], "tier_1_fen": [10_000, 20_000], **days})
    owed = exposures("A other 1", "A other 2", **days)
    told = [found(groups(), owed, capital=capital, as_of=day)["A", SINGLE] for day in (date(2023, 12, 31), date(2024, 1, 1), None)]
    assert [(row["used_fen"], row["headroom_fen"]) for row in told] == [(100, 1_400), (200, 2_800), (200, 2_800)]


def test_numbers_as_ids_give_what_strings_give():
    of = pa.table({"group_id": ["g", "g"], "party": [10**12, 7], "because": ["controls", "depended upon"]})
    owed = pa.table({"party": [7, 8], "kind": ["loan", "other"], "amount_fen": [5, 6], "mitigated_fen": [0, 6], "provider": [None, 10**12]})
    rows = found(of, owed, parties=pa.table({"party": [7], "bank": [True]}))
    assert (rows["g", SET]["members"], rows["g", SET]["used_fen"]) == ([10**12, 7], 11)
    assert ("7", BANK) in rows
    assert ("8", SINGLE) in rows


def test_nothing_in_makes_no_rows_of_the_same_schema():
    empty = aggregate_exposure(groups(), exposures(), HUNDRED, LARGE)
    assert empty.num_rows == 0
    assert empty.schema.equals(aggregate_exposure(groups(g="AB"), exposures("A loan 1"), HUNDRED, LARGE).schema)


# -- refusals ----------------------------------------------------------------------------------------------------

WRONG = [
    ({"party": ["A", None]}, "exposures row 1: party is null"),
    ({"kind": ["loan", "laon"]}, "exposures row 1: there is no kind 'laon'; did you mean 'loan'?"),
    ({"kind": [None, "loan"]}, "exposures row 0: kind is null"),
    ({"amount_fen": [1, -1]}, "exposures row 1: amount_fen is -1; an amount is 0 or more"),
    ({"amount_fen": [1.5, 1.0]}, "exposures row 0: amount_fen is 1.5, of type double; amounts are whole fen"),
    ({"amount_fen": [2**62, 2**62]}, "exposures: amount_fen come to more than"),
    ({"mitigated_fen": [3, 11]}, "exposures row 1: mitigated_fen is 11, more than amount_fen, 10"),
    ({"mitigated_fen": [-3, 1]}, "exposures row 0: mitigated_fen is -3"),
    ({"provider": [None, "Q"]}, "exposures row 0: provider is null; name who bears the 1 fen"),
    ({"valid_to": [date(2024, 1, 1), date(2020, 1, 1)]}, "exposures row 1: valid_from 2021-01-01 does not lie before valid_to 2020-01-01"),
]


@pytest.mark.parametrize(("columns", "said"), WRONG, ids=[case[1] for case in WRONG])
def test_a_wrong_exposure_is_refused_with_a_sentence_that_names_it(columns, said):
    right = {"party": ["A", "B"], "kind": ["loan"] * 2, "amount_fen": [10, 10], "mitigated_fen": [1, 1], "provider": ["Q"] * 2}
    with pytest.raises(UsageError, match=said.replace("?", r"\?")):
        aggregate_exposure(groups(), pa.table({**right, "valid_from": [date(2021, 1, 1)] * 2, **columns}), HUNDRED, LARGE)


def test_two_capital_figures_for_a_day_are_refused_and_none_too():
    twice = pa.concat_tables([HUNDRED, HUNDRED])
    with pytest.raises(UsageError, match="capital rows 0 and 1 both hold without an end; a bank has one capital on a day"):
        aggregate_exposure(groups(), exposures(), twice, LARGE)
    ended = twice.append_column("valid_to", pa.array([date(2024, 1, 1), date(2025, 1, 1)], pa.date32()))
    with pytest.raises(UsageError, match="capital rows 0 and 1 both hold on 2023-01-01"):
        aggregate_exposure(groups(), exposures(), ended, LARGE, as_of=date(2023, 1, 1))
    with pytest.raises(UsageError, match="capital: no row holds on 2025-01-01; give one with net_capital_fen and tier_1_fen"):
        aggregate_exposure(groups(), exposures(), ended, LARGE, as_of=date(2025, 1, 1))
    with pytest.raises(UsageError, match="capital row 0: tier_1_fen is null"):
        aggregate_exposure(groups(), exposures(), pa.table({"net_capital_fen": [1], "tier_1_fen": pa.array([None], NUMBER)}), LARGE)


def test_other_tables_that_cannot_be_are_refused():
    with pytest.raises(UsageError, match="groups row 2: the party is in this group already"):
        aggregate_exposure(groups(g="ABA"), exposures(), HUNDRED, LARGE)
    own = pa.table({"party": ["A", "B"], "group_id": [None, "g"], "limit_fen": [1, 1]})
    with pytest.raises(UsageError, match="internal limits row 1: give it either a party or a group_id"):
        aggregate_exposure(groups(), exposures(), HUNDRED, LARGE, internal=own)
    with pytest.raises(UsageError, match="exposures with mitigated_fen lack the column provider"):
        aggregate_exposure(groups(), exposures("A loan 1").drop_columns("provider"), HUNDRED, LARGE)


# -- sums in plain Python ----------------------------------------------------------------------------------------

PARTIES = "ABCDEF"
PARTY = st.sampled_from(PARTIES)


@st.composite
def books(draw):
    """Return who is in which group, rows of exposure, and capital."""
    of = draw(st.dictionaries(st.sampled_from("ghk"), st.lists(PARTY, min_size=1, unique=True), max_size=3))
    rows = []
    for party, kind in draw(st.lists(st.tuples(PARTY, st.sampled_from(["loan", "trading"])), max_size=8)):
        amount = draw(st.integers(0, 3_000))
        rows.append((party, kind, amount, draw(st.integers(0, amount)), draw(PARTY)))
    return {name: "".join(members) for name, members in of.items()}, rows, draw(st.integers(1, 20_000))


def written(of, rows, capital):
    names = ("party", "kind", "amount_fen", "mitigated_fen", "provider")
    types = (STRING, STRING, NUMBER, NUMBER, STRING)
    owed = {name: pa.array([row[place] for row in rows], type_) for place, (name, type_) in enumerate(zip(names, types, strict=True))}
    return groups(**of), pa.table(owed), pa.table({"net_capital_fen": [capital], "tier_1_fen": [2 * capital]})


@settings(deadline=None, max_examples=80)
@given(books())
def test_what_is_used_is_the_sum_and_a_breach_is_told_in_fractions(book):
    of, rows, capital = book
    lent = {p: sum(row[2] for row in rows if row[0] == p and row[1] == "loan") for p in PARTIES}
    borne = {p: sum(row[2] - row[3] for row in rows if row[0] == p) + sum(row[3] for row in rows if row[4] == p) for p in PARTIES}
    clients = {row[0] for row in rows} | {row[4] for row in rows if row[3]}
    expected = {}
    for limit in LARGE.limits:
        most = Fraction(limit.ppm * (2 * capital if limit.base == "tier_1" else capital), 1_000_000)
        amount = lent if limit.covers == "loans" else borne
        sets = of if limit.of == "group" else {p: p for p in clients} if limit.of == "client" else {}
        for name, members in sets.items():
            used = sum(amount[p] for p in members)
            largest = sorted((p for p in members if amount[p]), key=lambda p: (-amount[p], p))
            expected[name, str(limit)] = (used, used > most, largest)
    of_groups, owed, fen = written(of, rows, capital)
    got = found(of_groups, owed, capital=fen)
    assert {key: (row["used_fen"], row["breach"], row["members"]) for key, row in got.items()} == expected
    assert all(row["breach"] == (row["headroom_fen"] < 0) for row in got.values())
    assert len(got) == aggregate_exposure(of_groups, owed, fen, LARGE).num_rows


@settings(deadline=None, max_examples=50)
@given(books(), st.randoms())
def test_order_and_names_change_nothing_and_a_stranger_neither(book, dice):
    of, rows, capital = book
    name = dict(zip(PARTIES, dice.sample(PARTIES, len(PARTIES)), strict=True))
    moved = (
        {key: "".join(name[p] for p in members) for key, members in of.items()},
        [(name[row[0]], *row[1:4], name[row[4]]) for row in dice.sample(rows, len(rows))],
    )
    one, owed, fen = written(of, rows, capital)
    other, owing, _ = written(*moved, capital)
    more = {"g1": "ST"}, [("S", "loan", 5, 5, "T")]
    strange, also, _ = written(*more, capital)
    told = {(name.get(who, who), limit): row["used_fen"] for (who, limit), row in found(one, owed, capital=fen).items()}
    after = found(pa.concat_tables([strange, other]), pa.concat_tables([owing, also]), capital=fen)
    assert {key: row["used_fen"] for key, row in after.items() if key[0] not in ("g1", "S", "T")} == told
