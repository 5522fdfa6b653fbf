"""What a generator could give away: rows of schemes bear no mark in hours, sums or places that honest rows do not bear."""

from __future__ import annotations

import numpy as np
import pytest

from loaders.city import Params, build
from loaders.city.contacts import device_texts
from loaders.city.plot import DEVICE
from loaders.city.tables import Tables


@pytest.fixture(scope="module", params=[1, 2])
def city(request):
    return build(Params(companies=800, days=120, seed=request.param, prevalence_ppm=150_000))


def test_loans_of_schemes_are_paid_out_at_any_second_as_others_are(city):
    planted, honest = (city.loans.take(guilty) for guilty in (city.loans.scheme > 0, city.loans.scheme == 0))
    assert len(planted) > 20
    for loans in (planted, honest):
        assert (loans.second % 3_600 == 0).mean() < 0.05


def places(time, planted):
    """Return where planted rows lie among those of one time, on average: 0 in front, 1 at the end."""
    _, first, place, count = np.unique(time, return_index=True, return_inverse=True, return_counts=True)
    within = (np.arange(time.size) - first[place] + 0.5) / count[place]
    return within[planted & (count[place] > 1)].mean()


def test_papers_of_plots_lie_anywhere_among_those_of_their_day(city):
    planted = city.invoices.scheme > 0
    assert planted.sum() > 100
    assert 0.4 < places(city.invoices.day, planted) < 0.6
    for papers in (city.invoices, city.papers.contracts):
        # were those of honest trade in the order of their buyers, any other would stand out
        step = np.diff(papers.buyer)[np.diff(papers.day) == 0]
        assert 0.45 < (step > 0).sum() / (step != 0).sum() < 0.55


def test_guarantees_of_schemes_lie_among_the_others(city):
    given = city.guarantees
    assert (np.diff(given.day) >= 0).all()
    assert 0.3 < places(np.zeros(len(given)), given.scheme > 0) < 0.95


def test_devices_and_mail_addresses_that_companies_of_plots_share_have_no_numbers_beyond_all_others(city):
    shared = np.concatenate([deed.shared.firm[deed.shared.what == DEVICE] for deed in city.deeds])
    devices = np.array(device_texts(city.contacts.device).to_pylist())
    names = np.sort(np.unique(devices))
    assert 0.4 < np.searchsorted(names, np.unique(devices[shared])).mean() / names.size < 0.6
    registered = Tables(city).full()["devices"]()["device"].to_pylist()
    assert registered == names.tolist()


def test_sums_of_loans_and_contracts_are_no_rounder_and_no_odder_in_schemes(city):
    odd = city.loans.fen % 10_000_000 > 0
    planted = city.loans.scheme > 0
    assert 0 < odd[planted].sum() < 0.25 * odd.sum()
    signed = city.papers.contracts
    assert (signed.scheme > 0).any()
    assert not (signed.fen[signed.scheme > 0] % 1_000_000 == 0).any()


def test_the_number_of_a_person_does_not_tell_which_company_it_truly_owns(city):
    count = city.params.companies
    assert (city.people.owner == np.arange(count)).sum() < 10
    behind = city.ownership.behind[:count][city.ownership.nominee[:count]] - city.people.offset
    assert behind.size > 10
    assert (behind == np.flatnonzero(city.ownership.nominee[:count])).sum() < 3
