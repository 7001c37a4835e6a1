"""Type promotion, device agreement and broadcasting: what happens to arguments before a kernel."""

from __future__ import annotations

import numbers
from functools import lru_cache
from typing import Any

from .. import _dtypes
from .._device import CPU, as_device, device, get_default_device
from .._device import _default as default_device
from .._dtypes import dtype
from ..autograd.tape import TensorBase
from ..backends import backend_for, backend_of, dtype_of, numpy_dtype
from ..backends.host import SCALARS, ndarray

_NUMBERS = (int, float, complex, numbers.Number, *SCALARS)


def is_number(value: Any) -> bool:
    """Whether a value may stand where PyTorch takes a Number: Python's and NumPy's scalars."""
    # To find out that a tensor is none by the abstract class takes 0.3 us.
    return not isinstance(value, TensorBase) and isinstance(value, _NUMBERS)


def plain(value: Any) -> Any:
    """Returns a number as one of Python's own."""
    try:
        return value if type(value) in (bool, int, float, complex) else value.item()
    except AttributeError:
        raise TypeError(f"a Number is expected, not {type(value).__name__}") from None


def number_of(value: Any) -> Any:
    """The element of a 0-d tensor, which PyTorch takes for a number; anything else as it is."""
    return value.item() if isinstance(value, TensorBase) and not value._data.ndim else value  # type: ignore[attr-defined]


def scalar_dtype(value: Any) -> dtype:
    """Returns the dtype that a Python number becomes by itself."""
    value = plain(value)
    if isinstance(value, bool):
        return _dtypes.bool
    if isinstance(value, int):
        return _dtypes.int64
    default = _dtypes.get_default_dtype()
    return default if isinstance(value, float) else default.to_complex()


def result_type(*operands: Any) -> dtype:
    """Returns the dtype of an operation on these tensors and numbers.

    Tensors with dimensions decide; 0-d tensors, and after them numbers, count only if they are
    of a higher category (bool, integer, floating, complex).

    >>> torch.result_type(torch.tensor([1, 2], dtype=torch.int32), 1.0)
    torch.float32
    """
    first = operands[0]
    if alike(operands) or (
        len(operands) == 2
        and operands[1].__class__ in (float, int)
        and isinstance(first, TensorBase)
        and first._data.ndim
        and first._data.dtype.kind == "f"
    ):
        return dtype_of(first._data)
    ranks: list[dtype | None] = [None, None, None]  # tensors with dimensions, 0-d ones, numbers
    for operand in operands:
        if isinstance(operand, TensorBase):
            rank, own = (0 if operand._data.ndim else 1), dtype_of(operand._data)
        else:
            rank, own = 2, scalar_dtype(operand)
        before = ranks[rank]
        ranks[rank] = own if before is None else _dtypes.promote_types(before, own)
    return _combined(ranks[0], _combined(ranks[1], ranks[2]))  # type: ignore[return-value]


def alike(operands: Any) -> bool:
    """Whether all operands are tensors of one dtype, for which most of these questions are moot."""
    found = None
    for operand in operands:
        if not isinstance(operand, TensorBase):
            return False
        kind = operand._data.dtype
        if found is None:
            found = kind
        elif kind is not found:
            return False
    return found is not None


def numpy_result(operands: list[Any]) -> tuple[dtype, Any]:
    """Returns the promoted dtype of tensors and numbers, and its array form."""
    dtype = result_type(*operands)
    return dtype, numpy_dtype(dtype)


def _combined(higher: dtype | None, lower: dtype | None) -> dtype | None:
    if higher is None or lower is None:
        return higher or lower
    if higher.is_complex:
        return higher
    if higher.is_floating_point:
        return higher.to_complex() if lower.is_complex else higher
    if higher is _dtypes.bool or lower.category > _dtypes.INTEGER:
        return _dtypes.promote_types(higher, lower)
    return higher


def common_device(name: str, tensors: list[Any]) -> device | None:
    """Returns the device that the arguments of an op are on; 0-d CPU tensors go to any.

    None is the host, too. Raises RuntimeError if they are on several.
    """
    for t in tensors:
        if t._data.__class__ is not ndarray:
            break
    else:
        return None  # nearly always, and so found out first
    found: device | None = None
    for t in tensors:
        place = backend_of(t._data).device_of(t._data)
        if t._data.ndim == 0 and place.type == "cpu":
            continue
        if found is None:
            found = place
        elif place != found:
            raise RuntimeError(
                "Expected all tensors to be on the same device, but found at least two devices, "
                f"{found} and {place}! (when checking arguments of {name})"
            )
    return found


