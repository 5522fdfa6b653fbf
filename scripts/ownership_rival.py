"""The rivals of the ownership benchmark: the same fixpoint and the same shares in plain Python on a networkx graph, and in Cypher.

They do as anybody would who has the graph there: a queue for each holder, shares summed from top to bottom with the circles gone round
until nothing changes, and in Cypher a relationship for each pair found, until a round finds none. Each is timed beside ours on the same
world, and its result compared with ours; reading and loading are apart.
"""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx  # type: ignore[import-untyped, unused-ignore]
import psutil  # type: ignore[import-untyped, unused-ignore]
import pyarrow as pa
from ownership_world import read

from kg.derivations.control import find_control
from kg.derivations.ownership import integrate_ownership
from kg.rulesets import get
from kg.schema import edge, node
from kg.store import Change, Type, conform
from kg.stores.bolt import BoltStore
from kg.stores.local_neo4j import LocalNeo4j

RULES = get("CN-COLAW-2023")
_HALF = 500_000
_WHOLE = 1_000_000
#: A circle is gone round until no share changes by more; two shares are alike that differ by less than a thousand times that.
_STILL = 1e-12
_ALIKE = 1e-9


@dataclass(frozen=True)
class Beside:
    """CPU seconds of ours and theirs, our rows, and how many of both the other lacks or has otherwise."""

    ours: float
    theirs: float
    rows: int
    other: int


def graph_of(holdings: pa.Table) -> nx.DiGraph:
    """Return holdings as a graph, parallel ones added up."""
    graph = nx.DiGraph()
    for holder, held, ppm in zip(*(holdings[name].to_pylist() for name in ("holder", "held", "share_ppm")), strict=True):
        known = graph.get_edge_data(holder, held, {"ppm": 0})["ppm"]
        graph.add_edge(holder, held, ppm=known + ppm)
    return graph


def commanded(graph: nx.DiGraph, seed: Any) -> Iterator[Any]:
    """Yield whom a party controls."""
    votes: dict[Any, int] = defaultdict(int)
    members, queue = {seed}, [seed]
    while queue:
        party = queue.pop()
        for held, edge_ in graph.adj[party].items():
            if held != party:
                votes[held] += edge_["ppm"]
                if votes[held] > _HALF and held not in members:
                    members.add(held)
                    queue.append(held)
                    yield held


def all_shares(graph: nx.DiGraph) -> dict[Any, dict[Any, float]]:
    """Return the ultimate owners of each company with their shares, from top to bottom."""
    shares: dict[Any, dict[Any, float]] = {}
    condensed = nx.condensation(graph)
    for component in nx.topological_sort(condensed):
        members = condensed.nodes[component]["members"]
        companies = [member for member in members if graph.in_degree(member)]
        shares.update((member, {}) for member in members)
        changed = bool(companies)
        while changed:
            changed = max(_once_round(graph, shares, company) for company in companies) > _STILL
            changed = changed and (len(members) > 1 or graph.has_edge(companies[0], companies[0]))
    return shares


def _once_round(graph: nx.DiGraph, shares: dict[Any, dict[Any, float]], company: Any) -> float:
    """Sum the shares that the holders of a company bring in; return by how much any of them changed."""
    found: dict[Any, float] = defaultdict(float)
    for holder, edge_ in graph.pred[company].items():
        part = edge_["ppm"] / _WHOLE
        if not graph.in_degree(holder):
            found[holder] += part
        for owner, share in shares[holder].items():
            found[owner] += part * share
    before, shares[company] = shares[company], found
    return max((abs(share - before.get(owner, 0.0)) for owner, share in found.items()), default=0.0)


def by_networkx(folder: Path) -> Beside:
    """Time control of all pairs."""
    holdings = read(folder, "holdings", "int64")
    ours, mine = _ours(holdings)
    graph = graph_of(holdings)
    begin = time.process_time()
    theirs = {(party, held) for party in graph if graph.out_degree(party) for held in commanded(graph, party)}
    return Beside(ours, time.process_time() - begin, len(mine), len(mine ^ theirs))


def _ours(holdings: pa.Table) -> tuple[float, set[tuple[Any, Any]]]:
    """Return our CPU seconds, the best of three, and all pairs."""
    seconds, found = [], holdings
    for _ in range(4):  # the first compiles
        begin = time.process_time()
        found = find_control(holdings, RULES)
        seconds.append(time.process_time() - begin)
    return min(seconds[1:]), set(zip(found["controller"].to_pylist(), found["controlled"].to_pylist(), strict=True))


