"""Models that score the graph."""
