"""Asking the graph: what is answered, what is refused, and the analysts' library on a real server."""

from __future__ import annotations

import datetime as dt
import json
import re

import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kg.cli import cli
from kg.config import Workspace
from kg.errors import KgfraudError, UsageError
from kg.ids import graph_id
from kg.privacy import Keyring
from kg.query import named, names, parse, read_parameters, scalar
from kg.schema import ALL_EDGES, ALL_NODES, edge, node
from kg.store import Change, columns_of, name_of, schema_of
from kg.stores import bolt
from kg.stores.bolt import BoltStore

ACCOUNT_NUMBER = "6222 0000 1234 5678"
JANUARY = dt.date(2022, 1, 1)


def at(day):
    return dt.datetime(2022, 1, day, 12, tzinfo=dt.UTC)


def small_graph(own_account):
    """The little world in which every example of the library finds something."""
    one, two, three, person = "company:crm:1001", "company:crm:1002", "company:crm:1003", "person:crm:7"
    flag = {"id": "flag:1", "reason": "circular_guarantee", "severity": "high", "evidence": "[]"}
    moved = {"amount_fen": 900, "currency": "CNY"}
    return {
        node("Company"): [{"id": one, "name": "甲"}, {"id": two, "name": "乙", "founded_on": dt.date(2001, 2, 3)}, {"id": three}],
        node("Person"): [{"id": person, "name": "张三"}],
        node("Account"): [{"id": own_account}, {"id": "account:b:2"}, {"id": "account:b:3"}],
        node("Loan"): [{"id": "loan:crm:L1"}],
        node("Device"): [{"id": "device:b:1"}],
        node("Address"): [{"id": "address:text:1", "text": "1 Some Road"}],
        node("Flag"): [flag],
        node("LargeExposure"): [{"id": "x1", "party": one, "used_fen": 90, "headroom_fen": -5, "breach": True, "large": True}],
        node("Ring"): [{"id": "ring:0123", "members": 3, "support": 2, "first_at": at(3), "last_at": at(6), "amount_fen": 2_680}],
        node("Group"): [{"id": "group:1", "head": person, "members": 2, "headroom_fen": 7}],
        edge("HOLDS_SHARES"): [{"id": "h1", "src": one, "dst": two, "share_ppm": 400_000}, {"id": "h2", "src": one, "dst": three}],
        edge("REPRESENTS"): [{"id": "r1", "src": person, "dst": one}, {"id": "r2", "src": person, "dst": two}],
        edge("OWNS_ACCOUNT"): [
            {"id": "o1", "src": one, "dst": own_account},
            {"id": "o2", "src": two, "dst": "account:b:2"},
            {"id": "o3", "src": three, "dst": "account:b:3"},
        ],
        edge("TRANSFERRED_TO"): [
            {"id": "t1", "src": own_account, "dst": "account:b:2", "at": at(3), **moved},
            {"id": "t2", "src": "account:b:2", "dst": "account:b:3", "at": at(4), **moved},
            {"id": "t3", "src": "account:b:2", "dst": own_account, "at": at(5), "amount_fen": 5},
            {"id": "t4", "src": "account:b:3", "dst": own_account, "at": at(6), "amount_fen": 880},
        ],
        edge("PAID_OUT_TO"): [{"id": "p1", "src": "loan:crm:L1", "dst": own_account, "amount_fen": 1000, "at": at(2)}],
        edge("GUARANTEES"): [
            {"id": "g1", "src": one, "dst": two, "amount_fen": 70},
            {"id": "g2", "src": two, "dst": one, "amount_fen": 50},
            {"id": "g3", "src": two, "dst": "loan:crm:L1"},
        ],
        edge("LOCATED_AT"): [
            {"id": "l1", "src": one, "dst": "address:text:1", "use": "registered"},
            {"id": "l2", "src": person, "dst": "address:text:1", "use": "home"},
        ],
        edge("SIGNED_IN"): [{"id": f"s{n}", "src": "device:b:1", "dst": account} for n, account in enumerate([own_account, "account:b:2"])],
        edge("PAID"): [{"id": "d1", "src": one, "dst": two, "month": JANUARY, "amount_fen": 900, "currency": "CNY", "count": 1}],
        edge("CONTROLS"): [
            {"id": "c1", "src": person, "dst": one, "votes_ppm": 600_000, "certain": True},
            {"id": "c2", "src": one, "dst": two, "votes_ppm": 510_000, "certain": True},
        ],
        edge("BENEFICIALLY_OWNS"): [{"id": "w1", "src": person, "dst": one, "test": "capital", "low_ppm": 600_000}],
        edge("DEPENDS_ON"): [{"id": "e1", "src": two, "dst": one, "test": "receipts", "ppm": 620_000}],
        edge("SUPPLIES"): [
            {"id": "s1", "src": two, "dst": one, "amount_fen": 700, "sales_ppm": 700_000, "purchases_ppm": 1_000_000, "months": 3},
            {"id": "s2", "src": two, "dst": three, "amount_fen": 300, "sales_ppm": 300_000, "purchases_ppm": 1_000_000, "months": 1},
            {"id": "s3", "src": three, "dst": two, "amount_fen": 400, "sales_ppm": 1_000_000, "purchases_ppm": 1_000_000, "months": 2},
        ],
        edge("MEMBER_OF"): [{"id": f"m{n}", "src": party, "dst": "group:1", "role": "head"} for n, party in enumerate((one, person))],
        edge("IN_RING"): [{"id": f"i{n}", "src": party, "dst": "ring:0123", "role": "member"} for n, party in enumerate((one, two, three))],
        edge("LINKED_TO"): [{"id": "k1", "src": one, "dst": three, "kind": "shared_device", "score": 640_000}],
        edge("FLAGGED"): [{"id": "f1", "src": one, "dst": "flag:1"}],
    }


