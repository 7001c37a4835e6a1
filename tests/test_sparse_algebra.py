"""What can be done with sparse tensors, against dense ones and SciPy, on several devices."""

from __future__ import annotations

import warnings
from importlib.util import find_spec

import cuda_on_cpu
import fake_cupy
import numpy as np
import pytest
import scipy.sparse
from registering import register
from test_sparse import INDICES, REPEATED, hybrid, make, parts, repeated
from toy_backend import ToyBackend

import arraytorch as torch

rng = np.random.default_rng(0)


@pytest.fixture(params=["cpu", "toy", "cuda", "xpu"])
def device(request, monkeypatch):
    """The CPU, a third party's device, the stand-in for CuPy, and Intel's if that is there."""
    if request.param == "cuda" and not cuda_on_cpu.AVAILABLE:
        pytest.skip("kernels run on the CPU by way of g++ on x86-64")
    if request.param == "cuda":
        warnings.filterwarnings("ignore", message=".* runs on the CPU")
        fake_cupy.load(monkeypatch)
    if request.param == "xpu" and find_spec("dpnp") is None:
        pytest.skip("dpnp is not installed")
    if request.param == "toy":
        register(monkeypatch, ToyBackend())
    return request.param


def random(shape, nnz, sparse_dim=None, dtype="float64", device="cpu"):
    """A random sparse tensor with repeated places."""
    n = len(shape) if sparse_dim is None else sparse_dim
    indices = np.stack([rng.integers(0, s, nnz) for s in shape[:n]])
    values = rng.standard_normal((nnz, *shape[n:])).astype(dtype)
    return torch.sparse_coo_tensor(indices, torch.from_numpy(values).to(device), shape)


def dense(t):
    """A sparse or dense tensor as a NumPy array."""
    return t.to_dense().detach().cpu().numpy()


UNARY = """neg abs sin sinh asin asinh atan atanh tan tanh sqrt square expm1 log1p erf erfinv sgn sign
    floor ceil trunc round frac relu deg2rad rad2deg nan_to_num isnan isinf signbit isposinf isneginf
    conj positive clone detach""".split()  # noqa: SIM905


@pytest.mark.parametrize("name", UNARY)
def test_elementwise(name, device):
    """What leaves zeros zero gives a sparse tensor; it works on sums, not on summands."""
    t = random((3, 4), 6, device=device) * 0.1
    t = t.abs() if name == "sqrt" else t
    z, expected = getattr(t, name)(), getattr(t.to_dense(), name)()
    assert z.is_sparse and z.dtype is expected.dtype and z.device == t.device
    if name != "signbit":  # zeros that cancel may have a sign
        assert np.allclose(dense(z), dense(expected), equal_nan=True)


def test_sums(device):
    """Sparse tensors add up, to each other and to a dense one that comes first."""
    s, u, d = random((3, 4), 7), random((3, 4), 5), torch.from_numpy(rng.standard_normal((3, 4)))
    s, u, d = s.to(device), u.to(device), d.to(device)
    for z, expected in (
        (s + u, dense(s) + dense(u)),
        (s - u, dense(s) - dense(u)),
        (s + s, 2 * dense(s)),
        (s.coalesce() + u.coalesce(), dense(s) + dense(u)),
        (torch.add(s, u, alpha=3), dense(s) + 3 * dense(u)),
        (s.sub(u, alpha=2), dense(s) - 2 * dense(u)),
    ):
        assert z.is_sparse and np.allclose(dense(z), expected)
    for z, expected in (
        (d + s, dense(d) + dense(s)),
        (d - s, dense(d) - dense(s)),
        (d.add(s, alpha=3), dense(d) + 3 * dense(s)),
        (d.clone().add_(s), dense(d) + dense(s)),
        (d.clone().sub_(s), dense(d) - dense(s)),
        (d.clone().add_(s, alpha=2), dense(d) + 2 * dense(s)),
    ):
        assert not z.is_sparse and np.allclose(dense(z), expected)
    assert (s.coalesce() + u.coalesce()).is_coalesced()


