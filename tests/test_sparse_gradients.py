"""Sparse gradients: of sparse tensors, of embeddings, and in ``.grad``."""

from __future__ import annotations

import copy

import pytest
from test_sparse import INDICES, REPEATED, hybrid, make, parts, repeated

import arraytorch as torch
from arraytorch.nn import functional as F


def dense():
    """[[0, 1, 2], [3, 4, 5]]."""
    return torch.arange(6.0).reshape(2, 3)


def leaf(t):
    """A copy that wants a gradient."""
    return t.clone().requires_grad_()


# ----------------------------------------------------------------- gradients of sparse tensors


def test_values_get_gradients():
    """Gradients flow from a sparse tensor to the values that it was made of."""
    v = torch.tensor([3.0, 4.0, 5.0], requires_grad=True)
    s = torch.sparse_coo_tensor(REPEATED, v, (2, 3))
    assert not s.is_leaf and s.grad_fn.name() == "SparseCooTensorWithDimsAndTensorsBackward0"
    assert repr(s).endswith("grad_fn=<SparseCooTensorWithDimsAndTensorsBackward0>)")
    s.to_dense().pow(2).sum().backward()
    assert v.grad.tolist() == [14.0, 14.0, 10.0]
    v.grad = None
    c = torch.sparse_coo_tensor(REPEATED, v, (2, 3)).coalesce()
    assert (c.grad_fn.name(), c.values().grad_fn.name()) == ("CoalesceBackward0", "ValuesBackward0")
    c.values().pow(2).sum().backward()
    assert v.grad.tolist() == [14.0, 14.0, 10.0]
    assert c._values().grad_fn is None


@pytest.mark.parametrize(
    ("function", "start", "indices", "values"),
    [
        (lambda p: p.to_dense(), make, INDICES, [6.0, 8.0, 10.0]),
        (lambda p: p.to_dense(), repeated, [[0, 1], [1, 0]], [6.0, 6.0]),
        (lambda p: p.to_dense(masked_grad=False), make, INDICES, [6.0, 8.0, 10.0]),
        (lambda p: (p + repeated()).to_dense(), make,
         [[0, 0, 1, 1], [1, 2, 0, 2]], [6.0, 6.0, 14.0, 10.0]),
        (lambda p: (p * p).to_dense(), make, INDICES, [108.0, 256.0, 500.0]),
        (lambda p: (p * repeated()).to_dense(), make, REPEATED, [0.0, 0.0, 72.0]),
        (lambda p: (p * dense()).to_dense(), make, INDICES, [24.0, 72.0, 250.0]),
        (lambda p: (p * 3).to_dense(), make, INDICES, [54.0, 72.0, 90.0]),
        (lambda p: (p / 2).to_dense(), make, INDICES, [1.5, 2.0, 2.5]),
        (lambda p: (-p).to_dense(), make, INDICES, [6.0, 8.0, 10.0]),
        (lambda p: p.abs().to_dense(), make, INDICES, [6.0, 8.0, 10.0]),
        (lambda p: torch.relu(p).to_dense(), make, INDICES, [6.0, 8.0, 10.0]),
        (lambda p: torch.relu(-p).to_dense(), make, INDICES, [0.0, 0.0, 0.0]),
        (lambda p: p.pow(2).to_dense(), make, INDICES, [108.0, 256.0, 500.0]),
        (lambda p: p.t().to_dense(), make, [[1, 0, 1], [0, 2, 2]], [8.0, 6.0, 10.0]),
        (lambda p: p.double().to_dense(), make, INDICES, [6.0, 8.0, 10.0]),
        (lambda p: p.coalesce().values(), make, INDICES, [6.0, 8.0, 10.0]),
        (lambda p: torch.sparse.mm(p, dense().t()), make, INDICES, [174.0, 222.0, 410.0]),
        (lambda p: torch.sparse.mm(p, dense().t()), repeated, [[0, 1], [1, 0]], [102.0, 54.0]),
        (lambda p: torch.sparse.mm(dense(), p.t()), make, INDICES, [174.0, 222.0, 410.0]),
        (lambda p: torch.sparse.addmm(torch.ones(2, 2), p, dense().t(), beta=2, alpha=3), make,
         INDICES, [1650.0, 2034.0, 3774.0]),
        (lambda p: torch.sparse.mm(p, make().t()).to_dense(), make,
         [[0, 0, 1, 1], [0, 2, 0, 2]], [0.0, 204.0, 328.0, 500.0]),
        (lambda p: torch.mm(p, make().t()).to_dense(), make,
         [[0, 0, 1, 1], [0, 2, 0, 2]], [120.0, 204.0, 328.0, 500.0]),
        (lambda p: torch.sparse.sum(p), make, INDICES, [24.0, 24.0, 24.0]),
        (lambda p: torch.sparse.sum(p, 0).to_dense(), repeated, [[0, 1], [1, 0]], [6.0, 6.0]),
        (lambda p: torch.sparse.sum(p, 0), hybrid, [[0, 2]], [[8.0, 12.0], [8.0, 12.0]]),
        (lambda p: torch.sparse.sum(p, 1).to_dense(), hybrid, [[0, 2]], [[6.0, 6.0], [14.0, 14.0]]),
        (lambda p: p.sparse_mask(repeated()).to_dense(), make, [[0, 1], [1, 0]], [0.0, 8.0]),
    ],
)  # fmt: skip
def test_gradients_of_sparse_tensors(function, start, indices, values):
    """The gradient of the sum of squares is sparse, and laid out as PyTorch's."""
    p = leaf(start())
    function(p).pow(2).sum().backward()
    assert p.grad.is_sparse and parts(p.grad) == (indices, values)


