"""Files that are damaged, odd or of other programs: 200 and more, made from a few good ones.

A family is a function from a folder to the paths that it made there.
"""

from __future__ import annotations

import bz2
import gzip
import io
import os
import pickle
import random
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

X = np.random.default_rng(0).normal(size=(30, 2))
CSV = "a,b\n" + "\n".join(f"{a:.3f},{b:.3f}" for a, b in X) + "\n"


class Panic(BaseException):
    """What a library in Rust raises where it panics."""


class Reduced:
    """An object whose pickle calls a function as it is read."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def raises(kind: type[BaseException]) -> None:
    """Raise an error of this kind."""
    raise kind("raised as the pickle is read")


def estimator() -> Any:
    """Fit the estimator from which good files are made."""
    return LogisticRegression().fit(pd.DataFrame(X, columns=["a", "b"]), X[:, 0] > 0)


def spoiled(data: bytes, count: int, seed: int = 0) -> Iterator[bytes]:
    """Yield damaged copies: shortened, with some bytes changed, with a piece doubled, or with a piece of zeros."""
    rng = random.Random(seed)
    for number in range(count):
        place = rng.randrange(len(data))
        kind = number % 4
        if kind == 0:
            yield data[:place]
        elif kind == 1:
            copy = bytearray(data)
            for _ in range(5):
                copy[rng.randrange(len(copy))] ^= 1 << rng.randrange(8)
            yield bytes(copy)
        elif kind == 2:
            yield data[:place] + data[max(0, place - 40) :]
        else:
            yield data[:place] + bytes(40) + data[place + 40 :]


def written(folder: Path, suffix: str, contents: Iterator[bytes] | list[bytes]) -> list[Path]:
    """Write one file for each of the contents."""
    paths = []
    for number, data in enumerate(contents):
        path = folder / f"odd{number}{suffix}"
        path.write_bytes(data)
        paths.append(path)
    return paths


def model_files(folder: Path) -> list[Path]:
    """Damage a model file; the header, which comes first, gets half of the damage."""
    from flyweight.toolkit.packing.pack import pack

    data = pack(estimator(), sample=pd.DataFrame(X, columns=["a", "b"]), edge_count=5).data
    end = 8 + int.from_bytes(data[:8], "little")
    heads = [head + data[end:] for head in spoiled(data[:end], 16)]
    claims = [(n).to_bytes(8, "little") + data[8:] for n in (0, 1, 2**31, 2**62, 2**64 - 1)]
    return written(folder, ".safetensors", [*heads, *claims, *spoiled(data[end:], 4, 1), *spoiled(data, 12, 2)])


def pickles_of_estimators(folder: Path) -> list[Path]:
    """Damage joblib files, of which two are compressed."""
    paths = []
    for number, compress in enumerate((0, 3, ("bz2", 3))):
        buffer = io.BytesIO()
        joblib.dump(estimator(), buffer, compress=compress)
        (folder / f"{number}").mkdir()
        paths += written(folder / f"{number}", ".joblib", spoiled(buffer.getvalue(), 24 if not number else 6, number))
    return paths


def pickles_of_others(folder: Path) -> list[Path]:
    """Pickle what is no estimator, what is not there, and what raises as it is read."""
    kinds = (ValueError, KeyError, SystemExit, MemoryError, RecursionError, ImportError, OSError, StopIteration, Warning, Panic)
    looped: list[Any] = []
    looped.append(looped)
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    values = [None, 7, "text", {"a": 1}, [1, 2], looped, deep, X, pd.DataFrame(X), LogisticRegression, LogisticRegression(), len]
    values += [Reduced(raises, kind) for kind in kinds]
    texts = [
        b"cno_such_module\nThing\n.",
        b"c__main__\nMine\n.",
        b"csklearn.linear_model\nNoSuchModel\n.",
        b"c__main__\n<lambda>\n.",
    ]
    texts += [b"\x80\xff.", b"\x80\x05.", b".", b"\x80\x05\x95\xff\xff\xff\xff\xff\xff\xff\x7f.", b"(lp0\n", b"S'unclosed\n."]
    half_fitted = LogisticRegression()
    half_fitted.coef_ = np.ones((1, 2))
    return written(folder, ".pkl", [*map(pickle.dumps, [*values, half_fitted]), *texts])


def containers(folder: Path) -> list[Path]:
    """Write files of other programs, and nothing."""
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("schema.json", "{}")
    with tarfile.open(fileobj=tarred, mode="w:gz"):
        pass
    contents = [
        b"",
        b"\n",
        b"\x00",
        bytes(4096),
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        b"\x89PNG\r\n\x1a\n",
        b"<!DOCTYPE html><html></html>",
    ]
    contents += [b"\x7fELF\x02\x01\x01", b"SQLite format 3\x00", zipped.getvalue(), zipped.getvalue()[:30], tarred.getvalue()]
    contents += [
        gzip.compress(b""),
        gzip.compress(b"hello"),
        gzip.compress(b"hello")[:12],
        bz2.compress(b""),
        b"\x1f\x8b",
        b"PK\x05\x06",
    ]
    contents += [
        b"PK\x05\x06" + bytes(18),
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
        b"import os\n",
    ]
    suffixes = (".joblib", ".safetensors", ".csv", ".skops", "")
    return [
        path
        for number, data in enumerate(contents)
        for path in written(_made(folder / str(number)), suffixes[number % 5], [data])
    ]


def tables(folder: Path) -> list[Path]:
    """Write tables that are no tables of the model."""
    texts = [
        "",
        "\n\n\n",
        "a",
        "a,b",
        "a,b\n",
        "b\n1\n",
        "a,b,c\n1,2,3\n",
        "a,b\n1\n",
        "a,b\n1,2,3\n1,2\n",
        'a,b\n"1,2\n3,4\n',
        "a,a\n1,2\n",
    ]
    texts += [
        "a;b\n1;2\n",
        "a\tb\n1\t2\n",
        "1,2\n3,4\n",
        "a,b\nx,y\n",
        "a,b\n1,\x00\n",
        "\ufeffa,b\n1,2\n" * 2,
        "a,b\r1,2\r",
        "a,b\n1,inf\n",
    ]
    texts += [
        "a,b\n1,1e999\n",
        "a,b\n,\n,\n",
        "a,b\n" + "9" * 5000 + ",1\n",
        "a," * 5000 + "b\n1\n",
        "a,b\n1,2 \n1,٣\n",
        'a,b\n1,"2""\n',
    ]
    data = [text.encode() for text in texts]
    data += [
        CSV.encode("utf-16"),
        CSV.encode("utf-32"),
        "a,b\nä,é\n".encode("latin-1"),
        b"a,b\n\xff\xfe,1\n",
        b"\xed\xa0\x80,b\n1,2\n",
    ]
    return written(folder, ".csv", data)


def documents(folder: Path) -> list[Path]:
    """Write JSON of wrong shapes, and what is no JSON."""
    texts = [
        "",
        "null",
        "7",
        '"text"',
        "[]",
        "{}",
        "[[]]",
        "[{}]",
        "[1, 2]",
        '[{"a": 1}]',
        '[{"a": 1, "b": [1]}]',
        '[{"a": NaN, "b": 1}]',
    ]
    texts += [
        "[" * 3000,
        '{"a": 1, "a": 2}',
        '{"instances": 7}',
        '{"instances": [[1]]}',
        "[[1, 2], [3]]",
        "{'a': 1}",
        '[{"a": 1e999, "b": 1}]',
    ]
    texts += ["true", '{"version": [2, 1, 0], "learner": {}}', '{"learner": 7}', '[{"a": "x", "b": {}}]']
    return [*written(_made(folder / "json"), ".json", [text.encode() for text in texts])] + written(
        _made(folder / "lines"), ".ndjson", [text.encode() + b"\n{" for text in texts[::3]]
    )


def binary_tables(folder: Path) -> list[Path]:
    """Damage files of Parquet and Arrow."""
    frame = pd.DataFrame(X, columns=["a", "b"])
    paths = []
    for suffix, write in ((".parquet", frame.to_parquet), (".feather", frame.to_feather)):
        buffer = io.BytesIO()
        write(buffer)
        paths += written(_made(folder / suffix[1:]), suffix, [b"", b"PAR1", *spoiled(buffer.getvalue(), 5)])
    return [*paths, *written(folder, ".arrow", [b"ARROW1", b""])]


def graphs(folder: Path) -> list[Path]:
    """Damage graphs."""
    from skl2onnx import to_onnx

    data = to_onnx(DecisionTreeClassifier().fit(X, X[:, 0] > 0), X[:1].astype("f4")).SerializeToString()
    odd = written(folder, ".onnx", [b"", b"ONNX", bytes(100), *spoiled(data, 7)])
    return odd + written(folder, ".tflite", [b"", b"TFL3", b"\x1c\x00\x00\x00TFL3" + bytes(64)])


def boosters(folder: Path) -> list[Path]:
    """Damage the files of boosters, and of skops."""
    import skops.io

    skops_file = skops.io.dumps(StandardScaler().fit(X))
    paths = written(folder, ".skops", [b"", *spoiled(skops_file, 5)])
    paths += written(folder, ".txt", [b"", b"tree\nversion=v4\n", b"tree\n", b"hello\n"])
    paths += written(folder, ".cbm", [b"", b"CBM1", b"CBM1" + bytes(40)])
    return paths + written(folder, ".ubj", [b"", b"{", b"{L\x00"])


def places(folder: Path) -> list[Path]:
    """Make what is no file: folders, links that lead nowhere, devices, names that no system has."""
    for name in ("folder", "folder.joblib", "mlflow"):
        (folder / name).mkdir()
    (folder / "mlflow" / "MLmodel").write_text("flavors: [")
    links = {"loop.joblib": "loop.joblib", "lost.safetensors": "nowhere"}
    for name, target in links.items():
        (folder / name).symlink_to(target)
    closed = folder / "closed.joblib"
    closed.write_bytes(b"")
    closed.chmod(0)
    odd = folder / os.fsdecode(b"\xff\xfe\n.csv")
    odd.write_bytes(b"a,b\n")
    paths = [
        folder / name for name in ("folder", "folder.joblib", "mlflow", *links, "nothing.csv", "x" * 300, "a" * 1000 + ".joblib")
    ]
    return [*paths, closed, odd, Path("/dev/null")]


FAMILIES = (
    model_files,
    pickles_of_estimators,
    pickles_of_others,
    containers,
    tables,
    documents,
    binary_tables,
    graphs,
    boosters,
    places,
)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
