"""What a row of the sample table says, and the inputs it stands for."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import ml_dtypes
import numpy as np

import arraytorch as torch
from arraytorch.nn import functional

HALF = ("float16", "bfloat16")
FLOAT = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
INT = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")
BOOL = ("bool",)
REAL = HALF + FLOAT
ALL = BOOL + INT + REAL + COMPLEX
NATIVE = {n: np.dtype(ml_dtypes.bfloat16 if n == "bfloat16" else n) for n in ALL}

# Ops whose derivatives are checked with complex numbers too, though their reference or their rows
# know real ones alone.
COMPLEX_TOO = frozenset({
    "F.channel_shuffle", "F.conv1d", "F.conv2d", "F.conv3d", "F.conv_transpose1d",
    "F.conv_transpose2d", "F.conv_transpose3d", "F.fold", "F.l1_loss", "F.linear", "F.normalize",
    "F.pad", "F.pairwise_distance", "F.pixel_shuffle", "F.pixel_unshuffle", "F.poisson_nll_loss",
    "F.rms_norm", "F.softsign", "F.tanhshrink", "F.triplet_margin_loss",
    "F.triplet_margin_with_distance_loss", "F.unfold", "addcdiv", "as_strided", "asinh",
    "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "cartesian_prod", "chain_matmul",
    "channel_shuffle", "cholesky_inverse", "cholesky_solve", "column_stack", "combinations",
    "corrcoef", "cov", "cross", "cumulative_trapezoid", "diag_embed", "diagflat",
    "diagonal_scatter", "diff", "dist", "dsplit", "dstack", "exp2", "expm1", "fft.fftshift",
    "fft.ifftshift", "fliplr", "flipud", "float_power", "gather", "ger", "gradient", "hsplit",
    "hstack", "index_add", "index_copy", "index_fill", "index_put", "index_select", "ldexp", "lerp",
    "linalg.cholesky_ex", "linalg.inv_ex", "linalg.solve_ex", "log10", "log1p", "log2", "logaddexp",
    "logcumsumexp", "logdet", "logsumexp", "masked.mean", "masked.sum", "masked_scatter",
    "matrix_exp", "matrix_power", "meshgrid", "pinverse", "pixel_shuffle", "pixel_unshuffle", "put",
    "repeat_interleave", "rot90", "scatter", "scatter_add", "select_scatter", "sigmoid",
    "sinc", "slice_scatter", "slogdet", "std_mean", "stft", "tensordot", "trace", "trapezoid",
    "triangular_solve", "true_divide", "var_mean", "vsplit", "vstack",
})  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One call: the shapes of the tensors, or the arrays themselves, and the other arguments."""

    shapes: tuple[Any, ...]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


def case(*shapes: Any, args: tuple[Any, ...] = (), **kwargs: Any) -> Case:
    """A call with tensors of these shapes; an array in the place of a shape is taken as it is."""
    return Case(shapes, args, kwargs)


def on(x: Any, array: Any) -> Any:
    """A tensor of an array's values, such as indices, on the device of x."""
    return torch.from_numpy(array).to(x.device)


