"""Signed exports: written whole or not at all, and checked to the last byte."""

import csv
import io
import json
import shutil
import subprocess
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.cli import cli
from kg.errors import DependencyError, KgfraudError, UsageError, VerificationError
from kg.export import PublicKey, SigningKey, export, verify, write_data
from kg.exporters import EXPORTERS
from kg.exporters.jsontext import json_text
from kg.flags import FLAGS

AS_OF = date(2024, 5, 6)
NOW = datetime(2024, 5, 7, 1, tzinfo=UTC)


def flag(n=1, **other):
    values = {
        "flag_id": f"{n:032x}",
        "entity_id": "company:x:甲",
        "customer_ref": f"C{n}",
        "reason": "GUARANTEE_CIRCLE",
        "severity": "medium",
        "probability": None,
        "amount_fen": 123,
        "evidence": ["g1", 'g"2"'],
        "as_of": AS_OF,
        "run_id": "run-1",
        "rule": "guarantee_circle",
        "rule_version": "1",
        "action": "watch",
        "schema_version": 1,
    }
    return {**values, **other}


def table(*flags):
    return pa.Table.from_pylist(list(flags), schema=FLAGS)


THREE = table(flag(3, reason="LOAN_MONEY_RETURNED", probability=0.25), flag(1), flag(2, customer_ref=None, amount_fen=None))


@pytest.fixture
def key(tmp_path):
    return SigningKey.create(tmp_path / "keys")


@pytest.fixture
def folder(tmp_path, key):
    return export(THREE, tmp_path / "export", EXPORTERS, key, run_id="run-1", as_of=AS_OF, now=NOW)


def test_an_export_holds_the_flags_in_order_and_says_what_it_is(folder, key):
    assert {p.name for p in folder.iterdir()} == {"flags.jsonl", "flags.csv", "manifest.json", "manifest.sig", ".ok"}
    lines = [json.loads(line) for line in (folder / "flags.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines == [{**f, "as_of": "2024-05-06"} for f in sorted(THREE.to_pylist(), key=lambda f: f["flag_id"])]
    assert list(lines[0]) == FLAGS.names
    manifest = verify(folder, key.public, EXPORTERS)
    assert (manifest.run_id, manifest.as_of, manifest.rows) == ("run-1", "2024-05-06", 3)
    assert manifest.reasons == {"GUARANTEE_CIRCLE": 2, "LOAN_MONEY_RETURNED": 1}
    assert manifest.generated_at == "2024-05-07T01:00:00+00:00"
    assert [f.rows for f in manifest.files] == [3, 3]
    assert not list(folder.parent.glob(".*"))


def test_the_table_for_people_says_the_same(folder):
    rows = list(csv.DictReader(io.StringIO((folder / "flags.csv").read_bytes().decode(), newline="")))
    assert [r["customer_ref"] for r in rows] == ["C1", "", "C3"]
    assert [r["amount_fen"] for r in rows] == ["123", "", "123"]
    assert json.loads(rows[0]["evidence"]) == ["g1", 'g"2"']
    assert rows[2]["probability"] == "0.25"


def test_no_cell_of_the_table_for_people_is_run_as_a_formula(tmp_path):
    awkward = ["=1+1", "+86", "-5", "@x", "\tx", "\rx", "a=1", "-=x"]
    write_data(table(*(flag(n, customer_ref=text) for n, text in enumerate(awkward))), tmp_path, EXPORTERS)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "flags.csv").read_bytes().decode(), newline="")))
    assert [r["customer_ref"] for r in rows] == [*(f"'{text}" for text in awkward[:6]), "a=1", "'-=x"]
    plain = [json.loads(line)["customer_ref"] for line in (tmp_path / "flags.jsonl").read_bytes().splitlines()]
    assert plain == awkward


