"""The ops as methods of Tensor: one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .autograd.tape import TensorBase
from .backends import backend_of
from .ops import (
    _pinning,
    arithmetic,
    comparison,
    complex_numbers,
    conversion,
    elementary,
    extremes,
    indexing,
    inplace,
    products,
    queries,
    random,
    rearranging,
    reduction,
    sampling,
    scan,
    scattering,
    selection,
    softmaxes,
    sums,
)
from .ops import shape as shapes
from .ops._late import Late, Module
from .ops._promote import shape_of

if TYPE_CHECKING:
    from .ops import counting, diagonals, picking, resizing, sorting, spread, stacking
else:  # what few programs use loads with the first use of a method
    counting, diagonals, picking = Module("counting"), Module("diagonals"), Module("picking")
    resizing, sorting = Module("resizing"), Module("sorting")
    spread, stacking = Module("spread"), Module("stacking")
# The same, of types that mypy would infer too late.
blending: Any = Module("blending")
overwriting: Any = Module("overwriting")


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
    __matmul__ = products.times
    __neg__ = arithmetic.neg
    __pos__ = arithmetic.positive
    __abs__ = arithmetic.abs
    __eq__ = comparison.eq.operator  # type: ignore[assignment]
    __ne__ = comparison.ne.operator  # type: ignore[assignment]
    __lt__ = comparison.lt.operator
    __le__ = comparison.le.operator
    __gt__ = comparison.gt.operator
    __ge__ = comparison.ge.operator
    __and__ = comparison.bitwise_and.operator
    __or__ = comparison.bitwise_or.operator
    __xor__ = comparison.bitwise_xor.operator
    __rand__ = inplace.reflected(comparison.bitwise_and)
    __ror__ = inplace.reflected(comparison.bitwise_or)
    __rxor__ = inplace.reflected(comparison.bitwise_xor)
    __lshift__ = comparison.bitwise_left_shift.operator
    __rshift__ = comparison.bitwise_right_shift.operator
    __invert__ = comparison.bitwise_not
    __rsub__ = inplace.reflected(sums.rsub)
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

    add, sub, mul, div = sums.add, sums.sub, arithmetic.mul, arithmetic.div
    subtract, multiply, divide = sub, mul, div
    true_divide = arithmetic.true_divide
    floor_divide, remainder, fmod = arithmetic.floor_divide, arithmetic.remainder, arithmetic.fmod
    pow, neg, negative, positive = (
        arithmetic.pow,
        arithmetic.neg,
        arithmetic.neg,
        arithmetic.positive,
    )
    abs = absolute = arithmetic.abs
    sign, sgn, square = arithmetic.sign, arithmetic.sgn, arithmetic.square
    sqrt, rsqrt, reciprocal = arithmetic.sqrt, arithmetic.rsqrt, arithmetic.reciprocal
    floor, ceil, trunc, round = (
        arithmetic.floor,
        arithmetic.ceil,
        arithmetic.trunc,
        arithmetic.round,
    )
    fix, frac = arithmetic.trunc, arithmetic.frac
    maximum, minimum = selection.maximum, selection.minimum
    fmax, fmin = selection.fmax, selection.fmin
    clamp = clip = selection.clamp
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
    addcmul, addcdiv, lerp = blending.addcmul, blending.addcdiv, blending.lerp
    xlogy, logit, nan_to_num = blending.xlogy, blending.logit, blending.nan_to_num
    deg2rad, rad2deg, float_power = blending.deg2rad, blending.rad2deg, blending.float_power
    heaviside, gcd, lcm = blending.heaviside, blending.gcd, blending.lcm
    nextafter, ldexp, sinc = blending.nextafter, blending.ldexp, blending.sinc
    isposinf, isneginf, isreal = blending.isposinf, blending.isneginf, blending.isreal
    cross, clamp_min, clamp_max = blending.cross, blending.clamp_min, blending.clamp_max

    def __rdiv__(self, other: Any) -> Any:
        """Returns ``other`` divided by the tensor: an old name of ``__rtruediv__``."""
        return self.reciprocal() * other

    def where(self, condition: Any, other: Any) -> Any:
        """Returns this tensor where ``condition`` is true and ``other`` elsewhere."""
        return selection.where(condition, self, other)

    conj, conj_physical = complex_numbers.conj, complex_numbers.conj_physical
    angle = complex_numbers.angle
    real, imag = property(complex_numbers.real), property(complex_numbers.imag)

    # shape: see ops/shape.py, ops/indexing.py

    view, view_as, reshape_as = shapes.view, shapes.view_as, shapes.reshape_as
    expand, expand_as, broadcast_to = shapes.expand, shapes.expand_as, shapes.broadcast_to
    transpose = swapdims = shapes.transpose
    swapaxes = shapes.swapaxes
    t, movedim, moveaxis = shapes.t, shapes.movedim, shapes.movedim
    unsqueeze, ravel = shapes.unsqueeze, conversion.ravel
    flatten, unflatten, unbind = shapes.flatten, shapes.unflatten, shapes.unbind
    select, narrow = indexing.select, indexing.narrow
    chunk = indexing.chunk
    gather, scatter = scattering.gather, scattering.scatter
    scatter_add, scatter_reduce = scattering.scatter_add, scattering.scatter_reduce
    index_select, index_add = picking.index_select, picking.index_add
    index_copy, index_fill = picking.index_copy, picking.index_fill
    index_reduce, index_put = picking.index_reduce, picking.index_put
    masked_select, masked_scatter = picking.masked_select, picking.masked_scatter
    take, put, take_along_dim = picking.take, picking.put, picking.take_along_dim
    nonzero, argwhere = picking.nonzero, picking.argwhere
    diagonal, diag, diagflat = diagonals.diagonal, diagonals.diag, diagonals.diagflat
    diag_embed, trace = diagonals.diag_embed, diagonals.trace
    tril, triu = diagonals.tril, diagonals.triu
    select_scatter, slice_scatter = diagonals.select_scatter, diagonals.slice_scatter
    diagonal_scatter = diagonals.diagonal_scatter
    fliplr, flipud, rot90 = rearranging.fliplr, rearranging.flipud, rearranging.rot90
    roll, repeat, tile = rearranging.roll, rearranging.repeat, rearranging.tile
    repeat_interleave = rearranging.repeat_interleave
    as_strided, unfold = rearranging.as_strided, rearranging.unfold
    tensor_split, hsplit = stacking.tensor_split, stacking.hsplit
    vsplit, dsplit = stacking.vsplit, stacking.dsplit
    split_with_sizes = stacking.split_with_sizes
    resize_, resize_as_, set_ = resizing.resize_, resizing.resize_as_, resizing.set_
    sum_to_size, new_empty_strided = resizing.sum_to_size, resizing.new_empty_strided
    new = Late("._tensor_types:new")
    _cdata = property(id)  # a number that libraries know a tensor by
    unsafe_split = Late("copies:unsafe_split")
    unsafe_chunk = Late("copies:unsafe_chunk")
    unsafe_split_with_sizes = Late("copies:unsafe_split_with_sizes")
    narrow_copy = Late("copies:narrow_copy")
    as_strided_scatter = Late("copies:as_strided_scatter")
    nonzero_static = Late("places:nonzero_static")
    apply_, map_ = Late("elementwise:apply_"), Late("elementwise:map_")
    to_dense = Late("elementwise:to_dense")
    to_sparse, to_sparse_coo = Late("sparse:to_sparse"), Late("sparse:to_sparse_coo")
    coalesce, is_coalesced = Late("sparse_parts:coalesce"), Late("sparse_parts:is_coalesced")
    indices, values = Late("sparse_parts:indices"), Late("sparse_parts:values")
    _indices, _values = Late("sparse_parts:_indices"), Late("sparse_parts:_values")
    _nnz, _coalesced_ = Late("sparse_parts:_nnz"), Late("sparse_parts:_coalesced_")
    sparse_mask = Late("sparse:sparse_mask")
    sparse_resize_ = Late("sparse_parts:sparse_resize_")
    sparse_resize_and_clear_ = Late("sparse_parts:sparse_resize_and_clear_")
    smm, sspaddmm = Late("sparse_algebra:smm"), Late("sparse_algebra:sspaddmm")
    dense_dim, sparse_dim = Late("elementwise:dense_dim"), Late("elementwise:sparse_dim")
    is_conj, is_neg, is_inference = queries.is_conj, queries.is_neg, queries.is_inference
    resolve_conj, resolve_neg = queries.resolve_conj, queries.resolve_neg
    is_pinned, is_shared = _pinning.is_pinned, queries.is_shared
    pin_memory, record_stream = _pinning.pin_memory, conversion.record_stream
    grad_dtype = property(queries.grad_dtype, queries.set_grad_dtype)
    name = property(queries.no_name)
    is_set_to, is_nonzero, dim_order = queries.is_set_to, queries.is_nonzero, queries.dim_order

    def flip(self, *dims_: Any, dims: Any = None) -> Any:
        """Returns a copy with the order along some dimensions reversed; see `torch.flip`."""
        return rearranging.flip(self, shape_of(dims_, "flip") if dims is None else dims)

    def split(self, split_size: Any, dim: int = 0) -> Any:
        """Returns views of parts of a dimension; see `torch.split`."""
        return indexing.split(self, split_size, dim)

    def reshape(self, *shape_: Any, shape: Any = None) -> Any:
        """Returns the elements in another shape; see `torch.reshape`."""
        return shapes.reshape(self, shape_of(shape_, "reshape") if shape is None else shape)

    def permute(self, *dims_: Any, dims: Any = None) -> Any:
        """Returns a view with its dimensions in another order; see `torch.permute`."""
        return shapes.permute(self, shape_of(dims_, "permute") if dims is None else dims)

    def squeeze(self, *dims: Any, dim: Any = None, axis: Any = None) -> Any:
        """Returns a view without (these) dimensions of size 1; see `torch.squeeze`."""
        return shapes.squeeze(self, (dims[0] if len(dims) == 1 else dims) if dims else dim, axis)

    @property
    def T(self) -> Any:
        """A view with its dimensions in the opposite order."""
        ndim = self._data.ndim
        return shapes.permute(self, (1, 0) if ndim == 2 else tuple(range(ndim))[::-1])

    @property
    def mT(self) -> Any:
        """A view with the last two dimensions swapped."""
        if self._data.ndim < 2:
            if not self._data.ndim:
                return self  # PyTorch too takes a number for its own transpose
            raise RuntimeError(
                "tensor.mT is only supported on matrices or batches of matrices. Got "
                f"{self._data.ndim}-D tensor."
            )
        return shapes.transpose(self, -2, -1)

    @property
    def H(self) -> Any:
        """The conjugate transpose of a matrix."""
        if self._data.ndim not in (0, 2):
            raise RuntimeError(
                "tensor.H is only supported on matrices (2-D tensors). Got "
                f"{self._data.ndim}-D tensor. For batches of matrices, consider using tensor.mH"
            )
        return complex_numbers.conj(shapes.transpose(self, 0, -1))

    @property
    def mH(self) -> Any:
        """The conjugate transpose of matrices."""
        if self._data.ndim == 1:
            raise RuntimeError(
                "tensor.mH is only supported on matrices or batches of matrices. Got "
                f"{self._data.ndim}-D tensor."
            )
        return complex_numbers.conj(self.mT)

    # reductions and products

    sum, mean, prod = reduction.sum, reduction.mean, reduction.prod
    all, any, count_nonzero = reduction.all, reduction.any, reduction.count_nonzero
    logsumexp, nansum, nanmean = reduction.logsumexp, reduction.nansum, reduction.nanmean
    max, min, amax, amin = extremes.max, extremes.min, extremes.amax, extremes.amin
    aminmax, argmax, argmin = extremes.aminmax, extremes.argmax, extremes.argmin
    cummax, cummin = extremes.cummax, extremes.cummin
    var, std, dist = spread.var, spread.std, spread.dist
    cov = spread.cov
    corrcoef = spread.corrcoef
    norm = Late("matrix_norms:norm_method")
    cumsum, cumprod, logcumsumexp = scan.cumsum, scan.cumprod, scan.logcumsumexp
    diff = scan.diff
    renorm = Late("lengths:renorm")
    frexp, hash_tensor = Late("parts:frexp"), Late("parts:hash_tensor")
    histogram = Late("histograms:histogram")
    sort, argsort, msort, topk = sorting.sort, sorting.argsort, sorting.msort, sorting.topk
    kthvalue, mode = sorting.kthvalue, sorting.mode
    median, nanmedian = sorting.median, sorting.nanmedian
    quantile, nanquantile = sorting.quantile, sorting.nanquantile
    unique, unique_consecutive = counting.unique, counting.unique_consecutive
    bincount, histc = counting.bincount, counting.histc
    equal, isclose, allclose = counting.equal, counting.isclose, counting.allclose
    addmm = Late("added_products:addmm")
    addmv = Late("added_products:addmv")
    addr = Late("added_products:addr")
    addbmm = Late("added_products:addbmm")
    baddbmm = Late("added_products:baddbmm")
    outer = Late("added_products:outer")
    ger = Late("added_products:ger")
    inner = Late("contractions:inner")
    kron = Late("contractions:kron")
    vdot = Late("contractions:vdot")
    adjoint = Late("solving:adjoint")
    det = Late("solving:det_of")
    slogdet = Late("solving:slogdet")
    logdet = Late("solving:logdet")
    inverse = Late("solving:inverse")
    triangular_solve = Late("solving:triangular_solve")
    matrix_power = Late("solving:matrix_power")
    cholesky_solve = Late("solving:cholesky_solve")
    cholesky_inverse = Late("solving:cholesky_inverse")
    matrix_exp = Late("solving:matrix_exp")
    cholesky = Late("factors:cholesky")
    qr = Late("factors:qr")
    svd = Late("factors:svd")
    pinverse = Late("factors:pinverse")
    lu, lu_solve = Late("lu:lu_method"), Late("lu:lu_solve")
    geqrf, orgqr = Late("lu:geqrf"), Late("reflections:orgqr_method")
    ormqr, module_load = Late("reflections:ormqr_method"), Late("leaves:module_load")
    matmul, mm, bmm, mv, dot = (
        products.matmul, products.mm, products.bmm, products.mv, products.dot,
    )  # fmt: skip

    softmax, log_softmax = softmaxes.softmax, softmaxes.log_softmax
    prelu, hardshrink = Late("activation:prelu"), Late("shrinking:hardshrink")

    # special functions and spectra: see ops/special.py, ops/bessel.py, ops/short_time.py

    i0, i0_ = Late("bessel:i0"), Late("bessel:i0_")
    igamma, igamma_ = Late("special:igamma"), Late("special:igamma_")
    igammac, igammac_ = Late("special:igammac"), Late("special:igammac_")
    mvlgamma, mvlgamma_ = Late("special:mvlgamma"), Late("special:mvlgamma_")
    polygamma, polygamma_ = Late("special:polygamma_of"), Late("special:polygamma_")
    stft, istft = Late("short_time:stft"), Late("short_time:istft")

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
    arcsin_, arccos_, arctan_ = inplace.asin_, inplace.acos_, inplace.atan_
    arctan2_, arcsinh_ = inplace.atan2_, inplace.asinh_
    arccosh_, arctanh_ = inplace.acosh_, inplace.atanh_
    sinh_, cosh_, tanh_ = inplace.sinh_, inplace.cosh_, inplace.tanh_
    asinh_, acosh_, atanh_ = inplace.asinh_, inplace.acosh_, inplace.atanh_
    sigmoid_, relu_, erf_, erfc_ = inplace.sigmoid_, inplace.relu_, inplace.erf_, inplace.erfc_
    erfinv_, lgamma_, digamma_ = inplace.erfinv_, inplace.lgamma_, inplace.digamma_
    eq_, ne_, lt_, le_, gt_, ge_ = (
        inplace.eq_, inplace.ne_, inplace.lt_, inplace.le_, inplace.gt_, inplace.ge_,
    )  # fmt: skip
    less_, less_equal_, not_equal_ = inplace.lt_, inplace.le_, inplace.ne_
    greater_, greater_equal_ = inplace.gt_, inplace.ge_
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

    # in place: see ops/overwriting.py

    addcmul_, addcdiv_, lerp_ = overwriting.addcmul_, overwriting.addcdiv_, overwriting.lerp_
    xlogy_, logit_, nan_to_num_ = overwriting.xlogy_, overwriting.logit_, overwriting.nan_to_num_
    deg2rad_, rad2deg_, sinc_ = overwriting.deg2rad_, overwriting.rad2deg_, overwriting.sinc_
    heaviside_, gcd_, lcm_ = overwriting.heaviside_, overwriting.gcd_, overwriting.lcm_
    nextafter_, ldexp_ = overwriting.nextafter_, overwriting.ldexp_
    float_power_ = overwriting.float_power_
    addmm_, addmv_, addr_ = overwriting.addmm_, overwriting.addmv_, overwriting.addr_
    addbmm_, baddbmm_ = overwriting.addbmm_, overwriting.baddbmm_
    cumsum_, cumprod_ = overwriting.cumsum_, overwriting.cumprod_
    tril_, triu_ = overwriting.tril_, overwriting.triu_
    scatter_, scatter_add_ = overwriting.scatter_, overwriting.scatter_add_
    scatter_reduce_, index_reduce_ = overwriting.scatter_reduce_, overwriting.index_reduce_
    index_add_, index_copy_ = overwriting.index_add_, overwriting.index_copy_
    index_fill_, index_put_ = overwriting.index_fill_, overwriting.index_put_
    masked_scatter_, put_ = overwriting.masked_scatter_, overwriting.put_
    fill_diagonal_, as_strided_ = overwriting.fill_diagonal_, overwriting.as_strided_
    t_, transpose_ = overwriting.t_, overwriting.transpose_
    swapaxes_, swapdims_ = overwriting.swapaxes_, overwriting.transpose_
    copysign_, hypot_ = overwriting.copysign_, overwriting.hypot_
    conj_physical_, renorm_ = overwriting.conj_physical_, overwriting.renorm_
    clamp_min_, clamp_max_ = overwriting.clamp_min_, overwriting.clamp_max_
    squeeze_, unsqueeze_ = overwriting.squeeze_, overwriting.unsqueeze_

    # random: see ops/sampling.py

    uniform_, normal_, random_ = sampling.uniform_, sampling.normal_, sampling.random_
    bernoulli_, geometric_ = sampling.bernoulli_, sampling.geometric_
    exponential_, cauchy_ = sampling.exponential_, sampling.cauchy_
    log_normal_ = sampling.log_normal_
    bernoulli, multinomial = random.bernoulli, random.multinomial

    @property
    def __cuda_array_interface__(self: Any) -> dict[str, Any]:
        B = backend_of(self._data)
        if B.device_type != "cuda":
            raise AttributeError(
                f"Can't get __cuda_array_interface__ on non-CUDA tensor type: {self.type()} If CUDA data "
                "is required use tensor.cuda() to copy tensor to device memory."
            )
        if self.requires_grad:
            raise RuntimeError(
                "Can't get __cuda_array_interface__ on Variable that requires grad. If gradients "
                "aren't required, use var.detach() to get Variable that doesn't require grad."
            )
        return B.interface(self._data)  # type: ignore[no-any-return]
