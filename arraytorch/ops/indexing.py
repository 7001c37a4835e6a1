"""Indexing and assignment in every form that NumPy and PyTorch have."""

from __future__ import annotations

from typing import Any

from ..autograd.modes import grad_enabled
from ..autograd.tape import (
    Node,
    Port,
    Rules,
    TensorBase,
    final,
    forbid_leaf,
    rebase,
    record,
    taped,
    taped_view,
    wrap,
)
from ..backends import LARGE, backend_of, dtype_of
from ..backends.host import integers, ndarray
from ._declare import cast, derivative, renamed
from ._fitting import fitting
from ._promote import dim_of, integer, is_number
from ._results import check_tensor
from ._write import _Overwrite, forbid_overlap, stamp
from .creation import tensor

Tensor = Any
_BASIC = (int, slice, type(None), type(Ellipsis))
_PLAIN = frozenset(_BASIC)


def getitem(input: Tensor, index: Any) -> Tensor:
    """Returns ``input[index]``: a view for ints, slices (negative steps too), None and Ellipsis;
    a copy where a tensor, list or mask picks elements.

    Raises IndexError where an index is out of range or there are too many.

    >>> x = torch.arange(6).reshape(2, 3)
    >>> x[1, ::-1], x[x > 3]
    (tensor([5, 4, 3]), tensor([4, 5]))
    """
    x = input._data
    c = index.__class__
    if c is int:
        at = (index, ...)
        try:
            saved = () if input._node is None else (at, x.shape)
            return taped_view(_selected, x[at], input, (at,), saved)
        except (IndexError, TypeError) as error:
            raise _bad_index(error, x, index) from None
    if c is final.Tensor and x.__class__ is index._data.__class__ is ndarray and x.ndim:
        i = index._data
        if i.dtype.char == "l" and i.ndim:  # one vector of indices, which needs no parsing
            try:
                B = backend_of(x)
                z = B.settled(B.getitem(x, (i,)))
                return taped(_advanced, z, (input,), (held((i,), input), x.shape))
            except IndexError as error:
                raise _bad_index(error, x, index) from None
    parts = index if c is tuple else (index,)
    advanced = False
    for part in parts:
        if part.__class__ not in _PLAIN:
            parts, advanced = _parsed(index, x)
            break
    try:
        if advanced:
            B = backend_of(x)
            if int in map(type, parts):
                basic, parts = _ints_first(parts)
                return getitem(getitem(input, basic), parts[0] if len(parts) == 1 else parts)
            z = B.settled(B.getitem(x, in_bounds(parts, x)))
            return taped(_advanced, z, (input,), (held(parts, input), x.shape))
        whole = parts if Ellipsis in parts else (*parts, ...)
        op = _selected if parts and parts[-1].__class__ is int else _last_view(parts)
        saved = () if input._node is None else (whole, x.shape)
        return taped_view(op, x[whole], input, (whole,), saved)
    except (IndexError, TypeError, ValueError) as error:
        raise _bad_index(error, x, index) from None


