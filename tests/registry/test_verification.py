"""A digital signature is valid for one model under one name by one key; all others are refused with the next step."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st

from flyweight.errors import ModelRefused
from flyweight.registry import verification
from tests.conftest import ROOT

PRIVATE = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RAW = PRIVATE.public_key().public_bytes_raw()
KEY = base64.b64encode(RAW).decode()
OTHER = base64.b64encode(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()).decode()
SHA256 = "a" * 64
PEM, INFO = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo


def signed(sha256: str = SHA256, name: str = "m", version: str = "1") -> dict[str, str]:
    value = PRIVATE.sign(f"flyweight-model-v1\n{sha256}\n{name}@{version}".encode())
    return {"key": verification.key_id(RAW), "value": base64.b64encode(value).decode()}


def refusal(digital_signature: Any, *keys: str, sha256: str = SHA256, name: str = "m", version: str = "1") -> ModelRefused:
    with pytest.raises(ModelRefused) as caught:
        verification.check(sha256, name, version, digital_signature, keys)
    assert caught.value.next_step
    return caught.value


def test_a_model_that_a_trusted_key_signed_passes_with_the_id_of_the_key() -> None:
    assert verification.check(SHA256, "m", "1", signed(), (OTHER, KEY)) == verification.key_id(RAW)


def test_rfc_8032s_own_key_verifies_by_its_id() -> None:
    """RFC 8032, 7.1, test 1: the public key; its id is the first 16 digits of its sha256."""
    raw = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert verification.key_id(raw) == "21fe31dfa154a261"
    assert verification.public_keys((base64.b64encode(raw).decode(),)) == [raw]


def test_three_refusals_are_three_sentences() -> None:
    unsigned = refusal(None, KEY)
    unknown = refusal(signed(), OTHER)
    wrong = refusal(signed(), KEY, sha256="b" * 64)
    assert "is not signed" in str(unsigned) and "--key private.pem" in unsigned.next_step
    assert f"signed by the key '{verification.key_id(RAW)}', which is not trusted" in str(unknown)
    assert verification.key_id(base64.b64decode(OTHER)) in unknown.next_step
    assert "is wrong" in str(wrong)
    assert len({str(error) for error in (unsigned, unknown, wrong)} | {e.next_step for e in (unsigned, unknown, wrong)}) == 6


@pytest.mark.parametrize("changed", [{"sha256": "b" * 64}, {"name": "n"}, {"version": "2"}])
def test_a_digital_signature_is_not_valid_for_other_bytes_name_or_version(changed: dict[str, str]) -> None:
    assert "is wrong" in str(refusal(signed(), KEY, **changed))


def test_with_no_key_nothing_is_trusted() -> None:
    assert "no key is trusted" in refusal(signed()).next_step


def test_every_flipped_bit_of_a_digital_signature_is_detected() -> None:
    sound = base64.b64decode(signed()["value"])
    for place in range(0, 8 * len(sound), 7):
        flipped = bytearray(sound)
        flipped[place // 8] ^= 1 << place % 8
        assert "is wrong" in str(refusal({**signed(), "value": base64.b64encode(flipped).decode()}, KEY))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(anything | st.fixed_dictionaries({"key": st.just(verification.key_id(RAW)) | anything, "value": anything}))
def test_any_json_as_a_digital_signature_is_refused(value: Any) -> None:
    refusal(value, KEY)


@given(st.binary(min_size=64, max_size=64))
def test_any_64_bytes_as_a_value_are_refused(value: bytes) -> None:
    assert "is wrong" in str(refusal({**signed(), "value": base64.b64encode(value).decode()}, KEY))


@given(st.text())
def test_any_text_as_a_key_is_refused_and_not_repeated(text: str) -> None:
    error = refusal(signed(), KEY, text)
    assert str(error).startswith("public key 2 of 2 is neither") and (len(text) < 8 or text not in str(error))


def test_a_key_may_be_a_pem_file_with_any_ends_of_lines(tmp_path: Path) -> None:
    pem = PRIVATE.public_key().public_bytes(PEM, INFO)
    for name, data in {"unix": pem, "windows": pem.replace(b"\n", b"\r\n"), "with words": b"a comment\n" + pem}.items():
        (tmp_path / name).write_bytes(data)
        assert verification.public_keys((str(tmp_path / name),)) == [RAW]


def test_a_key_of_another_kind_or_a_private_one_is_refused(tmp_path: Path) -> None:
    private = PRIVATE.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    other = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(PEM, INFO)
    for data in (private, other, b"", b"-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----\n", b"\xff"):
        (tmp_path / "key").write_bytes(data)
        assert "neither" in str(refusal(signed(), str(tmp_path / "key")))
    assert "neither" in str(refusal(signed(), str(tmp_path)))
    assert "nor the path of a PEM file" in str(refusal(signed(), str(tmp_path / "absent.pem.pub")))


def test_the_digital_signature_beside_a_file_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    assert verification.beside(str(path)) is None
    (tmp_path / "m.safetensors.sig").write_text(json.dumps(signed()))
    assert verification.beside(str(path)) == signed()


@given(data=st.binary())
def test_any_bytes_beside_a_file_are_a_json_object_or_refused(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    path.with_name("any.safetensors.sig").write_bytes(data)
    try:
        document = verification.beside(str(path))
    except ModelRefused as error:
        assert error.next_step
    else:
        assert document == json.loads(data)


def isolated(program: str) -> str:
    """Run a program in a new process that has the standard library and the core only, and get its output."""
    head = f"import sys; sys.path.insert(0, {str(ROOT / 'shared')!r}); from flyweight.registry import verification\n"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", head + program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_the_library_a_signed_model_is_refused() -> None:
    out = isolated(
        f"try: verification.check({SHA256!r}, 'm', '1', {signed()!r}, ({KEY!r},))\n"
        "except verification.ModelRefused as error: print(error, error.next_step)"
    )
    assert "nothing can verify them" in out and "install `cryptography`" in out


def test_unsigned_and_unknown_are_refused_without_importing_the_library() -> None:
    """So a refusal takes no longer if the library is installed; and this module alone imports next to nothing."""
    out = isolated(
        f"for value in (None, {{'key': 'x', 'value': ''}}):\n"
        f"    try: verification.check({SHA256!r}, 'm', '1', value, ({KEY!r},))\n"
        "    except verification.ModelRefused as error: print(error)\n"
    )
    assert "is not signed" in out and "is not trusted" in out
    assert "hashlib" not in isolated("print(*sys.modules)").split()
