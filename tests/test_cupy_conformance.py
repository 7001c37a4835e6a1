"""CuPy without a GPU: every name and parameter that is used exists, and every kernel compiles.

What is used is found in the source, by a walk over its syntax, and looked for in the installed
package. Kernels are compiled by NVRTC, which needs neither a driver nor a device.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cupy", reason="CuPy is not installed", exc_type=ImportError)
import cupy
import cupyx

BACKENDS = Path(__file__).parent.parent / "arraytorch" / "backends"
CUPY_FILES = sorted(BACKENDS.glob("cupy*.py"))
OTHERS = ("numpy", "meta", "dpnp", "cupy", "box_muller", "host")
GENERIC_FILES = [p for p in sorted(BACKENDS.glob("*.py")) if not p.name.startswith(OTHERS)]
ROOTS = {"cupy": cupy, "cupyx": cupyx, "xp": cupy}

# Methods of CuPy's objects that are called where the source does not tell the class.
METHODS = {
    cupy.ndarray: {
        "astype": ("dtype", "order", "casting", "subok", "copy"), "get": ("out", "blocking"),
        "set": ("arr",), "reshape": (), "swapaxes": (), "transpose": (), "copy": (), "view": (),
        "item": (), "min": (), "max": (), "any": (), "all": (),
    },
    cupy.cuda.Stream: {
        "use": (), "synchronize": (), "wait_event": ("event",), "begin_capture": ("mode",),
        "is_capturing": (), "end_capture": (),
    },
    cupy.cuda.Event: {"record": ("stream",), "synchronize": ()},
    cupy.cuda.Graph: {"launch": ("stream",)},
    cupy.cuda.Device: {"use": ()},
    cupy.cuda.MemoryPool: {
        "malloc": ("size",), "used_bytes": (), "total_bytes": (), "free_all_blocks": (), "set_limit": ("size", "fraction"),
    },
    cupy.cuda.PinnedMemoryPool: {"free_all_blocks": ()},
    cupy.cuda.MemoryPointer: {
        "copy_from_host_async": ("mem", "size", "stream"),
        "copy_from_device_async": ("src", "size", "stream"),
    },
    cupy.cuda.MemoryHook: {
        "malloc_postprocess": ("kwargs",), "free_postprocess": ("kwargs",),
        "alloc_postprocess": ("kwargs",),
    },
    cupy.RawModule: {"get_function": ("name",)},
}  # fmt: skip
ATTRIBUTES = {
    cupy.ndarray: (
        "data",
        "device",
        "base",
        "flags",
        "strides",
        "itemsize",
        "nbytes",
        "real",
        "imag",
    ),
    cupy.cuda.MemoryPointer: ("ptr", "mem"),
    cupy.cuda.BaseMemory: ("ptr", "size"),
    cupy.cuda.PinnedMemoryPointer: ("ptr",),
    cupy.cuda.Stream: ("priority", "done", "null", "from_external"),
    cupy.cuda.Event: ("done",),
    cupy.cuda.Device: ("id",),
}


def chain(node: ast.AST) -> list[str] | None:
    """The names of `cupy.a.b`, `xp.a.b` or `self.xp.a.b`; None for anything else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
        if names[0] == "xp":
            return names
    return [node.id, *names] if isinstance(node, ast.Name) and node.id in ROOTS and names else None


def used(path: Path) -> list[tuple[str, list[str], ast.Call | None]]:
    """Every name of CuPy's in a file with the call that it is in, if any."""
    tree = ast.parse(path.read_text("utf-8"))
    calls = {id(n.func): n for n in ast.walk(tree) if isinstance(n, ast.Call)}
    outer = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    found = []
    for node in ast.walk(tree):
        names = chain(node) if isinstance(node, ast.Attribute) and id(node) not in outer else None
        if names and len(names) > 1:
            found.append((f"{path.name}:{node.lineno}", names, calls.get(id(node))))
    return found


