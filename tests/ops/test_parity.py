"""The sample table on a device, compared with the CPU: ``pytest --device xpu`` and its like.

Unless told otherwise, it runs on the toy device, which proves the kernels that all devices inherit.
"""

from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from sample import NATIVE
from samples import SAMPLES

import arraytorch as torch
from arraytorch import backends

sys.path.insert(0, os.fspath(Path(__file__).parent.parent))

TOLERANCE = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 4e-5, "complex64": 4e-5}
# Rows whose results have signs that are nobody's choice; they are compared without.
SIGNED = {"svd"}
NARROW = {"float64": "float32", "complex128": "complex64"}
having = lambda wanted: pytest.mark.parametrize("s", [s for s in SAMPLES if wanted(s)], ids=str)


@pytest.fixture(scope="module")
def place(request):
    """The device that is compared with the CPU."""
    kind = request.config.getoption("--device")
    if kind != "cpu":
        torch.ones(1, device=kind)  # raises in the backend's own words if there is none
        yield torch.device(kind)
        return
    from registering import register
    from toy_backend import ToyBackend

    with pytest.MonkeyPatch.context() as patch:
        register(patch, ToyBackend())
        yield torch.device("toy")


def has(place, dtype):
    """Whether the device has arrays of a dtype."""
    return backends.backend_for(place).supports(NATIVE[dtype])


def widest(place, s):
    """The last dtype of a row, or the narrower one that the device has in its place."""
    dtype = s.dtypes[-1]
    return dtype if has(place, dtype) else NARROW.get(dtype, "float32")


def flat(result):
    """The tensors of a result, one or several."""
    return list(result) if isinstance(result, (tuple, list)) else [result]


def tensors(arrays, where="cpu"):
    """Tensors with copies of the arrays' values on a device."""
    return [torch.from_numpy(np.array(x)).to(where) for x in arrays]


def strewn(arrays, where):
    """Tensors with the arrays' values in strange memory of a device."""
    return [_strewn(x, where) for x in arrays]


def _strewn(x, where):
    """A tensor of the same values in strange memory of a device."""
    if not x.ndim:
        return torch.from_numpy(np.array([x, x])).to(where)[1]
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    wide[..., ::2] = x[..., ::-1]
    turned = torch.from_numpy(np.array(wide.T, order="C")).to(where)
    return turned.permute(*reversed(range(x.ndim)))[..., ::2][..., ::-1]


def called(s, given, one, **more):
    """The tensors of a row's result."""
    found = flat(s(given, one, **more))
    return [t.abs() for t in found] if s.name in SIGNED else found


def differentiable(t):
    return t.is_floating_point() or t.is_complex()


def weights(t):
    """Numbers to weigh a result with before it is summed, the same on all devices."""
    values = 0.5 + np.arange(t.numel()).reshape(t.shape) % 7 / 7
    return torch.from_numpy(np.asarray(values)).to(t.dtype).to(t.device)


def pulled(s, given, one, order=1):
    """The results, and the gradients of their weighted sum up to an order."""
    given = [t.detach().requires_grad_() if differentiable(t) else t for t in given]
    wanted = [t for t in given if t.requires_grad]
    results = called(s, given, one)
    found, outs = list(results), results
    for step in range(order):
        outs = [o for o in outs if o is not None and o.requires_grad]
        if not outs:
            break
        outs = torch.autograd.grad(
            outs, wanted, [weights(o) for o in outs], create_graph=step + 1 < order,
            allow_unused=True,
        )  # fmt: skip
        found += outs
    return found


def agree(there, here, place, dtype, what):
    """Compares what a device gave with what the CPU gave."""
    assert len(there) == len(here)
    for a, b in zip(there, here, strict=True):
        if b is None:
            assert a is None or not a.any(), what
            continue
        if a is None:
            assert not b.any(), what
            continue
        assert (a.device.type, a.dtype, a.shape) == (place.type, b.dtype, b.shape), what
        if place.type == "meta":
            continue
        names = dtype, str(b.dtype).removeprefix("torch.")
        tol = max(TOLERANCE.get(n, 1e-9) for n in names)
        a, b = a.detach().cpu(), b.detach()
        if b.dtype in (torch.float16, torch.bfloat16):
            a, b = a.double(), b.double()
        np.testing.assert_allclose(a.numpy(), b.numpy(), tol, tol, err_msg=str(what))


def compare(run, arrays, place, dtype, what, made=tensors):
    """Compares what a function of tensors gives on the device and on the CPU."""
    with np.errstate(all="ignore"):
        try:
            there = run(made(arrays, place))
        except RuntimeError as error:
            if place.type == "meta" and "meta tensors" in str(error):
                return  # the operation looks at elements, and says that there are none
            raise
        here = run(tensors(arrays))
    agree(there, here, place, dtype, what)


def reads_values(place, given):
    """Whether a row's integers are indices, which a device without elements cannot look at."""
    return place.type == "meta" and any(x.dtype.kind in "biu" for x in given)


