"""Intel devices through dpnp: which there are, what goes in and out, and the kernels of our own."""

from __future__ import annotations

import copy
import io
import os
import pickle
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from registering import register

import arraytorch as torch
from arraytorch import backends
from arraytorch.nn import functional as F
from arraytorch.ops._declare import OPS

pytestmark = pytest.mark.skipif(find_spec("dpnp") is None, reason="dpnp is not installed")
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def B():
    """The backend."""
    return backends.backend_for(torch.device("xpu"))


@pytest.fixture(params=[True])
def two(monkeypatch, request):
    """A backend of two devices, halves of the CPU; the parameter tells whether they have float64."""
    from arraytorch.backends.dpnp import DpnpBackend
    from arraytorch.backends.dpnp_devices import Devices, found

    devices = Devices(found()[0].create_sub_devices(partition=[1, 1]))
    for half in devices.all:
        half.__dict__["has_float64"] = request.param
    forget_kernels()
    yield register(monkeypatch, DpnpBackend(devices))
    forget_kernels()


def forget_kernels():
    """Operations keep the kernels of the backend that they first met."""
    for op in vars(OPS).values():
        if hasattr(op, "declared"):
            op.declared.kernels.clear()


def run(code, **environment):
    """What a fresh interpreter prints."""
    variables = {n: v for n, v in os.environ.items() if n != "OCL_ICD_FILENAMES"}
    done = subprocess.run(
        [sys.executable, "-c", "import arraytorch as torch\n" + code],
        capture_output=True, text=True, env={**variables, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# ------------------------------------------------------------------------------ being found


def test_pip_installed_runtime_is_found():
    """Nobody has to set a variable for the runtime that pip installed beside dpnp."""
    assert run("print(torch.ones(2, device='xpu').sum().item())") == "2.0"


def test_runtime_of_the_user_stays():
    """What the user has set is used, and if that shows no device, the error says so."""
    code = """
try:
    torch.ones(2, device='xpu')
except RuntimeError as error:
    print(torch.xpu.is_available(), error)
"""
    printed = run(code, OCL_ICD_FILENAMES="/nowhere/lib.so", OCL_ICD_VENDORS="/nowhere")
    assert printed.startswith("False dpnp is installed, but SYCL finds no device")


def test_broken_dpnp_is_a_clear_error():
    """An installation that cannot be imported is no traceback from inside it."""
    code = """
import sys
sys.modules['dpctl'] = None
try:
    torch.ones(2, device='xpu')
except RuntimeError as error:
    print(error)
"""
    assert run(code).startswith("the 'xpu' device needs dpnp, which cannot be imported: ")


def test_import_does_not_load_dpnp():
    """A device that is not used costs nothing."""
    assert run("import sys; print('dpnp' in sys.modules, 'dpctl' in sys.modules)") == "False False"


def test_facts(B):
    """The device says what it is."""
    facts = B.facts(0)
    assert facts.name and facts.vendor and facts.total_memory > 0 and facts.compute_units > 0
    assert B.device_count() >= 1 and B.current_device() == 0
    assert "dpnp" in B.describe() and facts.name in backends.show()


# ------------------------------------------------------------------------------- in and out


def test_ways_in_and_out():
    """Tensors are made there, moved there and back, and say where they are."""
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], device="xpu")
    assert x.is_xpu and str(x.device) == "xpu:0" and x.get_device() == 0
    assert repr(x) == "tensor([[1., 2.],\n        [3., 4.]], device='xpu:0')"
    assert x.cpu().tolist() == x.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert torch.ones(2).to("xpu").device == torch.ones(2).xpu().device == x.device
    assert x.to("xpu") is x and x[1, 0].item() == 3.0
    with pytest.raises(TypeError, match=r"can't convert xpu:0 .* Use Tensor.cpu\(\)"):
        x.numpy()


