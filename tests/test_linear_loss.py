"""Cross entropy of a linear layer, in one piece and in chunks, and products of grouped matrices."""

from __future__ import annotations

import warnings

import pytest

import arraytorch as torch
from arraytorch import nn
from arraytorch.nn import functional as F

Options = nn.LinearCrossEntropyOptions


def data(dtype=torch.float64):
    """Inputs, weights and biases that need gradients, and targets, one of them ignored."""
    torch.manual_seed(1)
    made = [torch.randn(*s, dtype=dtype).requires_grad_() for s in ((6, 4), (5, 4), (5,))]
    return (*made, torch.tensor([0, 1, 4, 2, -100, 3]))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "options",
    [None, Options(), Options(batch_chunk_size=4), Options(chunking_method=None),
     Options(batch_chunk_size=1, acc_policy="accurate"), Options(acc_dtype=torch.float64)],
)  # fmt: skip
def test_chunks_change_neither_loss_nor_gradients(reduction, weighted, options):
    """What the composition of linear and cross_entropy gives, any options give."""
    x, w, b, target = data()
    each = torch.tensor([1.0, 2.0, 0.5, 1.5, 3.0], dtype=torch.float64) if weighted else None
    plain = F.cross_entropy(F.linear(x, w, b), target, each, reduction=reduction)
    loss = F.linear_cross_entropy(
        x, w, target, linear_bias=b, weight=each, reduction=reduction, options=options
    )
    assert torch.allclose(loss, plain)
    g = torch.linspace(1, 2, plain.numel(), dtype=torch.float64).reshape(plain.shape)
    for a, c in zip(torch.autograd.grad(loss, (x, w, b), g, retain_graph=True),
                    torch.autograd.grad(plain, (x, w, b), g), strict=True):  # fmt: skip
        assert torch.allclose(a, c)


def test_chunks_have_second_derivatives():
    """And may be gone through twice; PyTorch's have and may neither."""
    x, w, b, target = data()
    loss = lambda x, w, b: F.linear_cross_entropy(
        x, w, target, linear_bias=b, options=Options(batch_chunk_size=2)
    )
    assert torch.autograd.gradcheck(loss, (x, w, b))
    assert torch.autograd.gradgradcheck(loss, (x, w, b))


def test_the_logits_of_a_chunk_are_as_large_as_asked_for():
    """A ratio bounds them by the size of the input, a number of rows is taken as it is."""
    assert Options(chunking_method="aspect_ratio:3").rows(100, 10, 300) == 10
    assert Options().rows(100, 10, 10_000) == 1 and Options(chunking_method=None).rows(7, 1, 9) == 7
    assert Options(batch_chunk_size=3).rows(100, 10, 300) == 3


def test_losses_of_several_dimensions_and_probabilities():
    """Targets (N, d1, d2) take weights (classes, d1, d2, features)."""
    x, *_ = data()
    w, b = torch.randn(5, 2, 3, 4, dtype=torch.float64), torch.randn(5, 2, 3, dtype=torch.float64)
    target = torch.randint(5, (6, 2, 3))
    logits = torch.einsum("nf,cijf->ncij", x, w) + b
    assert torch.allclose(
        F.linear_cross_entropy(x, w, target, linear_bias=b), F.cross_entropy(logits, target)
    )
    soft = torch.rand(6, 5, dtype=torch.float64)
    assert torch.allclose(
        F.linear_cross_entropy(x, w[:, 0, 0], soft), F.cross_entropy(x @ w[:, 0, 0].T, soft)
    )


