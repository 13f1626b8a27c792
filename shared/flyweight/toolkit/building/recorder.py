"""Note which modules a cold start imports, and add their bytecode to a folder's file of bytecode once more, in one piece.

    python -P -S recorder.py aws_client app    # in the folder, by the Python that the function will have

A piece of many modules has each name once, and is loaded in three quarters of the time of its parts. Before them it names the
modules in C that they import. The last module is the handler, which loads the model, and with it the modules of the model's ops
and engine; it is imported, but not in the piece. Nor is the store of files, where that stands in for the store of an address.
"""

import marshal
import os
import sys

STAND_IN = "flyweight.stores.file"


def extensions() -> "list[tuple[str, str]]":
    """List the modules in C that were imported from the last folder on the path, which is Python's own, each with its file."""
    origins = [(name, module.__spec__.origin or "") for name, module in sys.modules.items() if module.__spec__ is not None]
    return [(name, os.path.basename(origin)) for name, origin in origins if os.path.dirname(origin) == sys.path[-1]]


def main() -> None:
    """Import the modules, and add the piece to `flyweight/__pycache__/bundle.TAG`, as the entry without a name."""
    sys.path.insert(0, os.getcwd())
    import flyweight

    bundle = next(finder for finder in sys.meta_path if isinstance(finder, flyweight._Bundle))
    ended, run = [], bundle.exec_module

    def exec_module(module):  # type: ignore[no-untyped-def]
        run(module)
        ended.append(module.__name__)

    bundle.exec_module = exec_module  # type: ignore[method-assign]
    for name in sys.argv[1:]:
        __import__(name)
    path = f"flyweight/__pycache__/bundle.{sys.implementation.cache_tag}"
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(4), "little")
        index, codes = file.read(size).decode(), file.read()
    places = {line[0]: (int(line[2]), int(line[3])) for line in [line.split("\t") for line in index.splitlines()] if line[0]}
    first = [name for name in ended if name not in (sys.argv[-1], STAND_IN)]
    bytecode = tuple((name, marshal.loads(codes[begin:][:length])) for name in first for begin, length in [places[name]])
    piece = marshal.dumps((tuple(extensions()), bytecode))
    head = f"\n\t\t{len(codes)}\t{len(piece)}{index}".encode()  # the piece is looked for first
    with open(path, "wb") as bundled:
        bundled.write(b"".join([len(head).to_bytes(4, "little"), head, codes, piece]))


if __name__ == "__main__":
    main()