def test_pickle_copy_and_files():
    """Copies and files keep the device, and a file can be loaded to another."""
    x = torch.randn(2, 3, device="xpu").requires_grad_()
    base = torch.arange(6.0, device="xpu")
    saved = io.BytesIO()
    torch.save({"base": base, "view": base[2:4]}, saved)
    saved.seek(0)
    loaded = torch.load(saved)
    loaded["base"][2] = 9
    assert loaded["view"].tolist() == [9.0, 3.0] and loaded["view"].device.type == "xpu"
    for again in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
        assert again.device == x.device and again.requires_grad and torch.equal(again, x)
    saved.seek(0)
    assert torch.load(saved, map_location="cpu")["view"].device.type == "cpu"


def test_devices_do_not_mix():
    """The error names both; numbers and 0-d tensors of the CPU go anywhere."""
    x = torch.ones(2, device="xpu")
    ops = (
        torch.add,
        torch.matmul,
        lambda a, b: torch.cat([a, b]),
        lambda a, b: F.cross_entropy(a[None], b[:1].long()),
    )
    for op in ops:
        with pytest.raises(RuntimeError, match=r"(?s)xpu:0.*cpu|cpu.*xpu:0"):
            op(x, torch.ones(2))
    assert (x * torch.tensor(3.0)).tolist() == [3.0, 3.0]


def test_gradient_from_elsewhere_is_refused():
    """backward takes gradients on the result's device."""
    x = torch.ones(2, device="xpu", requires_grad=True)
    with pytest.raises(RuntimeError, match="expected device xpu:0 but got cpu"):
        (x * 2).backward(torch.ones(2))


def test_bfloat16_is_refused():
    """dpnp has no bfloat16, and every way to one says so."""
    makers = (
        lambda: torch.zeros(2, dtype=torch.bfloat16, device="xpu"),
        lambda: torch.ones(2).bfloat16().to("xpu"),
        lambda: torch.ones(2, device="xpu").bfloat16(),
        lambda: torch.tensor([1.0], dtype=torch.bfloat16, device="xpu"),
    )
    for make in makers:
        with pytest.raises(TypeError, match="bfloat16 on an XPU: dpnp has no such type"):
            make()


def test_dlpack_shares_memory():
    """dpnp's arrays become tensors and tensors become dpnp's arrays without copying."""
    import dpnp

    theirs = dpnp.arange(4, dtype="f4")
    ours = torch.from_dlpack(theirs)
    ours[0] = 7
    assert float(theirs[0]) == 7 and (ours + torch.ones(4, device="xpu")).tolist()[0] == 8
    back = dpnp.from_dlpack(ours)
    back[1] = 5
    assert ours.tolist() == [7.0, 5.0, 2.0, 3.0]
    assert torch.from_dlpack(torch.ones(2)).device.type == "cpu"


# ------------------------------------------------------------------- queues, marks and memory


def test_queues_and_marks(B):
    """Marks are reached in order and measure time; new queues are the device's one."""
    queue, mark = B.new_queue(0, 0), B.new_mark(0, False, False, False)
    first, last = (B.new_mark(0, True, False, False) for _ in range(2))
    assert (queue.index, queue.priority) == (0, 0) and queue.pointer
    assert B.mark_done(mark)
    B.record(first, B.default_queue(0))
    x = torch.randn(300, 300, device="xpu")
    y = x @ x
    B.record(mark, queue)
    B.record(last, queue)
    B.wait(queue, mark)
    B.synchronize_mark(mark)
    B.synchronize_queue(queue)
    B.synchronize(0)
    assert B.mark_done(mark) and B.queue_done(queue) and y.isfinite().all()
    assert B.milliseconds(first, last) > 0


def test_memory_is_counted(B):
    """The statistics tell what living arrays hold; views and dead ones count nothing."""
    before = B.memory_stats(0)["allocated_bytes.all.current"]
    x = torch.zeros(1000, 256, device="xpu")
    view = x[3:]
    stats = B.memory_stats(0)
    assert stats["allocated_bytes.all.current"] - before == 1_024_000
    free, total = B.memory_info(0)
    assert 0 < free <= total
    del x, view
    assert B.memory_stats(0)["allocated_bytes.all.current"] == before
    assert B.memory_stats(0)["allocated_bytes.all.peak"] >= before + 1_024_000
    B.reset_memory_stats(0, True)
    assert B.memory_stats(0)["allocated_bytes.all.peak"] == before


