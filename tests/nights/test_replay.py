"""Refused rows that come in later: only they, and only if they are good."""

from __future__ import annotations

import pytest

from .town import FIRST, SECOND, firms, payment

pytestmark = pytest.mark.untraced
DATABASE = False


def load(bank, **options):
    return bank.run(only="load", **options)


def numbers(bank):
    return sorted(row["record_id"] for row in bank.current("records/transfers"))


def replayed(bank):
    result = load(bank, replaying=()).results["load"]
    assert result.pop("superseded") == 0
    return result


GOOD, BAD = payment("1", "ACC0", "ACC1"), payment("2", "ACC0", "ACC1", "sieben")
MENDED = payment("2", "ACC0", "ACC1", "7")


def test_of_a_mended_file_only_what_was_refused_comes_in_and_the_rest_waits_for_the_gates_of_the_next_night(teller):
    teller.source("transfers", gate={"max_rejects": 0.5})
    teller.deliver("transfers", [GOOD, BAD])
    load(teller)
    torn = [payment(str(n), "ACC0", "NOBODY") for n in range(10, 20)]
    teller.deliver("transfers", [GOOD, MENDED, payment("3", "ACC1", "ACC2"), *torn])
    assert replayed(teller) == {"judged": 1, "brought_in": 1, "released": 1}
    assert (numbers(teller), teller.refused()) == (["1", "2"], [])
    night = teller.cli("run", "--only", "load")
    assert (night.exit_code, "10 of 13 new rows refused" in night.stderr) == (3, True)
    assert numbers(teller) == ["1", "2"]


def test_a_row_that_moved_to_another_line_is_found_by_its_number_and_no_other_row_is_taken_for_it(teller):
    teller.deliver("transfers", [GOOD, BAD, payment("3", "ACC1", "ACC2")])
    load(teller)
    teller.deliver("transfers", [GOOD, payment("3", "ACC1", "ACC2")])
    assert replayed(teller) == {"judged": 1, "brought_in": 0, "released": 0}
    assert [row["line"] for row in teller.refused()] == [3]
    teller.deliver("transfers", [MENDED, GOOD])
    assert replayed(teller) == {"judged": 1, "brought_in": 1, "released": 1}
    assert (numbers(teller), teller.refused()) == (["1", "2", "3"], [])


@pytest.mark.parametrize(("rows", "good"), [([GOOD, MENDED], 1), ([MENDED], 0)], ids=["the same lines", "lines that moved"])
def test_without_a_named_number_a_mended_row_is_found_by_its_line_where_no_line_moved(teller, rows, good):
    teller.source("transfers", mode="append", record_id=[])
    teller.deliver("transfers", [GOOD, BAD])
    load(teller)
    teller.deliver("transfers", rows)
    assert replayed(teller) == {"judged": 1, "brought_in": good, "released": good}
    assert len(teller.refused()) == 1 - good
    assert len(teller.current("records/transfers")) == 1 + good


def test_what_was_accepted_from_an_appending_source_is_not_replaced_by_a_replay(teller):
    teller.source("transfers", path="landing/day*.csv")
    teller.deliver("day1", [GOOD])
    load(teller)
    teller.deliver("day2", [payment("1", "ACC0", "ACC1", "sieben")])
    load(teller)
    teller.deliver("day2", [payment("1", "ACC0", "ACC1", "7")])
    assert replayed(teller) == {"judged": 1, "brought_in": 0, "released": 0}
    assert [row["amount_fen"] for row in teller.current("records/transfers")] == [100_00]


def test_a_refused_row_that_still_repeats_another_stays_refused_though_the_other_is_good(teller):
    teller.deliver("transfers", [GOOD, payment("1", "ACC0", "ACC1", "sieben")])
    load(teller)
    teller.deliver("transfers", [GOOD, payment("1", "ACC0", "ACC1", "7"), payment("3", "ACC1", "ACC2")])
    assert replayed(teller)["released"] == 0
    assert [(row["line"], row["rule"]) for row in teller.refused()] == [(3, "money")]
    assert [row["amount_fen"] for row in teller.current("records/transfers")] == [100_00]


def test_a_row_that_is_good_now_comes_in_though_another_file_of_its_source_was_changed_in_vain(teller):
    teller.source("transfers", path="landing/day*.csv")
    teller.deliver("day1", [payment("1", "ACC0", "LATE1")])
    teller.deliver("day2", [payment("2", "ACC0", "ACC1", "sieben"), GOOD | {"number": "3"}])
    load(teller)
    teller.deliver("accounts", [{"account": account} for account in ("ACC0", "ACC1", "ACC2", "ACC3", "LATE1")])
    load(teller)
    teller.deliver("day2", [payment("2", "ACC0", "ACC1", "acht"), GOOD | {"number": "3"}])
    (teller.root / "landing" / "day1.csv").unlink()
    assert replayed(teller) == {"judged": 2, "brought_in": 1, "released": 1}
    assert numbers(teller) == ["1", "3"]


