"""Scores of companies judged on generated cities that no rule and no model was tuned on: what AP, probabilities and the gate come to.

    python scripts/score_soak.py --out build/score_soak --seeds 11 12 13 14 15

Each city is a process of its own and leaves its figures in a folder of its own; what is there is not done again, and snapshots are kept, so
it may be broken off and goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from city_columns import InMemory
from city_lake import lake_of

from gnn.card_figures import told
from gnn.card_further import walked_said
from gnn.challenge import register
from gnn.company import DERIVED, FAMILIES
from gnn.company.schemes import family
from gnn.encode import Floats
from gnn.family import Family
from gnn.ladder import Judged, ladder, layers
from gnn.measure import probabilities
from gnn.metrics import Labels, average_precision, interval
from gnn.past import Archive
from gnn.periods import periods
from gnn.registry import Registry, refusals
from gnn.reliability import line
from gnn.shelf import Look, Shelf
from gnn.slices import slices
from gnn.snapshot import Snapshot
from gnn.task import Task
from gnn.tasks import choose
from gnn.train import Trained, days_of, first_day, first_of, known_of, train
from gnn.unlabelled import corrected
from gnn.untold import Untold
from gnn.walk import walked
from kg.derivations import DERIVATIONS
from kg.engine import Engine
from kg.errors import GateError
from kg.lake import Lake
from kg.progress import Silent
from kg.rule import Rule
from kg.rules import RULES
from loaders.city import Params

ZONE, TASK = "Asia/Shanghai", "company_fraud"
FIGURES, ROWS, LAYERS = "figures.json", "rows.npz", "layers.npz"
#: What probabilities must come to.
SLOPE, INTERCEPT, HOLD = (0.8, 1.25), 0.2, 8
#: From so many companies to whom nothing happened the trees of the layers learn: all took three times as long, and what AP they came
#: to lies within the intervals.
_LEARNT = 30_000


def judged(folder: Path, params: Params, rules: Sequence[Rule[Any]] = RULES) -> dict[str, Any]:
    """Train on a city's past, judge on its last days, and keep the figures and the held-out rows."""
    folder.mkdir(parents=True, exist_ok=True)
    with Engine(folder / "spill", memory="2GB", threads=1) as engine:
        began = time.process_time()
        lake, last = _lake(folder, engine, params)
        archive, task = Archive(lake, last, ZONE, DERIVATIONS), choose(TASK)
        families = (*FAMILIES, *DERIVED, family(rules)) if rules else FAMILIES
        seconds = {"city": time.process_time() - began}
        try:
            _layers(folder, archive, task, families)
            seconds["layers"] = time.process_time() - began
            trained = train(archive, task, families, Silent(), rivals=True, shelf=Shelf(folder / "shelf"))
            seconds["all"] = time.process_time() - began
        except GateError as error:  # a city may have too few cases in a period
            return _kept(folder, {"seed": params.seed, "refused": [str(error)], "metrics": None, "cases": _cases(folder, None)})
    told = {"seed": params.seed, "refused": _registered(folder, trained, lake, last), "metrics": trained.metrics}
    return _kept(folder, {**told, "cpu_seconds": seconds, "cases": _cases(folder, trained.periods.test)})


def _registered(folder: Path, trained: Trained, lake: Lake, last: date) -> list[str]:
    """Register a model, keep the held-out rows with its probabilities, and return why it may not serve."""
    registry = Registry(folder / "models", TASK)
    about = {"run_id": "city", "as_of": last.isoformat(), "code": "", "tables": lake.versions}
    model = registry.load(register(registry, trained, about))
    held = trained.held
    probability = trained.challenger.curve(trained.challenger.weights.score(held.values[:, : len(trained.challenger.columns)]))
    guilty = _guilty(folder, held.ids, trained.periods.test + timedelta(days=trained.task.horizon))
    np.savez_compressed(folder / ROWS, label=held.label, guilty=guilty, probability=probability)
    return refusals(model, None)


class _Timed(Shelf):
    """A shelf that says on what day it is and how long a snapshot took: deriving a past day anew is what takes long."""

    def seen(self, archive: Archive, day: date, families: Sequence[Family], look: Look, period: str | None) -> Snapshot:
        """Return the snapshot of a day."""
        began = time.process_time()
        found = super().seen(archive, day, families, look, period)
        print(f"{day}: {len(found.ids):,} companies, {time.process_time() - began:.0f} CPU-s", file=sys.stderr, flush=True)
        return found


