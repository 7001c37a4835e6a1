"""Filling tensors with random numbers: the in-place methods.

The numbers are those of PyTorch's CPU generator. A fill writes over what was there, so the
gradient that flows back through it is zero.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

from .. import _dtypes
from .._dtypes import dtype, scalar_type_name
from ..autograd.modes import grad_enabled
from ..autograd.tape import Rules, TensorBase, forbid_leaf, taped, wrap
from ..backends import backend_of, dtype_of
from ._write import stamp, write_back

Tensor = Any
Generator = Any

_INT64_MIN, _INT64_MAX = -(1 << 63), (1 << 63) - 1


def forgets(backward_name: str, arguments: int = 1) -> Any:
    """Returns an op's rules where the result is recorded but does not depend on the arguments."""
    pullbacks = [lambda B, g: B.zeros_like(g)] * arguments
    return SimpleNamespace(rules=Rules(backward_name, pullbacks, backward_name=backward_name))


_UNIFORM, _NORMAL = forgets("UniformBackward0"), forgets("NormalBackward0")
_RANDOM = [forgets(f"RandomBackward{n}") for n in range(3)]
_BERNOULLI = [forgets(f"BernoulliBackward{n}") for n in range(3)]
_EXPONENTIAL, _GEOMETRIC = forgets("ExponentialBackward0"), forgets("GeometricBackward0")
_CAUCHY, _LOG_NORMAL = forgets("CauchyBackward0"), forgets("LogNormalBackward0")


def uniform_(
    self: Tensor,
    from_: float = 0.0,
    to: float = 1.0,
    *,
    generator: Generator | None = None,
    **named: float,
) -> Tensor:
    """Fills with numbers uniform in [``from_``, ``to``).

    Raises RuntimeError if the bounds are in the wrong order or do not fit the dtype, and
    NotImplementedError for integer tensors.

    >>> _ = torch.manual_seed(0)
    >>> torch.empty(3).uniform_(-1, 1)
    tensor([-0.0075,  0.5364, -0.8230])
    """
    low, high = float(_named_from("uniform_", from_, named)), float(to)
    d = dtype_of(self._data)
    usual = low == 0.0 and high == 1.0 and d in _LARGEST
    if not usual and (self._data.size or not d.is_complex):
        _check_uniform(d.to_real(), low, high)
    return _fill(self, _UNIFORM, generator, lambda c, x: c.uniform_(x, low, high))