def owners_by_networkx(folder: Path) -> Beside:
    """Time ultimate owners of all companies, none left out."""
    holdings = read(folder, "holdings", "int64")
    integrate_ownership(holdings.slice(0, 100))
    begin = time.process_time()
    found = integrate_ownership(holdings, prune=0).shares
    ours = time.process_time() - begin
    graph = graph_of(holdings)
    begin = time.process_time()
    theirs = all_shares(graph)
    seconds = time.process_time() - begin
    other = sum(len(owners) for owners in theirs.values())
    for company, owner, share in zip(*(found[name].to_pylist() for name in ("company", "owner", "share")), strict=True):
        other += -1 if abs(theirs[company].get(owner, -1.0) - share) < _ALIKE else 1
    return Beside(ours, seconds, found.num_rows, other)


# -- in Cypher ----------------------------------------------------------------------------------------------------

#: A round: who with all that it controls so far has more than half of the votes in a company that it does not control yet.
_DIRECT = """
MATCH (x:Party)-[h:HOLDS_SHARES]->(y:Company) WHERE x <> y
WITH x, y, sum(h.share_ppm) AS votes WHERE votes > $half
CREATE (x)-[:COMMANDS]->(y) RETURN count(*)
"""
_ROUND = """
MATCH (x:Party) WHERE EXISTS { (x)-[:COMMANDS]->() }
MATCH (x)-[:COMMANDS*0..1]->(s)-[h:HOLDS_SHARES]->(y:Company) WHERE s <> y AND x <> y
WITH x, y, sum(h.share_ppm) AS votes WHERE votes > $half AND NOT EXISTS { (x)-[:COMMANDS]->(y) }
CREATE (x)-[:COMMANDS]->(y) RETURN count(*)
"""
_PAIRS = "MATCH (x)-[:COMMANDS]->(y) RETURN x.id, y.id"


def by_cypher(folder: Path) -> Beside:
    """Time control of all pairs on a local Neo4j, which is loaded before; the seconds are the server's."""
    ours, mine = _ours(read(folder, "holdings", "strings"))
    with tempfile.TemporaryDirectory(prefix="kgfraud-ownership-neo4j-") as home:
        server = LocalNeo4j(Path(home), heap="3g")
        address = server.start()
        try:
            with BoltStore.connect(address) as store:
                store.prepare()
                store.apply(list(_changes(read(folder, "holdings", "strings"))), "20260401T000000Z")
                java = psutil.Process(server.status().pid)
                begin = sum(java.cpu_times()[:2])
                while _rounds(store):
                    pass
                seconds = sum(java.cpu_times()[:2]) - begin
                theirs = {(x, y) for x, y in store.read(_PAIRS)}
        finally:
            server.stop()
    return Beside(ours, seconds, len(mine), len(mine ^ theirs))


def _rounds(store: BoltStore) -> int:
    """Run a round and return how many pairs it found."""
    any_ = store.read("MATCH ()-[r:COMMANDS]->() RETURN count(r) LIMIT 1")[0][0]
    found: int = store.write(lambda tx: tx.run(_ROUND if any_ else _DIRECT, half=_HALF).single()[0])
    return found


def _changes(holdings: pa.Table) -> Iterator[Change]:
    """Yield what fills the store: companies, persons and who holds what."""
    parties = pa.chunked_array([*holdings["holder"].chunks, *holdings["held"].chunks]).unique()
    company = pa.compute.starts_with(parties, "company:")
    for label, chosen in (("Company", company), ("Person", pa.compute.invert(company))):
        yield _change(node(label), pa.table({"id": parties.filter(chosen)}))
    # several rows of a pair stay apart, as they do in a graph
    row = pa.compute.binary_join_element_wise("holding:", pa.array(range(len(holdings))).cast(pa.string()), "")
    rows = {"id": row, "src": holdings["holder"], "dst": holdings["held"], "share_ppm": holdings["share_ppm"]}
    yield _change(edge("HOLDS_SHARES"), pa.table(rows))


def _change(type_: Type, rows: pa.Table) -> Change:
    return Change(type_, lambda: (conform(batch, type_) for batch in rows.to_batches(50_000)))