MEASURES = BACKENDS.parent.parent / "benchmarks" / "waits.py"
USES = [use for path in [*CUPY_FILES, *GENERIC_FILES, MEASURES] for use in used(path)]


def resolved(names: list[str]):
    """What the names lead to; AttributeError if they lead nowhere."""
    found = ROOTS[names[0]]
    for name in names[1:]:
        if not hasattr(found, name) and inspect.ismodule(found):
            try:
                importlib.import_module(f"{found.__name__}.{name}")
            except ModuleNotFoundError:
                pass
        found = getattr(found, name)
    return found


def test_something_is_used():
    """The walk finds the uses: a test of nothing would pass."""
    assert len(USES) > 500
    assert sum(call is not None for *_, call in USES) > 400


def test_every_name_exists():
    """100 % of the names of CuPy in the sources lead to something."""
    missing = []
    for where, names, _ in USES:
        try:
            resolved(names)
        except AttributeError:
            missing.append(f"{where} {'.'.join(names)}")
    assert not missing, missing


def parameters(function) -> inspect.Signature | None:
    """The signature, from the docstring's first line where a compiled function has no other."""
    if isinstance(function, cupy.ufunc):
        return ufunc_signature(function)
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        pass
    line = (inspect.getdoc(function) or "").split("\n")[0]
    match = re.match(r"[\w.]+\((.*?)\)( ->.*)?$", line)
    if match is None or "..." in line:
        return None
    # Compiled signatures have types in front: `size_t size`.
    text = ", ".join(re.sub(r"^\w+ (?=\w)", "", p.strip()) for p in match[1].split(","))
    namespace: dict = {}
    try:
        exec(f"def f({text}): ...", namespace)
    except SyntaxError:
        return None
    return inspect.signature(namespace["f"])


def ufunc_signature(function) -> inspect.Signature:
    arrays = ", ".join(f"x{i}" for i in range(function.nin))
    outs = ", ".join(f"out{i}=None" for i in range(function.nout))
    namespace: dict = {}
    exec(f"def f({arrays}, {outs}, /, *, out=None, dtype=None, casting=None): ...", namespace)
    return inspect.signature(namespace["f"])


def test_every_call_binds():
    """The arguments of each call fit the function's parameters, and most can be checked."""
    wrong, unknown = [], set()
    for where, names, call in USES:
        if call is None:
            continue
        if any(isinstance(a, ast.Starred) for a in call.args):
            continue
        if any(k.arg is None for k in call.keywords):
            continue
        function = resolved(names)
        signature = parameters(function)
        if signature is None:
            unknown.add(".".join(names))
            continue
        try:
            signature.bind(*call.args, **{k.arg: k.value for k in call.keywords})
        except TypeError as error:
            wrong.append(f"{where} {'.'.join(names)}: {error}")
    assert not wrong, wrong
    assert len(unknown) <= 12, sorted(unknown)


@pytest.mark.parametrize("kind", METHODS, ids=lambda k: k.__name__)
def test_methods_have_the_parameters(kind):
    """Methods of CuPy's objects exist, and take what they are given by name."""
    for name, wanted in METHODS[kind].items():
        method = getattr(kind, name)
        signature = parameters(method)
        if signature is not None and wanted:
            assert set(wanted) <= set(signature.parameters), (name, signature)


@pytest.mark.parametrize("kind", ATTRIBUTES, ids=lambda k: k.__name__)
def test_attributes_exist(kind):
    """So do the attributes; some are set by the constructor and stand in the docstring."""
    for name in ATTRIBUTES[kind]:
        assert hasattr(kind, name) or name in (kind.__doc__ or ""), name


def imports_inside() -> list[tuple[str, str]]:
    """What is imported from CuPy's submodules when it is needed."""
    found = []
    for path in CUPY_FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cupyx."):
                found += [(node.module, alias.name) for alias in node.names]
    return found