@pytest.fixture
def workspace(neo4j_server, tmp_path):
    """A workspace that asks the real server, which holds the small graph."""
    made = Workspace.create(tmp_path / "bank")
    own = graph_id("account", ACCOUNT_NUMBER, Keyring.open(made.keys), "ICBC")
    (made.root / "password").write_text(neo4j_server.password, "utf-8")
    text = (
        made.toml.read_text("utf-8")
        .replace('url = ""', f'url = "{neo4j_server.uri}"')
        .replace('password_file = ""', 'password_file = "password"')
    )
    made.toml.write_text(text.replace("max_rows = 10000", "max_rows = 5"), "utf-8")
    with BoltStore.connect(neo4j_server) as store:
        changes = [(type_, pa.RecordBatch.from_pylist(rows, schema=schema_of(type_))) for type_, rows in small_graph(own).items()]
        store.apply([Change(type_, upserts=lambda batch=batch: iter([batch])) for type_, batch in changes], "r1")
    return Workspace.open(made.root)


def ask(workspace, *arguments, stdin=None):
    return CliRunner().invoke(cli, ["query", *arguments, "--workspace", str(workspace.root)], input=stdin)


# -- what is answered -------------------------------------------------------------------------------


def test_json_is_columns_and_rows(workspace):
    done = ask(workspace, "MATCH (c:Company) RETURN c.name AS name, c.founded_on AS day ORDER BY name", "--json")
    assert json.loads(done.stdout) == {"columns": ["name", "day"], "rows": [["乙", "2001-02-03"], ["甲", None], [None, None]]}


def test_csv_and_the_table_hold_the_same(workspace):
    text = "MATCH (c:Company {id: $id}) RETURN c.name AS name, labels(c) AS labels, 1.5 AS x"
    assert ask(workspace, text, "-p", "id=company:crm:1001", "--csv").stdout.splitlines() == [
        "name,labels,x",
        '甲,"[""Company"", ""Party""]",1.5',
    ]
    assert ask(workspace, text, "-p", "id=company:crm:1001").stdout.splitlines()[2].split() == ["甲", '["Company",', '"Party"]', "1.5"]


def test_no_rows_are_an_answer_too(workspace):
    assert json.loads(ask(workspace, "MATCH (c:Company {id: 'x'}) RETURN c", "--json").stdout) == {"columns": ["c"], "rows": []}
    assert ask(workspace, "MATCH (c:Company {id: 'x'}) RETURN c.id AS id").exit_code == 0


