"""The page of a city: HTML in one file that asks nothing of any network.

Knows the order of the sections and the style; everything that it writes is escaped here or was where it was drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from loaders.city.describe import maps
from loaders.city.describe.planted import Scheme
from loaders.city.describe.svg import Series, chart

_STYLE = Path(__file__).with_name("page.css")
Cell = str | int | float | None


def cell(value: Cell) -> str:
    """Return a value as it stands in a table, escaped.

    >>> cell(1234), cell(0.5), cell("<b>"), cell(None)
    ('1,234', '0.5', '&lt;b&gt;', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, (bool, str)):
        return escape(str(value))
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def table(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a table; numbers stand on the right."""
    body = [list(row) for row in rows]
    right = [any(isinstance(row[place], (int, float)) for row in body) for place in range(len(heads))]
    kind = ['class="n"' if on_right else "" for on_right in right]
    head = "".join(f"<th {of}>{escape(text)}</th>" for of, text in zip(kind, heads, strict=True))
    lines = "".join("<tr>" + "".join(f"<td {of}>{cell(value)}</td>" for of, value in zip(kind, row, strict=True)) + "</tr>" for row in body)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'


def text(words: str) -> str:
    """Return a paragraph."""
    return f"<p>{escape(words)}</p>"


def charts(drawn: Iterable[str]) -> str:
    """Return pictures side by side."""
    return f'<div class="charts">{"".join(drawn)}</div>'


def map_sheet(found: Sequence[Scheme], of_all: int) -> str:
    """Return the pictures of schemes."""
    left_out = f" {of_all - len(found):,} more are in truth/schemes.parquet." if of_all > len(found) else ""
    said = "Filled: members; empty: persons and companies that money passed; wider: more money; broken lines: guarantees." + left_out
    return text(said) + maps.ARROW + f'<div class="maps">{"".join(maps.drawn(scheme) for scheme in found)}</div>'


def hardness(noted: Mapping[str, Any] | None) -> str:
    """Return what was measured of the hardness, or how to measure it."""
    if noted is None:
        return text("Not measured yet: python scripts/city_hardness.py --folder DIR measures it and writes truth/hardness.json.")
    rows = [
        (one["what"], one["value"], f"{one['side']} {one['bound']}" if one["bound"] is not None else None, _kept(one))
        for one in noted["measures"]
    ]
    columns = sorted(noted["columns"].items(), key=lambda item: -item[1])
    return (
        table(("measure", "value", "bound", ""), rows)
        + text("Single columns and totals of one company: how well each alone separates guilty from honest ones (AUC, 0.5 is chance).")
        + table(("column", "AUC"), columns[:16])
    )


def _kept(one: Mapping[str, Any]) -> str:
    return "" if one["bound"] is None else "kept" if one["met"] else "NOT KEPT"


def realism(noted: Mapping[str, Any] | None) -> str:
    """Return what was measured of the likeness to real companies, or how to measure it."""
    if noted is None:
        return text("Not measured yet: python scripts/city_realism.py --folder DIR measures it and writes truth/realism.json.")
    tails = [
        (one["what"], one["exponent"], one["error"], one["from"], one["points"], _range(one["published"]), _inside(one), one["source"])
        for one in noted["tails"]
    ]
    parts = [
        text(
            "Tails: P(X ≥ x) falls as x to the power of minus the exponent, from the threshold on. Both are sought as Clauset, Shalizi and "
            "Newman do, and again in samples of the sample: the median and the spread of what is found stand here."
        ),
        table(("tail of", "exponent", "±", "threshold", "points", "published", "", "source"), tails),
        text(noted["invoices_about"]),
        table(("invoices", "city", "real"), [(one["what"], one["city"], one["real"]) for one in noted["invoices"]]),
        charts(_both(one) for one in noted["curves"]),
        table(
            ("shareholdings", "city", "FinBench", "published", "source"),
            [(one["what"], one["city"], one["finbench"], one["published"], one["source"]) for one in noted["holdings"]],
        ),
    ]
    return "".join(parts)


def _range(published: Sequence[float] | None) -> str | None:
    return f"{published[0]} to {published[1]}" if published else None


def _inside(one: Mapping[str, Any]) -> str:
    if not one["published"]:
        return ""
    low, high = one["published"]
    return "within" if low - one["error"] <= one["exponent"] <= high + one["error"] else "OUTSIDE"


def _both(curve: Mapping[str, Any]) -> str:
    """Draw the city's curve and the real one in one picture."""
    named = (("city", "city"), ("425 real firms", "real"))
    series = [Series(name, curve[key][0], curve[key][1], "points") for name, key in named if curve.get(key)]
    return chart(curve["title"], series, curve["x_label"], "part as large or larger", log=True)


def whole(title: str, lead: str, sections: Sequence[tuple[str, str]]) -> str:
    """Return the page of these sections, each a head and its body."""
    links = "".join(f'<a href="#{_anchor(head)}">{escape(head)}</a>' for head, _ in sections)
    body = "".join(f'<section id="{_anchor(head)}"><h2>{escape(head)}</h2>{inside}</section>' for head, inside in sections)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE.read_text(encoding='utf-8')}</style></head><body><h1>{escape(title)}</h1>{text(lead)}<nav>{links}</nav>{body}"
        f"</body></html>\n"
    )


def _anchor(head: str) -> str:
    """Return a head as the end of an address.

    >>> _anchor("Look-alikes, honest")
    'look-alikes-honest'
    """
    return "-".join("".join(sign if sign.isalnum() or sign == "-" else " " for sign in head.lower()).split())
