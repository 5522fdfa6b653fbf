"""The graph's ids: one way to make them, and nothing personal in them."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
import stdnum.luhn

from kg.engine import Engine
from kg.errors import UsageError
from kg.identifiers import IdentifierError, canonical_or_none
from kg.ids import disguised, graph_id, label_of, prefix_of, shielded, split_id, without_identifiers
from kg.privacy import Keyring

GOOD = "91110000600037341L"


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill")) as opened:
        yield opened


@pytest.fixture(scope="module")
def keyring(tmp_path_factory):
    return Keyring.create(tmp_path_factory.mktemp("workspace") / "keys")


def test_a_kind_of_id_that_is_not_known_is_refused_with_the_nearest(keyring):
    with pytest.raises(UsageError, match="no kind of id named 'acount'; did you mean 'account'"):
        graph_id("acount", "1", keyring)


def test_ids_are_built_in_one_way(keyring):
    card = "6222 0212 3456 7890"
    assert graph_id("account", card, keyring, "ICBC") == f"account:ICBC:{keyring.token('account', '6222021234567890')}"
    assert graph_id("cnid", "360426910101007", keyring) == f"person:cnid:{keyring.token('cnid', '360426199101010071')}"
    assert graph_id("phone", "+86 13912345678", keyring, "crm") == f"contact:phone:{keyring.token('phone', '13912345678')}"
    assert graph_id("uscc", GOOD.lower(), keyring) == f"company:uscc:{GOOD}"
    assert graph_id("person", " 17 ", keyring, "crm") == "person:crm:17"
    with pytest.raises(IdentifierError):
        graph_id("loan", " ", keyring)


def test_an_own_number_that_is_a_personal_identifier_is_hidden_in_its_id(keyring):
    phone, number = keyring.token("phone", "13912345678"), keyring.token("cnid", "360426199101010071")
    assert graph_id("loan", "139 1234 5678", keyring, "crm") == f"loan:crm:{phone}"
    assert graph_id("person", "360426-19910101-0071", keyring, "crm") == f"person:cnid:{number}"
    assert graph_id("person", "360426910101007", keyring, "crm") == f"person:cnid:{number}"
    assert graph_id("company", "360426199101010071", keyring, "crm") == f"company:crm:{number}"
    assert graph_id("company", "360426199101010072", keyring, "crm") == f"company:crm:{keyring.token('record', '360426199101010072')}"


@pytest.mark.parametrize(
    ("mistyped", "rule"), [("360426199101010072", "cnid_check"), ("360426 19910101 0072", "cnid_check"), ("360426910230007", "cnid_birth")]
)
def test_an_identity_card_with_a_mistake_names_no_person_and_is_not_repeated(keyring, mistyped, rule):
    with pytest.raises(IdentifierError) as raised:
        graph_id("person", mistyped, keyring, "crm")
    assert raised.value.rule == rule
    assert mistyped not in str(raised.value)


def test_a_valid_code_of_a_company_is_no_bank_card_and_no_mistyped_identity_card():
    like = [f"9111000071093105{end:02}" for end in range(100)] + [f"91110119900115{end:04}" for end in range(10_000)]
    codes = [text for text in like if canonical_or_none("uscc", text)]
    assert any(stdnum.luhn.is_valid(text) for text in codes)
    assert disguised(pa.array([text for text in codes if canonical_or_none("cnid", text) is None])) == {}
    wrong = "360426199101010072"
    assert disguised(pa.array([wrong])) == {wrong: ("record", wrong)}


def test_an_identity_card_that_is_also_a_code_by_its_check_digit_is_hidden():
    assert disguised(pa.array(["362322198709086409"])) == {"362322198709086409": ("cnid", "362322198709086409")}


def test_an_id_falls_into_its_parts_again(engine):
    assert split_id("company:crm:name=a:b") == ("company", "crm", "name=a:b")
    assert label_of("company:uscc:1") == "Company"
    table = engine.arrow(pa.table({"id": ["court_case:a:1", "loan:b:2:3", None]}))
    assert engine.table(table.select(prefix=prefix_of(table.id)))["prefix"].to_pylist() == ["court_case", "loan", None]


@pytest.mark.parametrize("text", ["", "company", "company:uscc", "company:uscc:", ":a:b"])
def test_what_is_no_id_is_refused(text):
    with pytest.raises(UsageError, match="three parts"):
        split_id(text)


CARD_ID, PHONE, ACCOUNT, MAIL = "360426199101010071", "13912345678", "6222021234567894", "li@a.cn"


@pytest.mark.parametrize(
    ("clear", "form", "kinds"),
    [
        (f"张三 {CARD_ID}", "张三 {}", ["cnid"]),
        (f"T8-{PHONE}", "T8-{}", ["phone"]),
        ("nobody 138 713 509 25", "nobody {}", ["phone"]),
        (f"L/{CARD_ID}/{PHONE}", "L/{}/{}", ["cnid", "phone"]),
        (f"卡{ACCOUNT}户", "卡{}户", ["account"]),
        (f"李四<{MAIL}>", "李四<{}>", ["email"]),
        (f"{PHONE}转张三", "{}转张三", ["phone"]),
        (f"{CARD_ID}01", "{}01", ["cnid"]),
        (f"HT2024{CARD_ID}{CARD_ID}", "HT2024{}{}", ["cnid", "cnid"]),
        ("L-138*7135*0925", "L-{}", ["phone"]),
        (f"T8-{PHONE}{PHONE}", "T8-{}{}", ["phone", "phone"]),
    ],
)
def test_a_personal_identifier_within_a_longer_number_or_name_is_hidden_and_the_rest_can_be_read(keyring, clear, form, kinds):
    canon = {
        "cnid": CARD_ID,
        "phone": "13871350925" if "13871350925" in re.sub("[ *]", "", clear) else PHONE,
        "account": ACCOUNT,
        "email": MAIL,
    }
    tokens = [keyring.token(kind, canon[kind]) for kind in kinds]
    assert shielded(pa.array([clear, "L-1", None]), keyring, "loan:crm:").to_pylist() == [
        f"loan:crm:{form.format(*tokens)}",
        "loan:crm:L-1",
        None,
    ]
    assert graph_id("loan", clear, keyring, "crm") == f"loan:crm:{form.format(*tokens)}"
    assert without_identifiers(clear) == form.format(*(f"[{kind}]" for kind in kinds))


@pytest.mark.parametrize(
    "serial",
    [
        "T20210131-000017",
        "20210131120000123",
        "PAY-2021013112000012345",
        "T13912345678901",
        "36042619910101007201",
        f"{GOOD}-01",
        "杭州云帆科技有限公司",
        "4000000000000001/2",
        "a@b",
    ],
)
def test_a_serial_number_that_only_resembles_one_stays_readable(keyring, serial):
    assert shielded(pa.array([serial]), keyring).to_pylist() == [serial]
    assert without_identifiers(serial) == serial


def test_a_landline_is_known_by_the_cut_after_its_area(keyring):
    found = shielded(pa.array(["010-65551234", "tel (0571)88886666", "01065551234"]), keyring).to_pylist()
    assert found == [keyring.token("phone", "01065551234"), f"tel {keyring.token('phone', '057188886666')}", "01065551234"]


def test_mobile_numbers_in_a_row_are_each_hidden(keyring):
    one, other = (keyring.token("phone", number) for number in (PHONE, "13871350925"))
    assert shielded(pa.array([f"{PHONE}13871350925", f"{PHONE}138713509"]), keyring).to_pylist() == [one + other, f"{PHONE}138713509"]


def test_two_numbers_with_the_same_identifier_within_stay_two(keyring):
    one, other = shielded(pa.array([f"T8-{PHONE}", f"T9-{PHONE}"]), keyring).to_pylist()
    assert one != other


def test_the_bank_s_own_customer_number_is_left_as_it_is_but_for_an_identity_card_in_it(keyring):
    texts, token = pa.array([f"C-{PHONE}", PHONE, CARD_ID, f"C{CARD_ID}-{PHONE}"]), keyring.token("cnid", CARD_ID)
    assert shielded(texts, keyring, only_cards=True).to_pylist() == [f"C-{PHONE}", PHONE, token, f"C{token}-{PHONE}"]
