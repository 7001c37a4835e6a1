"""Pooling with windows of one size: maxima, means and power means."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

from .._dtypes import scalar_type_name
from ..autograd.modes import grad_enabled
from ..autograd.tape import TensorBase, taped, wrap
from ..backends import BACKENDS, backend_of, dtype_of
from ..backends.convolution import Convolution, convolution
from ..backends.pooling import Divisor
from ._declare import derivative
from ._results import finished
from .activation import relu
from .arithmetic import abs, mul, pow, sign
from .shape import squeeze, unsqueeze

Tensor = Any
Ints = Any  # an int for all spatial dimensions, or a sequence with one for each

_HASHABLE = frozenset({int, tuple, bool, type(None)})
_WORDS = {1: "one int", 2: "two ints", 3: "three ints"}


# ---------------------------------------------------------------------------------- differentiable


def max_pool_node(name: str) -> Any:
    """Returns an op that records a pool whose maxima and their places are computed already."""

    @derivative(
        saves=("arg", "c"),
        name=name,
        kernel="_max_pool",
        d_input=lambda B, g, arg, c: B.max_pool_input(g, arg, c),
    )
    def max_pool(input: Tensor, arg: Any, c: Convolution, values: Any) -> Tensor:
        return taped(max_pool, values, (input,), (arg, c))

    return max_pool


def avg_pool_node(name: str) -> Any:
    """Returns an op that sums windows and divides, under a name of PyTorch's."""

    @derivative(
        saves=("c", "divisor"),
        name=name,
        d_input=lambda B, g, c, divisor: B.avg_pool_input(g, c, divisor),
    )
    def avg_pool(input: Tensor, c: Convolution, divisor: Divisor) -> Tensor:
        x = input._data
        z = BACKENDS[x.__class__].avg_pool(x, c, divisor)
        return taped(avg_pool, z, (input,), (c, divisor))

    return avg_pool


# By the number of spatial dimensions; PyTorch pools sequences as images of height 1.
_MAX = dict(
    zip((1, 2, 3), map(max_pool_node, [f"MaxPool{n}DWithIndicesBackward0" for n in (2, 2, 3)]))
)
_AVG = dict(zip((1, 2, 3), map(avg_pool_node, [f"AvgPool{n}DBackward0" for n in (2, 2, 3)])))


@derivative(saves=("arg", "c"), d_g=lambda B, g, arg, c: B.max_pool_gather(g, arg, c))
def max_pool_input(g: Tensor, arg: Any, c: Convolution) -> Tensor:
    """Puts gradients where the maxima were."""
    z = backend_of(g._data).max_pool_input(g._data, arg, c)
    return taped(max_pool_input, z, (g,), (arg, c))


@derivative(saves=("arg", "c"), d_input=lambda B, g, arg, c: B.max_pool_input(g, arg, c))
def max_pool_gather(input: Tensor, arg: Any, c: Convolution) -> Tensor:
    """Takes elements from where the maxima of another tensor were."""
    z = backend_of(input._data).max_pool_gather(input._data, arg, c)
    return taped(max_pool_gather, z, (input,), (arg, c))


@derivative(saves=("c", "divisor"), d_g=lambda B, g, c, divisor: B.avg_pool(g, c, divisor))
def avg_pool_input(g: Tensor, c: Convolution, divisor: Divisor) -> Tensor:
    """Shares gradients among the elements of their windows."""
    z = backend_of(g._data).avg_pool_input(g._data, c, divisor)
    return taped(avg_pool_input, z, (g,), (c, divisor))


# ------------------------------------------------------------------------------------------ maxima


def max_pool1d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Returns the largest element of each window of sequences (N, C, L) or (C, L).

    The parameters are those of `max_pool2d`.

    >>> torch.nn.functional.max_pool1d(torch.tensor([[1., 3., 2., 4.]]), 2)
    tensor([[3., 4.]])
    """
    window = kernel_size, stride, padding, dilation, ceil_mode
    return _max_pooled("max_pool1d", 1, input, window, return_indices)


def max_pool2d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Returns the largest element of each window of images (N, C, H, W) or (C, H, W).

    ``stride`` is the windows' distance, by default their size; ``padding`` counts as minus
    infinity; ``ceil_mode`` allows windows that overhang the end. NaN counts as the largest. With
    ``return_indices``, also where the maxima are in the flattened image: the first, among equals.

    >>> torch.nn.functional.max_pool2d(torch.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    window = kernel_size, stride, padding, dilation, ceil_mode
    return _max_pooled("max_pool2d", 2, input, window, return_indices)


def max_pool3d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Returns the largest element of each window of volumes (N, C, D, H, W) or (C, D, H, W).

    The parameters are those of `max_pool2d`.

    >>> torch.nn.functional.max_pool3d(torch.arange(8.0).reshape(1, 2, 2, 2), 2)
    tensor([[[[7.]]]])
    """
    window = kernel_size, stride, padding, dilation, ceil_mode
    return _max_pooled("max_pool3d", 3, input, window, return_indices)


