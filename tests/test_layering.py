"""The shape of the package: imports point down, array libraries stay in backends, files stay small."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "arraytorch"
MOST_LINES = 600

# The bottom first. What is not named here is the top; the package's own __init__ is above all.
LAYERS = (
    ("_dtypes", "_device", "_errors", "_layouts", "_size"),
    ("backends",),
    ("autograd",),
    ("ops",),
    ("_printing", "_methods"),
    ("_tensor",),
)
TOP = len(LAYERS)
# Modules with a name that programs import, which nothing in their own package imports.
ABOVE_THEIR_PACKAGE = {"arraytorch.autograd.profiler"}
ARRAY_LIBRARIES = {
    "cupy", "cupyx", "dpctl", "dpnp", "llvmlite", "ml_dtypes", "numba", "numpy", "scipy",
}  # fmt: skip
# Heavy or optional, so that a backend may import them where it first needs them.
LAZY_IN_BACKENDS = ARRAY_LIBRARIES - {"numpy"}
# Heavy parts of the standard library that a function may load where it needs them.
LAZY_ANYWHERE = {"concurrent.futures", "importlib.metadata"}
# What a part of the package may use because it is there for that library; nothing else imports the part.
OPTIONAL = {"arraytorch.utils.tensorboard": {"PIL", "google", "matplotlib", "tensorboard"}}


@dataclass(frozen=True)
class Import:
    """One import: who imports what in which line, and whether a function or a type check does it."""

    source: str
    target: str
    line: int
    lazy: bool
    typing_only: bool

    def __str__(self) -> str:
        return f"{self.source}:{self.line} imports {self.target}"


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def vendor(module: str) -> str | None:
    """The vendor's library whose backend a module is part of."""
    name = module.removeprefix("arraytorch.backends.").split("_")[0]
    return name if module in MODULES and name in ("cupy", "dpnp", "numba") else None


def test_there_is_a_package_to_check():
    """Guards the checks below against passing because they saw nothing."""
    assert {"arraytorch", "arraytorch._dtypes", "arraytorch.backends"} <= MODULES.keys()
    assert len(IMPORTS) > len(MODULES)


def test_imports_point_down():
    """No module imports from a layer above its own, not even lazily."""
    assert not [
        str(i)
        for i in IMPORTS
        if i.target in MODULES and not i.typing_only and layer(i.target) > layer(i.source)
    ]


def test_array_libraries_stay_in_backends():
    """numpy, scipy, cupy, dpnp and their kind are imported by backends alone."""
    assert not [
        str(i)
        for i in IMPORTS
        if root(i.target) in ARRAY_LIBRARIES
        and not i.source.startswith("arraytorch.backends")
        and not i.typing_only
    ]


def test_heavy_libraries_load_lazily():
    """`import arraytorch` is to stay fast, and to work where the optional ones are missing."""
    heavy = LAZY_IN_BACKENDS - {"ml_dtypes"}
    assert not [
        str(i)
        for i in IMPORTS
        if root(i.target) in heavy and not (i.lazy or i.typing_only or vendor(i.source))
    ]


def test_vendors_load_lazily():
    """The modules of a vendor's backend, which import its library, are loaded with the device."""
    assert not [
        str(i)
        for i in IMPORTS
        if vendor(i.target) and not (i.lazy or i.typing_only or vendor(i.source))
    ]


def test_functions_import_only_what_may_be_lazy():
    """An import inside a function hides a dependency; only heavy and optional ones may."""
    assert not [str(i) for i in IMPORTS if i.lazy and not may_be_lazy(i)]


def test_imports_have_no_cycles():
    """Modules can be read one after the other, each knowing all that it uses."""
    graph: dict[str, set[str]] = {name: set() for name in MODULES}
    for i in IMPORTS:
        if i.target in MODULES and not i.lazy and not i.typing_only:
            graph[i.source].add(i.target)
    assert find_cycle(graph) is None


@pytest.mark.parametrize("folder", ["arraytorch", "tests", "benchmarks", "examples"])
def test_files_are_small(folder):
    """A file that grows beyond this is to be split by topic; an `__init__` only lists names."""
    files = [p for p in (PACKAGE.parent / folder).rglob("*.py") if p.name != "__init__.py"]
    sizes = {str(path): len(path.read_text("utf-8").splitlines()) for path in files}
    assert not {name: size for name, size in sizes.items() if size > MOST_LINES}


