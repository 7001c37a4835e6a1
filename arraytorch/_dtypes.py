"""Element types, as names and facts; how each looks in an array library is the backends' affair."""

from __future__ import annotations

import builtins
from functools import lru_cache


class dtype:
    """An element type, such as ``torch.float32``; one object per type, compared by identity.

    >>> torch.float32.itemsize, torch.float32.is_floating_point, torch.complex64.to_real()
    (4, True, torch.float32)
    """

    __slots__ = ("bits", "category", "is_signed", "itemsize", "name")

    def __init__(self, name: str, category: int, bits: int, signed: builtins.bool) -> None:
        self.name, self.category, self.bits, self.is_signed = name, category, bits, signed
        self.itemsize = max(bits // 8, 1)

    @property
    def is_floating_point(self) -> builtins.bool:
        """Whether this is a real floating-point type."""
        return self.category == FLOATING

    @property
    def is_complex(self) -> builtins.bool:
        """Whether this is a complex type."""
        return self.category == COMPLEX

    @property
    def abbr(self) -> str:
        """A short name, such as f32, bf16 or b8."""
        kind = next(k for k in _ABBREVIATIONS if self.name.startswith(k))
        return _ABBREVIATIONS[kind] + self.name[len(kind) :].replace("_", "")

    def to_real(self) -> dtype:
        """Returns the real type with the precision of this one."""
        return _REAL.get(self, self)

    def to_complex(self) -> dtype:
        """Returns the complex type with the precision of this one."""
        if self in EIGHT_BITS:
            raise RuntimeError(f"Unknown Complex ScalarType for {scalar_type_name(self)}")
        if self not in _COMPLEX:
            raise RuntimeError(f"dtype {self.name} has no complex counterpart")
        return _COMPLEX[self]

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return named, (self.name,)


_ABBREVIATIONS = {
    "bool": "b8", "bfloat": "bf", "float": "f", "uint": "u", "int": "i", "complex": "c"
}  # fmt: skip

BOOL, INTEGER, FLOATING, COMPLEX = range(4)

bool = dtype("bool", BOOL, 8, False)
uint8 = dtype("uint8", INTEGER, 8, False)
uint16 = dtype("uint16", INTEGER, 16, False)
uint32 = dtype("uint32", INTEGER, 32, False)
uint64 = dtype("uint64", INTEGER, 64, False)
int8 = dtype("int8", INTEGER, 8, True)
int16 = dtype("int16", INTEGER, 16, True)
int32 = dtype("int32", INTEGER, 32, True)
int64 = dtype("int64", INTEGER, 64, True)
float16 = dtype("float16", FLOATING, 16, True)
bfloat16 = dtype("bfloat16", FLOATING, 16, True)
float32 = dtype("float32", FLOATING, 32, True)
float64 = dtype("float64", FLOATING, 64, True)
float8_e4m3fn = dtype("float8_e4m3fn", FLOATING, 8, True)
float8_e4m3fnuz = dtype("float8_e4m3fnuz", FLOATING, 8, True)
float8_e5m2 = dtype("float8_e5m2", FLOATING, 8, True)
float8_e5m2fnuz = dtype("float8_e5m2fnuz", FLOATING, 8, True)
float8_e8m0fnu = dtype("float8_e8m0fnu", FLOATING, 8, False)
# A name that programs compare with: no array library has the type, and no tensor is of it.
complex32 = dtype("complex32", COMPLEX, 32, True)
complex64 = dtype("complex64", COMPLEX, 64, True)
complex128 = dtype("complex128", COMPLEX, 128, True)

ALL = (
    bool, uint8, uint16, uint32, uint64, int8, int16, int32, int64,
    float16, bfloat16, float32, float64, complex64, complex128,
    float8_e4m3fn, float8_e4m3fnuz, float8_e5m2, float8_e5m2fnuz, float8_e8m0fnu,
)  # fmt: skip
EIGHT_BITS = frozenset(ALL[-5:])
# What Python's own types mean where a dtype is asked for.
PYTHON: dict[object, dtype] = {
    builtins.bool: bool, int: int64, float: float64, complex: complex128,
}  # fmt: skip
_BY_NAME = {d.name: d for d in ALL}
# A half-precision complex type exists in no array library: 16-bit floats pair with complex64.
_REAL = {complex64: float32, complex128: float64}
_COMPLEX = {
    float16: complex64,
    bfloat16: complex64,
    float32: complex64,
    float64: complex128,
    complex64: complex64,
    complex128: complex128,
}


def named(name: str) -> dtype:
    """Returns the element type of that name."""
    return _BY_NAME[name]


class _Defaults:
    """What a Python float becomes, for the whole process as in PyTorch."""

    floating = float32


def get_default_dtype() -> dtype:
    """Returns the floating-point type that Python floats become.

    >>> torch.get_default_dtype()
    torch.float32
    """
    return _Defaults.floating


def set_default_dtype(d: dtype, /) -> None:
    """Sets the floating-point type that Python floats become.

    Raises TypeError unless ``d`` is a floating-point type.
    """
    if not isinstance(d, dtype):
        raise TypeError(f"invalid dtype object: {d!r}")
    if d in EIGHT_BITS:
        raise TypeError(f"couldn't find storage object {scalar_type_name(d)}Storage")
    if not d.is_floating_point:
        raise TypeError(
            "only floating-point types are supported as the default type, "
            f"but got {d!r}: set_default_dtype"
        )
    _Defaults.floating = d


@lru_cache(None)
def _promote(a: dtype, b: dtype) -> dtype:
    if a is b:
        return a
    if a in EIGHT_BITS or b in EIGHT_BITS:
        raise RuntimeError(
            "Promotion for Float8 Types is not supported, attempted to promote "
            f"{scalar_type_name(a)} and {scalar_type_name(b)}"
        )
    if a.category != b.category:
        low, high = sorted((a, b), key=lambda d: d.category)
        # Only a wide real widens a complex type: float64 + complex64 is complex128.
        return complex128 if high is complex64 and low is float64 else high
    if a.category == FLOATING and a.bits == b.bits:
        return float32  # float16 with bfloat16: neither holds the other
    if a.category == INTEGER and a.is_signed != b.is_signed:
        signed, unsigned = (a, b) if a.is_signed else (b, a)
        return signed if signed.bits > unsigned.bits else _signed_beyond(unsigned, signed)
    return a if a.bits >= b.bits else b


def _signed_beyond(unsigned: dtype, signed: dtype) -> dtype:
    """The signed type that holds ``unsigned``; PyTorch has this for uint8 only."""
    if unsigned is uint64:
        raise RuntimeError(
            f"no integer type holds both {scalar_type_name(unsigned)} and "
            f"{scalar_type_name(signed)}: convert one of them first"
        )
    return _BY_NAME[f"int{2 * unsigned.bits}"]


_SCALAR_TYPES = {
    "bool": "Bool", "uint8": "Byte", "uint16": "UInt16", "uint32": "UInt32", "uint64": "UInt64",
    "int8": "Char", "int16": "Short", "int32": "Int", "int64": "Long", "float16": "Half",
    "bfloat16": "BFloat16", "float32": "Float", "float64": "Double",
    "complex64": "ComplexFloat", "complex128": "ComplexDouble",
    **{d.name: d.name.capitalize() for d in EIGHT_BITS},
}  # fmt: skip


def scalar_type_name(d: dtype) -> str:
    """Returns the name that PyTorch's messages use: Float for float32, Long for int64."""
    return _SCALAR_TYPES[d.name]


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """Returns the smallest type that both types promote to.

    >>> torch.promote_types(torch.int32, torch.float16)
    torch.float16
    """
    return _promote(type1, type2)


def can_cast(from_: dtype, to: dtype) -> builtins.bool:
    """Returns whether PyTorch's rules allow a result of one type to be written into another.

    A category (bool, integer, floating, complex) may grow but not shrink.

    >>> torch.can_cast(torch.float64, torch.float32), torch.can_cast(torch.float32, torch.int32)
    (True, False)
    """
    return from_.category <= to.category


def of_type(name: object) -> dtype:
    """The dtype of a name like torch.FloatTensor or torch.cuda.FloatTensor, or of such a type."""
    own = getattr(name, "dtype", None)
    if isinstance(own, dtype):
        return own
    for d in ALL:
        if str(name).endswith(f".{scalar_type_name(d)}Tensor"):
            return d
    raise ValueError(f"invalid type: {str(name)!r}")