def test_several_devices(two):
    """Results lie where the arguments do, whichever device is current."""
    x = torch.randn(3, 4, device="xpu:1")
    there = torch.device("xpu:1")
    results = (
        x.softmax(1), x > 0, x[x > 0], x.T.reshape(-1), x.sort(1).values, x.sum(0), x @ x.T,
        torch.arange(3, device=there), torch.eye(3, device=there), x.index_add(0, torch.tensor(
        [1], device=there), x[:1]), torch.linalg.svd(x).S, torch.fft.fft(x), x.clone(),
        x.as_strided((2, 2), (1, 4)), torch.nn.functional.one_hot(torch.tensor([1], device=there)),
        F.conv1d(x[None], torch.ones(2, 3, 2, device=there)), torch.rand(3, device=there),
    )  # fmt: skip
    assert {str(r.device) for r in results} == {"xpu:1"}
    assert two.current_device() == 0
    y = x.requires_grad_().exp().sum()
    y.backward()
    assert x.grad.device == there
    with pytest.raises(RuntimeError, match="xpu:1 and xpu:0|xpu:0 and xpu:1"):
        x + torch.ones(3, 4, device="xpu:0")
    assert torch.equal(x.to("xpu:0").cpu(), x.cpu()) and x.to("xpu:0").device.index == 0
    two.set_device(1)
    assert torch.zeros(1, device="xpu").device == there
    two.set_device(0)
    assert pickle.loads(pickle.dumps(x.detach())).device == there


@pytest.mark.parametrize("two", [False], indirect=True)
def test_device_without_float64(two, monkeypatch):
    """Where there is no double precision, asking for it is PyTorch's error, and the rest works."""
    import dpnp

    cast = dpnp.ndarray.astype

    def astype(self, dtype, *args, **kwargs):
        assert np.dtype(dtype) not in (np.float64, np.complex128), "there is no float64"
        return cast(self, dtype, *args, **kwargs)

    monkeypatch.setattr(dpnp.ndarray, "astype", astype)
    assert not two.supports(np.dtype("f8")) and two.supports(np.dtype("f4"))
    makers = (
        lambda: torch.zeros(2, dtype=torch.float64, device="xpu"),
        lambda: torch.ones(2).double().to("xpu"),
        lambda: torch.ones(2, device="xpu").double(),
        lambda: torch.ones(2, device="xpu").to(torch.complex128),
    )
    for make in makers:
        with pytest.raises(RuntimeError, match="Required aspect fp64 is not supported"):
            make()
    x = torch.linspace(0.5, 2, 12, device="xpu").reshape(3, 4).requires_grad_()
    i = torch.tensor([0, 2, 0], device="xpu")
    results = (
        x.exp(), x.softmax(1), F.layer_norm(x, (4,)), F.gelu(x), x.sum(), x.var(), x.sort(1)[0],
        F.embedding(i, x), F.cross_entropy(x, i), torch.arange(3, device="xpu"), x[i], x.cumsum(0),
        torch.logspace(0, 1, 3, device="xpu"), x / 2, i / 2, x.quantile(0.5), torch.bincount(i),
        torch.erf(x), torch.lgamma(x), x.std(0), x.norm(), F.interpolate(x[None], scale_factor=2),
        torch.rand(3, device="xpu"), torch.randn(3, device="xpu"), i.exp(), x.pow(2).mean(),
    )  # fmt: skip
    for result in results:
        assert result.dtype in (torch.float32, torch.int64)
        if result.requires_grad:
            result.sum().backward()


# ------------------------------------------------------------------------ kernels of our own


