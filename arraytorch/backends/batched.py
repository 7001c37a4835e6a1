"""The backend of `vmap`: kernels over all samples at once.

Each kernel has a batching rule, which calls the same kernel of the backend below, once, over arrays
with one dimension more. Rules are declared for families of kernels, in batched_rules.py and its
neighbours. A kernel without one runs once per sample.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

from . import AS_ARRAY, BACKENDS, backend_of, outermost
from .arrays import ArrayKernels
from .batched_array import LEVELS, BatchedArray, Level, adopt, levels_of, padded


class Call:
    """One call of a kernel at a level, and what rules make of its arguments."""

    def __init__(self, name: str, level: Level) -> None:
        self.name, self.level, self.n = name, level, level.size

    def has(self, x: Any) -> bool:
        """Whether an argument differs from sample to sample."""
        return x.__class__ is BatchedArray and x.level is self.level

    def full(self, x: Any, rank: int | None = None) -> Any:
        """An argument as an array with all samples in front; a sample has at least ``rank`` dimensions."""
        if not self.has(x):
            B = backend_of(x)
            value = B.expand(B.reshape(x, (1, *x.shape)), (self.n, *x.shape))
        elif len(x.value) != self.n:
            value = backend_of(x.value).expand(x.value, (self.n, *x.shape))
        else:
            value = x.value
        return value if rank is None else padded(value, rank - x.ndim)

    def run(self, *args: Any, name: str | None = None, **kwargs: Any) -> Any:
        """What the kernel below, of this name or another, makes of arrays."""
        arrays = list(arrays_in(args, kwargs))
        return getattr(own(outermost(*arrays)), name or self.name)(*args, **kwargs)

    def wrapped(self, result: Any) -> Any:
        """A result of the kernel below as one of this level."""
        if isinstance(result, (tuple, list)):
            return type(result)([self.wrapped(r) for r in result])
        return BatchedArray(result, self.level) if hasattr(result, "dtype") else result

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.wrapped(self.run(*args, **kwargs))


Rule = Callable[..., Any]
RULES: dict[str, Rule] = {}  # by kernel: rule(call, *args, **kwargs) returns what the kernel does


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Enters a function as the rule of the kernels of these names."""

    def enter(function: Rule) -> Rule:
        for name in names:
            RULES[name] = function
        return function

    return enter


def arrays_in(args: Any, kwargs: Any = None) -> Iterator[Any]:
    """The arrays among arguments, and in lists and tuples among them."""
    for x in (*args, *kwargs.values()) if kwargs else args:
        if hasattr(x, "dtype"):
            yield x
        elif isinstance(x, (list, tuple)):
            yield from arrays_in(x)


def mapped(function: Callable[[Any], Any], values: Any) -> Any:
    """Arguments with a function applied to the BatchedArrays among them."""
    if values.__class__ is BatchedArray:
        return function(values)
    if isinstance(values, (list, tuple)) and any(
        v.__class__ is BatchedArray or isinstance(v, (list, tuple)) for v in values
    ):
        return type(values)([mapped(function, v) for v in values])
    return values


def batched_kernel(name: str) -> Callable[..., Any]:
    """Returns the kernel over BatchedArrays of a name."""
    apply = RULES.get(name, fallback)

    def kernel(*args: Any, **kwargs: Any) -> Any:
        level = None
        for x in arrays_in(args, kwargs):
            if x.__class__ is BatchedArray and (level is None or x.level.number > level.number):
                level = x.level
        if level is None:
            return getattr(_below(args, kwargs), name)(*args, **kwargs)
        call, differs = Call(name, level), False

        def alike(x: BatchedArray) -> Any:
            # Arrays whose samples are all equal take part as one that is not batched.
            nonlocal differs
            if x.level is level and (len(x.value) == level.size or not level.size):
                differs = True
            elif x.level is level:
                return x.value[0, ...]
            return x

        args, kwargs = mapped(alike, args), {k: mapped(alike, v) for k, v in kwargs.items()}
        if differs:
            return apply(call, *args, **kwargs)
        return once(call, *args, **kwargs)

    kernel.__name__ = name
    return kernel


def once(call: Call, *args: Any, **kwargs: Any) -> Any:
    """Runs a kernel for a single sample, to which all are equal."""

    def all_equal(result: Any) -> Any:
        if isinstance(result, (tuple, list)):
            return type(result)([all_equal(r) for r in result])
        if not hasattr(result, "dtype"):
            return result
        B = backend_of(result)
        result = result if result.ndim else B.asarray(result)
        return BatchedArray(result[None], call.level)

    return all_equal(call.run(*args, **kwargs))


