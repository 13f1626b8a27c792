"""Pickles are read without running them: their contents are reported, and no code in them runs, however hostile it is."""

from __future__ import annotations

import bz2
import copyreg
import gzip
import io
import lzma
import pickle
import struct
import subprocess
import sys
import time
import types
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_iris
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from flyweight.toolkit import pickles
from flyweight.toolkit.convert import converters
from flyweight.toolkit.pickles import PickleRefused, source, wheels
from flyweight.toolkit.pickles.machine import Machine
from flyweight.toolkit.pickles.nodes import Node
from flyweight.toolkit.pickles.source import Source
from tests import fitted
from tests.conftest import ROOT
from tests.parity import families

FAMILIES = families()
X, Y = load_iris(return_X_y=True)
PENGUINS = [
    ("", "Pipeline"),
    ("columntransformer", "ColumnTransformer"),
    ("columntransformer.pipeline-1", "Pipeline"),
    ("columntransformer.pipeline-1.simpleimputer", "SimpleImputer"),
    ("columntransformer.pipeline-1.onehotencoder", "OneHotEncoder"),
    ("columntransformer.pipeline-2", "Pipeline"),
    ("columntransformer.pipeline-2.simpleimputer", "SimpleImputer"),
    ("columntransformer.pipeline-2.standardscaler", "StandardScaler"),
    ("logisticregression", "LogisticRegression"),
]


def contents_of(data: bytes, folder: Path) -> pickles.Contents:
    """Read a file of these bytes."""
    file = folder / "model.joblib"
    file.write_bytes(data)
    return pickles.read(file)


def dump_and_read(estimator: Any, folder: Path, **options: Any) -> pickles.Contents:
    joblib.dump(estimator, folder / "model.joblib", **options)
    return pickles.read(folder / "model.joblib")


def run_machine(data: bytes) -> tuple[Machine, Any]:
    """Interpret these bytes; return the machine and the root."""
    machine = Machine(Source(io.BytesIO(data)))
    return machine, machine.read()


# --- what is reported


@pytest.mark.parametrize("compress", [0, 3, ("zlib", 9), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)], ids=str)
def test_a_pipeline_is_reported_with_every_compression(compress: Any, tmp_path: Path) -> None:
    contents = dump_and_read(fitted.penguins()[0], tmp_path, compress=compress)
    assert [(part.path, part.cls.rpartition(".")[2]) for part in contents.parts] == PENGUINS
    assert contents.compression == (compress[0] if isinstance(compress, tuple) else "zlib" if compress else None)
    assert {part.sklearn for part in contents.parts} == {sklearn.__version__} == {*contents.sklearn}
    assert (contents.numpy, contents.custom, contents.dangerous, contents.notes) == (">=2", (), (), ())
    assert contents.engine == "pure"
    assert contents.requirements() == ["joblib", "numpy>=2", f"scikit-learn=={sklearn.__version__}"]


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_of_any_protocol_is_reported(protocol: int, tmp_path: Path) -> None:
    contents = contents_of(pickle.dumps(fitted.penguins()[0], protocol=protocol), tmp_path)
    assert [(part.path, part.cls.rpartition(".")[2]) for part in contents.parts] == PENGUINS
    assert contents.sklearn == (sklearn.__version__,)
    assert (contents.custom, contents.dangerous) == ((), ())
    assert contents.engine == "pure"