def test_a_mended_row_of_a_full_source_comes_in_and_the_next_night_finds_nothing_new(registry):
    registry.deliver("companies", firms("A", capital_fen="100") + firms("B", capital_fen="zwei"))
    load(registry, as_of=FIRST)
    registry.deliver("companies", firms("A", capital_fen="100") + firms("B", capital_fen="200"))
    assert replayed(registry) == {"judged": 1, "brought_in": 1, "released": 1}
    (entry,) = load(registry, as_of=SECOND).sources
    assert (entry["inserted"], entry["closed"], entry["quarantined"]) == (0, 0, 0)


def test_of_a_full_source_the_first_row_of_a_record_counts_in_a_replay_too(registry):
    registry.source("companies", path="landing/day*.csv")
    registry.deliver("day1", firms("A", capital_fen="zwei"))
    registry.deliver("day2", firms("A", capital_fen="drei") + firms("B", capital_fen="5"))
    load(registry, as_of=FIRST)
    words = {}
    for word, capital, released in (("zwei", "200", 1), ("drei", "300", 0)):
        words[word] = capital
        registry.source("companies", columns={"capital_fen": {"column": "capital_fen", "values": dict(words)}})
        assert replayed(registry)["released"] == released
        assert sorted(row["capital_fen"] // 100 for row in registry.current("records/companies")) == [5, 200]
    (entry,) = load(registry).sources
    assert (entry["inserted"], entry["closed"], [row["rule"] for row in registry.refused()]) == (0, 0, ["duplicate"])


def test_a_mended_row_without_number_is_found_though_another_refused_row_of_its_file_stands_before_it(registry):
    registry.source("companies", mode="upsert")
    whole = [{"company": "", "name": name, "capital_fen": capital} for name, capital in (("N2", "8"), ("N3", "9"))]
    before = [{"company": "D", "name": "D", "capital_fen": "w3"}, {"company": "E", "name": "E", "capital_fen": "2"}]
    registry.deliver("companies", before + whole)
    load(registry, as_of=FIRST)
    registry.deliver("companies", before + [{**row, "company": row["name"]} for row in whole])
    assert replayed(registry) == {"judged": 3, "brought_in": 2, "released": 2}
    assert [row["value"] for row in registry.refused()] == ["w3"]


def test_of_two_rows_of_a_record_of_which_one_lies_in_no_file_any_more_that_in_a_file_comes_in_alone(registry):
    registry.source("companies", path="landing/day*.csv")
    registry.deliver("day1", firms("A", capital_fen="zwei"))
    registry.deliver("day2", firms("A", capital_fen="drei") + firms("B", capital_fen="5"))
    load(registry, as_of=FIRST)
    registry.deliver("day2", firms("B", capital_fen="6"))
    registry.source("companies", columns={"capital_fen": {"column": "capital_fen", "values": {"zwei": "200", "drei": "300"}}})
    assert load(registry, replaying=()).results["load"] == {"judged": 1, "brought_in": 1, "released": 1, "superseded": 1}
    assert sorted(row["capital_fen"] // 100 for row in registry.current("records/companies")) == [5, 200]


def test_a_mended_row_of_a_full_source_does_not_come_in_over_the_first_row_of_its_record_that_an_earlier_night_took(registry):
    registry.deliver("companies", firms("A", capital_fen="100"))
    load(registry, as_of=FIRST)
    registry.deliver("companies", firms("A", capital_fen="100") + firms("A", capital_fen="zwei"))
    load(registry)
    registry.source("companies", columns={"capital_fen": {"column": "capital_fen", "values": {"zwei": "200"}}})
    assert replayed(registry) == {"judged": 1, "brought_in": 0, "released": 0}
    assert [row["capital_fen"] for row in registry.current("records/companies")] == [100_00]


def test_a_row_that_is_good_where_it_stands_comes_in_and_leaves_the_list_whatever_an_unread_file_says_of_it(teller):
    teller.source("transfers", path="landing/day*.csv")
    teller.deliver("day1", [GOOD, BAD])
    load(teller)
    teller.deliver("day2", [payment("2", "ACC0", "ACC1", "9")])
    teller.source("transfers", columns={"amount_fen": {"column": "amount_fen", "values": {"sieben": "7"}}})
    assert replayed(teller) == {"judged": 1, "brought_in": 1, "released": 1}
    assert sorted(row["amount_fen"] for row in teller.current("records/transfers")) == [7_00, 100_00]
    assert teller.refused() == []


def test_a_row_that_is_mended_in_a_file_of_another_name_comes_in_and_leaves_the_list_though_the_old_file_is_still_there(teller):
    teller.source("transfers", path="landing/day*.csv")
    teller.deliver("day1", [GOOD, BAD])
    load(teller)
    teller.deliver("day2", [MENDED])
    assert replayed(teller) == {"judged": 2, "brought_in": 1, "released": 1}
    assert (numbers(teller), teller.refused()) == (["1", "2"], [])