def test_graph_values_and_those_that_json_lacks_have_a_plain_form(workspace):
    done = ask(
        workspace,
        "MATCH path = (a:Company {id: 'company:crm:1001'})-[held:HOLDS_SHARES {id: 'h1'}]->(b) "
        "RETURN a, held, path, [date('2022-01-02'), datetime('2022-01-02T03:04:05Z'), duration('P1DT2H')] AS times, "
        "point({x: 1, y: 2}) AS place, [0.0 / 0.0, 1 / 0.0, -1 / 0.0] AS odd, {a: true, b: null} AS map",
        "--json",
    )
    node_a, held, path, times, place, odd, map_ = json.loads(done.stdout)["rows"][0]
    assert node_a == {"labels": ["Company", "Party"], "properties": {"id": "company:crm:1001", "name": "甲"}}
    ends = {"start": "company:crm:1001", "end": "company:crm:1002"}
    assert held == {"type": "HOLDS_SHARES", **ends, "properties": {"id": "h1", "share_ppm": 400_000}}
    assert [n["properties"]["id"] for n in path["nodes"]] == ["company:crm:1001", "company:crm:1002"]
    assert path["relationships"] == [held]
    assert times == ["2022-01-02", "2022-01-02T03:04:05.000000000+00:00", "P1DT2H"]
    assert (place, odd, map_) == ({"srid": 7203, "coordinates": [1.0, 2.0]}, ["NaN", "Infinity", "-Infinity"], {"a": True, "b": None})


def test_an_answer_that_is_cut_says_so_on_standard_error(workspace):
    done = ask(workspace, "UNWIND range(1, 6) AS n RETURN n", "--json")
    assert json.loads(done.stdout)["rows"] == [[1], [2], [3], [4], [5]]
    assert done.stderr == "there is more: the answer was cut at 5 rows (query.max_rows)\n"
    assert ask(workspace, "UNWIND range(1, 5) AS n RETURN n").stderr == ""


def test_parameters_have_the_type_that_they_look_like(workspace):
    pairs = ["i=3", "f=0.5", "b=true", "n=null", 's="3"', "t=2022-01"]
    done = ask(workspace, "RETURN $i, $f, $b, $n, $s, $t", "--json", *(word for pair in pairs for word in ("-p", pair)))
    assert json.loads(done.stdout)["rows"] == [[3, 0.5, True, None, "3", "2022-01"]]


def test_a_clear_value_is_read_from_standard_input_and_only_its_id_is_sent(workspace):
    text = "MATCH (a:Account {id: $acc})<-[:OWNS_ACCOUNT]-(p) RETURN p.id, $acc"
    done = ask(workspace, text, "-p", "acc=@account:ICBC:-", "--json", stdin=f"{ACCOUNT_NUMBER}\n")
    (owner, account), *_ = json.loads(done.stdout)["rows"]
    assert owner == "company:crm:1001"
    assert account.startswith("account:ICBC:")
    assert ACCOUNT_NUMBER.replace(" ", "") not in done.output


def test_a_clear_value_without_a_bank_belongs_to_the_default_one(workspace):
    done = ask(workspace, "RETURN $acc", "-p", "acc=@account:-", "--json", stdin=f"{ACCOUNT_NUMBER}\n")
    assert json.loads(done.stdout)["rows"][0][0] == graph_id("account", ACCOUNT_NUMBER, Keyring.open(workspace.keys))


# -- what is refused --------------------------------------------------------------------------------

