"""Tensors in the memory of files."""

from __future__ import annotations

from typing import Any

from .._device import as_device, get_default_device
from .._dtypes import dtype as Dtype
from .._dtypes import get_default_dtype
from ..autograd.tape import wrap
from ..backends import numpy_dtype
from ..backends.host import map_array
from ._strides import check_layout

Tensor = Any


def from_file(
    filename: str,
    shared: bool | None = None,
    size: int | None = 0,
    *,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Returns the first ``size`` elements of a file as a tensor that lies in it.

    With ``shared``, what is written to the tensor is written to the file, which is made or made
    longer if need be; without, the file is only read. Raises RuntimeError if it is too short.

    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     name = os.path.join(folder, "numbers")
    ...     _ = torch.from_file(name, shared=True, size=2).fill_(7)
    ...     torch.from_file(name, size=2)
    tensor([7., 7.])
    """
    if not isinstance(filename, str):
        raise TypeError(
            "from_file(): argument 'filename' (position 1) must be str, not "
            f"{type(filename).__name__}"
        )
    check_layout("from_file", layout)
    if pin_memory:
        raise RuntimeError("tensors constructed from a file cannot be pinned")
    where = get_default_device() if device is None else as_device(device)
    if where.type != "cpu":
        raise NotImplementedError(f"from_file: only the CPU can map files, not {where}")
    native = numpy_dtype(get_default_dtype() if dtype is None else dtype)
    tensor = wrap(map_array(filename, bool(shared), size or 0, native))
    return tensor.requires_grad_() if requires_grad else tensor
