"""Pairs of parties: what they are asked is in no feature, nor is what happens afterwards; and a model of them is trained and kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from gnn.challenge import register
from gnn.pairs.candidates import AND
from gnn.pairs.evidence import KINDS
from gnn.pairs.lumps import KIND as LUMPS
from gnn.pairs.withheld import PERIODS, Withheld, asked
from gnn.registry import Registry
from gnn.tasks import choose
from gnn.train import train
from kg.derivations.linked.kinds import KINDS as ALL_KINDS
from kg.derivations.links import BEHIND
from kg.progress import Silent
from kg.stages.score import families

from .lakes import changed, same

TASK = replace(choose("linked_party"), horizon=60, step=90)
FAMILIES = families("linked_party")
OF_REGISTER = ("graph/HOLDS_SHARES", "graph/REPRESENTS", "graph/OFFICER_OF")


@pytest.fixture(scope="module")
def seen(lake, day):
    return TASK.units.look(lake, day, FAMILIES, "train")


def digits_of(column, archive):
    table = archive.lake.engine.arrow(pa.table({"id": column}))
    return archive.lake.engine.table(table.select(x=asked(table.id, PERIODS["train"])))["x"]


def test_the_kinds_of_evidence_are_those_of_which_the_register_does_not_tell():
    hidden = {kind.name for kind in ALL_KINDS if not kind.disclosed and kind.family != "people"}
    assert {name for name, _, _ in KINDS} == {*hidden, BEHIND, LUMPS}


def test_what_the_register_says_of_those_who_are_asked_about_is_in_no_feature(lake, day, seen, tmp_path):
    def alter(name, rows):
        """Give all companies that are asked about to one holder, who represents them too."""
        if name not in OF_REGISTER:
            return rows
        of = digits_of(rows["dst"], lake)
        mine = rows.filter(of)
        other = pa.repeat(pa.scalar("person:P000000001"), mine.num_rows)
        return pa.concat_tables([rows.filter(pc.invert(of)), mine.set_column(mine.column_names.index("src"), "src", other)])

    twin = replace(lake, lake=changed(lake.lake, tmp_path, alter))
    again = TASK.units.look(twin, day, FAMILIES, "train")
    assert same(seen, again)
    assert not np.array_equal(seen.stated, again.stated)


@pytest.mark.untraced
def test_what_happens_afterwards_is_in_no_feature_of_a_pair(lake, day, seen):
    assert same(seen, TASK.units.look(lake.ending(day), day, FAMILIES, "train"))
    assert not same(seen, TASK.units.look(lake, lake.as_of, FAMILIES, "train"))


@pytest.mark.untraced
def test_cases_and_other_scores_are_in_no_feature_of_a_pair(lake, day, seen):
    without = replace(lake, lake=lake.lake.without(["records/cases"]))
    assert same(seen, TASK.units.look(without, day, FAMILIES, "train"))


def test_money_of_earlier_years_counts_as_that_of_the_last_one_does(lake):
    """Half a year on, the first months of the city lie more than a year back."""
    graph, table = lake.on(lake.as_of + timedelta(days=200)), lake.lake.engine.table
    owner = {row["dst"]: row["src"] for row in table(graph.edges("OWNS_ACCOUNT").select("src", "dst")).to_pylist()}
    paid, early = Counter(), set()
    for row in table(graph.edges("TRANSFERRED_TO").select("src", "dst", "amount_fen", "at")).to_pylist():
        pair = owner[row["src"]], owner[row["dst"]]
        paid[pair] += row["amount_fen"]
        if row["at"].date() < graph.as_of - timedelta(days=366):
            early.add(pair)
    family = next(each for each in FAMILIES if each.name == "money")
    found = {tuple(row["id"].split(AND)): row["paid_fen"] or 0 for row in table(family.make(graph)).to_pylist()}
    assert found == {pair: paid[pair] for pair in found}
    assert early & {pair for pair, fen in found.items() if fen}


def test_a_pair_is_stated_where_the_whole_register_puts_both_under_one_person(lake, day, seen):
    rows = lake.on(day).edges("CONTROLS")
    rows = lake.lake.engine.table(rows.filter(rows.certain, rows.jointly.isnull()).select("src", "dst")).to_pylist()
    control = {(row["src"], row["dst"]) for row in rows}
    by = {}
    for src, dst in control:
        by.setdefault(dst, set()).add(src)
    said = dict(zip(seen.ids.to_pylist(), seen.stated.tolist(), strict=True))
    assert {1, 0, -1} <= set(said.values())
    for pair, stated in said.items():
        a, b = pair.split(AND)
        one = (a, b) in control or (b, a) in control or bool(by.get(a, set()) & by.get(b, set()))
        assert stated in ((1, -1) if one else (0, -1))


def test_the_register_of_one_period_is_not_withheld_in_another(lake, day):
    held = {}
    for period in PERIODS:
        rows = Withheld(lake, day, period).edges("REPRESENTS")
        held[period] = set(lake.lake.engine.table(rows.select("dst"))["dst"].to_pylist())
    every = set(lake.lake.engine.table(lake.on(day).edges("REPRESENTS").select("dst"))["dst"].to_pylist())
    gone = [every - held[period] for period in PERIODS]
    assert all(gone)
    assert sum(len(each) for each in gone) == len(set.union(*gone)) < len(every)


@pytest.mark.untraced
def test_the_order_of_rows_changes_nothing(lake, day, seen, tmp_path):
    dice = np.random.default_rng(1)
    twin = changed(lake.lake, tmp_path, lambda _, rows: rows.take(pa.array(dice.permutation(rows.num_rows))))
    assert same(seen, TASK.units.look(replace(lake, lake=twin), day, FAMILIES, "train"))


@pytest.mark.untraced
@pytest.mark.parametrize("kind", [pytest.param("trees", marks=pytest.mark.soak), "network"])
def test_a_model_of_pairs_is_trained_kept_and_scores_the_last_day(kind, lake, tmp_path, monkeypatch):
    monkeypatch.setattr("gnn.train.LEAST", {"train": 5, "valid": 3, "test": 3})
    trained = train(lake, TASK, FAMILIES, Silent(), network=kind == "network")
    assert trained.challenger.weights.kind == kind
    assert trained.metrics["leaks"] == []
    registry = Registry(tmp_path, TASK.name)
    version = register(registry, trained, {"run_id": "run-1", "as_of": "2024-09-16", "code": "c", "tables": {}})
    last = TASK.units.look(lake, lake.as_of, FAMILIES, None)
    score, probability = registry.load(version).score(last)
    assert len(score) == len(last.ids) > 0
    assert ((probability >= 0) & (probability <= 1)).all()
    card = (registry.folder / version / "card.md").read_text(encoding="utf-8")
    assert "pairs on days" in card
    assert "What it foresees: two parties that the register does not tie are under one control." in card
