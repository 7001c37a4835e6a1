"""Kernels that make, move, rearrange and index arrays."""

from __future__ import annotations

from math import prod
from typing import Any


class ArrayKernels:
    """Creation, shape and indexing over the namespace ``xp``."""

    xp: Any
    data_ptr: Any
    double: Any
    complex_double: Any
    checks_bounds = False  # whether an index out of range raises; if not, the ops look themselves

    # creation

    def empty(self, shape: tuple[int, ...], dtype: Any, index: int | None = None) -> Any:
        """An array with whatever the memory held."""
        return self.xp.empty(shape, dtype=dtype)

    def zeros(self, shape: tuple[int, ...], dtype: Any, index: int | None = None) -> Any:
        """An array of zeros."""
        return self.xp.zeros(shape, dtype=dtype)

    def full(self, shape: tuple[int, ...], value: Any, dtype: Any, index: int | None = None) -> Any:
        """An array of one value."""
        return self.xp.full(shape, value, dtype=dtype)

    def empty_like(self, x: Any, dtype: Any) -> Any:
        """An unset array of x's shape, laid out like x where x has no gaps and no repetitions."""
        if 0 in x.strides:
            return self.xp.empty(x.shape, dtype)
        return self.xp.empty_like(x, dtype=dtype)

    def zeros_like(self, x: Any) -> Any:
        """Zeros of x's shape and dtype, laid out in C order."""
        return self.xp.zeros(x.shape, x.dtype)

    def ones_like(self, x: Any) -> Any:
        """Ones of x's shape and dtype, laid out in C order."""
        return self.xp.ones(x.shape, x.dtype)

    def arange(self, start: Any, end: Any, step: Any, dtype: Any, index: int | None = None) -> Any:
        """start, start + step, ... before end; each element computed by itself, so no drift."""
        return self.xp.arange(start, end, step, dtype=dtype)

    def ramp(self, start: Any, step: Any, n: int, dtype: Any, index: int | None = None) -> Any:
        """n values from start on, step apart; each computed by itself, so no drift."""
        if dtype.kind in "iu":
            return (self.xp.arange(n) * step + start).astype(dtype)
        return (self.xp.arange(n).astype(self.double) * step + start).astype(dtype)

    def linspace(
        self, start: Any, end: Any, steps: int, dtype: Any, index: int | None = None
    ) -> Any:
        """``steps`` values from start to end, each half counted from its own end as in PyTorch."""
        if dtype.kind in "iu":
            return self.xp.linspace(float(start), float(end), steps).astype(dtype)
        wide = self.complex_double if dtype.kind == "c" else self.double
        return self.xp.linspace(start, end, steps, dtype=wide).astype(dtype)

    def eye(self, n: int, m: int, dtype: Any, index: int | None = None) -> Any:
        """The identity matrix, n by m."""
        return self.xp.eye(n, m, dtype=dtype)

    def copy(self, x: Any) -> Any:
        """A copy in C order."""
        return x.copy()

    def asarray(self, x: Any) -> Any:
        """An array from what a kernel returned: some libraries turn 0-d results into scalars."""
        return x

    def cast(self, x: Any, dtype: Any) -> Any:
        """x as another type, itself if it is of that type; a complex one loses its imaginary part."""
        if x.dtype is dtype:
            return x
        if x.dtype.kind == "c" and dtype.kind not in "cb":
            x = x.real
        return x.astype(dtype, copy=False)

    def bitcast(self, x: Any, dtype: Any) -> Any:
        """A view of the same memory as elements of another type."""
        return x.view(dtype)

    def write(self, target: Any, value: Any) -> None:
        """Copies value, broadcast and cast, into the memory of target."""
        target[...] = value

    def owned(self, x: Any) -> Any:
        """x if nobody else can hold its memory, else a copy; a backend that cannot tell copies."""
        return self.copy(x)

    def accumulate(self, x: Any, y: Any) -> Any:
        """x + y, into x's memory where nobody else can see that."""
        return x + y

    def add_into(self, target: Any, x: Any) -> None:
        """Adds x to the memory of target."""
        target += x

    def shares(self, x: Any, y: Any) -> bool:
        """Whether y, made from x by one call, is a view of the same memory."""
        return y is x or y.base is x or (x.base is not None and y.base is x.base)

    def overlap(self, x: Any, y: Any) -> bool:
        """Whether two arrays may have memory in common, as far as their owners tell."""
        return (x if x.base is None else x.base) is (y if y.base is None else y.base)

    # floating-point numbers taken apart

    def frexp(self, x: Any) -> tuple[Any, Any]:
        """Mantissas from 0.5 to 1 and exponents of 2; an infinity or NaN has the exponent 0."""
        wide = x if x.dtype.itemsize >= 4 else x.astype("f4")
        mantissa, exponent = self.xp.frexp(wide)
        return mantissa.astype(x.dtype), exponent * self.xp.isfinite(wide)

    def ldexp_by(self, x: Any, exponent: Any) -> Any:
        """x * 2 ** exponent."""
        wide = x if x.dtype.itemsize >= 4 else x.astype("f4")
        return self.xp.ldexp(wide, exponent).astype(x.dtype)

    def xor_of_rows(self, x: Any) -> Any:
        """The exclusive or of the bits of each row: of doubles, or of 64-bit integers."""
        wide = (
            x.astype("f8")
            if x.dtype.kind not in "biu"
            else x.astype("i8" if x.dtype.kind == "i" else "u8")
        )
        bits = self.contiguous(wide).view("u8")
        while bits.shape[1] > 1:
            n = bits.shape[1] // 2
            head = bits[:, :n] ^ bits[:, n : 2 * n]
            bits = self.xp.concatenate([head, bits[:, 2 * n :]], axis=1)
        return bits[:, 0] if bits.shape[1] else self.xp.zeros(x.shape[0], "u8")

    # shape

    def reshape(self, x: Any, shape: tuple[int, ...]) -> Any:
        """x in another shape: a view where that is possible, else a copy."""
        return x.reshape(shape)

    def reshaped(self, x: Any, shape: tuple[int, ...]) -> tuple[Any, bool]:
        """x in another shape, one size of which may be -1, and whether that is a view.

        Raises ValueError if x has not so many elements.
        """
        if -1 in shape:
            known = -prod(shape)
            if shape.count(-1) > 1 or not known or x.size % known:
                raise ValueError(shape)
            shape = tuple([x.size // known if n == -1 else n for n in shape])
        elif prod(shape) != x.size:
            raise ValueError(shape)
        z = self.reshape(x, shape)
        return z, self.shares(x, z)

    def expand(self, x: Any, shape: tuple[int, ...]) -> Any:
        """x repeated without copying along dimensions of size 1 and new leading ones."""
        return self.xp.broadcast_to(x, shape)

    def transpose(self, x: Any, i: int, j: int) -> Any:
        """A view with two dimensions swapped."""
        return x.swapaxes(i, j) if i != j else x

    def permute(self, x: Any, dims: tuple[int, ...]) -> Any:
        """A view with the dimensions in another order."""
        return x.transpose(dims)

    def contiguous(self, x: Any) -> Any:
        """x itself if it lies in C order, else a copy."""
        return self.xp.ascontiguousarray(x) if x.ndim else x

    def is_contiguous(self, x: Any) -> bool:
        """Whether x lies in C order without gaps."""
        return x.flags.c_contiguous

    def settled(self, x: Any) -> Any:
        """New memory in C order, or in that of channels_last, as PyTorch's kernels leave it.

        NumPy's follow the order of their operands, so that what came of a transposed one could not
        be viewed in another shape.
        """
        if x.flags.c_contiguous:
            return x
        if x.ndim in (4, 5) and self.is_contiguous(x.transpose((0, *range(2, x.ndim), 1))):
            return x
        return self.contiguous(x)

    def flip(self, x: Any, dims: tuple[int, ...]) -> Any:
        """A view with the order along some dimensions reversed."""
        return x[
            tuple([slice(None, None, -1) if d in dims else slice(None) for d in range(x.ndim)])
        ]

    def cat(self, arrays: list[Any], dim: int) -> Any:
        """The arrays one behind the other."""
        return self.settled(self.xp.concatenate(arrays, axis=dim))

    def stack(self, arrays: list[Any], dim: int) -> Any:
        """The arrays along a new dimension."""
        return self.contiguous(self.xp.stack(arrays, axis=dim))

    def repeat_tile(self, x: Any, repeats: tuple[int, ...]) -> Any:
        """x tiled; ``repeats`` has an entry for each dimension, new leading ones first."""
        return self.settled(self.xp.tile(x, repeats))

    def repeat(self, repeats: Any) -> Any:
        """0, 1 ... each repeated as often as its number in the vector ``repeats`` tells."""
        return self.xp.repeat(self.xp.arange(repeats.shape[0]), repeats)

    def strides_of(self, x: Any) -> tuple[int, ...]:
        """How many bytes apart neighbours along each dimension lie."""
        return x.strides

    def as_strided(
        self, x: Any, size: tuple[int, ...], stride: tuple[int, ...], offset: int
    ) -> Any:
        """A view of x's memory, strides and offset counted in elements; ValueError outside it."""
        owner = x if x.base is None else x.base
        flat = owner.reshape(-1)
        self._check_room(flat.size, size, stride, offset)
        step = x.dtype.itemsize
        return self.xp.lib.stride_tricks.as_strided(
            flat[offset:], size, tuple([s * step for s in stride])
        )

    def _check_room(self, room: int, size: Any, stride: Any, offset: int) -> None:
        last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
        if 0 not in size and (offset < 0 or last >= room):
            raise ValueError(
                f"sizes {list(size)}, strides {list(stride)}, storage offset {offset} need "
                f"{last + 1} elements, but the memory has {room}"
            )

    def strided_places(
        self, x: Any, size: tuple[int, ...], stride: tuple[int, ...], offset: int
    ) -> Any:
        """Where a view with these strides lies in memory, as indices on x's device."""
        places: Any = self.xp.full((1,) * len(size), offset, dtype="i8")
        for d, (n, s) in enumerate(zip(size, stride, strict=True)):
            places = places + (self.xp.arange(n) * s).reshape(
                [-1 if k == d else 1 for k in range(len(size))]
            )
        return places

    def host_index(self, x: Any, values: Any, shape: tuple[int, ...]) -> Any:
        """Integers of the host as an int64 array on x's device."""
        return self.xp.asarray(values, dtype="i8").reshape(shape)

    def diagonal(self, x: Any, offset: int, dim1: int, dim2: int) -> Any:
        """A writable view of diagonals, in a new last dimension."""
        rows, columns = x.shape[dim1], x.shape[dim2]
        n = max(min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns), 0)
        step = x.dtype.itemsize
        strides = [s // step for s in self.strides_of(x)]
        start = self.storage_offset(x)
        if n:
            start += offset * strides[dim2] if offset >= 0 else -offset * strides[dim1]
        rest = [d for d in range(x.ndim) if d not in (dim1, dim2)]
        size = (*[x.shape[d] for d in rest], n)
        stride = (*[strides[d] for d in rest], strides[dim1] + strides[dim2])
        return self.as_strided(x, size, stride, start)

    def undiagonal(self, g: Any, shape: tuple[int, ...], offset: int, dim1: int, dim2: int) -> Any:
        """Zeros of ``shape`` with g on its diagonals: the derivative of diagonal."""
        out = self.xp.zeros(shape, g.dtype)
        n = g.shape[-1]
        at = self.xp.arange(n)
        rows, columns = at + max(-offset, 0), at + max(offset, 0)
        rest = [d for d in range(len(shape)) if d not in (dim1, dim2)]
        view = out.transpose([*rest, dim1, dim2])
        view[..., rows, columns] = g
        return out

    def storage_offset(self, x: Any) -> int:
        """How many elements after the start of its memory x begins, by `data_ptr`."""
        owner = x if x.base is None else x.base
        return (self.data_ptr(x) - self.data_ptr(owner)) // x.dtype.itemsize

    def roll(self, x: Any, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Any:
        """Elements moved along dims, those that fall off coming in at the other end."""
        return self.settled(self.xp.roll(x, shifts, dims))

    def cross(self, x: Any, y: Any, dim: int) -> Any:
        """The cross products of vectors of 3 along dim."""
        lead = (slice(None),) * dim
        x1, x2, x3 = (x[(*lead, i)] for i in range(3))
        y1, y2, y3 = (y[(*lead, i)] for i in range(3))
        return self.stack([x2 * y3 - x3 * y2, x3 * y1 - x1 * y3, x1 * y2 - x2 * y1], dim)

    def tril(self, x: Any, diagonal: int) -> Any:
        """The lower triangles of matrices, the rest zero."""
        return self.settled(self.xp.tril(x, k=diagonal))

    def triu(self, x: Any, diagonal: int) -> Any:
        """The upper triangles of matrices, the rest zero."""
        return self.settled(self.xp.triu(x, k=diagonal))

    # indexing; every index array is in bounds: the ops check

    def getitem(self, x: Any, index: tuple[Any, ...]) -> Any:
        """x[index], always as an array."""
        return x[index]

    def setitem(self, x: Any, index: tuple[Any, ...], value: Any) -> None:
        """x[index] = value."""
        x[index] = value

    def assigned(self, x: Any, value: Any, index: tuple[Any, ...]) -> Any:
        """A copy of x with value written at index."""
        out = self.copy(x)
        out[index] = value
        return out

    def unindex(self, g: Any, index: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
        """Zeros of ``shape`` with g added at index: the derivative of getitem."""
        out = self.xp.zeros(shape, g.dtype)
        if all(i is None or i is Ellipsis or isinstance(i, (int, slice)) for i in index):
            out[index] = g
        else:
            self.add_at(out, index, g)
        return out

    def take(self, x: Any, index: Any, dim: int) -> Any:
        """The slices of x along dim that a 1-d index array names."""
        return self.settled(self.xp.take(x, index, axis=dim))

    def gather(self, x: Any, dim: int, index: Any) -> Any:
        """For each place of index, the element of x there, with index's value along dim."""
        if x.shape[:dim] + x.shape[dim + 1 :] != index.shape[:dim] + index.shape[dim + 1 :]:
            cut = tuple([slice(None) if d == dim else slice(n) for d, n in enumerate(index.shape)])
            x = x[cut]
        return self.xp.take_along_axis(x, index, axis=dim)

    def nonzero(self, x: Any) -> tuple[Any, ...]:
        """The indices of the nonzero elements, an array per dimension."""
        return self.xp.nonzero(x)

    def argwhere(self, x: Any) -> Any:
        """The indices of the nonzero elements, a row for each; x has dimensions."""
        return self.stack(list(self.nonzero(x)), 1)

    def argwhere_padded(self, x: Any, size: int, fill: int) -> Any:
        """The first ``size`` rows of `argwhere`, filled up with a number where there are fewer."""
        found = self.argwhere(x)[:size]
        result = self.full((size, x.ndim), fill, found.dtype)
        self.write(result[: found.shape[0]], found)
        return result

    def nan_to_num(self, x: Any, nan: float, posinf: float, neginf: float) -> Any:
        """Numbers in the place of NaN and the infinities."""
        xp, inf = self.xp, self.xp.inf
        out = xp.where(x != x, xp.asarray(nan, x.dtype), x)
        out = xp.where(out == inf, xp.asarray(posinf, x.dtype), out)
        return xp.where(out == -inf, xp.asarray(neginf, x.dtype), out)

    def masked_fill(self, x: Any, mask: Any, value: Any) -> Any:
        """value where mask is true, x elsewhere, in x's dtype."""
        return self.settled(self.xp.where(mask, self.xp.asarray(value, x.dtype), x))

    # products

    def matmul(self, x: Any, y: Any) -> Any:
        """The matrix product of arrays of one or more dimensions; 16-bit floats go by float32."""
        if x.dtype.itemsize == 2 and x.dtype.kind not in "iu":
            return self.xp.matmul(x.astype("f4"), y.astype("f4")).astype(x.dtype)
        return self.xp.matmul(x, y)

    def orthonormal(self, x: Any) -> Any:
        """The orthonormal factor of x = Q R where R has no negative number on its diagonal."""
        q, r = self.xp.linalg.qr(x)
        return q * self.xp.sign(self.xp.diagonal(r))

    def linear(self, x: Any, weight: Any, bias: Any) -> Any:
        """x @ weight.T + bias."""
        z = self.matmul(x, weight.T)
        if bias is not None:
            if bias.shape != z.shape[-1:]:
                raise ValueError("bias")
            z += bias
        return z

    def linear_input(self, g: Any, weight: Any) -> Any:
        """The gradient of `linear` for x: g @ conj(weight)."""
        return self.matmul(g, self.xp.conjugate(weight) if weight.dtype.kind == "c" else weight)

    def linear_bias(self, g: Any) -> Any:
        """The gradient of `linear` for its bias: the sum of g's rows."""
        return g if g.ndim == 1 else self.sum(g, tuple(range(g.ndim - 1)), False)

    def linear_weight(self, g: Any, x: Any) -> Any:
        """The gradient of `linear` for its weight: the products of g's and x's rows, summed."""
        if x.ndim != 2:
            rows = prod(x.shape[:-1])
            g, x = g.reshape(rows, g.shape[-1]), x.reshape(rows, x.shape[-1])
        return self.matmul(g.T, self.xp.conjugate(x) if x.dtype.kind == "c" else x)

    def unique_values(self, x: Any) -> Any:
        """The different elements, sorted."""
        return self.xp.unique(x)

    def embedding_backward(self, g: Any, index: Any, rows: int, padding: int, scale: bool) -> Any:
        """Zeros of ``rows`` rows with each slice of g added to the row that index names."""
        flat = index.reshape(-1)
        values = g.reshape(-1, g.shape[-1])
        weights = self._row_weights(flat, rows, padding, scale)
        if weights is not None:
            values = values * weights[:, None].astype(g.dtype)
        out = self.xp.zeros((rows, g.shape[-1]), g.dtype)
        self.add_at(out, (flat,), values)
        return out

    def bags(self, x: Any, index: Any) -> Any:
        """The sum of the rows of x that each row of index names."""
        return self.sum(self.take(x, index, 0), (1,), False)

    def embedding_gather(self, x: Any, index: Any, padding: int, scale: bool) -> Any:
        """The rows that index names, weighted as embedding_backward weights them."""
        z = self.xp.take(x, index, axis=0)
        weights = self._row_weights(index.reshape(-1), x.shape[0], padding, scale)
        return z if weights is None else z * weights.reshape(*index.shape, 1).astype(x.dtype)

    def _row_weights(self, flat: Any, rows: int, padding: int, scale: bool) -> Any:
        """0 for the padding row and, if scale, one over how often a row occurs, else 1."""
        if padding < 0 and not scale:
            return None
        kept = (flat != padding).astype(self.double)
        return kept / self.xp.bincount(flat, minlength=rows)[flat] if scale else kept
