"""Reading and writing along one dimension at places that an index tensor names."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..autograd.tape import TensorBase, taped, wrap
from ..backends import BACKENDS, backend_of, dtype_of
from ..backends.host import ndarray
from ._declare import derivative, renamed
from ._fitting import fitting
from ._promote import common_device, dim_of, is_number
from ._results import as_array, check_tensor, finished, native, same_dtype
from .shape import reshape

Tensor = Any
Number = int | float | complex | bool


def check_index(
    name: str, index: Tensor, size: int, least: int = 0, error: type[Exception] = IndexError
) -> None:
    """Raises ``error`` unless ``index`` holds integers from ``least`` to ``size`` - 1."""
    if not isinstance(index, TensorBase):
        check_tensor(name, index, names=("index",))
    x = index._data
    if x.dtype.char != "l" and x.size and (x.dtype.kind != "i" or x.dtype.itemsize < 4):
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index, got {dtype_of(x)!r}")
    wrong = backend_of(x).first_outside(x, least, size, name)
    if wrong is not None:
        raise _out_of_bounds(name, wrong, size, error)


def _out_of_bounds(name: str, index: int, size: int, error: type[Exception]) -> Exception:
    return error(f"{name}(): index {index} is out of bounds for a dimension of size {size}")


def _checked(
    name: str, input: Tensor, dim: int, index: Tensor, src: Any = None
) -> tuple[int, tuple[int, ...]]:
    """Checks the arguments of gather and its kin; returns the dimension and index's shape."""
    if (d := _plainly(name, input, dim, index, src)) is not None:
        return d, index._data.shape
    check_tensor(name, input)
    check_tensor(name, index, names=("index",))
    shape, places = input._data.shape or (1,), index._data.shape or (1,)
    d = dim_of(dim, len(shape))
    if 0 not in places:
        if len(shape) != len(places):
            raise RuntimeError(
                "Index tensor must have the same number of dimensions as input tensor: "
                f"{name}() got {list(places)} and {list(shape)}"
            )
        if places != shape and _exceeds(places, shape, d):
            raise RuntimeError(
                f"Size does not match at some dimension other than {d}: {name}() expected index "
                f"{list(places)} to be no larger than self {list(shape)} there"
            )
    common_device(name, [input, index])
    if src is not None:
        same_dtype(name, input, src)
        source = src._data.shape or (1,)
        if (
            source != places
            and 0 not in places
            and (
                len(source) != len(places)
                or any(p > s for p, s in zip(places, source, strict=True))
            )
        ):
            raise RuntimeError(
                f"{name}(): expected index {list(places)} to be no larger than src {list(source)}"
            )
    check_index(name, index, shape[d], error=RuntimeError)
    return d, places


def _plainly(name: str, input: Tensor, dim: int, index: Tensor, src: Any) -> int | None:
    """The dimension, if all fits and lies in the host's memory: half of the time of a small call.

    Indices that are out of bounds are told to be so.
    """
    try:
        x, i = input._data, index._data
        s = x if src is None else src._data
    except AttributeError:
        return None
    if (
        not x.__class__ is i.__class__ is s.__class__ is ndarray
        or i.dtype.char != "l"
        or s.dtype is not x.dtype
        or not 0 < x.ndim == i.ndim == s.ndim
        or not i.size
    ):
        return None
    d = dim_of(dim, x.ndim)
    if i.shape != x.shape and _exceeds(i.shape, x.shape, d):
        return None
    if s.shape != i.shape and src is not None and _exceeds(i.shape, s.shape):
        return None
    if (wrong := BACKENDS[ndarray].first_outside(i, 0, x.shape[d], name)) is not None:
        raise _out_of_bounds(name, wrong, x.shape[d], RuntimeError)
    return d


@lru_cache(1024)
def _exceeds(places: tuple[int, ...], shape: tuple[int, ...], dim: int | None = None) -> bool:
    """Whether an index is larger than what it is for in some dimension but ``dim``."""
    return any(p > s for i, (p, s) in enumerate(zip(places, shape, strict=True)) if i != dim)


