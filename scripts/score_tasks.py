"""What the scores of pairs and of rings are worth in generated cities, held against the truth.

    python scripts/score_tasks.py linked_party --companies 4000 --days 1095 --seeds 1 2 3

Models learn on the past of the city's lake, as a bank's would, and score its last day. ``linked_party``: AUC of undisclosed links
against pairs that only look linked (one park, one agent, one family name); a pair is as strong as the strongest between the houses of
the two, one of which nothing is found at all has the lowest score, and ties count half. ``fraud_ring``: of the members of planted rings
whose case the bank does not know, how many are found at a precision of one half, a company being as guilty as the guiltiest ring that it
is in; who is known already is left out. Intervals are bootstrapped, or Wilson's, of 95 %. Scores are tuned on seeds 1 to 9; others judge
them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from city_columns import InMemory
from city_lake import lake_of
from linked_truth import Pairs, pairs
from scheme_hits import Part

from gnn.encode import Floats
from gnn.metrics import RANKING, Labels, interval
from gnn.pairs import units
from gnn.pairs.candidates import AND
from gnn.pairs.houses import Ties, houses
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


@dataclass(frozen=True)
class City:
    """A city, what a model learnt there, the units of its last day, and whose each party is in the register."""

    source: InMemory
    trained: Trained
    seen: Snapshot
    house: Mapping[str, str]

    @property
    def score(self) -> Floats:
        """The score of each unit of the last day."""
        return self.trained.challenger.trees.score(self.seen.values[:, : len(self.trained.challenger.columns)])


@contextmanager
def archive_of(source: InMemory, memory: str = "2GB") -> Iterator[Archive]:
    """Open a city's lake as models read it."""
    with tempfile.TemporaryDirectory(prefix="kgfraud-scores-") as folder, Engine(Path(folder) / "spill", memory, 1) as engine:
        lake, last = lake_of(source, engine, Path(folder) / "lake")
        yield Archive(lake, last, "Asia/Shanghai", DERIVATIONS)


def learnt(source: InMemory, archive: Archive, task: Task) -> City:
    """Train a task's models on a city's past and look at its last day."""
    made = families(task.name)
    trained = train(archive, task, made, Silent())
    rows = archive.lake.engine.table(houses(archive.on(archive.as_of)))
    house = dict(zip(rows["party"].to_pylist(), rows["house"].to_pylist(), strict=True))
    return City(source, trained, task.units.look(archive, archive.as_of, made, None), house)


def against_hard(truth: Pairs, seen: Snapshot, score: Floats, house: Mapping[str, str]) -> dict[str, Any]:
    """Return the AUC of undisclosed links against pairs that only look linked, of all and by kind, and how many were found at all.

    Parameters
    ----------
    house
        Whose each party is in the register: what is found between two houses is found between all their members.
    """
    ties = Ties.of((_ends(pair) for pair in seen.ids.to_pylist()), score.tolist(), house)
    lowest = float(score.min(initial=0.0)) - 1

    def scores(some: Iterable[str]) -> Floats:
        found = (ties.between(*_ends(pair)) for pair in some)
        return np.array([lowest if each is None else each for each in found])

    linked, hard = scores(truth.linked), scores(truth.hard)
    told: dict[str, Any] = {"auc": _auc(linked, hard), "linked": linked.size, "hard": hard.size}
    told["reached"] = float((linked > lowest).mean()) if linked.size else 0.0
    told["reached_auc"] = _auc(linked[linked > lowest], hard)
    for name, scores, of in (("against", hard, truth.hard), ("of", linked, truth.linked)):
        for kind in sorted(set(of.values())):
            some = scores[[each == kind for each in of.values()]]
            pair = (linked, some) if name == "against" else (some, hard)
            told[f"{name} {kind}"] = {**_auc(*pair), "pairs": some.size, "reached": float((some > lowest).mean())}
    return told


def _ends(pair: str) -> tuple[str, str]:
    one, _, other = pair.partition(AND)
    return one, other


def _auc(linked: Floats, hard: Floats) -> dict[str, float]:
    label: Labels = np.concatenate([np.ones(linked.size, np.int8), np.zeros(hard.size, np.int8)])
    return interval(RANKING["auc"], label, np.concatenate([linked, hard]), np.random.default_rng(_SEED))


def told(figure: Mapping[str, float]) -> str:
    """Write a figure with its interval."""
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def embedded(archive: Archive, city: City) -> Floats:
    """Return the scores of a network that knows no pair's own evidence, learnt on the last day of training."""
    from gnn.pairs.embedding import Embedded  # noqa: PLC0415 - torch is slow to import

    day, task = city.trained.periods.train[-1], city.trained.task
    early = task.units.look(archive, day, families(task.name), "train")
    assert isinstance(early, units.Pairs)
    assert isinstance(city.seen, units.Pairs)
    return Embedded.fit(early, 0).score(city.seen)


