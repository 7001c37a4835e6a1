"""Matrix products."""

from __future__ import annotations

from typing import Any

from .._dtypes import float32, scalar_type_name
from ..autograd.tape import taped
from ..backends import backend_of, dtype_of, numpy_dtype, outermost
from ._declare import cast, derivative
from ._promote import common_device
from ._results import check_tensor
from ._write import write_result

Tensor = Any


def _T(B: Any, x: Any) -> Any:
    return B.transpose(x, x.ndim - 2, x.ndim - 1)


# Each rule sees from the dimensions of g whether the argument that it does not read was a vector:
# naming that argument would keep it alive, and forbid to write it.


def _left(B: Any, g: Any, other: Any) -> Any:
    """dX of X @ Y is G Y^H; a vector counts as the matrix that matmul takes it for."""
    if other.ndim == 1:
        return (_column(B, g) if g.ndim else g) * B.conj(other)
    if g.ndim < other.ndim:
        row = B.matmul(_row(B, g), _T(B, B.conj(other)))
        return B.reshape(row, (*row.shape[:-2], row.shape[-1]))
    return B.matmul(g, _T(B, B.conj(other)))


def _right(B: Any, g: Any, input: Any) -> Any:
    """dY of X @ Y is X^H G."""
    if input.ndim == 1:
        return _column(B, B.conj(input)) * _row(B, g) if g.ndim else g * B.conj(input)
    if g.ndim < input.ndim:
        column = B.matmul(_T(B, B.conj(input)), _column(B, g))
        return B.reshape(column, tuple(column.shape[:-1]))
    return B.matmul(_T(B, B.conj(input)), g)


def _row(B: Any, x: Any) -> Any:
    return B.reshape(x, (*x.shape[:-1], 1, x.shape[-1]))


def _column(B: Any, x: Any) -> Any:
    return B.reshape(x, (*x.shape, 1))


