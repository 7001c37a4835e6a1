"""Libraries of compiled operations: those whose operations are written here on tensors."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

# By the names of the folder and the file, without its endings.
WRITTEN = {("torchvision", "_C"): "torchvision"}
loaded_libraries: set[str] = set()


def load_library(path: str) -> None:
    """Provides the operations of a compiled extension; OSError if they are not written here.

    Nothing of the file is run: it was compiled for PyTorch.
    """
    file = Path(path)
    name = WRITTEN.get((file.parent.name, file.name.partition(".")[0]))
    if name is None:
        raise OSError(f"{path}: extensions that were compiled for PyTorch cannot be loaded")
    import_module(f"{__package__.rpartition('.')[0]}._extensions.{name}")
    loaded_libraries.add(path)
