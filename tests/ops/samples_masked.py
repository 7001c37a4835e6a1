"""The sample table, torch.masked: each reference looks at the counting elements of a row alone."""

from __future__ import annotations

import numpy as np
from sample import COMPLEX, FLOAT, INT, REAL, case, sample
from scipy import special

import arraytorch as torch

NUMBERS = INT + FLOAT + COMPLEX
COUNTS = np.array([[True, False, True, True], [False, True, True, False]])
COLUMN = COUNTS[:, 1:2]  # broadcasts


def by_row(name, reduce, *args, dtypes=FLOAT, **options):
    """A reduction of rows of (2, 4), where ``args`` stand before the dimension."""

    def ref(x, mask, *_):
        return np.array([reduce(r[m]) for r, m in zip(x, mask, strict=True)])

    return _row(name, ref, args, dtypes, options)


def in_row(name, change, rest, *args, dtypes=FLOAT, **options):
    """Changes the counting elements of rows; ``rest`` is what the others become."""

    def ref(x, mask, *_):
        z = np.full(x.shape, rest, x.dtype)
        for to, r, m in zip(z, x, mask, strict=True):
            to[m] = change(r[m])
        return z

    return _row(name, ref, args, dtypes, options)


def _row(name, ref, args, dtypes, options):
    return sample(f"masked.{name}", ref, case((2, 4), COUNTS, args=(*args, 1)), dtypes=dtypes,
                  op=_with_mask(getattr(torch.masked, name)), **options)  # fmt: skip


def _with_mask(op):
    return lambda x, mask, *args: op(x, *args, mask=mask)


def scan(name, run, unit):
    """A scan of rows, in which what does not count changes nothing."""

    def ref(x, mask, dim):
        return run(np.where(mask, x, unit), dim).astype(x.dtype)

    return _row(name, ref, (), NUMBERS, {})


def _of_size(norm):
    return lambda r: r / norm(r)


def _logaddexp(x, y, first, second):
    return np.logaddexp(np.where(first, x, -np.inf), np.where(second, y, -np.inf))


def _masked_logaddexp(x, y, first, second):
    return torch.masked.logaddexp(x, y, input_mask=first, other_mask=second)


SAMPLES = [
    by_row("sum", np.sum, dtypes=FLOAT + COMPLEX + ("int64",)),
    by_row("prod", np.prod, dtypes=FLOAT + COMPLEX + ("int64",)),
    by_row("amax", np.max, dtypes=INT + REAL, distinct=True),
    by_row("amin", np.min, dtypes=INT + REAL, distinct=True),
    _row("argmax", lambda x, mask, dim: np.where(mask, x.astype("f8"), -99).argmax(dim), (), INT + FLOAT, {"grad": False, "low": 1, "high": 9}),
    _row("argmin", lambda x, mask, dim: np.where(mask, x.astype("f8"), 99).argmin(dim), (), INT + FLOAT, {"grad": False}),
    by_row("mean", np.mean, dtypes=FLOAT + COMPLEX),
    by_row("median", lambda r: np.sort(r)[(len(r) - 1) // 2], dtypes=INT + FLOAT, distinct=True),
    by_row("norm", np.linalg.norm, 2.0, dtypes=FLOAT + COMPLEX, result="real"),
    by_row("norm", lambda r: np.abs(r).sum(), 1.0),
    by_row("norm", lambda r: np.abs(r).min(), -np.inf, distinct=True, low=0.1),
    by_row("var", lambda r: np.var(r, ddof=1), dtypes=FLOAT),
    by_row("std", lambda r: np.std(r, ddof=1), dtypes=FLOAT),
    by_row("logsumexp", special.logsumexp),
    in_row("softmax", special.softmax, 0.0),
    in_row("log_softmax", special.log_softmax, -np.inf, grad=False),
    in_row("softmin", lambda r: special.softmax(-r), 0.0),
    in_row("normalize", _of_size(np.linalg.norm), 0.0, 2.0, dtypes=FLOAT + COMPLEX),
    sample("masked.logaddexp", _logaddexp, case((2, 4), (2, 4), COUNTS, COLUMN), op=_masked_logaddexp, grad=False),
    scan("cumsum", np.cumsum, 0),
    scan("cumprod", np.cumprod, 1),
    # A mask that broadcasts, over everything, and none.
    sample("masked.sum", lambda x, mask: np.sum(x * mask), case((2, 4), COLUMN), op=_with_mask(torch.masked.sum)),
    sample("masked.mean", np.mean, ((2, 4),), op=torch.masked.mean),
]  # fmt: skip
