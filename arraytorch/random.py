"""Generators of random numbers: their seeds and states.

There are two algorithms. ``mt19937`` gives, number for number, what PyTorch's CPU generator gives
after the same seed, and is what the CPU uses unless told otherwise. ``philox`` counts instead of
keeping a state, so that a GPU computes all numbers at once; it is what other devices use, gives the
same numbers on each of them, the CPU included, and those of PyTorch's CUDA generator for tensors of
up to some 100,000 elements (where PyTorch's begin to depend on the card).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from . import _dtypes, backends
from ._device import as_device, device
from .autograd.tape import TensorBase, wrap
from .ops.sampling import stand_in

Tensor = Any

__all__ = [
    "Generator", "default_generator", "fork_rng", "get_default_algorithm", "get_rng_state",
    "initial_seed", "manual_seed", "seed", "set_default_algorithm", "set_rng_state",
]  # fmt: skip


class Generator:
    """A stream of random numbers of its own, for the argument ``generator=`` of random functions.

    It starts from a fixed seed. ``algorithm`` is "mt19937", "philox" or, unless given, the device's
    own. Raises RuntimeError for a device that is not there or that makes no random numbers, and
    ValueError for another algorithm.

    >>> g = torch.Generator().manual_seed(42)
    >>> torch.rand(3, generator=g)
    tensor([0.8823, 0.9150, 0.3829])
    >>> g = torch.Generator(algorithm="philox").manual_seed(42)  # as on a GPU
    >>> torch.randn(3, generator=g)
    tensor([ 0.1940,  2.1614, -0.1721])
    """

    def __init__(self, device: device | str | int = "cpu", *, algorithm: str | None = None) -> None:
        self._device = as_device(device)
        backend = backends.backend_for(self._device)
        if self._device.type == "meta":
            raise RuntimeError("META device type not an accelerator.")
        # What the ops draw from.
        self.core = backend.new_generator(self._device.index, algorithm)

    @property
    def device(self) -> device:
        """The device whose tensors it fills."""
        return self._device

    def manual_seed(self, seed: int) -> Generator:
        """Starts the stream that belongs to ``seed``, from -2 ** 63 to 2 ** 64 - 1.

        Negative seeds count from 2 ** 64 downwards. Raises ValueError for others.

        >>> torch.Generator().manual_seed(-1).initial_seed() == 2**64 - 1
        True
        """
        if isinstance(seed, float) or not hasattr(seed, "__index__"):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        self.core.reseed(_unsigned(int(seed)))
        return self

    def seed(self) -> int:
        """Starts a stream that nobody can foresee, and returns its seed.

        >>> g = torch.Generator()
        >>> g.seed() == g.initial_seed()
        True
        """
        return self.core.reseed_from_entropy()

    def initial_seed(self) -> int:
        """Returns the seed that the stream started from.

        >>> torch.Generator().manual_seed(5).initial_seed()
        5
        """
        return self.core.initial_seed

    def get_state(self) -> Tensor:
        """Returns the state as a uint8 tensor on the CPU, of 5056 bytes for a CPU generator.

        >>> torch.Generator().get_state().shape
        torch.Size([5056])
        """
        return wrap(self.core.get_state())

    def set_state(self, new_state: Tensor) -> None:
        """Goes to a state that `get_state`, also PyTorch's, has returned.

        Raises TypeError unless it is a uint8 tensor, RuntimeError if it is no state.

        >>> g = torch.Generator()
        >>> state, x = g.get_state(), torch.rand(2, generator=g)
        >>> g.set_state(state)
        >>> torch.equal(x, torch.rand(2, generator=g))
        True
        """
        if not isinstance(new_state, TensorBase):
            name = type(new_state).__name__
            raise TypeError(f"expected a torch.ByteTensor, but got {name}")
        x = new_state._data
        if backends.dtype_of(x) is not _dtypes.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        self.core.set_state(backends.backend_of(x).to_host(x))

    def get_offset(self) -> int:
        """Returns how many 32-bit draws of its stream each element has passed, of "philox" alone.

        >>> g = torch.Generator(algorithm="philox")
        >>> _ = torch.rand(1000, generator=g)
        >>> g.get_offset()
        4
        """
        return self._counted().offset

    def set_offset(self, offset: int) -> None:
        """Goes to a place in the stream, a multiple of 4, of "philox" alone.

        >>> g = torch.Generator(algorithm="philox").manual_seed(42)
        >>> g.set_offset(4)
        >>> g.get_offset()
        4
        """
        if offset < 0 or offset % 4:
            raise RuntimeError(f"offset must be a multiple of 4, got {offset}")
        self._counted().offset = int(offset)

    def _counted(self) -> Any:
        if self.core.algorithm != "philox":
            raise RuntimeError(f"{self._device.type.upper()} Generator does not use offset")
        return self.core

    def clone_state(self) -> Generator:
        """Returns a new generator in the same state.

        >>> g = torch.Generator().manual_seed(1)
        >>> torch.equal(torch.rand(2, generator=g.clone_state()), torch.rand(2, generator=g))
        True
        """
        twin = Generator(self._device, algorithm=self.core.algorithm)
        twin.core.set_state(self.core.get_state())
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Generator:
        return self.clone_state()

    def __getstate__(self) -> tuple[Any, ...]:
        return self._device, self.core.get_state(), self.core.algorithm

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.__init__(state[0], algorithm=state[2])  # type: ignore[misc]
        self.core.set_state(state[1])

    def __repr__(self) -> str:
        return f"<torch.Generator(device='{self._device}') with seed {self.initial_seed()}>"


def _unsigned(seed: int) -> int:
    if not -(1 << 63) <= seed < 1 << 64:
        raise ValueError("Overflow when unpacking long long")
    return seed & 0xFFFFFFFFFFFFFFFF


class _DefaultGenerator(Generator):
    """The CPU's own generator, or the one that stands in for it in this thread."""

    def __init__(self) -> None:
        self._device = as_device("cpu")

    @property
    def core(self) -> Any:  # type: ignore[override]
        own = stand_in.get()
        return backends.backend_for(self._device).generator if own is None else own

    def __reduce__(self) -> Any:
        return _twin_of, (self.core.get_state(), self.core.algorithm)


