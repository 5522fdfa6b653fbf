"""The list of refused rows tells the truth after each night and each replay: what came in is not on it, and what is not on it came in."""

from __future__ import annotations

import ibis
import pytest

from kg.engine import Engine

from .town import FIRST, payment

pytestmark = pytest.mark.untraced
DATABASE = False


@pytest.fixture
def nameless(teller):
    """The teller, whose payments are known by their content alone."""
    teller.source("transfers", record_id=[])
    return teller


def load(bank):
    (entry,) = [entry for entry in bank.run(only="load", as_of=FIRST).sources if entry["source"] == "transfers"]
    return entry


def replayed(bank):
    result = bank.run(only="load", replaying=()).results["load"]
    return {name: result[name] for name in ("brought_in", "released")}


def amounts(bank):
    return sorted(row["amount_fen"] // 100 for row in bank.current("records/transfers"))


def listed(bank):
    return [(row["file"], row["line"], row["value"]) for row in bank.refused()]


def paid(amount, payee="ACC1", number=""):
    return payment(number, "ACC0", payee, amount)


NOTHING, ONE = {"brought_in": 0, "released": 0}, {"brought_in": 1, "released": 1}
BAD = [("transfers.csv", 3, "sieben")]


# -- without a record id ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "now",
    [[paid("7"), paid("1"), paid("3")], [paid("7"), paid("3"), paid("8")], [paid("1"), paid("8"), paid("7")]],
    ids=["moved by one", "another row in its place", "a new row in its place"],
)
def test_no_row_is_called_released_or_brought_in_in_the_place_of_one_that_moved(nameless, now):
    nameless.deliver("transfers", [paid("1"), paid("sieben"), paid("3")])
    load(nameless)
    nameless.deliver("transfers", now)
    assert replayed(nameless) == NOTHING
    assert (amounts(nameless), listed(nameless)) == ([1, 3], BAD)


def test_a_mended_row_comes_in_by_its_line_though_others_changed_their_places(nameless):
    nameless.deliver("transfers", [paid("1"), paid("sieben"), paid("3")])
    load(nameless)
    nameless.deliver("transfers", [paid("3"), paid("7"), paid("1")])
    assert replayed(nameless) == ONE
    assert (amounts(nameless), listed(nameless)) == ([1, 3, 7], [])


def test_a_torn_row_comes_in_by_its_line_once_the_file_is_mended_and_leaves_the_list_when_a_night_takes_it_in(nameless):
    file = nameless.root / "landing" / "transfers.csv"
    whole = "payer,payee,amount_fen,at\nACC0,ACC1,1,2024-02-01 12:00:00\n"
    rows = ["ACC0,ACC1,7,2024-02-01 12:00:00\n", "ACC0,ACC1,8,2024-02-01 12:00:00\n"]
    file.write_text(whole + "ACC0,ACC1\nACC0\n")
    load(nameless)
    file.write_text(whole + rows[0] + "ACC0\n")
    assert replayed(nameless) == ONE
    file.write_text(whole + "".join(rows))
    assert load(nameless)["released"] == 1
    assert (amounts(nameless), listed(nameless)) == ([1, 7, 8], [])


def test_a_row_that_reads_like_one_that_is_in_is_not_called_released_until_a_night_tells_them_apart(nameless):
    nameless.deliver("transfers", [paid("7"), paid("sieben")])
    load(nameless)
    nameless.source("transfers", columns={"amount_fen": {"column": "amount_fen", "values": {"sieben": "7"}}})
    assert replayed(nameless) == NOTHING
    assert (amounts(nameless), listed(nameless)) == ([7], BAD)
    assert load(nameless)["released"] == 1
    assert (amounts(nameless), listed(nameless)) == ([7, 7], [])


@pytest.mark.parametrize("grown", [False, True], ids=["the same file", "a file that has grown"])
def test_a_row_that_a_night_takes_in_since_its_end_is_known_leaves_the_list_and_is_not_replayed_once_more(nameless, grown):
    nameless.deliver("transfers", [paid("1"), paid("2", "LATE1")])
    load(nameless)
    nameless.deliver("accounts", [{"account": account} for account in ("ACC0", "ACC1", "LATE1")])
    if grown:
        nameless.deliver("transfers", [paid("9"), paid("1"), paid("2", "LATE1")])
    entry = load(nameless)
    assert (entry["released"], entry["quarantined"]) == (1, 0)
    (row,) = nameless.json("quarantine", "list", "--left")["rows"]
    assert (row["left_as"], listed(nameless)) == ("accepted", [])
    before = amounts(nameless)
    assert replayed(nameless) == NOTHING
    assert amounts(nameless) == before == ([1, 2, 9] if grown else [1, 2])


def test_a_row_of_a_file_that_holds_other_rows_now_stays_on_the_list(nameless):
    nameless.deliver("transfers", [paid("1"), paid("sieben")])
    load(nameless)
    nameless.deliver("transfers", [paid("4"), paid("5")])
    load(nameless)
    assert (amounts(nameless), listed(nameless)) == ([1, 4, 5], BAD)


