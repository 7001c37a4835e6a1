"""Products of matrices in groups, and of matrices of eight-bit numbers with scales."""

from __future__ import annotations

from enum import Enum
from typing import Any

from .. import _dtypes
from .._dtypes import dtype as Dtype
from .._dtypes import scalar_type_name
from ..autograd.tape import TensorBase
from ..backends import dtype_of, numpy_dtype
from ._declare import cast
from ._results import check_tensor
from .creation import zeros
from .joining import cat, stack
from .products import matmul

Tensor = Any


class ScalingType(Enum):
    """What a scale of `scaled_mm` belongs to. The CPU has TensorWise and RowWise."""

    TensorWise = 0
    RowWise = 1
    BlockWise1x16 = 2
    BlockWise1x32 = 3
    BlockWise1x128 = 4
    BlockWise128x128 = 5


class SwizzleType(Enum):
    """In which order scales lie in memory."""

    NO_SWIZZLE = 0
    SWIZZLE_32_4_4 = 1


def grouped_mm(
    mat_a: Tensor,
    mat_b: Tensor,
    *,
    offs: Tensor | None = None,
    bias: Tensor | None = None,
    out_dtype: Dtype | None = None,
) -> Tensor:
    """Returns the products of groups of matrices, of different sizes along one dimension.

    Groups are the first dimension of an operand with three. An operand with two is cut into groups
    that end where ``offs`` (int32) says: the rows of ``mat_a`` beside groups of ``mat_b``, the columns
    of ``mat_b`` beside groups of ``mat_a``, and the summed dimension where both have two, which gives
    a matrix for each group. What lies behind the last group gives zeros.

    >>> experts = torch.stack([torch.eye(2), 10 * torch.eye(2)])
    >>> ends = torch.tensor([1, 3], dtype=torch.int32)
    >>> torch.nn.functional.grouped_mm(torch.ones(3, 2), experts, offs=ends)
    tensor([[ 1.,  1.],
            [10., 10.],
            [10., 10.]])
    """
    check_tensor("grouped_mm", mat_a, mat_b, names=("mat_a", "mat_b"))
    _check(mat_a, mat_b, offs, bias, out_dtype)
    a, b = mat_a, mat_b
    if offs is None:
        return matmul(a, b)
    ends = offs.tolist()
    spans = list(zip([0, *ends[:-1]], ends, strict=True))
    if a._data.ndim == b._data.ndim:
        return stack([matmul(a[:, i:j], b[i:j]) for i, j in spans])
    if a._data.ndim == 2:
        rows = [matmul(a[i:j], b[k]) for k, (i, j) in enumerate(spans)]
        return _filled(rows, 0, a._data.shape[0] - ends[-1], (0, b._data.shape[2]), a)
    columns = [matmul(a[k], b[:, i:j]) for k, (i, j) in enumerate(spans)]
    return _filled(columns, 1, b._data.shape[1] - ends[-1], (a._data.shape[1], 0), a)


def _filled(parts: list[Tensor], dim: int, missing: int, shape: tuple[int, int], like: Any) -> Any:
    if missing > 0:
        size = [missing if d == dim else n for d, n in enumerate(shape)]
        parts = [*parts, zeros(size, dtype=like.dtype, device=like.device)]
    return cat(parts, dim)


def _check(a: Any, b: Any, offs: Any, bias: Any, out_dtype: Any) -> None:
    """Raises RuntimeError for what does not fit, in PyTorch's words."""
    for name, t in (("mat_a", a), ("mat_b", b)):
        if dtype_of(t._data) not in (_dtypes.float32, _dtypes.bfloat16, _dtypes.float16):
            if name == "mat_a" or t._data.dtype is a._data.dtype:
                kind = scalar_type_name(dtype_of(t._data))
                raise RuntimeError(
                    f"Expected {name} to be Float32, BFloat16 or Float16 matrix, got {kind}"
                )
        if t._data.ndim not in (2, 3):
            raise RuntimeError(f"{name} has to be 2 or 3d")
    if a._data.shape[-1] != b._data.shape[-2]:
        raise RuntimeError("contraction dimension of mat_a and mat_b must match")
    if a._data.dtype is not b._data.dtype:
        have, other = (scalar_type_name(dtype_of(t._data)) for t in (a, b))
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {have} != {other}")
    both = a._data.ndim == b._data.ndim == 3
    if both is (offs is not None):
        raise RuntimeError(
            "Have to provide offsets if there is a 2d matrix, or no offset if both matrices are 3d"
        )
    if bias is not None:
        raise RuntimeError("Bias not supported yet")
    if out_dtype is not None and out_dtype is not dtype_of(a._data):
        raise RuntimeError("Grouped gemm output dtype must match `mat_a` dtype")
    batches = [t._data.shape[0] for t in (a, b) if t._data.ndim == 3]
    if offs is not None:
        if offs._data.ndim != 1:
            raise RuntimeError("offs has to be 1D")
        if dtype_of(offs._data) is not _dtypes.int32:
            raise RuntimeError("Offsets have to be int32")
        batches.append(offs._data.shape[0])
    if len(set(batches)) > 1:
        raise RuntimeError("matrix batch sizes have to match")


