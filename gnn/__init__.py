"""Scores of a graph: its encoding, features, models and what they are measured by."""
