"""Compiled normal deviates, bit for bit those of `box_muller`: a twentieth of the time."""

from __future__ import annotations

import math
import platform
from typing import Any

import numpy as np
from llvmlite import binding
from numba import types

from . import box_muller as b
from .numba_math import compiled, from_bits, helper, instruction, to_bits
from .sharing import share

f, d = np.float32, np.float64
_L = tuple([f(c) for c in (7.0376836292e-2, *b._LOG)])
_LOW, _HIGH = f(-2.12194440e-4), f(0.693359375)
_P0, _P1, _P2 = (f(c) for c in b._QUARTER_PI)
_S0, _S1, _S2 = (f(c) for c in (-1.9515295891e-4, *b._SIN))
_C0, _C1, _C2 = (f(c) for c in (2.443315711809948e-5, *b._COS))
_TURN, _OCTANT = f(2 * math.pi), f(1.27323954473516)
_HALF, _ONE, _MINUS_TWO = f(0.5), f(1), f(-2)


@instruction
def _by_processor(typingctx: Any, x: Any, y: Any, z: Any) -> Any:
    """x y + z, rounded once."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fma(*args)

    return types.float32(types.float32, types.float32, types.float32), generate


@helper
def _in_float64(x, y, z):  # type: ignore[no-untyped-def]
    """x y + z, where the product is exact, so that the second rounding hardly ever matters."""
    return f(d(x) * d(y) + d(z))


def _has_fma() -> bool:
    return platform.machine() in ("arm64", "aarch64") or bool(
        binding.get_host_cpu_features().get("fma")
    )


_fused = _by_processor if _has_fma() else _in_float64


@helper
def _log(u):  # type: ignore[no-untyped-def]
    bits = to_bits(u)
    exponent = np.int32(np.int32(bits - np.int32(0x3F3504F3)) >> np.int32(23))
    x = from_bits(np.int32(bits - np.int32(exponent << np.int32(23)))) - _ONE
    e = f(exponent)
    z = x * x
    y = _fused(_fused(_fused(_L[0], x, _L[1]), x, _L[2]), x, _L[3])
    y = _fused(_fused(_fused(y, x, _L[4]), x, _L[5]), x, _L[6])
    y = _fused(_fused(y, x, _L[7]), x, _L[8])
    y = _fused(y * x, z, e * _LOW)
    y = _fused(z, -_HALF, y)
    return _fused(e, _HIGH, x + y)


@compiled(False)
def _normals(start, stop, radii, angles):  # type: ignore[no-untyped-def]
    radii, angles = radii[start:stop], angles[start:stop]
    for i in range(radii.size):
        radius = np.sqrt(_MINUS_TWO * _log(_ONE - radii[i]))
        angle = _TURN * angles[i]
        octant = np.int32(np.int32(np.int32(angle * _OCTANT) + np.int32(1)) & np.int32(~1))
        j = f(octant)
        x = _fused(j, _P2, _fused(j, _P1, _fused(j, _P0, angle)))
        z = x * x
        p = _fused(_fused(_S0, z, _S1), z, _S2)
        sin = _fused(p * z, x, x)
        p = _fused(_fused(_C0, z, _C1), z, _C2)
        cos = _fused(p * z, z, z * -_HALF) + _ONE
        swap = np.int32(octant & np.int32(2))
        s = cos if swap else sin
        c = sin if swap else cos
        turned = np.int32(np.int32(octant + np.int32(2)) & np.int32(4))
        radii[i] = radius * (-c if turned else c)
        angles[i] = radius * (-s if np.int32(octant & np.int32(4)) else s)


def normals(u: Any) -> None:
    """Turns blocks of 16 float32 uniforms, 8 for radii and 8 for angles, into standard normals."""
    blocks = u.reshape(-1, 2, 8)
    radii, angles = blocks[:, 0].reshape(-1), blocks[:, 1].reshape(-1)
    share(_normals, radii.size, 8 * radii.size, radii, angles)
    blocks[:, 0], blocks[:, 1] = radii.reshape(-1, 8), angles.reshape(-1, 8)
