"""Kernels of our own in OpenCL C, compiled when first used, with no compiler to install.

Where a device's driver takes no OpenCL C (Level Zero wants SPIR-V), or a kernel does not compile,
`Kernel.fits` says no, and the generic kernels do the work.
"""

from __future__ import annotations

import ctypes
import re
from collections import deque
from typing import Any

import dpnp

from .dpnp_devices import Device

# How OpenCL C calls the element types; bools are bytes there.
NAMES = {
    "float16": "half",
    "float32": "float",
    "float64": "double",
    "bool": "uchar",
    "int8": "char",
    "uint8": "uchar",
    "int16": "short",
    "uint16": "ushort",
    "int32": "int",
    "uint32": "uint",
    "int64": "long",
    "uint64": "ulong",
}
_SCALARS = {
    "int": ctypes.c_int32,
    "long": ctypes.c_int64,
    "ulong": ctypes.c_uint64,
    "float": ctypes.c_float,
    "double": ctypes.c_double,
}
_HEAD = """
#ifdef cl_khr_fp64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif
#ifdef cl_khr_fp16
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#endif
#ifdef cl_khr_int64_base_atomics
#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable
#endif
"""
_PARAMETER = re.compile(r"(const )?(\w+)\s*(\*?)\s*(\w+)")


class Kernel:
    """A kernel of one work item for each of ``n`` things, which its body knows as ``i``.

    ``parameters`` are C's, ``T`` standing for the type of the first array and ``A`` for what sums of it
    are computed in. An array's pointer begins at its first element, whatever it is a view of.
    """

    def __init__(self, name: str, parameters: str, body: str, before: str = "") -> None:
        self.name, self.body, self.before = name, body, before
        self.parameters = [_PARAMETER.fullmatch(p.strip()).groups() for p in parameters.split(",")]  # type: ignore[union-attr]

    def source(self, types: dict[str, str]) -> str:
        """The program for the types that T, A and others stand for."""
        arguments, prelude = [], []
        for const, kind, star, name in self.parameters:
            if star:
                arguments += [f"global {const or ''}{kind}* {name}_", f"long {name}_at"]
                prelude.append(f"global {const or ''}{kind}* {name} = {name}_ + {name}_at;")
            else:
                arguments.append(f"{kind} {name}")
        defined = "".join(f"#define {k} {v}\n" for k, v in types.items())
        return (
            f"{_HEAD}{defined}{self.before}\n"
            f"kernel void {self.name}({', '.join(arguments)}, long n) {{\n"
            f"{' '.join(prelude)}\nlong i = get_global_id(0);\nif (i >= n) return;\n{self.body}\n}}\n"
        )

    def fits(self, device: Device, types: dict[str, str]) -> Any:
        """The kernel compiled for a device and types, or None if that cannot be."""
        key = (self, *types.values())
        try:
            return device.programs[key]
        except KeyError:
            found = device.programs[key] = self._compiled(device, types)
            return found

    def _compiled(self, device: Device, types: dict[str, str]) -> Any:
        if device.queue.backend.name != "opencl":
            return None
        try:
            from dpctl.program import create_program_from_source
        except ImportError:  # later releases call the module dpctl.compiler
            return None
        try:
            program = create_program_from_source(device.queue, self.source(types), "")
            return program.get_sycl_kernel(self.name)
        except Exception:
            return None


class Launcher:
    """Gives kernels to the queues, in order with what dpnp gives them."""

    def __init__(self, devices: Any) -> None:
        self.devices = devices
        self._running: deque[Any] = deque()  # events, and the memory that they still read

    def __call__(self, kernel: Kernel, n: int, *args: Any, **more: str) -> bool:
        """Runs a kernel of n items; False if it cannot, because of the device or the types."""
        first = next(a for a in args if isinstance(a, dpnp.ndarray))
        device = self.devices.all[self.devices.indices[first.sycl_queue]]
        name = NAMES.get(first.dtype.name)
        if name is None:
            return False
        types = {"T": name, "A": "double" if name == "double" else "float", **more}
        compiled = kernel.fits(device, types)
        if compiled is None:
            return False
        if not n:
            return True
        given = []
        for value, (_, kind, star, _) in zip(args, kernel.parameters, strict=True):
            if star:
                array = value.get_array()
                given += [array.usm_data, ctypes.c_int64(array._element_offset)]
            else:
                given.append(_SCALARS[types.get(kind, kind)](value))
        self._submit(device, compiled, [*given, ctypes.c_int64(n)], n)
        return True

    def _submit(self, device: Device, compiled: Any, given: list[Any], n: int) -> None:
        before = device.events.submitted_events
        if device.facts.integrated:  # to wait is cheaper here than to watch over memory
            device.queue.submit(compiled, given, [n], None, before)
            return
        event = device.queue.submit_async(compiled, given, [n], None, before)
        device.events.add_event_pair(event, event)
        self._running.append((event, given))
        while self._running and self._running[0][0].execution_status.name == "complete":
            self._running.popleft()
