"""Complex numbers: parts, conjugates, angles."""

from __future__ import annotations

from typing import Any

from .._dtypes import scalar_type_name
from ..autograd.tape import TensorBase, taped, taped_view
from ..backends import backend_of, dtype_of, outermost
from ._declare import derivative, kernel_op, pointwise
from ._promote import broadcast_shape, is_number
from ._results import check_tensor
from ._write import write_result
from .conversion import clone

Tensor = Any


@derivative(kernel="_conj", d_input=lambda B, g: B.conj(g), name="ConjBackward0")
def _conj_physical(input: Tensor) -> Tensor:
    return taped(_conj_physical, backend_of(input._data).conj(input._data), (input,))


@kernel_op
def conj(input: Tensor) -> Tensor:
    """Returns the complex conjugate; a real tensor as it is.

    Unlike in PyTorch, the conjugate is computed at once, not marked and computed later.

    >>> torch.conj(torch.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    if not isinstance(input, TensorBase):  # a rule may meet a Python number
        if not is_number(input):
            check_tensor("conj", input)
        return input.conjugate()
    return _conj_physical(input) if input._data.dtype.kind == "c" else input


def conj_physical(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the complex conjugate in new memory.

    >>> torch.conj_physical(torch.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    try:
        result = _conj_physical(input) if input._data.dtype.kind == "c" else clone(input)
    except AttributeError:
        check_tensor("conj_physical", input)
        raise
    return result if out is None else write_result("conj_physical", out, result, (input,))


@derivative(kernel="real", d_input=lambda B, g: g, name="RealBackward0")
def real(input: Tensor) -> Tensor:
    """Returns the real part as a view of a complex tensor; a real one as it is.

    >>> torch.real(torch.tensor([1 + 2j]))
    tensor([1.])
    """
    try:
        x = input._data
    except AttributeError:
        check_tensor("real", input)
        raise
    if x.dtype.kind != "c":
        return input
    return taped_view(real, x.real, input, ())


@derivative(kernel="imag", d_input=lambda B, g: g * 1j, name="ImagBackward0")
def imag(input: Tensor) -> Tensor:
    """Returns the imaginary part as a view; RuntimeError for real tensors.

    >>> torch.imag(torch.tensor([1 + 2j]))
    tensor([2.])
    """
    try:
        x = input._data
    except AttributeError:
        check_tensor("imag", input)
        raise
    if x.dtype.kind != "c":
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return taped_view(imag, x.imag, input, ())


@pointwise(
    result="real float",
    refuses="biu",  # first they become floats
    d_input=lambda B, g, input: _slope_of_angle(B, g, input),
)
def angle(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the angle in the complex plane, in radians; pi for negative reals.

    >>> torch.angle(torch.tensor([1j, -1 + 0j]))
    tensor([1.5708, 3.1416])
    """
    ...


def _slope_of_angle(B: Any, g: Any, input: Any) -> Any:
    """d arg(z) = (-y + i x) / |z|^2, and 0 at 0 and for reals."""
    if getattr(input, "_data", input).dtype.kind != "c":
        return B.zeros_like(g)
    size = B.abs(input)
    square = B.where(size == 0, size + 1, size * size)
    return g * (input * 1j) / square


@derivative(
    saves=(),
    name="ComplexBackward0",
    d_real=lambda B, g: B.real(g),
    d_imag=lambda B, g: B.imag(g),
)
def complex(real: Tensor, imag: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the complex numbers with these parts, which are floats of one dtype.

    >>> torch.complex(torch.tensor([1.0]), torch.tensor([2.0]))
    tensor([1.+2.j])
    """
    _check_parts("complex", real, imag)
    x, y = real._data, imag._data
    broadcast_shape("complex", x.shape, y.shape)
    result = taped(complex, outermost(x, y).complex(x, y), (real, imag))
    return result if out is None else _into(out, "complex", result, real, imag)


def _into(out: Tensor, name: str, result: Tensor, first: Tensor, second: Tensor) -> Tensor:
    if isinstance(out, TensorBase) and out._data.dtype is not result._data.dtype:
        wanted, got = (scalar_type_name(dtype_of(t._data)) for t in (result, out))
        raise RuntimeError(
            f"Expected object of scalar type {wanted} but got scalar type {got} for argument 'out'"
        )
    return write_result(name, out, result, (first, second))


def _check_parts(name: str, real: Tensor, imag: Tensor) -> None:
    names = ("abs", "angle") if name == "polar" else ("real", "imag")
    check_tensor(name, real, imag, names=names)
    first, second = (scalar_type_name(dtype_of(t._data)) for t in (real, imag))
    if {first, second} - {"Half", "Float", "Double"}:
        raise RuntimeError(
            f"Expected both inputs to be Half, Float or Double tensors but got {first} and {second}"
        )
    if first != second:
        raise RuntimeError(
            f"Expected object of scalar type {first} but got scalar type {second} for second argument"
        )


def polar(abs: Tensor, angle: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the complex numbers with these moduli and angles.

    >>> torch.polar(torch.tensor([1.0]), torch.tensor([0.0]))
    tensor([1.+0.j])
    """
    _check_parts("polar", abs, angle)
    result = complex(abs * angle.cos(), abs * angle.sin())  # type: ignore[attr-defined]
    return result if out is None else _into(out, "polar", result, abs, angle)


@derivative(d_input=lambda B, g: B.real_pairs(g))
def view_as_complex(input: Tensor) -> Tensor:
    """Returns pairs of reals, along the last dimension, as a view of complex numbers.

    >>> torch.view_as_complex(torch.tensor([[1.0, 2.0]]))
    tensor([1.+2.j])
    """
    try:
        x = input._data
    except AttributeError:
        check_tensor("view_as_complex", input)
        raise
    if not x.ndim or x.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    if x.dtype.kind != "f" or x.dtype.itemsize < 4:
        raise RuntimeError("view_as_complex is only supported for half, float and double tensors")
    if x.strides[-1] != x.dtype.itemsize:
        raise RuntimeError("Tensor must have a last dimension with stride 1")
    z = x.view("c8" if x.dtype.itemsize == 4 else "c16")[..., 0]
    return taped_view(view_as_complex, z, input, ())


@derivative(kernel="real_pairs", d_input=lambda B, g: B.complex(g[..., 0], g[..., 1]))
def view_as_real(input: Tensor) -> Tensor:
    """Returns a complex tensor as a view of reals, with a last dimension of size 2.

    >>> torch.view_as_real(torch.tensor([1 + 2j]))
    tensor([[1., 2.]])
    """
    try:
        x = input._data
    except AttributeError:
        check_tensor("view_as_real", input)
        raise
    if x.dtype.kind != "c":
        raise RuntimeError("view_as_real is only supported for complex tensors")
    return taped_view(view_as_real, backend_of(x).real_pairs(x), input, ())
