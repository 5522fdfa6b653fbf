"""The penetration tree, worked by hand: shares, parallel holdings, loops and cuts; its picture; and who stands behind nominees."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from xml.etree import ElementTree

import ibis
import pyarrow as pa
import pytest

from kg import history, schema
from kg.cli.drawing import draw
from kg.cli.owners import _judged
from kg.engine import Engine
from kg.graph import Graph, columns, table_name
from kg.lake import Lake
from kg.ownership.penetration import as_lines, behind, grow, net
from loaders.sources import kind


def tree(*rows, company="c", direction="up", depth=10):
    """Grow the tree of holdings written as (holder, held, ppm)."""
    columns = {name: [row[place] for row in rows] for place, name in enumerate(("holder", "held", "share_ppm"))}
    ids = [f"h{place}" for place in range(len(rows))]
    return grow(pa.table({"id": ids, **columns, "share_ppm": pa.array(columns["share_ppm"], pa.int64())}), company, direction, depth)


def shown(branch):
    return list(as_lines(branch, lambda each: f"{each.party} {each.share_ppm}{' seen' if each.seen else ''}{' more' if each.more else ''}"))


def test_greater_shares_come_first_and_unknown_ones_last():
    assert shown(tree(("a", "c", None), ("b", "c", 100), ("d", "c", 700))) == ["├─ d 700", "├─ b 100", "└─ a None"]


def test_parallel_holdings_are_one_branch_with_all_their_ids_and_unknown_where_one_is():
    (both,) = tree(("a", "c", 100), ("a", "c", 200)).branches
    assert (both.share_ppm, both.evidence) == (300, ("h0", "h1"))
    (unknown,) = tree(("a", "c", 100), ("a", "c", None)).branches
    assert unknown.share_ppm is None


def test_a_party_is_followed_once_where_it_stands_nearest_to_the_company():
    found = shown(tree(("a", "c", 600), ("b", "c", 400), ("b", "a", 900), ("p", "b", 800)))
    assert found == ["├─ a 600", "│  └─ b 900 seen", "└─ b 400", "   └─ p 800"]


def test_a_loop_ends_where_it_comes_round():
    assert shown(tree(("a", "c", 600), ("c", "a", 500))) == ["└─ a 600", "   └─ c 500 seen"]


def test_a_tree_is_cut_at_its_depth_and_says_so_only_where_there_is_more():
    chain = (("a", "c", 1), ("b", "a", 2), ("p", "b", 3))
    assert shown(tree(*chain, depth=2)) == ["└─ a 1", "   └─ b 2 more"]
    assert shown(tree(*chain, depth=3)) == ["└─ a 1", "   └─ b 2", "      └─ p 3"]


def test_downwards_the_tree_shows_what_is_held():
    assert shown(tree(("c", "a", 1), ("a", "b", 2), ("x", "c", 3), direction="down")) == ["└─ a 1", "   └─ b 2"]


def test_a_company_without_holders_has_no_branches():
    assert tree(("a", "b", 1)).branches == ()


def test_the_picture_is_sound_and_has_a_box_for_each_party_and_a_line_for_each_holding_once():
    up = tree(("a<&>", "c", 600), ("b", "c", None), ("p", "a<&>", 900))
    down = tree(("c", "d", 100), direction="down")
    picture = ElementTree.fromstring(draw(up, down, lambda branch: f"{branch.share_ppm}  {branch.party}"))
    of = "{http://www.w3.org/2000/svg}"
    assert len(picture.findall(f"{of}rect")) == 5
    lines = picture.findall(f"{of}path")
    assert len(lines) == 4
    assert len([line for line in lines if line.get("stroke-dasharray")]) == 1
    assert "a<&>" in {text.findtext(f"{of}title") for text in picture.findall(f"{of}text")}


def test_no_two_boxes_of_a_picture_lie_on_one_another():
    up = tree(*((f"p{place}", "c", place) for place in range(5)), *((f"q{place}", "p1", place) for place in range(4)))
    picture = ElementTree.fromstring(draw(up, tree(("c", "d", 1), ("c", "e", 2), direction="down"), lambda branch: branch.party))
    places = [(box.get("x"), box.get("y")) for box in picture.findall("{http://www.w3.org/2000/svg}rect")]
    assert len(places) == len(set(places)) == 12


# -- who is behind ------------------------------------------------------------------------------------------------


@pytest.fixture
def graph(tmp_path) -> Iterator[Graph]:
    """A graph in which n holds c for m, m's nominee k holds m, and nothing else leads to q, who is behind k."""
    with Engine(tmp_path / "spill") as engine:
        lake = Lake(tmp_path / "lake", engine, {})
        held = [("person:n", "company:c", 600_000), ("company:d", "company:c", 400_000), ("person:p", "company:m", 1_000_000)]
        held += [("person:k", "company:d", 1_000_000), ("person:x", "company:z", 1_000_000)]
        told = [("company:m", "person:n", "company:c"), ("person:q", "person:k", "company:d")]
        edge = schema.edge("HOLDS_SHARES")
        rows = [{"id": f"h{n}", "src": a, "dst": b, "share_ppm": ppm, "first_run": "1"} for n, (a, b, ppm) in enumerate(held)]
        fill(lake, table_name(edge), columns(edge), rows)
        stored = {column.name: column.stored for column in kind("nominations").columns}
        record = ibis.schema({**stored, "source": "string", "record_id": "string", **history.VERSION_SCHEMA})
        fill(lake, "records/nominations", record, [{"nominator": a, "nominee": b, "company": c, "first_run": "1"} for a, b, c in told])
        yield Graph(lake, date(2026, 3, 1))