def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """Returns `max_pool1d` and where the maxima are.

    >>> torch.nn.functional.max_pool1d_with_indices(torch.tensor([[1., 3., 2., 4.]]), 2)[1]
    tensor([[1, 3]])
    """
    return max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """Returns `max_pool2d` and where the maxima are.

    >>> torch.nn.functional.max_pool2d_with_indices(torch.arange(4.0).reshape(1, 2, 2), 2)[1]
    tensor([[[3]]])
    """
    return max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """Returns `max_pool3d` and where the maxima are.

    >>> torch.nn.functional.max_pool3d_with_indices(torch.arange(8.0).reshape(1, 2, 2, 2), 2)[1]
    tensor([[[[7]]]])
    """
    return max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def _max_pooled(
    name: str, n: int, input: Tensor, window: tuple[Any, ...], return_indices: bool
) -> Any:
    try:
        x = input._data
    except AttributeError:
        tensor_of(name, input)
        raise
    if x.ndim != n + 2:
        if x.ndim != n + 1:
            raise _wrong_dims(name, n, x)
        result = _max_pooled(name, n, unsqueeze(input, 0), window, return_indices)
        return tuple([squeeze(r, 0) for r in result]) if return_indices else squeeze(result, 0)
    for v in window:
        if v.__class__ not in _HASHABLE:
            window = tuple([hashable(name, v) for v in window])
            break
    c = _window(name, n, x.shape, *window)
    kind = x.dtype.kind
    if kind != "f" and (kind in "bc" or kind in "iu" and n == 1 and not return_indices):
        raise unsupported("max_pool1d_impl" if n == 1 else name, x)
    B = BACKENDS[x.__class__]
    if return_indices or input._node is not None and grad_enabled.get():
        values, arg = B.max_pool_arg(x, c)
        result = _MAX[n](input, arg, c, values)
        return (result, wrap(B.max_pool_indices(arg, c))) if return_indices else result
    return wrap(B.max_pool(x, c))


# ------------------------------------------------------------------------------------------- means


def avg_pool1d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Returns the mean of each window of sequences (N, C, L) or (C, L).

    The parameters are those of `avg_pool2d`.

    >>> torch.nn.functional.avg_pool1d(torch.tensor([[1., 3., 2., 4.]]), 2)
    tensor([[2., 3.]])
    """
    return _averaged(
        "avg_pool1d",
        1,
        input,
        (kernel_size, stride, padding, ceil_mode),
        count_include_pad,
        None,
    )


def avg_pool2d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the mean of each window of images (N, C, H, W) or (C, H, W).

    ``stride`` is the windows' distance, by default their size; ``padding`` is zeros, which the mean
    counts if ``count_include_pad``; ``ceil_mode`` allows windows that overhang the end.
    ``divisor_override`` is what sums are divided by instead of the count.

    >>> torch.nn.functional.avg_pool2d(torch.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """
    window = kernel_size, stride, padding, ceil_mode
    result = _averaged("avg_pool2d", 2, input, window, count_include_pad, divisor_override)
    return result if out is None else finished("avg_pool2d", result, out, (input,))


