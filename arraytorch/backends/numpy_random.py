"""The random bits of PyTorch's CPU generator: NumPy's Mersenne Twister, seeded and read as there.

A 32-bit draw is one output of mt19937, a 64-bit draw is two with the first in the upper half.
float32 uniforms take the low 24 bits of a 32-bit draw, float64 ones the low 53 of a 64-bit draw.
What distributions make of them is in numpy_sampling.py.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .compiled import MANY, kernels

Array = np.ndarray[Any, Any]

DEFAULT_SEED = 67280421310721
CHUNK = 1 << 15  # draws at a time: what is made of them stays in the cache, 1.3 times as fast

# As 0-d arrays, which take 0.2 us less as operands than scalars.
_LOW24, _LOW53 = np.array((1 << 24) - 1, np.uint64), np.array((1 << 53) - 1, np.uint64)
_UNIT24 = np.array(2.0**-24, np.float32)

# PyTorch's serialised state: 32-bit words in 64-bit slots and the fields of its older generators.
STATE = np.dtype(
    [
        ("seed", "<u8"), ("left", "<i4"), ("seeded", "<i4"), ("next", "<u8"), ("key", "<u8", 624),
        ("normal_x", "<f8"), ("normal_y", "<f8"), ("normal_rho", "<f8"),
        ("normal_valid", "<i4"), ("gap", "<i4"), ("float_normal", "<f4"), ("float_valid", "<i4"),
    ]
)  # fmt: skip
LEGACY_BYTES = 5048  # without the last two fields, as PyTorch 1.5 and older wrote it


class MersenneStream:
    """A stream of random bits with a seed, and the normal deviate that a pair left over.

    ``words(n)`` returns the next n 32-bit draws, each in a uint64.
    """

    def __init__(self, seed: int = DEFAULT_SEED) -> None:
        self._bits: Any = None
        self.reseed(seed)

    def reseed(self, seed: int) -> None:
        """Starts the stream of a 64-bit seed, of which the Twister gets the lower half."""
        self.initial_seed = seed
        self.spare_normal: float | None = None
        self.spare_float: float | None = None  # carried for PyTorch's other devices, unused on CPU
        # numpy.random takes 20 ms to import: not before somebody draws.
        self.words: Any = self._first_words

    def reseed_from_entropy(self) -> int:
        """Starts the stream of a seed that nobody can foresee, and returns the seed."""
        # PyTorch chooses 53 bits, which a double holds.
        self.reseed(int.from_bytes(os.urandom(7), "little") >> 3)
        return self.initial_seed

    def _first_words(self, n: int) -> Array:
        self._start()
        return self.words(n)

    def _start(self) -> Any:
        """Returns the bit generator, seeded if nobody has drawn from it yet."""
        if self._bits is None:
            self._bits = np.random.MT19937(0)
        if self.words == self._first_words:
            # RandomState seeds as Knuth's init_genrand does; MT19937(seed) would hash the seed.
            np.random.RandomState(self._bits).seed(self.initial_seed & 0xFFFFFFFF)
            self.words = self._bits.random_raw
        return self._bits

    def skip(self, n: int) -> None:
        """Passes over the next n 32-bit draws."""
        self._start().random_raw(n, output=False)

    def position(self) -> Any:
        """Returns the place in the stream, to ``rewind`` to."""
        return self._start().state

    def rewind(self, position: Any) -> None:
        """Goes back to a place in the stream."""
        self._start().state = position

    # ------------------------------------------------------------------------------ uniforms

    def many_words(self, n: int) -> Array:
        """Returns the next n 32-bit draws, by the compiled twister if they are many."""
        own = kernels("twister") if n >= MANY else None
        return self.words(n) if own is None else own.words(self._start(), n)

    def words64(self, n: int) -> Array:
        """Returns the next n 64-bit draws."""
        if n >= MANY and (own := kernels("twister")) is not None:
            return own.words64(self._start(), n)  # type: ignore[no-any-return]
        words = self.words(2 * n)
        high = words[0::2]
        high <<= np.uint64(32)
        return high | words[1::2]

    def bits53(self, n: int) -> Array:
        """Returns the next n integers of 53 random bits."""
        words = self.words64(n)
        words &= _LOW53
        return words.view(np.int64)  # int64 turns into floats faster than uint64

    def bits24(self, n: int) -> Array:
        """Returns the next n integers of 24 random bits."""
        words = self.many_words(n)
        words &= _LOW24
        return words.view(np.int64)

    def uniform32(self, n: int) -> Array:
        """Returns the next n float32 numbers in [0, 1)."""
        if n <= CHUNK:
            return self.bits24(n).astype(np.float32) * _UNIT24
        if (own := kernels("twister")) is not None:
            return own.uniform32(self._start(), n)  # type: ignore[no-any-return]
        out = np.empty(n, np.float32)
        for at in range(0, n, CHUNK):
            part = out[at : at + CHUNK]
            part[...] = self.bits24(part.size)
        out *= _UNIT24
        return out

    def few_uniforms(self, n: int) -> list[float]:
        """Returns what `uniform64` does as Python numbers, of which a few take a third of the time.

        53 bits do not fit a digit of Python's integers: as sums of two floats they take 0.3 us less.
        """
        words = iter(self.words(2 * n).tolist())
        return [(high & 0x1FFFFF) * 2.0**-21 + low * 2.0**-53 for high, low in zip(words, words)]

    def few_singles(self, n: int) -> list[float]:
        """Returns what `uniform32` does, likewise."""
        return [(word & 0xFFFFFF) * 2.0**-24 for word in self.words(n).tolist()]

    def uniform64(self, n: int) -> Array:
        """Returns the next n float64 numbers in [0, 1)."""
        if n >= MANY and (own := kernels("twister")) is not None:
            return own.uniform64(self._start(), n)  # type: ignore[no-any-return]
        out = np.empty(n, np.float64)
        for at in range(0, n, CHUNK):
            part = out[at : at + CHUNK]
            part[...] = self.bits53(part.size)
        out *= 2.0**-53
        return out

    # --------------------------------------------------------------------------------- state

    def get_state(self) -> Array:
        """Returns the state in PyTorch's layout, 5056 bytes."""
        twister = self._start().state["state"]
        state = np.zeros((), STATE)
        state["seed"] = self.initial_seed
        state["seeded"] = 1
        state["key"] = twister["key"]
        # Both libraries make words 624 at a time; before the first, PyTorch stands at 0 and NumPy
        # behind the seeded words, the first of which is then the seed.
        fresh = twister["pos"] == 624 and twister["key"][0] == self.initial_seed & 0xFFFFFFFF
        state["next"] = 0 if fresh else twister["pos"]
        state["left"] = 1 if fresh else 625 - twister["pos"]
        if self.spare_normal is not None:
            state["normal_y"], state["normal_valid"] = self.spare_normal, 1
        if self.spare_float is not None:
            state["float_normal"], state["float_valid"] = self.spare_float, 1
        return np.frombuffer(state.tobytes(), np.uint8).copy()

    def set_state(self, data: Array) -> None:
        """Takes over a state in PyTorch's layout.

        Raises RuntimeError if it has another size or is no state of a Mersenne Twister.
        """
        if data.size not in (STATE.itemsize, LEGACY_BYTES):
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {STATE.itemsize} but found the input "
                f"RNG state size to be {data.size}"
            )
        raw = np.ascontiguousarray(data).tobytes().ljust(STATE.itemsize, b"\0")
        state = np.frombuffer(raw, STATE)[0]
        left, at = int(state["left"]), int(state["next"])
        if not state["seeded"] or not 0 < left <= 624 or at > 624:
            raise RuntimeError("Invalid mt19937 state")
        self.reseed(int(state["seed"]))
        key = state["key"].astype(np.uint32)
        twister = {"key": key, "pos": 624 if left == 1 else at}
        self.rewind({"bit_generator": "MT19937", "state": twister})
        if state["normal_valid"]:
            self.spare_normal = _spare(state, legacy=data.size == LEGACY_BYTES)
        if state["float_valid"] & 0xFF:
            self.spare_float = float(state["float_normal"])


def _spare(state: Any, legacy: bool) -> float:
    """Returns the second normal of a pair; the old layout has the two uniforms it is made of."""
    if legacy:
        return float(state["normal_rho"] * np.sin(2.0 * np.pi * state["normal_x"]))
    return float(state["normal_y"])
