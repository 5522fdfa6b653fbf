"""Scores of the champion, where a model serves; without one, or where it cannot score, the night goes on without scores and says why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from kg import history
from kg.derivations import DERIVATIONS
from kg.derivations.links import links_now
from kg.derivations.ring_members import candidates_now, rings_now
from kg.errors import DependencyError, KgfraudError
from kg.graph import Graph
from kg.rules import RULES
from kg.stage import Night, Result, Stage, tell

if TYPE_CHECKING:
    from gnn.evidence import Explainer
    from gnn.family import Family
    from gnn.past import Archive
    from gnn.registry import Registered
    from gnn.rings.candidates import Found

SCORES_TABLE = "derived/scores"
#: What is kept of a score, whatever the night: it is written anew when one of these changes.
CONTENT = ("company", "model", "probability", "outside", "reasons")
SCORES = pa.schema(
    [
        pa.field("company", pa.string(), nullable=False),
        pa.field("model", pa.string(), nullable=False),
        # none where the company is unlike all that the model learnt from; outside names the features by which it is
        pa.field("probability", pa.float64()),
        pa.field("outside", pa.string()),
        # codes of the strongest reasons, the strongest first, of the highest scores
        pa.field("reasons", pa.list_(pa.string())),
        pa.field("as_of", pa.date32(), nullable=False),
    ]
)
#: The task whose probability a flag bears.
TASK = "company_fraud"
_WITHOUT = "flags carry no probability"


def families(task: str = TASK) -> tuple[Family, ...]:
    """Return the families of features of a task's units: of companies, the hits of rules among them, of pairs of parties, or of rings."""
    from gnn import pairs, rings  # noqa: PLC0415 - the models are an extra, and slow to import
    from gnn.company import DERIVED, FAMILIES  # noqa: PLC0415
    from gnn.company.schemes import declared, family  # noqa: PLC0415

    if task == "linked_party":
        return pairs.families(links_now)
    if task == "fraud_ring":
        return rings.families(_rings)
    # what is derived tells of fraud, and no other task waits for it
    return (*FAMILIES, *DERIVED, family(RULES)) if task == TASK else (*FAMILIES, family(declared(RULES)))


def _rings(graph: Graph) -> Found:
    """Return candidate rings, with whom the rings of the night have."""
    from gnn.rings.candidates import Found  # noqa: PLC0415 - beside what is an extra

    found, told = candidates_now(graph), rings_now(graph).rings.table["member"]
    rows = found.rings.table.select(["ring_id", "member", "support", "first_at", "last_at", "amount_fen"])
    return Found(rows.append_column("told", pc.is_in(rows["member"], value_set=told.combine_chunks())), found.transfers)


def archive(night: Night) -> Archive:
    """Return the lake of a night as the past is read from it."""
    from gnn.past import Archive  # noqa: PLC0415 - beside what is an extra

    graph = night.graph()
    return Archive(night.lake, graph.as_of, graph.zone, DERIVATIONS, chosen=graph.chosen, derived=True)


def explainer(night: Night, model: Registered) -> Explainer:
    """Return what the reasons of a model's scores are found with."""
    from gnn.company.schemes import behind  # noqa: PLC0415 - beside what is an extra
    from gnn.evidence import Explainer  # noqa: PLC0415

    return Explainer(archive(night), families(), model, behind(RULES))


def _score(night: Night) -> Result:
    if not (night.workspace.models / TASK / "champion.json").exists():
        return {"model": None, "said": f"no model is registered; {_WITHOUT}", **_kept(night, SCORES.empty_table())}
    try:
        scores, drift = scored(night, night.workspace.models)
    except KgfraudError as error:
        return {"model": None, "said": f"no scores tonight, {_WITHOUT}: {error}", **_kept(night, SCORES.empty_table())}
    model = scores["model"][0].as_py()
    strange = scores.num_rows - scores["outside"].null_count
    said = f"{scores.num_rows:,} companies scored by {TASK} {model}"
    if strange:
        said += f"; {strange:,} are unlike all that it learnt from, and their flags carry no probability"
    told = {"task": TASK, "model": model, "scores": scores.num_rows, "outside": strange, "drift": drift, "notes": drift["alerts"]}
    return {**told, "said": said, **_kept(night, scores)}


def scored(night: Night, models: Path) -> tuple[pa.Table, dict[str, Any]]:
    """Return the scores of a night's companies by the champion (the columns `SCORES`), and how far they drifted since training.

    Raises
    ------
    KgfraudError
        If no model serves or it cannot score, with the reason.
    """
    try:
        from gnn.evidence import codes  # noqa: PLC0415 - the models are an extra, and slow to import
        from gnn.familiar import moved, strangers  # noqa: PLC0415
        from gnn.registry import Registry  # noqa: PLC0415
        from gnn.snapshot import snapshot  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise DependencyError(f"the package {error.name} is missing; install kgfraud[models]") from error
    model = Registry(models, TASK).serving()
    day = night.moment.as_of
    with night.progress.task("scoring companies", total=1) as task:
        seen = snapshot(archive(night).on(day), families())
        _, probability = model.score(seen)
        task.advance()
    outside = pa.array(strangers(model, seen), pa.string())
    version, on = (pa.repeat(pa.scalar(value), len(seen.ids)) for value in (model.version, day))
    likely = pc.if_else(outside.is_null(), pa.array(probability), pa.scalar(None, pa.float64()))
    return pa.Table.from_arrays(
        [seen.ids, version, likely, outside, pa.array(codes(model, seen), pa.list_(pa.string())), on], schema=SCORES
    ), moved(model, seen)


def _kept(night: Night, scores: pa.Table) -> Result:
    """Bring the table of scores to these; a table that never was is not made for nothing."""
    if not scores.num_rows and not night.lake.has(SCORES_TABLE):
        return {}
    if night.lake.has(SCORES_TABLE):
        night.lake.widen(SCORES_TABLE, ibis.Schema.from_pyarrow(SCORES), night.run_id)
    rows = night.lake.engine.arrow(scores)
    rows = rows.mutate(id=rows.company, digest=history.digest(rows, CONTENT), valid_from=ibis.null("date"), valid_to=ibis.null("date"))
    return tell({SCORES_TABLE: history.update(night.lake, SCORES_TABLE, rows, ["id"], night.moment)})


STAGE = Stage("score", _score)
