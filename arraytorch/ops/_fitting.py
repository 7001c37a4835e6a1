"""Numbers as elements of a dtype: what fits, what wraps around, and what is refused."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from ._promote import plain

# As PyTorch's messages have them: those of C++.
_C_NAMES = {
    "uint8": "uint8_t", "int8": "int8_t", "int16": "int16_t", "int32": "int", "int64": "int64_t",
    "uint16": "uint16_t", "uint32": "uint32_t", "uint64": "uint64_t", "float16": "c10::Half",
    "bfloat16": "c10::BFloat16", "float32": "float", "float64": "double",
    "complex64": "c10::complex<float>", "complex128": "c10::complex<double>",
}  # fmt: skip
_LARGEST = {
    "float16": 65504.0,
    "bfloat16": 3.3895313892515355e38,
    "float32": 3.4028234663852886e38,
    "complex64": 3.4028234663852886e38,
}


def fitting(value: Any, native: Any, names: dict[str, str] = _C_NAMES) -> Any:
    """Returns a Python number as one that a type of array elements holds.

    A negative integer wraps around in an unsigned type, a fraction loses what is behind the point.
    Raises RuntimeError for what is too large, also for infinities and NaN as integers and complex
    numbers as real ones; OverflowError for integers beyond 64 bits.
    """
    kind = native.kind
    if kind == "f" and value.__class__ is float and -65504.0 <= value <= 65504.0:
        return value  # in every such type: what is asked nearly always, in a fifth of the time
    value = plain(value)
    if kind == "b":
        return value
    if isinstance(value, complex):
        if kind == "c":
            held = all(_held(part, native) for part in (value.real, value.imag))
        else:
            held = value.imag == 0
            value = value.real
        if not held:
            raise _overflow(native, names)
        if kind == "c":
            return value
    if kind in "iu":
        return _integer(value, native, names)
    if not _held(value, native):
        raise _overflow(native, names)
    return value


def _integer(value: Any, native: Any, names: dict[str, str]) -> int:
    bits = 8 * native.itemsize
    low, high = (-(1 << (bits - 1)), 1 << (bits - 1)) if native.kind == "i" else (0, 1 << bits)
    if isinstance(value, int):
        if not -(1 << 63) <= value < 1 << 64:
            raise OverflowError("int too big to convert")
        if native.kind == "u" and -high < value < 0:
            return value + high
    if not math.isfinite(value) or not low <= value < high:
        raise _overflow(native, names)
    return int(value)


def _held(value: Any, native: Any) -> bool:
    return not _limit(native) < abs(value) < math.inf


@lru_cache(64)
def _limit(native: Any) -> float:
    """The largest number that fits; NumPy takes 2 us to say the name of a type."""
    return _LARGEST.get(native.name, math.inf)


def _overflow(native: Any, names: dict[str, str]) -> RuntimeError:
    name = names.get(native.name, native.name)
    return RuntimeError(f"value cannot be converted to type {name} without overflow")


def wrapped_around(value: Any, native: Any) -> Any:
    """Returns a Python integer as a fixed-width one, wrapped around as in C."""
    if native.kind not in "iu" or not isinstance(value, int):
        return value
    bits = 8 * native.itemsize
    value &= (1 << bits) - 1
    return value - (1 << bits) if native.kind == "i" and value >> (bits - 1) else value