def test_how_sums_are_laid_out():
    """Sorted lists are merged; equal places that meet become one."""
    s, u = make(), repeated()
    assert parts(s + s) == (INDICES, [6.0, 8.0, 10.0])
    assert parts(s + make(REPEATED, (1.0, 2.0, 3.0))) == (
        [[0, 0, 0, 1, 1], [1, 1, 2, 0, 2]],
        [1.0, 2.0, 3.0, 7.0, 5.0],
    )
    assert parts((s + u).coalesce()) == ([[0, 0, 1, 1], [1, 2, 0, 2]], [3.0, 3.0, 7.0, 5.0])
    assert not (s + u).is_coalesced()


def test_what_cannot_be_added():
    """A dense tensor or a number after a sparse one, and other shapes, raise RuntimeError."""
    s, d = make(), torch.ones(2, 3)
    message = r"add\(sparse, dense\) is not supported. Use add\(dense, sparse\) instead."
    for wrong in (lambda: s + d, lambda: s - d, lambda: s + 1, lambda: s.clone().add_(d)):
        with pytest.raises(RuntimeError, match=message):
            wrong()
    with pytest.raises(RuntimeError, match="does not currently support broadcasting"):
        torch.ones(1, 3) + s
    with pytest.raises(RuntimeError):
        s + s.t()


