"""gRPC of the Open Inference Protocol: answers, limits, errors and log lines as over HTTP; wrong bytes are a caller's fault."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from socket import SO_REUSEPORT, SOL_SOCKET, socket
from threading import Event, Thread
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from server_grpc import Calls, reserved
from server_grpc_messages import ALL, FIELDS, SERVICE, read

from flyweight import settings as deployment
from flyweight.errors import FlyweightError, InvalidSetting
from flyweight.protocols import _tensors
from flyweight.protocols._tensors import Tensor
from flyweight.settings import Limits, Settings
from flyweight.strict_json import parse
from flyweight.toolkit.building import build
from tests.conftest import PYTHON
from tests.protocols.conftest import ROWS, Caller, caller, packed
from tests.protocols.test_open_inference import ROW, columns, outputs, rows_of_birds
from tests.server.conftest import HANDLER
from tests.server.grpc_definitions import CLASSES, METHODS
from tests.services.web import GENEROUS, free_port

__all__ = ["caller", "packed"]
Model = Callable[..., Caller]
usual = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Client:
    """Asks a port by messages of Google's protobuf; `metadata` is what came beside the last answer."""

    def __init__(self, port: int) -> None:
        # no pool: each client has a connection of its own
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.use_local_subchannel_pool", 1)])
        self.metadata: dict[str, Any] = {}

    def __call__(self, method: str, message: Any = None, metadata: Any = (), **fields: Any) -> Any:
        asked, answered = (CLASSES[name] for name in METHODS[method])
        call = self.channel.unary_unary(f"/{SERVICE}/{method}")
        data = message if isinstance(message, bytes) else (message or asked(**fields)).SerializeToString()
        answer, done = call.with_call(data, metadata=metadata, timeout=GENEROUS, wait_for_ready=True)
        self.metadata = dict(done.trailing_metadata())
        return answered.FromString(answer)

    def refused(self, method: str, message: Any = None, metadata: Any = (), **fields: Any) -> tuple[str, str]:
        """The code and the text of an error."""
        with pytest.raises(grpc.RpcError) as caught:
            self(method, message, metadata, **fields)
        error: Any = caught.value
        self.metadata = dict(error.trailing_metadata() or ())
        return error.code().name, error.details()


@contextmanager
def answering(asked: Caller, **bounds: Any) -> Iterator[tuple[Client, Calls]]:
    """A client, and the server that it asks, of a deployment."""
    port = free_port()
    calls = Calls(asked.service, deployment.serving({})._replace(host="127.0.0.1", grpc_port=port, **bounds))
    client = Client(port)
    try:
        yield client, calls
    finally:
        client.channel.close()
        calls.stop(0.0)
        calls.drain()


@pytest.fixture(scope="module")
def asked(packed: Callable[..., Path], penguins: Path) -> Caller:
    """A deployment of two models."""
    return Caller(Settings(str(penguins), models={"numbers": str(packed("numbers"))}))


@pytest.fixture(scope="module")
def client(asked: Caller) -> Iterator[Client]:
    """A client of that deployment."""
    with answering(asked) as (client, _):
        yield client


def typed(tensor: dict[str, Any]) -> Any:
    """A tensor of JSON as an input with typed contents."""
    values = tensor["data"]
    key = {"BYTES": "bytes_contents", "FP64": "fp64_contents"}[tensor["datatype"]]
    contents = {key: [value.encode() if isinstance(value, str) else value for value in values]}
    return CLASSES["Tensor"](name=tensor["name"], datatype=tensor["datatype"], shape=tensor["shape"], contents=contents)


def inference(rows: list[list[Any]], raw: bool = False, **fields: Any) -> Any:
    """A request for penguins."""
    tensors = columns(rows)
    request = CLASSES["Request"](model_name="penguins", inputs=map(typed, tensors), **fields)
    if raw:
        for tensor, part in zip(request.inputs, tensors, strict=True):
            tensor.ClearField("contents")
            piece = _tensors.to_bytes(Tensor(part["name"], part["datatype"], part["shape"], part["data"]))
            request.raw_input_contents.append(piece)
    return request