def test_the_same_flags_in_another_order_give_the_same_bytes(tmp_path):
    for name, flags in (("a", THREE), ("b", THREE.take([2, 0, 1]))):
        (tmp_path / name).mkdir()
        write_data(flags, tmp_path / name, EXPORTERS)
    assert all((tmp_path / "a" / e.name).read_bytes() == (tmp_path / "b" / e.name).read_bytes() for e in EXPORTERS)


def test_an_older_export_in_the_place_of_a_newer_one_is_refused(tmp_path, key):
    older, newer = "20240506T010000Z", "20240507T010000Z"
    done = export(THREE, tmp_path / "export", EXPORTERS, key, run_id=older, as_of=AS_OF)
    assert verify(done, key.public, EXPORTERS).run_id == older
    with pytest.raises(VerificationError, match=f"bears the name of run {newer} and holds what was signed of run {older}"):
        verify(done.rename(done.with_name(newer)), key.public, EXPORTERS)
    assert verify(done.with_name(newer).rename(tmp_path / "received"), key.public, EXPORTERS).run_id == older


def test_an_export_without_flags_is_an_export(tmp_path, key):
    done = export(table(), tmp_path / "export", EXPORTERS, key, run_id="run-0", as_of=AS_OF)
    assert verify(done, key.public, EXPORTERS).reasons == {}
    assert (done / "flags.jsonl").read_bytes() == b""
    assert (done / "flags.csv").read_text(encoding="utf-8").startswith('"flag_id","entity_id"')


def test_the_signature_is_plain_ed25519_that_other_tools_can_check(folder, tmp_path):
    if shutil.which("openssl") is None:
        raw = (folder / "manifest.sig").read_bytes()
        assert len(raw) == 64
        return
    files = ["-in", folder / "manifest.json", "-sigfile", folder / "manifest.sig"]
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", tmp_path / "keys" / "sign.pub", "-rawin", *files]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


# Again, and after a death


def test_exporting_the_same_again_changes_nothing(folder, key):
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    assert export(THREE, folder.parent, EXPORTERS, key, run_id="run-1", as_of=AS_OF) == folder
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert [p.name for p in folder.parent.iterdir()] == ["run-1"]


def test_an_export_that_says_something_else_is_not_overwritten(folder, key):
    with pytest.raises(KgfraudError, match=r"differs in flags.jsonl, flags.csv; an export is never overwritten"):
        export(THREE.slice(1), folder.parent, EXPORTERS, key, run_id="run-1", as_of=AS_OF)
    with pytest.raises(KgfraudError, match="differs in its files"):
        export(THREE, folder.parent, EXPORTERS[:1], key, run_id="run-1", as_of=AS_OF)
    assert verify(folder, key.public, EXPORTERS).rows == 3


def test_what_a_dead_run_left_is_replaced(folder, key):
    (folder / ".ok").unlink()
    (folder / "flags.csv").write_bytes(b"half")
    left = folder.parent / ".run-1.partial"
    left.mkdir()
    (left / "flags.jsonl").write_bytes(b"half")
    export(THREE, folder.parent, EXPORTERS, key, run_id="run-1", as_of=AS_OF)
    assert verify(folder, key.public, EXPORTERS).rows == 3
    assert not left.exists()


def test_an_export_that_fails_leaves_nothing(tmp_path, key):
    with pytest.raises(KgfraudError, match="floats must be finite"):
        export(table(flag(probability=float("nan"))), tmp_path / "export", EXPORTERS, key, run_id="run-1", as_of=AS_OF)
    assert list((tmp_path / "export").iterdir()) == []


@pytest.mark.parametrize("run_id", ["../up", ".hidden", "a/b", ""])
def test_a_run_that_cannot_name_a_folder_is_refused(tmp_path, key, run_id):
    with pytest.raises(UsageError, match="cannot be the name of a folder"):
        export(THREE, tmp_path / "export", EXPORTERS, key, run_id=run_id, as_of=AS_OF)


# What does not hold