def test_as_many_of_equal_rows_leave_the_list_as_came_in(nameless):
    late = paid("2", "LATE1")
    nameless.source("transfers", path="landing/day*.csv")
    nameless.deliver("day1", [late, late])
    nameless.deliver("day2", [late, paid("1")])
    load(nameless)
    assert len(nameless.refused()) == 3
    nameless.deliver("accounts", [{"account": account} for account in ("ACC0", "ACC1", "LATE1")])
    nameless.deliver("day1", [late, paid("4"), paid("5")])
    entry = load(nameless)
    assert (amounts(nameless), entry["released"], len(nameless.refused())) == ([1, 2, 2, 4, 5], 2, 1)


# -- with a record id that was empty ------------------------------------------------------------------------------


GOOD, BLANK, MENDED = paid("1", number="a"), paid("2"), paid("2", number="b")


def test_a_row_whose_record_id_was_empty_comes_in_by_its_line_once_it_is_filled_in(teller):
    teller.deliver("transfers", [GOOD, BLANK])
    load(teller)
    teller.deliver("transfers", [GOOD, MENDED])
    assert replayed(teller) == ONE
    assert (amounts(teller), listed(teller)) == ([1, 2], [])


def test_a_row_whose_record_id_was_empty_leaves_the_list_when_a_night_takes_it_in(teller):
    teller.deliver("transfers", [GOOD, BLANK])
    load(teller)
    teller.deliver("transfers", [GOOD, MENDED])
    assert load(teller)["released"] == 1
    assert (amounts(teller), listed(teller)) == ([1, 2], [])


def test_another_row_in_the_place_of_one_whose_record_id_was_empty_is_not_taken_for_it(teller):
    teller.deliver("transfers", [GOOD, BLANK])
    load(teller)
    teller.deliver("transfers", [GOOD, paid("8", number="c")])
    assert replayed(teller) == NOTHING
    assert load(teller)["released"] == 0
    assert (amounts(teller), len(teller.refused())) == ([1, 8], 1)


def test_a_row_that_is_known_already_is_not_taken_for_one_whose_record_id_was_empty(teller):
    teller.source("transfers", path="landing/day*.csv")
    teller.deliver("day1", [GOOD])
    teller.deliver("day2", [BLANK])
    load(teller)
    teller.deliver("day2", [GOOD])
    assert replayed(teller) == NOTHING
    assert len(teller.refused()) == 1


# -- of an appending source ---------------------------------------------------------------------------------------


def test_a_refused_row_leaves_the_list_when_its_record_is_accepted_from_a_later_file(teller):
    teller.source("transfers", path="landing/day*.csv")
    teller.deliver("day1", [GOOD, paid("sieben", number="b")])
    load(teller)
    teller.deliver("day2", [MENDED])
    assert load(teller)["superseded"] == 1
    (row,) = teller.json("quarantine", "list", "--left")["rows"]
    assert (row["record_id"], row["left_as"], listed(teller)) == ("b", "superseded", [])


def test_a_refused_row_stays_on_the_list_while_the_later_word_on_its_record_is_refused_as_well(teller):
    teller.source("transfers", path="landing/day*.csv")
    teller.deliver("day1", [paid("sieben", number="b")])
    load(teller)
    teller.deliver("day2", [paid("acht", number="b")])
    load(teller)
    assert sorted(value for _, _, value in listed(teller)) == ["acht", "sieben"]


# -- what the runs say --------------------------------------------------------------------------------------------


def test_after_a_replay_the_nights_that_read_nothing_anew_count_no_row_as_refused_that_is_in(teller):
    teller.deliver("transfers", [GOOD, paid("2", "LATE1", "b")])
    assert load(teller)["quarantined"] == 1
    teller.deliver("accounts", [{"account": account} for account in ("ACC0", "ACC1", "LATE1")])
    assert load(teller)["quarantined"] == 1
    assert replayed(teller) == ONE
    entry = load(teller)
    assert (entry["accepted"], entry["quarantined"], listed(teller)) == (2, 0, [])


def test_a_row_of_a_file_that_is_gone_is_not_taken_off_what_other_files_had_refused(teller):
    teller.deliver("transfers", [paid("sieben", number="a")])
    load(teller)
    teller.deliver("transfers", [paid("3", number="c")])
    load(teller)
    teller.source("transfers", columns={"amount_fen": {"column": "amount_fen", "values": {"sieben": "7"}}})
    outcome = teller.run(only="load", replaying=())
    (entry,) = [entry for entry in outcome.sources if entry["source"] == "transfers"]
    assert (entry["rows"], entry["accepted"], entry["quarantined"], entry["released"]) == (1, 1, 0, 1)


def test_every_step_that_finds_refused_rows_again_compiles_for_spark_too(teller, monkeypatch):
    compiled = []

    def both(run):
        def also_for_spark(engine, expr, *args):
            compiled.append(ibis.to_sql(expr, dialect="pyspark"))
            return run(engine, expr, *args)

        return also_for_spark

    for name in ("_run", "write"):
        monkeypatch.setattr(Engine, name, both(getattr(Engine, name)))
    teller.source("transfers", path="landing/day*.csv")
    teller.deliver("day1", [GOOD, BLANK, paid("sieben", number="d")])
    load(teller)
    teller.deliver("day1", [GOOD, MENDED, paid("sieben", number="d")])
    teller.deliver("day2", [paid("7", number="d")])
    entry = load(teller)
    assert (entry["released"], entry["superseded"]) == (1, 1)
    teller.deliver("day2", [BLANK, GOOD])
    load(teller)
    replayed(teller)
    assert len(compiled) > 100