def _ints_first(parts: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """An index as a basic one and one without ints, to be applied to the view that the first gives.

    NumPy counts an int among arrays as an array; in PyTorch it takes its slice first.
    """
    basic: list[Any] = []
    rest: list[Any] = []
    for part in parts:
        if part.__class__ is int:
            basic.append(part)
        elif hasattr(part, "dtype"):
            basic += [slice(None)] * (part.ndim if part.dtype.kind == "b" else 1)
            rest.append(wrap(part))
        elif isinstance(part, bool):
            rest.append(part)
        else:
            basic.append(part)
            rest.append(part if part is Ellipsis else slice(None))
    return tuple(basic), tuple(rest)


@derivative(
    saves=("index", "shape"),
    name="SliceBackward0",
    d_input=lambda B, g, index, shape: B.unindex(g, index, shape),
)
def _basic(input: Tensor, index: tuple[Any, ...]) -> Tensor:
    x = input._data
    return taped_view(_basic, x[index], input, (index,), (index, x.shape))


_selected, _inserted = renamed(_basic, "SelectBackward0"), renamed(_basic, "UnsqueezeBackward0")
_aliased = renamed(_basic, "AliasBackward0")
_LAST = {int: _selected, type(None): _inserted, slice: _basic}


def _last_view(parts: tuple[Any, ...]) -> Any:
    """The last of the views that PyTorch takes for an index, which names the node."""
    for part in reversed(parts):
        if part is not Ellipsis and (part != slice(None) or len(parts) == 1):
            return _LAST.get(part.__class__, _basic)
    return _aliased


@derivative(
    saves=("index", "shape"),
    name="IndexBackward0",
    kernel="getitem",
    d_input=lambda B, g, index, shape: B.unindex(g, index, shape),
)
def _advanced(input: Tensor, index: tuple[Any, ...]) -> Tensor:
    x = input._data
    B = backend_of(x)
    z = B.settled(B.getitem(x, index))
    return taped(_advanced, z, (input,), (held(index, input), x.shape))


def held(index: tuple[Any, ...], *inputs: Any) -> tuple[Any, ...]:
    """An index as a gradient needs it: copied, for the user may write to an index tensor meanwhile."""
    for i in inputs:
        if i is not None and i._node is not None and grad_enabled.get():
            break
    else:
        return index
    return tuple([backend_of(p).copy(p) if hasattr(p, "dtype") else p for p in index])


@derivative(saves=("index",), d_input=lambda B, g, index: B.getitem(g, index))
def unindex(input: Tensor, index: tuple[Any, ...], shape: tuple[int, ...]) -> Tensor:
    """Returns zeros of ``shape`` with ``input`` added at ``index``: the derivative of indexing."""
    x = input._data
    z = backend_of(x).unindex(x, index, shape)
    return taped(unindex, z, (input,), (held(index, input),))


def _parsed(index: Any, x: Any) -> tuple[tuple[Any, ...], bool]:
    """The index as a tuple of ints, slices, None, Ellipsis and arrays; whether arrays are among them."""
    if (
        index.__class__ is list
        and not _is_sequence_of_numbers(index)
        and any(isinstance(i, (slice, type(None), type(Ellipsis), TensorBase)) for i in index)
    ):
        index = tuple(index)  # an old spelling: x[[slice(2), 0]]
    parts = []
    advanced = dotted = False
    for part in index if isinstance(index, tuple) else (index,):
        if isinstance(part, TensorBase):
            part = _index_array(part)
        elif isinstance(part, bool):
            advanced = True
        elif isinstance(part, (list, tuple, ndarray, range)):
            part = _index_array(_listed(part, x))
        elif part.__class__ not in _BASIC:
            part = _as_int(part)
        elif part is Ellipsis:
            dotted = True
        advanced |= hasattr(part, "dtype")
        parts.append(part)
    if advanced and dotted and _consumed(parts) == x.ndim:
        # NumPy takes an ellipsis that stands for nothing for a gap between arrays.
        parts = [p for p in parts if p is not Ellipsis]
    return tuple(parts), advanced


def _consumed(parts: Any) -> int:
    """How many dimensions an index speaks of, without those of an ellipsis."""
    return sum(
        p.ndim if hasattr(p, "dtype") and p.dtype.kind == "b" else 1
        for p in parts
        if p is not None and p is not Ellipsis and not isinstance(p, bool)
    )


def _is_sequence_of_numbers(index: list[Any]) -> bool:
    return all(is_number(i) for i in index)


def _listed(part: Any, x: Any) -> Tensor:
    if part.__class__ is list and part and x.__class__ is ndarray and {*map(type, part)} == {int}:
        try:
            return wrap(integers(part))
        except OverflowError:
            raise ValueError("Overflow when unpacking long long") from None
    part = list(part) if isinstance(part, range) else part
    made = tensor(part) if len(part) else tensor(part).long()
    return made if backend_of(x).device_type == "cpu" else made.to(backend_of(x).device_of(x))


def _as_int(part: Any) -> Any:
    if isinstance(part, slice):
        return part
    try:
        return part.__index__()
    except (AttributeError, TypeError):
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are "
            f"valid indices (got {type(part).__name__})"
        ) from None


