"""Parametrizations that come with the library: orthogonal matrices, norms of weights."""

from __future__ import annotations

from typing import Any

from ..._tensor import Tensor
from ..._type_info import finfo
from ...autograd.modes import no_grad
from ...linalg import householder_product, matrix_exp, solve
from ...ops.counting import allclose
from ...ops.creation import zeros_like
from ...ops.joining import cat
from ...ops.lu import geqrf
from ...ops.random import randn
from ...ops.sequences import eye
from .. import functional as F
from ..modules.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..modules.module import Module
from ._norms import magnitudes, reshaped_to_matrix, scaled
from .parametrize import register_parametrization

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]

_NO_INVERSE = (
    "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
    "use_trivialization=False."
)


def _is_orthogonal(q: Tensor) -> bool:
    rows, columns = q.shape[-2:]
    identity = eye(columns, dtype=q.dtype, device=q.device)
    return allclose(q.mH @ q, identity, atol=10.0 * rows * finfo(q.dtype).eps)


def _made_orthogonal(a: Tensor) -> Tensor:
    """Returns the orthogonal factor of a matrix with the signs that make the other's diagonal positive."""
    x, tau = geqrf(a)
    q = householder_product(x, tau)
    return q * x.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


class _Orthogonal(Module):
    """Matrices with orthonormal columns, or rows, as images of matrices without a condition."""

    base: Tensor | None

    def __init__(self, weight: Tensor, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.shape[-2] < x.shape[-1]
        x = x.mT if wide else x
        q = _reflected(x) if self.orthogonal_map == "householder" else self._rotated(x)
        base = self._buffers.get("base")
        q = q if base is None else base @ q
        return q.mT if wide else q

    def _rotated(self, x: Tensor) -> Tensor:
        """The exponential, or the Cayley transform, of a skew matrix has orthogonal columns."""
        rows, columns = x.shape[-2:]
        x = x.tril()
        if rows != columns:
            x = cat([x, x.new_zeros((*x.shape[:-2], rows, rows - columns))], -1)
        skew = x - x.mH
        if self.orthogonal_map == "matrix_exp":
            q = matrix_exp(skew)
        else:
            identity = eye(rows, dtype=x.dtype, device=x.device)
            q = solve(identity - skew / 2, identity + skew / 2)
        return q[..., :columns]

    def right_inverse(self, q: Tensor) -> Tensor:
        if q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. "
                f"Got a tensor of shape {q.shape}."
            )
        start, wide = q, q.shape[-2] < q.shape[-1]
        q = q.mT if wide else q
        rows, columns = q.shape[-2:]
        if "base" not in self._buffers:
            if self.orthogonal_map != "householder":
                raise NotImplementedError(_NO_INVERSE)
            a, tau = geqrf(q)
            signs = a.diagonal(dim1=-2, dim2=-1)
            signs.sign_()
            signs[tau == 0] *= -1
            return a.mT if wide else a
        if rows == columns:
            q = q.clone() if _is_orthogonal(q) else _made_orthogonal(q)
        else:
            shape = (*q.shape[:-2], rows, rows - columns)
            rest = randn(shape, dtype=q.dtype, device=q.device)
            q = _made_orthogonal(cat([q, rest], -1))
        self.base = q
        # What the map takes to the identity, whichever it is, and with it the result to the base.
        identity = zeros_like(start)
        identity.diagonal(dim1=-2, dim2=-1).fill_(-1)
        return identity


def _reflected(x: Tensor) -> Tensor:
    """The product of the reflections that the columns below the diagonal stand for, with its signs."""
    a = x.tril(-1)
    tau = 2.0 / (1.0 + (a * a).sum(-2))
    return householder_product(a, tau) * x.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)


def orthogonal(
    module: Module,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> Module:
    """Keeps a matrix orthogonal: its rows or columns, whichever are fewer, are orthonormal.

    ``orthogonal_map`` is "matrix_exp", the default for square and complex ones, "cayley", or
    "householder". With ``use_trivialization`` a fixed orthogonal matrix stands before the map's
    result, so that one may assign to the tensor, and the first value is near the present one.

    >>> layer = torch.nn.utils.parametrizations.orthogonal(torch.nn.Linear(3, 2))
    >>> torch.allclose(layer.weight @ layer.weight.T, torch.eye(2), atol=1e-6)
    True
    """
    weight = _tensor_of(module, name)
    if weight.ndim < 2:
        raise ValueError(
            f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions."
        )
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ValueError(
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". '
            f"Got: {orthogonal_map}"
        )
    made = _Orthogonal(weight, orthogonal_map, use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)


def _tensor_of(module: Module, name: str) -> Tensor:
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return weight


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return scaled(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return magnitudes(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int = 0) -> Module:
    """Splits a tensor into its lengths (``original0``) and its direction (``original1``).

    There is a length for each index of ``dim``, or one for all with None (Salimans and Kingma,
    2016). State dicts of `nn.utils.weight_norm` can be loaded.

    >>> layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(3, 2))
    >>> layer.parametrizations.weight.original0.shape
    torch.Size([2, 1])
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)
    g, v = (f"{name}_{letter}" for letter in "gv")

    def rename(state_dict: Any, prefix: str, *rest: Any) -> None:
        if f"{prefix}{g}" in state_dict and f"{prefix}{v}" in state_dict:
            for i, old in enumerate((g, v)):
                new = f"{prefix}parametrizations.{name}.original{i}"
                state_dict[new] = state_dict.pop(f"{prefix}{old}")

    module._register_load_state_dict_pre_hook(rename)
    return module


class _SpectralNorm(Module):
    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int, dim: int, eps: float) -> None:
        super().__init__()
        ndim = weight.ndim
        if not -ndim <= dim < ndim:
            raise IndexError(
                "Dimension out of range (expected to be in range of "
                f"[-{ndim}, {ndim - 1}] but got {dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % ndim
        self.eps = eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = reshaped_to_matrix(weight, self.dim)
            for name, size in zip(("_u", "_v"), matrix.shape, strict=True):
                start = matrix.new_empty(size).normal_(0, 1)
                self.register_buffer(name, F.normalize(start, dim=0, eps=eps))
            self._iterate(matrix, 15)

    def _iterate(self, matrix: Tensor, steps: int) -> None:
        with no_grad():
            for _ in range(steps):
                self._u.copy_(F.normalize(matrix.mv(self._v), dim=0, eps=self.eps))
                self._v.copy_(F.normalize(matrix.H.mv(self._u), dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = reshaped_to_matrix(weight, self.dim)
        if self.training:
            self._iterate(matrix, self.n_power_iterations)
        # Copies, as the next call may overwrite them before the gradient is computed.
        u, v = self._u.clone(), self._v.clone()
        return weight / u.vdot(matrix.mv(v))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """Divides a tensor by its largest singular value, as a matrix whose rows are ``dim``.

    The value comes from power iterations, of which each call while training makes
    ``n_power_iterations`` (Miyato et al., 2018). By default ``dim`` is 0, but 1 for transposed
    convolutions. A vector is divided by its length.

    >>> layer = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(20, 40), eps=1e-9)
    >>> abs(torch.linalg.matrix_norm(layer.weight, 2).item() - 1) < 0.1
    True
    """
    weight = _tensor_of(module, name)
    if dim is None:
        dim = default_dim(module)
    made = _SpectralNorm(weight, n_power_iterations, dim, eps)
    return register_parametrization(module, name, made)


def default_dim(module: Module) -> int:
    """Returns the dimension of a layer's weight that belongs to its outputs."""
    return int(isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)))
