import re
import sys
import unicodedata
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric

from kg.config import SourceSettings
from kg.errors import GateError, UsageError
from kg.identifiers import IdentifierError, canonical
from kg.ids import graph_id, shielded
from kg.privacy import Keyring
from loaders.cells import AS_IT_STANDS, normalised
from loaders.delivery import Delivery
from loaders.mapping import Mapper, map_raw_table
from loaders.readers import collect_raw, read_raw
from loaders.source import Column, Kind
from loaders.sources import KINDS, kind

CARD, OTHER_CARD = "11010519491231002X", "440524188001010014"
USCC = "91110000600037341L"
#: Passes the check of a credit code and of an identity card, but not that of an organisation code: it is a person.
BOTH = "362322198709086409"


@pytest.fixture(scope="module")
def keyring(tmp_path_factory) -> Keyring:
    return Keyring.create(tmp_path_factory.mktemp("ring") / "keys")


@pytest.fixture
def mapped(tmp_path, keyring):
    """Map a file's text as a source of a kind; its rows come back as dictionaries."""

    def run(of: str | Kind, text: str, file: str = "rows.csv", name: str = "crm.rows", **asked) -> list[dict]:
        (tmp_path / file).write_text(text, encoding="utf-8", newline="")
        of = kind(of) if isinstance(of, str) else of
        source = SourceSettings(name=name, kind=of.name, path=str(tmp_path / file), **asked)
        mapper = Mapper(source, of, keyring)
        batches = [mapper.map(raw) for raw in read_raw(Delivery.find(source), source)]
        assert all(batch.schema == mapper.schema for batch in batches)
        return pa.Table.from_batches(batches, mapper.schema).to_pylist()

    return run


def column(rows: list[dict], name: str) -> list:
    return [row[name] for row in rows]


# --- verbs ---------------------------------------------------------------------------------------


def test_no_sign_that_normal_form_makes_a_digit_of_is_one_in_a_number(mapped):
    """Raised, circled and the like, and fractions: what Python's own tables break up into digits, but wide and styled digits."""
    tags = {sign: unicodedata.decomposition(sign).partition(">")[0] for sign in map(chr, range(0x80, sys.maxunicode + 1))}
    tags = {sign: tag for sign, tag in tags.items() if tag.startswith("<") and re.search("[0-9]", unicodedata.normalize("NFKC", sign))}
    plain = {sign for sign, tag in tags.items() if tag in ("<wide", "<narrow", "<font")}
    assert {"１", "𝟏"} <= plain
    cells = column(mapped("companies", "company,capital_fen\n" + "".join(f"A,12{sign}\n" for sign in tags)), "capital_fen")
    assert {sign for sign, cell in zip(tags, cells, strict=True) if re.fullmatch("[0-9]+", cell)} == plain
    # a name may hold them, in normal form as ever, also where the head is read as a number besides
    assert column(mapped("companies", "company,name\nA,①²\n"), "name") == ["12"]
    both = mapped("companies", "company,x\nA,①²\n", columns={"name": "x", "capital_fen": "x"})
    assert (column(both, "name"), column(both, "capital_fen")) == (["12"], ["?"])
    # of translated columns the words that are named are meant, and no others
    words = {"capital_fen": {"column": "x", "values": {"⑫": "7"}}}
    assert column(mapped("companies", "company,x\nA,⑫\nB,⑬\nC,5\n", columns=words), "capital_fen") == ["7", "?", "5"]


def test_nothing_is_shown_of_a_number_cell_whose_digits_are_raised_or_circled(mapped):
    """The sign would cut an identity card or a phone into pieces that nothing takes for one."""
    for cell in ("11010①1949②231③02X", "138⓪01380⓪0", "622202③20001④12345⑥789"):
        assert column(mapped("companies", f"company,capital_fen\nA,{cell}\n"), "capital_fen") == ["?"]


def test_chinese_heads_map_as_english_ones_do(mapped):
    text = "企业编号,名称,注册资本\n 12 ,　北京公司　,１，０００\n"
    row = mapped("companies", text, columns={"company": "企业编号", "name": "名称", "capital_fen": {"column": "注册资本", "unit": "万元"}})[
        0
    ]
    assert (row["company"], row["name"], row["capital_fen"]) == ("company:crm:12", "北京公司", "1,000")
    assert (row["_file"], row["_line"], row["_row"], row["_part"], row["_fault"], row["_key"]) == (0, 2, 0, 0, None, None)


def test_heads_are_found_in_any_width_and_with_blanks_around(mapped):
    assert column(mapped("companies", "　Ｎｏ ,x\n1,2\n", columns={"company": "No"}), "company") == ["company:crm:1"]
    assert column(mapped("companies", "No,x\n1,2\n", columns={"company": " Ｎo"}), "company") == ["company:crm:1"]


