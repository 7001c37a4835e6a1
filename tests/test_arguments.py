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


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: torch.ones(2).atan2_(1), TypeError, "must be Tensor, not int"),
        (lambda: torch.ones(2).nextafter_(1.0), TypeError, "must be Tensor, not float"),
        (lambda: torch.ones(2).float_power_(2), RuntimeError, "requires dtype Double"),
        (lambda: torch.heaviside(X, X.double()), RuntimeError, "different dtypes"),
        (lambda: torch.heaviside(X * 1j, X * 1j), RuntimeError, "for complex tensors"),
        (lambda: torch.zeros(0).argmax(), IndexError, "to be specified"),
        (lambda: torch.zeros(0).max(), RuntimeError, "to be specified"),
        (lambda: torch.put(X, torch.tensor([0]), X), IndexError, "same number of elements"),
        (lambda: (X > 1).clamp(X > 1, X > 1), NotImplementedError, "for 'Bool'"),
        (lambda: F.layer_norm(X.long(), (4,)), NotImplementedError, "for 'Long'"),
        (lambda: F.group_norm(X.int(), 1), NotImplementedError, "for 'Int'"),
        (lambda: F.batch_norm(X * 1j, None, None, training=True), NotImplementedError, "Complex"),
        (lambda: F.instance_norm(X.bool()), NotImplementedError, "for 'Bool'"),
        (lambda: F.mse_loss(X.long(), X.int()), NotImplementedError, "mse_cpu"),
        (lambda: F.huber_loss(X.bool(), X.bool()), NotImplementedError, "huber_cpu"),
        (lambda: float(X), ValueError, "cannot be converted"),
        (lambda: int(torch.ones(0)), ValueError, "cannot be converted"),
        (lambda: X.item(), RuntimeError, "cannot be converted"),
    ],
)
def test_refusals(call, error, words):
    """Of PyTorch's classes, in its words."""
    with pytest.raises(error, match=words):
        call()


def test_signs_of_nothing():
    """NaN is neither above nor below 0, and a real zero has the argument 0 with either sign."""
    zeros = torch.tensor([0.0, -0.0, float("nan"), -1.0, 1.0])
    assert torch.heaviside(zeros, torch.tensor(0.5)).tolist() == [0.5, 0.5, 0.0, 0.0, 1.0]
    nan = torch.heaviside(torch.zeros(1), torch.tensor([float("nan")]))
    assert nan.isnan().all()
    assert torch.angle(zeros).nan_to_num(9).tolist() == [0.0, 0.0, 9.0, pytest.approx(np.pi), 0.0]


@pytest.mark.parametrize(
    "op",
    [
        F.relu,
        F.relu6,
        F.hardtanh,
        F.leaky_relu,
        F.hardshrink,
        F.softshrink,
        lambda x: F.threshold(x, 0.5, 2.0),
    ],
)
def test_slopes_that_are_constant_have_gradients(op):
    """The gradient of a gradient through pieces of lines is zero, not an error."""
    x = torch.tensor([-2.0, 0.1, 3.0, 8.0], requires_grad=True)
    (g,) = torch.autograd.grad(op(x).sum(), x, create_graph=True)
    assert g.requires_grad
    (second,) = torch.autograd.grad((g * g).sum(), x)
    assert second.tolist() == [0.0] * 4


def test_ravel_has_no_gaps():
    """Like `reshape` otherwise, it copies what one stride could have told."""
    every_second = X[0, 0, ::2]
    assert every_second.reshape(-1).data_ptr() == every_second.data_ptr()
    found = torch.ravel(every_second)
    assert found.tolist() == [0.0, 2.0] and found.stride() == (1,)
    assert found.data_ptr() != every_second.data_ptr()
    assert torch.ravel(torch.ones(1).expand(4)).stride() == (1,)
    assert X.ravel().data_ptr() == X.data_ptr()
