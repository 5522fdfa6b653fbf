"""What people hand over with a wrong type is refused with a sentence that names the row, not with one of Arrow's."""

from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa
import pytest

from kg.derivations.beneficial_owners import find_beneficial_owners
from kg.derivations.control import find_control
from kg.derivations.groups import find_groups
from kg.derivations.limits import aggregate_exposure
from kg.derivations.ownership import OwnerIndex, integrate_ownership
from kg.errors import UsageError
from kg.rulesets import get

RULES, OWNERS = get("CN-LE-2018"), get("CN-UBO-2024")
STRING, NUMBER = pa.string(), pa.int64()
SHARE = r"shares are whole ppm, in integers \(51 % is 510000\)"
DAY = "give it as a date"
IDS = "ids are strings or whole numbers"
LARGE = 2**63 + 1


def holdings(**columns):
    return pa.table({"holder": ["P", "Q"], "held": ["A", "A"], "share_ppm": [600_000, 1], **columns})


def numbers(**columns):
    return holdings(**{"holder": [1, 2], "held": [3, 3], **columns})


def table(**columns):
    return pa.table({name: values if isinstance(values, pa.Array) else [values] for name, values in columns.items()})


HOLDINGS = [
    (holdings(share_ppm=[0.6, 0.4]), f"holdings row 0: share_ppm is 0.6, of type double; {SHARE}"),
    (holdings(share_ppm=[None, 1.0]), f"holdings row 1: share_ppm is 1.0, of type double; {SHARE}"),
    (holdings(share_ppm=["60%", None]), f"holdings row 0: share_ppm is '60%', of type string; {SHARE}"),
    (holdings(share_ppm=[True, False]), "holdings row 0: share_ppm is True, of type bool"),
    (holdings(share_ppm=[float("nan"), 1.0]), "holdings row 0: share_ppm is nan"),
    (holdings(votes_ppm=[0.1, 0.2]), f"holdings row 0: votes_ppm is 0.1, of type double; {SHARE}"),
    (holdings(share_low_ppm=["1", "2"]), "holdings row 0: share_low_ppm is '1', of type string"),
    (holdings(share_high_ppm=[None, 0.5]), "holdings row 1: share_high_ppm is 0.5, of type double"),
    (holdings(holder=[1, 2]), "holdings row 0: held is 'A', where holder holds numbers; make them alike"),
    (holdings(held=[None, 2]), "holdings row 1: held is 2, where holder holds strings; make them alike"),
    (numbers(holder=[1.0, 2.0]), f"holdings row 0: holder is 1.0, of type double; {IDS}"),
    (holdings(held=[b"A", b"A"]), f"holdings row 0: held is b'A', of type binary; {IDS}"),
    (numbers(holder=[1, -2]), f"holdings row 1: holder is -2; ids that are numbers lie between 0 and {2**63 - 1}"),
    (numbers(held=pa.array([3, LARGE], pa.uint64())), f"holdings row 1: held is {LARGE}; ids that are numbers lie between 0 and"),
    (holdings(valid_from=["2020-01-01"] * 2), f"holdings row 0: valid_from is '2020-01-01', of type string; {DAY}"),
    (holdings(valid_to=[None, "2021"]), f"holdings row 1: valid_to is '2021', of type string; {DAY}"),
    (holdings(valid_from=[20_200_101] * 2), f"holdings row 0: valid_from is 20200101, of type int64; {DAY}"),
]


@pytest.mark.parametrize(("rows", "said"), HOLDINGS, ids=[said.split("; ")[0] for _, said in HOLDINGS])
@pytest.mark.parametrize("as_of", [None, date(2020, 6, 1)], ids=["now", "then"])
def test_holdings_of_a_wrong_type_are_refused_by_all_who_read_them(rows, said, as_of):
    nobody = pa.table({name: pa.array([], STRING) for name in ("person", "company", "position")})
    asked = (
        lambda: find_control(rows, RULES, as_of=as_of),
        lambda: integrate_ownership(rows, as_of=as_of),
        lambda: OwnerIndex(rows, as_of=as_of),
        lambda: find_beneficial_owners(rows, nobody, OWNERS, as_of=as_of),
    )
    for ask in asked:
        with pytest.raises(UsageError, match=said):
            ask()


