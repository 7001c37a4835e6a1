"""Batching rules by families: a kernel's arguments over all samples, made of those for one.

In front of each array stands the dimension of the samples, so dims count one more, and arrays of
fewer dimensions than others get ones behind it.
"""

from __future__ import annotations

from math import prod
from typing import Any

from . import backend_of, outermost
from .batched import Call, arrays_in, by_sample, rule
from .batched_array import BatchedArray, Product, aligned

Shape = tuple[int, ...]


# ---------------------------------------------------------------------------------- elementwise

_POINTWISE_NAMES = """
    abs acos acosh add add_scaled addcdiv addcmul airy_ai angle asin asinh atan atan2 atanh bessel_j0 bessel_j1
    bessel_y0 bessel_y1 binary_cross_entropy bitwise_and bitwise_left_shift bitwise_not bitwise_or
    bitwise_right_shift bitwise_xor ceil clamp complex conj copysign cos cosh digamma
    dirichlet_grad div elu elu_backward entr eq erf erfc erfcx erfinv exp exp2 expm1 floor
    floor_divide fmax fmin fmod frac frexp gap gap_backward gcd ge gelu gelu_backward gt hardshrink hardsigmoid hardswish
    hardswish_backward hardtanh_backward heaviside huber hypot i0 i0e i1 i1e igamma igammac imag integer_pow isfinite
    isinf isnan lcm ldexp_by le leaky_relu leaky_relu_backward lerp lgamma log log10 log1p log2 log_ndtr
    logaddexp logaddexp2 logical_and logical_not logical_or logical_xor logsigmoid lt maximum
    minimum mish mish_backward modified_bessel_i0 modified_bessel_i1 modified_bessel_k0
    modified_bessel_k1 mul nan_to_num ndtr ndtri ne neg nextafter outside polygamma polynomial
    positive pow real reciprocal relu relu_backward remainder round rsqrt scaled_modified_bessel_k0
    scaled_modified_bessel_k1 sgn sigmoid sign signbit silu silu_backward sin sinh softplus
    softshrink spherical_bessel_j0 sqrt square standard_gamma_grad step sub tan tanh threshold
    trunc trunc_divide where within xlog1py xlogy zeta
"""


@rule(*_POINTWISE_NAMES.split())
def _pointwise(call: Call, *args: Any, **kwargs: Any) -> Any:
    return call(*aligned(call.level, args), **kwargs)


@rule("accumulate")
def _sum_of_two(call: Call, x: Any, y: Any) -> Any:
    x, y = aligned(call.level, (x, y))
    return call.wrapped(x + y)


@rule("masked_fill", "scaled")
def _into_the_first(call: Call, x: Any, *others: Any) -> Any:
    rank = max([getattr(a, "ndim", 0) for a in (x, *others)])
    return call(call.full(x, rank), *aligned(call.level, (x, *others))[1:])


@rule("cast")
def _cast(call: Call, x: Any, dtype: Any) -> Any:
    return x if x.dtype == dtype else call(x.value, dtype)


@rule(
    "bitcast", "real_pairs", "copy", "contiguous", "settled", "zeros_like", "ones_like",
    "empty_like",
)  # fmt: skip
def _each_element(call: Call, x: Any, *args: Any) -> Any:
    return call(x.value, *args)


# ----------------------------------------------------------------------------------- reductions


def _without_last(result: Any) -> Any:
    if isinstance(result, (tuple, list)):
        return type(result)([_without_last(r) for r in result])
    return result[..., 0]


def _of_numbers(call: Call, *args: Any, **kwargs: Any) -> Any:
    """A kernel over no dims of samples: each gets one of size 1, which the result loses if it has it."""
    rank = next(arrays_in(args)).ndim
    result = call.run(*args, **kwargs)
    first = next(arrays_in((result,)))
    return call.wrapped(_without_last(result) if first.ndim == rank else result)


@rule(
    "all", "amax", "amin", "any", "count_nonzero", "logsumexp", "mean", "prod", "sum", "flip",
    "fft_complex", "fft_real", "fft_to_real",
)  # fmt: skip
def _over_dims(call: Call, x: Any, dims: Shape, *args: Any, **kwargs: Any) -> Any:
    if not dims:
        return _of_numbers(call, x.value[..., None], (x.ndim + 1,), *args, **kwargs)
    return call(x.value, tuple([d + 1 for d in dims]), *args, **kwargs)


