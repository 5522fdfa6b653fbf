"""What the scores of pairs, of rings and of distress are worth in generated cities, held against the truth.

    python scripts/score_tasks.py linked_party --companies 4000 --days 1095 --seeds 1 2 3
    python scripts/score_tasks.py linked_party fraud_ring supply_chain_distress --companies 20000 --seeds 11 12 13 14 15

Models learn on the past of the city's lake, as a bank's would, and score its last day. ``linked_party``: AUC of undisclosed links
against pairs that only look linked (one park, one agent, one family name); a pair is as strong as the strongest between the houses of
the two, or as both ties to one third together; one of which nothing is found at all has the lowest score, and ties count half.
``fraud_ring``: of the members of planted rings whose case the bank does not know on the last day, how many are found at a precision of one
half (see ``ring_scores.py``); where the bank knows too few guilty rings to learn from, candidate rings stand in the order of their
evidence. ``supply_chain_distress``: AP and probabilities on held-out rows beside the base rate and rivals of a single column. Intervals are
bootstrapped, of pairs by whose they are, or Wilson's, of 95 %. Scores are tuned on seeds 1 to 9; others judge them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from city_columns import InMemory
from city_lake import lake_of
from linked_scores import against_hard
from linked_truth import pairs
from ring_scores import Caught, Truth, by_evidence, judged, reached
from scipy.special import expit

from gnn.card_figures import told
from gnn.encode import Floats
from gnn.metrics import RANKING, interval
from gnn.pairs import units
from gnn.pairs.houses import houses
from gnn.past import Archive
from gnn.rings.units import Rings
from gnn.snapshot import Snapshot
from gnn.task import Task
from gnn.tasks import choose
from gnn.train import Trained, train
from kg.derivations import DERIVATIONS
from kg.engine import Engine
from kg.errors import GateError
from kg.progress import Silent
from kg.stages.score import families
from loaders.city import Params

_SEED = 7
#: Rivals of the scores of distress that nobody needs to learn: loans of a year, and receipts that came from the sued.
SINGLE = ("loans.loans", "chain.from_sued")


@dataclass(frozen=True)
class City:
    """A city, what a model learnt there, the units of its last day, and whose each party is in the register."""

    source: InMemory
    trained: Trained
    seen: Snapshot
    house: Mapping[str, str]


@contextmanager
def archive_of(source: InMemory, memory: str = "2GB") -> Iterator[Archive]:
    """Open a city's lake as models read it."""
    with tempfile.TemporaryDirectory(prefix="kgfraud-scores-") as folder, Engine(Path(folder) / "spill", memory, 1) as engine:
        lake, last = lake_of(source, engine, Path(folder) / "lake")
        yield Archive(lake, last, "Asia/Shanghai", DERIVATIONS)


def seen_last(source: InMemory, archive: Archive, trained: Trained) -> City:
    """Look at the last day of a city as its model does."""
    rows = archive.lake.engine.table(houses(archive.on(archive.as_of)))
    house = dict(zip(rows["party"].to_pylist(), rows["house"].to_pylist(), strict=True))
    task = trained.task
    return City(source, trained, task.units.look(archive, archive.as_of, families(task.name), None), house)


def scored(trained: Trained, seen: Snapshot) -> Floats:
    """Return the score of each unit that a model that was just trained gives, log-odds."""
    return trained.challenger.weights.score(seen.values[:, : len(trained.challenger.columns)])


def embedded(archive: Archive, city: City) -> Floats:
    """Return how likely a network that knows no pair's own evidence finds each pair, learnt on the last day of training."""
    from gnn.pairs.embedding import Embedded  # noqa: PLC0415 - torch is slow to import

    day, task = city.trained.periods.train[-1], city.trained.task
    early = task.units.look(archive, day, families(task.name), "train")
    assert isinstance(early, units.Pairs)
    assert isinstance(city.seen, units.Pairs)
    return expit(Embedded.fit(early, 0).score(city.seen))


def say_linked(name: str, city: City, rivals: Mapping[str, Floats]) -> None:
    """Print what the score of pairs is worth in a city, beside the strength of all evidence alone and other rivals."""
    columns, truth = [column.name for column in city.seen.columns], pairs(city.source)
    alone = np.maximum(city.seen.values[:, columns.index("evidence.score")], city.seen.values[:, columns.index("evidence.hidden_control")])
    mine = {f"{name} {city.trained.challenger.name}": expit(scored(city.trained, city.seen)), "  evidence alone": alone}
    for who, likely in {**mine, **rivals}.items():
        found = against_hard(truth, city.seen, likely, city.house)
        print(f"{who}: AUC {told(found['auc'])}, {found['linked']} linked (reached {found['reached']:.1%}), {found['hard']} hard")
        print(f"    of those reached {told(found['reached_auc'])}")
        for key, each in found.items():
            if key.startswith(("of ", "against ")):
                print(f"    {key} ({each['pairs']}, reached {each['reached']:.1%}): {told(each)}", flush=True)