def test_products(device):
    """A product has the places of a sparse factor; those of two sorted ones are common places."""
    s, u, d = random((3, 4), 7), random((3, 4), 5), torch.from_numpy(rng.standard_normal((3, 4)))
    s, u, d = s.to(device), u.to(device), d.to(device)
    for z, expected in (
        (s * u, dense(s) * dense(u)),
        (s.coalesce() * u.coalesce(), dense(s) * dense(u)),
        (s * s, dense(s) ** 2),
        (s * d, dense(s) * dense(d)),
        (d * s, dense(s) * dense(d)),
        (s * d[0], dense(s) * dense(d)[0]),
        (s * d[:, :1], dense(s) * dense(d)[:, :1]),
        (s * 2, dense(s) * 2),
        (2.5 * s, dense(s) * 2.5),
        (s / 2, dense(s) / 2),
        (s * torch.tensor(3.0, dtype=torch.float64), dense(s) * 3),
        (s // 2, dense(s) // 2),
        (s.div(2, rounding_mode="trunc"), np.trunc(dense(s) / 2)),
        (s**2, dense(s) ** 2),
        (s.pow(3), dense(s) ** 3),
    ):
        assert z.is_sparse and np.allclose(dense(z), expected)
    h = random((3, 4, 2), 4, sparse_dim=1).to(device)
    w = torch.from_numpy(rng.standard_normal((3, 4, 2))).to(device)
    assert np.allclose(dense(h * h), dense(h) ** 2)
    assert np.allclose(dense(h * w), dense(h) * dense(w))


def test_how_products_are_laid_out():
    """Where a factor is not coalesced, the product keeps its places, zeros included."""
    s, u = make(), repeated()
    assert parts(s * u) == (REPEATED, [0.0, 0.0, 12.0])
    assert parts(u * s) == (INDICES, [0.0, 12.0, 0.0])
    assert parts(u * u) == (REPEATED, [3.0, 6.0, 9.0])
    both = s.coalesce() * u.coalesce()
    assert parts(both) == ([[1], [0]], [12.0]) and both.is_coalesced()
    assert parts(s.coalesce() * torch.sparse_coo_tensor((2, 3))) == ([[], []], [])
    assert (s.int() * 2.5).dtype is torch.float32 and (s.int() / 2).dtype is torch.float32
    assert (s * s.double()).dtype is torch.float64


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda s, d: s / d, "Sparse division requires a scalar or zero-dim dense tensor divisor "
                             "(got shape [2, 3] for divisor)"),
        (lambda s, d: s / s, "Sparse division requires a scalar or zero-dim dense tensor divisor "
                             "(got shape [2, 3] for divisor)"),
        (lambda s, d: s // d, "Sparse floor division requires a scalar or zero-dim dense tensor "
                              "divisor (got shape [2, 3] for divisor)"),
        (lambda s, d: s**0, "pow: cannot raise to zeroth power on sparse tensor; it would make the "
                            "result tensor dense"),
        (lambda s, d: s.reshape(3, 2), "reshape is not implemented for sparse tensors"),
        (lambda s, d: s.expand(2, 2, 3), "expand is unsupported for Sparse tensors"),
        (lambda s, d: s.contiguous(), "unsupported memory format option Contiguous"),
        (lambda s, d: torch.cat([s, d]),
         "Concatenating sparse tensors, but a dense tensor was found at position 1."),
        (lambda s, d: s.copy_(d), "copy_() between dense and sparse Tensors is not implemented! "
         "Found self type = torch.sparse.FloatTensor and src type = torch.FloatTensor"),
        (lambda s, d: d.copy_(s), "copy_() between dense and sparse Tensors is not implemented! "
         "Found self type = torch.FloatTensor and src type = torch.sparse.FloatTensor"),
        (lambda s, d: s @ d, "addmm: Argument #3 (dense): Expected dim 0 size 3, got 2"),
        (lambda s, d: d @ s, "addmm: Argument #3 (dense): Expected dim 0 size 2, got 3"),
        (lambda s, d: s.mm(s), "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)"),
        (lambda s, d: s @ d[0, :2], "mv: expected self.size(-1) == vec.size(-1)"),
        (lambda s, d: s.double() @ d.t(), "expected scalar type Double but found Float"),
        (lambda s, d: torch.sparse.mm(s.double(), d.t()),
         "expected scalar type Double but found Float"),
        (lambda s, d: hybrid() @ torch.ones(2, 2), "addmm: matrices expected, got 1D tensor"),
        (lambda s, d: s.norm(2, 0), "norm_sparse currently only supports full reductions, so 'dim' "
                                    "must either be empty or contain all dimensions of the input"),
        (lambda s, d: s.norm(dim=(0, 1), keepdim=True),
         "norm_sparse currently does not support keepdim=True"),
        (lambda s, d: s.int().norm(),
         "norm(): input dtype should be either floating point or complex. Got Int instead."),
        (lambda s, d: hybrid().transpose(0, 1), "sparse transpose: transposed dimensions must be "
                                                "sparse Got sparse_dim: 1, d0: 0, d1: 1"),
        (lambda s, d: hybrid().permute(1, 0), "permute(sparse_coo): transpositions between sparse "
         "and dense dimensions are not allowed.Only transpositions within sparse and dense "
         "dimensions are supported."),
        (lambda s, d: torch.sparse.sum(s, (0, 0)),
         "dim 0 appears multiple times in the list of dims"),
        (lambda s, d: torch.sparse.addmm(s, s, d.t()),
         "addmm_sparse_dense: expected strided result tensor, got tensor with layout Sparse"),
        (lambda s, d: d.smm(d),
         "sspaddmm: expected 'mat1' to have sparse layout, got 'mat1' with layout Strided"),
        (lambda s, d: torch.sparse.sum(d),
         "coalesce expected sparse coordinate tensor layout but got Strided"),
    ],
)  # fmt: skip
def test_what_pytorch_refuses_too(wrong, words):
    """What is refused raises RuntimeError in PyTorch's words, every time."""
    for _ in range(2):
        with pytest.raises(RuntimeError) as caught:
            wrong(make(), torch.ones(2, 3))
        assert str(caught.value) == words


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (lambda s: s.exp(), "exp"), (lambda s: s.cos(), "cos"), (lambda s: s.log(), "log"),
        (lambda s: s.sigmoid(), "sigmoid"), (lambda s: s == s, "eq.Tensor"),
        (lambda s: s.eq(0), "eq.Scalar"), (lambda s: s < 0, "lt.Scalar"),
        (lambda s: s.isfinite(), "ne.Scalar"), (lambda s: s.mean(), "mean.dim"),
        (lambda s: s.amax(), "amax"), (lambda s: s.all(), "all"), (lambda s: s.any(0), "any.dim"),
        (lambda s: s.clamp(0, 1), "clamp"), (lambda s: s.nonzero(), "nonzero"),
        (lambda s: s.tril(), "tril"), (lambda s: s.cumsum(0), "cumsum"),
        (lambda s: s.sort(), "sort.stable"), (lambda s: s.maximum(s), "maximum"),
        (lambda s: s.fill_(0), "fill_.Scalar"), (lambda s: s[0:1], "as_strided"),
        (lambda s: s.softmax(1), "_softmax"), (lambda s: s**s, "pow.Tensor_Tensor"),
        (lambda s: 2**s, "pow.Scalar"), (lambda s: s.flip(0), "flip"),
        (lambda s: torch.linalg.norm(s), "linalg_vector_norm"),
        (lambda s: torch.nn.functional.gelu(s), "gelu"),
        (lambda s: s.to_dense()[0].to_sparse() @ torch.ones(3), "dot"),
    ],
)  # fmt: skip
def test_what_has_no_sparse_form(wrong, name):
    """An op without a sparse form raises NotImplementedError, which names it."""
    for _ in range(2):
        with pytest.raises(NotImplementedError) as caught:
            wrong(make())
        assert str(caught.value) == (
            f"Could not run 'aten::{name}' with arguments from the 'SparseCPU' backend."
        )


