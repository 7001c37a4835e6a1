"""Matrix products added to something."""

from __future__ import annotations

from typing import Any

from ..autograd.tape import TensorBase, taped
from ..backends import dtype_of
from ..backends.host import ndarray
from ._declare import derivative
from ._older import hides_older, in_order
from ._promote import alike
from ._results import check_tensor, finished, is_half, rounded_once, same_dtype
from .arithmetic import mul
from .products import bmm, matmul, widened
from .reduction import sum
from .shape import expand, reshape, unsqueeze

Tensor = Any
Number = int | float | complex | bool


def _added(
    name: str, input: Tensor, product: Tensor, beta: Number, alpha: Number, out: Any, inputs: Any
) -> Tensor:
    """beta * input + alpha * product; with beta 0, NaN in the input does not count."""
    if product._data.dtype.kind in "iu" and (isinstance(beta, float) or isinstance(alpha, float)):
        beta, alpha = int(beta), int(alpha)  # type: ignore[arg-type]
    start, shape = input, product._data.shape
    if shape[len(shape) - input._data.ndim :] != input._data.shape:
        try:
            start = expand(input, *shape)
        except RuntimeError as error:
            raise RuntimeError(f"{name}: {error}") from None
    scaled = product if alpha == 1 else product * alpha
    if beta == 0:
        result = scaled if input._node is None else _unseen(start, scaled)
    else:
        result = (start if beta == 1 else start * beta) + scaled
    return result if out is None else finished(name, result, out, (input, *inputs))


@derivative(name="MulBackward0", d_input=lambda g: g * 0, d_product=lambda g: g)
def _unseen(input: Tensor, product: Tensor) -> Tensor:
    """The product alone, whose gradient for what was not added is zero rather than none."""
    return taped(_unseen, product._data, (input, product))


def _matrices(name: str, input: Tensor, ndims: tuple[int, int], a: Tensor, b: Tensor) -> None:
    if alike((input, a, b)) and input._data.__class__ is a._data.__class__ is ndarray:
        if a._data.ndim == ndims[0] and b._data.ndim == ndims[1] and a._data.dtype.kind != "b":
            return  # nearly always, and so found out first
    check_tensor(name, input, a, b, names=("input", "mat1", "mat2"))
    same_dtype(name, input, a, b)
    if (a._data.ndim, b._data.ndim) != ndims:
        raise RuntimeError(
            f"{name}: expected arguments of {ndims[0]} and {ndims[1]} dimensions, but got "
            f"{a._data.ndim}D and {b._data.ndim}D"
        )
    if a._data.dtype.kind == "b":
        raise NotImplementedError(f"\"{name}_impl_cpu_\" not implemented for 'Bool'")


@hides_older
def addmm(
    input: Tensor,
    mat1: Tensor,
    mat2: Tensor,
    out_dtype: Any = None,
    *older: Tensor,
    beta: Number = 1,
    alpha: Number = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Returns ``beta * input + alpha * mat1 @ mat2``.

    ``out_dtype`` is the dtype of the result; see `mm`.

    >>> torch.addmm(torch.ones(2), torch.eye(2), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[2., 3.],
            [4., 5.]])
    """
    if older or isinstance(out_dtype, TensorBase):
        return in_order(
            addmm, "addmm", input, mat1, mat2, out_dtype, *older, beta=beta, alpha=alpha, out=out
        )
    if out_dtype is not None:
        input, mat1, mat2 = widened("addmm", out_dtype, input, mat1, mat2)
    _matrices("addmm", input, (2, 2), mat1, mat2)
    if is_half(mat1):
        return rounded_once(addmm, input, mat1, mat2, beta=beta, alpha=alpha, out=out)
    return _added("addmm", input, matmul(mat1, mat2), beta, alpha, out, (mat1, mat2))


@hides_older
def addmv(
    input: Tensor,
    mat: Tensor,
    vec: Tensor,
    *older: Tensor,
    beta: Number = 1,
    alpha: Number = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Returns ``beta * input + alpha * mat @ vec``.

    >>> torch.addmv(torch.ones(2), torch.eye(2), torch.tensor([1.0, 2.0]))
    tensor([2., 3.])
    """
    if older:
        return in_order(addmv, "addmm", input, mat, vec, *older, beta=beta, alpha=alpha, out=out)
    _matrices("addmv", input, (2, 1), mat, vec)
    if is_half(mat):
        return rounded_once(addmv, input, mat, vec, beta=beta, alpha=alpha, out=out)
    return _added("addmv", input, matmul(mat, vec), beta, alpha, out, (mat, vec))