REFUSED = {
    "CREATE (:X)": "this one writes",
    "MATCH (n) SET n.x = 1 RETURN n": "this one writes",
    "MATCH (n) DETACH DELETE n": "this one writes",
    "MERGE (n:X) RETURN n": "this one writes",
    "MATCH (n) FOREACH (x IN [1] | SET n.a = 1)": "this one writes",
    "LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line": "LOAD CSV reads files and addresses",
    "LOAD CSV FROM 'http://127.0.0.1:9/x' AS line RETURN line": "LOAD CSV reads files and addresses",
    "CALL { LOAD CSV FROM 'https://example.org' AS line RETURN line } RETURN line": "LOAD CSV reads files and addresses",
    "MATCH (n) CALL (n) { SET n.x = 1 } IN TRANSACTIONS": "is one transaction",
    "UNWIND [1] AS x CALL (x) { RETURN x AS y } IN TRANSACTIONS RETURN y": "is one transaction",
    "CALL dbms.listConfig()": "the procedure dbms.listConfig is not one that a query may call",
    "CALL { CALL dbms.listConfig() YIELD name RETURN name } RETURN name": "the procedure dbms.listConfig is not one",
    "CALL db.createLabel('x')": "the procedure db.createLabel is not one",
    "SHOW DATABASES": "a command of administration",
    "SHOW TRANSACTIONS": "a command of administration",
    "SHOW SETTINGS": "a command of administration",
    "TERMINATE TRANSACTIONS 'neo4j-transaction-1'": "a command of administration",
    "ALTER CURRENT USER SET PASSWORD FROM 'a' TO 'bbbbbbbbb'": "a command of administration",
    "CREATE USER x SET PASSWORD 'abcdefgh'": "a command of administration",
    "STOP DATABASE neo4j": "a command of administration",
    "CREATE INDEX x FOR (n:X) ON (n.y)": "a command of administration",
    "DROP CONSTRAINT kgfraud_party_id": "a command of administration",
    "PROFILE MATCH (n) RETURN n": "leave the word PROFILE out",
    "/* hidden */ PROFILE CREATE (:X)": "leave the word PROFILE out",
    "EXPLAIN MATCH (n) RETURN n": "leave the word out",
    "EXPLAIN CREATE (:X)": "this one writes",
    "RETURN 1; CREATE (:X)": "one statement at a time",
    "RETURN $missing": "missing; give it as -p name=value",
    "MATCH (n RETURN n": "Neo4j does not understand the query",
    "CALL db.nothing()": "Neo4j does not understand the query",
    "// nothing": "Neo4j does not understand the query",
    "RETURN 1 / 0": "the query cannot be computed: / by zero",
    "UNWIND ['a'] AS x RETURN date(x)": "the query cannot be computed: Text cannot be parsed to a Date",
    "RETURN toInteger([1])": "the query cannot be computed: Invalid input for function 'toInteger()'",
}


@pytest.mark.parametrize("text", REFUSED)
def test_more_than_reading_is_refused_with_a_sentence(store, text):
    with pytest.raises(UsageError) as refused:
        store.query(text, {}, 15, 10)
    assert REFUSED[text] in str(refused.value)
    assert store.is_empty()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("RETURN nothing", "(line 1, column 8 (offset: 7))"),
        ("// nothing", "(line 1, column 1 (offset: 0))"),
        ("WITH 1 AS a\nRETURN nothing", "(line 2, column 8 (offset: 19))"),
        ("MATCH (n) RETURN n.x +", "(line 1, column 23 (offset: 22))"),
        ("RETURN " + "(" * 20 + "=", "(line 1, column 28 (offset: 27))"),
    ],
)
def test_a_place_in_a_query_is_counted_in_the_query_as_it_was_written(store, text, place):
    with pytest.raises(UsageError) as refused:
        store.query(text, {}, 15, 10)
    assert str(refused.value).endswith(place)


def test_the_servers_own_wall_stands_behind_the_plan(store):
    with pytest.raises(KgfraudError, match=r"(?i)writing in read access mode not allowed"), store.session("READ") as session:
        session.run("CREATE (:X)").consume()


def test_a_word_that_nothing_in_the_graph_has_is_told_with_the_right_one(workspace):
    done = ask(workspace, "MATCH (c:Compny)-[:HOLDS_SHARE]->(d:CourtCase) RETURN c.nam", "--json")
    assert json.loads(done.stdout)["rows"] == []
    assert sorted(done.stderr.splitlines()) == [
        "nothing in the graph is called 'Compny'; did you mean 'Company'?",
        "nothing in the graph is called 'HOLDS_SHARE'; did you mean 'HOLDS_SHARES'?",
        "nothing in the graph is called 'nam'; did you mean 'name'?",
    ]


@pytest.mark.parametrize(
    "text", ["CALL db.labels()", "CALL db.relationshipTypes() YIELD relationshipType RETURN *", "RETURN 1;", "CYPHER 5 RETURN 1"]
)
def test_what_only_tells_is_answered(store, text):
    store.query(text, {}, 15, 10)


def test_a_query_that_takes_too_long_is_stopped(store):
    with pytest.raises(KgfraudError, match=r"the query was stopped after 0.5 s"):
        store.query("UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN count(*)", {}, 0.5, 10)