def _layers(folder: Path, archive: Archive, task: Task, families: Sequence[Family]) -> None:
    """Keep the scores by each layer of features, of the days that `gnn.walk` judges, be the last of them rich in cases or not."""
    today = archive.today()
    known, first = known_of(today, task), first_day(today)
    of, shelf = periods(first, archive.as_of, task.horizon, task.step), _Timed(folder / "shelf")
    plan = {**dict.fromkeys(of.train, "train"), **dict.fromkeys(of.valid, "valid"), of.test: "test"}
    seen = {day: shelf.seen(archive, day, families, task.units.look, period) for day, period in plan.items()}
    days, columns = days_of(seen, known, task, Untold.of(today, task, first)), seen[of.test].columns
    scored = walked(days, layers(columns), task.horizon, 0, first=first_of(task, columns), most=_LEARNT)
    rows = {f"{day}/label": days[day].label for day in scored}
    rows |= {f"{day}/{name}": score.astype(np.float32) for day, each in scored.items() for name, score in each.items()}
    np.savez_compressed(folder / LAYERS, **rows)


def judged_days(rows: Mapping[str, Any]) -> list[Judged]:
    """Return the days of which scores by layer are kept."""
    days = sorted({name.partition("/")[0] for name in rows})
    names = [[name for name in rows if name.startswith(f"{day}/") and not name.endswith("/label")] for day in days]
    return [(rows[f"{day}/label"], {name.partition("/")[2]: rows[name] for name in of}) for day, of in zip(days, names, strict=True)]


def layered(days: Sequence[Judged]) -> list[str]:
    """Say what each layer of features is worth on all days of all cities."""
    of = ladder(days)
    if not of["days"]:
        return []
    lines = [f"mean AP by layer of features over {of['days']} days of all cities ({of['cases']} cases), each by trees grown before it:"]
    for name, ap in of["ap"].items():
        times = f"; all features come to {told(of['times'][name], '.2f')} times it" if name in of["times"] else ""
        lines.append(f"  {name} {told(ap, '.4f')}{times}")
    return lines


def _kept(folder: Path, figures: dict[str, Any]) -> dict[str, Any]:
    (folder / FIGURES).write_text(json.dumps(figures, indent=1, default=str), encoding="utf-8")
    return figures


def _lake(folder: Path, engine: Engine, params: Params) -> tuple[Lake, date]:
    pins = folder / "lake.json"
    if not pins.exists():
        source = InMemory(params)
        lake, last = lake_of(source, engine, folder / "lake")
        for name in ("members", "schemes"):
            pq.write_table(source.truth(name), folder / f"{name}.parquet")
        pq.write_table(source.rows("cases", "entity", "known_on", "happened_on"), folder / "cases.parquet")
        pins.write_text(json.dumps({"versions": lake.versions, "last": last.isoformat()}), encoding="utf-8")
    kept = json.loads(pins.read_text(encoding="utf-8"))
    return Lake(folder / "lake", engine, kept["versions"]), date.fromisoformat(kept["last"])


def _guilty(folder: Path, ids: pa.Array, until: date) -> Labels:
    """Return who has a part in a scheme that begins before a day, found or not."""
    members, schemes = (pq.read_table(folder / f"{name}.parquet") for name in ("members", "schemes"))
    begun = dict(zip(schemes["number"].to_pylist(), schemes["start"].to_pylist(), strict=True))
    pairs = zip(members["number"].to_pylist(), members["company"].to_pylist(), strict=True)
    who = {f"company:{company}" for number, company in pairs if begun[number] <= until}
    return np.array([each in who for each in ids.to_pylist()]).astype(np.int8)


def _cases(folder: Path, held_out: date | None) -> dict[str, int]:
    """Return how many cases the bank knows, and of how many the deed lies before the first day that a row is of."""
    rows = pq.read_table(folder / "cases.parquet").to_pylist()
    found = {"all": len(rows), "of_deeds_before_the_first_day": sum(row["happened_on"] < Params().first_day for row in rows)}
    return found if held_out is None else found | {"after_the_held_out_day": sum(row["known_on"] > held_out for row in rows)}


