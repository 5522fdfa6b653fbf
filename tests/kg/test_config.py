import os
import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.config import Settings, SourceSettings, Workspace, load
from kg.config.template import template
from kg.config.toml import parse_toml, read_toml
from kg.errors import DependencyError, UsageError
from kg.privacy import Keyring
from loaders.sources import kind

SOURCE = '[[sources]]\nname = "crm.companies"\nkind = "companies"\npath = "landing/companies*.csv"\n'
PACK = """
[[sources]]
name = "demo.Company"
kind = "companies"
path = "Company*.csv"
[sources.columns]
company = "编号"

[[sources]]
name = "demo.Person"
kind = "persons"
path = "Person*.csv"
mode = "append"
"""


@pytest.fixture(autouse=True)
def _no_settings_in_the_environment(monkeypatch):
    for variable in [name for name in os.environ if name.startswith("KGFRAUD_") and "__" in name]:
        monkeypatch.delenv(variable)


@pytest.fixture
def write(tmp_path):
    def _write(toml: str = "", **files: str) -> Path:
        (tmp_path / "kgfraud.toml").write_text(toml, encoding="utf-8")
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return _write


def refusal(root: Path, **kwargs) -> str:
    with pytest.raises(UsageError) as refused:
        load(root, **kwargs)
    return str(refused.value)


def test_the_template_holds_every_setting_at_its_default():
    values = tomllib.loads(template())
    default = Settings().model_dump()
    assert values == {section: settings for section, settings in default.items() if section != "sources"}


def test_the_templates_example_of_a_source_is_valid_once_its_comments_are_taken_off(write):
    sources = template().split("# [[sources]]\n", 1)[1].split("# A known data set")[0]
    root = write("[[sources]]\n" + "".join(line.removeprefix("# ").removeprefix("#") + "\n" for line in sources.splitlines()))
    (source,) = load(root).sources
    assert set(source.columns) | set(source.constants) <= {column.name for column in kind(source.kind).columns}
    assert source.columns["capital_fen"][0].unit == "万元"


def test_a_flag_goes_before_the_environment_before_dotenv_before_toml_before_the_default(write, monkeypatch):
    root = write("[engine]\nthreads = 3\n")
    assert load(root).engine.memory == "3GB"
    assert load(root).engine.threads == 3
    (root / ".env").write_text("KGFRAUD_ENGINE__THREADS=4\nKGFRAUD_WORKSPACE=/elsewhere\n")
    assert load(root).engine.threads == 4
    monkeypatch.setenv("KGFRAUD_ENGINE__THREADS", "5")
    assert load(root).engine.threads == 5
    assert load(root, flags={"engine": {"threads": "6"}}).engine.threads == 6


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("\n[engine]\nmemroy = '3GB'\n", "kgfraud.toml line 3: no setting 'memroy' in [engine]; did you mean 'memory'?"),
        ("[engin]\nthreads = 1\n", "kgfraud.toml line 1: no section [engin]; did you mean 'engine'?"),
        ("engine = 1\n", "kgfraud.toml line 1: [engine] must be a table of settings"),
        ("[engine]\nmemory = 'much'\n", "it must be a size such as 3GB or 512MB"),
        ("[engine]\nthreads = 0\n", "kgfraud.toml line 2: threads = 0 in [engine] is wrong: it must be greater than or equal to 1"),
        ("[log]\nlevel = 'wraning'\n", "it must be debug, info, warning or error; did you mean 'warning'?"),
        ("[log]\nlevel = true\n", "level = true in [log] is wrong"),
        ("[workspace]\ntimezone = 'asia/shangai'\n", "is not a time zone; did you mean 'Asia/Shanghai'?"),
        ("[neo4j]\nurl = 'http://db:7474'\n", "the address must be one of neo4j,"),
        ("[engine]\nthreads = = 1\n", "kgfraud.toml line 2: this is not TOML: invalid value"),
        ("状态 = 1\n", "invalid statement; put quotes around a name that is not plain ASCII"),
        ("a = 1\nb = '''\n", "kgfraud.toml line 2: this is not TOML"),
        ("[sources]\nname = 'x'\n", "kgfraud.toml line 1: sources are written as [[sources]]"),
        ("[[sources]]\nname = 'x'\npath = 'y'\n", "kgfraud.toml line 1: [[sources]] needs the setting 'kind'"),
        (SOURCE.replace("crm.companies", "my companies"), "letters, digits, _ and -, in parts joined by dots"),
        (SOURCE.replace("crm.companies", "n" * 101), 'nnn…" in [[sources]] is wrong: it must be at most 100 characters long'),
        (SOURCE.replace("crm.companies", "名" * 81), "it must be at most 100 characters long (80 where they are Chinese)"),
        (
            SOURCE + "mode = 'fulll'\n",
            "kgfraud.toml line 5: mode = \"fulll\" in [[sources]] is wrong: it must be full, append or upsert; did you mean 'full'?",
        ),
        (
            SOURCE.replace("/companies*", "/**"),
            'kgfraud.toml line 4: path = "landing/**.csv" in [[sources]] is wrong: ** means any folders',
        ),
        (SOURCE + "format = 'cvs'\n", "it must be csv, parquet or jsonl; did you mean 'csv'?"),
        (SOURCE + "encoding = 'latin1'\n", "it must be UTF-8 or GB18030"),
        (
            SOURCE + "[sources.columns]\nname = {colum = 'a'}\n",
            "line 6: no setting 'colum' in name of [sources.columns]; did you mean 'column'?",
        ),
        (SOURCE + "[sources.columns]\nname = []\n", "name = … in [sources.columns] is wrong: it names no head of the file"),
        (SOURCE + "[sources.columns]\nname = 3\n", "it must be a head of the file or a table, such as {column = …}"),
        (SOURCE + "gate = 3\n", "it must be a table of settings"),
        (SOURCE + "[sources.gate]\nmax_drop = 2\n", "kgfraud.toml line 6: max_drop = 2 in [sources.gate]"),
        (SOURCE + SOURCE, "kgfraud.toml line 6: source 'crm.companies' is named already at kgfraud.toml line 2"),
        ("[[sources]]\nmapping = 'demo'\npath = 'a'\ncolumns = {}\n", "line 4: no setting 'columns' in [[sources]] with a mapping"),
    ],
)
def test_a_wrong_setting_is_named_with_its_line_and_the_right_spelling(write, toml, said):
    assert said in refusal(write(toml))


