"""Arguments that are not quite what they should be: bools for ints, strides of dims of size 1."""

from __future__ import annotations

import numpy as np
import pytest

import arraytorch as torch

F = torch.nn.functional
X = torch.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize(
    "call",
    [
        lambda t: X.sum(t),
        lambda t: torch.amax(X, dim=t),
        lambda t: torch.mean(X, (t,)),
        lambda t: torch.all(X, dim=[t]),
        lambda t: torch.argmax(X, t),
        lambda t: torch.softmax(X, t),
        lambda t: X.cumsum(t),
        lambda t: X.sort(t),
        lambda t: X.transpose(t, 0),
        lambda t: X.permute(t, 0, 2),
        lambda t: X.unsqueeze(t),
        lambda t: X.select(t, 0),
        lambda t: X.select(0, t),
        lambda t: X.narrow(0, 0, t),
        lambda t: X.diff(t),
        lambda t: torch.cat([X, X], t),
        lambda t: torch.gather(X, t, torch.zeros(1, 1, 1, dtype=torch.int64)),
        lambda t: X.topk(1, t),
        lambda t: X.size(t),
        lambda t: X.stride(t),
        lambda t: X.reshape(t, 24),
        lambda t: X.view((t, 24)),
        lambda t: torch.zeros(t, 2),
        lambda t: torch.full((t,), 1),
        lambda t: torch.rand(t),
        lambda t: torch.linspace(0, 1, t),
        lambda t: torch.histc(X, t),
        lambda t: torch.bincount(torch.tensor([1]), minlength=t),
        lambda t: torch.linalg.matrix_power(torch.eye(2), t),
        lambda t: F.pad(X, (t, 1)),
        lambda t: F.conv2d(X[None, :, None, 0], torch.ones(1, 2, 1, 1), stride=t),
    ],
)
@pytest.mark.parametrize("true", [True, np.True_], ids=["bool", "numpy"])
def test_bools_are_no_integers(call, true):
    """A bool as a dim, a size or a count is a TypeError, even after the integer 1 was one."""
    call(1)
    with pytest.raises(TypeError):
        call(true)


def test_bools_behind_the_first_are_integers():
    """Of a list PyTorch looks at the first element alone."""
    assert torch.zeros(2, True).shape == (2, 1)
    assert X.reshape(24, True).shape == (24, 1)
    assert X.sum((0, True)).tolist() == [60.0, 66.0, 72.0, 78.0]


def test_integers_of_numpy_and_of_tensors_are_dims():
    """Whatever has __index__ and is no bool."""
    for one in (np.int64(1), torch.tensor(1)):
        for op in (torch.sum, torch.amax, torch.amin, torch.logsumexp, torch.all):
            assert op(X, dim=one).shape == (2, 4)
    with pytest.raises(TypeError, match="must be int, not Tensor"):
        X.argmax(torch.tensor(True))


def test_strides_of_new_dimensions():
    """They are those of memory without gaps, as PyTorch counts them, not NumPy's zeros."""
    assert X.unsqueeze(1).stride() == X[:, None].stride() == (12, 12, 4, 1)
    assert X[None].stride() == (24, 12, 4, 1) and X[..., None].stride() == (12, 4, 1, 1)
    assert X.transpose(0, 2)[:, None].stride() == (1, 12, 4, 12)
    assert torch.ones(3).expand(1, 3).stride() == (3, 1)
    assert torch.ones(3).expand(2, 3).stride() == (0, 1)
    assert torch.zeros(2, 0, 3).stride() == (3, 3, 1) and torch.zeros(0, 3).stride() == (3, 1)


def test_places_do_not_keep_all_places():
    """Indices of few elements lie in memory of their own."""
    for found in (X.topk(1, 1), X.kthvalue(1, 1, True), X.median(1, True)):
        assert found.indices.stride() == (4, 4, 1)
        assert found.indices.untyped_storage().nbytes() == 64


@pytest.mark.parametrize("beta", [0, 0.0, False])
@pytest.mark.parametrize("name", ["addmm", "addmv", "addr", "addbmm", "baddbmm"])
def test_what_is_added_zero_times(name, beta):
    """NaN does not get in, and the gradient is zero rather than none."""
    v, m = torch.tensor([1.0, 2.0]), torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    first, second = {"addmv": (m, v), "addr": (v, v), "addmm": (m, m)}.get(name, (m[None],) * 2)
    op, nothing = getattr(torch, name), torch.full((1,), float("nan"), requires_grad=True)
    result = op(nothing, first, second, beta=beta, alpha=2)
    plain = op(torch.zeros(1), first, second, alpha=2)
    assert torch.equal(result, plain) and result.requires_grad
    result.sum().backward()
    assert nothing.grad.tolist() == [0.0]


@pytest.mark.parametrize("shape", [(0,), (2, 0)])
def test_nothing_to_draw_from(shape):
    """No categories are no distribution; no rows are none to draw for."""
    with pytest.raises(RuntimeError, match="invalid multinomial distribution"):
        torch.multinomial(torch.ones(shape), 1, replacement=True)
    with pytest.raises(RuntimeError, match="without replacement"):
        torch.multinomial(torch.ones(shape), 1)
    assert torch.multinomial(torch.ones(0, 3), 2, replacement=True).shape == (0, 2)