@pytest.mark.parametrize(
    ("estimator", "member"),
    [
        (RandomForestClassifier(7, random_state=0), ("estimators_", "sklearn.tree._classes.DecisionTreeClassifier", 7)),
        (GradientBoostingClassifier(n_estimators=5), ("estimators_", "sklearn.tree._classes.DecisionTreeRegressor", 15)),
        (HistGradientBoostingClassifier(max_iter=5), None),
        (
            GridSearchCV(LogisticRegression(max_iter=500), {"C": [1, 2]}),
            ("best_estimator_", "sklearn.linear_model._logistic.LogisticRegression", 1),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_members_are_counted(estimator: Any, member: tuple[str, str, int] | None, tmp_path: Path) -> None:
    contents = dump_and_read(estimator.fit(X, Y), tmp_path)
    assert contents.cls == f"{type(estimator).__module__}.{type(estimator).__qualname__}"
    assert [(part.path, part.cls, part.count) for part in contents.parts[1:]] == ([member] if member else [])


@pytest.mark.parametrize("family", FAMILIES)
def test_every_estimator_with_a_conversion_is_hinted_pure_and_read_to_its_end(family: str, tmp_path: Path) -> None:
    for name, make in [*FAMILIES[family].items()][:4]:
        estimator, _ = make()
        try:
            contents = dump_and_read(estimator, tmp_path)
        except pickle.PicklingError:
            continue  # a wrapped booster that can't be pickled
        # what only the estimator itself tells, such as a sampler that prediction leaves out, a name does not
        assert contents.engine == "pure" or family in ("imblearn", "skrub-dates"), (name, contents.reason)
        assert contents.dangerous == () and contents.notes == ()
        with (tmp_path / "model.joblib").open("rb") as file:
            source = Source(file)
            Machine(source).read()
            assert file.read() == b"" and source.position == contents.bytes


def test_array_bytes_are_the_sizes_of_the_arrays(tmp_path: Path) -> None:
    arrays = [
        np.arange(7.0),
        np.asfortranarray(np.ones((3, 4), "f4")),
        np.zeros((0, 3)),
        np.array(5, "i2"),
        np.array(["ab", "c"]),
        np.array([b"abc"]),
        np.array(["2020-01-01"], "M8[D]"),
        np.zeros(3, [("a", "i4"), ("b", "f8", 2)]),
        np.ones(2, "c16"),
        np.ones(5, "?"),
        np.ones(3, ">u4"),
        np.ones(2, "g"),
    ]
    contents = dump_and_read([*arrays, np.array([{"a": 1}, None], object), "end"], tmp_path)
    assert contents.arrays == len(arrays) + 1
    assert contents.array_bytes == sum(array.nbytes for array in arrays)


def test_a_class_without_a_conversion_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = {name: converter for name, converter in converters().items() if name != "sklearn.StandardScaler"}
    monkeypatch.setattr("flyweight.toolkit.convert.converters", lambda: some)
    contents = dump_and_read(fitted.penguins()[0], tmp_path)
    assert contents.engine != "pure" and "no conversion to plain data for sklearn.StandardScaler;" in contents.reason
    assert dump_and_read([1], tmp_path).engine is None


def test_a_class_that_derives_from_scikit_learn_requires_it(tmp_path: Path) -> None:
    contents = contents_of(b"\x80\x02cxgboost.sklearn\nXGBClassifier\n)\x81.", tmp_path)
    assert contents.distributions["scikit-learn"] == () and contents.engine == "pure"
    assert contents.requirements()[0] == "scikit-learn" and contents.requirements()[1].startswith("xgboost")


def test_versions_are_those_in_the_file_and_not_those_installed_here(tmp_path: Path) -> None:
    joblib.dump(fitted.penguins()[0], tmp_path / "model.joblib")
    data = (tmp_path / "model.joblib").read_bytes()
    old = data.replace(sklearn.__version__.encode(), b"1.2.2"[: len(sklearn.__version__)])
    contents = contents_of(old, tmp_path)
    assert contents.sklearn == ("1.2.2",) and "scikit-learn==1.2.2" in contents.requirements()
    one = pickle.dumps(StandardScaler(), 2)[2:-1]
    mixed = contents_of(b"\x80\x02(" + one.replace(sklearn.__version__.encode(), b"1.2.2") + one + b"l.", tmp_path)
    assert mixed.sklearn == ("1.2.2", sklearn.__version__)
    assert contents_of(pickle.dumps(np.float64(1), 2).replace(b"numpy._core", b"numpy.core"), tmp_path).numpy == "<2"
    assert contents_of(pickle.dumps([1]), tmp_path).numpy is None
    no_version = contents_of(data.replace(sklearn.__version__.encode(), b"1 @ x"), tmp_path)  # a requirement would hold it
    assert no_version.sklearn == () and "scikit-learn" in no_version.requirements()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[types.ModuleType]:
    """A module of the user's own, which a test deletes before the pickle is read."""
    (tmp_path / "own_steps.py").write_text(
        "from sklearn.base import BaseEstimator, TransformerMixin\n"
        "class Clip(TransformerMixin, BaseEstimator):\n"
        "    def fit(self, X, y=None):\n        self.n_features_in_ = X.shape[1]\n        return self\n"
        "    def transform(self, X):\n        return X.clip(0, 1)\n"
        "def halve(X):\n    return X / 2\n"
    )
    sys.path.insert(0, str(tmp_path))
    try:
        import own_steps  # type: ignore[import-not-found]

        yield own_steps
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("own_steps", None)


def test_own_code_is_named_and_never_imported(own: Any, tmp_path: Path) -> None:
    estimator = make_pipeline(own.Clip(), FunctionTransformer(own.halve), LogisticRegression()).fit(X, Y)
    joblib.dump(estimator, tmp_path / "model.joblib")
    del sys.modules["own_steps"]
    (tmp_path / "own_steps.py").unlink()
    converters()  # imports all converters, so that reading imports nothing more
    before = {*sys.modules}
    contents = pickles.read(tmp_path / "model.joblib")
    assert contents.custom == ("own_steps.Clip", "own_steps.halve")
    assert contents.engine is None and "own_steps.Clip" in contents.reason
    assert "own_steps" not in {*sys.modules} and {*sys.modules} == before


class Notebook(TransformerMixin, BaseEstimator):  # type: ignore[misc, unused-ignore]
    """A class as people define it in a notebook."""


def test_a_class_of_a_notebook_is_named(tmp_path: Path) -> None:
    data = pickle.dumps(Notebook(), 2).replace(Notebook.__module__.encode(), b"__main__")
    contents = contents_of(data, tmp_path)
    assert contents.custom == ("__main__.Notebook",) and contents.dangerous == ()


def test_a_function_that_is_stored_as_code_is_dangerous(tmp_path: Path) -> None:
    import cloudpickle  # type: ignore[import-untyped, unused-ignore]

    contents = contents_of(cloudpickle.dumps(FunctionTransformer(lambda x: x)), tmp_path)
    assert any(name.startswith("cloudpickle.") for name in contents.dangerous)


# --- what never happens


class _Call:
    def __init__(self, function: Any, *args: Any) -> None:
        self.reduced = (function, args)

    def __reduce__(self) -> Any:
        return self.reduced


@pytest.fixture
def acting(tmp_path: Path) -> Iterator[Path]:
    """Import the module `acting`, whose classes create a file when they are made or filled; return that file."""
    mark = tmp_path / "it-ran"
    module: Any = types.ModuleType("acting")

    class New:
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            mark.touch()
            return super().__new__(cls)

    class State:
        def __setstate__(self, state: Any) -> None:
            mark.touch()

    class Items(list):  # type: ignore[type-arg]
        def append(self, value: Any) -> None:
            mark.touch()

        extend = append

    module.New, module.State, module.Items, module.call = New, State, Items, lambda *_: mark.touch()
    sys.modules["acting"] = module
    copyreg.add_extension("acting", "call", 0x70)
    try:
        yield mark
    finally:
        copyreg.remove_extension("acting", "call", 0x70)
        copyreg._extension_cache.pop(0x70, None)  # type: ignore[attr-defined]
        del sys.modules["acting"]


def text(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


HOSTILE = {
    "reduce": b"cacting\ncall\n)R.",
    "stack-global": b"\x80\x04" + text("acting") + text("call") + b"\x93)R.",
    "inst": b"(iacting\ncall\n.",
    "inst-new": b"(iacting\nNew\n.",
    "obj": b"(cacting\ncall\nK\x01o.",
    "newobj": b"\x80\x02cacting\nNew\n)\x81.",
    "newobj-ex": b"\x80\x04cacting\nNew\n)}\x92.",
    "build": b"\x80\x02cacting\nState\n)\x81K\x01b.",
    "append": b"\x80\x02cacting\nItems\n)\x81K\x01a.",
    "appends": b"\x80\x02cacting\nItems\n)\x81(K\x01e.",
    "ext1": b"\x80\x02\x82\x70)R.",
    "ext2": b"\x80\x02\x83\x70\x00)R.",
    "ext4": b"\x80\x02\x84\x70\x00\x00\x00)R.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_code_that_runs_when_loaded_does_not_run_when_read(name: str, acting: Path, tmp_path: Path) -> None:
    pickle.loads(HOSTILE[name])
    assert acting.exists(), "the payload does nothing, so this test would prove nothing"
    acting.unlink()
    before = {*sys.modules}
    contents = contents_of(HOSTILE[name], tmp_path)
    assert not acting.exists() and {*sys.modules} == before
    assert contents.custom or contents.notes


DANGERS = {
    "posix.system": _Call(__import__("os").system, "true"),
    "builtins.eval": _Call(eval, "1"),
    "builtins.exec": _Call(exec, "1"),
    "builtins.getattr": _Call(getattr, "", "lower"),
    "builtins.__import__": _Call(__import__, "antigravity"),
    "subprocess.Popen": _Call(subprocess.Popen, ["true"]),
    "importlib.import_module": _Call(__import__("importlib").import_module, "antigravity"),
    "joblib.numpy_pickle.load": _Call(joblib.load, "other.joblib"),
}


@pytest.mark.parametrize("name", DANGERS)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_dangerous_name_is_reported(name: str, protocol: int, tmp_path: Path) -> None:
    assert contents_of(pickle.dumps({"model": DANGERS[name]}, protocol), tmp_path).dangerous == (name,)


def test_persistent_ids_are_noted(tmp_path: Path) -> None:
    for data in (b"Pan id\n.", b"K\x01Q."):
        assert contents_of(data, tmp_path).notes == ("parts of it are stored outside of the file",)


def test_reading_raises_no_audit_event_of_a_run(tmp_path: Path) -> None:
    """Python's audit events show no import, compile, exec, process or lookup of a class, for honest and hostile files."""
    joblib.dump(RandomForestClassifier(3).fit(X, Y), tmp_path / "honest.joblib")
    joblib.dump([*DANGERS.values(), np.array([_Call(eval, "1")], object)], tmp_path / "hostile.joblib", compress=3)
    joblib.dump(make_pipeline(Notebook(), StandardScaler()), tmp_path / "warm.joblib")
    for name, data in HOSTILE.items():
        (tmp_path / f"{name}.joblib").write_bytes(data)
    program = (
        "import sys\nfrom pathlib import Path\nfrom flyweight.toolkit import pickles\n"
        "place, seen, on = Path(sys.argv[1]), set(), False\n"
        "[pickles.read(place / f'{name}.joblib') for name in ('warm', 'honest')]\n"  # imports flyweight's own modules
        "sys.addaudithook(lambda event, _: seen.add(event) if on else None)\n"
        "files = sorted(place.glob('*.joblib'))\non = True\nfound = [pickles.read(file) for file in files]\non = False\n"
        "print(len(found), *sorted(seen))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.split() == [str(3 + len(HOSTILE)), "builtins.id", "open"]


# --- what is refused


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    joblib.dump(make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y), tmp_path / "model.joblib")
    data = (tmp_path / "model.joblib").read_bytes()
    for end in range(len(data)):
        with pytest.raises(PickleRefused):
            run_machine(data[:end])
    for packed in (zlib.compress(data), gzip.compress(data), bz2.compress(data), lzma.compress(data)):
        for end in range(0, len(packed) - 40, 7):  # the last bytes are checksums, and the index of xz
            with pytest.raises(PickleRefused):
                run_machine(packed[:end])


def wrapper(shape: bytes, dtype: bytes = b"f8") -> bytes:
    """Build joblib's wrapper of an array of this shape, without the array's bytes."""
    state = (
        b"}(X\x05\x00\x00\x00shape" + shape + b"X\x05\x00\x00\x00dtypecnumpy\ndtype\nX" + struct.pack("<I", len(dtype)) + dtype
    )
    return b"\x80\x02cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81" + state + b"\x85Rub"


FALSE = {
    "bytes": b"B\xff\xff\xff\xff",
    "bytes8": b"\x80\x04\x8e" + b"\xff" * 8,
    "unicode8": b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7f",
    "bytearray8": b"\x80\x05\x96" + b"\x00" * 7 + b"\x40",
    "long4": b"\x8b\xff\xff\xff\x7f",
    "long4-negative": b"\x8b\xff\xff\xff\xff",
    "string-negative": b"T\xff\xff\xff\xff",
    "digits": b"I1_x\n.",
    "protocol": b"\x80\x06N.",
    "unknown": b"\xff",
    "line": b"Snever",
    "empty": b"",
    "no-stack": b".",
    "no-mark": b"t.",
    "no-memo": b"h\x07.",
    "odd": b"N}b.",
    "append-to-number": b"K\x01K\x02a.",
    "state-for-number": b"K\x01}b.",
    "name-of-bytes": b"\x80\x04C\x01aC\x01b\x93.",
    "array-huge": wrapper(b"\x8a\x08" + b"\xff" * 7 + b"\x3f\x85") + b".",
    "array-huger": wrapper(b"(" + (b"\x8a\x08" + b"\xff" * 7 + b"\x7f") * 64 + b"t") + b".",
    "array-axes": wrapper(b"(" + b"K\x01" * 65 + b"t") + b".",
    "array-negative": wrapper(b"J\xff\xff\xff\xff\x85") + b".",
    "array-half": wrapper(b"K\x09\x85") + bytes(71),
    "array-shape": wrapper(b"K\x01") + b".",
    "array-item": wrapper(b"K\x01\x85", b"T16") + b".",
    "array-item-negative": gzip.compress(wrapper(b"K\x01\x85", b"f-1") + bytes(1000) + b"."),
    "array-dtype": wrapper(b"K\x01\x85", b"f") + b".",
    "old-joblib": b"ZF0x1",
}


@pytest.mark.parametrize("name", FALSE)
def test_false_lengths_and_shapes_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(PickleRefused):
        contents_of(FALSE[name], tmp_path)


def test_the_wrapper_with_its_array_is_read() -> None:
    machine, root = run_machine(wrapper(b"K\x09\x85") + bytes(72) + b".")
    assert (machine.array_bytes, root.kind) == (72, "array")


def deep(count: int) -> bytes:
    return b"]" * count + b"a" * (count - 1) + b"."


def sized(value: bytes) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value


def laughs(count: int) -> bytes:
    """Build lists, each of which holds the one before it twice."""
    lists = [b"](h" + bytes([i]) + b"h" + bytes([i]) + b"eq" + bytes([i + 1]) for i in range(count)]
    return b"]q\x00" + b"".join(lists) + b"."


# a function that builds a file, and whether it may be read
BOMBS: dict[str, Callable[[], tuple[bytes, bool]]] = {
    "nested-lists": lambda: (b"]" * 300_000 + b"a" * 299_999 + b".", True),
    "nested-tuples": lambda: (b")" + b"\x85" * 500_000 + b".", True),
    "nested-keys": lambda: (b"})" + b"\x85" * 500_000 + b"Ns.", True),
    "nested-in-a-set": lambda: (b"\x80\x04\x8f()" + b"\x85" * 500_000 + b"\x90.", True),
    "nested-marks": lambda: (b"(" * 1_000_000 + b"N.", True),
    "nested-calls": lambda: (b"cacting\ncall\n" + b")R" * 500_000 + b".", True),
    "nested-arrays": lambda: (wrapper(b"K\x01\x85", b"O8") * 20_000, False),
    "laughs": lambda: (laughs(200), True),
    "itself": lambda: (b"]q\x00h\x00a.", True),
    "memo": lambda: (b"N" + b"".join(b"r" + struct.pack("<I", i * 17_179) for i in range(250_000)) + b".", True),
    "memo-of-one-hash": lambda: (b"N" + b"".join(b"p%d\n" % (i * sys.hash_info.modulus) for i in range(200_000)) + b".", False),
    "many": lambda: (zlib.compress(b"N" * 20_000_000), False),
    "zeros": lambda: (gzip.compress(b"B" + struct.pack("<I", 2**28) + bytes(2**28) + b"."), True),
    "texts": lambda: (bz2.compress((sized(b"a" * 4000) + b"0") * 80_000), False),
    "lzma-memory": lambda: (_hungry(), False),
    "steps-of-a-long-name": lambda: (_long_paths(), True),
    "one-state-of-many": lambda: (_shared_state(), True),
}


def _hungry() -> bytes:
    """Build a few bytes that ask for a dictionary of 2 GiB."""
    data = lzma.compress(b"N.", format=lzma.FORMAT_ALONE)
    return data[:1] + struct.pack("<I", 2**31) + data[5:]


def _long_paths() -> bytes:
    """Build nested pipelines whose steps share one name of 4,000 letters."""
    step = b"q\x020h\x01)\x81}X\x05\x00\x00\x00steps]h\x00h\x02\x86asb"
    return b"\x80\x02" + sized(b"x" * 4000) + b"q\x000csklearn.pipeline\nPipeline\nq\x010N" + step * 9000 + b"."


def _shared_state() -> bytes:
    """Build a state of 200,000 names that 200,000 objects share."""
    names = b"".join(b"X\x06\x00\x00\x00%06dN" % i for i in range(200_000))
    objects = b")\x81h\x00bh\x01" * 200_000
    return b"\x80\x02}q\x00(" + names + b"u0(cacting\nNew\nq\x01" + objects + b"0l."


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_read_or_refused_in_time(name: str, tmp_path: Path) -> None:
    data, readable = BOMBS[name]()
    began = time.process_time()
    try:
        contents = contents_of(data, tmp_path)
        assert readable and contents.bytes == len(data)
    except PickleRefused:
        assert not readable
    assert time.process_time() - began < 60  # it takes some seconds


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for start in (b"", b"\x80\x04", zlib.compress(data)[:3]):
        try:
            run_machine(start + data)
        except PickleRefused as error:
            assert str(error).isprintable() or str(error)


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("dump") / "model.joblib"
    joblib.dump(fitted.penguins()[0], file)
    return file.read_bytes()


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6),
    st.floats(0, 1),
    st.booleans(),
)
def test_a_changed_dump_is_read_or_refused(dump: bytes, changes: list[tuple[float, int]], cut: float, whole: bool) -> None:
    data = bytearray(dump)
    for position, value in changes:
        data[int(position * len(data))] = value
    try:
        machine, root = run_machine(bytes(data if whole else data[int(cut * len(data)) :]))
    except PickleRefused:
        return
    # everything that was read can be shown
    texts = [*pickles._versions(root), *(part.cls + part.path for part in pickles._parts(root)), *map(str, machine.globals)]
    assert all(text.isprintable() for text in texts)


def test_control_characters_in_names_are_escaped(tmp_path: Path) -> None:
    contents = contents_of(b"\x80\x04" + text("\x1b[2Jevil") + b"\x8c\x03\xed\xa0\x80" + b"\x93.", tmp_path)
    assert contents.custom == ("\\x1b[2Jevil.\\ud800",)


def test_lz4_is_read_if_it_is_installed(tmp_path: Path) -> None:
    data = b"\x04\x22\x4d\x18" + bytes(40)
    try:
        from lz4.frame import compress  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        with pytest.raises(PickleRefused, match="lz4, which is not installed"):
            contents_of(data, tmp_path)
    else:
        assert contents_of(compress(pickle.dumps([1])), tmp_path).compression == "lz4"


# --- what counts as a pickle


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_is_known_by_its_content(protocol: int, tmp_path: Path) -> None:
    file = tmp_path / "model.any"
    for value in (StandardScaler(), {"a": 1}, (1, 2)):
        file.write_bytes(pickle.dumps(value, protocol))
        assert pickles.is_pickle(file)


def test_other_files_are_not_taken_for_pickles(penguins: Path, tmp_path: Path) -> None:
    assert not pickles.is_pickle(penguins)
    assert not pickles.is_pickle(tmp_path / "absent")
    assert not pickles.is_pickle(tmp_path)
    file = tmp_path / "file"
    for data in (b"", b"island,year\n1,2\n", b'{"a": 1}', b"not a pickle", struct.pack("<Q", 0x280) + b"{" + bytes(0x280)):
        file.write_bytes(data)
        assert not pickles.is_pickle(file), data


def test_a_negative_length_is_not_read_to_the_end() -> None:
    with pytest.raises(PickleRefused, match="claims -1 bytes"):
        Source(io.BytesIO(bytes(100))).skip(-1)


def test_limits_are_those_of_the_documentation() -> None:
    assert source.MAX_STEPS == 5_000_000 and wheels.smallest_limit() == ("AWS Lambda", 262_144_000)
    assert Node("list").attributes() == {}
