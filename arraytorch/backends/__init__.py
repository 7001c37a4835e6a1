"""The registry: which backend executes ops on which arrays, and which one serves which device."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

from .. import _device
from .._device import device
from . import sharing
from .compiled import MANY
from .dtypes import dtype_of as dtype_of
from .dtypes import is_bfloat16
from .dtypes import numpy_dtype as numpy_dtype
from .float8 import Float8Backend
from .numpy import NumpyBackend
from .threads import get_num_threads


class _Registry(dict[type, Any]):
    """Backends by the type of their arrays; a subclass of such a type, as numpy.memmap, is served alike.

    Hot paths look here themselves: ``BACKENDS[x.__class__]`` takes 30 ns, `backend_of` 55.
    """

    def __missing__(self, kind: type) -> Any:
        for base in kind.__mro__:
            if base in self:
                AS_ARRAY[kind] = self[base].asarray
                return self.setdefault(kind, self[base])
        if is_bfloat16(kind):
            return self.setdefault(kind, _LOADED["cpu"])
        raise TypeError(f"no backend is registered for arrays of type {kind.__qualname__}")


BACKENDS = _Registry()
AS_ARRAY: dict[type, Callable[[Any], Any]] = {}  # array type -> what turns its 0-d results into it
_LOADED: dict[str, Any] = {}  # device type -> backend
LARGE = MANY  # elements of an array from which on `expect_large` is to be told of it
_LEARNT: list[tuple[dict[type, Any], type, str]] = []  # the kernels that ops have learnt
_LARGE = [False]  # whether there have been large arrays, and threads
_MET = [False]  # whether there have been large arrays of 16-bit floats
_DETERMINISTIC = [False]  # whether the user wants the same bits in each run
SPARSE = [
    False
]  # whether there have been sparse arrays: what is only for them need not look before
# What gives large gradients other pullbacks, or other types: nothing before there are such.
PULLING: list[Any] = [None]
_CHOSEN: list[str | None] = [None]  # the algorithm of random numbers that the user chose
GROUP = "arraytorch.backends"


def register(backend: Any) -> Any:
    """Makes a backend execute ops on its ``array_types`` and serve its ``device_type``."""
    for array_type in backend.array_types:
        BACKENDS[array_type] = backend
        AS_ARRAY[array_type] = backend.asarray
    _LOADED[backend.device_type] = backend
    _device.KNOWN_TYPES.add(backend.device_type)
    if backend.device_type not in ("cpu", "meta"):
        # A seed counts for all devices, also for those that come into use after it was set.
        backend.start_generator(_LOADED["cpu"].generator.initial_seed, _CHOSEN[0])
    if _DETERMINISTIC[0]:
        backend.deterministic = True
    if backend.device_type == "cuda":
        _switches().cuda.matmul.tell(backend)
    return backend


def __getattr__(name: str) -> Any:
    # `torch.backends.cudnn` and the like load when they are first asked for.
    if name in ("cpu", "cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"):
        return getattr(_switches(), name)
    raise AttributeError(f"module 'arraytorch.backends' has no attribute '{name}'")


def make_deterministic(wanted: bool) -> None:
    """Has all devices give the same bits in each run, or not."""
    _DETERMINISTIC[0] = wanted
    for backend in _LOADED.values():
        backend.deterministic = wanted


def _switches() -> Any:
    from . import switches

    switches.loaded_backend[0] = _LOADED.get
    return switches


def choose_algorithm(name: str | None) -> None:
    """Starts all devices' random numbers anew by an algorithm, None for each device's own.

    Raises ValueError if there is no such algorithm.
    """
    _LOADED["cpu"].new_generator(None, name)
    _CHOSEN[0] = name
    for backend in _LOADED.values():
        if backend.device_type != "meta":
            backend.start_generator(backend.generator.initial_seed, name)


def backend_of(x: Any) -> Any:
    """Returns the backend that runs ops on an array."""
    return BACKENDS[x.__class__]


def outermost(*arrays: Any) -> Any:
    """Returns the backend that must run an op on several arrays: the outermost interpreter of theirs."""
    backend = BACKENDS[arrays[0].__class__]
    for x in arrays:
        other = BACKENDS.get(x.__class__)
        if other is not None and other.level > backend.level:
            backend = other
    return backend


def learn(table: dict[type, Any], x: Any, name: str) -> Any:
    """Keeps a kernel for arrays of the class of x in a table: not that of vmap's stand-in.

    It is exchanged there when the backend comes to have another one.
    """
    backend = backend_of(x)
    table[x.__class__] = kernel = getattr(getattr(backend, "beneath", backend), name)
    _LEARNT.append((table, x.__class__, name))
    return kernel


def expect_large(x: Any = None) -> None:
    """Makes derivatives look at the sizes of arrays from now on, and plain arithmetic if there are threads.

    That takes a tenth of the time of a small operation, which programs without large arrays can do without.
    An array that is new tells whether it is large enough, and whether it is of 16-bit floats.
    """
    if PULLING[0] is None:
        from .pulling import derivative

        PULLING[0] = derivative
    if x is not None:
        if x.dtype.char in "eE" and BACKENDS[x.__class__] is _LOADED["cpu"]:
            meet_halves()
        if x.size < sharing.PAIR:
            return
    if _LARGE[0] or get_num_threads() == 1:
        return
    _LARGE[0] = True
    backend = _LOADED["cpu"]
    names = backend.share_arithmetic()
    _exchange(names)


def meet_halves() -> None:
    """Exchanges the kernels of the CPU for such that know large arrays of float16 and bfloat16."""
    if not _MET[0]:
        from . import half_gradients, halves

        _MET[0] = True
        PULLING[0] = partial(half_gradients.derivative, _LOADED["cpu"])
        _exchange(halves.exchange(_LOADED["cpu"]))


def _exchange(names: frozenset[str]) -> None:
    """Has operations use the kernels that the CPU's backend now has under these names."""
    backend = _LOADED["cpu"]
    for table, kind, name in _LEARNT:
        if name in names and BACKENDS.get(kind) is backend:
            table[kind] = getattr(backend, name)


