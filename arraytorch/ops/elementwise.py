"""Methods that call a Python function for every element, and what tensors say of being dense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._dtypes import dtype as Dtype
from ..backends import backend_of
from . import creation
from ._late import loaded
from ._results import check_tensor
from .conversion import to
from .inplace import copy_
from .shape import expand, reshape

Tensor = Any


def _check(name: str, self: Tensor) -> None:
    if self.requires_grad:
        raise RuntimeError(
            f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead."
        )
    if backend_of(self._data).device_of(self._data).type != "cpu":
        raise TypeError(f"{name} is only implemented on CPU tensors")


def _flat(t: Tensor) -> list[Any]:
    return reshape(t, (-1,)).tolist()  # type: ignore[no-any-return]


def _filled(self: Tensor, values: list[Any]) -> Tensor:
    return copy_(self, reshape(creation.tensor(values, dtype=self.dtype), self._data.shape))


def apply_(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Puts in the place of each element what a function of it returns; slow: for small tensors.

    >>> torch.tensor([1.0, 2.0]).apply_(lambda v: v + 1)
    tensor([2., 3.])
    """
    _check("apply_", self)
    return _filled(self, [callable(v) for v in _flat(self)])


def map_(self: Tensor, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Puts in the place of each element what a function of it and another tensor's returns.

    The other tensor, of the same dtype, is broadcast.

    >>> torch.tensor([1.0, 2.0]).map_(torch.tensor([3.0]), lambda a, b: a * b)
    tensor([3., 6.])
    """
    check_tensor("map_", tensor, names=("tensor",))
    _check("map_", self)
    if tensor.requires_grad:
        raise RuntimeError(
            "Can't call map_() on Variable that requires grad. Use var.detach().map_() instead."
        )
    if tensor.type() != self.type():
        raise TypeError(f"map_: expected {self.type()} for 'other' (got {tensor.type()})")
    others = _flat(expand(tensor, *self._data.shape))
    return _filled(self, [callable(a, b) for a, b in zip(_flat(self), others, strict=True)])


def to_dense(
    self: Tensor, dtype: Dtype | None = None, *, masked_grad: bool | None = None
) -> Tensor:
    """Returns all elements of a sparse tensor as a dense one; a dense tensor as it is, or cast.

    The gradient has the places of the sparse tensor, or with ``masked_grad=False`` those of the dense
    gradient that are not zero.

    >>> torch.sparse_coo_tensor([[0, 0]], [1.0, 2.0], (2,)).to_dense()
    tensor([3., 0.])
    """
    if not hasattr(self._data, "layout"):
        return to(self, dtype=dtype)
    if dtype is not None:
        raise RuntimeError("dtype argument is not supported by sparse_to_dense")
    return loaded("sparse_values:dense")(self, masked_grad is not False)


def sparse_dim(self: Tensor) -> int:
    """Returns how many dimensions the places of a sparse tensor have; 0 for a dense one.

    >>> torch.ones(2, 3).sparse_dim()
    0
    """
    return getattr(self._data, "sparse_dim", 0)


def dense_dim(self: Tensor) -> int:
    """Returns how many dimensions each value has; all of a dense tensor's are dense.

    >>> torch.ones(2, 3).dense_dim()
    2
    """
    return int(self._data.ndim) - sparse_dim(self)
