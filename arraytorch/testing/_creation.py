"""Tensors of random numbers for tests."""

from __future__ import annotations

import math
import warnings
from typing import Any

from .. import _dtypes
from .._dtypes import dtype as Dtype
from .._tensor import Tensor
from .._type_info import finfo, iinfo
from ..ops import empty, randint, view_as_real

_OFTEN_INTEGERS = (-9, 10)


def make_tensor(
    *shape: Any,
    dtype: Dtype,
    device: Any,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Returns a tensor of numbers that are uniform from ``low`` to below ``high``.

    By default these are -9 and 9, of integers -9 and 10, of unsigned ones 0 and 10, of bools 0 and 2;
    they move inwards to what the dtype has. ``noncontiguous`` leaves gaps in memory, ``exclude_zero``
    puts 1, or the smallest normal number, in place of 0.

    >>> _ = torch.manual_seed(0)
    >>> torch.testing.make_tensor(2, 3, dtype=torch.int64, device="cpu")
    tensor([[ 6, -5, -9],
            [-9,  2, -2]])
    """
    if len(shape) == 1 and not hasattr(shape[0], "__index__"):
        shape = tuple(shape[0])
    whole = not (dtype.is_floating_point or dtype.is_complex)
    if requires_grad and whole:
        raise ValueError(
            "`requires_grad=True` is not supported for boolean and integral dtypes, but got "
            f"dtype={dtype}"
        )
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got "
            f"noncontiguous={noncontiguous} and memory_format={memory_format}"
        )
    gaps = noncontiguous and math.prod(shape) > 1 and bool(shape)
    wanted = (*shape[:-1], 2 * shape[-1]) if gaps else tuple(shape)
    ends = _ends(dtype, low, high, whole)
    result = (
        _integers(wanted, dtype, device, ends) if whole else _reals(wanted, dtype, device, ends)
    )
    if gaps:
        result = result[..., 1::2]
    elif memory_format is not None:
        result = result.clone(memory_format=memory_format)
    if exclude_zero:
        result[result == 0] = 1 if whole else finfo(dtype).tiny
    return result.requires_grad_() if requires_grad else result


def _ends(dtype: Dtype, low: Any, high: Any, whole: bool) -> tuple[Any, Any]:
    """The bounds, within what the dtype has. Raises ValueError if nothing is between them."""
    if dtype is _dtypes.bool:
        first: float = 0
        last: float = 2
        usual = (0, 2)
    elif whole:
        info = iinfo(dtype)
        first, last = info.min, info.max + 1
        usual = (0, 10) if not dtype.is_signed else _OFTEN_INTEGERS
    else:
        real = finfo(dtype)
        first, last, usual = real.min, real.max, (-9, 9)
    low, high = usual[0] if low is None else low, usual[1] if high is None else high
    if low != low or high != high:
        raise ValueError(f"`low` and `high` cannot be NaN, but got {low=} and {high=}")
    if low == high and not whole:
        warnings.warn(
            "Passing `low==high` to `torch.testing.make_tensor` for floating or complex types is "
            "deprecated since 2.1 and will be removed in 2.3. Use `torch.full(...)` instead.",
            FutureWarning,
            stacklevel=3,
        )
    elif low >= high:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    if high < first or low >= last:
        raise ValueError(
            f"The value interval specified by `low` and `high` is [{low}, {high}), but {dtype} "
            f"only supports [{first}, {last})"
        )
    low, high = max(low, first), min(high, last)
    return (math.ceil(low), math.ceil(high)) if whole else (low, high)


def _integers(shape: Any, dtype: Dtype, device: Any, ends: tuple[int, int]) -> Tensor:
    low, high = ends
    if high > iinfo(_dtypes.int64).max or dtype in _UNSIGNED:
        high = min(high, iinfo(_dtypes.int64).max)
        return randint(low, high, shape, device=device, dtype=_dtypes.int64).to(dtype)
    return randint(low, high, shape, device=device, dtype=dtype)


_UNSIGNED = (_dtypes.uint16, _dtypes.uint32, _dtypes.uint64)
_DRAWN = (_dtypes.float16, _dtypes.bfloat16, _dtypes.float32, _dtypes.float64)


def _reals(shape: Any, dtype: Dtype, device: Any, ends: tuple[float, float]) -> Tensor:
    drawn = dtype if dtype in _DRAWN or dtype.is_complex else _dtypes.float32  # not float8
    result = empty(shape, dtype=drawn, device=device)
    low, high = ends
    parts = view_as_real(result) if dtype.is_complex else result
    if high - low > finfo(parts.dtype).max:  # which `uniform_` refuses
        parts.uniform_(low / 2, high / 2).mul_(2)
    else:
        parts.uniform_(low, high)
    return result if drawn is dtype else result.to(dtype)