def avg_pool3d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the mean of each window of volumes (N, C, D, H, W) or (C, D, H, W).

    The parameters are those of `avg_pool2d`.

    >>> torch.nn.functional.avg_pool3d(torch.arange(8.0).reshape(1, 2, 2, 2), 2)
    tensor([[[[3.5000]]]])
    """
    window = kernel_size, stride, padding, ceil_mode
    result = _averaged("avg_pool3d", 3, input, window, count_include_pad, divisor_override)
    return result if out is None else finished("avg_pool3d", result, out, (input,))


def _averaged(
    name: str,
    n: int,
    input: Tensor,
    window: tuple[Any, ...],
    include: bool,
    override: int | None,
) -> Tensor:
    try:
        x = input._data
    except AttributeError:
        tensor_of(name, input)
        raise
    if x.ndim != n + 2:
        if x.ndim != n + 1:
            raise _wrong_dims(name, n, x)
        return squeeze(_averaged(name, n, unsqueeze(input, 0), window, include, override), 0)
    for v in window:
        if v.__class__ not in _HASHABLE:
            window = tuple([hashable(name, v) for v in window])
            break
    if override == 0:
        raise RuntimeError("divisor must be not zero")
    c, divisor = _mean_window(name, n, x.shape, *window, include)
    kind = x.dtype.kind
    if kind != "f" and (kind in "bcu" or kind == "i" and x.dtype.itemsize < 8):
        raise unsupported("avg_pool3d_out_frame" if n == 3 else "avg_pool2d", x)
    return _AVG[n](input, c, divisor if override is None else override)


@lru_cache(4096)
def _mean_window(
    name: str,
    n: int,
    shape: tuple[int, ...],
    size: Ints,
    stride: Ints | None,
    padding: Ints,
    ceil: bool,
    include: bool,
) -> tuple[Convolution, Divisor]:
    """The geometry of a mean, and what it divides by."""
    c = _window(name, n, shape, size, stride, padding, 1, ceil)
    counted = _each(name, "padding", padding, n) if include else (0,) * n
    return c, _counts(c, counted)


def _counts(c: Convolution, counted: tuple[int, ...]) -> Divisor:
    """How many elements the windows have, of the input and ``counted`` ones before and after it."""
    counts = tuple(
        [
            tuple([min(i * s - lo + k, m + p) - max(i * s - lo, -p) for i in range(out)])
            for s, (lo, _), k, m, p, out in zip(
                c.stride, c.padding, c.size, c.spatial, counted, c.out, strict=True
            )
        ]
    )
    if all(len(set(per)) == 1 for per in counts):
        return prod([per[0] for per in counts])
    return counts


def lp_pool1d(
    input: Tensor,
    norm_type: float,
    kernel_size: int,
    stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Returns the p-norm, p being ``norm_type``, of each window of sequences.

    >>> torch.nn.functional.lp_pool1d(torch.tensor([[3., 4.]]), 2, 2)
    tensor([[5.]])
    """
    return _power(avg_pool1d, 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor,
    norm_type: float,
    kernel_size: Ints,
    stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Returns the p-norm, p being ``norm_type``, of each window of images.

    >>> torch.nn.functional.lp_pool2d(torch.ones(1, 2, 2), 2, 2)
    tensor([[[2.]]])
    """
    return _power(avg_pool2d, 2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor,
    norm_type: float,
    kernel_size: Ints,
    stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Returns the p-norm, p being ``norm_type``, of each window of volumes.

    >>> torch.nn.functional.lp_pool3d(torch.ones(1, 2, 2, 2), 1, 2)
    tensor([[[[8.]]]])
    """
    return _power(avg_pool3d, 3, input, norm_type, kernel_size, stride, ceil_mode)


def _power(
    pool: Any, n: int, input: Tensor, p: float, size: Ints, stride: Ints | None, ceil_mode: bool
) -> Tensor:
    """The sum of powers as a mean times the count, whose root a negative sum leaves zero."""
    mean = pool(pow(input, float(p)), size, stride, 0, ceil_mode)
    count = prod(_each("lp_pool", "kernel_size", hashable("lp_pool", size), n))
    return pow(mul(mul(sign(mean), relu(abs(mean))), count), 1.0 / p)


# ----------------------------------------------------------------------------------------- helpers


def tensor_of(name: str, input: Any) -> Tensor:
    """The input; raises TypeError if it is no tensor."""
    if not isinstance(input, TensorBase):
        raise TypeError(
            f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}"
        )
    return input


def unsupported(kernel: str, x: Any) -> NotImplementedError:
    """PyTorch's error for a dtype that a kernel does not take."""
    return NotImplementedError(
        f"\"{kernel}\" not implemented for '{scalar_type_name(dtype_of(x))}'"
    )


def hashable(name: str, value: Any) -> Any:
    """None, an int, or a tuple of ints from any sequence of them."""
    if (
        value is None
        or value.__class__ is int
        or value.__class__ is bool
        or value.__class__ is tuple
    ):
        return value
    try:
        if hasattr(value, "__index__"):
            return value.__index__()
        return tuple([v.__index__() for v in value])
    except (TypeError, AttributeError):
        raise TypeError(
            f"{name}(): argument must be tuple of ints, not {type(value).__name__}"
        ) from None