@derivative(saves=("input", "other"), name="MmBackward0", d_input=_left, d_other=_right)
def matmul(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the matrix product; vectors count as rows or columns, leading dimensions broadcast.

    Raises RuntimeError where sizes do not match or dtypes differ.

    >>> torch.matmul(torch.tensor([[1.0, 2.0]]), torch.tensor([3.0, 4.0]))
    tensor([11.])
    """
    try:
        x, y = input._data, other._data
        if x.dtype is not y.dtype or x.dtype.kind == "b":
            raise TypeError
        z = backend_of(x).matmul(x, y)
    except (AttributeError, TypeError, ValueError) as error:
        z = _mixed(input, other)
        if z is None:
            raise _matmul_error("matmul", input, other) from error
    if z.__class__ is not x.__class__:
        z = backend_of(x).asarray(z)
    result = taped(matmul, z, (input, other), (input, other))
    return result if out is None else write_result("matmul", out, result, (input, other))


def times(input: Tensor, other: Any) -> Tensor:
    """`matmul` as the operator ``@``, which leaves foreign types to the other operand."""
    try:
        x, y = input._data, other._data
        if x.dtype is not y.dtype or x.dtype.kind == "b":
            raise TypeError
        z = backend_of(x).matmul(x, y)
    except (AttributeError, TypeError, ValueError) as error:
        if not hasattr(other, "_data"):
            return NotImplemented
        z = _mixed(input, other)
        if z is None:
            raise _matmul_error("matmul", input, other) from error
    if z.__class__ is not x.__class__:
        z = backend_of(x).asarray(z)
    return taped(matmul, z, (input, other), (input, other))


def _mixed(input: Any, other: Any) -> Any:
    """The product of arrays of two kinds, as of a dense and a sparse one; None for any others."""
    x, y = getattr(input, "_data", None), getattr(other, "_data", None)
    if x is None or y is None or not (hasattr(x, "layout") or hasattr(y, "layout")):
        return None
    common_device("matmul", [input, other])
    if x.dtype is not y.dtype:
        a, b = scalar_type_name(dtype_of(x)), scalar_type_name(dtype_of(y))
        raise RuntimeError(f"expected scalar type {a} but found {b}")
    return outermost(x, y).matmul(x, y)


def _matmul_error(name: str, input: Any, other: Any) -> Exception:
    for position, (label, t) in enumerate((("input", input), ("other", other)), 1):
        if not hasattr(t, "_data"):
            return TypeError(
                f"{name}(): argument '{label}' (position {position}) must be Tensor, "
                f"not {type(t).__name__}"
            )
    x, y = input._data, other._data
    try:
        common_device(name, [input, other])
    except RuntimeError as error:
        return error
    if x.dtype != y.dtype:
        return RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {dtype_of(x)!r} != {dtype_of(y)!r}"
        )
    if x.dtype.kind == "b":
        return NotImplementedError("\"addmm_impl_cpu_\" not implemented for 'Bool'")
    if not x.ndim or not y.ndim:
        return RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {x.ndim}D and {y.ndim}D"
        )
    rows, columns = x.shape[-1], y.shape[-2] if y.ndim > 1 else y.shape[0]
    if rows != columns and x.ndim == y.ndim == 1:
        return RuntimeError(
            "inconsistent tensor size, expected tensor "
            f"{list(x.shape)} and src {list(y.shape)} to have the same number of elements, but got "
            f"{rows} and {columns} elements respectively"
        )
    if rows != columns and x.ndim <= 2 and y.ndim == 1:
        return RuntimeError(
            f"size mismatch, got input ({x.shape[0]}), mat ({x.shape[0]}x{rows}), vec ({columns})"
        )
    if rows != columns:
        a = "x".join(map(str, (x.size // max(rows, 1), rows)))
        b = "x".join(map(str, y.shape[-2:]))
        return RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({a} and {b}): {name}() got shapes "
            f"{list(x.shape)} and {list(y.shape)}"
        )
    return RuntimeError(
        f"{name}(): the leading dimensions of shapes {list(x.shape)} and {list(y.shape)} do not "
        "broadcast"
    )


def _of_dims(name: str, x: Any, ndim: int, what: str) -> None:
    if x._data.ndim != ndim:
        raise RuntimeError(f"{what} must be a {'matrix' if ndim == 2 else f'{ndim}D tensor'}")


def widened(name: str, out_dtype: Any, *inputs: Any) -> list[Tensor]:
    """The factors of a product in the dtype of its result: their own, or float32 for halves."""
    check_tensor(name, *inputs)
    native = numpy_dtype(out_dtype)
    for t in inputs:
        half = t._data.dtype.itemsize == 2 and dtype_of(t._data).is_floating_point
        if native is not t._data.dtype and not (half and out_dtype is float32):
            raise RuntimeError(
                "out_dtype must be the same as input dtype or fp32 for fp16/bf16 inputs"
            )
    return [t if t._data.dtype is native else cast(t, native) for t in inputs]


def mm(input: Tensor, mat2: Tensor, out_dtype: Any = None, *, out: Tensor | None = None) -> Tensor:
    """Returns the product of two matrices.

    ``out_dtype`` is the dtype of the result: the inputs', or float32 for halves, multiplied as such.

    >>> torch.mm(torch.eye(2), torch.ones(2, 1)).shape
    torch.Size([2, 1])
    """
    try:
        _of_dims("mm", input, 2, "self")
        _of_dims("mm", mat2, 2, "mat2")
    except AttributeError:
        check_tensor("mm", input, mat2, names=("input", "mat2"))
        raise
    if out_dtype is not None:
        input, mat2 = widened("mm", out_dtype, input, mat2)
    return matmul(input, mat2, out=out)


def bmm(input: Tensor, mat2: Tensor, out_dtype: Any = None, *, out: Tensor | None = None) -> Tensor:
    """Returns the products of two batches of matrices of the same length.

    ``out_dtype`` is the dtype of the result: the inputs', or float32 for halves, multiplied as such.

    >>> torch.bmm(torch.ones(3, 2, 4), torch.ones(3, 4, 5)).shape
    torch.Size([3, 2, 5])
    """
    try:
        _of_dims("bmm", input, 3, "batch1")
        _of_dims("bmm", mat2, 3, "batch2")
    except AttributeError:
        check_tensor("bmm", input, mat2, names=("input", "mat2"))
        raise
    a, b = input._data.shape, mat2._data.shape
    if a[0] != b[0] or a[2] != b[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{a[0]}, {a[2]}] but "
            f"got: [{b[0]}, {b[1]}]."
        )
    if out_dtype is not None:
        input, mat2 = widened("bmm", out_dtype, input, mat2)
    return matmul(input, mat2, out=out)


def mv(input: Tensor, vec: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the product of a matrix and a vector.

    >>> torch.mv(torch.eye(2), torch.ones(2))
    tensor([1., 1.])
    """
    try:
        n, m = input._data.ndim, vec._data.ndim
    except AttributeError:
        check_tensor("mv", input, vec, names=("input", "vec"))
        raise
    if n != 2 or m != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {m}, {n}, {m}")
    return matmul(input, vec, out=out)


def dot(input: Tensor, tensor: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the sum of the products of two vectors' elements, none of them conjugated.

    >>> torch.dot(torch.tensor([2, 3]), torch.tensor([2, 1]))
    tensor(7)
    """
    try:
        n, m = input._data.ndim, tensor._data.ndim
    except AttributeError:
        check_tensor("dot", input, tensor, names=("input", "tensor"))
        raise
    if n != 1 or m != 1:
        raise RuntimeError(f"1D tensors expected, but got {n}D and {m}D tensors")
    return matmul(input, tensor, out=out)
