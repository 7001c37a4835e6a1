"""What the main namespace has in a form of its own: numbered reductions, settings, old types."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import arraytorch as torch
from arraytorch.nn import functional as F

X = torch.linspace(-2, 3, 12).reshape(3, 4)
Y = torch.linspace(0.1, 0.9, 12).reshape(3, 4)
SIGNS = torch.tensor([1.0, -1.0, 1.0])
PROBABILITIES = torch.linspace(-1, 1, 40).reshape(5, 2, 4).log_softmax(2)
LABELS = torch.tensor([[1, 2], [2, 3]])

# Name, arguments, and the position of the reduction after them.
LOSSES = [
    ("binary_cross_entropy_with_logits", (X, Y), {"weight": Y, "pos_weight": Y + 1}),
    ("hinge_embedding_loss", (X, torch.sign(Y - 0.5)), {"margin": 0.5}),
    ("margin_ranking_loss", (X, Y, torch.sign(X)), {"margin": 0.5}),
    ("cosine_embedding_loss", (X, Y, SIGNS), {"margin": 0.1}),
    ("triplet_margin_loss", (X, Y, Y + 1), {"swap": True}),
    ("poisson_nll_loss", (X, Y), {"log_input": True, "full": True, "eps": 1e-8}),
    ("ctc_loss", (PROBABILITIES, LABELS, [5, 4], [2, 1]), {}),
]


@pytest.mark.parametrize(("name", "args", "kwargs"), LOSSES, ids=[name for name, _, _ in LOSSES])
def test_losses_number_their_reductions(name, args, kwargs):
    """0 is none, 1 the mean, 2 the sum; a name is refused."""
    for number, word in enumerate(("none", "mean", "sum")):
        mine = getattr(torch, name)(*args, **kwargs, reduction=number)
        assert torch.equal(mine, getattr(F, name)(*args, **kwargs, reduction=word))
    with pytest.raises(TypeError, match="must be int, not str"):
        getattr(torch, name)(*args, **kwargs, reduction="mean")


def test_kl_div_has_a_mean_without_warning():
    """The mean over all elements is what a number asks for by itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mean = torch.kl_div(X, Y)
    assert torch.equal(mean, F.kl_div(X, Y, reduction="none").mean())
    assert torch.equal(torch.kl_div(X, Y, 2), F.kl_div(X, Y, reduction="sum"))
    assert torch.kl_div(X, Y, 0, log_target=True).shape == X.shape


@pytest.mark.parametrize("name", ["dropout", "alpha_dropout", "feature_alpha_dropout"])
def test_dropouts_draw_what_those_of_nn_draw(name):
    """The same seed, the same mask; and another class of error."""
    torch.manual_seed(0)
    mine = getattr(torch, name)(X, 0.3, True)
    torch.manual_seed(0)
    assert torch.equal(mine, getattr(F, name)(X, 0.3, True))
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        getattr(torch, name)(X, 1.5, True)


def test_native_dropout_returns_its_mask():
    """Where the mask is false the result is zero, and elsewhere scaled."""
    torch.manual_seed(0)
    out, mask = torch.native_dropout(torch.ones(8), 0.5, True)  # as PyTorch 2.13 prints it
    assert out.tolist() == [0, 0, 2, 0, 0, 0, 2, 2]
    assert mask.dtype is torch.bool and torch.equal(mask, out > 0)
    assert not torch.native_dropout(torch.ones(3), 1.0, None)[1].any()


def test_embedding_takes_the_table_first():
    """A row of padding gets no gradient, a number that names no row stands for none."""
    table = torch.ones(3, 2, requires_grad=True)
    torch.embedding(table, torch.tensor([0, 1, 1]), 0).sum().backward()
    assert table.grad.tolist() == [[0, 0], [2, 2], [0, 0]]
    assert torch.embedding(table, torch.tensor([2]), 7).shape == (1, 2)


def test_conv_tbc_is_conv1d_of_time_first():
    """With the dimensions of everything in another order."""
    torch.manual_seed(0)
    x, w, b = torch.randn(5, 2, 3), torch.randn(2, 3, 4), torch.randn(4)
    wanted = F.conv1d(x.permute(1, 2, 0), w.permute(2, 1, 0), b, padding=1).permute(2, 0, 1)
    torch_like = torch.conv_tbc(x, w, b, 1)
    assert torch.equal(torch_like, wanted)
    with pytest.raises(RuntimeError, match="Bias size"):
        torch.conv_tbc(x, w, b[:2])