def refused(folder, key, what):
    with pytest.raises(VerificationError, match=what):
        verify(folder, key.public, EXPORTERS)


def test_any_changed_byte_of_a_data_file_is_named(folder, key):
    for name in ("flags.csv", "flags.jsonl"):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[:-2] + b"x\n")
        refused(folder, key, f"{name} differs")
        (folder / name).write_bytes(data)


def test_a_changed_manifest_or_signature_is_refused(folder, key):
    manifest, signature = (folder / "manifest.json").read_bytes(), (folder / "manifest.sig").read_bytes()
    (folder / "manifest.json").write_bytes(manifest.replace(b'"rows": 3', b'"rows": 4'))
    refused(folder, key, r"manifest.sig is no signature of manifest.json by the key [0-9a-f]{16}…; use none of the files")
    (folder / "manifest.json").write_bytes(manifest)
    (folder / "manifest.sig").write_bytes(signature[:-1])
    refused(folder, key, "is no signature")


def test_another_signers_export_is_refused(folder, tmp_path):
    refused(folder, SigningKey.create(tmp_path / "other"), "is no signature")


@pytest.mark.parametrize("name", [".ok", "manifest.json", "manifest.sig"])
def test_an_incomplete_export_is_refused(folder, key, name):
    (folder / name).unlink()
    refused(folder, key, f"lacks {name}: the export is not complete")


def test_a_mark_of_completeness_that_holds_something_is_refused(folder, key):
    (folder / ".ok").write_bytes(b"\n")
    refused(folder, key, r"\.ok is not empty, as the mark of a complete export is")


def test_missing_surplus_and_linked_files_are_named_together(folder, key):
    (folder / "flags.csv").unlink()
    (folder / "flags.csv").symlink_to(folder / "flags.jsonl")
    (folder / "more.csv").touch()
    refused(folder, key, "more.csv is in no manifest; flags.csv is missing")