def say_linked(name: str, city: City, rivals: Mapping[str, Floats]) -> None:
    """Print what the score of pairs is worth in a city, beside the strength of all evidence alone and other rivals."""
    columns, truth = [column.name for column in city.seen.columns], pairs(city.source)
    alone = np.maximum(city.seen.values[:, columns.index("evidence.score")], city.seen.values[:, columns.index("evidence.hidden_control")])
    for who, score in ((f"{name} {city.trained.challenger.name}", city.score), ("  evidence alone", alone), *rivals.items()):
        found = against_hard(truth, city.seen, score, city.house)
        print(f"{who}: AUC {told(found['auc'])}, {found['linked']} linked (reached {found['reached']:.1%}), {found['hard']} hard")
        print(f"    of those reached {told(found['reached_auc'])}")
        for key, each in found.items():
            if key.startswith(("of ", "against ")):
                print(f"    {key} ({each['pairs']}, reached {each['reached']:.1%}): {told(each)}", flush=True)


@dataclass(frozen=True)
class Caught:
    """Members of planted rings at the threshold that finds most of them at a precision of one half."""

    found: Part
    right: Part


def caught(truth: Collection[str], scores: Mapping[str, float]) -> Caught:
    """Return how many of the guilty companies are found at the threshold, of companies in no ring none is.

    >>> caught({"a", "b", "c"}, {"a": 3.0, "x": 2.0, "b": 1.0, "y": 0.0, "z": -1.0}).found
    Part(found=2, of=3)
    """
    order = sorted(scores, key=lambda company: (-scores[company], company))
    right, best = 0, 0
    caught_ = Caught(Part(0, len(truth)), Part())
    for place, company in enumerate(order, 1):
        right += company in truth
        tied = place < len(order) and scores[order[place]] == scores[company]
        if not tied and 2 * right >= place and right > best:
            best, caught_ = right, Caught(Part(right, len(truth)), Part(right, place))
    return caught_


def say_rings(name: str, source: InMemory, seen: Snapshot, scores: Mapping[str, Floats]) -> None:
    """Print how many members of planted rings scores find, of those whose case is not known."""
    assert isinstance(seen, Rings)
    known = {
        f"company:{row['entity']}" for row in source.rows("cases", "entity", "entity_kind").to_pylist() if row["entity_kind"] == "company"
    }
    kinds = {row["number"]: (row["kind"], row["also"]) for row in source.truth("schemes").to_pylist()}
    members = [(f"company:{row['company']}", kinds[row["number"]]) for row in source.truth("members").to_pylist()]
    planted = {company for company, kind in members if "payment_ring" in kind} - known
    guilty = {company for company, _ in members} - known
    companies = seen.company.to_pylist()
    print(f"{name}: {len(seen.ids)} candidate rings, {len(set(companies) & planted)} of {len(planted)} members of planted rings in them")
    for who, score in scores.items():
        best: dict[str, float] = {}
        for row, company in zip(seen.row.tolist(), companies, strict=True):
            if company not in known:
                best[company] = max(best.get(company, -np.inf), float(score[row]))
        for what, truth in (("members of planted rings", planted), ("all who are guilty and in candidates", guilty & set(best))):
            found = caught(truth, best)
            print(f"  {who}, {what}: recall % {found.found.told()} at precision % {found.right.told()}", flush=True)


def main(words: Sequence[str] | None = None) -> None:
    """Build the cities, train, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["linked_party", "fraud_ring"])
    parser.add_argument("--companies", type=int, default=4_000)
    parser.add_argument("--days", type=int, default=1_095)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--memory", default="2GB", help="of DuckDB")
    parser.add_argument("--rivals", action="store_true", help="measure a network over ties beside the trees of linked_party")
    asked = parser.parse_args(words)
    for seed in asked.seeds:
        begin = time.perf_counter()
        source = InMemory(Params(companies=asked.companies, days=asked.days, seed=seed))
        with archive_of(source, asked.memory) as archive:
            _say(f"seed {seed}", source, archive, choose(asked.task), asked.rivals)
        print(f"    {time.perf_counter() - begin:.0f} s", flush=True)


def _say(name: str, source: InMemory, archive: Archive, task: Task, rivals: bool) -> None:
    """Print what a task's score is worth in a city; where no model can be had, what there is without one."""
    try:
        city = learnt(source, archive, task)
    except GateError as error:
        print(f"{name}: no model: {error}")
        if task.name == "fraud_ring":
            seen = task.units.look(archive, archive.as_of, families(task.name), None)
            say_rings(name, source, seen, {"told by the night": seen.values[:, _place(seen, "shape.told")]})
        return
    print(json.dumps({key: city.trained.metrics[key] for key in ("rows", "chosen", "leaks", "permuted_labels_auc")}, ensure_ascii=False))
    for who, worth in city.trained.metrics["models"].items():
        print(f"  held out, by what the bank knows: {who} AUC {told(worth['auc'])}, AP {told(worth['ap'])}", flush=True)
    if task.name == "linked_party":
        say_linked(name, city, {"  embedding": embedded(archive, city)} if rivals else {})
    else:
        say_rings(name, source, city.seen, {"score": city.score, "told by the night": city.seen.values[:, _place(city.seen, "shape.told")]})


def _place(seen: Snapshot, column: str) -> int:
    return [each.name for each in seen.columns].index(column)


if __name__ == "__main__":
    main()