def same(x, y):
    """Whether a kernel and the generic one gave the same."""
    for a, b in zip(*(t if isinstance(t, tuple) else (t,) for t in (x, y)), strict=True):
        if a is None or b is None:
            continue
        assert (a.dtype.kind, a.shape) == (b.dtype.kind, b.shape)  # the operation narrows some
        tol = {2: 2e-3, 4: 2e-5}.get(a.dtype.itemsize, 1e-12)
        np.testing.assert_allclose(a.asnumpy(), b.asnumpy(), tol, tol)


def conv_geometry(*spatial, stride=2, padding=1, size=3):
    from arraytorch.backends.convolution import convolution

    n = len(spatial)
    return convolution(
        (stride,) * n, ((padding, padding),) * n, (1,) * n, 1, (size,) * n, tuple(spatial)
    )


KERNELS = {
    "amax": lambda B, x, g, i: B.amax(x, (1,), False),
    "amin of columns": lambda B, x, g, i: B.amin(x, (0,), True),
    "argmax": lambda B, x, g, i: B.argmax(x, 1, True),
    "argmin": lambda B, x, g, i: B.argmin(x, 0, False),
    "softmax": lambda B, x, g, i: B.softmax(x, 1),
    "softmax of columns": lambda B, x, g, i: B.softmax(x, 0),
    "softmax_backward": lambda B, x, g, i: B.softmax_backward(g, B.softmax(x, 1), 1),
    "log_softmax": lambda B, x, g, i: B.log_softmax(x, 1),
    "log_softmax_backward": lambda B, x, g, i: B.log_softmax_backward(g, B.log_softmax(x, 0), 0),
    "layer norm": lambda B, x, g, i: B.norm_affine(x, (1,), x[:1], x[1:2], 1e-5),
    "batch norm": lambda B, x, g, i: B.norm_affine(x, (0,), x[:1], x[1:2], 1e-5),
    "instance norm": lambda B, x, g, i: B.norm_affine(
        x.reshape(4, 5, -1), (2,), x[:1, :5].reshape(1, 5, 1), None, 1e-5
    ),
    "batch norm backward": lambda B, x, g, i: B.norm_affine_backward(
        g, x, (0,), x[:1], *B.norm_affine(x, (0,), None, None, 1e-5)[1:], (True, True, True)
    ),
    "layer norm backward": lambda B, x, g, i: B.norm_affine_backward(
        g, x, (1,), x[:1], *B.norm_affine(x, (1,), None, None, 1e-5)[1:], (True, False, False)
    ),
    "take": lambda B, x, g, i: B.take(x, i, 0),
    "take columns": lambda B, x, g, i: B.take(x, i, 1),
    "gather": lambda B, x, g, i: B.gather(x, 0, B.expand(i[:, None], (i.size, x.shape[1]))),
    "getitem": lambda B, x, g, i: B.getitem(x, (i.reshape(3, -1),)),
    "add_at": lambda B, x, g, i: B.unindex(g[: i.size], (i,), x.shape),
    "scatter_add": lambda B, x, g, i: B.scatter_add(
        x, 0, B.expand(i[:, None], (i.size, x.shape[1])), g[: i.size]
    ),
    "scatter_reduce": lambda B, x, g, i: B.scatter_reduce(
        x, 0, B.expand(i[:, None], (i.size, x.shape[1])), g[: i.size], "amax", True
    ),
    "relu": lambda B, x, g, i: B.relu(x),
    "step": lambda B, x, g, i: B.step(x),
    "sigmoid": lambda B, x, g, i: B.sigmoid(x),
    "gelu": lambda B, x, g, i: B.gelu(x, "none"),
    "gelu tanh": lambda B, x, g, i: B.gelu(x, "tanh"),
    "gelu backward": lambda B, x, g, i: B.gelu_backward(g, x, "none"),
    "gelu tanh backward": lambda B, x, g, i: B.gelu_backward(g, x, "tanh"),
    "columns": lambda B, x, g, i: B._columns(x.reshape(2, 2, 10, 12), conv_geometry(10, 12)),
    "columns of a line": lambda B, x, g, i: B._columns(x.reshape(2, 2, 120), conv_geometry(120)),
    "columns of a volume": lambda B, x, g, i: B._columns(
        x.reshape(2, 2, 5, 4, 6), conv_geometry(5, 4, 6)
    ),
    "gathered": lambda B, x, g, i: B._gathered(
        x.reshape(2, 4, 4, 3, 5), conv_geometry(4, 8, size=2)
    ),
    "max pool": lambda B, x, g, i: B.max_pool_arg(x.reshape(2, 2, 10, 12), conv_geometry(10, 12)),
    "max pool backward": lambda B, x, g, i: B.max_pool_input(
        *B.max_pool_arg(x.reshape(2, 2, 10, 12), conv_geometry(10, 12)), conv_geometry(10, 12)
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("name", KERNELS)
def test_kernels_agree_with_the_generic_ones(B, monkeypatch, name, dtype):
    """What OpenCL computes is what the generic kernels do, for views too."""
    rng = np.random.default_rng(0)
    x, g = (B.from_host(rng.normal(size=(20, 24)).astype(dtype)) for _ in range(2))
    i = B.from_host(rng.integers(0, 20, 15))
    if dtype == "float16" and name in ("step", "relu"):
        x = B.from_host(np.array([[np.nan, -np.inf, 0, -0.0]] * 5, dtype))
    views = ((x, g), (x[::-1], g[:, ::-1])) if "s of" not in name else ((x, g),)
    launched = []
    launch = B.launch
    for a, b in views:
        monkeypatch.setattr(B, "launch", lambda *p, **k: launched.append(1) or launch(*p, **k))
        ours = KERNELS[name](B, a, b, i)
        monkeypatch.setattr(B, "launch", lambda *p, **k: False)
        same(ours, KERNELS[name](B, a, b, i))
    assert launched


def test_extremes_of_rows_keep_nan(B):
    """NaN is the largest and the smallest, and its first place is told."""
    x = np.zeros((20, 5), "f4")
    x[3, 2] = x[3, 4] = np.nan
    x[4] = -np.inf
    there = B.from_host(x)
    np.testing.assert_array_equal(B.amax(there, (1,), False).asnumpy(), x.max(1))
    np.testing.assert_array_equal(B.argmax(there, 1, False).asnumpy(), x.argmax(1))
    np.testing.assert_array_equal(B.argmin(there, 1, False).asnumpy(), x.argmin(1))
    softmax = B.softmax(there, 1).asnumpy()
    assert np.isnan(softmax[3]).all() and np.isnan(softmax[4]).all() and softmax[0, 0] == 0.2


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "float16", "complex64"])
def test_repeated_places_are_all_added(B, dtype):
    """Thousands of additions to one place lose none, whatever runs at once."""
    target = B.zeros((3,), np.dtype(dtype))
    index = B.from_host(np.arange(6000) % 2)
    B.add_at(target, (index,), B.from_host(np.full(6000, 1 if dtype != "float16" else 0.5, dtype)))
    expected = [3000, 3000, 0] if dtype != "float16" else [1500, 1500, 0]
    assert target.asnumpy().tolist() == expected