def test_blank_cells_of_every_kind_are_null(mapped):
    text = 'company,name\n1,\n2,"  "\n3,　\n4,\u00a0\n5,x\n'
    assert column(mapped("companies", text), "name") == [None, None, None, None, "x"]


@settings(deadline=None)
@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=6)))
def test_normal_form_is_nfkc_without_blanks_around(values):
    expected = [None if value is None else unicodedata.normalize("NFKC", value).strip() or None for value in values]
    got = normalised(pa.array(values, pa.string())).to_pylist()
    # Signs that this Python does not know yet may be known to Arrow, so they are left out above.
    # Arrow and Python differ about a few controls at the edges; both leave none of the common blanks.
    assert [value and value.strip() for value in got] == [value and value.strip() for value in expected]


def test_a_contract_column_is_taken_from_a_head_of_its_name(mapped):
    row = mapped("companies", "company,name,other\n1,n,o\n")[0]
    assert (row["company"], row["name"]) == ("company:crm:1", "n")


def test_heads_that_are_not_mapped_never_leave(mapped):
    assert "secret" not in str(mapped("companies", "company,other\n1,secret\n"))


def test_constants_fill_every_row(mapped):
    rows = mapped("shareholders", "h,c\n1,2\n3,4\n", columns={"holder": "h", "company": "c"}, constants={"holder_kind": "person"})
    assert column(rows, "holder") == ["person:crm:1", "person:crm:3"]
    assert column(rows, "holder_kind") == ["person", "person"]


def test_values_are_translated_and_others_stay(mapped):
    text = "company,冻结\n1,是\n2,否\n3,不详\n4,\n"
    rows = mapped("companies", text, columns={"blocked": {"column": "冻结", "values": {"是": "true", "否": "false"}}})
    assert column(rows, "blocked") == ["true", "false", "不详", None]


def test_a_value_can_be_translated_to_nothing(mapped):
    rows = mapped("companies", "company,name\n1,-\n", columns={"name": {"column": "name", "values": {"-": ""}}})
    assert column(rows, "name") == [None]


def test_where_keeps_the_rows_of_the_source_and_those_that_could_not_be_read(mapped):
    text = "company,way\n1,in\n2,out\n3, ｉｎ \n4\n5,\n"
    rows = mapped("companies", text, where={"way": "in"})
    assert [(row["company"], row["_row"], row["_fault"]) for row in rows] == [
        ("company:crm:1", 0, None),
        ("company:crm:3", 2, None),
        (None, 3, "|ragged|1 cells, not 2"),
    ]


def test_a_split_cell_gives_a_row_for_each_part(mapped):
    text = 'id,who,company\na,"x, y，z",1\nb,,2\nc,"w,,v",3\nd,",",4\n'
    rows = mapped(
        "officers",
        text,
        columns={"person": {"column": "who", "split": ",", "by": "name"}, "position": "id"},
        record_id=["id"],
    )
    assert [(row["person"], row["position"], row["_part"], row["_row"], row["_key"]) for row in rows] == [
        ("person:crm:name=x", "a", 0, 0, "a|0"),
        ("person:crm:name=y", "a", 1, 0, "a|1"),
        ("person:crm:name=z", "a", 2, 0, "a|2"),
        (None, "b", 0, 1, "b|0"),
        ("person:crm:name=w", "c", 0, 2, "c|0"),
        ("person:crm:name=v", "c", 1, 2, "c|1"),
        (None, "d", 0, 3, "d|0"),
    ]


def test_a_split_column_in_the_record_id_tells_the_parts_apart(mapped):
    columns = {"person": {"column": "who", "split": ";", "by": "name"}}
    rows = mapped("officers", "who,company,position\nx;y,1,p\n", columns=columns, record_id=["company", "person"])
    assert column(rows, "_key") == ["company:crm:1|person:crm:name=x", "company:crm:1|person:crm:name=y"]


def test_the_first_choice_that_is_not_blank_wins_even_if_it_is_wrong(mapped, keyring):
    columns = {"holder": [{"column": "证件号", "by": "cnid"}, {"column": "编号", "label": "company"}], "company": "c"}
    rows = mapped("shareholders", f"证件号,编号,c\n{CARD.lower()},7,1\n,7,1\nwrong,7,1\n,,1\n", columns=columns)
    assert column(rows, "holder") == [f"person:cnid:{keyring.token('cnid', CARD)}", "company:crm:7", None, None]
    assert column(rows, "_fault") == [None, None, "holder|cnid|***", None]


# --- references and personal identifiers ----------------------------------------------------------


