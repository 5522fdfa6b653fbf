"""The page about a generated city, held against counts that are made here from the files."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from kg.cli import cli
from kg.errors import UsageError
from loaders.city import CITY_VERSION, Params, build, write
from loaders.city.describe import describe, maps, measures, page, planted
from loaders.city.describe.landing import Landing
from loaders.city.describe.svg import Series, ccdf, chart, thinned

SECTIONS = (
    *("Choices", "Rows", "Sizes, partners, amounts, delays", "Rhythm", "Planted schemes", "Honest look-alikes", "Hardness"),
    "Likeness to real companies",
)
PARAMS = Params(companies=300, days=90)


@pytest.fixture(scope="module")
def city():
    return build(PARAMS)


@pytest.fixture(scope="module", params=["csv", "parquet"])
def folder(request, city, tmp_path_factory):
    made = tmp_path_factory.mktemp(request.param)
    write(city, made, request.param)
    return made


@pytest.fixture(scope="module")
def landing(folder):
    with Landing.opened(folder) as opened:
        yield opened


def told(folder: Path) -> str:
    describe(folder, folder / "city.html")
    return (folder / "city.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def text(folder):
    """Return the page about a folder to which nobody added anything."""
    return told(folder)


class Cells(HTMLParser):
    """The cells of all tables, and what stands open at the end."""

    def __init__(self):
        super().__init__()
        self.rows, self.open = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "circle", "rect", "path") or tag in ("path", "circle"):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def cells(text: str) -> list[list[str]]:
    parser = Cells()
    parser.feed(text)
    assert parser.open == []
    return parser.rows


def companies_of_payments(city):
    """Return payer and payee of the payments between two customers, from the city itself."""
    owner, flows = city.accounts.owner, city.ledger.flows
    payer, payee = owner[flows.payer], owner[flows.payee]
    ours = (payer < PARAMS.companies) & (payee < PARAMS.companies) & (payer != payee)
    return payer[ours], payee[ours]


def test_the_page_holds_every_section_and_says_what_was_not_measured(text):
    assert re.findall("<h2>(.*?)</h2>", text) == [head.replace("&", "&amp;") for head in SECTIONS]
    assert "scripts/city_hardness.py" in text
    assert "scripts/city_realism.py" in text


def test_the_page_asks_nothing_of_a_network(text):
    assert not re.search(r"https?:|//[a-z]|<script|<link|<iframe|@import|\bsrc=", text)
    assert set(re.findall(r"url\((.*?)\)", text)) <= {"#arrow"}
    assert all(address.startswith("#") for address in re.findall(r'href="(.*?)"', text))


def test_the_choices_and_the_digest_of_a_city_stand_in_its_truth_and_on_the_page(folder, text):
    noted = json.loads((folder / "truth" / "city.json").read_text(encoding="utf-8"))
    assert noted["digest"] == PARAMS.digest()
    assert noted["version"] == CITY_VERSION
    assert Params(**{name: value for name, value in noted["params"].items() if name != "first_day"}) == PARAMS
    shown = {row[0]: row[1] for row in cells(text) if len(row) == 2}
    assert shown["digest"] == PARAMS.digest()
    assert shown["seed"] == "1"


def test_the_rows_are_those_of_the_files(text, city, landing):
    counted = landing.rows()
    assert counted["transfers"] == len(city.ledger.flows)
    assert counted["companies"] == len(city.firms)
    shown = {row[0]: row[1] for row in cells(text) if len(row) == 2}
    assert all(shown[kind] == f"{count:,}" for kind, count in counted.items())


def test_partners_are_counted_as_in_the_city(city, landing):
    payer, payee = companies_of_payments(city)
    pairs = set(zip(payer.tolist(), payee.tolist(), strict=True))
    found = measures.trade(landing, measures.between(landing, measures.payments(landing)))
    assert found.out.tolist() == sorted(Counter(a for a, _ in pairs).values())
    assert found.into.tolist() == sorted(Counter(b for _, b in pairs).values())


def test_amounts_are_those_of_the_ledger_cut_to_two_digits(city, landing):
    fen, often = measures.amounts(landing, measures.payments(landing))
    expected = Counter(int(str(value)[:2]) * 10 ** (len(str(value)) - 2) for value in city.ledger.flows.fen.tolist() if value >= 10)
    assert dict(zip(fen.tolist(), often.tolist(), strict=True)) == expected


def test_the_rhythm_is_that_of_the_ledger(city, landing):
    found, second = measures.rhythm(landing), city.ledger.flows.second
    day = (found.day - np.datetime64(PARAMS.first_day, "D")).astype(int)
    assert dict(zip(day.tolist(), found.payments.tolist(), strict=True)) == Counter((second // 86_400).tolist())
    assert found.fen.sum() == city.ledger.flows.fen.sum()
    assert found.hours.tolist() == np.bincount(second // 3_600 % 24, minlength=24).tolist()


def test_delays_are_found_where_one_payment_settles_one_invoice(city, landing):
    wait, looked_for = measures.delays(landing, measures.between(landing, measures.payments(landing)), PARAMS.companies)
    assert looked_for == ((city.invoices.void == 0) & (city.invoices.net > 0)).sum()
    assert 0.2 * looked_for < wait.size <= looked_for
    assert ((wait >= 0) & (wait <= 120)).all()


def test_what_was_planted_is_what_the_truth_says(text, city, landing):
    moved = planted.guilty_transfers(landing)
    flows = city.ledger.flows.take(city.ledger.flows.scheme > 0)
    assert (moved.num_rows, sum(moved["fen"].to_pylist())) == (len(flows), flows.fen.sum())
    kinds = {kind.name: kind for kind in planted.kinds(landing, moved)}
    guilty = [of for of in city.actors if of.number > 0]
    assert {name: kind.plots for name, kind in kinds.items()} == Counter(of.name for of in guilty)
    assert sum(kind.companies for kind in kinds.values()) == sum(of.firms.size for of in guilty)
    shown = {row[0]: row[1:3] for row in cells(text) if len(row) == 7}
    assert all(shown[name] == [str(kind.plots), str(kind.companies)] for name, kind in kinds.items())


def test_each_scheme_has_a_picture_with_its_members_and_its_money(city, landing):
    moved = planted.guilty_transfers(landing)
    found = {scheme.number: scheme for scheme in planted.schemes(landing, moved, 1_000)}
    flows = city.ledger.flows
    for of in (of for of in city.actors if of.number > 0):
        scheme = found[of.number]
        assert sorted(firm for firm, _, _ in scheme.members) == sorted(of.firms.tolist())
        assert sum(tie.fen for tie in scheme.ties) == flows.fen[flows.scheme == of.number].sum()
        assert maps.drawn(scheme).count('class="member"') == of.firms.size


def test_of_many_schemes_of_a_kind_the_first_are_drawn(landing):
    moved = planted.guilty_transfers(landing)
    assert set(Counter(scheme.kind for scheme in planted.schemes(landing, moved, 1)).values()) == {1}


def test_all_text_is_escaped(tmp_path, city):
    evil = '<script>alert("x")</script>'
    write(city, tmp_path, "parquet")
    path = tmp_path / "landing" / "companies.parquet"
    table = pq.read_table(path)
    pq.write_table(table.set_column(2, "name", pa.repeat(evil, table.num_rows)), path)
    noted = {"measures": [{"what": evil, "value": 0.5, "bound": None, "side": evil, "met": True}], "columns": {evil: 0.5}}
    (tmp_path / "truth" / "hardness.json").write_text(json.dumps(noted), encoding="utf-8")
    text = told(tmp_path)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert page.cell(evil) == chart_text(evil)


def chart_text(evil: str) -> str:
    """Return the head of a chart as it is written."""
    drawn = chart(evil, [Series(evil, [1, 2], [1, 2]), Series(evil, [1, 2], [2, 1])], evil, evil)
    assert evil not in drawn
    return re.search("<figcaption>(.*?)</figcaption>", drawn)[1]


def test_measures_that_were_noted_are_shown_with_their_bounds(folder):
    noted = {
        "measures": [
            {"what": "AUC of a column", "value": 0.6543, "bound": 0.7, "side": "at most", "met": True},
            {"what": "AUC of trees", "value": 0.91, "bound": 0.8, "side": "at most", "met": False},
        ],
        "columns": {"partners out": 0.6543},
    }
    path = folder / "truth" / "hardness.json"
    path.write_text(json.dumps(noted), encoding="utf-8")
    rows = cells(told(folder))
    path.unlink()
    assert ["AUC of a column", "0.6543", "at most 0.7", "kept"] in rows
    assert ["AUC of trees", "0.91", "at most 0.8", "NOT KEPT"] in rows


def test_a_spoilt_city_can_be_described(tmp_path):
    write(build(replace(PARAMS, dirt_ppm=100_000)), tmp_path)
    assert "Planted schemes" in told(tmp_path)


def test_a_curve_keeps_its_ends_and_its_sum():
    x, part = ccdf([3, 1, 1, 7], [1, 2, 3, 4])
    assert (x.tolist(), part.tolist()) == ([1, 3, 7], [1, 0.5, 0.4])
    thin, _ = thinned(*ccdf(np.arange(1, 10_001)))
    assert (thin.size <= 160, thin[0], thin[-1]) == (True, 1, 10_000)


def test_a_folder_without_a_city_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(UsageError, match="holds no generated city"):
        describe(tmp_path, tmp_path / "city.html")


def test_the_command_describes_what_it_made_and_its_help_shows_both(tmp_path):
    run = CliRunner().invoke
    bank = tmp_path / "bank"
    made = run(cli, ["city", str(bank), "--companies", "120", "--days", "30", "--prevalence", "0.1"])
    assert made.exit_code == 0, made.stderr
    assert json.loads((bank / "truth" / "city.json").read_text(encoding="utf-8"))["params"]["prevalence_ppm"] == 100_000
    told = run(cli, ["city", "describe", str(bank), "--output", str(tmp_path / "page.html")])
    assert told.exit_code == 0, told.stderr
    assert (tmp_path / "page.html").exists()
    nowhere = run(cli, ["city", "describe", str(bank), "--output", str(tmp_path / "none" / "page.html")])
    assert (nowhere.exit_code, "name another file with --output" in nowhere.stderr) == (2, True)
    said = run(cli, ["city", "--help"]).stdout
    assert "--prevalence" in said
    assert "describe" in said


@pytest.mark.parametrize("wrong", ["0.5", "-0.1", "nan"])
def test_a_wrong_prevalence_is_refused_with_a_sentence(tmp_path, wrong):
    done = CliRunner().invoke(cli, ["city", str(tmp_path / "bank"), "--prevalence", wrong])
    assert (done.exit_code, "the prevalence must be a fraction between 0 and 0.2" in done.stderr) == (2, True)
    assert not (tmp_path / "bank").exists()
