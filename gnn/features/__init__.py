"""What the graph around a row comes to: the catalogue of features."""

from gnn.feature import Feature
from gnn.features import degrees, neighbours, propagated

FEATURES: tuple[Feature, ...] = (degrees.FEATURE, neighbours.FEATURE, propagated.FEATURE)

__all__ = ["FEATURES"]
