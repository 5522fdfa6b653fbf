"""The graph: what it holds, how it is kept, what follows from it."""

__version__ = "0.1.0"
