import random
import re
from datetime import date, timedelta

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import stdnum.cn.ric
import stdnum.luhn
from hypothesis import given, settings
from hypothesis import strategies as st

import kg.log
from kg.personal import EMAIL, FORMS, LONG_NUMBER, WHOLE, likeness, scrub

#: What people, tables and word processors put between digits.
BETWEEN = " \t\n\u00a0\u2002\u2009\u200b\u3000\ufeff.·•・．/／-‐‑–—−－_＿()（）"
between = st.text(BETWEEN, min_size=1, max_size=3)
numbers = st.integers(0, 2**32)
#: Every call reads the patterns anew, which takes longer than the search.
slow = settings(deadline=None, max_examples=40, derandomize=True)


def person(seed):
    """Return an identity number of a day between 1930 and 2020, with its check digit."""
    chance = random.Random(seed)
    day = date(1930, 1, 1) + timedelta(days=chance.randrange(365 * 90))
    body = f"360426{day:%Y%m%d}{chance.randrange(1000):03d}"
    return body + stdnum.cn.ric.calc_check_digit(body + "0")


def old_person(seed):
    """Return an identity number of 15 digits."""
    number = person(seed)
    return number[:6] + number[8:17]


def mobile(seed):
    return f"1{3 + seed % 7}{random.Random(seed).randrange(10**9):09d}"


def card(seed):
    """Return a bank card of 16 to 19 digits with its check digit."""
    chance = random.Random(seed)
    body = "62" + "".join(chance.choices("0123456789", k=chance.randrange(13, 17)))
    return body + stdnum.luhn.calc_check_digit(body)


@st.composite
def groups(draw, number, least=3, most=6):
    """Cut a number into groups, with anything between them."""
    parts = []
    while number:
        allowed = [size for size in range(least, most + 1) if len(number) - size >= least or len(number) == size]
        size = draw(st.sampled_from(allowed)) if allowed else len(number)
        parts.append(number[:size])
        number = number[size:]
    return "".join(part + (draw(between) if place < len(parts) - 1 else "") for place, part in enumerate(parts))


def scrubbed(text):
    return scrub(pa.array([text]))[0].as_py()


def logged(text):
    return kg.log.scrub(text)


def digits(text):
    return sum(sign.isdigit() for sign in text)


def all_of(clean, texts):
    """Clean several texts; in one call, where each call reads the patterns anew."""
    return scrub(pa.array(texts)).to_pylist() if clean is scrubbed else [clean(text) for text in texts]


PLACES = pytest.mark.parametrize("clean", [scrubbed, logged])


@PLACES
@slow
@given(numbers, st.data())
def test_a_phone_is_found_whatever_stands_between_its_digits(clean, seed, data):
    number = mobile(seed)
    spelled = data.draw(st.one_of(groups(number), groups(number, 1, 1), groups(number, 11, 11)))
    abroad = data.draw(st.sampled_from(["", "+86", "0086 ", "86-", "(+86) "]))
    assert digits(clean(f"电话 {abroad}{spelled} 转")) == 0


@PLACES
@slow
@given(numbers, st.data())
def test_a_card_is_found_whatever_stands_between_its_digits(clean, seed, data):
    number = card(seed)
    spelled = data.draw(st.one_of(groups(number), groups(number, 1, 1), groups(number, 4, 4), groups(number, 6, 13), st.just(number)))
    assert digits(clean(f"卡号 {spelled}。")) == 0


@PLACES
@slow
@given(numbers, st.data())
def test_an_identity_card_is_found_whatever_stands_between_its_digits(clean, seed, data):
    number = data.draw(st.sampled_from([person(seed), person(seed).lower()]))
    spelled = data.draw(groups(number, 1, 18))
    assert digits(clean(f"身份证 {spelled}，")) == 0
    old = data.draw(groups(old_person(seed), 3, 15))
    assert digits(clean(f"身份证 {old}，")) == 0
    assert (
        digits(clean("号 " + data.draw(between).join([old_person(seed)[a:b] for a, b in ((0, 6), (6, 8), (8, 10), (10, 12), (12, 15))])))
        == 0
    )


@PLACES
@pytest.mark.parametrize(
    "spelled", ["li.si@example.cn", "li @ example.cn", "li\u3000@\u00a0mail.example.cn", "李四@例子.中国", "ｌｉ＠example.cn"]
)
def test_an_address_is_found_with_blanks_around_its_sign(clean, spelled):
    assert clean(f"邮箱 {spelled}").partition(" ")[2] in ("[email]", "<e-mail>")


