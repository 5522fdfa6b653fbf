"""The kinds of weights that can be registered, by the name that ``model.json`` has for each."""

from __future__ import annotations

from gnn.encode import Floats
from gnn.metrics import Labels
from gnn.network import Network
from gnn.trees import Trees
from gnn.weights import Weights
from kg.algorithms.kernel import Ints
from kg.errors import VerificationError

KINDS: dict[str, type[Trees] | type[Network]] = {of.kind: of for of in (Trees, Network)}


def kind_of(name: str) -> type[Trees] | type[Network]:
    """Return a kind by its name.

    Raises
    ------
    VerificationError
        If there is none.
    """
    if name not in KINDS:
        raise VerificationError(f"weights of the kind '{name}' are not known, only {', '.join(KINDS)}; roll back, or train again")
    return KINDS[name]


def fitted_like(like: Weights, values: Floats, label: Labels, seed: int, first: Ints) -> Weights:
    """Fit weights of the same kind as others to other rows; trees ask the ``first`` columns before all others."""
    return Trees.staged(values, label, seed, first) if like.kind == Trees.kind else Network.fit(values, label, seed)