@rule("var")
def _var(call: Call, x: Any, dims: Shape, correction: float, keepdim: bool) -> Any:
    if not dims:
        return _of_numbers(call, x.value[..., None], (x.ndim + 1,), correction, keepdim)
    return call(x.value, tuple([d + 1 for d in dims]), correction, keepdim)


@rule("vector_norm")
def _vector_norm(call: Call, x: Any, p: float, dims: Shape, keepdim: bool) -> Any:
    if not dims:
        return _of_numbers(call, x.value[..., None], p, (x.ndim + 1,), keepdim)
    return call(x.value, p, tuple([d + 1 for d in dims]), keepdim)


@rule("argmax", "argmin")
def _arg(call: Call, x: Any, dim: int | None, keepdim: bool) -> Any:
    value = x.value
    if dim is None:
        found = call.run(value.reshape(call.n, prod(x.shape)), 1, False)
        return call.wrapped(found.reshape(call.n, *(1,) * (x.ndim if keepdim else 0)))
    if not x.ndim:
        return _of_numbers(call, value[..., None], 1, keepdim)
    return call(value, dim + 1, keepdim)


# Kernels along one dim, by the place of that among their arguments.
_ALONG = {
    "argsort": 1, "topk": 2, "mode": 1, "arg_of_median": 1, "rank_of_median": 1, "arg_of_rank": 2,
    "cumsum": 1, "cumprod": 1, "cummax": 1, "cummin": 1, "logcumsumexp": 1, "softmax": 1,
    "log_softmax": 1, "softmax_backward": 2, "log_softmax_backward": 2, "resample": 1,
    "scale_interior": 1, "cross": 2, "glu": 1, "glu_backward": 2, "gather": 1, "scatter": 1, "scatter_add": 1, "scatter_reduce": 1,
}  # fmt: skip


@rule(*_ALONG)
def _along(call: Call, *args: Any) -> Any:
    at = _ALONG[call.name]
    arrays = [a for a in args if hasattr(a, "ndim")]
    rank = max([a.ndim for a in arrays])
    given = [call.full(a, max(rank, 1)) if hasattr(a, "ndim") else a for a in args]
    given[at] = args[at] + 1
    return call(*given) if rank else _of_numbers(call, *given)


@rule("ungather")
def _ungather(call: Call, g: Any, dim: int, index: Any, shape: Shape) -> Any:
    if not shape:
        return _of_numbers(call, call.full(g, 1), 1, call.full(index, 1), (call.n, 1))
    return call(call.full(g), dim + 1, call.full(index), (call.n, *shape))


# ----------------------------------------------------------------------------- shapes and views


@rule("reshape")
def _reshape(call: Call, x: Any, shape: Shape) -> Any:
    return call(x.value, (call.n, *shape))


@rule("expand")
def _expand(call: Call, x: Any, shape: Shape) -> Any:
    return call(call.full(x, len(shape)), (call.n, *shape))


@rule("transpose")
def _transpose(call: Call, x: Any, i: int, j: int) -> Any:
    return call(x.value, i + 1, j + 1)


@rule("permute")
def _permute(call: Call, x: Any, dims: Shape) -> Any:
    return call(x.value, (0, *[d + 1 for d in dims]))


@rule("roll")
def _roll(call: Call, x: Any, shifts: Shape, dims: Shape) -> Any:
    return call(x.value, shifts, tuple([d + 1 for d in dims]))


@rule("tril", "triu")
def _matrices(call: Call, x: Any, diagonal: int) -> Any:
    return call(x.value, diagonal)


@rule("diagonal")
def _diagonal(call: Call, x: Any, offset: int, dim1: int, dim2: int) -> Any:
    return call(x.value, offset, dim1 + 1, dim2 + 1)


@rule("undiagonal")
def _undiagonal(call: Call, g: Any, shape: Shape, offset: int, dim1: int, dim2: int) -> Any:
    return call(g.value, (call.n, *shape), offset, dim1 + 1, dim2 + 1)


