"""Sums, products, quotients and reductions of sparse arrays, and the kernels that refuse them."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from .._dtypes import scalar_type_name
from . import BACKENDS, backend_of, dtype_of, outermost
from . import sparse_products as products
from .coo import CooArray
from .host import ndarray
from .sparse_moves import refused
from .sparse_places import (
    chosen,
    coalesce,
    gathered,
    lookup,
    numbers,
    to_dense,
    to_sparse,
    total,
    values_at,
)


def _is_number(y: Any) -> bool:
    """Whether an operand is a number, or an array of no dimensions."""
    return not isinstance(y, CooArray) and not getattr(y, "ndim", 0)


def _plain(y: Any, like: Any) -> Any:
    """A number that an array of any device can be combined with."""
    if hasattr(y, "dtype") and backend_of(y) is not backend_of(like):
        return y.item()
    return y


def _check_places(x: Any, y: Any) -> None:
    """Raises RuntimeError for arrays on two devices."""
    here, there = (CooArray.backend.device_of(z) if isinstance(z, CooArray)
                   else backend_of(z).device_of(z) for z in (x, y))  # fmt: skip
    if here != there:
        raise RuntimeError(
            "Expected all tensors to be on the same device, but found at least two devices, "
            f"{here} and {there}!"
        )


def _check_sizes(x: CooArray, y: CooArray) -> None:
    _check_places(x, y)
    if x.shape != y.shape:
        raise RuntimeError(
            f"add: expected sizes of 'self' and 'other' to match, but {list(x.shape)} != "
            f"{list(y.shape)}"
        )


def passed_on(name: str) -> Callable[..., Any]:
    """A kernel that refuses sparse arrays, and leaves dense ones to their backend."""

    def kernel(*args: Any, **kwargs: Any) -> Any:
        given = [a for arg in args for a in (arg if isinstance(arg, (list, tuple)) else (arg,))]
        if any(isinstance(a, CooArray) for a in given):
            raise refused(name, *given)
        arrays = [a for a in given if hasattr(a, "dtype")]
        D = outermost(*arrays) if arrays else BACKENDS[ndarray]
        return getattr(D, name)(*args, **kwargs)

    return kernel


class SparseArithmetic:
    """Arithmetic of sparse arrays with sparse and dense ones, and with numbers."""

    transpose: Any
    permute: Any

    # sums

    def add(self, x: Any, y: Any) -> Any:
        """A sum; a dense array has to come first, and its sum is dense."""
        if isinstance(x, CooArray) and isinstance(y, CooArray):
            _check_sizes(x, y)
            return total(x, y)
        if isinstance(x, CooArray):
            raise RuntimeError(
                "add(sparse, dense) is not supported. Use add(dense, sparse) instead."
            )
        if not hasattr(x, "dtype") or x.shape != y.shape:
            raise RuntimeError(
                "add: expected 'self' and 'other' to have same size, but self has size "
                f"{list(getattr(x, 'shape', ()))} while other has size {list(y.shape)} (FYI: "
                "dense-sparse addition does not currently support broadcasting)"
            )
        _check_places(x, y)
        out = backend_of(x).copy(backend_of(x).asarray(x))
        self.add_into(out, y)
        return out

    def sub(self, x: Any, y: Any) -> Any:
        """A difference, as the sum with what is negative."""
        return self.add(x, -y)

    def relu_backward(self, g: Any, out: Any) -> Any:
        """g where the result of relu is positive."""
        return g * self.step(out)  # type: ignore[attr-defined]

    def accumulate(self, x: Any, y: Any) -> Any:
        """The sum of two gradients, in whatever order they come."""
        if isinstance(x, CooArray) and isinstance(y, CooArray):
            return gathered(y, x)
        return self.add(y, x) if isinstance(x, CooArray) else self.add(x, y)

    def add_into(self, target: Any, x: Any) -> Any:
        """Adds x to target, or returns the sum where a sparse target cannot hold it."""
        if not isinstance(x, CooArray):
            return self.add(x, target)
        if isinstance(target, CooArray):
            target.assign(gathered(target, x))
            return None
        D, sizes = backend_of(target), x.shape[: x.sparse_dim]
        if x.sparse_dim == 1 or D.is_contiguous(target):
            flat = D.reshape(target, (prod(sizes), *x.shape[x.sparse_dim :]))
            at, values = numbers(x), D.cast(x.values, target.dtype)
            if x.coalesced:
                D.setitem(flat, (at,), D.take(flat, at, 0) + values)
            else:
                D.add_at(flat, (at,), values)
        else:
            D.write(target, target + to_dense(x))
        return None

    # products

    def neg(self, x: Any) -> Any:
        """The negative."""
        return x.with_values(-x.values) if isinstance(x, CooArray) else backend_of(x).neg(x)

    def conj(self, x: Any) -> Any:
        """The complex conjugate."""
        if isinstance(x, CooArray):
            return x.with_values(backend_of(x.values).conj(x.values))
        return backend_of(x).conj(x) if hasattr(x, "dtype") else x.conjugate()

    def mul(self, x: Any, y: Any) -> Any:
        """A product: sparse, at the places of a factor, or at common ones of two sorted factors."""
        if not isinstance(x, CooArray):
            x, y = y, x
        if not isinstance(x, CooArray):
            return x * y
        if _is_number(y):
            return x.with_values(x.values * _plain(y, x.values))
        _check_places(x, y)
        if not isinstance(y, CooArray):
            return self._times_dense(x, y)
        if x.shape != y.shape or x.sparse_dim != y.sparse_dim:
            raise RuntimeError(
                "sparse_binary_op_intersection_cpu(): expects sparse inputs with equal "
                "dimensionality, number of sparse dimensions, and shape of sparse dimensions"
            )
        if y.coalesced and not x.coalesced:
            x, y = y, x
        z = y.with_values(values_at(x, y) * y.values)
        return self._common(x, z) if x.coalesced and y.coalesced else z

    def _times_dense(self, x: CooArray, y: Any) -> CooArray:
        D = backend_of(y)
        try:
            factor = D.expand(y, x.shape)
        except ValueError:  # it is the sparse one that is repeated
            product = y * to_dense(x)
            return to_sparse(product, product.ndim)
        return x.with_values(x.values * values_at(factor, x))

    def _common(self, x: CooArray, z: CooArray) -> CooArray:
        """What is at places of x, too."""
        if x.indices is z.indices or not x.nnz:
            return x if not x.nnz else z
        _, there = lookup(numbers(x), numbers(z))
        return chosen(z, backend_of(there).nonzero(there)[0])

    def _scaled(self, name: str, what: str, x: Any, y: Any) -> Any:
        if not isinstance(x, CooArray) or not _is_number(y):
            if not isinstance(x, CooArray) and not isinstance(y, CooArray):
                return getattr(backend_of(x), name)(x, y)
            raise RuntimeError(
                f"Sparse {what} requires a scalar or zero-dim dense tensor divisor (got shape "
                f"{list(getattr(y, 'shape', ()))} for divisor)"
            )
        D = backend_of(x.values)
        kernel = getattr(D, name)
        source = x if name == "div" else coalesce(x)
        return source.with_values(kernel(source.values, _plain(y, x.values)))

    def div(self, x: Any, y: Any) -> Any:
        """The quotient by a number."""
        return self._scaled("div", "division", x, y)

    def floor_divide(self, x: Any, y: Any) -> Any:
        """The quotient by a number, rounded down."""
        return self._scaled("floor_divide", "floor division", x, y)

    def trunc_divide(self, x: Any, y: Any) -> Any:
        """The quotient by a number, rounded to zero."""
        return self._scaled("trunc_divide", "division", x, y)

    def pow(self, x: Any, y: Any) -> Any:
        """A power by a number other than 0."""
        if not isinstance(x, CooArray) and not isinstance(y, CooArray):
            return backend_of(x).pow(x, y)
        if not isinstance(x, CooArray) or not _is_number(y):
            raise refused("pow.Scalar" if _is_number(x) else "pow.Tensor_Tensor", x, y)
        y = y.item() if hasattr(y, "dtype") else y
        if y == 0:
            raise RuntimeError(
                "pow: cannot raise to zeroth power on sparse tensor; it would make the result "
                "tensor dense"
            )
        x = coalesce(x)
        return x.with_values(backend_of(x.values).pow(x.values, y))

    def matmul(self, x: Any, y: Any) -> Any:
        """A product of matrices, dense unless both are sparse."""
        _check_places(x, y)
        if isinstance(x, CooArray) and isinstance(y, CooArray):
            if y.ndim == 1:
                return products.times_dense(x, to_dense(y))
            if x.dtype.kind in "biu":
                kind = scalar_type_name(dtype_of(x))
                raise NotImplementedError(f"\"sparse_matmul\" not implemented for '{kind}'")
            return products.times_sparse(x, y)
        if isinstance(x, CooArray):
            if x.ndim == 1 and y.ndim == 1:
                raise refused("dot", x, y)
            if x.ndim == 1:
                return backend_of(y).matmul(to_dense(x), y)
            return products.times_dense(x, y)
        if not isinstance(y, CooArray):
            return backend_of(x).matmul(x, y)
        if y.ndim == 1:
            return backend_of(x).matmul(x, to_dense(y))
        D, turned = backend_of(x), self.permute(y, (1, 0))
        if x.ndim == 1:
            return products.times_dense(turned, x)
        return D.transpose(products.times_dense(turned, D.transpose(x, 0, 1)), 0, 1)

    def linear(self, x: Any, weight: Any, bias: Any) -> Any:
        """x @ weight.T + bias."""
        z = self.matmul(x, self.transpose(weight, 0, 1))
        return z if bias is None else z + bias

    def linear_weight(self, g: Any, x: Any) -> Any:
        """The gradient of `linear` for its weight."""
        return self.matmul(self.transpose(g, 0, 1), self.conj(x))

    def linear_input(self, g: Any, weight: Any) -> Any:
        """The gradient of `linear` for its input."""
        return self.matmul(g, self.conj(weight))

    # reductions and comparisons

    def sum(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        """The sum over dimensions, dense if no sparse dimension is left."""
        if not isinstance(x, CooArray):
            return backend_of(x).sum(x, dims, keepdim)
        return products.summed(x, dims, keepdim) if dims else x

    def any(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        """Whether some element is not zero, of all of them."""
        if not isinstance(x, CooArray):
            return backend_of(x).any(x, dims, keepdim)
        if len(dims) < x.ndim:
            raise refused("any.dim", x)
        values = coalesce(x).values
        return backend_of(values).any(values, tuple(range(values.ndim)), False)

    def eq(self, x: Any, y: Any) -> Any:
        """Where elements are a number other than 0, such as infinity."""
        if isinstance(x, CooArray) and _is_number(y) and y != 0:
            x = coalesce(x)
            return x.with_values(x.values == _plain(y, x.values))
        return passed_on("eq")(x, y)
