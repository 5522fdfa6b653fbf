"""Which files of tonight's deliveries an earlier run has read already, so that they need not be read again.

Knows when leaving a file out cannot change anything: its bytes, the source's settings and the code are the
same, and the nodes that its rows refer to come from deliveries that are the same too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kg import alias
from kg.config import SourceSettings
from loaders.delivery import Delivery
from loaders.sources import KINDS, kind

#: What a run record says of a source and of a file.
Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Intake:
    """What is to be read of a source: ``delivery`` (None: nothing), beside the ``seen`` files of the ``earlier`` run."""

    source: SourceSettings
    delivery: Delivery | None
    seen: tuple[Entry, ...] = ()
    earlier: Entry | None = None


def settings_digest(source: SourceSettings, zone: str) -> str:
    """Return the SHA-256 of all that decides what a file of the source means, its place left out."""
    text = source.model_dump_json(exclude={"path", "gate"}) + zone
    return hashlib.sha256(text.encode()).hexdigest()


def sift(sources: Sequence[SourceSettings], earlier: Mapping[str, Entry], zone: str) -> list[Intake]:
    """Return what is to be read tonight, in the order of the sources.

    Parameters
    ----------
    earlier
        What the last run, under the same code, said of each source; empty where nothing may be left out.
    """
    found = {source.name: (source, Delivery.find(source)) for source in sources}
    same = {name: _seen(source, delivery, earlier.get(name), zone) for name, (source, delivery) in found.items()}
    whole = {name for name, files in same.items() if files is not None and len(files) == len(found[name][1].files)}
    whole &= {name for name in whole if len(earlier[name]["files"]) == len(found[name][1].files)}
    steady = _steady([source for source, _ in found.values()], whole, earlier.values())
    return [_intake(*found[name], same[name], earlier.get(name), left_out=name in steady) for name in found]


def _intake(source: SourceSettings, delivery: Delivery, seen: list[Entry] | None, earlier: Entry | None, *, left_out: bool) -> Intake:
    if left_out and seen is not None:
        return Intake(source, None, tuple(seen), earlier)
    if seen and earlier is not None and source.mode == "append" and source.record_id:
        names = {entry["file"] for entry in seen}
        fresh = tuple(file for file in delivery.files if file.name not in names)
        return Intake(source, Delivery(source.name, fresh) if fresh else None, tuple(seen), earlier)
    return Intake(source, delivery)


def _seen(source: SourceSettings, delivery: Delivery, earlier: Entry | None, zone: str) -> list[Entry] | None:
    """Return what the earlier run said of each file that is the same; None where nothing may be left out."""
    if earlier is None or earlier.get("settings") != settings_digest(source, zone):
        return None
    known = {entry["file"]: entry for entry in earlier["files"]}
    if len(known) != len(earlier["files"]):
        return None
    seen = []
    for file in delivery.files:
        entry = known.get(file.name)
        if entry is None or entry["bytes"] != file.mark.size:
            continue
        with file.open() as opened:
            if opened.finish() == entry["sha256"]:
                seen.append(entry)
    return seen


def _steady(sources: Sequence[SourceSettings], whole: set[str], earlier: Iterable[Entry]) -> set[str]:
    """Return the sources that may be left out as a whole: the same themselves, and so is all that they refer to."""
    before: dict[str, set[str]] = {}
    for entry in earlier:
        before.setdefault(entry["kind"], set()).add(entry["source"])
    steady: set[str] = set()
    for of in KINDS:
        here = [source for source in sources if source.kind == of.name]
        for source in here:
            kinds = {alias.OWN[label][0] for column in kind(of.name).references for label in alias.LABELS[column.type]}
            firm = all(_all_steady(name, sources, steady, before) for name in kinds)
            if source.name in whole and (firm or source.unknown_end == "stub"):
                steady.add(source.name)
    return steady


def _all_steady(name: str, sources: Sequence[SourceSettings], steady: set[str], before: Mapping[str, set[str]]) -> bool:
    now = {source.name for source in sources if source.kind == name}
    return now == before.get(name, set()) and now <= steady
