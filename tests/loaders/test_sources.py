import tomllib
from collections import Counter
from pathlib import Path

import ibis
import pyarrow.parquet as pq
import pytest

from kg.config import SourceSettings
from kg.dates import wall
from kg.errors import UsageError
from kg.money import money_places, share_places
from kg.schema import EDGES, NODES
from loaders.source import REFERENCES
from loaders.sources import KINDS, kind

MAPPINGS = Path(__file__).parents[2] / "loaders" / "mappings"
DATA = Path(__file__).parents[2].parent / "shared" / "data"
PACKS = {"finbench": "finbench/*", "openspg_supplychain": "openspg/supplychain", "sme_invoices": "sme_invoices"}
LISTED = """companies persons shareholders officers kinship contacts accounts transfers loans loan_flows guarantees contracts
invoices goods financings tax_filings sign_ins court_cases cases devices
exposures bank_capital concert nominations rebuttals hubs"""


def pack(name):
    return tomllib.loads((MAPPINGS / f"{name}.toml").read_text("utf-8"))["sources"]


def every_source():
    return [pytest.param(source, id=source["name"]) for name in PACKS for source in pack(name)]


def heads(file: Path, separator: str) -> list[str]:
    if file.suffix == ".parquet":
        return list(pq.read_schema(file).names)
    with file.open(encoding="utf-8") as lines:
        return lines.readline().strip().split(separator)


def test_every_kind_that_is_promised_is_there_once():
    assert Counter(k.name for k in KINDS) == Counter(LISTED.split())


def test_kinds_that_register_nodes_come_before_those_that_refer_to_them():
    registered: set[str] = set()
    for of in KINDS:
        needed = {c.type for c in of.own if c.type in REFERENCES and c.name != of.defines}
        labels = {"company", "person"} if "party" in needed else set()
        assert (needed - {"party"}) | labels <= registered | ({of.column(of.defines).type} if of.defines else set()), of.name
        if of.defines:
            registered.add(of.column(of.defines).type)


@pytest.mark.parametrize("of", KINDS, ids=lambda k: k.name)
def test_a_contract_holds_together(of):
    names = [column.name for column in of.columns]
    assert len(names) == len(set(names))
    assert all(column.about and not column.about.endswith(".") for column in of.columns)
    assert of.about.startswith("one row for each")
    assert {name for group in (*of.one_of, *of.at_most, *of.needs, *of.differ) for name in group} <= set(names)
    assert all(of.column(name).stored == "int64" for pair in of.at_most for name in pair)
    assert all(of.column(name).type in REFERENCES for pair in of.differ for name in pair)
    assert of.defines is None or of.column(of.defines).type == of.defines
    for column in of.own:
        assert column.name.endswith("_fen") == (column.type == "money")
        assert column.name.endswith("_ppm") == (column.type == "share")
        assert column.name.endswith("_on") <= (column.type == "date")
        if column.type == "party":
            assert of.column(f"{column.name}_kind").values == ("company", "person")


def test_what_nodes_and_relationships_hold_has_a_column():
    columns = {column.name for of in KINDS for column in of.columns}
    made = {"stub", "kind", "text"}
    for type_ in (*NODES, *EDGES):
        assert {p.name for p in type_.properties} - made <= columns, type_


def test_customers_are_known_by_the_number_of_the_bank():
    assert [of.name for of in KINDS if "customer_ref" in {c.name for c in of.own}] == ["companies", "persons", "loans"]


def test_an_unknown_kind_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError, match="no source kind named 'loanflows'; did you mean 'loan_flows'"):
        kind("loanflows")


@pytest.mark.parametrize("source", every_source())
def test_a_mapping_pack_speaks_the_language_of_the_settings(source):
    settings = SourceSettings(**source)
    of = kind(settings.kind)
    columns = {column.name: column for column in of.columns}
    assert not set(settings.columns) & set(settings.constants)
    for name in (*settings.columns, *settings.constants):
        assert name in columns
    for column in of.own:
        if column.required:
            assert column.name in {*settings.columns, *settings.constants}
        if column.values and column.name in settings.constants:
            assert settings.constants[column.name] in column.values
    for name, picks in settings.columns.items():
        for pick in picks:
            if columns[name].type == "money":
                assert money_places(pick.unit) >= 0
            if columns[name].type == "share":
                assert share_places(pick.unit) >= 0


@pytest.mark.parametrize("name", PACKS)
def test_a_mapping_pack_names_its_sources_after_itself_and_each_once(name):
    names = [source["name"] for source in pack(name)]
    assert all(full.startswith(f"{name}.") for full in names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", PACKS)
def test_a_mapping_pack_names_heads_that_the_data_have(name):
    folders = sorted(DATA.glob(PACKS[name]))
    if not folders:
        pytest.skip(f"the data set of the mapping pack {name} is not beside the repository")
    for source in pack(name):
        settings = SourceSettings(**source)
        files = [file for folder in folders for file in folder.glob(settings.path)]
        assert len(files) == 1, settings.name
        found = heads(files[0], settings.separator)
        assert {pick.column for picks in settings.columns.values() for pick in picks} <= set(found)
        assert set(settings.where) <= set(found)


def test_every_format_in_a_pack_can_be_read():
    formats = {
        pick.format for name in PACKS for source in pack(name) for picks in SourceSettings(**source).columns.values() for pick in picks
    }
    for format in formats:
        assert wall(ibis.literal("x"), format)
