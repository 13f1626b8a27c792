"""An interpreter of pickle instructions that reads a pickle as data.

It never imports or calls anything. Where `pickle` would look up a class, it makes a `Global` that holds two texts; where `pickle`
would call something, it makes a `Node` that holds the name and the arguments. The instructions and the forms of their arguments
are those of the standard library's `pickletools`; the bytes of arrays, which joblib writes between instructions, are skipped
(`joblib.numpy_pickle.NumpyArrayWrapper`).

Values of the file are never hashed nor compared, since endless nesting would then end this program. Memory is bounded by the
number of instructions and by the text that is kept, time by the number of instructions and by the length of the file.
"""

from __future__ import annotations

import pickletools
import struct
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Callable
from typing import Any

from flyweight.toolkit.pickles.nodes import Global, Node, item_count, item_size
from flyweight.toolkit.pickles.source import ARGUMENTS, BULK, Source

_MAX_NOTES = 20


class Machine:
    """Reads one pickle. After `read()`, its attributes hold what was found on the way.

    :param outer: the machine that reads the pickle around this one, of an array of objects.

    `globals` and `notes` (what can't be known, in words) are sets in order of appearance; `arrays` counts joblib's arrays, and
    `array_bytes` their bytes.
    """

    def __init__(self, source: Source, outer: Machine | None = None) -> None:
        self.source = source
        self.nested = outer is not None
        self.globals: dict[Global, None] = outer.globals if outer else {}
        self.notes: dict[str, None] = outer.notes if outer else {}
        self.protocol = self.arrays = self.array_bytes = 0
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def read(self) -> Any:
        """Interpret the instructions up to STOP.

        :returns: the root: the object that `pickle` would return.
        :raises PickleRefused: the file is damaged, or longer than the limits allow.
        """
        source, step = self.source, self.source.step
        try:
            while (code := step()) != b".":
                argument, act = _TABLE[code]
                act(self, argument(source) if argument else None)
            return self._take(1)[0]
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error) as error:
            # the stack lacks what an instruction needs, a text is not a name, a number has too many digits
            raise source.damaged(f"{type(error).__name__}: {error}"[:200]) from None

    def _take(self, number: int) -> list[Any]:
        """Pop the topmost values.

        :raises IndexError: the stack holds fewer.
        """
        if len(self.stack) < number:
            raise IndexError("the stack is empty")
        taken = self.stack[len(self.stack) - number :]
        del self.stack[len(self.stack) - number :]
        return taken

    def _unmark(self) -> list[Any]:
        taken, self.stack = self.stack, self.marks.pop()
        return taken

    def _top_node(self) -> Node:
        """Get the topmost value, which an instruction fills.

        :raises TypeError: it can't be filled.
        """
        if not isinstance(self.stack[-1], Node):
            raise TypeError("items or state for a value that can't have them")
        return self.stack[-1]

    # A method for each instruction, or family of instructions. It takes the instruction's argument, and before it the value in
    # which the instructions of a family differ.

    def _nothing(self, _: Any) -> None:
        """Ignore FRAME, which only helps to read ahead, and READONLY_BUFFER, which only forbids writing."""

    def _proto(self, version: int) -> None:
        """Note the protocol.

        :raises ValueError: it is newer than the newest known.
        """
        if version > 5:
            raise ValueError(f"its protocol is {version}, and the newest known is 5")
        self.protocol = version

    def _push(self, value: Any) -> None:
        self.stack.append(value)

    def _constant(self, value: Any, _: Any) -> None:
        self.stack.append(value)

    def _empty(self, kind: str, _: Any) -> None:
        self.stack.append(Node(kind))

    def _container(self, kind: str, _: Any) -> None:
        items = self._unmark()
        self.stack.append(Node(kind, items))

    def _tuple(self, number: int, _: Any) -> None:
        self.stack.append(Node("tuple", self._take(number)))

    def _grow(self, number: int, _: Any) -> None:
        items = self._take(number) if number else self._unmark()
        node = self._top_node()
        node.items = node.items or []
        node.items.extend(items)

    def _mark(self, _: Any) -> None:
        self.marks.append(self.stack)
        self.stack = []

    def _pop(self, _: Any) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self._unmark()

    def _pop_mark(self, _: Any) -> None:
        self._unmark()

    def _dup(self, _: Any) -> None:
        self.stack.append(self.stack[-1])

    def _put(self, index: int) -> None:
        """Keep the topmost value in the memo.

        :raises ValueError: no pickler uses such an index.
        """
        if not 0 <= index < 2**32:  # larger numbers could be chosen to have the same hash, and would take endless time
            raise ValueError("a place in the memo that no pickler uses")
        self.memo[index] = self.stack[-1]

    def _memoize(self, _: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def _get(self, index: int) -> None:
        self.stack.append(self.memo[index])

    def _global(self, names: tuple[Any, Any]) -> None:
        self.stack.append(self._find(*names))

    def _stack_global(self, _: Any) -> None:
        self.stack.append(self._find(*self._take(2)))

    def _find(self, module: Any, name: Any) -> Global:
        """Note a name, and make its stand-in.

        :raises TypeError: module or name is not a text.
        """
        if type(module) is not str or type(name) is not str:
            raise TypeError("the name of a class is not a text")
        if self.protocol < 3:  # names of Python 2, which pickle maps as well
            module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
        named = Global(module, name)
        self.globals[named] = None
        return named

    def _instance(self, cls: Any, args: Any) -> None:
        if not isinstance(cls, Global):
            self.notes["it calls the result of an earlier call, which can't be known without running it"] = None
        self.stack.append(Node("object", cls=cls if isinstance(cls, Global) else None, args=args))

    def _called(self, number: int, _: Any) -> None:
        """Make an object of a class or function and its arguments; NEWOBJ_EX gives keyword arguments as well."""
        cls, args, *_named = self._take(number)
        self._instance(cls, args)

    def _inst(self, names: tuple[Any, Any]) -> None:
        args = Node("tuple", self._unmark())
        self._instance(self._find(*names), args)

    def _obj(self, _: Any) -> None:
        cls, *args = self._unmark()
        self._instance(cls, Node("tuple", args))

    def _extension(self, code: int) -> None:
        if len(self.notes) < _MAX_NOTES:
            self.notes[f"it names a class by the number {code}, which only the program that wrote it can resolve"] = None
        self.stack.append(Node("object"))

    def _outside(self, number: int, _: Any) -> None:
        self._take(number)
        self.notes["parts of it are stored outside of the file"] = None
        self.stack.append(Node("object"))

    def _build(self, _: Any) -> None:
        (state,) = self._take(1)
        if isinstance(self.stack[-1], Global):  # a class that the pickle itself makes, as cloudpickle does
            return
        node = self._top_node()
        node.state = state
        wrapped = (
            node.cls is not None and node.cls.name == "NumpyArrayWrapper" and node.cls.module.endswith("joblib.numpy_pickle")
        )
        if wrapped and not self.nested:  # the array's bytes follow
            self.stack[-1] = self._array(**node.attributes())

    def _array(self, shape: Node, dtype: Any, numpy_array_alignment_bytes: Any = None, **_: Any) -> Node:
        """Skip one array; the parameters are the attributes of a `NumpyArrayWrapper`, whose `read_array` reads it."""
        sizes = shape.items or []
        number = item_count(sizes)
        size, objects = item_size(dtype)
        self.arrays += 1
        if objects:  # a whole pickle follows instead of bytes
            return Node("array", [Machine(self.source, self).read()], args=shape)
        if numpy_array_alignment_bytes is not None:
            self.source.skip(self.source.number("<B"))
        self.source.skip(size * number)
        self.array_bytes += size * number
        return Node("array", args=shape)


def _actions() -> dict[str, Callable[..., None]]:
    """Map each instruction, by its name in pickletools, to the method that carries it out."""
    pushed = "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING BINBYTES BINBYTES8"
    pushed += " SHORT_BINBYTES BYTEARRAY8 UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8"
    constants = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "NEXT_BUFFER": BULK}
    families: list[tuple[Callable[..., None], dict[str, Any]]] = [
        (Machine._constant, constants),
        (Machine._empty, {"EMPTY_LIST": "list", "EMPTY_TUPLE": "tuple", "EMPTY_DICT": "dict", "EMPTY_SET": "set"}),
        (Machine._container, {"LIST": "list", "TUPLE": "tuple", "DICT": "dict", "FROZENSET": "frozenset"}),
        (Machine._tuple, {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}),
        (Machine._grow, {"APPEND": 1, "SETITEM": 2, "APPENDS": 0, "SETITEMS": 0, "ADDITEMS": 0}),
        (Machine._called, {"REDUCE": 2, "NEWOBJ": 2, "NEWOBJ_EX": 3}),
        (Machine._outside, {"PERSID": 0, "BINPERSID": 1}),
    ]
    return {
        **dict.fromkeys(pushed.split(), Machine._push),
        **dict.fromkeys(("FRAME", "READONLY_BUFFER"), Machine._nothing),
        **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), Machine._get),
        **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), Machine._put),
        **dict.fromkeys(("EXT1", "EXT2", "EXT4"), Machine._extension),
        **{name: _first(act, value) for act, family in families for name, value in family.items()},
        "PROTO": Machine._proto,
        "MEMOIZE": Machine._memoize,
        "MARK": Machine._mark,
        "POP": Machine._pop,
        "POP_MARK": Machine._pop_mark,
        "DUP": Machine._dup,
        "GLOBAL": Machine._global,
        "STACK_GLOBAL": Machine._stack_global,
        "INST": Machine._inst,
        "OBJ": Machine._obj,
        "BUILD": Machine._build,
    }


def _first(act: Callable[..., None], value: Any) -> Callable[..., None]:
    return lambda machine, argument: act(machine, value, argument)


# code -> (the function that reads the argument or None, the method that carries the instruction out)
_TABLE = {
    opcode.code.encode("latin-1"): (ARGUMENTS[opcode.arg.name] if opcode.arg else None, _actions()[opcode.name])
    for opcode in pickletools.opcodes
    if opcode.name != "STOP"
}
