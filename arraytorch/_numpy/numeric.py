"""NumPy's functions of numbers that are no ufuncs: rounding, comparing, differences, counts."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..ops import histograms
from ..ops.bessel import i0 as bessel_i0
from ..ops.slopes import gradient as slopes
from .arguments import (
    axis_of,
    counterpart,
    floating,
    is_number,
    like,
    operands,
    tensor,
    tensors,
    written,
)
from .selecting import searchsorted

Tensor = Any


@counterpart("round", "around")
def round(a: Any, decimals: int = 0, out: Any = None) -> Any:
    """Rounded to decimals; halves to even."""
    x = tensor(a)
    whole = x._data.dtype.kind in "biu"
    return written(x.clone() if whole else ops.round(x, decimals=decimals), out, name="round")


@counterpart()
def fix(x: Any, out: Any = None) -> Any:
    """Rounded towards 0."""
    return written(ops.trunc(tensor(x)), out, name="fix")


@counterpart()
def nan_to_num(x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None,
               neginf: Any = None) -> Any:  # fmt: skip
    """Numbers for NaN and infinities."""
    result = ops.nan_to_num(tensor(x), nan, posinf, neginf)
    return result if copy else tensor(x).copy_(result)


@counterpart()
def real(val: Any) -> Any:
    """Real parts."""
    return ops.real(tensor(val))


@counterpart()
def imag(val: Any) -> Any:
    """Imaginary parts, 0 for real numbers."""
    x = tensor(val)
    return ops.imag(x) if x.is_complex() else ops.zeros_like(x)


@counterpart()
def angle(z: Any, deg: bool = False) -> Any:
    """Angles of complex numbers, in degrees on request."""
    result = ops.angle(tensor(z))
    return ops.rad2deg(result) if deg else result


@counterpart()
def sinc(x: Any) -> Any:
    """sin(pi x) / (pi x)."""
    return ops.sinc(tensor(x))


@counterpart()
def i0(x: Any) -> Any:
    """The modified Bessel function of order 0."""
    return bessel_i0(tensor(x))


@counterpart()
def isclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08,
            equal_nan: bool = False) -> Any:  # fmt: skip
    """Whether elements are equal within tolerances."""
    x, y = (t.detach() for t in operands(a, b))
    shared = ops.result_type(x, y)
    return ops.isclose(x.to(shared), y.to(shared), rtol, atol, equal_nan)


@counterpart()
def allclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08,
             equal_nan: bool = False) -> Any:  # fmt: skip
    """Whether all elements are equal within tolerances, as a bool."""
    return bool(isclose(a, b, rtol, atol, equal_nan).all())


@counterpart()
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    """Whether shapes and elements are equal, as a bool."""
    x, y = tensor(a1), tensor(a2)
    if x.shape != y.shape:
        return False
    same = x == y
    if equal_nan:
        same = same | (ops.isnan(x) & ops.isnan(y))
    return bool(same.all())


@counterpart()
def array_equiv(a1: Any, a2: Any) -> Any:
    """Whether elements are equal after broadcasting, as a bool."""
    x, y = tensor(a1), tensor(a2)
    try:
        return bool((x == y).all())
    except RuntimeError:  # the shapes do not broadcast
        return False


def _test(name: str, op: Any) -> Any:
    def function(x: Any, out: Any = None) -> Any:
        return written(op(tensor(x)), out, name=name)

    return counterpart(name)(function)


isposinf = _test("isposinf", ops.isposinf)
isneginf = _test("isneginf", ops.isneginf)
isreal = _test("isreal", ops.isreal)
iscomplex = _test("iscomplex", lambda x: ops.logical_not(ops.isreal(x)))


# differences, interpolation, counts


@counterpart()
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Differences of neighbours."""
    x = tensor(a)
    dim = axis_of(axis, x.ndim)
    ends = [None if e is None else _slice_of(x, e, dim) for e in (prepend, append)]
    return ops.diff(x, n, dim, ends[0], ends[1])


