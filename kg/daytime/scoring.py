"""Models by day: training one on the lake of the last run, and scoring its companies, or other units.

Knows where the parts that scores need come together; they are imported when they are asked for, since a bank may do without them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.code import code_version
from kg.config import Workspace
from kg.errors import DependencyError, KgfraudError
from kg.pipeline import opened
from kg.progress import Progress
from kg.run import Runs
from kg.stages.score import TASK as FRAUD
from kg.stages.score import archive, explainer, families

if TYPE_CHECKING:
    from gnn.registry import Registered, Registry
    from gnn.snapshot import Snapshot
    from gnn.task import Task
    from kg.stage import Night


@contextmanager
def models_installed() -> Iterator[None]:
    """Say in a sentence what is missing where the extra that scores need is not installed.

    Raises
    ------
    DependencyError
        If a package is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise DependencyError(f"the package {error.name} is missing; install kgfraud[models]") from error


@contextmanager
def _last(workspace: Workspace, progress: Progress) -> Iterator[Night]:
    runs = Runs(workspace.runs)
    last = runs.last()
    if last is None:
        raise KgfraudError("no run was committed yet; run kgfraud run first")
    with opened(workspace, runs, progress) as night:
        night.run_id, night.as_of = last.run_id, last.as_of
        yield night


def registry(models: Path, name: str) -> tuple[Task, Registry]:
    """Return a task and the registry of its models."""
    with models_installed():
        from gnn.registry import Registry  # noqa: PLC0415 - slow to import
        from gnn.tasks import choose  # noqa: PLC0415

        task = choose(name)
        return task, Registry(models, task.name)


def train_model(
    workspace: Workspace,
    name: str,
    progress: Progress,
    *,
    horizon: int | None = None,
    step: int | None = None,
    network: bool = False,
    rivals: bool = False,
    found_part: float | None = None,
) -> tuple[str, dict[str, Any]]:
    """Train a task's models on the lake of the last run and register the one that was chosen; return its version and its metrics.

    Snapshots are kept until it is done, so a training that was broken off goes on where it was.

    Parameters
    ----------
    horizon, step
        Days in the place of those of the task.
    network
        Whether a network is trained to serve, in the place of trees.
    rivals
        Whether networks are measured beside it.
    found_part
        The part of the guilty whose case is found, where it is known.
    """
    task, known = registry(workspace.models, name)
    with models_installed():
        from gnn.challenge import register  # noqa: PLC0415 - slow to import
        from gnn.shelf import Shelf  # noqa: PLC0415
        from gnn.train import train  # noqa: PLC0415

        task = replace(task, horizon=horizon or task.horizon, step=step or task.step)
        shelf = Shelf(known.folder / "unfinished" / code_version())
        with _last(workspace, progress) as night:
            trained = train(
                archive(night), task, families(name), progress, network=network, rivals=rivals, found_part=found_part, shelf=shelf
            )
            about = {"run_id": night.run_id, "as_of": night.moment.as_of.isoformat(), "code": code_version(), "tables": night.lake.versions}
            version = register(known, trained, about)
        shutil.rmtree(known.folder / "unfinished", ignore_errors=True)
    return version, known.load(version).metrics


def seen_last(workspace: Workspace, name: str, progress: Progress) -> Snapshot:
    """Return the features of a task's units in the last run, as of its day."""
    with models_installed():
        from gnn.tasks import choose  # noqa: PLC0415 - slow to import

        units = choose(name).units
        with _last(workspace, progress) as night:
            return units.look(archive(night), night.moment.as_of, families(name), None)


def explained(workspace: Workspace, name: str, model: Registered, unit: str, progress: Progress) -> dict[str, Any]:
    """Return why a unit of a task has its score in the last run, see `gnn.explain`: of fraud with reasons and their evidence.

    The words of reasons speak of confirmed cases of fraud, so they are of no other task.
    """
    with models_installed():
        from gnn.explain import explain, told_by_columns  # noqa: PLC0415 - slow to import
        from gnn.snapshot import snapshot  # noqa: PLC0415
        from gnn.tasks import choose  # noqa: PLC0415

        if name != FRAUD:
            return {choose(name).units.one: unit, **told_by_columns(model, seen_last(workspace, name, progress), unit)}
        with _last(workspace, progress) as night:
            by = explainer(night, model)
            return explain(by, snapshot(by.archive.on(night.moment.as_of), by.families), unit)


def removed(workspace: Workspace, model: Registered, count: int, progress: Progress) -> dict[str, Any]:
    """Return whether the highest scores of the last run fall without their evidence, see `gnn.removal.removal`."""
    with models_installed():
        from gnn.removal import removal  # noqa: PLC0415 - slow to import
        from gnn.snapshot import snapshot  # noqa: PLC0415

        with _last(workspace, progress) as night:
            by = explainer(night, model)
            return removal(by, snapshot(by.archive.on(night.moment.as_of), by.families), count, progress)


def evaluated(workspace: Workspace, name: str, model: Registered, progress: Progress) -> dict[str, Any]:
    """Return what a model is worth on the newest day whose outcome the last run's lake knows, see `gnn.evaluate.evaluate`."""
    task, _ = registry(workspace.models, name)
    with models_installed():
        from gnn.evaluate import evaluate  # noqa: PLC0415 - slow to import

        with _last(workspace, progress) as night:
            return evaluate(archive(night), task, families(name), model)
