"""Large arrays of float16 and bfloat16: conversions by arithmetic on bits, and what is computed in float32."""

import subprocess
import sys
import warnings

import ml_dtypes
import numpy as np
import pytest

import arraytorch as torch

ALL = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
FINITE = ALL[np.isfinite(ALL)]


def halves(x):
    return torch.tensor(x).half().numpy()


def same_bits(a, b):
    return (a.view(np.uint16) == b.view(np.uint16)).all()


def test_all_float16_become_their_float32_and_come_back():
    """Each of the 65536, those below the normal numbers among them, infinity and NaN."""
    for x in (ALL, FINITE):
        wide = torch.tensor(x).float().numpy()
        np.testing.assert_array_equal(wide, x.astype(np.float32))
        assert (np.signbit(wide) == np.signbit(x))[~np.isnan(x)].all()
    assert same_bits(halves(FINITE.astype(np.float32)), FINITE)


def test_the_nearest_float16_is_chosen():
    """The even one of two that are as near; infinity from half a step beyond the largest on."""
    edges = np.sort(FINITE[FINITE >= 0].astype(np.float64))
    middle = ((edges[1:] + edges[:-1]) / 2).astype(np.float32)
    for x in (middle, np.nextafter(middle, np.float32(1e9)), np.nextafter(middle, np.float32(0))):
        for y in (x, -x):
            assert same_bits(halves(y), y.astype(np.float16))
    beyond = np.tile(np.array([65519.996, 65520, -65520, 1e30, -1e30, 1], np.float32), 4000)
    with np.errstate(over="ignore"):
        assert same_bits(halves(beyond), beyond.astype(np.float16))


@pytest.mark.parametrize("power", [-60, -26, -20, -14, -8, 0, 9])
def test_numbers_of_all_sizes_become_float16(power):
    """With zeros of both signs among them."""
    x = (np.random.default_rng(1).standard_normal(40000) * 2.0**power).astype(np.float32)
    assert same_bits(halves(x), x.astype(np.float16))
    x[::3], x[1::3] = 0, -0.0
    assert same_bits(halves(x), x.astype(np.float16))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_conversions_from_other_types(dtype):
    """By way of float32; complex numbers lose their imaginary part, whatever their strides."""
    x = np.random.default_rng(12).integers(-70000, 70000, (128, 256))
    native = np.float16 if dtype is torch.float16 else ml_dtypes.bfloat16
    with np.errstate(over="ignore"):
        expected = x.astype(np.float32).astype(native)
    for t in (torch.tensor(x), torch.tensor(x.T.copy()).t(), torch.tensor(x).to(torch.complex128)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of the imaginary part
            assert same_bits(t.to(dtype).contiguous().numpy(), expected)
    row = torch.arange(256.0).expand(128, 256)
    assert same_bits(row.to(dtype).numpy(), np.tile(np.arange(256).astype(native), (128, 1)))


def test_sums_and_products_of_float16():
    """Computed in float32 and rounded once."""
    x = np.random.default_rng(2).standard_normal((200, 150)).astype(np.float16)
    t = torch.tensor(x)
    for dim in (0, 1):
        expected = x.astype(np.float64).sum(dim)
        np.testing.assert_allclose(t.sum(dim).numpy(), expected, rtol=1e-3, atol=1e-3)
    expected = x.astype(np.float64) @ x.T.astype(np.float64)
    np.testing.assert_allclose((t @ t.T).numpy(), expected, rtol=1e-3, atol=2e-2)


# Arithmetic: NumPy's in float32, rounded once by NumPy or ml_dtypes, is the measure.

TYPES = [np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16)]
SIZE = 1 << 16  # all numbers of 16 bits, among them NaN, infinities, zeros and the smallest


def every_number(dtype, seed):
    return np.random.default_rng(seed).permutation(1 << 16).astype(np.uint16).view(dtype)


def tensor(x):
    return torch.tensor(x.view(np.int16)).view(
        torch.float16 if x.dtype.char == "e" else torch.bfloat16
    )


