"""Numbers of eight bits: their codes, what may be done with them, and what may not."""

from __future__ import annotations

import copy
import io
import pickle

import numpy as np
import pytest

import arraytorch as torch

NAMES = ("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu")
TYPES = [getattr(torch, name) for name in NAMES]
MOVABLE = TYPES[:-1]
# Bits of exponent and significand, bias, the codes without sign of what is no number.
FORMATS = {
    "float8_e4m3fn": (4, 3, 7), "float8_e4m3fnuz": (4, 3, 8), "float8_e5m2": (5, 2, 15),
    "float8_e5m2fnuz": (5, 2, 16), "float8_e8m0fnu": (8, 0, 127),
}  # fmt: skip


def value(code, name):
    """What a code means, by the formats' definitions (Micikevicius et al. 2022; OCP MX 2023)."""
    exponent_bits, digits, bias = FORMATS[name]
    if name == "float8_e8m0fnu":
        return np.nan if code == 255 else 2.0 ** (code - bias)
    sign, rest = -1 if code >> 7 else 1, code & 127
    exponent, significand = rest >> digits, rest & ((1 << digits) - 1)
    if name.endswith("fnuz"):
        if code == 128:
            return np.nan
    elif name == "float8_e4m3fn" and rest == 127:
        return np.nan
    elif name == "float8_e5m2" and exponent == 31:
        return sign * np.inf if not significand else np.nan
    if exponent == 0:
        return sign * significand * 2.0 ** (1 - bias - digits)
    return sign * (1 + significand * 2.0**-digits) * 2.0 ** (exponent - bias)


@pytest.mark.parametrize("d", TYPES, ids=str)
def test_all_codes_mean_what_the_format_says(d):
    """And each number becomes its own code again."""
    codes = torch.arange(256).to(torch.uint8)
    numbers = codes.view(d).float()
    wanted = np.array([value(c, d.name) for c in range(256)], np.float32)
    np.testing.assert_array_equal(numbers.numpy(), wanted)
    back = numbers.to(d).view(torch.uint8)
    real = ~numbers.isnan()
    assert torch.equal(back[real], codes[real])
    assert back[~real].view(d).isnan().all() if (~real).any() else True


@pytest.mark.parametrize("d", MOVABLE, ids=str)
def test_numbers_round_to_the_nearest_code_and_ties_to_even(d):
    """Halfway between two codes the even one is taken."""
    largest = torch.finfo(d).max
    codes = [c for c in range(127) if np.isfinite(value(c, d.name)) and value(c, d.name) < largest]
    low = np.array([value(c, d.name) for c in codes])
    high = np.array([value(c + 1, d.name) for c in codes])
    for share, wanted in ((0.25, codes), (0.75, [c + 1 for c in codes]),
                          (0.5, [c + c % 2 for c in codes])):  # fmt: skip
        between = torch.from_numpy(low + share * (high - low))
        assert between.to(d).view(torch.uint8).tolist() == wanted


def test_what_lies_outside_becomes_what_pytorch_makes_of_it():
    """Literals from PyTorch: only e4m3fn saturates, and e8m0fnu drops the sign."""
    x = torch.tensor([1000.0, -70000.0, float("inf"), -float("inf"), float("nan"), -1.5, 0.0])
    wanted = {
        "float8_e4m3fn": [126, 254, 126, 254, 127, 188, 0],
        "float8_e4m3fnuz": [128, 128, 128, 128, 128, 196, 0],
        "float8_e5m2": [100, 252, 124, 252, 127, 190, 0],
        "float8_e5m2fnuz": [104, 128, 128, 128, 128, 194, 0],
        "float8_e8m0fnu": [137, 143, 255, 255, 255, 128, 0],
    }
    for name, codes in wanted.items():
        assert x.to(getattr(torch, name)).view(torch.uint8).tolist() == codes, name


