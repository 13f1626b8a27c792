"""Messages of gRPC as Google's protobuf reads and writes them: the judge of our own reading and writing.

The definitions are made at run time, in a pool of their own, because a client's library defines the same names.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

# fields: a name, a type, with * if it is repeated, and a number. A map is repeated entries on the wire.
PARAMETER = "bool_param bool 1, int64_param int64 2, string_param string 3, double_param double 4"
CONTENTS = (
    "bool_contents *bool 1, int_contents *int32 2, int64_contents *int64 3, uint_contents *uint32 4, uint64_contents *uint64 5, "
    "fp32_contents *float 6, fp64_contents *double 7, bytes_contents *bytes 8"
)
MESSAGES = {
    "Empty": "",
    "Parameter": PARAMETER,
    "Entry": "key string 1, value Parameter 2",
    "Contents": CONTENTS,
    "Tensor": "name string 1, datatype string 2, shape *int64 3, parameters *Entry 4, contents Contents 5",
    "Output": "name string 1, parameters *Entry 2",
    "Request": (
        "model_name string 1, model_version string 2, id string 3, parameters *Entry 4, inputs *Tensor 5, outputs *Output 6, "
        "raw_input_contents *bytes 7"
    ),
    "Response": (
        "model_name string 1, model_version string 2, id string 3, parameters *Entry 4, outputs *Tensor 5, "
        "raw_output_contents *bytes 6"
    ),
    "Named": "name string 1, version string 2",
    "Flag": "flag bool 1",
    "Server": "name string 1, version string 2, extensions *string 3",
    "Described": "name string 1, datatype string 2, shape *int64 3",
    "Metadata": "name string 1, versions *string 2, platform string 3, inputs *Described 4, outputs *Described 5",
    "Input": "name string 1, data_type int32 2, dims *int64 4",
    "Answered": "name string 1, data_type int32 2, dims *int64 3",
    "Inner": "name string 1, platform string 2, max_batch_size int32 4, input *Input 5, output *Answered 6, backend string 17",
    "Config": "config Inner 1",
    "Row": "name string 1, version string 2, state string 3, reason string 4",
    "Index": "models *Row 1",
}


def _messages() -> dict[str, Any]:
    """Make a class for each message."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="judge.proto", package="judge", syntax="proto3")
    for name, listed in MESSAGES.items():
        message = file.message_type.add(name=name)
        for part in filter(None, listed.split(", ")):
            key, kind, number = part.split(" ")
            label = field.LABEL_REPEATED if kind.startswith("*") else field.LABEL_OPTIONAL
            kind = kind.removeprefix("*")
            added = message.field.add(name=key, number=int(number), label=label)
            if kind in MESSAGES:
                added.type, added.type_name = field.TYPE_MESSAGE, f".judge.{kind}"
            else:
                added.type = getattr(field, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"judge.{name}")) for name in MESSAGES}


CLASSES = _messages()
METHODS = {
    "ServerLive": ("Empty", "Flag"),
    "ServerReady": ("Empty", "Flag"),
    "ServerMetadata": ("Empty", "Server"),
    "ModelReady": ("Named", "Flag"),
    "ModelMetadata": ("Named", "Metadata"),
    "ModelConfig": ("Named", "Config"),
    "RepositoryIndex": ("Empty", "Index"),
    "ModelInfer": ("Request", "Response"),
}