def test_options_that_cannot_be_followed_warn():
    """Smoothing, probabilities and further dimensions take the plain way."""
    x, w, _, target = data()
    with pytest.warns(UserWarning, match="``options`` ignored"):
        loss = F.linear_cross_entropy(x, w, target, label_smoothing=0.1, options=Options())
    assert torch.allclose(loss, F.cross_entropy(x @ w.T, target, label_smoothing=0.1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        F.linear_cross_entropy(x[0], w, target[0], options=Options())


REFUSED = [
    (lambda x, w, t: F.linear_cross_entropy(x, w[:, :3], t), RuntimeError, "got 4 and 3, respectively"),
    (lambda x, w, t: F.linear_cross_entropy(x[None], w, t), RuntimeError, "dimensionality 1 or 2, got 3"),
    (lambda x, w, t: F.linear_cross_entropy(x, w[0], t), RuntimeError, "at least 2, got 1"),
    (lambda x, w, t: F.linear_cross_entropy(x, w, t, linear_bias=torch.ones(4)), RuntimeError,
     "expected linear_bias shape (5,), got (4,)"),
    (lambda x, w, t: F.linear_cross_entropy(x[0], w[:, None], t[0]), RuntimeError, "requires batched input"),
    (lambda x, w, t: F.linear_cross_entropy(x, w, torch.rand(6, 5), ignore_index=2), RuntimeError,
     "ignore_index cannot be specified when target contains probabilities"),
    (lambda x, w, t: F.linear_cross_entropy(x, w, t[:3]), ValueError,
     "Expected input batch_size (6) to match target batch_size (3)."),
    (lambda x, w, t: F.linear_cross_entropy(x, w, t, reduction="x", options=Options()), ValueError,
     "x is not a valid value for reduction"),
    (lambda x, w, t: F.linear_cross_entropy(x, w, t.int()), RuntimeError, "to be Long or Byte, but got Int"),
    (lambda x, w, t: Options(chunking_method="x"), ValueError, "invalid chunking_method: 'x'"),
    (lambda x, w, t: Options(chunking_method="aspect_ratio:0"), ValueError, "invalid chunking_method"),
    (lambda x, w, t: Options(acc_policy="x"), ValueError, "invalid acc_policy: 'x'"),
    (lambda x, w, t: Options(batch_chunk_size=0), ValueError, "must be positive int or None, got 0"),
    (lambda x, w, t: Options(acc_dtype=torch.int64), ValueError, "acc_dtype must be one of"),
    (lambda x, w, t: nn.LinearCrossEntropyLoss(4, 5, weight=torch.ones(4)), RuntimeError,
     "expected weight shape to be (5,), got (4,)"),
]  # fmt: skip


@pytest.mark.parametrize("which", range(len(REFUSED)))
def test_bad_input_raises_what_pytorch_raises(which):
    """In its words."""
    call, error, words = REFUSED[which]
    x, w, _, target = data()
    with pytest.raises(error) as raised:
        call(x, w, target)
    assert words in str(raised.value)


def test_the_module_has_a_linear_layer():
    """With PyTorch's keys, weights and text."""
    torch.manual_seed(0)
    loss = nn.LinearCrossEntropyLoss(4, 5, bias=True, options=Options(batch_chunk_size=2))
    first = torch.tensor([-0.0037, 0.2682, -0.4115, -0.3680])
    assert torch.allclose(loss.linear.weight[0], first, atol=1e-4)
    assert list(loss.state_dict()) == ["linear.weight", "linear.bias"]
    x, target = torch.randn(3, 4), torch.tensor([1, 2, 0])
    assert torch.allclose(loss(x, target), F.cross_entropy(loss.linear(x), target))
    several = nn.LinearCrossEntropyLoss(4, 5, out_features=(2, 3))
    assert several.linear.weight.shape == (30, 4)
    assert several(x, torch.zeros(3, 2, 3, dtype=torch.int64)).shape == ()
    assert "out_features=(2, 3), bias=False, reduction=mean, ignore_index=None" in repr(several)


def test_grouped_products_of_all_forms():
    """Rows, columns or the summed dimension in groups; what is behind the last gives zeros."""
    torch.manual_seed(0)
    a, b = torch.randn(8, 4), torch.randn(3, 4, 5)
    ends = torch.tensor([2, 2, 7], dtype=torch.int32)
    rows = F.grouped_mm(a, b, offs=ends)
    assert torch.allclose(rows[:2], a[:2] @ b[0]) and torch.allclose(rows[2:7], a[2:7] @ b[2])
    assert not rows[7].any() and rows.shape == (8, 5)
    c = torch.randn(3, 5, 4)
    columns = F.grouped_mm(c, a.T, offs=ends)
    assert torch.allclose(columns[:, 2:7], c[2] @ a.T[:, 2:7]) and columns.shape == (5, 8)
    assert torch.allclose(columns[:, :2], c[0] @ a.T[:, :2]) and not columns[:, 7].any()
    summed = F.grouped_mm(a.T, torch.ones(8, 2), offs=ends)
    assert torch.allclose(summed[2], a.T[:, 2:7] @ torch.ones(5, 2)) and not summed[1].any()
    assert torch.allclose(F.grouped_mm(b, b.transpose(1, 2)), b @ b.transpose(1, 2))
    x = a.clone().requires_grad_()
    F.grouped_mm(x, b, offs=ends).sum().backward()
    assert torch.allclose(x.grad[:2], b[0].sum(1).expand(2, 4)) and not x.grad[7].any()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"offs": None}, "Have to provide offsets if there is a 2d matrix"),
        ({"offs": torch.tensor([2, 5])}, "Offsets have to be int32"),
        ({"offs": torch.tensor([2, 5], dtype=torch.int32)}, "matrix batch sizes have to match"),
        ({"bias": torch.ones(5)}, "Bias not supported yet"),
        ({"out_dtype": torch.float16}, "output dtype must match `mat_a` dtype"),
        ({"mat_a": torch.ones(8)}, "mat_a has to be 2 or 3d"),
        ({"mat_a": torch.ones(8, 3)}, "contraction dimension of mat_a and mat_b must match"),
        ({"mat_a": torch.ones(8, 4).half()}, "expected m1 and m2 to have the same dtype"),
        ({"mat_a": torch.ones(8, 4).double()}, "Expected mat_a to be Float32, BFloat16 or Float16"),
    ],
)
def test_grouped_products_refuse_what_does_not_fit(change, words):
    """In PyTorch's words."""
    ends = torch.tensor([2, 5, 8], dtype=torch.int32)
    given = {"mat_a": torch.ones(8, 4), "mat_b": torch.ones(3, 4, 5), "offs": ends} | change
    with pytest.raises(RuntimeError, match=words):
        F.grouped_mm(**given)


