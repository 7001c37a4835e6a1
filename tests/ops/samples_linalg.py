"""The sample table: products of matrices and decompositions."""

from __future__ import annotations

import numpy as np
from sample import COMPLEX, FLOAT, case, sample
from scipy import linalg

import arraytorch as torch

NUMBERS = FLOAT + COMPLEX
# A matrix far from singular, and one with a positive diagonal.
FIRM = np.array([[2.0, 0.3, -0.4], [0.1, -1.7, 0.2], [0.5, 0.6, 1.4]])
LOWER = np.array([[1.5, 0.0, 0.0], [0.3, 1.2, 0.0], [-0.4, 0.2, 0.9]])


def _definite(x):
    """A positive definite matrix made of any."""
    return x @ x.transpose(-2, -1).conj() + torch.eye(x.shape[-1]).to(x)


def _beside(product):
    return lambda x, a, b, beta=1, alpha=1: beta * x + alpha * product(a, b)


def _batched(a, b):
    return (a @ b).sum(0)


def _factored(solve):
    """Calls a solver with the LU factors of a matrix, through which gradients flow."""
    return lambda b, x, **options: solve(b, *torch.linalg.lu_factor(x), **options)


def _multiplied(x, tau, other, left=True, transpose=False):
    """Q of all reflections, made in full, times a matrix."""
    square = np.zeros((*x.shape[:-1], x.shape[-2]), x.dtype)
    square[..., : x.shape[-1]] = x
    q = [
        _reflected(m, t)
        for m, t in zip(square.reshape(-1, *square.shape[-2:]), tau.reshape(-1, tau.shape[-1]))
    ]
    q = np.stack(q).reshape(square.shape)
    q = q.swapaxes(-1, -2).conj() if transpose else q
    return q @ other if left else other @ q


def _lu(x):
    """The LU factors in one, and the rows swapped, from 1."""
    factor, pivots = linalg.lu_factor(x)
    return factor, pivots + 1


def _symmetric(x):
    return x + x.transpose(-2, -1)


def _ldl_solved(b, x):
    return torch.linalg.ldl_solve(*torch.linalg.ldl_factor(_symmetric(x)), b)


def _reflected(a, tau):
    """The first columns of the product of Householder reflections, one by one."""
    q = np.eye(len(a), dtype=a.dtype)
    for i, t in enumerate(tau):
        v = np.r_[np.zeros(i), 1, a[i + 1 :, i]]
        q = q - t * (q @ v)[:, None] * v.conj()
    return q[:, : a.shape[1]]


