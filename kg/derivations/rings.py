"""Cycles of transfers, and the rings that they make."""

from kg.derivations.cycles import TIERS, CycleParams, Cycles, find_cycles

__all__ = ["TIERS", "CycleParams", "Cycles", "find_cycles"]
