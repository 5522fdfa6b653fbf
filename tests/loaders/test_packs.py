import tomllib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from kg.config import SourceSettings
from kg.engine import Engine
from kg.privacy import Keyring
from loaders.delivery import Delivery
from loaders.load import read

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """Read the sources of a pack; each becomes its rows, typed and checked."""
    folder = tmp_path_factory.mktemp("packs")
    keyring = Keyring.create(folder / "keys")
    with Engine(folder / "spill") as engine:

        def run(pack, *folders):
            there = [DATA / name for name in folders]
            if not all(folder.is_dir() for folder in there):
                pytest.skip(f"the data set of the mapping pack {pack} is not beside the repository")
            tables = {}
            for entry in tomllib.loads((ROOT / "loaders" / "mappings" / f"{pack}.toml").read_text("utf-8"))["sources"]:
                (file,) = [file for data in there for file in data.glob(entry["path"])]
                source = SourceSettings(**{**entry, "path": str(file)})
                tables[source.name.removeprefix(f"{pack}.")] = read(
                    source, Delivery.find(source), keyring, engine, folder=folder, zone="Asia/Shanghai"
                ).rows
            return engine, tables

        yield run


def counts(engine, tables):
    """Return the number of rows of each source, and those with a fault."""
    found = {
        name: engine.table(rows.aggregate(n=rows.count(), bad=(rows.faults.length() > 0).sum())).to_pylist()[0]
        for name, rows in tables.items()
    }
    return {name: row["n"] for name, row in found.items()}, {name: row["bad"] for name, row in found.items() if row["bad"]}


@pytest.mark.soak  # a whole night on the same files is among the ordinary tests
def test_finbench_is_read_whole_and_to_the_fen(load):
    engine, tables = load("finbench", "finbench/snapshot", "finbench/incremental")
    rows, bad = counts(engine, tables)
    assert bad == {}
    assert (rows["Company"], rows["Person"], rows["Account"], rows["Loan"], rows["Medium"]) == (967, 1957, 6200, 3465, 1464)
    assert rows["CompanyOwnAccount"] + rows["PersonOwnAccount"] == 6200
    assert rows["CompanyInvestCompany"] + rows["PersonInvestCompany"] == 5034
    assert rows["CompanyGuaranteeCompany"] + rows["PersonGuaranteePerson"] == 1351
    assert rows["CompanyApplyLoan"] + rows["PersonApplyLoan"] == 3465
    assert (rows["AccountTransferAccount"], rows["AccountWithdrawAccount"]) == (37861, 42069)
    assert (rows["LoanDepositAccount"], rows["AccountRepayLoan"], rows["MediumSignInAccount"]) == (8481, 8398, 5146)
    assert rows["AddAccountTransferAccountWrite12"] == 9546
    assert engine.value(tables["AccountTransferAccount"].amount_fen.sum()) == 18_964_484_043_365


def test_the_supply_chain_is_read_whole(load):
    engine, tables = load("openspg_supplychain", "openspg/supplychain")
    rows, bad = counts(engine, tables)
    assert bad == {}
    assert rows == {
        "Company": 103,
        "Person": 20,
        "PersonRepresents": 69,
        "Product": 78,
        "ProductChain": 1125,
        "CompanyAccount": 103,
        "Company_fundTrans_Company": 19,
    }
    names = tables["Company"].select(name="company:openspg_supplychain:name=" + tables["Company"].name)
    assert engine.count(tables["PersonRepresents"].anti_join(names, [("company", "name")])) == 0
    assert engine.value(tables["Company_fundTrans_Company"].amount_fen.sum()) == 900_000_000


def test_the_invoices_are_read_whole_and_add_up(load):
    engine, tables = load("sme_invoices", "sme_invoices")
    rows, bad = counts(engine, tables)
    assert bad == {}
    assert rows == {"firms": 425, "purchases": 606_122, "sales": 493_319}
    both = tables["purchases"].union(tables["sales"])
    sums = both.aggregate(net=both.net_fen.sum(), tax=both.tax_fen.sum(), gross=both.gross_fen.sum(), void=(both.status == "void").sum())
    found = {name: int(value) for name, value in engine.table(sums).to_pylist()[0].items()}
    data = pq.read_table(DATA / "sme_invoices" / "invoices.parquet")
    # Two decimals at most, and far from 2^53: rounding a hundredfold is exact here.
    oracle = {name: int(np.rint(data[name].to_numpy() * 100).astype(np.int64).sum()) for name in ("net", "tax", "gross")}
    assert found == oracle | {"void": 63_605}
    # Five invoices of the data do not add up in themselves, by less than two yuan each.
    assert engine.count(both.filter(both.net_fen + both.tax_fen != both.gross_fen)) == 5
    firms = tables["purchases"].select(firm="buyer").union(tables["sales"].select(firm="seller")).distinct()
    assert engine.count(firms.anti_join(tables["firms"], [("firm", "company")])) == 0