@having(lambda s: True)
def test_values(s, place):
    """Results have the same shapes, dtypes and values, and lie on the device."""
    for dtype in s.dtypes:
        if not has(place, dtype):
            continue
        for one in s.cases:
            arrays = s.arrays(one, dtype)
            if reads_values(place, arrays):
                continue
            compare(lambda ts, c=one: called(s, ts, c), arrays, place, dtype, (dtype, one))


@having(lambda s: s.grad)
def test_gradients(s, place):
    """First and second gradients agree too."""
    dtype, order = widest(place, s), 2 if s.gradgrad else 1
    for one in s.cases:
        arrays = s.arrays(one, dtype)
        if not reads_values(place, arrays):
            run = lambda ts, c=one: pulled(s, ts, c, order)
            compare(run, arrays, place, dtype, (dtype, one))


@having(lambda s: s.strided)
def test_strided_inputs(s, place):
    """Memory with gaps, in another order or read backwards changes neither results nor gradients."""
    dtype = widest(place, s)
    run = (lambda ts, one: pulled(s, ts, one)) if s.grad else (lambda ts, one: called(s, ts, one))
    for one in s.cases:
        arrays = s.arrays(one, dtype)
        if not reads_values(place, arrays):
            compare(lambda ts, c=one: run(ts, c), arrays, place, dtype, (dtype, one), strewn)


@having(lambda s: "out" in inspect.signature(s.op).parameters and s.op is not torch.where)
def test_out(s, place):
    """out= is filled on the device."""
    one, dtype = s.cases[0], widest(place, s)
    arrays = s.arrays(one, dtype)
    if reads_values(place, arrays):
        return
    plain = s(tensors(arrays), one)
    several = isinstance(plain, tuple)
    outs = [torch.empty(0, dtype=p.dtype, device=place) for p in flat(plain)]
    returned = s(tensors(arrays, place), one, out=tuple(outs) if several else outs[0])
    assert all(r is o for r, o in zip(flat(returned), outs, strict=True))
    if s.name not in SIGNED:
        agree(outs, flat(plain), place, dtype, (dtype, one))


@having(
    lambda s: (
        not s.where
        and s.name != "detach"  # not of a view
        and getattr(s.op, "__name__", "") != "<lambda>"
        and hasattr(torch.Tensor, s.name + "_")
    )
)
def test_in_place(s, place):
    """The form with an underscore writes into the device's memory, through a view too."""
    one, dtype = s.cases[0], widest(place, s)
    arrays = s.arrays(one, dtype)
    method = getattr(torch.Tensor, s.name + "_")
    if reads_values(place, arrays):
        return
    first, *rest = tensors(arrays)
    if not torch.can_cast(s([first, *rest], one).dtype, first.dtype):
        return

    def run(given):
        first, *rest = given
        wide = torch.stack([first, first], -1)
        method(wide[..., 0], *rest, *one.args, **one.kwargs)
        return [wide]

    compare(run, arrays, place, dtype, (dtype, one))


def _float(place):
    return torch.arange(6.0, device=place).reshape(2, 3)


BAD = {
    "index": lambda x, i: x[i],
    "index behind a slice": lambda x, i: x[:, i],
    "index of a list": lambda x, i: x[[0, 5]],
    "assigned index": lambda x, i: x.__setitem__(i, 1.0),
    "integer index": lambda x, i: x[5],
    "index_select": lambda x, i: x.index_select(0, i),
    "index_add": lambda x, i: x.index_add(0, i, x[:2]),
    "index_copy": lambda x, i: x.index_copy(0, i, x[:2]),
    "index_fill": lambda x, i: x.index_fill(0, i, 1.0),
    "index_put": lambda x, i: x.index_put((i,), x[0]),
    "take": lambda x, i: x.take(i * 3),
    "put": lambda x, i: x.put(i * 3, x[0, :2]),
    "gather": lambda x, i: x.gather(0, i[:, None]),
    "scatter": lambda x, i: x.scatter(0, i[:, None], 1.0),
    "scatter_add": lambda x, i: x.scatter_add(0, i[:, None], x),
    "scatter_reduce": lambda x, i: x.scatter_reduce(0, i[:, None], x, "amax"),
    "take_along_dim": lambda x, i: torch.take_along_dim(x, i[:, None], 0),
    "embedding": lambda x, i: torch.nn.functional.embedding(i, x),
    "embedding_bag": lambda x, i: torch.nn.functional.embedding_bag(i[None], x),
    "cross_entropy": lambda x, i: torch.nn.functional.cross_entropy(x, i),
    "nll_loss": lambda x, i: torch.nn.functional.nll_loss(x, i),
    "one_hot": lambda x, i: torch.nn.functional.one_hot(i, 3),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("bad", [7, -9])
def test_bad_indices(name, bad, place):
    """An index out of range raises on the device what it raises on the CPU."""
    if place.type == "meta":
        return  # it has no elements to look at
    words = r"out of (bounds|range)|in the range|must be smaller|non-negative"
    with pytest.raises((IndexError, RuntimeError), match=words) as here:
        BAD[name](_float("cpu"), torch.tensor([0, bad]))
    with pytest.raises(type(here.value), match=words):
        BAD[name](_float(place), torch.tensor([0, bad], device=place))
