"""Convolutions by NVIDIA's cuDNN, called through ctypes where it is installed.

What it does not serve (AMD's devices, some padding that differs between the sides, what it refuses)
gives None, and the caller goes by columns and products. USE_CUDNN=0 turns it off.

https://docs.nvidia.com/deeplearning/cudnn/backend/latest/api/cudnn-cnn-library.html
"""

from __future__ import annotations

import ctypes
import threading
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cupy

from .convolution import Convolution
from .switches import cudnn as settings

_TYPES = {"float32": 0, "float64": 1, "float16": 2, "bfloat16": 9}
_CROSS_CORRELATION, _NCHW, _FLOAT, _DOUBLE = 1, 0, 0, 1
_DEFAULT_MATH, _FMA_MATH = 0, 3
_ALGORITHMS = 8  # more than there are of any kind
_Pointer = ctypes.c_void_p


class _Performance(ctypes.Structure):
    """cudnnConvolutionFwdAlgoPerf_t and its two kin, which have the same fields."""

    _fields_ = (
        ("algo", ctypes.c_int), ("status", ctypes.c_int), ("time", ctypes.c_float),
        ("memory", ctypes.c_size_t), ("determinism", ctypes.c_int), ("math", ctypes.c_int),
        ("reserved", ctypes.c_int * 3),
    )  # fmt: skip


class CudnnError(RuntimeError):
    """cuDNN returned another status than success."""


@lru_cache(1)
def library() -> Any:
    """The library, or None where there is none."""
    if cupy.cuda.runtime.is_hip:
        return None
    places = ["libcudnn.so.9", "libcudnn.so.8", "cudnn64_9.dll"]
    spec = find_spec("nvidia")
    for root in (spec.submodule_search_locations or ()) if spec else ():
        places = [str(p) for p in Path(root).glob("cudnn/lib/libcudnn.so.9")] + places
    for place in places:
        try:
            return ctypes.CDLL(place)
        except OSError:
            continue
    return None


def version() -> int | None:
    """The library's version as a number such as 91002, None where there is none."""
    found = library()
    if found is None:
        return None
    found.cudnnGetVersion.restype = ctypes.c_size_t
    return int(found.cudnnGetVersion())


def called(name: str, *args: Any) -> None:
    """Calls a function of the library; CudnnError unless it succeeds."""
    status = getattr(library(), name)(*args)
    if status:
        raise CudnnError(f"{name} returned {status}")


_LOCAL = threading.local()


def _handle() -> Any:
    """This thread's handle for the current device, in the current queue."""
    handles = _LOCAL.__dict__.setdefault("handles", {})
    index = cupy.cuda.runtime.getDevice()
    if index not in handles:
        made = _Pointer()
        called("cudnnCreate", ctypes.byref(made))
        handles[index] = made
    called("cudnnSetStream", handles[index], _Pointer(cupy.cuda.get_current_stream().ptr))
    return handles[index]


def _ints(values: Any) -> Any:
    return (ctypes.c_int * len(values))(*values)


def _descriptor(kind: str) -> Any:
    made = _Pointer()
    called(f"cudnnCreate{kind}Descriptor", ctypes.byref(made))
    return made


def _tensor(dtype: str, shape: tuple[int, ...]) -> Any:
    made, strides = _descriptor("Tensor"), [1]
    for n in reversed(shape[1:]):
        strides.insert(0, strides[0] * n)
    called(
        "cudnnSetTensorNdDescriptor", made, _TYPES[dtype], len(shape), _ints(shape), _ints(strides)
    )
    return made


def _filter(dtype: str, shape: tuple[int, ...]) -> Any:
    made = _descriptor("Filter")
    called(
        "cudnnSetFilterNdDescriptor", made, _TYPES[dtype], _NCHW, len(shape), _ints(shape)
    )  # fmt: skip
    return made


def _convolution(c: Convolution, dtype: str, tf32: bool) -> Any:
    made = _descriptor("Convolution")
    flat = len(c.size) == 1  # cuDNN wants two dimensions at least
    before = [0] * flat + [a for a, _ in c.padding]
    stride, dilation = [1] * flat + list(c.stride), [1] * flat + list(c.dilation)
    called(
        "cudnnSetConvolutionNdDescriptor", made, len(before), _ints(before), _ints(stride),
        _ints(dilation), _CROSS_CORRELATION, _DOUBLE if dtype == "float64" else _FLOAT,
    )  # fmt: skip
    called("cudnnSetConvolutionGroupCount", made, c.groups)
    math = _FMA_MATH if dtype == "float32" and not tf32 else _DEFAULT_MATH
    called("cudnnSetConvolutionMathType", made, math)
    return made


