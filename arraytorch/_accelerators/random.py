"""The random numbers of devices: a generator for each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._device import device as Device
from ..random import Generator, _unsigned
from .devices import Devices

Tensor = Any


class Random:
    """The default generators of the devices of a type.

    A seed that is set while the type is not in use counts when it comes into use.
    """

    def __init__(self, devices: Devices) -> None:
        self.devices = devices

    def default_generators(self) -> tuple[Generator, ...]:
        """The generators that are used where none is given, one per device."""
        return tuple(self._generator(i) for i in range(self.devices.device_count()))

    def _generator(self, index: int) -> Generator:
        found = Generator.__new__(Generator)
        found._device = Device(self.devices.kind, index)
        found.core = self.devices.backend().default_generator(index)
        return found

    def manual_seed(self, seed: int) -> None:
        """Seeds the current device's numbers; does nothing where there is no such device."""
        if self.devices.is_available():
            self._generator(self.devices.current_device()).manual_seed(int(seed))

    def manual_seed_all(self, seed: int) -> None:
        """Seeds the numbers of all such devices; does nothing where there is none."""
        if self.devices.is_available():
            self.devices.backend().reseed(_unsigned(int(seed)))

    def seed(self) -> None:
        """Seeds the current device's numbers with one that nobody can foresee."""
        if self.devices.is_available():
            self._generator(self.devices.current_device()).seed()

    def seed_all(self) -> None:
        """Seeds the numbers of all such devices with one that nobody can foresee."""
        if self.devices.is_available():
            chosen = self._generator(self.devices.current_device()).seed()
            self.manual_seed_all(chosen)

    def initial_seed(self) -> int:
        """Returns the seed that the current device's numbers started from."""
        return self._generator(self.devices.current_device()).initial_seed()

    def get_rng_state(self, device: Any = None) -> Tensor:
        """Returns the state of a device's random numbers as a uint8 tensor on the CPU."""
        return self._generator(self.devices.checked(device)).get_state()

    def set_rng_state(self, new_state: Tensor, device: Any = None) -> None:
        """Sets the state of a device's random numbers; does nothing where there is no device."""
        if self.devices.is_available():
            self._generator(self.devices.checked(device)).set_state(new_state)

    def get_rng_state_all(self) -> list[Tensor]:
        """Returns the states of all devices' random numbers."""
        return [generator.get_state() for generator in self.default_generators()]

    def set_rng_state_all(self, new_states: Iterable[Tensor]) -> None:
        """Sets the states of all devices' random numbers, in the order of the devices."""
        for index, state in enumerate(new_states):
            self.set_rng_state(state, index)
