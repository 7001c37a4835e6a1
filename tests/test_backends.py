"""Devices: which backend serves them, what is said if none does, and a third party's own."""

from __future__ import annotations

import inspect
from importlib import metadata

import numpy as np
import pytest
from registering import forget

import arraytorch as torch
from arraytorch import backends
from arraytorch.backends.generic import ArrayModuleBackend
from arraytorch.backends.protocol import Backend, Elementwise
from arraytorch.nn import functional as F

VENDORS = {"cuda": ("USE_CUDA", "USE_ROCM"), "xpu": ("USE_XPU",)}


class Point:
    """What importlib.metadata says of an installed package."""

    name = "toy"

    def load(self):
        from toy_backend import ToyBackend

        return ToyBackend


@pytest.fixture
def toy(monkeypatch):
    """The device type of a package that is installed for the length of a test."""
    monkeypatch.setattr(
        metadata, "entry_points", lambda group, name="toy": [Point()] if name == "toy" else []
    )
    from toy_backend import Toy

    forget(monkeypatch, [Toy])
    return "toy"


@pytest.fixture
def absent(monkeypatch):
    """No vendor's array library can be found."""
    monkeypatch.setattr(backends, "find_spec", lambda name: None)
    monkeypatch.setattr(backends, "_LOADED", {"cpu": backends._LOADED["cpu"]})
    for names in VENDORS.values():
        for name in names:
            monkeypatch.delenv(name, raising=False)


# ------------------------------------------------------------------------- what is not there


@pytest.mark.parametrize("kind", VENDORS)
def test_missing_library_says_what_to_install(absent, kind):
    """The error names the package and the extra that brings it."""
    with pytest.raises(RuntimeError, match=rf"(?s)'{kind}' device needs .*pip install"):
        torch.ones(2, device=kind)


@pytest.mark.parametrize("kind", VENDORS)
def test_device_switched_off_says_by_what(absent, monkeypatch, kind):
    """USE_CUDA=0 and its kin turn a device off, and the error says so."""
    for name in VENDORS[kind]:
        monkeypatch.setenv(name, "0")
    with pytest.raises(RuntimeError, match=f"switched off by {VENDORS[kind][0]}=0"):
        torch.ones(2, device=kind)


def test_one_switch_of_two_leaves_the_device_on(absent, monkeypatch):
    """USE_CUDA=0 alone leaves AMD's GPUs, which have the device type cuda too."""
    monkeypatch.setenv("USE_CUDA", "0")
    with pytest.raises(RuntimeError, match="pip install"):
        torch.ones(2, device="cuda")


def test_unknown_device_raises():
    """As in PyTorch, the error lists the devices that there are."""
    with pytest.raises(RuntimeError, match="device"):
        torch.device("abacus")


def test_is_available_does_not_raise(absent):
    """Asking is no error."""
    assert backends.is_available("cpu")
    assert not backends.is_available("xpu")


def test_show_lists_every_device(absent):
    """The table says of each device what serves it or why nothing does."""
    lines = dict(line.split(": ", 1) for line in backends.show().splitlines())
    assert lines["cpu"].startswith("NumPy")
    assert lines["xpu"].startswith("absent")
    assert "meta" in lines


# ---------------------------------------------------------------------------- device strings


@pytest.mark.parametrize(
    ("text", "kind", "index"), [("cpu", "cpu", None), ("cuda:1", "cuda", 1), ("meta", "meta", None)]
)
def test_device_strings(text, kind, index):
    """A device is a type and perhaps a number."""
    place = torch.device(text)
    assert (place.type, place.index, str(place)) == (kind, index, text)
    assert place == torch.device(kind, index)


@pytest.mark.parametrize("text", ["cpu:", "cpu:-1", "cpu:1x", ""])
def test_malformed_device_strings_raise(text):
    """What is no device string is not taken for one."""
    with pytest.raises(RuntimeError):
        torch.device(text)


def test_device_number_that_does_not_exist_raises():
    """There is one CPU."""
    with pytest.raises(RuntimeError, match="1 'cpu' device"):
        torch.ones(1, device="cpu:7")


# --------------------------------------------------------------------------- several devices


MIXED = [
    lambda x, y: x + y,
    lambda x, y: x @ y,
    lambda x, y: torch.cat([x, y]),
    lambda x, y: torch.where(x > 0, x, y),
    lambda x, y: torch.stack([x, y]),
    lambda x, y: torch.gather(x, 0, y.long()),
    lambda x, y: torch.index_select(x, 0, y.long()[0]),
    lambda x, y: torch.equal(x, y),
]


