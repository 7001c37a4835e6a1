"""Numbers in sequence, and the identity matrix."""

from __future__ import annotations

import math
from typing import Any

from .. import _dtypes
from .._device import device
from .._dtypes import dtype
from ..autograd.tape import TensorBase, wrap
from ..backends import dtype_of, numpy_dtype
from ._pinning import pinned
from ._promote import index_of, place_for, plain
from ._strides import check_layout
from ._write import write_result
from .creation import finished

Tensor = Any
Number = int | float | complex | bool


def arange(
    start: Number = 0,
    end: Number | None = None,
    step: Number = 1,
    *,
    out: Tensor | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: device | str | int | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Returns the values from ``start`` (0) up to but without ``end``, ``step`` apart.

    Integers give int64, others the default dtype. Raises RuntimeError for a step of 0 or one of
    the wrong sign. With ``dtype=int64`` the arguments are cut to integers first; with others the
    count is that of the arguments as they are.

    >>> torch.arange(1, 2.5, 0.5)
    tensor([1.0000, 1.5000, 2.0000])
    """
    if end is None:
        start, end = 0, start
    if start.__class__ is end.__class__ is int and step == 1 and start <= end and dtype is None:  # type: ignore[operator]
        if out is layout is None and not requires_grad and not pin_memory:  # nearly always
            B, place = place_for(device)
            native = numpy_dtype(_dtypes.int64)
            return wrap(B.ramp(start, 1, end - start, native, place.index))  # type: ignore[operator]
    check_layout("arange", layout)
    first: Any = start
    last: Any = end
    stride: Any = step
    whole = first.__class__ is int and last.__class__ is int and stride.__class__ is int
    if not whole:
        given = (start, end, step)
        first, last, stride = (v.item() if isinstance(v, TensorBase) else plain(v) for v in given)
        if any(isinstance(v, complex) for v in (first, last, stride)):
            raise RuntimeError("value cannot be converted to type double without overflow")
        if not (math.isfinite(first) and math.isfinite(last)) and stride:
            raise RuntimeError(f"unsupported range: {first} -> {last}")
        whole = all(isinstance(v, int) for v in (first, last, stride))
    if not stride or stride != stride:
        raise RuntimeError("step must be nonzero")
    if (last - first) * (1 if stride > 0 else -1) < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    if dtype is None:
        if out is not None:
            dtype = dtype_of(out._data)
        else:
            dtype = _dtypes.int64 if whole else _dtypes.get_default_dtype()
    dtype = _dtypes.PYTHON.get(dtype, dtype)
    if dtype is _dtypes.bool or dtype.is_complex or dtype in _dtypes.EIGHT_BITS:
        kind = _dtypes.scalar_type_name(dtype)
        raise NotImplementedError(f"\"arange_cpu\" not implemented for '{kind}'")
    if dtype is _dtypes.int64:
        first, last, stride = int(first), int(last), int(stride)
        if not stride:
            raise ValueError("step must be nonzero")
        count = max(-((first - last) // stride), 0)
    else:
        count = math.ceil((float(last) - float(first)) / float(stride))
    native = numpy_dtype(dtype)
    if native.kind in "iu":
        first, stride = int(first), int(stride)
    B, place = place_for(device)
    result = finished(B.ramp(first, stride, count, native, place.index), requires_grad, "arange")
    new = result if out is None else write_result("arange", out, result)
    return pinned(new) if pin_memory else new


_REAL = frozenset((int, float))


def _ends(name: str, start: Any, end: Any, dtype: Any, out: Any) -> tuple[Any, Any, dtype]:
    """Both ends as Python numbers, cut to integers if such are asked for, and the dtype."""
    if dtype is out is None and start.__class__ in _REAL and end.__class__ in _REAL:
        return start, end, _dtypes.get_default_dtype()
    ends = []
    for side, value in (("start", start), ("end", end)):
        if isinstance(value, TensorBase):
            if value._data.ndim:
                raise RuntimeError(
                    f"{name} only supports 0-dimensional start and end tensors, but got {side} "
                    f"with {value._data.ndim} dimension(s)."
                )
            value = value.item()  # type: ignore[attr-defined]
        ends.append(plain(value))
    if dtype is None and out is not None:
        dtype = dtype_of(out._data)
    dtype = _dtypes.PYTHON.get(dtype, dtype)
    default = _dtypes.get_default_dtype()
    if any(isinstance(e, complex) for e in ends):
        if dtype is not None and not dtype.is_complex:
            raise RuntimeError(
                f"torch.{name}(): inferred dtype {default.to_complex()!r} can't be safely cast to "
                f"passed dtype {dtype!r}"
            )
        dtype = dtype or default.to_complex()
    dtype = dtype or default
    if dtype is _dtypes.bool:
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for 'Bool'")
    if not (dtype.is_floating_point or dtype.is_complex):
        ends = [int(e) for e in ends]
    return ends[0], ends[1], dtype


def _widest(dtype: dtype) -> dtype:
    return _dtypes.complex128 if dtype.is_complex else _dtypes.float64


def _count(steps: Any) -> int:
    count = index_of(steps, "the argument 'steps'")
    if count < 0:
        raise RuntimeError("number of steps must be non-negative")
    return count


def linspace(
    start: Number | Tensor,
    end: Number | Tensor,
    steps: int,
    *,
    out: Tensor | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: device | str | int | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Returns ``steps`` values evenly spaced from ``start`` to ``end``, both included.

    With an integer ``dtype``, the ends are cut to integers first and the values after.

    >>> torch.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    check_layout("linspace", layout)
    first, last, dtype = _ends("linspace", start, end, dtype, out)
    _refuse_eight_bits("linspace", dtype)
    B, place = place_for(device)
    array = B.linspace(first, last, _count(steps), numpy_dtype(dtype), place.index)
    result = finished(array, requires_grad, "linspace")
    new = result if out is None else write_result("linspace", out, result)
    return pinned(new) if pin_memory else new


def logspace(
    start: Number | Tensor,
    end: Number | Tensor,
    steps: int,
    base: float = 10.0,
    *,
    out: Tensor | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: device | str | int | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Returns ``steps`` powers of ``base``, their exponents evenly spaced.

    With an integer ``dtype``, the ends are cut to integers first, unless there is one step.

    >>> torch.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    check_layout("logspace", layout)
    first, last, dtype = _ends("logspace", start, end, dtype, out)
    _refuse_eight_bits("logspace", dtype)
    if _count(steps) == 1:  # then PyTorch cuts no end
        first, last, _ = _ends("logspace", start, end, _widest(dtype), None)
    B, place = place_for(device)
    wide = B.complex_double if dtype.is_complex else B.double
    exponents = B.linspace(first, last, _count(steps), wide, place.index)
    powers = B.pow(B.full((), base, wide, place.index), exponents)
    result = finished(B.cast(B.asarray(powers), numpy_dtype(dtype)), requires_grad, "logspace")
    new = result if out is None else write_result("logspace", out, result)
    return pinned(new) if pin_memory else new


def eye(
    n: int,
    m: int | None = None,
    *,
    out: Tensor | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: device | str | int | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Returns a matrix with ones on its diagonal and zeros elsewhere.

    >>> torch.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    check_layout("eye", layout)
    m = n if m is None else m
    for name, value in (("n", n), ("m", m)):
        if value < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {value}")
    B, place = place_for(device)
    native = numpy_dtype(dtype or _dtypes.get_default_dtype())
    result = finished(B.eye(n, m, native, place.index), requires_grad, "eye")
    new = result if out is None else write_result("eye", out, result)
    return pinned(new) if pin_memory else new


def _refuse_eight_bits(name: str, dtype: dtype) -> None:
    if dtype in _dtypes.EIGHT_BITS:
        kind = _dtypes.scalar_type_name(dtype)
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{kind}'")
