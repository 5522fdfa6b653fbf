"""Settings that no file could make right are refused with their place, before a file is read."""

import tomllib

import pytest

from kg.cli.common import packs_folder
from kg.config import SourceSettings, load
from kg.engine import Engine
from kg.errors import UsageError
from loaders.fit import fit

HEAD = '[[sources]]\nname = "crm.rows"\nkind = "{}"\npath = "nowhere.csv"\n'


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill")) as opened:
        yield opened


@pytest.fixture
def fitted(tmp_path, engine):
    """Fit one source, whose settings are written from line 5 on."""

    def run(of: str, *lines: str) -> None:
        (tmp_path / "kgfraud.toml").write_text(HEAD.format(of) + "\n".join(lines) + "\n", encoding="utf-8")
        fit(load(tmp_path).sources, engine)

    return run


WRONG = [
    ("acounts", ["mode = 'full'"], "line 3: source crm.rows: no source kind named 'acounts'; did you mean 'accounts'?"),
    ("people", [], "line 3: source crm.rows: no source kind named 'people'; known are companies, persons, "),
    (
        "accounts",
        ["[sources.constants]", "opened_on = '2020-02-30'"],
        "line 6: source crm.rows: 'opened_on' cannot be \"2020-02-30\": a day",
    ),
    ("loans", ["[sources.constants]", "amount_fen = '12,5O'"], "line 6: source crm.rows: 'amount_fen' cannot be \"12,5O\": an amount"),
    ("loans", ["[sources.constants]", "at = 'noon'"], "'at' cannot be \"noon\": a day and time"),
    ("shareholders", ["[sources.constants]", "share_ppm = '120%'"], "'share_ppm' cannot be \"120%\": a share"),
    ("tax_filings", ["[sources.constants]", "months = 'twelve'"], "'months' cannot be \"twelve\": a whole number"),
    ("accounts", ["[sources.constants]", "blocked = 'flase'"], "'blocked' cannot be \"flase\": true or false.*; did you mean 'false'?"),
    (
        "accounts",
        ["[sources.constants]", "owner_kind = 'compny'"],
        "line 6: source crm.rows: 'owner_kind' cannot be \"compny\"; did you mean 'company'?",
    ),
    ("accounts", ["[sources.constants]", "owner_kind = '企业'"], "'owner_kind' cannot be \"企业\"; known are company, person"),
    ("loan_flows", ["[sources.constants]", "direction = ' '"], "'direction' is blank, but must be filled"),
    ("companies", ["[sources.constants]", "uscc = '91110000600037341M'"], "the value for 'uscc' is no uscc: the check digit"),
    ("persons", ["[sources.constants]", "cnid = '110105194912310021'"], "the value for 'cnid' is no cnid: the check digit"),
    (
        "accounts",
        ["[sources.columns]", "owner_kind = {column = 'k', values = {'企业' = 'company', '个人' = 'persn'}}"],
        "line 6: source crm.rows: 'owner_kind' cannot be \"persn\"; did you mean 'person'?",
    ),
    (
        "accounts",
        ["[sources.columns.owner_kind]", "column = 'k'", "[sources.columns.owner_kind.values]", "'企业' = 'company'", "'个人' = 'persn'"],
        "line 9: source crm.rows: 'owner_kind' cannot be \"persn\"",
    ),
    (
        "accounts",
        ["[sources.columns]", "opened_on = {column = 'd', format = '%Y%m%d', values = {'-' = '', 'old' = '2000-01-01'}}"],
        "line 6: source crm.rows: 'opened_on' cannot be \"2000-01-01\": a day",
    ),
    (
        "loans",
        [
            "[sources.columns]",
            "amount_fen = [",
            "  {column = 'a', unit = '万元'},",
            "  {column = 'b', unit = '万元', values = {'无' = 'nil'}},",
            "]",
        ],
        "'amount_fen' cannot be \"nil\": an amount",
    ),
    (
        "loans",
        ["[sources.columns]", "amount_fen = {column = 'a', unit = '万圆'}"],
        "line 6: source crm.rows: unit of 'amount_fen': '万圆' is no unit of money; did you mean '圆'?",
    ),
    (
        "loans",
        ["[sources.columns]", "at = {column = 'a', format = '%Q'}"],
        "line 6: source crm.rows: format of 'at': the date format '%Q' holds '%Q' which is not known",
    ),
    (
        "loans",
        ["[sources.columns]", "at = {column = 'a', zone = 'asia/shangai'}"],
        "line 6: source crm.rows: zone of 'at': no time zone named 'asia/shangai'; did you mean 'Asia/Shanghai'?",
    ),
    (
        "loans",
        ["[sources.columns]", "loan = {column = 'a', unit = '元'}"],
        "line 6: source crm.rows: 'loan' is a loan, so unit = \"元\" means nothing there",
    ),
]


@pytest.mark.parametrize(("of", "lines", "said"), WRONG)
def test_a_word_that_no_row_could_hold_is_named_with_its_line_and_the_right_spelling(fitted, of, lines, said):
    with pytest.raises(UsageError) as refused:
        fitted(of, *lines)
    first, gap, last = said.partition(".*")
    assert str(refused.value).startswith("kgfraud.toml line ")
    assert first in str(refused.value)
    assert not gap or str(refused.value).endswith(last)


def test_every_wrong_word_is_named_at_once_and_a_personal_one_is_not_repeated(fitted):
    with pytest.raises(UsageError) as refused:
        fitted("persons", "[sources.constants]", "cnid = '110105194912310021'", "blocked = 'perhaps'")
    assert len(str(refused.value).splitlines()) == 2
    assert "110105194912310021" not in str(refused.value)


def test_words_that_a_row_could_hold_are_taken(fitted):
    fitted(
        "loans",
        "[sources.columns]",
        "at = {column = 'a', format = '%Y%m%d', zone = 'Asia/Shanghai', values = {'never' = '', 'once' = '20200101'}}",
        "borrower_kind = {column = 'k', values = {'企业' = 'company'}}",
        "[sources.constants]",
        "amount_fen = '１２.5万元'",
        "valid_from = '2020年2月29日'",
        "status = ''",
    )


@pytest.mark.parametrize("pack", sorted(packs_folder().glob("*.toml")), ids=lambda path: path.stem)
def test_every_mapping_pack_fits(pack, engine):
    fit([SourceSettings(**source) for source in tomllib.loads(pack.read_text(encoding="utf-8"))["sources"]], engine)