@rule("repeat_tile")
def _repeat_tile(call: Call, x: Any, repeats: Shape) -> Any:
    return call(call.full(x, len(repeats)), (1, *repeats))


@rule("constant_pad", "mirrored", "unmirrored")
def _padded(call: Call, x: Any, pairs: Any, value: Any) -> Any:
    return call(call.full(x), ((0, 0), *pairs), value)


@rule("cat", "stack")
def _joined(call: Call, arrays: list[Any], dim: int) -> Any:
    return call([call.full(a) for a in arrays], dim + 1)


@rule("as_strided")
def _as_strided(call: Call, x: Any, size: Shape, stride: Shape, offset: int) -> Any:
    step = x.value.strides[0] // x.itemsize
    return call(x.value, (call.n, *size), (step, *stride), offset)


@rule("strided_places")
def _strided_places(call: Call, x: Any, size: Shape, stride: Shape, offset: int) -> Any:
    return call.run(x.value[0, ...], size, stride, offset)


@rule("host_index")
def _host_index(call: Call, x: Any, values: Any, shape: Shape) -> Any:
    return call.run(x.value, values, shape)


# ------------------------------------------------------------------------- questions, and writes


@rule(
    "all_finite", "any_zero", "bounds", "bounds_at_hand", "data_ptr", "eps", "first_outside",
    "has_nan", "overlap", "storage_offset",
)  # fmt: skip
def _of_all(call: Call, *args: Any) -> Any:
    return call.run(*[a.value if call.has(a) else a for a in args])


@rule("shares")
def _shares(call: Call, x: Any, y: Any) -> bool:
    return call.has(x) and call.has(y) and call.run(x.value, y.value)


@rule("is_contiguous")
def _is_contiguous(call: Call, x: Any) -> bool:
    return x.flags.c_contiguous


@rule("strides_of")
def _strides_of(call: Call, x: Any) -> Shape:
    return call.run(x.value)[1:]


def forbid_spread(call: Call, target: Any) -> None:
    """Raises RuntimeError if samples would be written to memory that they share."""
    if not call.has(target):
        raise RuntimeError(
            f"vmap: an inplace operation ({call.name}) is not possible: it would write what differs "
            "between samples into a Tensor that is not being vmapped over, and has fewer elements. "
            "Please use the out-of-place form, or make the Tensor of one that is vmapped over, as "
            "x.new_zeros() does."
        )


@rule("write", "add_into")
def _write(call: Call, target: Any, value: Any) -> None:
    forbid_spread(call, target)
    if call.has(value):
        value = call.full(value, target.ndim)
    call.run(target.value, value)


@rule("repeat")
def _repeat(call: Call, counts: Any) -> Any:
    return by_sample(call, counts)  # which raises where the counts have different sums


@rule("nonzero", "unique", "unique_values", "unique_consecutive")
def _dynamic(call: Call, *args: Any) -> Any:
    raise RuntimeError(
        f"vmap: We do not support batching operators that can output dynamic shape: that of the result "
        f"of {call.name} depends on the elements, and would differ between samples."
    )


# ------------------------------------------------------------------------------------- matrices


# How many dimensions of each array such a kernel is about, where that is not 2.
_CORE = {"ldl_solve": (2, 1, 2), "permutation": (1,), "searchsorted": (1, 1)}


@rule(
    "cholesky", "cholesky_parts", "cholesky_solve", "det", "eig", "eigh",
    "geqrf", "inv", "ldl", "ldl_solve", "lu", "permutation", "qr", "searchsorted", "slogdet", "solve",
    "solve_triangular", "svd",
)  # fmt: skip
def _leading(call: Call, *args: Any, **kwargs: Any) -> Any:
    """Kernels that take any number of dimensions in front of those they are about."""
    arrays = list(arrays_in(args))
    core = dict(zip(map(id, arrays), _CORE.get(call.name, (2,) * len(arrays)), strict=True))
    lead = max([a.ndim - core[id(a)] for a in arrays])
    return call(*[call.full(a, lead + core[id(a)]) if id(a) in core else a for a in args], **kwargs)


