"""The rules on links and the limits of groups."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from kg.errors import UsageError
from kg.rules.group_limit import PASSED, SPLIT, GroupLimitParameters, find_passed_limits, find_split_limits
from kg.rules.undisclosed_links import UndisclosedLinksParameters, find_undisclosed_links

A, B, C = (f"company:x:{c}" for c in "abc")
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def rows(columns, *values):
    """Make a table of these columns; ids are the first column."""
    return pa.table({name: [value[place] for value in values] for place, name in enumerate(columns.split())}) if values else None


def tables(**named):
    return {name: table for name, table in named.items() if table is not None}


def links(*values):
    """Return links written as (src, dst, kind, score, level, disclosed); the ids are l0, l1, …"""
    return rows("id src dst kind score level disclosed", *((f"l{place}", *value) for place, value in enumerate(values)))


def borrowed(*values):
    return rows("id src dst amount_fen at", *((f"b{place}", *value, DAY) for place, value in enumerate(values)))


def guarantees(*values):
    """Return guarantees written as (src, dst, fen, day)."""
    table = rows("id src dst amount_fen valid_from", *((f"g{place}", *value) for place, value in enumerate(values)))
    return table.set_column(4, "valid_from", table["valid_from"].cast(pa.date32()))


def undisclosed(given, loans, *found, **parameters):
    known = tables(GUARANTEES=given, BORROWED=loans, LINKED_TO=links(*found))
    return find_undisclosed_links(known, UndisclosedLinksParameters(**parameters)).to_pylist()


def test_a_guarantor_with_a_link_to_the_borrower_that_no_register_tells_is_hit_with_him():
    given = guarantees((A, "loan:x:1", 500, date(2026, 1, 5)), (A, B, 300, date(2026, 2, 6)))
    hits = undisclosed(given, borrowed((B, "loan:x:1", 900)), (A, B, "shared_device", 640_000, "medium", False))
    assert [(hit["entity_id"], hit["root"], hit["amount_fen"], hit["evidence"]) for hit in hits] == [
        (party, f"{A}>{B}", 800, ["l0", "g0", "g1"]) for party in (A, B)
    ]
    assert {hit["at"] for hit in hits} == {datetime(2026, 2, 6, tzinfo=UTC)}


def test_the_direction_of_the_link_makes_no_difference():
    hits = undisclosed(guarantees((B, A, 5, None)), None, (A, B, "shared_device", 640_000, "medium", False))
    assert {hit["entity_id"] for hit in hits} == {A, B}


@pytest.mark.parametrize(
    "link",
    [
        (A, B, "same_controller", 950_000, "strong", True),
        (A, B, "shared_device", 399_999, "weak", False),
        (A, B, "guarantor", 600_000, "medium", False),
        (A, C, "shared_device", 640_000, "medium", False),
    ],
    ids=["the register tells it", "it is weak", "it says only that the one guarantees", "it is between others"],
)
def test_a_link_is_no_hit_where(link):
    assert undisclosed(guarantees((A, B, 5, None)), None, link) == []


def groups(*values):
    return rows("id used_fen headroom_fen breach split", *values)


MEMBERS = rows("id src dst", ("m0", A, "group:g"), ("m1", B, "group:g"), ("m2", C, "group:h"))


def test_all_members_of_a_group_beyond_its_limit_are_hit_with_the_excess():
    known = {"Group": groups(("group:g", 120, -20, True, False), ("group:h", 80, 20, False, False)), "MEMBER_OF": MEMBERS}
    hits = find_passed_limits(known, PASSED.parameters).to_pylist()
    assert [(hit["entity_id"], hit["root"], hit["amount_fen"], hit["evidence"]) for hit in hits] == [
        (party, "group:g", 20, ["group:g", "m0", "m1"]) for party in (A, B)
    ]
    assert find_passed_limits(known, GroupLimitParameters(tolerance_fen=20)).to_pylist() == []


def test_a_split_group_is_told_with_what_it_has_used():
    known = {"Group": groups(("group:g", 120, 5, False, True), ("group:h", None, None, None, None)), "MEMBER_OF": MEMBERS}
    hits = find_split_limits(known, SPLIT.parameters).to_pylist()
    assert {(hit["entity_id"], hit["amount_fen"]) for hit in hits} == {(A, 120), (B, 120)}


def test_a_score_of_nothing_is_no_bound():
    with pytest.raises(UsageError, match="min_score_ppm is 0"):
        UndisclosedLinksParameters(min_score_ppm=0)
