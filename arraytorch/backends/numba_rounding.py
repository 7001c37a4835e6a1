"""One float16 or bfloat16 as float32, and back, in compiled loops: on its bits, which are an integer."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types

from .numba_math import from_bits, helper, instruction, to_bits

i = np.int32
_SHIFT = np.float32(2.0**112)  # from float16's exponents to float32's
_LEAST = np.float32(0.5)  # whose last digit is float16's smallest number


# numba's integers grow to 64 bits with each operation, of which half as many fit a register.


@helper
def _shifted_from_float16(h):  # type: ignore[no-untyped-def]
    size = i(i(h) & i(0x7FFF))
    bits = i(size << i(13))
    x = to_bits(from_bits(bits) * _SHIFT)
    x = i(bits | i(0x7F800000)) if size >= i(0x7C00) else x
    return from_bits(i(x | i(i(i(h) & i(0x8000)) << i(16))))


@helper
def _shifted_to_float16(x):  # type: ignore[no-untyped-def]
    bits = to_bits(x)
    size = i(bits & i(0x7FFFFFFF))
    tie = i(i(size >> i(13)) & i(1))  # to even
    h = i(i(size - i(0x37FFF001) + tie) >> i(13))
    tiny = i(to_bits(from_bits(size) + _LEAST) - i(0x3F000000))
    h = tiny if size < i(0x38800000) else h
    h = i(0x7C00) if size >= i(0x47800000) else h
    h = i(0x7E00) if size > i(0x7F800000) else h
    return np.uint16(i(h | i(i(bits >> i(16)) & i(0x8000))))


@instruction
def _loaded_float16(typingctx: Any, h: Any) -> Any:
    """float32 of the bits of a float16, by the processor."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fpext(builder.bitcast(args[0], ir.HalfType()), ir.FloatType())

    return types.float32(types.uint16), generate


@instruction
def _stored_float16(typingctx: Any, x: Any) -> Any:
    """The bits of the nearest float16, by the processor."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(builder.fptrunc(args[0], ir.HalfType()), ir.IntType(16))

    return types.uint16(types.float32), generate


# Half of the time that shifting takes; without that feature LLVM would call the C library for each.
_BY_PROCESSOR = bool(get_host_cpu_features().get("f16c"))
from_float16 = _loaded_float16 if _BY_PROCESSOR else _shifted_from_float16
to_float16 = _stored_float16 if _BY_PROCESSOR else _shifted_to_float16


@helper
def from_bfloat16(h):  # type: ignore[no-untyped-def]
    return from_bits(i(i(h) << i(16)))


@helper
def to_bfloat16(x):  # type: ignore[no-untyped-def]
    bits = to_bits(x)
    tie = i(i(bits >> i(16)) & i(1))
    h = i(i(bits + i(0x7FFF + tie)) >> i(16))
    return np.uint16(i(i(bits >> i(16)) | i(0x40)) if x != x else h)


@helper
def itself(x):  # type: ignore[no-untyped-def]
    return x


LOAD = {"e": from_float16, "E": from_bfloat16}
STORE = {"e": to_float16, "E": to_bfloat16}
