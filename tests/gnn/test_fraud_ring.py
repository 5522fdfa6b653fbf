"""Candidate rings: what happens afterwards and cases are in no feature, and labels say what the bank knows of their companies."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from gnn.rings.candidates import looked_at
from gnn.rings.units import Rings
from gnn.tasks import choose
from kg.derivations.ring_members import candidates_now, rings_now
from kg.errors import GateError
from kg.stages.score import families

from .lakes import same

TASK = choose("fraud_ring")
FAMILIES = families("fraud_ring")


@pytest.fixture(scope="module")
def seen(lake, day):
    return TASK.units.look(lake, day, FAMILIES, "train")


def test_every_ring_of_the_night_is_among_the_candidates_and_others_too(lake, day):
    graph = lake.on(day)
    told, loose = (found(graph).rings.table for found in (rings_now, candidates_now))
    assert set(told["member"].to_pylist()) <= set(loose["member"].to_pylist())
    assert len(set(loose["ring_id"].to_pylist())) > len(set(told["ring_id"].to_pylist()))


def test_a_ring_is_as_large_as_it_has_members_and_nothing_is_kept_that_is_not_paid(lake, day, seen):
    table = candidates_now(lake.on(day)).rings.table
    size = {ring: table["ring_id"].to_pylist().count(ring) for ring in set(table["ring_id"].to_pylist())}
    names = [column.name for column in seen.columns]
    values = dict(zip((id_.split("@")[0] for id_ in seen.ids.to_pylist()), seen.values, strict=True))
    assert {ring: values[ring][names.index("shape.members")] for ring in size} == size
    for name in ("kept_part", "least_part", "told", "spread"):
        column = seen.values[:, names.index(f"shape.{name}")]
        assert ((column >= 0) & (column <= 1)).all()
    part = seen.values[:, names.index("inside.ring_part")]
    assert (part > 0).all()


def test_turns_are_the_days_on_which_the_third_busiest_member_got_money(lake, day, seen):
    found = candidates_now(lake.on(day)).transfers.to_pylist()
    days = {}
    for row in found:
        days.setdefault(row["ring_id"], {}).setdefault(row["payee"], set()).add(row["at"].date())
    column = [column.name for column in seen.columns].index("shape.turns")
    told = dict(zip((id_.split("@")[0] for id_ in seen.ids.to_pylist()), seen.values[:, column].tolist(), strict=True))
    by_hand = {ring: sorted(map(len, each.values()), reverse=True)[2] for ring, each in days.items() if len(each) > 2}
    assert by_hand
    assert {ring: told[ring] for ring in by_hand} == by_hand


@pytest.mark.untraced
def test_what_happens_afterwards_and_cases_are_in_no_feature_of_a_ring(lake, day, seen):
    assert same(seen, TASK.units.look(lake.ending(day), day, FAMILIES, "train"))
    without = replace(lake, lake=lake.lake.without(["records/cases"]))
    assert same(seen, TASK.units.look(without, day, FAMILIES, "train"))


def rings(period):
    ids = pa.array(["a", "b", "c", "d"])
    row, company = np.array([0, 0, 1, 1, 1, 2, 2, 3]), pa.array(list("uvwxyzuv"))
    begun = np.array(["2024-03-01", "2024-03-01", "2024-03-01", "2024-05-30"], "datetime64[D]")
    return Rings(date(2024, 6, 1), ids, np.zeros((4, 0)), (), 0, row, company, begun, period)


KNOWN = {"u": date(2024, 1, 1), "x": date(2024, 6, 10), "v": date(2024, 6, 20)}


def test_a_ring_is_guilty_where_half_of_its_companies_are_known_and_open_where_fewer_are():
    assert TASK.units.labels(rings("train"), KNOWN, 30).tolist() == [1, -1, 1, 1]
    assert TASK.units.labels(rings("train"), KNOWN, 5).tolist() == [1, 0, 1, 0]


def test_rings_that_an_earlier_period_could_have_seen_are_left_out_of_later_ones():
    for period in ("valid", "test"):
        assert TASK.units.labels(rings(period), KNOWN, 30).tolist() == [-1, -1, -1, 1]


def test_families_that_look_for_no_rings_are_refused(lake, day):
    with pytest.raises(GateError, match="looked for rings"):
        looked_at(lake.on(day))
