"""CuPy's names over NumPy's arrays, so that the backend's Python runs where no GPU is.

Strict where CuPy is: arrays of the host are refused, and no result is a scalar. Kernels in CUDA C run
on the CPU (cuda_on_cpu.py). That each name and parameter exists in CuPy is another test's business.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import sys
import types
import weakref

import numpy as np
import scipy.linalg
import scipy.special
from cuda_on_cpu import Elementwise, Module


class Memory:
    """A piece of memory, the same object for all arrays in it."""

    living: weakref.WeakValueDictionary = weakref.WeakValueDictionary()

    def __init__(self, root):
        self.root, self.ptr, self.size = root, root.ctypes.data, root.nbytes

    @classmethod
    def of(cls, array):
        root = array
        while isinstance(root.base, np.ndarray):
            root = root.base
        if not root.nbytes:
            return cls(root)
        key = (root.ctypes.data, root.nbytes)
        found = cls.living.get(key)
        if found is None:
            found = cls.living[key] = cls(root)
        return found


class MemoryPointer:
    def __init__(self, mem, offset):
        self.mem, self.offset = mem, offset
        self.ptr = mem.ptr + offset

    def copy_from_device_async(self, src, size, stream=None):
        ctypes.memmove(self.ptr, src.ptr, size)

    def copy_from_host_async(self, mem, size, stream=None):
        ctypes.memmove(self.ptr, mem, size)


class ndarray(np.ndarray):
    """An array of the device."""

    def __new__(cls, shape, dtype=float, memptr=None, strides=None, order="C"):
        if memptr is None:
            return np.ndarray.__new__(cls, shape, dtype, order=order)
        buffer = memptr.mem.root.reshape(-1).view(np.uint8)
        return np.ndarray.__new__(cls, shape, dtype, buffer, memptr.offset, strides)

    @property
    def data(self):
        memory = Memory.of(self)
        return MemoryPointer(memory, self.ctypes.data - memory.ptr)

    @property
    def device(self):
        return Device(0)

    @property
    def __cuda_array_interface__(self):
        return {**self.__array_interface__, "version": 3}

    def get(self, stream=None, order="C", out=None, blocking=True):
        counts["waits"] += blocking
        if out is None:
            return np.array(self.view(np.ndarray), order="C")
        out[...] = self.view(np.ndarray)
        return out

    def set(self, arr, stream=None):
        assert type(arr) is np.ndarray and arr.shape == self.shape and arr.dtype == self.dtype
        self.view(np.ndarray)[...] = arr

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return called(getattr(ufunc, method))(*inputs, **kwargs)

    def __array_function__(self, function, kinds, args, kwargs):
        raise TypeError(f"numpy.{function.__name__} of a CuPy array")

    def __array__(self, *args, **kwargs):
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    def __getitem__(self, index):
        for part in index if isinstance(index, tuple) else (index,):
            counts["waits"] += isinstance(part, ndarray) and part.dtype == bool
        return on_device(self.view(np.ndarray)[turned(index, self.shape)])

    def __setitem__(self, index, value):
        self.view(np.ndarray)[turned(index, self.shape)] = plain(value)

    def __iter__(self):
        return (self[i] for i in range(len(self)))


def _method(name):
    def method(self, *args, **kwargs):
        return called(getattr(self.view(np.ndarray), name))(*args, **kwargs)

    return method


for _name in ("sum", "min", "max", "any", "all", "prod", "mean", "argmax", "argmin"):
    setattr(ndarray, _name, _method(_name))


def _waiting(name):
    def method(self, *args):
        counts["waits"] += 1
        return getattr(self.view(np.ndarray), name)(*args)

    return method


# What looks at an element has to wait until it has been computed.
for _name in ("item", "tolist", "__bool__", "__int__", "__float__", "__index__", "__complex__"):
    setattr(ndarray, _name, _waiting(_name))


def plain(value):
    """The value with NumPy's arrays for CuPy's; NumPy's own are refused, but scalars."""
    if isinstance(value, ndarray):
        return value.view(np.ndarray)
    if isinstance(value, np.ndarray):
        raise TypeError("Unsupported type <class 'numpy.ndarray'>")
    if type(value) in (tuple, list):
        return type(value)(map(plain, value))
    if type(value).__module__ == "ml_dtypes":
        raise TypeError("Unsupported type <class 'ml_dtypes.bfloat16'>")
    return value


