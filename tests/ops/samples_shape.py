"""The sample table: reductions, products, shapes, joining, indexing, sorting."""

from __future__ import annotations

import numpy as np
import samples_copies
from sample import ALL, BOOL, COMPLEX, FLOAT, INT, REAL, binary, case, on, sample, unary
from scipy import special

import arraytorch as torch

NUMBERS = INT + REAL + COMPLEX
I_REAL = INT + REAL
ANY = ("bool", "int64", *FLOAT, "complex128")


def _np(function):
    """A NumPy reduction under PyTorch's argument names."""
    return lambda x, dim=None, keepdim=False: function(x, axis=dim, keepdims=keepdim)


def _spread(function):
    return lambda x, dim=None, correction=1, keepdim=False: function(
        x, axis=dim, ddof=correction, keepdims=keepdim
    )


def rows(x):
    """Row numbers, one of them twice."""
    return torch.tensor([2, 0, 2], device=x.device)


def _lse(x, dim, keepdim=False):
    return special.logsumexp(x, axis=dim, keepdims=keepdim)


def _with_indices(values, indices):
    return lambda x, dim, keepdim=False: (
        values(x, axis=dim, keepdims=keepdim),
        indices(x, axis=dim, keepdims=keepdim),
    )


def _top(x, k, dim=-1):
    at = np.argsort(-x, axis=dim, kind="stable").take(range(k), axis=dim)
    return np.take_along_axis(x, at, dim), at


def _sorted(x, dim=-1, descending=False):
    at = np.argsort(-x if descending else x, axis=dim, kind="stable")
    return np.take_along_axis(x, at, dim), at


def _kth(x, k, dim=-1):
    values, at = _sorted(x, dim)
    return values.take(k - 1, dim), at.take(k - 1, dim)


def _arg_scan(x, dim, beats):
    at = np.zeros(x.shape, int)
    x, at = np.moveaxis(x, dim, 0), np.moveaxis(at, dim, 0)
    for i in range(1, len(x)):
        best = np.take_along_axis(x, at[i - 1][None], 0)[0]
        at[i] = np.where(beats(x[i], best), i, at[i - 1])
    return np.moveaxis(at, 0, dim)


REDUCED = [case((2, 3)), case((2, 3), dim=1), case((2, 3, 2), dim=(0, -1), keepdim=True), case(())]
ONE_DIM = [case((3, 4), dim=1), case((2, 3), dim=0, keepdim=True), case((3,), dim=-1)]
AT = np.array([[0, 1], [2, 0], [1, 1]])
PICKED = np.array([[True, False, True], [False, True, True]])

