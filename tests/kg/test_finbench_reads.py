"""FinBench's complex reads 4, 5, 8 and 11, each held against SQL of its own on DuckDB, for 200 questions from its example."""

import csv
import gzip
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from kg.derivations.traces import guaranteed_loans, loan_flow, traces, triangles
from kg.errors import UsageError

SAMPLES = Path(__file__).parents[2] / "loaders" / "samples" / "finbench"
QUESTIONS, ANSWERED = 200, 100


def read(name, columns):
    with gzip.open(SAMPLES / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="|"))
    form = {"createTime": datetime.fromisoformat, **dict.fromkeys(("amount", "loanAmount"), lambda text: round(Decimal(text) * 100))}
    return pa.table({new: [form.get(old, int)(row[old]) for row in rows] for old, new in columns.items()})


@pytest.fixture(scope="module")
def data():
    ends = {"fromId": "payer", "toId": "payee", "amount": "amount_fen", "createTime": "at"}
    deposit = {"loanId": "loan", "accountId": "account", "amount": "amount_fen", "createTime": "at"}
    return {
        "transfers": read("AccountTransferAccount", ends),
        "withdrawals": read("AccountWithdrawAccount", ends),
        "owners": read("PersonOwnAccount", {"personId": "owner", "accountId": "account"}),
        "deposits": read("LoanDepositAccount", deposit),
        "loans": read("Loan", {"loanId": "loan", "loanAmount": "amount_fen"}),
        "borrowed": read("PersonApplyLoan", {"personId": "borrower", "loanId": "loan"}),
        "guarantees": read("PersonGuaranteePerson", {"fromId": "guarantor", "toId": "guaranteed", "createTime": "at"}),
    }


@pytest.fixture(scope="module")
def ask(data):
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    for name, table in data.items():
        connection.register(name, table)
        connection.execute(f"CREATE TABLE t_{name} AS SELECT * FROM {name}")
    return lambda sql, **values: connection.execute(sql, values).fetchall()


def windows(rng, table, count):
    """Windows of a week to two years that begin or end with a row."""
    at = table["at"].to_pylist()
    for _ in range(count):
        first = at[int(rng.integers(len(at)))]
        yield (first, first + timedelta(days=int(rng.integers(7, 730)))) if rng.random() < 0.7 else (first - timedelta(days=300), first)


TRIANGLES = """
WITH t AS (SELECT * FROM t_transfers WHERE "at" BETWEEN $first AND $last),
home AS (SELECT payer AS other, count(*) n, sum(amount_fen) s, max(amount_fen) m FROM t WHERE payee = $source GROUP BY ALL),
out AS (SELECT payee AS other, count(*) n, sum(amount_fen) s, max(amount_fen) m FROM t WHERE payer = $target GROUP BY ALL)
SELECT other, home.n, home.s::BIGINT, home.m, out.n, out.s::BIGINT, out.m FROM home JOIN out USING (other)
WHERE EXISTS (FROM t WHERE payer = $source AND payee = $target) AND other NOT IN ($source, $target)
ORDER BY home.s DESC, out.s DESC, other
"""


def test_triangles_are_those_of_sql(data, ask):
    rng, some = np.random.default_rng(4), 0
    closed = ask(
        "SELECT DISTINCT a.payer, a.payee FROM t_transfers a JOIN t_transfers b ON b.payer = a.payee JOIN t_transfers c"
        " ON c.payer = b.payee AND c.payee = a.payer WHERE b.payee NOT IN (a.payer, a.payee) AND a.payer <> a.payee ORDER BY ALL"
    )
    pairs = list(zip(data["transfers"]["payer"].to_pylist(), data["transfers"]["payee"].to_pylist(), strict=True))
    for number, (first, last) in enumerate(windows(rng, data["transfers"], QUESTIONS)):
        among = closed if number % 4 else pairs
        source, target = among[int(rng.integers(len(among)))]
        wider = timedelta(days=365 if number % 4 else 0)
        window = first - wider, last + wider
        mine = [tuple(row.values()) for row in triangles(data["transfers"], source, target, window).to_pylist()]
        assert mine == ask(TRIANGLES, source=source, target=target, first=window[0], last=window[1])
        some += bool(mine)
    assert some >= ANSWERED


TRACES = """
WITH t AS (SELECT * FROM t_transfers WHERE "at" BETWEEN $first AND $last AND payer <> payee),
one AS (SELECT payer AS a, payee AS b, "at" FROM t WHERE payer IN (SELECT account FROM t_owners WHERE owner = $owner)),
two AS (SELECT a, b, payee AS c, t."at" FROM one JOIN t ON payer = b AND t."at" > one."at" AND payee <> a),
three AS (SELECT a, b, c, payee AS d FROM two JOIN t ON payer = c AND t."at" > two."at" AND payee NOT IN (a, b))
SELECT DISTINCT [a, b, c, d] AS path FROM three UNION SELECT [a, b, c] FROM two UNION SELECT [a, b] FROM one
ORDER BY len(path) DESC, path
"""


