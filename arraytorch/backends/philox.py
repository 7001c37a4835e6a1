"""Counter-based random numbers: the same stream on every device.

Philox (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011)
turns a counter and a key into random bits; there is no state but the counter, so each element
computes its own numbers. The counters, and what distributions make of the bits, are those of
PyTorch's generator for CUDA, with one thread per element: up to the size from which PyTorch lets a
thread of a particular card serve several elements, the numbers are PyTorch's, up to the rounding
of logarithms and cosines.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from math import log1p, pi, sqrt
from typing import Any

import numpy as np

from .dtypes import epsilon
from .numpy_random import DEFAULT_SEED
from .numpy_sampling import _DIGITS, _memory_order, _value_bits
from .rejection import RejectionSampling, Uniform

Array = Any
_LOW = 0xFFFFFFFF
_WIDE = 1 << 28  # from here PyTorch takes 64 bits for an integer, so that all are equally likely
_BATCH = 4096


class CounterKernels:
    """The random bits, over the namespace ``xp``."""

    xp: Any

    def philox(
        self, seed: int, counter: int, n: int, index: int | None = None
    ) -> tuple[Array, ...]:
        """Four random words for each of n elements, as uint64 arrays of numbers below 2 ** 32.

        Ten rounds of Philox4x32: the element's number is the upper half of the 128-bit counter,
        ``counter`` the lower one, and ``seed`` the key.
        """
        place = self.arange(0, n, 1, np.dtype("u8"), index)
        return rounds(place, seed, counter)


def rounds(place: Array, seed: int, counter: int) -> tuple[Array, ...]:
    """Returns the four words that stand at each place."""
    c2, c3 = place & _LOW, place >> 32
    c0, c1 = c2 * 0 + (counter & _LOW), c2 * 0 + (counter >> 32)
    k0, k1 = seed & _LOW, seed >> 32
    for _ in range(10):
        low, high = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1 = (high >> 32) ^ c1 ^ k0, high & _LOW
        c2, c3 = (low >> 32) ^ c3 ^ k1, low & _LOW
        k0, k1 = (k0 + 0x9E3779B9) & _LOW, (k1 + 0xBB67AE85) & _LOW
    return c0, c1, c2, c3


class PhiloxGenerator(RejectionSampling):
    """A stream of Philox numbers for the arrays of one device: a seed, and a place in the stream."""

    algorithm = "philox"

    def __init__(self, backend: Any, index: int | None = None) -> None:
        self.backend, self.index = backend, index
        self.reseed(DEFAULT_SEED)

    def reseed(self, seed: int) -> None:
        """Starts the stream of a 64-bit seed."""
        self.initial_seed, self.offset = seed, 0

    def reseed_from_entropy(self) -> int:
        """Starts the stream of a seed that nobody can foresee, and returns the seed."""
        self.reseed(int.from_bytes(os.urandom(7), "little") >> 3)
        return self.initial_seed

    def get_state(self) -> Array:
        """Returns seed and offset as 16 bytes in the host's memory, as PyTorch's for CUDA."""
        return np.array([self.initial_seed, self.offset], "<u8").view(np.uint8)

    def set_state(self, data: Array) -> None:
        """Takes over a state; one of 8 bytes is a seed alone."""
        if data.size not in (8, 16):
            raise RuntimeError(f"RNG state is wrong size: expected 16 bytes, got {data.size}")
        words = np.ascontiguousarray(data).view("<u8").tolist()
        self.reseed(words[0])
        self.offset = words[1] if len(words) > 1 else 0

    # bits

    def _words(self, n: int, index: int | None) -> tuple[Array, ...]:
        counter = self.offset // 4  # each fill takes one counter, which is four words
        self.offset += 4
        return self.backend.philox(self.initial_seed, counter, n, index)

    def _uniform(self, n: int, double: bool, index: int | None) -> Array:
        """n numbers in (0, 1], the middles of 2 ** 32 or 2 ** 53 equal intervals, as rounded."""
        x, y, _, _ = self._words(n, index)
        if double:
            return (x ^ (y << 21)).astype("f8") * 2.0**-53 + 2.0**-54
        return x.astype("f4") * np.float32(2.0**-32) + np.float32(2.0**-33)

    def _normal(self, n: int, double: bool, index: int | None) -> Array:
        """n standard normals, the first of each pair of Box and Muller's."""
        xp = self.backend.xp
        x, y, z, w = self._words(n, index)
        if double:
            u = (x ^ (y << 21)).astype("f8") * 2.0**-53 + 2.0**-54
            angle = ((z ^ (w << 21)).astype("f8") * 2.0**-52 + 2.0**-53) * pi
        else:
            u = x.astype("f4") * np.float32(2.0**-32) + np.float32(2.0**-33)
            angle = y.astype("f4") * np.float32(2.0**-31 * pi) + np.float32(2.0**-32 * pi)
        return xp.sqrt(-2 * xp.log(u)) * xp.sin(angle)

    def _draws(self, x: Array, index: int | None, wide: bool) -> Array:
        first, second, _, _ = self._words(x.size, index)
        return (first << 32) | second if wide else first

    # fills, in the order of the array's memory

    def uniform_(self, x: Array, low: float, high: float) -> None:
        """Fills a floating-point or complex array from [low, high)."""
        x = self._real(x)
        values = self._uniform(x.size, x.dtype.itemsize == 8, self._at(x))
        kind = values.dtype.type
        if low != 0.0 or high != 1.0:
            values = values * kind(high - low) + kind(low)
        values = values.astype(x.dtype)
        first, end = values.dtype.type(low), values.dtype.type(high)
        self._store(x, self.backend.xp.where(values == end, first, values))

    def normal_(self, x: Array, mean: float, std: float) -> None:
        """Fills a floating-point or complex array with normals."""
        if x.dtype.kind == "c":
            x, std = self._real(x), std / sqrt(2.0)
        values = self._normal(x.size, x.dtype.itemsize == 8, self._at(x))
        if mean != 0.0 or std != 1.0:
            values = values * values.dtype.type(std) + values.dtype.type(mean)
        self._store(x, values)

    def integers_(self, x: Array, base: int, span: int) -> None:
        """Fills a real array with integers from [base, base + span), span at most 2 ** 64."""
        values = self._draws(x, self._at(x), span >= _WIDE)
        if span < 1 << 64:
            values = values % span
        self._store(x, values.view("i8") + base if base else values.view("i8"))

    def full_integers_(self, x: Array) -> None:
        """Fills a real array from 0 to the largest integer that its type tells from all smaller ones."""
        values = self._draws(x, self._at(x), x.dtype.itemsize == 8)
        if x.dtype.kind in "iub":
            values = values & ((1 << _value_bits(x.dtype)) - 1)
        else:
            values = values % ((1 << _DIGITS[x.dtype.name]) + 1)
        self._store(x, values.view("i8"))

    def bernoulli_(self, x: Array, p: float) -> None:
        """Fills an array with ones, with probability p, and zeros."""
        values = self._uniform(x.size, x.dtype.itemsize == 8, self._at(x))
        self._store(
            x, values <= values.dtype.type(p) if p == 1.0 else values < values.dtype.type(p)
        )

    def bernoulli_each_(self, x: Array, p: Array) -> None:
        """Fills an array with ones, each with its own probability, and zeros.

        Raises RuntimeError if a probability is outside [0, 1].
        """
        if not bool(((p >= 0) & (p <= 1)).all()):
            raise RuntimeError("Expected p_in >= 0 && p_in <= 1 to be true, but got false.")
        groups = self._words(-(-x.size // 4), self._at(x))  # four elements share a counter
        xp = self.backend.xp
        words = xp.stack(groups, axis=1).reshape(-1)[: x.size]
        u = words.astype("f4") * np.float32(2.0**-32) + np.float32(2.0**-33)
        order = _memory_order(x)
        chances = xp.broadcast_to(p, x.shape).transpose(order).astype("f4").reshape(-1)
        self._store(x, u <= chances)

    def exponential_(self, x: Array, rate: float) -> None:
        """Fills a floating-point array with exponential deviates, never 0."""
        xp = self.backend.xp
        u = self._uniform(x.size, x.dtype.itemsize == 8, self._at(x))
        least = epsilon(u.dtype) / 2
        log = xp.where(u >= 1 - least, u.dtype.type(-least), xp.log(u))
        self._store(x, log * u.dtype.type(-1.0 / rate))

    def geometric_(self, x: Array, p: float) -> None:
        """Fills a real array with the number of trials to the first success."""
        xp = self.backend.xp
        u = self._uniform(x.size, x.dtype.itemsize == 8, self._at(x))
        self._store(x, xp.maximum(xp.ceil(xp.log(u) / u.dtype.type(log1p(-p))), 1))

    def cauchy_(self, x: Array, median: float, sigma: float) -> None:
        """Fills a floating-point array with Cauchy deviates."""
        xp = self.backend.xp
        u = self._uniform(x.size, x.dtype.itemsize == 8, self._at(x))
        kind, least = u.dtype.type, epsilon(u.dtype)
        u = xp.minimum(xp.maximum(u, kind(least)), kind(1 - least))
        self._store(x, xp.tan((u - kind(0.5)) * kind(pi)) * kind(sigma) + kind(median))

    def log_normal_(self, x: Array, mean: float, std: float) -> None:
        """Fills a floating-point array with exponentials of normals."""
        values = self._normal(x.size, x.dtype.itemsize == 8, self._at(x))
        kind = values.dtype.type
        self._store(x, self.backend.xp.exp(values * kind(std) + kind(mean)))

    # indices

    def permutation(self, n: int) -> Array:
        """Returns the integers below n in the order of 64-bit random keys."""
        high, low, _, _ = self._words(n, self.index)
        return self.backend.argsort(((high << 32) | low).view("i8"), 0, False)

    def multinomial(self, p: Array, n: int, replacement: bool) -> Array:
        """Returns n indices per row of weights, as int64.

        Raises RuntimeError if weights are negative, infinite, NaN or all zero.
        """
        xp = self.backend.xp
        w = p if p.dtype.itemsize >= 4 else p.astype("f4")
        if not bool(((w >= 0) & (w < xp.inf)).all()):
            raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
        if bool((xp.sum(w, axis=-1) == 0).any()):
            raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
        if not replacement or n == 1:  # the n largest of weight / Exp(1): the Gumbel-max trick
            race = xp.empty_like(w)
            self.exponential_(race, 1.0)
            order = self.backend.argsort(w / race, w.ndim - 1, True)
            return order[..., :n]
        return self._with_replacement(w, n)

    def _with_replacement(self, w: Array, n: int) -> Array:
        B = self.backend
        rows = w.reshape(-1, w.shape[-1])
        sums = B.xp.cumsum(rows, axis=1)
        u = self._uniform(len(rows) * n, w.dtype.itemsize == 8, self._at(w)).reshape(-1, n)
        found = B.searchsorted(sums, u * sums[:, -1:], False)
        last = w.shape[-1] - 1  # rounding may carry a draw to the end
        return B.xp.minimum(found, last).reshape(*w.shape[:-1], n)

    # by rejection, in the host's memory: the numbers that each element takes are nobody's to foresee

    @contextmanager
    def _uniforms(self, n: int) -> Iterator[Uniform]:
        self.spare_normal = None  # of another call, and not part of the state
        yield self._stream(min(max(2 * n, 16), _BATCH)).__next__

    def _stream(self, size: int) -> Iterator[float]:
        while True:
            place = np.arange(size, dtype="u8")
            x, y, _, _ = rounds(place, self.initial_seed, self.offset // 4)
            self.offset += 4
            yield from ((x ^ (y << 21)).astype("f8") * 2.0**-53).tolist()

    def poisson(self, rate: Array) -> Array:
        """Returns Poisson deviates of the given rates."""
        return self._carried(super().poisson, rate)

    def standard_gamma(self, alpha: Array) -> Array:
        """Returns gamma deviates of the given shapes and of scale 1, never 0."""
        return self._carried(super().standard_gamma, alpha)

    def dirichlet(self, alpha: Array) -> Array:
        """Returns Dirichlet deviates."""
        B = self.backend
        shares = self.standard_gamma(alpha.astype("f8"))
        shares = (shares / B.xp.sum(shares, axis=-1, keepdims=True)).astype(alpha.dtype)
        kind = alpha.dtype.type
        tiny, below = np.finfo(alpha.dtype).tiny, np.nextafter(kind(1), kind(0))
        return B.xp.minimum(B.xp.maximum(shares, tiny), below)

    def binomial(self, count: Array, prob: Array) -> Array:
        """Returns the numbers of successes in ``count`` trials."""
        return self._carried(super().binomial, count, prob)

    def _carried(self, draw: Any, *arrays: Array) -> Array:
        B = self.backend
        return B.from_host(draw(*map(B.to_host, arrays)), self._at(arrays[0]))

    # memory

    def _at(self, x: Array) -> int | None:
        return self.backend.device_of(x).index

    def _real(self, x: Array) -> Array:
        return self.backend.real_pairs(x) if x.dtype.kind == "c" else x

    def _store(self, x: Array, values: Array) -> None:
        view = x.transpose(_memory_order(x))
        values = values.astype(x.dtype) if values.dtype != x.dtype else values
        self.backend.write(view, values.reshape(view.shape))
