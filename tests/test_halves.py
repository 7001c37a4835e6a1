"""Few float16 and bfloat16: what is computed in float32 is rounded once, in value and in place."""

import ml_dtypes
import numpy as np
import pytest

import arraytorch as torch

F = torch.nn.functional
TYPES = [np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16)]
pytestmark = pytest.mark.parametrize("native", TYPES, ids=str)


def some(native, *shape, seed=1):
    x = np.random.default_rng(seed).standard_normal(shape).astype(native)
    return tensor(x), x.astype(np.float32)


def tensor(x):
    dtype = torch.float16 if x.dtype.char == "e" else torch.bfloat16
    return torch.tensor(x.astype(np.float32)).to(dtype)


def same(t, expected, native):
    assert t.dtype is (torch.float16 if native.char == "e" else torch.bfloat16)
    np.testing.assert_array_equal(t.detach().float().numpy(), expected.astype(native).astype("f4"))


@pytest.mark.parametrize("alpha", [2, 0.3, -1.7])
def test_sums_with_a_multiple(native, alpha):
    """The factor is rounded first, as PyTorch's is; then product and sum are rounded together."""
    (t, x), (u, y), (r, row) = some(native, 20, 8), some(native, 20, 8, seed=2), some(native, 8)
    a = np.array(alpha).astype(native).astype(np.float32)
    same(torch.add(t, u, alpha=alpha), x + a * y, native)
    same(torch.sub(t, u, alpha=alpha), x - a * y, native)
    same(torch.rsub(t, u, alpha=alpha), y - a * x, native)
    same(torch.add(t, r, alpha=alpha), x + a * row, native)
    same(torch.add(r, t, alpha=alpha), row + a * x, native)
    same(t.clone().add_(u, alpha=alpha), x + a * y, native)
    same(t.clone().sub_(r, alpha=alpha), x - a * row, native)
    out = torch.empty_like(t)
    assert torch.add(t, u, alpha=alpha, out=out) is out
    same(out, x + a * y, native)
    same(torch._foreach_add([t], [u], alpha=alpha)[0], x + a * y, native)


def test_a_multiple_has_gradients_and_refuses_what_does_not_fit(native):
    """In PyTorch's words, which name C++'s type, and broadcasting's."""
    (t, _), (r, _) = some(native, 3, 4), some(native, 4)
    t.requires_grad_(), r.requires_grad_()
    z = torch.sub(t, r, alpha=2)
    assert z.grad_fn.name() == "SubBackward0"
    z.backward(torch.ones_like(z))
    assert t.grad.tolist() == [[1.0] * 4] * 3 and r.grad.tolist() == [-6.0] * 4
    name = "Half" if native.char == "e" else "BFloat16"
    with pytest.raises(RuntimeError, match=f"cannot be converted to type c10::{name} without over"):
        torch.add(t, t, alpha=1e39)
    with pytest.raises(RuntimeError, match="Boolean alpha only supported for Boolean results"):
        torch.add(t, t, alpha=True)
    with pytest.raises(RuntimeError, match=r"must match the size of tensor b \(3\)"):
        torch.add(t, r[:3], alpha=2)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        t.add_(t, alpha=2)
    batched = torch.vmap(lambda x: torch.add(x, r, alpha=0.5))(t)
    assert torch.equal(batched, torch.add(t, r, alpha=0.5))


def test_products_and_quotients_that_are_added(native):
    """Of equal shapes, of such that broadcast, and in place."""
    (t, x), (u, y), (v, z) = (some(native, 20, 8, seed=s) for s in (1, 2, 3))
    value = np.float32(0.7)
    same(torch.addcmul(t, u, v, value=0.7), x + y * z * value, native)
    same(torch.addcmul(t, u, v[0], value=0.7), x + y * z[0] * value, native)
    same(t.clone().addcmul_(u, v, value=0.7), x + y * z * value, native)
    same(torch.addcdiv(t, u, v, value=0.7), x + y / z * value, native)
    same(torch.lerp(t, u, 0.3), x + (y - x) * np.float32(0.3), native)
    same(torch.lerp(t, u, 0.75), y - (y - x) * np.float32(0.25), native)


def test_biases_of_products(native):
    """Added before the product is rounded, and so are its multiples."""
    (t, x), (w, y), (b, z) = some(native, 6, 16), some(native, 5, 16, seed=2), some(native, 5)
    same(F.linear(t, w, b), x @ y.T + z, native)
    same(F.linear(t[0], w, b), x[0] @ y.T + z, native)
    same(torch.addmm(b, t, w.t()), x @ y.T + z, native)
    c, two = np.float32(0.5), np.float32(2)
    same(torch.addmm(b, t, w.t(), beta=0.5, alpha=2), c * z + two * (x @ y.T), native)
    same(torch.addmv(b, w, t[0]), y @ x[0] + z, native)


@pytest.mark.parametrize("name", ["sigmoid", "rsqrt", "hardsigmoid", "hardswish", "logsigmoid"])
def test_functions_of_several_steps(native, name):
    """To the nearest but where float32's own roundings decide; a second rounding would show in every third."""
    t, x = some(native, 50, 20)
    if name == "rsqrt":
        t, x = t.abs() + 0.125, (np.abs(x) + 0.125).astype(native).astype(np.float32)
    inner = np.clip(x.astype(np.float64) + 3, 0, 6) / 6
    with np.errstate(invalid="ignore"):
        exact = {
            "sigmoid": 1 / (1 + np.exp(-x.astype(np.float64))), "hardsigmoid": inner,
            "rsqrt": 1 / np.sqrt(x.astype(np.float64)), "hardswish": x * inner,
            "logsigmoid": -np.log1p(np.exp(-x.astype(np.float64))),
        }[name]  # fmt: skip
    ours = (getattr(torch, name, None) or getattr(F, name))(t).float().numpy()
    assert (ours != exact.astype(np.float32).astype(native).astype(np.float32)).mean() < 0.01


STEPS = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"momentum": 0.5, "dampening": 0.3, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"weight_decay": 0.1, "maximize": True, "betas": (0.4, 0.99)}),
    ("Adam", {"amsgrad": True}),
    ("AdamW", {}),
]


@pytest.mark.parametrize(("name", "options"), STEPS, ids=str)
def test_steps_of_large_parameters_are_those_of_their_parts(native, name, options):
    """Many elements may take another way than few; what is rounded decides about few last digits."""
    start, _ = some(native, 16, 1500)
    whole = start.clone().requires_grad_()
    parts = [row.clone().requires_grad_() for row in start]
    kind = getattr(torch.optim, name)
    large = kind([whole], lr=0.01, **options)
    small = [kind([p], lr=0.01, **options) for p in parts]
    for seed in (2, 3, 4):
        whole.grad = some(native, 16, 1500, seed=seed)[0]
        for p, g in zip(parts, whole.grad, strict=True):
            p.grad = g.clone()
        for optimizer in (large, *small):
            optimizer.step()
    together = torch.stack([p.detach() for p in parts])
    assert (together != whole.detach()).float().mean() < 0.01
    torch.testing.assert_close(whole.detach(), together, equal_nan=True)  # eps may be rounded to 0
    assert not torch.equal(whole, start)