def control(**ties):
    return find_control(holdings(), RULES, **ties)


TIES = [
    ({"kin": table(a=1, b=2, kinship="spouse")}, "kin row 0: a is 1, where other ids are strings; make them alike"),
    ({"kin": table(a="P", b="Q", kinship=1)}, "kin row 0: kinship is 1, of type int64; it is a word"),
    ({"kin": table(a="P", b="Q", kinship="spouse", valid_to="2020")}, f"kin row 0: valid_to is '2020', of type string; {DAY}"),
    ({"concert": table(a="P", b=2)}, "concert row 0: b is 2, where other ids are strings"),
    ({"nominations": table(nominator=1, nominee="P", held="A")}, "nominations row 0: nominator is 1, where other ids are strings"),
    ({"nominations": table(nominator="R", nominee="P", held="A", valid_from="2020")}, f"nominations row 0: valid_from is '2020'.*{DAY}"),
    ({"parties": table(party=1, kind="company")}, "parties row 0: party is 1, where other ids are strings"),
    ({"parties": table(party="A", kind="company", listed="yes")}, "parties row 0: listed is 'yes', of type string; it is true or false"),
    ({"as_of": "2020-06-01"}, r"as_of is '2020-06-01'; give it as a date, such as date\(2024, 6, 30\)"),
]


@pytest.mark.parametrize(("ties", "said"), TIES, ids=[said.split("; ")[0] for _, said in TIES])
def test_what_ties_parties_is_refused_where_its_type_is_wrong(ties, said):
    with pytest.raises(UsageError, match=said):
        control(**ties)


OFFICERS = [
    (table(person=1, company=2, position="x"), "officers row 0: person is 1, where other ids are strings"),
    (table(person="P", company="A", position=2), "officers row 0: position is 2, of type int64; it is a word"),
]


@pytest.mark.parametrize(("officers", "said"), OFFICERS, ids=["ids", "position"])
def test_officers_of_a_wrong_type_are_refused(officers, said):
    with pytest.raises(UsageError, match=said):
        find_beneficial_owners(holdings(), officers, OWNERS)


def controls(**columns):
    return table(**{"controller": "P", "controlled": "A", "votes_ppm": 600_000, "certain": True, **columns})


def depends(**columns):
    return table(**{"dependent": "x", "on": "A", "test": "receipts", "ppm": 600_000, **columns})


GROUPS = [
    (
        (controls(votes_ppm=0.6), None),
        {},
        r"control row 0: votes_ppm is 0.6, of type double; it is whole ppm, in integers \(50 % is 500000\)",
    ),
    ((controls(certain="yes"), None), {}, "control row 0: certain is 'yes', of type string; it is true or false"),
    ((controls(controlled=1), None), {}, "control: the controller 'P' is no number, where who is controlled is named by numbers"),
    ((controls(controlled=-1), None), {}, "control row 0: controlled is -1; ids that are numbers lie between 0 and"),
    ((controls(), depends(ppm=0.6)), {}, "dependence row 0: ppm is 0.6, of type double"),
    ((controls(), depends(ppm="60%")), {}, "dependence row 0: ppm is '60%', of type string"),
    ((controls(), depends(dependent=1)), {}, "dependence row 0: dependent is 1, where other ids are strings"),
    ((controls(), depends(test=3)), {}, "dependence row 0: test is 3, of type int64; it is a word"),
    (
        (controls(), depends(valid_from="2020")),
        {"as_of": date(2020, 1, 1)},
        f"dependence row 0: valid_from is '2020', of type string; {DAY}",
    ),
    ((controls(), None), {"rebuttals": table(a=1, b=2)}, "rebuttals row 0: a is 1, where other ids are strings"),
    ((controls(), None), {"previous": table(group_id="group:CN-LE-2018:1", party=1)}, "previous row 0: party is 1, where other ids"),
]


@pytest.mark.parametrize(("tables", "more", "said"), GROUPS, ids=[said.split("; ")[0] for *_, said in GROUPS])
def test_what_makes_groups_is_refused_where_its_type_is_wrong(tables, more, said):
    with pytest.raises(UsageError, match=said):
        find_groups(*tables, RULES, **more)