def matrix(datatype: str, field: str, values: list[Any], shape: list[int]) -> Any:
    tensor = CLASSES["Tensor"](name="x", datatype=datatype, shape=shape, contents={field: values})
    return CLASSES["Request"](model_name="numbers", inputs=[tensor])


@usual
@given(rows_of_birds)
def test_typed_and_raw_tensors_get_the_answers_of_http(client: Client, asked: Caller, rows: list[list[Any]]) -> None:
    over_http = outputs(asked("POST", "/v2/models/penguins/infer", {"inputs": columns(rows)})[1])
    answer = client("ModelInfer", inference(rows, id="7"))
    assert (answer.model_name, answer.model_version, answer.id) == ("penguins", "1.0.0", "7")
    assert not answer.raw_output_contents
    labels, shares = answer.outputs
    assert [(one.name, one.datatype, [*one.shape]) for one in (labels, shares)] == [
        (one["name"], one["datatype"], one["shape"]) for one in over_http.values()
    ]
    assert [value.decode() for value in labels.contents.bytes_contents] == over_http["predictions"]["data"]
    assert [*shares.contents.fp64_contents] == over_http["probabilities"]["data"]
    raw = client("ModelInfer", inference(rows, raw=True))
    pieces = [_tensors.to_bytes(Tensor(one["name"], one["datatype"], one["shape"], one["data"])) for one in over_http.values()]
    assert [*raw.raw_output_contents] == pieces
    assert not any(one.HasField("contents") for one in raw.outputs)


@pytest.mark.parametrize("datatype", [name for name in FIELDS if name not in ("BYTES", "BOOL")])
def test_numbers_of_every_datatype_are_read(datatype: str, client: Client, asked: Caller) -> None:
    low = 0 if datatype.startswith("U") else -1
    values = [1, low, 2, 3, 0, 100]
    field = {"F": datatype.lower(), "U": "uint", "I": "int"}[datatype[0]]
    field = f"{datatype.lower() if datatype.endswith('64') else field}_contents"
    answer = client("ModelInfer", matrix(datatype, field, values, [2, 3]))
    tensor = {"name": "x", "datatype": datatype, "shape": [2, 3], "data": values}
    expected = asked("POST", "/v2/models/numbers/infer", {"inputs": [tensor]})[1]["outputs"]
    assert [*answer.outputs[0].contents.int64_contents] == expected[0]["data"]
    assert [*answer.outputs[1].contents.fp64_contents] == expected[1]["data"]


def test_truth_values_are_read_and_given(packed: Callable[..., Path]) -> None:
    asked = Caller(Settings(str(packed("flags"))))
    row = ROWS[0].tolist()
    expected = asked(
        "POST", "/v2/models/flags/infer", {"inputs": [{"name": "x", "datatype": "FP64", "shape": [1, 3], "data": row}]}
    )
    with answering(asked) as (client, _):
        request = matrix("FP64", "fp64_contents", row, [1, 3])
        request.model_name = "flags"
        assert [*client("ModelInfer", request).outputs[0].contents.bool_contents] == expected[1]["outputs"][0]["data"]
        sent = request.inputs[0]
        sent.datatype = "BOOL"
        sent.contents.Clear()
        sent.contents.bool_contents.extend([True, False, True])
        assert "expected a number, got true" in client.refused("ModelInfer", request)[1]


def test_outputs_versions_and_parameters_are_as_over_http(client: Client) -> None:
    request = inference([ROW], outputs=[{"name": "probabilities"}], model_version="1.0.0")
    assert [one.name for one in client("ModelInfer", request).outputs] == ["probabilities"]
    texts = inference([[str(value) for value in ROW]])
    assert client.refused("ModelInfer", texts)[0] == "INVALID_ARGUMENT"
    texts.parameters.add(key="parse_text", value={"bool_param": True})
    assert client("ModelInfer", texts).outputs[0].contents.bytes_contents[0] == b"Gentoo"