@PLACES
@slow
@given(numbers)
def test_digits_of_full_width_are_digits(clean, seed):
    for number in (mobile(seed), card(seed), person(seed)):
        wide = number.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
        assert digits(clean(wide)) == 0


@PLACES
@slow
@given(numbers, st.sampled_from([",", ":", "，", "："]))
def test_a_number_with_commas_or_colons_is_found_in_the_groups_in_which_people_write_it(clean, seed, mark):
    phone, one, old = mobile(seed), person(seed), old_person(seed)
    long = "62" + card(seed)[2:].ljust(17, "7")[:17]
    spelled = [mark.join((phone[:3], phone[3:7], phone[7:])), f"+86{mark}" + mark.join((phone[:3], phone[3:7], phone[7:]))]
    spelled += [mark.join((one[:6], one[6:14], one[14:])), mark.join((one[:6], one[6:10], one[10:12], one[12:14], one[14:]))]
    spelled += [mark.join((old[:6], old[6:12], old[12:])), mark.join(long[place : place + 4] for place in range(0, 19, 4))]
    spelled += [mark.join(("010", "62781234")), mark.join(("0851", "851", "2345"))]
    found = all_of(clean, [f"联系 {text} 转" for text in spelled])
    assert [text for text, left in zip(spelled, found, strict=True) if digits(left)] == []


@PLACES
@slow
@given(numbers, st.sampled_from([0x660, 0x6F0, 0xFF10]))
def test_digits_of_other_scripts_are_digits(clean, seed, zero):
    phone, script = mobile(seed), {ord("0") + digit: zero + digit for digit in range(10)}
    written = (phone, card(seed), person(seed), "-".join((phone[:3], phone[3:7], phone[7:])))
    assert [digits(text) for text in all_of(clean, ["电话" + number.translate(script) for number in written])] == [0] * 4


@PLACES
@slow
@given(st.integers(0, 10**15 - 1))
def test_an_amount_of_any_size_stays_as_it_is_with_commas(clean, yuan):
    for text in (f"{yuan:,}", f"{yuan:,}.50元", f"还款{yuan:,}，余{yuan:,}"):
        assert clean(text) == text


@PLACES
@slow
@given(numbers, numbers)
def test_two_mobile_numbers_without_a_sign_between_them_are_both_found(clean, seed, other):
    assert digits(clean(f"电话 {mobile(seed)}{mobile(other)} 转")) == 0


@slow
@given(
    numbers, numbers, st.sampled_from([" ", "/", ", ", "、", " 和 "]), st.sampled_from([mobile, card, person, lambda seed: f"a{seed}@b.cn"])
)
def test_two_identifiers_side_by_side_are_both_found(seed, other, between, of):
    assert digits(scrubbed(f"{of(seed)}{between}{of(other)}")) == 0
    assert digits(logged(f"{of(seed)}{between}{of(other)}")) == 0


def test_nothing_is_left_of_a_card_that_holds_what_looks_like_an_identity_card():
    for spelled in ("6222021990010112345", "6222 0219 9001 0112 345"):
        assert scrubbed(f"卡{spelled}") == "卡[card]"
        assert logged(f"card {spelled}") == "card <card>"


@slow
@given(numbers, st.sampled_from(["", "转账给", " note ", "A"]), st.sampled_from(["", "号", ", thanks", "B"]))
def test_planted_identifiers_leave_no_trace_in_free_text(seed, before, after):
    plants = [
        person(seed),
        old_person(seed),
        card(seed),
        mobile(seed),
        f"li{seed}@bank.example.cn",
        f"+86 {mobile(seed)}",
        f"0{mobile(seed)}",
    ]
    for planted, clean in zip(plants, scrub(pa.array([before + plant + after for plant in plants])).to_pylist(), strict=True):
        assert planted not in clean
        assert digits(clean) == 0


HARMLESS = [
    "货款 2020年3月",
    "invoice 20200309",
    "合同 HT-2020-17",
    "2026-01-31 12:30:45",
    "12,345,678.90元 2026-01-31",
    "100件@5.5元",
    "10 units @ 5.50 each",
    "还款12000.00 2023-01-31",
    "1500 2023-01-15",
    "192.168.100.123",
    "1,234,567,890",
    "138,123,456",
    "2019,2020,2021,2022年度",
    "500,1000,2000",
    "08:30:00,09:30:00",
    "2026-01-31 12:30:45,2026-02-01 08:00:00",
]


