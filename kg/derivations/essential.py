"""Which inputs are essential to whom: industries of GB/T 4754 by division, and a rule where no table says otherwise.

The rule is the one of the paper on systemic risk, put into the letters of GB/T 4754: who produces (A farming, B mining, C manufacturing,
D power and water, E building) stands still without the goods of other producers and can do for a while without services; who trades or
serves (F to T) loses by the part that any input is of its purchases. Trade (F) counts as a service, as there: another trader has the same
goods. Of a company whose industry is not known no input is called essential, nor what it supplies.

References
----------
.. [1] GB/T 4754-2017 国民经济行业分类 (sections A to T, divisions 01 to 97).
.. [2] Diem, Borsos, Reisch, Kertész, Thurner, Scientific Reports 12, 7719, 2022 (production functions by sector).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from kg.derivations.supply_network import ESSENTIAL, NON_ESSENTIAL
from kg.errors import UsageError

#: Sections whose companies make things.
PRODUCERS = "ABCDE"
#: What stands for an industry that is not known.
UNKNOWN = "?"
#: The last division of each section.
_SECTIONS = dict(zip("ABCDEFGHIJKLMNOPQRST", (5, 12, 43, 46, 50, 52, 60, 62, 65, 69, 70, 72, 75, 79, 82, 83, 85, 90, 96, 97), strict=True))
_CODE = re.compile(r"([A-T])?(?:(\d{2})\d{0,2})?$")
_COLUMNS = ("supplier_industry", "buyer_industry", "kind")


def division(code: str | None) -> str:
    """Return section and division of an industry code, ``?`` where it is none.

    >>> [division(code) for code in ("C26", "2614", "c", "C2614", "E99", "99", "fishing", None)]
    ['C26', 'C26', 'C', 'C26', '?', '?', '?', '?']
    """
    found = _CODE.match((code or "").strip().upper())
    if found is None or not (found[1] or found[2]):
        return UNKNOWN
    if found[2] is None:
        return str(found[1])
    number = int(found[2])
    section = next((letter for letter, last in _SECTIONS.items() if 0 < number <= last), UNKNOWN)
    return f"{section}{found[2]}" if section != UNKNOWN and found[1] in (None, section) else UNKNOWN


def divisions(codes: pa.ChunkedArray) -> pa.Array:
    """Return the division of each code of a column; each distinct code is looked at once."""
    distinct = codes.cast(pa.string()).combine_chunks().dictionary_encode()
    known = pa.array([division(code) for code in distinct.dictionary.to_pylist()], pa.string())
    return pc.fill_null(known.take(distinct.indices), UNKNOWN)


def essential_inputs(industries: Iterable[str], stated: pa.Table | None = None) -> pa.Table:
    """Return what each of some industries needs of each.

    Parameters
    ----------
    industries
        As `division` returns them.
    stated
        ``supplier_industry, buyer_industry, kind``, each industry a division or a whole section; of several rows that fit a pair
        the one that names more counts, the supplier before the buyer. Pairs that no row fits follow the rule.

    Returns
    -------
    Table
        ``supplier_industry, buyer_industry, kind``: all pairs, as `kg.derivations.contagion.esri` takes them.

    Examples
    --------
    >>> stated = pa.table({"supplier_industry": ["G", "C31"], "buyer_industry": ["C36", "C"], "kind": [2, 1]})
    >>> found = essential_inputs(["C31", "C36", "G54"], stated).to_pylist()
    >>> {(row["supplier_industry"], row["buyer_industry"]): row["kind"] for row in found if row["buyer_industry"] == "C36"}
    {('C31', 'C36'): 1, ('C36', 'C36'): 2, ('G54', 'C36'): 2}
    """
    rows = [] if stated is None else stated.to_pylist()
    told = {(row["supplier_industry"], row["buyer_industry"]): row["kind"] for row in rows}
    distinct = sorted(set(industries))
    pairs = [(supplier, buyer) for supplier in distinct for buyer in distinct]
    kinds = [_kind(told, supplier, buyer) for supplier, buyer in pairs]
    return pa.table(
        {
            "supplier_industry": pa.array([supplier for supplier, _ in pairs], pa.string()),
            "buyer_industry": pa.array([buyer for _, buyer in pairs], pa.string()),
            "kind": pa.array(kinds, pa.int64()),
        }
    )


def _kind(told: dict[tuple[str, str], int], supplier: str, buyer: str) -> int:
    fits = ((a, b) for a in dict.fromkeys((supplier, supplier[0])) for b in dict.fromkeys((buyer, buyer[0])))
    rule = ESSENTIAL if supplier[0] in PRODUCERS and buyer[0] in PRODUCERS else NON_ESSENTIAL
    return next((told[pair] for pair in fits if pair in told), rule)


def read_essential(path: Path) -> pa.Table:
    """Read a file of what is essential.

    Raises
    ------
    UsageError
        If it cannot be read, or a row names no industry or kind, or a pair twice.
    """
    try:
        options = csv.ConvertOptions(column_types=dict.fromkeys(_COLUMNS, pa.string()))
        rows = csv.read_csv(path, convert_options=options)
    except (OSError, pa.ArrowException) as error:
        raise UsageError(f"{path.name} cannot be read as CSV ({error}); contagion.essential names it") from None
    if missing := [name for name in _COLUMNS if name not in rows.column_names]:
        raise UsageError(f"{path.name} lacks the column {missing[0]}; it needs {', '.join(_COLUMNS)}")
    seen: dict[tuple[str, str], int] = {}
    for number, row in enumerate(rows.select(_COLUMNS).to_pylist(), 2):
        pair = division(row["supplier_industry"]), division(row["buyer_industry"])
        if UNKNOWN in pair:
            wrong = row[_COLUMNS[pair.index(UNKNOWN)]]
            raise UsageError(f"{path.name} line {number}: '{wrong}' is no section or division of GB/T 4754, such as C or C26")
        if row["kind"] not in ("0", "1", "2"):
            raise UsageError(
                f"{path.name} line {number}: kind is '{row['kind']}'; it is 0 (not needed), 1 (non-essential) or 2 (essential)"
            )
        if pair in seen:
            raise UsageError(f"{path.name} line {number}: the pair {pair[0]}, {pair[1]} stands in line {seen[pair]} already")
        seen[pair] = number
    ends = zip(*seen, strict=True) if seen else ((), ())
    names = dict(zip(_COLUMNS, (pa.array(list(end), pa.string()) for end in ends), strict=False))
    return pa.table({**names, "kind": rows["kind"].cast(pa.int64())})