def test_the_other_methods_tell_what_http_tells(client: Client, asked: Caller) -> None:
    assert client("ServerLive").flag and client("ServerReady").flag
    assert client("ModelReady", name="penguins").flag and client("ModelReady", name="penguins", version="1.0.0").flag
    told = MessageToDict(client("ServerMetadata"), preserving_proto_field_name=True)
    assert told == asked("GET", "/v2")[1]
    for name in ("penguins", "numbers"):
        described = asked("GET", f"/v2/models/{name}")[1]
        answer = client("ModelMetadata", name=name)
        assert (answer.name, [*answer.versions], answer.platform) == (name, described["versions"], described["platform"])
        for side in ("inputs", "outputs"):
            tensors = [{"name": one.name, "datatype": one.datatype, "shape": [*one.shape]} for one in getattr(answer, side)]
            assert tensors == described[side]
    config = client("ModelConfig", name="numbers").config
    assert (config.name, config.backend, config.max_batch_size) == ("numbers", "flyweight", Limits().max_instances)
    assert [(one.name, one.data_type, [*one.dims]) for one in config.input] == [("input", 12, [3])]
    given = [(one.name, one.data_type, [*one.dims]) for one in config.output]
    assert given == [("predictions", 9, [1]), ("probabilities", 12, [2]), ("scores", 12, [1])]
    index = MessageToDict(client("RepositoryIndex"))["models"]
    assert index == [{key: value for key, value in row.items() if value} for row in asked("POST", "/v2/repository/index")[1]]


def changed(**fields: Any) -> Any:
    """A sound request with other fields."""
    request = inference([ROW])
    request.MergeFrom(CLASSES["Request"](**fields))
    return request


def with_tensor(**fields: Any) -> Any:
    """A sound request whose first tensor has other fields."""
    request = inference([ROW])
    request.inputs[0].MergeFrom(CLASSES["Tensor"](**fields))
    return request


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        (changed(model_name="x"), "NOT_FOUND", "no model is called 'x'"),
        (changed(model_name="penguins/config"), "NOT_FOUND", "no model is called 'penguins/config'"),
        (changed(model_name="penguins%2Fconfig"), "NOT_FOUND", "no model is called"),
        (CLASSES["Request"](), "NOT_FOUND", "no model is called ''"),
        (changed(model_version="9"), "NOT_FOUND", "it has 1.0.0"),
        (CLASSES["Request"](model_name="penguins"), "INVALID_ARGUMENT", "there is no input tensor"),
        (
            changed(raw_input_contents=[b"1"]),
            "INVALID_ARGUMENT",
            "raw_input_contents has 1 items; expected one for each of the 7",
        ),
        (changed(raw_input_contents=[b""] * 7), "INVALID_ARGUMENT", "has contents beside raw_input_contents"),
        (changed(outputs=[{"name": "shap"}]), "INVALID_ARGUMENT", "shap"),
        (with_tensor(name="islands"), "INVALID_ARGUMENT", "'islands'"),
        (with_tensor(datatype="FP64"), "INVALID_ARGUMENT", "tensor 'island' of FP64: expected fp64_contents, got bytes_contents"),
        (with_tensor(datatype="FP16"), "INVALID_ARGUMENT", "no contents hold 'FP16'; send raw_input_contents"),
        (with_tensor(shape=[2]), "INVALID_ARGUMENT", "[1, 1, 2]"),
        (with_tensor(shape=[1] * 100), "INVALID_ARGUMENT", "tensor 'island' has more than 8 dimensions"),
        (with_tensor(shape=[-1]), "INVALID_ARGUMENT", "expected a shape"),
        (with_tensor(contents={"bytes_contents": [b"Dream"]}), "INVALID_ARGUMENT", "should have 1 values, got 2"),
        (with_tensor(contents={"int_contents": [1]}), "INVALID_ARGUMENT", "got int_contents"),
        (matrix("INT8", "int_contents", [1, 2, 300], [1, 3]), "INVALID_ARGUMENT", "from -128 to 127 for INT8, got 300"),
        (matrix("UINT8", "uint_contents", [1, 2, 256], [1, 3]), "INVALID_ARGUMENT", "value 2 of tensor 'x'"),
        (matrix("FP64", "fp64_contents", [1.0] * 4, [1, 4]), "INVALID_ARGUMENT", "has the shape [1, 4]"),
        (matrix("FP64", "fp64_contents", [float("inf")] * 3, [1, 3]), "INVALID_ARGUMENT", "instance 0"),
    ],
)
def test_a_wrong_request_is_refused_in_words(request_: Any, code: str, words: str, client: Client) -> None:
    found, text = client.refused("ModelInfer", request_)
    assert (found, words in text) == (code, True), text