def test_gradients_of_softmax():
    """The softmax of what is there, and its logarithm."""
    for function, expected in (
        (torch.sparse.softmax, [0.0, -0.1817, 0.1817]),
        (torch.sparse.log_softmax, [0.0, -1.7516, 1.7516]),
    ):
        p = leaf(make())
        function(p, 1).to_dense().pow(2).sum().backward()
        assert p.grad._values().tolist() == pytest.approx(expected, abs=1e-4)
    p = leaf(make())
    loss = torch.sparse.softmax(p, 1).to_dense().pow(2).sum()
    (g,) = torch.autograd.grad(loss, p, create_graph=True)
    with pytest.raises(RuntimeError, match="_sparse_softmax_backward_data is not implemented"):
        g.to_dense().sum().backward()


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda p: p.sum(), [[1.0] * 3] * 2),
        (lambda p: (p * 2).sum(), [[2.0] * 3] * 2),
        (lambda p: (p * dense()).sum(), [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]),
        (lambda p: (dense() + p).pow(2).sum(), [[0.0, 2.0, 10.0], [14.0, 8.0, 20.0]]),
        (lambda p: (p @ dense().t()).pow(2).sum(), [[90.0, 132.0, 174.0], [222.0, 316.0, 410.0]]),
        (lambda p: (dense() @ p.t()).pow(2).sum(), [[90.0, 132.0, 174.0], [222.0, 316.0, 410.0]]),
        (
            lambda p: F.linear(p, dense()).pow(2).sum(),
            [[90.0, 132.0, 174.0], [222.0, 316.0, 410.0]],
        ),
        (lambda p: (p @ torch.ones(3)).pow(2).sum(), [[6.0] * 3, [18.0] * 3]),
        (lambda p: (p @ make().t()).sum(), [[4.0, 0.0, 8.0], [4.0, 0.0, 8.0]]),
    ],
)
def test_dense_gradients_of_sparse_tensors(function, expected):
    """Where PyTorch's gradient of a sparse tensor is dense, so is this one."""
    p = leaf(make())
    function(p).backward()
    assert not p.grad.is_sparse and p.grad.tolist() == expected


def test_gradients_of_dense_factors():
    """What a sparse tensor is combined with gets its gradient, too."""
    w = leaf(dense().t())
    (make() @ w).pow(2).sum().backward()
    expected = [[80.0, 296.0], [0.0, 0.0], [136.0, 460.0]]
    assert w.grad.tolist() == expected
    w.grad = None
    torch.sparse.mm(make(), w).pow(2).sum().backward()
    assert w.grad.tolist() == expected
    weight = leaf(dense())
    F.linear(make(), weight).pow(2).sum().backward()
    assert weight.grad.tolist() == [[80.0, 0.0, 136.0], [296.0, 0.0, 460.0]]
    d = leaf(dense())
    (make() * d).to_dense().pow(2).sum().backward()
    assert parts(d.grad) == (INDICES, [36.0, 96.0, 250.0])
    for n, name in ((None, "ToSparseBackward1"), (1, "ToSparseBackward0")):
        d = leaf(dense())
        t = d.to_sparse(n)
        assert t.grad_fn.name() == name
        t.to_dense().pow(2).sum().backward()
        assert d.grad.tolist() == (2 * dense()).tolist()
    d = leaf(dense())
    d.sparse_mask(repeated()).to_dense().pow(2).sum().backward()
    assert d.grad.tolist() == [[0.0, 8.0, 0.0], [6.0, 0.0, 0.0]]