def turned(index, shape):
    """The index with numbers out of range wrapped around, of which CuPy says nothing."""
    parts = list(index) if isinstance(index, tuple) else [index]
    taken = sum(p.ndim if _is_mask(p) else 1 for p in parts if p is not None and p is not Ellipsis)
    at, found = 0, []
    for part in parts:
        if part is Ellipsis:
            at += len(shape) - taken
        elif _is_mask(part):
            at += part.ndim
        elif part is not None:
            if isinstance(part, ndarray) and part.dtype.kind in "iu" and shape[at]:
                part = (plain(part) % shape[at]).view(ndarray)
            at += 1
        found.append(plain(part))
    return tuple(found) if isinstance(index, tuple) else found[0]


def _is_mask(part):
    return isinstance(part, ndarray) and part.dtype == bool


def on_device(value):
    """The value with CuPy's arrays for NumPy's and for scalars."""
    if isinstance(value, ndarray):
        return value
    if isinstance(value, np.ndarray):
        return value.view(ndarray)
    if isinstance(value, np.generic) or type(value).__name__ == "bfloat16":
        return np.array(value).view(ndarray)
    if isinstance(value, tuple):
        return tuple(map(on_device, value))
    return [on_device(v) for v in value] if isinstance(value, list) else value


def called(function):
    def call(*args, **kwargs):
        out = kwargs.get("out")
        named = {k: plain(v) for k, v in kwargs.items()}
        given = [plain(a) for a in args]
        with np.errstate(all="ignore"):
            result = function(*given, **named)
        for a, seen in zip(args, given):  # the array itself, also as a ufunc's result
            if result is seen and isinstance(a, ndarray):
                return a
        if out is not None:
            return out[0] if isinstance(out, tuple) and len(out) == 1 else out
        return on_device(result)

    return call


class Namespace(types.ModuleType):
    """A module's functions over arrays of the device."""

    def __init__(self, name, module, **own):
        super().__init__(name)
        self.__dict__.update(own)
        self.module = module

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self.module, name)
        if isinstance(found, types.ModuleType):
            return Namespace(f"{self.__name__}.{name}", found)
        if isinstance(found, type) or not callable(found):
            return found
        return called(found)


# ------------------------------------------------------------------------------ cupy.cuda


