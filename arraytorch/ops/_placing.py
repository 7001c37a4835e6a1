"""In-place forms that write where an index says, without a copy of the tensor: for `inplace`.

Each is given the array and the arguments that follow it, and tells whether it has written: arrays of
the host, one dtype, shapes that fit, and indices in bounds. All else is left to the op.
"""

from __future__ import annotations

from typing import Any

from ..autograd.tape import final
from ..backends import BACKENDS, LARGE
from ..backends.host import ndarray, share_memory
from ._fitting import fitting


def scattered(x: Any, args: Any, kwargs: Any) -> bool:
    """``scatter_(0, index, src)`` into a vector, or a number."""
    return x.ndim == 1 and (copied(x, args, kwargs) or filled(x, args, kwargs, 0))


def scatter_added(x: Any, args: Any, kwargs: Any) -> bool:
    """``scatter_add_(0, index, src)`` into a vector."""
    return x.ndim == 1 and added(x, args, kwargs)


def copied(x: Any, args: Any, kwargs: Any) -> bool:
    """``index_copy_(0, index, source)``."""
    at, source = _rows(x, args, kwargs)
    if at is None:
        return False
    x[at] = source
    return True


def added(x: Any, args: Any, kwargs: Any) -> bool:
    """``index_add_(0, index, source)``."""
    at, source = _rows(x, args, kwargs)
    if at is None:
        return False
    BACKENDS[ndarray].add_at(x, (at,), source)
    return True


def filled(x: Any, args: Any, kwargs: Any, least: int | None = None) -> bool:
    """``index_fill_(0, index, number)``."""
    if kwargs or len(args) != 3 or args[0].__class__ is not int or args[0] != 0:
        return False
    if args[2].__class__ not in (int, float) or x.dtype.char not in "fdil" or not x.ndim:
        return False
    at = _places(args[1], x, -x.shape[0] if least is None else least)
    if at is None:
        return False
    x[at] = fitting(args[2], x.dtype)
    return True


def put(x: Any, args: Any, kwargs: Any) -> bool:
    """``index_put_((index,), values, accumulate)``."""
    if len(args) < 2 or args[0].__class__ not in (tuple, list) or len(args[0]) != 1 or not x.ndim:
        return False
    accumulate = args[2:] or tuple(kwargs.values()) or (False,)
    if len(args) + len(kwargs) > 3 or kwargs.keys() - {"accumulate"}:
        return False
    source = _source(args[1], x)
    at = None if source is None else _places(args[0][0], x, -x.shape[0], source)
    if at is None:
        return False
    if accumulate[0]:
        BACKENDS[ndarray].add_at(x, (at,), source)
    else:
        x[at] = source
    return True


def masked(x: Any, args: Any, kwargs: Any) -> bool:
    """``masked_scatter_(mask, source)``."""
    if kwargs or len(args) != 2 or args[0].__class__ is not final.Tensor:
        return False
    mask, source = args[0]._data, _source(args[1], x)
    if mask.__class__ is not ndarray or mask.dtype.char != "?" or mask.shape != x.shape:
        return False
    if source is None or source.size < (n := int(mask.sum())):
        return False
    x[mask] = source.reshape(-1)[:n]
    return True


def _rows(x: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The places of ``(0, index, source)``, None for what is left to the op, and what goes there."""
    if kwargs or len(args) != 3 or args[0].__class__ is not int or args[0] != 0:
        return None, None
    source = _source(args[2], x)
    return (None if source is None else _places(args[1], x, 0, source)), source


def _source(tensor: Any, x: Any) -> Any:
    """The array of what is to be written to x, if it has its dtype, and nobody wants its gradient."""
    if tensor.__class__ is not final.Tensor or tensor._node is not None:
        return None
    s = tensor._data
    if s.__class__ is not ndarray or s.dtype is not x.dtype or s.dtype.char not in "fdil":
        return None
    return s if not share_memory(s, x) else s.copy()  # the first NumPy 2 does not look itself


def _places(index: Any, x: Any, least: int, source: Any = None) -> Any:
    """The array of a vector of indices into the first dimension of x, if ``source`` fits there."""
    if index.__class__ is not final.Tensor or not x.ndim:
        return None
    at = index._data
    if at.__class__ is not ndarray or at.ndim != 1 or at.dtype.char != "l" or at.size >= LARGE:
        return None
    if source is not None and source.shape != at.shape + x.shape[1:]:
        return None
    outside = BACKENDS[ndarray].first_outside(at, least, x.shape[0], "")
    return at if outside is None else None