def fill(lake, name, wanted, rows):
    """Write rows to a table, null where a row says nothing."""
    arrow = wanted.to_pyarrow()
    lake.ensure(name, wanted)
    lake.append(name, lake.engine.arrow(pa.Table.from_pylist([{each: row.get(each) for each in arrow.names} for row in rows], arrow)), "1")


def test_behind_a_company_are_its_holders_and_those_for_whom_nominees_hold_with_theirs(graph):
    assert set(behind(graph, "company:c").holdings["held"].to_pylist()) == {"company:c", "company:d", "company:m"}


def test_shares_in_the_end_are_of_those_who_are_behind_nominees(graph):
    found = _judged(graph, "company:c")
    assert {row["owner"]: row["share_ppm"] for row in found["ultimate_owners"]} == {"person:p": 600_000, "person:q": 400_000}
    assert {row["person"] for row in found["beneficial_owners"]} == {"person:p", "person:q"}
    assert {row["controller"] for row in found["controllers"]} == {"company:m", "person:p"}


def test_a_company_that_nobody_holds_has_no_owners_in_the_end(graph):
    assert _judged(graph, "company:y")["ultimate_owners"] == []


def test_shares_that_a_register_states_as_money_are_shown_in_both_directions(tmp_path):
    held = [("person:p", "company:c", 30), ("person:q", "company:c", 70), ("company:c", "company:d", 5), ("person:q", "company:d", 15)]
    edge = schema.edge("HOLDS_SHARES")
    rows = [
        {"id": f"h{n}", "src": a, "dst": b, "subscribed_fen": fen, "source": "a", "first_run": "1"} for n, (a, b, fen) in enumerate(held)
    ]
    rows.append({"id": "h9", "src": "person:x", "dst": "company:e", "source": "a", "first_run": "1"})
    with Engine(tmp_path / "spill") as engine:
        lake = Lake(tmp_path / "lake", engine, {})
        fill(lake, table_name(edge), columns(edge), rows)
        graph = Graph(lake, date(2026, 3, 1))
        up, down = net(graph, "company:d", "up"), net(graph, "person:q", "down")
        unknown = net(graph, "company:e", "up")
    assert shown(grow(up, "company:d", "up", 5)) == [
        "├─ person:q 750000",
        "└─ company:c 250000",
        "   ├─ person:q 700000 seen",
        "   └─ person:p 300000",
    ]
    assert shown(grow(down, "person:q", "down", 5)) == ["├─ company:d 750000", "└─ company:c 700000", "   └─ company:d 250000 seen"]
    assert unknown["share_ppm"].to_pylist() == [None]