def fallback(call: Call, *args: Any, **kwargs: Any) -> Any:
    """Runs a kernel without a rule once per sample, and says so."""
    warnings.warn(
        f"There is a performance drop because {call.name} has no batching rule: vmap runs it once "
        "for each sample.",
        UserWarning,
        stacklevel=4,
    )
    return by_sample(call, *args, **kwargs)


def by_sample(call: Call, *args: Any, **kwargs: Any) -> Any:
    """Runs a kernel once per sample, and stacks the results."""
    if not call.n:
        raise RuntimeError(f"vmap: there is no sample to run {call.name} for")
    rows = []
    for i in range(call.n):

        def sample(x: BatchedArray, i: int = i) -> Any:
            return x.value[i, ...] if x.level is call.level else x

        one = [a.rows[i] if a.__class__ is Each else mapped(sample, a) for a in args]
        rows.append(call.run(*one, **{k: mapped(sample, v) for k, v in kwargs.items()}))
    return _joined(call, rows)


class Each:
    """What a kernel keeps for its gradient that is no array: that of each sample."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows


def _joined(call: Call, rows: list[Any]) -> Any:
    first = rows[0]
    if hasattr(first, "dtype"):
        B = outermost(*rows)
        if any(r.shape != first.shape for r in rows):
            raise RuntimeError(
                f"vmap: the shape of the result of {call.name} depends on the elements, and differs "
                "between samples."
            )
        return call.wrapped(B.stack([B.asarray(r) for r in rows], 0))
    if isinstance(first, (tuple, list)):
        return type(first)([_joined(call, list(column)) for column in zip(*rows, strict=True)])
    if first is None or all(r is first or r == first for r in rows):
        return first
    return Each(rows)


class BatchedBackend:
    """The interpreter of BatchedArrays: its kernels are made when first asked for."""

    level = 1
    array_types = (BatchedArray,)
    checks_bounds = True
    deterministic = False
    ground: Any = None  # the backend that executes in the end, where no array tells

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in RULES and not hasattr(self.ground, name):
            raise AttributeError(f"'BatchedBackend' object has no attribute '{name}'")
        if name not in RULES and not callable(getattr(self.ground, name)):
            return getattr(self.ground, name)
        found = batched_kernel(name)
        setattr(self, name, found)
        return found

    reshaped = ArrayKernels.reshaped

    def asarray(self, x: Any) -> Any:
        """The array itself: there is no other form of it."""
        return x

    def owned(self, x: Any) -> Any:
        """A copy, or a product that nobody has asked for yet."""
        if x.__class__ is BatchedArray and x.parts is not None:
            x.force()
            return x
        return self.copy(x)

    def device_of(self, x: Any) -> Any:
        """The device that the samples lie on."""
        return bottom(x)[0].device_of(bottom(x)[1])

    def generator_of(self, x: Any) -> Any:
        """The random numbers of that device."""
        return bottom(x)[0].generator_of(bottom(x)[1])

    def for_samples_of(self, like: Any, x: Any) -> Any:
        """A copy of x for each sample that ``like`` has."""
        return with_room(x, (like,))

    def to_host(self, x: Any) -> Any:
        """Raises RuntimeError: the elements differ from sample to sample."""
        return x.__array__()


def with_room(x: Any, arrays: Any, but: Level | None = None) -> Any:
    """Returns x with memory for each sample of the levels that arrays are in, but for one level."""
    numbers = {n for a in arrays for n in levels_of(a)} - set(levels_of(x))
    for number in sorted(numbers - {but.number} if but is not None else numbers):
        x = _copied(x, LEVELS[number])
    return x


def _copied(x: Any, level: Level) -> Any:
    if x.__class__ is BatchedArray and x.level.number > level.number:
        return BatchedArray(_copied(x.value, level), x.level)
    B = backend_of(x)
    return BatchedArray(B.copy(B.expand(x[None], (level.size, *x.shape))), level)


def bottom(x: Any) -> tuple[Any, Any]:
    """Returns the array that holds the elements, and the backend that executes on it."""
    while x.__class__ is BatchedArray:
        x = x.value
    return own(backend_of(x)), x


def own(backend: Any) -> Any:
    """Returns a backend itself, where the registry has its stand-in while a vmap is going on."""
    return getattr(backend, "beneath", backend)


def _below(args: Any, kwargs: Any) -> Any:
    arrays = list(arrays_in(args, kwargs))
    return own(outermost(*arrays)) if arrays else BACKEND.ground


BACKEND = BatchedBackend()
BACKENDS[BatchedArray], AS_ARRAY[BatchedArray] = BACKEND, BACKEND.asarray
adopt(BACKEND)
