"""Who controls and who owns the companies of a city is found where its register tells, and nobody is named where it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import csv, parquet

from kg.derivations.beneficial_owners import find_beneficial_owners
from kg.derivations.control import JOINT, find_control
from kg.rulesets import get
from loaders.city.build import build
from loaders.city.params import Params
from loaders.city.write import write

WHOLE = 1_000_000


class Town:
    """A city's register, and the truth about it."""

    def __init__(self, folder: Path, seed: int) -> None:
        write(build(Params(companies=1_500, days=30, seed=seed)), folder)
        held = csv.read_csv(folder / "landing" / "shareholders.csv")
        self.holdings = pa.table({"holder": held["holder"], "held": held["company"], "share_ppm": held["share_ppm"]})
        every = pc.unique(pa.concat_arrays([column.combine_chunks() for column in (held["holder"], held["company"])]))
        self.parties = pa.table({"party": every, "kind": pc.if_else(pc.starts_with(every, "C"), "company", "person")})
        told = csv.read_csv(folder / "landing" / "nominations.csv")
        self.nominations = pa.table({"nominator": told["nominator"], "nominee": told["nominee"], "held": told["company"]})
        self.concert = csv.read_csv(folder / "landing" / "concert.csv").select(["a", "b"])
        officers = csv.read_csv(folder / "landing" / "officers.csv")
        self.officers = officers.select(["person", "company", "position"])
        truth = parquet.read_table(folder / "truth" / "controllers.parquet").to_pylist()
        self.controller = {row["company"]: row["controller"] for row in truth}
        self.straw = {row["company"] for row in truth if row["nominee"]}
        self.disclosed = {row["company"] for row in truth if row["disclosed"]}
        self.jointly: dict[str, set[str]] = {}
        for row in read(folder / "truth" / "concert.parquet"):
            self.jointly.setdefault(row["company"], set()).add(row["member"])
        self.owners = {(row["company"], row["person"]): row["ppm"] for row in read(folder / "truth" / "owners.parquet")}
        self.rows: dict[str, dict[str, int | None]] = {}
        for row in self.holdings.to_pylist():
            self.rows.setdefault(row["held"], {})[row["holder"]] = row["share_ppm"]

    def told(self, company: str, straw: set[str]) -> bool:
        """Say whether the register tells who controls a company: known majorities all the way up to a person, none of ``straw`` there."""
        seen: set[str] = set()
        while company not in seen and company not in straw:
            seen.add(company)
            majority = [holder for holder, ppm in self.rows.get(company, {}).items() if ppm is not None and 2 * ppm > WHOLE]
            if not majority:
                return False
            if majority[0].startswith("P"):
                return True
            company = majority[0]
        return False

    def above(self, company: str) -> set[str]:
        """Return the companies that a company's shares lead to, itself among them."""
        found, front = {company}, [company]
        while front:
            held_by = {holder for each in front for holder in self.rows.get(each, {}) if holder.startswith("C")}
            front = sorted(held_by - found)
            found |= held_by
        return found


def read(path: Path) -> list[dict[str, Any]]:
    return parquet.read_table(path).to_pylist()


@pytest.fixture(scope="module", params=[31, 32])
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(tmp_path_factory.mktemp("city"), request.param)


def test_where_the_register_tells_who_controls_a_company_it_is_the_one_who_truly_does(town: Town):
    found = find_control(town.holdings, get("CN-COLAW-2023"), parties=town.parties)
    persons = found.filter(pc.and_(found["certain"], pc.starts_with(found["controller"], "P"))).to_pylist()
    named = {(row["controlled"], row["controller"]) for row in persons}
    true = {(company, controller) for company, controller in town.controller.items() if town.told(company, town.straw)}
    assert len(true) > 1_000
    assert len(named & true) / len(true) >= 0.99
    honest = {(company, controller) for company, controller in named if not town.above(company) & town.straw}
    assert len([pair for pair in honest if town.controller[pair[0]] == pair[1]]) / len(honest) >= 0.99