def test_in_place():
    """In-place forms change the tensor, which may then have other places."""
    s = make()
    assert s.mul_(2) is s and parts(s) == (INDICES, [6.0, 8.0, 10.0])
    s.div_(2).neg_().abs_()
    s += s
    s *= 2
    assert parts(s.coalesce()) == (INDICES, [12.0, 16.0, 20.0])
    s.add_(repeated()).sub_(repeated())
    assert dense(s).tolist() == [[0.0, 0.0, 12.0], [16.0, 0.0, 20.0]]
    assert s.copy_(repeated()) is s and parts(s) == parts(repeated())
    assert s.zero_() is s and s._nnz() == 0 and s.shape == (2, 3)
    d = torch.arange(6.0).reshape(2, 3)
    assert d.clone().mul_(repeated()).tolist() == [[0.0, 3.0, 0.0], [9.0, 0.0, 0.0]]
    with pytest.raises(RuntimeError, match="can't be cast to the desired output type Int"):
        make().int().add_(make())


def test_matrix_products(device):
    """Sparse matrices multiply dense ones from either side, vectors, and each other."""
    a, b = random((5, 4), 9, device=device), random((4, 3), 6, device=device)
    y = torch.from_numpy(rng.standard_normal((4, 3))).to(device)
    v, w = y[:, 0], torch.from_numpy(rng.standard_normal(5)).to(device)
    A, Bm, Y = dense(a), dense(b), dense(y)
    start = torch.ones(5, 3, dtype=torch.float64, device=device)
    for z, expected in (
        (a @ y, A @ Y),
        (a.mm(y), A @ Y),
        (a.matmul(y), A @ Y),
        (torch.sparse.mm(a, y), A @ Y),
        (y.t() @ a.t(), (A @ Y).T),
        (torch.sparse.mm(y.t(), a.t()), (A @ Y).T),
        (a @ v, A @ Y[:, 0]),
        (a.mv(v), A @ Y[:, 0]),
        (w @ a, dense(w) @ A),
        (torch.addmm(start, a, y), 1 + A @ Y),
        (torch.sparse.addmm(start, a, y, beta=2, alpha=3), 2 + 3 * A @ Y),
        (torch.sparse.addmm(start[0], a, y), 1 + A @ Y),
        (torch.nn.functional.linear(a, y.t(), start[0]), 1 + A @ Y),
        (torch.nn.functional.linear(y.t(), a), (A @ Y).T),
        (torch.sparse.mm(y, y.t()), Y @ Y.T),
    ):
        assert not z.is_sparse and z.device == a.device and np.allclose(dense(z), expected)
    for z, expected in (
        (a @ b, A @ Bm),
        (torch.sparse.mm(a, b), A @ Bm),
        (torch.smm(a, y), A @ Y),
        (torch.hspmm(a, y), A @ Y),
        (torch.sspaddmm(a @ b, a, y, beta=2, alpha=3), 2 * A @ Bm + 3 * A @ Y),
    ):
        assert z.is_sparse and np.allclose(dense(z), expected)
    assert (a @ b).is_coalesced()