class Device:
    def __init__(self, device=0):
        self.id = int(device)

    def use(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class Stream:
    current = None

    def __init__(self, null=False, non_blocking=False, ptds=False, priority=None):
        self.ptr = 0 if null else id(self)
        self.priority, self.done = priority, True
        self.capturing = False

    @classmethod
    def from_external(cls, obj):
        made = cls()
        made.ptr = obj.__cuda_stream__()[1]
        return made

    def use(self):
        Stream.current = self
        return self

    def synchronize(self):
        counts["waits"] += 1

    def record(self, event=None):
        return event

    def wait_event(self, event):
        pass

    def begin_capture(self, mode=None):
        self.capturing = True

    def is_capturing(self):
        return self.capturing

    def end_capture(self):
        self.capturing = False
        return Graph()


Stream.null = Stream.current = Stream(null=True)


class Graph:
    launched = 0

    def launch(self, stream=None):
        self.launched += 1


class Event:
    def __init__(self, block=False, disable_timing=False, interprocess=False):
        self.ptr, self.done = id(self), True

    def record(self, stream=None):
        pass

    def synchronize(self):
        counts["waits"] += 1


class MemoryHook:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class Pool:
    limit = None

    def malloc(self, size):
        raise NotImplementedError

    def used_bytes(self):
        return 1024

    def total_bytes(self):
        return 4096

    def free_all_blocks(self, stream=None):
        pass

    def set_limit(self, size=None, fraction=None):
        self.limit = (size, fraction)


class PinnedMemoryPointer:
    """Memory of the host, with the buffer protocol."""


def alloc_pinned_memory(size):
    kind = type("Pinned", (PinnedMemoryPointer, ctypes.c_char * size), {})
    made = kind()
    made.ptr = ctypes.addressof(made)
    return made


class CPointer:
    def __init__(self, p=0):
        self.ptr = p


counts = {"waits": 0}  # how often the host waited for the device
PROPERTIES = {
    "name": b"Fake GPU", "totalGlobalMem": 1 << 34, "multiProcessorCount": 4, "major": 8, "minor": 0,
    "maxThreadsPerBlock": 1024, "warpSize": 32, "sharedMemPerBlock": 49152, "integrated": 0,
}  # fmt: skip


def _runtime(hip):
    return types.SimpleNamespace(
        is_hip=hip,
        getDeviceCount=lambda: 1,
        getDevice=lambda: 0,
        setDevice=lambda device: None,
        getDeviceProperties=lambda device: (
            PROPERTIES | ({"gcnArchName": b"gfx90a:x"} if hip else {})
        ),
        driverGetVersion=lambda: 70051831 if hip else 12080,
        runtimeGetVersion=lambda: 70051831 if hip else 12090,
        deviceCanAccessPeer=lambda device, peer: 0,
        deviceSynchronize=lambda: counts.__setitem__("waits", counts["waits"] + 1),
        memGetInfo=lambda: (1 << 33, 1 << 34),
        streamCaptureModeGlobal=0,
        streamCaptureModeThreadLocal=1,
        streamCaptureModeRelaxed=2,
    )


_ADDED = ("int32", "uint32", "uint64", "float16", "float32", "float64", "complex64", "complex128")


def scatter_add(a, slices, value):
    assert a.dtype.name in _ADDED, f"CuPy does not add {a.dtype} at places"
    np.add.at(plain(a), turned(slices, a.shape), plain(value))


def where(condition, x, y):
    """It has no loop for bfloat16, which is cast."""
    result = called(np.where)(condition, x, y)
    return result.astype("f4") if result.dtype.kind == "V" else result


def logical(name):
    def function(*args):
        for a in args:
            if isinstance(a, ndarray):
                assert a.dtype.kind not in "cV", f"cupy.{name} does not take {a.dtype}"
        return called(getattr(np, name))(*args)

    return function


def polygamma(n, x):
    assert isinstance(n, ndarray)
    assert isinstance(x, ndarray)
    return called(scipy.special.polygamma)(n, x)


def take(a, indices, axis=None, out=None):
    """An index out of range wraps around, and nobody is told."""
    return called(np.take)(a, indices, axis=axis, out=out, mode="wrap")


def take_along_axis(a, indices, axis):
    size = a.shape[axis]
    return called(np.take_along_axis)(a, indices % size if size else indices, axis=axis)


def waiting(name):
    """A function whose result's shape depends on the elements."""

    def function(*args, **kwargs):
        counts["waits"] += 1
        return called(getattr(np, name))(*args, **kwargs)

    return function


def searchsorted(a, v, side="left", sorter=None):
    return called(np.searchsorted)(a, v, side=side, sorter=sorter)


def array(obj, dtype=None, copy=True, order="K", subok=False, ndmin=0, *, blocking=False):
    source = plain(obj) if isinstance(obj, ndarray) else obj
    return np.array(source, dtype=dtype, copy=copy, order=order, ndmin=ndmin).view(ndarray)


def asarray(a, dtype=None, order=None, *, copy=None, blocking=False):
    if isinstance(a, ndarray) and (dtype is None or a.dtype == dtype):
        return a
    return np.asarray(plain(a) if isinstance(a, ndarray) else a, dtype=dtype).view(ndarray)


class _Elementwise(Elementwise):
    def __call__(self, *args):
        return on_device(super().__call__(*[plain(a) for a in args]))


class _Module(Module):
    pass


def modules(hip=False):
    """The modules by name, for `sys.modules`."""
    pool, pinned = Pool(), Pool()
    cuda = types.ModuleType("cupy.cuda")
    cuda.__dict__.update(
        Device=Device, Stream=Stream, Event=Event, Graph=Graph, MemoryHook=MemoryHook,
        MemoryPointer=MemoryPointer, PinnedMemoryPointer=PinnedMemoryPointer, runtime=_runtime(hip),
        alloc_pinned_memory=alloc_pinned_memory, get_current_stream=lambda device_id=-1: Stream.current,
        MemoryPool=Pool, using_allocator=lambda allocator=None: contextlib.nullcontext(),
        get_elapsed_time=lambda start, end: 1.5,
        function=types.SimpleNamespace(CPointer=CPointer),
    )  # fmt: skip
    products = types.SimpleNamespace(
        COMPUTE_TYPE_DEFAULT=0, COMPUTE_TYPE_TF32=5, COMPUTE_TYPE_FP16=2, settings=[],
        set_compute_type=lambda dtype, kind: products.settings.append((str(dtype), kind)),
    )  # fmt: skip
    core = types.SimpleNamespace(_routines_linalg=products)
    cupy = Namespace(
        "cupy", np, __version__="14.2.0", ndarray=ndarray, cuda=cuda, _core=core, array=array,
        asarray=asarray, searchsorted=searchsorted, take=take,
        where=where, **{n: logical(n) for n in ("logical_not", "logical_and", "logical_or", "logical_xor")},
        take_along_axis=take_along_axis, nonzero=waiting("nonzero"),
        unique=waiting("unique"), bincount=waiting("bincount"), ElementwiseKernel=_Elementwise, RawModule=_Module,
        get_default_memory_pool=lambda: pool, get_default_pinned_memory_pool=lambda: pinned,
    )  # fmt: skip
    special = Namespace("cupyx.scipy.special", scipy.special, polygamma=polygamma)
    linalg = Namespace("cupyx.scipy.linalg", scipy.linalg)
    scipy_module = types.ModuleType("cupyx.scipy")
    scipy_module.special, scipy_module.linalg = special, linalg
    cupyx = types.ModuleType("cupyx")
    cupyx.scatter_add, cupyx.scipy = scatter_add, scipy_module
    cupyx.errstate = lambda **options: contextlib.nullcontext()
    return {
        "cupy": cupy, "cupy.cuda": cuda, "cupyx": cupyx, "cupyx.scipy": scipy_module,
        "cupyx.scipy.special": special, "cupyx.scipy.linalg": linalg,
    }  # fmt: skip


def load(patch, hip=False):
    """Registers a backend over the fake, as it would be over CuPy, until ``patch`` is undone."""
    from registering import register

    from arraytorch import backends

    for name in _ours():
        patch.delitem(sys.modules, name)
        patch.delattr(backends, name.rpartition(".")[2], raising=False)
    for name, module in modules(hip).items():
        patch.setitem(sys.modules, name, module)
    made = importlib.import_module("arraytorch.backends.cupy").CupyBackend()
    for name in _ours():  # so that undoing takes them away again
        short, module = name.rpartition(".")[2], sys.modules.pop(name)
        patch.setitem(sys.modules, name, module)
        delattr(backends, short)
        patch.setattr(backends, short, module, raising=False)
    return register(patch, made)


def _ours():
    """The modules that import CuPy."""
    return [n for n in sys.modules if n.startswith("arraytorch.backends.cu")]
