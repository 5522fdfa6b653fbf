"""Registered models: what lies in ``models/<task>`` of a workspace, and which of them is the champion.

::

    models/company_fraud/champion.json       who serves, and who did before
    models/company_fraud/<version>/
        weights.txt                          LightGBM's text, or weights.safetensors of a network
        model.json                           columns, schema, curve, training run, kind and digest of the weights
        metrics.json card.md card.json

Knows the files; no file is ever run as a program.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gnn.abstain import Range
from gnn.calibrate import Beta, Isotonic
from gnn.drift import Shares
from gnn.encode import Floats
from gnn.kinds import kind_of
from gnn.snapshot import Named, Snapshot, schema_digest
from gnn.trees import Trees
from gnn.weights import Weights
from kg.errors import GateError, KgfraudError, UsageError, VerificationError, did_you_mean_one_of
from kg.run import write_whole

CHAMPION = "champion.json"
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Registered:
    """A model of the registry.

    Attributes
    ----------
    about
        What ``model.json`` says: columns, schema, training run, versions of the tables.
    """

    version: str
    weights: Weights
    curve: Beta | Isotonic
    about: dict[str, Any]
    metrics: dict[str, Any]

    def columns(self, of: Sequence[Named]) -> tuple[Named, ...]:
        """Return the model's columns among those that features make today.

        Raises
        ------
        VerificationError
            If they are not what the model learnt on.
        """
        width = int(self.about["n_columns"])
        if schema_digest(of[:width]) != self.about["schema"] or len(of) < width or self.weights.n_columns != width:
            raise VerificationError(
                f"model {self.version} learnt on features of the schema {self.about['schema']}, today's are {schema_digest(of[:width])}; "
                "train a model anew, or roll back"
            )
        return tuple(of[:width])

    def values(self, of: Snapshot) -> Floats:
        """Return the model's columns of a snapshot."""
        return of.values[:, : len(self.columns(of.columns))]

    def score(self, of: Snapshot) -> tuple[Floats, Floats]:
        """Return log-odds and probabilities of the companies of a snapshot.

        Raises
        ------
        VerificationError
            If the features are not those that the model learnt on.
        GateError
            If there is no company, or a score is no number.
        """
        if not len(of.ids):
            raise GateError("the graph holds no company; there is nobody to score")
        score = self.weights.score(self.values(of))
        probability = np.round(self.curve(score), 4)
        if not (np.isfinite(score).all() and np.isfinite(probability).all()):
            raise GateError(f"model {self.version} gives scores that are no numbers; roll back, or train again")
        return score, probability


