"""The ops as methods of Tensor: one line each."""

from __future__ import annotations

from typing import Any

from .autograd.tape import TensorBase
from .ops import (
    arithmetic,
    comparison,
    complex_numbers,
    elementary,
    indexing,
    inplace,
    products,
    random,
    reduction,
    sampling,
    selection,
)
from .ops import shape as shapes
from .ops._promote import shape_of


class Methods(TensorBase):
    """The methods and operators of tensors that are ops; each is the documented function itself."""

    # operators

    __add__ = __radd__ = arithmetic.plus.operator
    __sub__ = arithmetic.minus.operator
    __mul__ = __rmul__ = arithmetic.mul.operator
    __truediv__ = arithmetic.true_divide.operator
    __floordiv__ = arithmetic.floor_divide.operator
    __mod__ = arithmetic.remainder.operator
    __pow__ = arithmetic.pow.operator
    __matmul__ = products.matmul
    __neg__ = arithmetic.neg
    __pos__ = arithmetic.positive
    __abs__ = arithmetic.abs
    __eq__ = comparison.eq.operator  # type: ignore[assignment]
    __ne__ = comparison.ne.operator  # type: ignore[assignment]
    __lt__ = comparison.lt.operator
    __le__ = comparison.le.operator
    __gt__ = comparison.gt.operator
    __ge__ = comparison.ge.operator
    __and__ = __rand__ = comparison.bitwise_and.operator
    __or__ = __ror__ = comparison.bitwise_or.operator
    __xor__ = __rxor__ = comparison.bitwise_xor.operator
    __lshift__ = comparison.bitwise_left_shift.operator
    __rshift__ = comparison.bitwise_right_shift.operator
    __invert__ = comparison.bitwise_not
    __rsub__ = inplace.reflected(arithmetic.rsub)
    __rtruediv__ = inplace.reflected(inplace.divided_by)
    __rfloordiv__ = inplace.swapped(arithmetic.floor_divide)
    __rmod__ = inplace.swapped(arithmetic.remainder)
    __rpow__ = inplace.swapped(arithmetic.pow)
    __rlshift__ = inplace.swapped(comparison.bitwise_left_shift)
    __rrshift__ = inplace.swapped(comparison.bitwise_right_shift)
    __rmatmul__ = inplace.swapped(products.matmul)
    __getitem__ = indexing.getitem
    __setitem__ = indexing.setitem

    # elementwise: see ops/arithmetic.py, ops/elementary.py, ops/comparison.py

    add, sub, mul, div = arithmetic.add, arithmetic.sub, arithmetic.mul, arithmetic.div
    subtract, multiply, divide = sub, mul, div
    true_divide = arithmetic.true_divide
    floor_divide, remainder, fmod = arithmetic.floor_divide, arithmetic.remainder, arithmetic.fmod
    pow, neg, negative, positive = arithmetic.pow, arithmetic.neg, arithmetic.neg, arithmetic.positive
    abs = absolute = arithmetic.abs
    sign, sgn, square = arithmetic.sign, arithmetic.sgn, arithmetic.square
    sqrt, rsqrt, reciprocal = arithmetic.sqrt, arithmetic.rsqrt, arithmetic.reciprocal
    floor, ceil, trunc, round = arithmetic.floor, arithmetic.ceil, arithmetic.trunc, arithmetic.round
    fix, frac = arithmetic.trunc, arithmetic.frac
    maximum, minimum = arithmetic.maximum, arithmetic.minimum
    fmax, fmin = arithmetic.fmax, arithmetic.fmin
    clamp = clip = arithmetic.clamp
    exp, exp2, expm1 = elementary.exp, elementary.exp2, elementary.expm1
    log, log2, log10, log1p = elementary.log, elementary.log2, elementary.log10, elementary.log1p
    sin, cos, tan = elementary.sin, elementary.cos, elementary.tan
    asin, acos, atan, atan2 = elementary.asin, elementary.acos, elementary.atan, elementary.atan2
    arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
    sinh, cosh, tanh = elementary.sinh, elementary.cosh, elementary.tanh
    asinh, acosh, atanh = elementary.asinh, elementary.acosh, elementary.atanh
    arcsinh, arccosh, arctanh = asinh, acosh, atanh
    hypot, copysign = elementary.hypot, elementary.copysign
    logaddexp, logaddexp2 = elementary.logaddexp, elementary.logaddexp2
    sigmoid, relu = elementary.sigmoid, elementary.relu
    erf, erfc, erfinv = elementary.erf, elementary.erfc, elementary.erfinv
    lgamma, digamma = elementary.lgamma, elementary.digamma
    eq, ne, lt, le, gt, ge = (
        comparison.eq, comparison.ne, comparison.lt, comparison.le, comparison.gt, comparison.ge,
    )  # fmt: skip
    less, less_equal, greater, greater_equal, not_equal = lt, le, gt, ge, ne
    logical_and, logical_or = comparison.logical_and, comparison.logical_or
    logical_xor, logical_not = comparison.logical_xor, comparison.logical_not
    bitwise_and, bitwise_or = comparison.bitwise_and, comparison.bitwise_or
    bitwise_xor, bitwise_not = comparison.bitwise_xor, comparison.bitwise_not
    bitwise_left_shift = comparison.bitwise_left_shift
    bitwise_right_shift = comparison.bitwise_right_shift
    isnan, isinf, isfinite = comparison.isnan, comparison.isinf, comparison.isfinite
    signbit = comparison.signbit
    masked_fill = selection.masked_fill

    def where(self, condition: Any, other: Any) -> Any:
        """Returns this tensor where ``condition`` is true and ``other`` elsewhere."""
        return selection.where(condition, self, other)

    conj, conj_physical = complex_numbers.conj, complex_numbers.conj_physical
    angle = complex_numbers.angle
    real, imag = property(complex_numbers.real), property(complex_numbers.imag)

    # shape: see ops/shape.py, ops/indexing.py

    view, view_as, reshape_as = shapes.view, shapes.view_as, shapes.reshape_as
    expand, expand_as, broadcast_to = shapes.expand, shapes.expand_as, shapes.broadcast_to
    transpose = swapaxes = swapdims = shapes.transpose
    t, movedim, moveaxis = shapes.t, shapes.movedim, shapes.movedim
    unsqueeze, ravel = shapes.unsqueeze, shapes.ravel
    flatten, unflatten, unbind = shapes.flatten, shapes.unflatten, shapes.unbind
    select, narrow = indexing.select, indexing.narrow
    split, chunk = indexing.split, indexing.chunk

    def reshape(self, *shape_: Any, shape: Any = None) -> Any:
        """Returns the elements in another shape; see `torch.reshape`."""
        return shapes.reshape(self, shape_of(shape_, "reshape") if shape is None else shape)

    def permute(self, *dims: Any) -> Any:
        """Returns a view with its dimensions in another order; see `torch.permute`."""
        return shapes.permute(self, shape_of(dims, "permute"))

    def squeeze(self, *dim: Any) -> Any:
        """Returns a view without (these) dimensions of size 1; see `torch.squeeze`."""
        return shapes.squeeze(self, (dim[0] if len(dim) == 1 else dim) if dim else None)

    @property
    def T(self) -> Any:
        """A view with its dimensions in the opposite order."""
        return shapes.permute(self, tuple(range(self._data.ndim))[::-1])

    @property
    def mT(self) -> Any:
        """A view with the last two dimensions swapped."""
        if self._data.ndim < 2:
            raise RuntimeError(
                "tensor.mT is only supported on matrices or batches of matrices. Got "
                f"{self._data.ndim}-D tensor."
            )
        return self.transpose(-2, -1)

    # reductions and products

    sum, mean = reduction.sum, reduction.mean
    matmul, mm, bmm, mv, dot = (
        products.matmul, products.mm, products.bmm, products.mv, products.dot,
    )  # fmt: skip

    # in place: see ops/inplace.py

    add_, __iadd__ = inplace.add_, inplace.plus_
    sub_ = subtract_ = __isub__ = inplace.sub_
    mul_ = multiply_ = __imul__ = inplace.mul_
    div_ = divide_ = inplace.div_
    true_divide_ = __itruediv__ = inplace.true_divide_
    floor_divide_ = __ifloordiv__ = inplace.floor_divide_
    remainder_ = __imod__ = inplace.remainder_
    fmod_ = inplace.fmod_
    pow_ = __ipow__ = inplace.pow_
    neg_ = negative_ = inplace.neg_
    abs_ = absolute_ = inplace.abs_
    sign_, sgn_, square_ = inplace.sign_, inplace.sgn_, inplace.square_
    sqrt_, rsqrt_, reciprocal_ = inplace.sqrt_, inplace.rsqrt_, inplace.reciprocal_
    floor_, ceil_, trunc_, round_ = inplace.floor_, inplace.ceil_, inplace.trunc_, inplace.round_
    fix_, frac_ = inplace.trunc_, inplace.frac_
    clamp_ = clip_ = inplace.clamp_
    exp_, exp2_, expm1_ = inplace.exp_, inplace.exp2_, inplace.expm1_
    log_, log2_, log10_, log1p_ = inplace.log_, inplace.log2_, inplace.log10_, inplace.log1p_
    sin_, cos_, tan_ = inplace.sin_, inplace.cos_, inplace.tan_
    asin_, acos_, atan_, atan2_ = inplace.asin_, inplace.acos_, inplace.atan_, inplace.atan2_
    sinh_, cosh_, tanh_ = inplace.sinh_, inplace.cosh_, inplace.tanh_
    asinh_, acosh_, atanh_ = inplace.asinh_, inplace.acosh_, inplace.atanh_
    sigmoid_, relu_, erf_, erfc_ = inplace.sigmoid_, inplace.relu_, inplace.erf_, inplace.erfc_
    erfinv_, lgamma_, digamma_ = inplace.erfinv_, inplace.lgamma_, inplace.digamma_
    eq_, ne_, lt_, le_, gt_, ge_ = (
        inplace.eq_, inplace.ne_, inplace.lt_, inplace.le_, inplace.gt_, inplace.ge_,
    )  # fmt: skip
    logical_and_, logical_or_ = inplace.logical_and_, inplace.logical_or_
    logical_xor_, logical_not_ = inplace.logical_xor_, inplace.logical_not_
    bitwise_and_ = __iand__ = inplace.bitwise_and_
    bitwise_or_ = __ior__ = inplace.bitwise_or_
    bitwise_xor_ = __ixor__ = inplace.bitwise_xor_
    bitwise_not_ = inplace.bitwise_not_
    bitwise_left_shift_ = __ilshift__ = inplace.bitwise_left_shift_
    bitwise_right_shift_ = __irshift__ = inplace.bitwise_right_shift_
    masked_fill_ = inplace.masked_fill_
    copy_, fill_, zero_ = inplace.copy_, inplace.fill_, inplace.zero_

    # random: see ops/sampling.py

    uniform_, normal_, random_ = sampling.uniform_, sampling.normal_, sampling.random_
    bernoulli_, geometric_ = sampling.bernoulli_, sampling.geometric_
    exponential_, cauchy_ = sampling.exponential_, sampling.cauchy_
    log_normal_ = sampling.log_normal_
    bernoulli, multinomial = random.bernoulli, random.multinomial