def test_personal_identifiers_become_tokens_of_their_canonical_spelling(mapped, keyring):
    text = f"party,phone,email\n1,+86 139-1234-5678,A@B.cn\n2,１３９１２３４５６７８,a@b.cn\n3,{CARD},x\n"
    rows = mapped("contacts", text, constants={"party_kind": "company"})
    phone, email = keyring.token("phone", "13912345678"), keyring.token("email", "a@b.cn")
    assert [(row["phone"], row["email"], row["_fault"]) for row in rows] == [
        (phone, email, None),
        (phone, email, None),
        (None, None, "phone|phone|***"),
    ]


def test_accounts_and_devices_are_ids_with_tokens(mapped, keyring):
    token = keyring.token("account", "6222000000001")
    columns = {"payer": {"column": "payer", "bank": "ICBC"}, "amount_fen": "amount"}
    row = mapped("transfers", "payer,payee,amount,at\n6222 0000 00001,6222-000000001,1,2\n", columns=columns)[0]
    assert (row["payer"], row["payee"]) == (f"account:ICBC:{token}", f"account:crm:{token}")
    row = mapped("sign_ins", "device,account,at\nab:cd,6222000000001,1\n", name="logins")[0]
    assert row["device"] == f"device:bank:{keyring.token('device', 'AB:CD')}"


def test_the_bank_of_an_account_may_stand_in_the_row(mapped, keyring):
    of = Kind("flows", "", (Column("payer", "account", ""), Column("payer_bank", "code", "")))
    token = keyring.token("account", "62220001")
    assert column(mapped(of, "payer,payer_bank\n62220001,CCB\n62220001,\n"), "payer") == [f"account:CCB:{token}", f"account:crm:{token}"]


@pytest.mark.parametrize(
    ("of", "pick", "cell", "expected"),
    [
        ("company", {}, "423", "company:crm:423"),
        ("company", {"by": "uscc"}, USCC.lower(), f"company:uscc:{USCC}"),
        ("company", {"by": "uscc"}, "91110000 60003734-1L", f"company:uscc:{USCC}"),
        ("company", {"by": "name"}, "甲（北京）公司", "company:crm:name=甲(北京)公司"),
        ("person", {}, "423", "person:crm:423"),
        ("person", {"by": "name"}, "李四", "person:crm:name=李四"),
        ("party", {"label": "company"}, "1", "company:crm:1"),
        ("party", {"label": "person"}, "1", "person:crm:1"),
        ("party", {"label": "person", "by": "name"}, "李四", "person:crm:name=李四"),
        ("party", {"by": "uscc"}, USCC, f"company:uscc:{USCC}"),
        ("loan", {}, "L1", "loan:crm:L1"),
        ("court_case", {}, "（2020）京01民初1号", "court_case:crm:(2020)京01民初1号"),
    ],
)
def test_references_are_ids_of_the_graph(mapped, of, pick, cell, expected):
    rows = mapped(Kind("things", "", (Column("it", of, ""),)), f"x\n{cell}\n", columns={"it": {"column": "x", **pick}})
    assert column(rows, "it") == [expected]


def test_what_a_party_is_may_stand_in_the_row(mapped):
    text = "holder,holder_kind,company\n1,企业,9\n2,个人,9\n3,?,9\n4,,9\n,个人,9\n"
    columns = {"holder_kind": {"column": "holder_kind", "values": {"企业": "company", "个人": "person"}}}
    rows = mapped("shareholders", text, columns=columns)
    assert column(rows, "holder") == ["company:crm:1", "person:crm:2", None, None, None]
    assert column(rows, "_fault") == [None, None, "holder|label|***", "holder|label|***", None]


@pytest.mark.parametrize(
    "spelled", [CARD, CARD.lower(), "110105 19491231 002X", "110105-19491231-002x", "１１０１０５１９４９１２３１００２Ｘ"]
)
def test_an_identity_card_number_is_a_person_wherever_a_person_is_named(mapped, keyring, spelled):
    token = keyring.token("cnid", CARD)
    things = Kind("things", "", tuple(Column(name, name, "") for name in ("person", "company", "loan", "court_case", "code")))
    row = mapped(things, "person,company,loan,court_case,code\n" + ",".join([spelled] * 5) + "\n")[0]
    assert row["person"] == f"person:cnid:{token}"
    assert (row["company"], row["loan"], row["court_case"]) == (f"company:crm:{token}", f"loan:crm:{token}", f"court_case:crm:{token}")
    assert row["code"] == token
    parties = mapped("shareholders", f"holder,holder_kind,company\n{spelled},person,1\n", columns={})
    assert column(parties, "holder") == [f"person:cnid:{token}"]


