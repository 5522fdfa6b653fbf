"""Where the graph is published to: Neo4j by URL, or the local one that the program runs for itself."""

from __future__ import annotations

from kg.stores.opening import LocalStore, local_server, opened

__all__ = ["LocalStore", "local_server", "opened"]