@PLACES
@pytest.mark.parametrize("text", HARMLESS)
def test_what_names_nobody_stays_as_it_is(clean, text):
    assert clean(text) == text


days = st.dates(date(1980, 1, 1), date(2035, 12, 31))


@PLACES
@slow
@given(
    days,
    days,
    st.times(),
    st.integers(0, 10**11),
    st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"]),
    st.sampled_from("-~ /至"),
)
def test_days_times_and_amounts_stay_as_they_are(clean, first, last, time, fen, form, between):
    for text in (f"{first:{form}}", f"{first:%Y-%m-%d} {time:%H:%M:%S}", f"{first:{form}}{between}{last:{form}}利息", f"{fen / 100:,.2f}"):
        assert clean(text) == text


def test_null_and_blank_stay_and_what_surrounds_an_identifier_is_kept():
    texts = pa.array(["货款", None, ""])
    assert scrub(texts).equals(texts)
    assert len(scrub(texts[:0])) == len(likeness(texts[:0])[0]) == 0
    mixed = pa.array(["电话 010-62781234", None, "货款", "(0851) 851 2345", "+86 10 6278 1234"])
    assert scrub(mixed).to_pylist() == ["电话 [phone]", None, "货款", "[phone]", "[phone]"]


@slow
@given(st.lists(st.text("0123456789Xx+@.a -/(" + BETWEEN + "电", max_size=40), max_size=20))
def test_arrow_duckdb_and_python_read_the_patterns_alike(texts):
    column = pa.array(texts, pa.string())
    with duckdb.connect() as engine:
        for pattern in (EMAIL, LONG_NUMBER, WHOLE, *(form.pattern for form in FORMS)):
            by_python = [re.search(pattern, text) is not None for text in texts]
            assert pc.match_substring_regex(column, pattern).to_pylist() == by_python
            found = engine.execute(
                "SELECT list_transform($texts::VARCHAR[], lambda t: regexp_matches(t, $pattern))", {"texts": texts, "pattern": pattern}
            )
            assert found.fetchone()[0] == by_python


@slow
@given(numbers, st.data())
def test_a_whole_value_is_known_in_any_spelling(seed, data):
    for number, kind in ((mobile(seed), "phone"), (card(seed), "account"), (person(seed), "cnid"), (old_person(seed), "cnid")):
        spelled = data.draw(groups(number))
        kinds, bare = likeness(pa.array([spelled, f"no {spelled}", f"{spelled}-A"]))
        assert kinds[0].as_py() in ({kind} if kind != "account" else {"account", "cnid"})
        assert kinds.to_pylist()[1:] == [None, None]
        assert bare[0].as_py() == number
        assert pc.all(pc.match_substring_regex(pa.array([spelled, number]), WHOLE)).as_py()


def is_issued(number):
    """Say whether cards of that length are issued under the number's first digits."""
    if number.startswith("62"):
        return True
    if len(number) == 16:
        return number[0] == "4" or number[:2] in {"35", "51", "52", "53", "54", "55", "22", "23", "24", "25", "26", "27"}
    return len(number) == 19 and number.startswith("9558")


@slow
@given(st.sampled_from(["", "62", "4", "52", "35", "9558"]), st.text("0123456789", min_size=16, max_size=19))
def test_the_check_digit_of_a_card_is_that_of_the_library(begin, number):
    number = begin + number[len(begin) :]
    (kind,) = likeness(pa.array([number]))[0].to_pylist()
    assert kind == "cnid" or (kind == "account") == (is_issued(number) and stdnum.luhn.is_valid(number))


def test_a_long_serial_number_is_no_card_though_its_check_digit_is_right():
    assert stdnum.luhn.is_valid("4611686018427387900")
    assert likeness(pa.array(["4611686018427387900"]))[0].to_pylist() == [None]


@pytest.mark.parametrize(
    "own",
    ["C01", "L-2020-000017", "14/2020/00123", "T000000000001", "202601310000001", "(2020)京01民初1号", "1380013800", "91110000600037341L"],
)
def test_a_number_of_a_source_looks_like_no_identifier(own):
    assert likeness(pa.array([own]))[0].to_pylist() == [None]