def test_work_that_nobody_waits_for(B, monkeypatch):
    """On GPUs kernels run beside the host, and keep the memory that they use."""
    monkeypatch.setitem(vars(B.devices.all[0]), "facts", B.facts(0)._replace(integrated=False))
    for k in range(20):
        x = torch.full((100, 1000), float(k), device="xpu") + 1
        y = (x.relu() * 2).softmax(1).amax(1)
        assert y.min().item() == y.max().item() == pytest.approx(1e-3)
        del x, y


def test_random_bits(B, monkeypatch):
    """The kernel gives the bits of the generic rounds, whatever the counter and the key."""
    for seed, counter in ((0, 0), (2**63 + 5, 2**40 + 3), (12345678901234, 1)):
        ours = B.philox(seed, counter, 1000)
        with monkeypatch.context() as patch:
            patch.setattr(B, "launch", lambda *p, **k: False)
            theirs = B.philox(seed, counter, 1000)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a.asnumpy(), b.asnumpy())
    torch.manual_seed(7)
    x = torch.randn(100, device="xpu")
    torch.manual_seed(7)
    assert torch.equal(x, torch.randn(100, device="xpu")) and 0.7 < x.std().item() < 1.3


def test_empty_tensors():
    """What dpnp refuses of arrays without elements, or gives them strides of 0 for."""
    x = torch.ones(0, 5, 0, device="xpu")
    assert torch.rand_like(x).shape == torch.zeros_like(x).shape == (0, 5, 0)
    assert torch.histc(x, bins=2, min=0, max=1).tolist() == [0.0, 0.0]
    assert torch.bincount(x.reshape(-1).long(), minlength=2).tolist() == [0, 0]
    assert torch.nn.functional.embedding(torch.tensor(1), torch.eye(2)).tolist() == [0.0, 1.0]
    table, at = torch.eye(2, device="xpu"), torch.tensor(1, device="xpu")
    assert torch.nn.functional.embedding(at, table).tolist() == [0.0, 1.0]
    assert torch.empty_like(torch.ones(1, device="xpu").expand(3)).fill_(2).tolist() == [2.0] * 3


