"""Distributions as PyTorch's CPU generator samples them, number for number, over NumPy arrays.

The methods with a trailing underscore fill an array in the order of its memory, whatever its
strides, as PyTorch does. Arguments are checked by the ops; what can only be seen in the data is
checked here. Formulas are those of the textbooks (inversion; Box and Muller for normals) unless
a docstring says otherwise.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .box_muller import (
    SMALL,
    Array,
    few_pairs,
    fill_blocks32,
    fill_blocks64,
    fused32,
    fused64,
    libm,
    pairs64,
)  # fmt: skip
from .compiled import MANY, kernels
from .numpy_random import CHUNK, MersenneStream
from .rejection import RejectionSampling

_FEW = 16  # elements up to which Python's own numbers are faster
_WIDE = 1 << 28  # from here PyTorch takes 64 bits for an integer, so that all are equally likely
_HUGE = 0xFFFFFFFF // 20  # from here permutations need 64-bit draws


class NumpyGenerator(RejectionSampling, MersenneStream):
    """PyTorch's CPU generator: a stream of random bits and what distributions make of it."""

    algorithm = "mt19937"

    def uniform_(self, x: Array, low: float, high: float) -> None:
        """Fills a floating-point or complex array from [low, high)."""
        n, kind = x.size, x.dtype.char
        if n <= _FEW and low == 0.0 and high == 1.0 and kind in "fd":
            _store_few(x, self.few_singles(n) if kind == "f" else self.few_uniforms(n))
            return
        x = _real(x)
        if x.dtype.char == "d":
            values = self.uniform64(x.size)
            if low != 0.0 or high != 1.0:
                values = fused64(values, high - low, low)
        else:
            values = self.uniform32(x.size)
            if low != 0.0 or high != 1.0:
                fused32(values, np.float32(high) - np.float32(low), np.float32(low), values)
            values = values.astype(x.dtype, copy=False)
        if x.dtype.itemsize == 2 or low != 0.0 or high != 1.0:
            first, end = np.array([low, high], values.dtype)
            values[values == end] = first  # rounding may have reached the excluded end
        _store(x, values)

    def normal_(self, x: Array, mean: float, std: float) -> None:
        """Fills a floating-point or complex array with normals.

        From 16 on, contiguous arrays are made in blocks of 16; the last block overlaps the one
        before it. Others are made in pairs, in double precision; of a pair begun the rest waits.
        """
        if x.dtype.kind == "c":
            x, std = _real(x), std / math.sqrt(2.0)
        if x.size < 16 or not x.flags.c_contiguous:
            few = self._serial_normals(x.size, mean, std)
            if x.dtype.char in "fd":
                _store_few(x, few)
            else:
                _store(x, np.asarray(few, np.float64))
            return
        double = x.dtype == np.float64
        uniform, fill = (
            (self.uniform64, fill_blocks64) if double else (self.uniform32, fill_blocks32)
        )
        whole = x.size - x.size % 16
        # The 16-bit types do not draw for the elements that the last block will make anew.
        values = uniform(whole if x.dtype.itemsize == 2 else x.size)
        fill(values[:whole], mean, std)
        flat = x.reshape(-1)
        flat[:whole] = values[:whole]
        if whole < x.size:
            last = uniform(16)
            fill(last, mean, std)
            flat[-16:] = last

    def _serial_normals(self, n: int, mean: float, std: float) -> Any:
        """Returns n float64 normals, made in pairs; standard ones maybe as a list."""
        made: Any = []
        if n and self.spare_normal is not None:
            made, self.spare_normal = [self.spare_normal], None
        if (missing := n - len(made)) > 0:
            drawn = missing + missing % 2
            if missing > SMALL:
                u: Any = self.uniform64(drawn)
                normals = pairs64(u).tolist() if made else pairs64(u)
            else:
                few = drawn <= _FEW
                u = self.few_uniforms(drawn) if few else self.uniform64(drawn).tolist()
                normals = few_pairs(u)
            if missing % 2:
                self.spare_normal = float(normals[-1])
                normals = normals[:-1]
            made = made + normals if made else normals
        if mean == 0.0 and std == 1.0:
            return made
        return fused64(np.asarray(made, np.float64), std, mean)

    def integers_(self, x: Array, base: int, span: int) -> None:
        """Fills a real array with integers from [base, base + span), span at most 2 ** 64."""
        draw = self.words64 if span >= _WIDE else self.many_words
        kind = x.dtype.char
        exact = kind == "l" or kind in "fd" and -_WIDE < base < _WIDE
        if x.size <= _FEW and span < _WIDE and exact:
            _store_few(x, [w % span + base for w in self.words(x.size).tolist()])
            return
        values = np.empty(x.size, np.uint64)
        for at in range(0, x.size, CHUNK):
            part = values[at : at + CHUNK]
            if span == 1 << 64:
                part[...] = draw(part.size)
            elif span & (span - 1) == 0:
                np.bitwise_and(draw(part.size), np.uint64(span - 1), out=part)
            elif span < _WIDE:
                part[...] = _remainder(draw(part.size).astype(np.uint32), np.uint32(span))
            else:
                np.remainder(draw(part.size), np.uint64(span), out=part)
        if base:
            values += np.uint64(base & 0xFFFFFFFFFFFFFFFF)
        _store(x, values.view(np.int64))

    def full_integers_(self, x: Array) -> None:
        """Fills a real array from 0 to the largest integer that its type tells from all smaller ones."""
        wide = x.dtype.itemsize == 8
        words = self.words64(x.size) if wide else self.many_words(x.size)
        if x.dtype.kind in "iub":
            words &= np.uint64((1 << _value_bits(x.dtype)) - 1)
        else:
            words %= _most_integers(x.dtype)
        _store(x, words.view(np.int64))

    def bernoulli_(self, x: Array, p: float) -> None:
        """Fills an array with ones, with probability p, and zeros."""
        if x.size <= _FEW // 2 and x.dtype.char in "fdl?":  # each takes two words
            _store_few(x, [u < p for u in self.few_uniforms(x.size)])
            return
        limit = np.int64(math.ceil(p * 2.0**53))  # k / 2^53 < p without a division
        values = np.empty(x.size, bool)
        for at in range(0, x.size, CHUNK):
            part = values[at : at + CHUNK]
            np.less(self.bits53(part.size), limit, out=part)
        _store(x, values)

    def bernoulli_each_(self, x: Array, p: Array) -> None:
        """Fills an array with ones, each with its own probability, and zeros.

        Raises RuntimeError if a probability is outside [0, 1].
        """
        few = 0 < x.size <= _FEW and p.shape == x.shape and p.dtype.char == "f"
        chances = p.reshape(-1).tolist() if few and x.flags.c_contiguous else None
        if not (all(0 <= c <= 1 for c in chances) if chances else ((p >= 0) & (p <= 1)).all()):
            raise RuntimeError(
                "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error "
                "message be improved?  If so, please report an enhancement request to PyTorch.)"
            )
        if chances:
            uniforms = self.few_singles(x.size)
            x.reshape(-1)[...] = [u < c for u, c in zip(uniforms, chances, strict=True)]
            return
        uniform = self.uniform64 if p.dtype == np.float64 else self.uniform32
        order = _memory_order(x)
        view = x.transpose(order)
        p = np.broadcast_to(p, x.shape).transpose(order)
        if p.dtype.itemsize == 2:
            p = p.astype(np.float32)
        view[...] = uniform(x.size).reshape(view.shape) < p

    def exponential_(self, x: Array, rate: float) -> None:
        """Fills a floating-point array with exponential deviates."""
        if x.size <= _FEW and x.dtype.char in "fd":
            scale = -1.0 / rate
            _store_few(x, [math.log1p(-u) * scale for u in self.few_uniforms(x.size)])
            return
        values = libm(math.log1p, np.log1p, -self.uniform64(x.size))
        values *= -1.0 / rate
        _store(x, values)

    def geometric_(self, x: Array, p: float) -> None:
        """Fills a real array with the number of trials to the first success."""
        _store(x, np.ceil(np.log(self.uniform64(x.size)) / math.log1p(-p)))

    def cauchy_(self, x: Array, median: float, sigma: float) -> None:
        """Fills a floating-point array with Cauchy deviates."""
        angles = self.uniform64(x.size)
        angles -= 0.5
        angles *= math.pi
        tangents = libm(math.tan, np.tan, angles)
        _store(x, fused64(tangents, sigma, median))

    def log_normal_(self, x: Array, mean: float, std: float) -> None:
        """Fills a floating-point array with exponentials of normals."""
        normals = np.asarray(self._serial_normals(x.size, mean, std), np.float64)
        _store(x, libm(_exp, np.exp, normals))

    # ------------------------------------------------------------------------------- indices

    def permutation(self, n: int) -> Array:
        """Returns the integers below n, shuffled: step i swaps item i with one not before it."""
        if n >= _HUGE:
            return self._huge_permutation(n)
        if 1 < n <= _FEW:
            items = list(range(n))
            for i, w in enumerate(self.words(n - 1).tolist()):
                j = i + w % (n - i)
                items[i], items[j] = items[j], items[i]
            return np.array(items, np.int64)
        if n >= MANY and (own := kernels("twister")) is not None:
            return own.permutation(self._start(), n)  # type: ignore[no-any-return]
        partners = np.arange(n)
        if n > 1:
            steps = partners[:-1]
            partners[:-1] += self.words(n - 1).view(np.int64) % (n - steps)
        if n > 1 << 15:
            return _swapped_as_rows(partners)
        return _swapped(partners) if n > 256 else _swapped_one_by_one(partners)

    def _huge_permutation(self, n: int) -> Array:
        items = np.empty(n, np.int64)
        for at in range(0, n, CHUNK):
            ends = np.arange(at + 1, min(at + CHUNK, n) + 1, dtype=np.uint64)
            for i, j in enumerate((self.words64(ends.size) % ends).tolist(), at):
                items[i] = items[j]
                items[j] = i
        return items

    def multinomial(self, p: Array, n: int, replacement: bool) -> Array:
        """Returns n indices per row of weights, as int64.

        Raises RuntimeError if weights are negative, infinite, NaN or all zero.
        """
        if not replacement or n == 1:
            return self._without_replacement(p, n)
        rows = p.reshape(-1, p.shape[-1])
        if np.count_nonzero(rows >= 0) < rows.size:  # a quarter of the time of all() for few
            raise RuntimeError(
                "invalid multinomial distribution (encountering probability entry < 0)"
            )
        if np.count_nonzero(np.isfinite(rows)) < rows.size:
            raise RuntimeError(
                "invalid multinomial distribution (encountering probability entry = infinity or NaN)"
            )
        weights = rows if rows.dtype.itemsize > 2 else rows.astype(np.float32)
        sums = weights.cumsum(1, weights.dtype)
        if np.count_nonzero(sums[:, -1] <= 0):
            raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
        sums /= sums[:, -1:].copy()
        sums[:, -1] = 1
        drawn = len(rows) * n
        u = self.uniform64(drawn) if drawn > _FEW else np.array(self.few_uniforms(drawn))
        found = _search(sums.astype(np.float64), u.reshape(-1, n))
        return found.reshape(*p.shape[:-1], n)

    def _without_replacement(self, p: Array, n: int) -> Array:
        """The n largest of weight / Exp(1), which is the Gumbel-max trick."""
        if not ((p.max() < math.inf) & (p.min() >= 0)):
            raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
        if (p.sum(axis=-1) == 0).any():
            raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
        race = np.empty_like(p, order="C" if 0 in p.strides else "K")
        self.exponential_(race, 1.0)
        race = p / race
        if n == 1:
            return np.argmax(race, axis=-1)[..., None]
        return np.argsort(-race, axis=-1, kind="stable")[..., :n]


_DIGITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}


@lru_cache(8)
def _most_integers(d: np.dtype[Any]) -> Any:
    """How many integers `random_` chooses from: NumPy takes 4 us to tell the name of a dtype."""
    return np.uint64((1 << _DIGITS[d.name]) + 1)


def _value_bits(d: np.dtype[Any]) -> int:
    return 1 if d.kind == "b" else 8 * d.itemsize - (d.kind == "i")


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _real(x: Array) -> Array:
    """Returns a complex array as real and imaginary parts in a last dimension, sharing memory."""
    if x.dtype.kind != "c":
        return x
    return x[..., None].view(np.float32 if x.dtype == np.complex64 else np.float64)


def _memory_order(x: Array) -> list[int]:
    """Returns the dimensions by falling stride.

    Raises RuntimeError if several elements share a place.
    """
    if x.size and 0 in [s for s, n in zip(x.strides, x.shape, strict=True) if n > 1]:
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a "
            "single memory location. Please clone() the tensor before performing the operation."
        )
    return sorted(range(x.ndim), key=lambda d: -abs(x.strides[d]))


def _store(x: Array, values: Any) -> None:
    """Writes values, in the order of memory, with the conversions that C++ would do."""
    if x.dtype.itemsize == 2 and x.dtype.kind not in "iu" and values.dtype.itemsize == 8:
        values = values.astype(np.float32)  # 16-bit floats are made from float32
    if x.flags.c_contiguous:
        (x if x.ndim == 1 else x.reshape(-1))[...] = values
    else:
        view = x.transpose(_memory_order(x))
        view[...] = np.asarray(values).reshape(view.shape)