def test_other_methods_refuse_what_they_do_not_have(client: Client) -> None:
    assert client.refused("ModelMetadata", name="x")[0] == "NOT_FOUND"
    assert client.refused("ModelReady", name="penguins", version="9")[0] == "NOT_FOUND"
    assert client.refused("ModelConfig", b"\xff")[0] == "INVALID_ARGUMENT"
    call = client.channel.unary_unary(f"/{SERVICE}/ModelStreamInfer")
    with pytest.raises(grpc.RpcError, match="UNIMPLEMENTED"):
        call(b"", timeout=GENEROUS)


def test_limits_are_those_of_the_deployment(penguins: Path) -> None:
    asked = Caller(Settings(str(penguins), limits=Limits(max_instances=3, max_body_bytes=2000)))
    with answering(asked) as (client, _):
        assert client("ModelInfer", inference([ROW] * 3)).outputs[0].shape == [3]
        assert client.refused("ModelInfer", inference([ROW] * 4)) == (
            "RESOURCE_EXHAUSTED",
            "4 instances, the limit is 3 a request",
        )
        assert client.refused("ModelInfer", changed(id="x" * 3000))[0] == "RESOURCE_EXHAUSTED"
        many = [CLASSES["Output"]()] * 500  # two bytes each, and more as JSON
        assert "the limit is 2000" in client.refused("ModelInfer", changed(outputs=many))[1]


def test_one_field_may_not_be_there_without_bound() -> None:
    with pytest.raises(FlyweightError, match="field 5 of the message is there more than 10000 times"):
        read("ModelInfer", CLASSES["Request"](model_name="x", inputs=[{}] * 10_001).SerializeToString())


def test_a_call_has_a_log_line_and_the_callers_request_id(client: Client, asked: Caller) -> None:
    client("ModelInfer", inference([ROW] * 2), metadata=(("x-request-id", "abc"),))
    entry = asked.entries[-1]
    assert (entry["operation"], entry["status"], entry["request_id"], entry["instances"]) == ("infer", 200, "abc", 2)
    assert client.metadata["x-request-id"] == "abc" and client.metadata["x-flyweight-model"] == "penguins/1.0.0"
    client.refused("ModelInfer", b"\x07")
    assert asked.entries[-1]["status"] == 400 and "not protobuf" in asked.entries[-1]["message"]


def test_a_canary_answers_its_share_of_calls_by_the_callers_key(packed: Callable[..., Path], penguins: Path) -> None:
    split = deployment.TrafficSplit(str(packed("numbers")), 1.0)
    asked = Caller(Settings(str(packed("numbers", "2")), canary=split))
    request = matrix("FP64", "fp64_contents", [1.0, 2.0, 3.0], [1, 3])
    with answering(asked) as (client, _):
        client("ModelInfer", request, metadata=(("x-flyweight-key", "somebody"),))
        assert (asked.entries[-1]["variant"], client.metadata["x-flyweight-model"]) == ("canary", "numbers/1")
        request.model_version = "2"
        client("ModelInfer", request)
        assert client.metadata["x-flyweight-model"] == "numbers/2"


