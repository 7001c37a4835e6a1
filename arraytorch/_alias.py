"""The name ``torch`` for this package, for programs that were written for PyTorch."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from ._version import TorchVersion

__all__ = ["as_torch"]

PACKAGE = __name__.partition(".")[0]
# What programs take for the version of PyTorch; the part behind + says who answers.
REFERENCE = "2.13.0"


@contextmanager
def as_torch() -> Iterator[ModuleType]:
    """Has ``import torch``, and every submodule of it, give this package while it lasts.

    They are the same modules: ``torch.nn`` is ``arraytorch.nn``. A submodule that is not there
    raises ModuleNotFoundError, which says so. ``torch.__version__`` is that of the reference,
    followed by "+arraytorch" and our own. Afterwards ``sys.modules`` is as before: without
    ``torch``, or with the PyTorch that was imported earlier.

    >>> with torch.as_torch():
    ...     import torch.nn.functional as F
    ...     from torch.utils.data import DataLoader
    >>> F.__name__, DataLoader.__module__
    ('arraytorch.nn.functional', 'arraytorch.utils.data.dataloader')
    """
    undo = install()
    try:
        yield import_module("torch")
    finally:
        undo()


def install() -> Callable[[], None]:
    """Makes ``torch`` this package; returns what undoes it, which does nothing if it was before."""
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return lambda: None
    package: Any = import_module(PACKAGE)
    others, version, finder = _taken_out(), package.__version__, _Finder()
    package.__name__ = "torch"  # libraries compare it
    sys.meta_path.insert(0, finder)
    package.__version__ = TorchVersion(f"{REFERENCE}+{PACKAGE}{version}")

    def undo() -> None:
        package.__version__, package.__name__ = version, PACKAGE
        sys.meta_path.remove(finder)
        _taken_out()
        sys.modules.update(others)

    return undo


def _taken_out() -> dict[str, ModuleType]:
    """Removes ``torch`` and its submodules from ``sys.modules`` and returns them."""
    names = [name for name in sys.modules if name == "torch" or name.startswith("torch.")]
    return {name: sys.modules.pop(name) for name in names}


def _exists(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is a module and no package
        return False


def _switches(own: str) -> Any:
    """The object that stands for a module of PyTorch's with switches, such as ``backends.cudnn``."""
    parent, _, name = own.rpartition(".")
    found = getattr(import_module(parent), name, None) if parent.endswith(".backends") else None
    return None if isinstance(found, ModuleType) else found


class _Finder(MetaPathFinder, Loader):
    """Finds ``torch.a.b`` as the module ``a.b`` of this package."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        root, dot, rest = fullname.partition(".")
        if root != "torch":
            return None
        own = PACKAGE + dot + rest
        if fullname.startswith("torch.backends.") and _switches(own) is not None:
            return ModuleSpec(fullname, self)
        if own not in sys.modules and not _exists(own):
            raise ModuleNotFoundError(
                f"No module named '{fullname}': {PACKAGE}, which stands in for torch, has no "
                f"'{rest}'",
                name=fullname,
            )
        return ModuleSpec(fullname, self, is_package=hasattr(import_module(own), "__path__"))

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        own = PACKAGE + spec.name[len("torch") :]
        module = _switches(own) or import_module(own)
        spec.loader_state = getattr(module, "__spec__", None)
        return module

    def exec_module(self, module: ModuleType) -> None:
        # It has run under its own name. The import system has just given it the spec of the alias.
        spec = getattr(module, "__spec__", None)
        if spec is not None and spec.loader is self:
            module.__spec__ = spec.loader_state

    def find_distributions(self, context: Any = None) -> Iterable[importlib.metadata.Distribution]:
        """Answers those who ask for torch's version as that of an installed package."""
        return [_Distribution()] if getattr(context, "name", None) == "torch" else []


class _Distribution(importlib.metadata.Distribution):
    def read_text(self, filename: str) -> str | None:
        if filename == "METADATA":
            return f"Metadata-Version: 2.1\nName: torch\nVersion: {REFERENCE}\n"
        return None

    def locate_file(self, path: Any) -> Any:
        return path