def normal_(
    self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Fills with normal deviates.

    Real and imaginary parts of complex numbers have half the variance each. Raises RuntimeError
    for a negative ``std`` and NotImplementedError for integer tensors.

    >>> _ = torch.manual_seed(0)
    >>> torch.empty(3).normal_(10, 0.1)
    tensor([10.1541,  9.9707,  9.7821])
    """
    mean, std = float(mean), float(std)
    check_std(std)
    if _unfit(self, _dtypes.COMPLEX, least=_dtypes.FLOATING):
        raise unsupported("normal_kernel_cpu", self)
    return _fill(self, _NORMAL, generator, lambda c, x: c.normal_(x, mean, std))


_ABSENT: Any = object()


def random_(
    self: Tensor,
    from_: int = _ABSENT,
    to: int | None = _ABSENT,
    *,
    generator: Generator | None = None,
    **named: int,
) -> Tensor:
    """Fills with integers: ``random_(to)`` below ``to``, ``random_(from, to)`` from ``from`` on.

    With ``to=None`` they go up to the largest number of the dtype, with no argument at all from 0.
    Floating-point tensors get integers up to 2 ** 24 (float32), 2 ** 53 (float64), 2 ** 11
    (float16) or 2 ** 8 (bfloat16).

    >>> _ = torch.manual_seed(0)
    >>> torch.empty(5, dtype=torch.int64).random_(2, 7)
    tensor([6, 6, 5, 2, 5])
    """
    from_ = _named_from("random_", from_, named)
    if from_ is _ABSENT and to is _ABSENT:
        if _unfit(self, _dtypes.FLOATING):
            raise unsupported("random_kernel_cpu", self)
        return _fill(self, _RANDOM[2], generator, lambda c, x: c.full_integers_(x))
    rules = _RANDOM[0]
    if to is _ABSENT and named:
        raise TypeError('random_() missing 1 required positional argument: "to"')
    if to is _ABSENT:
        from_, to, rules = 0, from_, _RANDOM[1]
    elif from_ is _ABSENT:
        from_, rules = 0, _RANDOM[1]
    for name, bound in (("from", from_), ("to", to)):
        if bound is not None and not hasattr(bound, "__index__"):
            raise TypeError(f"random_(): argument '{name}' must be int, not {type(bound).__name__}")
    base, span = integer_range(self, int(from_), None if to is None else int(to))
    return _fill(self, rules, generator, lambda c, x: c.integers_(x, base, span))


def bernoulli_(
    self: Tensor, p: float | Tensor = 0.5, *, generator: Generator | None = None
) -> Tensor:
    """Fills with ones, with probability ``p``, and zeros; a tensor has a probability for each.

    Raises RuntimeError if a probability is outside [0, 1].

    >>> _ = torch.manual_seed(0)
    >>> torch.empty(6).bernoulli_(0.5)
    tensor([0., 0., 1., 0., 0., 0.])
    """
    if isinstance(p, TensorBase):
        return bernoulli_each_(self, p, generator, _BERNOULLI[1])
    p = float(p)
    if not 0.0 <= p <= 1.0:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
    if _unfit(self, _dtypes.FLOATING):
        raise unsupported("bernoulli_scalar_cpu_", self)
    return _fill(self, _BERNOULLI[2], generator, lambda c, x: c.bernoulli_(x, p))


def bernoulli_each_(self: Tensor, p: Tensor, generator: Generator | None, rules: Any) -> Tensor:
    """Fills with ones, each with its probability in ``p``, which is broadcast, and zeros."""
    if _unfit(self, _dtypes.FLOATING):
        raise unsupported("bernoulli_tensor_cpu_self_", self)
    if self._data.size and not dtype_of(p._data).is_floating_point:
        raise unsupported("bernoulli_tensor_cpu_p_", p)
    B, place, shape = backend_of(self._data), p._data, self._data.shape
    for dim, (have, want) in enumerate(zip(place.shape[::-1], shape[::-1], strict=False), 1):
        if have not in (1, want):
            raise RuntimeError(
                f"The expanded size of the tensor ({want}) must match the existing size ({have}) "
                f"at non-singleton dimension {len(shape) - dim}.  Target sizes: {list(shape)}.  "
                f"Tensor sizes: {list(place.shape)}"
            )
    chances = place if place.shape == shape else B.expand(place, shape)
    return _fill(self, rules, generator, lambda c, x: c.bernoulli_each_(x, chances))


def exponential_(self: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fills with exponential deviates of rate ``lambd``, so of mean ``1 / lambd``.

    >>> _ = torch.manual_seed(0)
    >>> torch.empty(3).exponential_()
    tensor([3.5083, 1.2304, 0.6150])
    """
    rate = float(lambd)
    if not rate > 0.0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={rate:g}")
    if self._data.size and not dtype_of(self._data).is_floating_point:
        raise RuntimeError(
            "Exponential distribution is a continuous probability distribution. dtype must be a "
            f"floating point but you specified {scalar_type_name(dtype_of(self._data))}"
        )
    return _fill(self, _EXPONENTIAL, generator, lambda c, x: c.exponential_(x, rate))


def geometric_(self: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Fills with the number of trials, each a success with probability ``p``, to the first success.

    >>> _ = torch.manual_seed(0)
    >>> torch.empty(4).geometric_(0.5)
    tensor([1., 1., 2., 1.])
    """
    p = float(p)
    if not 0.0 < p < 1.0:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    if _unfit(self, _dtypes.FLOATING, least=_dtypes.INTEGER):
        raise unsupported("geometric_cpu", self)
    return _fill(self, _GEOMETRIC, generator, lambda c, x: c.geometric_(x, p))


def cauchy_(
    self: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Fills with Cauchy deviates.

    >>> _ = torch.manual_seed(0)
    >>> torch.empty(3).cauchy_()
    tensor([10.5977,  0.7648, -0.1283])
    """
    median, sigma = float(median), float(sigma)
    if not sigma > 0.0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    d = dtype_of(self._data)
    if not d.is_floating_point:
        raise RuntimeError(
            "Cauchy distribution is a continuous probability distribution. dtype must be a "
            f"floating point but you specified {_C_NAMES[d]}"
        )
    return _fill(self, _CAUCHY, generator, lambda c, x: c.cauchy_(x, median, sigma))


def log_normal_(
    self: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None
) -> Tensor:
    """Fills with exponentials of normal deviates that have this mean and standard deviation.

    >>> _ = torch.manual_seed(0)
    >>> torch.empty(3).log_normal_(0, 0.25)
    tensor([1.4700, 0.9293, 0.5800])
    """
    mean, std = float(mean), float(std)
    if not std > 0.0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    if _unfit(self, _dtypes.FLOATING, least=_dtypes.FLOATING):
        raise unsupported("log_normal_cpu", self)
    return _fill(self, _LOG_NORMAL, generator, lambda c, x: c.log_normal_(x, mean, std))


# ------------------------------------------------------------------------------------ helpers


def _named_from(name: str, value: Any, named: dict[str, Any]) -> Any:
    """The lower bound: PyTorch's name for it is ``from``, which only ``**{"from": 2}`` can give."""
    if not named:
        return value
    if wrong := named.keys() - {"from"}:
        raise TypeError(f"{name}() got an unexpected keyword argument '{min(wrong)}'")
    return named["from"]


# The CPU's generator of a thread that has its own, such as a worker of a data loader.
stand_in: ContextVar[Any] = ContextVar("stand_in", default=None)


class Vmap:
    """What vmap, once it is loaded, does to random numbers while it is going on."""

    unset: Any = None  # makes room for those of all samples in a new array
    source: Any = None  # makes a generator one for all samples


def unset(new: Tensor) -> Tensor:
    """Returns a new tensor that is to be filled: inside vmap, with room for the numbers of all samples."""
    if Vmap.unset is not None:
        new._data = Vmap.unset(new._data)
    return new


def core(generator: Any, B: Any, x: Any) -> Any:
    """Returns where the random numbers for x come from: `_core`, or inside vmap one for all samples."""
    if generator is None and Vmap.source is None and stand_in.get() is None:
        return B.generator_of(x)  # the rule
    found = _core(generator, B, x)
    return found if Vmap.source is None else Vmap.source(found)


def _core(generator: Any, B: Any, x: Any) -> Any:
    """Returns the generator of the device of x, or the one that the user gave.

    Raises TypeError if it is none, and RuntimeError if it is another device's.
    """
    if generator is None:
        own = stand_in.get()
        return B.generator_of(x) if own is None or B.device_type != "cpu" else own
    try:
        found = generator.core
    except AttributeError:
        raise TypeError(
            f"argument 'generator' must be torch.Generator, not {type(generator).__name__}"
        ) from None
    if generator.device.type != B.device_type and B.device_type != "meta":
        raise RuntimeError(
            f"Expected a '{B.device_type}' device type for generator but found "
            f"'{generator.device.type}'"
        )
    return found if B.device_type != "meta" else B.generator


def _fill(self: Tensor, rules: Any, generator: Any, fill: Callable[[Any, Any], None]) -> Tensor:
    """Fills the memory of a tensor, and records that its former value no longer counts."""
    x = self._data
    source = core(generator, backend_of(x), x)
    recorded = grad_enabled.get() and (self._node is not None or self._base is not None)
    if recorded:
        forbid_leaf(self)
    if not x.size:
        return self
    fill(source, x)
    if not recorded:
        stamp(self, 3)
        return self
    old = wrap(x)
    old._node = self._node
    write_back(self, taped(rules, x, (old,)))
    return self


def _unfit(self: Tensor, most: int, least: int = _dtypes.BOOL) -> bool:
    """Whether there is something to fill, and of a category that the distribution does not have."""
    return bool(self._data.size) and not least <= dtype_of(self._data).category <= most


def unsupported(kernel: str, tensor: Tensor) -> NotImplementedError:
    """Returns the error for a dtype that a kernel does not take."""
    return NotImplementedError(
        f"\"{kernel}\" not implemented for '{scalar_type_name(dtype_of(tensor._data))}'"
    )


def check_std(std: float) -> None:
    """Raises RuntimeError unless a standard deviation is at least 0."""
    if not std >= 0.0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")


# The names that PyTorch's messages use: those of C++.
_C_NAMES = {
    _dtypes.bool: "bool", _dtypes.uint8: "unsigned char", _dtypes.int8: "signed char",
    _dtypes.int16: "short int", _dtypes.int32: "int", _dtypes.int64: "long int",
    _dtypes.uint16: "short unsigned int", _dtypes.uint32: "unsigned int",
    _dtypes.uint64: "long unsigned int", _dtypes.float16: "c10::Half",
    _dtypes.bfloat16: "c10::BFloat16", _dtypes.float32: "float", _dtypes.float64: "double",
    _dtypes.complex64: "c10::complex<float>", _dtypes.complex128: "c10::complex<double>",
}  # fmt: skip
_LARGEST = {
    _dtypes.float16: 65504.0,
    _dtypes.bfloat16: 3.3895313892515355e38,
    _dtypes.float32: 3.4028234663852886e38,
    _dtypes.float64: 1.7976931348623157e308,
}
# Numbers that any of these holds, and up to which it has all integers.
_WIDE = frozenset((*_LARGEST, _dtypes.int16, _dtypes.int32, _dtypes.int64))
_EXACT = 256
DIGITS = {_dtypes.float16: 11, _dtypes.bfloat16: 8, _dtypes.float32: 24, _dtypes.float64: 53}


def _check_uniform(d: dtype, low: float, high: float) -> None:
    if d not in _LARGEST:
        raise NotImplementedError(
            f"\"check_uniform_bounds\" not implemented for '{scalar_type_name(d)}'"
        )
    largest = _LARGEST[d]
    for name, bound in (("from", low), ("to", high)):
        if not -largest <= bound <= largest:
            raise RuntimeError(f"{name} is out of bounds for {_C_NAMES[d]}")
    if not low <= high:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}"
        )
    if not high - low <= largest:
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{scalar_type_name(d)}>::max(), but "
            f"found to={high:g} and from={low:g} which result in to-from to exceed the limit"
        )