def test_where_all_shares_are_known_and_in_true_names_the_beneficial_owners_are_the_true_ones(town: Town):
    found = find_beneficial_owners(town.holdings, town.officers, get("CN-UBO-2024"), parties=town.parties).to_pylist()
    unclear = {company for company, holders in town.rows.items() if None in holders.values() or company in town.straw}
    clear = {company for company in town.rows if not town.above(company) & unclear}
    named = {(row["company"], row["person"]) for row in found if row["test"] == "capital" and row["company"] in clear}
    true = {(company, person) for (company, person), ppm in town.owners.items() if 4 * ppm >= WHOLE and company in clear}
    assert len(true) > 1_000
    assert len(named & true) / len(named) >= 0.99
    assert len(named & true) / len(true) >= 0.99


def test_a_share_that_is_not_known_makes_no_certain_owner(town: Town):
    found = find_beneficial_owners(town.holdings, town.officers, get("CN-UBO-2024"), parties=town.parties).to_pylist()
    alone = {company for company, holders in town.rows.items() if list(holders.values()) == [None]}
    assert alone
    assert not {row["company"] for row in found if row["test"] == "capital" and row["low_ppm"] >= 250_000} & alone


def test_with_agreements_that_the_bank_was_told_of_true_controllers_are_found_behind_nominees_and_those_who_act_in_concert(town: Town):
    agreed = {"concert": town.concert, "nominations": town.nominations}
    found = find_control(town.holdings, get("CN-COLAW-2023"), parties=town.parties, **agreed)
    rows = found.filter(pc.and_(found["certain"], pc.starts_with(found["controller"], "P"))).to_pylist()
    named = {(row["controlled"], frozenset(row["controller"].split(JOINT))) for row in rows}
    secret = town.straw - town.disclosed
    true = {(company, frozenset({who})) for company, who in town.controller.items() if town.told(company, secret)}
    behind = {(company, frozenset({town.controller[company]})) for company in town.disclosed if town.told(company, secret)}
    joint = {(company, frozenset(members)) for company, members in town.jointly.items()}
    assert behind
    assert len(joint) >= 5
    assert behind | joint <= named
    assert len(named & (true | joint)) / len(true | joint) >= 0.99
    honest = {pair for pair in named if not town.above(pair[0]) & secret}
    assert len(honest & (true | joint)) / len(honest) >= 0.99


def test_the_register_alone_names_none_of_those_who_are_behind_or_hold_together(town: Town):
    found = find_control(town.holdings, get("CN-COLAW-2023"), parties=town.parties).to_pylist()
    named = {(row["controlled"], row["controller"]) for row in found if row["certain"]}
    assert not {(company, town.controller[company]) for company in town.disclosed} & named
    assert not {company for company, _ in named} & set(town.jointly)


def test_a_disclosed_nominator_is_the_beneficial_owner_and_the_nominee_is_none(town: Town):
    told = {"parties": town.parties, "nominations": town.nominations, "concert": town.concert}
    found = find_beneficial_owners(town.holdings, town.officers, get("CN-UBO-2024"), **told).to_pylist()
    secret = {company for company, holders in town.rows.items() if None in holders.values() or company in town.straw - town.disclosed}
    clear = {company for company in town.rows if not town.above(company) & secret}
    named = {(row["company"], row["person"]) for row in found if row["test"] == "capital" and row["company"] in clear}
    true = {(company, person) for (company, person), ppm in town.owners.items() if 4 * ppm >= WHOLE and company in clear}
    assert {company for company, _ in true} & town.disclosed
    assert len(named & true) / len(named) >= 0.99
    assert len(named & true) / len(true) >= 0.99
    nominees = {(row["company"], row["nominee"]) for row in town.nominations.rename_columns(["n", "nominee", "company"]).to_pylist()}
    assert not nominees & named
