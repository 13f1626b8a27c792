"""onnxruntime runs a graph by the providers that were asked for, or the model is refused."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
import pytest

from flyweight import settings
from flyweight.engines import _providers, onnx
from flyweight.engines._protobuf import operators
from flyweight.errors import InvalidSetting, ModelRefused
from flyweight.predictor import Predictor
from tests import graphs
from tests.engines.engine_files import GOOD, onnx_file

CPU = "CPUExecutionProvider"


def chosen(providers: str, options: str = "", cache: str = "") -> dict[str, dict[str, str]]:
    environ = {"FLYWEIGHT_ONNX_PROVIDERS": providers, "FLYWEIGHT_ONNX_OPTIONS": options}
    return dict(_providers.chosen(settings.accelerators(environ)))


def test_without_the_setting_the_processor_runs_graphs(capsys: pytest.CaptureFixture[str]) -> None:
    assert chosen("") == {CPU: {}}
    assert onnx.session(GOOD).get_providers() == [CPU]
    assert capsys.readouterr().err == ""


def test_providers_keep_their_order_and_each_gets_its_options(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLYWEIGHT_CACHE_DIR", str(tmp_path))
    found = chosen("tensorrt,cuda,cpu", "trt_fp16_enable=1 device_id=2")
    assert [*found] == ["TensorrtExecutionProvider", "CUDAExecutionProvider", CPU]
    cache = {"trt_engine_cache_enable": "1", "trt_timing_cache_enable": "1", "trt_engine_cache_path": f"{tmp_path}/tensorrt"}
    assert found["TensorrtExecutionProvider"] == {**cache, "trt_fp16_enable": "1", "device_id": "2"}
    assert found["CUDAExecutionProvider"] == {"device_id": "2", "use_tf32": "0"}
    assert found[CPU] == {}
    assert (tmp_path / "tensorrt").stat().st_mode & 0o777 == 0o700


def test_options_of_a_cache_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLYWEIGHT_CACHE_DIR", "off")
    assert chosen("tensorrt")["TensorrtExecutionProvider"] == {}
    named = chosen("tensorrt", f"trt_engine_cache_enable=1,trt_engine_cache_path={tmp_path}/engines")
    assert named["TensorrtExecutionProvider"]["trt_engine_cache_path"] == f"{tmp_path}/engines"
    assert (tmp_path / "engines").is_dir()


def test_a_cache_that_can_not_be_written_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("FLYWEIGHT_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(ModelRefused, match=r"TensorRT's cache .* can't be made"):
        chosen("tensorrt")
    monkeypatch.setenv("FLYWEIGHT_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(ModelRefused, match=r"TensorRT's cache .* can't be written to"):
        chosen("tensorrt")


@pytest.mark.parametrize(
    ("providers", "options", "words"),
    [
        ("gpu", "", "names 'gpu', which onnxruntime does not know; choose among"),
        ("cpu", "device_id=1", "has 'device_id', which none of cpu takes"),
        ("cuda", "trt_fp16_enable=1", "has 'trt_fp16_enable', which none of cuda takes"),
    ],
)
def test_a_word_without_a_meaning_is_refused(providers: str, options: str, words: str) -> None:
    with pytest.raises(ModelRefused) as refused:
        chosen(providers, options)
    assert words in f"{refused.value}; {refused.value.next_step}"


def test_processes_are_not_forked_from_one_with_an_accelerator() -> None:
    with pytest.raises(InvalidSetting, match="FLYWEIGHT_WORKERS should be 1 with an accelerator"):
        settings.accelerators({"FLYWEIGHT_ARRAYS": "torch", "FLYWEIGHT_WORKERS": "4"})
    assert settings.accelerators({"FLYWEIGHT_WORKERS": "4"}) == settings.Accelerators()


def test_an_option_without_a_value_is_no_setting() -> None:
    with pytest.raises(InvalidSetting, match="FLYWEIGHT_ONNX_OPTIONS should hold NAME=VALUE"):
        chosen("cuda", "device_id")


@pytest.mark.skipif("CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="this onnxruntime has CUDA")
@pytest.mark.parametrize("asked", ["cuda,cpu", "tensorrt,cuda,cpu"])
def test_a_build_without_the_provider_is_no_fallback(asked: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLYWEIGHT_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("FLYWEIGHT_ONNX_PROVIDERS", asked)
    with pytest.raises(ModelRefused, match=r"asks for .*CUDAExecutionProvider.* and onnxruntime gives .*CPUExecutionProvider"):
        Predictor(onnx_file(GOOD))


def test_a_session_that_fell_back_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As onnxruntime does where the GPU's libraries are missing: the build has CUDA, and the session does not."""
    monkeypatch.setenv("FLYWEIGHT_ONNX_PROVIDERS", "cuda")
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", CPU])
    real = onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda data, options, **_: real(data, options, providers=[CPU]))
    with pytest.raises(ModelRefused, match="asks for CUDAExecutionProvider, and onnxruntime gives CPUExecutionProvider"):
        onnx.session(GOOD)


def test_a_session_on_an_accelerator_says_what_stays_on_the_processor(capsys: pytest.CaptureFixture[str]) -> None:
    from onnx import helper

    scale = helper.make_node("Scaler", ["x"], ["s"], domain="ai.onnx.ml", offset=[0.0], scale=[1.0])
    data = graphs.onnx_graph([scale, helper.make_node("Identity", ["s"], ["y"])], 3, 3, [])
    assert [*operators(data)] == [("ai.onnx.ml", "Scaler"), ("", "Identity")]
    _providers.report([("CUDAExecutionProvider", {}), (CPU, {})], data)
    assert capsys.readouterr().err.strip() == (
        "flyweight: the graph runs by CUDA, CPU; on the processor, which alone has kernels for them: Scaler"
    )
