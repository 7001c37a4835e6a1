"""New tensors of random numbers, equal to those of PyTorch's CPU generator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import _dtypes
from .._device import device
from .._dtypes import dtype, scalar_type_name
from ..autograd.tape import Leaf, TensorBase, taped, wrap
from ..backends import LARGE, backend_of, dtype_of, expect_large, numpy_dtype, outermost
from ._declare import cast
from ._pinning import pinned
from ._promote import broadcast_shape, common_device, moved, place_for, shape_of
from ._write import stamp, write_result
from .arithmetic import mul, plus
from .sampling import (
    DIGITS,
    Vmap,
    bernoulli_,
    bernoulli_each_,
    check_std,
    core,
    forgets,
    integer_range,
    normal_,
    random_,
    unset,
    unsupported,
)  # fmt: skip

Tensor = Any
Generator = Any
Size = int | Sequence[int]
Place = device | str | int | None


def rand(
    *shape: Size,
    size: Size | None = None,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: Place = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Returns numbers uniform in [0, 1).

    Raises NotImplementedError for integer dtypes.

    >>> _ = torch.manual_seed(42)
    >>> torch.rand(3)
    tensor([0.8823, 0.9150, 0.3829])
    """
    new = _new("rand", _shape("rand", shape, size), dtype, device, out)
    new = _finished(_uniform(new, generator), out, requires_grad)
    return pinned(new) if pin_memory else new


