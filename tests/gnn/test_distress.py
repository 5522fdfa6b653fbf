"""Distress in the supply chain: whom it befell, from when on it is known, and in which words it is explained."""

from __future__ import annotations

from datetime import timedelta

from gnn.tasks import choose
from kg.daytime import scoring

TASK = choose("supply_chain_distress")


def sued(archive):
    """Return the first day on which each company was sued, counted by hand."""
    graph, table = archive.today(), archive.lake.engine.table
    filed = {row["id"]: row["filed_on"] for row in table(graph.nodes("CourtCase").select("id", "filed_on")).to_pylist()}
    first = {}
    for row in table(graph.edges("PARTY_TO").select("src", "dst", "role")).to_pylist():
        if row["src"].startswith("company:") and row["role"] in ("被告", "defendant"):
            first[row["src"]] = min(filed[row["dst"]], first.get(row["src"], filed[row["dst"]]))
    return first


def test_it_befalls_who_is_sued_from_the_first_day_on_and_not_who_sues(archive):
    found = archive.lake.engine.table(TASK.events(archive.today()))
    assert dict(zip(found["id"].to_pylist(), found["known_on"].to_pylist(), strict=True)) == sued(archive)
    assert found.num_rows


def test_who_was_sued_before_the_day_is_left_out_and_who_is_soon_afterwards_is_foreseen(archive):
    known = sued(archive)
    day = sorted(known.values())[len(known) // 2]
    seen = TASK.units.look(archive, day, (), "train")
    label = dict(zip(seen.ids.to_pylist(), TASK.units.labels(seen, known, 30).tolist(), strict=True))
    soon = {company for company, when in known.items() if day < when <= day + timedelta(days=30)}
    before = {company for company, when in known.items() if when <= day}
    assert {company for company, each in label.items() if each == -1} == before & set(label)
    assert {company for company, each in label.items() if each == 1} == soon & set(label)
    assert before & set(label)


def test_it_is_never_explained_in_words_of_fraud(monkeypatch):
    monkeypatch.setattr(scoring, "seen_last", lambda *_: None)
    monkeypatch.setattr("gnn.explain.told_by_columns", lambda *_: {"features": []})
    assert scoring.explained(None, TASK.name, None, "company:x:1", None) == {"company": "company:x:1", "features": []}
