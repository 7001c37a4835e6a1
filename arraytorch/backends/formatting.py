"""What printing needs to know of an array: the values that are shown, and their range."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .float8 import decoded, is_float8


class Column(NamedTuple):
    """Numbers to be printed alike, and what decides how.

    ``lowest`` and ``highest`` are the least and the greatest magnitude among those that are finite
    and not zero, or None if there is none; ``whole`` says that all of these are integers.
    """

    values: list[Any]
    counted: list[bool] | None = None  # which values are finite and not zero; None for all
    lowest: float | None = None
    highest: float | None = None
    whole: bool = True


def edges(array: Any, count: int, to_host: Callable[[Any], Any], axis: int = 0) -> Any:
    """Returns ``count`` items from either end of every longer dimension, on the host.

    The slices are taken where the array lives, so that a large one is not moved to print a few.
    """
    shape = array.shape
    while axis < len(shape) and shape[axis] <= 2 * count:
        axis += 1
    if axis == len(shape):
        return to_host(array)
    before = (slice(None),) * axis
    head = array[(*before, slice(count))]
    tail = array[(*before, slice(shape[axis] - count, None))]
    halves = [edges(part, count, to_host, axis + 1) for part in (head, tail)]
    return np.concatenate(halves, axis)


def columns(host: Any) -> tuple[Column, ...]:
    """Returns the values of a host array in order: one column, or two if they are complex."""
    if is_float8(host.dtype):
        name, host = host.dtype.names[0], decoded(host)
        if (
            name == "float8_e8m0fnu"
        ):  # PyTorch sees a 0, for which there is no code, in the least one
            host = np.where(host == 2.0**-127, np.float32(0), host)
    if host.dtype.kind == "c":
        return _reals(host.real), _reals(host.imag)
    # kind "V" is what ml_dtypes gives its floating-point types
    return (_reals(host),) if host.dtype.kind in "fV" else (Column(host.ravel().tolist()),)


def _reals(host: Any) -> Column:
    values = host.astype(np.float64).ravel()
    counted = np.isfinite(values) & (values != 0)
    shown = values[counted]
    if not shown.size:
        return Column(values.tolist(), counted.tolist())
    magnitudes = np.abs(shown)
    return Column(
        values.tolist(),
        counted.tolist(),
        float(magnitudes.min()),
        float(magnitudes.max()),
        bool((shown == np.ceil(shown)).all()),
    )
