"""Papers of trade against which money is lent: how their numbers are spelt, and which invoice or contract a financing means.

Knows that nobody writes a number alike twice, and that a paper may stand in several rows; hides how the two are brought together.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

#: Which kinds of paper are looked for among invoices, and which among contracts; a receivable may be either.
_REGISTERS = {"invoice": ("invoice", "receivable"), "contract": ("contract", "receivable")}
#: What is written for another sign.
_TAKEN_FOR = (("O", "0"), ("I", "1"), ("L", "1"))


def spelt_alike(numbers: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return numbers as they read where case, separators, O for 0, and I or l for 1 make no difference.

    Examples
    --------
    >>> spelt_alike(pa.chunked_array([["fp-00 12", "FPOOl2", "合同（3）"]])).to_pylist()
    ['FP0012', 'FP0012', '合同3']
    """
    found = pc.replace_substring_regex(pc.utf8_upper(numbers), r"[^0-9A-Z\p{Han}]+", "")
    for sign, other in _TAKEN_FOR:
        found = pc.replace_substring(found, sign, other)
    return found


def without_letters(spelt: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return numbers of `spelt_alike` without the letters and zeros that they begin with; one that has no others stays as it is.

    Examples
    --------
    >>> without_letters(pa.chunked_array([["FP0012", "0012", "1NV0012", "HT2024A17", "合同"]])).to_pylist()
    ['12', '12', '12', '2024A17', '合同']
    """
    found = pc.replace_substring_regex(spelt, r"^(?:[01]*[A-Z\p{Han}]+)?0*", "")
    return pc.if_else(pc.equal(found, ""), spelt, found)


def registered(rows: pa.Table, kind: str) -> pa.Table:
    """Return the papers of one register, rows of one number put together.

    Parameters
    ----------
    rows
        ``id, number, seller, buyer, amount_fen`` (null = not stated) of invoices or of contracts.
    kind
        ``invoice`` or ``contract``.

    Returns
    -------
    Table
        ``paper`` (the smallest id of its rows), ``kind, spelt, seller, buyer, amount_fen``; papers whose amount is not above 0 have none.
    """
    rows = rows.append_column("spelt", spelt_alike(rows["number"]))
    key = ["spelt", "seller", "buyer"]
    sums = rows.group_by(key).aggregate([("id", "min"), ("amount_fen", "sum")])
    amount = pc.if_else(pc.greater(sums["amount_fen_sum"], 0), sums["amount_fen_sum"], None)
    columns = {"paper": sums["id_min"], "kind": pa.repeat(pa.scalar(kind), sums.num_rows), **{name: sums[name] for name in key}}
    return pa.table({**columns, "amount_fen": amount})


def meant(financings: pa.Table, papers: pa.Table) -> pa.Table:
    """Find which papers financings mean: those of the borrower whose number is spelt so, else those that are so but for letters in front.

    Parameters
    ----------
    financings
        ``id, borrower, paper_kind, paper_number``.
    papers
        What `registered` returned, of invoices and of contracts.

    Returns
    -------
    Table
        ``id, paper``: a row for each paper that a financing may mean; none where no register holds it.
    """
    asked = financings.select(["id", "borrower", "paper_kind"]).append_column("spelt", spelt_alike(financings["paper_number"]))
    known = pa.concat_tables([_of_party(papers, party, kind) for party in ("seller", "buyer") for kind in _REGISTERS])
    exact = _matched(asked, known, "spelt")
    rest = asked.filter(pc.invert(pc.is_in(asked["id"], value_set=exact["id"].combine_chunks())))
    rest, known = (table.append_column("bare", without_letters(table["spelt"])) for table in (rest, known))
    return pa.concat_tables([exact, _matched(rest, known, "bare")])


def _of_party(papers: pa.Table, party: str, register: str) -> pa.Table:
    """Return the papers of a register by one of their parties, once for each kind of paper by which they may be called."""
    rows = (
        papers.filter(pc.equal(papers["kind"], register)).select(["paper", party, "spelt"]).rename_columns(["paper", "borrower", "spelt"])
    )
    return pa.concat_tables(
        [rows.append_column("paper_kind", pa.repeat(pa.scalar(called), rows.num_rows)) for called in _REGISTERS[register]]
    )


def _matched(asked: pa.Table, known: pa.Table, by: str) -> pa.Table:
    key = ["borrower", "paper_kind", by]
    joined = asked.select(["id", *key]).join(known.select(["paper", *key]), key, join_type="inner")
    return joined.group_by(["id", "paper"]).aggregate([])