def _index_array(part: Tensor) -> Any:
    a = part._data
    if a.dtype.kind == "b":
        return a
    if a.dtype.kind not in "iu":
        raise IndexError(
            f"tensors used as indices must be long, int, byte or bool tensors, not {dtype_of(a)!r}"
        )
    if a.dtype.kind == "u" and a.dtype.itemsize == 1:
        return a != 0  # an old spelling of a mask
    return a if a.ndim else int(a)


def in_bounds(parts: tuple[Any, ...], x: Any) -> tuple[Any, ...]:
    """Returns the parts of an index of x; IndexError for one out of range, if the backend raises none.

    Arrays of the host check bounds themselves; elsewhere such an index may clip or wrap.
    """
    B = backend_of(x)
    if B.checks_bounds:
        return parts
    at = 0
    consumed = _consumed(parts)
    for part in parts:
        if part is Ellipsis:
            at += x.ndim - consumed
        elif hasattr(part, "dtype"):
            if part.dtype.kind == "b":
                at += part.ndim
                continue
            n = x.shape[at]
            if part.size and (bad := B.first_outside(part, -n, n, "index")) is not None:
                raise IndexError(f"index {bad} is out of bounds for dimension {at} with size {n}")
            at += 1
        elif part is not None and not isinstance(part, bool):
            at += 1
    return parts


def _bad_index(error: Exception, x: Any, index: Any) -> Exception:
    """PyTorch's words for what is wrong with an index, with the shapes."""
    shape = list(x.shape)
    text = str(error)
    if not x.ndim and "too many indices" in text:
        return IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or "
            "`tensor.item<T>()` in C++ to convert a 0-dim tensor to a number"
        )
    if "too many indices" in text:
        return IndexError(f"too many indices for tensor of dimension {x.ndim} (shape {shape})")
    if "boolean index did not match" in text:
        return IndexError(
            f"The shape of the mask does not match the indexed tensor {shape}: {text}"
        )
    if "broadcast" in text and isinstance(error, IndexError):
        return IndexError(
            f"shape mismatch: indexing tensors could not be broadcast together: {text}"
        )
    if isinstance(error, IndexError):
        return IndexError(f"{text} (indexing a tensor of shape {shape})")
    if "broadcast" in text or "shape mismatch" in text or "cannot assign" in text:
        return RuntimeError(f"shape mismatch: {text} (assigning into a tensor of shape {shape})")
    return error


def setitem(input: Tensor, index: Any, value: Any) -> None:
    """Writes ``value``, broadcast and cast, into ``input[index]``, in place.

    >>> x = torch.zeros(3)
    >>> x[1:] = torch.tensor([5.0, 6.0]); x
    tensor([0., 5., 6.])
    """
    base = input._base
    if input._node is None and (base is None or base._node is None):
        if _set_plainly(input._data, index, value):
            stamp(input)
            return
    records = grad_enabled.get()
    if records:
        forbid_leaf(input)
    x = input._data
    B = backend_of(x)
    parts, advanced = _parsed(index, x)
    if advanced and int in map(type, parts):
        basic, parts = _ints_first(parts)
        return setitem(getitem(input, basic), parts, value)
    if not advanced and Ellipsis not in parts:
        parts = (*parts, ...)
    if 0 in x.strides:
        forbid_overlap(input if advanced else getitem(input, parts))
    if isinstance(value, TensorBase):
        v = value
        if v._data.dtype is not x.dtype:
            v = cast(v, x.dtype)
        if backend_of(v._data) is not B:
            if v._data.ndim:
                raise RuntimeError(
                    "Expected all tensors to be on the same device, but got a value on "
                    f"{backend_of(v._data).device_of(v._data)} for a tensor on {B.device_of(x)}"
                )
            v = v.to(B.device_of(x))
    elif is_number(value):
        v = wrap(B.full((), fitting(value, x.dtype), x.dtype))
    else:
        v = cast(tensor(value), x.dtype)
    v = _shed(v)
    try:
        B.setitem(x, in_bounds(parts, x) if advanced else parts, v._data)
    except (IndexError, TypeError, ValueError) as error:
        raise _bad_index(error, x, index) from None
    stamp(input)
    if records and (
        v._node is not None
        or input._node is not None
        or (input._base is not None and input._base._node is not None)
    ):
        old, now = wrap(x), wrap(x)
        old._node = input._node
        record(_assigned.rules, now, (old, v), (held(parts, old, v),))
        rebase(input, now._node, _Overwrite.op)


