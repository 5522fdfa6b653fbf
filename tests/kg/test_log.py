import io
import json
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.log import capture_libraries, logger, scrub

PERSONAL = [
    "11010519491231002X",
    "13800138000",
    "+86 138-0013-8000",
    "6222020200112233445",
    "6222 0202 0011 2233 445",
    "li.si@example.com.cn",
    "138.0013.8000",
    "110105-19491231-002X",
    "110105491231002",
    "6222/0202/0011/2233",
    "li.si @ example.cn",
    "１３８００１３８０００",
    "1234567890123",
]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("clear", PERSONAL)
def test_no_event_carries_a_personal_identifier(form, clear):
    out = io.StringIO()
    log = logger("info", form, out)
    log.info(f"seen {clear}", value=clear, deep={"rows": [clear, (clear,)]}, count=3)
    try:
        int(f"not a number: {clear}")
    except ValueError:
        log.exception("failed")
    assert "seen" in out.getvalue()
    assert "ValueError" in out.getvalue()
    assert clear not in out.getvalue()


@settings(deadline=None)
@given(st.text("abc:-. ", max_size=8), st.sampled_from(PERSONAL), st.text("-. ，。", max_size=4))
def test_an_identifier_is_found_between_any_words(before, clear, after):
    assert clear not in scrub(f"{before} {clear}{after}")


@pytest.mark.parametrize(
    "harmless",
    [
        "company:uscc:911100007109310534",
        "run 20231122T184300Z",
        "967 companies",
        "amount 12.34",
        "a1b2c3d4e5f60718293a4b5c6d7e8f90",
        "2023-11-22 18:43:00.123456",
        "transfers of 2026-01-31: 1,234,567.50 in 20260401T000000Z",
        "record T000000000001 of rows 137438953472",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "account:ICBC:mfrggzdfmztwq2lkmfrggzdf",
        "bolt://192.168.100.123:17687",
        "took 0.13800138000 s",
    ],
)
def test_what_names_nobody_is_kept(harmless):
    assert scrub(harmless) == harmless


def test_only_what_can_be_a_code_of_a_company_is_kept_after_the_word():
    assert scrub("company:uscc:911100007109310534, company:uscc:13800138000") == "company:uscc:911100007109310534, company:uscc:<phone>"
    assert scrub("company:uscc:9111000071093105345") == "company:uscc:<card>"


def test_json_events_are_one_object_a_line_with_time_and_level():
    out = io.StringIO()
    log = logger("warning", "json", out)
    log.info("left out")
    log.warning("公司", rows=3, when=None)
    (line,) = out.getvalue().splitlines()
    assert json.loads(line) | {"timestamp": ""} == {"event": "公司", "rows": 3, "when": None, "level": "warning", "timestamp": ""}


def test_text_is_plain_where_there_is_no_terminal():
    out = io.StringIO()
    logger("info", "text", out).info("loaded", rows=3)
    assert "\x1b" not in out.getvalue()
    assert "loaded" in out.getvalue()
    assert "rows=3" in out.getvalue()


def test_what_libraries_log_is_scrubbed_too(monkeypatch):
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    out = io.StringIO()
    capture_libraries(logger("info", "json", out))
    logging.getLogger("some.library").warning("cannot call %s", "13800138000")
    logging.getLogger("some.library").info("left out")
    assert json.loads(out.getvalue())["event"] == "cannot call <phone>"
