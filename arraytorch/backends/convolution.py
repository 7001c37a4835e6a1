"""Convolution over any number of spatial dimensions, for any array namespace.

A convolution is bilinear in input and weight, so the three kernels here are each other's
derivatives: `conv` makes the output from input and weight, `conv_input` an input from output and
weight (its use as a layer is the transposed convolution), `conv_weight` a weight from input and
output. All three know the geometry from one `Convolution`.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from itertools import product
from math import prod
from typing import Any

Ints = tuple[int, ...]


class Convolution:
    """The geometry of a convolution, an entry per spatial dimension; made by `convolution`.

    ``padding`` holds pairs (before, after); negative ones crop. ``size`` is the kernel's and
    ``spatial`` the input's extent. Compared and hashed by identity, and never changed.
    """

    def __init__(
        self,
        stride: Ints,
        padding: tuple[tuple[int, int], ...],
        dilation: Ints,
        groups: int,
        size: Ints,
        spatial: Ints,
    ) -> None:
        self.stride, self.padding, self.dilation = stride, padding, dilation
        self.groups, self.size, self.spatial = groups, size, spatial

    @cached_property
    def out(self) -> Ints:
        """The extent of the output."""
        return tuple(
            [
                (n + sum(p) - d * (k - 1) - 1) // s + 1
                for n, p, d, k, s in zip(
                    self.spatial, self.padding, self.dilation, self.size, self.stride, strict=True
                )
            ]
        )

    @cached_property
    def padded(self) -> Ints:
        """The extent of the padded input."""
        return tuple([n + sum(p) for n, p in zip(self.spatial, self.padding, strict=True)])

    @cached_property
    def taps(self) -> list[tuple[slice, ...]]:
        """For each element of the kernel, in C order, the slices of the padded input it meets."""
        return [
            tuple(
                [
                    slice(i * d, i * d + s * (n - 1) + 1, s)
                    for i, d, s, n in zip(at, self.dilation, self.stride, self.out, strict=True)
                ]
            )
            for at in product(*map(range, self.size))
        ]

    @cached_property
    def inner(self) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """The slices of the padded input and of the input that hold the same elements."""
        pairs = list(zip(self.spatial, self.padding, strict=True))
        return (
            tuple([slice(max(lo, 0), max(lo, 0) + _kept(n, lo, hi)) for n, (lo, hi) in pairs]),
            tuple([slice(max(-lo, 0), max(-lo, 0) + _kept(n, lo, hi)) for n, (lo, hi) in pairs]),
        )


def _kept(n: int, lo: int, hi: int) -> int:
    return max(n + min(lo, 0) + min(hi, 0), 0)


@lru_cache(4096)
def _margins(shape: Ints, pairs: tuple[tuple[int, int], ...]) -> tuple[Any, Any, Any]:
    """The shape of what is padded, and the slices of it and of the original that are the same."""
    there, here = [], []
    for n, (a, b) in zip(shape, pairs, strict=True):
        kept = _kept(n, a, b)
        there.append(slice(max(a, 0), max(a, 0) + kept))
        here.append(slice(max(-a, 0), max(-a, 0) + kept))
    padded = tuple([n + a + b for n, (a, b) in zip(shape, pairs, strict=True)])
    return padded, tuple(there), tuple(here)


@lru_cache(1024)
def _borders(shape: Ints, pairs: tuple[tuple[int, int], ...], mode: str) -> list[tuple[Any, Any]]:
    """The slices of what is extended that border on it, and those that they are made of, in turn."""
    found = []
    for dim, (n, (a, b)) in enumerate(zip(shape, pairs, strict=True)):
        end = a + n
        if mode == "reflect":
            left, right = (
                slice(2 * a, a, -1),
                slice(end - 2, end - 2 - b if end - 2 - b >= 0 else None, -1),
            )
        elif mode == "circular":
            left, right = slice(n, end), slice(a, a + b)
        else:
            left, right = slice(a, a + 1), slice(end - 1, end)
        lead = (slice(None),) * dim
        if a:
            found.append(((*lead, slice(0, a)), (*lead, left)))
        if b:
            found.append(((*lead, slice(end, end + b)), (*lead, right)))
    return found


# One object per geometry, so that what it caches is kept.
convolution = lru_cache(4096)(Convolution)


class ConvolutionKernels:
    """Convolutions over the namespace ``xp``: a slice per kernel element, and matrix products."""

    xp: Any

    def conv(self, x: Any, w: Any, c: Convolution, bias: Any = None) -> Any:
        """Cross-correlates x (N, C, ...) with w (O, C / groups, ...): (N, O, ...).

        16-bit floats are computed in float32, integers wrap around.
        """
        dtype = x.dtype
        x, w = self._computed_in(x), self._computed_in(w)
        n, o, groups = x.shape[0], w.shape[0], c.groups
        cols = self._columns(x, c)
        out = self.xp.matmul(w.reshape(groups, o // groups, cols.shape[2]), cols)
        out = out.reshape((n, o, *c.out))
        if bias is not None:
            out += self._computed_in(bias).reshape((-1,) + (1,) * len(c.out))
        return out.astype(dtype, copy=False)

    def conv_input(self, g: Any, w: Any, c: Convolution, bias: Any = None) -> Any:
        """The input (N, C, ...) that g (N, O, ...) pulls back to through w (O, C / groups, ...)."""
        dtype = g.dtype
        g, w = self._computed_in(g), self._computed_in(w)
        n, o, groups = g.shape[0], w.shape[0], c.groups
        w = w.reshape(groups, o // groups, prod(w.shape[1:]))
        cols = self.xp.matmul(
            w.swapaxes(1, 2), g.reshape(n, groups, o // groups, prod(c.out))
        ).reshape((n, groups * (w.shape[2] // len(c.taps)), len(c.taps), *c.out))
        x = self._gathered(cols, c)
        if bias is not None:
            x = x + self._computed_in(bias).reshape((-1,) + (1,) * len(c.out))
        return x.astype(dtype, copy=False)

    def conv_weight(self, x: Any, g: Any, c: Convolution) -> Any:
        """The weight (O, C / groups, ...) that g (N, O, ...) pulls back to through x (N, C, ...)."""
        dtype = x.dtype
        x, g = self._computed_in(x), self._computed_in(g)
        n, o, groups = x.shape[0], g.shape[1], c.groups
        cols = self._columns(x, c)
        size, area = cols.shape[2:]
        cols = cols.transpose(1, 2, 0, 3).reshape(groups, size, n * area)
        g = g.reshape(n, groups, o // groups, area).transpose(1, 2, 0, 3)
        w = self.xp.matmul(g.reshape(groups, o // groups, n * area), cols.swapaxes(1, 2))
        return w.reshape((o, x.shape[1] // groups, *c.size)).astype(dtype, copy=False)

    def _computed_in(self, x: Any) -> Any:
        """x in the type to compute in: float32 for the 16-bit floats."""
        return x.astype("f4") if x.dtype.itemsize == 2 and x.dtype.kind not in "iu" else x

    def _columns(self, x: Any, c: Convolution) -> Any:
        """What each output meets: (N, groups, C / groups * kernel elements, outputs)."""
        n, channels = x.shape[:2]
        wide = self._padded(x, c)
        cols = self.xp.empty((n, channels, len(c.taps), *c.out), dtype=x.dtype)
        for t, tap in enumerate(c.taps):
            cols[:, :, t] = wide[(slice(None), slice(None), *tap)]
        return cols.reshape(n, c.groups, channels // c.groups * len(c.taps), prod(c.out))

    def _gathered(self, cols: Any, c: Convolution) -> Any:
        """The input (N, C, ...) of what each output met, (N, C, kernel elements, ...), added up."""
        wide = self.xp.zeros((*cols.shape[:2], *c.padded), dtype=cols.dtype)
        for t, tap in enumerate(c.taps):
            wide[(slice(None), slice(None), *tap)] += cols[:, :, t]
        return self._unpadded(wide, c)

    def _padded(self, x: Any, c: Convolution, value: float = 0) -> Any:
        if c.padded == c.spatial and not any(map(any, c.padding)):
            return x
        wide = self.xp.full((*x.shape[:2], *c.padded), value, dtype=x.dtype)
        there, here = c.inner
        wide[(slice(None), slice(None), *there)] = x[(slice(None), slice(None), *here)]
        return wide

    def constant_pad(self, x: Any, pairs: tuple[tuple[int, int], ...], value: Any) -> Any:
        """x with ``value`` added before and after each dimension, or cropped."""
        shape, there, here = _margins(x.shape, pairs)
        if value.__class__ is int and not value:
            out = self.xp.zeros(shape, dtype=x.dtype)
        else:
            out = self.xp.full(shape, self.xp.asarray(value).astype(x.dtype), dtype=x.dtype)
        self.write(out[there], x[here])  # type: ignore[attr-defined]
        return out

    def mirrored(self, x: Any, pairs: tuple[tuple[int, int], ...], mode: str) -> Any:
        """x with elements before and after each dimension: "reflect", "replicate" or "circular"."""
        shape, there, _ = _margins(x.shape, pairs)
        out = self.xp.empty(shape, dtype=x.dtype)
        self.write(out[there], x)  # type: ignore[attr-defined]
        for to, of in _borders(x.shape, pairs, mode):
            out[to] = out[of]
        return out

    def unmirrored(self, g: Any, pairs: tuple[tuple[int, int], ...], mode: str) -> Any:
        """What g pulls back to through `mirrored`: each border added to what it was made of."""
        inner = tuple([n - a - b for n, (a, b) in zip(g.shape, pairs, strict=True)])
        out = g.copy()
        for to, of in _borders(inner, pairs, mode)[::-1]:
            part = out[to]
            if mode == "replicate":
                part = part.sum(axis=len(to) - 1, keepdims=True, dtype=g.dtype)
            out[of] = out[of] + part
        return out[_margins(inner, pairs)[1]].copy()

    def _unpadded(self, wide: Any, c: Convolution) -> Any:
        """The inverse of `_padded`, with zeros for what that cropped."""
        if c.padded == c.spatial and not any(map(any, c.padding)):
            return wide
        there, here = c.inner
        kept = wide[(slice(None), slice(None), *there)]
        if kept.shape[2:] == c.spatial:
            return kept
        x = self.xp.zeros((*wide.shape[:2], *c.spatial), dtype=wide.dtype)
        x[(slice(None), slice(None), *here)] = kept
        return x
