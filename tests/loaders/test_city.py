"""The generated city, held against what must be true of any city and against numbers checked by others."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from stdnum import luhn, numdb
from stdnum.cn import ric, uscc

from kg.cli import cli
from kg.errors import UsageError
from loaders.city import CITY_VERSION, Params, build, write
from loaders.city.acting import plot
from loaders.city.holdings import UNKNOWN, WHOLE
from loaders.city.lookalikes import LOOKALIKES
from loaders.city.money import DAY
from loaders.city.schemes import SCHEMES
from loaders.city.tables import Tables
from loaders.sources import KINDS

SMALL = {"companies": 300, "days": 60}
#: Six cities each time, twenty where there is time.
SEEDS = [*range(1, 7), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(7, 21))]
#: SHA-256 over the CSV files of a small city, by version.
PINNED = {13: "9c279c01aa8b4230eca0aeeee8882ced915d831ec860d595da3124eb85f18e18"}


@pytest.fixture(scope="module", params=SEEDS)
def city(request):
    return build(Params(**SMALL, seed=request.param))


def digests(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_one_seed_gives_the_same_bytes_whatever_the_threads_and_another_seed_others(tmp_path, form):
    threads = pa.cpu_count()
    try:
        for name, seed, count in (("one", 1, 1), ("again", 1, 4), ("other", 2, 4)):
            pa.set_cpu_count(count)
            write(build(Params(companies=120, days=30, seed=seed)), tmp_path / name, form)
    finally:
        pa.set_cpu_count(threads)
    assert digests(tmp_path / "one") == digests(tmp_path / "again")
    assert digests(tmp_path / "one")["truth/balances.parquet"] != digests(tmp_path / "other")["truth/balances.parquet"]


def test_a_change_of_what_a_city_is_raises_its_version(tmp_path):
    """A city judged yesterday must be there again tomorrow: who changes what is drawn raises ``CITY_VERSION`` and pins the new bytes."""
    write(build(Params(companies=120, days=30)), tmp_path)
    landing = digests(tmp_path / "landing")
    together = hashlib.sha256("".join(f"{name} {landing[name]}\n" for name in sorted(landing)).encode()).hexdigest()
    assert together == PINNED[CITY_VERSION]


def test_money_is_conserved_and_no_account_falls_below_its_overdraft(city):
    """Replayed payment by payment, in the order of time, by plain Python."""
    flows, lent = city.ledger.flows, city.loan_flows
    events = list(zip(flows.second, flows.payer, flows.payee, flows.fen, strict=True))
    for second, account, fen, out in zip(lent.second, lent.account, lent.fen, lent.out, strict=True):
        events.append((second, -1, account, fen) if out else (second, account, -1, fen))
    balance = dict(enumerate(city.ledger.opening.tolist()))
    balance[-1] = 0
    for _, payer, payee, fen in sorted(events):
        assert fen > 0
        assert payer != payee
        balance[payer] -= int(fen)
        balance[payee] += int(fen)
        assert payer == -1 or balance[payer] >= -city.accounts.overdraft[payer]
    outside = balance.pop(-1)
    assert list(balance.values()) == city.ledger.closing.tolist()
    assert sum(balance.values()) + outside == city.ledger.opening.sum()


def test_nobody_pays_before_its_account_is_open_and_no_account_is_older_than_its_company(city):
    firms, held, flows = city.firms, city.accounts, city.ledger.flows
    for account in (flows.payer, flows.payee):
        assert (flows.second >= (held.opened[account] + 1) * DAY).all()
    assert (city.loan_flows.second >= (held.opened[city.loan_flows.account] + 1) * DAY).all()
    assert (city.sign_ins.second >= (held.opened[city.sign_ins.account] + 1) * DAY).all()
    of_firms = held.owner < len(firms)
    assert (held.opened[of_firms] > firms.founded[held.owner[of_firms]]).all()
    assert (city.invoices.day >= np.maximum(firms.founded[city.invoices.seller], firms.founded[city.invoices.buyer])).all()
    assert (city.links.start >= np.maximum(firms.founded[city.links.seller], firms.founded[city.links.buyer])).all()
    companies = city.loans.borrower < len(firms)
    assert (city.loans.second[companies] // DAY > firms.founded[city.loans.borrower[companies]]).all()
    for party in (city.guarantees.guarantor, city.guarantees.beneficiary):
        firm = party < len(firms)
        assert (city.guarantees.day[firm] > firms.founded[party[firm]]).all()
    for day in (city.invoices.day, flows.second // DAY, city.loan_flows.second // DAY, city.known.known, city.court.day):
        assert ((day >= 0) & (day < city.params.days)).all()


def test_shares_of_a_company_sum_to_no_more_than_the_whole(city):
    held = city.ownership.holdings
    known = held.ppm != UNKNOWN
    sums = np.bincount(held.company[known], held.ppm[known], len(city.firms))
    assert sums.max() == WHOLE
    assert (held.ppm[known] > 0).all()
    assert (~known).any()
    assert (held.holder != held.company).all()


def test_every_reference_leads_to_something(city):
    tables = {name: make() for name, make in Tables(city).full().items()}
    tables |= {name: daily.rows(0, daily.day.size) for name, daily in Tables(city).daily().items()}
    assert set(tables) == {kind.name for kind in KINDS}
    known = {kind.defines: set(tables[kind.name][kind.defines].to_pylist()) for kind in KINDS if kind.defines}
    known["party"] = known["company"] | known["person"]
    for kind in KINDS:
        for column in kind.references:
            if column.name in tables[kind.name].column_names:
                named = set(tables[kind.name][column.name].to_pylist()) - {None}
                assert named <= known[column.type], (kind.name, column.name)


def test_identifiers_are_valid_and_no_identity_card_is_a_living_persons(city):
    tables = Tables(city)
    codes = tables.full()["companies"]()["uscc"].to_pylist()
    assert all(map(uscc.is_valid, codes))
    assert len(set(codes)) == len(codes)
    counties = numdb.get("cn/loc")
    cards = city.people.cnid.to_pylist()
    assert len(set(cards)) == len(cards)
    for card in cards:
        assert ric.calc_check_digit(card) == card[-1]
        assert 1930 < ric.get_birth_date(card).year < 2006
        assert "county" not in {name for _, found in counties.info(card[:6]) for name in found}
    numbers = tables.account.to_pylist()
    assert len(set(numbers)) == len(numbers)
    assert all(luhn.is_valid(number) for number, personal in zip(numbers, city.accounts.personal, strict=True) if personal)


def test_each_plot_stands_at_least_twice_and_each_company_has_a_part_in_one_scheme_and_one_look_alike_at_most(city):
    stands = Counter(of.name for of in city.actors)
    assert all(stands[each.name] >= 2 for each in (*SCHEMES, *LOOKALIKES))
    guilty, others = (np.concatenate([of.firms for of in city.actors if sign * of.number > 0]) for sign in (1, -1))
    assert np.unique(guilty).size == guilty.size
    assert np.unique(others).size == others.size
    for of in city.actors:
        assert of.number > 0 or np.isin(of.firms, guilty).mean() <= (0.5 if plot(of.name).mixed else 0.0)
    for of, deed in zip(city.actors, city.deeds, strict=True):
        assert len(deed.roles) == of.firms.size
        assert plot(of.name).members.low <= of.firms.size <= plot(of.name).members.high


def test_each_scheme_moves_money_and_honest_plots_leave_no_guilty_payment(city):
    moved = set(city.ledger.flows.scheme.tolist()) - {0}
    assert moved == {of.number for of in city.actors if of.number > 0}
    for of, deed in zip(city.actors, city.deeds, strict=True):
        assert of.number > 0 or not deed.flows.scheme.any()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_schemes_leave_traces_in_the_shortest_city_too(seed):
    city = build(Params(companies=300, days=30, seed=seed))
    assert set(city.ledger.flows.scheme.tolist()) - {0} == {of.number for of in city.actors if of.number > 0}


def test_guilty_companies_trade_honestly_too(city):
    flows = city.ledger.flows.take(city.ledger.flows.scheme == 0)
    busy = set(flows.payer.tolist()) & set(flows.payee.tolist())
    guilty = [firm for of in city.actors if of.number > 0 for firm in of.firms.tolist()]
    assert sum(firm in busy for firm in guilty) > 0.8 * len(guilty)


def test_more_schemes_stand_where_more_are_asked_for_and_none_where_none_is():
    def guilty(**more):
        return sum(of.number > 0 for of in build(Params(companies=800, days=40, **more)).actors)

    assert guilty(prevalence_ppm=0, least=0) == 0 < guilty(prevalence_ppm=15_000) < guilty(prevalence_ppm=100_000)


def test_a_clean_city_has_no_dirt(tmp_path):
    write(build(Params(companies=120, days=30)), tmp_path)
    assert pq.read_table(tmp_path / "truth" / "dirt.parquet").num_rows == 0


def test_the_truth_names_rows_of_the_files(tmp_path):
    write(build(Params(**SMALL)), tmp_path, "parquet")
    landing, truth = (
        (lambda name: pq.read_table(tmp_path / "landing" / name)),
        (lambda name: pq.read_table(tmp_path / f"truth/{name}.parquet")),
    )
    transfers = set(landing("transfers")["transfer"].to_pylist())
    assert set(truth("transfers")["transfer"].to_pylist()) < transfers
    assert set(truth("transfers")["number"].to_pylist()) == set(truth("schemes")["number"].to_pylist())
    companies = set(landing("companies.parquet")["company"].to_pylist())
    for members in ("members", "lookalike_members"):
        assert set(truth(members)["company"].to_pylist()) < companies
    assert set(truth("balances")["account"].to_pylist()) == set(landing("accounts.parquet")["account"].to_pylist())
    assert truth("controllers").num_rows == len(companies)


def test_the_command_makes_a_workspace_and_refuses_a_second_one(tmp_path):
    words = ["city", str(tmp_path / "bank"), "--companies", "120", "--days", "30"]
    made = CliRunner().invoke(cli, words)
    assert made.exit_code == 0, made.stderr
    assert "made a city of 120 companies over 30 days" in made.stdout
    assert (tmp_path / "bank" / "truth" / "schemes.parquet").exists()
    again = CliRunner().invoke(cli, words)
    assert (again.exit_code, "is a workspace already" in again.stderr) == (2, True)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"companies": 5}, "companies must be between 100 and 10000000, not 5"),
        ({"days": 2}, "days must be between 30 and 3660, not 2"),
        ({"seed": -1}, "seed must be between 0 and"),
        ({"dirt_ppm": 900_000}, "the dirt rate must be between 0 and 0.5, not 0.9"),
        ({"found_ppm": 2_000_000}, "found_ppm is a fraction in parts per million"),
    ],
)
def test_a_wrong_choice_is_refused_with_a_sentence(wrong, said):
    with pytest.raises(UsageError, match=said):
        Params(**wrong)
    assert CliRunner().invoke(cli, ["city", "nowhere", "--companies", "5"]).exit_code == 2
    assert not Path("nowhere").exists()