SAMPLES = [
    sample("addmm", _beside(np.matmul), case((2, 2), (2, 3), (3, 2)), case((2,), (2, 3), (3, 2), beta=0.5, alpha=2), dtypes=NUMBERS),
    sample("addmv", _beside(np.matmul), case((2,), (2, 3), (3,), beta=0.5, alpha=2), dtypes=NUMBERS),
    sample("addr", _beside(np.outer), case((2, 3), (2,), (3,), beta=0.5, alpha=2), dtypes=NUMBERS),
    sample("addbmm", _beside(_batched), case((2, 2), (3, 2, 3), (3, 3, 2), beta=0.5, alpha=2), dtypes=NUMBERS),
    sample("baddbmm", _beside(np.matmul), case((2, 2, 2), (2, 2, 3), (2, 3, 2), beta=0.5, alpha=2), dtypes=NUMBERS),
    sample("chain_matmul", lambda a, b, c: a @ b @ c, ((2, 3), (3, 4), (4, 2)), dtypes=FLOAT),
    sample("einsum", None, case((2, 3), (3, 4)), dtypes=NUMBERS, op=lambda a, b: torch.einsum("ij,jk->ki", a, b)),
    sample("outer", np.outer, ((2,), (3,)), dtypes=NUMBERS),
    sample("ger", np.outer, ((2,), (3,))),
    sample("inner", np.inner, ((2, 3), (4, 3)), dtypes=NUMBERS),
    sample("kron", np.kron, ((2, 2), (1, 3)), dtypes=NUMBERS),
    sample("tensordot", np.tensordot, case((2, 3, 4), (3, 4, 2))),
    sample("matrix_power", np.linalg.matrix_power, case(FIRM, args=(3,)), case(FIRM, args=(-2,)), rtol=1e-4),
    sample("matrix_exp", linalg.expm, case(FIRM), rtol=1e-4),
    sample("det", np.linalg.det, case(FIRM), case((2, 3, 3)), dtypes=NUMBERS, rtol=1e-4),
    sample("logdet", None, case((3, 3)), op=lambda x: torch.logdet(_definite(x))),
    sample("slogdet", np.linalg.slogdet, case(FIRM)),
    sample("inverse", np.linalg.inv, case(FIRM), dtypes=NUMBERS, rtol=1e-4),
    sample("pinverse", None, case((3, 2))),
    sample("cholesky", None, case((3, 3)), dtypes=NUMBERS, op=lambda x: torch.cholesky(_definite(x))),
    sample("cholesky_inverse", lambda x: np.linalg.inv(x @ x.T), case(LOWER), rtol=1e-4,
           op=lambda x, **out: torch.cholesky_inverse(x.tril(), **out)),
    # PyTorch gives the triangle that is not read a gradient, too.
    sample("cholesky_solve", lambda b, x: np.linalg.solve(x @ x.T, b), case((3, 2), LOWER), rtol=1e-4,
           op=lambda b, x, **out: torch.cholesky_solve(b, x.tril(), **out)),
    sample("triangular_solve", None, case((3, 2), LOWER.T), op=lambda b, a: torch.triangular_solve(b, a)[0]),
    sample("lu", _lu, case((3, 4)), case((4, 3)), case((3, 3)), dtypes=NUMBERS, result=None, rtol=1e-4),
    sample("lu_unpack", linalg.lu, case((3, 4)), case((4, 3)), case(FIRM), rtol=1e-4,
           op=lambda x: torch.lu_unpack(*torch.lu(x))),
    sample("linalg.lu", linalg.lu, case((3, 4)), case((4, 2)), case((2, 3, 3)), dtypes=NUMBERS, rtol=1e-4, op=torch.linalg.lu),
    sample("lu_solve", lambda b, x: np.linalg.solve(x, b), case((3, 2), FIRM), case((2, 3, 2), FIRM), dtypes=NUMBERS, rtol=1e-4,
           op=_factored(torch.lu_solve)),
    sample("linalg.lu_solve", lambda b, x: np.linalg.solve(x.conj().T, b), case((3, 2), FIRM), dtypes=NUMBERS, rtol=1e-4,
           op=lambda b, x: torch.linalg.lu_solve(*torch.linalg.lu_factor(x), b, adjoint=True)),
    sample("linalg.lu_solve", lambda b, x: b @ np.linalg.inv(x), case((2, 3), FIRM), dtypes=NUMBERS, rtol=1e-4,
           op=lambda b, x: torch.linalg.lu_solve(*torch.linalg.lu_factor(x), b, left=False)),
    sample("linalg.ldl_solve", lambda b, x: np.linalg.solve(x + x.T, b), case((3, 2), FIRM), dtypes=NUMBERS, rtol=1e-3,
           grad=False, op=_ldl_solved),
    sample("geqrf", lambda x: np.linalg.qr(x, "raw")[0].T, case((4, 3)), dtypes=NUMBERS, rtol=1e-4, grad=False,
           op=lambda x: torch.geqrf(x).a),
    sample("orgqr", _reflected, case((4, 3), (2,)), case((3, 3), (3,)), dtypes=NUMBERS, rtol=1e-4),
    sample("ormqr", _multiplied, case((3, 2), (2,), (3, 2)), case((3, 3), (3,), (2, 3), args=(False, True)),
           case((2, 4, 2), (2, 2), (2, 4, 1), transpose=True), dtypes=NUMBERS, rtol=1e-4),
    sample("linalg.inv_ex", np.linalg.inv, case(FIRM), rtol=1e-4, op=lambda x: torch.linalg.inv_ex(x).inverse),
    sample("linalg.solve_ex", np.linalg.solve, case(FIRM, (3, 2)), rtol=1e-4, op=lambda a, b: torch.linalg.solve_ex(a, b).result),
    sample("linalg.cholesky_ex", None, case((3, 3)), op=lambda x: torch.linalg.cholesky_ex(_definite(x)).L),
    sample("qr", None, case(FIRM)),
    sample("svd", None, case(FIRM)),
    sample("norm", lambda x, p=2, dim=None: np.linalg.norm(x.ravel() if dim is None else x, p, axis=dim), case((2, 3)),
           case((2, 3), p=1, dim=1), dtypes=NUMBERS, result="real"),
]  # fmt: skip