SAMPLES = [
    # reductions
    sample("sum", _np(np.sum), *REDUCED, case((0, 3), dim=0), dtypes=ALL, result=None),
    sample("mean", _np(np.mean), *REDUCED, dtypes=REAL + COMPLEX),
    sample("prod", lambda x, dim=None, keepdim=False: np.prod(x, axis=dim, keepdims=keepdim),
           case((2, 3)), case((2, 3), dim=1, keepdim=True), dtypes=ALL, low=0.5, high=2, result=None),
    sample("nansum", _np(np.nansum), *REDUCED, dtypes=FLOAT),
    sample("nanmean", _np(np.nanmean), *REDUCED, dtypes=FLOAT),
    sample("amax", _np(np.max), *REDUCED, dtypes=BOOL + I_REAL, distinct=True),
    sample("amin", _np(np.min), *REDUCED, dtypes=BOOL + I_REAL, distinct=True),
    sample("aminmax", lambda x, dim=None: (x.min(dim), x.max(dim)), case((2, 3)), case((2, 3), dim=1),
           dtypes=I_REAL, distinct=True),
    sample("max", _with_indices(np.max, np.argmax), *ONE_DIM, dtypes=FLOAT, distinct=True, result=None),
    sample("min", _with_indices(np.min, np.argmin), *ONE_DIM, dtypes=FLOAT, distinct=True, result=None),
    sample("argmax", lambda x, dim=None: np.argmax(x, dim), case((2, 3)), case((2, 3), dim=1),
           distinct=True, grad=False, result="int64"),
    sample("argmin", lambda x, dim=None: np.argmin(x, dim), case((2, 3)), case((2, 3), dim=1),
           distinct=True, grad=False, result="int64"),
    sample("all", _np(np.all), *REDUCED, dtypes=("bool", "int32", *FLOAT), grad=False, result="bool"),
    sample("any", _np(np.any), *REDUCED, dtypes=("bool", "int32", *FLOAT), grad=False, result="bool"),
    sample("count_nonzero", lambda x, dim=None: np.count_nonzero(x, dim), case((2, 3)),
           case((2, 3), dim=1), dtypes=ALL, grad=False, result="int64"),
    sample("var", _spread(np.var), case((2, 3)), case((3, 4), dim=1, correction=0, keepdim=True),
           dtypes=REAL + COMPLEX, result="real"),
    sample("std", _spread(np.std), case((2, 3)), case((3, 4), dim=1, correction=0, keepdim=True),
           dtypes=REAL + COMPLEX, result="real"),
    sample("var_mean", lambda x, dim=None: (x.var(dim, ddof=1), x.mean(dim)), case((2, 3)), case((3, 4), dim=1)),
    sample("std_mean", lambda x, dim=None: (x.std(dim, ddof=1), x.mean(dim)), case((2, 3)), case((3, 4), dim=1)),
    sample("logsumexp", _lse, case((2, 3), dim=1), case((2, 3), dim=(0, 1), keepdim=True), dtypes=REAL),
    sample("median", lambda x, dim=None: np.sort(x, axis=None)[(x.size - 1) // 2], case((3, 3)), case((5,)), distinct=True),
    sample("nanmedian", lambda x: np.sort(x, axis=None)[(x.size - 1) // 2], case((3, 3)), distinct=True),
    sample("quantile", lambda x, q, dim=None: np.quantile(x, q, axis=dim), case((3, 4), args=(0.3,), dim=1), case((5,), args=(0.5,)),
           distinct=True),
    sample("nanquantile", lambda x, q, dim=None: np.nanquantile(x, q, axis=dim), case((3, 4), args=(0.3,), dim=1), distinct=True),
    sample("trace", np.trace, ((3, 3),), ((2, 3),)),
    sample("dist", lambda x, y, p=2: np.linalg.norm((x - y).ravel(), p), case((2, 3), (2, 3)), case((4,), (4,), p=3)),
    sample("cov", np.cov, ((3, 5),)),
    sample("corrcoef", np.corrcoef, ((3, 5),), rtol=1e-4),
    # scans
    sample("cumsum", lambda x, dim: np.cumsum(x, dim), case((2, 3), args=(1,)), dtypes=NUMBERS, result=None),
    sample("cumprod", lambda x, dim: np.cumprod(x, dim), case((2, 3), args=(1,)), case((3,), args=(0,)), dtypes=FLOAT + COMPLEX),
    sample("cummax", lambda x, dim: (np.maximum.accumulate(x, dim), _arg_scan(x, dim, np.greater_equal)), case((2, 4), args=(1,)), distinct=True, result=None),
    sample("cummin", lambda x, dim: (np.minimum.accumulate(x, dim), _arg_scan(x, dim, np.less_equal)), case((2, 4), args=(1,)), distinct=True, result=None),
    sample("logcumsumexp", lambda x, dim: np.logaddexp.accumulate(x, dim), case((2, 3), args=(1,))),
    sample("diff", lambda x, n=1, dim=-1: np.diff(x, n, dim), case((5,)), case((2, 4), n=2, dim=1)),
    sample("trapezoid", lambda y, dim=-1: np.trapezoid(y, axis=dim), case((5,)), case((2, 4), dim=0)),
    sample("cumulative_trapezoid", lambda y: np.cumsum((y[..., 1:] + y[..., :-1]) / 2, -1), case((2, 4))),
    # products
    sample("matmul", np.matmul, ((2, 3), (3, 4)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 1, 2, 3), (4, 3, 2)),
           ((0, 3), (3, 2)), dtypes=("int64", *REAL, *COMPLEX)),
    sample("mm", np.matmul, ((2, 3), (3, 4)), dtypes=FLOAT + COMPLEX),
    sample("bmm", np.matmul, ((2, 2, 3), (2, 3, 2)), dtypes=FLOAT + COMPLEX),
    sample("mv", np.matmul, ((2, 3), (3,)), dtypes=FLOAT + COMPLEX),
    sample("vdot", np.vdot, ((3,), (3,)), dtypes=FLOAT + COMPLEX),
    sample("adjoint", lambda x: np.conj(x).T, case((2, 3)), dtypes=FLOAT + COMPLEX),
    sample("clamp_min", np.maximum, case((3, 2), args=(0.5,)), dtypes=FLOAT),
    sample("clamp_max", np.minimum, case((3, 2), args=(0.5,)), dtypes=FLOAT),
    sample("split_with_sizes", lambda x, n: np.split(x, [n[0]]), case((3, 2), args=([1, 2],)), dtypes=ANY),
    sample("dot", np.dot, ((3,), (3,)), dtypes=FLOAT + COMPLEX),
    *samples_copies.SAMPLES,
    sample("cross", lambda x, y, dim=-1: np.cross(x, y, axis=dim), case((2, 3), (2, 3), dim=1), case((3, 2), (3, 2), dim=0)),
    # elementwise with more arguments
    sample("addcmul", lambda x, a, b, value=1: x + value * a * b, case((2, 3), (3,), (2, 1), value=0.5), dtypes=FLOAT + COMPLEX),
    sample("addcdiv", lambda x, a, b, value=1: x + value * a / b, case((2, 3), (3,), (2, 1), value=0.5), low=0.5, high=2),
    sample("lerp", lambda x, y, w: x + w * (y - x), case((2, 3), (3,), args=(0.3,)), case((2, 3), (3,), (2, 1))),
    sample("where", np.where, case(PICKED, (2, 3), (2, 3)), case(PICKED, (3,), ()), dtypes=FLOAT + COMPLEX),
    sample("masked_fill", lambda x, m, v: np.where(m, v, x), case((2, 3), PICKED, args=(0.5,)), dtypes=FLOAT + COMPLEX),
    sample("nan_to_num", np.nan_to_num, ((2, 3),)),
    unary("sinc", np.sinc, 0.1, 2, dtypes=REAL),
    unary("logit", special.logit, 0.1, 0.9, dtypes=REAL),
    unary("deg2rad", np.deg2rad, dtypes=REAL),
    unary("rad2deg", np.rad2deg, dtypes=REAL),
    unary("isneginf", np.isneginf, grad=False, result="bool"),
    unary("isposinf", np.isposinf, grad=False, result="bool"),
    unary("isreal", np.isreal, dtypes=FLOAT + COMPLEX, grad=False, result="bool"),
    binary("xlogy", special.xlogy, 0.3, 3, dtypes=REAL),
    binary("ldexp", lambda x, y: x * 2**y, 0.3, 2, dtypes=FLOAT),
    binary("heaviside", np.heaviside, grad=False),
    binary("nextafter", None, grad=False),
    binary("gcd", np.gcd, dtypes=INT, grad=False),
    binary("lcm", np.lcm, dtypes=INT, grad=False),
    binary("isclose", np.isclose, grad=False, result="bool"),
    # shapes
    sample("reshape", np.reshape, case((2, 3), args=((3, -1),)), case((), args=((1, 1),)), dtypes=ANY),
    sample("permute", np.transpose, case((2, 3, 4), args=((2, 0, 1),)), dtypes=ANY),
    sample("transpose", np.swapaxes, case((2, 3, 4), args=(0, -1)), dtypes=ANY),
    sample("swapaxes", np.swapaxes, case((2, 3, 4), args=(0, -1)), dtypes=ANY),
    sample("t", np.transpose, ((2, 3),), dtypes=ANY),
    sample("movedim", np.moveaxis, case((2, 3, 4), args=(0, -1)), case((2, 3, 4), args=((0, 1), (2, 0))), dtypes=ANY),
    sample("squeeze", lambda x, dim=None: np.squeeze(x, dim), case((1, 3, 1)), case((1, 3), args=(0,)), dtypes=ANY),
    sample("unsqueeze", np.expand_dims, case((2, 3), args=(1,)), case((), args=(-1,)), dtypes=ANY),
    sample("flatten", lambda x, a=0, b=-1: x.reshape(x.shape[0], -1), case((2, 3, 2), args=(1,)), dtypes=ANY),
    sample("unflatten", lambda x, d, s: x.reshape(2, *s), case((2, 6), args=(1, (2, 3))), dtypes=ANY),
    sample("ravel", np.ravel, ((2, 3),), ((),), dtypes=ANY),
    sample("broadcast_to", np.broadcast_to, case((3,), args=((2, 3),)), dtypes=ANY),
    sample("broadcast_tensors", lambda *x: np.broadcast_arrays(*x), ((2, 1), (3,)), dtypes=ANY),
    sample("flip", np.flip, case((2, 3), args=((0, 1),)), dtypes=ANY),
    sample("fliplr", np.fliplr, ((2, 3),)),
    sample("flipud", np.flipud, ((2, 3),)),
    sample("roll", np.roll, case((2, 3), args=(1, 1)), case((2, 3), args=((1, 2), (0, 1))), dtypes=ANY),
    sample("rot90", np.rot90, case((2, 3)), case((2, 3), args=(3, (1, 0)))),
    sample("tile", lambda x, *n: np.tile(x, n), case((2, 3), args=(2, 1)), dtypes=ANY),
    sample("repeat_interleave", lambda x, n, d=None: np.repeat(x, n, d), case((2, 3), args=(2, 1)), case((3,), args=(3,))),
    sample("tril", np.tril, case((3, 3)), case((2, 3), args=(1,)), dtypes=ANY),
    sample("triu", np.triu, case((3, 3)), case((2, 3), args=(1,)), dtypes=ANY),
    sample("diag", np.diag, case((3,)), case((3, 3)), case((2, 3), args=(1,)), dtypes=ANY),
    sample("diagonal", np.diagonal, case((3, 3)), case((2, 3, 4), args=(1, 1, 2)), dtypes=ANY),
    sample("diag_embed", None, case((2, 3)), case((3,), args=(1,))),
    sample("diagflat", np.diagflat, case((3,)), case((2, 2), args=(1,))),
    sample("as_strided", lambda x, size, stride: np.lib.stride_tricks.as_strided(x, size, [s * x.itemsize for s in stride]),
           case((3, 3), args=((2, 2), (1, 2))), strided=False),
    sample("clone", np.copy, ((2, 3),), dtypes=ANY),
    sample("detach", np.copy, ((2, 3),), dtypes=ANY, grad=False),
    sample("atleast_1d", np.atleast_1d, ((),), ((2,),)),
    sample("atleast_2d", np.atleast_2d, ((),), ((2,),)),
    sample("atleast_3d", np.atleast_3d, ((),), ((2,),), ((2, 3),)),
    # joining and splitting
    sample("cat", lambda x, d=0: np.concatenate(x, d), case((2, 3), (1, 3)), case((2, 3), (2, 1), args=(-1,)), dtypes=ANY, listed=True),
    sample("concatenate", lambda x, d=0: np.concatenate(x, d), case((2, 3), (2, 1), args=(-1,)), dtypes=ANY, listed=True),
    sample("stack", lambda x, d=0: np.stack(x, d), case((2, 3), (2, 3)), case((2,), (2,), (2,), args=(-1,)), dtypes=ANY, listed=True),
    sample("hstack", np.hstack, ((2,), (3,)), ((2, 1), (2, 2)), listed=True),
    sample("vstack", np.vstack, ((3,), (2, 3)), listed=True),
    sample("dstack", np.dstack, ((3,), (3,)), listed=True),
    sample("column_stack", np.column_stack, ((3,), (3, 2)), listed=True),
    sample("block_diag", None, ((2, 2), (1, 3))),
    sample("meshgrid", lambda *x, indexing: np.meshgrid(*x, indexing=indexing), case((2,), (3,), indexing="ij")),
    sample("cartesian_prod", None, ((2,), (3,))),
    sample("combinations", None, ((4,),)),
    sample("split", lambda x, n, d=0: np.split(x, [n], d), case((4, 3), args=(2,)), case((2, 3), args=(2, 1)), dtypes=ANY),
    sample("chunk", lambda x, n, d=0: np.array_split(x, n, d), case((4, 3), args=(2,)), dtypes=ANY),
    sample("tensor_split", np.array_split, case((5, 2), args=(3,)), case((5, 2), args=((1, 3),)), dtypes=ANY),
    sample("hsplit", np.hsplit, case((2, 4), args=(2,))),
    sample("vsplit", np.vsplit, case((4, 2), args=(2,))),
    sample("dsplit", np.dsplit, case((1, 2, 4), args=(2,))),
    sample("unbind", lambda x, d=0: list(np.moveaxis(x, d, 0)), case((2, 3)), case((2, 3), args=(1,)), dtypes=ANY),
    sample("vander", np.vander, ((3,),)),
    # picking and scattering
    sample("select", lambda x, d, i: np.take(x, i, d), case((2, 3), args=(1, -1)), dtypes=ANY),
    sample("narrow", lambda x, d, a, n: x[:, a : a + n], case((2, 4), args=(1, 1, 2)), dtypes=ANY),
    sample("index_select", None, case((3, 2)), op=lambda x: torch.index_select(x, 0, rows(x))),
    sample("gather", None, case((3, 2)), op=lambda x: torch.gather(x, 0, on(x, AT))),
    sample("index_fill", None, case((3, 2)), op=lambda x: torch.index_fill(x, 0, rows(x)[:1], 0.5)),
    sample("index_add", None, case((3, 2), (3, 2)), op=lambda x, y: torch.index_add(x, 0, rows(x), y)),
    sample("index_copy", None, case((3, 2), (2, 2)), op=lambda x, y: torch.index_copy(x, 0, rows(x)[:2], y)),
    sample("index_put", None, case((3, 2), (3, 2)), op=lambda x, y: torch.index_put(x, (rows(x),), y, True)),
    sample("index_reduce", None, case((3, 2), (3, 2)), low=0.5, distinct=True,
           op=lambda x, y: torch.index_reduce(x, 0, rows(x), y, "prod")),
    sample("put", None, case((3, 2), (3,)), op=lambda x, y: torch.put(x, rows(x), y, True)),
    sample("scatter", None, case((3, 2), (3, 2)), op=lambda x, y: torch.scatter(x, 0, on(x, AT[:2]), y)),
    sample("scatter_add", None, case((3, 2), (3, 2)), op=lambda x, y: torch.scatter_add(x, 0, on(x, AT), y)),
    sample("scatter_reduce", None, case((3, 2), (3, 2)), low=0.5, distinct=True,
           op=lambda x, y: torch.scatter_reduce(x, 0, on(x, AT), y, "amax")),
    sample("masked_scatter", None, case((2, 3), (6,)), op=lambda x, y: torch.masked_scatter(x, on(x, PICKED), y)),
    sample("select_scatter", None, case((3, 2), (2,)), op=lambda x, y: torch.select_scatter(x, y, 0, 1)),
    sample("slice_scatter", None, case((3, 2), (2, 2)), op=lambda x, y: torch.slice_scatter(x, y, 0, 1)),
    sample("diagonal_scatter", None, case((3, 3), (3,)), op=lambda x, y: torch.diagonal_scatter(x, y)),
    sample("take", lambda x, i: x.ravel()[i], case((3, 2), AT), dtypes=ANY),
    sample("take_along_dim", lambda x, i, d: np.take_along_axis(x, i, d), case((3, 2), AT, args=(0,)), dtypes=ANY),
    sample("masked_select", lambda x, m: x[m], case((2, 3), PICKED), dtypes=ANY),
    sample("msort", lambda x: np.sort(x, 0), ((4, 2),), distinct=True),
    sample("sort", _sorted, case((2, 4)), case((2, 4), dim=0, descending=True), distinct=True, result=None),
    sample("argsort", lambda x, dim=-1: np.argsort(x, dim), case((2, 4)), distinct=True, grad=False, result="int64"),
    sample("topk", _top, case((2, 4), args=(2,)), distinct=True, result=None),
    sample("kthvalue", _kth, case((2, 4), args=(2,)), distinct=True, result=None),
]  # fmt: skip