def test_a_query_that_the_server_does_not_stop_within_one_expression_is_not_waited_for(store, monkeypatch):
    monkeypatch.setattr(bolt, "_GRACE", 0.1)
    with pytest.raises(KgfraudError, match=r"no answer came within 0.3 s"):
        store.query("RETURN reduce(sum = 0, x IN range(1, 100000000) | sum + x)", {}, 0.2, 10)
    monkeypatch.undo()
    assert store.query("RETURN 1", {}, 15, 10).rows == ((1,),)


# -- the library ------------------------------------------------------------------------------------


def test_there_are_ten_queries():
    assert len(names()) >= 10


@pytest.mark.parametrize("name", names())
def test_a_query_of_the_library_reads_only_and_its_example_finds_something(workspace, name):
    chosen = named(name)
    assert chosen.about.endswith(".")
    assert f"--name {name}" in chosen.example
    assert {word for p in chosen.parameters for word in [f"${p.name}"] if word not in chosen.text} == set()
    pairs = [word for key, value in chosen.example_parameters.items() for word in ("-p", f"{key}={value}")]
    done = ask(workspace, "--name", name, "--json", *pairs)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["rows"]


@pytest.mark.parametrize("name", names())
def test_a_query_of_the_library_uses_the_schemas_words_only(name):
    text = named(name).text
    words = {p.name for type_ in (*ALL_NODES, *ALL_EDGES) for p in columns_of(type_)} | {"id"}
    assert set(re.findall(r"\b[a-z]+\.([a-z_]+)\b", text)) <= words
    assert set(re.findall(r"[:|]([A-Z]\w*)", text)) <= {name_of(type_) for type_ in (*ALL_NODES, *ALL_EDGES)} | {"Party"}


def test_named_queries_answer_rightly(workspace):
    def rows(name, **params):
        pairs = [word for key, value in params.items() for word in ("-p", f"{key}={value}")]
        return json.loads(ask(workspace, "--name", name, "--json", *pairs).stdout)["rows"]

    assert [row[:2] + row[3:6] for row in rows("suppliers", company="company:crm:1002")] == [
        ["supplier", "company:crm:1003", 400, 1_000_000, 1_000_000],
        ["customer", "company:crm:1001", 700, 700_000, 1_000_000],
        ["customer", "company:crm:1003", 300, 300_000, 1_000_000],
    ]
    assert [row[:2] + row[3:6] for row in rows("supply_tiers", company="company:crm:1001")] == [
        [1, "company:crm:1002", 700_000, 700_000, ["company:crm:1002", "company:crm:1001"]],
        [2, "company:crm:1003", 1_000_000, 700_000, ["company:crm:1003", "company:crm:1002", "company:crm:1001"]],
    ]
    # 1002 sells 1001 more than half, but sells more in all than 1001 buys
    assert [row[:1] + row[5:] for row in rows("ring", ring="ring:0123")] == [
        ["company:crm:1001", 1, 900],
        ["company:crm:1002", 2, 905],
        ["company:crm:1003", 1, 880],
    ]
    assert [row[2] for row in rows("money_circles", party="company:crm:1001")] == [[900, 900, 880]]
    assert rows("core_firms", suppliers=1) == [["company:crm:1002", "乙", 1, 400, 400, ["company:crm:1003"]]]
    assert [row[:3] for row in rows("holdings", party="company:crm:1001")] == [
        ["company:crm:1002", "乙", 400_000],
        ["company:crm:1003", None, None],
    ]
    assert [row[:3] for row in rows("controlled", party="company:crm:1001")] == [["company:crm:1002", "乙", 510_000]]
    assert [row[:2] for row in rows("controllers", company="company:crm:1001")] == [["person:crm:7", "张三"]]
    assert {row[1] for row in rows("group_members", party="person:crm:7")} == {"person:crm:7", "company:crm:1001"}
    assert rows("links", party="company:crm:1003", score=640_001) == []
    assert rows("counterparties", party="company:crm:1001")[0][:5] == ["account:b:2", ["company:crm:1002"], 2, 900, 5]
    assert rows("payment_path", payer="company:crm:1001", payee="company:crm:1003")[0][0] == 2
    assert rows("payment_path", payer="company:crm:1003", payee="company:crm:1001")[0][0] == 1
    assert rows("payment_path", payer="person:crm:7", payee="company:crm:1001") == []
    assert [row[3] for row in rows("guarantee_chain", party="company:crm:1001")] == [70, 50, 70]
    there, further, back = (row[2] for row in rows("loan_trace", loan="loan:crm:L1"))
    assert (there[-1], further[-1], back[-1]) == ("account:b:2", "account:b:3", back[0])
    assert rows("loan_trace", loan="loan:crm:L1", share=0.95) == []
    assert rows("loan_trace", loan="loan:crm:L1", days=1) != rows("loan_trace", loan="loan:crm:L1", days=2)
    assert rows("representatives", company="company:crm:1001") == [["person:crm:7", "张三", "REPRESENTS", None, None, 2]]
    assert rows("biggest_flows", month="2022-02") == []
    assert rows("shared_devices", accounts=3) == []


