"""float16 and bfloat16 on the CPU: large arrays are computed in float32 and rounded once, as in PyTorch.

NumPy computes float16, and ml_dtypes bfloat16, one number after the other, and rounds in each function.
Here blocks that stay in the cache become float32, go through the kernel for that, and are rounded.
Nobody pays for it before there is a large array of these types: the first one exchanges the kernels
named here for such that look at the type of their first argument.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import numpy as np

from . import numpy_halves, pulling
from .compiled import MANY, kernels
from .sharing import blockwise, rowwise

_STEP = 1 << 16  # elements of a block: three of them as float32 fit the second-level cache of 1 MB
_array = np.ndarray
_SINGLE, _BITS, _TRUTH = np.dtype(np.float32), np.dtype(np.uint16), np.dtype(np.bool_)

# Elementwise kernels: of one array, of one that tell yes or no, of two arrays or an array and a number.
_SINGLES = (
    "square", "sqrt", "rsqrt", "reciprocal", "floor", "ceil", "trunc", "round", "exp", "exp2", "expm1",
    "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh",
    "asinh", "acosh", "atanh", "sigmoid", "relu", "sign", "step", "erf", "erfc", "erfinv", "lgamma",
    "digamma", "mish", "silu", "logsigmoid", "hardsigmoid", "hardswish",
)  # fmt: skip
_TESTS = ("isnan", "isinf", "isfinite")
_PAIRS = (
    "add", "sub", "mul", "div", "maximum", "minimum", "fmax", "fmin", "atan2", "hypot", "pow", "fmod",
    "floor_divide", "remainder", "logaddexp", "logaddexp2", "trunc_divide",
)  # fmt: skip
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
_ROUNDED = frozenset({"add", "sub", *_COMPARISONS})  # whose numbers PyTorch rounds as well
# Elementwise kernels of so many arrays, and then numbers.
_MAPS = {
    "clamp": 1, "lerp": 2, "gelu": 1, "gelu_backward": 2, "leaky_relu": 1, "leaky_relu_backward": 2,
    "elu": 1, "elu_backward": 2, "softplus": 1, "softshrink": 1, "hardshrink": 1, "threshold": 1,
    "binary_cross_entropy": 2, "outside": 2, "huber": 1, "silu_backward": 2, "mish_backward": 2,
    "hardswish_backward": 2, "relu_backward": 2,
}  # fmt: skip
# Kernels of whole arrays; of several results the first is rounded.
_WHOLE = (
    "mean", "var", "amax", "amin", "prod", "cumsum", "cumprod", "logsumexp", "vector_norm", "softmax",
    "softmax_backward", "log_softmax", "log_softmax_backward", "cross_entropy", "cross_entropy_backward",
    "nll_loss", "nll_loss_backward", "norm_affine", "norm_affine_backward", "norm_known", "linear",
    "linear_input", "linear_weight", "embedding_backward", "conv", "conv_input", "conv_weight",
    "max_pool", "avg_pool", "avg_pool_input", "adaptive_avg_pool", "adaptive_avg_pool_input", "topk",
    "argmax", "argmin",
)  # fmt: skip


def exchange(backend: Any) -> frozenset[str]:
    """Gives a backend these kernels in place of its own; returns their names."""
    for name in _SINGLES:
        setattr(backend, name, _of_one(name, getattr(backend, name)))
    for name in _TESTS:
        setattr(backend, name, _of_one(name, getattr(backend, name), _TRUTH))
    for name in _PAIRS:
        setattr(backend, name, _of_two(name, getattr(backend, name)))
    for name in _COMPARISONS:
        setattr(backend, name, _of_two(name, getattr(backend, name), _TRUTH))
    for name, arrays in _MAPS.items():
        setattr(backend, name, _mapped(name, getattr(backend, name), arrays))
    for name in _WHOLE:
        setattr(backend, name, _of_whole(getattr(backend, name), backend.cast))
    backend.neg = _of_bits(backend.neg, np.bitwise_xor, np.array(0x8000, np.uint16))
    backend.abs = _of_bits(backend.abs, np.bitwise_and, np.array(0x7FFF, np.uint16))
    return frozenset((*_SINGLES, *_TESTS, *_PAIRS, *_COMPARISONS, *_MAPS, *_WHOLE, "neg", "abs"))


def is_half(x: Any) -> bool:
    """Whether an array is of one of these types."""
    return x.dtype.char in "eE"


def _of_one(name: str, kernel: Any, result: Any = None) -> Any:
    """An elementwise kernel of one array, perhaps with an array to write to."""
    native = _vectorised(name)

    def method(x: Any, out: Any = None) -> Any:
        try:
            if x.size < MANY or x.itemsize != 2 or not is_half(x):
                return kernel(x) if out is None else kernel(x, out)
        except AttributeError:  # a number
            return kernel(x)
        if native and x.dtype.char == "e":
            return kernel(x) if out is None else kernel(x, out)
        if (own := kernels("half_maps")) is not None and name in own.MAPS:
            return _given_back(own.MAPS[name](np.ascontiguousarray(x)), out)
        return _blocks(kernel, (x,), (), out, result)

    if hasattr(kernel, "nin"):  # what the in-place forms know ufuncs by
        method.nin = 1  # type: ignore[attr-defined]
    return method


def _vectorised(name: str) -> bool:
    """Whether NumPy computes a function of float16 many at a time, as its vectorised ones with AVX-512."""
    name = "arc" + name[1:] if name in ("asin", "acos", "atan", "asinh", "acosh", "atanh") else name
    tell = getattr(getattr(np.lib, "introspect", None), "opt_func_info", None)
    found = tell(f"^{name}$", "^e").get(name, {}) if tell is not None else {}
    kinds = [kind.get("current", "") for kind in found.values()]
    return any("AVX512" in kind or "X86_V4" in kind for kind in kinds)


def _of_bits(kernel: Any, change: Any, mask: Any) -> Any:
    """An elementwise kernel that changes the sign: one operation on the bits."""

    def method(x: Any, out: Any = None) -> Any:
        try:
            if x.size < MANY or x.itemsize != 2 or not is_half(x):
                return kernel(x) if out is None else kernel(x, out)
        except AttributeError:  # a number
            return kernel(x)
        return change(x.view(_BITS), mask, None if out is None else out.view(_BITS)).view(x.dtype)

    method.nin = 1  # type: ignore[attr-defined]
    return method


def _of_two(name: str, kernel: Any, result: Any = None) -> Any:
    """An elementwise kernel of two arrays, or of an array and a number."""
    rounds = name in _ROUNDED

    def method(x: Any, y: Any, out: Any = None) -> Any:
        try:
            if x.size < MANY or x.itemsize != 2 or not is_half(x):
                return kernel(x, y) if out is None else kernel(x, y, out=out)
        except AttributeError:  # a number
            return kernel(x, y)
        if y.__class__ is not float and y.__class__ is not int:
            if y.dtype is not x.dtype:
                return kernel(x, y) if out is None else kernel(x, y, out=out)
            if y.shape != x.shape and y.ndim:
                return _broadcast(name, kernel, x, y, out, result)
            if y.ndim:
                return _pairs(name, kernel, x, y, out, result)
            y = float(y)
        elif rounds:
            y = float(x.dtype.type(y))
        return _pairs(name, kernel, x, y, out, result)

    if hasattr(kernel, "nin"):
        method.nin = 2  # type: ignore[attr-defined]
    return method


def _pairs(name: str, kernel: Any, x: Any, y: Any, out: Any, result: Any) -> Any:
    alone = y.__class__ is not _array
    given, numbers = ((x,), (y,)) if alone else ((x, y), ())
    own = kernels("half_maps")
    if own is not None and name == "pow" and alone and y in own.POWERS:
        return _given_back(own.POWERS[y](np.ascontiguousarray(x)), out)
    if own is not None and name in own.PAIRS:
        # Not straight into x: a loop that reads and writes the same memory is not vectorised.
        z = own.PAIRS[name][alone](*map(np.ascontiguousarray, given), *numbers)
        return _given_back(z, out)
    return _blocks(kernel, given, numbers, out, result)


def _mapped(name: str, kernel: Any, arrays: int) -> Any:
    """An elementwise kernel of so many arrays and any numbers."""

    def method(*args: Any) -> Any:
        x, given, numbers = args[0], args[:arrays], args[arrays:]
        try:
            if x.size < MANY or x.itemsize != 2 or not is_half(x):
                return kernel(*args)
        except AttributeError:  # a number
            return kernel(*args)
        if any(y.dtype is not x.dtype or y.shape != x.shape for y in given):
            return kernel(*args)
        if any(isinstance(n, np.ndarray) for n in numbers):
            return kernel(*args)
        if (own := kernels("half_maps")) is not None and name in own.MAPS:
            z = own.MAPS[name](*[np.ascontiguousarray(y) for y in given], *numbers)
            if z is not None:
                return z
        return _blocks(kernel, given, numbers, None, None)

    return method


def _of_whole(kernel: Any, cast: Any) -> Any:
    """A kernel that gets all its arrays as float32."""

    def method(*args: Any, **more: Any) -> Any:
        x = args[0]
        try:
            if x.size < MANY or x.itemsize != 2 or not is_half(x):
                return kernel(*args, **more)
        except AttributeError:  # a number
            return kernel(*args, **more)
        wide = [cast(a, _SINGLE) if a.__class__ is _array and is_half(a) else a for a in args]
        more = {
            k: cast(a, _SINGLE) if a.__class__ is _array and is_half(a) else a
            for k, a in more.items()
        }
        z = kernel(*wide, **more)
        if z.__class__ is tuple:
            return (_rounded(z[0], x.dtype, cast), *z[1:])
        return _rounded(z, x.dtype, cast)

    return method


def _rounded(z: Any, dtype: Any, cast: Any) -> Any:
    return cast(z, dtype) if z is not None and z.dtype is _SINGLE else z


def _room(out: Any, x: Any, result: Any) -> Any:
    """A contiguous array for a result: the one to write to, if that can be."""
    dtype = result or x.dtype
    if out is not None and out.dtype is dtype and out.shape == x.shape and out.flags.c_contiguous:
        return out
    return np.empty(x.shape, dtype)


def _given_back(z: Any, out: Any) -> Any:
    if out is None or out is z:
        return z
    out[...] = z
    return out


def _blocks(kernel: Any, given: Any, numbers: Any, out: Any, result: Any) -> Any:
    """An elementwise kernel of arrays of one shape, block by block."""
    if out is not None and any(x is not out and np.may_share_memory(x, out) for x in given):
        return _given_back(_blocks(kernel, given, numbers, None, result), out)
    z = _room(out, given[0], result)
    widen, narrow = _conversions(given[0].dtype, result)

    def part(to: Any, *pieces: Any) -> None:
        for at in range(0, to.size, _STEP):
            wide = [widen(p[at : at + _STEP]) for p in pieces]
            narrow(kernel(*wide, *numbers), to[at : at + _STEP])

    blockwise(part, z, *[np.ascontiguousarray(x) for x in given])
    return _given_back(z, out)


def _broadcast(name: str, kernel: Any, x: Any, y: Any, out: Any, result: Any) -> Any:
    """A kernel of two arrays of different shapes: y may repeat along x's first dimensions, or its last."""
    shape = np.broadcast_shapes(x.shape, y.shape)
    widen, narrow = _conversions(x.dtype, result)
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    lead = len(shape) - y.ndim
    used = [i for i, n in enumerate(y.shape) if n != 1]
    if shape != x.shape:
        used = []
    # The dimensions of y that count lie together: x is (before, y.size, after).
    if not used or used != list(range(used[0], used[-1] + 1)):
        z = np.empty(shape, result or x.dtype)
        narrow(kernel(widen(x), widen(y)).reshape(-1), z.reshape(-1))
        return _given_back(z, out)
    after = prod(shape[lead + used[-1] + 1 :])
    by_rows = after == 1
    rows = x.reshape(-1, y.size if by_rows else after)
    if (own := kernels("half_maps")) is not None and name in own.PAIRS:
        return _given_back(own.broadcast(name, rows, y.reshape(-1), by_rows).reshape(shape), out)
    z = np.empty(shape, result or x.dtype)
    given = [rows] if by_rows else [rows, np.resize(widen(y).reshape(-1), len(rows))[:, None]]
    other = widen(y).reshape(1, -1)

    def part(to: Any, rows: Any, column: Any = other) -> None:
        step = max(_STEP // rows.shape[1], 1)
        for at in range(0, len(to), step):
            these = column if by_rows else column[at : at + step]
            narrow(kernel(widen(rows[at : at + step]), these), to[at : at + step])

    rowwise(part, z.reshape(rows.shape), *given)
    return _given_back(z, out)


def _conversions(
    dtype: Any, result: Any
) -> tuple[Callable[[Any], Any], Callable[[Any, Any], None]]:
    """The functions that make float32 of a contiguous array, and write float32 as the result's type."""
    own = kernels("halves")
    if own is not None:
        widen, narrow = own.widen, own.narrow
    else:
        widen = numpy_halves.widened if dtype.char == "e" else _as_single
        narrow = numpy_halves.narrow if dtype.char == "e" else _copied
    return widen, _copied if result is not None else narrow


def _as_single(x: Any) -> Any:
    return x.astype(_SINGLE)


def _copied(x: Any, out: Any) -> None:
    out[...] = x


def derivative(backend: Any, g: Any, saved: Any, rules: Any) -> tuple[Any, Any, Any]:
    """A gradient, what was kept for it, and the pullbacks, so that a large one is pulled in float32.

    Rules that keep nothing but shapes and indices move numbers, and get them as they are.
    """
    if g.__class__ is not _array or not is_half(g):
        return pulling.derivative(g, saved, rules)
    halves = [s for s in saved if s.__class__ is _array and is_half(s)]
    if not halves and not any(s.__class__ is float for s in saved):
        return g, saved, rules.pullbacks
    if rules.elementwise and all(
        s.shape == g.shape and s.flags.c_contiguous and s.dtype is g.dtype
        for s in (g, *[s for s in saved if s.__class__ is _array])
    ):
        return g, saved, [partial(_pulled, pull) for pull in rules.pullbacks]
    cast = backend.cast
    wide = [cast(s, _SINGLE) if s.__class__ is _array and is_half(s) else s for s in saved]
    return cast(g, _SINGLE), wide, rules.pullbacks


def _pulled(pull: Any, backend: Any, g: Any, saved: Any) -> Any:
    """What an elementwise rule makes of a gradient, block by block."""
    places = [i for i, s in enumerate(saved) if s.__class__ is _array]

    def kernel(g: Any, *pieces: Any) -> Any:
        values = list(saved)
        for i, piece in zip(places, pieces, strict=True):
            values[i] = piece
        z = pull(backend, g, values)
        alike = z.dtype is _SINGLE and z.shape == g.shape
        return z if alike else np.broadcast_to(z, g.shape).astype(_SINGLE)

    return _blocks(kernel, (g, *[saved[i] for i in places]), (), None, None)
