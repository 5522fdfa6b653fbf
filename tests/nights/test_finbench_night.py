"""The LDBC FinBench example, loaded whole: every figure told by the lake and by Cypher, against the files read by csv and decimal."""

import csv
import gzip
import json
import shutil
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal

import networkx
import pytest

pytestmark = pytest.mark.untraced

INCREMENT = "AddAccountTransferAccountWrite12"
COUNTS = {
    "MATCH (n:Company) RETURN count(n)": 967,
    "MATCH (n:Person) RETURN count(n)": 1_957,
    "MATCH (n:Party) RETURN count(n)": 967 + 1_957,
    "MATCH (n:Account) RETURN count(n)": 6_200,
    "MATCH (n:Loan) RETURN count(n)": 3_465,
    "MATCH (n:Device) RETURN count(n)": 1_464,
    "MATCH (:Account)-[r:TRANSFERRED_TO {channel: 'transfer'}]->(:Account) RETURN count(r)": 37_861,
    "MATCH (:Account)-[r:TRANSFERRED_TO {channel: 'withdrawal'}]->(:Account) RETURN count(r)": 42_069,
    "MATCH ()-[r:TRANSFERRED_TO]->() RETURN count(r)": 37_861 + 42_069,
    "MATCH (:Party)-[r:HOLDS_SHARES]->(:Company) RETURN count(r)": 5_034,
    "MATCH (:Party)-[r:GUARANTEES]->(:Party) RETURN count(r)": 1_351,
    "MATCH (:Loan)-[r:PAID_OUT_TO]->(:Account) RETURN count(r)": 8_481,
    "MATCH (:Account)-[r:REPAID]->(:Loan) RETURN count(r)": 8_398,
    "MATCH (:Party)-[r:BORROWED]->(:Loan) RETURN count(r)": 3_465,
    "MATCH (:Device)-[r:SIGNED_IN]->(:Account) RETURN count(r)": 5_146,
    "MATCH (:Party)-[r:OWNS_ACCOUNT]->(:Account) RETURN count(r)": 6_027,
    "MATCH (n) WHERE n.stub RETURN count(n)": 0,
}
LAKE = {
    "graph/Company": 967,
    "graph/Person": 1_957,
    "graph/Account": 6_200,
    "graph/Loan": 3_465,
    "graph/Device": 1_464,
    "graph/TRANSFERRED_TO": 37_861 + 42_069,
    "graph/HOLDS_SHARES": 5_034,
    "graph/GUARANTEES": 1_351,
    "graph/PAID_OUT_TO": 8_481,
    "graph/REPAID": 8_398,
    "graph/BORROWED": 3_465,
    "graph/SIGNED_IN": 5_146,
    "graph/OWNS_ACCOUNT": 6_027,
    "records/transfers": 37_861 + 42_069,
    "records/loan_flows": 8_481 + 8_398,
    "records/sign_ins": 5_146,
    "quarantine": 173,
}


@pytest.fixture(scope="module")
def files(samples):
    """The snapshot's files, by name."""

    def read(name):
        with gzip.open(samples / "finbench" / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter="|"))

    return read


@pytest.fixture(scope="module")
def night(module_bank, samples):
    shutil.copytree(samples / "finbench", module_bank.root / "landing" / "finbench")
    module_bank.source("finbench", mapping="finbench", path="landing/finbench")
    module_bank.first = module_bank.run()
    return module_bank


@pytest.fixture(scope="module")
def second_night(night):
    """The night after, with the same files; some are packed otherwise, so that every row of them is read and compared again."""
    for name in ("Company", "Account", "CompanyOwnAccount", "AccountTransferAccount"):
        path = night.root / "landing" / "finbench" / f"{name}.csv.gz"
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), compresslevel=1))
    before = night.last_transaction()
    outcome = night.run()
    return outcome, before, night.last_transaction()


def fen(yuan: str) -> int:
    return int((Decimal(yuan) * 100).quantize(Decimal(1), ROUND_HALF_UP))


@pytest.mark.parametrize(("question", "count"), COUNTS.items())
def test_neo4j_counts_what_the_files_hold(night, question, count):
    assert night.one(question) == count


def test_the_lake_holds_what_the_files_hold(night):
    assert {name: len(night.current(name)) for name in LAKE} == LAKE


def test_the_transfers_sum_to_the_fen_in_the_files_the_lake_and_neo4j(night, files):
    named = sum(fen(row["amount"]) for row in files("AccountTransferAccount"))
    withdrawn = sum(fen(row["amount"]) for row in files("AccountWithdrawAccount"))
    assert named == 18_964_484_043_365
    sums = Counter()
    for row in night.current("graph/TRANSFERRED_TO"):
        sums[row["channel"]] += row["amount_fen"]
    assert sums == {"transfer": named, "withdrawal": withdrawn}
    cypher = "MATCH ()-[r:TRANSFERRED_TO]->() RETURN r.channel AS channel, sum(r.amount_fen) AS fen"
    assert {row["channel"]: row["fen"] for row in night.ask(cypher)} == sums


@pytest.mark.parametrize(
    ("cypher", "file", "column"),
    [
        ("MATCH (:Loan)-[r:PAID_OUT_TO]->() RETURN sum(r.amount_fen)", "LoanDepositAccount", "amount"),
        ("MATCH ()-[r:REPAID]->(:Loan) RETURN sum(r.amount_fen)", "AccountRepayLoan", "amount"),
        ("MATCH (n:Loan) RETURN sum(n.amount_fen)", "Loan", "loanAmount"),
        ("MATCH (n:Loan) RETURN sum(n.balance_fen)", "Loan", "balance"),
    ],
)
def test_the_loans_sum_to_the_fen(night, files, cypher, file, column):
    assert night.one(cypher) == sum(fen(row[column]) for row in files(file))


