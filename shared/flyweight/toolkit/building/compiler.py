"""Compile the core's sources into one file of bytecode. The Python that the function will have runs this file by its path.

    python -P -X no_debug_ranges compiler.py    # in the folder; the sources' names come by standard input, a line each

Left out is what a function never reads: docstrings, assertions, the columns of positions, and annotations, except those of
classes, whose fields they may be. Lines stay, for tracebacks.
"""

import ast
import marshal
import os
import sys


class Stripped(ast.NodeTransformer):
    """Takes the annotations away from functions and from a module's own names."""

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Make annotated names plain ones."""
        body: list[ast.stmt] = []
        for part in node.body:
            if not isinstance(part, ast.AnnAssign):
                body.append(part)
            elif part.value is not None:
                body.append(ast.copy_location(ast.Assign([part.target], part.value), part))
        node.body = body
        self.generic_visit(node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Make a signature plain."""
        arguments = node.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
            if argument is not None:
                argument.annotation = None
        node.returns = None
        self.generic_visit(node)
        return node


def module_of(source: str) -> str:
    """Name the module of a source, as `flyweight.models` for `flyweight/models/__init__.py`."""
    parts = source.removesuffix(".py").split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def main() -> None:
    """Write `flyweight/__pycache__/bundle.TAG`: the length of an index, the index, and the bytecode of each module.

    The index has by module its source, and where its bytecode begins and how long it is.
    """
    index, codes, begin = {}, [], 0
    for source in sys.stdin.read().splitlines():
        with open(source, encoding="utf-8") as file:
            tree = ast.parse(file.read(), source)
        code = marshal.dumps(compile(Stripped().visit(tree), source, "exec", dont_inherit=True, optimize=2))
        index[module_of(source)] = (source, begin, len(code))
        codes.append(code)
        begin += len(code)
    os.makedirs("flyweight/__pycache__", exist_ok=True)
    # this version of marshal writes no references, whose presence depends on the reference counts in this process
    head = marshal.dumps(index, 2)
    with open(f"flyweight/__pycache__/bundle.{sys.implementation.cache_tag}", "wb") as file:
        file.write(b"".join([len(head).to_bytes(4, "little"), head, *codes]))


if __name__ == "__main__":
    main()
