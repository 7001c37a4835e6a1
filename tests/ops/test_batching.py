"""Every op of the sample table under vmap: the same as a loop over samples, and so are gradients."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from samples import SAMPLES

import arraytorch as torch

SAMPLES_OF_VMAP = 3
# What picks another number of elements in each sample has no batched result.
DYNAMIC = {"masked_select"}
# What writes into a copy of its first tensor, which therefore has to be batched.
WRITES = {"as_strided_scatter"}


def flat(result):
    """The tensors of a result, one, several or nested."""
    if isinstance(result, (tuple, list)):
        return tuple([t for part in result for t in flat(part)])
    return (result,) if isinstance(result, torch.Tensor) else ()


def batches(s, one, dtype, lead):
    """For each tensor of a case an array of others like it."""
    rng = np.random.default_rng(zlib.crc32(s.name.encode()))
    made = []
    for i, shape in enumerate(one.shapes):
        some = [
            s._values(rng, shape, dtype, i) if isinstance(shape, tuple) else s._fixed(shape, dtype)
            for _ in range(int(np.prod(lead)))
        ]
        made.append(np.stack(some).reshape(*lead, *some[0].shape))
    return made


def leaf(s, array):
    """A tensor of an array's values, which requires gradients if the op has them."""
    t = torch.from_numpy(np.array(array))
    return t.requires_grad_() if s.grad and (t.is_floating_point() or t.is_complex()) else t


def compare(got, wanted, dtype):
    """Equal shapes, dtypes and, up to rounding, values."""
    tol = 1e-9 if dtype in ("float64", "complex128") else 1e-5
    assert len(got) == len(wanted)
    for x, y in zip(got, wanted, strict=True):
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        own = tol if x.dtype in (torch.float64, torch.complex128) else max(tol, 1e-5)
        np.testing.assert_allclose(x.detach().numpy(), y.detach().numpy(), own, own, equal_nan=True)


def gradients(outs, inputs):
    """The gradients of a weighted sum of all results."""
    total = 0
    for k, out in enumerate(outs):
        if out.requires_grad:
            rng = np.random.default_rng(k)
            total = total + (out * torch.from_numpy(rng.uniform(0.5, 1.5, out.shape))).sum()
    total = total.real + total.imag if total.is_complex() else total
    return torch.autograd.grad(total, inputs, allow_unused=True)


def check(s, arrays, dims, call, loop):
    """Compares two ways to call an op with batches, where a dim is not None."""
    ours, theirs = ([leaf(s, a) for a in arrays] for _ in range(2))
    wanted = loop(theirs)
    got = call([t if d in (None, 0) else t.movedim(0, -1) for t, d in zip(ours, dims, strict=True)])
    compare(got, wanted, str(arrays[0].dtype) if arrays else "float64")
    inputs = [(a, b) for a, b in zip(ours, theirs, strict=True) if a.requires_grad]
    if s.grad and inputs and any(t.requires_grad for t in wanted):
        a, b = (
            gradients(o, list(i))
            for o, i in zip((got, wanted), zip(*inputs, strict=True), strict=True)
        )
        assert [g is None for g in a] == [g is None for g in b]
        compare(*([g for g in side if g is not None] for side in (a, b)), str(arrays[0].dtype))


@pytest.mark.parametrize("s", [s for s in SAMPLES if s.name not in DYNAMIC], ids=str)
def test_vmap_is_a_loop_over_samples(s):
    """With all tensors batched, and with each alone along its last dimension."""
    dtype = "float64" if "float64" in s.dtypes else s.dtypes[-1]
    for one in s.cases:
        count = len(one.shapes)
        modes = [(0,) * count] + [
            tuple([-1 if i == k else None for i in range(count)]) for k in range(min(count, 3))
        ]
        for dims in modes:
            if s.name in WRITES and dims[0] is None:
                continue
            whole = batches(s, one, dtype, (SAMPLES_OF_VMAP,))
            arrays = [a if d is not None else a[0] for a, d in zip(whole, dims, strict=True)]

            def function(*tensors, one=one):
                return flat(s(list(tensors), one))

            def loop(tensors, dims=dims, function=function):
                rows = [
                    function(
                        *[t if d is None else t[i] for t, d in zip(tensors, dims, strict=True)]
                    )
                    for i in range(SAMPLES_OF_VMAP)
                ]
                return [torch.stack(list(column)) for column in zip(*rows, strict=True)]

            if not function(*[torch.from_numpy(np.array(a[0])) for a in whole]):
                continue
            mapped = torch.vmap(function, dims)
            check(s, arrays, dims, lambda tensors, mapped=mapped: mapped(*tensors), loop)


@pytest.mark.parametrize("s", [s for s in SAMPLES if s.name not in DYNAMIC and s.grad], ids=str)
def test_vmap_inside_vmap(s):
    """The first tensor belongs to one level, the others to the other, or all to both."""
    dtype = "float64" if "float64" in s.dtypes else s.dtypes[-1]
    one = s.cases[0]
    count = len(one.shapes)
    for outer, inner in (
        ((0,) * count, (0,) * count),
        ((0, *(None,) * (count - 1)), (None, *(0,) * (count - 1))),
    ):
        if not any(d == 0 for d in inner) or (s.name in WRITES and inner[0] is None):
            continue
        whole = batches(s, one, dtype, (2, 2))
        arrays = [
            a[tuple([slice(None) if d == 0 else 0 for d in pair])]
            for a, pair in zip(whole, zip(outer, inner, strict=True), strict=True)
        ]

        def function(*tensors):
            return flat(s(list(tensors), one))

        def loop(tensors, outer=outer, inner=inner):
            rows = []
            for i in range(2):
                mine = [t[i] if d == 0 else t for t, d in zip(tensors, outer, strict=True)]
                parts = [
                    function(*[t[j] if d == 0 else t for t, d in zip(mine, inner, strict=True)])
                    for j in range(2)
                ]
                rows.append([torch.stack(list(c)) for c in zip(*parts, strict=True)])
            return [torch.stack(list(c)) for c in zip(*rows, strict=True)]

        if not function(*[torch.from_numpy(np.array(a[0, 0])) for a in whole]):
            continue
        mapped = torch.vmap(torch.vmap(function, inner), outer)
        check(s, arrays, (0,) * count, lambda tensors, mapped=mapped: mapped(*tensors), loop)
