"""Addresses: sound ones are parsed, all other texts are refused, and no text leaves its store."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight.registry.addresses import LETTERS, SCHEMES, Address, checked, parse, record_key

NAMES = st.text(st.sampled_from(sorted(LETTERS)), min_size=1, max_size=100).filter(
    lambda text: text[0] != "." and not text.endswith(".safetensors")
)
FOLDERS = (
    st.lists(st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=9), max_size=3)
    .map(lambda parts: [part for part in parts if part.isprintable() and "/" not in part and part not in (".", "..")])
    .filter(lambda parts: "=" not in "/".join(parts).partition("?")[2])  # which may be a signature
)
PLACES = st.sampled_from(["s3://bucket", "gs://bucket.example.com", "az://$web", "file://"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m.safetensors", Address("m.safetensors", "file", "", "/folder/m.safetensors")),
        ("/opt/m.safetensors", Address("/opt/m.safetensors", "file", "", "/opt/m.safetensors")),
        ("file:///srv/m.safetensors", Address("file:///srv/m.safetensors", "object", "file:///srv", "m.safetensors")),
        ("file:///m.safetensors", Address("file:///m.safetensors", "object", "file:///", "m.safetensors")),
        ("s3://b/m.safetensors", Address("s3://b/m.safetensors", "object", "s3://b", "m.safetensors")),
        ("s3://b/p/q/x@y.safetensors", Address("s3://b/p/q/x@y.safetensors", "object", "s3://b/p/q", "x@y.safetensors")),
        ("s3://b/cancer@prod", Address("s3://b/cancer@prod", "alias", "s3://b", "cancer/@prod.json", "cancer", "prod")),
        ("gs://b/p/c@prod", Address("gs://b/p/c@prod", "alias", "gs://b/p", "c/@prod.json", "c", "prod")),
        ("az://b/p/c/1.2.0", Address("az://b/p/c/1.2.0", "version", "az://b/p", "c/1.2.0/version.json", "c", "1.2.0")),
        ("file:///srv/c/1+a", Address("file:///srv/c/1+a", "version", "file:///srv", "c/1+a/version.json", "c", "1+a")),
        ("https://h:8/c@x", Address("https://h:8/c@x", "alias", "https://h:8", "c/@x.json", "c", "x")),
        ("http://127.0.0.1:80/c@x", Address("http://127.0.0.1:80/c@x", "alias", "http://127.0.0.1:80", "c/@x.json", "c", "x")),
    ],
)
def test_an_address_has_a_store_and_a_key(text: str, expected: Address) -> None:
    assert parse(text, "/folder") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a path"),
        ("model.onnx", "expected a path"),
        ("models/cancer@prod", "expected a path"),
        ("file:m.safetensors", "expected a path"),
        ("file://host/m.safetensors", "expected a path"),
        ("s3://", "expected a path"),
        ("s3://bucket", "expected a path"),
        ("s3:///m.safetensors", "expected a path"),
        ("s3://bucket/cancer", "expected a path"),
        ("ftp://h/m.safetensors", "expected a path"),
        ("s3://b u/m.safetensors", "expected a path"),
        ("s3://b//m.safetensors", "no empty"),
        ("s3://b/../m.safetensors", "no empty"),
        ("s3://b/c@prod/", "no empty"),
        ("s3://b/c@", "an alias should be 1 to 100"),
        ("s3://b/@prod", "a model's name should be 1 to 100"),
        ("s3://b/c@a@b", "an alias should be 1 to 100"),
        ("s3://b/.c/1", "a model's name should be 1 to 100"),
        ("s3://b/c/v 1", "a version should be 1 to 100"),
        (f"s3://b/c@{'a' * 101}", "an alias should be 1 to 100"),
        (f"s3://{'a' * 3000}/c@p", "at most 2048"),
        ("s3://b/c@p\n", "printable"),
        ("http://example.com/m.safetensors", "use https://"),
        ("http://localhost.example.com/m.safetensors", "use https://"),
    ],
)
def test_another_text_is_refused_with_a_description_of_addresses(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(text, "/folder")


@pytest.mark.parametrize(
    "text",
    [
        "https://user:SECRET@h/m.safetensors",
        "https://h/m.safetensors?X-Amz-Signature=SECRET",
        "s3://k:SECRET@b/c@p",
        "az://c/m.safetensors?sig=SECRET",
    ],
)
def test_credentials_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="no credentials") as raised:
        parse(text)
    assert "SECRET" not in str(raised.value)


@given(PLACES, FOLDERS, NAMES, NAMES)
def test_names_and_labels_are_read(place: str, folders: list[str], name: str, label: str) -> None:
    root = "/".join([place, *folders])
    alias, version = parse(f"{root}/{name}@{label}"), parse(f"{root}/{name}/{label}")
    assert (alias.kind, alias.name, alias.label) == ("alias", name, label)
    assert (version.kind, version.name, version.label) == ("version", name, label)
    assert alias.root == version.root == ("file:///" if root == "file://" else root)
    assert version.key == record_key(name, label)


@given(st.one_of(st.text(), st.tuples(st.sampled_from(SCHEMES), st.text()).map("://".join)), st.sampled_from(["", "/folder"]))
def test_any_text_is_an_address_or_a_value_error(text: str, folder: str) -> None:
    try:
        address = parse(text, folder)
    except ValueError:
        return
    assert address.text == text
    assert address.kind in ("file", "object", "alias", "version")
    if address.kind == "file":
        assert address.key == os.path.join(folder, text)
        return
    assert address.root.partition("://")[0] in SCHEMES
    assert not {"", ".", ".."} & {*address.key.split("/")}
    if address.kind != "object":
        assert checked(address.name, "") == address.name and checked(address.label, "") == address.label