def _check_batches(name: str, a: Tensor, b: Tensor) -> None:
    x, y = a._data.shape, b._data.shape
    if x[0] != y[0] or x[2] != y[1]:
        raise RuntimeError(
            f"{name}: Expected size for first two dimensions of batch2 tensor to be: "
            f"[{x[0]}, {x[2]}] but got: [{y[0]}, {y[1]}]."
        )


@hides_older
def addbmm(
    input: Tensor,
    batch1: Tensor,
    batch2: Tensor,
    *older: Tensor,
    beta: Number = 1,
    alpha: Number = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Returns ``beta * input`` plus ``alpha`` times the sum of the products of two batches.

    >>> torch.addbmm(torch.zeros(1, 1), torch.ones(2, 1, 3), torch.ones(2, 3, 1))
    tensor([[6.]])
    """
    if older:
        return in_order(
            addbmm, "addmm", input, batch1, batch2, *older, beta=beta, alpha=alpha, out=out
        )
    _matrices("addbmm", input, (3, 3), batch1, batch2)
    _check_batches("addbmm", batch1, batch2)
    if is_half(batch1):
        return rounded_once(addbmm, input, batch1, batch2, beta=beta, alpha=alpha, out=out)
    total = sum(bmm(batch1, batch2), 0)
    if total._data.dtype is not batch1._data.dtype:
        total = total.to(dtype_of(batch1._data))
    return _added("addbmm", input, total, beta, alpha, out, (batch1, batch2))


@hides_older
def baddbmm(
    input: Tensor,
    batch1: Tensor,
    batch2: Tensor,
    out_dtype: Any = None,
    *older: Tensor,
    beta: Number = 1,
    alpha: Number = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Returns ``beta * input + alpha * batch1 @ batch2`` for batches of matrices.

    ``out_dtype`` is the dtype of the result; see `mm`.

    >>> torch.baddbmm(torch.ones(1, 1, 1), torch.ones(1, 1, 3), torch.ones(1, 3, 1))
    tensor([[[4.]]])
    """
    if older or isinstance(out_dtype, TensorBase):
        return in_order(
            baddbmm,
            "addmm",
            input,
            batch1,
            batch2,
            out_dtype,
            *older,
            beta=beta,
            alpha=alpha,
            out=out,
        )
    if out_dtype is not None:
        input, batch1, batch2 = widened("baddbmm", out_dtype, input, batch1, batch2)
    _matrices("baddbmm", input, (3, 3), batch1, batch2)
    _check_batches("baddbmm", batch1, batch2)
    if is_half(batch1):
        return rounded_once(baddbmm, input, batch1, batch2, beta=beta, alpha=alpha, out=out)
    return _added("baddbmm", input, bmm(batch1, batch2), beta, alpha, out, (batch1, batch2))


@hides_older
def addr(
    input: Tensor,
    vec1: Tensor,
    vec2: Tensor,
    *older: Tensor,
    beta: Number = 1,
    alpha: Number = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Returns ``beta * input`` plus ``alpha`` times the outer product of two vectors.

    >>> torch.addr(torch.zeros(2, 2), torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    if older:
        return in_order(addr, "addmm", input, vec1, vec2, *older, beta=beta, alpha=alpha, out=out)
    check_tensor("addr", input, vec1, vec2, names=("input", "vec1", "vec2"))
    _vectors("addr", vec1, vec2)
    if is_half(input) and is_half(vec1) and is_half(vec2):
        return rounded_once(addr, input, vec1, vec2, beta=beta, alpha=alpha, out=out)
    product = reshape(vec1, (-1, 1)) * reshape(vec2, (1, -1))
    if input._data.dtype.kind == "b" and product._data.dtype.kind == "b":
        scaled = product & bool(alpha)
        result = expand(input, *product._data.shape) & bool(beta) | scaled
        return finished("addr", result, out, (input, vec1, vec2))
    return _added("addr", input, product, beta, alpha, out, (vec1, vec2))


def _vectors(name: str, *vectors: Tensor) -> None:
    for position, v in enumerate(vectors, 1):
        if v._data.ndim != 1:
            raise RuntimeError(
                f"{name}: Expected 1-D argument vec{position}, but got {v._data.ndim}-D"
            )


def outer(input: Tensor, vec2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the products of each element of one vector with each of another.

    >>> torch.outer(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
    """
    check_tensor("outer", input, vec2, names=("input", "vec2"))
    for t, name in ((input, "self"), (vec2, "vec2")):
        if t._data.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {t._data.ndim}-D")
    product = mul(unsqueeze(input, 1), vec2)
    return finished("outer", product, out, (input, vec2))


ger = outer