def _twin_of(state: Any, algorithm: str) -> Generator:
    found = Generator(algorithm=algorithm)
    found.core.set_state(state)
    return found


default_generator: Generator = _DefaultGenerator()


def get_default_algorithm() -> str:
    """Returns what makes the CPU's random numbers where no generator is given.

    >>> torch.random.get_default_algorithm()
    'mt19937'
    """
    return default_generator.core.algorithm


def set_default_algorithm(algorithm: str | None) -> None:
    """Sets what makes random numbers where no generator is given, on all devices.

    With "philox", a program draws the same numbers on the CPU as on a GPU; with "mt19937", a GPU
    those of the CPU, slowly. None is each device's own again. The stream of the present seed starts.

    >>> torch.random.set_default_algorithm("philox")
    >>> _ = torch.manual_seed(0)
    >>> torch.randn(3)
    tensor([-0.9247, -0.4253, -2.6438])
    >>> torch.random.set_default_algorithm(None)
    """
    backends.choose_algorithm(algorithm)


def manual_seed(seed: int) -> Generator:
    """Seeds the random numbers of all devices, and returns the CPU's generator.

    >>> _ = torch.manual_seed(42)
    >>> torch.rand(3)
    tensor([0.8823, 0.9150, 0.3829])
    """
    seed = int(seed)
    default_generator.manual_seed(seed)
    _seed_others(seed)
    return default_generator


def seed() -> int:
    """Seeds the random numbers of all devices with a number that nobody can foresee; returns it.

    >>> torch.seed() == torch.initial_seed()
    True
    """
    chosen = default_generator.seed()
    _seed_others(chosen)
    return chosen


def _seed_others(seed: int) -> None:
    if stand_in.get() is not None:  # a worker seeds itself alone
        return
    for backend in backends.loaded():
        if backend.generator is not default_generator.core:
            backend.reseed(_unsigned(seed))


def initial_seed() -> int:
    """Returns the seed that the CPU's random numbers started from.

    >>> _ = torch.manual_seed(3)
    >>> torch.initial_seed()
    3
    """
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """Returns the state of the CPU's random numbers as a uint8 tensor.

    >>> state = torch.get_rng_state()
    >>> x = torch.rand(2)
    >>> torch.set_rng_state(state)
    >>> torch.equal(x, torch.rand(2))
    True
    """
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Sets the state of the CPU's random numbers to one that `get_rng_state` has returned.

    >>> torch.set_rng_state(torch.get_rng_state())
    """
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(
    devices: Iterable[device | str | int] | None = None,
    enabled: bool = True,
    device_type: str | None = None,
) -> Iterator[None]:
    """Leaves the states of random numbers as they were before the ``with`` block.

    That is the CPU's state and those of the other devices in use; ``devices`` and ``device_type``
    restrict the others. ``enabled=False`` does nothing.

    >>> _ = torch.manual_seed(0)
    >>> with torch.random.fork_rng():
    ...     _ = torch.rand(5)
    >>> torch.rand(1)
    tensor([0.4963])
    """
    if not enabled or device_type == "meta":
        yield
        return
    devices = None if devices is None else list(devices)
    forked = [default_generator.core]
    for backend in backends.loaded():
        if backend.device_type not in ("cpu", "meta"):
            forked += _wanted(backend, devices, device_type)
    states = [generator.get_state() for generator in forked]
    try:
        yield
    finally:
        for generator, state in zip(forked, states, strict=True):
            generator.set_state(state)


def _wanted(backend: Any, devices: list[Any] | None, device_type: str | None) -> list[Any]:
    """The streams of a backend's devices that a fork is to keep."""
    kind = backend.device_type
    if device_type is not None and kind != device_type:
        return []
    named = [
        as_device(f"{device_type or 'cuda'}:{d}" if isinstance(d, int) else d)
        for d in devices or ()
    ]
    if devices is not None and all(d.type != kind for d in named):
        return []
    if not hasattr(backend, "default_generator"):
        return [backend.generator]
    every = list(range(backend.device_count()))
    if devices is not None:
        here = backend.current_device()
        every = sorted({here if d.index is None else d.index for d in named if d.type == kind})
    return [backend.default_generator(index) for index in every]
