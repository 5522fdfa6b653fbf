"""The catalogue of models."""

from gnn.model import Model
from gnn.models import boosted, forest, perceptron, relational, sage, wavelet

MODELS: tuple[Model, ...] = (
    boosted.OWN,
    boosted.GRAPH,
    forest.RANDOM_OWN,
    forest.RANDOM_GRAPH,
    forest.EXTRA_OWN,
    forest.EXTRA_GRAPH,
    perceptron.OWN,
    perceptron.GRAPH,
    relational.MODEL,
    sage.MODEL,
    wavelet.MODEL,
)

__all__ = ["MODELS"]
