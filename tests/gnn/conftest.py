"""A small generated city in a lake, and models that learnt on its past; each made once for all files."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from datetime import date, timedelta

import pytest

from gnn.company import FAMILIES
from gnn.past import Archive
from gnn.tasks import choose
from gnn.train import train
from kg.derivations import DERIVATIONS
from kg.engine import Engine
from kg.lake import Lake
from kg.progress import Silent

from .lakes import city_lake

#: Crimes are many here and found soon, so that a small city has enough of both classes.
CITY = {"companies": 160, "days": 290, "seed": 2, "prevalence_ppm": 200_000, "found_ppm": 900_000, "found_after": 40}
#: Families of features that are enough where it is not asked what features say.
FEW = tuple(family for family in FAMILIES if family.name in ("registration", "ownership", "payments", "loans", "court"))
TASK = replace(choose("company_fraud"), horizon=60, step=30, capacity=10)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


@pytest.fixture(scope="module")
def archive(engine, once):
    def fill(folder):
        lake, last = city_lake(folder / "lake", engine, **CITY)
        (folder / "read.json").write_text(json.dumps({"versions": lake.versions, "last": str(last)}), encoding="utf-8")

    folder = once("gnn_city", fill)
    read = json.loads((folder / "read.json").read_text(encoding="utf-8"))
    return Archive(Lake(folder / "lake", engine, read["versions"]), date.fromisoformat(read["last"]), "Asia/Shanghai")


@pytest.fixture(scope="module")
def lake(archive):
    """The same past, of which the night's derivations make anew what followed from what was known then."""
    return replace(archive, derivations=DERIVATIONS)


@pytest.fixture(scope="module")
def day(lake):
    return lake.as_of - timedelta(days=60)


@pytest.fixture(scope="module")
def trained(archive, once):
    def fill(folder):
        (folder / "trained.pickle").write_bytes(pickle.dumps(train(archive, TASK, FAMILIES, Silent())))

    return pickle.loads((once("gnn_trained", fill) / "trained.pickle").read_bytes())
