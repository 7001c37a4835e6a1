"""Views: random chains of them share memory as NumPy's do, and writes are seen by all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arraytorch as torch

# Each step: what PyTorch does, and what NumPy does; the number between 0 and 1 picks a dimension.
at = lambda x, u: int(u * x.ndim)
STEPS = {
    "transpose": (lambda x, u: x.transpose(at(x, u), 0), lambda x, u: x.swapaxes(at(x, u), 0)),
    "T": (lambda x, u: x.permute(*range(x.ndim)[::-1]), lambda x, u: x.T),
    "movedim": (lambda x, u: x.movedim(0, at(x, u)), lambda x, u: np.moveaxis(x, 0, at(x, u))),
    "unsqueeze": (lambda x, u: x.unsqueeze(at(x, u)), lambda x, u: np.expand_dims(x, at(x, u))),
    "squeeze": (lambda x, u: x.squeeze(), lambda x, u: x.squeeze()),
    "select": (lambda x, u: x.select(at(x, u), -1), lambda x, u: np.moveaxis(x, at(x, u), 0)[-1, ...]),
    "step": (lambda x, u: x[..., ::2], lambda x, u: x[..., ::2]),
    "back": (lambda x, u: x[::-1], lambda x, u: x[::-1]),
    "tail": (lambda x, u: x[1:], lambda x, u: x[1:]),
    "none": (lambda x, u: x[None, ..., None], lambda x, u: x[None, ..., None]),
    "narrow": (lambda x, u: x.narrow(0, 0, 1), lambda x, u: x[:1]),
    "flatten": (lambda x, u: x.reshape(-1), lambda x, u: x.reshape(-1)),
    "chunk": (lambda x, u: x.chunk(2, -1)[0], lambda x, u: x[..., : -(-x.shape[-1] // 2)]),
    "unbind": (lambda x, u: x.unbind(0)[0], lambda x, u: x[0, ...]),
    "detach": (lambda x, u: x.detach(), lambda x, u: x),
    "unflatten": (lambda x, u: x.unflatten(-1, (-1, 1)), lambda x, u: x[..., None]),
}  # fmt: skip
chains = st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.floats(0, 0.99)), max_size=6)


def run(chain, x, y):
    """Both libraries' tensors after each step that fits."""
    for name, u in chain:
        if not y.ndim or not y.size:
            break
        mine, numpys = STEPS[name]
        x, y = mine(x, u), numpys(y, u)
        yield x, y