sharing.when_starting.append(expect_large)


def backend_for(where: device) -> Any:
    """Returns the backend that serves a device, loaded if need be.

    Raises RuntimeError, saying what to install or switch on, if it is not to be had.
    """
    backend = _LOADED.get(where.type) or _load(where.type)
    if where.index is not None and where.index >= backend.device_count():
        raise RuntimeError(
            f"device '{where}' does not exist: this machine has {backend.device_count()} "
            f"'{where.type}' device(s)"
        )
    return backend


def loaded() -> list[Any]:
    """Returns the backends of the device types that have been used."""
    return list(_LOADED.values())


def _load(kind: str) -> Any:
    if kind in _LOADERS:
        return register(_LOADERS[kind]())
    if _discover(kind):
        return _LOADED[kind]
    raise RuntimeError(f"no backend serves the device type '{kind}'")


def _discover(kind: str) -> bool:
    """Loads a third party's backend by its entry point; returns whether there is one."""
    for point in _entry_points(name=kind):
        made = point.load()
        register(made() if isinstance(made, type) or not hasattr(made, "array_types") else made)
        return True
    return False


def _entry_points(**selection: Any) -> Any:
    # Imported here: it loads sockets and e-mail parsers, half of what NumPy's own import takes.
    from importlib.metadata import entry_points

    return entry_points(group=GROUP, **selection)


_device.discover = _discover


def _load_meta() -> Any:
    from .meta import MetaBackend

    return MetaBackend()


def _make_cuda() -> Any:
    try:
        import cupy
    except ImportError as error:  # CuPy for ROCm cannot even be imported without ROCm
        raise RuntimeError(
            f"the 'cuda' device needs cupy, which cannot be imported: {error}"
        ) from error
    vendor, switch = ("ROCm", "USE_ROCM") if cupy.cuda.runtime.is_hip else ("CUDA", "USE_CUDA")
    if os.environ.get(switch) == "0":
        raise RuntimeError(f"the 'cuda' device, here of {vendor}, is switched off by {switch}=0")
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:  # CUDARuntimeError, which is the library's own
        raise RuntimeError(
            f"the 'cuda' device needs a driver for {vendor} that cupy can use: {error}"
        ) from error
    if not count:
        raise RuntimeError(
            f"the 'cuda' device needs a device of {vendor}, and this machine has none"
        )
    from .cupy import CupyBackend

    return CupyBackend()


def _make_xpu() -> Any:
    try:
        from .dpnp import DpnpBackend
    except ImportError as error:
        raise RuntimeError(
            f"the 'xpu' device needs dpnp, which cannot be imported: {error}"
        ) from error
    return DpnpBackend()


def _vendor(
    kind: str,
    package: str,
    install: str,
    switches: tuple[str, ...],
    make: Callable[[], Any] | None = None,
) -> Callable[[], Any]:
    def load() -> Any:
        off = [name for name in switches if os.environ.get(name) == "0"]
        if len(off) == len(switches):
            raise RuntimeError(
                f"the '{kind}' device is switched off by {' and '.join(f'{n}=0' for n in off)}"
            )
        if find_spec(package) is None:
            raise RuntimeError(
                f"the '{kind}' device needs {package}, which is not installed: {install}"
            )
        if make is not None:
            return make()
        raise RuntimeError(
            f"{package} is installed, but this release of arraytorch has no '{kind}' backend yet"
        )

    return load


_LOADERS: dict[str, Callable[[], Any]] = {
    "meta": _load_meta,
    "cuda": _vendor(
        "cuda",
        "cupy",
        "pip install 'arraytorch[cuda13]' (NVIDIA, CUDA 13), 'arraytorch[cuda12]' (CUDA 12) or "
        "'arraytorch[rocm]' (AMD)",
        ("USE_CUDA", "USE_ROCM"),
        _make_cuda,
    ),
    "xpu": _vendor("xpu", "dpnp", "pip install 'arraytorch[xpu]' (Intel)", ("USE_XPU",), _make_xpu),
}


def is_available(kind: str) -> bool:
    """Returns whether a device type can be used here, without raising."""
    try:
        return backend_for(device(kind)).device_count() > 0
    except RuntimeError:
        return False


def current_accelerator() -> Any:
    """Returns the backend of whatever computes beside the CPU here, None if nothing does."""
    for kind in dict.fromkeys(["cuda", "xpu", *_LOADED]):
        if kind not in ("cpu", "meta") and is_available(kind):
            found = backend_for(device(kind))
            if hasattr(
                found, "current_queue"
            ):  # an AcceleratorBackend, which is not loaded for this
                return found
    return None


def show() -> str:
    """Returns a table of the device types and what serves them.

    >>> print(torch.backends.show().splitlines()[0])
    cpu: NumPy ...
    """
    lines = []
    for kind in dict.fromkeys([*_LOADED, *_LOADERS, *(p.name for p in _entry_points())]):
        try:
            lines.append(f"{kind}: {backend_for(device(kind)).describe()}")
        except RuntimeError as error:
            lines.append(f"{kind}: absent ({error})")
    return "\n".join(lines)


register(NumpyBackend())
_float8 = Float8Backend(_LOADED["cpu"])
for _array_type in _float8.array_types:
    BACKENDS[_array_type], AS_ARRAY[_array_type] = _float8, _float8.asarray
