"""Control, shares, beneficial owners and groups worked by hand, a sentence for each case, the reckoning in the comment beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.derivations.beneficial_owners import find_beneficial_owners
from kg.derivations.control import find_control
from kg.derivations.groups import find_groups
from kg.derivations.ownership import OwnerIndex, integrate_ownership
from kg.errors import UsageError
from kg.ruleset import RuleSet, Threshold
from kg.rulesets import get

LAW, GROUP, LISTED = get("CN-COLAW-2023"), get("CN-GROUP-2010"), get("CN-CSRC-84")
CHINA, EUROPE, BRITAIN = get("CN-UBO-2024"), get("EU-AMLR"), get("UK-PSC")
HALF_INCLUSIVE = replace(LAW, control=Threshold(500_000, strict=False))
RESCALED = replace(LAW, treasury="rescaled")
STRING, NUMBER, DAY = pa.string(), pa.int64(), pa.date32()


def ppm(word):
    return round(float(word) * 10_000)


def holdings(text, name=str):
    """Return holdings written as ``P 51 A, Q ? A, R 10-30 A, S 60 A 2019-2021``: percent, unknown, bounds, first years of its span."""
    rows = [row.split() for row in text.split(",") if row]
    share = [row[1] for row in rows]
    known = [None if word == "?" or "-" in word else ppm(word) for word in share]
    low, high = ([ppm(word.split("-")[place]) if "-" in word else None for word in share] for place in (0, 1))
    spans = [(row[3].split("-") if len(row) > 3 else ["", ""]) for row in rows]
    first, last = ([date(int(span[place]), 1, 1) if span[place] else None for span in spans] for place in (0, 1))
    return pa.table(
        {
            "holder": pa.array([name(row[0]) for row in rows], STRING),
            "held": pa.array([name(row[2]) for row in rows], STRING),
            "share_ppm": pa.array(known, NUMBER),
            "share_low_ppm": pa.array(low, NUMBER),
            "share_high_ppm": pa.array(high, NUMBER),
            "valid_from": pa.array(first, DAY),
            "valid_to": pa.array(last, DAY),
        }
    )


def ties(text, third="spouse"):
    """Return pairs written as ``A~B B~C``, with a third column if it is given a name."""
    a, b = zip(*(pair.split("~") for pair in text.split()), strict=True)
    return pa.table({"a": a, "b": b, "kinship": [third] * len(a)})


def nominees(text):
    """Return nominations written as ``N:P:A``: N holds A for P."""
    rows = [row.split(":") for row in text.split()]
    return pa.table({"nominee": [row[0] for row in rows], "nominator": [row[1] for row in rows], "held": [row[2] for row in rows]})


def listed(text):
    return pa.table({"party": list(text), "kind": ["company"] * len(text), "listed": [True] * len(text)})


@dataclass(frozen=True)
class Case:
    """Holdings and what follows: ``P>A`` is certain control, ``?P>A`` possible."""

    said: str
    rows: str
    expected: str
    rules: RuleSet = LAW
    kin: str = ""
    concert: str = ""
    nominations: str = ""
    listed: str = ""
    as_of: date | None = None

    def found(self):
        table = find_control(
            holdings(self.rows),
            self.rules,
            kin=ties(self.kin) if self.kin else None,
            concert=ties(self.concert) if self.concert else None,
            nominations=nominees(self.nominations) if self.nominations else None,
            parties=listed(self.listed) if self.listed else None,
            as_of=self.as_of,
        )
        return {f"{'' if row['certain'] else '?'}{row['controller']}>{row['controlled']}" for row in table.to_pylist()}


ABC = "P 100 A,P 100 B,P 100 C,"
CONTROL = [
    # chains: each link by itself, never a product
    Case("three links of a millionth above one half reach the bottom", "P 50.0001 A,A 50.0001 B,B 50.0001 C", "P>A P>B P>C A>B A>C B>C"),
    Case("a link of 50.0000 % breaks the chain there and nowhere else", "P 51 A,A 50 B,B 51 C", "P>A B>C"),
    Case("a chain held by two halves has no head", "P 50 A,Q 50 A,A 51 B,B 51 C", "A>B A>C B>C"),
    # 50 + 0.0001 by way of B
    Case("one half and a millionth through another firm is control", "P 50 A,P 100 B,B 0.0001 A", "P>A P>B"),
    # diamonds: votes of all arms are added: 3 x 17 = 51; 50 each for two owners; C 30 + A 21 = 51
    Case("three arms of 17 are 51", ABC + "A 17 D,B 17 D,C 17 D", "P>A P>B P>C P>D"),
    Case("a diamond whose arms have two owners has none", "P 100 A,Q 100 B,A 50 D,B 50 D", "P>A Q>B"),
    Case("a diamond below a diamond", "P 60 A,P 60 B,A 30 C,B 30 C,C 30 D,A 21 D", "P>A P>B P>C P>D"),
    # 17 + 28 + 5 = 50.0000, and one millionth of one's own more; without C 45
    Case("17 + 28 + 5 is one half", ABC + "A 17 T,B 28 T,C 5 T", "P>A P>B P>C"),
    Case("17 + 28 + 5 and a millionth is more", ABC + "A 17 T,B 28 T,C 5 T,P 0.0001 T", "P>A P>B P>C P>T"),
    Case("17 + 28 + 5 where one half reaches", ABC + "A 17 T,B 28 T,C 5 T", "P>A P>B P>C P>T", HALF_INCLUSIVE),
    Case("17 + 28 where the firm with 5 is held by half", "P 100 A,P 100 B,P 50 C,A 17 T,B 28 T,C 5 T", "P>A P>B"),
    Case("two halves both control where one half reaches", "P 50 A,Q 50 A", "P>A Q>A", HALF_INCLUSIVE),
    # loops of two: P has 30 in each and cannot begin; with 51 in A it has 21 + 30 in B
    Case("30 in each of two firms that hold 30 of each other begins nothing", "P 30 A,P 30 B,A 30 B,B 30 A", ""),
    Case("51 in one of them opens the other", "P 51 A,P 21 B,A 30 B,B 30 A", "P>A P>B"),
    # loops of three: C's 20 in A come to P only by way of B
    Case("a loop of three closes below its minority holder", "P 40 A,A 60 B,B 60 C,C 20 A", "A>B A>C B>C"),
    Case("a loop of three entered at its second firm comes round to the first", "P 40 A,C 20 A,P 60 B,A 40 B,B 60 C", "P>A P>B P>C B>C"),
    # treasury shares: of the whole 50 is not more than 50; of what is left 50 of 50, 40 of 80, 40.0001 of 80
    Case("own shares left out: half of the whole is all that votes and no control", "A 50 A,P 50 A", ""),
    Case("own shares rescaled: all that votes is control", "A 50 A,P 50 A", "P>A", RESCALED),
    Case("own shares rescaled: 40 of 80 is one half", "A 20 A,P 40 A,Q 40 A", "", RESCALED),
    Case("own shares rescaled: 40.0001 of 80 is more", "A 20 A,P 40.0001 A,Q 39.9999 A", "P>A", RESCALED),
    Case("a subsidiary's shares in its parent are no own shares", "A 100 B,B 20 A,P 45 A,Q 35 A", "A>B"),
    # a company that holds itself
    Case("a firm that is all its own is nobody's", "A 100 A", ""),
    Case("own shares do not help their firm elsewhere", "A 10 A,P 51 A,A 60 B", "P>A P>B A>B"),
    Case("own shares do not lower the bar for others", "A 40 A,P 30 A,Q 30 A", ""),
    # unknown shares: at most what the certain ones leave
    Case("a lower bound above one half is certain", "P 51-100 A", "P>A"),
    Case("an upper bound of one half is impossible", "P 0-50 A", ""),
    Case("an upper bound a millionth above is possible", "P 0-50.0001 A", "?P>A"),
    Case("below an unknown share all is possible only", "P 51 A,A ? B,B 51 C", "P>A ?A>B ?P>B B>C ?A>C ?P>C"),
    Case("two unknown holders are both possible", "P ? A,Q ? A", "?P>A ?Q>A"),
    # B has at most 100 - 70 = 30 in A; P with it 60
    Case("a subsidiary's unknown share may add up with one's own", "P 30 A,P 100 B,B ? A,Q 40 A", "P>B ?P>A"),
    # nominees: their votes are the nominator's, in that company alone
    Case("a nominee of 60 is nobody and the nominator controls", "N 60 A,A 60 B", "P>A P>B A>B", nominations="N:P:A"),
    Case("a nominee's 30 and the nominator's 21 are 51", "N 30 A,P 21 A", "P>A", nominations="N:P:A"),
    Case("two nominees of 26 and 25 stand for one", "N 26 A,M 25 A", "P>A", nominations="N:P:A M:P:A"),
    Case("a firm may be the nominee of its own controller", "P 100 F,F 60 A", "P>F P>A", nominations="F:P:A"),
    # spouses: 26 + 25; 25 + 25; 21 + 30 by a firm of the husband's
    Case("spouses of 26 and 25 control where the family counts", "H 26 A,W 25 A", "H＋W>A", GROUP, kin="H~W"),
    Case("spouses of 26 and 25 do not where it does not", "H 26 A,W 25 A", "", LAW, kin="H~W"),
    Case("spouses of 25 each have one half", "H 25 A,W 25 A", "", GROUP, kin="H~W"),
    Case("one spouse's firm votes with the other", "H 100 B,B 30 A,W 21 A", "H>B H＋W>A H＋W>B", GROUP, kin="H~W"),
    Case("a spouse who holds nothing makes no coalition", "H 60 A", "H>A", GROUP, kin="H~W"),
    # holdings in time: half-open spans
    Case("the holder of an earlier year controls as of that year", "P 60 A 2019-2021,Q 60 A 2021-", "P>A", as_of=date(2020, 12, 31)),
    Case("on the day of change it is the next", "P 60 A 2019-2021,Q 60 A 2021-", "Q>A", as_of=date(2021, 1, 1)),
    Case("before anything held nobody controls", "P 60 A 2019-2021,Q 60 A 2021-", "", as_of=date(2018, 12, 31)),
    Case("without a day only what has no end counts", "P 60 A 2019-2021,Q 60 A 2021-", "Q>A"),
    Case("a chain lasts as long as its shortest link", "P 60 A 2019-2021,A 60 B 2020-", "A>B", as_of=date(2021, 6, 1)),
    # listed companies below one half: 30 reaches, but more than anybody else
    Case("30 of a listed company is control", "P 30 L", "P>L", LISTED, listed="L"),
    Case("29.9999 of a listed company is not", "P 29.9999 L", "", LISTED, listed="L"),
    Case("30 of an unlisted company is not", "P 30 L", "", LISTED, listed="M"),
    Case("30 of a listed company is not where the rules do not know it", "P 30 L", "", LAW, listed="L"),
    Case("two of 30 in a listed company are no more than each other", "P 30 L,Q 30 L", "", LISTED, listed="L"),
    Case("31 goes before 30", "P 31 L,Q 30 L", "P>L", LISTED, listed="L"),
    Case("who has more than half of a listed company shuts out 35", "P 35 L,Q 51 L", "Q>L", LISTED, listed="L"),
    Case("31 by a firm of one's own is not beaten by that firm", "P 100 A,A 31 L,Q 30 L", "P>A A>L P>L", LISTED, listed="L"),
    # P 5 + 31 = 36 goes before 33, A's 31 does not
    Case("a firm of the winner's is no winner by that", "P 5 L,P 100 A,A 31 L,Q 33 L", "P>A P>L", LISTED, listed="L"),
    Case("spouses of 20 and 15 go before 32", "H 20 L,W 15 L,Q 32 L", "H＋W>L", LISTED, kin="H~W", listed="L"),
    Case("a listed company that is won brings what it holds", "P 35 L,L 60 B", "P>L P>B L>B", LISTED, listed="L"),
    # 15 + 20 by way of L = 35 against 34
    Case("a listed company that is won helps to win another", "P 35 L,L 20 M,P 15 M,Q 34 M", "P>L P>M", LISTED, listed="LM"),
    # the 5 of B come only once L is won: 30 against 33
    Case("what a listed company holds in itself by a firm wins nothing", "P 30 L,Q 33 L,L 60 B,B 5 L", "Q>L Q>B L>B", LISTED, listed="L"),
    Case("what comes back by a firm takes nothing away", "P 30 L,L 60 B,B 5 L", "P>L P>B L>B", LISTED, listed="L"),
    # who has L has 33 in M against 30, and who has M 33 in L against 30: there is no answer that stands
    Case("two who win by what the other has won win nothing", "P 30 L,Q 30 M,L 5 M,M 5 L,Q 28 L,P 28 M", "", LISTED, listed="LM"),
    Case("who may have more than half of a listed company shuts out 35", "P 35 L,R ? L", "?R>L", LISTED, listed="L"),
    Case("who may have 36 of a listed company shuts out 35", "P 35 L,R 0-36 L", "", LISTED, listed="L"),
    Case("who may have 34 of a listed company does not", "P 35 L,R 0-34 L", "P>L", LISTED, listed="L"),
    Case("who has 35 and perhaps more is not shut out by itself", "P 35 L,P ? L", "P>L", LISTED, listed="L"),
    Case("nor by a firm of its own that may have more", "P 100 A,P 35 L,A ? L", "P>A P>L ?A>L", LISTED, listed="L"),
    Case("a listed company's own shares win nothing", "L 40 L,P 30 L", "P>L", LISTED, listed="L"),
    # acting in concert: agreements tie over others
    Case("a chain of agreements ties over who holds nothing", "A 30 T,C 30 T", "A＋C>T", concert="A~B B~C"),
    Case("a chain of agreements ties over two who hold nothing", "A 30 T,C 30 T", "A＋C>T", concert="A~X X~Y Y~C"),
    Case("who holds nothing is no member", "A 60 T", "A>T", concert="A~B"),
    Case("who is held and holds nothing is no member", "A 60 T,P 100 B", "A>T P>B", concert="A~B"),
    Case("an agreement with oneself ties nobody", "A 30 T,C 30 T", "", concert="A~A C~C"),
    Case("agreements tie the firms behind the parties", "A 100 F,F 30 T,C 21 T", "A>F A＋C>F A＋C>T", concert="A~C"),
    Case("two agreements apart are two coalitions", "A 30 T,B 30 T,C 30 U,D 30 U", "A＋B>T C＋D>U", concert="A~B C~D"),
]


@pytest.mark.parametrize("case", CONTROL, ids=lambda case: case.said)
def test_control(case):
    assert case.found() == set(case.expected.split())


SHARES = [
    # own part 1/2 through a loop of 1/4: 1/2 / (1 - 1/4) = 2/3, and half of that below
    ("two firms that hold half of each other", "P 50 A,B 50 A,A 50 B,Q 50 B", {"PA": 2 / 3, "PB": 1 / 3, "QA": 1 / 3, "QB": 2 / 3}),
    # 1/2 / (1 - 1/8) = 4/7, then halves
    ("three firms in a loop of halves", "P 50 A,C 50 A,A 50 B,B 50 C", {"PA": 4 / 7, "PB": 2 / 7, "PC": 1 / 7}),
    # 0.4 / (1 - 0.2)
    ("own shares raise the part of who holds the rest", "A 20 A,P 40 A", {"PA": 0.5}),
    # A is P's as a whole, and so are 40 % of B
    ("a firm on the way that holds half of itself", "A 50 A,P 50 A,A 40 B", {"PA": 1.0, "PB": 0.4}),
    # 0.5 x 0.6 + 0.5 x 0.4
    ("a diamond", "P 50 A,P 50 B,A 60 C,B 40 C", {"PA": 0.5, "PB": 0.5, "PC": 0.5}),
    # 0.17 + 0.28 + 0.05
    ("17 + 28 + 5", ABC + "A 17 T,B 28 T,C 5 T", {"PA": 1, "PB": 1, "PC": 1, "PT": 0.5}),
    ("one half of one half", "P 50 A,A 50 B", {"PA": 0.5, "PB": 0.25}),
    # the circle of B and C owns itself and passes nothing on to D
    ("a closed circle takes what it holds out of the count", "B 100 C,C 100 B,B 50 D,P 50 D", {"PD": 0.5}),
    ("a lower bound is what is known", "P 20-80 A", {"PA": 0.2}),
    ("what has ended does not count", "P 60 A 2019-2021,Q 40 A", {"QA": 0.4}),
]


@pytest.mark.parametrize(("said", "rows", "expected"), SHARES, ids=[case[0] for case in SHARES])
def test_shares(said, rows, expected):
    found = {row["owner"] + row["company"]: row["share"] for row in integrate_ownership(holdings(rows), prune=0).shares.to_pylist()}
    assert found == {pair: pytest.approx(share, abs=1e-12) for pair, share in expected.items()}, said


def name(letter):
    """Return the id of a party: capital letters from P on are persons."""
    return f"{'person' if letter >= 'P' else 'company'}:t:{letter}"


CROWD = ",".join(f"{person} 12 A" for person in "RSTUV")
OWNERS = [
    # 0.5 x 0.5 = 25.0000 %, which reaches in the Union and is not more than it in Britain
    ("a quarter by way of a half of a half, in the Union", "P 50 B,B 50 A", EUROPE, "P capital 250000"),
    ("a quarter by way of a half of a half, in Britain", "P 50 B,B 50 A", BRITAIN, ""),
    ("17 + 28 + 5 through three firms", "P 100 B,P 100 C,P 100 D,B 17 A,C 28 A,D 5 A", CHINA, "P capital 500000"),
    # 0.2 / (1 - 0.2) = 25 %
    ("own shares raise a fifth to a quarter", "A 20 A,P 20 A", CHINA, "P capital 250000"),
    # 0.51 x 0.51 x 0.4 = 10.4 % of the capital, but 40 % of the votes by way of two controlled firms
    ("votes through a pyramid where the capital is too little", f"P 51 B,B 51 C,C 40 A,{CROWD}", CHINA, "P income_or_votes 400000"),
    ("nobody but the manager where a firm owns itself", "A 100 A", CHINA, "Z manager None"),
    ("nobody but the manager behind an owner that is no person", "B 100 A", CHINA, "Z manager None"),
    ("no manager in a rule set that does not ask for one", "B 100 A", BRITAIN, ""),
    ("two quarters and a half", "P 25 A,Q 25 A,R 50 A", CHINA, "P capital 250000 Q capital 250000 R capital 500000"),
]


@pytest.mark.parametrize(("said", "rows", "rules", "expected"), OWNERS, ids=[case[0] for case in OWNERS])
def test_beneficial_owners(said, rows, rules, expected):
    officers = pa.table({"person": [name("Z")], "company": [name("A")], "position": ["总经理"]})
    found = find_beneficial_owners(holdings(rows, name), officers, rules).to_pylist()
    words = [f"{row['person'][-1]} {row['test']} {row['low_ppm']}" for row in found if row["company"] == name("A")]
    assert " ".join(words) == expected, said


GROUPS = [
    ("two firms of the State are two groups' heads at most", "S 100 A,S 100 B,A 60 C", "S", "A:h C:c"),
    ("the same firms of a person are one group", "S 100 A,S 100 B,A 60 C", "", "A:c B:c C:c S:h"),
    ("one half ties nobody", "P 50 A,Q 50 A", "", ""),
]


@pytest.mark.parametrize(("said", "rows", "state", "expected"), GROUPS, ids=[case[0] for case in GROUPS])
def test_groups(said, rows, state, expected):
    of_state = pa.table({"party": pa.array(list(state), STRING), "kind": pa.array(["state"] * len(state), STRING)})
    found = find_groups(find_control(holdings(rows), GROUP), None, GROUP, parties=of_state).to_pylist()
    assert " ".join(sorted(f"{row['party']}:{row['role'][0]}" for row in found)) == expected, said


# -- properties --------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.sampled_from("ABCDPQR"), st.sampled_from("ABCD"), st.integers(1, 400_000)), max_size=10), st.randoms())
def test_order_and_names_change_no_beneficial_owners(rows, dice):
    companies, people = dice.sample("ABCD", 4), dice.sample("PQR", 3)
    names = dict(zip("ABCDPQR", [*companies, *people], strict=True))
    officers = pa.table({column: pa.array([], STRING) for column in ("person", "company", "position")})

    def found(of, by):
        columns = zip(*((name(by[holder]), name(by[held]), share) for holder, held, share in of), strict=True)
        types = {"holder": STRING, "held": STRING, "share_ppm": NUMBER}
        table = pa.table({key: pa.array(values, types[key]) for key, values in zip(types, list(columns) or [[], [], []], strict=True)})
        return find_beneficial_owners(table, officers, CHINA).to_pylist()

    def told(of, by):
        return {(by[r["company"][-1]], by[r["person"][-1]], r["test"], r["low_ppm"], r["high_ppm"], r["path_count"]) for r in of}

    back = {new: old for old, new in names.items()}
    same = {letter: letter for letter in names}
    assert told(found(rows, same), same) == told(found(dice.sample(rows, len(rows)), names), back)


# -- wrong input -------------------------------------------------------------------------------------------------

ONE = holdings("P 60 A")
WRONG = [
    ({"kin": pa.table({"a": ["P", None], "b": ["Q", "R"], "kinship": ["spouse"] * 2})}, "kin row 1: a is null"),
    ({"kin": pa.table({"a": ["P"], "b": ["Q"]})}, "kin lack the column kinship"),
    ({"concert": pa.table({"a": ["P"], "b": pa.array([None], STRING)})}, "concert row 0: b is null"),
    ({"concert": pa.table({"a": ["P"]})}, "concert lack the column b"),
    ({"nominations": pa.table({"nominator": [None], "nominee": ["P"], "held": ["A"]})}, "nominations row 0: nominator is null"),
    (
        {"nominations": nominees("P:Q:A P:R:B P:R:A")},
        "nominations row 2: P's holding of A has another nominator in row 0",
    ),
    ({"parties": pa.table({"party": ["P"], "kind": ["prince"]})}, "parties row 0: kind is prince"),
    ({"parties": pa.table({"party": pa.array([None], STRING), "kind": ["person"]})}, "parties row 0: party is null"),
]


@pytest.mark.parametrize(("tables", "said"), WRONG, ids=[case[1] for case in WRONG])
def test_a_wrong_row_of_a_table_beside_the_holdings_is_refused_with_a_sentence_that_names_it(tables, said):
    with pytest.raises(UsageError, match=said):
        find_control(ONE, GROUP, **tables)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("share_ppm", 1_000_001, "holdings row 1: share_ppm is 1000001; a share lies between 0 and 1000000 ppm"),
        ("share_low_ppm", -1, "holdings row 1: share_low_ppm is -1"),
        ("share_low_ppm", 700_000, "holdings row 1: share_low_ppm 700000 does not lie before share_high_ppm 600000"),
        ("holder", None, "holdings row 1: holder is null"),
        ("valid_to", date(2020, 1, 1), "holdings row 1: valid_from 2021-01-01 does not lie before valid_to 2020-01-01"),
    ],
)
@pytest.mark.parametrize("ask", [integrate_ownership, OwnerIndex, lambda rows: find_control(rows, LAW)], ids=["shares", "index", "control"])
def test_a_wrong_holding_is_refused_by_all_with_a_sentence_that_names_it(ask, column, value, said):
    rows = holdings("P 60 A,P 10-60 B 2021-")
    values = rows[column].to_pylist()
    values[1] = value
    with pytest.raises(UsageError, match=said):
        ask(rows.set_column(rows.column_names.index(column), column, pa.array(values, rows[column].type)))


def test_officers_without_a_company_are_refused_by_their_row():
    officers = pa.table({"person": ["person:t:Z"], "company": pa.array([None], STRING), "position": ["经理"]})
    with pytest.raises(UsageError, match="officers row 0: company is null"):
        find_beneficial_owners(holdings("P 60 A", name), officers, CHINA)