def test_scaled_products_of_eight_bit_matrices():
    """A scale for all of a matrix or for each row; the result is rounded once."""
    torch.manual_seed(0)
    x, y = (torch.randn(4, 6).to(torch.float8_e4m3fn) for _ in range(2))
    each, rows = F.ScalingType.TensorWise, F.ScalingType.RowWise
    two, half = torch.tensor(2.0), torch.tensor(0.5)
    plain = x.float() @ y.float().T
    got = F.scaled_mm(x, y.t(), two, each, half, each)
    assert got.dtype is torch.bfloat16 and torch.equal(got, plain.bfloat16())
    a, b = torch.rand(4, 1), torch.rand(1, 4)
    got = F.scaled_mm(x, y.t(), a, rows, b, rows, output_dtype=torch.float32, bias=torch.ones(4))
    assert torch.allclose(got, plain * a * b + 1, atol=1e-5)
    assert F.scaled_mm(x, y.t(), two, each, half, each, output_dtype=None).dtype is x.dtype
    for given, words in (
        ((x, y, two, each, half, each), r"shapes cannot be multiplied \(4x6 and 4x6\)"),
        ((x[0], y.t(), two, each, half, each), "mat_a must be a matrix"),
        ((x.float(), y.t(), two, each, half, each), "Invalid scaling configuration"),
        ((x, y.t(), two, each, b, rows), "Invalid scaling configuration"),
        ((x, y.t(), a, each, half, each), "scale_a must have 1 Float element"),
        ((x, y.t(), a[:3], rows, b, rows), r"scale_a must have shape \[4, 1\], got \[\[3, 1\]\]"),
    ):
        with pytest.raises(ValueError, match=words):
            F.scaled_mm(*given)
    with pytest.raises(
        TypeError, match="expected Tensor as element 0 in argument 2, but got float"
    ):
        F.scaled_mm(x, y.t(), 1.0, each, half, each)
