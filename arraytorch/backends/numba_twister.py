"""The Mersenne Twister, compiled: the words of NumPy's generator, ten times as fast.

The kernels read and write the state of NumPy's generator where it lies, so that both can take turns. All
words of a state depend on those 397 and 624 places back alone, so that they are made many at a time
(M. Matsumoto and T. Nishimura, 1998).
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from .numba_math import EXACT, compiled, helper

_N, _M = 624, 397
_REST = _N - _M
_PART = 2048  # words that are made before they are used
u = np.uint32
_HIGH, _LOW, _TWIST = u(0x80000000), u(0x7FFFFFFF), u(0x9908B0DF)
_UNIT24, _UNIT53 = np.float32(2.0**-24), 2.0**-53
_LOW53 = np.uint64((1 << 53) - 1)


@helper
def _twisted(word, following, far):  # type: ignore[no-untyped-def]
    y = u(u(word & _HIGH) | u(following & _LOW))
    return u(u(far ^ u(y >> u(1))) ^ (_TWIST if y & u(1) else u(0)))


@helper
def _tempered(y):  # type: ignore[no-untyped-def]
    y = u(y ^ u(y >> u(11)))
    y = u(y ^ u(u(y << u(7)) & u(0x9D2C5680)))
    y = u(y ^ u(u(y << u(15)) & u(0xEFC60000)))
    return u(y ^ u(y >> u(18)))


@compiled(EXACT)
def _next_state(key, new):  # type: ignore[no-untyped-def]
    for i in range(_REST):
        new[i] = _twisted(key[i], key[i + 1], key[i + _M])
    for start in (_REST, 2 * _REST):  # each of which needs the one before it
        old, done, to = key[start:], new[start - _REST :], new[start : min(start + _REST, _N - 1)]
        for i in range(to.size):
            to[i] = _twisted(old[i], old[i + 1], done[i])
    new[_N - 1] = _twisted(key[_N - 1], new[0], new[_M - 1])
    key[:] = new


@compiled(EXACT)
def _fill(state, spare, out):  # type: ignore[no-untyped-def]
    """Fills with the next words; the state has its place in it at the end."""
    key, at, n = state[:_N], 0, out.size
    place = np.int64(state[_N])
    while at < n:
        if place == _N:
            _next_state(key, spare)
            place = 0
        some = min(_N - place, n - at)
        part, to = key[place : place + some], out[at : at + some]
        for i in range(to.size):
            to[i] = _tempered(part[i])
        place += some
        at += some
    state[_N] = place


def _of_words(convert: Any, words: int) -> Any:
    """The loop that makes numbers of one word or two."""
    pair = words == 2

    @compiled(EXACT)
    def loop(state, out):  # type: ignore[no-untyped-def]
        made, spare = np.empty(_PART, np.uint32), np.empty(_N, np.uint32)
        step = _PART // 2 if pair else _PART
        for at in range(0, out.size, step):
            to = out[at : at + step]
            part = made[: to.size * (2 if pair else 1)]
            _fill(state, spare, part)
            if pair:
                for i in range(to.size):
                    to[i] = convert(part[2 * i], part[2 * i + 1])
            else:
                for i in range(to.size):
                    to[i] = convert(part[i], u(0))

    return loop


@helper
def _word(word, _):  # type: ignore[no-untyped-def]
    return np.uint64(word)


@helper
def _joined(high, low):  # type: ignore[no-untyped-def]
    return np.uint64(high) << np.uint64(32) | np.uint64(low)


@helper
def _single(word, _):  # type: ignore[no-untyped-def]
    return np.float32(np.int32(word & u(0xFFFFFF))) * _UNIT24


@helper
def _double(high, low):  # type: ignore[no-untyped-def]
    return np.float64(np.int64(_joined(high, low) & _LOW53)) * _UNIT53


_words, _words64 = _of_words(_word, 1), _of_words(_joined, 2)
_uniform32, _uniform64 = _of_words(_single, 1), _of_words(_double, 2)


def _drawn(loop: Any, bits: Any, n: int, dtype: Any) -> Any:
    out = np.empty(n, dtype)
    with bits.lock:
        loop(_memory(bits), out)
    return out


def _memory(bits: Any) -> Any:
    """The state of NumPy's generator: 624 words, and the place of the next."""
    return np.frombuffer((ctypes.c_uint32 * (_N + 1)).from_address(bits.ctypes.state_address), u)


def words(bits: Any, n: int) -> Any:
    """The next words, each in a uint64."""
    return _drawn(_words, bits, n, np.uint64)


def words64(bits: Any, n: int) -> Any:
    """The next pairs of words, the first in the upper half."""
    return _drawn(_words64, bits, n, np.uint64)


def uniform32(bits: Any, n: int) -> Any:
    """The next float32 in [0, 1)."""
    return _drawn(_uniform32, bits, n, np.float32)


def uniform64(bits: Any, n: int) -> Any:
    """The next float64 in [0, 1)."""
    return _drawn(_uniform64, bits, n, np.float64)


@compiled(EXACT)
def _shuffle(state, items):  # type: ignore[no-untyped-def]
    n = items.size
    made, spare = np.empty(_PART, np.uint32), np.empty(_N, np.uint32)
    for i in range(n):
        items[i] = i
    for at in range(0, n - 1, _PART):
        part = made[: min(_PART, n - 1 - at)]
        _fill(state, spare, part)
        for k in range(part.size):
            i = at + k
            j = i + np.int64(u(part[k] % u(n - i)))
            items[i], items[j] = items[j], items[i]


def permutation(bits: Any, n: int) -> Any:
    """The integers below n, shuffled: step i swaps item i with one not before it."""
    items = np.empty(n, np.int64)
    with bits.lock:
        _shuffle(_memory(bits), items)
    return items