@derivative(
    saves=("dim", "index", "shape"),
    d_input=lambda B, g, dim, index, shape: B.ungather(g, dim, index, shape),
)
def gather(
    input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False, out: Tensor | None = None
) -> Tensor:
    """Returns, for each place of ``index``, the element there with index's value along ``dim``.

    Raises RuntimeError where shapes do not fit, IndexError where an index is out of range.

    >>> torch.gather(torch.tensor([[1, 2], [3, 4]]), 1, torch.tensor([[1], [0]]))
    tensor([[2],
            [3]])
    """
    d, places = _checked("gather", input, dim, index)
    if not index._data.size:
        return finished(
            "gather", reshape(reshape(input, (-1,))[0:0], index._data.shape), out, (input,)
        )
    if not input._data.ndim or not index._data.ndim:
        flat = gather(reshape(input, input._data.shape or (1,)), d, reshape(index, places))
        return finished("gather", reshape(flat, index._data.shape), out, (input,))
    x = input._data
    z = as_array(backend_of(x), backend_of(x).gather(x, d, index._data), x)
    if out is not None and (out is input or out is index or out._data.dtype is not x.dtype):
        raise RuntimeError(f"gather(): out must be another tensor, of dtype {dtype_of(x)!r}")
    return finished("gather", taped(gather, z, (input,), (d, index, x.shape)), out, (input,))


@derivative(
    saves=("dim", "index", "rows", "shape"),
    d_input=lambda B, g, dim, index, rows, shape: B.reshape(
        B.ungather(B.reshape(g, tuple(index.shape)), dim, index, rows), shape
    ),
)
def _pick(input: Tensor, dim: int, index: Tensor, keepdim: bool, op: Any) -> Tensor:
    """`gather` for ops that choose; ``op`` is the copy of this that names the node."""
    x = input._data
    B, rows = backend_of(x), x.shape or (1,)
    z = B.gather(x if x.ndim else B.reshape(x, rows), dim, index._data)
    if not keepdim or not x.ndim:
        z = B.reshape(z, z.shape[:dim] + z.shape[dim + 1 :] if x.ndim else ())
    z = as_array(B, z, x)
    return taped(op, z, (input,), (dim, index, rows, x.shape))


_PICKS = {
    name: renamed(_pick, f"{name.capitalize()}Backward{number}")
    for number, names in enumerate(
        (("kthvalue", "max", "min", "mode", "sort", "topk"), ("median",))
    )
    for name in names
} | {"nanmedian": renamed(_pick, "NanmedianBackward0")}


def picked(
    name: str, input: Tensor, dim: int, index: Any, keepdim: bool = True
) -> tuple[Tensor, Tensor]:
    """Returns the elements that an op has chosen along a dimension, and their indices.

    ``index`` is an array with as many dimensions as the input has, at least one.
    """
    at = wrap(index)
    values = _pick(input, dim, at, keepdim, _PICKS[name])
    shape = values._data.shape
    indices = wrap(index[...] if index.shape == shape else backend_of(index).reshape(index, shape))
    at._owner = indices  # what is saved notices when the user writes to what is returned
    return values, indices


@derivative(
    saves=("dim", "index"),
    kernel="ungather",
    d_input=lambda B, g, dim, index: B.gather(g, dim, index),
)
def _ungather(input: Tensor, dim: int, index: Any, shape: tuple[int, ...]) -> Tensor:
    x = input._data
    z = backend_of(x).ungather(x, dim, getattr(index, "_data", index), shape)
    return taped(_ungather, z, (input,), (dim, index))