def test_many_elements_agree_with_scipy():
    """A product large enough for SciPy's own is the same as by the generic kernel."""
    a, y = random((60, 50), 400), rng.standard_normal((50, 40))
    m = scipy.sparse.coo_array((a._values().numpy(), a._indices().numpy()), a.shape)
    assert np.allclose((a @ torch.from_numpy(y)).numpy(), m @ y)
    b = random((50, 30), 300)
    n = scipy.sparse.coo_array((b._values().numpy(), b._indices().numpy()), b.shape)
    assert np.allclose(dense(a @ b), (m.tocsr() @ n.tocsr()).toarray())
    half = a.half() @ torch.from_numpy(y).half()
    assert half.dtype is torch.float16 and np.allclose(half.numpy(), m @ y, atol=0.05)


def test_batches(device):
    """A batch of sparse matrices multiplies a batch of dense ones."""
    a = random((3, 2, 4), 8, device=device)
    y = torch.from_numpy(rng.standard_normal((3, 4, 2))).to(device)
    assert np.allclose(dense(torch.bmm(a, y)), dense(a) @ dense(y))


def test_reductions(device):
    """Sums over sparse and dense dimensions; what has no sparse dimension left is dense."""
    for t in (random((3, 4, 2), 9), random((3, 4, 2), 9, 2), random((3, 4, 2), 5, 1)):
        t, n = t.to(device), t.sparse_dim()
        for dim in (None, 0, 1, 2, (0, 1), (0, 2), (1, 2), (0, 1, 2), -1):
            expected = dense(t).sum(dim)
            dims = range(3) if dim is None else [dim % 3] if isinstance(dim, int) else dim
            for z in (t.sum(dim), torch.sparse.sum(t, dim)):
                assert z.is_sparse == any(d not in dims for d in range(n))
                assert np.allclose(dense(z), expected)
            if dim is not None:
                assert np.allclose(
                    dense(t.sum(dim, keepdim=True)), dense(t).sum(dim, keepdims=True)
                )
    s = make()
    assert parts(s.sum(0, keepdim=True)) == ([[0, 0], [0, 2]], [4.0, 8.0])
    assert s.int().sum(0).dtype is torch.int64
    assert torch.sparse.sum(s.int(), 0).dtype is torch.int32
    assert torch.sparse.sum(s, 0, dtype=torch.float64).dtype is torch.float64
    assert torch.sparse.sum(s, dtype=torch.float64).dtype is torch.float64
    assert s.any().item() and not torch.zeros_like(s).any()
    u = repeated()
    for p, expected in ((2, 18**0.5), (1, 6), (float("inf"), 3), ("fro", 18**0.5), (0, 2)):
        assert u.norm(p).item() == pytest.approx(expected)
    assert torch.norm(hybrid()).item() == pytest.approx(30**0.5)


