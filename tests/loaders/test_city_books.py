"""The bank's own books of a generated city tie with its other files, and what people agreed or rebutted is true."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from kg.derivations.limits import aggregate_exposure
from kg.rulesets import get
from loaders.city import Params, build
from loaders.city.build import City
from loaders.city.connected import Groups, Ties, control, dependence, groups
from loaders.city.firms import CLEARING, LANDLORD, LENDER, ORDINARY, PLATFORM, STATE, TAX, UTILITY
from loaders.city.holdings import WHOLE
from loaders.city.tables import Tables


class Bank:
    """A city and the tables of its bank."""

    def __init__(self, params: Params) -> None:
        self.city = build(params)
        self.tables = Tables(self.city)
        self._full, self._daily = self.tables.full(), self.tables.daily()

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """Return the rows of a source kind."""
        return self.table(kind).to_pylist()

    def table(self, kind: str) -> pa.Table:
        """Return them as a table."""
        if kind in self._full:
            return self._full[kind]()
        return self._daily[kind].rows(0, self._daily[kind].day.size)


@pytest.fixture(scope="module", params=[1, 2, 3])
def bank(request: pytest.FixtureRequest) -> Bank:
    return Bank(Params(companies=1_200, days=120, seed=request.param))


def known_groups(city: City) -> Groups:
    ties = [control(city.firms, city.ownership, city.fronts), dependence(city.params, city.firms, city.invoices, city.guarantees)]
    return groups(Ties.stacked(ties), len(city.firms) + len(city.people))


def test_each_open_loan_is_an_exposure_of_its_borrower_with_its_balance(bank: Bank):
    open_loans = {(row["loan"], row["borrower"], row["balance_fen"]) for row in bank.rows("loans") if row["balance_fen"]}
    exposed = [(row["number"], row["party"], row["amount_fen"]) for row in bank.rows("exposures") if row["kind"] == "loan"]
    assert len(exposed) > 300
    assert Counter(exposed) == Counter(open_loans)


def test_other_exposures_have_numbers_of_their_own_and_are_amounts(bank: Bank):
    rows = bank.rows("exposures")
    assert len({row["number"] for row in rows}) == len(rows)
    assert all(row["amount_fen"] > 0 for row in rows)
    assert {row["kind"] for row in rows} >= {"loan", "specific", "counterparty", "potential", "other"}


def test_who_provides_mitigation_guarantees_for_the_borrower_and_no_more_than_the_exposure(bank: Bank):
    given: Counter[tuple[str, str]] = Counter()
    for row in bank.rows("guarantees"):
        given[row["guarantor"], row["beneficiary"]] += row["amount_fen"]
    mitigated = [row for row in bank.rows("exposures") if row["provider"]]
    assert len(mitigated) > 20
    for row in mitigated:
        assert 0 < row["mitigated_fen"] <= min(row["amount_fen"], given[row["provider"], row["party"]])
        assert (row["provider_kind"], row["kind"]) == ("company", "loan")
        assert row["provider"] != row["party"]
    assert all(row["mitigated_fen"] is None and row["provider_kind"] is None for row in bank.rows("exposures") if not row["provider"])


def test_no_client_and_no_group_that_the_bank_can_know_passes_a_limit_and_some_come_near(bank: Bank):
    known, table = known_groups(bank.city), bank.table("exposures")
    named = bank.tables.party
    members = {"group_id": named.take(pa.array(known.head)), "party": named.take(pa.array(known.member))}
    rows = pa.table({**members, "because": pa.repeat("", len(known))})
    rows = rows.set_column(0, "group_id", pa.array([f"group {each}" for each in rows["group_id"].to_pylist()]))
    capital = bank.table("bank_capital").sort_by("reported_on").slice(bank.table("bank_capital").num_rows - 1)
    rules = get("CN-LE-2018")
    bounds = {str(limit) for limit in rules.limits if limit.kind == "limit"}
    found = [row for row in aggregate_exposure(rows, table, capital, rules).to_pylist() if row["limit"] in bounds]
    assert not [row for row in found if row["breach"]]
    near = [row for row in found if row["used_fen"] > 1.3 * row["headroom_fen"]]
    assert 1 <= len({row["group_id"] for row in near}) <= 30


def test_capital_is_reported_once_at_each_end_of_a_quarter_and_grows_slowly():
    rows = Bank(Params(companies=120, days=500, first_day=date(2023, 11, 15))).rows("bank_capital")
    assert [str(row["reported_on"]) for row in rows] == ["2023-09-30", "2023-12-31", "2024-03-31", "2024-06-30", "2024-09-30", "2024-12-31"]
    for column in ("net_capital_fen", "tier_1_fen"):
        values = [row[column] for row in rows]
        assert all(before < after < 1.03 * before for before, after in pairwise(values))
    assert all(row["tier_1_fen"] < row["net_capital_fen"] for row in rows)


def test_a_quarter_that_ends_with_the_last_day_is_reported_and_one_that_ends_the_day_after_is_not():
    for days, last in ((91, "2024-03-31"), (90, "2023-12-31")):
        assert str(Bank(Params(companies=120, days=days)).rows("bank_capital")[-1]["reported_on"]) == last


def test_institutions_with_which_everybody_deals_are_hubs_and_nobody_else_is(bank: Bank):
    role = dict(zip(bank.tables.party.to_pylist(), bank.city.firms.role.tolist(), strict=False))
    hubs = {row["party"]: row["reason"] for row in bank.rows("hubs")}
    assert set(hubs) == {party for party, of in role.items() if of not in (ORDINARY, STATE)}
    reasons = {LENDER: "bank", TAX: "tax", UTILITY: "utility", PLATFORM: "platform", LANDLORD: "landlord", CLEARING: "clearing"}
    assert all(reason == reasons[role[party]] for party, reason in hubs.items())


def test_the_state_and_offices_are_named_as_what_they_are_and_a_few_of_the_largest_companies_are_listed(bank: Bank):
    firms, rows = bank.city.firms, bank.rows("companies")
    kinds = {STATE: "state", TAX: "other"}
    assert [row["kind"] for row in rows] == [kinds.get(role) for role in firms.role.tolist()]
    listed = np.array([row["listed"] for row in rows])
    assert 2 <= listed.sum() <= 5
    assert (firms.employees[listed] >= np.quantile(firms.employees[: bank.city.params.companies], 0.99)).all()
    assert all(row["name"].endswith("股份有限公司") for row in rows if row["listed"])


def test_who_acts_in_concert_has_the_majority_together_and_nobody_alone(bank: Bank):
    held = bank.city.ownership.holdings
    share = {(c, h): ppm for c, h, ppm in zip(held.company.tolist(), held.holder.tolist(), held.ppm.tolist(), strict=True)}
    members: dict[int, list[int]] = {}
    agreed = bank.city.agreements.concert
    for company, member in zip(agreed.company.tolist(), agreed.member.tolist(), strict=True):
        members.setdefault(company, []).append(member)
    assert len(members) >= 2
    for company, of in members.items():
        assert 2 * sum(share[company, member] for member in of) > WHOLE
        assert all(2 * ppm <= WHOLE for (c, _), ppm in share.items() if c == company)
        assert all(c == company for c, holder in share if holder in of)
    pairs = bank.rows("concert")
    assert len(pairs) == sum(len(of) * (len(of) - 1) // 2 for of in members.values())
    assert len({row["agreement"] for row in pairs}) == len(members)


def test_disclosed_nominees_stand_in_the_register_for_no_scheme(bank: Bank):
    city, rows = bank.city, bank.city.agreements.nominations
    owned, guilty = city.ownership, city.fronts.company[city.fronts.scheme > 0]
    honest = owned.nominee.sum() - owned.nominee[guilty].sum()
    assert 1 <= len(rows) <= 0.2 * honest
    assert not np.isin(rows.company, guilty).any()
    assert (owned.representative[rows.company] == rows.nominee).all()
    assert (owned.behind[rows.company] == rows.nominator).all()
    held = set(zip(owned.holdings.company.tolist(), owned.holdings.holder.tolist(), strict=True))
    assert set(zip(rows.company.tolist(), rows.nominee.tolist(), strict=True)) <= held


def test_rebutted_links_are_of_honest_pairs_and_a_link_is_restored_only_after_it_was_rebutted():
    restored = 0
    for seed in range(1, 9):
        city = build(Params(companies=1_200, days=120, seed=seed))
        guilty = np.concatenate([of.firms for of in city.actors if of.number > 0])
        rows, open_links = city.rebuttals, set()
        assert len(rows) >= 3
        assert (np.diff(rows.second) >= 0).all()
        assert ((rows.second >= 0) & (rows.second < city.params.days * 86_400)).all()
        assert not np.isin(np.concatenate([rows.a, rows.b]), guilty).any()
        assert (rows.a != rows.b).all()
        plots = [set(of.firms.tolist()) for of in city.actors if of.name in ("family", "secretarial_address")]
        for a, b, action in zip(rows.a.tolist(), rows.b.tolist(), rows.action.tolist(), strict=True):
            assert any({a, b} <= plot for plot in plots)
            assert ((a, b) in open_links) == (action == 1)
            (open_links.discard if action else open_links.add)((a, b))
            restored += action
    assert restored > 0


def test_exactly_what_can_be_reached_from_a_head_is_its_group():
    ties = Ties(np.array([0, 1, 2, 3, 5, 5]), np.array([1, 2, 1, 2, 6, 5]))
    found = groups(ties, 8)
    members: dict[int, set[int]] = {}
    for head, member in zip(found.head.tolist(), found.member.tolist(), strict=True):
        members.setdefault(head, set()).add(member)
    assert members == {0: {0, 1, 2}, 3: {1, 2, 3}, 5: {5, 6}}