def _set_plainly(x: Any, index: Any, value: Any) -> bool:
    """Whether `setitem` has written to an array of the host what takes no parsing and no conversion.

    A third of its time. Whatever NumPy refuses is left to the rest, which has PyTorch's words for it.
    """
    if x.__class__ is not ndarray or 0 in x.strides:
        return False
    if index.__class__ is final.Tensor:
        index = index._data
        if index.__class__ is not ndarray or index.dtype.char not in "?l" or not index.ndim:
            return False
    elif index.__class__ not in _PLAIN:
        return False
    if value.__class__ is final.Tensor:
        v = value._data
        if v.__class__ is not ndarray or v.dtype is not x.dtype or value._node is not None:
            return False
    elif value.__class__ in (int, float) and x.dtype.char in "fd":
        v = fitting(value, x.dtype)
    else:
        return False
    try:
        x[index] = v
    except (IndexError, TypeError, ValueError):
        return False
    return True


def _shed(v: Tensor) -> Tensor:
    """PyTorch lets a value have leading dimensions of size 1 that its place lacks."""
    shape = v._data.shape
    lead = 0
    while len(shape) - lead > 1 and shape[lead] == 1:
        lead += 1
    return v.reshape(shape[lead:]) if lead else v


@derivative(
    saves=("index",),
    name="IndexPutBackward0",
    d_input=lambda B, g, index: B.assigned(g, 0.0, index),
    d_value=lambda B, g, index: B.getitem(g, index),
    kernel="assigned",
)
def _assigned(input: Tensor, value: Any, index: tuple[Any, ...]) -> Tensor:
    """A copy of ``input`` with ``value`` written at ``index``."""
    x = input._data
    v = value if isinstance(value, TensorBase) else None
    z = backend_of(x).assigned(x, value if v is None else v._data, index)
    return taped(_assigned, z, (input, v), (held(index, input, v),))


@derivative(
    saves=("dim", "at", "shape"),
    d_input=lambda B, g, dim, at, shape: B.unindex(g, (slice(None),) * dim + (at,), shape),
)
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """Returns the slice at one place of a dimension, as a view.

    >>> torch.select(torch.tensor([[1, 2], [3, 4]]), 1, 0)
    tensor([1, 3])
    """
    try:
        x = input._data
    except AttributeError:
        check_tensor("select", input)
        raise
    if not x.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    d, n = dim_of(dim, x.ndim), x.shape[dim]
    if index.__class__ is not int:
        index = integer("select", "index", index)
    if not -n <= index < n:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(x.shape)} at dimension {d}"
        )
    z = x[(slice(None),) * d + (index, ...)]
    return taped_view(select, z, input, (d, index), (d, index, x.shape))


def narrow(input: Tensor, dim: int, start: int | Tensor, length: int) -> Tensor:
    """Returns ``length`` slices of a dimension from ``start`` on, as a view.

    >>> torch.narrow(torch.arange(5), 0, 1, 3)
    tensor([1, 2, 3])
    """
    try:
        x = input._data
    except AttributeError:
        check_tensor("narrow", input)
        raise
    if not x.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    d = dim_of(dim, x.ndim)
    if isinstance(start, TensorBase) and (start._data.ndim or start._data.dtype.kind not in "iu"):
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    n = x.shape[d]
    if start.__class__ is not int or length.__class__ is not int:
        start, length = integer("narrow", "start", start), integer("narrow", "length", length)
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -n <= start <= n:
        raise IndexError(
            f"start out of range (expected to be in range of [{-n}, {n}], but got {start})"
        )
    start += n if start < 0 else 0
    if start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return getitem(input, (slice(None),) * d + (slice(start, start + length),))


