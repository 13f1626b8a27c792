"""Note which modules a cold start imports, and add their bytecode to a folder's file of bytecode once more, in a few pieces.

    python -P -S -X no_debug_ranges recorder.py model.safetensors aws_client app    # in the folder, by the function's Python

A piece of many modules has each name once, and is loaded in three quarters of the time of its parts. The first one names the
modules in C that they import. The last module is the handler, which loads the model, and with it the modules of the model's ops
and engine; it is imported, but in no piece. Nor is the store of files, where that stands in for the store of an address.

The function that the model's plan becomes after some requests is compiled here as well: the entry of its title has its text, by
which the function knows it again, and its bytecode.
"""

import marshal
import os
import sys

STAND_IN = "flyweight.stores.file"
LARGEST = 120_000  # bytes of a piece: for a larger one malloc takes new memory from the system, and not that of the one before


def extensions() -> "list[tuple[str, str]]":
    """List the modules in C that were imported from the last folder on the path, which is Python's own, each with its file."""
    origins = [(name, module.__spec__.origin or "") for name, module in sys.modules.items() if module.__spec__ is not None]
    return [(name, os.path.basename(origin)) for name, origin in origins if os.path.dirname(origin) == sys.path[-1]]


def grouped(names: "list[str]", sizes: "dict[str, int]") -> "list[list[str]]":
    """Divide modules into groups of about LARGEST bytes, in their order; a package, which follows its modules, stays by them."""
    groups, size, awaited = [[]], 0, set()  # type: tuple[list[list[str]], int, set[str]]
    for place, name in enumerate(names, 1):
        if groups[-1] and size + sizes[name] > LARGEST and not awaited:
            groups.append([])
            size = 0
        groups[-1].append(name)
        size += sizes[name]
        awaited = {*awaited, name.rpartition(".")[0]}.intersection(names[place:])
    return groups


def texts(model: str) -> "dict[str, str]":
    """Return what a warm function compiles of this model, by title."""
    import flyweight
    from flyweight.predictor import load

    asked: dict[str, str] = {}

    def compiled(title, text):  # type: ignore[no-untyped-def]
        asked[title] = text
        return compile(text, title, "exec")

    flyweight.compiled = compiled
    try:
        load(model).compiled()
    except Exception:  # a model that can't be loaded here; the modules are noted all the same
        return {}
    return asked


def main() -> None:
    """Import the modules, and add the pieces to `flyweight/__pycache__/bundle.TAG`, as entries whose names are numbers."""
    sys.path.insert(0, os.getcwd())
    import flyweight

    bundle = next(finder for finder in sys.meta_path if isinstance(finder, flyweight._Bundle))
    ended, run = [], bundle.exec_module

    def exec_module(module):  # type: ignore[no-untyped-def]
        run(module)
        ended.append(module.__name__)

    bundle.exec_module = exec_module  # type: ignore[method-assign]
    for name in sys.argv[2:]:
        __import__(name)
    path = f"flyweight/__pycache__/bundle.{sys.implementation.cache_tag}"
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(4), "little")
        index, codes = file.read(size).decode(), file.read()
    places = {line[0]: (int(line[2]), int(line[3])) for line in [line.split("\t") for line in index.splitlines()] if line[0]}
    first = [name for name in ended if name not in (sys.argv[-1], STAND_IN)]
    lines, pieces, begin = [], [], len(codes)
    for number, names in enumerate(grouped(first, {name: places[name][1] for name in first})):
        bytecode = tuple((name, marshal.loads(codes[start:][:length])) for name in names for start, length in [places[name]])
        pieces.append(marshal.dumps((() if number else tuple(extensions()), bytecode)))
        lines.append(f"\n{number}\t\t{begin}\t{len(pieces[-1])}")
        begin += len(pieces[-1])
    for title, text in texts(sys.argv[1]).items():
        pieces.append(marshal.dumps((text, compile(text, title, "exec"))))
        lines.append(f"\n{title}\t\t{begin}\t{len(pieces[-1])}")
        begin += len(pieces[-1])
    head = f"{''.join(lines)}{index}".encode()  # the pieces are looked for first
    with open(path, "wb") as bundled:
        bundled.write(b"".join([len(head).to_bytes(4, "little"), head, codes, *pieces]))


if __name__ == "__main__":
    main()
