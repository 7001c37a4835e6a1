"""How far elements spread: variances, norms, distances, covariances."""

from __future__ import annotations

from typing import Any

from .._dtypes import dtype as Dtype
from .._dtypes import scalar_type_name
from ..autograd.tape import taped
from ..backends import backend_of, dtype_of, numpy_dtype
from ._declare import cast, derivative
from ._results import as_array, check_tensor, finished, native
from .complex_numbers import conj, real
from .diagonals import diagonal
from .products import matmul
from .reduction import mean, over, sum
from .selection import clamp
from .shape import reshape, t, unsqueeze

Tensor = Any


def _freedom(shape: Any, kept: Any, correction: float) -> float:
    count = 1
    for n, k in zip(shape, kept, strict=True):
        count *= n if k == 1 else 1
    return count - correction


def _slope_of_var(B: Any, g: Any, input: Any, dims: Any, kept: Any, correction: float) -> Any:
    """2 (x - mean x) / (n - correction)."""
    free = _freedom(input.shape, kept, correction)
    scale = 2 / free if free else float("inf")
    return B.reshape(g, kept) * scale * (input - B.mean(input, dims, True))


@derivative(
    saves=("input", "dims", "kept", "correction"), name="VarBackward0", d_input=_slope_of_var
)
def _var(
    input: Tensor, dims: tuple[int, ...], kept: Any, correction: float, keepdim: bool
) -> Tensor:
    x = input._data
    z = as_array(backend_of(x), backend_of(x).var(x, dims, correction, keepdim), x)
    return taped(_var, z, (input,), (input, dims, kept, correction))


def _slope_of_std(
    B: Any, g: Any, input: Any, dims: Any, kept: Any, correction: float, out: Any
) -> Any:
    """That of the variance over 2 std, and 0 where the std is 0."""
    flat = out == 0
    over_std = B.masked_fill(g / (B.masked_fill(out, flat, 1) * 2), flat, 0)
    return _slope_of_var(B, over_std, input, dims, kept, correction)


@derivative(
    saves=("input", "dims", "kept", "correction", "out"), name="StdBackward0", d_input=_slope_of_std
)
def _std(
    input: Tensor, dims: tuple[int, ...], kept: Any, correction: float, keepdim: bool
) -> Tensor:
    x = input._data
    B = backend_of(x)
    z = as_array(B, B.sqrt(B.var(x, dims, correction, keepdim)), x)
    return taped(_std, z, (input,), (input, dims, kept, correction, z))


def _spread(
    name: str, op: Any, input: Tensor, dim: Any, unbiased: Any, correction: Any, keepdim: bool
) -> tuple[Tensor, Any]:
    check_tensor(name, input)
    if isinstance(dim, bool):  # var(input, unbiased)
        dim, unbiased = None, dim
    if input._data.dtype.kind in "biu":
        raise RuntimeError(f"{name} only support floating point and complex dtypes")
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    dims, kept = over(input._data.shape, dim)
    return op(input, dims, kept, correction, keepdim), dim