@settings(max_examples=150, deadline=None, derandomize=True)
@given(chains)
def test_chains_of_views(chain):
    """Shape, strides, values and the sharing of memory are NumPy's after every step."""
    source = np.arange(24.0).reshape(2, 3, 4)
    start = torch.from_numpy(source)
    for x, y in run(chain, start, source):
        assert x.shape == y.shape
        np.testing.assert_array_equal(x.numpy(), y)
        assert np.shares_memory(x.numpy(), source) == np.shares_memory(y, source)
        if x.numel():
            places = [i for i, n in enumerate(y.shape) if n > 1]
            assert [x.stride(i) for i in places] == [y.strides[i] // 8 for i in places]
            assert x.is_contiguous() == y.flags.c_contiguous


@settings(max_examples=100, deadline=None, derandomize=True)
@given(chains, st.sampled_from(["fill_", "add_", "index", "copy_", "out"]))
def test_writes_through_views(chain, how):
    """What is written through a view is seen in its base and in every other view, and is dated."""
    source, expected = np.arange(24.0).reshape(2, 3, 4), np.arange(24.0).reshape(2, 3, 4)
    base = torch.from_numpy(source)
    pairs = [(base, expected), *run(chain, base, expected)]
    x, y = pairs[-1]
    shared = np.shares_memory(x.numpy(), source)
    version = base._version
    if how == "fill_":
        x.fill_(-1)
        y[...] = -1
    elif how == "add_":
        x.add_(0.5)
        y[...] += 0.5
    elif how == "index":
        x[...] = 7
        y[...] = 7
    elif how == "copy_":
        x.copy_(torch.tensor(3.5))
        y[...] = 3.5
    else:
        torch.mul(x, 2, out=x)
        y[...] *= 2
    np.testing.assert_array_equal(source, expected)
    if x.numel() and shared:
        assert base._version > version and x._version == base._version
        for other, _ in pairs:
            if np.shares_memory(other.numpy(), source):
                assert other._version == base._version


def test_expanded_tensors():
    """Repeated dimensions have stride 0; a write into them is refused, as one element would get many."""
    x = torch.arange(3.0)
    y = x.expand(2, 3)
    assert y.stride() == (0, 1) and y.shape == (2, 3)
    x[0] = 5
    assert y[:, 0].tolist() == [5.0, 5.0]
    ones = torch.ones(2, 3)
    for write in (
        lambda: y.add_(1),
        lambda: y.copy_(ones),
        lambda: y.clamp_(0, 1),
        lambda: torch.add(y, y, out=y),
        lambda: y.__setitem__(..., 1),
        lambda: y.__setitem__(slice(None), ones),
    ):
        with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
            write()
    assert x.tolist() == [5.0, 1.0, 2.0]
    y[0] = 4
    assert x.tolist() == [4.0, 4.0, 4.0]
    y.fill_(3)
    assert y.zero_().sum().item() == 0 and x.tolist() == [0.0] * 3
    assert torch.ones(1).expand(1).add_(1).item() == 2


def test_view_refuses_to_copy():
    """view raises where memory would have to move; reshape copies."""
    x = torch.zeros(2, 3).t()
    with pytest.raises(RuntimeError, match="view size is not compatible"):
        x.view(6)
    assert x.reshape(6).shape == (6,)
    assert x.contiguous().view(6).shape == (6,)
    assert torch.zeros(2, 3).view(-1, 2).shape == (3, 2)
    assert torch.zeros(0, 3).view(3, 0).shape == (3, 0)
    with pytest.raises(RuntimeError, match="is invalid for input of size"):
        torch.zeros(6).view(4)
    with pytest.raises(RuntimeError, match="only one dimension can be inferred"):
        torch.zeros(6).view(-1, -1)


def test_dtype_views():
    """The same bytes under another dtype; the last dimension shrinks or grows."""
    x = torch.tensor([1.0, 2.0])
    assert x.view(torch.int32).tolist() == [1065353216, 1073741824]
    assert x.view(torch.uint8).shape == (8,)
    assert x.view(torch.float64).shape == (1,)
    x.view(torch.int32)[0] = 0
    assert x.tolist() == [0.0, 2.0]


def test_versions_count_writes_only():
    """Reading leaves the version; each write moves it, for all that share the memory."""
    x = torch.zeros(3)
    view, other = x[1:], x.detach()
    before = x._version
    _ = x + 1, x[0], x.sum()
    assert x._version == before
    view.add_(1)
    assert x._version == view._version == other._version > before


def test_bases():
    """Views know the tensor whose memory they show; results of other ops have none."""
    x = torch.zeros(2, 3)
    assert x[0]._base is x and x[0][0]._base is x and x._base is None and (x + 1)._base is None


def test_views_of_expanded_views():
    """What is expanded from a transposed tensor has diagonals and strides all the same."""
    matrix = torch.arange(6.0).reshape(2, 3)
    many = matrix.T[:2].expand(4, 2, 2)
    assert many.diagonal(dim1=-2, dim2=-1).tolist() == [[0.0, 4.0]] * 4
    assert many.as_strided((2,), (1,), 1).tolist() == [1.0, 2.0]
    assert many.storage_offset() == 0 and many[:, 1:].storage_offset() == 1


def test_views_of_a_tensor_that_takes_another_shape():
    """Views keep the shape they were taken with; writes to either reach the other's gradient."""
    y = torch.ones(3, 4)
    view = y.view(3, 4)
    y.transpose_(0, 1)
    row = torch.ones(4, requires_grad=True)
    view[0] = row
    (y * torch.arange(12.0).view(4, 3)).sum().backward()
    assert row.grad.tolist() == [0.0, 3.0, 6.0, 9.0]

    y = torch.ones(3, 4)
    first = y[0]
    y.t_()
    factor = torch.full((4,), 2.0, requires_grad=True)
    first.mul_(factor)
    y.sum().backward()
    assert factor.grad.tolist() == [1.0] * 4 and y.shape == (4, 3)


def test_a_saved_tensor_may_not_take_another_shape():
    """Its op would read it in the wrong order."""
    x = torch.arange(4.0).reshape(2, 2).requires_grad_()
    y = x * 1
    z = y * y
    y.t_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_is_view():
    """It tells whether there is a base."""
    x = torch.zeros(2, 3)
    assert x[0]._is_view() and not x._is_view() and not (x + 1)._is_view()


@pytest.mark.parametrize("turn", [lambda x: x.mT.contiguous().mT, lambda x: x])
def test_new_memory_can_be_viewed_in_another_shape(turn):
    """What is no elementwise result is contiguous, whatever its operands; checked against PyTorch."""
    F, at = torch.nn.functional, torch.tensor([0, 1])
    x = turn(torch.arange(24.0).reshape(2, 4, 3))
    for result in (
        x[:, at],
        x[..., at],
        x[:, [0, 1], :2],
        x.index_select(2, at),
        torch.cat([x, x], 1),
        torch.stack([x, x], -1),
        x.roll(1, 0),
        x.cumsum(0),
        x.cumprod(1),
        x.softmax(1),
        x.log_softmax(1),
        x.masked_fill(x > 2, 1.0),
        x.sum(0),
        x.mean(1),
        x.amax(0),
        x.std(0),
        x.norm(dim=0),
        x.argmax(0),
        x @ x.mT,
        (x[:, None] @ x[:, None].transpose(0, 1).mT),
        x.permute(1, 0, 2) @ x.permute(1, 2, 0),
        x.permute(1, 0, 2).tril(),
        x.repeat(1, 1, 1),
        torch.einsum("abc->bc", x),
        F.linear(x.permute(1, 0, 2), torch.ones(2, 3)),
        F.layer_norm(x, (3,)),
        F.group_norm(x, 2),
        F.instance_norm(x),
        F.rms_norm(x, (3,)),
        F.batch_norm(x, None, None, training=True),
        F.batch_norm(x, torch.zeros(4), torch.ones(4)),
    ):
        assert result.is_contiguous() and result.view(-1).shape == (result.numel(),)


def test_gradient_of_a_write_through_strides_reads_its_own_memory():
    """The gradient that arrives may lie in the middle of another tensor's memory."""
    x = torch.zeros(2, 4, dtype=torch.float64)
    s = torch.ones(2, 2, dtype=torch.float64, requires_grad=True)
    rows = [torch.as_strided_scatter(x[i].clone(), s[i], (2,), (2,), 1) for i in range(2)]
    weights = torch.arange(8, dtype=torch.float64).reshape(2, 4)
    (torch.stack(rows) * weights).sum().backward()
    assert s.grad.tolist() == [[1.0, 3.0], [5.0, 7.0]]


def test_views_from_before_a_tensor_became_a_leaf():
    """They need gradients as it does, though theirs get lost until the memory is written."""
    x = torch.ones(3)
    view = x[:2]
    own = x[1:].requires_grad_()
    x.requires_grad_()
    assert view.requires_grad and view.is_leaf and view.grad_fn is None and view._base is x
    (view[:1] * own[0]).sum().backward()
    assert x.grad is None and view.grad is None and own.grad.tolist() == [1.0, 0.0]
    for written in (view, own, x):
        with pytest.raises(RuntimeError, match="a (view of a )?leaf Variable that requires grad"):
            written.mul_(2)
        with pytest.raises(RuntimeError, match="a (view of a )?leaf Variable that requires grad"):
            written.set_(torch.ones(1))
    with pytest.raises(RuntimeError, match="Tensor at index 1 appears to not have been used"):
        torch.autograd.grad(x.sum(), (x, own))
    with torch.no_grad():
        x.add_(1)
    assert not view.is_leaf and own.is_leaf
    (view * 3).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0, 0.0]


