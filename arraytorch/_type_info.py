"""The limits of dtypes, by IEEE 754 and the definition of bfloat16: no library is asked."""

from __future__ import annotations

import math

from . import _dtypes
from ._dtypes import dtype as Dtype

# Bits of the significand after the leading one, and the largest exponent.
_SHAPES = {
    _dtypes.float16: (10, 15),
    _dtypes.bfloat16: (7, 127),
    _dtypes.float32: (23, 127),
    _dtypes.float64: (52, 1023),
}
# Eps, the largest number, the smallest of full precision, and the smallest of all.
_EIGHT_BITS = {
    _dtypes.float8_e4m3fn: (0.125, 448.0, 2.0**-6, -448.0),
    _dtypes.float8_e4m3fnuz: (0.125, 240.0, 2.0**-7, -240.0),
    _dtypes.float8_e5m2: (0.25, 57344.0, 2.0**-14, -57344.0),
    _dtypes.float8_e5m2fnuz: (0.125, 57344.0, 2.0**-15, -57344.0),
    _dtypes.float8_e8m0fnu: (1.0, 2.0**127, 2.0**-127, 2.0**-127),
}


class finfo:
    """The limits of a floating-point dtype, or of the parts of a complex one.

    ``eps`` is the distance from 1 to the next larger number, ``resolution`` the decimal digits
    that survive, as a power of ten, ``tiny`` or ``smallest_normal`` the smallest positive number
    of full precision.

    >>> torch.finfo(torch.float32).eps
    1.1920928955078125e-07
    """

    __slots__ = (
        "bits", "dtype", "eps", "max", "min", "resolution", "smallest_normal", "tiny",
    )  # fmt: skip

    def __init__(self, type: Dtype | None = None) -> None:
        """Takes a dtype, or none for the default one; TypeError for one without a point."""
        type = _dtypes.get_default_dtype() if type is None else type
        real = type.to_real()
        if real in _EIGHT_BITS:
            self.bits, self.dtype, self.resolution = 8, real.name, 1.0
            self.eps, self.max, self.tiny, self.min = _EIGHT_BITS[real]
            self.smallest_normal = self.tiny
            return
        if real not in _SHAPES:
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle "
                "'torch.finfo'"
            )
        digits, exponent = _SHAPES[real]
        self.bits, self.dtype = real.bits, real.name
        self.eps = 2.0**-digits
        self.max = (2.0 - self.eps) * 2.0**exponent
        self.min = -self.max
        self.smallest_normal = self.tiny = 2.0 ** (1 - exponent)
        self.resolution = 10.0 ** -math.floor(digits * math.log10(2))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
            f"eps={self.eps:g}, smallest_normal={self.tiny:g}, tiny={self.tiny:g}, "
            f"dtype={self.dtype})"
        )


class iinfo:
    """The limits of an integer dtype.

    >>> torch.iinfo(torch.int8).max
    127
    """

    __slots__ = ("bits", "dtype", "max", "min")

    def __init__(self, type: Dtype) -> None:
        """Takes a dtype; TypeError for bool and for one with a point."""
        if type is _dtypes.bool:
            raise TypeError("torch.bool is not supported by torch.iinfo")
        if type.category != _dtypes.INTEGER:
            raise TypeError(
                "torch.iinfo() requires an integer input type. Use torch.finfo to handle "
                "'torch.iinfo'"
            )
        self.bits, self.dtype = type.bits, type.name
        self.max = 2 ** (type.bits - type.is_signed) - 1
        self.min = -self.max - 1 if type.is_signed else 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