def report(every: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> str:
    """Return what all cities come to: ranking city by city, probabilities over all rows together."""
    lines = ["AP by city (95 % intervals), and what passed", *(_city(figures) for figures, _ in every), ""]
    every = [(figures, kept) for figures, kept in every if figures["metrics"]]
    if not every:
        return "\n".join(lines)
    rows = {name: np.concatenate([kept[name] for _, kept in every]) for name in ("label", "guilty", "probability")}
    part = float(np.mean([figures["metrics"]["further"]["unlabelled"]["estimated"] for figures, _ in every]))
    unfound = corrected(rows["probability"], part)
    truly = float(rows["label"][rows["guilty"] == 1].sum() / max(1, rows["guilty"].sum()))
    known = corrected(rows["probability"], max(truly, 1e-6))
    lines += _probable("against the bank's cases", rows["label"], rows["probability"])
    lines += _probable(f"against the truth, corrected by the estimated part that is found ({part:.2f})", rows["guilty"], unfound)
    lines += _probable(f"against the truth, corrected by the true part ({truly:.2f})", rows["guilty"], known)
    return "\n".join([*lines, _won([figures["metrics"] for figures, _ in every])])


def _city(of: dict[str, Any]) -> str:
    if not of["metrics"]:
        return f"seed {of['seed']}: {'; '.join(of['refused'])}; {of['cases']}"
    rows, held = of["metrics"]["rows"], of["metrics"]["rows"]["test"]
    said = "; ".join(f"{name} {told(each['ap'])}" for name, each in _models(of["metrics"]).items())
    gate = "passed the gate" if not of["refused"] else "refused: " + "; ".join(of["refused"])
    counts = ", ".join(f"{name} {each['guilty']} of {each['rows']}" for name, each in rows.items())
    walked = walked_said(of["metrics"]["walk"])
    base = f"{held['guilty'] / held['rows']:.3%} held out"
    return f"seed {of['seed']}: {said}\n  cases: {counts} ({base}); of all: {of['cases']}\n  {walked}\n  {gate}"


def _models(metrics: dict[str, Any]) -> dict[str, Any]:
    return {**metrics["models"], **metrics["rivals"]}


def _probable(name: str, label: Labels, probability: Floats) -> list[str]:
    """Say what probabilities are worth, and which of the aims they reach."""
    found, line_ = probabilities(label, probability), line(label, probability)
    held = slices(label, probability)
    right = sum(each["holds"] for each in held)
    ok = [SLOPE[0] <= line_["slope"] <= SLOPE[1], abs(line_["large"]) <= INTERCEPT, right >= HOLD, found["brier_skill"]["low"] > 0]
    words = ("slope", "intercept", "slices", "Brier skill")
    missed = [word for word, good in zip(words, ok, strict=True) if not good]
    return [
        f"probabilities {name}: {int(label.sum())} of {len(label)}",
        f"  slope {line_['slope']:.2f} [{line_['slope_low']:.2f}, {line_['slope_high']:.2f}], intercept "
        f"{line_['large']:+.2f} at a slope of 1 ({line_['intercept']:+.2f} beside the slope), {right} of {len(held)} slices hold, "
        f"Brier skill {told(found['brier_skill'], '.4f')}, ECE {told(found['ece'], '.5f')}, AP {told(_ap(label, probability))}",
        "  " + "; ".join(f"{each['observed']:.1%} seen, {each['said']:.1%} said [{each['low']:.1%}, {each['high']:.1%}]" for each in held),
        f"  aims missed: {', '.join(missed) or 'none'}",
    ]


def _ap(label: Labels, score: Floats) -> dict[str, float]:
    return interval(average_precision, label, score, np.random.default_rng(7))


def _won(every: Sequence[dict[str, Any]]) -> str:
    """Say plainly which model ranked best, on the mean of all cities, and what the graph came to."""
    mean = {name: float(np.mean([_models(of)[name]["ap"]["value"] for of in every])) for name in _models(every[0])}
    best = max(mean, key=lambda name: mean[name])
    table = ", ".join(f"{name} {each:.4f}" for name, each in sorted(mean.items(), key=lambda item: -item[1]))
    ratio = mean["boosted_graph"] / max(mean["boosted_own"], 1e-9)
    return f"mean AP: {table}\nwon: {best}; boosted trees with the neighbours' features come to {ratio:.2f} times those without"


def main() -> None:
    """Judge the cities that are not judged yet, each in a process of its own, and print the report of all."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--out", type=Path, default=Path("build/score_soak"))
    words.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13, 14, 15])
    words.add_argument("--companies", type=int, default=20_000)
    words.add_argument("--days", type=int, default=1_095)
    words.add_argument("--prevalence", type=int, default=Params().prevalence_ppm, metavar="PPM", help="companies with a part in a scheme")
    words.add_argument("--without-rules", action="store_true", help="leave the hits of rules out of the features; a third of the time")
    words.add_argument("--only", type=int, metavar="SEED", help="judge this city alone, here")
    given = words.parse_args()
    if given.only is not None:
        params = Params(companies=given.companies, days=given.days, seed=given.only, prevalence_ppm=given.prevalence)
        judged(given.out / f"seed-{given.only}", params, () if given.without_rules else RULES)
        return
    for seed in given.seeds:
        if not (given.out / f"seed-{seed}" / FIGURES).exists():
            subprocess.run([sys.executable, *sys.argv, "--only", str(seed)], check=True)
    folders = [given.out / f"seed-{seed}" for seed in given.seeds]
    print(report([(json.loads((folder / FIGURES).read_text(encoding="utf-8")), _rows(folder / ROWS)) for folder in folders]))
    print("\n".join(layered([day for folder in folders for day in judged_days(_rows(folder / LAYERS))])))


def _rows(path: Path) -> dict[str, Any]:
    return dict(np.load(path)) if path.exists() else {}


if __name__ == "__main__":
    main()
