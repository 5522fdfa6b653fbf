"""How a generated city lives: companies that end, honest ones that look guilty, crimes before the first day."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow.parquet as pq
import pytest

from kg.errors import UsageError
from loaders.city import Params, build, write
from loaders.city.acting import plot
from loaders.city.build import KINDS
from loaders.city.industries import PLACE
from loaders.city.lookalikes import LOOKALIKES
from loaders.city.money import BORROWED, DAY, POWER, RENT, SETTLED
from loaders.city.people import KINSHIPS
from loaders.city.plot import DEVICE
from loaders.city.schemes import SCHEMES
from loaders.city.tables import Tables

SEEDS = range(1, 9)


@pytest.fixture(scope="module")
def cities():
    return [build(Params(companies=900, days=150, seed=seed)) for seed in SEEDS]


@pytest.fixture(scope="module", params=SEEDS)
def city(request, cities):
    return cities[request.param - 1]


@pytest.fixture(scope="module")
def large():
    return build(Params(companies=20_000, days=30))


def plots(city, name):
    """Return the actors and the deeds of all plots of a name."""
    return [(of, deed) for of, deed in zip(city.actors, city.deeds, strict=True) if of.name == name]


# -- companies end ---------------------------------------------------------------------------------------------


def closed_of(city, party):
    """Return the day from which on each party is closed; people are not."""
    return np.where(party < len(city.firms), city.firms.closed[np.minimum(party, len(city.firms) - 1)], 10**6)


def test_nobody_trades_after_it_was_closed(city):
    owner, flows = city.accounts.owner, city.ledger.flows
    done = [
        (city.invoices.seller, city.invoices.day),
        (city.invoices.buyer, city.invoices.day),
        (city.loans.borrower, city.loans.second // DAY),
        (city.guarantees.guarantor, city.guarantees.day),
        (city.guarantees.beneficiary, city.guarantees.day),
        (city.links.seller, city.links.start),
        (city.links.buyer, city.links.start),
        (city.court.plaintiff, city.court.day),
        *((owner[account], flows.second // DAY) for account in (flows.payer, flows.payee)),
        (owner[city.loan_flows.account], city.loan_flows.second // DAY),
        (owner[city.sign_ins.account], city.sign_ins.second // DAY),
    ]
    for party, day in done:
        assert (day < closed_of(city, party)).all()
    assert (city.accounts.opened < city.accounts.closed).all()
    assert (city.accounts.closed == closed_of(city, owner)).all()
    assert (city.firms.founded < city.firms.closed).all()


def test_what_follows_from_invoices_ends_with_the_company_too(city):
    tables, first = Tables(city), np.datetime64(city.params.first_day, "D")
    ends = dict(zip(tables.party.to_pylist(), (first + closed_of(city, np.arange(len(tables.party)))).tolist(), strict=True))
    daily = tables.daily()
    filings = daily["tax_filings"].rows(0, daily["tax_filings"].day.size).to_pylist()
    assert all(row["filed_on"] < ends[row["company"]] for row in filings)
    financed = daily["financings"].rows(0, daily["financings"].day.size).to_pylist()
    assert all(row["at"].date() < ends[row["borrower"]] for row in financed)


def test_who_is_closed_owes_nothing_or_has_failed(city):
    loans, days = city.loans, city.params.days
    ended = closed_of(city, loans.borrower) < days
    day = closed_of(city, loans.borrower)
    settled = loans.second // DAY + loans.term < day
    assert (settled | (loans.fails < day))[ended].all()
    status = dict(zip(range(len(loans)), Tables(city).full()["loans"]()["status"].to_pylist(), strict=True))
    assert {status[place] for place in np.flatnonzero(ended).tolist()} <= {"结清", "逾期"}


def test_nobody_is_closed_before_its_part_is_played(city):
    owner = city.accounts.owner
    for of, deed in zip(city.actors, city.deeds, strict=True):
        for account in (deed.flows.payer, deed.flows.payee):
            inside = np.isin(owner[account], of.firms)
            assert (deed.flows.second[inside] // DAY < closed_of(city, owner[account[inside]])).all()
        assert (closed_of(city, of.firms) > of.start).all()
        planned = deed.flows.scheme.size if of.number > 0 else 0
        assert planned == 0 or (city.ledger.flows.scheme == of.number).any()


def test_the_register_knows_companies_that_ended_honest_and_guilty_alike(cities):
    counts = Counter()
    for city in cities:
        status = Tables(city).full()["companies"]()["status"].to_pylist()
        counts.update(status)
        gone = city.firms.closed < city.params.days
        assert [each != "存续" for each in status] == gone.tolist()
        guilty = np.concatenate([of.firms for of in city.actors if of.number > 0])
        counts["guilty"] += int(gone[guilty].sum())
        within = gone & (city.firms.closed >= 0)
        counts["within"] += int(within.sum())
    assert min(counts["注销"], counts["吊销"], counts["guilty"], counts["within"]) > 0
    assert counts["注销"] > counts["吊销"]


@pytest.mark.soak
def test_about_a_twelfth_of_the_older_companies_ended_most_of_them_young(large):
    firms = large.firms
    old, gone = (firms.role == 0) & (firms.founded < -3 * 365), firms.closed < 30
    assert 0.06 < gone[old].mean() < 0.11
    age = (firms.closed - firms.founded)[gone]
    assert np.median(age) < 4 * 365 < np.quantile(age, 0.9)


# -- honest companies that look guilty -------------------------------------------------------------------------


def test_everything_stands_twice_and_parks_grow_with_the_city():
    for companies, seed in ((2_000, 1), (2_000, 2), (2_000, 3), (400, 1)):
        city = build(Params(companies=companies, seed=seed, days=90))
        stands = Counter(of.name for of in city.actors)
        assert all(stands[each.name] >= 2 for each in (*SCHEMES, *LOOKALIKES))
        parks = [of.firms.size for of, _ in plots(city, "industrial_park")]
        assert all(8 <= size <= companies * 0.08 for size in parks)
        assert companies < 2_000 or min(parks) >= 60
    assert plot("industrial_park").size(1_000_000) == (5_000, 5_000)


@pytest.mark.soak
def test_parks_of_a_large_city_have_hundreds_of_tenants(large):
    assert all(600 <= of.firms.size <= 1_600 for of, _ in plots(large, "industrial_park"))


def test_tenants_of_a_park_have_one_house_in_one_region_and_pay_its_company(city):
    addresses = Tables(city).full()["contacts"]()["address"].to_pylist()
    for of, deed in plots(city, "industrial_park"):
        texts = [addresses[firm] for firm in of.firms.tolist()]
        assert len(set(city.firms.region[of.firms].tolist())) == 1
        assert len({text[:-5] for text in texts}) == 1
        # companies of one owner have one room at times
        assert len(set(texts)) > 0.8 * of.firms.size if of.values["rooms"] else len(set(texts)) == 1
        paid = deed.flows.take((deed.flows.purpose == RENT) | ((deed.flows.purpose == POWER) & (deed.flows.payee == of.firms[0])))
        assert set(paid.payee.tolist()) == {of.firms[0]}
        assert set(paid.payer.tolist()) == set(of.firms[1:].tolist())


def test_owners_of_a_family_are_kin_and_of_one_name_where_by_blood(city):
    kin = {(a, b): KINSHIPS[kind] for a, b, kind in city.people.kin.tolist()}
    names = city.people.surname
    families = plots(city, "family")
    everybody = Counter(owner for of, _ in families for owner in set(city.people.owner[of.firms].tolist()))
    for of, deed in families:
        owners = set(city.people.owner[of.firms].tolist())
        related = {pair: kind for pair, kind in kin.items() if set(pair) <= owners}
        # who owns companies of two families belongs to the first of them
        assert len(related) == len(owners) - 1 or max(everybody[owner] for owner in owners) > 1
        for (a, b), kind in related.items():
            born = city.people.born[b] - city.people.born[a]
            assert kind == "spouse" or names[a] == names[b]
            assert {"spouse": abs(born) <= 20 * 365, "sibling": True, "parent": born < 0, "child": born > 0}[kind]
        assert BORROWED in deed.flows.purpose
        assert set(deed.guarantees.guarantor.tolist()) <= set(of.firms.tolist())
        assert (deed.guarantees.guarantor != deed.guarantees.beneficiary).all()
    married = Counter(person for pair, kind in kin.items() if kind == "spouse" for person in pair)
    assert max(married.values()) == 1
    spelled = set(Tables(city).full()["kinship"]()["kinship"].to_pylist())
    assert spelled <= set(KINSHIPS)


def test_a_fast_grower_is_young_and_sells_more_every_month(city):
    for of, deed in plots(city, "fast_grower"):
        grower = of.firms[0]
        assert 0 < of.start - city.firms.founded[grower] < 500
        assert city.firms.employees[grower] < 40
        sold = deed.flows.take(deed.flows.payee == grower)
        month = np.bincount((sold.second // DAY - of.start) // 30)
        assert month[of.values["months"] - 1] > 1.5 * month[0]
        assert len(deed.loans) == of.values["loans"]


def test_shops_sign_in_by_one_device_and_money_does_not_stay(city):
    for of, deed in plots(city, "shop_accountant"):
        device = city.contacts.device[of.firms]
        assert Counter(device.tolist()).most_common(1)[0][1] >= 0.6 * of.firms.size
        assert set(deed.shared.take(deed.shared.what == DEVICE).group.tolist()) == {of.number}
        shops = of.firms[1:]
        assert set(city.firms.industry[shops].tolist()) == {PLACE["F52"]}
        settled = deed.flows.take((deed.flows.purpose == SETTLED) & np.isin(deed.flows.payee, shops))
        spent = deed.flows.take(np.isin(deed.flows.payer, shops))
        assert set(settled.payee.tolist()) == set(shops.tolist())
        assert 0.85 < spent.fen.sum() / settled.fen.sum() < 1.05


# -- crimes from before the first day --------------------------------------------------------------------------


def test_a_young_citys_bank_knows_of_crimes_committed_before_its_first_day(city):
    old = city.known.take(city.known.happened < 0)
    members = np.concatenate([of.firms for of in city.past])
    assert len(city.past) >= 2
    assert len(old) >= 2
    assert set(old.firm.tolist()) <= set(members.tolist())
    assert ((old.known >= 0) & (old.known < city.params.days)).all()
    assert (old.lost > 0).all()
    assert (np.diff(city.known.known) >= 0).all()


def test_the_companies_of_an_old_crime_were_there_and_have_no_part_in_any_of_the_period(city):
    present = np.concatenate([of.firms for of in city.actors])
    members = np.concatenate([of.firms for of in city.past])
    assert not np.isin(members, present).any()
    assert np.unique(members).size == members.size
    for of in city.past:
        assert of.start < 0
        assert of.name in KINDS
        assert (city.firms.founded[of.firms] < of.start).all()
        assert (city.firms.closed[of.firms] > of.start).all()
    guilty = city.ledger.flows.take(city.ledger.flows.scheme > 0)
    assert set(guilty.scheme.tolist()) <= {of.number for of in city.actors if of.number > 0}


def test_the_truth_tells_old_crimes_from_those_of_the_period(tmp_path):
    city = build(Params(companies=400, days=90))
    write(city, tmp_path)
    read = lambda name: pq.read_table(tmp_path / "truth" / f"{name}.parquet")  # noqa: E731
    assert read("past_schemes").num_rows == len(city.past)
    assert set(read("past_members")["company"].to_pylist()).isdisjoint(read("members")["company"].to_pylist())
    assert max(read("past_schemes")["start"].to_pylist()) < city.params.first_day <= min(read("schemes")["start"].to_pylist())
    assert read("closed").num_rows == int((city.firms.closed < 90).sum())


def test_where_nothing_is_found_and_where_nobody_is_guilty_there_are_no_old_cases():
    assert build(Params(companies=300, days=60, found_ppm=0)).past == ()
    assert build(Params(companies=300, days=60, prevalence_ppm=0, least=0)).past == ()


@pytest.mark.parametrize("wrong", [-1, 101])
def test_camouflage_is_a_number_up_to_a_hundred(wrong):
    assert Params().camouflage == 50
    with pytest.raises(UsageError, match=f"camouflage must be between 0 and 100, not {wrong}"):
        Params(camouflage=wrong)
