"""Papers of trade: how numbers are spelt, and which paper a financing means."""

from __future__ import annotations

import pyarrow as pa
import pytest

from kg.papers import meant, registered, spelt_alike, without_letters

A, B, C = (f"company:x:{c}" for c in "abc")


def papers(kind, *rows):
    """Return papers written as (id, number, seller, buyer, fen)."""
    columns = {name: [row[place] for row in rows] for place, name in enumerate(("id", "number", "seller", "buyer", "amount_fen"))}
    return registered(pa.table({**columns, "amount_fen": pa.array(columns["amount_fen"], pa.int64())}), kind)


def found(asked, *known):
    columns = ("id", "borrower", "paper_kind", "paper_number")
    rows = pa.table({name: [row[place] for row in asked] for place, name in enumerate(columns)})
    pairs = meant(rows, pa.concat_tables(known)).to_pylist()
    return sorted((row["id"], row["paper"]) for row in pairs)


@pytest.mark.parametrize("spelt", ["FP0012", "fp0012", "FP-0012", "FP 00 12", "FPOO12", "fp00l2", "FP00I2", "No:FP0012"[3:]])
def test_case_separators_and_signs_that_look_alike_make_no_difference(spelt):
    assert spelt_alike(pa.chunked_array([[spelt]])).to_pylist() == ["FP0012"]


@pytest.mark.parametrize(("one", "other"), [("FP0012", "0012"), ("INV-0012", "12"), ("合同0012", "12"), ("PO12", "FP012")])
def test_letters_and_zeros_in_front_can_be_left_out(one, other):
    numbers = without_letters(spelt_alike(pa.chunked_array([[one, other]]))).to_pylist()
    assert numbers[0] == numbers[1]


def test_letters_within_a_number_are_part_of_it():
    numbers = without_letters(spelt_alike(pa.chunked_array([["HT2024A17", "HT2024B17"]]))).to_pylist()
    assert numbers[0] != numbers[1]


def test_the_lines_of_one_invoice_are_one_paper():
    (paper,) = papers("invoice", ("i2", "FP-12", A, B, 30), ("i1", "fp12", A, B, 70)).to_pylist()
    assert (paper["paper"], paper["spelt"], paper["amount_fen"]) == ("i1", "FP12", 100)


def test_a_paper_without_an_amount_or_with_a_negative_one_has_none():
    rows = papers("invoice", ("i1", "1", A, B, None), ("i2", "2", A, B, -5))
    assert rows["amount_fen"].to_pylist() == [None, None]


def test_a_number_that_is_spelt_so_goes_before_one_that_is_alike():
    known = papers("invoice", ("i1", "FP12", A, B, 1), ("i2", "FX12", A, B, 1))
    assert found([("f1", A, "invoice", "fx-12"), ("f2", A, "invoice", "12")], known) == [("f1", "i2"), ("f2", "i1"), ("f2", "i2")]


def test_the_buyer_may_show_a_paper_too_and_nobody_else():
    known = papers("invoice", ("i1", "FP12", A, B, 1))
    assert found([("f1", B, "invoice", "FP12"), ("f2", C, "invoice", "FP12")], known) == [("f1", "i1")]


def test_a_receivable_may_be_an_invoice_or_a_contract_and_an_invoice_is_no_contract():
    known = papers("invoice", ("i1", "12", A, B, 1)), papers("contract", ("c1", "13", A, B, 1))
    asked = [("f1", A, "receivable", "12"), ("f2", A, "receivable", "13"), ("f3", A, "invoice", "13"), ("f4", A, "bill", "12")]
    assert found(asked, *known) == [("f1", "i1"), ("f2", "c1")]