def test_an_unexpected_error_tells_the_request_id_and_nothing_else(penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Caller(Settings(str(penguins)))

    def broken(address: str) -> Any:
        raise RuntimeError("a secret")

    monkeypatch.setattr(asked.service.models, "get", broken)
    with answering(asked) as (client, _):
        code, text = client.refused("ModelInfer", inference([ROW]), metadata=(("x-request-id", "abc"),))
        assert (code, text) == ("INTERNAL", "internal error; the log has it under the request id abc")


def test_a_deployment_that_ends_or_has_no_model_is_not_ready(penguins: Path, tmp_path: Path) -> None:
    asked = Caller(Settings(str(penguins)))
    asked.service.stopping = True
    with answering(asked) as (client, _):
        assert not client("ServerReady").flag and client("ServerLive").flag
        assert not client("ModelReady", name="penguins").flag
    with answering(Caller(Settings(str(tmp_path / "none.safetensors")))) as (client, _):
        assert not client("ServerReady").flag
        assert client.refused("ModelInfer", inference([ROW]))[0] in ("UNAVAILABLE", "NOT_FOUND")


def test_paths_below_a_base_path_make_no_difference(penguins: Path) -> None:
    with answering(Caller(Settings(str(penguins), base_path="/v2"))) as (client, _):
        assert client("ModelInfer", inference([ROW])).outputs[0].contents.bytes_contents[0] == b"Gentoo"


messages = st.builds(
    lambda name, version, ident, flag, tensors, raw, wanted: CLASSES["Request"](
        model_name=name,
        model_version=version,
        id=ident,
        parameters=[{"key": "parse_text", "value": {"bool_param": flag}}],
        inputs=tensors,
        outputs=[{"name": one} for one in wanted],
        raw_input_contents=raw,
    ),
    *[st.text(st.characters(exclude_characters="/%", exclude_categories=["Cs"]), min_size=1, max_size=4)] * 3,
    st.booleans(),
    st.lists(
        st.one_of(
            *[
                st.builds(
                    lambda datatype, field, values, shape: CLASSES["Tensor"](
                        name="x", datatype=datatype, shape=shape, contents={field: values}
                    ),
                    st.just(datatype),
                    st.just(field),
                    st.lists(values, max_size=5),
                    st.lists(st.integers(-(1 << 63), (1 << 63) - 1), max_size=4),
                )
                for datatype, field, values in (
                    ("BOOL", "bool_contents", st.booleans()),
                    ("INT32", "int_contents", st.integers(-(1 << 31), (1 << 31) - 1)),
                    ("INT64", "int64_contents", st.integers(-(1 << 63), (1 << 63) - 1)),
                    ("UINT32", "uint_contents", st.integers(0, (1 << 32) - 1)),
                    ("UINT64", "uint64_contents", st.integers(0, (1 << 64) - 1)),
                    ("FP32", "fp32_contents", st.floats(width=32)),
                    ("FP64", "fp64_contents", st.floats()),
                    ("BYTES", "bytes_contents", st.binary(max_size=5)),
                )
            ]
        ),
        max_size=3,
    ),
    st.just([]),
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=3), max_size=3),
)


places = st.integers(0, 400)


def bytes_of(tensor: Any) -> bytes:
    """The bytes of a tensor's typed values, as the judge reads them."""
    datatype = tensor.datatype
    (values,) = [[*found] for _, found in tensor.contents.ListFields()] or [[]]
    if datatype == "BYTES":
        return b"".join([_tensors.LENGTH.pack(len(value)) + value for value in values])
    return _tensors.to_bytes(Tensor("x", datatype, [len(values)], values))


