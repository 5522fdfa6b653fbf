"""What a run did, for people: each stage with what it said, and what should be known of it."""

from kg import report


def test_what_should_be_known_of_a_stage_stands_below_it():
    derived = {
        "graph/PAID": {"inserted": 1_200, "closed": 3},
        "made_with": {"timezone": "Asia/Shanghai"},
        "notes": ["rings: 2 were left out"],
    }
    summary = {"run_id": "r", "as_of": "2024-06-01", "began": "starts over", "sources": [], "seconds": {"derive": 1.25}}
    lines = report.text({**summary, "results": {"derive": derived}}).splitlines()
    assert lines[-2:] == ["  derive        1.2 s  1,200 rows new, 3 ended, in 1 tables", "    note: rings: 2 were left out"]
