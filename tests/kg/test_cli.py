import errno
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from kg.cli import COMMANDS, cli, load_command, said_of
from kg.cli.common import open_workspace, print_csv, print_table, reporting
from kg.config import Settings, Workspace
from kg.errors import DependencyError, GateError, KgfraudError, UsageError, VerificationError
from kg.progress import Lines

HEAVY = {"ibis", "duckdb", "pyarrow", "numpy", "neo4j", "torch"}


def run(*args: str, stdin: str = "") -> "click.testing.Result":
    return CliRunner().invoke(cli, list(args), input=stdin, prog_name="kgfraud")


@pytest.fixture
def workspace(tmp_path):
    return Workspace.create(tmp_path / "bank")


@pytest.fixture
def failing(monkeypatch):
    """Make ``kgfraud keys`` end with a given error."""

    def _failing(error: BaseException):
        @click.command()
        def keys() -> None:
            raise error

        monkeypatch.setattr("kg.cli.load_command", lambda name: keys)
        return run("keys")

    return _failing


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom kg.cli import cli\ncli(['--help'], standalone_mode=False)\nprint(sorted({m.split('.')[0] for m in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(json.loads(done.stdout.splitlines()[-1].replace("'", '"')))
    assert not imported & HEAVY
    assert "kg" in imported


def test_help_names_every_command_with_what_it_does():
    said = run("--help").output
    for name, about in COMMANDS.items():
        assert f"  {name} " in said
        assert about in said


def test_every_command_and_option_has_help():
    def walk(path: str, command: click.Command):
        yield path, command
        for name, below in getattr(command, "commands", {}).items():
            yield from walk(f"{path} {name}", below)

    for name in COMMANDS:
        for path, command in walk(name, load_command(name)):
            assert command.help, path
            for option in command.params:
                assert not isinstance(option, click.Option) or option.help, (path, option.name)


def test_every_reading_command_can_print_json():
    reading = [("check",), ("run",), ("query",), ("report",), ("runs", "list"), ("runs", "show"), ("runs", "diff"), ("ref", "sources")]
    reading += [("quarantine", "list"), ("quarantine", "show"), ("store", "verify"), ("neo4j", "status"), ("verify",), ("id",)]
    for name, *rest in [*reading, ("runs", "prune"), ("quarantine", "replay")]:
        command = load_command(name)
        for part in rest:
            command = command.commands[part]
        assert "as_json" in {option.name for option in command.params}, (name, *rest)


@pytest.mark.parametrize(
    ("args", "near"),
    [
        (["rnu"], "Did you mean 'run'?"),
        (["--worksapce"], "No such option"),
        (["init", "--hlep"], "Did you mean '--help'?"),
        (["ref", "sorces"], "Did you mean 'sources'?"),
        (["ref", "sources", "--jsno"], "Did you mean '--json'?"),
        (["ref", "sources", "sharholders"], "did you mean 'shareholders'?"),
        (["ref", "sources", "Companys"], "did you mean 'companies'?"),
        (["ref", "sources", "people"], "no source kind named 'people'; known are companies, persons, devices, "),
        (["ref", "rules", "x"], "no rule named 'x'; known are guarantee_circle, guarantees_serve_one"),
        (
            ["ref", "rules", "LOAN_MONEY_RETURNED"],
            "'LOAN_MONEY_RETURNED' is no rule but a reason, given by loan_return and loan_return_split",
        ),
        (["links", "rebutt"], "did you mean 'rebut'? A party of that name: kgfraud links show rebutt B"),
        (["links", "rebutt", "A", "B", "--user", "K007"], "no command 'rebutt'; did you mean 'rebut'?"),
        (["ref", "schema", "Compny"], "did you mean 'Company'?"),
        (["ref", "schema", "paid"], "did you mean 'PAID'?"),
        (["ref", "settings", "memroy"], "did you mean 'memory'?"),
        (["ref", "rules", "loan_retrun"], "did you mean 'loan_return'?"),
        (["--set", "engine.memroy=4GB", "keys", "rotate", "--workspace", "WORKSPACE"], "did you mean 'memory'?"),
        (["run", "--only", "load", "--only", "publish"], "--only runs one stage, and 2 are named (load, publish)"),
        (["--set", "memory", "ref", "reasons"], "write a setting as SECTION.NAME=VALUE"),
    ],
)
def test_a_wrong_word_suggests_the_right_one(args, near, workspace):
    result = run(*[str(workspace.root) if arg == "WORKSPACE" else arg for arg in args])
    assert near in result.stderr
    assert (result.exit_code, result.stdout) == (2, "")


def test_an_error_is_a_sentence_on_standard_error_and_its_exit_code(failing):
    for kind, code in ((KgfraudError, 1), (UsageError, 2), (GateError, 3), (DependencyError, 4), (VerificationError, 5)):
        result = failing(kind("it is so, and do this next"))
        assert (result.exit_code, result.stdout, result.stderr) == (code, "", "Error: it is so, and do this next\n")


def test_an_unexpected_error_names_its_place_and_hides_its_words(failing, monkeypatch):
    monkeypatch.delenv("KGFRAUD_DEBUG", raising=False)
    result = failing(ValueError("row of 李四"))
    assert result.exit_code == 1
    assert "ValueError in test_cli.py line" in result.stderr
    assert "李四" not in result.stderr
    assert "Traceback" not in result.stderr


def test_debug_shows_the_traceback_without_identifiers(failing, monkeypatch):
    monkeypatch.setenv("KGFRAUD_DEBUG", "1")
    result = failing(ValueError("call 13800138000"))
    assert "Traceback" in result.stderr
    assert "call <phone>" in result.stderr


def test_a_stop_from_the_keyboard_ends_quietly(failing):
    result = failing(KeyboardInterrupt())
    assert result.exit_code == 130
    assert "Traceback" not in result.stderr


def test_a_full_disk_and_missing_memory_are_missing_dependencies():
    said, code = said_of(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "lake/records"))
    assert ("the disk is full (lake/records)" in said, code) == (True, 4)
    assert said_of(MemoryError())[1] == 4
    assert said_of(ValueError("never raised")) == ("this should not happen: ValueError; --debug shows more", 1)


def test_output_that_nobody_reads_on_ends_the_command_quietly():
    command = f"{sys.executable} -m kg.cli ref settings --json | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert (done.stdout, "Traceback" in done.stderr) == ("[", False)


def test_the_version_is_that_of_the_project():
    project = Path(__file__).parents[2] / "pyproject.toml"
    assert run("--version").output == f"kgfraud {tomllib.loads(project.read_text())['project']['version']}\n"


def test_init_makes_a_workspace_and_says_what_comes_next(tmp_path):
    result = run("init", str(tmp_path / "bank"))
    assert (result.exit_code, "kgfraud check" in result.output) == (0, True)
    assert (tmp_path / "bank" / "kgfraud.toml").is_file()
    again = run("init", str(tmp_path / "bank"))
    assert (again.exit_code, "is a workspace already" in again.stderr) == (2, True)


def test_the_workspace_may_be_named_by_the_environment(workspace, monkeypatch):
    monkeypatch.setenv("KGFRAUD_WORKSPACE", str(workspace.root))
    assert run("keys", "rotate").exit_code == 0


def test_a_command_outside_a_workspace_says_how_to_make_one(tmp_path):
    result = run("keys", "rotate", "--workspace", str(tmp_path))
    assert (result.exit_code, "kgfraud init" in result.stderr) == (2, True)


def test_rotating_the_keys_keeps_the_ids(workspace):
    def phone() -> str:
        return run("id", "phone", "--workspace", str(workspace.root), stdin="138 0013 8000\n").output

    before = phone()
    assert before.startswith("contact:phone:")
    assert run("keys", "rotate", "--workspace", str(workspace.root)).exit_code == 0
    assert phone() == before


def test_an_id_is_made_from_standard_input_and_never_shows_the_value(workspace):
    args = ("--workspace", str(workspace.root))
    account = run("id", "account", "--bank", "ICBC", *args, stdin="6222 0202 0011 2233445\n")
    assert account.output.startswith("account:ICBC:")
    assert "6222" not in account.output
    said = json.loads(run("id", "account", "--bank", "ICBC", "--json", *args, stdin="6222 0202 0011 2233445\n").output)
    assert said == {"kind": "account", "id": account.output.strip()}
    empty = run("id", "phone", *args, stdin="\n")
    assert (empty.exit_code, "no value on standard input" in empty.stderr) == (2, True)
    wrong = run("id", "phone", *args, stdin="12345x\n")
    assert (wrong.exit_code, "12345x" in wrong.output) == (2, False)
    assert run("id", "phoen", *args, stdin="13800138000\n").exit_code == 2


def test_ref_sources_prints_the_contract_of_a_kind():
    kinds = json.loads(run("ref", "sources", "--json").output)
    assert {"companies", "transfers", "cases"} <= {kind["kind"] for kind in kinds}
    found = json.loads(run("ref", "sources", "transfers", "--json").output)
    assert set(found) == {"kind", "columns"}
    columns = {column["name"]: column for column in found["columns"]}
    assert set(columns["payer"]) == {"name", "type", "unit", "required", "personal", "about"}
    assert (columns["payer"]["personal"], columns["amount_fen"]["unit"], columns["payer"]["required"]) == ("identifier", "fen", True)
    shown = run("ref", "sources", "companies").output
    assert "at least one of company, uscc must be filled" in shown
    assert "owner_kind is one of company, person" in run("ref", "sources", "accounts").output
    exposures = run("ref", "sources", "exposures").output
    assert "mitigated_fen must not be more than amount_fen" in exposures
    assert "where mitigated_fen is filled, provider must be filled too" in exposures
    assert "amount_fen must not be below 0" in exposures
    assert "a and b must be two different parties" in run("ref", "sources", "concert").output


def test_ref_shows_the_schema_the_settings_the_rules_and_what_is_derived():
    types = {row["name"]: row for row in json.loads(run("ref", "schema", "--json").output)}
    assert types["HOLDS_SHARES"]["ends"] == "Company or Person → Company"
    properties = json.loads(run("ref", "schema", "HOLDS_SHARES", "--json").output)["properties"]
    assert {"id", "share_ppm", "valid_from"} <= {row["name"] for row in properties}
    assert "Company or Person → Company: a party holds" in run("ref", "schema", "HOLDS_SHARES").output
    settings = {(row["section"], row["name"]): row["default"] for row in json.loads(run("ref", "settings", "--json").output)}
    assert settings["publish", "batch_rows"] == Settings().publish.batch_rows
    assert settings["sources.gate", "max_drop"] == 1.0
    assert "seconds" in run("ref", "settings", "query.timeout_seconds").output
    assert json.loads(run("ref", "reasons", "--json").output)[0]["code"].isupper()
    rules = json.loads(run("ref", "rules", "--json").output)
    one = json.loads(run("ref", "rules", rules[0]["name"], "--json").output)
    assert {"name", "version", "reason", "severity", "action", "about", "reads", "parameters"} == set(one)
    assert rules[0]["reason"] in run("ref", "rules", rules[0]["name"]).output
    assert "PAID" in {row["produces"] for row in json.loads(run("ref", "derivations", "--json").output)}


def test_a_table_is_aligned_where_chinese_takes_two_places_and_does_nothing_to_the_terminal(capsys):
    print_table(["name", "n", "so"], [["公司", 7, True], ["a\x1b[31m", None, None], ["b", 1000, False]])
    assert capsys.readouterr().out.splitlines() == [
        "name       n  so",
        "──────  ────  ───",
        "公司       7  yes",
        "a [31m",
        "b       1000  no",
    ]
    print_table(["name"], [])
    assert capsys.readouterr().out == "name\n────\n"


def test_csv_quotes_what_must_be_quoted(capsys):
    print_csv(["a", "b"], [['x,"y"', None]])
    assert capsys.readouterr().out == 'a,b\r\n"x,""y""",\r\n'


def test_a_workspace_is_opened_with_the_flags_and_reports_as_its_settings_say(workspace, capsys):
    assert open_workspace(workspace.root, sources=True).settings.digest() == workspace.settings.digest()
    with click.Context(cli, obj={"log": {"format": "json"}}).scope():
        log, progress = reporting(open_workspace(workspace.root))
    log.info("loaded", rows=3)
    assert json.loads(capsys.readouterr().err)["rows"] == 3
    assert isinstance(progress, Lines)
    assert isinstance(reporting(workspace)[1], Lines)