def test_numbers_that_only_look_like_identity_cards_stay_as_they_are(mapped):
    cells = ["110105194913310021", "110105304912310021", "1" * 18, "45035996273705071", "14/2020/00123", "202601310000001"]
    rows = mapped("companies", "company,name\n" + "".join(f"{cell},{cell}\n" for cell in cells))
    assert column(rows, "name") == cells
    assert column(rows, "company") == [f"company:crm:{cell}" for cell in cells]


@pytest.mark.parametrize(
    ("cell", "of", "canonical"),
    [
        ("13912345678", "phone", "13912345678"),
        ("+86 139.1234.5678", "phone", "13912345678"),
        ("0086-13912 345678", "phone", "13912345678"),
        ("１３９１２３４５６７８", "phone", "13912345678"),
        ("Li.Si @ Example.cn", "email", "li.si@example.cn"),
        ("4111 1111 1111 1111", "account", "4111111111111111"),
        ("6222/0200/0000/0007", "account", "6222020000000007"),
        ("110105491231002", "cnid", CARD),
        ("110105 491231 002", "cnid", CARD),
        ("110105194912310021", "record", "110105194912310021"),
        ("110105-19491231-002 1", "record", "110105194912310021"),
        ("110105194902300025", "record", "110105194902300025"),
    ],
)
def test_an_own_number_that_is_a_personal_identifier_becomes_the_token_of_it(mapped, keyring, cell, of, canonical):
    token = keyring.token(of, canonical)
    things = Kind("things", "", tuple(Column(name, name, "") for name in ("person", "company", "loan", "court_case", "code")))
    row = mapped(things, f"person,company,loan,court_case,code,serial\n{','.join([cell] * 6)}\n", record_id=["serial"])[0]
    assert row["person"] == (f"person:cnid:{token}" if of == "cnid" else f"person:crm:{token}")
    assert (row["company"], row["loan"], row["court_case"]) == (f"company:crm:{token}", f"loan:crm:{token}", f"court_case:crm:{token}")
    assert (row["code"], row["_key"], row["_fault"]) == (token, token, None)


def test_of_the_bank_s_own_customer_number_only_an_identity_card_is_hidden_be_it_the_whole_or_a_part(mapped, keyring):
    shown = ["13912345678", "4111111111111111", "li@a.cn", "110105194912310021", "110105491231002", "K-110105194912310021", "K-13912345678"]
    cells = [*shown, CARD, f"K01-{CARD}-2", f"88{CARD}", None]
    rows = mapped("persons", "person,customer_ref\n" + "".join(f"P{n},{cell or ''}\n" for n, cell in enumerate(cells)))
    token = keyring.token("cnid", CARD)
    assert column(rows, "customer_ref") == [*shown, token, f"K01-{token}-2", f"88{token}", None]


OWN = st.one_of(
    st.text("0123456789", min_size=10, max_size=20),
    st.text("0123456789Xx -/.+@ab", min_size=1, max_size=22),
    st.from_regex(r"1[1-6]010[1-9](19|20)[0-9]{2}(0[1-9]|1[0-2])[0-2][1-9][0-9]{3}[0-9X]", fullmatch=True),
    st.from_regex(r"(\+86)? ?1[3-9][0-9] ?[0-9]{4}-?[0-9]{4}", fullmatch=True),
)


@settings(deadline=None)
@given(st.lists(OWN, max_size=20))
def test_the_id_of_a_clear_own_number_is_the_one_that_the_load_makes(keyring, values):
    clear = [value for value in values if value.strip()]
    texts = normalised(pa.array(clear, pa.string()))
    loans = shielded(texts, keyring, "loan:crm:", "loan:crm:").to_pylist()
    people = shielded(texts, keyring, "person:crm:", "person:cnid:").to_pylist()
    assert [graph_id("loan", value, keyring, "crm") for value in clear] == loans
    for value, made in zip(clear, people, strict=True):
        try:
            assert graph_id("person", value, keyring, "crm") == made
        except IdentifierError:
            assert made not in (f"person:crm:{value}", f"person:crm:{value.strip()}")


def test_an_identity_card_number_in_the_place_of_a_credit_code_is_refused_unseen(mapped):
    rows = mapped("companies", f"company,uscc\n1,{BOTH}\n2,{USCC.lower()}\n3,{CARD}\n4,wrong\n")
    assert column(rows, "uscc") == [None, USCC, None, "WRONG"]
    assert column(rows, "_fault") == ["uscc|uscc|***", None, "uscc|uscc|***", None]
    rows = mapped("companies", f"x\n{BOTH}\n", columns={"company": {"column": "x", "by": "uscc"}})
    assert (rows[0]["company"], rows[0]["_fault"]) == (None, "company|uscc|***")