def test_late_imports_exist():
    """Submodules that need cuBLAS to be imported are read as source."""
    assert imports_inside()
    for module, name in imports_inside():
        package = importlib.util.find_spec(module.rpartition(".")[0])
        place = Path(package.submodule_search_locations[0]) / module.rpartition(".")[2]
        text = (place / "__init__.py").read_text("utf-8")
        assert re.search(rf"import {name}\b", text), (module, name)


def test_special_functions_exist():
    """The functions of cupyx.scipy.special that kernels ask for by name are there, or in the table."""
    import cupyx.scipy.special as special

    from arraytorch.backends.cupy_gaps import GAPS

    text = "".join(p.read_text("utf-8") for p in GENERIC_FILES)
    names = set(re.findall(r'_special(?:_of_two)?\(\s*"(\w+)"', text))
    names |= set(re.findall(r"_special_namespace\(\)\.(\w+)", text))
    assert len(names) > 20
    lacking = {n for n in names if not hasattr(special, n)}
    assert lacking == {"airy"}
    assert "airy_ai" in GAPS


def test_bfloat16_has_elementwise_functions():
    """The ufuncs of the usual operations take bfloat16 (`E`)."""
    for name in (
        "add",
        "multiply",
        "true_divide",
        "maximum",
        "exp",
        "log",
        "sqrt",
        "tanh",
        "negative",
    ):
        assert any("E" in types for types in getattr(cupy, name).types), name
    assert any("E" in types for types in cupy.equal.types)


def untouched(shape, dtype):
    """An array at an address that is no memory: for what looks at no element."""
    memory = cupy.cuda.UnownedMemory(0x10000, 4096, None, device_id=0)
    return cupy.ndarray(shape, dtype, memptr=cupy.cuda.MemoryPointer(memory, 0))


def test_views_share_their_memory_object():
    """What `CupyBackend.shares` relies on."""
    x = untouched((4, 6), "f4")
    y = x[1:, ::2]
    assert y.data.mem is x.data.mem
    assert y.base is x
    assert y.data.ptr - x.data.mem.ptr == 24
    z = cupy.ndarray((2, 2), "f4", memptr=cupy.cuda.MemoryPointer(x.data.mem, 8), strides=(4, 4))
    assert z.data.mem is x.data.mem
    assert z.data.ptr == 0x10008


def test_records_are_passed_by_their_address():
    """A pointer to a NumPy record is what the driver's launch copies the argument from."""
    from arraytorch.backends.cupy_source import by_value

    record = np.zeros((), [("a", "i8", 3)])
    assert by_value(record).ptr == record.ctypes.data


class Unheard:
    """What no kernel can be given."""


def test_kinds_of_arguments_are_accepted():
    """A launch takes what ours pass, up to where it needs a device, and refuses other things."""
    from arraytorch.backends.cupy_source import by_value

    function = cupy.cuda.Function.__new__(cupy.cuda.Function)
    launch = lambda *args: function((1,), (1,), args, 0, cupy.cuda.Stream.null)
    record = np.zeros((), [("a", "i8", 3)])
    with pytest.raises(TypeError, match="Unsupported type"):
        launch(Unheard())
    for argument in (by_value(record), untouched((4,), "f4"), 3, 1 << 40, 0.5):
        with pytest.raises(Exception, match="(?i)cuda") as caught:
            launch(argument)
        assert not isinstance(caught.value, TypeError), argument


# ------------------------------------------------------------------------------ compiling


def include_folders() -> list[str]:
    """Where CuPy's headers and CUDA's lie, the latter as pip installs them."""
    folders = [str(Path(cupy.__file__).parent / "_core" / "include")]
    spec = importlib.util.find_spec("nvidia")
    for root in spec.submodule_search_locations if spec else ():
        folders += [
            str(p) for p in (*Path(root).glob("*/include"), *Path(root).glob("*/*/include"))
        ]
    return folders


