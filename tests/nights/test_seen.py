"""What is read again, and what an earlier run has read already."""

from contextlib import contextmanager

import pytest

from kg.progress import Count

from .town import payment

pytestmark = pytest.mark.untraced
DATABASE = False


class Listener:
    """Progress that remembers what was begun."""

    def __init__(self):
        self.begun = []

    @contextmanager
    def task(self, what, total=None):
        self.begun.append(what)
        yield Count()

    @property
    def read(self):
        return sorted(what.removeprefix("reading ") for what in self.begun if what.startswith("reading "))


@pytest.fixture
def teller(bank):
    bank.source("accounts", record_id="account")
    bank.source("transfers", mode="append", path="landing/day*.csv", record_id="number")
    bank.deliver("accounts", [{"account": f"ACC{n}"} for n in range(3)])
    bank.deliver("day1", [payment("a", "ACC0", "ACC1"), payment("b", "ACC0", "ACC9")])
    return bank


def read_by(bank):
    listener = Listener()
    outcome = bank.run(only="load", progress=listener)
    return listener.read, {entry["source"]: entry for entry in outcome.sources}


def test_the_same_files_are_not_read_again_and_are_told_of_as_before(teller):
    assert read_by(teller)[0] == ["accounts", "transfers"]
    read, said = read_by(teller)
    assert read == []
    assert (said["transfers"]["rows"], said["transfers"]["accepted"], said["transfers"]["quarantined"]) == (2, 1, 1)
    assert (said["transfers"]["inserted"], said["transfers"]["unchanged"]) == (0, 1)


def test_of_an_appending_source_only_the_new_file_is_read(teller):
    read_by(teller)
    teller.deliver("day2", [payment("c", "ACC1", "ACC2"), payment("a", "ACC0", "ACC1")])
    read, said = read_by(teller)
    assert read == ["transfers"]
    assert (said["transfers"]["rows"], said["transfers"]["inserted"]) == (4, 1)
    assert len(teller.current("records/transfers")) == 2
    assert len(teller.refused("transfers")) == 1


def test_a_file_with_other_bytes_is_read_again_though_its_name_and_size_are_the_same(teller):
    read_by(teller)
    teller.deliver("accounts", [{"account": f"ACC{n}"} for n in (0, 1, 9)])
    read, said = read_by(teller)
    assert "accounts" in read
    assert (said["accounts"]["inserted"], said["accounts"]["closed"]) == (1, 1)


def test_a_full_source_is_read_again_when_the_nodes_that_it_refers_to_are_delivered_anew(bank):
    bank.source("companies", record_id="company")
    bank.source("shareholders", constants={"holder_kind": "company"})
    bank.deliver("companies", [{"company": "a", "name": "A", "valid_from": "2024-01-01"}])
    bank.deliver("shareholders", [{"holder": "a", "company": "b", "share_ppm": "0.5"}])
    read_by(bank)
    assert len(bank.refused("shareholders")) == 1
    bank.deliver("companies", [{"company": "a", "name": "A", "valid_from": "2024-01-01"}, {"company": "b", "name": "B", "valid_from": ""}])
    read, _ = read_by(bank)
    assert read == ["companies", "shareholders"]
    assert bank.refused("shareholders") == []
    assert len(bank.current("records/shareholders")) == 1


def test_without_a_named_id_an_equal_row_in_a_later_file_is_a_row_of_its_own(teller):
    teller.source("transfers", record_id=[])
    read_by(teller)
    teller.deliver("day2", [payment("a", "ACC0", "ACC1")])
    read, _ = read_by(teller)
    assert read == ["transfers"]
    assert len(teller.current("records/transfers")) == 2


def test_a_mended_mapping_reads_everything_anew(teller):
    read_by(teller)
    teller.source("transfers", columns={"purpose": "number"})
    assert read_by(teller)[0] == ["transfers"]