def test_a_query_that_is_not_there_suggests_the_right_one(workspace):
    done = ask(workspace, "--name", "holding")
    assert (done.exit_code, done.stderr) == (
        2,
        "Error: no query named 'holding'; did you mean 'holdings'? (kgfraud query --list shows them)\n",
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--name", "holdings"], "lacks -p party=…"),
        (["--name", "holdings", "-p", "pary=x"], "has no parameter 'pary'; did you mean 'party'?"),
        ([], "give either a query in Cypher or --name NAME"),
        (["RETURN 1", "--name", "holdings"], "give either a query in Cypher or --name NAME"),
        (["RETURN 1", "--json", "--csv"], "exclude each other"),
        (["RETURN 1", "-p", "x"], "-p name=value"),
        (["RETURN 1", "-p", "x=1", "-p", "x=2"], "'x' is given twice"),
        (["RETURN 1", "-p", "x=@acount:-"], "did you mean 'account'?"),
        (["RETURN 1", "-p", "x=@6222000012345678"], "write @account:- or @account:BANK:-"),
        (["RETURN 1", "-p", "x=@account:-"], "there is no account on standard input"),
        (["RETURN 1", "-p", "x=9223372036854775808"], "too large a number"),
    ],
)
def test_wrong_usage_is_told(workspace, arguments, sentence):
    done = ask(workspace, *arguments, stdin="")
    assert done.exit_code == 2
    assert sentence in done.stderr


def test_a_clear_value_that_is_not_one_is_refused_without_being_shown(workspace):
    done = ask(workspace, "RETURN $p", "-p", "p=@person:-", stdin="110101199001011234\n")
    assert done.exit_code == 2
    assert "is no cnid" in done.stderr
    assert "110101199001011234" not in done.output


def test_the_library_lists_itself():
    listed = json.loads(CliRunner().invoke(cli, ["query", "--list", "--json"]).stdout)["queries"]
    assert [q["name"] for q in listed] == list(names())
    assert set(listed[0]) == {"name", "about", "parameters", "example"}
    assert "holdings\n    The shares" in CliRunner().invoke(cli, ["query", "--list"]).stdout


def test_a_query_file_without_a_head_is_refused():
    with pytest.raises(UsageError, match=r"must begin with comment lines"):
        parse("bad", "MATCH (n) RETURN n")


def test_an_example_gives_no_clear_value():
    with pytest.raises(UsageError, match=r"gives no clear value"):
        _ = parse("bad", "// What.\n// Example: kgfraud query --name bad -p a=@account:-\nRETURN $a").example_parameters


@given(st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text())
def test_a_value_written_as_json_is_read_as_it_is(value):
    assert scalar(json.dumps(value)) == value


@given(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.from_regex(r"[^@\d\[{\"\-tfn\s][^\n]{0,10}", fullmatch=True))
def test_a_text_is_itself(name, text):
    assert read_parameters([f"{name}={text}"], lambda _kind, _bank: "") == {name: text}


@pytest.mark.parametrize(
    "text", ["[99999999999999999999]", '{"a": 9223372036854775808}', '"\\ud800"', "\udcff", "[" * 100_000 + "]" * 100_000]
)
def test_a_parameter_that_the_graph_cannot_hold_is_refused(text):
    with pytest.raises(UsageError):
        scalar(text)