def test_a_credit_code_that_could_be_an_identity_card_number_stays_a_credit_code(mapped):
    code = "110000198001018" + "000"
    for end in range(1000):
        code = f"110000198001018{end:03}"
        if _is("uscc", code) and _is("cnid", code):
            assert column(mapped("companies", f"uscc\n{code}\n"), "uscc") == [code]
            return
    # No number of that day is both; the rule is then shown by the code alone.
    assert column(mapped("companies", f"uscc\n{USCC}\n"), "uscc") == [USCC]


def _is(of: str, text: str) -> bool:
    try:
        return canonical(of, text) == text
    except ValueError:
        return False


def test_free_text_and_names_are_scrubbed(mapped):
    text = f"payer,payee,amount_fen,at,purpose\n6222000001,6222000002,1,2,还款 {CARD} 13912345678\n"
    assert CARD not in str(found := mapped("transfers", text))
    assert "13912345678" not in str(found)
    assert "还款" in found[0]["purpose"]
    assert CARD not in str(mapped("persons", f"person,name\n1,李四 {CARD}\n"))


@settings(deadline=None)
@given(st.data())
def test_what_needs_no_look_is_canonical_indeed(data):
    for of, pattern in AS_IT_STANDS.items():
        text = data.draw(st.from_regex(pattern, fullmatch=True)).rstrip("\n")
        assert canonical(of, text) == text


# --- record ids ----------------------------------------------------------------------------------


def test_a_record_id_is_made_of_mapped_values_and_of_the_source_s_own_numbers(mapped):
    text = "company,name,流水,state\n1,a|b\\c,S1,x\n2,,S2,x\n3,n,,x\n"
    rows = mapped("companies", text, columns={"status": "state"}, record_id=["company", "name", "流水", "state"])
    assert column(rows, "_key") == ["company:crm:1|a\\|b\\\\c|S1|x", None, None]
    assert column(rows, "_fault") == [None, "record_id|required|", "record_id|required|"]