def test_pools_and_slopes():
    """The pool returns the places too, and the slopes take a generator of their own."""
    values, places = torch.adaptive_max_pool1d(X, 2)
    assert values.tolist() == X.view(3, 2, 2).amax(2).tolist() and places.tolist()[0] == [1, 3]
    first = torch.rrelu(X, 0.1, 0.3, True, torch.Generator().manual_seed(3))
    assert torch.equal(first, torch.rrelu(X, 0.1, 0.3, True, torch.Generator().manual_seed(3)))


def test_determinism_is_one_setting_under_several_names():
    """The debug mode and the two switches say the same."""
    try:
        torch.use_deterministic_algorithms(True, warn_only=True)
        assert torch.get_deterministic_debug_mode() == 1
        assert torch.is_deterministic_algorithms_warn_only_enabled()
        torch.set_deterministic_debug_mode("error")
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.is_deterministic_algorithms_warn_only_enabled()
    finally:
        torch.set_deterministic_debug_mode(0)
    with pytest.raises(RuntimeError, match="expected 0, 1, or 2"):
        torch.set_deterministic_debug_mode(7)
    with pytest.raises(RuntimeError, match="`default`, `warn`, `error`"):
        torch.set_deterministic_debug_mode("never")
    with pytest.raises(TypeError, match="must be bool"):
        torch.use_deterministic_algorithms(1)


def test_an_unknown_precision_changes_nothing():
    """As in PyTorch it is warned of."""
    with pytest.warns(UserWarning, match="no effect"):
        torch.set_float32_matmul_precision("low")
    assert torch.get_float32_matmul_precision() == "highest"
    with pytest.raises(RuntimeError, match="expects a bool"):
        torch.set_flush_denormal(1)


def test_tensor_types_make_and_know_tensors():
    """Of one dtype, on the CPU; a parameter is a tensor of its type too."""
    assert torch.LongTensor([1.5, 2]).tolist() == [1, 2]
    assert torch.FloatTensor(2, 3).shape == torch.FloatTensor(torch.Size((2, 3))).shape == (2, 3)
    assert torch.DoubleTensor(np.ones(2)).dtype is torch.float64
    assert isinstance(torch.nn.Parameter(X), torch.FloatTensor)
    assert not isinstance(X, torch.LongTensor) and not isinstance(3, torch.FloatTensor)
    assert not isinstance(torch.ones(2, device="meta"), torch.FloatTensor)
    assert X.type(torch.LongTensor).dtype is torch.int64
    assert all(
        getattr(torch, f"{n}Tensor")([1]).type() == f"torch.{n}Tensor"
        for n in [
            "Float",
            "Double",
            "Half",
            "BFloat16",
            "Char",
            "Byte",
            "Short",
            "Int",
            "Long",
            "Bool",
        ]
    )


@pytest.mark.parametrize("wrong", [1.5, "abc", torch.ones(2, dtype=torch.int64)])
def test_tensor_types_refuse_what_is_no_data(wrong):
    """A number is a size only if it is whole, and a tensor must be of the type."""
    with pytest.raises(TypeError):
        torch.FloatTensor(wrong)


def test_the_default_type_sets_dtype_and_device():
    """And integers make no default."""
    with pytest.warns(UserWarning, match="deprecated"):
        torch.set_default_tensor_type("torch.DoubleTensor")
    assert torch.ones(1).dtype is torch.float64
    with pytest.warns(UserWarning, match="deprecated"):
        torch.set_default_tensor_type(torch.FloatTensor)
    assert torch.ones(1).dtype is torch.float32
    with pytest.raises(TypeError), pytest.warns(UserWarning, match="deprecated"):
        torch.set_default_tensor_type(torch.LongTensor)


def test_dlpack_shares_memory():
    """With an array, with a capsule and with another tensor; copies are made on demand."""
    array = np.zeros(3)
    torch.from_dlpack(array)[0] = 1
    torch.from_dlpack(array.__dlpack__())[1] = 2
    torch.from_dlpack(array, copy=True)[2] = 3
    assert array.tolist() == [1, 2, 0]
    x = torch.zeros(2)
    torch.from_dlpack(x)[0] = 5
    assert x.tolist() == [5, 0]
    with pytest.raises(RuntimeError, match="invalid capsule"):
        torch.from_dlpack([1])
    with pytest.raises(ValueError, match="without copying"):
        torch.from_dlpack(x, device="meta", copy=False)


def test_sizes_can_be_plain_numbers():
    """What code for tracing calls on sizes works on numbers."""
    assert torch.sym_max(1, 2.0) == 2.0 and isinstance(torch.sym_min(1, 2.0), float)
    assert torch.sym_int(-2.7) == -2 and torch.sym_sum([1, 2]) == torch.sym_sum(1, 2) == 3
    with pytest.raises(AssertionError):
        torch.sym_ite(1, 2, 3)
    with pytest.raises(AssertionError):
        torch.sym_ite(True, 2, 3.0)