def _wrong_dims(name: str, n: int, x: Any) -> RuntimeError:
    if name == "avg_pool1d":
        return RuntimeError(
            f"Expected 2 to 3 dimensions, but got {x.ndim}-dimensional tensor for argument #1 'self' "
            f"(while checking arguments for {name})"
        )
    if n == 1:
        return RuntimeError(
            f"{name}: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for "
            f"input, but got:{list(x.shape)}"
        )
    return RuntimeError(
        f"non-empty {n + 1}D or {n + 2}D (batch mode) tensor expected for input: {name}"
    )


def _each(name: str, label: str, value: Ints, n: int) -> tuple[int, ...]:
    if isinstance(value, int):
        return (value,) * n
    if len(value) == 1:
        return tuple(value) * n
    if len(value) == n:
        return tuple(value)
    if n == 1:
        raise RuntimeError(f"{name}() argument '{label}' should contain one int (got {len(value)})")
    omitted = "be omitted, " if label == "stride" else "be "
    raise RuntimeError(
        f"{name}: {label} must either {omitted}a single int, or a tuple of {_WORDS[n]}"
    )


@lru_cache(4096)
def _window(
    name: str,
    n: int,
    shape: tuple[int, ...],
    kernel_size: Ints,
    stride: Ints | None,
    padding: Ints,
    dilation: Ints,
    ceil_mode: bool,
) -> Convolution:
    """The geometry of a pool, checked; the padding at the end is what the windows really use."""
    size = _each(name, "kernel_size", kernel_size, n)
    step = size if stride is None or stride == () else _each(name, "stride", stride, n)
    padding, dilation = _each(name, "padding", padding, n), _each(name, "dilation", dilation, n)
    _check_window(name, size, step, padding, dilation)
    if 0 in shape[1:]:
        what = f"{n + 1}D or {n + 2}D"
        raise RuntimeError(
            f"Expected {what} (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got:{list(shape)}"
        )
    if name == "avg_pool3d" and any(m < k for m, k in zip(shape[2:], size)):
        image = " ".join(f"{a}: {m}" for a, m in zip("THW", shape[2:]))
        kernel = " ".join(f"k{a}: {k}" for a, k in zip("THW", size))
        raise RuntimeError(f"input image ({image}) smaller than kernel size ({kernel})")
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, size)]
    out = []
    for m, p, r, s in zip(shape[2:], padding, reach, step):
        count = (m + 2 * p - r + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (count - 1) * s >= m + p:
            count -= 1  # the last window would begin beyond the input
        out.append(count)
    if min(out) < 1:
        if name == "max_pool1d":
            raise RuntimeError(f"max_pool1d() Invalid computed output size: {out[0]}")
        before, after = ("x".join(map(str, (shape[1], *v))) for v in (shape[2:], out))
        raise RuntimeError(
            f"Given input size: ({before}). Calculated output size: ({after}). Output size is too "
            "small"
        )
    pairs = [
        (p, (o - 1) * s + r - m - p) for p, o, s, r, m in zip(padding, out, step, reach, shape[2:])
    ]
    return convolution(step, tuple(pairs), dilation, 1, size, shape[2:])


def _check_window(
    name: str,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
) -> None:
    call = f"{name}() " if name == "max_pool1d" else ""
    checked = (("kernel_size" if call else "kernel size", size), ("stride", stride))
    for label, values in (*checked, ("dilation", dilation)):
        if min(values) <= 0:
            if not call and label != "dilation" and 0 in stride:
                raise RuntimeError("stride should not be zero")
            verb = "must" if call else "should"
            got: Any = values[0] if call else list(values)
            raise RuntimeError(f"{call}{label} {verb} be greater than zero, but got {got}")
    if min(padding) < 0:
        what = "padding" if call else "pad"
        got = padding[0] if call else f"pad: {min(padding)}"
        raise RuntimeError(f"{call}{what} must be non-negative, but got {got}")
    for p, k, d in zip(padding, size, dilation):
        if call and p > k // 2:
            raise RuntimeError(
                f"{call}padding should be at most half of kernel size, but got padding={p} and "
                f"kernel_size={k}"
            )
        if p > ((k - 1) * d + 1) // 2:
            raise RuntimeError(
                "pad should be at most half of effective kernel size, but got "
                f"pad={p}, kernel_size={k} and dilation={d}"
            )
