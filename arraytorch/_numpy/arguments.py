"""NumPy's arguments as arraytorch's: arrays as tensors, its dtypes, axes, masks and ``out``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .._dtypes import dtype as Dtype
from ..autograd.modes import grad_enabled
from ..autograd.tape import TensorBase
from ..backends import host
from ..ops import conversion, creation, joining
from ..ops._promote import dim_of, dims_of, is_number, result_type

F = TypeVar("F", bound=Callable[..., Any])
Tensor = Any

# What serves NumPy's functions, by module and name, as in "numpy.linalg.norm".
FUNCTIONS: dict[str, Callable[..., Any]] = {}


def counterpart(*names: str, of: str = "numpy") -> Callable[[F], F]:
    """Enters a function as the one that serves NumPy's of its own name, or of the names given."""

    def enter(function: F) -> F:
        for name in names or (function.__name__,):
            FUNCTIONS[f"{of}.{name}"] = function
        return function

    return enter


class Foreign(TypeError):
    """An argument is nothing that a tensor can hold, such as None or a string."""


def tensor(x: Any) -> Tensor:
    """Returns an argument that NumPy would take for an array as a tensor, with its history.

    Raises Foreign for what no tensor can hold.
    """
    if isinstance(x, TensorBase):
        return x
    if isinstance(x, (list, tuple)) and any_tensor(x):
        return joining.stack([tensor(y) for y in x])
    try:
        if isinstance(x, host.ndarray):
            return creation.from_numpy(host.as_native(x))
        return creation.as_tensor(x)
    except (TypeError, ValueError, RuntimeError) as error:
        raise Foreign(str(error)) from error


def tensors(xs: Any) -> list[Tensor]:
    """Returns a sequence of arguments as tensors; one tensor counts as its slices.

    Lists of numbers take the dtype that they are met with, as numbers do, and lose no digits.
    """
    xs = list(xs)
    typed_ = [x if isinstance(x, TensorBase) else tensor(x) for x in xs if hasattr(x, "dtype")]
    shared = result_type(*typed_) if typed_ else None
    return [x if isinstance(x, TensorBase) else _listed(x, shared) for x in xs]


def _listed(x: Any, shared: Any) -> Tensor:
    found = tensor(x)
    plain = not hasattr(x, "dtype") and not any_tensor(x)
    if plain and shared is not None and found.is_floating_point() and shared.is_floating_point:
        return creation.as_tensor(x, dtype=shared)
    return found


def like(x: Any, model: Tensor) -> Tensor:
    """Returns an argument as a tensor of a floating-point tensor's dtype, to all its digits."""
    return tensors((x, model))[0].to(model.dtype)


def operands(*xs: Any) -> list[Tensor]:
    """Returns the arguments of an elementwise function; a number takes the dtype it is met with."""
    found = [x if is_number(x) else None for x in xs]
    made = iter(tensors(x for x in xs if not is_number(x)))
    found = [next(made) if x is None else x for x in found]
    if not any(isinstance(x, TensorBase) for x in found):
        return [tensor(x) for x in found]
    shared = result_type(*found)
    return [x if isinstance(x, TensorBase) else creation.full((), x, dtype=shared) for x in found]


def any_tensor(x: Any) -> bool:
    """Returns whether there is a tensor in nested lists and tuples."""
    if isinstance(x, (list, tuple)):
        return any(any_tensor(y) for y in x)
    return isinstance(x, TensorBase)


def dtype_like(dtype: Any) -> Dtype | None:
    """Returns the dtype that is meant by one of arraytorch's, of NumPy's, or a name."""
    if dtype is None or isinstance(dtype, Dtype):
        return dtype
    return host.element_type(dtype)


def typed(x: Any, dtype: Any) -> Tensor:
    """Returns an argument as a tensor of a dtype, its own for None."""
    wanted = dtype_like(dtype)
    return tensor(x) if wanted is None else conversion.to(tensor(x), wanted)


def floating(x: Any, dtype: Any = None) -> Tensor:
    """Returns an argument as a tensor of numbers that are no integers, in the default dtype."""
    x = typed(x, dtype)
    return x.to(creation.empty(0).dtype) if x._data.dtype.kind in "biu" else x


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """Returns the axes that a reduction runs over; none for (), unlike arraytorch's."""
    return () if isinstance(axis, (tuple, list)) and not axis else dims_of(axis, ndim)


def merged(x: Tensor, axis: Any) -> tuple[Tensor, Any]:
    """Returns a tensor whose last dimension is all that ``axis`` names, and the shape with 1s there."""
    if x.ndim == 1:
        axes_of(axis, 1)
        return (x, (1,)) if axis != () else (x.unsqueeze(-1), x.shape)
    axes = axes_of(axis, x.ndim)
    rest = [i for i in range(x.ndim) if i not in axes]
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    lead, last = [x.shape[i] for i in rest], 1
    for i in axes:
        last *= x.shape[i]
    return x.permute(*rest, *axes).reshape(*lead, last), kept


def axis_of(axis: Any, ndim: int) -> int:
    """Returns one axis, counted from the front."""
    return dim_of(axis, ndim)


def masked(x: Tensor, where: Any, fill: Any) -> Tensor:
    """Returns a tensor with ``fill`` where the mask is False; itself for the mask True."""
    return x if where is True else x.masked_fill(tensor(where).logical_not(), fill)


def written(result: Tensor, out: Any, casting: str = "same_kind", name: str = "out") -> Any:
    """Returns a result, or writes it into ``out``, with its history, and returns that.

    Raises ValueError for another shape, and TypeError if the dtype does not fit, or if ``out``
    is an array, which cannot take a gradient.
    """
    if isinstance(out, tuple):
        (out,) = out
    if out is None:
        return result
    check_castable(name, result, out, casting)
    if tuple(out.shape) != tuple(result.shape):
        raise ValueError(
            f"{name}: an output of shape {tuple(out.shape)} does not fit a result of shape "
            f"{tuple(result.shape)}"
        )
    if isinstance(out, TensorBase):
        return out.copy_(result)  # type: ignore[attr-defined]
    if grad_enabled.get() and result.requires_grad:
        raise TypeError(
            f"{name}(): an array as out= would lose the gradient: give a tensor, or detach() "
            "the arguments"
        )
    host.write(out, result.numpy())
    return out


def check_castable(name: str, source: Any, target: Any, casting: str) -> None:
    """Raises TypeError, in NumPy's words, unless its rule lets a dtype become another."""
    one, other = native(source), native(target)
    if not host.castable(one, other, casting):
        raise TypeError(
            f"Cannot cast {name} from {one!r} to {other!r} with casting rule '{casting}'"
        )


def native(x: Any) -> Any:
    """Returns NumPy's dtype of a tensor or an array."""
    return getattr(x, "_data", x).dtype