def scaled_mm(
    mat_a: Tensor,
    mat_b: Tensor,
    scale_a: Tensor | list[Tensor],
    scale_recipe_a: ScalingType | list[ScalingType],
    scale_b: Tensor | list[Tensor],
    scale_recipe_b: ScalingType | list[ScalingType],
    swizzle_a: SwizzleType | list[SwizzleType] | None = None,
    swizzle_b: SwizzleType | list[SwizzleType] | None = None,
    bias: Tensor | None = None,
    output_dtype: Dtype | None = _dtypes.bfloat16,
    contraction_dim: list[int] | tuple[int, ...] = (),
    use_fast_accum: bool = False,
) -> Tensor:
    """Returns ``(mat_a * scale_a) @ (mat_b * scale_b) + bias`` of float8 matrices.

    The scales are float32: one number with TensorWise, a column for ``mat_a`` and a row for
    ``mat_b`` with RowWise. Without ``output_dtype`` the result is of the dtype of ``mat_a``. The
    other arguments are for devices whose kernels know them.

    >>> x, one = torch.eye(2).to(torch.float8_e4m3fn), torch.tensor(1.0)
    >>> each = torch.nn.functional.ScalingType.TensorWise
    >>> torch.nn.functional.scaled_mm(x, x, 2 * one, each, one, each)
    tensor([[2., 0.],
            [0., 2.]], dtype=torch.bfloat16)
    """
    check_tensor("scaled_mm", mat_a, mat_b, names=("mat_a", "mat_b"))
    a, b = _alone(scale_a), _alone(scale_b)
    for position, scale in ((2, a), (4, b)):
        if not isinstance(scale, (TensorBase, list, tuple)):
            raise TypeError(
                f"expected Tensor as element 0 in argument {position}, but got "
                f"{type(scale).__name__}"
            )
    for name, m in (("mat_a", mat_a), ("mat_b", mat_b)):
        if m._data.ndim != 2:
            raise ValueError(f"{name} must be a matrix")
    (m, k), (k_too, n) = mat_a._data.shape, mat_b._data.shape
    if k != k_too:
        raise ValueError(f"mat_a and mat_b shapes cannot be multiplied ({m}x{k} and {k_too}x{n})")
    recipes = [_alone(scale_recipe_a), _alone(scale_recipe_b)]
    eight = all(dtype_of(t._data) in _dtypes.EIGHT_BITS for t in (mat_a, mat_b))
    single = all(isinstance(s, TensorBase) and dtype_of(s._data) is _dtypes.float32 for s in (a, b))
    if not eight or not single or recipes[0] is not recipes[1] or recipes[0] not in _WHOLE:
        raise ValueError(
            "Invalid scaling configuration.\n- For TensorWise scaling, a and b should be float8, "
            "scales should be float and singletons.\n- For RowWise scaling, a and b should be "
            f"float8, scales should be float, scale_a should be ({m}, 1) and scale_b should be "
            f"(1, {n}), and both should be contiguous."
        )
    for name, s, wanted in (("scale_a", a, (m, 1)), ("scale_b", b, (1, n))):
        if recipes[0] is ScalingType.TensorWise and s._data.size != 1:
            raise ValueError(f"{name} must have 1 Float element")
        if recipes[0] is ScalingType.RowWise and s._data.shape != wanted:
            raise ValueError(f"{name} must have shape {list(wanted)}, got [{list(s._data.shape)}]")
    wide = numpy_dtype(_dtypes.float32)
    scales = [s.reshape(()) if recipes[0] is ScalingType.TensorWise else s for s in (a, b)]
    product = matmul(cast(mat_a, wide) * scales[0], cast(mat_b, wide) * scales[1])
    if bias is not None:
        product = product + cast(bias, wide)
    return cast(product, numpy_dtype(output_dtype or dtype_of(mat_a._data)))


_WHOLE = (ScalingType.TensorWise, ScalingType.RowWise)


def _alone(scale: Any) -> Any:
    return scale[0] if isinstance(scale, (list, tuple)) and len(scale) == 1 else scale
