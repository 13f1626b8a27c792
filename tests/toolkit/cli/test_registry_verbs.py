"""The verbs of a registry, as people and programs call them: what they show, write and refuse, and what to do then."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

import flyweight

Run = Callable[..., Result]
Ask = Callable[..., Any]


@pytest.fixture
def ask(run: Run) -> Ask:
    """What a verb answers as JSON, when it succeeds."""

    def asked(*arguments: object) -> Any:
        result = run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return asked


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """The penguins model's next version."""
    from tests import fitted

    estimator, sample = fitted.penguins()
    path = tmp_path / "second.safetensors"
    flyweight.pack(estimator, path, sample=sample, name="penguins", version="2.0.0", edge_count=10)
    return path


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"file://{tmp_path}/models"


@pytest.fixture
def key(run: Run, tmp_path: Path) -> Path:
    assert run("sign", "--new-key", tmp_path / "private.pem").exit_code == 0
    return tmp_path / "private.pem"


def refused(result: Result, *told: str) -> None:
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("error: ") and "\nnext: " in result.stderr
    for text in told:
        assert text in result.stderr


def test_push_tells_what_it_did_and_how_to_use_it(run: Run, penguins: Path, store: str) -> None:
    first, again = run("push", penguins, store, "--alias", "prod"), run("push", penguins, store, "--alias", "prod")
    assert first.exit_code == again.exit_code == 0, first.output
    assert "penguins 1.0.0" in first.stdout and "FLYWEIGHT_MODEL=" in first.stdout and "penguins@prod" in first.stdout
    assert "already" not in first.stdout and "it existed already, with the same bytes" in again.stdout


def test_push_promotes_latest_unless_told_otherwise(ask: Ask, penguins: Path, second: Path, store: str) -> None:
    pushed = ask("push", penguins, store)
    assert (pushed["address"], pushed["existed"], [*pushed["aliases"]]) == (f"{store}/penguins/1.0.0", False, ["latest"])
    assert [*ask("push", second, store, "--alias", "a", "--alias", "b")["aliases"]] == ["a", "b"]
    listed = ask("models", "ls", f"{store}/penguins")
    assert listed["aliases"] == {"latest": "1.0.0", "a": "2.0.0", "b": "2.0.0"}
    assert [record["version"] for record in listed["versions"]] == ["1.0.0", "2.0.0"]


def test_push_refuses_other_bytes_and_what_is_no_model(run: Run, penguins: Path, store: str, tmp_path: Path) -> None:
    from tests import fitted

    run("push", penguins, store)
    other = tmp_path / "other.safetensors"
    estimator, _ = fitted.penguins()
    flyweight.pack(estimator, other, name="penguins", version="1.0.0", edge_count=10)
    refused(run("push", other, store), "penguins 1.0.0 exists already with other bytes", "another --version")
    other.write_bytes(b"")
    refused(run("push", other, store), "truncated", "flyweight pack")
    refused(run("push", penguins, "ftp://example.org/models"), "s3://", "give such an address")


def test_ls_shows_models_then_versions(run: Run, penguins: Path, second: Path, store: str, tmp_path: Path, ask: Ask) -> None:
    assert "flyweight push" in run("models", "ls", store).stdout and ask("models", "ls", store) == []
    run("push", penguins, store)
    run("push", second, store, "--alias", "next")
    assert ask("models", "ls", store) == [{"name": "penguins", "versions": ["1.0.0", "2.0.0"], "aliases": ["latest", "next"]}]
    for place in (f"{store}/penguins", tmp_path / "models" / "penguins"):
        text = run("models", "ls", place).stdout
        assert text.index("2.0.0") < text.index("1.0.0"), "the newest stands first"
        assert "next" in text and "latest" in text


def test_show_tells_of_an_alias_a_version_and_an_object(
    run: Run, ask: Ask, penguins: Path, second: Path, store: str, key: Path, tmp_path: Path
) -> None:
    run("push", penguins, store)
    run("push", second, store, "--key", key)
    alias = ask("models", "show", f"{store}/penguins@latest")
    assert (alias["kind"], alias["record"]["version"], alias["previous"], alias["aliases"]) == (
        "alias",
        "2.0.0",
        ["1.0.0"],
        ["latest"],
    )
    assert len(alias["signed_by"]) == 16 and "parity" not in alias
    version = ask("models", "show", f"{store}/penguins/1.0.0", "--fetch")
    assert (version["signed_by"], version["aliases"], version["sha256"]) == (None, [], version["record"]["sha256"])
    assert version["parity"]["label_differences"] == 0 and version["engines"]
    text = run("models", "show", f"{store}/penguins@latest", "--fetch").stdout
    assert "penguins 2.0.0" in text and "rows compared" in text and alias["signed_by"] in text
    (tmp_path / "models" / "plain.safetensors").write_bytes(penguins.read_bytes())
    plain = ask("models", "show", f"{store}/plain.safetensors")
    assert (plain["kind"], plain["bytes"]) == ("object", penguins.stat().st_size) and "record" not in plain
    assert "nobody" in run("models", "show", f"{store}/plain.safetensors").stdout


