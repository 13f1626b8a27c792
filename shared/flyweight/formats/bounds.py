"""Refuse a large body before it is read, if it has too many instances, or if reading it would take too much memory.

Arrays, objects and values are counted by the characters that begin or separate them, which takes milliseconds for megabytes.
"""

import re
from io import StringIO
from itertools import islice
from sys import getsizeof

from flyweight.errors import TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.models.validation import Validator

WEIGHED = 1 << 20  # bytes; what a smaller body takes is below ROOM and TIMES its bytes in any case
TIMES, ROOM = 25, 32 << 20  # a body takes at most 25 times its bytes of memory, and 32 MB beside
# bytes of Python's objects on 64 bits: a list or a small dict with its place in another one; one more entry of a dict; a key that
# is there for the first time; a value and its place, before and after validation; a text of more than one letter
LIST, DICT, ENTRY, KEY, VALUE, STRING = 96, 192, 60, 92, 48, 56
ROW = 92  # of an instance, with the number of its line; CSV has two, before and after validation
SMALL = 5  # entries of a small dict
# a text, also one that does not end, and the colon after a key
TEXT = re.compile(r'"((?:[^"\\]++|\\.?+)*+)(?:"(\s*+:)?|\Z)', re.DOTALL)
# the keys under which JSON holds instances: our own, MLflow's and TensorFlow Serving's
INSTANCES = re.compile(r'"(?:instances|dataframe_records|examples)"\s*+:')
NO_BRACKETS = {code: None for code in range(128) if chr(code) not in "[]{}"}


def check(text: str, size: int, media_type: str, validator: "Validator") -> None:
    """Check a large body.

    :param text: the body, decoded.
    :param size: its bytes.
    :param media_type: the format that it is in.
    :raises TooLarge: more instances than the limit, or more memory than a body may take or than the process has left.
    """
    if _has_more_instances(text, media_type, limit := validator.limits.max_instances):
        raise TooLarge(f"the body has more than {limit} instances, which is the limit")
    if size >= WEIGHED:
        _check_memory(text, size, media_type, limit)


def check_made(values: int, size: int) -> None:
    """Check how many values are to be made of a body that repeats some for each instance, or leaves them out.

    :param size: the bytes of the body.
    :raises TooLarge: they would take more memory than a body of its size may.
    """
    need = values * (ENTRY + VALUE)
    if need > TIMES * size + ROOM:
        raise TooLarge(f"the {values} values of the instances would take {need >> 20} MB of memory: send fewer instances at once")


def _has_more_instances(text: str, media_type: str, limit: int) -> bool:
    """Tell whether a body has more instances than the limit. CSV is read line by line, and counted meanwhile."""
    if media_type == "text/csv":
        return False
    if media_type == "application/x-ndjson":
        lines = (None for line in StringIO(text, newline="\n") if not line.isspace())
        return text.count("\n") >= limit and next(islice(lines, limit, None), True) is None
    opened = text.count("[") + text.count("{")
    depth_of_instances = 1 if text.lstrip(" \t\r\n").startswith("[") else 2
    if depth_of_instances == 2 and INSTANCES.search(text) is None:
        return False  # a record that is one instance
    if opened == depth_of_instances and text.count(",") > limit:  # no instance is an array or an object
        return TEXT.sub("", text).count(",") > limit  # one of them may stand before another key
    return opened > limit + depth_of_instances and _opened_at(text, depth_of_instances + 1, limit)


def _opened_at(text: str, depth: int, limit: int) -> bool:
    """Tell whether more arrays and objects than the limit begin at a depth of JSON."""
    now = count = 0
    for bracket in TEXT.sub("", text).translate(NO_BRACKETS):
        if bracket in "[{":
            now += 1
            count += now == depth
            if count > limit:
                return True
        elif bracket in "]}":  # and not a letter beyond ASCII, which JSON has in texts only
            now -= 1
    return False


def _check_memory(text: str, size: int, media_type: str, max_instances: int) -> None:
    """Check that a body takes no more memory than bodies may, and than the process has left.

    :raises TooLarge: it would take more.
    """
    from flyweight.formats.memory import free_bytes

    usual, free = TIMES * size + ROOM, free_bytes()
    limit = usual if free is None else min(usual, free)
    is_csv, need = media_type == "text/csv", size + getsizeof(text)
    need += _of_csv(text, size, max_instances) if is_csv else _of_json(text, max_instances)
    if need > limit and not is_csv:
        need = size + getsizeof(text) + _exactly_of_json(text, max_instances)
    if need <= limit:
        return
    message = f"the body has {size} bytes, and reading it would take {need >> 20} MB of memory"
    if free is None or free > usual:
        raise TooLarge(f"{message}: it has too many values, arrays, objects and names for its size")
    raise TooLarge(f"{message}, of which this process has {free >> 20} MB left: send at most {size * free // need} bytes at once")


def _of_csv(text: str, size: int, max_instances: int) -> int:
    """Estimate the bytes of memory for the texts, values and rows of a CSV body."""
    ends = text.count("\n") + text.count("\r")
    values = text.count(",") + ends + 1
    letters = max(size - values, 0)
    one, more = min(values, letters), min(values, letters // 2)  # the most values that can have a letter, and several letters
    return size + 2 * ROW * min(ends, max_instances) + values * VALUE // 2 + max(one * VALUE // 2, more * STRING)


def _of_json(text: str, max_instances: int) -> int:
    """Estimate the bytes of memory for the values of JSON or NDJSON, as if all keys were different and no text had a bracket."""
    pairs = text.count(":")
    strings = max(text.count('"') // 2 - pairs, 0)
    return _sum(text, pairs, pairs, max_instances) + strings * STRING


def _exactly_of_json(text: str, max_instances: int) -> int:
    """Estimate the bytes of memory for the values of JSON or NDJSON from its keys and texts."""
    keys: set[int] = set()
    pairs = strings = 0
    for match in TEXT.finditer(text):
        if match[2]:
            pairs += 1
            keys.add(hash(match[1]))
        elif match.end() - match.start() > 3:
            strings += 1
    return _sum(TEXT.sub("", text), pairs, len(keys), max_instances) + strings * STRING


def _sum(text: str, pairs: int, keys: int, max_instances: int) -> int:
    """Add up the bytes of memory for arrays, objects and numbers, and for the rows that are made of them.

    :param text: JSON, maybe without its texts.
    :param pairs: how many keys its objects have together.
    :param keys: how many of them differ.
    """
    arrays, objects = text.count("["), text.count("{")
    made = LIST * arrays + DICT * objects + ENTRY * max(pairs - SMALL * objects, 0) + KEY * keys
    values = text.count(",") + text.count("\n")
    return made + VALUE * values + ROW * min(arrays + objects, max_instances)