def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    correction: float | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the variance over ``dim`` or everything, divided by n - ``correction`` (1).

    >>> torch.var(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor(1.6667)
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    result, _ = _spread("var", _var, input, dim, unbiased, correction, keepdim)
    return finished("var", result, out, (input,))


def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    correction: float | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the standard deviation over ``dim`` or everything; see `var`.

    >>> torch.std(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor(1.2910)
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    result, _ = _spread("std", _std, input, dim, unbiased, correction, keepdim)
    return finished("std", result, out, (input,))


def var_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    correction: float | None = None,
    out: Any = None,
) -> tuple[Tensor, Tensor]:
    """Returns the variance and the mean.

    >>> torch.var_mean(torch.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    result, dim = _spread("var_mean", _var, input, dim, unbiased, correction, keepdim)
    return finished("var_mean", (result, mean(input, dim, keepdim)), out, (input,))


def std_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    correction: float | None = None,
    out: Any = None,
) -> tuple[Tensor, Tensor]:
    """Returns the standard deviation and the mean.

    >>> torch.std_mean(torch.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    result, dim = _spread("std_mean", _std, input, dim, unbiased, correction, keepdim)
    return finished("std_mean", (result, mean(input, dim, keepdim)), out, (input,))


def _slope_of_norm(B: Any, g: Any, input: Any, p: float, dims: Any, kept: Any, out: Any) -> Any:
    """sgn(x) (|x| / norm)^(p - 1), and its limits; 0 where it has none.

    See https://en.wikipedia.org/wiki/Norm_(mathematics)#p-norm.
    """
    g, top = B.reshape(g, kept), B.reshape(out, kept)
    if p == 1:
        return g * B.sgn(input)
    if p in (float("inf"), float("-inf")):
        size = B.abs(input)
        at = (size == top) | ((size != size) & (top != top))
        hits = B.cast(at, native(out))
        return B.sgn(input) * (hits * (g / B.sum(hits, dims, True)))
    flat = top == 0
    safe = B.masked_fill(top, flat, 1)
    if p == 2:
        return input * B.masked_fill(g / safe, flat, 0)
    size = B.abs(input)
    at_zero = size == 0
    ratio = B.pow(B.masked_fill(size, at_zero, 1) / safe, p - 1)
    return B.sgn(input) * (B.masked_fill(ratio, at_zero, 0) * B.masked_fill(g, flat, 0))


@derivative(
    saves=("input", "p", "dims", "kept", "out"), name="LinalgVectorNormBackward0",
    kernel="vector_norm", d_input=_slope_of_norm,
)  # fmt: skip
def _vector_norm(input: Tensor, p: float, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    x = input._data
    kept = tuple([1 if i in dims else n for i, n in enumerate(x.shape)])
    z = as_array(backend_of(x), backend_of(x).vector_norm(x, p, dims, keepdim), x)
    return taped(_vector_norm, z, (input,), (input, p, dims, kept, z))


@derivative(joint=lambda B, g, needs: [None], inputs=("input",), name="LinalgVectorNormBackward0")
def _norm_of_order_0(input: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    """How many elements are not 0; there is no gradient, not even zeros, as in PyTorch."""
    x = input._data
    z = as_array(backend_of(x), backend_of(x).vector_norm(x, 0.0, dims, keepdim), x)
    return taped(_norm_of_order_0, z, (input,))


def vector_norm(
    x: Tensor,
    ord: float = 2,
    dim: Any = None,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    dtype: Dtype | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the norm of order ``ord`` of the vectors along ``dim``, or of all elements as one.

    (sum |x|^ord)^(1/ord); for 0 the number of nonzeros, for inf and -inf the largest and the
    smallest modulus. Raises RuntimeError for integers.

    >>> torch.linalg.vector_norm(torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    check_tensor("linalg.vector_norm", x, names=("x",))
    _check_norm("linalg.vector_norm", x, dtype)
    input = cast(x, numpy_dtype(dtype)) if dtype is not None else x
    p = float(ord)
    dims, _ = over(input._data.shape, dim)
    if not input._data.size and (p < 0 or p == float("inf")):
        if dim is None or any_empty(input._data.shape, dims):
            raise RuntimeError(
                f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor because the "
                "operation does not have an identity"
            )
    result = _vector_norm(input, p, dims, keepdim) if p else _norm_of_order_0(input, dims, keepdim)
    return finished("linalg.vector_norm", result, out, (x,))


def any_empty(shape: tuple[int, ...], dims: tuple[int, ...]) -> bool:
    """Tells whether one of these dimensions has size 0."""
    return 0 in [shape[d] for d in dims]


def _check_norm(name: str, x: Tensor, dtype: Dtype | None) -> None:
    if dtype is None and x._data.dtype.kind in "biu":
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got "
            f"{scalar_type_name(dtype_of(x._data))}"
        )
    if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(f"{name}: dtype should be floating point or complex, but got {dtype!r}")
    if dtype is not None and x._data.dtype.kind == "c" and not dtype.is_complex:
        raise RuntimeError(f"{name}: dtype should be complex for complex inputs, but got {dtype!r}")


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """Returns the p-norm of ``input - other``.

    >>> torch.dist(torch.tensor([1.0, 2.0]), torch.tensor([4.0, 6.0]))
    tensor(5.)
    """
    check_tensor("dist", input, other)
    return vector_norm(input - other, p)


def cov(
    input: Tensor,
    *,
    correction: int = 1,
    fweights: Tensor | None = None,
    aweights: Tensor | None = None,
) -> Tensor:
    """Returns the covariance matrix of variables in rows, observed in columns.

    ``fweights`` count observations, ``aweights`` weigh them.

    >>> torch.cov(torch.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    check_tensor("cov", input)
    if input._data.ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {input._data.ndim} dimensions"
        )
    if input._data.dtype.kind == "b":
        raise RuntimeError("cov(): bool dtype is not supported for input")
    x = input if input._data.ndim == 2 else reshape(input, (1, -1))
    x = x * 1.0
    weights = None
    for name, w in (("fweights", fweights), ("aweights", aweights)):
        if w is None:
            continue
        _check_weights(name, w, x._data.shape[1])
        weights = w if weights is None else weights * w
    if weights is None:
        total: Any = x._data.shape[1]
        center = mean(x, 1, True) if total else sum(x, 1, True)
        norm: Any = max(total - correction, 0)
    else:
        total = sum(weights)
        center = sum(x * weights, 1, True) / total
        off = correction if aweights is None else correction * sum(weights * aweights) / total
        norm = clamp(total - off, min=0)
    x = x - center
    right = x if weights is None else x * weights
    result = matmul(right, conj(t(x))) / norm
    return reshape(result, ()) if result._data.size == 1 else result


def _check_weights(name: str, w: Tensor, n: int) -> None:
    check_tensor("cov", w, names=(name,))
    if w._data.ndim > 1:
        raise RuntimeError(f"cov(): expected {name} to have one or fewer dimensions")
    kinds = "iu" if name == "fweights" else "f"
    if w._data.dtype.kind not in kinds:
        raise RuntimeError(
            f"cov(): expected {name} to have another dtype than {dtype_of(w._data)!r}"
        )
    if w._data.size != n:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input "
            f"but got {w._data.size} != {n}"
        )
    seen = backend_of(w._data).bounds(w._data)
    if seen is not None and seen[0] < 0:
        raise RuntimeError(f"cov(): {name} cannot be negative")


def corrcoef(input: Tensor) -> Tensor:
    """Returns the correlation coefficients of variables in rows, observed in columns.

    >>> torch.corrcoef(torch.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    check_tensor("corrcoef", input)
    if input._data.ndim > 2:
        raise RuntimeError(
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{input._data.ndim} dimensions"
        )
    c = cov(input)
    if not c._data.ndim:
        return c / c
    deviation = diagonal(real(c)) ** 0.5
    c = c / unsqueeze(deviation, 1) / unsqueeze(deviation, 0)
    return c if c._data.dtype.kind == "c" else clamp(c, -1, 1)