def test_softmax(device):
    """The softmax of the elements that are there is that of a dense tensor with -inf elsewhere."""
    for t in (random((3, 4), 6), random((3, 4, 2), 5, 1), random((2, 3, 4), 12)):
        t = t.to(device).coalesce()
        ones = torch.sparse_coo_tensor(t._indices(), torch.ones_like(t._values()), t.shape)
        there = dense(ones) > 0
        x = np.where(there, dense(t), -np.inf)
        for dim in range(t.dim()):
            with np.errstate(invalid="ignore"):
                power = np.exp(x - x.max(dim, keepdims=True))
                expected = power / power.sum(dim, keepdims=True)
            z, log = torch.sparse.softmax(t, dim), torch.sparse.log_softmax(t, dim)
            assert np.allclose(dense(z)[there], expected[there])
            assert np.allclose(dense(log)[there], np.log(expected[there]))
            assert not dense(z)[~there].any()
    with pytest.raises(IndexError, match=r"expected to be in range of \[-2, 1\], but got 5"):
        torch.sparse.softmax(make(), 5)
    with pytest.raises(NotImplementedError, match="\"softmax\" not implemented for 'Int'"):
        torch.sparse.softmax(make().int(), 1)
    with pytest.raises(NotImplementedError, match="aten::_sparse_softmax.*'CPU' backend"):
        torch.sparse.softmax(torch.ones(2, 2), 1)
    assert torch.sparse.softmax(make(), 1, dtype=torch.float64).dtype is torch.float64


def test_rearranging(device):
    """Dimensions move within the sparse and within the dense ones; parts are taken and joined."""
    t, h = random((3, 4, 2), 9, device=device), random((3, 4, 2), 5, 1, device=device)
    x, y = dense(t), dense(h)
    pick = torch.tensor([2, 0, 2], device=device)
    for z, expected in (
        (t.transpose(0, 2), x.transpose(2, 1, 0)),
        (t.permute(2, 0, 1), x.transpose(2, 0, 1)),
        (h.permute(0, 2, 1), y.transpose(0, 2, 1)),
        (t[0], x[0]),
        (t[-1, 1], x[-1, 1]),
        (t[0, 1, 1], x[0, 1, 1]),
        (t[:, 1], x[:, 1]),
        (t[..., 1], x[..., 1]),
        (t[None], x[None]),
        (h[1], y[1]),
        (h[:, 2], y[:, 2]),
        (h[1, 2], y[1, 2]),
        (t.select(1, 0), x[:, 0]),
        (t.unbind(1)[3], x[:, 3]),
        (t.unsqueeze(1), x[:, None]),
        (h.unsqueeze(0), y[None]),
        (h.unsqueeze(2), y[:, :, None]),
        (t.index_select(0, pick), x[[2, 0, 2]]),
        (t.index_select(1, pick), x[:, [2, 0, 2]]),
        (h.index_select(1, pick), y[:, [2, 0, 2]]),
        (torch.cat([t, t], 1), np.concatenate([x, x], 1)),
        (torch.cat([h, h], 0), np.concatenate([y, y], 0)),
        (torch.cat([h, h], 2), np.concatenate([y, y], 2)),
        (torch.stack([t, t], 1), np.stack([x, x], 1)),
        (torch.stack([h, h], 0), np.stack([y, y], 0)),
    ):
        assert z.device == t.device and np.allclose(dense(z), expected)
    s = make()
    assert np.array_equal(dense(s.t()), dense(s).T) and np.array_equal(dense(s.T), dense(s).T)
    assert [dense(row).tolist() for row in s] == dense(s).tolist()
    assert parts(s.index_select(0, torch.tensor([1, 1]))) == (
        [[0, 0, 1, 1], [0, 2, 0, 2]],
        [4.0, 5.0, 4.0, 5.0],
    )
    with pytest.raises(IndexError, match="index 5 is out of bounds for dimension 0 with size 2"):
        s[5]


