"""The first stage: files in, records and quarantine out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pyarrow.compute as pc

from kg import check, history
from kg.code import code_version
from kg.config import SourceSettings
from kg.engine import union
from kg.errors import GateError, KgfraudError, UsageError
from kg.history import Written
from kg.stage import Night, Result, Stage
from loaders import quarantine
from loaders.delivery import Delivery
from loaders.fit import fit
from loaders.found import Finder
from loaders.load import Delivered, Judge, Settled, ends_parts, read, replaced
from loaders.replay import Anew, Released, Replay
from loaders.seen import Intake, settings_digest, sift


def judge(night: Night) -> list[Settled]:
    """Read what is new and hold it against its contract; nothing is changed yet. ``night.sources`` says what came in."""
    settings = night.workspace.settings
    if not settings.sources:
        raise UsageError(f"{night.workspace.toml} names no [[sources]]; add one (kgfraud ref sources shows the kinds)")
    night.law()
    fit(settings.sources, night.lake.engine)
    intakes = sift(settings.sources, _earlier(night), settings.workspace.timezone)
    deliveries = [_read(night, intake.source, intake.delivery) for intake in intakes if intake.delivery is not None]
    with night.progress.task("checking deliveries", total=len(deliveries)) as task:
        judge = Judge(night.lake, deliveries, _today(night), night.workspace.settings.workspace.timezone)
        settled = judge.settle()
        task.advance(len(settled))
    by_name = {s.source.name: s for s in settled}
    night.sources = [_entry(night, intake, by_name.get(intake.source.name)) for intake in intakes]
    _warn_empty(night)
    _warn_forgotten(night)
    _warn_other_banks(night, judge, settled)
    _warn_over_held(night, judge, settled)
    return settled


def refused_by_rule(night: Night, settled: Sequence[Settled]) -> list[Result]:
    """Count the rows that were refused by ``source, column, rule``, as ``kgfraud quarantine list`` does."""
    found: list[Result] = []
    for s in settled:
        if s.refused_count:
            first = s.refused.select(column=s.refused.faults[0]["column"], rule=s.refused.faults[0]["rule"])
            counted = first.group_by("column", "rule").aggregate(rows=first.count()).order_by("column", "rule")
            found += [{"source": s.source.name, **row} for row in night.lake.engine.table(counted).to_pylist()]
    return found


def _earlier(night: Night) -> dict[str, Result]:
    """Return what the last run said of its sources, if it was made by the same code."""
    if night.last is None or night.last.code != code_version():
        return {}
    return {entry["source"]: entry for entry in night.last.sources}


def _today(night: Night) -> date:
    return datetime.now(ZoneInfo(night.workspace.settings.workspace.timezone)).date()


def _read(night: Night, source: SourceSettings, delivery: Delivery) -> Delivered:
    with night.progress.task(f"reading {source.name}") as task:
        zone = night.workspace.settings.workspace.timezone
        delivered = read(source, delivery, night.keyring, night.lake.engine, folder=night.staging, zone=zone)
        task.advance(delivered.count)
    return delivered


def pass_gates(night: Night) -> None:
    """Stop the run where a delivery does not pass a gate of its source.

    Raises
    ------
    GateError
        With a sentence for each gate that was not passed.
    """
    before = {entry["source"]: entry for entry in (night.last.sources if night.last else ())}
    said = []
    for entry, source in zip(night.sources, night.workspace.settings.sources, strict=True):
        earlier = before.get(source.name)
        tally = _tally(source, entry, earlier)
        said += check.stopped_by(source.gate, tally)
        if source.mode == "full" and not entry["rows"] and tally.previous and "max_drop" not in source.gate.model_fields_set:
            said.append(f"{source.name}: no rows after {tally.previous}, which would end them all; if that is meant, set max_drop = 1.0")
    if said:
        raise GateError("; ".join(said) + ". Nothing was changed; mend the delivery or the gate, then run again")


def _tally(source: SourceSettings, entry: Result, earlier: Result | None) -> check.Tally:
    """Return what the gates judge: all files of a full source; of one that adds to what was there, the files that are new."""
    previous = earlier["rows"] if earlier else None
    if source.mode == "full" or earlier is None:
        return check.Tally(source.name, entry["rows"], entry["quarantined"], previous)
    known = {(file["file"], file["sha256"]) for file in earlier.get("files", ())}
    fresh = [file for file in entry["files"] if (file["file"], file["sha256"]) not in known]
    rows, refused = (sum(file[name] for file in fresh) for name in ("rows", "refused"))
    return check.Tally(source.name, rows, refused, previous, entry["rows"], idle=not fresh)


def business_date(night: Night) -> date:
    """Return the business date of a night whose sources were judged.

    Raises
    ------
    GateError
        If the one that was asked for lies before that of the last run or after today, or none was and no source states a date.
    """
    return _as_of(night, [date.fromisoformat(entry["newest"]) for entry in night.sources if entry["newest"]])


def _load(night: Night) -> Result:
    if night.replaying is not None:
        return _replay(night, night.replaying)
    refuse_date(night)
    settled = judge(night)
    pass_gates(night)
    night.as_of = business_date(night)
    entries = {entry["source"]: entry for entry in night.sources}
    with night.progress.task("writing records", total=len(settled)) as task:
        for s in settled:
            entries[s.source.name].update(_write(night, s))
            task.advance()
    return {name: sum(entry[name] for entry in night.sources) for name in ("rows", "accepted", "quarantined", "inserted", "closed")}


def _replay(night: Night, only: Sequence[str]) -> Result:
    """Judge refused rows anew and bring in those that are good now; nothing else is touched."""
    if night.last is None:
        raise KgfraudError("no run was committed yet, so nothing was refused; run kgfraud run first")
    fit(night.workspace.settings.sources, night.lake.engine)
    replay = Replay(night.lake, night.keyring, night.staging, night.workspace.settings.workspace.timezone)
    anew = _anew(night, replay, only) if night.lake.has(quarantine.TABLE) else []
    settled = Judge(night.lake, [a.delivered for a in anew], _today(night), night.workspace.settings.workspace.timezone).settle()
    night.as_of = _as_of(night, [s.newest for s in settled if s.newest is not None])
    unmoved = {"inserted": 0, "closed": 0, "newly_quarantined": 0, "released": 0, "superseded": 0}
    entries = {entry["source"]: {**entry, **unmoved, "unchanged": entry["accepted"]} for entry in night.last.sources}
    if anew:
        quarantine.ensure(night.lake, night.run_id)
    for s in settled:
        written = _record(night, s)
        gone = replay.release(next(a for a in anew if a.delivered is s.delivered), s, night.moment)
        entries[s.source.name] = _brought_in(entries[s.source.name], written, gone)
    night.sources = list(entries.values())
    counts = {name: sum(entry[name] for entry in night.sources) for name in ("inserted", "closed", "released", "superseded")}
    night.idle = not any(counts.values())
    judged = sum(s.delivered.count for s in settled)
    return {"judged": judged, "brought_in": counts["inserted"], "released": counts["released"], "superseded": counts["superseded"]}


def _brought_in(entry: Result, written: Written, gone: Released) -> Result:
    """Return what is to be said of a source after a replay: of its files fewer rows are refused now."""
    files = [{**file, "refused": max(file["refused"] - gone.files.get(file["file"], 0), 0)} for file in entry["files"]]
    good = sum(file["refused"] for file in entry["files"]) - sum(file["refused"] for file in files)
    moved = {"inserted": written.inserted, "closed": written.closed, "released": gone.accepted, "superseded": gone.superseded}
    moved |= {"accepted": good, "quarantined": -good}
    return {**entry, **{name: entry[name] + more for name, more in moved.items()}, "files": files}


def _anew(night: Night, replay: Replay, only: Sequence[str]) -> list[Anew]:
    """Return the refused rows of the sources, from files that were mended since, and the others out of the quarantine."""
    names = set(night.lake.engine.table(replay.refused().select("source").distinct())["source"].to_pylist())
    known = _known(night)
    # a source that the last run did not have is read by the next night
    wanted = [s for s in night.workspace.settings.sources if s.name in names & set(known) and (not only or s.name in only)]
    return [each for s in wanted for each in replay.anew(s, known[s.name])]


def _as_of(night: Night, days: Sequence[date]) -> date:
    """Return the business date: the one asked for, else the newest that any source states, never an earlier one than before."""
    if night.asked_as_of is not None:
        refuse_date(night)
        return night.asked_as_of
    before = night.last.as_of if night.last else None
    days = [*days, before] if before else list(days)
    if not days:
        raise GateError("no source states a date, so the business date is not known; give it with --as-of YYYY-MM-DD")
    return max(days)


def refuse_date(night: Night) -> None:
    """Refuse a business date that was asked for and cannot be: a slip would be the date of all nights to come.

    Raises
    ------
    GateError
        If it lies after today or before that of the last run.
    """
    asked, before = night.asked_as_of, night.last.as_of if night.last else None
    if asked is not None and asked > (today := _today(night)):
        raise GateError(f"--as-of {asked} lies after today, {today}, and a night never goes back; give another date")
    if asked is not None and before is not None and asked < before:
        raise GateError(f"--as-of {asked} lies before that of the last run, {before}; a night never goes back")


def _write(night: Night, settled: Settled) -> Result:
    written = _record(night, settled)
    refused = quarantine.update(night.lake, settled, night.keyring, night.moment)
    come, told = _came_in(night, settled) if night.lake.has(quarantine.TABLE) and settled.source.mode != "full" else (0, 0)
    return {
        "inserted": written.inserted,
        "closed": written.closed,
        "unchanged": settled.accepted_count - written.inserted,
        "released": come,
        **asdict(refused),
        "superseded": refused.superseded + told,
    }


def _came_in(night: Night, settled: Settled) -> tuple[int, int]:
    """Take refused rows that had no record id off the list where the night has brought them in, or told them anew; return both numbers."""
    finder = Finder(night.lake, night.keyring, night.staging, night.workspace.settings.workspace.timezone)
    come, told = finder.came_in(settled, _known(night).get(settled.source.name, {}), night.moment)
    left = (
        quarantine.leave(night.lake, rows, why, night.moment) for rows, why in ((come, quarantine.ACCEPTED), (told, quarantine.SUPERSEDED))
    )
    return next(left), next(left)


def _known(night: Night) -> dict[str, dict[str, Result]]:
    """Return what the last run said of each file, by source and name."""
    return {e["source"]: {f["file"]: f for f in e.get("files", ())} for e in night.last.sources} if night.last else {}


def _record(night: Night, settled: Settled) -> Written:
    """Bring the records of a source to what was accepted; a record whose new version was refused stays as it is."""
    source, name = settled.source, f"records/{settled.source.kind}"
    complete = (settled.delivered.whole and source.mode == "full") or ends_parts(source)
    keep = _stay(night, settled) if complete else None
    written = history.update(
        night.lake, name, settled.accepted, ["source", "record_id"], night.moment, complete=complete, keep=keep, source=source.name
    )
    if written:
        night.changed.add(source.kind)
    return written


def _stay(night: Night, settled: Settled) -> ir.Table:
    """Return the keys of records that a delivery does not end, of a source that ends some."""
    source, name = settled.source, f"records/{settled.source.kind}"
    if source.mode == "full":
        return settled.refused.select("record_id").distinct().mutate(source=ibis.literal(source.name))
    stored = history.current(night.lake.view(name)) if night.lake.has(name) else settled.accepted.limit(0)
    stored = stored.filter(stored.source == source.name)
    return stored.filter(~replaced(settled, stored)).select("source", "record_id")


def _entry(night: Night, intake: Intake, settled: Settled | None) -> Result:
    """Say what came in from a source: what was read now, beside what an earlier run has read."""
    seen = intake.seen
    earlier_days = [intake.earlier["newest"]] if intake.earlier and intake.earlier["newest"] else []
    days = earlier_days + ([settled.newest.isoformat()] if settled and settled.newest else [])
    rows = sum(file["rows"] for file in seen) + (settled.delivered.count if settled else 0)
    refused = sum(file["refused"] for file in seen) + (settled.refused_count if settled else 0)
    overtaken = settled.overtaken_count if settled else 0 if intake.earlier is None else intake.earlier.get("overtaken", 0)
    accepted = rows - refused - overtaken
    return {
        "source": intake.source.name,
        "kind": intake.source.kind,
        "rows": rows,
        "accepted": accepted,
        "quarantined": refused,
        "overtaken": overtaken,
        "inserted": 0,
        "closed": 0,
        "unchanged": accepted,
        "newly_quarantined": 0,
        "released": 0,
        "superseded": 0,
        "newest": max(days, default=None),
        "warnings": list(intake.earlier["warnings"]) if intake.earlier and settled is None else [],
        "settings": settings_digest(intake.source, night.workspace.settings.workspace.timezone),
        "files": [*seen, *(_files(night, settled) if settled else ())],
    }


def _files(night: Night, settled: Settled) -> list[Result]:
    delivered = settled.delivered
    counts = {}
    for name, table in (("rows", delivered.rows), ("refused", settled.refused)):
        found = night.lake.engine.table(table.group_by("_file").aggregate(n=table.count()))
        counts[name] = dict(zip(found["_file"].to_pylist(), found["n"].to_pylist(), strict=True))
    return [
        {
            "file": file.name,
            "bytes": file.mark.size,
            "sha256": delivered.delivery.digests[number],
            "rows": counts["rows"].get(number, 0),
            "refused": counts["refused"].get(number, 0),
        }
        for number, file in enumerate(delivered.delivery.files)
    ]


def _warn_empty(night: Night) -> None:
    """Warn of full sources whose files hold no rows: later that would stop the run, at first it may be meant."""
    for entry, source in zip(night.sources, night.workspace.settings.sources, strict=True):
        if source.mode == "full" and not entry["rows"] and not entry["warnings"]:
            entry["warnings"].append("no rows, only heads; a full delivery is all that there is")


def _warn_forgotten(night: Night) -> None:
    """Warn of sources that the last run had and the settings have no more, as after a renaming: what they said stays."""
    known = {entry["source"] for entry in night.sources}
    for old in night.last.sources if night.last else ():
        if old["source"] not in known:
            heir = next((entry for entry in night.sources if entry["kind"] == old["kind"]), night.sources[0])
            said = f"the source {old['source']} of the last run is not in the settings any more; what it delivered stays as it is"
            heir["warnings"].append(
                f'{said}. To end it, name it once more with mode = "full" and max_drop = 1.0, and deliver heads without rows'
            )


def _warn_other_banks(night: Night, judge: Judge, settled: Sequence[Settled]) -> None:
    """Warn of accounts that do not meet because one file names their bank and the other does not, or another one."""
    entries = {entry["source"]: entry for entry in night.sources}
    for s in settled:
        if count := judge.at_other_banks(s):
            words = f"{count} accounts are not registered at the bank that the rows mean, but their numbers are at another"
            entries[s.source.name]["warnings"].append(f"{words}; map payer_bank or the like, or set bank (kgfraud ref settings)")


def _warn_over_held(night: Night, judge: Judge, settled: Sequence[Settled]) -> None:
    """Warn of companies whose shares sum above 100 % by what one source tells of today."""
    held = [s for s in settled if s.source.kind == "shareholders"]
    if not held:
        return
    today = ibis.literal(_today(night))
    known = [table.filter(table.valid_to.isnull() | (table.valid_to > today)) for table in judge.afterwards("shareholders", held)]
    over = night.lake.engine.table(check.over_held(union([table.select("company", "source", "share_ppm") for table in known])))
    over = over.sort_by([("source", "ascending"), ("company", "ascending")])
    for entry in night.sources:
        companies = over["company"].filter(pc.equal(over["source"], entry["source"])).to_pylist()
        if companies:
            named = ", ".join(companies[:3]) + (", …" if len(companies) > 3 else "")
            entry["warnings"].append(f"{len(companies)} companies whose shares sum above 100 % ({named})")


STAGE = Stage("load", _load)
