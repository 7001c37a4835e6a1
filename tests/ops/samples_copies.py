"""The sample table: copies of views, distances, slopes and parts of numbers."""

from __future__ import annotations

import numpy as np
from sample import COMPLEX, FLOAT, INT, REAL, case, sample

import arraytorch as torch
from arraytorch.nn import functional  # noqa: F401

ANY = ("bool", "int64", *FLOAT, "complex128")


def _renormed(x, p, dim, most):
    other = tuple(d for d in range(x.ndim) if d != dim)
    norm = (np.abs(x) ** p).sum(other, keepdims=True) ** (1 / p)
    return np.where(norm > most, x * (most / (norm + 1e-7)), x)


def _distances(x, y, p=2.0, compute_mode=None):
    gaps = np.abs(x[..., :, None, :] - y[..., None, :, :])
    return gaps.max(-1) if p == np.inf else (gaps**p).sum(-1) ** (1 / p)


def _scattered(x, y):
    z = x.copy()
    z.reshape(-1)[1::2] = y
    return z


SAMPLES = [
    sample("alias_copy", np.copy, case((2, 3)), dtypes=ANY),
    sample("detach_copy", np.copy, case((2, 3)), dtypes=ANY, grad=False),
    sample("as_strided_copy", lambda x, n, s: x.ravel()[::2], case((4,), args=((2,), (2,))), dtypes=ANY, strided=False),
    sample("diagonal_copy", lambda x, o=0: np.diagonal(x, o), case((3, 3)), case((2, 3), args=(1,)), dtypes=ANY),
    sample("expand_copy", lambda x, n: np.broadcast_to(x, n), case((3, 1), args=((2, 3, 4),)), dtypes=ANY),
    sample("narrow_copy", lambda x, d, a, n: x[:, a : a + n], case((2, 4), args=(1, 1, 2)), dtypes=ANY),
    sample("permute_copy", np.transpose, case((2, 3, 4), args=((2, 0, 1),)), dtypes=ANY),
    sample("select_copy", lambda x, d, i: np.take(x, i, d), case((2, 3), args=(1, -1)), dtypes=ANY),
    sample("slice_copy", lambda x, d, a, b, s: x[:, a:b:s], case((2, 5), args=(1, 1, 5, 2)), dtypes=ANY),
    sample("squeeze_copy", lambda x, dim=None: np.squeeze(x, dim), case((1, 3, 1)), case((1, 3, 1), dim=0), dtypes=ANY),
    sample("t_copy", np.transpose, case((2, 3)), dtypes=ANY),
    sample("transpose_copy", np.swapaxes, case((2, 3), args=(0, 1)), dtypes=ANY),
    sample("unfold_copy", lambda x, d, n, s: np.stack([x[i : i + n] for i in range(0, len(x) - n + 1, s)]),
           case((5,), args=(0, 2, 1)), dtypes=ANY, strided=False),
    sample("unsqueeze_copy", np.expand_dims, case((2, 3), args=(1,)), dtypes=ANY),
    sample("view_copy", np.reshape, case((2, 3), args=((3, 2),)), dtypes=ANY, strided=False),
    sample("view_as_real_copy", lambda x: np.stack([x.real, x.imag], -1), ((2, 3),), dtypes=COMPLEX, result="real"),
    sample("view_as_complex_copy", lambda x: x[..., 0] + 1j * x[..., 1], ((3, 2),), result=None, strided=False),
    sample("as_strided_scatter", _scattered, case((2, 2), (2,)), dtypes=ANY, strided=False,
           op=lambda x, y: torch.as_strided_scatter(x, y, (2,), (2,), 1)),
    sample("fill", lambda x, v: np.full_like(x, v), case((2, 3), args=(2,)), dtypes=INT + REAL + COMPLEX),
    sample("frexp", np.frexp, case((2, 3)), case(()), low=0.1, result=None, dtypes=("float16", *FLOAT)),
    sample("hash_tensor", lambda x, dim=None, keepdim=False: np.bitwise_xor.reduce(
        x.astype("i8" if x.dtype.kind in "biu" else "f8").view("u8"), dim, keepdims=keepdim),
        case((3, 4)), case((3, 4), dim=1), case((5, 2), dim=0, keepdim=True), grad=False, result=None,
        dtypes=("bool", "uint8", "int8", "int64", *FLOAT)),
    sample("renorm", _renormed, case((3, 4), args=(2, 0, 1.0)), case((3, 2, 2), args=(1.5, 1, 2.0)), dtypes=FLOAT + COMPLEX),
    sample("cdist", _distances, case((3, 4), (5, 4)), case((2, 3, 4), (5, 4), p=1.0), case((3, 4), (2, 4), p=3.0),
           case((3, 4), (2, 4), p=np.inf), case((30, 2), (3, 2)), rtol=1e-4),
    sample("gradient", lambda x, dim=None, edge_order=1: np.gradient(x, axis=dim, edge_order=edge_order),
           case((4,)), case((3, 4)), case((3, 4), dim=1, edge_order=2), result=None),
]  # fmt: skip
