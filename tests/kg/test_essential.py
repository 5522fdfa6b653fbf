"""What is essential to whom: industry codes, the rule, and a file in its place."""

from __future__ import annotations

import pyarrow as pa
import pytest

from kg.derivations.essential import division, divisions, essential_inputs, read_essential
from kg.errors import UsageError
from loaders.city.industries import INDUSTRIES


def kinds(industries, stated=None):
    return {(row["supplier_industry"], row["buyer_industry"]): row["kind"] for row in essential_inputs(industries, stated).to_pylist()}


def test_every_division_belongs_to_its_section():
    assert [division(code) for code in ("01", "05", "06", "43", "44", "51", "97")] == ["A01", "A05", "B06", "C43", "D44", "F51", "T97"]
    assert [division(code) for code in ("00", "98", "A06", "C2", "26141", "")] == ["?"] * 6
    assert divisions(pa.chunked_array([["C2614", None, "2614", "x"]])).to_pylist() == ["C26", "?", "C26", "?"]
    assert all(division(industry.code) == industry.code for industry in INDUSTRIES)


def test_producers_stand_still_without_producers_and_nobody_without_services():
    found = kinds(["C36", "E47", "F51", "G54", "?"])
    assert {pair for pair, kind in found.items() if kind == 2} == {(a, b) for a in ("C36", "E47") for b in ("C36", "E47")}
    assert set(found.values()) == {1, 2}
    assert len(found) == 25


def test_a_stated_pair_goes_before_the_rule_and_a_division_before_its_section():
    stated = pa.table({"supplier_industry": ["C", "C", "C31"], "buyer_industry": ["C", "C36", "C"], "kind": [0, 1, 2]})
    found = kinds(["C31", "C33", "C36"], stated)
    assert found["C33", "C31"] == 0
    assert found["C33", "C36"] == 1
    assert found["C31", "C36"] == found["C31", "C33"] == 2


def write(path, *lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_file_is_read_with_codes_of_either_form(tmp_path):
    rows = read_essential(write(tmp_path / "e.csv", "kind,supplier_industry,buyer_industry,note", "2,G,3610,x", "0,C26,c,y"))
    assert rows.to_pylist() == [
        {"supplier_industry": "G", "buyer_industry": "C36", "kind": 2},
        {"supplier_industry": "C26", "buyer_industry": "C", "kind": 0},
    ]
    assert read_essential(write(tmp_path / "e.csv", "kind,supplier_industry,buyer_industry")).num_rows == 0


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["supplier_industry,buyer_industry", "C,C"], "e.csv lacks the column kind"),
        (["supplier_industry,buyer_industry,kind", "C,C,2", "C,Z9,1"], "e.csv line 3: 'Z9' is no section or division"),
        (["supplier_industry,buyer_industry,kind", ",C,2"], "e.csv line 2: '' is no section"),
        (["supplier_industry,buyer_industry,kind", "C,C,3"], "e.csv line 2: kind is '3'"),
        (["supplier_industry,buyer_industry,kind", "C26,C,1", "2600,C,2"], "e.csv line 3: the pair C26, C stands in line 2 already"),
        (["supplier_industry,buyer_industry,kind", "C"], "e.csv cannot be read as CSV"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path, lines, said):
    with pytest.raises(UsageError, match=said):
        read_essential(write(tmp_path / "e.csv", *lines))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"contagion\.essential names it"):
        read_essential(tmp_path / "e.csv")
