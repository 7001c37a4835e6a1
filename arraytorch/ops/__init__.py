"""The ops: each documented function is the op, with its derivative beside it.

What stands in ``__all__`` is public as ``torch.<name>``, and so is what stands in ``LATE``, whose
modules load when a name in them is first asked for.
"""

from importlib import import_module as _import_module
from typing import Any as _Any

from ._promote import result_type
from .arithmetic import (
    abs,
    absolute,
    ceil,
    div,
    divide,
    fix,
    floor,
    floor_divide,
    fmod,
    frac,
    mul,
    multiply,
    neg,
    negative,
    positive,
    pow,
    reciprocal,
    remainder,
    round,
    rsqrt,
    sgn,
    sign,
    sqrt,
    square,
    true_divide,
    trunc,
)
from .comparison import (
    bitwise_and,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    eq,
    ge,
    greater,
    greater_equal,
    gt,
    isfinite,
    isinf,
    isnan,
    le,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    ne,
    not_equal,
    signbit,
)
from .complex_numbers import (
    angle,
    complex,
    conj,
    conj_physical,
    imag,
    polar,
    real,
    view_as_complex,
    view_as_real,
)
from .conversion import clone, ravel
from .creation import (
    as_tensor,
    asarray,
    empty,
    empty_like,
    from_numpy,
    frombuffer,
    full,
    full_like,
    is_tensor,
    ones,
    ones_like,
    scalar_tensor,
    tensor,
    zeros,
    zeros_like,
)
from .elementary import (
    acos,
    acosh,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    copysign,
    cos,
    cosh,
    digamma,
    erf,
    erfc,
    erfinv,
    exp,
    exp2,
    expm1,
    hypot,
    lgamma,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logaddexp2,
    relu,
    sigmoid,
    sin,
    sinh,
    tan,
    tanh,
)
from .extremes import amax, amin, aminmax, argmax, argmin, cummax, cummin, max, min
from .indexing import chunk, narrow, select, split
from .inplace import (
    abs_,
    acos_,
    acosh_,
    arccos_,
    arccosh_,
    arcsin_,
    arcsinh_,
    arctan_,
    arctanh_,
    asin_,
    asinh_,
    atan_,
    atanh_,
    ceil_,
    clamp_,
    clip_,
    cos_,
    cosh_,
    erf_,
    erfc_,
    exp2_,
    exp_,
    expm1_,
    fill_,
    fix_,
    floor_,
    frac_,
    log1p_,
    log2_,
    log10_,
    log_,
    neg_,
    negative_,
    reciprocal_,
    relu_,
    round_,
    rsqrt_,
    sigmoid_,
    sin_,
    sinh_,
    sqrt_,
    square_,
    tan_,
    tanh_,
    trunc_,
    zero_,
)
from .joining import cat, concat, concatenate, stack
from .products import bmm, dot, matmul, mm, mv
from .queries import (
    get_device,
    is_complex,
    is_conj,
    is_floating_point,
    is_inference,
    is_neg,
    is_nonzero,
    is_same_size,
    is_signed,
    numel,
    resolve_conj,
    resolve_neg,
    typename,
)
from .random import (
    bernoulli,
    binomial,
    multinomial,
    normal,
    poisson,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
)
from .rearranging import (
    as_strided,
    broadcast_shapes,
    broadcast_tensors,
    cartesian_prod,
    combinations,
    flip,
    fliplr,
    flipud,
    meshgrid,
    repeat_interleave,
    roll,
    rot90,
    tile,
)
from .reduction import all, any, count_nonzero, logsumexp, mean, nanmean, nansum, prod, sum
from .scan import cumprod, cumsum, cumulative_trapezoid, diff, logcumsumexp, trapezoid, trapz
from .scattering import gather, scatter, scatter_add, scatter_reduce
from .selection import clamp, clip, fill, fmax, fmin, masked_fill, maximum, minimum, where
from .sequences import arange, eye, linspace, logspace
from .shape import (
    broadcast_to,
    detach,
    flatten,
    moveaxis,
    movedim,
    permute,
    reshape,
    squeeze,
    swapaxes,
    swapdims,
    t,
    transpose,
    unbind,
    unflatten,
    unsqueeze,
)
from .softmaxes import log_softmax, softmax
from .sums import add, rsub, sub, subtract