def test_every_wrong_setting_is_named_at_once(write):
    assert refusal(write("[engine]\nthreads = 0\nmemroy = ''\n")).count("\n") == 1


def test_a_wrong_variable_is_named(write, monkeypatch):
    root = write()
    (root / ".env").write_text("KGFRAUD_NEO4J__URI=bolt://db\n")
    assert refusal(root) == "KGFRAUD_NEO4J__URI in .env: no setting 'uri' in [neo4j]; did you mean 'url'?"
    monkeypatch.setenv("KGFRAUD_NEO4__URL", "bolt://db")
    (root / ".env").unlink()
    assert refusal(root).startswith("KGFRAUD_NEO4__URL in the environment: no section [neo4]; did you mean neo4j?")


def test_a_password_in_the_address_is_refused_and_not_repeated(write):
    said = refusal(write("[neo4j]\nurl = 'bolt://neo4j:secret@db:7687'\n"))
    assert "password_file" in said
    assert "secret" not in said


def test_a_file_that_is_not_utf8_is_refused_with_its_line(write):
    root = write()
    (root / "kgfraud.toml").write_bytes(b"[log]\n# \xb9\xab\xcb\xbe\n")
    assert refusal(root) == "kgfraud.toml line 2: the file is not UTF-8; save it as UTF-8"


def test_a_byte_order_mark_and_windows_line_ends_are_read(write):
    root = write()
    (root / "kgfraud.toml").write_bytes("\ufeff[engine]\r\nthreads = 7\r\n".encode())
    assert load(root).engine.threads == 7


def test_a_folder_without_settings_is_no_workspace(tmp_path):
    assert "kgfraud init" in refusal(tmp_path)


def test_a_settings_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        read_toml(tmp_path)


def test_columns_are_read_in_their_three_forms(write):
    columns = '[sources.columns]\na = "甲"\nb = {column = "乙", unit = "万元"}\nc = [{column = "丙", by = "cnid"}, "丁"]\n'
    (source,) = load(write(SOURCE + 'record_id = "甲"\nencoding = "gbk"\n' + columns)).sources
    assert [[pick.column for pick in picks] for picks in source.columns.values()] == [["甲"], ["乙"], ["丙", "丁"]]
    assert source.columns["c"][0].by == "cnid"
    assert (source.record_id, source.encoding, source.namespace) == (("甲",), "GB18030", "crm")