def test_a_serial_number_leads_back_to_the_source_but_a_phone_in_its_place_is_hidden(mapped, keyring):
    text = "company,流水号\n1,202601310000001\n2,T000000000001\n3,13912345678\n4,\n"
    rows = mapped("companies", text, record_id=["流水号"])
    assert column(rows, "_key") == ["202601310000001", "T000000000001", keyring.token("phone", "13912345678"), None]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.text("|\\a", min_size=1, max_size=4), st.text("|\\a", min_size=1, max_size=4)), min_size=2, max_size=20, unique=True
    )
)
def test_different_record_ids_stay_different(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("key")
    (folder / "rows.csv").write_text("company,name\n" + "".join(f"{one},{two}\n" for one, two in pairs))
    source = SourceSettings(name="crm.rows", kind="companies", path=str(folder / "rows.csv"), quote="", record_id=["company", "name"])
    mapper = Mapper(source, kind("companies"), Keyring.create(folder / "keys"))
    keys = [key for raw in read_raw(Delivery.find(source), source) for key in mapper.map(raw).column("_key").to_pylist()]
    assert len(set(keys)) == len(pairs)


def test_a_row_that_could_not_be_read_keeps_that_fault(mapped):
    rows = mapped("companies", "company,name\n1\n", record_id=["company"])
    assert column(rows, "_fault") == ["|ragged|1 cells, not 2"]


# --- refusals ------------------------------------------------------------------------------------

REFUSED = [
    ("companies", {"columns": {"nmae": "name"}}, UsageError, r"companies have no column 'nmae'; did you mean 'name'\?"),
    ("companies", {"constants": {"nmae": "x"}}, UsageError, r"companies have no column 'nmae'; did you mean 'name'\?"),
    ("companies", {"columns": {"name": "name"}, "constants": {"name": "x"}}, UsageError, "'name' is mapped and constant at once"),
    ("companies", {"columns": {"name": "nane"}}, GateError, r"rows\.csv has no head 'nane', which crm\.rows maps; did you mean 'name'\?"),
    ("companies", {"where": {"nane": "x"}}, GateError, r"rows\.csv has no head 'nane', which crm\.rows asks for; did you mean 'name'\?"),
    ("companies", {"record_id": ["campany"]}, UsageError, r"record_id names 'campany', which is neither .*did you mean 'company'\?"),
    ("companies", {"columns": {"name": "twice"}}, GateError, r"rows\.csv has the head 'twice' 2 times"),
    (
        "companies",
        {"columns": {"name": {"column": "name", "by": "name"}}},
        UsageError,
        "'name' is a code, which cannot be named by name; by is id",
    ),
    (
        "companies",
        {"columns": {"company": {"column": "company", "by": "cnid"}}},
        UsageError,
        "cannot be named by cnid; by is id or uscc or name",
    ),
    ("companies", {"columns": {"company": {"column": "company", "label": "person"}}}, UsageError, 'label = "person" means nothing'),
    ("companies", {"columns": {"name": {"column": "name", "bank": "X"}}}, UsageError, "'name' is no account, so bank means nothing"),
    ("companies", {"columns": {"name": ["name", "name"]}}, UsageError, "'name' names a head twice"),
    (
        "companies",
        {"columns": {"capital_fen": [{"column": "a", "unit": "元"}, {"column": "b", "unit": "万元"}]}},
        UsageError,
        "the choices of 'capital_fen' differ in unit",
    ),
    ("companies", {"columns": {"name": [{"column": "a", "split": ","}, "b"]}}, UsageError, "'name' is split and has several choices"),
    (
        "companies",
        {"columns": {"name": {"column": "a", "split": ","}, "status": {"column": "b", "split": ","}}},
        UsageError,
        "both 'name' and 'status' are split",
    ),
    ("companies", {"columns": {"name": "a", "capital_fen": {"column": "a", "unit": "元"}}}, UsageError, "head 'a' is read in two ways"),
    (
        "companies",
        {"columns": {"name": {"column": "a", "unit": "元"}}},
        UsageError,
        "'name' is a code, so unit = \"元\" means nothing there; it is for a money or a share",
    ),
    (
        "companies",
        {"columns": {"name": {"column": "a", "format": "%Y"}}},
        UsageError,
        "'name' is a code, so format = \"%Y\" means nothing there; it is for a date or a timestamp",
    ),
    (
        "companies",
        {"columns": {"capital_fen": {"column": "a", "zone": "Asia/Shanghai"}}},
        UsageError,
        "'capital_fen' is a money, so zone = \"Asia/Shanghai\" means nothing there",
    ),
    (
        "companies",
        {"columns": {"capital_fen": {"column": "a", "unit": "percent"}}},
        UsageError,
        "unit of 'capital_fen': 'percent' is no unit",
    ),
    (
        "companies",
        {"columns": {"founded_on": {"column": "a", "format": "%Q"}}},
        UsageError,
        "format of 'founded_on': .*'%Q' which is not known",
    ),
    (
        "companies",
        {"columns": {"founded_on": {"column": "a", "zone": "asia/shangai"}}},
        UsageError,
        r"zone of 'founded_on': no time zone named 'asia/shangai'; did you mean 'Asia/Shanghai'\?",
    ),
    (
        "persons",
        {"columns": {"cnid": "a", "customer_ref": "a"}},
        UsageError,
        "head 'a' is a personal identifier in one .* clear in the other",
    ),
    (
        "persons",
        {"columns": {"person": {"column": "a", "by": "cnid"}, "name": "a"}},
        UsageError,
        "head 'a' is a personal identifier in one of 'person' and 'name'",
    ),
    (
        "shareholders",
        {"columns": {"holder": "a"}},
        UsageError,
        "'holder' may be a company or a person; set its label, or fill 'holder_kind'",
    ),
    (
        "shareholders",
        {"columns": {"holder": {"column": "a", "by": "uscc", "label": "person"}}},
        UsageError,
        "'holder' is named by uscc, so it cannot be a person",
    ),
    ("shareholders", {"columns": {"holder": {"column": "a", "label": "person"}, "company": "company"}}, None, ""),
    ("transfers", {}, UsageError, r"transfers need the column 'payer' \(account that paid\)"),
    (
        "contacts",
        {"columns": {"party": {"column": "a", "label": "person"}}},
        UsageError,
        "contacts need one of the columns address, phone, email",
    ),
]


@pytest.mark.parametrize(("of", "asked", "error", "message"), REFUSED)
def test_a_mapping_that_cannot_be_is_refused_in_a_sentence(mapped, of, asked, error, message):
    text = "company,name,a,b,twice,twice\n1,2,3,4,5,6\n"
    if error is None:
        assert mapped(of, text, **asked)
        return
    with pytest.raises(error, match=message):
        mapped(of, text, **asked)


def test_what_is_wrong_whatever_the_file_holds_is_refused_before_it_is_read(keyring):
    source = SourceSettings(name="crm.rows", kind="companies", path="nowhere.csv", columns={"nmae": "name"})
    with pytest.raises(UsageError, match=r"source crm\.rows: companies have no column 'nmae'"):
        Mapper(source, kind("companies"), keyring)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("company,Name\n1,x\n", "its heads are 'company', 'Name'"),
        (",".join(f"h{n}" for n in range(12)) + "\n", "'h8', 'h9' and 2 more"),
        ("company;nane\n1;x\n", "perhaps the cells stand apart by ';': set separator = \";\""),
        ("company\tnane\n1\tx\n", 'perhaps the cells stand apart by a tab: set separator = "\\t"'),
        ("company|nane\n1|x\n", "perhaps the cells stand apart by '|': set separator = \"|\""),
    ],
)
def test_a_missing_head_shows_those_that_are_there_and_hints_at_another_separator(mapped, text, said):
    with pytest.raises(GateError) as refused:
        mapped("companies", text, columns={"company": "company", "name": "name"})
    assert said in str(refused.value)