def test_show_and_pull_say_where_to_look_when_nothing_is_there(run: Run, store: str, penguins: Path) -> None:
    for verb in (["models", "show"], ["pull"]):
        refused(run(*verb, f"{store}/penguins@prod"), "there is no", f"models ls {store}")
        refused(run(*verb, penguins), "is a file on this machine", "flyweight inspect")
        refused(run(*verb, f"{store}/a/b@c@d"), "docs/registry.md")


def test_pull_brings_the_bytes_and_the_signature(
    run: Run, ask: Ask, penguins: Path, store: str, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run("push", penguins, store, "--key", key)
    assert run("pull", f"{store}/penguins@latest").exit_code == 0
    assert (tmp_path / "penguins.safetensors").read_bytes() == penguins.read_bytes()
    assert ask("verify", "penguins.safetensors", "--key", f"{key}.pub")["name"] == "penguins"
    pulled = ask("pull", f"{store}/penguins/1.0.0", "-o", "deep/down.safetensors")
    assert (pulled["path"], pulled["signature"]) == ("deep/down.safetensors", "deep/down.safetensors.sig")


def test_pull_writes_nothing_of_an_altered_model(run: Run, penguins: Path, store: str, tmp_path: Path) -> None:
    run("push", penguins, store)
    (stored,) = (tmp_path / "models").rglob("*.safetensors")
    data = bytearray(penguins.read_bytes())
    data[-1] ^= 1
    stored.write_bytes(data)
    refused(run("pull", f"{store}/penguins@latest", "-o", tmp_path / "out.safetensors"), "was altered", f"models ls {store}")
    assert not (tmp_path / "out.safetensors").exists()


def test_pull_keeps_what_is_there_when_an_object_is_no_model(run: Run, store: str, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "plain.safetensors").write_bytes(b"no model")
    out = tmp_path / "out.safetensors"
    out.write_bytes(b"before")
    refused(run("pull", f"{store}/plain.safetensors", "-o", out), "not a safetensors file")
    assert out.read_bytes() == b"before"


def test_promote_and_rollback_move_an_alias(run: Run, ask: Ask, penguins: Path, second: Path, store: str) -> None:
    run("push", penguins, store)
    run("push", second, store, "--alias", "next")
    alias = f"{store}/penguins@latest"
    promoted = ask("models", "promote", alias, "2.0.0")
    assert promoted["record"]["version"] == "2.0.0"
    back = ask("models", "rollback", alias, "--to", "1.0.0")
    assert (back["record"]["version"], back["serial"]) == ("1.0.0", promoted["serial"] + 1)
    assert "penguins 2.0.0" in run("models", "promote", alias, "2.0.0").stdout
    assert "penguins 1.0.0" in run("models", "rollback", alias).stdout
    refused(run("models", "rollback", alias), "meant nothing before", "models promote")
    refused(run("models", "promote", alias, "3.0.0"), "there is no penguins 3.0.0", "models ls")
    refused(run("models", "promote", f"{store}/penguins/1.0.0", "2.0.0"), "is not the address of an alias", "STORE/NAME@ALIAS")


def test_rm_takes_a_version_that_nothing_means(run: Run, ask: Ask, penguins: Path, store: str) -> None:
    run("push", penguins, store)
    version, alias = f"{store}/penguins/1.0.0", f"{store}/penguins@latest"
    refused(run("models", "rm", version), "what penguins@latest means", "models promote")
    assert ask("models", "rm", alias) == {"removed": alias}
    assert run("models", "rm", version).stdout == f"removed {version}\n"
    assert ask("models", "ls", store) == []
    refused(run("models", "rm", version), "there is no penguins 1.0.0")
    refused(run("models", "rm", f"{store}/plain.safetensors"), "not in a registry")


def test_a_new_key_is_for_its_owner_alone_and_never_overwritten(run: Run, ask: Ask, tmp_path: Path) -> None:
    made = ask("sign", "--new-key", tmp_path / "k.pem")
    assert stat.S_IMODE(os.stat(tmp_path / "k.pem").st_mode) == 0o600
    assert len(made["key"]) == 16 and made["public"] == f"{tmp_path}/k.pem.pub"
    before = (tmp_path / "k.pem").read_bytes()
    refused(run("sign", "--new-key", tmp_path / "k.pem"), "never overwritten")
    (tmp_path / "k.pem").unlink()
    refused(run("sign", "--new-key", tmp_path / "k.pem"), "k.pem.pub exists already")
    assert not (tmp_path / "k.pem").exists() and before


def test_what_is_signed_verifies_by_each_form_of_the_key(run: Run, ask: Ask, penguins: Path, tmp_path: Path) -> None:
    made = ask("sign", "--new-key", tmp_path / "k.pem")
    other = ask("sign", "--new-key", tmp_path / "other.pem")
    model = tmp_path / "m.safetensors"
    model.write_bytes(penguins.read_bytes())
    refused(run("verify", model, "--key", made["public"]), "is not signed", "flyweight sign FILE")
    signed = ask("sign", model, "--key", made["private"])
    written = json.loads((tmp_path / "m.safetensors.sig").read_text())
    names = {"name": "penguins", "version": "1.0.0"}
    assert written == {"key": made["key"], "value": signed["value"], "sha256": signed["sha256"], **names}
    for public in (made["public"], made["base64"]):
        assert ask("verify", model, "--key", other["base64"], "--key", public)["key"] == made["key"]
    assert made["key"] in run("verify", model, "--key", made["public"]).stdout
    refused(run("verify", model, "--key", other["public"]), "not trusted here", other["key"])
    refused(run("verify", model, "--key", tmp_path / "none.pub"), "public key 1 of 1 is neither")


def test_a_change_after_signing_is_seen(run: Run, penguins: Path, second: Path, key: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    model.write_bytes(penguins.read_bytes())
    assert run("sign", model, "--key", key).exit_code == 0
    model.write_bytes(second.read_bytes())
    refused(run("verify", model, "--key", f"{key}.pub"), "is wrong")
    for damaged in ("", "[]", "{", '{"key": 1}'):
        (tmp_path / "m.safetensors.sig").write_text(damaged)
        refused(run("verify", model, "--key", f"{key}.pub"))


def test_sign_takes_a_key_that_signs_and_a_model_that_answers(run: Run, penguins: Path, key: Path, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    model = tmp_path / "m.safetensors"
    model.write_bytes(penguins.read_bytes())
    locked, other = tmp_path / "locked.pem", tmp_path / "other.pem"
    pem, pkcs8 = s.Encoding.PEM, s.PrivateFormat.PKCS8
    locked.write_bytes(ed25519.Ed25519PrivateKey.generate().private_bytes(pem, pkcs8, s.BestAvailableEncryption(b"word")))
    other.write_bytes(ec.generate_private_key(ec.SECP256R1()).private_bytes(pem, pkcs8, s.NoEncryption()))
    refused(run("sign", model, "--key", locked), "is not a private key in PEM that can be read", "--new-key")
    refused(run("sign", model, "--key", f"{key}.pub"), "is not a private key in PEM that can be read")
    refused(run("sign", model, "--key", other), "is not an Ed25519 key")
    refused(run("sign", model, "--key", tmp_path / "none.pem"), "No such file")
    model.write_bytes(b"")
    refused(run("sign", model, "--key", key), "truncated")
    assert not (tmp_path / "m.safetensors.sig").exists()
    assert run("sign", model).exit_code == run("sign").exit_code == run("sign", model, "--new-key", "k").exit_code == 2


def test_verifying_runs_nothing_in_the_file_so_a_pickle_may_be_verified(
    run: Run, penguins: Path, key: Path, tmp_path: Path
) -> None:
    """`push` and `sign` load a model, which a pickle needs permission for; verifying looks at the bytes alone."""
    import hashlib

    from flyweight.toolkit.publishing import signing
    from tests.ops.hostile import raw

    model = tmp_path / "m.safetensors"
    model.write_bytes(raw({"format": 1, "name": "m", "version": "1", "engines": ["pickle"]}))
    sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
    signing.write(model, sha256, signing.sign(sha256, "m", "1", key))
    assert run("verify", model, "--key", f"{key}.pub").exit_code == 0
    refused(run("sign", model, "--key", key))