class Registry:
    """The models of one task."""

    def __init__(self, models: Path, task: str) -> None:
        self.folder = models / task
        self.task = task

    def versions(self) -> list[str]:
        """Return the versions, the oldest first."""
        return sorted(path.parent.name for path in self.folder.glob("*/model.json") if _VERSION.fullmatch(path.parent.name))

    def champion(self) -> str | None:
        """Return the version that serves."""
        found = self._served()["model"]
        return None if found is None else str(found)

    def served(self) -> list[str]:
        """Return the versions that served before, the last one at the end."""
        return list(self._served()["before"])

    def save(self, about: dict[str, Any], weights: Weights, metrics: dict[str, Any], card: str) -> str:
        """Register a model and return its version, which follows from its contents."""
        kept = weights.kept()
        about = {**about, "task": self.task, "kind": weights.kind, "weights_sha256": _digest(kept)}
        version = f"{about['as_of']}-{_digest(json.dumps(about, sort_keys=True, default=str).encode())[:12]}"
        folder = self.folder / version
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / weights.file, kept)
        write_whole(folder / "metrics.json", _json(metrics))
        write_whole(folder / "card.md", card.replace("{version}", version))
        write_whole(folder / "card.json", _json({"version": version, **about, "metrics": metrics}))
        # last, since by it the model is there
        write_whole(folder / "model.json", _json(about))
        return version

    def load(self, version: str) -> Registered:
        """Read a model.

        Raises
        ------
        UsageError
            If there is none of that version.
        VerificationError
            If its files are not whole.
        """
        known = self.versions()
        if version not in known:
            raise UsageError(
                f"no model '{version}' of {self.task}{did_you_mean_one_of(version, known) if known else '; none is registered'}"
            )
        folder = self.folder / version
        try:
            about, metrics = (json.loads((folder / name).read_text(encoding="utf-8")) for name in ("model.json", "metrics.json"))
            curve = curve_of(about["curve"])
            kind = kind_of(about.get("kind", Trees.kind))  # before there were others nothing was said
            kept = (folder / kind.file).read_bytes()
            if "learnt" in about:  # read here, so that torn figures are told now and not amid the scores
                Range.read(about["learnt"]["range"])
                Shares.read(about["learnt"]["shares"]["score"])
            if _digest(kept) != about["weights_sha256"]:
                raise VerificationError(f"the weights of model {version} are not those that were registered; roll back, or train again")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise VerificationError(f"model {version} cannot be read ({type(error).__name__}); roll back, or train again") from None
        return Registered(version, kind.read(kept), curve, about, metrics)

    def serving(self) -> Registered:
        """Read the champion.

        Raises
        ------
        KgfraudError
            If none serves.
        """
        version = self.champion()
        if version is None:
            raise KgfraudError(f"no model of {self.task} serves; kgfraud train {self.task}, then kgfraud models promote")
        return self.load(version)

    def promote(self, version: str) -> None:
        """Let a model serve, if it passed the gate against who serves now.

        Raises
        ------
        GateError
            With what it did not pass.
        """
        model = self.load(version)
        refused = refusals(model, self.champion())
        if refused:
            raise GateError(f"model {version} does not serve: " + "; ".join(refused))
        before = [*self.served(), self.champion()]
        self._serve(version, [each for each in before if each is not None])

    def rollback(self) -> str:
        """Let the model serve that did before, and return it.

        Raises
        ------
        UsageError
            If none did.
        """
        before = self.served()
        if not before:
            raise UsageError(f"no model of {self.task} served before; kgfraud models list shows who may be promoted")
        self._serve(before[-1], before[:-1])
        return before[-1]

    def _serve(self, version: str, before: list[str]) -> None:
        write_whole(self.folder / CHAMPION, _json({"model": version, "before": before}))

    def _served(self) -> dict[str, Any]:
        path = self.folder / CHAMPION
        if not path.exists():
            return {"model": None, "before": []}
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return {"model": str(found["model"]), "before": list(found["before"])}
        except (OSError, ValueError, KeyError, TypeError):
            raise VerificationError(f"{path.name} of {self.task} cannot be read; promote a model anew") from None


def refusals(model: Registered, champion: str | None) -> list[str]:
    """Return why a model may not take the place of a champion; nothing where it may."""
    metrics, gate = model.metrics, model.metrics["gate"]
    found = [f"the feature {leak['column']} {leak['said']}" for leak in metrics["leaks"]]
    if gate["champion"] != champion:
        found.append(f"it was held against {gate['champion'] or 'no champion'}, and {champion or 'no champion'} serves now; train again")
    gain = gate["ap_gain"]
    if gain["low"] <= 0:
        rival = f"the champion {champion}" if gate["champion"] else "a ranking by chance"
        found.append(
            f"it is not shown to be better than {rival}: gain in AP {gain['value']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}]"
        )
    mine = metrics["models"][metrics["chosen"]]
    if not gate["champion"] and mine["auc"]["low"] <= 0.5:
        # bootstrap samples of a ranking by chance lie above its AP, so the gain in AP alone lets chance pass
        auc = mine["auc"]
        found.append(f"it is not shown to rank better than chance: AUC {auc['value']:.3f} [{auc['low']:.3f}, {auc['high']:.3f}]")
    if mine["tied_fraction"] >= 0.001:
        found.append(f"{mine['tied_fraction']:.2%} of its scores are tied, 0.1 % may be")
    if mine["brier_skill"]["value"] <= 0:
        found.append(f"its probabilities are worse than the base rate (Brier skill {mine['brier_skill']['value']:.4f})")
    return found


def curve_to(curve: Beta | Isotonic) -> dict[str, Any]:
    """Return a calibration curve as plain values."""
    if isinstance(curve, Beta):
        return {"name": curve.name, "a": curve.a, "b": curve.b, "c": curve.c}
    return {"name": curve.name, "at": curve.at.tolist(), "value": curve.value.tolist()}


def curve_of(told: dict[str, Any]) -> Beta | Isotonic:
    """Return the curve of plain values.

    >>> curve_of(curve_to(Beta(1.0, 2.0, -3.0)))
    Beta(a=1.0, b=2.0, c=-3.0)
    """
    if told["name"] == Beta.name:
        return Beta(float(told["a"]), float(told["b"]), float(told["c"]))
    return Isotonic(np.asarray(told["at"], float), np.asarray(told["value"], float))


def _digest(contents: bytes) -> str:
    return hashlib.sha256(contents).hexdigest()


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=str) + "\n"