def test_what_is_needed_or_names_a_record_shows_the_heads_as_well(mapped):
    for asked in ({}, {"columns": {"company": "company"}, "record_id": ["number"]}):
        with pytest.raises(UsageError, match=r"its heads are 'firm;name'; perhaps the cells stand apart by ';'"):
            mapped("companies", "firm;name\n1;x\n", **asked)


@pytest.mark.parametrize("row", [f"王五,{CARD}", "王五,li@example.cn", "王五,2020-01-02", "王五,13912345678"])
def test_a_first_row_that_holds_data_is_not_shown_as_heads(mapped, row):
    with pytest.raises(GateError, match="deliver the file with a row of heads") as refused:
        mapped("companies", f"{row}\n", columns={"company": "company"})
    assert "王五" not in str(refused.value)


def test_a_file_of_a_pattern_that_lacks_a_head_is_refused_by_name(tmp_path, keyring):
    (tmp_path / "a.csv").write_text("company,name\n1,x\n")
    (tmp_path / "b.csv").write_text("名称,company\ny,2\n")
    (tmp_path / "c.csv").write_text("company\n3\n")
    source = SourceSettings(name="crm.rows", kind="companies", path=str(tmp_path / "*.csv"), columns={"name": "name"})
    mapper = Mapper(source, kind("companies"), keyring)
    with pytest.raises(GateError, match=r"b\.csv has no head 'name'"):
        [mapper.map(raw) for raw in read_raw(Delivery.find(source), source)]


# --- JSON lines ----------------------------------------------------------------------------------


def test_a_key_that_a_json_line_lacks_is_blank(mapped, monkeypatch):
    monkeypatch.setattr("loaders.formats.jsonl.ROWS", 1)
    text = '{"id":1,"名":"甲"}\n{"id":2}\n{}\n{"id":4.0,"名":null}\n{"名":\n'
    rows = mapped("companies", text, "rows.jsonl", columns={"company": "id", "name": "名"})
    assert column(rows, "company") == ["company:crm:1", "company:crm:2", None, "company:crm:4.0", None]
    assert column(rows, "name") == ["甲", None, None, None, None]
    assert column(rows, "_fault") == [None] * 4 + ["|json|***"]


def test_a_key_that_no_json_line_has_is_told(tmp_path, keyring):
    (tmp_path / "rows.jsonl").write_text('{"company":1}\n')
    columns = {"name": "nmae", "company": "company"}
    source = SourceSettings(name="crm.rows", kind="companies", path=str(tmp_path / "rows.jsonl"), columns=columns, where={"x": "y"})
    mapper = Mapper(source, kind("companies"), keyring)
    assert [mapper.map(raw).num_rows for raw in read_raw(Delivery.find(source), source)] == [0]
    assert mapper.unseen == ("nmae",)


def test_a_split_key_that_a_json_line_lacks_gives_one_row(mapped):
    columns = {"person": {"column": "who", "split": ",", "by": "name"}}
    rows = mapped("officers", '{"company":1}\n', "rows.jsonl", columns=columns)
    assert [(row["person"], row["_part"]) for row in rows] == [(None, 0)]


# --- replay --------------------------------------------------------------------------------------


def test_kept_rows_go_through_a_mended_mapping(tmp_path, keyring):
    (tmp_path / "rows.csv").write_text("id,real,who\n1,n1,x;y\n2\n3,n3,z\n")
    source = SourceSettings(name="crm.rows", kind="companies", path=str(tmp_path / "rows.csv"), columns={"company": "id", "name": "who"})
    delivery = Delivery.find(source)
    list(read_raw(delivery, source))
    table = collect_raw(delivery, source, pa.array([0, 1, 2], pa.int64()))
    mended = source.model_copy(
        update={"columns": source.model_validate(source.model_dump() | {"columns": {"company": "id", "name": "real"}}).columns}
    )
    rows = map_raw_table(table, mended, kind("companies"), keyring).to_pylist()
    assert [(row["company"], row["name"], row["_row"], row["_line"], row["_fault"]) for row in rows] == [
        ("company:crm:1", "n1", 0, 2, None),
        (None, None, 1, 3, "|ragged|1 cells, not 3"),
        ("company:crm:3", "n3", 2, 4, None),
    ]