def test_gradcheck():
    """Finite differences agree, for first and second derivatives, by way of the values."""
    v = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64, requires_grad=True)
    y = torch.linspace(-1, 1, 6, dtype=torch.float64).reshape(3, 2).requires_grad_()

    def product(v, y):
        return torch.sparse.mm(torch.sparse_coo_tensor(REPEATED, v, (2, 3)), y)

    def chain(v, y):
        s = torch.sparse_coo_tensor(REPEATED, v, (2, 3))
        return torch.sparse.sum((s * 2 + s.coalesce()).t(), 1).to_dense() @ y.sum(1)

    def square(v):
        s = torch.sparse_coo_tensor(INDICES, v, (2, 3))
        return torch.sparse.mm(s, s.t()).coalesce().values()

    def masked(y):
        return y.sparse_mask(make(INDICES, (1.0, 1.0, 1.0)).double().t()).to_dense()

    for function, inputs in ((product, (v, y)), (chain, (v, y)), (masked, (y,))):
        assert torch.autograd.gradcheck(function, inputs)
        assert torch.autograd.gradgradcheck(function, inputs)
    assert torch.autograd.gradcheck(square, (v,))
    for function in (torch.sparse.softmax, torch.sparse.log_softmax):
        for dim in (0, 1):
            assert torch.autograd.gradcheck(
                lambda v, function=function, dim=dim: function(
                    torch.sparse_coo_tensor(INDICES, v, (2, 3)), dim
                ).values(),
                (v,),
            )


def test_complex_gradients():
    """Complex factors are conjugated."""
    v = torch.tensor([1 + 2j, 2 - 1j, 0.5j], dtype=torch.complex128, requires_grad=True)
    y = torch.tensor([[1j, 2], [1, 1 - 1j], [0, 3]], dtype=torch.complex128, requires_grad=True)
    for mm in (torch.sparse.mm, torch.mm):
        assert torch.autograd.gradcheck(
            lambda v, y, mm=mm: mm(torch.sparse_coo_tensor(INDICES, v, (2, 3)), y), (v, y)
        )


def test_in_place_and_history():
    """A write to a sparse tensor is recorded, and one to a leaf refused."""
    p = leaf(make())
    (p * 1).add_(repeated()).to_dense().sum().backward()
    assert parts(p.grad) == ([[0, 0, 1, 1], [1, 2, 0, 2]], [1.0] * 4)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        p.add_(repeated())
    p = leaf(make())
    q = p * 1
    q.t().mul_(5)  # which is a copy, as in PyTorch
    q.to_dense().sum().backward()
    assert p.grad._values().tolist() == [1.0] * 3
    with pytest.raises(RuntimeError, match="data of a different type"):
        leaf(make()).grad = torch.ones(2, 3)


# --------------------------------------------------------------------------------- embeddings


def table(rows=5, **options):
    """An embedding of ones whose gradients are sparse."""
    e = torch.nn.Embedding(rows, 2, sparse=True, **options)
    torch.nn.init.ones_(e.weight)
    return e


def test_embedding():
    """The gradient of a table holds the rows that were looked up, in their order."""
    e = table()
    e(torch.tensor([[1, 3], [1, 0]])).sum().backward()
    g = e.weight.grad
    assert g.is_sparse and g.shape == (5, 2) and not g.is_coalesced()
    assert parts(g) == ([[1, 3, 1, 0]], [[1.0, 1.0]] * 4)
    plain = torch.nn.Embedding(5, 2)
    plain(torch.tensor([[1, 3], [1, 0]])).sum().backward()
    assert torch.equal(g.to_dense(), plain.weight.grad)
    e = table(padding_idx=1)
    e(torch.tensor([[1, 3], [1, 0]])).sum().backward()
    assert parts(e.weight.grad) == ([[3, 0]], [[1.0, 1.0]] * 2)
    e = table()
    e(torch.zeros(0, dtype=torch.int64)).sum().backward()
    assert e.weight.grad._nnz() == 0
    e = table(scale_grad_by_freq=True)
    with pytest.raises(
        RuntimeError, match="scale_grad_by_freq not supported with sparse gradients"
    ):
        e(torch.tensor([1])).sum().backward()
    assert repr(e) == "Embedding(5, 2, scale_grad_by_freq=True, sparse=True)"


