"""The night: the one place where all parts meet.

Knows the order of the stages, what makes a run a committed one, and how a night begins after one that
died; each stage knows its own work.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

import psutil

from kg.code import code_version
from kg.config import Workspace
from kg.derivations.essential import read_essential
from kg.engine import Engine
from kg.errors import DependencyError, GateError, KgfraudError, UsageError, did_you_mean
from kg.lake import Lake
from kg.privacy import Keyring
from kg.progress import Progress, Silent
from kg.rules import RULES
from kg.run import RunRecord, Runs
from kg.stage import Night, Result, Stage
from kg.stages import STAGES, load


@dataclass(frozen=True)
class Outcome:
    """What a night did.

    Attributes
    ----------
    run_id
        The run that it committed; None where it committed none (a dry run, one stage after the commit, or a replay of
        refused rows none of which is good now).
    began
        The rest of a sentence: which run it follows, or whether it went on where a dead run had stopped, or started over.
    results, seconds
        What each stage did and how long it took.
    """

    run_id: str | None
    as_of: date | None
    began: str
    sources: list[Result]
    results: dict[str, Result]
    seconds: dict[str, float] = field(default_factory=dict)

    def summary(self) -> Result:
        """Return the same as plain values, for JSON and for `kg.report.text`."""
        return {**asdict(self), "as_of": self.as_of.isoformat() if self.as_of else None}


def run_pipeline(
    workspace: Workspace,
    *,
    as_of: date | None = None,
    only: str | None = None,
    dry_run: bool = False,
    replaying: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Run a night on a workspace.

    Parameters
    ----------
    as_of
        The business date; by default the newest that the sources state.
    only
        One stage to run: of the stages before the commit it makes a run of its own, of those after it
        it is done for the last committed run.
    dry_run
        Do everything up to the commit, then take the lake back.
    replaying
        Instead of reading the sources, judge the refused rows of these sources anew (of all, if empty); where none of
        them is good now, no run is committed.

    Raises
    ------
    KgfraudError
        What went wrong, with the exit code of its class; nothing of an uncommitted run stays.
    """
    wanted = _wanted(only)
    runs = Runs(workspace.runs)
    with runs.lock(), _full_disk_told(runs), opened(workspace, runs, progress or Silent()) as night:
        night.asked_as_of, night.replaying = as_of, replaying
        return _Work(night, wanted, dry_run=dry_run).go()


@dataclass(frozen=True)
class Checked:
    """What a night would find: an entry for each source (see `RunRecord`), its business date, or the gate that stops it.

    ``refused`` counts the rows that it would refuse, by ``source, column, rule`` (of a row with several faults the first).
    """

    sources: list[Result]
    refused: list[Result]
    as_of: date | None
    stopped: GateError | None


def check_sources(workspace: Workspace, progress: Progress, as_of: date | None = None) -> Checked:
    """Read and judge every source without changing anything.

    Parameters
    ----------
    as_of
        The business date, as a run is given it.
    """
    runs = Runs(workspace.runs)
    with _full_disk_told(runs), opened(workspace, runs, progress) as night:
        night.asked_as_of = as_of
        load.refuse_date(night)
        if workspace.settings.contagion.essential:
            read_essential(Path(workspace.settings.contagion.essential))
        refused = load.refused_by_rule(night, load.judge(night))
        try:
            load.pass_gates(night)
            return Checked(night.sources, refused, load.business_date(night), None)
        except GateError as stop:
            return Checked(night.sources, refused, None, stop)


def _wanted(only: str | None) -> Sequence[Stage]:
    names = [stage.name for stage in STAGES]
    if only is not None and only not in names:
        raise UsageError(f"no stage named '{only}'{did_you_mean(only, names)} (stages: {', '.join(names)})")
    return [stage for stage in STAGES if only in (None, stage.name)]


@contextmanager
def opened(workspace: Workspace, runs: Runs, progress: Progress) -> Iterator[Night]:
    """Open a workspace for a night: engine, lake at the last committed versions, keys, an empty staging folder."""
    last = runs.last()
    staging = _staging(workspace)
    settings = workspace.settings.engine
    try:
        with Engine(staging / "spill", settings.memory, settings.threads) as engine:
            lake = Lake(workspace.lake, engine, last.tables if last else {})
            yield Night(
                workspace=workspace,
                runs=runs,
                lake=lake,
                keyring=Keyring.open(workspace.keys),
                progress=progress,
                run_id=runs.new_id(datetime.now(UTC)),
                asked_as_of=None,
                last=last,
                staging=staging,
            )
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _staging(workspace: Workspace) -> Path:
    """Make a folder for this process's temporary files, and remove those that dead processes left."""
    root = workspace.root / ".staging"
    root.mkdir(exist_ok=True)
    for old in root.iterdir():
        process = old.name.partition("-")[0]
        if not (process.isdecimal() and psutil.pid_exists(int(process))):
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=root))