def test_no_row_at_all_maps_to_no_row(mapped, tmp_path, keyring):
    columns = {"person": {"column": "who", "split": ",", "by": "name"}}
    assert mapped("officers", "who,company,position\n", columns=columns, where={"position": "p"}, record_id=["company"]) == []


# --- canaries ------------------------------------------------------------------------------------


def canaries(of: str) -> list[str]:
    """Fifty identifiers of a kind, no two alike, in many spellings, some of them wrong."""
    if of in ("cnid", "person", "party"):
        days = [date(1950, 1, 1) + timedelta(days=321 * n) for n in range(50)]
        bodies = [f"11010{n % 9 + 1}{day:%Y%m%d}{700 + n}" for n, day in enumerate(days)]
        plain = [body + ric.calc_check_digit(body + "0") for body in bodies]
    elif of == "phone":
        plain = [f"139{70000000 + 7919 * n}" for n in range(50)]
    elif of == "email":
        plain = [f"canary.{7919 * n}@nest{n}.example.cn" for n in range(50)]
    elif of == "account":
        plain = [f"6222{900000000000000 + 104729 * n}" for n in range(50)]
    else:
        plain = [f"AA:BB:CC:{n:02}:{n + 7:02}:{n * 3:03}" for n in range(50)]
    return [_spelled(value, place) for place, value in enumerate(plain)]


def _spelled(value: str, place: int) -> str:
    wide = "".join(chr(ord(sign) + 0xFEE0) if sign.isdigit() else sign for sign in value)
    grouped = " ".join([value[:6], value[6:]])
    dashed = "-".join([value[:3], value[3:7], value[7:]])
    wrong = value[:-1] + ("1" if value[-1] != "1" else "2")
    return [value, wide, grouped, dashed, value.lower(), f"　{value} ", wrong, value + "99999" * 9][place % 8]


def traces(value: str) -> list[bytes]:
    """What must not be found: the value as spelled, in normal form, and without anything but letters and digits."""
    normal = normalised(pa.array([value])).to_pylist()[0]
    bare = "".join(sign for sign in normal if sign.isalnum())
    return [trace.encode() for trace in {value.strip(), normal, bare, bare.upper()}]


PERSONAL = [
    (of.name, column.name, column.type)
    for of in KINDS
    for column in of.columns
    if column.personal == "identifier" or column.type in ("person", "party")
]


@pytest.mark.parametrize(("of", "name", "type_"), PERSONAL)
def test_no_canary_in_an_identifier_column_is_in_what_leaves_the_mapping(tmp_path, keyring, of, name, type_):
    values, contract = canaries(type_), kind(of)
    others = [column for column in contract.columns if column.name != name]
    heads = ["x", *(column.name for column in others)]
    (tmp_path / "rows.csv").write_text(
        ",".join(heads) + "\n" + "".join(",".join([value] + ["company"] * len(others)) + "\n" for value in values)
    )
    pick = {"column": "x", "by": "cnid"} if type_ in ("person", "party") else {"column": "x"}
    source = SourceSettings(name="crm.rows", kind=of, path=str(tmp_path / "rows.csv"), columns={name: pick}, record_id=[name])
    mapper = Mapper(source, contract, keyring)
    sink, count = pa.BufferOutputStream(), 0
    with pa.ipc.new_stream(sink, mapper.schema) as writer:
        for raw in read_raw(Delivery.find(source), source):
            batch = mapper.map(raw)
            writer.write_batch(batch)
            found = [
                value is not None or fault is not None
                for value, fault in zip(batch[name].to_pylist(), batch["_fault"].to_pylist(), strict=True)
            ]
            assert all(found)
            count += batch.num_rows
    assert count == 50
    left = sink.getvalue().to_pybytes()
    assert not [trace for value in values for trace in traces(value) if trace in left]


@pytest.mark.parametrize("name", ["customer_ref", "person"])
def test_no_identity_card_number_hides_in_a_column_of_another_kind(tmp_path, keyring, name):
    values = [value for place, value in enumerate(canaries("cnid")) if place % 8 < 6]
    (tmp_path / "rows.csv").write_text(f"{name},cnid\n" + "".join(f"{value},\n" for value in values))
    source = SourceSettings(name="crm.rows", kind="persons", path=str(Path(tmp_path / "rows.csv")))
    mapper = Mapper(source, kind("persons"), keyring)
    left = b"".join(str(mapper.map(raw).to_pylist()).encode() for raw in read_raw(Delivery.find(source), source))
    assert not [trace for value in values for trace in traces(value) if trace in left]