@pytest.mark.parametrize("d", TYPES, ids=str)
def test_elements_move(d):
    """Making, viewing, indexing, joining, writing, comparing and saving are as for any dtype."""
    x = torch.tensor([[1.0, 2.0, 4.0], [8.0, 0.5, 0.25]], dtype=d)
    assert x.dtype is d and x.itemsize == 1 and x.is_floating_point()
    assert x.tolist() == [[1, 2, 4], [8, 0.5, 0.25]] and x[0, 1].item() == 2.0
    assert x.t().reshape(-1).tolist() == [1, 8, 2, 0.5, 4, 0.25]
    assert x[torch.tensor([1])].tolist() == [[8, 0.5, 0.25]] and x[x.float() > 3].tolist() == [4, 8]
    assert torch.cat([x, x[:1]]).shape == (3, 3) and torch.stack([x, x]).dtype is d
    assert torch.where(x.float() > 1, x, x).eq(x).all() and not x.ne(x).any()
    assert x.eq(2).tolist() == [[False, True, False], [False, False, False]]
    y = x.clone()
    y[0, 0], y[1] = 16, torch.full((3,), 32.0)
    y[:, torch.tensor([2])] = 64.0
    assert y.tolist() == [[16, 2, 64], [32, 32, 64]] and x[0, 0].item() == 1
    assert y.copy_(x.float()).tolist() == x.tolist() and torch.ones(3).copy_(x[0])[2] == 4
    assert torch.ones(2, dtype=d).tolist() == torch.ones_like(x)[0, :2].tolist() == [1, 1]
    assert torch.full((2,), 4.0, dtype=d).fill_(2).tolist() == [2, 2]
    assert torch.eye(2, dtype=d)[0, 0] == 1 and x.roll(1, 1)[0, 0].item() == 4
    assert x.view(torch.uint8).view(d).eq(x).all() and x.to(torch.float64).dtype is torch.float64
    assert x.to("meta").dtype is d and x.untyped_storage().nbytes() == 6
    for same in (copy.deepcopy(x), pickle.loads(pickle.dumps(x)), torch.as_tensor(x)):
        assert same.dtype is d and same.eq(x).all()
    file = io.BytesIO()
    torch.save({"x": x}, file)
    file.seek(0)
    assert torch.load(file)["x"].view(torch.uint8).tolist() == x.view(torch.uint8).tolist()


def test_gradients_pass_through_conversions():
    """The gradient of a conversion to eight bits is of eight bits, and then of the leaf's dtype."""
    x = torch.tensor([1.0, 3.3], requires_grad=True)
    y = x.to(torch.float8_e4m3fn)
    assert y.grad_fn.name() == "ToCopyBackward0"
    (y.float() * torch.tensor([1.0, 3.3])).sum().backward()
    assert x.grad.tolist() == [1.0, 3.25]
    leaf = torch.ones(2, dtype=torch.float8_e5m2, requires_grad=True)
    leaf.float().sum().backward()
    assert leaf.grad.dtype is torch.float8_e5m2 and leaf.grad.tolist() == [1, 1]


def test_the_few_computations_there_are():
    """Magnitudes, products of tensors, tests for NaN and zero."""
    x = torch.tensor([-1.5, 3.0, float("nan"), 0.0], dtype=torch.float8_e4m3fn)
    assert x.abs()[:2].tolist() == [1.5, 3] and (x * x)[:2].tolist() == [2.25, 9]
    assert x.isnan().tolist() == [False, False, True, False]
    assert x.any() and not x.all() and torch.count_nonzero(x) == 3
    with pytest.raises(NotImplementedError, match="not implemented for 'Float8_e8m0fnu'"):
        torch.ones(1, dtype=torch.float8_e8m0fnu).abs()


@pytest.mark.parametrize("d", TYPES, ids=str)
@pytest.mark.parametrize(
    "call",
    [
        lambda x: x + x, lambda x: x * 2, lambda x: -x, lambda x: x < x, lambda x: x / x,
        lambda x: x.sum(), lambda x: x.mean(), lambda x: x.max(), lambda x: x.amax(),
        lambda x: x.argmax(), lambda x: x.sort(), lambda x: x.cumsum(0), lambda x: x.prod(),
        lambda x: x.sin(), lambda x: x.exp_(), lambda x: x.softmax(0), lambda x: x.clamp(0, 1),
        lambda x: x.relu(), lambda x: x.sign(), lambda x: x.isinf(), lambda x: x.floor(),
        lambda x: x.nonzero(), lambda x: x.unique(), lambda x: x.flip(0), lambda x: x.var(),
        lambda x: x.gather(0, torch.tensor([0])), lambda x: x.take(torch.tensor([0])),
        lambda x: x.index_fill(0, torch.tensor([0]), 2), lambda x: x.masked_fill(x.isnan(), 0),
        lambda x: x.index_copy(0, torch.tensor([0]), x[:1]), lambda x: x.norm(),
        lambda x: x.index_add(0, torch.tensor([0]), x[:1]), lambda x: x.reshape(2, 1).triu(),
        lambda x: torch.arange(3, dtype=x.dtype), lambda x: torch.linspace(0, 1, 3, dtype=x.dtype),
        lambda x: torch.rand(3, dtype=x.dtype), lambda x: x.clone().normal_(),
        lambda x: x.clone().random_(), lambda x: x.clone().uniform_(),
        lambda x: x[None] @ x[:, None],
    ],
)  # fmt: skip
def test_arithmetic_is_refused(call, d):
    """With the class that PyTorch raises, and the dtype's name."""
    with pytest.raises(NotImplementedError, match=r"not implemented for ('Float8|types of eight)"):
        call(torch.tensor([1.0, 2.0], dtype=d))