@rule("matmul")
def _matmul(call: Call, x: Any, y: Any) -> Any:
    if not call.has(y) and y.ndim <= 2:
        return call.wrapped(_rows_times(call, x.value, y))
    if not call.has(x) and x.ndim == 2 and y.ndim == 1:
        return call.wrapped(_rows_times(call, y.value, x.T))
    row, column = x.ndim == 1, y.ndim == 1
    a, b = call.full(x) if call.has(x) else x, call.full(y) if call.has(y) else y
    a = a[..., None, :] if row else a
    b = b[..., None] if column else b
    rank = max(x.ndim + row, y.ndim + column)
    if rank == 2 and call.has(x) and call.has(y):
        return _product_of_matrices(call, a, b, row, column)
    a = _spread(a, rank + 1) if call.has(x) else a
    b = _spread(b, rank + 1) if call.has(y) else b
    z = call.run(a, b)
    z = z[..., 0, :] if row else z
    return call.wrapped(z[..., 0] if column else z)


def _product_of_matrices(call: Call, x: Any, y: Any, row: bool, column: bool) -> Any:
    B = outermost(x, y)

    def shaped(z: Any) -> Any:
        z = z[..., 0, :] if row else z
        return z[..., 0] if column else z

    def total() -> Any:
        (n, rows, k), columns = x.shape, y.shape[2]
        left = B.reshape(B.permute(x, (1, 0, 2)), (rows, n * k))
        return shaped(B.matmul(left, B.reshape(y, (n * k, columns))))

    shape = (*(() if row else x.shape[1:2]), *(() if column else y.shape[2:]))
    return product(call, shape, lambda: shaped(_outer(B, x, y)), total, x, y)


def _rows_times(call: Call, x: Any, y: Any) -> Any:
    """The product of samples with what is the same for all, as one of two matrices."""
    if x.ndim < 3:
        return call.run(x, y)
    B = backend_of(x)
    z = call.run(B.reshape(x, (prod(x.shape[:-1]), x.shape[-1])), y)
    return z.reshape(*x.shape[:-1], *y.shape[1:])


def _spread(value: Any, rank: int) -> Any:
    return value[(slice(None), *(None,) * (rank - value.ndim))]


@rule("linear")
def _linear(call: Call, x: Any, weight: Any, bias: Any) -> Any:
    if not call.has(weight) and not call.has(bias):
        return call(x.value, weight, bias)
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError("bias")
    if not call.has(weight):
        z = (
            call.wrapped(call.run(x.value, weight, None))
            if call.has(x)
            else call.run(x, weight, None)
        )
    else:
        z = _matmul(Call("matmul", call.level), x, weight.T)
    return z if bias is None else z + bias


@rule("linear_input")
def _linear_input(call: Call, g: Any, weight: Any) -> Any:
    if not call.has(weight):
        return call(g.value, weight)
    w = call.wrapped(call.run(weight.value, name="conj")) if weight.dtype.kind == "c" else weight
    return _matmul(Call("matmul", call.level), g, w)


@rule("linear_weight")
def _linear_weight(call: Call, g: Any, x: Any) -> Any:
    g, x = call.full(g), call.full(x)
    B = outermost(g, x)
    rows = prod(x.shape[1:-1])
    g, x = (B.reshape(v, (call.n, rows, v.shape[-1])) for v in (g, x))
    return product(
        call,
        (g.shape[-1], x.shape[-1]),
        lambda: _outer(B, B.transpose(g, 1, 2), B.conj(x)),
        lambda: B.linear_weight(g, x),
        g,
        x,
    )


def _outer(B: Any, x: Any, y: Any) -> Any:
    """A product of matrices, by broadcasting where their common dimension is 1."""
    return x * y if x.shape[-1] == 1 else B.matmul(x, y)


def product(call: Call, shape: Shape, each: Any, total: Any, *arrays: Any) -> Any:
    """A gradient of each sample, to be computed when it is known to be wanted, and not their sum."""
    if any(a.__class__ is BatchedArray for a in arrays):
        return call.wrapped(each())
    return BatchedArray.product(Product(each, total), shape, arrays[0].dtype, call.level)


@rule("linear_bias")
def _linear_bias(call: Call, g: Any) -> Any:
    if g.ndim == 1:
        return g
    return call.wrapped(call.run(g.value, tuple(range(1, g.ndim)), False, name="sum"))