def randn(
    *shape: Size,
    size: Size | None = None,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: Place = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Returns numbers from the standard normal distribution.

    Raises NotImplementedError for integer dtypes.

    >>> _ = torch.manual_seed(42)
    >>> torch.randn(3)
    tensor([0.3367, 0.1288, 0.2345])
    """
    new = _new("randn", _shape("randn", shape, size), dtype, device, out)
    new = _finished(_normal(new, generator), out, requires_grad)
    return pinned(new) if pin_memory else new


def randint(
    low: Any = 0,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: Place = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Returns integers from ``low`` (0 if only ``high`` is given) up to but without ``high``.

    The arguments are ``randint(high, size)`` or ``randint(low, high, size)``; the dtype is int64
    unless one is given. Raises RuntimeError if there is no such integer or the dtype lacks it.

    >>> _ = torch.manual_seed(0)
    >>> torch.randint(3, 10, (4,))
    tensor([7, 6, 3, 5])
    """
    position = 3
    if size is None:
        low, high, size, position = 0, low, high, 2
    elif high is None:
        low, high = 0, low
    if low.__class__ is not int or high.__class__ is not int:
        low = _integer("randint", "low", position - 2, low)
        high = _integer("randint", "high", position - 1, high)
    if not isinstance(size, (tuple, list)):
        raise TypeError(
            f"randint(): argument 'size' (position {position}) must be tuple of ints, "
            f"not {type(size).__name__}"
        )
    if out is None:
        dtype = dtype or _dtypes.int64
    new = _new("randint", shape_of((size,), "randint"), dtype, device, out)
    base, span = integer_range(new, low, high)
    x = new._data
    if x.size:
        core(generator, backend_of(x), x).integers_(x, base, span)
    new = _finished(new, out, requires_grad)
    return pinned(new) if pin_memory else new


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: Place = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Returns the integers from 0 to ``n - 1`` in random order, as int64 unless a dtype is given.

    Raises RuntimeError if ``n`` is negative or the dtype cannot hold the integers.

    >>> _ = torch.manual_seed(0)
    >>> torch.randperm(4)
    tensor([0, 1, 3, 2])
    """
    n = _integer("randperm", "n", 1, n)
    wanted = dtype or (_dtypes.int64 if out is None else dtype_of(out._data))
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    _check_permutation(n, wanted)
    new = _new("randperm", (n,), wanted, device, out)
    B = backend_of(new._data)
    B.write(new._data, core(generator, B, new._data).permutation(n))
    new = _finished(new, out, requires_grad)
    return pinned(new) if pin_memory else new


def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: Place = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Returns numbers uniform in [0, 1) in the shape, dtype, device and layout of ``input``.

    >>> torch.rand_like(torch.zeros(2, 3)).shape
    torch.Size([2, 3])
    """
    new = _new_like("rand_like", input, dtype, device)
    new = _finished(_uniform(new, generator), None, requires_grad)
    return pinned(new) if pin_memory else new


def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: Place = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Returns standard normal deviates in the shape, dtype, device and layout of ``input``.

    >>> torch.randn_like(torch.zeros(2, 3)).shape
    torch.Size([2, 3])
    """
    new = _new_like("randn_like", input, dtype, device)
    new = _finished(_normal(new, generator), None, requires_grad)
    return pinned(new) if pin_memory else new


def randint_like(
    input: Tensor,
    low: int | None = None,
    high: int | None = None,
    *,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: Place = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Returns integers from ``low`` up to but without ``high``, in the shape and dtype of ``input``.

    ``randint_like(input, high)`` starts at 0.

    >>> torch.randint_like(torch.zeros(2, 3), 5).dtype
    torch.float32
    """
    if low is None and high is None:
        raise TypeError("randint_like(): missing an argument: 'high'")
    if high is None or low is None:
        low, high = 0, low if high is None else high
    bounds = [
        _integer("randint_like", n, i, v)
        for i, (n, v) in enumerate((("low", low), ("high", high)), 2)
    ]
    new = _new_like("randint_like", input, dtype, device)
    new = _finished(random_(new, *bounds, generator=generator), None, requires_grad)
    return pinned(new) if pin_memory else new


def normal(
    mean: float | Tensor,
    std: float | Tensor = 1.0,
    size: Size | None = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: Place = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Returns normal deviates; a tensor ``mean`` or ``std`` has one for each element.

    If both are numbers, ``size`` says how many. Raises RuntimeError for a negative ``std``.

    >>> _ = torch.manual_seed(0)
    >>> torch.normal(torch.tensor([0.0, 100.0]), 1.0)
    tensor([ 1.5410, 99.7066])
    """
    if isinstance(mean, TensorBase) or isinstance(std, TensorBase):
        new = _normal_each(mean, std, generator, out)
        return pinned(new) if pin_memory else new
    if size is None:
        raise TypeError(
            "normal(): argument 'size' is needed where neither 'mean' nor 'std' is a tensor"
        )
    new = _new("normal", shape_of((size,), "normal"), dtype, device, out)
    new = _finished(normal_(new, mean, std, generator=generator), out, requires_grad)
    return pinned(new) if pin_memory else new


def bernoulli(
    input: Tensor,
    p: float | None = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Returns ones, each with the probability that ``input`` has in its place, and zeros.

    With ``p``, that is the probability for all, and only the shape and dtype of ``input`` count.
    The gradient is zero. Raises RuntimeError if a probability is outside [0, 1].

    >>> torch.bernoulli(torch.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    _check_tensor("bernoulli", input)
    if p is not None and isinstance(p, TensorBase):
        raise TypeError("bernoulli(): argument 'p' must be float, not Tensor")
    d = dtype_of(input._data) if out is None else None
    # Never in the order of the input's memory, as the others are.
    new = _new_like("bernoulli", input, d, input.device, out, (input,))  # type: ignore[attr-defined]
    if p is None:
        bernoulli_each_(new, wrap(input._data), generator, None)
    else:
        bernoulli_(new, p, generator=generator)
    return new if out is not None else taped(_BERNOULLI, new._data, (input,))


def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Returns indices of the elements of ``input``, or of each of its rows, drawn by their weight.

    Weights need not add up to 1. Raises RuntimeError if some are negative, infinite or NaN, if all
    are zero, or if there are fewer than ``num_samples`` to draw without replacement.

    >>> torch.multinomial(torch.tensor([0.0, 3.0, 0.0]), 2, replacement=True)
    tensor([1, 1])
    """
    _check_tensor("multinomial", input)
    x, n = input._data, _integer("multinomial", "num_samples", 2, num_samples)
    if x.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if not dtype_of(x).is_floating_point:
        name = scalar_type_name(dtype_of(x))
        raise RuntimeError(
            f"multinomial only supports floating-point dtypes for input, got: {name}"
        )
    if out is not None and dtype_of(out._data) is not _dtypes.int64:
        name = scalar_type_name(dtype_of(out._data))
        raise RuntimeError(f"multinomial expects Long tensor out, got: {name}")
    if n <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and n > x.shape[-1]:
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement"
        )
    if x.shape[-1] > 1 << 24:
        raise RuntimeError("number of categories cannot exceed 2^24")
    B = backend_of(x)
    if x.shape[-1] == 0 != math.prod(x.shape[:-1]):
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    if not x.size:
        found = B.empty((*x.shape[:-1], n), numpy_dtype(_dtypes.int64))
    else:
        found = core(generator, B, x).multinomial(x, n, bool(replacement))
    return wrap(found) if out is None else write_result("multinomial", out, wrap(found))


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Returns Poisson deviates of the rates in ``input``, in its dtype. The gradient is zero.

    Raises RuntimeError for a negative rate.

    >>> torch.poisson(torch.zeros(2))
    tensor([0., 0.])
    """
    _check_tensor("poisson", input)
    if not dtype_of(input._data).is_floating_point:
        raise unsupported("poisson_cpu", input)
    return taped(_POISSON, _poisson(input._data, generator), (input,))


def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """Returns how many of ``count`` trials succeed, each with probability ``prob``.

    Both are broadcast and have the same floating-point dtype. The gradient is zero.

    >>> torch.binomial(torch.tensor([10.0]), torch.tensor([1.0]))
    tensor([10.])
    """
    for name, t in (("count", count), ("prob", prob)):
        _check_tensor("binomial", t)
        if not dtype_of(t._data).is_floating_point:
            wrong = scalar_type_name(dtype_of(t._data))
            raise ValueError(
                f"binomial only supports floating-point dtypes for {name}, got: {wrong}"
            )
    if prob._data.dtype is not count._data.dtype:
        found, wanted = (scalar_type_name(dtype_of(t._data)) for t in (prob, count))
        raise RuntimeError(f"Found dtype {found} but expected {wanted}")
    shape = broadcast_shape("binomial", count._data.shape, prob._data.shape)
    B = backend_of(count._data)
    n, p = B.expand(count._data, shape), B.expand(prob._data, shape)
    return taped(_BINOMIAL, core(generator, B, n).binomial(n, p), (count, prob))


_BERNOULLI, _POISSON = forgets("BernoulliBackward0"), forgets("PoissonBackward0")
_NORMAL_EACH = [forgets(f"NormalBackward{n}") for n in (1, 2)]
_NORMAL_BOTH = forgets("NormalBackward3", 2)
_BINOMIAL = forgets("NotImplemented", 2)


# ------------------------------------------------------------------------------------ helpers


def _poisson(rate: Any, generator: Any) -> Any:
    return core(generator, backend_of(rate), rate).poisson(rate)


def _uniform(new: Tensor, generator: Any) -> Tensor:
    """`uniform_` without what only an existing tensor needs: half the time of a small one."""
    x = new._data
    if x.dtype.kind in "biu":
        raise unsupported("check_uniform_bounds", new)
    core(generator, backend_of(x), x).uniform_(x, 0.0, 1.0)
    return new


def _normal(new: Tensor, generator: Any) -> Tensor:
    x = new._data
    if x.size and x.dtype.kind in "biu":
        raise unsupported("normal_kernel_cpu", new)
    core(generator, backend_of(x), x).normal_(x, 0.0, 1.0)
    return new


def _normal_each(mean: Any, std: Any, generator: Any, out: Any) -> Tensor:
    """mean + std * z, rounded to the dtype after each step as PyTorch does."""
    tensors = [t for t in (mean, std) if isinstance(t, TensorBase)]
    place = common_device("normal", tensors)
    mean_, std_ = (
        wrap(moved(t, place)._data) if isinstance(t, TensorBase) else t for t in (mean, std)
    )
    _check_stds(std_)
    shape = broadcast_shape("normal", *[t._data.shape for t in tensors])
    B = outermost(*[t._data for t in tensors])
    native = tensors[0]._data.dtype if out is None else out._data.dtype
    z = unset(wrap(B.empty(shape, native)))
    if isinstance(std_, TensorBase):
        z = cast(mul(normal_(z, generator=generator), std_), native)
    else:
        normal_(z, 0.0, std_, generator=generator)
    z = cast(plus(z, mean_), native)
    if out is not None:
        return write_result("normal", out, z, tensors)
    if len(tensors) == 2:
        return taped(_NORMAL_BOTH, z._data, (mean, std))
    return taped(_NORMAL_EACH[tensors[0] is std], z._data, (tensors[0],))


def _check_stds(std: Any) -> None:
    if not isinstance(std, TensorBase):
        check_std(float(std))
        return
    x = std._data
    if x.dtype.kind == "c":
        raise RuntimeError("normal expects standard deviation to be non-complex")
    B = backend_of(x)
    if x.size and B.device_type != "meta" and not B.bounds(x)[0] >= 0:
        raise RuntimeError("normal expects all elements of std >= 0.0")


def _shape(name: str, shape: tuple[Any, ...], size: Any) -> tuple[int, ...]:
    """The shape that f(2, 3), f((2, 3)) or f(size=(2, 3)) asks for."""
    if size is not None:
        shape = (size,) if not shape else (*shape, size)
    elif not shape:
        raise TypeError(f'{name}() missing 1 required positional argument: "size"')
    try:
        return shape_of(shape, name)
    except TypeError:
        wrong = [n for n in shape if not hasattr(n, "__index__") or isinstance(n, bool)]
        if not wrong or len(shape) == 1 and isinstance(wrong[0], (tuple, list)):
            raise
        raise TypeError(
            f"{name}(): argument 'size' (position {shape.index(wrong[0]) + 1}) must be tuple of "
            f"ints, not {type(wrong[0]).__name__}"
        ) from None


def _integer(name: str, argument: str, position: int, value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(
            f"{name}(): argument '{argument}' (position {position}) must be int, "
            f"not {type(value).__name__}"
        )
    return int(value)


def _check_tensor(name: str, input: Any) -> None:
    if not isinstance(input, TensorBase):
        raise TypeError(
            f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}"
        )


def _new(name: str, shape: tuple[int, ...], dtype: Any, device: Any, out: Any) -> Tensor:
    """An unset tensor to be filled, or ``out`` in the right shape."""
    if shape and min(shape) < 0:
        raise RuntimeError(
            f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}"
        )
    if out is not None:
        return _reshaped(name, out, shape, dtype, ())
    B, place = place_for(device)
    native = numpy_dtype(dtype or _dtypes.get_default_dtype())
    new = wrap(B.empty(shape, native, place.index))
    return new if Vmap.unset is None else unset(new)


def _reshaped(name: str, out: Any, shape: Any, dtype: Any, inputs: Any) -> Tensor:
    """``out``, if a result of this shape and dtype may be written there."""
    _check_tensor(name, out)
    if dtype is not None and dtype is not dtype_of(out._data):
        wanted, found = scalar_type_name(dtype), scalar_type_name(dtype_of(out._data))
        raise RuntimeError(f"dtype {wanted} does not match dtype of out parameter ({found})")
    if out._data.shape == shape and out._node is None and all(t._node is None for t in inputs):
        return out
    return write_result(
        name, out, wrap(backend_of(out._data).empty(shape, out._data.dtype)), inputs
    )


def _new_like(
    name: str, input: Tensor, dtype: Any, device: Any, out: Any = None, inputs: Any = ()
) -> Tensor:
    _check_tensor(name, input)
    x = input._data
    if out is not None:
        return _reshaped(name, out, x.shape, dtype, inputs)
    B = backend_of(x)
    if device is not None:
        return _new(name, x.shape, dtype or dtype_of(x), device, None)
    return unset(wrap(B.empty_like(x, numpy_dtype(dtype or dtype_of(x)))))


def _finished(result: Tensor, out: Any, requires_grad: bool) -> Tensor:
    if result._data.size >= LARGE:
        expect_large(result._data)
    if out is not None:
        stamp(out)
    elif requires_grad:
        if dtype_of(result._data).category < _dtypes.FLOATING:
            raise RuntimeError(
                "Only Tensors of floating point and complex dtype can require gradients"
            )
        result._node = Leaf(result)
    return result


_C_INTEGERS = {
    _dtypes.uint8: "uint8_t", _dtypes.int8: "int8_t", _dtypes.int16: "int16_t",
    _dtypes.int32: "int", _dtypes.int64: "int64_t",
}  # fmt: skip


def _check_permutation(n: int, d: dtype) -> None:
    if d in _C_INTEGERS:
        if n - 1 >= 1 << (d.bits - d.is_signed):
            raise RuntimeError(
                f"value cannot be converted to type {_C_INTEGERS[d]} without overflow"
            )
    elif not d.is_floating_point:
        raise NotImplementedError(f"\"randperm\" not implemented for '{scalar_type_name(d)}'")
    elif d is not _dtypes.bfloat16 and n > (1 << DIGITS[d]) + 1:
        # The half-precision message has the number, the others the formula.
        limit = 2049 if d is _dtypes.float16 else f"2^{DIGITS[d]}+1"
        name = scalar_type_name(d)
        raise RuntimeError(f"n cannot be greater than {limit} for {name} type.")
