"""PAID follows every night from what is new and what has changed, and is always what the transfers and owners of the day add up to."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from . import town
from .bank import Bank, emptied


def settled(bank: Bank) -> Bank:
    """Give a bank four companies, an account of each, and payments that are known by their numbers."""
    bank.source("companies", record_id="company")
    bank.source("accounts", record_id=["account", "owner"], constants={"owner_kind": "company"})
    bank.source("transfers", mode="append", record_id="number")
    bank.deliver("companies", town.firms(*"ABCD"))
    bank.deliver("accounts", accounts("ABCD"))
    bank.deliver("transfers", FIRST)
    return bank


@pytest.fixture
def house(bank: Bank) -> Bank:
    """A bank before its first night."""
    return settled(bank)


@pytest.fixture(scope="module")
def first_night(module_bank: Bank) -> Bank:
    """The same bank after its first night, for all tests of this module."""
    settled(module_bank).run()
    return module_bank


pytestmark = pytest.mark.untraced


@pytest.fixture
def done(first_night: Bank, tmp_path: Path) -> Bank:
    """That bank to go on with; its database is empty."""
    emptied(first_night.server)
    return first_night.copy(tmp_path / "bank")


def accounts(owners: str, **changes: Any) -> list[dict[str, Any]]:
    return [{"account": f"ACC{number}", "owner": owner, **changes.get(f"ACC{number}", {})} for number, owner in enumerate(owners)]


def payment(number: str, payer: int, payee: int, at: str, amount: str = "100") -> dict[str, str]:
    return town.payment(number, f"ACC{payer}", f"ACC{payee}", amount, at)


def paid(bank: Bank) -> dict[tuple[str, str, date], tuple[int, int]]:
    return {(row["src"][-1], row["dst"][-1], row["month"]): (row["amount_fen"], row["count"]) for row in bank.current("graph/PAID")}


def added_up(payments: list[dict[str, str]], owners: str) -> dict[tuple[str, str, date], tuple[int, int]]:
    """Add payments up by hand."""
    sums: dict[tuple[str, str, date], list[int]] = defaultdict(lambda: [0, 0])
    for row in payments:
        payer, payee = (owners[int(row[end][3:])] for end in ("payer", "payee"))
        if payer != payee:
            key = (payer, payee, date.fromisoformat(row["at"][:7] + "-01"))
            sums[key][0] += int(row["amount_fen"]) * 100
            sums[key][1] += 1
    return {key: (amount, count) for key, (amount, count) in sums.items()}


FIRST = [
    payment("1", 0, 1, "2024-01-10 10:00:00"),
    payment("2", 0, 1, "2024-01-31 23:59:59", "7"),
    payment("3", 1, 2, "2024-02-01 00:00:00"),
    payment("4", 2, 3, "2024-02-10 10:00:00", "50"),
]
#: One of a new month, one that comes late.
SECOND = [payment("5", 0, 1, "2024-03-05 10:00:00"), payment("6", 0, 1, "2024-01-20 10:00:00", "1")]


def test_new_and_late_transfers_change_the_months_that_they_are_of_and_no_other(done):
    assert paid(done) == added_up(FIRST, "ABCD")
    done.deliver("transfers", SECOND)
    run_id = done.run().run_id
    assert paid(done) == added_up(FIRST + SECOND, "ABCD")
    anew = {row["month"] for row in done.table("graph/PAID") if run_id in (row["first_run"], row["last_run"])}
    assert anew == {date(2024, 1, 1), date(2024, 3, 1)}


def test_an_account_that_changes_its_owner_changes_every_month_that_it_paid_or_was_paid_in(done):
    done.deliver("accounts", accounts("ADCD"))
    done.run()
    assert paid(done) == added_up(FIRST, "ADCD")


def test_an_ownership_that_ends_with_the_calendar_ends_what_it_paid_though_nothing_is_delivered(house):
    house.deliver("accounts", accounts("ABCD", ACC1={"valid_to": "2024-02-20"}))
    house.run(as_of=date(2024, 2, 19))
    assert paid(house) == added_up(FIRST, "ABCD")
    house.run(as_of=date(2024, 2, 20))
    assert paid(house) == added_up(FIRST[3:], "ABCD")


def test_a_payment_of_tomorrow_counts_from_tomorrow_on(house):
    house.run(as_of=date(2024, 2, 5))
    assert paid(house) == added_up(FIRST[:3], "ABCD")
    house.run(as_of=date(2024, 2, 10))
    assert paid(house) == added_up(FIRST, "ABCD")


def test_months_are_made_again_where_the_zone_that_they_are_counted_in_is_another(done):
    done.settings["workspace"] = {"timezone": "UTC"}
    done.source("transfers", columns={"at": {"column": "at", "zone": "Asia/Shanghai"}})
    done.run()
    # midnight of the first of February in Shanghai is in January of Greenwich
    assert {key[2].month for key in paid(done) if key[:2] == ("B", "C")} == {1}


@pytest.mark.parametrize("stages", [("load", "resolve", "derive"), ("load", None), ("load", "derive", None), ("load", "resolve", None)])
def test_what_a_run_of_one_stage_left_undone_is_done_by_the_next(done, stages):
    done.deliver("transfers", SECOND)
    for stage in stages:
        done.run(only=stage)
    assert paid(done) == added_up(FIRST + SECOND, "ABCD")


def test_a_night_made_part_by_part_is_made_again_whole_and_equal(done):
    done.deliver("transfers", SECOND)
    done.run()
    assert done.cli("runs", "replay", done.runs()[-1]).exit_code == 0