@settings(max_examples=int(os.environ.get("FUZZ", 300)))
@given(messages)
def test_a_message_is_read_as_googles_protobuf_reads_it(message: Any) -> None:
    asked = read("ModelInfer", message.SerializeToString())
    head = int(asked.headers["inference-header-content-length"])
    document: Any = parse(asked.body[:head].decode())
    assert asked.path == f"/v2/models/{message.model_name}/versions/{message.model_version}/infer"
    assert document["id"] == message.id
    assert (document["parameters"]["parse_text"] is True) is message.parameters[0].value.bool_param
    assert [tensor["shape"] for tensor in document["inputs"]] == [[*tensor.shape] for tensor in message.inputs]
    assert [output["name"] for output in document["outputs"]] == [output.name for output in message.outputs]
    assert asked.body[head:] == b"".join(map(bytes_of, message.inputs))


@settings(max_examples=int(os.environ.get("FUZZ", 300)))
@given(
    messages,
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3),
    st.integers(0, 400),
    st.binary(max_size=6),
)
def test_wrong_bytes_are_a_fault_of_the_caller(message: Any, changes: list[tuple[int, int]], cut: int, added: bytes) -> None:
    data = bytearray(message.SerializeToString())
    for place, value in changes:
        data[place % len(data)] = value
    data = data[:cut] + added
    for method in ALL:
        try:
            asked = read(method, bytes(data))
        except FlyweightError as error:
            assert error.status < 500
            continue
        if method == "ModelInfer":
            try:
                judged = CLASSES["Request"].FromString(bytes(data))
            except DecodeError:  # it refuses texts that we do not read, too
                continue
            assert asked.path.startswith(f"/v2/models/{judged.model_name}/")


def test_values_in_several_pieces_are_joined() -> None:
    """As https://protobuf.dev/programming-guides/encoding/ demands of a reader: packed or not, and a message in two parts."""
    one, other = (CLASSES["Tensor"](contents={"int64_contents": values}) for values in ([1], [2, 300]))
    tensor = CLASSES["Tensor"](name="x", datatype="INT64", shape=[4]).SerializeToString()
    unpacked = b"\x2a\x02\x18\x07"  # contents: field 3, not packed, 7
    data = tensor + one.SerializeToString() + unpacked + other.SerializeToString()
    message = b"\x0a\x01m\x2a" + bytes([len(data)]) + data
    asked = read("ModelInfer", message)
    head = int(asked.headers["inference-header-content-length"])
    assert asked.body[head:] == bytes_of(CLASSES["Tensor"](datatype="INT64", contents={"int64_contents": [1, 7, 2, 300]}))