@pytest.mark.parametrize("op", MIXED)
def test_tensors_on_two_devices_raise(op):
    """The error names both devices."""
    x, y = torch.ones(2, 2), torch.ones(2, 2, device="meta")
    for a, b in ((x, y), (y, x)):
        with pytest.raises(RuntimeError, match=r"(?s)cpu.*meta|meta.*cpu"):
            op(a, b)


def test_scalars_of_the_cpu_go_anywhere():
    """A 0-d CPU tensor counts as a number."""
    assert (torch.ones(2, device="meta") * torch.tensor(3.0)).is_meta


# ------------------------------------------------------------------------ a backend of others


def test_entry_point_is_found(toy):
    """The name of the entry point is the device type."""
    x = torch.ones(2, device=toy)
    assert (str(x.device), type(x._data).__name__) == ("toy:0", "Toy")
    assert "toy: toys" in backends.show()


def test_unknown_type_of_array_is_refused():
    """What no backend has registered is no array."""
    with pytest.raises(TypeError, match="no backend"):
        backends.backend_of(object())


def test_ops_give_the_same_on_another_backend(toy):
    """Views, reductions, indexing, sorting and products agree with the CPU's."""
    x = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    for f in (
        lambda t: (t * 2 - t.exp()).sum(1),
        lambda t: t.T.reshape(-1)[2:9:3],
        lambda t: t.softmax(1).log().var(0),
        lambda t: t.sort(1).values.cumsum(1),
        lambda t: t.topk(2).values @ t[:2],
        lambda t: t[t > 0].mean() + t.max(0).values.prod(),
        lambda t: torch.einsum("ij,kj->ik", t, t).tril().diagonal(),
        lambda t: torch.linalg.solve(t @ t.T + torch.eye(4, device=t.device), t).norm(),
        lambda t: t.index_add(0, torch.tensor([1, 1], device=t.device), t[:2]),
        lambda t: t.scatter_reduce(0, (t > 0).long(), t, "amax"),
    ):
        here, there = x.clone().requires_grad_(), x.to(toy).requires_grad_()
        a, b = f(here), f(there)
        np.testing.assert_allclose(b.detach().cpu().numpy(), a.detach().numpy(), 1e-4, 1e-5)
        a.square().sum().backward()
        b.square().sum().backward()
        assert there.grad.device.type == "toy"
        np.testing.assert_allclose(there.grad.cpu().numpy(), here.grad.numpy(), 1e-3, 1e-4)


def test_model_learns_on_another_backend(toy):
    """A small model, its loss and its optimizer know nothing of the device."""
    losses = {}
    for place in ("cpu", toy):
        torch.manual_seed(0)
        model = torch.nn.Sequential(
            torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(),
            torch.nn.BatchNorm1d(36), torch.nn.Linear(36, 3),
        ).to(place)  # fmt: skip
        x, y = torch.randn(16, 1, 8, 8).to(place), (torch.arange(16) % 3).to(place)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        losses[place] = []
        for _ in range(5):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            losses[place].append(loss.item())
        assert next(model.parameters()).device.type == place
    np.testing.assert_allclose(losses[toy], losses["cpu"], 1e-4)
    assert losses[toy][-1] < losses[toy][0] / 2


# ------------------------------------------------------------------------------- the protocol


def promised():
    """The kernels that the protocol names, with its signatures."""
    for part in Backend.__mro__:
        for name, function in vars(part).items():
            if part.__module__ == Backend.__module__ and inspect.isfunction(function):
                if not name.startswith("_"):
                    yield name, list(inspect.signature(function).parameters)
    # What is the library's own function has no signature to compare.
    yield from ((n, None) for n in Elementwise.__annotations__)


@pytest.mark.parametrize("kind", ["cpu", "meta"])
def test_backends_keep_the_protocol(kind):
    """Every kernel that the protocol names is there, with the arguments that it names."""
    B = backends.backend_for(torch.device(kind))
    assert isinstance(B, ArrayModuleBackend)
    for name, parameters in promised():
        kernel = getattr(B, name)
        if parameters is not None and inspect.ismethod(kernel):
            own = ["self", *inspect.signature(kernel).parameters]
            assert own[: len(parameters)] == parameters, name
