"""Who belongs together: known answers with their sources, cases worked by hand, and brute force on small worlds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.derivations.control import find_control
from kg.derivations.groups import find_groups
from kg.errors import UsageError
from kg.ruleset import Threshold
from kg.rulesets import get

LARGE, GROUP, ACCOUNTING, AMERICA = get("CN-LE-2018"), get("CN-GROUP-2010"), get("CN-CAS36"), get("US-32.5")
STRING, NUMBER = pa.string(), pa.int64()


def control(words, certain=True):
    """Return control written as ``P>A H＋W>B``, each with 600,000 ppm of the votes."""
    pairs = [word.split(">") for word in words.split()]
    columns = {"controller": [a for a, _ in pairs], "controlled": [b for _, b in pairs]}
    table = pa.table({name: pa.array(values, STRING) for name, values in columns.items()})
    table = table.append_column("votes_ppm", pa.array([600_000] * len(pairs), NUMBER))
    return table.append_column("certain", pa.array([certain] * len(pairs), pa.bool_()))


def dependence(*rows, **columns):
    """Return dependence written as ``A on B`` (stated) or ``A on B 50`` (percent of receipts)."""
    words = [row.split() for row in rows]
    ppm = [round(float(word[3]) * 10_000) if len(word) > 3 else None for word in words]
    return pa.table(
        {
            "dependent": pa.array([word[0] for word in words], STRING),
            "on": pa.array([word[2] for word in words], STRING),
            "test": pa.array(["guarantee" if value is None else "receipts" for value in ppm], STRING),
            "ppm": pa.array(ppm, NUMBER),
            **columns,
        }
    )


def holdings(*rows):
    names = ("holder", "held", "share_ppm")
    return pa.table({name: pa.array([row[place] for row in rows]) for place, name in enumerate(names)})


def pairs(words):
    a, b = zip(*(word.split("-") for word in words.split()), strict=True)
    return pa.table({"a": a, "b": b})


def states(*names):
    return pa.table({"party": list(names), "kind": ["state"] * len(names)})


def found(*tables, rules=LARGE, **more):
    """Return the groups, each as the set of its members with their roles, h, c or d."""
    groups = {}
    for row in find_groups(*tables, rules, **more).to_pylist():
        groups.setdefault(row["group_id"], []).append(f"{row['party']}:{row['role'][0]}")
    return sorted(" ".join(sorted(members)) for members in groups.values())


def reasons(*tables, rules=LARGE, **more):
    return {row["party"]: row["because"] for row in find_groups(*tables, rules, **more).to_pylist()}


def ids(table):
    groups = {}
    for row in table.to_pylist():
        groups.setdefault(row["group_id"], set()).add(str(row["party"]))
    return {"".join(sorted(members)): group for group, members in groups.items()}


# -- cases with known answers ------------------------------------------------------------------------------------


def test_ownership_md_two_firms_of_the_state_asset_body_are_not_related_by_that_alone():
    owned = find_control(holdings(("S", "A", 1_000_000), ("S", "B", 1_000_000)), GROUP)
    assert found(owned, None, rules=GROUP, parties=states("S")) == []
    assert found(owned, None, rules=AMERICA, parties=states("S")) == []
    assert found(owned, None, rules=replace(GROUP, state_exempt=False), parties=states("S")) == ["A:c B:c S:h"]


def test_ownership_md_a_firm_dependent_on_two_groups_counts_in_each_and_ties_them_not_together():
    assert found(control("P>A Q>B"), dependence("D on A 60", "D on B 50")) == ["A:c D:d P:h", "B:c D:d Q:h"]


def test_ownership_md_a_group_is_never_a_connected_component():
    assert found(control(""), dependence("A on B", "C on B")) == ["A:d B:h C:d"]
    assert found(control(""), dependence("A on B", "A on D")) == ["A:d B:h", "A:d D:h"]


def test_ownership_md_51_51_51_chain_is_one_group_of_its_top():
    chain = find_control(holdings(("P", "A", 510_000), ("A", "B", 510_000), ("B", "C", 510_000)), LARGE)
    assert found(chain, None) == ["A:c B:c C:c P:h"]
    assert reasons(chain, None)["C"] == "controlled by P with 510000 ppm"


def test_ownership_md_two_firms_that_hold_60_of_each_other_are_a_group_without_a_head_and_the_minority_is_no_member():
    circle = find_control(holdings(("A", "B", 600_000), ("B", "A", 600_000), ("P", "A", 400_000)), LARGE)
    assert found(circle, None) == ["A:c B:c"]


def test_ownership_md_husband_and_wife_are_one_group_where_the_family_rule_is_on():
    rows = holdings(("H", "C", 300_000), ("W", "C", 300_000), ("S", "C", 400_000))
    kin = pa.table({"a": ["H"], "b": ["W"], "kinship": ["spouse"]})
    assert found(find_control(rows, GROUP, kin=kin), None, rules=GROUP) == ["C:c H:h W:h"]
    assert found(find_control(rows, GROUP, kin=kin), None, rules=GROUP) != found(find_control(rows, AMERICA, kin=kin), None, rules=AMERICA)


def test_ownership_md_unknown_shares_make_nobody_certain_and_no_group():
    rows = find_control(holdings(("P", "C", 450_000), ("Q", "C", 300_000), ("R", "C", None)), LARGE, concert=pairs("P-R"))
    assert rows["certain"].to_pylist() == [False]
    assert found(rows, None) == []


def test_ownership_md_cas36_leaves_out_who_is_only_economically_dependent():
    tables = control("P>A"), dependence("D on A 100", "X on Y")
    assert found(*tables, rules=ACCOUNTING) == ["A:c P:h"]
    assert found(*tables, rules=LARGE) == ["A:c D:d P:h", "X:d Y:h"]


def test_ownership_md_us_32_5_needs_common_control_and_half_of_the_receipts():
    tables = control("P>A P>B P>C Q>D"), dependence("A on B 50", "C on B 49.9999", "D on B 90", "X on Y 90")
    assert found(*tables, rules=AMERICA) == ["A:d B:h"]


def test_ownership_md_us_32_5_the_same_sole_repayment_source_is_enough_by_itself():
    rows = dependence("A on S", "B on S", "C on S", test=pa.array(["repayment_source", "repayment_source", "guarantee"]))
    assert found(control(""), rows.drop_columns("test").append_column("test", rows["test"]), rules=AMERICA) == ["A:d B:d S:h"]


def test_us_32_5_a_borrower_that_depends_on_its_own_controller_is_one_with_it():
    assert found(control("P>A P>B"), dependence("A on P 70"), rules=AMERICA) == ["A:d P:h"]


def test_ownership_md_a_listed_company_with_two_holders_of_30_is_in_the_groups_of_both():
    law = replace(get("CN-CSRC-84"), control=Threshold(300_000, strict=False))
    rows = find_control(holdings(("P", "L", 300_000), ("Q", "L", 300_000), ("P", "A", 700_000)), law)
    assert found(rows, None, rules=law) == ["A:c L:c P:h", "L:c Q:h"]


# -- worked by hand ----------------------------------------------------------------------------------------------

HAND = [
    ("nobody controls or depends", "", [], []),
    ("a head and what it controls", "P>A P>B", [], ["A:c B:c P:h"]),
    ("two heads stay apart", "P>A Q>B", [], ["A:c P:h", "B:c Q:h"]),
    ("who is controlled is no head", "P>A P>B A>B", [], ["A:c B:c P:h"]),
    ("a circle held from outside belongs to who holds it", "P>A P>B A>B B>A", [], ["A:c B:c P:h"]),
    ("a circle has all that its members control", "A>B B>A A>C B>C", [], ["A:c B:c C:c"]),
    ("half of the receipts is dependence", "P>A", ["D on A 50"], ["A:c D:d P:h"]),
    ("less than half is none", "P>A", ["D on A 49.9999"], ["A:c P:h"]),
    ("a stated judgement needs no number", "P>A", ["D on A"], ["A:c D:d P:h"]),
    ("a dependent comes with all that it controls", "P>A D>E D>F", ["D on A 50"], ["A:c D:d E:c F:c P:h"]),
    ("chains of dependence go on", "P>A", ["D on A 50", "E on D 50", "F on E"], ["A:c D:d E:d F:d P:h"]),
    ("who is depended upon does not follow", "P>A Q>D", ["D on A 50"], ["A:c D:d P:h", "D:c Q:h"]),
    ("two who depend on each other have no head", "", ["A on B 50", "B on A 50"], ["A:d B:d"]),
    ("control goes before dependence", "A>C", ["A on B 50", "B on A 50"], ["A:h B:d C:c"]),
    ("a head that depends on its own subsidiary stays the head", "P>A", ["P on A 80"], ["A:c P:h"]),
    ("a controlled firm that depends on its head is controlled", "P>A", ["A on P 80"], ["A:c P:h"]),
    ("a party's dependence on itself says nothing", "", ["A on A 100"], []),
    ("spouses are heads together", "H＋W>A H＋W>B", [], ["A:c B:c H:h W:h"]),
    ("what one of the spouses controls alone is told with them", "H＋W>A H＋W>B H>B", [], ["A:c B:c H:h W:h"]),
    ("relatives who only control a firm of their own each are two groups", "H＋W>A H＋W>B H>A W>B", [], ["A:c H:h", "B:c W:h"]),
    ("a coalition of firms under one head is told with the head", "P>A P>B P>C A＋B>C", [], ["A:c B:c C:c P:h"]),
    ("a coalition of a head and its subsidiary is the head's", "P>A P>B A>B A＋P>B", [], ["A:c B:c P:h"]),
    ("a coalition of firms under two heads is a third group", "P>A Q>B A＋B>C", [], ["A:c P:h", "A:h B:h C:c", "B:c Q:h"]),
    ("who depends on a spouse joins the family", "H＋W>A", ["D on W 50"], ["A:c D:d H:h W:h"]),
    ("two families share a member and stay apart", "H＋W>A B＋W>C", [], ["A:c H:h W:h", "B:h C:c W:h"]),
]


@pytest.mark.parametrize(("said", "controls", "depends", "expected"), HAND, ids=[case[0] for case in HAND])
def test_by_hand(said, controls, depends, expected):
    assert found(control(controls), dependence(*depends)) == expected, said


def test_possible_control_makes_no_group():
    assert found(control("P>A", certain=False), None) == []


def test_firms_below_a_state_body_are_heads_of_their_own():
    assert found(control("S>A S>B S>C B>C"), None, parties=states("S")) == ["B:h C:c"]


def test_a_state_body_connects_nobody_by_dependence_nor_in_a_coalition():
    assert found(control(""), dependence("A on S 80", "B on S 80"), parties=states("S")) == []
    assert found(control("P＋S>A P＋S>B S>B S＋T>C"), None, parties=states("S", "T")) == ["A:c P:h S:h"]


def test_an_id_with_the_sign_of_coalitions_in_it_is_a_party_where_it_is_known_as_one():
    assert found(control("P>A＋B A＋B>C P>C"), None) == ["A＋B:c C:c P:h"]
    known = pa.table({"party": ["A＋B"], "kind": ["company"]})
    assert found(control("A＋B>C"), None, parties=known) == ["A＋B:h C:c"]


def test_each_member_is_told_with_the_foremost_reason():
    said = reasons(control("P>A P>B A>B H＋W>C"), dependence("D on B 62", "D on A 55", "E on B", "Y on Z"))
    assert said == {
        "P": "controls",
        "A": "controlled by P with 600000 ppm",
        "B": "controlled by P with 600000 ppm",
        "C": "controlled by H＋W with 600000 ppm",
        "D": "depends on B: receipts 620000 ppm",
        "E": "depends on B: guarantee",
        "H": "controls as H＋W",
        "W": "controls as H＋W",
        "Y": "depends on Z: guarantee",
        "Z": "depended upon",
    }


def test_dependence_holds_on_its_days():
    days = {"valid_from": pa.array([date(2024, 1, 1)], pa.date32()), "valid_to": pa.array([date(2025, 1, 1)], pa.date32())}
    rows = dependence("A on B", **days)
    assert [found(control(""), rows, as_of=day) for day in (None, date(2024, 6, 1), date(2025, 1, 1))] == [[], ["A:d B:h"], []]


REBUTTED = [
    ("a dependence", "P>A", ["D on A 50"], "A-D", ["A:c P:h"]),
    ("either way round", "P>A", ["D on A 50"], "D-A", ["A:c P:h"]),
    ("the only control", "P>A", [], "P-A", []),
    ("a link lower down, with what is controlled over it alone", "P>A P>B P>C A>B A>C B>C", [], "A-B", ["A:c P:h", "B:h C:c"]),
    ("a link beside another way", "P>A P>B P>C A>C B>C", [], "A-C", ["A:c B:c C:c P:h"]),
    ("one side of a circle of three", "A>B A>C B>A B>C C>A C>B", [], "A-B", ["A:c B:c C:c"]),
    ("a circle of two", "A>B B>A", [], "A-B", []),
    ("a member of a coalition", "H＋W>A H＋W>B", [], "H-A", ["B:c H:h W:h"]),
    ("a coalition of two", "H＋W>A H>B", [], "H-W", ["B:c H:h"]),
    ("a coalition by its name", "H＋W>A H＋W>B", [], "H＋W-A", ["B:c H:h W:h"]),
    ("a stranger", "P>A", ["D on A 50"], "X-Y", ["A:c D:d P:h"]),
]


@pytest.mark.parametrize(("said", "controls", "depends", "rebutted", "expected"), REBUTTED, ids=[case[0] for case in REBUTTED])
def test_a_rebutted_pair_is_not_followed(said, controls, depends, rebutted, expected):
    assert found(control(controls), dependence(*depends), rebuttals=pairs(rebutted)) == expected, said


# -- from night to night -----------------------------------------------------------------------------------------


def nights(first, second):
    before = find_groups(control(first), None, LARGE)
    return ids(before), ids(find_groups(control(second), None, LARGE, previous=before))


def test_a_group_keeps_its_id_when_its_head_changes():
    before, after = nights("P>A P>B P>C", "Q>A Q>B Q>C")
    assert after["ABCQ"] == before["ABCP"]


def test_a_group_keeps_its_id_when_a_member_joins():
    before, after = nights("P>A", "P>A P>B")
    assert after["ABP"] == before["AP"]


def test_a_new_group_does_not_take_an_id_that_another_kept():
    before, after = nights("P>A P>B P>C", "Q>A Q>B Q>C P>X P>Y")
    assert after["ABCQ"] == before["ABCP"]
    assert after["PXY"] not in before.values()
    assert find_groups(control("P>X P>Y"), None, LARGE)["group_id"][0].as_py() == before["ABCP"]


def test_of_a_group_that_splits_the_larger_part_keeps_the_id():
    before, after = nights("P>A P>B P>C P>D P>E", "P>A Q>B Q>C Q>D Q>E")
    assert after["BCDEQ"] == before["ABCDEP"] != after["AP"]


def test_of_a_group_that_splits_into_halves_that_of_the_old_head_keeps_the_id():
    for other in ("P>A B>C", "B>C P>A"):
        before, after = nights("P>A P>B P>C", other)
        assert after["AP"] == before["ABCP"] != after["BC"]


def test_of_two_groups_that_merge_the_one_that_gives_more_members_keeps_the_id():
    before, after = nights("P>A P>B P>C Q>D", "R>P R>A R>B R>C R>Q R>D P>A P>B P>C Q>D")
    assert after == {"ABCDPQR": before["ABCP"]}


def test_a_group_that_shares_less_than_half_is_a_new_one():
    before, after = nights("P>A P>B P>C P>D", "Q>A Q>B Q>X Q>Y Q>Z")
    assert set(after.values()).isdisjoint(before.values())


def test_nothing_changed_means_the_same_ids_with_and_without_the_night_before():
    before, after = nights("P>A Q>B H＋W>C", "H＋W>C Q>B P>A")
    assert before == after == ids(find_groups(control("P>A Q>B H＋W>C"), None, LARGE))


# -- numbers as ids, refusals ------------------------------------------------------------------------------------


def test_numbers_as_ids_give_what_strings_give():
    rows = pa.table({"controller": ["7＋8", "9"], "controlled": [9, 10], "votes_ppm": [600_000, 700_000], "certain": [True, True]})
    depends = pa.table({"dependent": [11, 12], "on": [10, 11], "test": ["receipts", "funder"], "ppm": [500_000, None]})
    table = find_groups(rows, depends, LARGE)
    assert table.schema.field("party").type == pa.int64()
    assert found(rows, depends) == ["10:c 11:d 12:d 7:h 8:h 9:c"]
    assert found(rows, depends, rebuttals=pa.table({"a": [9], "b": [10]})) == ["10:h 11:d 12:d", "7:h 8:h 9:c"]
    assert find_groups(rows, depends, LARGE, previous=table).equals(table)


def test_the_schema_is_the_same_where_nothing_is_found():
    assert find_groups(control(""), None, LARGE).schema.equals(find_groups(control("P>A"), None, LARGE).schema)


WRONG = [
    ({"dependent": ["A", None]}, "dependence row 1: dependent is null"),
    ({"on": [None, "A"]}, "dependence row 0: on is null"),
    ({"test": ["receipts", "reciepts"]}, "dependence row 1: there is no test 'reciepts'; did you mean 'receipts'?"),
    ({"test": ["receipts", "love"]}, "dependence row 1: there is no test 'love'; known are receipts, "),
    ({"ppm": [1, None]}, "dependence row 1: ppm is null; receipts are measured"),
    ({"ppm": [1_000_001, 1]}, "dependence row 0: ppm is 1000001; a part lies between"),
    ({"valid_to": pa.array([None, date(2020, 1, 1)], pa.date32())}, "dependence row 1: valid_from 2021-01-01 does not lie before"),
]


@pytest.mark.parametrize(("columns", "said"), WRONG, ids=[case[1] for case in WRONG])
def test_a_wrong_row_of_dependence_is_refused_with_a_sentence_that_names_it(columns, said):
    right = {"dependent": ["A", "B"], "on": ["C", "C"], "test": ["receipts"] * 2, "ppm": [1, 2], "valid_from": [date(2021, 1, 1)] * 2}
    with pytest.raises(UsageError, match=said.replace("?", r"\?")):
        find_groups(control("P>A"), pa.table({**right, **columns}), LARGE)


def test_tables_that_cannot_be_are_refused():
    with pytest.raises(UsageError, match="control lack the column certain"):
        find_groups(control("P>A").drop_columns("certain"), None, LARGE)
    with pytest.raises(UsageError, match="rebuttals row 0: b is null"):
        find_groups(control("P>A"), None, LARGE, rebuttals=pa.table({"a": ["P"], "b": pa.array([None], STRING)}))
    with pytest.raises(UsageError, match=r"previous row 0: group:CN-LE-2018:.* is no group under CN-GROUP-2010"):
        find_groups(control("P>A"), None, GROUP, previous=find_groups(control("P>A"), None, LARGE))
    numbers = pa.table({"controller": [1], "controlled": [2], "votes_ppm": [600_000], "certain": [True]})
    with pytest.raises(UsageError, match="dependence row 0: dependent is 'A', where other ids are numbers"):
        find_groups(numbers, dependence("A on B"), LARGE)
    with pytest.raises(UsageError, match="parties row 0: kind is bank; it is one of company"):
        find_groups(control("P>A"), None, LARGE, parties=pa.table({"party": ["P"], "kind": ["bank"]}))


# -- by brute force ----------------------------------------------------------------------------------------------

PARTIES = "ABCDEFGH"


@st.composite
def worlds(draw):
    """Holdings of eight parties, who of them act in concert, and who depends on whom."""
    rows = []
    for held in PARTIES[:6]:
        left = 1_000_000
        for holder in draw(st.lists(st.sampled_from(PARTIES), max_size=3, unique=True)):
            share = draw(st.sampled_from([200_000, 300_000, 510_000, 1_000_000]))
            if share <= left:
                rows.append((holder, held, share))
                left -= share
    concert = draw(st.lists(st.sampled_from(["A-B", "G-H", "C-G", "F-H"]), max_size=2, unique=True))
    ends = st.tuples(st.sampled_from(PARTIES), st.sampled_from(PARTIES), st.sampled_from([None, 400_000, 500_000, 900_000]))
    return rows, concert, draw(st.lists(ends, max_size=5))


def written(world):
    """Return the tables of a world."""
    rows, concert, depends = world
    held = (
        holdings(*rows)
        if rows
        else pa.table({"holder": pa.array([], STRING), "held": pa.array([], STRING), "share_ppm": pa.array([], NUMBER)})
    )
    tied = pairs(" ".join(concert)) if concert else None
    said = [f"{a} on {b}" if ppm is None else f"{a} on {b} {ppm / 10_000}" for a, b, ppm in depends]
    return find_control(held, LARGE, concert=tied), dependence(*said)


def by_hand(controls, depends):
    """Return the groups with their roles: all that each head draws in, step by step, and of these the largest sets."""
    over = {}
    for row in controls.to_pylist():
        over.setdefault(row["controller"], set()).add(row["controlled"])
    on = {(row["dependent"], row["on"]) for row in depends.to_pylist() if row["ppm"] is None or row["ppm"] >= 500_000}

    def drawn_in(head):
        members = set(head.split("＋")) | over.get(head, set())
        while True:
            joining = {d for d, o in on if o in members} | {low for high in members for low in over.get(high, set())}
            if joining <= members:
                return frozenset(members)
            members |= joining

    # what a member controls alone ties the others of its coalition to nobody
    for joint in [head for head in over if "＋" in head]:
        over[joint] = over[joint] - {low for one in joint.split("＋") for low in over.get(one, set())}
    over = {head: low for head, low in over.items() if low}
    led = {
        joint
        for joint in over
        if "＋" in joint and any(set(joint.split("＋")) - {one} <= over.get(one, set()) for one in joint.split("＋"))
    }
    over = {head: low for head, low in over.items() if head not in led}
    every = {head: drawn_in(head) for head in {*over, *(o for _, o in on)}}
    every = {head: members for head, members in every.items() if len(members) > 1}
    largest = {members for members in every.values() if not any(members < other for other in every.values())}
    return {(members, role_of(members, every, over, on)) for members in largest}


def role_of(members, every, over, on):
    """Return the roles in a group, as a set of member and role."""
    beginners = {head for head in every if every[head] == members}
    joint = min((head for head in beginners if "＋" in head), default="")
    roles = set()
    for party in members:
        below = any(party in over.get(high, set()) for high in {*members, joint})
        first = not joint and party in beginners and party in over and not any(party in low for low in over.values())
        if first or party in joint.split("＋"):
            role = "head"
        elif below:
            role = "controlled"
        else:
            role = "dependent" if any(d == party and o in members and o != d for d, o in on) else "head"
        roles.add((party, role))
    return frozenset(roles)


def as_sets(table):
    groups = {}
    for row in table.to_pylist():
        groups.setdefault(row["group_id"], set()).add((row["party"], row["role"]))
    return [(frozenset(party for party, _ in members), frozenset(members)) for members in groups.values()]


@settings(deadline=None, max_examples=150)
@given(worlds())
def test_groups_are_the_largest_sets_that_heads_draw_in(world):
    controls, depends = written(world)
    got = as_sets(find_groups(controls, depends, LARGE))
    assert len(got) == len(set(got))
    assert set(got) == by_hand(controls, depends)


@settings(deadline=None, max_examples=60)
@given(worlds(), st.randoms())
def test_order_and_names_change_nothing(world, dice):
    rows, concert, depends = world
    name = dict(zip(PARTIES, dice.sample(PARTIES, len(PARTIES)), strict=True))
    other = (
        [(name[a], name[b], share) for a, b, share in dice.sample(rows, len(rows))],
        ["-".join(name[end] for end in tie.split("-")) for tie in dice.sample(concert, len(concert))],
        [(name[a], name[b], ppm) for a, b, ppm in dice.sample(depends, len(depends))],
    )
    one = {frozenset((name[party], role) for party, role in roles) for _, roles in as_sets(find_groups(*written(world), LARGE))}
    assert {roles for _, roles in as_sets(find_groups(*written(other), LARGE))} == one


@settings(deadline=None, max_examples=60)
@given(worlds())
def test_a_stranger_changes_no_group(world):
    controls, depends = written(world)
    strange = pa.concat_tables([control("S>T"), controls]), pa.concat_tables([depends, dependence("U on V")])
    before, after = find_groups(controls, depends, LARGE), find_groups(*strange, LARGE)
    assert [row for row in after.to_pylist() if row["party"] not in "STUV"] == before.to_pylist()


@settings(deadline=None, max_examples=60)
@given(worlds())
def test_every_reason_names_a_link_within_the_group(world):
    controls, depends = written(world)
    table = find_groups(controls, depends, LARGE)
    known = {(row["controlled"], f"controlled by {row['controller']} with {row['votes_ppm']} ppm") for row in controls.to_pylist()}
    for row in depends.to_pylist():
        measure = "" if row["ppm"] is None else f" {row['ppm']} ppm"
        known.add((row["dependent"], f"depends on {row['on']}: {row['test']}{measure}"))
    members = {(row["group_id"], row["party"]) for row in table.to_pylist()}
    for row in table.to_pylist():
        if row["role"] != "head":
            assert (row["party"], row["because"]) in known
            named = row["because"].split()[2].rstrip(":")
            assert all((row["group_id"], each) in members for each in named.split("＋"))
