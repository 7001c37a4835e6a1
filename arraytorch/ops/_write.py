"""Writing results into tensors that exist: in-place ops and ``out=``."""

from __future__ import annotations

import warnings
from typing import Any

from .. import _dtypes
from ..autograd.modes import grad_enabled
from ..autograd.tape import TensorBase, rebase, stamp
from ..backends import backend_of, dtype_of, outermost
from ..backends.host import ndarray
from ._strides import packed_strides

__all__ = ["check_cast", "stamp", "write_back", "write_result"]


# Ops whose out= has the dtype of the result, and no other that this would convert to.
_EXACT_NAMES = """abs addbmm addmm addmv alias_copy all amax amin aminmax any argmax argmin
    as_strided_copy avg_pool2d avg_pool3d baddbmm bitwise_not bmm bucketize ceil cholesky
    cholesky_inverse cholesky_solve conj_physical cross diag diagonal_copy diff dot expand_copy floor
    frac gather gelu hardshrink hash_tensor heaviside histc index_add index_copy index_reduce
    index_select isin isneginf isposinf log_softmax logcumsumexp masked_select matmul mm msort multi_dot mv
    nan_to_num nanquantile neg norm permute_copy quantile renorm round scatter scatter_add
    scatter_reduce searchsorted sgn sign signbit slice_scatter softmax softplus softshrink
    squeeze_copy t_copy take take_along_dim tensordot transpose_copy tril triu trunc unfold_copy
    unsqueeze_copy vdot view_copy where linalg.cholesky linalg.cross linalg.det linalg.eigvalsh
    linalg.matrix_norm linalg.multi_dot linalg.norm linalg.solve linalg.svdvals linalg.vecdot
    linalg.vector_norm"""
_EXACT = frozenset(_EXACT_NAMES.split())


class _Overwrite:
    """The op that records a write through a view; it lives with the view ops, which stand above."""

    op: Any = None


def check_cast(source: _dtypes.dtype, target: _dtypes.dtype) -> None:
    """Raises RuntimeError unless a result of one dtype may be written into a tensor of the other."""
    if not _dtypes.can_cast(source, target):
        raise RuntimeError(
            f"result type {_dtypes.scalar_type_name(source)} can't be cast to the desired output "
            f"type {_dtypes.scalar_type_name(target)}"
        )


def forbid_overlap(target: Any) -> None:
    """Raises RuntimeError if several elements of a tensor share one place in memory."""
    x = target._data
    if 0 not in x.strides or 0 in x.shape:  # NumPy gives empty arrays strides of 0, too
        return
    if any(s == 0 and n > 1 for s, n in zip(x.strides, x.shape, strict=True)):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a "
            "single memory location. Please clone() the tensor before performing the operation. "
            f"It has shape {list(x.shape)} and is expanded along a dimension of stride 0."
        )


def forbid_shared(name: str, input: Any, out: Any) -> None:
    """Raises RuntimeError if ``out`` lies in the memory of ``input``, for ops that must not write there."""
    x, y = input._data, getattr(out, "_data", None)
    if y is not None and backend_of(x) is backend_of(y) and backend_of(x).overlap(x, y):
        raise RuntimeError(
            f"{name}(): unsupported operation: some elements of the input tensor and the written-to "
            "tensor refer to a single memory location. Please clone() the tensor before performing "
            "the operation."
        )


def write_back(target: Any, result: Any) -> None:
    """Writes a result into the memory of a tensor, which takes its place on the tape."""
    x, y = target._data, result._data
    B = backend_of(x) if x.__class__ is y.__class__ else outermost(x, y)
    B.write(x, y)
    stamp(target)
    if not grad_enabled.get():
        return
    base = target._base
    if (
        result._node is not None
        or target._node is not None
        or (base is not None and base._node is not None)
    ):
        rebase(target, result._node, _Overwrite.op)


def write_result(name: str, out: Any, result: Any, inputs: Any = ()) -> Any:
    """Writes a result into the tensor given as ``out=``, resized if need be, and returns that.

    Raises TypeError if it is no tensor, and RuntimeError if gradients would be lost, the dtype
    does not fit, or it is on another device.
    """
    if not isinstance(out, TensorBase):
        raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}")
    x, z = out._data, result._data
    if (
        x.__class__ is z.__class__ is ndarray
        and x.dtype is z.dtype
        and x.shape == z.shape
        and 0 not in x.strides
        and not _recorded(out, *inputs)
    ):  # nothing of what follows can be: a third of its time
        x[...] = z
        stamp(out)
        return out
    if grad_enabled.get() and (
        out._node is not None or any(getattr(t, "_node", None) is not None for t in inputs)
    ):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad."
        )
    made, wanted = dtype_of(result._data), dtype_of(out._data)
    check_cast(made, wanted)
    if name in _EXACT and made is not wanted:
        raise RuntimeError(
            f"Expected out tensor to have dtype {made.name}, but got {wanted.name} instead: {name}"
        )
    B, source = backend_of(out._data), backend_of(result._data)
    if B.device_of(out._data) != source.device_of(result._data):
        raise RuntimeError(
            f"Expected out tensor to have device {source.device_of(result._data)}, but got "
            f"{B.device_of(out._data)} instead: {name}"
        )
    if out._data.shape != result._data.shape:
        if out._data.size:
            warnings.warn(
                f"An output with one or more elements was resized since it had shape "
                f"{list(out._data.shape)}, which does not match the required output shape "
                f"{list(result._data.shape)}. This behavior is deprecated, and in a future PyTorch "
                "release outputs will not be resized unless they have zero elements. You can "
                "explicitly reuse an out tensor t by resizing it, inplace, to zero elements with "
                "t.resize_(0).",
                UserWarning,
                stacklevel=3,
            )
        out._data = _resized(B, out, result._data.shape)
    forbid_overlap(out)
    B.write(out._data, result._data)
    stamp(out)
    return out


def _recorded(*tensors: Any) -> bool:
    for t in tensors:  # noqa: SIM110  # any() takes 0.2 us
        if getattr(t, "_node", None) is not None:
            return True
    return False


def _resized(B: Any, out: Any, shape: tuple[int, ...]) -> Any:
    """Another view of the memory of ``out``, from where it starts, or if that is too small, new memory."""
    x = out._data
    try:
        return B.as_strided(x, shape, packed_strides(shape, None), B.storage_offset(x))
    except ValueError:
        out._owner = None
        return B.empty(shape, x.dtype)


def write_results(name: str, outs: Any, results: Any, inputs: Any = ()) -> Any:
    """`write_result` for ops of several results."""
    if len(outs) != len(results):
        raise TypeError(f"{name}(): out takes {len(results)} tensors, got {len(outs)}")
    return tuple(write_result(name, o, r, inputs) for o, r in zip(outs, results, strict=True))