_LATE = {
    "adaptive_pooling": "adaptive_avg_pool1d",
    "added_products": "addbmm addmm addmv addr baddbmm ger outer",
    "blending":
        "addcdiv addcmul clamp_max clamp_min cross deg2rad float_power gcd heaviside isneginf "
        "isposinf isreal lcm ldexp lerp logit nan_to_num nextafter rad2deg sinc vander xlogy",
    "compressed": "_convert_indices_from_coo_to_csr _convert_indices_from_csr_to_coo",
    "contractions": "chain_matmul einsum inner kron tensordot vdot",
    "conv": "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d",
    "copies":
        "alias_copy as_strided_copy as_strided_scatter detach_copy diagonal_copy expand_copy "
        "narrow_copy permute_copy select_copy slice_copy split_copy split_with_sizes_copy "
        "squeeze_copy t_copy transpose_copy unbind_copy unfold_copy unsafe_chunk unsafe_split "
        "unsafe_split_with_sizes unsqueeze_copy view_as_complex_copy view_as_real_copy view_copy",
    "counting": "allclose bincount equal histc isclose isin unique unique_consecutive",
    "diagonals":
        "block_diag diag diag_embed diagflat diagonal diagonal_scatter select_scatter "
        "slice_scatter trace tril tril_indices triu triu_indices",
    "distance": "cosine_similarity pairwise_distance pdist",
    "factors": "cholesky pinverse qr svd",
    "foreach":
        "_foreach_abs _foreach_abs_ _foreach_acos _foreach_acos_ _foreach_add _foreach_add_ "
        "_foreach_addcdiv _foreach_addcdiv_ _foreach_addcmul _foreach_addcmul_ _foreach_asin "
        "_foreach_asin_ _foreach_atan _foreach_atan_ _foreach_ceil _foreach_ceil_ "
        "_foreach_clamp_max _foreach_clamp_max_ _foreach_clamp_min _foreach_clamp_min_ "
        "_foreach_clone _foreach_copy_ _foreach_cos _foreach_cos_ _foreach_cosh _foreach_cosh_ "
        "_foreach_div _foreach_div_ _foreach_erf _foreach_erf_ _foreach_erfc _foreach_erfc_ "
        "_foreach_exp _foreach_exp_ _foreach_expm1 _foreach_expm1_ _foreach_floor _foreach_floor_ "
        "_foreach_frac _foreach_frac_ _foreach_lerp _foreach_lerp_ _foreach_lgamma "
        "_foreach_lgamma_ _foreach_log _foreach_log10 _foreach_log10_ _foreach_log1p "
        "_foreach_log1p_ _foreach_log2 _foreach_log2_ _foreach_log_ _foreach_max _foreach_maximum "
        "_foreach_maximum_ _foreach_minimum _foreach_minimum_ _foreach_mm _foreach_mul "
        "_foreach_mul_ _foreach_neg _foreach_neg_ _foreach_norm _foreach_pow _foreach_pow_ "
        "_foreach_powsum _foreach_reciprocal _foreach_reciprocal_ _foreach_round _foreach_round_ "
        "_foreach_rsqrt _foreach_rsqrt_ _foreach_sigmoid _foreach_sigmoid_ _foreach_sign "
        "_foreach_sign_ _foreach_sin _foreach_sin_ _foreach_sinh _foreach_sinh_ _foreach_sqrt "
        "_foreach_sqrt_ _foreach_sub _foreach_sub_ _foreach_tan _foreach_tan_ _foreach_tanh "
        "_foreach_tanh_ _foreach_trunc _foreach_trunc_ _foreach_zero_",
    "gamma_sampling": "_dirichlet_grad _sample_dirichlet _standard_gamma _standard_gamma_grad",
    "histograms": "histogram histogramdd",
    "lengths": "cdist renorm",
    "lobpcg": "lobpcg",
    "lu": "geqrf lu lu_solve lu_unpack orgqr",
    "mapped": "from_file",
    "matrix_norms": "norm",
    "overwriting":
        "addmv_ as_strided_ clamp_max_ clamp_min_ conj_physical_ deg2rad_ gcd_ index_put_ lcm_ "
        "ldexp_ logit_ nan_to_num_ rad2deg_ sinc_ xlogy_",
    "parts": "frexp hash_tensor",
    "picking":
        "argwhere index_add index_copy index_fill index_put index_reduce index_select "
        "masked_scatter masked_select nonzero put take take_along_dim",
    "places": "nonzero_static unravel_index",
    "pooling": "avg_pool1d max_pool1d max_pool1d_with_indices max_pool2d max_pool3d",
    "recurrent": "gru gru_cell lstm lstm_cell rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell",
    "reflections": "ormqr",
    "resizing": "empty_permuted empty_strided resize_as_",
    "shuffling": "channel_shuffle native_channel_shuffle pixel_shuffle pixel_unshuffle",
    "slopes": "gradient",
    "solving":
        "adjoint cholesky_inverse cholesky_solve inverse logdet matrix_exp matrix_power slogdet "
        "triangular_solve",
    "sorting":
        "argsort bucketize kthvalue median mode msort nanmedian nanquantile quantile searchsorted "
        "sort topk",
    "sparse": "sparse_coo_tensor",
    "sparse_algebra": "hspmm smm sspaddmm",
    "spread": "corrcoef cov dist std std_mean var var_mean",
    "stacking":
        "atleast_1d atleast_2d atleast_3d column_stack dsplit dstack hsplit hstack row_stack "
        "split_with_sizes tensor_split vsplit vstack",
}  # fmt: skip
LATE = {name: f"{module}:{name}" for module, names in _LATE.items() for name in names.split()}
LATE |= {  # under other names
    "det": "solving:det_of",
    "dsmm": "products:mm",
    "hsmm": "sparse_algebra:hspmm",
    "saddmm": "sparse_algebra:sspaddmm",
    "spmm": "products:mm",
}