@derivative(
    saves=("dim", "index"),
    kernel="scatter",
    name="ScatterBackward0",
    d_input=lambda B, g, dim, index: B.scatter(
        g, dim, index, B.zeros_like(B.gather(g, dim, index))
    ),
    d_src=lambda B, g, dim, index: B.gather(g, dim, index),
)
def _scatter(input: Tensor, dim: int, index: Any, src: Tensor) -> Tensor:
    x = input._data
    z = backend_of(x).scatter(x, dim, getattr(index, "_data", index), src._data)
    return taped(_scatter, z, (input, src), (dim, index))


@derivative(
    saves=("dim", "index"),
    kernel="scatter_add",
    name="ScatterAddBackward0",
    d_input=lambda B, g, dim, index: g,
    d_src=lambda B, g, dim, index: B.gather(g, dim, index),
)
def _scatter_add(input: Tensor, dim: int, index: Any, src: Tensor) -> Tensor:
    x = input._data
    z = backend_of(x).scatter_add(x, dim, getattr(index, "_data", index), src._data)
    return taped(_scatter_add, z, (input, src), (dim, index))


def _hits(B: Any, x: Any, y: Any) -> Any:
    return B.cast(x == y, native(x))


def _share(B: Any, g: Any, input: Any, dim: Any, index: Any, src: Any, own: Any, out: Any) -> Any:
    """The gradient divided by how many equal the result, and which of ``input`` do."""
    mine = _hits(B, input, out)
    theirs = _hits(B, src, B.gather(out, dim, index))
    if not own:
        mine = B.scatter(mine, dim, index, B.zeros_like(theirs))
    return g / B.scatter_add(mine, dim, index, theirs), mine, theirs


def _reduced_input(
    B: Any, g: Any, input: Any, dim: Any, index: Any, src: Any, reduce: str, own: Any, out: Any
) -> Any:
    if reduce != "prod":
        share, mine, _ = _share(B, g, input, dim, index, src, own, out)
        return share * mine
    if not own:
        return B.scatter(g, dim, index, B.zeros_like(src))
    safe = B.masked_fill(input, input == 0, 1)
    return g * B.scatter_reduce(safe, dim, index, src, "prod", True) / safe


def _reduced_src(
    B: Any, g: Any, input: Any, dim: Any, index: Any, src: Any, reduce: str, own: Any, out: Any
) -> Any:
    if reduce != "prod":
        share, _, theirs = _share(B, g, input, dim, index, src, own, out)
        return B.gather(share, dim, index) * theirs
    # A source that is the only zero of its place gets the product of the others, other zeros get 0.
    zero = src == 0
    count = B.ungather(_hits(B, src, src * 0), dim, index, tuple(input.shape))
    alone = zero & (B.gather(count, dim, index) == 1)
    others = B.scatter_reduce(input, dim, index, B.masked_fill(src, alone, 1), "prod", own)
    usual = B.gather(g * out, dim, index) / B.masked_fill(src, zero, 1)
    return B.where(alone, B.gather(g * others, dim, index), usual)


@derivative(
    saves=("input", "dim", "index", "src", "reduce", "own", "out"),
    kernel="scatter_reduce",
    name="ScatterReduceBackward0",
    d_input=_reduced_input,
    d_src=_reduced_src,
)
def _scatter_reduce(
    input: Tensor, dim: int, index: Any, src: Tensor, reduce: str, own: bool
) -> Tensor:
    x = input._data
    z = backend_of(x).scatter_reduce(x, dim, getattr(index, "_data", index), src._data, reduce, own)
    return taped(_scatter_reduce, z, (input, src), (input, dim, index, src, reduce, own, z))


def _cut(src: Tensor, places: tuple[int, ...]) -> Tensor:
    """The part of ``src`` that index names; the rest is not looked at."""
    if src._data.shape == places:
        return src
    if src._node is None and src._data.__class__ is ndarray and src._data.ndim == len(places):
        return wrap(src._data[tuple([slice(n) for n in places])])
    src = reshape(src, src._data.shape or (1,))
    return src[tuple([slice(n) for n in places])]


