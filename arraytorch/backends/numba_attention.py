"""Compiled passes over the scores of attention, between the products of the matrix library."""

from __future__ import annotations

from typing import Any

import numpy as np

from .numba_math import FAST, compiled
from .numba_rows import LANES, exp_in_place, top
from .sharing import share


@compiled(FAST)
def _exponentials(start, stop, s, rows, first, total):  # type: ignore[no-untyped-def]
    """``first`` is the number of each matrix's first row, -1 where all columns are seen."""
    lanes = np.empty(LANES, np.float32)
    for i in range(start, stop):
        seen = s.shape[1]
        if first >= 0:
            seen = min(first + i % rows + 1, seen)
        x = s[i, :seen]
        shift = top(x, lanes)
        if shift == -np.inf:
            shift = np.float32(0)
        sum_ = exp_in_place(x, shift)
        s[i, seen:] = 0
        total[i] = np.float32(1) if sum_ == 0 else sum_


@compiled(FAST)
def _slopes(start, stop, slope, means, p, scale):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        m = means[i]
        for j in range(slope.shape[1]):
            slope[i, j] = (slope[i, j] - m) * p[i, j] * scale


def exponentials(s: Any, first: int | None) -> Any:
    """exp(s - its maximum) in place, 0 where a row may not look; and the sums, 1 for 0."""
    heads, rows, columns = s.shape
    total = np.empty((heads, rows, 1), s.dtype)
    flat = s.reshape(heads * rows, columns)
    start = -1 if first is None else first
    share(_exponentials, len(flat), s.size, flat, rows, start, total.reshape(-1))
    return total


def slopes(slope: Any, means: Any, p: Any, scale: float) -> None:
    """(slope - means) * p * scale in place."""
    flat = slope.reshape(-1, slope.shape[-1])
    factor = slope.dtype.type(scale)
    share(_slopes, len(flat), flat.size, flat, means.reshape(-1), p.reshape(flat.shape), factor)