def test_each_company_holds_the_shares_that_the_file_states(night, files):
    stated = {(row["investorId"], row["companyId"]): round(Decimal(row["ratio"]) * 1_000_000) for row in files("CompanyInvestCompany")}
    held = night.ask("MATCH (a:Company)-[r:HOLDS_SHARES]->(b:Company) RETURN a.id AS a, b.id AS b, r.share_ppm AS ppm")
    assert {(row["a"].rpartition(":")[2], row["b"].rpartition(":")[2]): row["ppm"] for row in held} == stated


def test_the_times_are_utc_of_clocks_in_shanghai(night, files):
    earliest = min(row["createTime"] for row in files("AccountTransferAccount"))
    cypher = "MATCH ()-[r:TRANSFERRED_TO {channel: 'transfer'}]->() WITH min(r.at) AS at RETURN toString(at + duration('PT8H'))"
    assert night.one(cypher)[:19].replace("T", " ") == earliest[:19].replace("T", " ")


@pytest.mark.parametrize(
    ("source", "parties", "key", "count"),
    [("CompanyOwnAccount", "Company", "companyId", 78), ("PersonOwnAccount", "Person", "personId", 95)],
)
def test_ownerships_whose_owner_nobody_knows_are_in_quarantine(night, files, source, parties, key, count):
    known = {row[key] for row in files(parties)}
    unknown = {line: row[key] for line, row in enumerate(files(source), 2) if row[key] not in known}
    refused = night.refused(f"finbench.{source}")
    assert len(refused) == len(unknown) == count
    assert {row["line"] for row in refused} == set(unknown)
    assert {(row["column"], row["rule"]) for row in refused} == {("owner", "unknown_end")}
    assert {row["line"]: row["value"].rpartition(":")[2] for row in refused} == unknown


def test_nothing_but_those_ownerships_was_refused(night):
    assert Counter(row["source"] for row in night.refused()) == {"finbench.CompanyOwnAccount": 78, "finbench.PersonOwnAccount": 95}
    told = night.first.results["load"]
    assert (told["rows"], told["accepted"], told["quarantined"]) == (told["inserted"] + 173, told["inserted"], 173)


def test_no_circle_of_guarantees_is_flagged_where_there_is_none(night, files):
    given = networkx.DiGraph()
    for kind in ("Company", "Person"):
        given.add_edges_from((f"{kind}{row['fromId']}", f"{kind}{row['toId']}") for row in files(f"{kind}Guarantee{kind}"))
    assert networkx.is_directed_acyclic_graph(given)
    assert "GUARANTEE_CIRCLE" not in {flag["reason"] for flag in night.flags()}


def test_the_export_is_signed_and_neo4j_holds_its_flags(night):
    folder = night.root / "export" / night.first.run_id
    assert night.cli("verify", str(folder)).exit_code == 0
    flags = {f"flag:{flag['flag_id']}": flag["entity_id"] for flag in map(json.loads, (folder / "flags.jsonl").read_text().splitlines())}
    assert {
        row["flag"]: row["party"] for row in night.ask("MATCH (p:Party)-[:FLAGGED]->(f:Flag) RETURN f.id AS flag, p.id AS party")
    } == flags


def test_lake_and_neo4j_hold_the_same(night):
    assert night.cli("store", "verify").exit_code == 0


def test_the_same_files_again_change_nothing(night, second_night):
    outcome, _, _ = second_night
    assert (outcome.results["load"]["inserted"], outcome.results["load"]["closed"]) == (0, 0)
    assert night.json("runs", "diff", night.first.run_id, outcome.run_id)["tables"] == []
    assert night.record(outcome.run_id)["tables"] == night.record(night.first.run_id)["tables"]


def test_the_same_files_again_write_nothing_to_neo4j(second_night):
    outcome, transaction_before, transaction_after = second_night
    assert (outcome.results["publish"]["written"], outcome.results["publish"]["deleted"]) == (0, 0)
    assert transaction_after == transaction_before


def test_an_increment_of_another_bank_is_refused_row_by_row_with_the_end_that_is_missing(night, second_night, shared, files):
    path = shared("finbench") / "incremental" / f"{INCREMENT}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        offered = list(csv.DictReader(file, delimiter="|"))
    known = {row["accountId"] for row in files("Account")}
    missing = {
        line: {column for column, head in (("payer", "fromId"), ("payee", "toId")) if row[head] not in known}
        for line, row in enumerate(offered, 2)
    }
    assert (len(offered), all(missing.values())) == (9_546, True)

    night.source("increment", mapping="finbench", path=str(path))
    outcome = night.run()

    refused = night.refused(f"finbench.{INCREMENT}")
    assert {row["line"]: {fault["column"] for fault in row["faults"]} for row in refused} == missing
    assert len(refused) == 9_546
    assert Counter(fault["column"] for row in refused for fault in row["faults"]) == {"payer": 9_523, "payee": 9_504}
    assert {fault["rule"] for row in refused for fault in row["faults"]} == {"unknown_end"}
    entry = next(entry for entry in outcome.sources if entry["source"] == f"finbench.{INCREMENT}")
    assert (entry["rows"], entry["accepted"], entry["quarantined"]) == (9_546, 0, 9_546)
    assert (outcome.results["publish"]["written"], outcome.results["publish"]["deleted"]) == (0, 0)
    assert night.one("MATCH ()-[r:TRANSFERRED_TO]->() RETURN count(r)") == 37_861 + 42_069
