"""A small generated city in a lake, and models that learnt on its past; made once for a file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gnn.company import FAMILIES
from gnn.past import Archive
from gnn.tasks import choose
from gnn.train import train
from kg.derivations import DERIVATIONS
from kg.engine import Engine
from kg.progress import Silent

from .lakes import city_lake

#: Crimes are many here and found soon, so that a small city has enough of both classes.
CITY = {"companies": 160, "days": 290, "seed": 2, "prevalence_ppm": 200_000, "found_ppm": 900_000, "found_after": 40}
TASK = replace(choose("company_fraud"), horizon=60, step=30, capacity=10)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


@pytest.fixture(scope="module")
def archive(engine, tmp_path_factory):
    lake, last = city_lake(tmp_path_factory.mktemp("lake"), engine, **CITY)
    return Archive(lake, last, "Asia/Shanghai")


@pytest.fixture(scope="module")
def lake(archive):
    """The same past, of which the night's derivations make anew what followed from what was known then."""
    return replace(archive, derivations=DERIVATIONS)


@pytest.fixture(scope="module")
def day(lake):
    return lake.as_of - timedelta(days=60)


@pytest.fixture(scope="module")
def trained(archive):
    return train(archive, TASK, FAMILIES, Silent())