def test_a_source_says_where_each_of_its_settings_is_written(write):
    (source,) = load(write(SOURCE + '[sources.columns]\na = "甲"\n')).sources
    assert source.at("columns", "a") == "kgfraud.toml line 6"
    assert source.at("columns", "b") == "kgfraud.toml line 5"
    assert source.at("mode") == "kgfraud.toml line 1"
    assert SourceSettings(name="a", kind="b", path="c").at("mode") == "kgfraud.toml"


def test_the_longest_name_of_a_source_can_be_the_name_of_a_file(write):
    for name in ("n" * 100, "名" * 80):
        (source,) = load(write(SOURCE.replace("crm.companies", name))).sources
        (write() / f"{source.name}.parquet").touch()


def test_a_setting_of_a_choice_is_found_where_the_choices_are_a_list_and_where_there_is_one(write):
    columns = '[sources.columns]\na = {column = "甲", unit = "元"}\nb = [\n  "乙",\n  {column = "丙", unit = "元"},\n]\n'
    (source,) = load(write(SOURCE + columns)).sources
    assert source.at("columns", "a", 0, "unit") == "kgfraud.toml line 6"
    assert source.at("columns", "b", 1, "unit") == source.at("columns", "b") == "kgfraud.toml line 7"


def test_a_source_finds_its_files_below_the_workspace_in_order(tmp_path):
    root = tmp_path / "odd [name]*"
    for name in ("landing/companies2.csv", "landing/companies1.csv", "landing/.companies3.csv", "landing/other.csv"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / "kgfraud.toml").write_text(SOURCE)
    settings = load(root)
    assert [path.name for path in settings.sources[0].files()] == ["companies1.csv", "companies2.csv"]
    assert settings.source("crm.companies") is settings.sources[0]
    assert settings.source("crm.persons") is None


def test_a_source_may_lie_outside_the_workspace(write, tmp_path_factory):
    outside = tmp_path_factory.mktemp("landing")
    (outside / "companies.csv").touch()
    (source,) = load(write(SOURCE.replace("landing/", f"{outside}/"))).sources
    assert source.files() == (outside / "companies.csv",)
    assert source.model_copy(update={"path": str(outside / "companies.csv")}).files() == source.files()


def test_the_files_of_neo4j_are_relative_to_the_workspace(write):
    root = write('[neo4j]\npassword_file = "secret/neo4j"\nca_file = "/etc/ca.pem"\n')
    assert load(root).neo4j.password_file == str(root / "secret/neo4j")
    assert load(root, flags={"neo4j": {"url": "neo4j+s://db:7687"}}).neo4j.url == "neo4j+s://db:7687"
    assert load(root).neo4j.ca_file == "/etc/ca.pem"


@pytest.fixture
def packs(tmp_path):
    folder = tmp_path / "packs"
    folder.mkdir()
    (folder / "demo.toml").write_text(PACK, encoding="utf-8")
    return folder


def test_a_pack_brings_the_sources_whose_files_are_there(write, packs):
    root = write(
        '[[sources]]\nmapping = "demo"\npath = "in"\nunknown_end = "stub"\ngate = {min_rows = 5}\n', in__Company_csv="", in__x_txt=""
    )
    (source,) = load(root, packs=packs).sources
    assert (source.name, source.namespace, source.mode, source.unknown_end, source.gate.min_rows) == (
        "demo.Company",
        "demo",
        "full",
        "stub",
        5,
    )
    assert source.files() == (root / "in/Company.csv",)
    assert source.at("columns", "company") == "demo.toml line 7"
    assert load(root).sources == ()


def test_a_pack_may_be_used_for_one_file_under_another_mode(write, packs):
    root = write('[[sources]]\nmapping = "demo"\npath = "in/Person.csv"\nmode = "upsert"\n', in__Company_csv="", in__Person_csv="")
    assert [(s.name, s.mode) for s in load(root, packs=packs).sources] == [("demo.Person", "upsert")]


