"""Comparisons, logic and bits, elementwise; none of them has a gradient."""

from __future__ import annotations

from typing import Any

from ._declare import pointwise

Number = int | float | complex | bool
Tensor = Any


@pointwise(result="bool")
def eq(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Tells where elements are equal.

    >>> torch.eq(torch.tensor([1, 2]), 2)
    tensor([False,  True])
    """
    ...


@pointwise(result="bool")
def ne(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Tells where elements differ.

    >>> torch.ne(torch.tensor([1, 2]), 2)
    tensor([ True, False])
    """
    ...


@pointwise(result="bool", refuses="c")
def lt(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Tells where ``input`` is less.

    >>> torch.lt(torch.tensor([1, 2]), 2)
    tensor([ True, False])
    """
    ...


@pointwise(result="bool", refuses="c")
def le(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Tells where ``input`` is less or equal.

    >>> torch.le(torch.tensor([1, 3]), 2)
    tensor([ True, False])
    """
    ...


@pointwise(result="bool", refuses="c")
def gt(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Tells where ``input`` is greater.

    >>> torch.gt(torch.tensor([1, 3]), 2)
    tensor([False,  True])
    """
    ...


@pointwise(result="bool", refuses="c")
def ge(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Tells where ``input`` is greater or equal.

    >>> torch.ge(torch.tensor([1, 2]), 2)
    tensor([False,  True])
    """
    ...


@pointwise(result="bool")
def logical_and(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Tells where both are nonzero.

    >>> torch.logical_and(torch.tensor([1, 0]), torch.tensor([2, 2]))
    tensor([ True, False])
    """
    ...


@pointwise(result="bool")
def logical_or(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Tells where at least one is nonzero.

    >>> torch.logical_or(torch.tensor([1, 0]), torch.tensor([0, 0]))
    tensor([ True, False])
    """
    ...


@pointwise(result="bool")
def logical_xor(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Tells where exactly one is nonzero.

    >>> torch.logical_xor(torch.tensor([1, 0]), torch.tensor([2, 2]))
    tensor([False,  True])
    """
    ...


@pointwise(result="bool")
def logical_not(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Tells where elements are zero.

    >>> torch.logical_not(torch.tensor([1, 0]))
    tensor([False,  True])
    """
    ...


@pointwise(refuses="fc")
def bitwise_and(
    input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Returns the bits set in both integers or bools.

    >>> torch.tensor([6, 3]) & 2
    tensor([2, 2])
    """
    ...


@pointwise(refuses="fc")
def bitwise_or(
    input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Returns the bits set in at least one of two integers or bools.

    >>> torch.tensor([4, 3]) | 2
    tensor([6, 3])
    """
    ...


@pointwise(refuses="fc")
def bitwise_xor(
    input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Returns the bits set in exactly one of two integers or bools.

    >>> torch.tensor([6, 3]) ^ 2
    tensor([4, 1])
    """
    ...


@pointwise(refuses="fc")
def bitwise_not(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the complement of the bits; of bools their negation.

    >>> ~torch.tensor([True, False])
    tensor([False,  True])
    """
    ...


@pointwise(refuses="bfc")
def bitwise_left_shift(
    input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Shifts bits to the left.

    >>> torch.tensor([1, 2]) << 3
    tensor([ 8, 16])
    """
    ...


@pointwise(refuses="bfc")
def bitwise_right_shift(
    input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Shifts bits to the right, keeping the sign.

    >>> torch.tensor([16, -8]) >> 2
    tensor([ 4, -2])
    """
    ...


@pointwise(result="bool")
def isnan(input: Tensor) -> Tensor:
    """Tells where elements are NaN.

    >>> torch.isnan(torch.tensor([1.0, float("nan")]))
    tensor([False,  True])
    """
    ...


@pointwise(result="bool")
def isinf(input: Tensor) -> Tensor:
    """Tells where elements are infinite.

    >>> torch.isinf(torch.tensor([1.0, float("-inf")]))
    tensor([False,  True])
    """
    ...


@pointwise(result="bool")
def isfinite(input: Tensor) -> Tensor:
    """Tells where elements are neither infinite nor NaN.

    >>> torch.isfinite(torch.tensor([1.0, float("-inf")]))
    tensor([ True, False])
    """
    ...


@pointwise(result="bool", refuses="c")
def signbit(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Tells where the sign bit is set, also that of -0.

    >>> torch.signbit(torch.tensor([1.0, -0.0]))
    tensor([False,  True])
    """
    ...


less, less_equal, greater, greater_equal, not_equal = lt, le, gt, ge, ne
