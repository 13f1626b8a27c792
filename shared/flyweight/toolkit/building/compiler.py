"""Compile core and handler into one file of bytecode. The Python that the function will have runs this file by its path.

    python -P -X no_debug_ranges compiler.py    # in the folder; the sources' names come by standard input, a line each

Left out is what a function never reads: docstrings, assertions, the columns of positions, what only the type checker reads, and
annotations, except those of classes, whose fields they may be. Lines stay, for tracebacks.
"""

import ast
import marshal
import os
import sys


class Stripped(ast.NodeTransformer):
    """Takes the annotations away from functions and from a module's own names, and what is under `if TYPE_CHECKING`."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Visit the statements inside a node; expressions, which are most of a source, have nothing to take away."""
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            if isinstance(parts := getattr(node, name, None), list):
                visited = [self.visit(part) for part in parts]
                setattr(node, name, [one for part in visited for one in (part if isinstance(part, list) else [part])])
        return node

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

    def visit_If(self, node: ast.If) -> ast.If | list[ast.stmt] | ast.Pass:
        """Leave what is run of a condition that is true for the type checker alone."""
        self.generic_visit(node)
        if not isinstance(node.test, ast.Name) or node.test.id != "TYPE_CHECKING":
            return node
        return node.orelse or ast.copy_location(ast.Pass(), node)

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

    The index has a line a module: its name, its source, where its bytecode begins and how long it is, with tabs between them.
    Before the first line is an empty one, so that each name is between the end of a line and a tab.
    """
    index, codes, begin = ["\n"], [], 0
    for source in sys.stdin.read().splitlines():
        with open(source, encoding="utf-8") as file:
            tree = ast.parse(file.read(), source)
        code = marshal.dumps(compile(Stripped().visit(tree), source, "exec", dont_inherit=True, optimize=2))
        index.append(f"{module_of(source)}\t{source}\t{begin}\t{len(code)}\n")
        codes.append(code)
        begin += len(code)
    os.makedirs("flyweight/__pycache__", exist_ok=True)
    head = "".join(index).encode()
    with open(f"flyweight/__pycache__/bundle.{sys.implementation.cache_tag}", "wb") as file:
        file.write(b"".join([len(head).to_bytes(4, "little"), head, *codes]))


if __name__ == "__main__":
    main()
