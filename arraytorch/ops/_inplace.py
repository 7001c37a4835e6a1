"""In-place forms of ops: the result is written over the first argument.

`inplace` makes them. Those of elementwise ops are hot paths as the ops themselves are, see `_declare`:
what is not the common case leaves to `_replace`, which lets the op compute and writes the result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.modes import autocast_dtypes, grad_enabled
from ..autograd.tape import forbid_leaf, wrap
from ..backends import backend_of, dtype_of, outermost
from ..backends.host import ndarray
from ._declare import UNCOMMON, cast
from ._older import signature_in_place
from ._write import check_cast, forbid_overlap, stamp, write_back


def inplace(op: Any, name: str | None = None, direct: Callable[..., bool] | None = None) -> Any:
    """Returns the in-place form of an op: its result is written over its first argument.

    The tensor takes the place of the result on the tape. The old value is kept only if some
    pullback will read it. ``direct`` may write what nobody records into the array without a copy of
    it; it gets that, the other arguments, and those by name, and tells whether it has.
    """
    name = name or op.__name__ + "_"
    declared = getattr(op, "declared", None)
    if declared is None or declared.result == "bool":
        in_place = _general_inplace(op, name, direct)
    else:
        in_place = (_binary_inplace if len(declared.names) == 2 else _unary_inplace)(op, name)
    if declared is not None and declared.result != "bool":
        code, names = in_place.__code__, tuple(declared.names)
        in_place.__code__ = code.replace(co_varnames=names + code.co_varnames[len(names) :])
    in_place.__name__ = in_place.__qualname__ = name
    in_place.__doc__ = f"In-place form of `{op.__name__}`: the result is written into the tensor."
    in_place.__module__ = op.__module__
    return in_place


def unrecorded(self: Any, *others: Any) -> bool:
    """Whether an in-place op on these has nothing to record."""
    if not grad_enabled.get():
        return True
    base = self._base
    if self._node is not None or (base is not None and base._node is not None):
        return False
    for other in others:  # noqa: SIM110  # all() takes 0.2 us
        if getattr(other, "_node", None) is not None:
            return False
    return True


def _unary_inplace(op: Any, name: str) -> Any:
    kernels, ufuncs, refuses = op.declared.kernels, op.declared.ufuncs, op.declared.refuses

    def op_(self: Any) -> Any:
        try:
            x = self._data
            if (
                0 in x.strides
                or (refuses and x.dtype.kind in refuses)
                or not (self._node is None and self._base is None or unrecorded(self))
            ):
                return _replace(self, op, (), {}, name)
            kernel = ufuncs.get(x.__class__)
            if kernel is not None:
                kernel(x, x)
            elif (z := kernels[x.__class__](x)).dtype is x.dtype:
                x[...] = z
            else:
                return _replace(self, op, (), {}, name)
        except UNCOMMON:
            return _replace(self, op, (), {}, name)
        stamp(self)
        return self

    return op_


def _binary_inplace(op: Any, name: str) -> Any:
    kernels, ufuncs, refuses = op.declared.kernels, op.declared.ufuncs, op.declared.refuses
    # Ops that take no number meet these two classes nowhere, and so leave to the slow path.
    real, whole = (float, int) if op.declared.numbers[1] else (None, None)

    def op_(self: Any, other: Any, *, depth: int = 2) -> Any:
        try:
            x = self._data
            if other.__class__ is real or other.__class__ is whole:
                y, b = other, None
            else:
                y, b = other._data, other._node
            if (
                0 in x.strides
                or (refuses and x.dtype.kind in refuses)
                or (y is not other and y.dtype is not x.dtype)
                or not (
                    self._node is None and self._base is None and b is None
                    or unrecorded(self, other)
                )
            ):  # fmt: skip
                return _replace(self, op, (other,), {}, name)
            kernel = ufuncs.get(x.__class__)
            if kernel is not None:
                kernel(x, y, x)
            elif (z := kernels[x.__class__](x, y)).dtype is x.dtype and z.shape == x.shape:
                x[...] = z
            else:
                return _replace(self, op, (other,), {}, name)
        except UNCOMMON:
            return _replace(self, op, (other,), {}, name)
        stamp(self, depth)
        return self

    return op_


def _general_inplace(op: Any, name: str, direct: Any) -> Any:
    def op_(input: Any, *args: Any, **kwargs: Any) -> Any:
        # What nobody records needs half of what _replace does, and so half of its time.
        try:
            x = input._data
            if (
                x.__class__ is not ndarray
                or input._node is not None
                or input._base is not None
                or 0 in x.strides
                or autocast_dtypes.get()
            ):
                return _replace(input, op, args, kwargs, name)
        except AttributeError:
            return _replace(input, op, args, kwargs, name)
        if direct is not None and direct(x, args, kwargs):
            stamp(input)
            return input
        result = op(input, *args, **kwargs)
        if result._node is not None:
            return _replace(input, op, args, kwargs, name)
        z = result._data
        if z.__class__ is not ndarray or z.dtype is not x.dtype or z.shape != x.shape:
            return _written(input, result, name)
        x[...] = z
        stamp(input)
        return input

    op_.__signature__ = signature_in_place(op)  # type: ignore[attr-defined]
    return op_


def _replace(self: Any, op: Any, args: Any, kwargs: Any, name: str) -> Any:
    old, x = self, self._data
    if 0 in x.strides and name not in ("fill_", "zero_"):  # which write the same number everywhere
        forbid_overlap(self)
    records = not unrecorded(self, *args, *kwargs.values())
    if records:
        forbid_leaf(self)
        old = wrap(backend_of(self._data).copy(self._data))
        old._node = self._node
    if autocast_dtypes.get():
        result = _uncast(op, old, args, kwargs)
    else:
        result = op(old, *args, **kwargs)
    return _written(self, result, name, records)


def _written(self: Any, result: Any, name: str, records: bool = False) -> Any:
    """The tensor with a result written into it, if that has its shape and can have its dtype."""
    x, z = self._data, result._data
    if z.shape != x.shape:
        raise RuntimeError(
            f"output with shape {list(x.shape)} doesn't match the broadcast shape "
            f"{list(z.shape)}: {name}"
        )
    if z.dtype is not x.dtype:
        check_cast(dtype_of(z), dtype_of(x))
        if result._node is not None:
            result = cast(result, x.dtype)
    if records or result._node is not None:
        write_back(self, result)
    else:
        B = backend_of(x) if x.__class__ is z.__class__ else outermost(x, z)
        B.write(x, z)
        stamp(self, 4)
    return self


def _uncast(op: Any, old: Any, args: Any, kwargs: Any) -> Any:
    """The result of an op outside of autocast, which in-place forms do not take part in."""
    token = autocast_dtypes.set({})
    try:
        return op(old, *args, **kwargs)
    finally:
        autocast_dtypes.reset(token)
