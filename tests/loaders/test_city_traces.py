"""What a generator could give away: rows of schemes bear no mark in hours, sums or places that honest rows do not bear."""

from __future__ import annotations

import pytest

from loaders.city import Params, build


@pytest.fixture(scope="module", params=[1, 2])
def city(request):
    return build(Params(companies=800, days=120, seed=request.param, prevalence_ppm=150_000))


def test_loans_of_schemes_are_paid_out_at_any_second_as_others_are(city):
    planted, honest = (city.loans.take(guilty) for guilty in (city.loans.scheme > 0, city.loans.scheme == 0))
    assert len(planted) > 20
    for loans in (planted, honest):
        assert (loans.second % 3_600 == 0).mean() < 0.05