def say_rings(name: str, source: InMemory, seen: Rings, scores: Mapping[str, Floats]) -> dict[str, Caught]:
    """Print how many members of planted rings scores find, of those whose case is not known; return it."""
    truth, found = Truth.of(source, seen.day), {}
    print(f"{name}: {len(seen.ids)} candidate rings, members of planted rings in them % {reached(truth, seen).told()}")
    for who, each in judged(truth, seen, scores):
        found[who] = each
        print(f"  {who}: {each.told()}", flush=True)
    return found


def say_distress(name: str, trained: Trained) -> None:
    """Print what scores of distress are worth on the held-out rows, beside single columns and the base rate."""
    metrics, held, columns = trained.metrics, trained.held, [column.name for column in trained.columns]
    rows = metrics["rows"]["test"]
    print(f"{name}: chosen {metrics['chosen']}, {rows['guilty']} of {rows['rows']} sued, base rate {rows['guilty'] / rows['rows']:.4f}")
    for who, each in metrics["models"].items():
        print(f"  {who}: AP {told(each['ap'])}, AUC {told(each['auc'])}, Brier skill {told(each['brier_skill'], '.4f')}")
        print(f"    slope {each['slope']:.2f}, intercept {each['large']:+.2f} at a slope of 1, ECE {told(each['ece'], '.4f')}")
    for column in SINGLE:
        score = np.nan_to_num(held.values[:, columns.index(column)], nan=-1.0)
        ap, auc = (told(interval(RANKING[metric], held.label, score, np.random.default_rng(_SEED))) for metric in ("ap", "auc"))
        print(f"  {column} alone: AP {ap}, AUC {auc}", flush=True)


def main(words: Sequence[str] | None = None) -> None:
    """Build the cities, train, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="+", choices=["linked_party", "fraud_ring", "supply_chain_distress"])
    parser.add_argument("--companies", type=int, default=4_000)
    parser.add_argument("--days", type=int, default=1_095)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--memory", default="2GB", help="of DuckDB")
    parser.add_argument("--rivals", action="store_true", help="measure a network over ties beside the trees of linked_party")
    asked = parser.parse_args(words)
    rings: dict[str, Caught] = {}
    for seed in asked.seeds:
        source = InMemory(Params(companies=asked.companies, days=asked.days, seed=seed))
        with archive_of(source, asked.memory) as archive:
            for task in asked.tasks:
                begin = time.perf_counter()
                for who, found in _say(f"seed {seed}", source, archive, choose(task), asked.rivals).items():
                    rings[who] = rings[who] + found if who in rings else found
                print(f"    {task}: {time.perf_counter() - begin:.0f} s", flush=True)
    for who, found in rings.items():
        print(f"all seeds, {who}: {found.told()}")


def _say(name: str, source: InMemory, archive: Archive, task: Task, rivals: bool) -> dict[str, Caught]:
    """Print what a task's score is worth in a city; where no model can be had, what there is without one. Return what of rings is found."""
    try:
        trained = train(archive, task, families(task.name), Silent())
    except GateError as error:
        print(f"{name}: no model: {error}")
        return _say_rings(name, source, archive, task, None) if task.name == "fraud_ring" else {}
    print(json.dumps({key: trained.metrics[key] for key in ("rows", "chosen", "leaks", "permuted_labels_auc")}, ensure_ascii=False))
    for who, worth in trained.metrics["models"].items():
        print(f"  held out, by what the bank knows: {who} AUC {told(worth['auc'])}, AP {told(worth['ap'])}", flush=True)
    if task.name == "fraud_ring":
        return _say_rings(name, source, archive, task, trained)
    if task.name == "linked_party":
        city = seen_last(source, archive, trained)
        say_linked(name, city, {"  embedding": embedded(archive, city)} if rivals else {})
    else:
        say_distress(name, trained)
    return {}


def _say_rings(name: str, source: InMemory, archive: Archive, task: Task, trained: Trained | None) -> dict[str, Caught]:
    """Print what scores of the last day's rings find; the score is the order of their evidence where nothing was learnt."""
    seen = task.units.look(archive, archive.as_of, families(task.name), None)
    assert isinstance(seen, Rings)
    evidence, night = by_evidence(seen), seen.values[:, [column.name for column in seen.columns].index("shape.told")]
    score = evidence if trained is None else scored(trained, seen)
    return say_rings(name, source, seen, {"score": score, "evidence": evidence, "night": night})


if __name__ == "__main__":
    main()