def test_early_views_follow_their_base():
    """A base that needs no gradients any more lets its early views go, but not one with a flag of its own."""
    x = torch.ones(3)
    view, other = x[:2], x[1:]
    x.requires_grad_()
    other.requires_grad_()
    assert view.requires_grad_(False).requires_grad
    (other * 2).sum().backward()
    assert other.grad.tolist() == [2.0, 2.0]
    x.requires_grad_(False)
    assert not view.requires_grad and other.requires_grad


def test_steps_of_optimizers_renew_early_views():
    """A step is a write like any other, after which gradients of a view reach its base."""
    x = torch.ones(3)
    view = x[:2]
    x.requires_grad_().grad = torch.ones(3)
    torch.optim.SGD([x], lr=0.5).step()
    (view * 2).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0, 1.0]


@pytest.mark.parametrize("change", ["t_", "squeeze_", "unsqueeze_", "transpose_"])
def test_shapes_changed_without_recording(change):
    """A leaf stays a leaf, and what was computed keeps its history, where gradients are off."""
    args = {"unsqueeze_": (0,), "transpose_": (0, 1)}.get(change, ())
    leaf = torch.ones(1, 3, requires_grad=True)
    computed = leaf * 2
    with torch.no_grad():
        getattr(computed, change)(*args)
    (computed * 3).sum().backward()
    assert leaf.grad.tolist() == [[6.0] * 3]
    leaf.grad = None
    with torch.no_grad():
        getattr(leaf, change)(*args)
    assert leaf.requires_grad and leaf.is_leaf
    (leaf * 2).sum().backward()
    assert leaf.grad.shape == leaf.shape and leaf.grad.sum().item() == 6.0