def test_traces_are_those_of_sql(data, ask):
    rng, some = np.random.default_rng(5), 0
    people = data["owners"]["owner"].to_pylist()
    for first, last in windows(rng, data["transfers"], QUESTIONS):
        owner = people[int(rng.integers(len(people)))]
        mine = traces(data["transfers"], data["owners"], owner, (first, last))["path"].to_pylist()
        assert mine == [path for (path,) in ask(TRACES, owner=owner, first=first, last=last)]
        some += bool(mine)
    assert some >= ANSWERED


FLOW = """
WITH RECURSIVE t AS (SELECT * FROM t_transfers WHERE "at" BETWEEN $first AND $last),
e AS (FROM t UNION ALL FROM t_withdrawals WHERE "at" BETWEEN $first AND $last),
paid AS (SELECT account, amount_fen FROM t_deposits WHERE loan = $loan AND "at" BETWEEN $first AND $last),
came AS (SELECT account, sum(fen) AS fen FROM (SELECT payee AS account, amount_fen AS fen FROM t UNION ALL FROM paid) GROUP BY ALL),
good AS (SELECT payer, payee, amount_fen, row_number() OVER () AS id FROM e LEFT JOIN came ON account = payer
         WHERE amount_fen::HUGEINT * 1000000 > coalesce(fen, 0)::HUGEINT * $ppm),
walk AS (SELECT account AS at_account, 1 AS step, NULL::BIGINT AS id FROM paid
         UNION SELECT payee, step + 1, good.id FROM walk JOIN good ON payer = at_account WHERE step < 4),
ends AS (SELECT at_account AS account, min(step) AS distance FROM walk GROUP BY ALL),
came_in AS (SELECT payee AS account, sum(amount_fen) AS fen FROM good WHERE id IN (SELECT id FROM walk) GROUP BY ALL)
SELECT account, ((fen * 2000 + lent) // (2 * lent))::BIGINT AS ratio, distance FROM ends JOIN came_in USING (account),
(SELECT amount_fen AS lent FROM t_loans WHERE loan = $loan)
WHERE distance > 1 ORDER BY distance DESC, ratio DESC, account
"""


def test_the_flow_of_loans_is_that_of_sql(data, ask):
    rng, some = np.random.default_rng(8), 0
    loans = data["deposits"]["loan"].to_pylist()
    for first, last in windows(rng, data["deposits"], QUESTIONS):
        loan, ppm = loans[int(rng.integers(len(loans)))], int(rng.choice([0, 1_000, 50_000, 300_000]))
        window = first, last + timedelta(days=200)
        tables = (data["deposits"], data["transfers"], data["withdrawals"], data["loans"])
        mine = [tuple(row.values()) for row in loan_flow(*tables, loan=loan, window=window, threshold_ppm=ppm).to_pylist()]
        assert mine == ask(FLOW, loan=loan, ppm=ppm, first=window[0], last=window[1])
        some += bool(mine)
    assert some >= ANSWERED


GUARANTEED = """
WITH RECURSIVE g AS (SELECT * FROM t_guarantees WHERE "at" BETWEEN $first AND $last),
chain AS (SELECT guaranteed AS person FROM g WHERE guarantor = $person UNION SELECT guaranteed FROM chain JOIN g ON guarantor = person)
SELECT coalesce(sum(amount_fen), 0)::BIGINT, count(*) FROM t_loans
WHERE loan IN (SELECT loan FROM t_borrowed JOIN chain ON borrower = person)
"""


def test_guaranteed_loans_are_those_of_sql(data, ask):
    rng, some = np.random.default_rng(11), 0
    people = data["guarantees"]["guarantor"].to_pylist()
    for first, last in windows(rng, data["guarantees"], QUESTIONS):
        person = people[int(rng.integers(len(people)))]
        early = first - timedelta(days=365)
        mine = guaranteed_loans(data["guarantees"], data["borrowed"], data["loans"], person, (early, last))
        assert [mine] == ask(GUARANTEED, person=person, first=early, last=last)
        some += mine[1] > 0
    assert some >= ANSWERED


def test_what_makes_no_sense_is_refused(data):
    now, before = datetime(2021, 1, 1), datetime(2020, 1, 1)
    with pytest.raises(UsageError, match="turn it round"):
        triangles(data["transfers"], 1, 2, (now, before))
    with pytest.raises(UsageError, match="owners lack the column account"):
        traces(data["transfers"], data["owners"].drop_columns(["account"]), 1, (before, now))
    tables = (data["deposits"], data["transfers"], data["withdrawals"], data["loans"])
    with pytest.raises(UsageError, match="no loan is called -5"):
        loan_flow(*tables, loan=-5, window=(before, now), threshold_ppm=0)
    with pytest.raises(UsageError, match="threshold_ppm is -1"):
        loan_flow(*tables, loan=5, window=(before, now), threshold_ppm=-1)
