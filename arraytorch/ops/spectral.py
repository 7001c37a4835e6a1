"""Discrete Fourier transforms along one dimension and along several.

All are made of three: of complex numbers, of reals (half of whose spectrum is enough, as the rest
mirrors it), and from such a half back to reals. A transform is linear, so its derivative is its
adjoint: the transform in the other direction with the same scale. For halves the mirror images are
accounted for by `scale_interior`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._dtypes import scalar_type_name
from ..autograd.tape import taped
from ..backends import backend_of, dtype_of
from ._declare import derivative
from ._promote import dim_of
from ._results import check_tensor, finished, floating
from .complex_numbers import conj
from .padding import constant_pad

Tensor = Any

# The adjoint of a transform goes the other way, but is scaled like it, not like the way back.
_ADJOINT = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


@derivative(
    saves=("dims", "norm", "forward"),
    kernel="fft_complex",
    name="FftC2CBackward0",
    d_input=lambda B, g, dims, norm, forward: B.fft_complex(g, dims, _ADJOINT[norm], not forward),
)
def _fft_complex(input: Tensor, dims: tuple[int, ...], norm: str, forward: bool) -> Tensor:
    z = backend_of(input._data).fft_complex(input._data, dims, norm, forward)
    return taped(_fft_complex, z, (input,), (dims, norm, forward))


@derivative(
    saves=("dims", "norm", "n"),
    kernel="fft_real",
    name="FftR2CBackward0",
    d_input=lambda B, g, dims, norm, n: B.fft_to_real(
        B.scale_interior(g, dims[-1], n, 0.5), dims, _ADJOINT[norm], n
    ),
)
def _fft_real(input: Tensor, dims: tuple[int, ...], norm: str) -> Tensor:
    x = input._data
    z = backend_of(x).fft_real(x, dims, norm)
    return taped(_fft_real, z, (input,), (dims, norm, x.shape[dims[-1]]))


@derivative(
    saves=("dims", "norm", "n"),
    kernel="fft_to_real",
    name="FftC2RBackward0",
    d_input=lambda B, g, dims, norm, n: B.scale_interior(
        B.fft_real(g, dims, _ADJOINT[norm]), dims[-1], n, 2.0
    ),
)
def _fft_to_real(input: Tensor, dims: tuple[int, ...], norm: str, n: int) -> Tensor:
    z = backend_of(input._data).fft_to_real(input._data, dims, norm, n)
    return taped(_fft_to_real, z, (input,), (dims, norm, n))


@derivative(
    saves=("dim", "n", "factor"),
    kernel="scale_interior",
    d_input=lambda B, g, dim, n, factor: B.scale_interior(g, dim, n, factor),
)
def _scale_interior(input: Tensor, dim: int, n: int, factor: float) -> Tensor:
    z = backend_of(input._data).scale_interior(input._data, dim, n, factor)
    return taped(_scale_interior, z, (input,), (dim, n, factor))


# ------------------------------------------------------------------------------ arguments


def _checked(name: str, input: Tensor, real: bool = False) -> Tensor:
    check_tensor(f"fft_{name}", input)
    kind = scalar_type_name(dtype_of(input._data))
    if real and input._data.dtype.kind == "c":
        if name == "ihfftn":
            raise RuntimeError(f"Only supports floating-point dtypes, but found: {kind}")
        real_ = "real-valued" if name == "rfftn" else "real"
        raise RuntimeError(f"{name} expects a {real_} input tensor, but got {kind}")
    if kind in ("Half", "BFloat16"):
        raise RuntimeError(f"Unsupported dtype {kind}")
    return floating(input)


def _norm(norm: Any, name: str) -> str:
    if norm is not None and not isinstance(norm, str):
        raise TypeError(f"fft_{name}(): argument 'norm' must be str, not {type(norm).__name__}")
    if norm is not None and norm not in _ADJOINT:
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')
    return norm or "backward"


def _int(name: str, what: str, value: Any) -> int:
    if not hasattr(value, "__index__") or isinstance(value, bool):
        raise TypeError(f"fft_{name}(): argument '{what}' must be int, not {type(value).__name__}")
    return value.__index__()


def _dim(dim: int, ndim: int) -> int:
    if not ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return dim_of(dim, ndim)


def _ints(name: str, what: str, values: Any) -> list[int]:
    if hasattr(values, "__index__"):
        values = [values]
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise TypeError(
            f"fft_{name}(): argument '{what}' must be tuple of ints, not {type(values).__name__}"
        )
    return [_int(name, what, v) for v in values]


def _shape_and_dims(name: str, input: Tensor, s: Any, dim: Any) -> tuple[list[int], list[int]]:
    """The sizes (-1: as they are) and the dimensions that a transform of several runs over."""
    ndim = input._data.ndim
    dims = None if dim is None else [_dim(d, ndim) for d in _ints(name, "dim", dim)]
    if dims is not None and len(set(dims)) != len(dims):
        raise RuntimeError("FFT dims must be unique")
    sizes = None if s is None else _ints(name, "s", s)
    if sizes is not None and dims is None and len(sizes) > ndim:
        raise RuntimeError(
            f"Got shape with {len(sizes)} values but input tensor only has {ndim} dimensions."
        )
    if dims is None:
        dims = list(range(ndim))[ndim - len(sizes) :] if sizes is not None else list(range(ndim))
    if sizes is None:
        sizes = [-1] * len(dims)
    if len(sizes) != len(dims):
        raise RuntimeError("When given, dim and shape arguments must have the same length")
    return sizes, dims


def _resized(input: Tensor, sizes: Sequence[int], dims: Sequence[int]) -> Tensor:
    """The tensor cropped, or padded with zeros at the end, to these sizes; -1 leaves one as it is."""
    shape = input._data.shape
    pairs = [(0, 0)] * len(shape)
    for n, d in zip(sizes, dims, strict=True):
        n = shape[d] if n == -1 else n
        if n < 1:
            raise RuntimeError(f"Invalid number of data points ({n}) specified")
        pairs[d] = (0, n - shape[d])
    return constant_pad(input, tuple(pairs), 0) if any(b for _, b in pairs) else input


def _one(name: str, input: Tensor, n: Any, dim: Any) -> tuple[list[int], list[int]]:
    dims = [_dim(_int(name, "dim", dim), input._data.ndim)]
    size = -1 if n is None else _int(name, "n", n)
    if n is not None and size < 1:
        raise RuntimeError(f"Invalid number of data points ({size}) specified")
    return [size], dims


def _complex_of(name: str, x: Tensor, where: Any, norm: Any, forward: bool, out: Any) -> Tensor:
    sizes, dims = where
    y, scale = _resized(x, sizes, dims), _norm(norm, name)
    if not dims:  # a transform of nothing still gives complex numbers
        y = y * 1 if y._data.dtype.kind == "c" else y + 0j
    else:
        y = _fft_complex(y, tuple(dims), scale, forward)
    return finished(f"fft_{name}", y, out, (x,))


def _half_of(name: str, x: Tensor, where: Any, norm: str) -> Tensor:
    sizes, dims = where
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    return _fft_real(_resized(x, sizes, dims), tuple(dims), norm)


def _real_of(name: str, x: Tensor, where: Any, norm: str) -> Tensor:
    sizes, dims = where
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    last = 2 * (x._data.shape[dims[-1]] - 1) if sizes[-1] == -1 else sizes[-1]
    if last < 1:
        raise RuntimeError(f"Invalid number of data points ({last}) specified")
    if x._data.dtype.kind != "c":
        x = x + 0j
    return _fft_to_real(_resized(x, [*sizes[:-1], last // 2 + 1], dims), tuple(dims), norm, last)


# ------------------------------------------------------------------------------ one dimension


def fft(
    input: Tensor,
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the Fourier transform along a dimension: ``sum(x[k] * exp(-2 pi i j k / n))`` for j.

    The input is first cropped or padded with zeros to ``n`` points. ``norm`` "backward", the
    default, leaves the sum as it is, "ortho" divides it by sqrt(n), "forward" by n; the inverse
    divides by the rest. The result is complex; float16 is not supported.

    >>> torch.fft.fft(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j, -2.-2.j])
    """
    x = _checked("fft", input)
    return _complex_of("fft", x, _one("fft", x, n, dim), norm, True, out)


