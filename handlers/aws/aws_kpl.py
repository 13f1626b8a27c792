"""Split a record of Kinesis into the user records that the Kinesis Producer Library put together in it.

Format: https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md
It is 4 bytes, a protobuf message, and the MD5 of the message:
AggregatedRecord: 1 partition keys (texts), 2 hash keys (texts), 3 records;
Record: 1 index of its partition key, 2 index of its hash key, 3 data, 4 tags.
"""

from flyweight.errors import MalformedRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Field = tuple[int, int | bytes]  # the number of a field and its value

MAGIC = b"\xf3\x89\x9a\xc2"
DIGEST_BYTES = 16


def split(data: bytes) -> "list[tuple[str, bytes]]":
    """Split an aggregate into its user records.

    :param data: begins with MAGIC.
    :returns: the partition key and the data of each, in their order.
    :raises MalformedRequest: the checksum differs, or the message is cut off or no such message.
    """
    from hashlib import md5

    message, digest = data[len(MAGIC) : -DIGEST_BYTES], data[-DIGEST_BYTES:]
    if md5(message, usedforsecurity=False).digest() != digest:
        raise MalformedRequest("the record begins as an aggregate of the Kinesis Producer Library, but its checksum differs")
    keys: list[str] = []
    records: list[bytes] = []
    for number, value in _fields(message):
        if number == 1 and isinstance(value, bytes):
            keys.append(value.decode("utf-8", "replace"))
        elif number == 3 and isinstance(value, bytes):
            records.append(value)
    return [_user_record(record, keys) for record in records]


def _user_record(record: bytes, keys: "list[str]") -> "tuple[str, bytes]":
    """Get the partition key and the data of one user record.

    :raises MalformedRequest: it names a partition key that the aggregate does not have.
    """
    place, data = 0, b""
    for number, value in _fields(record):
        if number == 1 and isinstance(value, int):
            place = value
        elif number == 3 and isinstance(value, bytes):
            data = value
    if place >= len(keys):
        raise MalformedRequest(f"the aggregate has {len(keys)} partition keys, a user record names key {place}")
    return keys[place], data


def _fields(message: bytes) -> "Iterator[Field]":
    """List the fields of a protobuf message.

    https://protobuf.dev/programming-guides/encoding/

    :raises MalformedRequest: the message is cut off, or has a field of a type that aggregates do not have.
    """
    begin = 0
    while begin < len(message):
        tag, begin = _varint(message, begin)
        if tag & 7 == 0:
            value, begin = _varint(message, begin)
            yield tag >> 3, value
        elif tag & 7 == 2:
            size, begin = _varint(message, begin)
            if size > len(message) - begin:
                raise MalformedRequest("the aggregate is cut off")
            yield tag >> 3, message[begin : begin + size]
            begin += size
        else:
            raise MalformedRequest(f"the aggregate has a field of the type {tag & 7}, which no aggregate has")


def _varint(message: bytes, begin: int) -> "tuple[int, int]":
    """Read an integer of variable length.

    :returns: the integer, and the position behind it.
    :raises MalformedRequest: it is cut off, or longer than 64 bits.
    """
    value = 0
    for place, byte in enumerate(message[begin : begin + 10]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, begin + place + 1
    raise MalformedRequest("the aggregate is cut off in an integer, or has an integer of more than 64 bits")