def compiled(source: str, architecture: int) -> str:
    """The program as PTX; raises with NVRTC's log."""
    from cupy.cuda import compiler

    options = [f"--gpu-architecture=compute_{architecture}", "--std=c++17"]
    options += [f"-I{folder}" for folder in include_folders()]
    program = compiler._NVRTCProgram(source, "kernel.cu", (), (), None, "ptx")
    return program.compile(tuple(options))[0]


@pytest.fixture(scope="module")
def nvrtc():
    """Skips where NVRTC and CUDA's headers are not installed."""
    try:
        compiled('#include <cuda_fp16.h>\nextern "C" __global__ void f() {}', 80)
    except Exception as error:
        pytest.skip(f"NVRTC cannot compile here: {str(error)[:200]}")


def sources():
    """Every source with every element type."""
    from arraytorch.backends import cupy as _backend
    from arraytorch.backends.cupy_source import SOURCES

    assert _backend.CupyBackend
    return [(s, t) for s in SOURCES.values() for t in s.types]


@pytest.mark.parametrize("architecture", [75, 80, 90])
def test_kernels_compile(nvrtc, architecture):
    """All sources are CUDA C, for each element type, and define the kernels that are launched."""
    text = "".join(p.read_text("utf-8") for p in CUPY_FILES)
    launched = set(re.findall(r'\b[A-Z_]+\.(?:each|blocks|kernel)\(\s*"(\w+)"', text))
    launched |= set(re.findall(r'_(?:rowwise|drawn)\(\s*"(\w+)"', text))
    entries: set[str] = set()
    for source, name in sources():
        ptx = compiled(source.text(name), architecture)
        ptx = ptx.decode() if isinstance(ptx, bytes) else ptx
        entries |= set(re.findall(r"\.entry (\w+)\(", ptx))
    assert launched <= entries, launched - entries


def test_a_broken_kernel_is_noticed(nvrtc):
    """The compiler does look."""
    source, name = sources()[0]
    with pytest.raises(Exception, match="unheard_of"):
        compiled(source.text(name) + "__device__ int f() { return unheard_of; }", 80)


def test_elementwise_kernels_compile(nvrtc):
    """What CuPy makes of the elementwise kernels compiles for each type of float."""
    from cupy._core import _carray, _kernel

    from arraytorch.backends import cupy_activation, cupy_attention

    if not hasattr(_kernel, "_get_elementwise_kernel_code"):
        pytest.skip("this CuPy has another way to the code of elementwise kernels")
    import ml_dtypes

    def info(kind: int, dtype: object) -> object:
        cls = cupy.ndarray if kind == 1 else _carray.Indexer
        return _kernel._ArgInfo(kind, cls, dtype, 1, True, True)

    for kernel in cupy_activation.KERNELS + cupy_attention.KERNELS:
        for native in (np.float16, ml_dtypes.bfloat16, np.float32, np.float64):
            arrays = [
                info(1, np.dtype(native if p.dtype is None else p.dtype))
                for p in kernel.params[:-1]
            ]
            code = _kernel._get_elementwise_kernel_code(
                (*arrays, info(2, None)), _kernel._TypeMap((("T", np.dtype(native)),)), kernel.params,
                kernel.operation, kernel.name, kernel.preamble,
            )  # fmt: skip
            assert compiled("#include <cupy/carray.cuh>\n" + code, 80)


def test_complex_arrays_have_views_of_reals():
    """Parts and pairs of complex numbers are views, also of arrays in another order."""
    x = untouched((3, 4), "c8")
    assert (x.imag.data.ptr - x.data.ptr, x.real.strides) == (4, (32, 8))
    for y in (x, x.T, x[::2, 1:], x[0, 0]):
        pairs = y[..., None].view("f4")
        assert pairs.shape == (*y.shape, 2)
        assert pairs.strides == (*y.strides, 4)