def test_beside_numbers_coalitions_are_named_by_strings():
    rows = controls(controller="7＋8", controlled=9)
    assert find_groups(rows, None, RULES)["party"].to_pylist() == [7, 8, 9]
    assert find_groups(rows, None, RULES, rebuttals=table(a="7＋8", b="9")).num_rows == 0


def owes(**columns):
    return table(**{"party": "A", "kind": "loan", "amount_fen": 1, **columns})


FEN = "amounts are whole fen, in integers"
LIMITS = [
    ({"exposures": owes(amount_fen=1.5)}, f"exposures row 0: amount_fen is 1.5, of type double; {FEN}"),
    ({"exposures": owes(amount_fen="1")}, f"exposures row 0: amount_fen is '1', of type string; {FEN}"),
    ({"exposures": owes(mitigated_fen=0.5, provider="B")}, f"exposures row 0: mitigated_fen is 0.5, of type double; {FEN}"),
    ({"exposures": owes(kind=1)}, "exposures row 0: kind is 1, of type int64; it is a word"),
    ({"exposures": owes(party=1)}, "exposures, groups and internal: ids are numbers in one table and strings in another, 1 and 'A'"),
    ({"exposures": owes(party=-1)}, "exposures row 0: party is -1; ids that are numbers lie between 0 and"),
    ({"exposures": owes(valid_to="x")}, f"exposures row 0: valid_to is 'x', of type string; {DAY}"),
    ({"capital": table(net_capital_fen=1.5, tier_1_fen=1)}, f"capital row 0: net_capital_fen is 1.5, of type double; {FEN}"),
    ({"internal": table(party="A", limit_fen=1.5)}, f"internal limits row 0: limit_fen is 1.5, of type double; {FEN}"),
    ({"insiders": table(party=1)}, "insiders and parties row 0: party is 1, where other ids are strings"),
    ({"parties": table(party="A", bank="yes")}, "parties row 0: bank is 'yes', of type string; it is true or false"),
]


@pytest.mark.parametrize(("wrong", "said"), LIMITS, ids=[said.split("; ")[0] for _, said in LIMITS])
def test_what_limits_are_held_against_is_refused_where_its_type_is_wrong(wrong, said):
    given = {"exposures": owes(), "capital": table(net_capital_fen=1, tier_1_fen=1), **wrong}
    groups = table(group_id="g", party="A", because="controls")
    with pytest.raises(UsageError, match=said):
        aggregate_exposure(groups, given.pop("exposures"), given.pop("capital"), RULES, **given)


RIGHT = [
    numbers(holder=pa.array([1, 2], pa.int32()), held=pa.array([3, 3], pa.int32())),
    numbers(holder=pa.array([1, 2], pa.uint64()), share_ppm=pa.array([600_000, 1], pa.uint32())),
    holdings(holder=pa.array(["P", "Q"], pa.large_string()), held=pa.array(["A", "A"]).dictionary_encode()),
    holdings(valid_from=[datetime(2020, 1, 1)] * 2, valid_to=pa.nulls(2)),
    holdings(share_low_ppm=pa.nulls(2), votes_ppm=pa.nulls(2)),
]


@pytest.mark.parametrize("rows", RIGHT, ids=["narrow numbers", "unsigned numbers", "other strings", "timestamps", "nulls alone"])
def test_other_types_of_the_same_meaning_are_taken(rows):
    assert find_control(rows, RULES, as_of=date(2020, 6, 1)).num_rows == 1


@pytest.mark.parametrize("rows", RIGHT, ids=["narrow numbers", "unsigned numbers", "other strings", "timestamps", "nulls alone"])
def test_nominees_and_officers_are_found_whatever_type_of_the_same_meaning_the_holdings_have(rows):
    one, held, other = (5, 3, 1) if pa.types.is_integer(rows["holder"].type) else ("S", "A", "P")
    nominations = table(nominator=one, nominee=other, held=held)
    assert find_control(rows, RULES, nominations=nominations, as_of=date(2020, 6, 1))["controller"].to_pylist() == [one]
    officers = table(person=one, company=held, position="经理")
    assert find_beneficial_owners(rows, officers, OWNERS, as_of=date(2020, 6, 1))["company"].to_pylist() == [held]
