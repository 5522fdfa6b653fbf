"""One store test body, run on a real Neo4j."""

from __future__ import annotations

import datetime as dt
import select
import socket
import threading

import pyarrow as pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from neo4j.exceptions import TransientError

from kg.errors import DependencyError, KgfraudError, UsageError
from kg.schema import ALL_EDGES, ALL_NODES, edge, node
from kg.store import Change, Marker, differences, schema_of
from kg.stores import cypher
from kg.stores.bolt import BoltStore
from kg.stores.server import Address, answers, explained, open_driver

COMPANY, PERSON, ACCOUNT, LOAN = node("Company"), node("Person"), node("Account"), node("Loan")
GUARANTEES, REPAID, TRANSFERRED_TO = edge("GUARANTEES"), edge("REPAID"), edge("TRANSFERRED_TO")


def rows(type_, *values):
    """A change that writes these rows."""
    batch = pa.RecordBatch.from_pylist(list(values), schema=schema_of(type_))
    return Change(type_, upserts=lambda: iter([batch]))


def gone(type_, *ids):
    """A change that removes these ids."""
    return Change(type_, deletes=lambda: iter([pa.array(ids, pa.string())]))


def held(store, type_):
    """What the store holds of a type, without what is null."""
    found = [row for batch in store.contents(type_) for row in batch.to_pylist()]
    return [{key: value for key, value in row.items() if value is not None} for row in found]


def run(address, text, **params):
    """An analyst at work."""
    with open_driver(address) as driver, driver.session() as session:
        return [record.data() for record in session.run(text, **params)]


BASE = (
    rows(COMPANY, {"id": "company:b:1", "name": "甲"}, {"id": "company:b:2", "name": ""}),
    rows(PERSON, {"id": "person:b:1", "name": "张三"}),
    rows(ACCOUNT, {"id": "account:b:1"}, {"id": "account:b:2"}),
    rows(LOAN, {"id": "loan:b:1", "amount_fen": 10**15}),
)


def test_preparing_twice_makes_every_constraint_once(store):
    store.prepare()
    found = {row[0] for row in store.read("SHOW CONSTRAINTS YIELD name")}
    assert found == {name for name, _ in cypher.constraints()}
    assert len(found) == len(ALL_NODES) + len(ALL_EDGES) + 3  # and Party, the marker, the former


def test_every_value_comes_back_as_it_was_written(store):
    company = {
        "id": "company:uscc:91110000600037341L",
        "name": '甲 "quoted" \\ \n 𠮷',
        "founded_on": dt.date(1949, 10, 1),
        "capital_fen": 2**63 - 1,
        "blocked": False,
        "status": "",
        "valid_from": dt.date(9999, 12, 31),
    }
    at = dt.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC)
    moved = {"id": "t:1", "src": "account:b:1", "dst": "account:b:2", "amount_fen": -1, "at": at, "channel": "现金"}
    store.apply([*BASE, rows(COMPANY, company), rows(TRANSFERRED_TO, moved)], "r1")
    assert company in held(store, COMPANY)
    assert held(store, TRANSFERRED_TO) == [moved]


