"""What ends an op: ``out=``, refused dtypes, and looks at arrays and tensors alike."""

from __future__ import annotations

from typing import Any

from .. import _dtypes
from .._dtypes import scalar_type_name
from ..autograd.modes import grad_enabled
from ..autograd.tape import TensorBase, record, wrap
from ..backends import BACKENDS, dtype_of, numpy_dtype, outermost
from ._declare import cast
from ._fitting import fitting
from ._promote import alike, common_device, is_number, moved, numpy_result
from ._write import write_result, write_results

Tensor = Any


def finished(name: str, result: Any, out: Any, inputs: Any = ()) -> Any:
    """Returns a result, or several, written into ``out`` if that was given."""
    if out is None:
        return result
    if isinstance(result, tuple):
        for o, r in zip(out, result, strict=False):
            if isinstance(o, TensorBase) and o._data.dtype is not r._data.dtype:
                raise RuntimeError(
                    f"Expected out tensor to have dtype {dtype_of(r._data)!r}, but got "
                    f"{dtype_of(o._data)!r} instead: {name}"
                )
        written = write_results(name, out, result, inputs)
        return written if type(result) is tuple else type(result)(written)
    return write_result(name, out, result, inputs)


def taped_alike(op: Any, z: Any, input: Tensor, saved: tuple[Any, ...]) -> Tensor:
    """`taped` for one input whose dtype the result shall have, at two thirds of the calls."""
    x = input._data
    if z.__class__ is not x.__class__ or z.dtype is not x.dtype:
        B = BACKENDS[x.__class__]
        z = B.cast(B.asarray(z), x.dtype)
    out = wrap(z)
    if input._node is not None and grad_enabled.get():
        record(op.rules, out, (input,), saved)
    return out


def refuse(name: str, input: Tensor, kinds: str) -> None:
    """Raises NotImplementedError, in PyTorch's words, for dtypes of these kinds (of b, i, u, f, c)."""
    if not isinstance(input, TensorBase):
        check_tensor(name, input)
    if input._data.dtype.kind in kinds:
        raise unsupported(name, input)


def refuse_kernel(kernel: str, input: Tensor, kinds: str) -> None:
    """`refuse` where PyTorch's message has a name of its own for the kernel."""
    if not isinstance(input, TensorBase):
        check_tensor(kernel, input)
    if input._data.dtype.kind in kinds:
        kind = scalar_type_name(dtype_of(input._data))
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind}'")


def refuse_eight_bits(name: str, input: Tensor) -> None:
    """Raises NotImplementedError for float8, which PyTorch moves by few operations only."""
    if input._data.dtype.kind == "V" and dtype_of(input._data) in _dtypes.EIGHT_BITS:
        raise unsupported(name, input)


def unsupported(name: str, input: Tensor) -> NotImplementedError:
    """Returns the error for a dtype that an op does not take."""
    kind = scalar_type_name(dtype_of(input._data))
    return NotImplementedError(f"\"{name}_cpu\" not implemented for '{kind}'")


def check_tensor(name: str, *inputs: Any, names: tuple[str, ...] = ("input", "other")) -> None:
    """Raises TypeError unless all inputs are tensors."""
    for value in inputs:
        if not isinstance(value, TensorBase):
            position = next(i for i, v in enumerate(inputs) if v is value)
            raise TypeError(
                f"{name}(): argument '{names[min(position, len(names) - 1)]}' (position "
                f"{position + 1}) must be Tensor, not {type(value).__name__}"
            )


def as_array(B: Any, z: Any, like: Any) -> Any:
    """The result of a kernel as an array in C order: NumPy turns 0-d results into scalars."""
    if z.__class__ is not like.__class__:
        return B.asarray(z)
    return z if z.ndim < 2 else B.settled(z)


def native(x: Any) -> Any:
    """The element type of an array or a tensor, as the array libraries know it."""
    return getattr(x, "_data", x).dtype


def floating(input: Tensor) -> Tensor:
    """The tensor itself, or if it holds integers or bools, its elements in the default dtype."""
    if input._data.dtype.kind in "biu":
        return cast(input, numpy_dtype(_dtypes.get_default_dtype()))
    return input


def is_half(input: Tensor) -> bool:
    """Whether the elements are 16-bit floating-point numbers."""
    d = input._data.dtype
    return d.itemsize == 2 and d.kind not in "iu"


def rounded_once(op: Any, *args: Any, out: Tensor | None = None, **kwargs: Any) -> Tensor:
    """The result of an op for 16-bit floats, computed in float32: a composite would round each step."""
    single = numpy_dtype(_dtypes.float32)
    wide = [cast(a, single) if isinstance(a, TensorBase) and is_half(a) else a for a in args]
    result = cast(op(*wide, **kwargs), args[0]._data.dtype)
    return finished(op.__name__, result, out, args)


def promoted(name: str, *operands: Any) -> tuple[Tensor, ...]:
    """The operands as tensors of their common dtype and device; at least one must be a tensor."""
    if alike(operands) and common_device(name, list(operands)) is None:
        return operands
    tensors = [t for t in operands if isinstance(t, TensorBase)]
    for position, o in enumerate(operands):
        if not isinstance(o, TensorBase) and not is_number(o):
            raise TypeError(
                f"{name}(): argument {position + 1} must be Tensor or Number, not {type(o).__name__}"
            )
    place = common_device(name, tensors)
    _, dtype = numpy_result(list(operands))
    B = outermost(*[t._data for t in tensors])
    made = []
    for o in operands:
        if not isinstance(o, TensorBase):
            made.append(wrap(B.full((), fitting(o, dtype), dtype)))
        else:
            o = moved(o, place)
            made.append(o if o._data.dtype is dtype else cast(o, dtype))
    return tuple(made)


def dtype_to_reduce_in(dtype: _dtypes.dtype | None, out: Any) -> _dtypes.dtype | None:
    """The dtype that was asked for, which is that of ``out`` where there is one.

    Raises RuntimeError if the two differ.
    """
    if not isinstance(out, TensorBase):
        return dtype
    have = dtype_of(out._data)
    if dtype is not None and have is not (wanted := _dtypes.PYTHON.get(dtype, dtype)):
        raise RuntimeError(
            f"Expected out tensor to have dtype {_dtypes.scalar_type_name(wanted)}, but got "
            f"{_dtypes.scalar_type_name(have)} instead"
        )
    return have


def same_dtype(name: str, *tensors: Tensor) -> None:
    """Raises RuntimeError unless all tensors have one dtype and are on one device."""
    common_device(name, list(tensors))
    first = tensors[0]._data.dtype
    for t in tensors[1:]:
        if t._data.dtype is not first:
            raise RuntimeError(
                f"{name}(): expected tensors of one dtype, but got {dtype_of(tensors[0]._data)!r} "
                f"and {dtype_of(t._data)!r}"
            )
