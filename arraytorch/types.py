"""Names for annotations."""

from __future__ import annotations

import os
from typing import IO, TypeAlias

from ._device import device
from ._size import Size
from ._tensor import Tensor
from .storage import UntypedStorage as Storage

__all__ = ["Device", "FileLike", "Number", "Size", "Storage", "Tensor"]

Number: TypeAlias = int | float | bool
Device: TypeAlias = device | str | int | None
FileLike: TypeAlias = str | os.PathLike[str] | IO[bytes]
