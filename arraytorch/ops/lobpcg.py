"""A few extreme eigenpairs of a large symmetric matrix, by products with it alone."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from .. import _dtypes
from .._dtypes import scalar_type_name
from ..autograd.modes import grad_enabled, no_grad
from ..backends import dtype_of
from ._results import check_tensor
from .arithmetic import sqrt
from .creation import zeros
from .extremes import amax
from .factors import cholesky_of, eigh
from .indexing import narrow
from .joining import cat, stack
from .matrix_norms import norm
from .products import matmul
from .random import randn
from .rearranging import flip
from .shape import reshape, transpose
from .solving import mH, solve_triangular

Tensor = Any

_EPS = {_dtypes.float32: 1.2e-07, _dtypes.float64: 2.23e-16}


def lobpcg(
    A: Tensor,
    k: int | None = None,
    B: Tensor | None = None,
    X: Tensor | None = None,
    n: int | None = None,
    iK: Tensor | None = None,
    niter: int | None = None,
    tol: float | None = None,
    largest: bool | None = None,
    method: str | None = None,
    tracker: Callable[[Any], None] | None = None,
    ortho_iparams: dict[str, int] | None = None,
    ortho_fparams: dict[str, float] | None = None,
    ortho_bparams: dict[str, bool] | None = None,
) -> tuple[Tensor, Tensor]:
    """Returns the ``k`` largest eigenvalues (smallest, if not ``largest``) and their eigenvectors.

    Of ``A v = e v`` with a symmetric positive definite A (..., m, m), or of ``A v = e B v``. ``X``
    are vectors to start from, ``n`` how many are refined at once (random ones unless given), ``iK``
    a preconditioner. It ends after ``niter`` steps (1000; less than 1 means any number) or when
    residuals are below ``tol``. ``method`` is "ortho" (Stathopoulos & Wu 2002; the default), which
    makes the vectors orthonormal in each step, or "basic" (Knyazev 2001). ``tracker`` is called with
    the state after each step. Gradients are those of the dense problem. Raises ValueError unless
    there are three rows of A for each vector.

    >>> values, vectors = torch.lobpcg(torch.diag(torch.arange(1.0, 10.0)), 2)
    >>> values.round(decimals=3)
    tensor([9., 8.])
    """
    check_tensor("lobpcg", A, names=("A",))
    if method not in (None, "ortho", "basic"):
        raise ValueError(f"method must be 'ortho' or 'basic', got {method!r}")
    shape, d = A._data.shape, dtype_of(A._data)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise AssertionError(f"A must be square, got shape {shape}")
    if d not in _EPS:
        raise NotImplementedError(f"\"lobpcg\" not implemented for '{scalar_type_name(d)}'")
    m = shape[-1]
    k = (1 if X is None else X._data.shape[-1]) if k is None else k
    n = (k if X is None else X._data.shape[-1]) if n is None else n
    if m < 3 * n:
        raise ValueError(
            f"LOBPCG algorithm is not applicable when the number of A rows (={m}) is smaller than 3 "
            f"x the number of requested eigenpairs (={n})"
        )
    if X is not None and X._data.shape[-2:] != (m, n):
        raise AssertionError(f"X shape mismatch: got {X._data.shape}, expected {(m, n)}")
    count = prod(shape[:-2])
    settings = {
        "iparams": {"m": m, "n": n, "k": k, "niter": 1000 if niter is None else niter,
                    "ortho_i_max": 3, "ortho_j_max": 3, **(ortho_iparams or {})},
        "fparams": {"tol": _EPS[d] ** 0.5 if tol is None else tol, "ortho_tol": _EPS[d],
                    "ortho_tol_drop": _EPS[d], "ortho_tol_replace": _EPS[d], **(ortho_fparams or {})},
        "bparams": {"largest": largest is None or largest, "ortho_use_drop": False,
                    **(ortho_bparams or {})},
    }  # fmt: skip
    with no_grad():
        if X is None:
            start = (m, n) if len(shape) == 2 else (count, m, n)
            X = randn(start, dtype=A.dtype, device=A.device)
        solved = []
        for i in range(count):
            a, b, x, ik = (
                None if t is None else reshape(t, (count, *t._data.shape[-2:]))[i]
                for t in (A, B, X, iK)
            )
            solved.append(LOBPCG(a, b, x, ik, settings, method or "ortho").run(tracker))
        E = reshape(stack([e for e, _ in solved]), (*shape[:-2], -1))
        V = reshape(stack([v for _, v in solved]), (*shape[:-1], -1))
    if grad_enabled.get() and any(t is not None and t.requires_grad for t in (A, B)):
        return _dense(A, B, V, settings["bparams"]["largest"])
    return E, V


def _dense(A: Tensor, B: Any, V: Tensor, largest: bool) -> tuple[Tensor, Tensor]:
    """The same eigenpairs by `eigh`, through which gradients flow, with the signs of V."""
    k = V._data.shape[-1]
    factor = None if B is None else cholesky_of(B)
    if factor is not None:
        A = solve_triangular(factor, A, upper=False)
        A = mH(solve_triangular(factor, mH(A), upper=False))
    values, vectors = eigh(A)
    if largest:
        values, vectors = flip(values, (-1,)), flip(vectors, (-1,))
    values, vectors = narrow(values, -1, 0, k), narrow(vectors, -1, 0, k)
    if factor is not None:
        vectors = solve_triangular(mH(factor), vectors, upper=True)
    with no_grad():
        signs = (vectors * V).sum(-2, True).sign()
    return values, vectors * signs


class LOBPCG:
    """The state of one problem, which a ``tracker`` sees: X, E, the residuals R, the directions S.

    ``ivars`` tells the step (istep), the steps left and how many pairs have converged, ``tvars`` the
    relative errors (rerr).
    """

    def __init__(self, A: Any, B: Any, X: Any, iK: Any, settings: Any, method: str) -> None:
        self.A, self.B, self.X, self.iK, self.method = A, B, X, iK, method
        self.iparams = dict(settings["iparams"])
        self.fparams = dict(settings["fparams"])
        self.bparams = dict(settings["bparams"])
        n = X._data.shape[1]
        self.E = zeros((n,), dtype=X.dtype, device=X.device)
        self.R = self.S = self.X
        left = self.iparams["niter"] if self.iparams["niter"] > 0 else -1  # -1 counts down for ever
        self.ivars = {"istep": 0, "converged_count": 0, "converged_end": 0, "iterations_left": left}
        self.fvars = {"A_norm": float(norm(A)), "B_norm": 1.0 if B is None else float(norm(B))}
        self.bvars: dict[str, bool] = {}
        self.tvars: dict[str, Any] = {}

    def run(self, tracker: Callable[[Any], None] | None) -> tuple[Tensor, Tensor]:
        """Steps until enough pairs have converged; returns them."""
        n, k, P = self.X._data.shape[1], self.iparams["k"], None
        self._ritz(self._basis(self.X), n)
        while True:
            self._residuals()
            if self.ivars["converged_count"] >= min(k, n) or not self.ivars["iterations_left"]:
                break
            W = self.R if self.iK is None else matmul(self.iK, self.R)
            self.S = cat([self.X, W] if P is None else [self.X, W, P], 1)
            old = self.X
            self._ritz(self._basis(self.S), n)
            # The next direction: what the step has added, beyond the old vectors.
            P = self.X - matmul(old, matmul(transpose(old, 0, 1), self._times_b(self.X)))
            self.ivars["istep"] += 1
            self.ivars["iterations_left"] -= 1
            if tracker is not None:
                tracker(self)
        return narrow(self.E, 0, 0, min(k, n)), narrow(self.X, 1, 0, min(k, n))

    def _times_b(self, x: Tensor) -> Tensor:
        return x if self.B is None else matmul(self.B, x)

    def _residuals(self) -> None:
        self.R = matmul(self.A, self.X) - self._times_b(self.X) * self.E
        sizes = sqrt((self.X * self.X).sum(0))
        scale = sizes * (self.fvars["A_norm"] + self.E.abs() * self.fvars["B_norm"])
        rerr = sqrt((self.R * self.R).sum(0)) / scale
        self.tvars["rerr"] = rerr
        count = 0
        for error in rerr.tolist():
            if not error < self.fparams["tol"]:
                break
            count += 1
        self.ivars["converged_count"] = self.ivars["converged_end"] = count

    def _basis(self, S: Tensor) -> Tensor:
        """B-orthonormal vectors that span S; directions that nothing distinguishes are left out."""
        passes = self.iparams["ortho_i_max"] if self.method == "ortho" else 1
        for _ in range(max(passes, 1)):
            S = S / sqrt((S * self._times_b(S)).sum(0)).clamp(min=1e-300)
            values, vectors = eigh(matmul(transpose(S, 0, 1), self._times_b(S)))
            floor = float(amax(values)) * max(self.fparams["ortho_tol_drop"], _EPS[S.dtype]) * 10
            kept = values > floor
            S = matmul(S, vectors[:, kept] / sqrt(values[kept]))
        return S

    def _ritz(self, S: Tensor, n: int) -> None:
        """Takes the n extreme pairs of the problem within the span of S."""
        values, vectors = eigh(matmul(transpose(S, 0, 1), matmul(self.A, S)))
        if self.bparams["largest"]:
            values, vectors = flip(values, (0,)), flip(vectors, (1,))
        self.E, self.X = narrow(values, 0, 0, n), matmul(S, narrow(vectors, 1, 0, n))
