"""Figures of the layout, to hold before a change against after it: python -m tests.architecture.figures [ROOT]

A room's boxes are its modules and its folders, its arrows the imports among them. ROOT is any checkout; this one if
none is named.
"""

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

LONG = 25  # lines of a function
Modules = dict[str, Path]
Imports = dict[str, set[str]]


def modules_of(root: Path) -> Modules:
    """The modules of tool and runtime by their full names."""
    found = {}
    for base, tree in ((root, root / "sitegen"), (root / "runtime", root / "runtime" / "sitegen_runtime")):
        for path in sorted(tree.rglob("*.py")):
            name = ".".join(path.relative_to(base).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def imports_of(modules: Modules) -> Imports:
    """What each module imports of the others, wherever in it."""
    return {name: set(_imported(name, path, modules)) for name, path in modules.items()}


def _imported(own: str, path: Path, modules: Modules) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in modules else str(node.module) for name in whole]
        else:
            continue
        yield from (name for name in names if name in modules and name != own)


def boxes_and_arrows(room: str, imports: Imports) -> tuple[int, int]:
    """How many boxes a room has, and how many arrows run between them."""

    def box(name: str) -> str:
        return name.removeprefix(f"{room}.").split(".")[0]

    inside = [name for name in imports if name.startswith(f"{room}.")]
    arrows = {(box(name), box(other)) for name in inside for other in imports[name] if other.startswith(f"{room}.")}
    return len({box(name) for name in inside}), sum(one != other for one, other in arrows)


def function_lengths(path: Path) -> list[int]:
    """The lines of each function of a module, its docstring and signature included."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, kinds)]
    return [(node.end_lineno or node.lineno) - node.lineno + 1 for node in nodes]


def lines(root: Path) -> Iterator[str]:
    """The figures of a checkout, a line each."""
    modules = modules_of(root)
    imports = imports_of(modules)
    yield f"{len(modules)} modules, {sum(map(len, imports.values()))} imports among them"
    for room in sorted(name for name, path in modules.items() if path.name == "__init__.py" and name.count(".") < 2):
        boxes, arrows = boxes_and_arrows(room, imports)
        yield f"{room:28} {boxes:3} boxes {arrows:3} arrows"
    folders = Counter(path.parent.relative_to(root).as_posix() for path in modules.values())
    yield "most files a folder: " + ", ".join(f"{name} {count}" for name, count in folders.most_common(3))
    for package in ("sitegen", "sitegen_runtime"):
        paths = [path for name, path in modules.items() if name.split(".")[0] == package]
        lengths = [length for path in paths for length in function_lengths(path)]
        long = sum(length > LONG for length in lengths)
        yield f"{package}: {long} of {len(lengths)} functions over {LONG} lines ({100 * long / len(lengths):.1f} %)"


if __name__ == "__main__":
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2]
    sys.stdout.write("\n".join(lines(root.resolve())) + "\n")