@pytest.mark.parametrize("slices", [0, 1, 2])
def test_arrays_with_slices_between(slices):
    """dpnp takes no such index; results and gradients are the CPU's."""
    i, j = torch.tensor([0, 1, 1]), torch.tensor([[2], [0]])
    mask = torch.tensor([True, False, True])
    index = lambda d: (
        (i.to(d), slice(None), j.to(d)),
        (slice(1), i.to(d), slice(1, None), j.to(d)),
        (mask.to(d), ..., i[:2].to(d)),
    )[slices]
    results = []
    for d in ("cpu", "xpu"):
        x = torch.arange(3.0 * 4 * 3 * 3).reshape(3, 4, 3, 3).to(d).requires_grad_()
        y = x[index(d)]
        y.square().sum().backward()
        z = x.detach().clone()
        z[index(d)] = 5.0
        results.append((y.detach().cpu(), x.grad.cpu(), z.cpu()))
    for here, there in zip(*results, strict=True):
        assert torch.equal(here, there)


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_training_follows_the_cpu(optimizer):
    """A network with convolutions, norms and pools learns there as it does on the CPU."""
    options = {"SGD": {"momentum": 0.9, "nesterov": True, "lr": 0.05}}.get(optimizer, {})
    losses = {}
    for where in ("cpu", "xpu"):
        torch.manual_seed(0)
        model = torch.nn.Sequential(
            torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.BatchNorm2d(4), torch.nn.ReLU(),
            torch.nn.MaxPool2d(2), torch.nn.Flatten(), torch.nn.LayerNorm(64),
            torch.nn.Linear(64, 8), torch.nn.GELU(), torch.nn.Linear(8, 3),
        ).to(where)  # fmt: skip
        data = torch.utils.data.TensorDataset(torch.randn(32, 1, 8, 8), torch.arange(32) % 3)
        step = getattr(torch.optim, optimizer)(model.parameters(), **options)
        losses[where] = []
        for images, labels in torch.utils.data.DataLoader(data, batch_size=8):
            step.zero_grad()
            loss = F.cross_entropy(model(images.to(where)), labels.to(where))
            loss.backward()
            step.step()
            losses[where].append(loss.item())
    assert next(model.parameters()).device.type == "xpu"
    np.testing.assert_allclose(losses["xpu"], losses["cpu"], 2e-3)


def test_integers_to_negative_powers():
    """As on the CPU: an error for a number, and for tensors 0 unless the base is 1 or -1."""
    x = torch.tensor([2, 1, -1], device="xpu")
    with pytest.raises(RuntimeError, match="negative integer powers"):
        x**-1
    assert (x ** torch.tensor([-1, -1, -1], device="xpu")).tolist() == [0, 1, -1]
    assert (1 ** torch.tensor([-2, 3], device="xpu")).tolist() == [1, 1]
