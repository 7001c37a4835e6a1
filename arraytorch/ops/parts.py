"""Numbers taken apart: into mantissa and exponent, into bits."""

from __future__ import annotations

from math import prod
from typing import Any

from .. import _dtypes
from ..autograd.tape import taped, wrap
from ..backends import backend_of, numpy_dtype
from . import _return_types as return_types
from ._declare import derivative
from ._results import check_tensor, finished, unsupported
from .reduction import over

Tensor = Any


@derivative(
    saves=("exponent",),
    name="FrexpBackward0",
    d_input=lambda B, g, exponent: B.ldexp_by(g, -exponent),
)
def _mantissa(input: Tensor, mantissa: Any, exponent: Any) -> Tensor:
    return taped(_mantissa, mantissa, (input,), (exponent,))


@derivative(
    saves=("exponent",),
    kernel="ldexp_by",
    d_input=lambda B, g, exponent: B.ldexp_by(g, exponent),
)
def _ldexp_by(input: Tensor, exponent: Any) -> Tensor:
    """input * 2 ** exponent, for an array of integers."""
    x = input._data
    return taped(_ldexp_by, backend_of(x).ldexp_by(x, exponent), (input,), (exponent,))


def frexp(input: Tensor, *, out: Any = None) -> Any:
    """Returns mantissas from 0.5 to 1 (without 1) and the integers with ``input = mantissa * 2^exponent``.

    Raises RuntimeError for integers. The exponents are int32; of infinities and NaN they are 0.

    >>> torch.frexp(torch.tensor([3.0])).mantissa
    tensor([0.7500])
    """
    check_tensor("frexp", input)
    x = input._data
    if x.dtype.kind in "biuc":
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    B = backend_of(x)
    mantissa, exponent = B.frexp(x)
    exponent = wrap(B.cast(B.asarray(exponent), numpy_dtype(_dtypes.int32)))
    first = _mantissa(input, B.asarray(mantissa), exponent._data)
    return finished("frexp", return_types.frexp((first, exponent)), out, (input,))


def hash_tensor(
    input: Tensor, dim: Any = (), *, keepdim: bool = False, mode: int = 0, out: Any = None
) -> Tensor:
    """Returns the exclusive or of the elements' bits, over everything or over ``dim``, as uint64.

    Floating-point numbers count as doubles, integers as 64 bits. ``mode`` 0 is the only one.

    >>> torch.hash_tensor(torch.tensor([3, 5]))
    tensor(6, dtype=torch.uint64)
    """
    check_tensor("hash_tensor", input)
    if mode != 0:
        raise RuntimeError(f"Unknown hash_tensor mode: {mode}")
    x = input._data
    if x.dtype.kind == "c":
        raise unsupported("xor_sum", input)
    dims, kept = over(x.shape, dim)
    if not x.size and (dim is None or dim == ()):
        raise RuntimeError(
            "hash_tensor: Expected reduction dim to be specified for input.numel() == 0. Specify "
            "the reduction dim with the 'dim' argument."
        )
    B = backend_of(x)
    rest = tuple([d for d in range(x.ndim) if d not in dims])
    shape = tuple([x.shape[d] for d in rest])
    count = prod([x.shape[d] for d in dims])
    rows = B.reshape(B.permute(x, (*rest, *dims)), (prod(shape), count))
    result = B.reshape(B.xor_of_rows(rows), kept if keepdim else shape)
    return finished("hash_tensor", wrap(result), out)