def test_types_of_eight_bits_do_not_promote():
    """With none but themselves and numbers."""
    d = torch.float8_e4m3fn
    x = torch.ones(2, dtype=d)
    words = "Promotion for Float8 Types is not supported, attempted to promote Float8_e4m3fn and "
    for other, kind in (
        (torch.float32, "Float"),
        (torch.int64, "Long"),
        (torch.float8_e5m2, "Float8_e5m2"),
    ):
        with pytest.raises(RuntimeError, match=words + kind):
            torch.promote_types(d, other)
    with pytest.raises(RuntimeError, match=words + "Float"):
        x + torch.ones(2)
    with pytest.raises(RuntimeError, match=words + "Float"):
        torch.cat([x, torch.ones(2)])
    assert torch.result_type(x, 1.5) is torch.promote_types(d, d) is d
    assert torch.can_cast(d, torch.float32) and d.to_real() is d
    with pytest.raises(RuntimeError, match="Unknown Complex ScalarType for Float8_e4m3fn"):
        d.to_complex()
    with pytest.raises(TypeError, match="couldn't find storage object Float8_e4m3fnStorage"):
        torch.set_default_dtype(d)
    with pytest.raises(TypeError, match="Got unsupported ScalarType Float8_e4m3fn"):
        x.numpy()
    with pytest.raises(RuntimeError, match="to type c10::Float8_e4m3fn without overflow"):
        torch.full((2,), 1e9, dtype=d)


def test_limits_and_printing():
    """finfo, and the text of tensors, are PyTorch's."""
    limits = {name: torch.finfo(getattr(torch, name)) for name in NAMES}
    assert str(limits["float8_e4m3fn"]) == (
        "finfo(resolution=1, min=-448, max=448, eps=0.125, smallest_normal=0.015625, "
        "tiny=0.015625, dtype=float8_e4m3fn)"
    )
    assert str(limits["float8_e8m0fnu"]) == (
        "finfo(resolution=1, min=5.87747e-39, max=1.70141e+38, eps=1, "
        "smallest_normal=5.87747e-39, tiny=5.87747e-39, dtype=float8_e8m0fnu)"
    )
    assert [f.max for f in limits.values()] == [448, 240, 57344, 57344, 2.0**127]
    assert [f.tiny for f in limits.values()] == [2.0**-n for n in (6, 7, 14, 15, 127)]
    x = torch.tensor([0.0, 1, -1.5, 3.3, 1000, float("nan")], dtype=torch.float8_e4m3fn)
    assert repr(x) == (
        "tensor([  0.0000,   1.0000,  -1.5000,   3.2500, 448.0000,      nan],\n"
        "       dtype=torch.float8_e4m3fn)"
    )
    assert repr(torch.zeros(2, dtype=torch.float8_e8m0fnu)) == (
        "tensor([0., 0.], dtype=torch.float8_e8m0fnu)"
    )
    assert x.type() == "torch.Float8_e4m3fnTensor"


def test_dtypes_have_short_names():
    """abbr, as in PyTorch."""
    short = {torch.bool: "b8", torch.uint8: "u8", torch.int64: "i64", torch.float16: "f16",
             torch.bfloat16: "bf16", torch.complex64: "c64", torch.float8_e4m3fn: "f8e4m3fn"}  # fmt: skip
    assert {d: d.abbr for d in short} == short
