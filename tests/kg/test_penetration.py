"""The penetration tree, worked by hand: shares, parallel holdings, loops and cuts; and its picture."""

from __future__ import annotations

from xml.etree import ElementTree

import pyarrow as pa

from kg.cli.drawing import draw
from kg.penetration import as_lines, grow


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
