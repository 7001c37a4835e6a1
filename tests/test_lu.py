"""Factors of matrices: what is said of singular ones, pivots, and the rules between functions."""

from __future__ import annotations

import numpy as np
import pytest

import arraytorch as torch
from arraytorch.backends.linalg import LinalgKernels

linalg = torch.linalg
SINGULAR = torch.tensor([[1.0, 2.0], [2.0, 4.0]])
# A batch whose second matrix is singular.
BATCH = torch.stack([torch.eye(2), torch.zeros(2, 2), torch.eye(2)])


def test_inv_ex_tells_singular_matrices_by_number():
    inverse, info = linalg.inv_ex(BATCH)
    assert info.tolist() == [0, 1, 0] and info.dtype == torch.int32
    assert torch.equal(inverse[0], torch.eye(2)) and not inverse[1].isfinite().any()
    assert linalg.inv_ex(SINGULAR).info.item() == 2
    with pytest.raises(linalg.LinAlgError, match=r"inv_ex: \(Batch element 1\): The diagonal elem"):
        linalg.inv_ex(BATCH, check_errors=True)
    with pytest.raises(linalg.LinAlgError, match="linalg.inv: The diagonal element 2 is zero"):
        linalg.inv(SINGULAR)


def test_solve_ex_tells_singular_matrices_by_number():
    result, info = linalg.solve_ex(BATCH, torch.ones(2, 1))
    assert info.tolist() == [0, 1, 0] and torch.equal(result[2], torch.ones(2, 1))
    assert linalg.solve_ex(SINGULAR, torch.ones(2)).result.tolist() == [-np.inf, np.inf]
    with pytest.raises(linalg.LinAlgError, match="solve_ex: The solver failed"):
        linalg.solve_ex(SINGULAR, torch.ones(2), check_errors=True)
    with pytest.raises(linalg.LinAlgError, match=r"solve: \(Batch element 1\): The solver failed"):
        linalg.solve(BATCH, torch.ones(2, 1))


def test_cholesky_ex_stops_at_the_first_bad_minor():
    # Numbers recorded from PyTorch.
    A = torch.tensor([[4.0, 9.0], [2.0, -5.0]])
    factor, info = linalg.cholesky_ex(A)
    assert factor.tolist() == [[2.0, 0.0], [1.0, -6.0]] and info.item() == 2
    assert linalg.cholesky_ex(A, upper=True).L.tolist() == [[2.0, 4.5], [0.0, -25.25]]
    with pytest.raises(linalg.LinAlgError, match="leading minor of order 2"):
        linalg.cholesky(A)


def test_lu_of_singular_matrices():
    assert linalg.lu_factor_ex(BATCH).info.tolist() == [0, 1, 0]
    with pytest.raises(RuntimeError, match=r"\(Batch element 1\): U\[1,1\] is zero"):
        linalg.lu_factor(BATCH)
    with pytest.raises(RuntimeError, match=r"lu_factor_ex: U\[2,2\] is zero"):
        linalg.lu_factor_ex(SINGULAR, check_errors=True)
    factor, pivots, info = torch.lu(SINGULAR, get_infos=True)
    assert factor.tolist() == [[2.0, 4.0], [0.5, 0.0]]
    assert pivots.tolist() == [2, 2] and info.item() == 2


def test_lu_refuses_what_pytorch_refuses():
    A = torch.eye(2)
    factor, pivots = linalg.lu_factor(A)
    with pytest.raises(RuntimeError, match="LU without pivoting is not implemented on the CPU"):
        linalg.lu(A, pivot=False)
    with pytest.raises(RuntimeError, match="must be between 1 and"):
        torch.lu_unpack(factor, pivots * 0)
    with pytest.raises(RuntimeError, match="torch.int32"):
        torch.lu_unpack(factor, pivots.long())
    with pytest.raises(RuntimeError, match="at least 2 dimensions"):
        linalg.lu_solve(factor, pivots, torch.ones(2))
    with pytest.raises(NotImplementedError, match="\"lu_cpu\" not implemented for 'Long'"):
        torch.lu(torch.ones(2, 2, dtype=torch.int64))


def test_ldl_has_blocks_of_two():
    # Numbers recorded from PyTorch.
    A = torch.tensor([[0.0, 1, 2], [1, 0, 3], [2, 3, 1]])
    factor, pivots = linalg.ldl_factor(A)
    assert factor.tolist() == [[0, 0, 0], [2, 1, 0], [1.25, 0.5, -2.75]]
    assert pivots.tolist() == [-3, -3, 3]
    x = linalg.ldl_solve(factor, pivots, torch.ones(3, 1))
    assert torch.allclose(A @ x, torch.ones(3, 1), atol=1e-6)
    with pytest.raises(RuntimeError, match=r"D\[1,1\] is zero"):
        linalg.ldl_factor(torch.zeros(2, 2))


def test_geqrf_and_orgqr_make_a_qr_decomposition():
    A = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]], dtype=torch.float64)
    a, tau = A.geqrf()
    assert torch.allclose(torch.orgqr(a, tau) @ a[:2].triu(), A)
    with pytest.raises(
        RuntimeError, match=r"input.shape\[-1\] must be greater than or equal to ta"
    ):
        linalg.householder_product(a, torch.ones(3, dtype=torch.float64))


class Plain(LinalgKernels):
    """The kernels that a backend without LAPACK of its own has."""

    xp = np
    to_host = from_host = staticmethod(lambda x: x)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 2, 4), (0, 3, 3), (3, 0), (1, 1)])
@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_plain_kernels_agree_with_lapack(shape, dtype):
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape) + (1j * rng.normal(size=shape) if dtype == "c16" else 0)
    numpy = torch.backends.backend_of(x)
    for ours, lapack in zip(Plain().lu(x), numpy.lu(x), strict=True):
        assert ours.dtype == lapack.dtype
        np.testing.assert_allclose(ours, lapack, atol=1e-12)
    if shape[-1] == shape[-2]:
        for shift in (5, -0.5):
            p = x @ x.conj().swapaxes(-2, -1) + shift * np.eye(shape[-1])
            (_, ours), (_, lapack) = Plain().cholesky_parts(p), numpy.cholesky_parts(p)
            assert ours.tolist() == lapack.tolist()