def test_only_the_standard_library_and_dependencies_are_imported():
    """Whatever else is imported would be an undeclared dependency."""
    known = ARRAY_LIBRARIES | sys.stdlib_module_names | {"arraytorch"}
    assert not [
        str(i)
        for i in IMPORTS
        if root(i.target) not in known | optional(i.source) and not i.typing_only
    ]


def test_parts_for_optional_libraries_stand_alone():
    """What imports an optional library is imported by its users alone."""
    assert not [str(i) for i in IMPORTS if optional(i.target) and not optional(i.source)]


def root(module: str) -> str:
    return module.partition(".")[0]


def optional(module: str) -> set[str]:
    """The libraries that the part of the package to which a module belongs is for."""
    parts = (part for part in OPTIONAL if module == part or module.startswith(f"{part}."))
    return OPTIONAL.get(next(parts, ""), set())


def layer(module: str) -> int:
    """The height of a module; it may import what is at most as high."""
    if module == "arraytorch":
        return TOP + 1
    if module in ABOVE_THEIR_PACKAGE:
        return TOP
    part = module.split(".")[1]
    return next((height for height, parts in enumerate(LAYERS) if part in parts), TOP)


def may_be_lazy(i: Import) -> bool:
    if i.target in LAZY_ANYWHERE or root(i.target) == "matplotlib" and optional(i.source):
        return True
    if i.source.startswith("arraytorch.backends"):
        return root(i.target) in LAZY_IN_BACKENDS or i.target.startswith("arraytorch.backends")
    return False


def imports_of(name: str) -> Iterator[Import]:
    """Every import statement of a module, resolved to modules."""
    tree = ast.parse(MODULES[name].read_text("utf-8"))
    package = name if MODULES[name].name == "__init__.py" else name.rpartition(".")[0]

    def walk(node: ast.AST, lazy: bool, typing_only: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            for target in targets(child, package):
                yield Import(name, target, child.lineno, lazy, typing_only)
            inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            checked = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            yield from walk(child, lazy or inside, typing_only or checked)

    return walk(tree, False, False)


def targets(node: ast.AST, package: str) -> Iterator[str]:
    """The modules that an import statement names; a package only if it takes a name of its own."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
        start = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*start, *([node.module] if node.module else [])])
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            yield inner if inner in MODULES else base


def find_cycle(graph: dict[str, set[str]]) -> list[str] | None:
    """Some cycle of the graph as the list of its nodes, or None."""
    finished: set[str] = set()

    def visit(node: str, path: list[str]) -> list[str] | None:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in finished:
            return None
        for following in sorted(graph[node]):
            if cycle := visit(following, [*path, node]):
                return cycle
        finished.add(node)
        return None

    return next((cycle for node in graph if (cycle := visit(node, []))), None)


IMPORTS = [i for name in MODULES for i in imports_of(name)]


def test_the_checker_sees_what_it_should(monkeypatch, tmp_path):
    """Upward, lazy and relative imports are found as such in a module made up for the purpose."""
    made_up = tmp_path / "made_up.py"
    made_up.write_text(
        "from typing import TYPE_CHECKING\n"
        "from . import numpy as N\n"
        "from ..ops import pointwise\n"
        "if TYPE_CHECKING:\n    from arraytorch._tensor import Tensor\n"
        "def f():\n    import scipy.special\n"
    )
    name = "arraytorch.backends.made_up"
    monkeypatch.setitem(MODULES, name, made_up)
    monkeypatch.setitem(MODULES, "arraytorch.ops.pointwise", made_up)
    found = {i.target: (i.lazy, i.typing_only) for i in imports_of(name)}
    assert found == {
        "typing": (False, False),
        "arraytorch.backends.numpy": (False, False),
        "arraytorch.ops.pointwise": (False, False),
        "arraytorch._tensor": (False, True),
        "scipy.special": (True, False),
    }
    assert layer("arraytorch.ops.pointwise") > layer(name) > layer("arraytorch._dtypes")
    assert layer("arraytorch") > layer("arraytorch.nn.modules") > layer("arraytorch._tensor")
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert find_cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) is None
