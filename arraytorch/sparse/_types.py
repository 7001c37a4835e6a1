"""The sparse tensor types of PyTorch's first years: `torch.sparse.FloatTensor` and the like."""

from __future__ import annotations

import warnings
from typing import Any

from .. import _dtypes
from .._device import as_device
from .._layouts import sparse_coo
from .._tensor import Tensor
from ..ops.sparse import sparse_coo_tensor


class SparseTensorType(type):
    """The class of the types: makes sparse tensors of CPU memory, and tells those of its dtype."""

    dtype: Any
    title: str

    def __instancecheck__(cls, instance: object) -> bool:
        return (
            isinstance(instance, Tensor)
            and instance.is_sparse
            and instance.dtype is cls.dtype
            and instance.is_cpu
        )

    def __call__(cls, *args: Any, device: Any = None) -> Any:
        if device is not None and as_device(device).type != "cpu":
            raise RuntimeError(
                "legacy constructor expects device type: cpu but device type: "
                f"{as_device(device).type} was passed"
            )
        parts = 2 <= len(args) <= 3 and all(isinstance(a, Tensor) for a in args[:2])
        sizes = args[0] if len(args) == 1 and isinstance(args[0], (tuple, list)) else args
        if not parts and not all(isinstance(n, int) for n in sizes):
            given = ", ".join(type(a).__name__ for a in args)
            raise TypeError(
                f"new() received an invalid combination of arguments - got ({given}), but expected "
                "(Tensor indices, Tensor values, tuple of ints size) or (tuple of ints size)"
            )
        words = ("indices, values, shape"[: 15 if len(args) == 2 else None] if parts
                 else "shape" if args else "")  # fmt: skip
        instead = words or "(0,)"
        warnings.warn(
            f"torch.sparse.SparseTensor({words + ', *, device=' if words else ''}) is deprecated.  "
            f"Please use torch.sparse_coo_tensor({instead}, dtype={', device=' if words else ''}).",
            UserWarning,
            stacklevel=2,
        )
        if parts:
            return sparse_coo_tensor(*args, device="cpu")
        return sparse_coo_tensor(tuple(sizes) if args else (0,), dtype=cls.dtype, device="cpu")


def _type_of(dtype: Any) -> Any:
    name = f"{_dtypes.scalar_type_name(dtype)}Tensor"
    values = {
        "__doc__": f"Makes sparse tensors of {dtype!r}; prefer `torch.sparse_coo_tensor`.",
        "__module__": __package__, "dtype": dtype, "layout": sparse_coo,
        "title": f"torch.sparse.{name}", "is_cuda": False, "is_sparse": True,
    }  # fmt: skip
    return SparseTensorType(name, (), values)


FloatTensor, DoubleTensor = _type_of(_dtypes.float32), _type_of(_dtypes.float64)
HalfTensor, BFloat16Tensor = _type_of(_dtypes.float16), _type_of(_dtypes.bfloat16)
CharTensor, ByteTensor = _type_of(_dtypes.int8), _type_of(_dtypes.uint8)
ShortTensor, IntTensor = _type_of(_dtypes.int16), _type_of(_dtypes.int32)
LongTensor = _type_of(_dtypes.int64)
