"""What a run did, for people.

Knows how the results of the stages read; hides nothing: all figures are those that the stages gave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Summary = Mapping[str, Any]


def text(of: Summary) -> str:
    """Return a summary as a short report."""
    lines = [f"Run {of['run_id'] or '(nothing committed)'}, as of {of['as_of'] or '-'}; it {of['began']}.", ""]
    if of["sources"]:
        lines += ["What came in", *_sources(of["sources"]), ""]
    lines += ["What was done", *_stages(of["results"], of["seconds"])]
    return "\n".join(lines) + "\n"


def _sources(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    rows = [f"  {'source':36} {'rows':>11} {'refused':>9} {'new':>11} {'closed':>9}"]
    for entry in entries:
        rows.append(
            f"  {entry['source']:36} {entry['rows']:>11,} {entry['quarantined']:>9,}"
            f" {entry.get('inserted', 0):>11,} {entry.get('closed', 0):>9,}"
        )
        if overtaken := entry.get("overtaken", 0):
            rows.append(f"    {overtaken:,} rows gave way to rows of later files that tell of the same records")
        if released := entry.get("released", 0):
            rows.append(f"    {released:,} refused rows left the quarantine: they came in")
        if superseded := entry.get("superseded", 0):
            rows.append(f"    {superseded:,} refused rows left the quarantine: the source has told of their records anew")
        rows += [f"    warning: {warning}" for warning in entry.get("warnings", [])]
    return rows


def _stages(results: Mapping[str, Any], seconds: Mapping[str, float]) -> list[str]:
    rows = []
    for name, result in results.items():
        if isinstance(result, Mapping):
            rows.append(f"  {name:8} {seconds.get(name, 0):>8.1f} s  {_said(result)}")
            rows += [f"    note: {note}" for note in result.get("notes", [])]
    return rows


def _said(result: Mapping[str, Any]) -> str:
    """Put the result of a stage into a few words."""
    if "said" in result:
        return str(result["said"])
    tables = {name: value for name, value in result.items() if isinstance(value, Mapping) and "inserted" in value}
    if tables:
        new, ended = sum(t["inserted"] for t in tables.values()), sum(t["closed"] for t in tables.values())
        return f"{new:,} rows new, {ended:,} ended, in {len(tables)} tables"
    plain = {name: value for name, value in result.items() if isinstance(value, (int, str)) and not isinstance(value, bool)}
    return (
        ", ".join(f"{name.replace('_', ' ')} {value:,}" if isinstance(value, int) else f"{name} {value}" for name, value in plain.items())
        or "nothing changed"
    )