@dataclass(frozen=True)
class Sample:
    """One op: with what to call it, and what is true of it."""

    name: str
    ref: Callable[..., Any] | None
    cases: tuple[Case, ...]
    dtypes: tuple[str, ...]
    low: float
    high: float
    grad: bool
    gradgrad: bool
    result: str | None
    distinct: bool
    listed: bool
    pointwise: bool
    strided: bool
    rtol: float
    op: Callable[..., Any]
    where: str

    def __str__(self) -> str:
        return self.where + self.name

    def arrays(self, one: Case, dtype: str) -> list[Any]:
        """The tensors' values as arrays of a dtype, the same ones in every run."""
        rng = np.random.default_rng(zlib.crc32(f"{self.name}{one.shapes}".encode()))
        return [
            self._values(rng, s, dtype, i) if isinstance(s, tuple) else self._fixed(s, dtype)
            for i, s in enumerate(one.shapes)
        ]

    def _values(self, rng: Any, shape: tuple[int, ...], dtype: str, which: int) -> Any:
        count, native = int(np.prod(shape)), NATIVE[dtype]
        if dtype == "bool":
            x = rng.integers(0, 2, shape)
        elif native.kind in "iu":
            low = max(np.ceil(self.low), 0 if native.kind == "u" else -9)
            x = rng.integers(int(low), max(int(min(self.high, 9)), int(low)) + 1, shape)
        elif self.distinct:
            x = (rng.permutation(count) + 0.5 - 0.2 * which).reshape(shape) / max(count, 1)
            x = self.low + (self.high - self.low) * x
        else:
            x = rng.uniform(self.low, self.high, shape)
        if native.kind == "c":
            x = x + 1j * rng.uniform(self.low, self.high, shape)
        return np.asarray(x).astype(native)

    @staticmethod
    def _fixed(x: Any, dtype: str) -> Any:
        x = np.asarray(x)
        return x if x.dtype.kind in "biu" else x.astype(NATIVE[dtype])

    def __call__(self, tensors: list[Any], one: Case, **more: Any) -> Any:
        """The op's result."""
        given = (tensors,) if self.listed else tuple(tensors)
        return self.op(*given, *one.args, **one.kwargs, **more)

    def reference(self, arrays: list[Any], one: Case) -> Any:
        """What NumPy or SciPy say, computed in double precision for floating numbers."""
        wide = [
            x.astype("f8") if x.dtype.kind in "biu" and self.result and "float" in self.result
            else x if x.dtype.kind in "biu"
            else x.astype("c16" if x.dtype.kind == "c" else "f8") for x in arrays
        ]  # fmt: skip
        given = (wide,) if self.listed else tuple(wide)
        with np.errstate(all="ignore"):
            return self.ref(*given, *one.args, **one.kwargs)  # type: ignore[misc]


def sample(
    name: str,
    ref: Callable[..., Any] | None = None,
    *cases: Any,
    dtypes: tuple[str, ...] = FLOAT,
    low: float = -2,
    high: float = 2,
    grad: bool = True,
    gradgrad: bool | None = None,
    result: str | None = "same",
    distinct: bool = False,
    listed: bool = False,
    pointwise: bool = False,
    strided: bool = True,
    rtol: float = 0,
    op: Callable[..., Any] | None = None,
) -> Sample:
    """A row of the table.

    ``ref`` takes the same arguments with arrays, or is None where another test compares the numbers.
    ``dtypes`` are those compared with it; values lie between ``low`` and ``high`` and, if
    ``distinct``, keep a distance. ``result`` tells the dtype: "same", "float" (integers give
    float32), "int64", "bool", "real", or None for another. ``listed``: the tensors are one list; ``strided=False``: it asks for contiguous memory.
    """
    where, _, plain = name.rpartition(".")
    where += "." if where else ""
    found = op or getattr(functional if where else torch, plain)
    calls = tuple(c if isinstance(c, Case) else case(*c) for c in cases)
    second = grad if gradgrad is None else gradgrad
    return Sample(plain, ref, calls, dtypes, low, high, grad, second, result, distinct, listed,
                  pointwise, strided, rtol, found, where)  # fmt: skip


def unary(name: str, ref: Any, low: float = -2, high: float = 2, **options: Any) -> Sample:
    """An elementwise op of one tensor, with the shapes that all of them must take."""
    return sample(name, ref, ((2, 3),), ((),), ((0, 2),), low=low, high=high, pointwise=True,
                  **options)  # fmt: skip


def binary(name: str, ref: Any, low: float = -2, high: float = 2, **options: Any) -> Sample:
    """An elementwise op of two tensors, with the shapes that must broadcast."""
    shapes = (((2, 3), (2, 3)), ((2, 1), (3,)), ((), (2,)), ((3,), ()), ((0, 2), (1, 2)))
    return sample(name, ref, *shapes, low=low, high=high, pointwise=True, **options)
