"""Products with the orthogonal matrix that Householder vectors stand for."""

from __future__ import annotations

from typing import Any

from .._dtypes import scalar_type_name
from ..autograd.tape import taped, wrap
from ..backends import backend_of, dtype_of
from ._declare import derivative
from ._results import check_tensor, finished, unsupported
from .complex_numbers import conj
from .diagonals import tril
from .lu import householder_product
from .products import matmul
from .shape import transpose as swapped
from .shape import unsqueeze

Tensor = Any


def orgqr_method(self: Tensor, input2: Tensor) -> Tensor:
    """Returns Q of what `torch.geqrf` gives; see `torch.linalg.householder_product`."""
    return householder_product(self, input2)


def ormqr(
    input: Tensor,
    tau: Tensor,
    other: Tensor,
    left: bool = True,
    transpose: bool = False,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns Q @ other, or other @ Q if not ``left``, with Q of what `torch.geqrf` gives.

    Q is square and never made: it is the product of the reflections I - tau_k v_k v_k^H, which are
    applied one by one. ``transpose`` stands for the conjugate transpose of Q.

    >>> a, tau = torch.geqrf(torch.tensor([[3.0], [4.0]]))
    >>> torch.ormqr(a, tau, torch.tensor([[1.0], [0.0]]))
    tensor([[-0.6000],
            [-0.8000]])
    """
    check_tensor("ormqr", input, tau, other, names=("input", "input2", "input3"))
    _check(input, tau, other, left)
    x = input._data
    if x.dtype.kind in "biu" or x.dtype.itemsize < 4:
        raise unsupported("ormqr", input)
    if out is not None and out._data.dtype is not x.dtype:
        raise RuntimeError(
            "torch.ormqr: Expected input and result to have the same dtype, but input has dtype"
            f"{_kind(input)} and result has dtype {_kind(out)}"
        )
    k = tau._data.shape[-1]
    B = backend_of(x)
    vectors = tril(input[..., :, :k], -1) + wrap(B.eye(x.shape[-2], k, x.dtype))
    scales = conj(tau) if transpose else tau
    result = other
    for i in range(k) if left is bool(transpose) else reversed(range(k)):
        result = _reflected(result, vectors[..., :, i : i + 1], scales[..., i], bool(left))
    if not x.size or result is other:
        result = _unreflected(input, tau, other)
    return finished("ormqr", result, out, (input, tau, other))


@derivative(
    joint=lambda B, g, needs: [None, None, g],
    inputs=("input", "tau", "other"),
    name="OrmqrBackward0",
)
def _unreflected(input: Tensor, tau: Tensor, other: Tensor) -> Tensor:
    """A copy that no reflection changed: in the graph of all, but with no gradients for two."""
    x = other._data
    return taped(_unreflected, backend_of(x).copy(x), (input, tau, other))


def ormqr_method(
    self: Tensor, input2: Tensor, input3: Tensor, left: bool = True, transpose: bool = False
) -> Tensor:
    """Returns Q @ input3, or input3 @ Q if not ``left``, with Q of this and input2 = tau; see
    `torch.ormqr`."""
    return ormqr(self, input2, input3, left, transpose)


def _reflected(c: Tensor, v: Tensor, scale: Tensor, left: bool) -> Tensor:
    """(I - scale v v^H) c, or c (I - scale v v^H)."""
    scaled, adjoint = v * unsqueeze(unsqueeze(scale, -1), -1), conj(swapped(v, -2, -1))
    if left:
        return c - matmul(scaled, matmul(adjoint, c))
    return c - matmul(matmul(c, scaled), adjoint)


def _kind(t: Tensor) -> str:
    return scalar_type_name(dtype_of(t._data))


def _check(input: Tensor, tau: Tensor, other: Tensor, left: bool) -> None:
    x, t, c = input._data, tau._data, other._data
    for label, array in (("input", x), ("other", c)):
        if array.ndim < 2:
            raise RuntimeError(f"torch.ormqr: {label} must have at least 2 dimensions.")
    side = -2 if left else -1
    if c.shape[side] < (t.shape[-1] if t.ndim else 0):
        raise RuntimeError(
            f"torch.ormqr: other.shape[{side}] must be greater than or equal to tau.shape[-1]"
        )
    if c.shape[side] != x.shape[-2]:
        raise RuntimeError(f"torch.ormqr: other.shape[{side}] must be equal to input.shape[-2]")
    if x.ndim - t.ndim != 1:
        raise RuntimeError(
            "torch.ormqr: Expected tau to have one dimension less than input, but got tau.ndim equal "
            f"to {t.ndim} and input.ndim is equal to {x.ndim}"
        )
    if t.shape[-1] != min(c.shape[side], x.shape[-1]):
        raise RuntimeError(
            f"torch.ormqr: tau.shape[-1] must be equal to min(other.shape[{side}], input.shape[-1])"
        )
    if x.ndim != c.ndim:
        raise RuntimeError(
            "torch.ormqr: Expected other to have the same number of dimensions as input, but got "
            f"other.ndim equal to {c.ndim} and input.ndim is equal to {x.ndim}"
        )
    for label, lead in (("tau", t.shape[:-1]), ("other", c.shape[:-2])):
        if lead != x.shape[:-2]:
            raise RuntimeError(
                f"torch.ormqr: Expected batch dimensions of {label} to be equal to "
                f"input.shape[:-2], but got {list(lead)}"
            )
    for label, one in (("tau", tau), ("other", other)):
        if one._data.dtype is not x.dtype:
            raise RuntimeError(
                f"torch.ormqr: Expected input and {label} to have the same dtype, but input has "
                f"dtype{_kind(input)} and {label} has dtype {_kind(one)}"
            )
