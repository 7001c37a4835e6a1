"""NumPy's functions on tensors: NumPy's own results are the reference, and gradients are checked."""

from __future__ import annotations

import numpy as np
import pytest

import arraytorch as torch

RANDOM = np.random.default_rng(0)
A = RANDOM.uniform(0.5, 2.0, (3, 4))
B = RANDOM.uniform(0.5, 2.0, (4,))
C = RANDOM.uniform(0.5, 2.0, (2, 3, 4))
SQUARE = RANDOM.normal(size=(3, 3)) + 3 * np.eye(3)
ROW = RANDOM.permutation(np.linspace(0.1, 2.0, 6))
MASK = np.array([[1, 1, 0, 1], [0, 1, 1, 1], [1, 0, 1, 1]], bool)
HOLES = np.where(MASK, A, np.nan)
PLACES = np.argsort(A, 1)

# Each is evaluated with arrays and with tensors: `a` is a matrix, `b` a vector as long as its rows,
# `c` has three dimensions, `s` is square, `r` a row, `h` a matrix with NaN.
CALLS = [
    # reductions
    'np.sum(a)',
    'np.sum(a, axis=0, keepdims=True)',
    'np.sum(a, 1, initial=2.0)',
    'np.sum(a, axis=())',
    'np.sum(a, where=MASK, axis=1)',
    'np.sum(c, axis=(0, 2))',
    'np.prod(c, axis=(0, 2))',
    'np.prod(a, where=MASK, axis=0)',
    'np.mean(a, axis=-1)',
    'np.mean(a, where=MASK)',
    'np.mean(c, axis=(0, 2), keepdims=True)',
    'np.std(a)',
    'np.std(a, axis=0, ddof=1)',
    'np.std(a, axis=1, where=MASK)',
    'np.var(a, axis=0, ddof=1, keepdims=True)',
    'np.var(c, axis=(0, 2), correction=1)',
    'np.var(a, where=MASK, axis=0, ddof=0.5)',
    'np.max(a)',
    'np.max(a, axis=0, initial=1.0)',
    'np.amax(a, axis=0, keepdims=True)',
    'np.min(c, axis=(0, 1))',
    'np.min(a, axis=1, initial=9.0, where=MASK)',
    'np.ptp(a, axis=0)',
    'np.argmax(a)',
    'np.argmin(a, axis=1, keepdims=True)',
    'np.any(a > 1, axis=0)',
    'np.all(a > 1, axis=(0, 1), keepdims=True)',
    'np.average(a, axis=1, weights=B)',
    'np.average(a, axis=1, weights=b, returned=True)',
    'np.count_nonzero(a > 1, axis=0, keepdims=True)',
    'np.cumsum(a)',
    'np.cumsum(a, axis=1)',
    'np.cumprod(a, axis=0)',
    'np.cumulative_sum(a, axis=1, include_initial=True)',
    'np.cumulative_prod(r)',
    'np.median(a)',
    'np.median(a, axis=1, keepdims=True)',
    'np.quantile(a, 0.3, axis=0)',
    'np.quantile(c, [[0.1, 0.9]], axis=(0, 2), keepdims=True)',
    'np.quantile(a, [0.2, 0.5], axis=1, method="lower")',
    'np.percentile(a, [10, 75], axis=0, method="midpoint")',
    'np.nansum(h, axis=0)',
    'np.nanprod(h, axis=0)',
    'np.nanmean(h, axis=1)',
    'np.nanstd(h, axis=0, ddof=0)',
    'np.nanvar(h, keepdims=True)',
    'np.nanmax(h, axis=1)',
    'np.nanmin(h, axis=1)',
    'np.nanmedian(h)',
    'np.nanquantile(h, [0.2, 0.7], axis=1)',
    'np.nanpercentile(h, 30)',
    'np.nanargmax(h, axis=1)',
    'np.nanargmin(h)',
    'np.nancumsum(h, axis=1)',
    'np.nancumprod(h)',
    'np.trapezoid(r, dx=0.5)',
    'np.trapezoid(a, b)',
    'np.cov(a)',
    'np.cov(a, rowvar=False, ddof=0)',
    'np.cov(r, r * r)',
    'np.corrcoef(a)',
    # shapes
    'np.reshape(a, (2, 6))',
    'np.reshape(a, -1, order="F")',
    'np.reshape(c, (4, 6), order="F")',
    'np.ravel(a)',
    'np.ravel(a, order="F")',
    'np.transpose(c)',
    'np.transpose(c, (1, 2, 0))',
    'np.permute_dims(c, (0, 2, 1))',
    'np.matrix_transpose(c)',
    'np.moveaxis(c, 0, -1)',
    'np.moveaxis(c, [0, 1], [-1, 0])',
    'np.rollaxis(c, 2)',
    'np.rollaxis(c, 0, 3)',
    'np.swapaxes(c, 0, 2)',
    'np.squeeze(a[:1])',
    'np.squeeze(a[:, :1], axis=1)',
    'np.expand_dims(a, (0, -1))',
    'np.concatenate([a, b[None]])',
    'np.concatenate((a, b), axis=None)',
    'np.concatenate([a, [[1, 2, 3, 4]]])',
    'np.stack([a, a * 2], axis=1)',
    'np.vstack([a, b])',
    'np.hstack([b, r])',
    'np.dstack([a, a])',
    'np.column_stack([b, b * 2])',
    'np.block([[a, a], [b, b]])',
    'np.append(a, b)',
    'np.append(a, b[None], axis=0)',
    'np.split(r, 3)',
    'np.split(a, [1, 3], axis=1)',
    'np.array_split(r, 4)',
    'np.hsplit(a, 2)',
    'np.vsplit(a, [1])',
    'np.dsplit(c, 2)',
    'np.unstack(a, axis=1)',
    'np.tile(a, (2, 1, 2))',
    'np.repeat(a, 2)',
    'np.repeat(a, [1, 0, 2], axis=0)',
    'np.roll(a, 2)',
    'np.roll(a, (1, -1), axis=(0, 1))',
    'np.roll(a, 1, axis=(0, 1))',
    'np.flip(a)',
    'np.flip(a, 1)',
    'np.fliplr(a) + np.flipud(a)',
    'np.rot90(a, 3)',
    'np.pad(a, 1)',
    'np.pad(a, ((1, 2), (0, 3)), constant_values=((0.1, 2), (3, 4)))',
    'np.pad(a, (2, 1), mode="edge")',
    'np.pad(a, ((2, 4), (5, 1)), mode="reflect")',
    'np.pad(a, ((2, 4), (5, 1)), mode="symmetric")',
    'np.pad(a, ((2, 4), (5, 1)), mode="wrap")',
    'np.broadcast_to(b, (2, 4))',
    'np.broadcast_arrays(a, b)',
    'np.atleast_1d(b[0])',
    'np.atleast_2d(b)',
    'np.atleast_3d(b, r)',
    'np.meshgrid(b, r)',
    'np.meshgrid(b, r, indexing="ij", sparse=True)',
    'np.tril(a, -1)',
    'np.triu(a, 1)',
    'np.tril(b)',
    'np.diag(a, 1)',
    'np.diagflat(b, -1)',
    'np.diagonal(c, 1, 1, 2)',
    'np.trace(c, 0, 1, 2)',
    'np.ones_like(a)',
    'np.zeros_like(a, shape=(2,))',
    'np.full_like(a, 3.5)',
    'np.copy(a)',
    'np.astype(a, np.int64)',
    'np.resize(a, (4, 5))',
    # choosing
    'np.where(a > 1, a, -1.0)',
    'np.where(MASK, a, b)',
    'np.where(a > 1)',
    'np.select([a > 1.5, a > 1], [a, 2 * a], 7.0)',
    'np.choose(MASK.astype(int), [a, -a])',
    'np.clip(a, 0.8, 1.5)',
    'np.clip(a, b, None)',
    'np.clip(a, max=1.5)',
    'np.sort(a)',
    'np.sort(a, axis=None)',
    'np.argsort(a, axis=0)',
    'np.partition(np.sort(r), 2)',
    'np.searchsorted(np.sort(r), [0.3, 5.0], side="right")',
    'np.digitize(r, [0.5, 1.0])',
    'np.digitize(r, np.array([1.0, 0.5]), right=True)',
    'np.unique(np.round(a))',
    'np.unique(np.round(a), return_inverse=True, return_counts=True)',
    'np.nonzero(a > 1)',
    'np.flatnonzero(a > 1)',
    'np.argwhere(a > 1)',
    'np.take(a, [1, -1])',
    'np.take(a, [[1, 5], [-1, 9]], axis=1, mode="wrap")',
    'np.take_along_axis(a, PLACES, axis=1)',
    'np.compress([True, False, True], a, axis=0)',
    'np.extract(MASK, a)',
    'np.delete(a, 1, axis=1)',
    'np.delete(a, [0, 5])',
    'np.isin(np.round(a), [1, 2])',
    'np.round(a, 1)',
    'np.fix(-a)',
    'np.nan_to_num(h, nan=2.0)',
    'np.real(a)',
    'np.imag(a)',
    'np.angle(-a, deg=True)',
    'np.sinc(a)',
    'np.i0(a)',
    'np.isclose(a, np.round(a), atol=0.2)',
    'np.isposinf(a) | np.isneginf(a) | np.isreal(a)',
    'np.iscomplex(a)',
    'np.diff(a)',
    'np.diff(a, n=2, axis=0, prepend=0.0)',
    'np.ediff1d(a, to_begin=[1.0])',
    'np.gradient(a)',
    'np.gradient(r, 0.5, edge_order=2)',
    'np.gradient(a, np.cumsum(B), axis=1)',
    'np.interp(a, np.array([0.6, 1.1, 1.9]), np.sort(r)[:3])',
    'np.interp(a, np.array([0.6, 1.1, 1.9]), np.array([1.0, 3.0, 2.0]), left=9.0)',
    'np.histogram(a, bins=4)',
    'np.histogram(a, bins=[0.0, 1.0, 2.0], weights=np.ones((3, 4)))',
    'np.histogram(a, bins=3, density=True, range=(0, 2))',
    'np.bincount(np.array([0, 2, 2, 1]), weights=b, minlength=5)',
    'np.convolve(r, b)',
    'np.convolve(b, r, "same")',
    'np.convolve(r, b, "valid")',
    'np.vander(b, 3)',
    'np.polyval(b, a)',
    # products
    'np.dot(a, b)',
    'np.dot(c, a.T)',
    'np.dot(b, 2.0)',
    'np.vdot(a, a)',
    'np.inner(a, b)',
    'np.outer(a, b)',
    'np.matmul(a, b)',
    'a @ np.asarray(B)',
    'np.tensordot(c, a, axes=([1, 2], [0, 1]))',
    'np.einsum("ij,j->i", a, b)',
    'np.einsum(a, [0, 1], b, [1], [0])',
    'np.kron(a, b)',
    'np.cross(a[:, :3], a[:, 1:])',
    'np.cross(c[:1, :, 0], np.array([1.0, 2.0, 3.0]), axisa=1)',
    'np.vecdot(a, b) + np.linalg.vecdot(a, b)',
    'np.matvec(a, b)',
    'np.vecmat(a[:, 0], a)',
    # linalg
    'np.linalg.det(s)',
    'np.linalg.slogdet(s)',
    'np.linalg.inv(s)',
    'np.linalg.norm(s)',
    'np.linalg.norm(c, ord=1, axis=(0, 2), keepdims=True)',
    'np.linalg.norm(b, 3)',
    'np.linalg.vector_norm(a, axis=1, ord=1) + np.linalg.matrix_norm(a)',
    'np.linalg.cholesky(s @ s.T)',
    'np.linalg.eigvalsh(s @ s.T)',
    'abs(np.linalg.eigh(s @ s.T)[1])',
    'np.linalg.svd(s, compute_uv=False)',
    'np.linalg.svdvals(s)',
    'abs(np.linalg.qr(s)[1])',
    'abs(np.linalg.qr(s, mode="r"))',
    'np.linalg.solve(s, a)',
    'np.linalg.solve(s, a[:, 0])',
    'np.linalg.lstsq(a.T, np.arange(4.0))[:2]',
    'np.linalg.pinv(a)',
    'np.linalg.matrix_rank(s)',
    'np.linalg.matrix_power(s, 3)',
    'np.linalg.cond(s)',
    'np.linalg.multi_dot([s, s, s])',
    'np.linalg.tensorinv(s, 1)',
    'np.linalg.tensorsolve(s, s[:, 0])',
    'np.linalg.outer(b, b) + np.linalg.matmul(a.T, a)',
    'np.linalg.trace(c) + np.linalg.diagonal(c).sum(-1)',
    'np.linalg.matrix_transpose(a)',
    'np.linalg.cross(s, np.flip(s, 0))',
    # fft
    'np.abs(np.fft.fft(r))',
    'np.fft.ifft(np.fft.fft(r, norm="ortho"), 4).real',
    'np.abs(np.fft.rfft(r, 8))',
    'np.fft.irfft(np.fft.rfft(r))',
    'np.fft.hfft(np.fft.ihfft(r))',
    'np.abs(np.fft.fft2(a)) + np.abs(np.fft.fftn(a, axes=(0, 1)))',
    'np.fft.irfft2(np.fft.rfft2(a)) + np.fft.irfftn(np.fft.rfftn(a))',
    'np.fft.ifft2(np.fft.fftshift(a)).real + np.fft.ifftn(np.fft.ifftshift(a, 0)).real',
    # ufuncs and their methods
    'np.add(a, b) + np.subtract(2.0, a) * np.multiply(a, B)',
    'np.log(a, where=MASK, out=np.zeros_like(a))',
    'np.add(a, 1, dtype=np.float32)',
    'np.add.reduce(a)',
    'np.add.reduce(a, axis=None, keepdims=True)',
    'np.multiply.reduce(a, axis=1)',
    'np.subtract.reduce(a, axis=1)',
    'np.hypot.reduce(a, axis=0)',
    'np.maximum.reduce(a, axis=(0, 1))',
    'np.fmax.reduce(h, axis=1)',
    'np.logaddexp.reduce(a, axis=0)',
    'np.logical_and.reduce(a > 0.6, axis=1)',
    'np.add.accumulate(a, axis=1)',
    'np.maximum.accumulate(a, axis=1)',
    'np.divide.accumulate(a, axis=0)',
    'np.multiply.outer(b, r)',
    'np.subtract.outer(b, 2.0)',
    'np.add.reduceat(a, [0, 2, 1], axis=1)',
    'np.modf(a)',
    'np.divmod(a, 0.7)[1]',
    'np.frexp(a)',
    'np.cbrt(a)',
    'np.fabs(-a)',
    'np.heaviside(a - 1, 0.5)',
    'np.float_power(a, 1.5)',
    'np.ldexp(a, 2)',
]  # fmt: skip