def integer_range(tensor: Tensor, low: int, high: int | None) -> tuple[int, int]:
    """Returns the first integer and the number of integers of ``random_(low, high)``.

    For floating-point tensors the ends move inwards to numbers that the dtype has. Raises
    RuntimeError if nothing is left or the dtype cannot hold the numbers, ValueError beyond int64.
    """
    d = dtype_of(tensor._data)
    if high is not None and -_EXACT <= low < high <= _EXACT and d in _WIDE:
        return low, high - low  # nothing can be wrong with these
    for bound in (low, high):
        if bound is not None and not _INT64_MIN <= bound <= _INT64_MAX:
            raise ValueError("Overflow when unpacking long long")
    if high is None and low == _INT64_MIN:
        return _full_range(tensor, d) if tensor._data.size else (0, 1)
    if high is None:
        low, last = _range_from(d, low)
    else:
        low, last = _range_between(d, low, high)
    _check_held(d, "from", low)
    _check_held(d, "to - 1", last)
    return low, last - low + 1


def _full_range(tensor: Tensor, d: dtype) -> tuple[int, int]:
    if d in (_dtypes.int64, _dtypes.float64, _dtypes.float32, _dtypes.bfloat16):
        return 0, 1 << 64
    if d.is_complex or d in (_dtypes.float16, _dtypes.bool):
        raise unsupported("random_full_64_bits_range_kernel_cpu", tensor)
    raise RuntimeError(
        "random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16"
    )