@contextmanager
def _full_disk_told(runs: Runs) -> Iterator[None]:
    before = runs.ids()
    try:
        yield
    except Exception as error:
        if _is_full_disk(error):
            new = [run_id for run_id in runs.ids() if run_id not in before]
            kept = f"run {new[-1]} is committed, and what it left open is finished by the next" if new else "nothing of this run was kept"
            raise DependencyError(f"the disk is full; {kept}: make room and run again") from error
        raise


def _is_full_disk(error: BaseException) -> bool:
    words = ("no space left", "out of disk", "errno 28", "enospc", "os error 28")
    text = str(error).lower()
    return any(word in text for word in words) or getattr(error, "errno", None) == 28


class _Work:
    """The stages of one night, run in their order."""

    def __init__(self, night: Night, wanted: Sequence[Stage], *, dry_run: bool) -> None:
        self._night = night
        self._wanted = wanted
        self._dry = dry_run
        self._started = datetime.now(UTC)
        self._seconds: dict[str, float] = {}

    def go(self) -> Outcome:
        """Finish what a dead run left, then run the stages."""
        began = self._begin()
        before = [stage for stage in self._wanted if not stage.after]
        after = [stage for stage in self._wanted if stage.after]
        if not before:
            return self._outcome(self._finish(after), began)
        self._night.runs.begin(self._night.run_id)
        try:
            for stage in before:
                self._run(stage, self._night)
                if self._night.idle:
                    break
        except BaseException:
            # what cannot be taken back now (on a full disk, say) the next run takes back
            with suppress(Exception):
                self._take_back()
            raise
        if self._dry or self._night.idle:
            self._take_back()
            return self._outcome(None, began)
        self._commit()
        for stage in after:
            self._run(stage, self._night)
        return self._outcome(self._night.run_id, began)

    def _begin(self) -> str:
        """Take the lake back to the last commit and finish that run's open stages; say what was found."""
        night = self._night
        died = night.runs.begun()
        undone = night.lake.restore()
        night.runs.forget(died)
        open_stages = [s for s in STAGES if s.after and night.last and not night.runs.done(night.last.run_id, s.name)]
        if len(self._wanted) < len(STAGES):
            night.as_of = night.last.as_of if night.last else None
        elif open_stages:
            return f"goes on: first finished {self._finish_first(open_stages)}"
        if died:
            return f"starts over: run {died[-1]} did not reach its commit; {len(undone)} tables were taken back"
        return f"follows run {night.last.run_id}" if night.last else "is the first of this workspace"

    def _finish_first(self, stages: Sequence[Stage]) -> str:
        """Finish what the last run left open and return what that was; where it fails again, say what was not begun because of it."""
        last = self._night.last
        left = f"{', '.join(stage.name for stage in stages)} of run {last.run_id if last else ''}"
        try:
            with _full_disk_told(self._night.runs):
                self._finish(stages)
        except KgfraudError as error:
            waits = "tonight's files were not looked at" if self._night.replaying is None else "the refused rows were not judged anew"
            raise type(error)(f"{error}. First {left} must be finished, so {waits}; run again when that is mended") from error
        return left

    def _take_back(self) -> None:
        self._night.lake.restore()
        self._night.runs.forget([self._night.run_id])

    def _finish(self, stages: Sequence[Stage]) -> str:
        """Run stages after the commit for the last committed run."""
        last = self._night.last
        if last is None:
            raise KgfraudError("no run was committed yet; run kgfraud run first")
        earlier = replace(self._night, run_id=last.run_id, as_of=last.as_of, sources=list(last.sources), results=dict(last.results))
        for stage in stages:
            self._run(stage, earlier)
        self._night.results.update({stage.name: earlier.results[stage.name] for stage in stages})
        return last.run_id

    def _run(self, stage: Stage, night: Night) -> None:
        start = time.monotonic()
        result = stage.run(night)
        # last in order, also where it was done for an earlier run before
        night.results.pop(stage.name, None)
        night.results[stage.name] = result
        self._seconds[stage.name] = round(time.monotonic() - start, 3)
        if stage.after:
            night.runs.finish(night.run_id, stage.name, {**night.results[stage.name], "seconds": self._seconds[stage.name]})

    def _commit(self) -> None:
        """Write the run record: from here on the run is a committed one."""
        night = self._night
        night.runs.commit(
            RunRecord(
                run_id=night.run_id,
                as_of=night.moment.as_of,
                started_at=self._started.isoformat(timespec="seconds"),
                committed_at=datetime.now(UTC).isoformat(timespec="seconds"),
                code=code_version(),
                settings=night.workspace.settings.digest(),
                tables=night.lake.versions,
                sources=tuple(night.sources or (night.last.sources if night.last else ())),
                rules={rule.name: rule.version for rule in RULES},
                models=_models(night),
                results={**night.results, "seconds": dict(self._seconds)},
            )
        )

    def _outcome(self, run_id: str | None, began: str) -> Outcome:
        night = self._night
        return Outcome(run_id, night.as_of, began, night.sources, night.results, self._seconds)


def _models(night: Night) -> dict[str, str]:
    """Return the model that scored tonight, by its task."""
    scored = night.results.get("score", {})
    return {scored["task"]: scored["model"]} if scored.get("model") else {}
