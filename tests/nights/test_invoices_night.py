"""Real VAT invoices of 425 small firms, those of every eighth or all million, against the Parquet file read by Arrow alone.

The data may be read but not copied: where they are absent the tests are skipped.
"""

import shutil
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from .bank import Bank, emptied

pytestmark = pytest.mark.untraced

#: What others counted in the whole file: invoices, void ones, purchases, sales.
WHOLE = (1_099_441, 63_605, 606_122, 493_319)


@pytest.fixture(scope="module", params=[8, pytest.param(1, marks=pytest.mark.soak)], ids=["of every eighth firm", "of all firms"])
def folder(request, shared, tmp_path_factory):
    """The files as they were published, the invoices of every so manieth firm in them."""
    there, made = shared("sme_invoices"), tmp_path_factory.mktemp("invoices")
    rows = pq.read_table(there / "invoices.parquet")
    kept = pa.array([f"E{number}" for number in range(1, 426, request.param)])
    pq.write_table(rows.filter(pc.is_in(rows["firm"], kept)), made / "invoices.parquet")
    shutil.copy(there / "firms.csv", made)
    return made


@pytest.fixture(scope="module")
def file(folder):
    return pq.read_table(folder / "invoices.parquet")


@pytest.fixture(scope="module")
def night(folder, night_server):
    bank = Bank.create(folder / "bank", emptied(night_server))
    bank.source("sme_invoices", mapping="sme_invoices", path=str(folder))
    bank.outcome = bank.run()
    return bank


def totals(file):
    """Return how many invoices, void ones, purchases and sales the file holds."""
    of = [pc.equal(file["status"], "void"), *(pc.equal(file["direction"], direction) for direction in ("input", "output"))]
    return (file.num_rows, *(pc.sum(each).as_py() for each in of))


@pytest.fixture(scope="module")
def invoices(night):
    return night.arrow("records/invoices")


def fen(column) -> int:
    """Return the sum of amounts in yuan, each rounded to the fen, in integers."""
    return sum(round(Decimal(str(yuan)) * 100) * count for yuan, count in counted(column))


def counted(column):
    return [(row["values"], row["counts"]) for row in pc.value_counts(column).to_pylist()]


def test_every_invoice_is_there(night, invoices, file):
    rows, _, bought, sold = totals(file)
    assert invoices.num_rows == rows == bought + sold > 100_000
    assert rows < WHOLE[0] or totals(file) == WHOLE
    assert night.refused() == []
    told = {entry["source"]: entry["rows"] for entry in night.outcome.sources}
    assert told == {"sme_invoices.firms": 425, "sme_invoices.purchases": bought, "sme_invoices.sales": sold}


def test_the_void_ones_are_kept_and_told_apart(invoices, file):
    assert pc.sum(pc.equal(invoices["status"], "void")).as_py() == totals(file)[1] > 0


@pytest.mark.parametrize("amount", ["net", "tax", "gross"])
def test_the_amounts_add_up(invoices, file, amount):
    for direction, source in (("input", "sme_invoices.purchases"), ("output", "sme_invoices.sales")):
        stated = fen(file.filter(pc.equal(file["direction"], direction))[amount])
        assert pc.sum(invoices.filter(pc.equal(invoices["source"], source))[f"{amount}_fen"]).as_py() == stated


def test_red_invoices_keep_their_sign(invoices, file):
    assert pc.sum(pc.less(invoices["gross_fen"], 0)).as_py() == pc.sum(pc.less(file["gross"], 0)).as_py() > 0


def test_the_firms_are_the_ones_of_the_list_and_each_has_its_invoices(night, invoices, file):
    firms = [row["company"].rpartition(":")[2] for row in night.current("records/companies")]
    assert (len(firms), set(firms)) == (425, set(file["firm"].unique().to_pylist()) | set(firms))
    for direction, source, end in (("input", "sme_invoices.purchases", "buyer"), ("output", "sme_invoices.sales", "seller")):
        stated = dict(counted(file.filter(pc.equal(file["direction"], direction))["firm"]))
        held = counted(invoices.filter(pc.equal(invoices["source"], source))[end])
        assert {id_.rpartition(":")[2]: count for id_, count in held} == stated


def test_the_counterparties_are_stubs_and_what_was_invoiced_adds_up_in_neo4j(night, file):
    counterparties = set(file["counterparty"].unique().to_pylist())
    assert night.one("MATCH (n:Company) WHERE NOT n.stub RETURN count(n)") == 425
    assert night.one("MATCH (n:Company {stub: true}) RETURN count(n)") == len(counterparties)
    assert night.one("MATCH ()-[r:INVOICED]->() RETURN [sum(r.count), sum(r.void_count)]") == list(totals(file)[:2])
    valid = file.filter(pc.equal(file["status"], "valid"))
    assert night.one("MATCH ()-[r:INVOICED]->() RETURN [sum(r.net_fen), sum(r.tax_fen)]") == [fen(valid["net"]), fen(valid["tax"])]
