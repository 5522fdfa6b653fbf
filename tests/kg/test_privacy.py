import base64
import hashlib
import hmac
import pickle
import stat
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kg.privacy
from kg.errors import DependencyError, UsageError, VerificationError
from kg.privacy import Keyring, base32

FILES = ("wrap.key", "token.key", "seal.key")


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    Keyring.create(folder)
    return folder


def test_keys_are_for_their_owner_alone(keys):
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert {stat.S_IMODE((keys / name).stat().st_mode) for name in FILES} == {0o600}
    assert sorted(path.name for path in keys.iterdir()) == sorted(FILES)


def test_a_token_is_the_keyed_digest_that_the_standard_library_computes(keys):
    keyring = Keyring.open(keys)
    digest = hmac.digest(keyring._token_key, b"cnid:11010519491231002X", "sha256")
    assert keyring.token("cnid", "11010519491231002X") == base64.b32encode(digest[:15]).decode().lower()


@given(st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]))), max_size=50))
def test_equal_values_have_equal_tokens_and_others_do_not(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("ring") / "keys"
    keyring = Keyring.create(folder)
    tokens = keyring.tokens("account", pa.array(values, pa.string())).to_pylist()
    assert tokens == [None if value is None else keyring.token("account", value) for value in values]
    assert len(set(tokens)) == len(set(values))
    assert Keyring.open(folder).tokens("account", pa.array(values, pa.string())).to_pylist() == tokens


@given(st.lists(st.binary(min_size=15, max_size=15)))
def test_base32_equals_the_standard_library(digests):
    assert base32(b"".join(digests)).to_pylist() == [base64.b32encode(digest).decode().lower() for digest in digests]


def test_the_same_text_of_two_kinds_has_two_tokens(keys):
    keyring = Keyring.open(keys)
    assert keyring.token("phone", "13800138000") != keyring.token("account", "13800138000")


def test_tokens_differ_between_workspaces(tmp_path):
    assert Keyring.create(tmp_path / "a").token("phone", "1") != Keyring.create(tmp_path / "b").token("phone", "1")


def test_an_empty_column_has_no_tokens(keys):
    assert Keyring.open(keys).tokens("phone", pa.array([], pa.string())).to_pylist() == []


@given(st.binary(), st.binary())
def test_what_was_sealed_opens_in_its_context_alone(tmp_path_factory, data, context):
    keyring = Keyring.create(tmp_path_factory.mktemp("ring") / "keys")
    sealed = keyring.seal(data, context)
    assert keyring.unseal(sealed, context) == data
    assert keyring.seal(data, context) != sealed
    with pytest.raises(VerificationError, match="do not open"):
        keyring.unseal(sealed, context + b"!")


@pytest.mark.parametrize("sealed", [b"", b"short", bytes(40)])
def test_bytes_that_were_never_sealed_are_refused(keys, sealed):
    with pytest.raises(VerificationError, match="do not open"):
        Keyring.open(keys).unseal(sealed, b"")


def test_rotation_changes_every_file_and_no_token(keys):
    keyring = Keyring.open(keys)
    token, sealed = keyring.token("phone", "1"), keyring.seal(b"row", b"x")
    before = {name: (keys / name).read_bytes() for name in FILES}
    keyring.rotate()
    assert all((keys / name).read_bytes() != before[name] for name in FILES)
    again = Keyring.open(keys)
    assert again.token("phone", "1") == token
    assert again.unseal(sealed, b"x") == b"row"


@pytest.mark.parametrize("writes", range(4))
def test_a_rotation_cut_short_at_any_file_leaves_keys_that_open(keys, monkeypatch, writes):
    keyring, done, write = Keyring.open(keys), [], kg.privacy._write

    def dying(path, data):
        if len(done) == writes:
            raise OSError("killed")
        done.append(path)
        write(path, data)

    monkeypatch.setattr(kg.privacy, "_write", dying)
    with pytest.raises(OSError, match="killed"):
        keyring.rotate()
    monkeypatch.undo()
    again = Keyring.open(keys)
    assert again.token("phone", "1") == keyring.token("phone", "1")
    again.rotate()
    assert len((keys / "wrap.key").read_bytes()) == 32
    assert Keyring.open(keys).token("phone", "1") == keyring.token("phone", "1")


def test_keys_are_made_once(keys):
    with pytest.raises(UsageError, match=r"wrap\.key already"):
        Keyring.create(keys)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DependencyError, match=r"keys.* is missing; restore"):
        Keyring.open(tmp_path / "keys")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_key_is_named(keys, name):
    (keys / name).unlink()
    with pytest.raises(DependencyError, match=rf"{name} is missing"):
        Keyring.open(keys)


@pytest.mark.parametrize("name", FILES)
def test_a_key_that_cannot_be_read_is_named(keys, name):
    (keys / name).unlink()
    (keys / name).mkdir(mode=0o600)
    with pytest.raises(DependencyError, match=rf"{name} cannot be read"):
        Keyring.open(keys)


@pytest.mark.parametrize("name", FILES)
def test_a_key_that_others_can_read_is_refused(keys, name):
    (keys / name).chmod(0o644)
    with pytest.raises(DependencyError, match=rf"{name} is open to other users \(mode 0644\).*chmod 600"):
        Keyring.open(keys)


def test_a_folder_that_others_can_enter_is_refused(keys):
    keys.chmod(0o755)
    with pytest.raises(DependencyError, match=r"open to other users \(mode 0755\).*chmod 700"):
        Keyring.open(keys)


def test_a_wrapping_key_of_another_workspace_is_refused(keys, tmp_path):
    Keyring.create(tmp_path / "other")
    (keys / "wrap.key").write_bytes((tmp_path / "other" / "wrap.key").read_bytes())
    with pytest.raises(VerificationError, match=r"token\.key does not open with wrap\.key"):
        Keyring.open(keys)


@pytest.mark.parametrize("data", [b"", b"too short"])
def test_a_damaged_wrapping_key_is_refused(keys, data):
    (keys / "wrap.key").write_bytes(data)
    with pytest.raises(VerificationError, match=r"wrap\.key is damaged"):
        Keyring.open(keys)


def test_no_key_is_shown_or_pickled(keys):
    keyring = Keyring.open(keys)
    assert repr(keyring) == "Keyring('keys')"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(keyring)


def test_keys_on_disk_are_wrapped(keys):
    keyring = Keyring.open(keys)
    held = b"".join((keys / name).read_bytes() for name in FILES)
    assert keyring._token_key not in held
    assert keyring._seal_key not in held
    assert hashlib.sha256(keyring._token_key).digest() not in held