def _range_between(d: dtype, low: int, high: int) -> tuple[int, int]:
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )
    if d.is_floating_point:
        low, high = _first_in(d, low), _end_in(d, high)
        if low >= high:
            raise RuntimeError(
                "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but "
                f"got from={low} >= to={high}"
            )
    return low, high - 1


def _range_from(d: dtype, low: int) -> tuple[int, int]:
    if d.is_complex:
        raise RuntimeError(
            "random_from_to_impl handles only integral, floating-point and boolean types"
        )
    if not d.is_floating_point:
        return low, _limits(d)[1]
    low, last = _first_in(d, low), 1 << DIGITS[d]
    if low >= last:
        raise RuntimeError(
            "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted "
            f"to dtype, but got from={low} > to_inc={last}"
        )
    return low, last


def _limits(d: dtype) -> tuple[int, int]:
    if d is _dtypes.bool:
        return 0, 1
    bits = d.bits - d.is_signed
    return -(1 << bits) if d.is_signed else 0, (1 << bits) - 1


def _check_held(d: dtype, name: str, value: int) -> None:
    if d.is_complex:
        raise RuntimeError(
            "check_random_bounds handles only integral, floating-point and boolean types"
        )
    if d.is_floating_point:
        low, high = -_LARGEST[d], _LARGEST[d]
    else:
        low, high = _limits(d)
    if not low <= value <= high:
        raise RuntimeError(f"{name} is out of bounds for {_C_NAMES[d]}")
    digits = DIGITS.get(d)
    if digits is not None and abs(value) > 1 << digits:
        warnings.warn(
            f"{name} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision limitations "
            f"{_C_NAMES[d]} can support discrete uniform distribution only within this range. "
            "This warning will become an error in version 1.7 release, please fix the code in "
            "advance",
            UserWarning,
            stacklevel=4,
        )


def _rounded(d: dtype, value: int) -> int:
    """An integer rounded to the precision of a dtype, halves to even."""
    shift = max(abs(value).bit_length() - DIGITS[d], 0)
    if abs(value) > _LARGEST[d]:
        return _INT64_MIN  # what C++ makes of an infinity
    size, rest = abs(value) >> shift, abs(value) & ((1 << shift) - 1)
    half = (1 << shift) >> 1
    if shift and (rest > half or (rest == half and size & 1)):
        size += 1
    return (size << shift) * (-1 if value < 0 else 1)


def _first_in(d: dtype, low: int) -> int:
    above = _rounded(d, low + 1)
    if above < low:
        return above + (1 << (abs(low + 1).bit_length() - DIGITS[d]))
    return low


def _end_in(d: dtype, high: int) -> int:
    below = _rounded(d, high - 1)
    if below >= high:
        return below - (1 << (abs(high - 1).bit_length() - DIGITS[d]))
    return high