def test_a_large_table():
    """In a large table, too, the rows that are named change and no others."""
    plain, e = torch.nn.Embedding(20000, 8), torch.nn.Embedding(20000, 8, sparse=True)
    e.load_state_dict(plain.state_dict())
    index = torch.arange(1500) % 1100 * 17
    for module in (plain, e):
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
        for _ in range(2):
            optimizer.zero_grad()
            module(index).pow(2).sum().backward()
            optimizer.step()
    assert torch.allclose(e.weight, plain.weight, atol=1e-6)


def test_the_gradient_does_not_share_the_index():
    """Writing to the index afterwards changes no gradient."""
    e, index = table(), torch.tensor([1, 3])
    e(index).sum().backward()
    index.zero_()
    assert e.weight.grad._indices().tolist() == [[1, 3]]


def test_functional_embedding():
    """So does the function, also of a table that was computed."""
    w = torch.ones(5, 2, requires_grad=True)
    F.embedding(torch.tensor([1, 3, 1]), w * 2, sparse=True).sum().backward()
    assert parts(w.grad) == ([[1, 3, 1]], [[2.0, 2.0]] * 3)
    assert torch.embedding(w, torch.tensor([1]), sparse=True).shape == (1, 2)


@pytest.mark.parametrize(
    ("options", "arguments", "rows", "values"),
    [
        ({"mode": "sum"}, {}, [1, 3, 1, 0, 2], [1.0] * 5),
        ({"mode": "mean"}, {}, [1, 3, 1, 0, 2], [1 / 3] * 3 + [0.5] * 2),
        ({"mode": "sum"}, {"per_sample_weights": torch.arange(5.0)}, [1, 3, 1, 0, 2], range(5)),
        ({"mode": "sum", "padding_idx": 1}, {}, [3, 0, 2], [1.0] * 3),
        ({"mode": "mean", "padding_idx": 1}, {}, [3, 0, 2], [1.0, 0.5, 0.5]),
    ],
)
def test_embedding_bag(options, arguments, rows, values):
    """Bags give the gradients of their rows."""
    bag = torch.nn.EmbeddingBag(5, 2, sparse=True, **options)
    bag(torch.tensor([1, 3, 1, 0, 2]), torch.tensor([0, 3]), **arguments).sum().backward()
    g = bag.weight.grad
    assert g._indices().tolist() == [rows]
    assert g._values()[:, 0].tolist() == pytest.approx(list(values))


def test_embedding_bag_of_maxima():
    """Maxima have no sparse gradients."""
    bag = torch.nn.EmbeddingBag(5, 2, mode="max", sparse=True)
    with pytest.raises(ValueError, match="max mode does not support sparse weights"):
        bag(torch.tensor([[1, 3]]))


# ------------------------------------------------------------------------------- accumulation


def test_sparse_gradients_gather():
    """Sparse gradients gather in the tensor that is there, as a list of all rows."""
    e = table()
    e(torch.tensor([1, 3, 1])).sum().backward()
    g = e.weight.grad
    e(torch.tensor([1, 0])).sum().backward()
    assert e.weight.grad is g and parts(g) == ([[1, 3, 1, 1, 0]], [[1.0, 1.0]] * 5)
    e = table()
    (e(torch.tensor([1, 3, 1])).sum() + e(torch.tensor([0, 1])).sum()).backward()
    assert parts(e.weight.grad) == ([[1, 3, 1, 0, 1]], [[1.0, 1.0]] * 5)


def test_sparse_and_dense_gradients_gather():
    """With a dense one the sum is dense: in place where that was there first."""
    expected = [[1.0] * 2, [3.0] * 2, [1.0] * 2, [2.0] * 2, [1.0] * 2]
    e = table()
    g = e.weight.grad = torch.ones(5, 2)
    e(torch.tensor([1, 3, 1])).sum().backward()
    assert e.weight.grad is g and g.tolist() == expected
    e = table()
    e(torch.tensor([1, 3, 1])).sum().backward()
    g = e.weight.grad
    e.weight.sum().backward()
    assert e.weight.grad is not g and e.weight.grad.tolist() == expected and g.is_sparse
    for order in (1, -1):
        e = table()
        terms = [lambda e: e(torch.tensor([1, 3, 1])).sum(), lambda e: e.weight.sum()][::order]
        (terms[0](e) + terms[1](e)).backward()
        assert e.weight.grad.tolist() == expected