def _store_few(x: Array, values: Any) -> None:
    """Writes numbers that need not become an array first: half of the time."""
    if x.ndim == 1 and x.flags.c_contiguous:
        x[...] = values
    else:
        _store(x, values)


def _swapped_one_by_one(partners: Array) -> Array:
    items = list(range(partners.size))
    for i, j in enumerate(partners.tolist()):
        items[i], items[j] = items[j], items[i]
    return np.array(items, np.int64)


def _swapped_as_rows(partners: Array) -> Array:
    """As LAPACK swaps the rows of a matrix, here of one column, when it pivots; 1 ns a swap."""
    from scipy.linalg.lapack import slaswp  # takes 60 ms to import

    items = np.arange(partners.size, dtype=np.int32)
    rows = items.view(np.float32).reshape(-1, 1)  # it moves bits and computes nothing
    swapped = slaswp(rows, partners.astype(np.int32), overwrite_a=True)
    return swapped.view(np.int32).reshape(-1).astype(np.int64)


def _swapped(partners: Array) -> Array:
    """Swaps item i with item partners[i] >= i, for one i after the other, all at once.

    Step i takes its result from place j = partners[i] and leaves there what had come to place i.
    So the result is j itself, unless an earlier step with the same j left something there: then it
    is what had come to the place of that step. And what had come to a place is what had come to the
    place of the last step that left something here, and so on: chains that are followed by
    doubling. 5 times as fast as a loop for 60,000 items.
    """
    n = partners.size
    keys = np.sort((partners << 32) | np.arange(n))  # by place, then by step
    place, step = keys >> 32, keys & 0xFFFFFFFF
    again = place[1:] == place[:-1]  # the step before in this order has the same place
    last = np.append(~again, True)
    own = last & (step == place)  # a step to its own place leaves nothing for a later one
    came = np.arange(n)
    came[place[last & ~own]] = step[last & ~own]
    before = np.flatnonzero(own[1:] & again)
    came[place[before]] = step[before]
    while (came != (further := came[came])).any():
        came = further
    items = np.empty(n, np.int64)
    items[step] = place
    items[step[1:][again]] = came[step[:-1][again]]
    return items


def _remainder(x: Array, divisor: Any) -> Array:
    """x % divisor: NumPy has a fast division by one number, but no such remainder."""
    quotient = x // divisor
    quotient *= divisor
    x -= quotient
    return x


def _search(sums: Array, u: Array) -> Array:
    """Returns, per row, the first index whose running sum is at least u: a binary search for all."""
    if u.size >= MANY and u.shape[1] >= 16 and (own := kernels("sorting")) is not None:
        return own.bisect(sums, u, False)  # type: ignore[no-any-return]
    if len(sums) <= _FEW:
        return np.array([row.searchsorted(v) for row, v in zip(sums, u, strict=True)], np.int64)
    low = np.zeros(u.shape, np.int64)
    high = np.full(u.shape, sums.shape[1])
    while (open_ := low < high).any():
        middle = (low + high) >> 1
        below = np.take_along_axis(sums, np.minimum(middle, sums.shape[1] - 1), 1) < u
        low = np.where(open_ & below, middle + 1, low)
        high = np.where(open_ & ~below, middle, high)
    return low
