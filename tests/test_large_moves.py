"""What fills, copies and joins large arrays, which threads share."""

import itertools

import numpy as np
import pytest

import arraytorch as torch
from arraytorch.backends import numpy_moves
from arraytorch.ops import indexing

F = torch.nn.functional


@pytest.fixture(autouse=True, params=[1, 3])
def many_parts(monkeypatch, request):
    """One thread and three, and parts of few elements."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    monkeypatch.setattr(numpy_moves, "_MUCH", 256)
    monkeypatch.setattr(numpy_moves, "_PART", 100)
    monkeypatch.setattr(indexing, "LARGE", 100)
    yield
    torch.set_num_threads(before)


def rand(*shape):
    return np.random.default_rng([*shape]).standard_normal(shape).astype("f4")


X = rand(5, 7, 32)
COPIES = {
    "clone": (lambda t: t.clone(), X),
    "transposed": (lambda t: t.transpose(0, 2).contiguous(), X.transpose(2, 1, 0)),
    "permuted": (lambda t: t.permute(1, 0, 2).contiguous(), X.transpose(1, 0, 2)),
    "every second": (lambda t: t[:, ::2, ::2].contiguous(), X[:, ::2, ::2]),
    "flipped": (lambda t: t.flip(0), X[::-1]),
    "flipped rows": (lambda t: t.flip(2), X[..., ::-1]),
    "expanded": (
        lambda t: t[..., :1].expand(5, 7, 90).contiguous(), np.broadcast_to(X[..., :1], (5, 7, 90))
    ),
    "expanded columns": (
        lambda t: t[:1].expand(40, 7, 32).contiguous(), np.broadcast_to(X[:1], (40, 7, 32))
    ),
    "all of one": (lambda t: t[0, 0, 0].expand(300).contiguous(), np.full(300, X[0, 0, 0])),
    "windows": (
        lambda t: t.unfold(2, 4, 2).contiguous(),
        np.lib.stride_tricks.sliding_window_view(X, 4, 2)[:, :, ::2],
    ),
    "tiled": (lambda t: t.repeat(2, 1, 3), np.tile(X, (2, 1, 3))),
    "tiled into more dimensions": (lambda t: t.repeat(3, 1, 2, 1), np.tile(X, (3, 1, 2, 1))),
    "tiled never": (lambda t: t.repeat(2, 0, 3), np.tile(X, (2, 0, 3))),
    "padded": (lambda t: F.pad(t, (1, 2, 0, 1), value=2.0), np.pad(
        X, ((0, 0), (0, 1), (1, 2)), constant_values=2)),
    "mirrored": (lambda t: F.pad(t, (1, 2), mode="reflect"), np.pad(
        X, ((0, 0), (0, 0), (1, 2)), mode="reflect")),
    "doubles": (lambda t: t.double(), X.astype("f8")),
    "integers": (lambda t: (t * 9).int(), (X * 9).astype("i4")),
    "truths": (lambda t: t.clamp(min=0).bool(), X > 0),
    "complex": (lambda t: t.to(torch.complex64), X.astype("c8")),
    "full": (lambda t: torch.full((5, 99), 2.5), np.full((5, 99), 2.5, "f4")),
    "full of integers": (lambda t: torch.full((99, 5), -3), np.full((99, 5), -3)),
    "full of complex": (lambda t: torch.full((99,), 1 + 2j), np.full(99, 1 + 2j, "c8")),
    "full of truth": (lambda t: torch.full((999,), True), np.full(999, True)),
    "ones": (lambda t: torch.ones_like(t), np.ones_like(X)),
}  # fmt: skip


@pytest.mark.parametrize("name", COPIES)
def test_copies(name):
    make, expected = COPIES[name]
    found = make(torch.tensor(X))
    assert found.is_contiguous()
    assert found.numpy().dtype == expected.dtype
    np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.parametrize("order", [*itertools.permutations(range(4))])
def test_images_with_their_dimensions_in_another_order(order):
    """Some of which lie in memory as one, so that what is copied is a transposed matrix."""
    x = rand(3, 16, 20, 24)
    np.testing.assert_array_equal(
        torch.tensor(x).permute(order).contiguous().numpy(), x.transpose(order)
    )
    part = x[:, ::-1, :, 2:-1]
    np.testing.assert_array_equal(
        torch.tensor(x).flip(1)[..., 2:-1].permute(order).contiguous().numpy(),
        part.transpose(order),
    )


@pytest.mark.parametrize("dim", [0, 1, 2, -1])
def test_joins(dim):
    arrays = [X, X + 1, X * 2]
    given = [torch.tensor(a) for a in arrays]
    np.testing.assert_array_equal(torch.cat(given, dim).numpy(), np.concatenate(arrays, dim))
    np.testing.assert_array_equal(torch.stack(given, dim).numpy(), np.stack(arrays, dim))
    given[1] = given[1].transpose(0, 1).clone().transpose(0, 1)  # not in C order
    np.testing.assert_array_equal(torch.cat(given, dim).numpy(), np.concatenate(arrays, dim))


def test_numbers_are_written_everywhere():
    t = torch.tensor(X)
    view, rest = t[:, ::2], X.copy()
    view.fill_(3)
    rest[:, ::2] = 3
    np.testing.assert_array_equal(t.numpy(), rest)
    assert not t.zero_().any()
    assert torch.zeros(600, dtype=torch.int64).fill_(-7).eq(-7).all()
    with pytest.raises(RuntimeError, match="overflow"):
        torch.full((999,), 300, dtype=torch.uint8)


def test_copies_into_memory():
    """Broadcast, converted, and from a view of the same memory."""
    t = torch.tensor(X)
    t.copy_(torch.arange(32))
    np.testing.assert_array_equal(t.numpy(), np.broadcast_to(np.arange(32, dtype="f4"), X.shape))
    t = torch.tensor(X)
    t[1:] = t[:-1]
    np.testing.assert_array_equal(t.numpy(), X[[0, 0, 1, 2, 3]])
    t = torch.tensor(X)
    t.transpose(0, 2)[:] = torch.tensor(X.transpose(2, 1, 0) * 2)
    np.testing.assert_array_equal(t.numpy(), X * 2)


def test_gradients_come_back_in_the_shape_and_order_of_what_was_reshaped():
    leaf = torch.tensor(X, requires_grad=True)
    y = leaf.view(35, 8, 4).transpose(0, 1).contiguous()
    g = rand(*y.shape)
    y.backward(torch.tensor(g))
    np.testing.assert_array_equal(leaf.grad.numpy(), g.transpose(1, 0, 2).reshape(X.shape))


def parts_of(t, kind):
    return t.chunk(4, 2) if kind == "chunk" else t.split([3, 20, 9], 2)


@pytest.mark.parametrize("kind", ["chunk", "split"])
@pytest.mark.parametrize("used", [slice(None), slice(1, None), slice(1, 2), slice(0, 1)])
def test_gradients_of_parts_are_joined(kind, used):
    leaf = torch.tensor(X, requires_grad=True)
    parts = parts_of(leaf, kind)[used]
    total = sum([(part * part).sum() for part in parts])
    (g,) = torch.autograd.grad(total, leaf, create_graph=True)
    mask = torch.zeros(X.shape)
    for part in parts_of(mask, kind)[used]:
        part.fill_(1)
    np.testing.assert_array_equal(g.detach().numpy(), (2 * leaf * mask).detach().numpy())
    (second,) = torch.autograd.grad(g.sum(), leaf)
    np.testing.assert_array_equal(second.numpy(), (2 * mask).numpy())


def test_parts_have_one_node():
    """PyTorch's numbers of the node's outputs; a part written in place has a history of its own."""
    base = torch.tensor(X, requires_grad=True) * 1
    first, second = base.split(16, 2)
    assert first.grad_fn.name() == "SplitBackward0"
    product = first * second
    assert [n for _, n in product.grad_fn.next_functions] == [0, 1]


def test_a_part_may_be_written():
    leaf = torch.tensor(X, requires_grad=True)
    base = leaf * 1
    first, second = base.split(16, 2)
    first.mul_(3)
    (base.sum() + second.sum()).backward()
    expected = np.ones_like(X)
    expected[..., :16], expected[..., 16:] = 3, 2
    np.testing.assert_array_equal(leaf.grad.numpy(), expected)


def test_samples_of_parts_have_their_own_gradients():
    def function(x):
        a, b = x.split(16, 1)
        return (a * b).sum()

    found = torch.vmap(torch.func.grad(function))(torch.tensor(X))
    expected = np.concatenate([X[..., 16:], X[..., :16]], 2)
    np.testing.assert_array_equal(found.numpy(), expected)


def test_gradients_whose_memory_somebody_else_holds_are_copied():
    """A view of all of it is nobody else's only if what it views is not."""
    kept = []

    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            kept.append((g * 2).reshape(-1))
            return kept[-1].view(g.shape)

    leaf = torch.tensor(rand(200, 200), requires_grad=True)
    Twice.apply(leaf).sum().backward()
    leaf.grad.zero_()
    assert (kept[0] == 2).all()


def test_gradients_that_kernels_leave_as_views_are_not_copied():
    def view_of(x):
        return x.reshape(-1)

    B = torch.backends.backend_of(rand(1))
    made = {0: view_of(rand(200, 200) * 2)}
    address = B.data_ptr(made[0])

    def popped():
        _, g = made.popitem()
        return B.owned(g)

    assert B.data_ptr(popped()) == address
    whole = rand(200, 200) * 2
    made[0] = view_of(whole)
    assert B.data_ptr(popped()) != B.data_ptr(whole)


@pytest.mark.parametrize("shape", [(5000,), (70, 80)])
def test_rows_that_indices_name(shape):
    """Of a table, and by counts from its end."""
    rng = np.random.default_rng(0)
    table, index = rand(300, 128), rng.integers(0, 300, shape)
    t, i = torch.tensor(table), torch.tensor(index)
    np.testing.assert_array_equal(F.embedding(i, t).numpy(), table[index])
    B = torch.backends.backend_of(table)
    np.testing.assert_array_equal(B.take(table, index - 300, 0), table[index])
    if len(shape) == 1:
        np.testing.assert_array_equal(t.index_select(0, i).numpy(), table[index])