def _on_vectors(name: str, op: Any, input: Any, dim: int, index: Any, src: Any, *rest: Any) -> Any:
    """Runs a scatter with 0-d arguments taken for vectors, src cut to the index."""
    d, places = _checked(name, input, dim, index, src)
    if not index._data.size:
        return input.clone()
    shape = input._data.shape
    if not index._data.ndim:
        index = reshape(index, places)
    result = op(input if shape else reshape(input, (1,)), d, index, _cut(src, places), *rest)
    return result if shape else reshape(result, ())


def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor | Number | None = None,
    *,
    value: Number | None = None,
    reduce: str | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Returns ``input`` with ``src`` (or a number) written at the places that ``gather`` would read.

    ``reduce`` may be "add" or "multiply", to combine with what is there. Where a place is named
    twice, either source may win. Raises RuntimeError where shapes or dtypes do not fit.

    >>> torch.scatter(torch.zeros(3), 0, torch.tensor([2, 0]), torch.tensor([5.0, 6.0]))
    tensor([6., 0., 5.])
    """
    src = value if src is None else src
    if not isinstance(src, TensorBase) and is_number(src):
        check_tensor("scatter", input)
        check_tensor("scatter", index, names=("index",))
        x = input._data
        src = wrap(backend_of(x).full(index._data.shape, fitting(src, x.dtype), x.dtype))
    check_tensor("scatter", src, names=("src",))
    if reduce is None:
        result = _on_vectors("scatter", _scatter, input, dim, index, src)
    elif reduce == "add":
        result = _on_vectors("scatter", _scatter_add, input, dim, index, src)
    elif reduce == "multiply":
        result = _on_vectors("scatter", _scatter_reduce, input, dim, index, src, "prod", True)
    else:
        raise RuntimeError("reduce argument must be either add or multiply.")
    return finished("scatter", result, out, (input, src))


def scatter_add(
    input: Tensor, dim: int, index: Tensor, src: Tensor, *, out: Tensor | None = None
) -> Tensor:
    """Returns ``input`` with ``src`` added at the places that ``gather`` would read.

    >>> torch.scatter_add(torch.ones(2), 0, torch.tensor([1, 1]), torch.tensor([5.0, 6.0]))
    tensor([ 1., 12.])
    """
    check_tensor("scatter_add", src, names=("src",))
    result = _on_vectors("scatter_add", _scatter_add, input, dim, index, src)
    return finished("scatter_add", result, out, (input, src))


def _sum(input: Tensor, dim: int, index: Tensor, src: Tensor, own: bool) -> Tensor:
    if not own:
        input = _scatter(input, dim, index, src * 0)
    return _scatter_add(input, dim, index, src)


def _mean(input: Tensor, dim: int, index: Tensor, src: Tensor, own: bool) -> Tensor:
    total = _sum(input, dim, index, src, own)
    ones = input.detach() * 0 + 1
    count = _sum(ones, dim, index, src.detach() * 0 + 1, own)
    return total // count if input._data.dtype.kind in "iu" else total / count


def scatter_reduce(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
    out: Tensor | None = None,
) -> Tensor:
    """Returns ``input`` with each place that ``index`` names reduced with its sources.

    ``reduce`` is "sum", "prod", "mean", "amax" or "amin"; without ``include_self``, what ``input``
    has there does not count.

    >>> x, index = torch.tensor([1.0, 2.0]), torch.tensor([0, 0])
    >>> torch.scatter_reduce(x, 0, index, torch.tensor([5.0, 3.0]), "amax")
    tensor([5., 2.])
    """
    check_tensor("scatter_reduce", src, names=("src",))
    if reduce in ("sum", "mean"):
        op = _sum if reduce == "sum" else _mean
        result = _on_vectors("scatter_reduce", op, input, dim, index, src, include_self)
    elif reduce in ("prod", "amax", "amin"):
        result = _on_vectors(
            "scatter_reduce", _scatter_reduce, input, dim, index, src, reduce, include_self
        )
    else:
        raise RuntimeError(
            f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}."
        )
    return finished("scatter_reduce", result, out, (input, src))