def same_numbers(t, expected):
    """Equal bits, whatever NaN has."""
    x = t.detach().view(torch.int16).numpy().view(expected.dtype)
    nan = np.isnan(expected.astype(np.float32))
    bits, wanted = x.view(np.uint16), expected.view(np.uint16)
    return (
        x.shape == expected.shape
        and ((bits == wanted) | (nan & np.isnan(x.astype(np.float32)))).all()
    )


def rounded(function, *arrays):
    with np.errstate(all="ignore"):
        return function(*[x.astype(np.float32) for x in arrays]).astype(arrays[0].dtype)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize(
    "name", ["add", "subtract", "multiply", "divide", "maximum", "minimum", "copysign"]
)
def test_arithmetic_of_two_is_rounded_once(name, dtype):
    """With arrays, with one row or column for all, one plane's number, one for all, and turned ones."""
    x, y = every_number(dtype, 1), every_number(dtype, 2)
    function, ours = getattr(np, name), getattr(torch, name)
    m = x.reshape(4, 16, 1024)
    pairs = [(x, y), (m, y[:1024]), (m, y[:64].reshape(4, 16, 1)), (m, y[:16].reshape(16, 1))]
    pairs += [
        (m, y[7:8]),
        (m, y[:4096].reshape(4, 1, 1024)),
        (m[:, :, None], y[:48].reshape(3, 16)[:, :1]),
    ]
    for a, b in pairs[:-1]:
        assert same_numbers(ours(tensor(a), tensor(b)), rounded(function, a, b))
    turned = tensor(x).view(256, 256).t()
    expected = rounded(function, x.reshape(256, 256).T, y.reshape(256, 256))
    assert same_numbers(ours(turned, tensor(y).view(256, 256)).contiguous(), expected)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_arithmetic_with_numbers(dtype):
    """PyTorch rounds what it adds or compares with, and takes other numbers as float32."""
    x = every_number(dtype, 3)
    t, tenth = tensor(x), np.array(0.1).astype(dtype).astype(np.float32)
    f = np.float32(0.1)
    assert same_numbers(t + 0.1, rounded(lambda x: x + tenth, x))
    assert same_numbers(t * 0.1, rounded(lambda x: x * f, x))
    assert same_numbers(t / 0.1, rounded(lambda x: x / f, x))
    assert same_numbers(1 - t, rounded(lambda x: 1 - x, x))
    np.testing.assert_array_equal((t > 0.1).numpy(), x.astype(np.float32) > tenth)
    np.testing.assert_array_equal((t == 0.1).numpy(), x.astype(np.float32) == tenth)
    assert same_numbers(t.clamp(-1, 2), rounded(lambda x: np.clip(x, -1, 2), x))


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_choices_among_numbers_without_nan(dtype):
    """Infinities and the smallest numbers among them; the limits are rounded."""
    x = every_number(dtype, 13)
    x = x[~np.isnan(x.astype(np.float32)) & (x.view(np.uint16) != 0x8000)]  # nor -0, which equals 0
    y = np.random.default_rng(14).permutation(x)
    t, u = tensor(x), tensor(y)
    assert same_numbers(t.maximum(u), rounded(np.maximum, x, y))
    assert same_numbers(t.minimum(u), rounded(np.minimum, x, y))
    assert same_numbers(t.relu(), rounded(lambda x: np.maximum(x, np.float32(0)), x))
    for low, high in ((-0.3, 0.7), (2.0, None), (None, -1e-3), (1.0, -1.0), (-1e9, 1e9)):
        expected = rounded(lambda x, low=low, high=high: x.clip(low, high), x)
        assert same_numbers(t.clamp(low, high), expected)
    assert t.clamp(float("nan"), 1.0).isnan().all()
    t.requires_grad_()
    t.relu().backward(u)
    assert same_numbers(t.grad, np.where(x.astype(np.float32) > 0, y, np.zeros((), dtype)))


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_blends_are_rounded_once(dtype):
    """Sums with multiples, products, quotients, and means of two; none changes what it is given."""
    given = [np.random.default_rng(s).standard_normal(SIZE).astype(dtype) for s in (15, 16, 17)]
    (x, y, z), (t, u, v) = [g.astype(np.float32) for g in given], map(tensor, given)
    half, third = np.float32(0.5), np.array(0.3).astype(dtype).astype(np.float32)
    near, far = np.float32(0.25) * (y - x) + x, y - np.float32(0.25) * (y - x)
    for ours, exact in (
        (torch.add(t, u, alpha=0.3), x + y * third), (torch.sub(t, u, alpha=0.3), x - y * third),
        (torch.addcmul(t, u, v, value=0.5), x + y * z * half), (torch.lerp(t, u, 0.25), near),
        (torch.addcdiv(t, u, v, value=0.5), x + y / z * half), (torch.lerp(t, u, 0.75), far),
        (torch.addcmul(t, t, t), x + x * x), (torch.add(t, t, alpha=2), x + x * 2),
    ):  # fmt: skip
        # What is compiled may take a product and a sum in one operation, and round that another way.
        assert (ours.float().numpy() != exact.astype(dtype).astype(np.float32)).mean() < 1e-3
    assert same_numbers(t, given[0]) and same_numbers(u, given[1])


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_functions_of_one_are_rounded_once(dtype):
    """Those that are exact in float32; the sign is a bit, which NaN has, too."""
    x = every_number(dtype, 4)
    t = tensor(x)
    for name in ("square", "sqrt", "floor", "ceil", "trunc", "neg", "abs"):
        numpy = {"neg": np.negative, "abs": np.abs}.get(name) or getattr(np, name)
        assert same_numbers(getattr(t, name)(), rounded(numpy, x)), name
    assert same_numbers(t.round(), rounded(np.rint, x))
    assert same_numbers(t.reciprocal(), rounded(lambda x: 1 / x, x))
    assert same_numbers(t.relu(), rounded(lambda x: np.where(x < 0, np.float32(0), x), x))
    np.testing.assert_array_equal(t.isnan().numpy(), np.isnan(x.astype(np.float32)))


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_writing_in_place(dtype):
    """Into the tensor, into every second element, and into what is read shifted by one."""
    x, y = every_number(dtype, 5), every_number(dtype, 6)
    t = tensor(x)
    assert t.add_(tensor(y)) is t and same_numbers(t, rounded(np.add, x, y))
    for change, function in (("neg_", np.negative), ("sqrt_", np.sqrt), ("relu_", None)):
        t = tensor(x).clone()
        getattr(t, change)()
        expected = rounded(function or (lambda x: np.where(x < 0, np.float32(0), x)), x)
        assert same_numbers(t, expected)
    wide = tensor(np.repeat(x, 2))
    wide[::2].mul_(tensor(y))
    assert same_numbers(wide[::2].contiguous(), rounded(np.multiply, x, y))
    assert same_numbers(wide[1::2].contiguous(), x)
    t = tensor(x)
    t[1:].mul_(t[:-1])
    assert same_numbers(t[1:].clone(), rounded(np.multiply, x[1:], x[:-1]))


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_activations_agree_with_float32(dtype):
    """To a unit of their own type, which gradients may have of the result that they are made of."""
    x = np.random.default_rng(7).standard_normal(SIZE).astype(dtype)
    eps = float(ml_dtypes.finfo(dtype).eps)
    F = torch.nn.functional
    for f in (torch.exp, torch.tanh, torch.sigmoid, torch.erf, F.gelu, F.silu, F.elu, F.softplus,
              F.leaky_relu, F.hardswish, F.mish, F.logsigmoid, F.hardsigmoid, F.softshrink):  # fmt: skip
        t, wide = tensor(x).requires_grad_(), tensor(x).float().requires_grad_()
        y, z = f(t), f(wide)
        torch.testing.assert_close(y.float(), z, rtol=eps, atol=1e-6)
        g = torch.ones(SIZE)
        y.backward(g.to(y.dtype))
        z.backward(g)
        assert t.grad.dtype is t.dtype
        torch.testing.assert_close(t.grad.float(), wide.grad, rtol=eps, atol=2 * eps)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_gradients_are_rounded_once(dtype):
    """Of products and quotients, with one shape, a row and a number; the second derivative, too."""
    rng = np.random.default_rng(8)
    x, y = (rng.standard_normal((256, 256)).astype(dtype) for _ in range(2))
    g = rng.standard_normal((256, 256)).astype(dtype)
    a, b = tensor(x).requires_grad_(), tensor(y).requires_grad_()
    (a / b).backward(tensor(g))
    assert same_numbers(a.grad, rounded(np.divide, g, y))
    row = tensor(y[0]).requires_grad_()
    a.grad = None
    (a * row).backward(tensor(g))
    assert same_numbers(a.grad, rounded(np.multiply, g, y[:1]))
    expected = (g.astype(np.float64) * x.astype(np.float64)).sum(0)
    np.testing.assert_allclose(row.grad.float().numpy(), expected, rtol=1e-2, atol=1e-1)
    a.grad = None
    (a * 0.3).backward(tensor(g))
    assert same_numbers(a.grad, rounded(lambda g: g * np.float32(0.3), g))
    (first,) = torch.autograd.grad((a * a * a).sum(), a, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), a)
    torch.testing.assert_close(second.float(), 6 * a.detach().float(), rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_users_see_gradients_of_their_own_type(dtype):
    """In hooks, in functions of their own, and where gradients are accumulated."""
    x = tensor(np.random.default_rng(9).standard_normal(SIZE).astype(dtype)).requires_grad_()
    seen = []

    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            seen.append((g.dtype, ctx.saved_tensors[0].dtype))
            return g * 2

    y = Twice.apply(x) * x
    y.register_hook(lambda g: seen.append((g.dtype, g.dtype)))
    y.sum().backward()
    y = x * x
    y.sum().backward()
    assert seen == [(x.dtype, x.dtype)] * 2
    assert x.grad.dtype is x.dtype
    torch.testing.assert_close(x.grad.float(), 6 * x.detach().float(), rtol=2e-2, atol=1e-2)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_reductions_and_norms_agree_with_float32(dtype):
    """Of rows, columns, and of a matrix that is transposed or one row for all."""
    x = np.random.default_rng(10).standard_normal((200, 300)).astype(dtype)
    eps = float(ml_dtypes.finfo(dtype).eps)
    m = tensor(x)
    for t in (m, m.t(), m[:1].expand(200, 300)):
        wide = t.float()
        for f in (
            lambda t: t.mean(0), lambda t: t.var(1), lambda t: t.amax(1), lambda t: t.softmax(1),
            lambda t: t.log_softmax(0), lambda t: t.cumsum(1), lambda t: t.argmax(1),
            lambda t: torch.nn.functional.layer_norm(t, t.shape[1:]), lambda t: t.norm(dim=1),
        ):  # fmt: skip
            y, z = f(t), f(wide)
            assert y.dtype is (t.dtype if y.is_floating_point() else torch.int64)
            torch.testing.assert_close(y.float(), z.float(), rtol=eps, atol=1e-6)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("name", ["SGD", "AdamW"])
def test_optimizers_step_by_blocks(name, dtype):
    """What is long is updated as its parts are."""
    rng = np.random.default_rng(11)
    x, g = (rng.standard_normal(1 << 19).astype(dtype) for _ in range(2))
    more = {"momentum": 0.9} if name == "SGD" else {"amsgrad": True}
    results = []
    for cut in (1 << 19, 1 << 13):
        parameters = [tensor(p).requires_grad_() for p in x.reshape(-1, cut)]
        for p, part in zip(parameters, g.reshape(-1, cut), strict=True):
            p.grad = tensor(part)
        optimizer = getattr(torch.optim, name)(parameters, lr=0.1, weight_decay=0.01, **more)
        for _ in range(3):
            optimizer.step()
        results.append(torch.cat([p.detach() for p in parameters]))
    assert torch.equal(*results)


def test_large_arrays_of_any_origin_exchange_the_kernels():
    """In a process that has met none: zeros, random numbers, those of NumPy, converted ones; small ones do not."""
    program = """
import numpy, arraytorch as torch
from arraytorch import backends
assert (torch.zeros(4, dtype=torch.float16) + 1).half().sum() == 4 and not backends._MET[0]
{}
assert backends._MET[0]
"""
    for made in (
        "torch.zeros(1 << 14, dtype=torch.bfloat16)",
        "torch.randn(1 << 14, dtype=torch.float16)",
        "torch.from_numpy(numpy.ones(1 << 14, numpy.float16))",
        "torch.ones(1 << 14).half()",
    ):
        subprocess.run([sys.executable, "-c", program.format(made)], check=True)
