"""The backend of sparse arrays, over whatever backend their parts have.

It stands one level above the devices, so that it takes the calls with sparse and dense arguments.
It has the kernels that PyTorch has for sparse tensors; others refuse a sparse array, and are passed
on where a rule gives them dense ones alone. It is loaded when the first sparse tensor is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._dtypes import int64
from . import AS_ARRAY, BACKENDS, SPARSE, backend_of, numpy_dtype
from . import sparse_products as products
from .coo import CooArray
from .host import ndarray
from .sparse_arithmetic import SparseArithmetic, passed_on
from .sparse_moves import SparseMoves, refused
from .sparse_places import coalesce, to_dense, to_sparse, values_at, zeros

# Elementwise kernels that leave zeros zero. They work on the sums at the places.
_ZERO_PRESERVING = frozenset((
    "abs", "asin", "asinh", "atan", "atanh", "ceil", "erf", "erfinv", "expm1", "floor", "frac", "isinf",
    "isnan", "log1p", "nan_to_num", "relu", "round", "sgn", "sign", "signbit", "sin", "sinh",
    "sqrt", "square", "step", "tan", "tanh", "trunc",
))  # fmt: skip


class SparseBackend(SparseArithmetic, SparseMoves):
    """Kernels on sparse arrays."""

    level = 1
    device_type = "sparse"
    array_types = (CooArray,)

    def __getattr__(self, name: str) -> Any:
        found = getattr(BACKENDS[ndarray], name)  # AttributeError for what is no kernel
        if name.startswith("_") or not callable(found):
            return found
        kernel = _elementwise(name) if name in _ZERO_PRESERVING else passed_on(name)
        self.__dict__[name] = kernel
        return kernel

    # what an array is

    def device_of(self, x: CooArray) -> Any:
        """Where the parts are."""
        return backend_of(x.values).device_of(x.values)

    def to_host(self, x: CooArray) -> Any:
        """Refuses: NumPy has no such arrays."""
        return x.__array__()

    def asarray(self, x: Any) -> Any:
        """The result of a kernel as an array, dense or sparse."""
        return x if isinstance(x, CooArray) else backend_of(x).asarray(x)

    def settled(self, x: Any) -> Any:
        """The array itself."""
        return x

    def is_contiguous(self, x: CooArray) -> bool:
        """False, as it has no elements in any order."""
        return False

    def contiguous(self, x: Any) -> Any:
        """Refuses a sparse array."""
        if isinstance(x, CooArray):
            raise RuntimeError("unsupported memory format option Contiguous")
        return backend_of(x).contiguous(x)

    def shares(self, x: Any, y: Any) -> bool:
        """False: views of sparse arrays are arrays of their own."""
        return False

    def storage_offset(self, x: CooArray) -> int:
        """0, as there is no memory to begin in."""
        return 0

    def data_ptr(self, x: CooArray) -> int:
        """Refuses, as there is no memory in the order of the elements."""
        raise RuntimeError("Cannot access data pointer of Tensor that doesn't have storage")

    def overlap(self, x: Any, y: Any) -> bool:
        """Whether two arrays are the same."""
        return x is y

    # copies

    def mapped(self, x: CooArray, function: Callable[[Any], Any]) -> CooArray:
        """The array with its parts replaced by what a function makes of them."""
        return CooArray(function(x.indices), function(x.values), x.shape, x.coalesced)

    def moved(self, x: CooArray, index: int | None, non_blocking: bool = False) -> CooArray:
        """The array on another device of its type."""

        def part(y: Any) -> Any:
            D = backend_of(y)
            return D.moved(y, index, non_blocking) if hasattr(D, "moved") else y

        return self.mapped(x, part)

    def copy(self, x: Any) -> Any:
        """A copy of all parts."""
        D = backend_of(x.values if isinstance(x, CooArray) else x)
        return self.mapped(x, D.copy) if isinstance(x, CooArray) else D.copy(x)

    def owned(self, x: Any) -> Any:
        """A copy, as indices and values may be anybody's."""
        return self.copy(x)

    def cast(self, x: Any, dtype: Any) -> Any:
        """The values as another type."""
        if not isinstance(x, CooArray):
            return backend_of(x).cast(x, dtype)
        return x.with_values(backend_of(x.values).cast(x.values, dtype))

    def write(self, target: Any, value: Any) -> None:
        """Lets an array have the parts of another, or none for 0."""
        if isinstance(target, CooArray) and isinstance(value, CooArray):
            target.assign(self.copy(self.cast(value, target.dtype)))
        elif isinstance(target, CooArray) and value.__class__ is int and value == 0:
            target.assign(self.zeros_like(target))
        elif isinstance(target, CooArray):
            raise refused("write", target)
        else:
            backend_of(target).write(target, self.to_dense(value))

    def empty_of(self, shape: tuple[int, ...], sparse_dim: int, values: Any) -> CooArray:
        """An array without elements; its values are of the type, and where, those given are."""
        indices = zeros((sparse_dim, 0), numpy_dtype(int64), values)
        none = zeros((0, *shape[sparse_dim:]), values.dtype, values)
        return CooArray(indices, none, shape, True)

    def zeros_like(self, x: Any) -> Any:
        """An array without elements."""
        if isinstance(x, CooArray):
            return self.empty_of(x.shape, x.sparse_dim, x.values)
        return backend_of(x).zeros_like(x)

    def ones_like(self, x: Any) -> Any:
        """Refuses a sparse array, which would be full."""
        if isinstance(x, CooArray):
            raise refused("write", x)
        return backend_of(x).ones_like(x)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """One of two arrays by a condition for all elements; by one for each, dense arrays alone."""
        if condition.ndim == 0 and (isinstance(x, CooArray) or isinstance(y, CooArray)):
            return x if condition else y
        return passed_on("where")(condition, x, y)

    # what is sparse alone

    def coalesce(self, x: CooArray) -> CooArray:
        """The same elements at sorted and different places."""
        return coalesce(x)

    def to_dense(self, x: Any) -> Any:
        """All elements."""
        return to_dense(x) if isinstance(x, CooArray) else x

    def to_sparse(self, x: Any, sparse_dim: int) -> CooArray:
        """The elements that are not zero."""
        return x if isinstance(x, CooArray) else to_sparse(x, sparse_dim)

    def values_at(self, x: Any, pattern: CooArray) -> Any:
        """The elements at the places of another array."""
        return values_at(x, pattern)

    def placed(self, values: Any, pattern: CooArray) -> CooArray:
        """Values at the places of another array."""
        shape = pattern.shape[: pattern.sparse_dim] + tuple(values.shape[1:])
        return CooArray(pattern.indices, values, shape, pattern.coalesced)

    def masked_by(self, x: Any, pattern: CooArray) -> CooArray:
        """The elements at the places of another array, each of them once."""
        pattern = coalesce(pattern)
        return self.placed(values_at(x, pattern), pattern)

    def sampled(self, g: Any, y: Any, pattern: CooArray) -> CooArray:
        """g @ y^T at the places of a matrix."""
        pattern = coalesce(pattern)
        return self.placed(products.sampled(g, y, pattern), pattern)

    def adjoint(self, x: CooArray) -> CooArray:
        """The conjugate transpose of a matrix."""
        return self.conj(self.permute(x, (1, 0)))

    def adjoint_times(self, x: CooArray, y: Any) -> Any:
        """The product of the conjugate transpose of a matrix and a dense one."""
        return self.matmul(self.adjoint(x), y)

    def only_at(self, x: Any, pattern: CooArray) -> CooArray:
        """A matrix with zeros at its places that another does not have."""
        if not isinstance(x, CooArray):
            return self.masked_by(x, pattern)
        pattern = coalesce(pattern)
        ones = pattern.with_values(backend_of(pattern.values).ones_like(pattern.values))
        return x.with_values(x.values * values_at(ones, x))

    spread = staticmethod(products.spread)
    sparse_softmax = staticmethod(products.softmax)
    sparse_softmax_backward = staticmethod(products.softmax_gradient)


def _elementwise(name: str) -> Callable[..., Any]:
    def kernel(x: Any, *args: Any) -> Any:
        if not isinstance(x, CooArray):
            return getattr(backend_of(x), name)(x, *args)
        x = coalesce(x)
        return x.with_values(getattr(backend_of(x.values), name)(x.values, *args))

    return kernel


CooArray.backend = BACKENDS[CooArray] = SparseBackend()
SPARSE[0] = True
AS_ARRAY[CooArray] = CooArray.backend.asarray
