import random
from datetime import date, timedelta

import ibis
import pyarrow as pa
import pytest
import stdnum.cn.ric
import stdnum.cn.uscc
import stdnum.luhn
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.engine import Engine
from kg.errors import UsageError
from kg.identifiers import (
    USCC_ALPHABET,
    IdentifierError,
    canonical,
    county_is_known,
    uscc_fault,
    uscc_spelled,
)

GOOD = "91110000600037341L"


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill")) as opened:
        yield opened


def faults(engine, codes):
    table = engine.arrow(pa.table({"code": pa.array(codes, pa.string())}))
    return engine.table(table.select(fault=uscc_fault(uscc_spelled(table.code))))["fault"].to_pylist()


def rule(kind, text):
    """Return the rule that a value breaks, or None."""
    try:
        canonical(kind, text)
    except IdentifierError as error:
        return error.rule
    return None


def organisation(seed):
    """Return an organisation code with its check digit, by the wording of GB 11714."""
    code = "".join(random.Random(seed).choices("0123456789ABCDEFGHJKLMNPQRTUWXY", k=8))
    total = sum(int(c, 36) * w for c, w in zip(code, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    check = 11 - total % 11
    return code + {10: "X", 11: "0"}.get(check, str(check))


def code(seed, first="9"):
    """Return a valid unified social credit code; the oracle's check digit knows digits in front only."""
    body = f"{first}{random.Random(seed).randrange(10**7):07d}{organisation(seed)}"
    total = sum(USCC_ALPHABET.index(c) * pow(3, place, 31) for place, c in enumerate(body))
    return body + USCC_ALPHABET[-total % 31]


def person(seed):
    """Return an identity number of a day between 1930 and 2020, with the oracle's check digit."""
    chance = random.Random(seed)
    day = date(1930, 1, 1) + timedelta(days=chance.randrange(365 * 90))
    body = f"360426{day:%Y%m%d}{chance.randrange(1000):03d}"
    return body + stdnum.cn.ric.calc_check_digit(body + "0")


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 2**32), min_size=1, max_size=80), st.sampled_from("159ANY"))
def test_valid_codes_of_companies_pass_with_every_first_letter(engine, seeds, first):
    codes = [code(seed, first) for seed in seeds]
    assert faults(engine, codes) == [None] * len(codes)
    assert [rule("uscc", text) for text in codes] == [None] * len(codes)
    if first.isdigit():
        assert all(stdnum.cn.uscc.is_valid(text) for text in codes)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 2**32), st.integers(0, 17), st.sampled_from(USCC_ALPHABET)), min_size=1, max_size=80))
def test_one_wrong_character_in_a_code_is_found(engine, changes):
    codes = []
    for seed, place, character in changes:
        good = code(seed)
        codes.append(good[:place] + character + good[place + 1 :])
    found = faults(engine, codes)
    assert found == [rule("uscc", text) for text in codes]
    for text, fault, (seed, *_) in zip(codes, found, changes, strict=True):
        assert (fault is None) == (text == code(seed))


@settings(deadline=None, max_examples=20)
@given(st.lists(st.one_of(st.text(max_size=20), st.text(USCC_ALPHABET, min_size=18, max_size=18)), max_size=100))
def test_the_expression_and_the_function_agree_on_any_text(engine, texts):
    spelled = [text.upper() for text in texts if text.isascii()]
    spelled = [text.strip() for text in spelled]
    assert faults(engine, spelled) == [rule("uscc", text) for text in spelled]


def test_an_identity_number_is_no_company_code_though_it_passes_two_checks(engine):
    number = "362322198709086409"
    assert stdnum.cn.uscc.is_valid(number)
    assert canonical("cnid", number) == number
    assert faults(engine, [number]) == ["uscc_organisation"]
    assert rule("uscc", number) == "uscc_organisation"


def test_the_zeros_that_stand_for_no_code_are_no_code(engine):
    assert stdnum.cn.uscc.is_valid("0" * 18)
    assert faults(engine, ["0" * 18]) == ["uscc"]
    assert rule("uscc", "0" * 18) == "uscc"


def test_codes_are_named_by_what_they_break(engine):
    wrong = [GOOD, GOOD.lower(), f"{GOOD[:8]}-{GOOD[8:]}", GOOD[:-1], GOOD[:-1] + "M", GOOD.replace("6", "O"), "B" + GOOD[1:], None]
    assert faults(engine, wrong) == [None, None, None, "uscc", "uscc_check", "uscc", "uscc", None]
    assert canonical("uscc", "９１１１００００ 6000 3734 1l") == GOOD