__all__ = [
    "abs", "abs_", "absolute", "acos", "acos_", "acosh", "acosh_", "add", "all", "amax", "amin",
    "aminmax", "angle", "any", "arange", "arccos", "arccos_", "arccosh", "arccosh_", "arcsin",
    "arcsin_", "arcsinh", "arcsinh_", "arctan", "arctan2", "arctan_", "arctanh", "arctanh_",
    "argmax", "argmin", "as_strided", "as_tensor", "asarray", "asin", "asin_", "asinh", "asinh_",
    "atan", "atan2", "atan_", "atanh", "atanh_", "bernoulli", "binomial", "bitwise_and",
    "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "bmm",
    "broadcast_shapes", "broadcast_tensors", "broadcast_to", "cartesian_prod", "cat", "ceil",
    "ceil_", "chunk", "clamp", "clamp_", "clip", "clip_", "clone", "combinations", "complex",
    "concat", "concatenate", "conj", "conj_physical", "copysign", "cos", "cos_", "cosh", "cosh_",
    "count_nonzero", "cummax", "cummin", "cumprod", "cumsum", "cumulative_trapezoid", "detach",
    "diff", "digamma", "div", "divide", "dot", "empty", "empty_like", "eq", "erf", "erf_", "erfc",
    "erfc_", "erfinv", "exp", "exp2", "exp2_", "exp_", "expm1", "expm1_", "eye", "fill", "fill_",
    "fix", "fix_", "flatten", "flip", "fliplr", "flipud", "floor", "floor_", "floor_divide",
    "fmax", "fmin", "fmod", "frac", "frac_", "from_numpy", "frombuffer", "full", "full_like",
    "gather", "ge", "get_device", "greater", "greater_equal", "gt", "hypot", "imag", "is_complex",
    "is_conj", "is_floating_point", "is_inference", "is_neg", "is_nonzero", "is_same_size",
    "is_signed", "is_tensor", "isfinite", "isinf", "isnan", "le", "less", "less_equal", "lgamma",
    "linspace", "log", "log10", "log10_", "log1p", "log1p_", "log2", "log2_", "log_",
    "log_softmax", "logaddexp", "logaddexp2", "logcumsumexp", "logical_and", "logical_not",
    "logical_or", "logical_xor", "logspace", "logsumexp", "lt", "masked_fill", "matmul", "max",
    "maximum", "mean", "meshgrid", "min", "minimum", "mm", "moveaxis", "movedim", "mul",
    "multinomial", "multiply", "mv", "nanmean", "nansum", "narrow", "ne", "neg", "neg_",
    "negative", "negative_", "normal", "not_equal", "numel", "ones", "ones_like", "permute",
    "poisson", "polar", "positive", "pow", "prod", "rand", "rand_like", "randint", "randint_like",
    "randn", "randn_like", "randperm", "ravel", "real", "reciprocal", "reciprocal_", "relu",
    "relu_", "remainder", "repeat_interleave", "reshape", "resolve_conj", "resolve_neg",
    "result_type", "roll", "rot90", "round", "round_", "rsqrt", "rsqrt_", "rsub", "scalar_tensor",
    "scatter", "scatter_add", "scatter_reduce", "select", "sgn", "sigmoid", "sigmoid_", "sign",
    "signbit", "sin", "sin_", "sinh", "sinh_", "softmax", "split", "sqrt", "sqrt_", "square",
    "square_", "squeeze", "stack", "sub", "subtract", "sum", "swapaxes", "swapdims", "t", "tan",
    "tan_", "tanh", "tanh_", "tensor", "tile", "transpose", "trapezoid", "trapz", "true_divide",
    "trunc", "trunc_", "typename", "unbind", "unflatten", "unsqueeze", "view_as_complex",
    "view_as_real", "where", "zero_", "zeros", "zeros_like",
]  # fmt: skip


def __getattr__(name: str) -> _Any:
    # As ``torch.ops`` it also provides the ops of extensions, and PyTorch's own namespace of ops.
    if name in ("load_library", "loaded_libraries"):
        library = _import_module(f"{__package__.partition('.')[0]}.library.loading")
        return getattr(library, name)
    if name == "aten":
        return _import_module(".dispatched", __name__).aten
    if name in LATE:
        module, _, op = LATE[name].partition(":")
        return getattr(_import_module(f".{module}", __package__), op)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
