"""Reasons of scores: closed codes, the rows behind features, and that a score falls without the rows that are named for it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from gnn.around import NEAR
from gnn.behind import BEHIND, NEIGHBOURS, neighbours
from gnn.challenge import register
from gnn.company import DERIVED, FAMILIES
from gnn.company.schemes import behind, family
from gnn.evidence import ROWS, Explainer, ranks
from gnn.explain import explain
from gnn.past import Archive
from gnn.reasons import BY_FAMILY, SCORE_REASONS, reason_of
from gnn.registry import Registry
from gnn.removal import removal
from gnn.snapshot import names, snapshot
from gnn.without import Without
from kg.errors import KgfraudError, UsageError
from kg.progress import Silent
from kg.reason import REASONS
from kg.rules import RULES

from .conftest import TASK
from .lakes import changed

RUN = {"run_id": "run-1", "as_of": "2024-09-16", "code": "c", "tables": {}}
#: Columns that come to nothing without the rows that make them large, and what nothing is.
EMPTIED = {
    "payments": ("in_fen", "out_fen", "in_count", "out_count", "payers", "payees"),
    "loans": ("loans", "borrowed_fen", "given", "given_fen", "received"),
    "invoices": ("sold", "bought", "sold_fen", "bought_fen", "buyers", "sellers", "mutual"),
    "papers": ("financings", "financed_fen"),
    "ownership": ("holders", "holds", "companies_holding"),
    "officers": ("officers", "offices_most", "owning"),
    "contacts": ("address_count", "address_shared", "device_count", "contact_count"),
    "court": ("cases", "against"),
    "chain": ("sued_payers", "sued_payees", "sold_to_sued", "bought_of_sued"),
}


@pytest.fixture(scope="module")
def seen(archive):
    return snapshot(archive.on(archive.as_of), FAMILIES)


@pytest.fixture(scope="module")
def by(archive, trained, tmp_path_factory):
    registry = Registry(tmp_path_factory.mktemp("models"), TASK.name)
    return Explainer(archive, FAMILIES, registry.load(register(registry, trained, RUN)))


@pytest.fixture(scope="module")
def told(by, seen):
    score, _ = by.model.score(seen)
    return by.explain(seen, np.argsort(-score, kind="stable")[:10])


def rows_of(graph, of, companies):
    return graph.engine.table(of.rows(graph, graph.engine.arrow(pa.table({"id": companies}))))


def column(seen, name):
    return seen.values[:, [each.name for each in seen.columns].index(name)]


# Codes


def test_every_family_of_features_has_a_reason_of_its_own_in_both_languages():
    families = {each.family for each in names((*FAMILIES, *DERIVED, family(RULES)))}
    assert families == set(BY_FAMILY)
    codes = [reason.code for reason in (*SCORE_REASONS, *REASONS)]
    assert len(set(codes)) == len(codes)
    assert all(reason.en.isascii() and not reason.zh.isascii() for reason in SCORE_REASONS)
    with pytest.raises(KgfraudError, match="'weather' has no reason code"):
        reason_of("weather")


def test_every_column_that_may_be_large_names_rows():
    for each in (*FAMILIES, *DERIVED, family(RULES)):
        of = behind(RULES) if each.name == "schemes" else BEHIND[each.name]
        known = {column.name for column in each.columns}
        assert set(of.high) | set(of.low) == known, each.name
    assert list(NEIGHBOURS) == [near.name for near in NEAR]


# Rows behind features


@pytest.mark.parametrize("name", EMPTIED)
def test_without_all_rows_behind_it_a_column_comes_to_nothing(archive, seen, name):
    graph, of = archive.on(archive.as_of), BEHIND[name]
    some = {each: np.flatnonzero(column(seen, f"{name}.{each}") > 0) for each in EMPTIED[name]}
    assert all(len(places) for places in some.values())
    for each, places in some.items():
        company = seen.ids[int(places[0])]
        rows = rows_of(graph, of, pa.array([company.as_py()]))
        gone = rows.filter(rows[of.high[each]])["row"]
        left = graph.engine.table(
            next(f for f in FAMILIES if f.name == name).make(Without(archive.on(archive.as_of), gone.combine_chunks()))
        )
        left = left.filter(pc.equal(left["id"], company))
        assert [value for value in left[each].to_pylist() if value] == [], each


def test_parts_are_made_small_by_the_rows_that_are_not_of_them(archive, seen):
    graph = archive.on(archive.as_of)
    rows = rows_of(graph, BEHIND["payments"], seen.ids)
    for high, low in (("round", "uneven"), ("to_person", "to_firm"), ("once", "often"), ("new", "old"), ("in_30", "in_not_30")):
        assert not pc.any(pc.and_(rows[high], rows[low])).as_py()
    assert rows.filter(rows["comes_in"])["weight"].to_numpy().sum() == column(seen, "payments.in_fen").sum()


@pytest.mark.parametrize("relation", NEIGHBOURS)
@pytest.mark.untraced
def test_without_all_rows_to_neighbours_a_company_has_none(archive, seen, relation):
    place = int(np.nanargmax(column(seen, f"near.{relation}")))
    graph = archive.on(archive.as_of)
    rows = graph.engine.table(neighbours(graph, relation, graph.engine.arrow(pa.table({"id": seen.ids.slice(place, 1)}))))
    found = snapshot(Without(archive.on(archive.as_of), rows["row"].combine_chunks()), FAMILIES)
    assert column(seen, f"near.{relation}")[place] > 0
    assert column(found, f"near.{relation}")[place] == 0


def test_the_hits_of_a_rule_are_gone_without_the_rows_that_they_rest_on(archive):
    rules = [rule for rule in RULES if rule.name in ("guarantee_circle", "round_amounts")]
    hits, of = family(rules), behind(rules)
    graph = archive.on(archive.as_of)
    hit = graph.engine.table(hits.make(graph).filter(lambda rows: rows.hits > 0))
    assert hit.num_rows
    gone = rows_of(graph, of, hit["id"])
    assert pc.all(gone["every"]).as_py()
    left = Without(archive.on(archive.as_of), gone["row"].combine_chunks())
    assert graph.engine.table(hits.make(left))["hits"].to_pylist() == []


def test_of_a_company_that_is_named_only_what_the_register_says_is_unknown(archive, seen):
    found = snapshot(Without(archive.on(archive.as_of), seen.ids.slice(3, 1)), FAMILIES)
    assert found.ids.equals(seen.ids)
    own = [n for n, each in enumerate(seen.columns) if each.family == "registration"]
    assert np.isnan(found.values[3, own[:-1]]).all()
    rest = [n for n in range(seen.n_own) if n not in own]
    assert np.array_equal(found.values[:, rest], seen.values[:, rest], equal_nan=True)


# Reasons of scores


def test_the_score_falls_in_a_lake_that_never_had_the_named_rows(archive, by, seen, told, tmp_path):
    place = told[0].place
    rows = [row for each in told if each.place == place and each.family != "registration" for row in each.rows]
    assert rows

    def cut(name, table):
        ids = table["id"] if "id" in table.column_names else pc.binary_join_element_wise(table["source"], table["record_id"], "/")
        return table.filter(pc.invert(pc.is_in(ids, pa.array(rows)))) if not name.startswith("graph/Company") else table

    twin = Archive(changed(archive.lake, tmp_path / "twin", cut), archive.as_of, archive.zone)
    score, _ = by.model.score(seen)
    after, _ = by.model.score(snapshot(twin.on(archive.as_of), FAMILIES))
    assert after[place] < score[place]
    assert after[place] == by.without(seen, rows)[place]


def test_reasons_are_few_and_ranked_and_only_rows_without_which_the_score_falls_are_named(told):
    assert len({each.place for each in told if each.rows}) >= 0.9 * len({each.place for each in told})
    for n, rank in enumerate(ranks(told)):
        assert rank < 4
        assert rank == 0 or told[n].adds <= told[n - 1].adds
        assert len(told[n].rows) <= ROWS
        assert bool(told[n].rows) == bool(told[n].falls is not None and told[n].falls > 0)
        assert not told[n].parties or told[n].family.startswith("near.")


@pytest.mark.untraced
def test_of_the_highest_scores_nearly_all_fall_without_the_evidence_that_is_named(by, seen):
    found = removal(by, seen, 3, Silent())
    assert (found["companies"], found["named"]) == (3, 3)
    assert found["fell"]["value"] >= 0.95
    assert found["reasons_held"] <= found["reasons_named"] <= found["reasons"] <= 12
    assert found["median_fall"] > 0


def test_reasons_add_up_to_the_score_and_are_told_in_both_languages(by, seen):
    company = seen.ids[3].as_py()
    found = explain(by, seen, company, strongest=1000)
    assert found["base"] + sum(each["adds"] for each in found["features"]) == pytest.approx(found["score"], abs=0.02)
    assert sum(each["adds"] for each in found["families"]) == pytest.approx(found["score"] - found["base"], abs=0.01)
    first = found["features"][0]
    named = next(c for c in seen.columns if c.name == first["feature"])
    assert named.about in first["en"]
    assert named.zh in first["zh"]
    assert abs(first["adds"]) == max(abs(each["adds"]) for each in found["features"])
    by_family = {each["family"]: each["adds"] for each in found["families"]}
    for each in found["reasons"]:
        assert (each["code"], each["adds"]) == (reason_of(each["family"]).code, by_family[each["family"]])
        assert {feature["family"] for feature in each["features"]} == {each["family"]}
    with pytest.raises(UsageError, match="is not among the"):
        explain(by, seen, "company:C9")
