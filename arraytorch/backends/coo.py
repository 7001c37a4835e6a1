"""Sparse arrays in coordinate form: some elements with their places, and zeros everywhere else."""

from __future__ import annotations

from math import prod
from typing import Any

from .._layouts import sparse_coo


class CooArray:
    """``values`` at the places that the columns of ``indices`` name; what has no place is zero.

    The first dimensions, as many as ``indices`` has rows, are sparse; the others are those of each
    value. Places may occur several times, and then count as the sum of their values, unless
    ``coalesced`` says that they are sorted and different. Both parts are arrays of any backend.

    The parts are never written by kernels, so that arrays can share them; an in-place operation
    replaces them (`assign`).
    """

    __slots__ = ("__weakref__", "coalesced", "indices", "shape", "values")
    # What makes NumPy leave operators to this class, and refuse it where it is given one.
    __array_ufunc__ = None
    layout = sparse_coo
    strides = ()  # none, so that nothing seems to repeat
    base = None
    backend: Any = None  # set by the module of the kernels

    def __init__(
        self, indices: Any, values: Any, shape: tuple[int, ...], coalesced: bool = False
    ) -> None:
        self.indices, self.values = indices, values
        self.shape, self.coalesced = tuple(shape), coalesced

    @property
    def dtype(self) -> Any:
        return self.values.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def itemsize(self) -> int:
        return self.values.dtype.itemsize  # type: ignore[no-any-return]

    @property
    def nnz(self) -> int:
        """How many places there are, repeated ones counted as often."""
        return self.values.shape[0]  # type: ignore[no-any-return]

    @property
    def sparse_dim(self) -> int:
        """How many dimensions the places have."""
        return self.indices.shape[0]  # type: ignore[no-any-return]

    def with_values(self, values: Any) -> CooArray:
        """Other values at the same places."""
        return CooArray(self.indices, values, self.shape, self.coalesced)

    def assign(self, other: CooArray) -> None:
        """Takes over the parts of another array."""
        self.indices, self.values = other.indices, other.values
        self.shape, self.coalesced = other.shape, other.coalesced

    def __repr__(self) -> str:
        return f"CooArray(shape={self.shape}, dtype={self.dtype.name}, nnz={self.nnz})"

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("can't convert Sparse layout tensor to numpy. Use Tensor.to_dense() first.")

    def __array_function__(self, *_: Any) -> Any:
        return NotImplemented

    def item(self) -> Any:
        """The only element as a Python number."""
        if self.size != 1:
            raise ValueError("more or fewer elements than one")
        return self.backend.to_dense(self).item()

    def __getitem__(self, index: Any) -> Any:
        return self.backend.getitem(self, index if isinstance(index, tuple) else (index,))

    # operators, which are how derivatives compute

    def __add__(self, other: Any) -> Any:
        return self.backend.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return self.backend.add(other, self)

    def __sub__(self, other: Any) -> Any:
        return self.backend.sub(self, other)

    def __rsub__(self, other: Any) -> Any:
        return self.backend.sub(other, self)

    def __mul__(self, other: Any) -> Any:
        return self.backend.mul(self, other)

    def __rmul__(self, other: Any) -> Any:
        return self.backend.mul(other, self)

    def __truediv__(self, other: Any) -> Any:
        return self.backend.div(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self.backend.div(other, self)

    def __eq__(self, other: Any) -> Any:
        return self.backend.eq(self, other)

    def __ne__(self, other: Any) -> Any:
        return self.backend.ne(self, other)

    def __lt__(self, other: Any) -> Any:
        return self.backend.lt(self, other)

    def __le__(self, other: Any) -> Any:
        return self.backend.le(self, other)

    def __gt__(self, other: Any) -> Any:
        return self.backend.gt(self, other)

    def __ge__(self, other: Any) -> Any:
        return self.backend.ge(self, other)

    def __neg__(self) -> Any:
        return self.backend.neg(self)

    __hash__ = object.__hash__
