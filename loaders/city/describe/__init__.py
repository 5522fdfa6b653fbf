"""The description of a city: one page on what it is, what was planted in it, how hard it is and how like the real thing.

Reads the files of the city alone, by an engine bounded in memory.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kg.progress import Progress, Silent
from loaders.city.describe import measures, page, planted
from loaders.city.describe.landing import Landing
from loaders.city.describe.svg import Series, chart, tail

__all__ = ["describe"]
#: Schemes of each kind that are drawn.
_MAPS = 24
_DAYS = tuple(calendar.day_abbr)
_STEPS = 6


def describe(folder: Path, output: Path, progress: Progress | None = None) -> int:
    """Write the page of the city in ``folder`` into the file ``output``; return its size in bytes.

    Raises
    ------
    UsageError
        If ``folder`` holds no city.
    """
    with Landing.opened(folder) as landing, (progress or Silent()).task("describing the city", total=_STEPS) as task:
        sections = []
        noted, rows = landing.noted("city") or {}, landing.rows()
        sections.append(("Choices", _choices(noted)))
        sections.append(("Rows", page.table(("kind", "rows"), rows.items())))
        task.advance()
        sections.append(("Sizes, partners, amounts, delays", _money(landing, rows)))
        task.advance()
        sections.append(("Rhythm", _rhythm(landing)))
        task.advance()
        moved = planted.guilty_transfers(landing)
        task.advance()
        sections.append(("Planted schemes", _planted(landing, moved, rows)))
        sections.append(("Honest look-alikes", page.table(("kind", "plots", "companies"), planted.lookalikes(landing))))
        task.advance()
        sections.append(("Hardness", page.hardness(landing.noted("hardness"))))
        sections.append(("Likeness to real companies", page.realism(landing.noted("realism"))))
        text = page.whole("A generated city", _lead(noted, rows), sections)
        output.write_text(text, encoding="utf-8")
        task.advance()
    return len(text.encode())


def _lead(noted: Mapping[str, Any], rows: Mapping[str, int]) -> str:
    days = noted.get("params", {}).get("days")
    over = f" over {days:,} days" if days else ""
    return f"{rows.get('companies', 0):,} companies and institutions, {rows.get('transfers', 0):,} payments{over}. None of it is anybody's."


def _choices(noted: Mapping[str, Any]) -> str:
    """Return from what the city was built."""
    if not noted:
        return page.text("What it was built from is not noted: there is no truth/city.json.")
    head = [("city version", noted["version"]), ("digest", noted["digest"])]
    said = "The same choices, seed and version give the same bytes; the digest stands for all of them."
    chosen = [(name, str(value)) for name, value in [*head, *noted["params"].items()]]
    return page.text(said) + page.table(("choice", "value"), chosen)


def _money(landing: Landing, rows: Mapping[str, int]) -> str:
    """Return the distributions: sizes, partners, amounts, delays."""
    paid = measures.payments(landing)
    ours = measures.between(landing, paid)
    trade = measures.trade(landing, ours)
    fen, often = measures.amounts(landing, paid)
    wait, looked_for = measures.delays(landing, ours, rows.get("companies", 0))
    share = "part as large or larger"
    drawn = [
        chart("Partners of companies", [tail("paid", trade.out), tail("paid by", trade.into)], "other companies", share, log=True),
        chart("Payments by amount", [tail("", fen / 100, often)], "yuan", share, log=True),
        chart("Companies by sales to other companies", [tail("", trade.sold / 100)], "yuan by invoice in the period", share, log=True),
        chart("Companies by capital", [tail("", measures.capital(landing) / 100)], "yuan subscribed", share, log=True),
        *_sized(landing, share),
        chart("Days from invoice to payment", [_by_day(wait)], "days", "invoices", log=False),
    ]
    middle = f", half of them within {np.median(wait):.0f} days" if wait.size else ""
    return page.charts(drawn) + page.text(
        f"Delays are those of the {wait.size:,} of {looked_for:,} invoices for which a payment of just their amount is found{middle}."
    )


def _sized(landing: Landing, share: str) -> list[str]:
    """Return the picture of companies by their staff, where the truth says it."""
    if not (landing.folder / "truth" / "sizes.parquet").exists():
        return []
    return [chart("Companies by employees", [tail("", landing.truth("sizes")["employees"].to_numpy())], "employees", share, log=True)]


def _by_day(wait: measures.Ints) -> Series:
    counts = np.bincount(wait, minlength=1)
    return Series("", np.arange(counts.size), counts, "bars")


def _rhythm(landing: Landing) -> str:
    """Return payments by day of the period, of the week and of the month, and by hour."""
    found = measures.rhythm(landing)
    number = (found.day - found.day[0]).astype(np.int64) if found.day.size else np.empty(0, np.int64)
    weekday = (found.day.astype(np.int64) + 3) % 7
    in_month = (found.day - found.day.astype("datetime64[M]")).astype(np.int64)
    per_day = "payments a day"
    drawn = [
        chart("By day of the period", [Series("", number, found.payments)], "day", per_day),
        chart("By weekday (1 is Monday)", [_mean(weekday, found.payments, len(_DAYS))], "weekday", per_day),
        chart("By day of the month", [_mean(in_month, found.payments, 31)], "day of the month", per_day),
        chart("By hour", [Series("", np.arange(24), found.hours, "bars")], "hour", "payments"),
    ]
    return page.charts(drawn)


def _mean(place: measures.Ints, payments: measures.Ints, size: int) -> Series:
    """Return the mean of the days of each place, numbered from 1."""
    days = np.bincount(place, minlength=size)
    return Series("", np.arange(1, size + 1), np.bincount(place, payments, size) / np.maximum(days, 1), "bars")


def _planted(landing: Landing, moved: Any, rows: dict[str, int]) -> str:
    """Return what was planted: a table by kind, and a picture of each scheme."""
    kinds = planted.kinds(landing, moved)
    companies, transfers = planted.guilty_share(landing, moved, rows)
    total, missed = sum(kind.plots for kind in kinds), sum(kind.beyond for kind in kinds)
    lines = [(kind.name, kind.plots, kind.companies, kind.transfers, round(kind.fen / 100), kind.loans, kind.beyond) for kind in kinds]
    said = (
        f"{companies:.2%} of the companies and {transfers:.2%} of the transfers have a part in a scheme; "
        f"{missed} of {total} schemes reach beyond what a rule's default would catch."
    )
    heads = ("scheme", "planted", "companies", "transfers", "yuan", "loans", "beyond a default")
    return page.text(said) + page.table(heads, lines) + page.map_sheet(planted.schemes(landing, moved, _MAPS), total)