def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Returns views of parts of a dimension, each of a size or of the sizes in a list.

    >>> torch.split(torch.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    try:
        x = tensor._data
    except AttributeError:
        check_tensor("split", tensor, names=("tensor",))
        raise
    if not x.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    d = dim_of(dim, x.ndim)
    n = x.shape[d]
    if isinstance(split_size_or_sections, (list, tuple)):
        sizes = [integer("split", "split_sizes", s) for s in split_size_or_sections]
        if sum(sizes) != n or any(s < 0 for s in sizes):
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at "
                f"dimension {d}), but got split_sizes={sizes}"
            )
    else:
        size = integer("split", "split_size", split_size_or_sections)
        if size < 0 or (size == 0 and n):
            raise RuntimeError(
                f"split expects split_size be non-negative, but got split_size={size}"
            )
        sizes = [min(size, n - i) for i in range(0, n, size)] if n else [0]
    by_size = isinstance(split_size_or_sections, (list, tuple))
    return _parts(_split_by_size if by_size else _split, tensor, d, sizes)


def _parts(
    kinds: tuple[Any, Rules], tensor: Tensor, d: int, sizes: list[int]
) -> tuple[Tensor, ...]:
    """Views of parts of a dimension; the gradients of large ones are joined by one node.

    A node for each adds its part to zeros in the shape of the whole, which takes 2 us less of few elements.
    """
    view, all_views = kinds
    x, start, lead, parts = tensor._data, 0, (slice(None),) * d, []
    for size in sizes:
        at = (*lead, slice(start, start + size), ...)
        parts.append(taped_view(view, x[at], tensor, (at,), (at, x.shape)))
        start += size
    if x.size >= LARGE and len(parts) > 1 and parts[0]._node is not None:
        node = Node(all_views, (tensor._node,), (d, sizes, x.shape), x)
        for i, part in enumerate(parts):
            part._node = Port(node, i, part._data)
    return tuple(parts)


def _joined(B: Any, g: list[Any], needs: Any, dim: int, sizes: list[int], shape: Any) -> list[Any]:
    """The gradients one behind the other; where some parts had none, each in its place among zeros."""
    if len(g) == len(sizes) and all(part is not None for part in g):
        return [B.cat(g, dim)]
    total, start, lead = None, 0, (slice(None),) * dim
    for part, size in zip(g, sizes):
        if part is not None:
            placed = B.unindex(part, (*lead, slice(start, start + size), ...), shape)
            total = placed if total is None else total + placed
        start += size
    return [total]


_SAVED = "dim", "sizes", "shape"
_split = renamed(_basic, "SplitBackward0"), Rules("split", (), _SAVED, _joined)
_split_by_size = (
    renamed(_basic, "SplitWithSizesBackward0"), Rules("split_with_sizes", (), _SAVED, _joined)
)  # fmt: skip


def chunk(input: Tensor, chunks: int, dim: int = 0, axis: Any = None) -> tuple[Tensor, ...]:
    """Returns views of at most ``chunks`` equal parts of a dimension, the last perhaps smaller.

    >>> torch.chunk(torch.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    if axis is not None:
        dim = axis
    try:
        x = input._data
    except AttributeError:
        check_tensor("chunk", input)
        raise
    if not x.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    chunks = integer("chunk", "chunks", chunks)
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    n = x.shape[dim_of(dim, x.ndim)]
    size = -(-n // chunks)
    if size == 0:
        return split(input, [0] * chunks, dim)
    return split(input, size, dim)