def resigned(folder, key, **changes):
    """Sign a manifest with other words, as a signer in error would."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    data = json.dumps({**manifest, **changes}).encode()
    (folder / "manifest.json").write_bytes(data)
    (folder / "manifest.sig").write_bytes(key.key.sign(data))


def test_counts_that_are_not_the_files_are_named(folder, key):
    resigned(folder, key, reasons={"GUARANTEE_CIRCLE": 3})
    refused(folder, key, r"flags.jsonl holds 3 rows, by reason .* where the manifest counts .*flags.csv holds 3 rows")


def test_a_manifest_of_another_kind_or_version_is_refused(folder, key):
    resigned(folder, key, schema_version=2)
    refused(folder, key, "has schema version 2; this program reads 1")
    resigned(folder, key, surprise=1)
    refused(folder, key, "is no manifest of an export")


def test_a_data_file_of_an_unknown_form_is_held_to_its_digest(folder, key):
    assert verify(folder, key.public, ()).rows == 3


def test_a_folder_that_is_not_there_is_refused(tmp_path, key):
    refused(tmp_path / "no", key, "there is no export at")


# Keys


def test_the_signing_key_is_made_once_and_closed_to_others(tmp_path, key):
    assert (tmp_path / "keys" / "sign.key").stat().st_mode & 0o777 == 0o600
    assert SigningKey.open(tmp_path / "keys").public.fingerprint == PublicKey.open(tmp_path / "keys" / "sign.pub").fingerprint
    with pytest.raises(UsageError, match=r"holds sign\.key already"):
        SigningKey.create(tmp_path / "keys")


def test_a_signing_key_that_is_missing_damaged_or_open_is_refused(tmp_path, key):
    path = tmp_path / "keys" / "sign.key"
    path.chmod(0o640)
    with pytest.raises(DependencyError, match=r"open to other users \(mode 0640\)"):
        SigningKey.open(path.parent)
    path.write_text("no key")
    with pytest.raises(DependencyError, match="no Ed25519 private key"):
        SigningKey.open(path.parent)
    path.unlink()
    with pytest.raises(DependencyError, match="is missing; restore keys/"):
        SigningKey.open(path.parent)


def test_a_public_key_that_is_missing_or_damaged_is_refused(tmp_path):
    with pytest.raises(UsageError, match="there is no public key at"):
        PublicKey.open(tmp_path / "sign.pub")
    (tmp_path / "sign.pub").write_text("no key")
    with pytest.raises(UsageError, match="is no Ed25519 public key"):
        PublicKey.open(tmp_path / "sign.pub")


# JSON text


TEXT = st.text(st.characters(codec="utf-8"), max_size=8)


def as_json(values):
    return [json.dumps(v, ensure_ascii=False, separators=(",", ":")) for v in values]


@settings(deadline=None)
@given(st.lists(st.none() | TEXT), st.lists(st.none() | st.lists(st.none() | TEXT, max_size=3)), st.lists(st.none() | st.integers(-9, 9)))
def test_json_text_is_what_the_standard_library_writes(texts, lists, numbers):
    assert json_text(pa.array(texts, pa.string())).to_pylist() == as_json(texts)
    assert json_text(pa.array(lists, pa.list_(pa.string()))).to_pylist() == as_json(lists)
    assert json_text(pa.array(lists, pa.list_(pa.string())).slice(1)).to_pylist() == as_json(lists[1:])
    assert json_text(pa.array(numbers, pa.int64())).to_pylist() == as_json(numbers)


@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False)))
def test_floats_are_read_back_as_they_were(numbers):
    assert [json.loads(text) for text in json_text(pa.array(numbers, pa.float64())).to_pylist()] == numbers


def test_a_type_that_has_no_json_is_refused():
    with pytest.raises(KgfraudError, match="cannot be written as JSON"):
        json_text(pa.array([b"x"]))


# The command


def run(*args):
    return CliRunner().invoke(cli, ["verify", *map(str, args)])


def test_the_command_uses_the_workspaces_key(folder, tmp_path):
    done = run(folder, "--workspace", tmp_path)
    assert done.exit_code == 0
    assert "holds: run run-1, as of 2024-05-06, 3 flags" in done.output
    assert "GUARANTEE_CIRCLE: 2" in done.output


def test_the_command_prints_json(folder, tmp_path):
    said = json.loads(run(folder, "--key", tmp_path / "keys" / "sign.pub", "--json").stdout)
    assert (said["holds"], said["rows"], said["reasons"]["GUARANTEE_CIRCLE"]) == (True, 3, 2)
    manifest = {"schema_version", "run_id", "as_of", "rows", "reasons", "files", "generated_at", "key"}
    assert set(said) == {"holds", *manifest}


def test_the_command_ends_with_5_where_the_export_does_not_hold(folder, tmp_path):
    with (folder / "flags.csv").open("ab") as file:
        file.write(b"x")
    for args in ((), ("--json",)):
        done = run(folder, "--workspace", tmp_path, *args)
        assert done.exit_code == 5
        assert "flags.csv differs" in done.stderr
    assert json.loads(done.stdout)["holds"] is False


def test_a_key_that_lies_in_the_export_is_not_trusted(folder, tmp_path):
    shutil.copy(tmp_path / "keys" / "sign.pub", folder / "sign.pub")
    done = run(folder, "--key", folder / "sign.pub")
    assert done.exit_code == 5
    assert "use one that came another way" in done.stderr
    told = json.loads(run(folder, "--key", folder / "sign.pub", "--json").stdout)
    assert (set(told), told["holds"]) == ({"holds", "problem"}, False)


def test_a_missing_key_is_wrong_usage(folder, tmp_path):
    (tmp_path / "keys" / "sign.pub").unlink()
    done = run(folder, "--workspace", tmp_path)
    assert done.exit_code == 2
    assert "name the signer's sign.pub with --key" in done.stderr
