"""What the schemes of the generated city do, and what follows for papers, control and ownership, held against their own words."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import rankdata

from kg.rules.many_lenders import ManyLendersParameters
from loaders.city import Params, build, industries
from loaders.city.acting import plot
from loaders.city.contagion import DEPENDS, LEAST_SUPPLIERS, WAGES_FOR, suffered
from loaders.city.credit import NEVER
from loaders.city.financing import CONTRACT, INVOICE
from loaders.city.holdings import UNKNOWN, WHOLE
from loaders.city.money import BORROWED, DAY, GOODS, RENT, SALARY, Flows
from loaders.city.owners import beneficial, registered
from loaders.city.rhythm import Calendar
from loaders.city.schemes import SCHEMES
from loaders.city.schemes.group_splitting import limit
from loaders.city.tables import Tables
from loaders.city.town import Town
from loaders.city.truth import beyond, truth


@pytest.fixture(scope="module", params=range(1, 7))
def city(request):
    return build(Params(companies=600, days=150, seed=request.param))


@pytest.fixture(scope="module")
def cities():
    return [build(Params(companies=800, days=120, seed=seed, prevalence_ppm=150_000)) for seed in (11, 12, 13)]


def plots(city, name):
    """Return the actors and deeds of a kind that do nothing else besides."""
    return [(of, deed) for of, deed in zip(city.actors, city.deeds, strict=True) if of.name == name and of.also is None]


def boss(city, of):
    return city.ownership.controller[of.firms[0]]


def holders(city, company):
    held = city.ownership.holdings
    return set(held.holder[held.company == company].tolist())


def test_related_trade_makes_the_part_of_the_revenue_that_was_drawn(city):
    valid = city.invoices.take(city.invoices.void == 0)
    for of, deed in plots(city, "related_trade"):
        seller = int(of.firms[0])
        sold = valid.take((valid.seller == seller) & (valid.net > 0))
        related = sold.scheme == of.number
        assert sold.net[related].sum() == deed.invoices.net.sum()
        assert set(sold.buyer[related].tolist()) <= {f for f, role in zip(of.firms, deed.roles, strict=True) if role == "buyer"}
        if (~related).any():
            # a seller without much other trade in the city counts customers elsewhere
            assert sold.net[related].sum() / sold.net.sum() >= of.values["percent"] / 100 - 0.001
        if sold.net[~related].sum() > city.firms.sales[seller] * 0.08 * city.params.days / 365:
            assert sold.net[related].sum() / sold.net.sum() == pytest.approx(of.values["percent"] / 100, abs=0.001)
        assert len(deed.contracts) == deed.roles.count("buyer")
        bills = Counter((deed.invoices.net + deed.invoices.tax).tolist())
        paid, rest = deed.flows.take(deed.flows.purpose == GOODS), deed.flows.take(deed.flows.purpose != GOODS)
        assert Counter(paid.fen.tolist()) <= bills
        # what is not for a bill is the profit that goes up through the holding companies
        holding = {int(firm) for firm, role in zip(of.firms, deed.roles, strict=True) if role == "holding"}
        assert set(rest.payer.tolist()) == ({int(of.firms[1])} | holding if holding else set())
        assert set(rest.payee.tolist()) == ({int(boss(city, of))} | holding if holding else set())


@pytest.mark.parametrize("kind", ["related_trade", "hidden_control", "group_splitting"])
def test_companies_of_a_hidden_group_have_one_controller_who_is_not_seen_in_all_of_them(city, kind):
    hidden = 0
    for of, deed in plots(city, kind):
        assert set(city.ownership.controller[of.firms].tolist()) == {boss(city, of)}
        assert boss(city, of) >= len(city.firms)
        assert boss(city, of) in holders(city, of.firms[0])
        assert len(deed.fronts) + len(deed.parents) == of.firms.size
        hidden += sum(boss(city, of) not in holders(city, firm) for firm in of.firms[1:])
        for company, straw, behind in zip(deed.fronts.company, deed.fronts.straw, deed.fronts.behind, strict=True):
            assert straw in holders(city, company)
            assert city.ownership.nominee[company] == (straw != behind)
    assert hidden > 0 or not plots(city, kind)


def test_holding_layers_lead_from_the_company_in_front_to_its_controller(city):
    held = city.ownership.holdings
    for of, deed in plots(city, "hidden_control"):
        layers = min(of.values["layers"], of.firms.size - 2)
        assert deed.roles.count("holding") == layers
        firm, steps = int(of.firms[1]), 0
        while firm in deed.parents.company:
            above = int(deed.parents.parent[deed.parents.company == firm][0])
            share = held.ppm[(held.company == firm) & (held.holder == above)]
            assert share.size == 1
            assert share[0] == UNKNOWN or share[0] > WHOLE // 2
            firm, steps = above, steps + 1
        assert steps == layers


def test_hidden_control_brings_the_money_to_who_is_behind(city):
    for of, deed in plots(city, "hidden_control"):
        assert set(deed.loans.borrower.tolist()) <= {int(of.firms[1])}
        end = {int(of.firms[0]), int(boss(city, of))}
        came = deed.flows.take(np.isin(deed.flows.payee, list(end))).fen.sum()
        assert came > 0
        if len(deed.loans):
            assert came <= deed.loans.fen.sum()
            assert came >= deed.loans.fen.sum() * of.values["percent"] // 100 * 0.85


def test_hollow_invoices_are_for_goods_that_the_seller_did_not_buy_in_a_burst_before_silence(city):
    rows = city.invoices
    for of, deed in plots(city, "hollow_invoices"):
        seller = int(of.firms[deed.roles.index("seller")])
        assert city.firms.founded[seller] == city.firms.founded[of.firms].max()
        bills = deed.invoices
        own = city.firms.industry[seller]
        assert (bills.goods != own).all()
        assert industries.BUYS[bills.goods[0]] @ industries.BUYS[own] < 0.06
        assert bills.day.max() - of.start <= of.values["burst_days"] + 12  # a holiday may lie at its end
        begin, end = deed.silences.begin[0], deed.silences.end[0]
        assert end - begin == of.values["silent_days"]
        mine = rows.take((rows.seller == seller) & (rows.net > 0))
        assert not ((mine.day >= begin) & (mine.day < end)).any()
        later = bills.void == 1
        lent = deed.financings
        assert set(np.flatnonzero(later).tolist()) <= set(lent.paper.tolist())
        assert (bills.void_day[lent.paper][later[lent.paper]] > (lent.second // DAY)[later[lent.paper]]).all()


def test_hollow_invoices_are_void_after_they_were_financed_and_paid_ones_go_back(cities):
    voided, back, paid = 0, 0, 0
    for city in cities:
        for of, deed in plots(city, "hollow_invoices"):
            seller = int(of.firms[deed.roles.index("seller")])
            voided += int(deed.invoices.void.sum())
            paid += int(deed.flows.fen[deed.flows.purpose == GOODS].sum())
            from_seller = city.accounts.owner[deed.flows.payer] == seller
            back += int(deed.flows.fen[from_seller].sum())
    assert voided > 0
    assert 0.3 < back / paid < 1.0


def test_a_paper_of_double_financing_is_financed_by_several_lenders_alike_or_nearly_so(city):
    for of, deed in plots(city, "double_financing"):
        lent = deed.financings
        for paper in np.unique(lent.paper):
            rows = lent.take(lent.paper == paper)
            assert np.unique(rows.lender).size == len(rows) == of.values["lenders"]
            assert abs(rows.fen / rows.fen[0] - 1).max() <= 0.026
            exact = np.unique(rows.fen).size == 1
            assert exact or of.values["near"] == 2
            assert (rows.spelt[0], rows.spelt[1:].min() > 0) == (0, of.values["near"] > 0)
            assert (np.ptp(rows.second) // DAY) <= of.values["within_days"] + 12
        away = deed.flows.take(np.isin(deed.flows.payer, of.firms[:1]))
        assert away.fen.sum() == sum(int(fen) * of.values["percent"] // 100 for fen in lent.fen)


def test_a_split_group_borrows_below_the_limit_each_and_above_that_of_a_group_together(city):
    for of, deed in plots(city, "group_splitting"):
        loans, most = deed.loans, limit(city, of.firms)
        assert set(loans.borrower.tolist()) == set(of.firms.tolist())
        assert np.unique(loans.lender).size == 1
        assert loans.fen.max() < most
        assert loans.fen.sum() > most * 3 // 2
        assert np.ptp(loans.second) // DAY <= of.values["within_days"] + 12
        assert np.unique(deed.flows.payee).size == 1
        assert int(deed.flows.payee[0]) in {int(of.firms[0]), int(boss(city, of))}


def test_papers_lead_to_their_parties_and_nothing_is_lent_before_there_is_a_paper(city):
    lent, invoices, contracts = city.papers.financings, city.invoices, city.papers.contracts
    for kind, papers in ((INVOICE, invoices), (CONTRACT, contracts)):
        rows = lent.take(lent.kind == kind)
        assert (papers.seller[rows.paper] == rows.borrower).all()
        assert (papers.scheme[rows.paper] == rows.scheme).all()
        assert (rows.second // DAY >= papers.day[rows.paper]).all()
    for times in (contracts.day, invoices.day, lent.second):
        assert (np.diff(times) >= 0).all()
    ready = np.maximum(city.firms.founded[contracts.seller], city.firms.founded[contracts.buyer])
    assert (contracts.day >= ready).all()
    assert (invoices.seller != invoices.buyer).all()
    voided = invoices.take(invoices.void == 1)
    assert ((voided.void_day >= voided.day) & (voided.void_day < city.params.days)).all()
    assert (voided.void_day > voided.day)[voided.scheme == 0].any()


def test_honest_papers_are_financed_twice_too_so_that_a_second_lender_is_no_proof(city):
    lent = city.papers.financings
    lenders = Counter()
    for paper, honest in {
        (int(p), s == 0) for p, s in zip(lent.paper[lent.kind == INVOICE], lent.scheme[lent.kind == INVOICE], strict=True)
    }:
        rows = lent.take((lent.paper == paper) & (lent.kind == INVOICE))
        lenders[honest, np.unique(rows.lender).size > 1] += 1
    assert lenders[True, True] > 0
    assert (lent.spelt[lent.scheme == 0] > 0).any()
    flows = city.ledger.flows
    paid_out = flows.take((flows.purpose == BORROWED) & np.isin(flows.payer, lent.lender))
    assert len(paid_out) >= 0.9 * len(lent)  # but to those whose account is not open yet


def test_a_part_of_what_schemes_pay_for_goods_has_invoices_of_the_same_sum(cities):
    shares = []
    for city in cities:
        for of, deed in plots(city, "payment_ring"):
            goods = deed.flows.take(deed.flows.purpose == GOODS)
            between = (city.accounts.owner[goods.payer] < 800) & (city.accounts.owner[goods.payee] < 800)
            if between.sum() < 4:
                continue
            payer, payee = city.accounts.owner[goods.payer].tolist(), city.accounts.owner[goods.payee].tolist()
            paid = Counter(zip(payer, payee, goods.fen.tolist(), strict=True))
            bills = deed.invoices
            made_out = Counter(zip(bills.buyer.tolist(), bills.seller.tolist(), (bills.net + bills.tax).tolist(), strict=True))
            assert made_out <= paid
            assert set(bills.scheme.tolist()) <= {of.number}
            shares.append(len(bills) / between.sum())
    assert min(shares) < 0.3
    assert max(shares) > 0.5


def test_who_borrows_from_fewer_lenders_than_the_rule_asks_for_lies_beyond_its_default():
    lenders, least = plot("many_lenders").ranges["lenders"], ManyLendersParameters().min_lenders
    assert lenders.low < least <= lenders.high
    assert lenders.beyond(least - 1)
    assert not lenders.beyond(least)


def test_a_scheme_lies_beyond_the_defaults_with_what_else_it_does(cities):
    mixed = [of for city in cities for of in city.actors if of.number > 0 and of.also]
    assert any(beyond(of.also) for of in mixed)
    assert all(beyond(of) == beyond(replace(of, also=None)) + beyond(of.also) for of in mixed)


def test_about_one_scheme_in_seven_does_a_second_kind_too(cities):
    guilty = [(city, of, deed) for city in cities for of, deed in zip(city.actors, city.deeds, strict=True) if of.number > 0]
    mixed = [(city, of, deed) for city, of, deed in guilty if of.also]
    assert 0.07 < len(mixed) / len(guilty) < 0.22
    for _, of, deed in mixed:
        other = plot(of.also.name)
        assert other in SCHEMES
        assert other.name != of.name
        assert other.members.low <= of.firms.size <= other.members.high
        assert not (other.settles and plot(of.name).settles)
        assert np.unique(np.concatenate([deed.fronts.company, deed.parents.company])).size == len(deed.fronts) + len(deed.parents)
        assert set(deed.flows.scheme.tolist()) == {of.number}
        alone = other.act.__module__.rsplit(".", 1)[-1]
        if alone in ("many_lenders", "loan_return", "guarantee_circle", "group_splitting"):
            assert of.firms[0] in deed.loans.borrower
    told = truth(Tables(cities[0]))["schemes"].to_pylist()
    assert {row["number"] for row in told if row["also"]} == {of.number for of in cities[0].actors if of.also}


def test_a_core_firm_takes_suppliers_along_that_depend_on_it_tier_by_tier(city):
    hit, tied = city.contagion, city.links
    assert (hit.tier == 0).sum() >= 2
    assert np.unique(hit.company).size == len(hit)
    part = {(int(b), int(s)): v / city.firms.sales[s] for b, s, v in zip(tied.buyer, tied.seller, tied.volume, strict=True)}
    at = {int(company): place for place, company in enumerate(hit.company)}
    for core in hit.company[hit.tier == 0]:
        assert sum(share >= DEPENDS for (buyer, _), share in part.items() if buyer == core) >= LEAST_SUPPLIERS
    for place in np.flatnonzero(hit.tier > 0):
        by = at[int(hit.by[place])]
        assert hit.tier[by] == hit.tier[place] - 1
        assert hit.core[by] == hit.core[place]
        assert hit.fails[by] < hit.day[place] < city.params.days
        assert part[int(hit.by[place]), int(hit.company[place])] >= DEPENDS
        assert hit.fails[place] == NEVER or hit.fails[place] > hit.day[place]
    assert (hit.tier > 0).any()


def test_who_failed_pays_nothing_more_but_wages_and_gets_no_loan(city):
    hit, flows = city.contagion, city.ledger.flows
    guilty = np.concatenate([of.firms for of in city.actors])
    failed = hit.take((hit.fails < city.params.days) & ~np.isin(hit.company, guilty))
    payer = city.accounts.owner[flows.payer]
    for company, day in zip(failed.company, failed.fails, strict=True):
        after = flows.take((payer == company) & (flows.second >= day * DAY) & (flows.purpose != BORROWED))
        late = after.take(after.payee != company)
        assert set(late.purpose.tolist()) <= {SALARY}
        assert (late.second < (day + WAGES_FOR) * DAY).all()
        mine = city.loans.take(city.loans.borrower == company)
        assert (mine.second < day * DAY).all()
        assert (mine.fails < NEVER).all()
        assert not ((city.invoices.buyer == company) & (city.invoices.net > 0) & (city.invoices.day >= day + 7)).any()


def test_who_was_hit_pays_its_bills_later_and_everything_else_on_time(city):
    hit = city.contagion.take((city.contagion.fails == NEVER) & (city.contagion.day < 100))
    assert len(hit) > 0
    calendar = Calendar.of(city.params.first_day, city.params.days)
    town = Town(city.params, calendar, city.firms, city.people, city.accounts, np.arange(len(city.accounts)))
    who, other = hit.company, np.setdiff1d(np.arange(600), city.contagion.company)[: len(hit)]
    for payer, day, purpose in ((who, hit.day, GOODS), (who, hit.day - 1, GOODS), (who, hit.day, RENT), (other, hit.day, GOODS)):
        planned = Flows.honest(payer, np.roll(other, 1), np.full(len(hit), 100), day * DAY + 40_000, purpose)
        paid = suffered(city.contagion, town, planned)
        late = (paid.second - planned.second) // DAY
        if payer is who and purpose == GOODS and day is hit.day:
            assert (late >= np.minimum(hit.late, city.params.days - hit.day)).all()  # what lies beyond the period is beyond it
            assert (late <= hit.late + 12).all()
        else:
            assert not late.any()


def test_suppliers_who_were_not_paid_go_to_court(cities):
    for city in cities:
        hit = city.contagion.take(city.contagion.tier > 0)
        sued = set(zip(city.court.plaintiff.tolist(), city.court.defendant.tolist(), strict=True))
        assert sued & set(zip(hit.company.tolist(), hit.by.tolist(), strict=True))


def test_beneficial_owners_solve_the_equations_of_ownership(city):
    firms, people = len(city.firms), len(city.people)
    held = registered(city.ownership)
    parts = np.zeros((firms, firms + people))
    np.add.at(parts, (held.company, held.holder), held.ppm / WHOLE)
    right = np.linalg.solve(np.eye(firms) - parts[:, :firms], parts[:, firms:])
    company, person, ppm = beneficial(city.ownership, firms, people)
    found = np.zeros((firms, people))
    found[company, person - firms] = ppm / WHOLE
    assert abs(found - right).max() < 1.1e-6
    assert np.bincount(company, ppm, firms).max() <= WHOLE
    assert (ppm > 0).all()


def test_a_nominee_owns_nothing_and_who_is_behind_owns_it(city):
    company, person, _ = beneficial(city.ownership, len(city.firms), len(city.people))
    owned = set(zip(company.tolist(), person.tolist(), strict=True))
    held = city.ownership.holdings
    known = set(zip(held.company[held.ppm != UNKNOWN].tolist(), held.holder[held.ppm != UNKNOWN].tolist(), strict=True))
    straws = np.flatnonzero(city.ownership.nominee)
    assert straws.size > 5
    for firm in straws.tolist():
        straw, behind = int(city.ownership.representative[firm]), int(city.ownership.behind[firm])
        if (firm, straw) in known:
            assert (firm, behind) in owned
            assert (firm, straw) not in owned


def test_the_truth_tells_groups_fronts_and_papers(city):
    tables = Tables(city)
    told = truth(tables)
    controller = dict(zip(*(told["controllers"][name].to_pylist() for name in ("company", "controller")), strict=True))
    groups = told["groups"].to_pylist()
    assert all(controller[row["company"]] == row["controller"] for row in groups)
    assert min(Counter(row["controller"] for row in groups).values()) >= 2
    for row in told["fronts"].to_pylist():
        assert controller[row["company"]] == row["controller"]
    numbers = set(told["schemes"]["number"].to_pylist())
    for name in ("invoices", "financings", "fronts", "loans", "transfers", "members"):
        assert set(told[name]["number"].to_pylist()) <= numbers, name
    daily = {name: kind.rows(0, kind.day.size) for name, kind in tables.daily().items()}
    assert set(told["invoices"]["invoice"].to_pylist()) <= set(daily["invoices"]["number"].to_pylist())
    assert set(told["contracts"]["contract"].to_pylist()) <= set(daily["contracts"]["number"].to_pylist())
    written = set(zip(daily["financings"]["lender"].to_pylist(), daily["financings"]["amount_fen"].to_pylist(), strict=True))
    assert {(row["lender"], row["amount_fen"]) for row in told["financings"].to_pylist()} <= written
    assert {row["company"] for row in told["contagion"].to_pylist()} <= set(controller)


def test_no_simple_column_separates_guilty_from_honest_companies_with_all_schemes_present():
    built = [build(Params(seed=seed)) for seed in (1, 2, 3)]
    guilty, scores = [], {name: [] for name in ("founded", "sales", "partners", "invoices", "financed", "loans", "void")}
    for city in built:
        count, flows, rows = city.params.companies, city.ledger.flows, city.invoices
        guilty.append(np.isin(np.arange(count), np.concatenate([of.firms for of in city.actors if of.number > 0])))
        payer, payee = (city.accounts.owner[account].astype(np.int64) for account in (flows.payer, flows.payee))
        pairs = np.unique(payer * 10**6 + payee) // 10**6
        for name, party in (
            ("partners", pairs),
            ("invoices", rows.seller),
            ("financed", city.papers.financings.borrower),
            ("loans", city.loans.borrower),
            ("void", rows.seller[rows.void == 1]),
        ):
            scores[name].append(np.bincount(party[party < count], minlength=count)[:count])
        scores["founded"].append(city.firms.founded[:count])
        scores["sales"].append(city.firms.sales[:count])
    bad = np.concatenate(guilty)
    for name, parts in scores.items():
        rank = rankdata(np.concatenate(parts))
        area = (rank[bad].mean() - (bad.sum() + 1) / 2) / (~bad).sum()
        assert 0.30 < area < 0.70, name


def test_camouflage_makes_out_more_invoices_and_heeds_the_weekends():
    at_weekends, covered = {}, {}
    for camouflage in (0, 50, 100):
        city = build(Params(companies=600, days=150, prevalence_ppm=100_000, camouflage=camouflage))
        day = city.ledger.flows.second[city.ledger.flows.scheme > 0] // DAY
        weekday = (np.datetime64(city.params.first_day, "D").astype(np.int64) + day + 3) % 7
        at_weekends[camouflage] = float((weekday >= 5).mean())
        covered[camouflage] = sum(len(deed.invoices) for of, deed in zip(city.actors, city.deeds, strict=True) if of.name == "payment_ring")
    assert at_weekends[0] > 2 * at_weekends[50]
    assert covered[0] == 0 < covered[50] <= covered[100]