def test_calls_that_have_begun_are_finished_and_no_others_are_taken(asked: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, end, answers = Event(), Event(), list[Any]()
    respond = asked.service.respond

    def slow(*event: Any) -> Any:
        begun.set()
        assert end.wait(GENEROUS)
        return respond(*event)

    monkeypatch.setattr(asked.service, "respond", slow)
    with answering(asked) as (client, calls):
        thread = Thread(target=lambda: answers.append(client("ServerLive")))
        thread.start()
        assert begun.wait(GENEROUS)
        calls.stop(GENEROUS)
        try:
            with pytest.raises(grpc.RpcError, match=r"UNAVAILABLE|CANCELLED"):
                client.channel.unary_unary(f"/{SERVICE}/ServerLive")(b"", timeout=GENEROUS)
        finally:
            end.set()
        assert calls.drain()
        thread.join()
        assert answers[0].flag


def test_a_call_that_does_not_end_within_the_grace_is_cut_off(asked: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, end = Event(), Event()
    respond = asked.service.respond
    monkeypatch.setattr(asked.service, "respond", lambda *event: begun.set() or (end.wait(GENEROUS) and respond(*event)))
    with answering(asked) as (client, calls):
        thread = Thread(target=lambda: client.refused("ServerLive"))
        thread.start()
        assert begun.wait(GENEROUS)
        calls.stop(0.1)
        assert not calls.drain()
        end.set()
        thread.join()


@pytest.fixture(scope="module")
def folder(penguins: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the server, the core, the protocol and the penguins model."""
    out = tmp_path_factory.mktemp("grpc") / "built"
    return build("gcp", penguins, out, python=PYTHON, handler=HANDLER, protocols=("open_inference",)).folder


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., Any]]:
    """From variables to a process of the built folder; its attribute `port` is that of gRPC."""
    with ExitStack() as stack:

        def started(**environ: str) -> Any:
            port = free_port()
            ports = {"PORT": str(free_port()), "FLYWEIGHT_HOST": "127.0.0.1", "FLYWEIGHT_GRPC_PORT": str(port)}
            process: Any = subprocess.Popen(
                [sys.executable, "server_main.py"],
                cwd=folder,
                env={**os.environ, **ports, **environ},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            process.port = port
            return process

        yield started


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_built_folder_answers_both_and_ends_with_0_at_sigterm(workers: str, start: Callable[..., Any]) -> None:
    process = start(FLYWEIGHT_WORKERS=workers)
    for _ in range(3):
        client = Client(process.port)
        with closing(client.channel):
            assert client("ModelInfer", inference([ROW])).outputs[0].contents.bytes_contents[0] == b"Gentoo"
    process.send_signal(signal.SIGTERM)
    log = process.communicate(timeout=GENEROUS)
    assert process.returncode == 0 and log[0].count('"infer"') == 3, log


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_that_another_program_uses_is_refused_by_name(workers: str, start: Callable[..., Any]) -> None:
    with socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        process = start(FLYWEIGHT_WORKERS=workers, FLYWEIGHT_GRPC_PORT=str(other.getsockname()[1]))
        assert "can't be listened on" in process.communicate(timeout=GENEROUS)[1]
        assert process.returncode == 1


def test_one_process_does_not_share_its_port(asked: Caller) -> None:
    with socket() as other:
        other.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(OSError, match="is the port in use"):
            Calls(asked.service, deployment.serving({})._replace(host="127.0.0.1", grpc_port=other.getsockname()[1]))


def test_flyweight_serve_says_where_it_answers(penguins: Path) -> None:
    port = free_port()
    command = [str(Path(sys.executable).with_name("flyweight")), "serve", str(penguins), "--port", "0", "--grpc-port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert " on http://127.0.0.1:" in process.stdout.readline()
            assert process.stdout.readline() == f"gRPC of the Open Inference Protocol on 127.0.0.1:{port}\n"
            client = Client(port)
            with closing(client.channel):
                assert client("ServerReady").flag
            process.send_signal(signal.SIGINT)
            assert process.wait(GENEROUS) == 0
        finally:
            process.kill()


def test_what_is_missing_for_grpc_is_said(asked: Caller, penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bounds = deployment.serving({"FLYWEIGHT_GRPC_PORT": "9000"})
    assert bounds.grpc_port == 9000 and deployment.serving({}).grpc_port is None
    chosen = Caller(Settings(str(penguins), protocols=("native",)))
    with pytest.raises(
        InvalidSetting, match="FLYWEIGHT_GRPC_PORT=9000 needs open_inference in FLYWEIGHT_PROTOCOLS, got 'native'"
    ):
        reserved(chosen.service, bounds)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InvalidSetting, match="needs the package grpcio, which is not installed; run: pip install grpcio"):
        reserved(asked.service, bounds)


@pytest.mark.parametrize("text", ["0", "65536", "http", "-1"])
def test_a_port_of_grpc_with_no_meaning_is_refused(text: str) -> None:
    with pytest.raises(InvalidSetting, match="FLYWEIGHT_GRPC_PORT should be a port from 1 to 65535"):
        deployment.serving({"FLYWEIGHT_GRPC_PORT": text})
