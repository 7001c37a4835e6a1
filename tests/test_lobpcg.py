"""Extreme eigenpairs by LOBPCG, compared with SciPy's dense solver."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

import arraytorch as torch


def definite(seed, m=12):
    """A symmetric positive definite matrix."""
    x = np.random.default_rng(seed).standard_normal((m, m))
    return x @ x.T + np.eye(m)


@pytest.mark.parametrize("method", [None, "ortho", "basic"])
@pytest.mark.parametrize("largest", [None, True, False])
@pytest.mark.parametrize("general", [False, True])
def test_eigenpairs_are_those_of_the_dense_problem(method, largest, general):
    """Values in order, and vectors that B makes orthonormal and A stretches."""
    a, b = definite(0), definite(1) if general else None
    wanted = linalg.eigh(a, b, eigvals_only=True)
    wanted = wanted[:3] if largest is False else wanted[::-1][:3]
    torch.manual_seed(0)
    A, B = torch.from_numpy(a), None if b is None else torch.from_numpy(b)
    values, vectors = torch.lobpcg(A, 3, B, largest=largest, method=method, tol=1e-12)
    np.testing.assert_allclose(values.numpy(), wanted, 1e-9)
    v, metric = vectors.numpy(), np.eye(12) if b is None else b
    np.testing.assert_allclose(v.T @ metric @ v, np.eye(3), 0, 1e-9)
    np.testing.assert_allclose(a @ v, metric @ v * wanted, 0, 1e-6)


def test_starts_preconditioners_and_batches():
    """X gives the number of pairs, iK speeds up, and each matrix of a batch has its own."""
    torch.manual_seed(0)
    A = torch.from_numpy(np.stack([definite(0), definite(1)]))
    dense = torch.linalg.eigvalsh(A)
    X = torch.randn(2, 12, 2, dtype=torch.float64)
    values, vectors = torch.lobpcg(A, X=X)
    assert values.shape == (2, 2) and vectors.shape == (2, 12, 2)
    assert torch.allclose(values, dense[:, [-1, -2]])
    steps = []
    options = {"X": X[0], "largest": False, "tracker": lambda w: steps.append(w.ivars["istep"])}
    torch.lobpcg(A[0], **options)
    plain = len(steps)
    steps.clear()
    values, _ = torch.lobpcg(A[0], iK=torch.linalg.inv(A[0]), **options)
    assert len(steps) < plain and torch.allclose(values, dense[0, :2])
    steps.clear()
    torch.lobpcg(A[0], niter=2, **options)
    assert steps == [1, 2]
    assert torch.lobpcg(A[0], 1, n=3)[0].shape == (1,)


@pytest.mark.parametrize("general", [False, True])
def test_gradients_are_those_of_the_dense_problem(general):
    """Of values and vectors, for A and for B, twice."""
    A = torch.from_numpy(definite(0, 6)).requires_grad_()
    B = torch.from_numpy(definite(1, 6)).requires_grad_() if general else None
    start = torch.linalg.eigh(A.detach())[1][:, -2:]

    def run(a, b=None):
        half = lambda t: None if t is None else (t + t.T) / 2
        values, vectors = torch.lobpcg(half(a), 2, half(b), X=start, tol=1e-13)
        return values, vectors.abs()

    given = (A,) if B is None else (A, B)
    assert torch.autograd.gradcheck(run, given)
    assert torch.autograd.gradgradcheck(lambda *t: run(*t)[0], given, fast_mode=True)


def test_bad_input_raises():
    """With PyTorch's classes."""
    A = torch.from_numpy(definite(0))
    for call, error, words in (
        (lambda: torch.lobpcg(A, 5), ValueError, r"rows \(=12\) is smaller than 3 x .* \(=5\)"),
        (lambda: torch.lobpcg(A[:, :3], 1), AssertionError, "A must be square"),
        (lambda: torch.lobpcg(A, 2, X=torch.ones(11, 2)), AssertionError, "X shape mismatch"),
        (lambda: torch.lobpcg(A, 2, method="x"), ValueError, "method must be 'ortho' or 'basic'"),
        (lambda: torch.lobpcg(A.long(), 2), NotImplementedError, "not implemented for 'Long'"),
        (lambda: torch.lobpcg("A"), TypeError, "must be Tensor, not str"),
    ):
        with pytest.raises(error, match=words):
            call()