def test_a_pack_may_be_limited(write, packs):
    root = write('[[sources]]\nmapping = "demo"\npath = "in"\nonly = "Person"\n', in__Company_csv="", in__Person_csv="")
    assert [s.name for s in load(root, packs=packs).sources] == ["demo.Person"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('mapping = "dmeo"\npath = "in"', "line 2: no mapping pack named 'dmeo'; did you mean 'demo'?"),
        ('mapping = "demo"\npath = "im"', "line 3: there is no file or folder 'im'"),
        (
            'mapping = "demo"\npath = "packs"',
            "line 3: nothing in 'packs' belongs to the mapping pack 'demo', which looks for Company*.csv, Person*.csv",
        ),
        ('mapping = "demo"\npath = "in"\nonly = ["Persn"]', "the mapping pack 'demo' has no source 'Persn'; did you mean 'Person'?"),
        ('mapping = "demo"', "[[sources]] with a mapping needs the setting 'path'"),
    ],
)
def test_a_pack_that_cannot_be_used_is_refused(write, packs, entry, said):
    assert said in refusal(write("[[sources]]\n" + entry + "\n", in__Company_csv=""), packs=packs)


def test_the_digest_follows_the_settings_and_not_the_place(tmp_path):
    digests = set()
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kgfraud.toml").write_text(SOURCE)
        digests.add(load(tmp_path / name).digest())
    assert len(digests) == 1
    (tmp_path / "here" / "kgfraud.toml").write_text(SOURCE + 'mode = "append"\n')
    assert load(tmp_path / "here").digest() not in digests


def test_a_new_workspace_has_its_files_and_guards_its_keys(tmp_path):
    workspace = Workspace.create(tmp_path / "bank")
    assert {path.name for path in workspace.root.iterdir()} == {"kgfraud.toml", "keys", "lake", "runs", "export"}
    assert stat.S_IMODE(workspace.keys.stat().st_mode) == 0o700
    assert Workspace.open(tmp_path / "bank").settings.digest() == Settings().digest()
    assert Keyring.open(workspace.keys)
    assert (workspace.neo4j.name, workspace.models.name) == ("neo4j", "models")


def test_a_workspace_is_not_made_twice_nor_over_keys(tmp_path):
    workspace = Workspace.create(tmp_path)
    with pytest.raises(UsageError, match="is a workspace already"):
        Workspace.create(tmp_path)
    workspace.toml.unlink()
    with pytest.raises(UsageError, match="these may be the keys of a workspace"):
        Workspace.create(tmp_path)


def test_a_workspace_that_cannot_be_written_is_a_missing_dependency(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DependencyError, match="cannot be made"):
        Workspace.create(tmp_path / "file" / "bank")


names = st.text("abcdé公司_-", min_size=1, max_size=4)


@given(
    st.dictionaries(
        names, st.dictionaries(names, st.integers(0, 9) | st.lists(st.integers(0, 9)) | st.text("xy\n", max_size=3), max_size=4), max_size=4
    )
)
def test_every_setting_is_found_on_the_line_on_which_it_is_written(tables):
    lines, wanted = [], {}
    for table, settings in tables.items():
        lines += ["# a comment = 1", f'["{table}"]']
        wanted[table,] = len(lines)
        for name, value in settings.items():
            wanted[table, name] = len(lines) + 1
            text = (
                '"""' + value + '"""'
                if isinstance(value, str)
                else "[" + ",\n".join(map(str, value)) + "]"
                if isinstance(value, list)
                else value
            )
            lines += f'"{name}" = {text}'.split("\n")
    found = parse_toml("\n".join(lines), "x.toml")
    assert found.values.keys() == tables.keys()
    assert {path: line for path, line in found.lines.items() if len(path) < 3} == wanted


def test_arrays_of_tables_are_counted_each_in_its_own():
    file = parse_toml("[[a]]\n[a.b]\nc = 1\n[[a]]\n[[a.d]]\ne = 1\n[[a.d]]\ne = {f = 1}\n", "x.toml")
    first, second = ("a", 0), ("a", 1)
    assert file.lines[(*first, "b", "c")] == 3
    assert file.lines[second] == 4
    assert file.lines[(*second, "d", 0, "e")] == 6
    assert file.lines[(*second, "d", 1, "e", "f")] == 8
    assert file.at("z") == "x.toml"