def test_arguments_have_pytorchs_names():
    """By name, under each name that is documented."""
    x = torch.arange(6.0).view(2, 3)
    same = [
        (x.pow(exponent=2), torch.pow(input=x, exponent=2), x.clone().pow_(exponent=2)),
        (x.flip(dims=(0,)), torch.flip(x, dims=(0,))),
        (x.permute(dims=(1, 0)), x.swapaxes(axis0=0, axis1=1), x.clone().transpose_(dim0=0, dim1=1),
         x.clone().swapaxes_(axis0=0, axis1=1), x.clone().swapdims_(dim0=0, dim1=1)),
        (x.view(size=(3, 2)), x.view(3, 2)),
        (x.view(dtype=torch.int32), x.view(torch.int32)),
        (x.tile(dims=(2, 2)), torch.tile(x, dims=(2, 2)), x.repeat(repeats=(2, 2))),
        (x.split(split_size=2, dim=1)[1], x.tensor_split(indices=(2,), dim=1)[1]),
        (x.tensor_split(sections=2)[0], x.split(1)[0]),
        (x[:1].squeeze(dim=0), x[:1].clone().squeeze_(0, 1), x[0]),
        (x.cumsum(0, torch.float64), x.cumsum(0, dtype=torch.float64)),
        (torch.concatenate([x, x], axis=1), torch.concatenate([x, x], dim=1), torch.cat([x, x], 1)),
        (torch.heaviside(x, values=x), x.clone().heaviside_(values=x)),
        (x.expand(size=(2, 2, 3)), x.expand(2, 2, 3)),
        (x.norm(2, 0, False, torch.float64), torch.norm(x, 2, 0, dtype=torch.float64)),
    ]  # fmt: skip
    for first, *others in same:
        assert all(torch.equal(first, other) and first.dtype is other.dtype for other in others)


def test_products_in_a_wider_dtype():
    """Halves are multiplied as float32; other changes of dtype are refused."""
    a, b = X.bfloat16(), Y.bfloat16()
    wide = torch.mm(a, b.T, out_dtype=torch.float32)
    assert torch.equal(wide, a.float() @ b.float().T)
    assert torch.equal(torch.bmm(a[None], b.T[None], out_dtype=torch.float32)[0], wide)
    start = torch.ones(3, 3, dtype=torch.bfloat16)
    assert torch.equal(torch.addmm(start, a, b.T, out_dtype=torch.float32), wide + 1)
    assert torch.baddbmm(start, a[None], b.T[None], torch.float32).dtype is torch.float32
    with pytest.raises(RuntimeError, match="out_dtype"):
        torch.mm(X, Y.T, out_dtype=torch.float64)


def test_functions_of_every_element():
    """In place, cast to the tensor's dtype, over views too."""
    x = torch.arange(6).view(2, 3)
    x.t().apply_(lambda v: v + 0.5)
    assert x.tolist() == [[0, 1, 2], [3, 4, 5]]
    x[:, 1].map_(torch.tensor(10), lambda a, b: a * b)
    assert x.tolist() == [[0, 10, 2], [3, 40, 5]]
    with pytest.raises(RuntimeError, match="requires grad"):
        torch.ones(1, requires_grad=True).apply_(abs)
    with pytest.raises(TypeError, match="expected torch.LongTensor"):
        x.map_(torch.ones(3), max)
    with pytest.raises(TypeError, match="CPU"):
        torch.ones(2, device="meta").apply_(abs)
    assert x.to_dense() is x and x.to_dense(torch.float32).dtype is torch.float32
    assert x.const_data_ptr() == x.data_ptr()


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (2, 5, 3)])
def test_low_rank_factors(shape):
    """As many as there are, they are exact; the same seed draws PyTorch's start."""
    torch.manual_seed(0)
    a = torch.randn(*shape, dtype=torch.float64, requires_grad=True)
    most = min(shape[-2:])
    u, s, v = torch.svd_lowrank(a, q=most)
    assert torch.allclose(u * s.unsqueeze(-2) @ v.mT, a)
    (slope,) = torch.autograd.grad(s.sum(), a)
    assert torch.allclose(slope, u @ v.mT)
    apart = a.detach() - a.detach().mean(-2, keepdim=True)
    assert torch.allclose(torch.pca_lowrank(a, most)[1], torch.linalg.svdvals(apart), atol=1e-7)
    assert torch.allclose(torch.svd_lowrank(a, most, M=a / 2)[1], s / 2)
    with pytest.raises(ValueError, match="not greater than"):
        torch.pca_lowrank(a, most + 1)
    with pytest.raises(RuntimeError, match="floating-point"):
        torch.svd_lowrank(torch.ones(2, 2, dtype=torch.int64))