GIVEN = {"a": A, "b": B, "c": C, "s": SQUARE, "r": ROW, "h": HOLES}


def flat(result):
    """The arrays or tensors in a result, in a list."""
    if isinstance(result, (tuple, list)):
        return [part for element in result for part in flat(element)]
    return [result]


CONSTANTS = {"np": np, "B": B, "MASK": MASK, "PLACES": PLACES}


def value_of(call, **given):
    """What an expression gives, as a flat list."""
    return flat(eval(call, CONSTANTS | given))


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning")
@pytest.mark.parametrize("call", CALLS)
def test_results_and_gradients(call):
    """Values and shapes are NumPy's, results are tensors, and float results have gradients."""
    names = [name for name in compile(call, "", "eval").co_names if name in GIVEN]
    arrays = {name: GIVEN[name] for name in names}
    given = {name: torch.tensor(x, requires_grad=True) for name, x in arrays.items()}
    try:
        wanted = value_of(call, **arrays)
    except (AttributeError, TypeError):
        assert np.lib.NumpyVersion(np.__version__) < "2.2.0"
        pytest.skip("a later NumPy has this")
    got = value_of(call, **given)
    assert len(wanted) == len(got)
    differentiable = []
    for one, other in zip(wanted, got, strict=True):
        if isinstance(other, (bool, int)):
            assert other == one
            continue
        assert isinstance(other, torch.Tensor)
        assert tuple(other.shape) == np.shape(one)
        assert other.dtype.is_floating_point == (np.asarray(one).dtype.kind == "f")
        np.testing.assert_allclose(other.detach().numpy(), one, rtol=1e-5 if
                                   other.dtype is torch.float32 else 1e-12, atol=1e-12)  # fmt: skip
        differentiable.append(other.requires_grad and other.dtype is torch.float64)
    if any(differentiable) and "h" not in given:

        def values(*tensors):
            results = value_of(call, **dict(zip(names, tensors, strict=True)))
            return tuple(r for r, keep in zip(results, differentiable, strict=False) if keep)

        assert torch.autograd.gradcheck(values, list(given.values()))
