"""Refused rows of whose record the source has told anew since: they leave the list, and never come in over the newer word."""

from __future__ import annotations

import pytest
from deltalake import DeltaTable, write_deltalake

from .town import FIRST

pytestmark = pytest.mark.untraced
DATABASE = False


@pytest.fixture
def upserting(registry):
    registry.source("companies", mode="upsert")
    return registry


def firm(capital, company="A"):
    return {"company": company, "name": "A Ltd", "capital_fen": capital}


def load(bank, *rows, name="companies"):
    bank.deliver(name, rows)
    return bank.run(only="load", as_of=FIRST)


def mend(bank, **values):
    """Let the mapping understand words that it did not."""
    bank.source("companies", columns={"capital_fen": {"column": "capital_fen", "values": values}})


def replayed(bank):
    return bank.run(only="load", replaying=()).results["load"]


def capitals(bank):
    return [row["capital_fen"] // 100 for row in bank.current("records/companies")]


def left(bank):
    return [(row["value"], row["left_as"]) for row in bank.json("quarantine", "list", "--left")["rows"]]


def test_a_refused_row_leaves_the_list_when_a_later_delivery_tells_of_its_record_and_does_not_come_in_over_it(upserting):
    load(upserting, firm("zwei"))
    (entry,) = load(upserting, firm("300")).sources
    assert (entry["superseded"], upserting.refused()) == (1, [])
    assert left(upserting) == [("zwei", "superseded")]
    mend(upserting, zwei="200")
    assert replayed(upserting) == {"judged": 0, "brought_in": 0, "released": 0, "superseded": 0}
    assert capitals(upserting) == [300]


def test_a_record_that_a_later_delivery_told_as_it_was_before_is_newer_all_the_same(upserting):
    load(upserting, firm("100"))
    load(upserting, firm("zwei"))
    load(upserting, firm("100"), firm("7", "B"))
    mend(upserting, zwei="200")
    assert replayed(upserting)["brought_in"] == 0
    assert sorted(capitals(upserting)) == [7, 100]


def test_of_two_refused_rows_of_a_record_the_newer_one_is_on_the_list_and_comes_in(upserting):
    load(upserting, firm("zwei"))
    load(upserting, firm("drei"))
    assert [row["value"] for row in upserting.refused()] == ["drei"]
    mend(upserting, zwei="200", drei="300")
    assert replayed(upserting) == {"judged": 1, "brought_in": 1, "released": 1, "superseded": 0}
    assert (capitals(upserting), upserting.refused()) == ([300], [])


def test_a_replay_yields_to_the_record_of_a_later_run_where_the_number_was_not_known_when_the_row_was_refused(upserting):
    load(upserting, {"company": "", "code": "A", "name": "A Ltd", "capital_fen": "200"})
    load(upserting, {"code": "", **firm("300")})
    assert len(upserting.refused()) == 1
    upserting.source("companies", columns={"company": [{"column": "company"}, {"column": "code"}]})
    assert replayed(upserting) == {"judged": 0, "brought_in": 0, "released": 0, "superseded": 1}
    assert (capitals(upserting), upserting.refused()) == ([300], [])
    assert "has told of its record anew" in upserting.cli("quarantine", "list", "--left").stdout
    assert upserting.run(only="load").sources[0]["superseded"] == 0


def test_of_two_rows_whose_number_was_not_known_when_they_were_refused_the_newer_one_comes_in(upserting):
    for capital in ("300", "200"):
        load(upserting, {"company": "", "code": "A", "name": "A Ltd", "capital_fen": capital})
    upserting.source("companies", columns={"company": [{"column": "company"}, {"column": "code"}]})
    assert replayed(upserting)["released"] == 1
    assert capitals(upserting) == [200]


@pytest.mark.parametrize("nights", [1, 2])
def test_a_later_file_supersedes_a_row_of_an_earlier_one_whether_or_not_both_come_in_one_night(upserting, nights):
    upserting.source("companies", path="landing/day*.csv")
    upserting.deliver("day1", [firm("zwei"), firm("9", "B")])
    if nights == 2:
        upserting.run(only="load", as_of=FIRST)
    load(upserting, firm("300"), name="day2")
    assert (upserting.refused(), left(upserting)) == ([], [("zwei", "superseded")])
    # the old file is read once more, and its row is on no list again
    (entry,) = load(upserting, firm("5", "C"), name="day3").sources
    assert (entry["newly_quarantined"], entry["superseded"]) == (0, 0)
    assert (upserting.refused(), len(left(upserting))) == ([], 1)


def test_a_refused_row_that_comes_after_a_good_one_of_its_record_stays_on_the_list(upserting):
    load(upserting, firm("300"), firm("zwei"))
    assert [row["value"] for row in upserting.refused()] == ["zwei"]
    mend(upserting, zwei="200")
    assert replayed(upserting)["released"] == 0
    assert (capitals(upserting), len(upserting.refused())) == ([300], 1)


def test_a_row_that_is_refused_once_more_is_on_the_list_once_more(upserting):
    for capital in ("zwei", "300", "zwei"):
        load(upserting, firm(capital))
    assert [row["value"] for row in upserting.refused()] == ["zwei"]
    mend(upserting, zwei="200")
    assert replayed(upserting)["released"] == 1
    assert capitals(upserting) == [200]


def test_a_quarantine_that_an_earlier_version_of_the_program_made_is_gone_on_with(upserting):
    load(upserting, firm("zwei"))
    lake = upserting.root / "lake" / "quarantine"
    old = DeltaTable(lake).to_pyarrow_table().drop_columns(["record_id", "left_as"])
    write_deltalake(lake, old, mode="overwrite", schema_mode="overwrite")
    record = upserting.root / "runs" / upserting.runs()[-1] / "record.json"
    record.write_text(record.read_text().replace('"quarantine": 1', f'"quarantine": {DeltaTable(lake).version()}'))
    (row,) = upserting.json("quarantine", "list")["rows"]
    assert (row["value"], row["record_id"]) == ("zwei", None)
    load(upserting, firm("vier", "B"))
    assert {row["value"]: row["record_id"] for row in upserting.refused()} == {"zwei": None, "vier": "company:bank:B"}


def test_of_good_rows_of_one_record_that_of_the_newest_file_counts_and_the_others_are_not_refused(upserting):
    upserting.source("companies", path="landing/day*.csv")
    upserting.deliver("day1", [firm("100"), firm("9", "B")])
    upserting.deliver("day2", [firm("200")])
    (entry,) = load(upserting, firm("300"), firm("7", "C"), name="day3").sources
    told = {name: entry[name] for name in ("rows", "accepted", "quarantined", "overtaken", "inserted")}
    assert told == {"rows": 5, "accepted": 3, "quarantined": 0, "overtaken": 2, "inserted": 3}
    assert sorted(capitals(upserting)) == [7, 9, 300]
    # nothing new: nothing is written, and the same is said
    (entry,) = upserting.run(only="load", as_of=FIRST).sources
    assert (entry["accepted"], entry["overtaken"], entry["inserted"], entry["closed"]) == (3, 2, 0, 0)


def test_a_row_that_is_refused_leaves_the_word_of_an_older_file_and_one_file_does_not_tell_of_a_record_twice(upserting):
    upserting.source("companies", path="landing/day*.csv")
    upserting.deliver("day1", [firm("100")])
    (entry,) = load(upserting, firm("zwei"), firm("8", "B"), firm("9", "B"), name="day2").sources
    assert (entry["accepted"], entry["quarantined"], entry["overtaken"]) == (2, 2, 0)
    assert sorted(capitals(upserting)) == [8, 100]
    assert {row["rule"] for row in upserting.refused()} == {"money", "duplicate"}


OTHER = {"company": "B", "name": "B Ltd", "capital_fen": "7"}


def nameless(capital):
    return {"company": "", "code": "A", "name": "A Ltd", "capital_fen": capital}


def by_code(bank, **values):
    """Let the number of a company be found in its code too, and capitals be understood."""
    choices = [{"column": "company"}, {"column": "code"}]
    bank.source("companies", columns={"company": choices, "capital_fen": {"column": "capital_fen", "values": values}})


def days(bank, *files):
    """Deliver files of one upserting source, each with one row, in one night."""
    bank.source("companies", path="landing/day*.csv")
    for number, row in enumerate(files, start=1):
        bank.deliver(f"day{number}", [row])
    return bank.run(only="load", as_of=FIRST)


def test_a_row_of_an_older_file_whose_number_is_known_later_does_not_come_in_over_the_word_of_a_newer_file(upserting):
    days(upserting, nameless("200"), {"code": "", **firm("300")})
    by_code(upserting)
    assert replayed(upserting) == {"judged": 1, "brought_in": 0, "released": 0, "superseded": 1}
    assert (capitals(upserting), upserting.refused()) == ([300], [])
    assert upserting.run(only="load").sources[0]["inserted"] == 0


def test_of_two_refused_rows_of_a_record_that_of_the_newer_file_comes_in(upserting):
    days(upserting, nameless("200"), nameless("300"))
    by_code(upserting)
    assert replayed(upserting) == {"judged": 2, "brought_in": 1, "released": 1, "superseded": 1}
    assert (capitals(upserting), upserting.refused()) == ([300], [])


def test_of_two_refused_rows_whose_files_are_gone_that_of_the_newer_file_comes_in(upserting):
    days(upserting, nameless("200"), nameless("300"))
    upserting.deliver("day1", [{"code": "B", **OTHER}])
    (upserting.root / "landing" / "day2.csv").unlink()
    by_code(upserting)
    replayed(upserting)
    assert capitals(upserting) == [300]
    # the older one is repeated by it, and leaves when it is judged once more
    assert replayed(upserting)["superseded"] == 1
    assert (capitals(upserting), upserting.refused()) == ([300], [])


@pytest.mark.parametrize("gone", [False, True], ids=["files that are there", "files that are gone"])
def test_the_newest_word_comes_in_though_an_older_one_was_mended_in_between(upserting, gone):
    days(upserting, nameless("zwei"), nameless("drei"))
    if gone:
        upserting.deliver("day1", [{"code": "B", **OTHER}])
        (upserting.root / "landing" / "day2.csv").unlink()
    by_code(upserting, zwei="200")
    assert replayed(upserting)["released"] == 1
    assert [row["file"] for row in upserting.refused()] == ["day2.csv"]
    by_code(upserting, zwei="200", drei="300")
    assert replayed(upserting)["released"] == 1
    assert (capitals(upserting), upserting.refused()) == ([300], [])


def test_the_refused_word_of_a_newer_file_comes_in_over_the_good_one_of_an_older_file_of_the_same_night(upserting):
    days(upserting, firm("100"), firm("zwei"))
    assert capitals(upserting) == [100]
    mend(upserting, zwei="200")
    assert replayed(upserting) == {"judged": 1, "brought_in": 1, "released": 1, "superseded": 0}
    assert (capitals(upserting), upserting.refused()) == ([200], [])


def test_a_row_of_a_file_that_was_replaced_is_not_taken_for_the_one_that_stands_on_its_line(upserting):
    days(upserting, {"code": "", **firm("9", "C")}, nameless("zwei"))
    days(upserting, {"code": "", **firm("9", "C")}, {"code": "B", **OTHER})
    by_code(upserting, zwei="200")
    assert replayed(upserting)["released"] == 1
    assert sorted(capitals(upserting)) == [7, 9, 200]


def test_what_files_that_lie_there_tell_is_newer_than_a_row_of_a_file_that_is_gone(upserting):
    days(upserting, {"code": "", **firm("100")}, nameless("200"))
    (upserting.root / "landing" / "day2.csv").unlink()
    upserting.run(only="load", as_of=FIRST)
    by_code(upserting)
    assert replayed(upserting) == {"judged": 0, "brought_in": 0, "released": 0, "superseded": 1}
    assert capitals(upserting) == [100]


def holders(bank, *files):
    """Deliver files of one upserting source whose rows tell of several holders each; return who holds what after the night."""
    bank.source(
        "shareholders",
        path="landing/held*.csv",
        mode="upsert",
        record_id=["number"],
        columns={"holder": {"column": "holders", "split": ";", "by": "name", "label": "person"}},
        unknown_end="stub",
    )
    bank.deliver("companies", [{"company": "A", "name": "A Ltd"}])
    for number, told in enumerate(files, start=1):
        bank.deliver(
            f"held{number}", [{"number": row, "company": "A", "share_ppm": "10%", "holders": names} for row, names in told.items()]
        )
    bank.run(only="load", as_of=FIRST)
    return {row["record_id"]: row["holder"].rsplit("=")[-1] for row in bank.current("records/shareholders")}


@pytest.mark.parametrize("nights", [1, 2])
def test_parts_that_a_row_does_not_tell_any_more_end(registry, nights):
    old, new = {"1": "Wang;Li", "2": "Zhao"}, {"1": "Li"}
    if nights == 2:
        assert holders(registry, old) == {"1|0": "Wang", "1|1": "Li", "2|0": "Zhao"}
    assert holders(registry, old, new) == {"1|0": "Li", "2|0": "Zhao"}
    (entry,) = [e for e in registry.run(only="load", as_of=FIRST).sources if e["source"] == "shareholders"]
    assert (entry["inserted"], entry["closed"]) == (0, 0)


def test_a_row_that_is_refused_does_not_keep_the_parts_of_others_from_being_told(registry):
    assert holders(registry, {"1": "Wang;Li"}) == {"1|0": "Wang", "1|1": "Li"}
    registry.source("companies", mode="upsert")
    found = holders(registry, {"1": "Wang;Li"}, {"4": "Q", "5": " "})
    assert found == {"1|0": "Wang", "1|1": "Li", "4|0": "Q"}
    assert [row["rule"] for row in registry.refused()] == ["required"]


def shares(bank, **values):
    bank.source(
        "shareholders",
        columns={
            "holder": {"column": "holders", "split": ";", "by": "name", "label": "person"},
            "share_ppm": {"column": "share_ppm", "values": values},
        },
    )


def held(bank, number, row, names, share="10%"):
    bank.deliver(f"held{number}", [{"number": row, "company": "A", "share_ppm": share, "holders": names}])


def told(bank):
    return {row["record_id"]: row["holder"].rsplit("=")[-1] for row in bank.current("records/shareholders")}


@pytest.mark.parametrize("gone", [False, True], ids=["files that are there", "files that are gone"])
def test_parts_that_a_mended_row_does_not_tell_any_more_end_with_its_replay(registry, gone):
    holders(registry, {"1": "Wang;Li"})
    held(registry, 2, "1", "Li", "zehn")
    registry.run(only="load", as_of=FIRST)
    assert told(registry) == {"1|0": "Wang", "1|1": "Li"}
    if gone:
        (registry.root / "landing" / "held1.csv").unlink()
        held(registry, 2, "9", "Q")
        registry.run(only="load", as_of=FIRST)
    shares(registry, zehn="10%")
    assert replayed(registry)["released"] == 1
    assert told(registry) == ({"1|0": "Li", "9|0": "Q"} if gone else {"1|0": "Li"})
    assert registry.refused() == []


def test_parts_of_a_row_that_a_newer_one_does_not_tell_leave_the_list_and_do_not_come_in(registry):
    holders(registry, {"2": "Q"})
    held(registry, 1, "1", "Wang;Li;Zhao", "zehn")
    registry.run(only="load", as_of=FIRST)
    (registry.root / "landing" / "held1.csv").unlink()
    held(registry, 2, "1", "Li")
    registry.run(only="load", as_of=FIRST)
    assert registry.refused() == []
    shares(registry, zehn="10%")
    assert replayed(registry)["brought_in"] == 0
    assert told(registry) == {"1|0": "Li", "2|0": "Q"}


@pytest.mark.parametrize("nights", [1, 2])
def test_a_part_whose_new_version_is_refused_stays_as_the_file_before_told_it(registry, nights):
    choices = {"column": "holders", "split": ";", "by": "cnid", "label": "person"}
    registry.source(
        "shareholders", mode="upsert", path="landing/held*.csv", record_id=["number"], unknown_end="stub", columns={"holder": choices}
    )
    registry.deliver("companies", [{"company": "A", "name": "A Ltd"}])
    one, two, three = "11010519491231002X", "440524188001010014", "11010119900307109X"
    held(registry, 1, "1", f"{one};{two};{three}")
    if nights == 2:
        registry.run(only="load", as_of=FIRST)
    held(registry, 2, "1", f"110105194912310021;{three}")
    registry.run(only="load", as_of=FIRST)
    found = told(registry)
    assert sorted(found) == ["1|0", "1|1"]
    assert len(registry.refused()) == 1
    held(registry, 2, "1", f"{one};{three}")
    registry.run(only="load", as_of=FIRST)
    assert told(registry) == found


def test_rows_of_a_file_are_found_there_whatever_heads_another_file_has(upserting):
    upserting.source("companies", path="landing/day*.csv")
    upserting.deliver("day1", [firm("zwei"), firm("drei", "K"), firm("1", "Q")])
    upserting.deliver("day2", [{**firm("acht", "B"), "extra": "1"}, {**firm("2", "R"), "extra": ""}])
    upserting.run(only="load", as_of=FIRST)
    upserting.deliver("day2", [firm("2", "R"), firm("3", "S")])
    mend(upserting, zwei="200", drei="300", acht="800")
    assert replayed(upserting) == {"judged": 3, "brought_in": 3, "released": 3, "superseded": 0}
    assert sorted(capitals(upserting)) == [1, 2, 200, 300, 800]
    (entry,) = upserting.run(only="load").sources
    assert (entry["inserted"], entry["closed"], entry["newly_quarantined"]) == (1, 0, 0)


def test_heads_that_another_file_has_do_not_make_a_refusal_another_one(upserting):
    upserting.source("companies", path="landing/day*.csv")
    upserting.deliver("day1", [firm("zwei")])
    upserting.deliver("day2", [{**firm("acht", "B"), "extra": "1"}])
    upserting.run(only="load", as_of=FIRST)
    (upserting.root / "landing" / "day2.csv").unlink()
    (entry,) = upserting.run(only="load", as_of=FIRST).sources
    assert (entry["newly_quarantined"], entry["superseded"]) == (0, 0)


def test_a_row_that_is_known_by_now_and_says_what_its_record_says_leaves_the_list_as_come_in(upserting):
    days(upserting, {"code": "", **firm("300")}, nameless("300"))
    by_code(upserting)
    assert replayed(upserting)["released"] == 1
    assert (capitals(upserting), upserting.refused()) == ([300], [])


def test_what_a_file_tells_that_no_night_has_read_waits_though_it_names_a_refused_row(upserting):
    upserting.source("companies", path="landing/day*.csv")
    upserting.deliver("day1", [firm("zwei"), firm("5", "C")])
    upserting.run(only="load", as_of=FIRST)
    upserting.deliver("day2", [firm("108")])
    assert replayed(upserting)["brought_in"] == 0
    mend(upserting, zwei="200")
    assert replayed(upserting)["released"] == 0
    assert (sorted(capitals(upserting)), len(upserting.refused())) == ([5], 1)
    upserting.run(only="load")
    assert (sorted(capitals(upserting)), upserting.refused()) == ([5, 108], [])


def test_files_of_one_name_in_several_folders_are_told_apart_by_their_folders(upserting):
    upserting.source("companies", path="landing/*/day.csv")
    for folder, row in (("a", nameless("200")), ("b", nameless("300"))):
        (upserting.root / "landing" / folder).mkdir()
        upserting.deliver(f"{folder}/day", [row])
    upserting.run(only="load", as_of=FIRST)
    assert sorted(row["file"] for row in upserting.refused()) == ["a/day.csv", "b/day.csv"]
    by_code(upserting)
    assert replayed(upserting)["released"] == 1
    assert capitals(upserting) == [300]


@pytest.mark.parametrize("newer", ["300", "400"], ids=["told alike", "told anew"])
def test_a_row_that_a_night_knows_by_now_leaves_the_list_though_its_record_need_not_be_written(upserting, newer):
    days(upserting, {"code": "", **firm("300")}, nameless("300"), {"code": "", **firm(newer)})
    assert len(upserting.refused()) == 1
    by_code(upserting)
    (entry,) = upserting.run(only="load").sources
    assert (entry["inserted"], entry["released"], entry["superseded"]) == (0, 0, 1)
    assert upserting.refused() == []


def test_a_row_that_says_what_its_record_says_leaves_the_list_as_come_in_once_a_night_knows_its_number(upserting):
    days(upserting, {"code": "", **firm("300")}, nameless("300"))
    by_code(upserting)
    (entry,) = upserting.run(only="load").sources
    assert (entry["inserted"], entry["released"], entry["superseded"]) == (0, 1, 0)
    assert (capitals(upserting), upserting.refused()) == ([300], [])


def test_of_two_rows_of_a_record_in_one_file_the_first_good_one_counts_in_the_night_and_in_a_replay(upserting):
    load(upserting, firm("eins"), firm("zwei"), firm("1", "Q"))
    assert len(upserting.refused()) == 2
    mend(upserting, eins="100", zwei="200")
    twin = upserting.copy(upserting.root.parent / "twin")
    assert replayed(upserting)["released"] == 1
    twin.run(only="load")
    assert sorted(capitals(upserting)) == sorted(capitals(twin)) == [1, 100]
    assert upserting.run(only="load").sources[0]["inserted"] == 0