class Plan:
    """How one convolution is computed: descriptors of x, w and y, an algorithm, and its memory.

    The functions of a kind take two of x, w and y and give the third; `order` has them as the
    arguments come.
    """

    KINDS = {
        "Forward": ("x", "w", "y"),
        "BackwardData": ("w", "y", "x"),
        "BackwardFilter": ("x", "y", "w"),
    }

    def __init__(
        self, kind: str, dtype: str, n: int, c: Convolution, channels: int, out: int,
        tf32: bool, deterministic: bool,
    ) -> None:  # fmt: skip
        flat = (1,) if len(c.size) == 1 else ()
        described = {
            "x": _tensor(dtype, (n, channels, *flat, *c.spatial)),
            "w": _filter(dtype, (out, channels // c.groups, *flat, *c.size)),
            "y": _tensor(dtype, (n, out, *flat, *c.out)),
        }
        self.kind, self.order = kind, [described[name] for name in self.KINDS[kind]]
        self.convolution = _convolution(c, dtype, tf32)
        self.one = (ctypes.c_double if dtype == "float64" else ctypes.c_float)(1)
        self.zero = (ctypes.c_double if dtype == "float64" else ctypes.c_float)(0)
        self._choose(deterministic)

    def _choose(self, deterministic: bool) -> None:
        first, second, last = self.order
        found, count = (_Performance * _ALGORITHMS)(), ctypes.c_int()
        called(
            f"cudnnGetConvolution{self.kind}Algorithm_v7", _handle(), first, second,
            self.convolution, last, _ALGORITHMS, ctypes.byref(count), found,
        )  # fmt: skip
        usable = [
            p for p in found[: count.value]
            if p.status == 0 and (p.determinism == 1 or not deterministic)
        ]  # fmt: skip
        if not usable:
            raise CudnnError("no algorithm serves")
        self.algorithm = usable[0].algo
        called("cudnnSetConvolutionMathType", self.convolution, usable[0].math)
        room = ctypes.c_size_t()
        called(
            f"cudnnGetConvolution{self.kind}WorkspaceSize", _handle(), first, second,
            self.convolution, last, self.algorithm, ctypes.byref(room),
        )  # fmt: skip
        self.room = room.value

    def run(self, a: Any, b: Any, out: Any) -> None:
        """Computes the third array of two."""
        first, second, last = self.order
        space = cupy.empty(self.room, "u1")
        called(
            f"cudnnConvolution{self.kind}", _handle(), ctypes.byref(self.one), first,
            _Pointer(a.data.ptr), second, _Pointer(b.data.ptr), self.convolution, self.algorithm,
            _Pointer(space.data.ptr if self.room else None), ctypes.c_size_t(self.room),
            ctypes.byref(self.zero), last, _Pointer(out.data.ptr),
        )  # fmt: skip


@lru_cache(4096)
def _plan(*key: Any) -> Plan | None:
    """The plan, or None if cuDNN refuses; `key` ends with the number of the device."""
    try:
        return Plan(*key[:-1])
    except (CudnnError, AttributeError):  # a version of the library may lack a function
        return None


def _planned(
    kind: str, x: Any, n: int, c: Convolution, channels: int, out: int, fixed: bool
) -> Plan | None:
    if not settings.enabled or library() is None:
        return None
    if not _symmetric(c):
        return None
    return _plan(
        kind, x.dtype.name, n, c, channels, out, settings.allow_tf32,
        fixed or settings.deterministic,
        cupy.cuda.runtime.getDevice(),
    )  # fmt: skip


@lru_cache(4096)
def _symmetric(c: Convolution) -> bool:
    """Whether as much padding behind as before gives the same windows: cuDNN has one number."""
    return all(
        before >= 0 and (n + 2 * before - d * (k - 1) - 1) // s + 1 == out
        for n, (before, _), d, k, s, out in zip(
            c.spatial, c.padding, c.dilation, c.size, c.stride, c.out, strict=True
        )
    )


def _run(plan: Plan | None, a: Any, b: Any, shape: tuple[int, ...]) -> Any:
    if plan is None:
        return None
    out = cupy.empty(shape, a.dtype)
    try:
        plan.run(cupy.ascontiguousarray(a), cupy.ascontiguousarray(b), out)
    except CudnnError:
        return None
    return out


def forward(x: Any, w: Any, c: Convolution, fixed: bool) -> Any:
    """The output, or None if cuDNN does not serve; ``fixed`` wants the same bits in each run."""
    (n, channels), out = x.shape[:2], w.shape[0]
    plan = _planned("Forward", x, n, c, channels, out, fixed)
    return _run(plan, x, w, (n, out, *c.out))


def backward_input(g: Any, w: Any, c: Convolution, fixed: bool) -> Any:
    """The gradient for the input, or None."""
    (n, out), channels = g.shape[:2], w.shape[1] * c.groups
    plan = _planned("BackwardData", g, n, c, channels, out, fixed)
    return _run(plan, w, g, (n, channels, *c.spatial))


def backward_weight(x: Any, g: Any, c: Convolution, fixed: bool) -> Any:
    """The gradient for the weight, or None."""
    (n, channels), out = x.shape[:2], g.shape[1]
    plan = _planned("BackwardFilter", x, n, c, channels, out, fixed)
    return _run(plan, x, g, (out, channels // c.groups, *c.size))