@given(st.integers(0, 2**32))
def test_identity_numbers_agree_with_the_library(seed):
    number = person(seed)
    assert canonical("cnid", number.lower()) == number
    wrong = number[:16] + str((int(number[16]) + 1) % 10) + number[17]
    assert rule("cnid", wrong) == "cnid_check"


@given(st.integers(0, 2**32))
def test_an_old_identity_number_becomes_the_new_one(seed):
    number = person(seed)
    if number[6:8] == "19" and number[14:17] < "996":
        assert canonical("cnid", number[:6] + number[8:17]) == number


def test_an_old_number_of_a_person_born_before_1900_is_told_by_its_order():
    assert canonical("cnid", "360426990101996")[6:14] == "18990101"


def test_identity_numbers_are_named_by_what_they_break():
    assert rule("cnid", "36042619910101007") == "cnid"
    assert rule("cnid", "36042619910101007A") == "cnid"
    assert rule("cnid", "360426199101010072") == "cnid_check"
    body = "36042619910230007"
    assert rule("cnid", body + stdnum.cn.ric.calc_check_digit(body + "0")) == "cnid_birth"
    assert rule("cnid", "360426910230007") == "cnid_birth"


def test_an_unknown_county_is_no_error_but_can_be_asked_for():
    body = "99999919910101007"
    number = body + stdnum.cn.ric.calc_check_digit(body + "0")
    assert canonical("cnid", number) == number
    assert not county_is_known(number)
    assert not county_is_known("339501198208231330"), "a province that is one, a county that never was"
    assert county_is_known("360426199101010071")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("139 1234 5678", "13912345678"),
        ("+86-139-1234-5678", "13912345678"),
        ("008613912345678", "13912345678"),
        ("8613912345678", "13912345678"),
        ("１３９１２３４５６７８", "13912345678"),
        ("(010) 6278-1234", "01062781234"),
        ("+86 10 6278 1234", "01062781234"),
        ("+86 (0)10 6278 1234", "01062781234"),
        ("86 851 8512345", "08518512345"),
        ("010-62781234-801", "01062781234"),
        ("021-62781234转12", "02162781234"),
        ("400-810-1234", "4008101234"),
        ("+1 212 555 0100", "+12125550100"),
        ("00852 2345 6789", "+85223456789"),
    ],
)
def test_phones_have_one_spelling(text, number):
    assert canonical("phone", text) == number


@pytest.mark.parametrize("text", ["", "12", "12912345678", "62781234", "139123456789", "+86 12", "phone", "010-1234567", "1391234567a"])
def test_what_is_no_phone_is_refused(text):
    assert rule("phone", text) == "phone"


@given(st.text(max_size=30))
def test_no_text_makes_a_validator_fail_and_no_error_repeats_it(text):
    for kind in ("uscc", "cnid", "phone", "email", "account", "device"):
        if rule(kind, text) is None:
            once = canonical(kind, text)
            assert canonical(kind, once) == once
            continue
        with pytest.raises(IdentifierError) as raised:
            canonical(kind, text)
        assert str(raised.value) == f"the value breaks the rule '{raised.value.rule}'"


def test_other_identifiers_have_one_spelling():
    assert canonical("email", " Li.Lei@Example.CN ") == "li.lei@example.cn"
    assert canonical("account", "6222 0212-3456 7890") == "6222021234567890"
    assert canonical("account", "gb82west12345698765432") == "GB82WEST12345698765432"
    assert canonical("device", " aa:bb:cc ") == "AA:BB:CC"


@pytest.mark.parametrize(
    ("kind", "text"),
    [("email", "li@"), ("email", "li lei@a.cn"), ("email", "@a.cn"), ("account", "123"), ("account", "12_456"), ("device", " ")],
)
def test_what_is_no_identifier_is_refused(kind, text):
    assert rule(kind, text) == kind


def test_a_kind_that_is_not_known_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="no kind of identifier named 'fone'; did you mean 'phone'"):
        canonical("fone", "1")


@pytest.mark.parametrize("dialect", ["duckdb", "pyspark"])
def test_the_expressions_compile_for_both_engines(dialect):
    table = ibis.table({"code": "string"}, name="t")
    assert ibis.to_sql(table.select(fault=uscc_fault(uscc_spelled(table.code))), dialect=dialect)