def _slice_of(x: Tensor, value: Any, dim: int) -> Tensor:
    end = operands(value, x)[0]
    shape = [1 if i == dim else n for i, n in enumerate(x.shape)]
    return end if end.ndim else end.expand(shape).to(x.dtype)


@counterpart()
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Differences of neighbours in a row, with elements before and after."""
    x = tensor(ary).ravel()
    ends = [None if e is None else tensors((e, x))[0].ravel() for e in (to_begin, to_end)]
    parts = [ends[0], ops.diff(x), ends[1]]
    return ops.cat([p for p in parts if p is not None])


@counterpart()
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Central differences along axes, with the distances or coordinates given."""
    x = floating(f)
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    given = list(varargs) or [1.0]
    given = given * len(axes) if len(given) == 1 else given
    if len(given) != len(axes):
        raise TypeError("invalid number of arguments")
    found: list[Tensor] = []
    for along, spacing in zip(axes, given, strict=True):
        step: Any = float(spacing) if is_number(spacing) else (like(spacing, x),)
        found += slopes(x, spacing=step, dim=along, edge_order=edge_order)
    return found[0] if len(found) == 1 else tuple(found)


@counterpart()
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None,
           period: Any = None) -> Any:  # fmt: skip
    """Values between points, on straight lines; with gradients of all three."""
    if period is not None:
        return NotImplemented
    at, xs, ys = map(floating, tensors((x, xp, fp)))
    after = ops.clamp(searchsorted(xs.detach(), at.detach(), "right"), 1, max(len(xs) - 1, 1))
    if len(xs) == 1:
        found = ys[0].expand(at.shape)
    else:
        x0, x1, y0, y1 = xs[after - 1], xs[after], ys[after - 1], ys[after]
        found = y0 + (at - x0) * ((y1 - y0) / (x1 - x0))
    first, last = (ys[0] if left is None else left), (ys[-1] if right is None else right)
    found = ops.where(at < xs[0], *operands(first, found))
    return ops.where(at > xs[-1], *operands(last, found))


@counterpart()
def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None,
              weights: Any = None) -> Any:  # fmt: skip
    """Counts in bins and the bins' edges; the counts are integers unless weighed."""
    if isinstance(bins, str):
        return NotImplemented
    x = floating(a).detach()
    w = None if weights is None else tensor(weights).detach().to(x.dtype)
    edges = bins if isinstance(bins, int) else like(bins, x)
    counts, edges = histograms.histogram(
        x, edges, range=range, weight=w, density=bool(density)
    )  # fmt: skip
    return (counts if weights is not None or density else counts.long()), edges


@counterpart()
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    """How often each number occurs, or the sums of weights there."""
    index = tensor(x)
    if weights is None:
        return ops.bincount(index, minlength=minlength)
    w = floating(weights)
    n = max(int(index.max()) + 1 if index.numel() else 0, minlength)
    return ops.index_add(ops.zeros(n, dtype=w.dtype, device=w.device), 0, index.long(), w)


@counterpart()
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """The convolution of two rows."""
    x, y = operands(a, v)
    if x.numel() < y.numel():
        x, y = y, x
    products = x.unsqueeze(1) * y
    n, m = x.numel(), y.numel()
    where_to = ops.arange(n).unsqueeze(1) + ops.arange(m)
    full = ops.zeros(n + m - 1, dtype=products.dtype, device=x.device)
    full = ops.index_add(full, 0, where_to.reshape(-1).to(x.device), products.reshape(-1))
    if mode == "same":
        return full[(m - 1) // 2 : (m - 1) // 2 + n]
    return full[m - 1 : n] if mode == "valid" else full


@counterpart()
def vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    """Powers of numbers as columns."""
    return ops.vander(tensor(x), N, increasing)


@counterpart()
def polyval(p: Any, x: Any) -> Any:
    """A polynomial's values, by Horner's rule."""
    coefficients, at = operands(p, x)
    result = at * 0
    for c in coefficients.unbind(0):
        result = result * at + c
    return result