def test_diagonals(device):
    """`spdiags` places diagonals as SciPy does; gradients flow through."""
    for shape, offsets in (
        ((3, 3), [0, -1, 2]),
        ((3, 5), [1, -1]),
        ((5, 3), [1, -1]),
        ((3, 5), [9]),
    ):
        x = rng.standard_normal((len(offsets), 4))
        rows = torch.from_numpy(x).to(device).requires_grad_()
        z = torch.sparse.spdiags(rows, torch.tensor(offsets), shape)
        assert np.array_equal(dense(z), scipy.sparse.spdiags(x, offsets, *shape).toarray())
        z.to_dense().sum().backward()
        there = scipy.sparse.spdiags(np.ones_like(x), offsets, *shape).toarray().sum()
        assert rows.grad.sum().item() == there
    one = torch.sparse.spdiags(torch.arange(4.0), torch.tensor(1), (3, 5))
    assert parts(one) == ([[0, 1, 2], [1, 2, 3]], [1.0, 2.0, 3.0])
    d, o = torch.ones(2, 4), torch.tensor([1, -1])
    for arguments, words in (
        ((d, o[:1], (3, 5)), "Number of diagonals (2) does not match the number of offsets (1)"),
        ((d, o * 0, (3, 5)), "Offset tensor contains duplicate values"),
        ((d, o, (3, 5, 2)), "Output shape must be 2d"),
        ((d, o[None], (3, 5)), "Offsets must be scalar or vector"),
        ((d[None], o, (3, 5)), "Diagonals must be vector or matrix"),
        ((d, o.float(), (3, 5)), "Offset Tensor must have dtype Long but got Float"),
    ):
        with pytest.raises(RuntimeError) as caught:
            torch.sparse.spdiags(*arguments)
        assert str(caught.value) == words


def test_training(device):
    """Sparse gradients train a table to the weights that dense ones do, wherever it is."""
    for name, mode in (("SGD", "sum"), ("Adagrad", "mean")):
        weights = []
        for sparse in (False, True):
            start = torch.linspace(-1, 1, 20).reshape(10, 2)
            bag = torch.nn.EmbeddingBag.from_pretrained(
                start.clone(), freeze=False, mode=mode, sparse=sparse
            ).to(device)
            optimizer = getattr(torch.optim, name)(bag.parameters(), lr=0.1)
            for step in range(3):
                optimizer.zero_grad()
                rows = torch.tensor([[1, 3, 1], [7, step, 3]], device=device)
                bag(rows).pow(2).sum().backward()
                assert bag.weight.grad.is_sparse == sparse
                optimizer.step()
            weights.append(bag.weight.detach().cpu())
        assert torch.allclose(*weights, atol=1e-6)
    table = torch.nn.Embedding.from_pretrained(start.clone(), freeze=False, sparse=True).to(device)
    optimizer = torch.optim.SparseAdam(table.parameters(), lr=0.1)
    table(torch.tensor([1, 3, 1], device=device)).sum().backward()
    optimizer.step()
    change = (table.weight.detach().cpu() - start)[:, 0]
    assert change.tolist() == pytest.approx([0, -0.1, 0, -0.1, *[0] * 6], abs=1e-6)
    assert repr(table.weight.grad).startswith("tensor(indices=tensor([[1, 3, 1]]),")


def test_devices_do_not_mix(device):
    """A sparse and a dense tensor on two devices raise PyTorch's error."""
    if device == "cpu":
        return
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        make().to(device) @ torch.ones(3, 1)
    moved = torch.ones(2, 3).to(device)
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        moved + make()
    assert make().to(device).cpu().device.type == "cpu"
    target = make().to(device)
    assert target.copy_(repeated()).device == moved.device and parts(target) == parts(repeated())


def test_reshaping_is_refused_by_pytorchs_class():
    """RuntimeError itself, not NotImplementedError, which is one, too."""
    with pytest.raises(RuntimeError, match="reshape is not implemented") as caught:
        torch.eye(2).to_sparse().reshape(4)
    assert caught.type is RuntimeError
