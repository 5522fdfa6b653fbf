"""The rivals of the benchmark of cycles: the first tier by joins in polars, recursive SQL in DuckDB, networkx, and Cypher.

They do as anybody would who has the transfers there, on as many as they can hold; each one's cycles are compared with ours.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import networkx as nx  # type: ignore[import-untyped, unused-ignore]
import psutil  # type: ignore[import-untyped, unused-ignore]
import pyarrow as pa
from rings_world import DAY

from kg.derivations.rings import TIERS, find_cycles
from kg.schema import edge, node
from kg.store import Change, Type, conform
from kg.stores.bolt import BoltStore
from kg.stores.local_neo4j import LocalNeo4j

_HOPS, _WINDOW = TIERS["A"].max_hops, TIERS["A"].window_days * DAY
#: What a rival found, and the CPU seconds that it took.
Found = tuple[set[frozenset[int]], float]


def ours(rows: pa.Table) -> Found:
    """Find the cycles by `find_cycles`."""
    find_cycles(rows.slice(0, 100), TIERS["A"])
    begin = time.process_time()
    table = find_cycles(rows, TIERS["A"]).table
    seconds = time.process_time() - begin
    cycles: dict[int, set[int]] = {}
    for cycle, transfer in zip(table["cycle_id"].to_pylist(), table["transfer_id"].to_pylist(), strict=True):
        cycles.setdefault(cycle, set()).add(transfer)
    return {frozenset(ids) for ids in cycles.values()}, seconds


def by_polars(rows: pa.Table) -> Found:
    """Join the ways with the transfers hop by hop."""
    import polars as pl  # noqa: PLC0415 - not everybody has it

    given: Any = pl.from_arrow(rows)
    begin = time.process_time()
    moves = given.filter(pl.col("payer") != pl.col("payee")).rename({"transfer_id": "id", "amount_fen": "fen"})
    ways = moves.select(
        "at", home="payer", here="payee", first="at", low="fen", high="fen", ids=pl.concat_list("id"), seen=pl.concat_list("payee")
    )
    found: set[frozenset[int]] = set()
    for _ in range(_HOPS - 1):
        ways = ways.join(moves, left_on="here", right_on="payer").filter(
            (pl.col("at_right") >= pl.col("at")) & (pl.col("at_right") <= pl.col("first") + _WINDOW)
        )
        ways = ways.with_columns(low=pl.min_horizontal("low", "fen"), high=pl.max_horizontal("high", "fen"))
        ways = ways.filter((5 * pl.col("low") >= 4 * pl.col("high")) & ~pl.col("seen").list.contains(pl.col("payee")))
        ways = ways.select(
            "home",
            "first",
            "low",
            "high",
            at="at_right",
            here="payee",
            ids=pl.concat_list("ids", "id"),
            seen=pl.concat_list("seen", "payee"),
        )
        found |= {frozenset(ids) for ids in ways.filter(pl.col("here") == pl.col("home"))["ids"].to_list()}
        ways = ways.filter(pl.col("here") != pl.col("home"))
    return found, time.process_time() - begin


_SQL = """
WITH RECURSIVE way AS (
  SELECT payer AS home, payee AS here, "at" AS first, "at" AS latest, amount_fen AS low, amount_fen AS high, [payee] AS seen,
         [transfer_id] AS ids FROM moves WHERE payer <> payee
  UNION ALL
  SELECT home, payee, first, m."at", least(low, amount_fen), greatest(high, amount_fen), list_append(seen, payee),
         list_append(ids, transfer_id)
  FROM way JOIN moves m ON m.payer = here
  WHERE here <> home AND len(ids) < $hops AND m."at" BETWEEN latest AND first + $span AND m.payer <> m.payee
    AND 5 * least(low, amount_fen) >= 4 * greatest(high, amount_fen) AND NOT list_contains(seen, payee)
) SELECT ids FROM way WHERE here = home
"""


def by_duckdb(rows: pa.Table) -> Found:
    """Ask for all ways by recursive SQL, on one thread."""
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.execute("SET enable_progress_bar = false")
    connection.register("given", rows)
    connection.execute("CREATE TABLE moves AS SELECT * FROM given")
    begin = time.process_time()
    found = {frozenset(ids) for (ids,) in connection.execute(_SQL, {"hops": _HOPS, "span": _WINDOW}).fetchall()}
    return found, time.process_time() - begin


def by_networkx(rows: pa.Table) -> Found:
    """List the simple cycles of who paid whom, and try all parallel transfers of each."""
    begin = time.process_time()
    parallel: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for id_, payer, payee, fen, at in zip(*(rows[name].to_pylist() for name in rows.column_names), strict=True):
        parallel.setdefault((payer, payee), []).append((id_, fen, at))
    found = set()
    for nodes in nx.simple_cycles(nx.DiGraph(list(parallel)), length_bound=_HOPS):
        sides = itertools.pairwise([*nodes, nodes[0]])
        for way in itertools.product(*(parallel[side] for side in sides)):
            if len(way) > 1 and _fits(way):
                found.add(frozenset(id_ for id_, _, _ in way))
    return found, time.process_time() - begin


def _fits(way: tuple[tuple[int, int, int], ...]) -> bool:
    """Tell whether amounts are alike, and time does not go back from some transfer on."""
    amounts, times = [fen for _, fen, _ in way], [at for _, _, at in way]
    if 5 * min(amounts) < 4 * max(amounts) or max(times) - min(times) > _WINDOW:
        return False
    return sum(times[place - 1] > times[place] for place in range(len(times))) <= 1


def _cypher(hops: int) -> str:
    """Return the query for cycles of one size; a way of any length, ``-[*2..6]->``, would be tried whole before it is judged."""
    ends = [f"(a{place})" for place in range(hops)]
    way = "".join(f"{end}-[r{place}:TRANSFERRED_TO]->" for place, end in enumerate(ends))
    asked = [f"r{place - 1}.at <= r{place}.at" for place in range(1, hops)] + [f"r{hops - 1}.at <= r0.at + duration({{days: 30}})"]
    for one, other in itertools.combinations(range(hops), 2):
        asked += [f"5 * r{a}.amount_fen >= 4 * r{b}.amount_fen" for a, b in ((one, other), (other, one))] + [f"a{one} <> a{other}"]
    return f"MATCH {way}(a0:Account) WHERE {' AND '.join(asked)} RETURN [{', '.join(f'r{place}.id' for place in range(hops))}]"


def by_cypher(rows: pa.Table) -> Found:
    """Ask a local Neo4j, which is loaded before; the seconds are the server's."""
    with tempfile.TemporaryDirectory(prefix="kgfraud-rings-neo4j-") as home:
        server = LocalNeo4j(Path(home))
        address = server.start()
        try:
            with BoltStore.connect(address) as store:
                store.prepare()
                store.apply(_changes(rows), "20260401T000000Z")
                java = psutil.Process(server.status().pid)
                begin = sum(java.cpu_times()[:2])
                rows = (row for hops in range(2, _HOPS + 1) for row in store.read(_cypher(hops)))
                found = {frozenset(int(id_) for id_ in ids) for (ids,) in rows}
                return found, sum(java.cpu_times()[:2]) - begin
        finally:
            server.stop()


def _changes(rows: pa.Table) -> list[Change]:
    names = {end: [f"account:{id_}" for id_ in rows[end].to_pylist()] for end in ("payer", "payee")}
    accounts = pa.table({"id": sorted({*names["payer"], *names["payee"]})})
    at = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment) for moment in rows["at"].to_pylist()]
    ends = {"src": names["payer"], "dst": names["payee"]}
    money = {"amount_fen": rows["amount_fen"], "at": pa.array(at, pa.timestamp("us", "UTC"))}
    moved = pa.table({"id": [str(id_) for id_ in rows["transfer_id"].to_pylist()], **ends, **money})
    return [_change(node("Account"), accounts), _change(edge("TRANSFERRED_TO"), moved)]


def _change(type_: Type, rows: pa.Table) -> Change:
    return Change(type_, lambda: (conform(batch, type_) for batch in rows.to_batches(50_000)))


#: The rivals, and how many transfers each can hold.
RIVALS: dict[str, tuple[Callable[[pa.Table], Found], int]] = {
    "polars joins": (by_polars, 1_000_000),
    "DuckDB recursive SQL": (by_duckdb, 1_000_000),
    "networkx simple_cycles": (by_networkx, 5_000),
    "Cypher": (by_cypher, 100_000),
}
