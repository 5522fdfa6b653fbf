"""Features of what is derived: rings, links and control of the day, who of them was a known case by then, and how old hits of rules are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from gnn.behind import BEHIND
from gnn.company import DERIVED, FAMILIES
from gnn.company.schemes import declared, family
from gnn.past import Archive
from gnn.snapshot import snapshot
from gnn.without import Without
from kg.derivation import derive
from kg.derivations import DERIVATIONS
from kg.graph import Graph
from kg.history import Moment
from kg.rule import Reading, evaluate
from kg.rules import RULES

from .lakes import changed, put

ALL = (*FAMILIES, *DERIVED, family(RULES))
#: Columns that come to nothing without the rows that make them large.
EMPTIED = {
    "rings": ("rings", "largest", "support", "received_fen", "known"),
    "links": ("undisclosed", "strongest", "known", "known_ppm"),
    "control": ("commanders", "commands", "beside", "known"),
}


@pytest.fixture(scope="module")
def night(archive, tmp_path_factory):
    """The lake as a night leaves it: with all that is derived of the last day."""
    lake = changed(archive.lake, tmp_path_factory.mktemp("night"), lambda _, rows: rows)
    derive(lake, DERIVATIONS, Graph(lake, archive.as_of, archive.zone), Moment(archive.as_of, "r1"))
    return Archive(lake, archive.as_of, archive.zone, DERIVATIONS, derived=True)


@pytest.fixture(scope="module")
def tonight(night):
    return snapshot(night.on(night.as_of), ALL)


def column(seen, name):
    return seen.values[:, [each.name for each in seen.columns].index(name)]


def rows_of(graph, type_, *columns):
    return graph.engine.table(graph.edges(type_).select(*columns)).to_pylist()


def known(graph):
    rows = graph.engine.table(graph.records("cases", "entity").select("entity", "known_on")).to_pylist()
    return {row["entity"] for row in rows if row["known_on"] <= graph.as_of}


def test_a_night_reads_of_its_own_tables_what_training_derives_anew_of_such_a_day(night, tonight):
    anew = snapshot(replace(night, derived=False).on(night.as_of), ALL)
    assert anew.ids.equals(tonight.ids)
    differing = [c.name for c, one, two in zip(anew.columns, anew.values.T, tonight.values.T, strict=True) if not same(one, two)]
    assert not differing
    told = [np.nan_to_num(column(tonight, name)).max() for name in ("rings.rings", "links.undisclosed", "control.beside", "links.known")]
    assert min(told) > 0


def same(one, other):
    return np.array_equal(one, other, equal_nan=True)


def test_of_its_own_day_a_night_derives_nothing_anew_and_of_days_before_it_reads_no_table_of_today(night, engine):
    gone = replace(night, lake=night.lake.without(["graph/TRANSFERRED_TO"]))
    assert engine.count(gone.on(night.as_of).edges("IN_RING")) == engine.count(night.on(night.as_of).edges("IN_RING")) > 0
    assert engine.count(gone.on(night.as_of - timedelta(days=1)).edges("IN_RING")) == 0
    assert engine.count(gone.ending(night.as_of).on(night.as_of).edges("IN_RING")) == 0


def test_other_members_of_rings_that_are_known_cases_are_those_that_counting_finds(night, tonight):
    graph = night.on(night.as_of)
    guilty = known(graph)
    members, mine = {}, {}
    for row in rows_of(graph, "IN_RING", "src", "dst"):
        members.setdefault(row["dst"], set()).add(row["src"])
        mine.setdefault(row["src"], set()).add(row["dst"])
    beside = {one: set().union(*(members[of] for of in its)) - {one} for one, its in mine.items()}
    expected = [len(beside.get(one, set()) & guilty) for one in tonight.ids.to_pylist()]
    assert np.nan_to_num(column(tonight, "rings.known")).tolist() == expected
    assert sum(expected)


def test_who_is_under_one_command_with_a_company_is_whom_following_both_ways_finds(night, tonight):
    graph = night.on(night.as_of)
    guilty, up, down = known(graph), {}, {}
    for row in rows_of(graph, "CONTROLS", "src", "dst", "certain", "jointly"):
        if row["certain"] and row["jointly"] is None:
            up.setdefault(row["dst"], set()).add(row["src"])
            down.setdefault(row["src"], set()).add(row["dst"])
    near = {one: up.get(one, set()) | down.get(one, set()) for one in tonight.ids.to_pylist()}
    near = {one: (its | set().union(*(down[of] for of in up.get(one, ())))) - {one} for one, its in near.items()}
    assert np.nan_to_num(column(tonight, "control.beside")).tolist() == [len(its) for its in near.values()]
    assert np.nan_to_num(column(tonight, "control.known")).tolist() == [len(its & guilty) for its in near.values()]
    assert np.nan_to_num(column(tonight, "control.commands")).tolist() == [len(down.get(one, ())) for one in near]


def test_evidence_to_known_cases_is_what_counting_finds(night, tonight):
    graph = night.on(night.as_of)
    guilty, tied, secret = known(graph), {}, {}
    for row in rows_of(graph, "LINKED_TO", "src", "dst", "kind", "score", "disclosed"):
        for one, other in ((row["src"], row["dst"]), (row["dst"], row["src"])):
            if other in guilty:
                tied.setdefault(one, {}).setdefault(other, []).append(row["score"])
            if not row["disclosed"] and row["kind"] != "hidden_control":
                secret.setdefault(one, set()).add(other)
    ids = tonight.ids.to_pylist()
    assert column(tonight, "links.known").tolist() == [len(tied.get(one, ())) for one in ids]
    strongest = [max((score for of in tied.get(one, {}).values() for score in of), default=0) for one in ids]
    assert column(tonight, "links.known_ppm").tolist() == strongest
    assert column(tonight, "links.undisclosed").tolist() == [len(secret.get(one, ())) for one in ids]


def test_whose_case_becomes_known_the_day_after_is_in_no_feature_and_in_all_that_count_cases_once_it_is(night, tonight, tmp_path):
    def alter(name, rows):
        if name != "records/cases":
            return rows
        tomorrow = pa.repeat(pa.scalar(night.as_of + timedelta(days=1), pa.date32()), rows.num_rows)
        return rows.set_column(rows.column_names.index("known_on"), "known_on", tomorrow)

    later = replace(night, lake=changed(night.lake, tmp_path, alter))
    seen = snapshot(later.on(night.as_of), DERIVED)
    counted = [each.name for each in seen.columns if each.name in ("rings.known", "links.known", "links.known_ppm", "control.known")]
    assert [np.nan_to_num(column(seen, name)).sum() for name in counted] == [0] * 4
    assert all(np.nan_to_num(column(tonight, name)).sum() for name in counted)
    rest = [each.name for each in seen.columns[: seen.n_own] if each.name not in counted]
    assert all(same(column(seen, name), column(tonight, name)) for name in rest)


def test_how_old_hits_are_follows_from_the_moments_that_rules_tell(night, tonight):
    graph = night.on(night.as_of)
    held = [rule for rule in RULES if not {need.name for need in rule.requires} & {"Group", "LargeExposure"}]
    newest, referred = {}, {}
    for hit in evaluate(held, Reading(graph)).to_pylist():
        if hit["at"] is not None:
            day = (hit["at"] + timedelta(hours=8)).date()
            newest[hit["entity_id"]] = max(day, newest.get(hit["entity_id"], day))
            if hit["action"] == "refer":
                referred[hit["entity_id"]] = max(day, referred.get(hit["entity_id"], day))
    for name, days in (("newest_days", newest), ("referred_days", referred)):
        expected = [(night.as_of - days[one]).days if one in days else np.nan for one in tonight.ids.to_pylist()]
        assert np.array_equal(column(tonight, f"schemes.{name}"), expected, equal_nan=True)
        assert np.nanmin(expected) >= 0


def test_what_the_bank_has_in_its_books_today_is_known_of_no_earlier_day(night, engine, tmp_path):
    lake = changed(night.lake, tmp_path, lambda _, rows: rows)
    put(
        lake,
        "records/exposures",
        engine.arrow(pa.table({"source": ["b"], "record_id": ["1"], "party": ["company:x:1"], "amount_fen": [1]})),
    )
    then = replace(night, lake=lake, derived=False)
    assert not then.on(night.as_of).knows("records/exposures")
    assert then.on(night.as_of).records("exposures", "party") is None
    assert not {"client_limit_passed", "group_limit_passed", "group_limit_split"} & {each.name for each in family(RULES).columns}


def test_rules_that_wait_for_nothing_derived_are_told_apart():
    names = {rule.name for rule in declared(RULES)}
    assert {"guarantee_circle", "many_lenders"} <= names
    assert not {"payment_ring", "undisclosed_links", "shell_cluster", "client_limit_passed"} & names


@pytest.mark.parametrize("name", EMPTIED)
def test_without_all_rows_behind_it_what_is_derived_comes_to_nothing(night, tonight, name):
    graph, of = night.on(night.as_of), BEHIND[name]
    made = next(each for each in DERIVED if each.name == name)
    for each in EMPTIED[name]:
        company = tonight.ids[int(np.flatnonzero(np.nan_to_num(column(tonight, f"{name}.{each}")) > 0)[0])]
        rows = graph.engine.table(of.rows(graph, graph.engine.arrow(pa.table({"id": [company.as_py()]}))))
        gone = rows.filter(rows[of.high[each]])["row"].combine_chunks()
        left = graph.engine.table(made.make(Without(graph, gone)))
        left = left.filter(pc.equal(left["id"], company))
        assert [value for value in left[each].to_pylist() if value] == [], each


def test_a_membership_of_a_ring_goes_with_any_payment_that_it_names(night, engine):
    graph = night.on(night.as_of)
    first = rows_of(graph, "IN_RING", "id", "src", "evidence")[0]
    payment = first["evidence"].strip('[]"').split('","')[0]
    left = rows_of(Without(graph, pa.array([payment])), "IN_RING", "id", "evidence")
    every = rows_of(graph, "IN_RING", "id", "evidence")
    assert {row["id"] for row in every} - {row["id"] for row in left} == {row["id"] for row in every if f'"{payment}"' in row["evidence"]}
    assert first["id"] not in {row["id"] for row in left}