def test_days_and_times_are_native_and_in_utc(store):
    at = dt.datetime(2022, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
    store.apply(
        [*BASE, rows(REPAID, {"id": "p:1", "src": "account:b:1", "dst": "loan:b:1", "at": at, "valid_from": dt.date(2022, 1, 2)})], "r1"
    )
    found = store.query("MATCH ()-[r:REPAID]->() RETURN toString(r.at), r.valid_from", {}, 15, 10)
    assert found.rows == (("2022-01-02T03:04:05.000006Z", "2022-01-02"),)


def test_counts_name_every_type_and_those_without_rows_too(store):
    store.apply(BASE, "r1")
    counts = store.counts()
    assert (counts["Company"], counts["Account"], counts["Loan"], counts["REPAID"]) == (2, 2, 1, 0)
    assert set(counts) == {t.label for t in ALL_NODES} | {t.type for t in ALL_EDGES}


def test_writing_twice_changes_nothing(store):
    changes = [*BASE, rows(REPAID, *({"id": f"p:{n}", "src": "account:b:1", "dst": "loan:b:1"} for n in range(2500)))]
    assert store.apply(changes, "r1").total == store.apply(changes, "r1").total == 2506
    assert store.counts()["REPAID"] == 2500


def test_contents_are_sorted_as_arrow_sorts_them(store):
    ids = [f"company:crm:name={name}" for name in ("～", "𠮷", "甲", "a", "B", "")]
    store.apply([rows(COMPANY, *({"id": id_} for id_ in ids))], "r1")
    found = [row["id"] for row in held(store, COMPANY)]
    assert found == sorted(ids) == pa.array(ids).sort().to_pylist()


def test_guarantees_reach_companies_persons_and_loans(store):
    ends = ["company:b:2", "person:b:1", "loan:b:1"]
    store.apply([*BASE, rows(GUARANTEES, *({"id": f"g:{end}", "src": "company:b:1", "dst": end} for end in ends))], "r1")
    assert sorted(row["dst"] for row in held(store, GUARANTEES)) == sorted(ends)


def test_a_relationship_whose_end_changed_is_moved_and_not_doubled(store):
    first = {"id": "p:1", "src": "account:b:1", "dst": "loan:b:1", "amount_fen": 1}
    store.apply([*BASE, rows(REPAID, first)], "r1")
    store.apply([rows(REPAID, {**first, "src": "account:b:2"})], "r2")
    assert held(store, REPAID) == [{**first, "src": "account:b:2"}]


def known(type_, *values):
    """A change in the properties of relationships that are there."""
    return Change(type_, updates=rows(type_, *values).upserts)


def test_a_relationship_that_is_there_gets_its_new_properties_and_keeps_what_analysts_wrote_on_it(store, neo4j_server):
    first = {"id": "p:1", "src": "account:b:1", "dst": "loan:b:1", "amount_fen": 1}
    store.apply([*BASE, rows(REPAID, first)], "r1")
    run(neo4j_server, "MATCH ()-[r:REPAID]->() SET r.note = 'ask Li'")
    applied = store.apply([known(REPAID, {**first, "amount_fen": 2})], "r2")
    assert applied.upserted == {"REPAID": 1}
    assert run(neo4j_server, "MATCH ()-[r:REPAID]->() RETURN r.amount_fen AS fen, r.note AS note") == [{"fen": 2, "note": "ask Li"}]


def test_relationships_that_should_be_there_and_are_not_or_hang_elsewhere_are_put_right(store):
    first = {"id": "p:1", "src": "account:b:1", "dst": "loan:b:1", "amount_fen": 1}
    store.apply([*BASE, rows(REPAID, first)], "r1")
    wanted = [{**first, "src": "account:b:2"}, {**first, "id": "p:2", "amount_fen": 5}]
    store.apply([known(REPAID, *wanted)], "r2")
    assert held(store, REPAID) == wanted


def test_a_relationship_with_an_end_that_is_not_there_is_refused_by_name_and_nothing_of_its_batch_stays(store):
    good = {"id": "p:1", "src": "account:b:1", "dst": "loan:b:1"}
    with pytest.raises(KgfraudError, match=r"REPAID p:2 ends at a node that the graph does not hold"):
        store.apply([*BASE, rows(REPAID, good, {**good, "id": "p:2", "dst": "loan:b:9"})], "r1")
    assert held(store, REPAID) == []
    assert store.marker() == Marker(holds=None, filling="r1")


def test_an_end_of_another_kind_than_the_schema_allows_is_refused(store):
    with pytest.raises(KgfraudError, match=r"1 rows of REPAID have an end of another kind than the schema allows: Account to Loan"):
        store.apply([*BASE, rows(REPAID, {"id": "p:1", "src": "company:b:1", "dst": "loan:b:1"})], "r1")


def test_the_marker_says_filling_while_the_graph_is_filled_and_holds_afterwards(store):
    seen = []
    store.apply(BASE, "r1", lambda name, count: seen.append((name, count, store.marker())))
    assert seen[0] == ("Company", 2, Marker(holds=None, filling="r1"))
    assert {marker for _, _, marker in seen} == {Marker(holds=None, filling="r1")}
    assert store.marker() == Marker(holds="r1")


def test_without_rows_nothing_is_written_but_a_marker_that_differs(store):
    store.apply(BASE, "r1")
    before = last_transaction(store)
    assert store.apply([rows(COMPANY), gone(COMPANY)], "r1").total == 0
    assert last_transaction(store) == before
    store.apply([], "r2")
    assert store.marker() == Marker(holds="r2")


def last_transaction(store):
    return store.read("SHOW DATABASES YIELD name, lastCommittedTxn WHERE name = 'neo4j' RETURN lastCommittedTxn")[0][0]


def test_a_run_that_was_cut_off_is_cleared_by_the_next(store):
    store.set_marker(Marker(holds="r1", filling="r2"))
    store.apply([], "r3")
    assert store.marker() == Marker(holds="r3")


def test_a_commit_of_unknown_outcome_is_made_again_and_doubles_nothing(store, neo4j_server):
    store.apply(BASE, "r1")
    moved = [{"id": f"t:{n}", "src": "account:b:1", "dst": "account:b:2"} for n in range(3)]
    with Cut(neo4j_server) as cut, BoltStore.connect(cut.address) as through:
        through.marker()
        cut.next_commit, cut.commits = True, 0
        through.write(
            lambda tx: tx.run(cypher.upsert_edges(TRANSFERRED_TO, "Account", "Account"), rows=travelling(moved), **cypher.ORIGINS).consume()
        )
        assert cut.commits == 2
    assert held(store, TRANSFERRED_TO) == moved


def travelling(values):
    return [[value.get(name) for name in schema_of(TRANSFERRED_TO).names] for value in values]


class Cut:
    """A wire to the server that can be cut when a commit has been done and before the driver hears of it."""

    COMMIT = b"\x00\x02\xb0\x12\x00\x00"

    def __init__(self, server: Address) -> None:
        self._port = int(server.uri.rpartition(":")[2])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = Address(f"bolt://127.0.0.1:{self._listener.getsockname()[1]}", server.user, server.password)
        self.next_commit, self.commits, self._threads = False, 0, []

    def __enter__(self):
        self._begin(self._accept)
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _begin(self, work, *arguments):
        self._threads.append(threading.Thread(target=work, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._begin(self._carry, client)

    def _carry(self, client):
        with client, socket.create_connection(("127.0.0.1", self._port)) as server:
            while True:
                ready, _, _ = select.select([client, server], [], [])
                data = ready[0].recv(65536)
                if not data:
                    return
                if ready[0] is client and data.endswith(self.COMMIT):
                    self.commits += 1
                    if self.next_commit:
                        self.next_commit = False
                        server.sendall(data)
                        server.recv(65536)  # the server says that it is done; nobody hears
                        return
                (server if ready[0] is client else client).sendall(data)


def test_a_node_that_goes_takes_the_relationships_of_the_schema_with_it(store):
    store.apply([*BASE, rows(REPAID, {"id": "p:1", "src": "account:b:1", "dst": "loan:b:1"})], "r1")
    store.apply([gone(LOAN, "loan:b:1"), gone(REPAID, "p:none")], "r2")
    assert (store.counts()["Loan"], store.counts()["REPAID"]) == (0, 0)


def test_what_analysts_put_in_stays_through_updates(store, neo4j_server):
    store.apply(BASE, "r1")
    run(neo4j_server, "MATCH (c:Company {id: 'company:b:1'}) SET c:Watched, c.note = 'ask Li', c.name = 'changed'")
    run(neo4j_server, "MATCH (c:Company {id: 'company:b:1'}) CREATE (c)<-[:ABOUT]-(:Memo {text: 'x'})")
    store.apply(BASE, "r2")
    found = run(neo4j_server, "MATCH (c:Watched)<-[:ABOUT]-(m:Memo) RETURN c.note AS note, c.name AS name, m.text AS text")
    assert found == [{"note": "ask Li", "name": "甲", "text": "x"}]


def test_what_analysts_hung_on_a_node_outlives_it_and_is_found_again_when_it_returns(store, neo4j_server):
    store.apply(BASE, "r1")
    run(neo4j_server, "MATCH (c:Company {id: 'company:b:1'}) SET c.note = 'ask Li'")
    run(neo4j_server, "MATCH (p:Person) CREATE (p)-[:KNOWS]->(:Memo)")
    store.apply([gone(COMPANY, "company:b:1", "company:b:2"), gone(PERSON, "person:b:1")], "r2")
    left = run(neo4j_server, "MATCH (n:KgfraudFormer) RETURN n.id AS id, labels(n) AS labels, properties(n) AS properties ORDER BY id")
    assert left == [
        {"id": "company:b:1", "labels": ["KgfraudFormer"], "properties": {"id": "company:b:1", "note": "ask Li"}},
        {"id": "person:b:1", "labels": ["KgfraudFormer"], "properties": {"id": "person:b:1"}},
    ]
    assert (store.counts()["Company"], store.counts()["Person"]) == (0, 0)
    store.apply(BASE, "r3")
    assert run(neo4j_server, "MATCH (c:Company:Party {id: 'company:b:1'}) RETURN c.note AS note, c.name AS name") == [
        {"note": "ask Li", "name": "甲"}
    ]
    assert run(neo4j_server, "MATCH (p:Person)-[:KNOWS]->(:Memo) RETURN p.id AS id") == [{"id": "person:b:1"}]
    assert run(neo4j_server, "MATCH (n:KgfraudFormer) RETURN n") == []


def test_a_label_of_the_schema_on_a_node_of_another_type_goes_alone(store, neo4j_server):
    store.apply([*BASE, rows(REPAID, {"id": "p:1", "src": "account:b:1", "dst": "loan:b:1"})], "r1")
    run(neo4j_server, "MATCH (a:Account {id: 'account:b:1'}) SET a:Company")
    before = held(store, ACCOUNT)
    store.apply([gone(COMPANY, "account:b:1")], "r2")
    assert run(neo4j_server, "MATCH (a:Account {id: 'account:b:1'}) RETURN labels(a) AS labels") == [{"labels": ["Account"]}]
    assert (held(store, ACCOUNT), store.counts()["REPAID"]) == (before, 1)


def test_a_relationship_of_an_analyst_without_an_id_is_not_ours(store, neo4j_server):
    store.apply(BASE, "r1")
    run(neo4j_server, "MATCH (a:Company {id: 'company:b:1'}), (b:Loan) CREATE (a)-[:GUARANTEES]->(b)")
    assert held(store, GUARANTEES) == []
    store.apply([gone(LOAN, "loan:b:1")], "r2")
    assert run(neo4j_server, "MATCH (:Company)-[r:GUARANTEES]->(n:KgfraudFormer) RETURN n.id AS id") == [{"id": "loan:b:1"}]


def test_verifying_names_a_changed_type_a_lost_label_and_a_changed_value(store, neo4j_server):
    store.apply(BASE, "r1")
    run(neo4j_server, "MATCH (c:Company {id: 'company:b:1'}) SET c.founded_on = 'yesterday'")
    run(neo4j_server, "MATCH (c:Company {id: 'company:b:2'}) SET c.name = 'x' REMOVE c:Party")
    found = [tuple(r.values()) for table in differences(COMPANY, BASE[0].upserts(), store.contents(COMPANY)) for r in table.to_pylist()]
    assert sorted(found) == [
        ("company:b:1", "different", "founded_on"),
        ("company:b:2", "different", "Party"),
        ("company:b:2", "different", "name"),
    ]


IDS = st.sampled_from([f"loan:b:{n}" for n in range(6)])
NIGHTS = st.lists(st.dictionaries(IDS, st.none() | st.integers(-5, 5)), min_size=1, max_size=4)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NIGHTS)
def test_after_any_nights_the_graph_holds_the_last(neo4j_server, nights):
    with BoltStore.connect(neo4j_server, batch_rows=2) as store:
        for night, wanted in enumerate(nights):
            present = {row["id"] for row in held(store, LOAN)}
            written = rows(LOAN, *({"id": id_, "amount_fen": amount} for id_, amount in wanted.items()))
            store.apply([Change(LOAN, written.upserts, gone(LOAN, *(present - wanted.keys())).deletes)], f"r{night}")
        assert [(row["id"], row.get("amount_fen")) for row in held(store, LOAN)] == sorted(wanted.items())
        assert store.marker() == Marker(holds=f"r{len(nights) - 1}")


def test_relationships_are_sought_by_their_id_so_that_a_hub_costs_nothing(store):
    store.apply(BASE, "r1")
    with store.session("WRITE") as session:
        plan = session.run("EXPLAIN " + cypher.upsert_edges(TRANSFERRED_TO, "Account", "Account"), rows=[], **cypher.ORIGINS).consume().plan
    assert any(name.startswith("DirectedRelationshipUniqueIndexSeek") for name in operators(plan))


@pytest.mark.parametrize("type_", [COMPANY, TRANSFERRED_TO])
def test_contents_are_read_in_the_order_of_the_index_without_sorting(store, type_):
    with store.session("READ") as session:
        plan = session.run("EXPLAIN " + cypher.read(type_), cypher.ORIGINS).consume().plan
    assert not [name for name in operators(plan) if name.startswith("Sort")]


def operators(plan):
    return [plan["operatorType"], *(name for child in plan.get("children", ()) for name in operators(child))]


def test_a_server_that_is_not_there_is_a_missing_dependency_with_a_sentence():
    nowhere = Address("bolt://127.0.0.1:9", "neo4j", "x")
    assert not answers(nowhere)
    with pytest.raises(DependencyError, match=r"bolt://127.0.0.1:9 does not answer .*\(a local one: kgfraud neo4j start\)"):
        BoltStore.connect(nowhere)


def test_a_wrong_password_is_refused_without_saying_it(neo4j_server):
    wrong = Address(neo4j_server.uri, "neo4j", "not the password")
    for connect in (answers, BoltStore.connect):
        with pytest.raises(DependencyError, match=r"refuses the user or the password") as refused:
            connect(wrong)
        assert "not the password" not in str(refused.value)


def test_an_address_of_another_protocol_is_refused():
    with pytest.raises(UsageError, match=r"'http://localhost' is not the address of a Neo4j server"):
        Address("http://localhost", "neo4j", "x")


def test_a_certificate_authority_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"neo4j.ca_file"):
        open_driver(Address("neo4j+s://graph.bank", "neo4j", "x", tmp_path / "ca.pem"))


def test_a_certificate_authority_of_ones_own_is_taken_with_any_secure_scheme(tmp_path):
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bank")])
    day = dt.datetime(2022, 1, 1, tzinfo=dt.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, day, day + dt.timedelta(days=1)).sign(key, None)
    (tmp_path / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    with open_driver(Address("neo4j+s://127.0.0.1:9", "neo4j", "x", tmp_path / "ca.pem")) as driver:
        assert driver.encrypted


def test_a_driver_without_its_rust_codec_is_refused(monkeypatch):
    monkeypatch.setattr("kg.stores.server.RUST_AVAILABLE", False)
    with pytest.raises(DependencyError, match=r"install neo4j-rust-ext"):
        open_driver(Address("bolt://127.0.0.1:9", "neo4j", "x"))


def test_a_statement_that_the_server_refuses_fails_the_run_and_a_broken_server_is_a_dependency(store):
    with pytest.raises(KgfraudError, match=r"refuses a statement") as refused:
        store.read("RETURN 1 / 0")
    assert refused.value.exit_code == 1
    with pytest.raises(DependencyError, match=r"cannot go on"), explained():
        raise TransientError("no room")