def ifft(
    input: Tensor,
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the inverse of `fft`, by default divided by n.

    >>> torch.fft.ifft(torch.tensor([10 + 0j, -2 + 2j, -2 + 0j, -2 - 2j]))
    tensor([1.+0.j, 2.+0.j, 3.+0.j, 4.+0.j])
    """
    x = _checked("ifft", input)
    return _complex_of("ifft", x, _one("ifft", x, n, dim), norm, False, out)


def rfft(
    input: Tensor,
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the first ``n // 2 + 1`` points of `fft` of reals: the others are their conjugates.

    >>> torch.fft.rfft(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j])
    """
    x = _checked("rfft", input, real=True)
    result = _half_of("rfft", x, _one("rfft", x, n, dim), _norm(norm, "rfft"))
    return finished("fft_rfft", result, out, (input,))


def irfft(
    input: Tensor,
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the inverse of `rfft`: n reals, by default an even number of them.

    >>> torch.fft.irfft(torch.tensor([10 + 0j, -2 + 2j, -2 + 0j]))
    tensor([1., 2., 3., 4.])
    """
    x = _checked("irfft", input)
    result = _real_of("irfft", x, _one("irfft", x, n, dim), _norm(norm, "irfft"))
    return finished("fft_irfft", result, out, (input,))


def hfft(
    input: Tensor,
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the Fourier transform, which is real, of a signal given by its first half.

    The other half is the conjugate mirror image. By default there are an even number of points.

    >>> torch.fft.hfft(torch.tensor([1 + 0j, 2 + 1j, 3 + 0j]))
    tensor([ 8.,  0.,  0., -4.])
    """
    x = _checked("hfft", input)
    result = _real_of("hfft", conj(x), _one("hfft", x, n, dim), _ADJOINT[_norm(norm, "hfft")])
    return finished("fft_hfft", result, out, (input,))


def ihfft(
    input: Tensor,
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the inverse of `hfft`: the first half of the inverse transform of reals.

    >>> torch.fft.ihfft(torch.tensor([8.0, 0.0, 0.0, -4.0]))
    tensor([1.-0.j, 2.+1.j, 3.-0.j])
    """
    x = _checked("ihfft", input, real=True)
    result = conj(_half_of("ihfft", x, _one("ihfft", x, n, dim), _ADJOINT[_norm(norm, "ihfft")]))
    return finished("fft_ihfft", result, out, (input,))


# -------------------------------------------------------------------------- several dimensions


def fftn(
    input: Tensor,
    s: Any = None,
    dim: Any = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the Fourier transform along several dimensions, by default all.

    ``s`` are the numbers of points along them, -1 as many as there are; without ``dim`` they are
    those of the last dimensions.

    >>> torch.fft.fftn(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[10.+0.j, -2.+0.j],
            [-4.+0.j,  0.+0.j]])
    """
    x = _checked("fftn", input)
    return _complex_of("fftn", x, _shape_and_dims("fftn", x, s, dim), norm, True, out)


def ifftn(
    input: Tensor,
    s: Any = None,
    dim: Any = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the inverse of `fftn`.

    >>> torch.fft.ifftn(torch.tensor([[10 + 0j, -2 + 0j], [-4 + 0j, 0j]]))
    tensor([[1.+0.j, 2.+0.j],
            [3.+0.j, 4.+0.j]])
    """
    x = _checked("ifftn", input)
    return _complex_of("ifftn", x, _shape_and_dims("ifftn", x, s, dim), norm, False, out)


def rfftn(
    input: Tensor,
    s: Any = None,
    dim: Any = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns `fftn` of reals, only the first half along the last of the dimensions.

    >>> torch.fft.rfftn(torch.ones(2, 4))
    tensor([[8.+0.j, 0.+0.j, 0.+0.j],
            [0.+0.j, 0.+0.j, 0.+0.j]])
    """
    x = _checked("rfftn", input, real=True)
    result = _half_of("rfftn", x, _shape_and_dims("rfftn", x, s, dim), _norm(norm, "rfftn"))
    return finished("fft_rfftn", result, out, (input,))


def irfftn(
    input: Tensor,
    s: Any = None,
    dim: Any = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the inverse of `rfftn`.

    >>> torch.fft.irfftn(torch.tensor([[8.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    tensor([[1., 1., 1., 1.],
            [1., 1., 1., 1.]])
    """
    x = _checked("irfftn", input)
    result = _real_of("irfftn", x, _shape_and_dims("irfftn", x, s, dim), _norm(norm, "irfftn"))
    return finished("fft_irfftn", result, out, (input,))


def hfftn(
    input: Tensor,
    s: Any = None,
    dim: Any = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns `hfft` along the last of several dimensions, `fft` along the others.

    >>> torch.fft.hfftn(torch.ones(2, 2))
    tensor([[4., 0.],
            [0., 0.]])
    """
    x = _checked("hfftn", input)
    where = _shape_and_dims("hfftn", x, s, dim)
    result = _real_of("hfftn", conj(x), where, _ADJOINT[_norm(norm, "hfftn")])
    return finished("fft_hfftn", result, out, (input,))


def ihfftn(
    input: Tensor,
    s: Any = None,
    dim: Any = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the inverse of `hfftn`.

    >>> torch.fft.ihfftn(torch.tensor([[4.0, 0.0], [0.0, 0.0]]))
    tensor([[1.-0.j, 1.-0.j],
            [1.-0.j, 1.-0.j]])
    """
    x = _checked("ihfftn", input, real=True)
    where = _shape_and_dims("ihfftn", x, s, dim)
    result = conj(_half_of("ihfftn", x, where, _ADJOINT[_norm(norm, "ihfftn")]))
    return finished("fft_ihfftn", result, out, (input,))
