"""Random numbers for devices whose library has no generator: the CPU's, carried over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .numpy_sampling import NumpyGenerator

Array = Any


class HostDrawnGenerator:
    """Draws in the host's memory and copies to the device.

    The numbers are those that the CPU would give for the same seed. A backend with a fast generator
    of its own returns that one from ``new_generator`` instead.
    """

    algorithm = "mt19937"

    def __init__(self, backend: Any, index: int | None = None) -> None:
        self.backend, self.host, self.index = backend, NumpyGenerator(), index

    @property
    def initial_seed(self) -> int:
        """The seed that the stream started from."""
        return self.host.initial_seed

    def reseed(self, seed: int) -> None:
        """Starts the stream of a seed."""
        self.host.reseed(seed)

    def reseed_from_entropy(self) -> int:
        """Starts the stream of a seed that nobody can foresee, and returns the seed."""
        return self.host.reseed_from_entropy()

    def get_state(self) -> Array:
        """Returns the state as bytes in the host's memory."""
        return self.host.get_state()

    def set_state(self, data: Array) -> None:
        """Takes over a state."""
        self.host.set_state(data)

    # fills

    def uniform_(self, x: Array, low: float, high: float) -> None:
        """Fills from [low, high)."""
        self._fill(x, lambda h: self.host.uniform_(h, low, high))

    def normal_(self, x: Array, mean: float, std: float) -> None:
        """Fills with normal deviates."""
        self._fill(x, lambda h: self.host.normal_(h, mean, std))

    def integers_(self, x: Array, base: int, span: int) -> None:
        """Fills with integers from base to below base + span."""
        self._fill(x, lambda h: self.host.integers_(h, base, span))

    def full_integers_(self, x: Array) -> None:
        """Fills with integers of the full 64-bit range."""
        self._fill(x, self.host.full_integers_)

    def bernoulli_(self, x: Array, p: float) -> None:
        """Fills with ones of probability p, and zeros."""
        self._fill(x, lambda h: self.host.bernoulli_(h, p))

    def bernoulli_each_(self, x: Array, p: Array) -> None:
        """Fills with ones, each of a probability of its own, and zeros."""
        self._fill(x, lambda h: self.host.bernoulli_each_(h, self.backend.to_host(p)))

    def exponential_(self, x: Array, rate: float) -> None:
        """Fills with exponential deviates."""
        self._fill(x, lambda h: self.host.exponential_(h, rate))

    def geometric_(self, x: Array, p: float) -> None:
        """Fills with the numbers of trials up to the first success."""
        self._fill(x, lambda h: self.host.geometric_(h, p))

    def cauchy_(self, x: Array, median: float, sigma: float) -> None:
        """Fills with Cauchy deviates."""
        self._fill(x, lambda h: self.host.cauchy_(h, median, sigma))

    def log_normal_(self, x: Array, mean: float, std: float) -> None:
        """Fills with exponentials of normal deviates."""
        self._fill(x, lambda h: self.host.log_normal_(h, mean, std))

    # results

    def permutation(self, n: int) -> Array:
        """Returns the integers below n in random order, on the stream's device."""
        return self.backend.from_host(self.host.permutation(n), self.index)

    def multinomial(self, p: Array, n: int, replacement: bool) -> Array:
        """Returns indices drawn with the probabilities in each row."""
        return self._carried(lambda h: self.host.multinomial(h, n, replacement), p)

    def poisson(self, rate: Array) -> Array:
        """Returns Poisson deviates."""
        return self._carried(self.host.poisson, rate)

    def standard_gamma(self, alpha: Array) -> Array:
        """Returns gamma deviates of rate 1."""
        return self._carried(self.host.standard_gamma, alpha)

    def dirichlet(self, alpha: Array) -> Array:
        """Returns points of simplices."""
        return self._carried(self.host.dirichlet, alpha)

    def binomial(self, count: Array, prob: Array) -> Array:
        """Returns the numbers of successes."""
        return self._carried(self.host.binomial, count, prob)

    def _fill(self, x: Array, fill: Callable[[Array], None]) -> None:
        B = self.backend
        drawn = np.array(B.to_host(x))
        fill(drawn)
        B.write(x, B.from_host(drawn, B.device_of(x).index))

    def _carried(self, draw: Callable[..., Array], *arrays: Array) -> Array:
        B = self.backend
        drawn = draw(*map(B.to_host, arrays))
        return B.from_host(drawn, B.device_of(arrays[0]).index)