def test_hooks_and_functions_see_them():
    """Hooks, `autograd.grad` and ``create_graph`` hand out sparse gradients."""
    e, seen = table(), []
    e.weight.register_hook(lambda g: seen.append((g.layout, g._nnz())) or g * 2)
    e.weight.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.is_sparse))
    e(torch.tensor([1, 3, 1])).sum().backward()
    assert seen == [(torch.sparse_coo, 3), True]
    assert e.weight.grad._values().tolist() == [[2.0, 2.0]] * 3
    e = table()
    (g,) = torch.autograd.grad(e(torch.tensor([1, 3])).pow(3).sum(), e.weight, create_graph=True)
    assert g.is_sparse and g.requires_grad and e.weight.grad is None
    (h,) = torch.autograd.grad(g.to_dense().sum(), e.weight)
    assert h.to_dense()[:, 0].tolist() == [0.0, 6.0, 0.0, 6.0, 0.0]
    e(torch.tensor([1])).pow(2).sum().backward(create_graph=True)
    assert e.weight.grad.is_sparse and e.weight.grad.requires_grad
    w = (e.weight * 2).detach().requires_grad_()
    row = w * 3
    row.retain_grad()
    F.embedding(torch.tensor([4]), row, sparse=True).sum().backward()
    assert row.grad.is_sparse and parts(w.grad) == ([[4]], [[3.0, 3.0]])


def test_anomaly_detection():
    """Anomaly detection looks at the values of sparse gradients."""
    e = table()
    with torch.autograd.set_detect_anomaly(True):
        e(torch.tensor([1, 3])).sum().backward()
        assert e.weight.grad._nnz() == 2
        rows = e(torch.tensor([1]))
        with pytest.raises(RuntimeError, match="'EmbeddingBackward0' returned nan values"):
            rows.backward(torch.full_like(rows, float("nan")))


def test_modules_take_their_gradients_along():
    """Conversions of a module convert its sparse gradients and buffers, copies of a tensor copy them."""
    e = table()
    e(torch.tensor([1, 3])).sum().backward()
    w = torch.ones(5, 2, requires_grad=True)
    w.grad = e.weight.grad
    twin = copy.deepcopy(w)
    assert twin.grad.is_sparse and twin.grad is not w.grad
    assert e.double().weight.grad.dtype is torch.float64
    module = torch.nn.Module()
    module.register_buffer("graph", make())
    module.load_state_dict({"graph": repeated()})
    assert parts(module.graph) == parts(repeated())
    assert module.double().graph.is_sparse and module.graph.dtype is torch.float64


def test_given_gradients():
    """``backward`` takes a sparse gradient, and a sparse parameter is stepped."""
    x = torch.ones(2, 3, requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.backward(make())
    assert parts(y.grad) == (INDICES, [3.0, 4.0, 5.0]) and parts(x.grad) == (
        INDICES,
        [6.0, 8.0, 10.0],
    )
    p = leaf(make())
    optimizer = torch.optim.SGD([p], lr=0.5)
    p.to_dense().sum().backward()
    optimizer.step()
    assert p.to_dense().tolist() == [[0.0, 0.0, 2.5], [3.5, 0.0, 4.5]]


def test_zeroing_and_clipping():
    """Gradients are zeroed by losing their rows; clipping refuses them, as in PyTorch."""
    e = table()
    e(torch.tensor([1, 3, 1])).sum().backward()
    with pytest.raises(NotImplementedError, match="aten::linalg_vector_norm.*'SparseCPU' backend"):
        torch.nn.utils.clip_grad_norm_(e.parameters(), 1.0)
    with pytest.raises(NotImplementedError, match="aten::clamp.*'SparseCPU' backend"):
        torch.nn.utils.clip_grad_value_(e.parameters(), 1.0)
    g = e.weight.grad
    e.zero_grad(set_to_none=False)
    assert e.weight.grad is g and g.is_sparse and g._nnz() == 0 and g._values().shape == (0, 2)
    e(torch.tensor([2])).sum().backward()
    torch.optim.SGD(e.parameters(), lr=1.0).zero_grad(set_to_none=False)
    assert g._nnz() == 0


def test_assigned_gradients():
    """A sparse tensor can be assigned to ``grad``, if shape and dtype are right."""
    p = torch.ones(5, 2, requires_grad=True)
    p.grad = torch.sparse_coo_tensor([[1]], [[1.0, 2.0]], (5, 2))
    assert p.grad.is_sparse
    with pytest.raises(RuntimeError, match="dtype"):
        p.grad = torch.sparse_coo_tensor([[1]], [[1, 2]], (5, 2))
    with pytest.raises(RuntimeError, match="different size"):
        p.grad = torch.sparse_coo_tensor([[1]], [[1.0]], (5, 1))