def moved(tensor: Any, place: device | None) -> Any:
    """Returns a 0-d CPU tensor's copy on the device that the other arguments are on."""
    if place is None or place.type == "cpu":
        return tensor
    B = backend_of(tensor._data)
    if B.device_type == place.type:
        return tensor
    return tensor.to(place)


@lru_cache(4096)
def broadcast_shape(name: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the shape that all shapes broadcast to; raises PyTorch's RuntimeError if none."""
    ndim = max(map(len, shapes), default=0)
    result = [1] * ndim
    for shape in shapes:
        for i, n in enumerate(shape, ndim - len(shape)):
            if n == 1 or n == result[i]:
                continue
            if result[i] != 1:
                a, b = result[i], n
                raise RuntimeError(
                    f"The size of tensor a ({a}) must match the size of tensor b ({b}) at "
                    f"non-singleton dimension {i}: {name}() got shapes "
                    + " and ".join(str(list(s)) for s in shapes)
                )
            result[i] = n
    return tuple(result)


def dim_of(dim: int, ndim: int) -> int:
    """Returns a dimension counted from the front; a 0-d tensor has the dimensions 0 and -1.

    Raises IndexError if it does not exist, TypeError if it is no integer.
    """
    if dim.__class__ is int and -ndim <= dim < ndim:
        return dim if dim >= 0 else dim + ndim
    d, n = index_of(dim, "a dimension"), ndim or 1
    if not -n <= d < n:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {d})"
        )
    return d % n


def index_of(value: Any, what: str) -> int:
    """Returns what may stand for an int as one; TypeError for others, bools among them.

    Python counts bools as integers, but `x.sum(True)` is a ``keepdim`` in the wrong place.
    """
    if value.__class__ is int:
        return value  # type: ignore[no-any-return]
    is_tensor = isinstance(value, TensorBase)
    if not (value._data.dtype.kind == "b" if is_tensor else isinstance(value, bool)):
        try:
            return value.__index__()  # type: ignore[no-any-return]
        except AttributeError:
            pass
    raise TypeError(f"{what} must be int, not {type(value).__name__}")


def integer(name: str, label: str, value: Any) -> int:
    """Returns an argument that has to be an integer, or a tensor of one; raises TypeError for others.

    ``int(value)`` would cut 2.7 silently.
    """
    return index_of(value, f"{name}(): argument '{label}'")


def axis_instead(name: str, axis: Any) -> Any:
    """Returns ``axis``, NumPy's word, where ``dim`` was not given and has no default."""
    if axis is None:
        raise TypeError(f"{name}() missing 1 required positional argument: 'dim'")
    return axis


def dims_of(dim: Any, ndim: int) -> tuple[int, ...]:
    """Returns the dimensions that a reduction runs over, sorted; all of them for None and ()."""
    if dim is None:
        return tuple(range(ndim))
    if isinstance(dim, (tuple, list)):
        # Whether it is a bool PyTorch asks of the first alone; a plus makes numbers of the others.
        dims = [dim_of(+d if i else d, ndim) for i, d in enumerate(dim)]
        if len(set(dims)) != len(dims):
            twice = next(d for d in dims if dims.count(d) > 1)
            raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
        if not dims:
            return tuple(range(ndim))
    else:
        dims = [dim_of(dim, ndim)]
    return tuple(sorted(dims)) if ndim else ()


def shape_of(size: tuple[Any, ...], name: str = "size") -> tuple[int, ...]:
    """Returns the shape that ``f(2, 3)`` or ``f((2, 3))`` asks for, as a tuple of ints."""
    if len(size) == 1 and size[0].__class__ is tuple:
        size = size[0]
    for n in size:
        if n.__class__ is not int:
            break
    else:
        return size
    if (
        len(size) == 1
        and not hasattr(size[0], "__index__")
        or (len(size) == 1 and isinstance(size[0], (tuple, list)))
    ):
        size = tuple(size[0])
    if size and isinstance(size[0], bool):  # of the others PyTorch does not ask
        raise TypeError(f"{name}: a shape is made of ints, but the first element is bool")
    try:
        return tuple([n.__index__() for n in size])
    except AttributeError:
        wrong = next(n for n in size if not hasattr(n, "__index__"))
        raise TypeError(
            f"{name}: a shape is made of ints, but one element is {type(wrong).__name__}"
        ) from None


_HOST = backend_for(CPU), CPU


def place_for(where: Any) -> tuple[Any, device]:
    """Returns the backend and the device that new tensors go to; None asks the default device."""
    if (where is None and default_device.get() is None) or where is CPU:
        return _HOST
    place = get_default_device() if where is None else as_device(where)
    B = backend_for(place)
    if place.index is not None and hasattr(B, "at"):
        B = B.at(place.index)
    return B, place
