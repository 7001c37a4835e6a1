"""torch.vmap: dims, structures, levels, randomness, what it refuses, and what it leaves behind."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import arraytorch as torch
from arraytorch.backends import AS_ARRAY, BACKENDS
from arraytorch.backends.batched import Call, fallback
from arraytorch.backends.batched_array import BatchedArray, Level

vmap = torch.vmap
functional = torch.nn.functional


def arange(*shape):
    """Numbers from 0 on in a shape."""
    return torch.arange(float(np.prod(shape))).reshape(shape)


# ---------------------------------------------------------------------------------- arguments


def test_vmap_is_in_both_places():
    """torch.vmap is torch.func.vmap."""
    assert torch.vmap is torch.func.vmap


@pytest.mark.parametrize("in_dim", [0, 1, 2, -1, -2, -3])
@pytest.mark.parametrize("out_dim", [0, 1, 2, -1, -3])
def test_dims_are_moved(in_dim, out_dim):
    """The function sees one sample; the samples come back where out_dims says."""
    x = arange(2, 3, 4)
    seen = []

    def function(sample):
        seen.append(sample.shape)
        return sample * 2

    result = vmap(function, in_dim, out_dim)(x)
    wanted = np.moveaxis(np.moveaxis(2 * x.numpy(), in_dim, 0), 0, out_dim)
    assert seen == [wanted.take(0, out_dim).shape]
    np.testing.assert_array_equal(result.numpy(), wanted)


def test_nested_structures_in_and_out():
    """in_dims may be a tree over the arguments, or a prefix of one; so may out_dims."""
    tree = {"a": arange(3, 4), "b": [arange(3), arange(2)]}

    def function(d, scale):
        return {"sum": d["a"].sum() + d["b"][1].sum() * scale, "rest": (d["a"], d["b"][0])}

    dims = ({"a": 0, "b": [0, None]}, None)
    out = vmap(function, dims, {"sum": 0, "rest": (1, 0)})(tree, 10)
    assert out["sum"].tolist() == [16.0, 32.0, 48.0]
    assert out["rest"][0].shape == (4, 3)
    assert out["rest"][1].tolist() == [0.0, 1.0, 2.0]


def test_named_results_keep_their_type():
    """The named tuples of ops are containers too."""
    found = vmap(torch.sort)(torch.tensor([[2.0, 1.0], [3.0, 4.0]]))
    assert type(found).__name__ == "sort"
    assert found.values.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert found.indices.tolist() == [[1, 0], [0, 1]]


def test_keyword_arguments_are_the_same_for_all():
    """They are handed on as they are."""
    x = arange(2, 3)
    assert vmap(lambda a, other: a + other)(x, other=x).shape == (2, 2, 3)


def test_results_that_do_not_depend_on_the_samples():
    """They are repeated, or returned once where out_dims is None."""
    x = arange(3, 2)
    assert vmap(lambda a: torch.ones(2), out_dims=1)(x).tolist() == [[1.0] * 3] * 2
    assert vmap(lambda a: torch.ones(2), out_dims=None)(x).tolist() == [1.0, 1.0]
    assert vmap(lambda a: (a, "text"), out_dims=(0, None))(x)[1] == "text"


def test_no_samples():
    """The dimension of the samples may have size 0."""
    assert vmap(torch.sin)(torch.ones(0, 3)).shape == (0, 3)


@pytest.mark.parametrize("chunk_size", [1, 2, 5, 9])
def test_chunks(chunk_size):
    """Some samples at a time give the same."""
    x, w = arange(3, 5), arange(3)
    out = vmap(lambda a, b: (a @ b, a), (1, None), (0, 1), chunk_size=chunk_size)(x, w)
    np.testing.assert_array_equal(out[0].numpy(), x.numpy().T @ w.numpy())
    np.testing.assert_array_equal(out[1].numpy(), x.numpy())


def test_function_is_called_once():
    """And all samples take part in each of its operations."""
    calls = []
    vmap(lambda a: calls.append(1) or a.sum())(arange(5, 2))
    assert calls == [1]


X = arange(2, 3)
WRONG = [
    (lambda: vmap(lambda: X)(), ValueError, "got no inputs"),
    (lambda: vmap(torch.sin, in_dims="a")(X), ValueError, "expected `in_dims` to be int or a"),
    (lambda: vmap(torch.sin, in_dims=[0])(X), ValueError, "expected `in_dims` to be int or a"),
    (lambda: vmap(torch.sin, in_dims=(0, 0))(X), ValueError, "in_dims is not compatible"),
    (lambda: vmap(torch.sin, in_dims=None)(X), ValueError, "expected `in_dims` to be int"),
    (lambda: vmap(torch.sin, in_dims=(None,))(X), ValueError, "at least one Tensor to vmap over"),
    (lambda: vmap(torch.sin, in_dims=2)(X), ValueError, "-2 <= in_dim < 2"),
    (lambda: vmap(torch.sin, in_dims=(0.5,))(X), ValueError, "must be either an integer dimension"),
    (lambda: vmap(torch.mul)(X, 2), ValueError, "cannot vmap over non-Tensor arguments"),
    (lambda: vmap(torch.add)(X, torch.ones(3)), ValueError, r"got sizes \[2, 3\]"),
    (lambda: vmap(torch.sin)(torch.ones(())), ValueError, "dimensionality 0"),
    (lambda: vmap(lambda x: 3)(X), ValueError, "must only return Tensors, got type <class 'int'>"),
    (lambda: vmap(torch.sin, out_dims=2)(X), IndexError, r"\[-2, 1\], but got 2"),
    (lambda: vmap(torch.sin, out_dims="a")(X), ValueError, "`out_dims` must be an int, None or"),
    (lambda: vmap(lambda x: (x, x), out_dims=(0,))(X), ValueError, "out_dims is not compatible"),
    (lambda: vmap(torch.sin, out_dims=None)(X), ValueError, "can not return a BatchedTensor"),
    (lambda: vmap(torch.sin, chunk_size=0)(X), ValueError, "chunk_size should be None or greater"),
    (lambda: vmap(torch.sin, randomness="x")(X), RuntimeError, "Only allowed values for randomness"),
    (lambda: vmap(lambda x: x.sum().item())(X), RuntimeError, r"calling .item\(\) on a Tensor"),
    (lambda: vmap(lambda x: x if x.sum() > 0 else -x)(X), RuntimeError, "data-dependent control"),
    (lambda: vmap(lambda x: x.nonzero())(X), RuntimeError, "dynamic shape"),
    (lambda: vmap(torch.argwhere)(torch.eye(3)[:2] + torch.eye(3)[0]), RuntimeError, "differs"),
    (lambda: vmap(lambda x: x[x > 1])(X), RuntimeError, "dynamic shape"),
    (lambda: vmap(lambda x: x.unique())(X), RuntimeError, "dynamic shape"),
    (lambda: vmap(torch.repeat_interleave)(torch.tensor([[1], [2]])), RuntimeError, "differs"),
    (lambda: vmap(lambda x: x.numpy())(X), RuntimeError, "cannot become a NumPy array"),
    (lambda: vmap(lambda x: torch.rand(2))(X), RuntimeError, "randomness error mode"),
    (lambda: vmap(lambda x: torch.zeros(3).add_(x))(X), RuntimeError, "inplace operation"),
    (lambda: vmap(_writes_into_a_constant)(X), RuntimeError, "inplace operation"),
    (lambda: vmap(lambda x: (x * W).sum().backward())(X), RuntimeError, "inside a functorch"),
]  # fmt: skip
W = torch.ones(3, requires_grad=True)


def _writes_into_a_constant(x):
    z = torch.zeros(3)
    z[0] = x[0]
    return z


@pytest.mark.parametrize(("call", "error", "words"), WRONG, ids=[words for _, _, words in WRONG])
def test_what_is_refused(call, error, words):
    """By PyTorch's classes of exceptions; and the registry of backends is as before."""
    before = dict(BACKENDS), dict(AS_ARRAY)
    with pytest.raises(error, match=words):
        call()
    assert (dict(BACKENDS), dict(AS_ARRAY)) == before
    assert W.grad is None


# ---------------------------------------------------------------------------- inside the function


def test_memory_of_the_inputs_is_shared():
    """A write in place to a sample goes to the tensor that vmap was given."""
    x = arange(3, 2)
    vmap(lambda row: row.mul_(10))(x)
    assert x.tolist() == [[0.0, 10.0], [20.0, 30.0], [40.0, 50.0]]


def test_views_and_writes():
    """Views of a sample share its memory; new_zeros and zeros_like have room for all samples."""

    def function(x):
        y, z = x.clone(), x.new_zeros(2)
        y[0] = 7
        y.t()[1].mul_(2)
        z[0] = x[0, 0]
        torch.zeros_like(x)[0] = x[0]
        return y, z

    x = arange(2, 2, 2)
    y, z = vmap(function)(x)
    assert y.tolist() == [[[7.0, 14.0], [2.0, 6.0]], [[7.0, 14.0], [6.0, 14.0]]]
    assert z.tolist() == [[0.0, 0.0], [4.0, 0.0]]


def test_gradients_of_writes():
    """A write in place is part of the history of every sample."""

    def loss(x):
        y = x * 1
        y[0] = x[1] ** 2
        return (y * y).sum()

    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
    # (x1^2)^2 + x1^2, so 4 x1^3 + 2 x1
    assert vmap(torch.func.grad(loss))(x).tolist() == [[0.0, 36.0], [0.0, 264.0]]


def test_indices_that_differ_between_samples():
    """Both of an array of indices, and of indices beside others and slices."""
    x = arange(2, 3, 4)
    i = torch.tensor([[0, 2], [1, 1]])
    rows = np.arange(2)[:, None]
    n, k = x.numpy(), i.numpy()
    np.testing.assert_array_equal(vmap(lambda x, i: x[i])(x, i).numpy(), n[rows, k])
    np.testing.assert_array_equal(
        vmap(lambda x, i: x[:, i])(x, i).numpy(), np.stack([n[s][:, k[s]] for s in range(2)])
    )
    np.testing.assert_array_equal(vmap(lambda i: x[0, i])(i).numpy(), n[0][k])
    np.testing.assert_array_equal(
        vmap(lambda x, i: x[i, i])(x, i).numpy(), np.stack([n[s][k[s], k[s]] for s in range(2)])
    )
    j = torch.tensor([3, 0])
    np.testing.assert_array_equal(
        vmap(lambda x: x[None, :, j])(x).numpy(), n[:, None][:, :, :, [3, 0]]
    )
    mask = torch.tensor([True, False, True])
    np.testing.assert_array_equal(vmap(lambda x: x[mask])(x).numpy(), n[:, [0, 2]])


def test_dtypes_and_numbers():
    """Promotion looks at a sample: one number of a batch does not widen the dtype."""
    a = torch.tensor([1.0, 2.0], dtype=torch.float64)
    out = vmap(lambda a: torch.ones(2) * a)(a)
    assert out.dtype is torch.float32
    assert vmap(lambda i: i / 2)(torch.tensor([1, 3])).tolist() == [0.5, 1.5]
    assert vmap(lambda a: a.to(torch.int32))(a).dtype is torch.int32


def test_bfloat16_and_bool():
    """Dtypes that come from elsewhere, and those without arithmetic."""
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.bfloat16)
    assert vmap(lambda r: r.sum())(x).tolist() == [3.0, 7.0]
    assert vmap(torch.logical_and, (0, None))(x > 2, torch.tensor([True, False])).tolist() == [
        [False, False],
        [True, False],
    ]


def test_text_of_a_tensor_inside():
    """It is that of all samples."""
    texts = []
    vmap(lambda x: texts.append(str(x)) or x)(torch.ones(2, 1))
    assert texts == [
        "BatchedTensor(lvl=1, bdim=0, value=\n    tensor([[1.],\n            [1.]])\n)"
    ]


def test_meta_tensors():
    """Shapes alone can be mapped too."""
    out = vmap(torch.mv, (0, None))(
        torch.ones(5, 2, 3, device="meta"), torch.ones(3, device="meta")
    )
    assert (out.shape, out.device.type) == ((5, 2), "meta")


def test_kernel_without_a_rule_says_that_it_is_slow():
    """The result is right, and a warning tells that samples took turns."""
    level = Level(2)
    call = Call("unheard_of", level)
    call.run = lambda x: x.sum()
    samples = BatchedArray(np.array([[1, 2], [3, 4]]), level)
    with pytest.warns(UserWarning, match="performance drop because unheard_of"):
        found = fallback(call, samples)
    assert found.value.tolist() == [3, 7]


# -------------------------------------------------------------------------------------- gradients


def test_gradient_of_what_all_samples_share_is_their_sum():
    """After vmap the tensor that was captured gets the sum of the samples' gradients, at any order."""
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
    w = torch.tensor([2.0, -1.0], dtype=torch.float64, requires_grad=True)
    out = vmap(lambda row: (row * w).sum() ** 2)(x)
    out.sum().backward()
    wanted = sum(2 * (row @ w.detach()) * row for row in x)
    assert w.grad.tolist() == wanted.tolist()

    def loss(w):
        return vmap(lambda row: (row * w).sum() ** 3)(x).sum()

    second = torch.func.hessian(loss)(w.detach())
    wanted = sum(6 * (row @ w.detach()) * torch.outer(row, row) for row in x)
    torch.testing.assert_close(second, wanted)


def test_gradient_of_shared_weights_in_products_and_convolutions():
    """These are summed without being computed for each sample."""
    torch.manual_seed(0)
    x, w = (
        torch.randn(3, 2, 5, 5, dtype=torch.float64),
        torch.randn(4, 2, 3, 3, dtype=torch.float64),
    )
    pairs = [
        (lambda w: vmap(lambda s: functional.conv2d(s, w).pow(2).sum())(x), lambda w: functional.conv2d(x, w).pow(2).sum()),
        (lambda w: vmap(lambda s: functional.linear(s, w[0, 0]).pow(2).sum())(x[..., :3]), lambda w: functional.linear(x[..., :3], w[0, 0]).pow(2).sum()),
        (lambda w: vmap(lambda s: (w[0, 0] @ s).pow(2).sum())(x[:, 0, :3]), lambda w: (w[0, 0] @ x[:, 0, :3]).pow(2).sum()),
    ]  # fmt: skip
    for mapped, whole in pairs:
        a = torch.func.grad(lambda w, f=mapped: f(w).sum())(w)
        torch.testing.assert_close(a, torch.func.grad(whole)(w))


def test_per_sample_gradients():
    """vmap over grad: of cross entropy of a linear layer, (softmax - one) x^T."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2).double()
    parameters = {k: v.detach() for k, v in layer.named_parameters()}
    x, y = torch.randn(5, 3, dtype=torch.float64), torch.tensor([0, 1, 1, 0, 1])

    def loss(p, x, y):
        out = torch.func.functional_call(layer, p, (x[None],))
        return functional.cross_entropy(out, y[None])

    found = vmap(torch.func.grad(loss), (None, 0, 0))(parameters, x, y)
    slope = (layer(x).softmax(1) - functional.one_hot(y, 2)).detach()
    torch.testing.assert_close(found["bias"], slope)
    torch.testing.assert_close(found["weight"], slope[:, :, None] * x[:, None])


def test_ensemble_of_models():
    """Stacked parameters: the same as each model on its own, in training as well."""
    torch.manual_seed(0)
    models = [
        torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)).double()
        for _ in range(3)
    ]
    parameters, buffers = torch.func.stack_module_state(models)
    x = torch.randn(5, 3, dtype=torch.float64)

    def call(p, b, x):
        return torch.func.functional_call(models[0], (p, b), (x,))

    out = vmap(call, (0, 0, None))(parameters, buffers, x)
    torch.testing.assert_close(out, torch.stack([m(x) for m in models]))
    out.pow(2).sum().backward()
    for m in models:
        m(x).pow(2).sum().backward()
    for name, stacked in parameters.items():
        wanted = torch.stack([dict(m.named_parameters())[name].grad for m in models])
        torch.testing.assert_close(stacked.grad, wanted)


def test_autograd_grad_inside():
    """autograd.grad works inside, and gives each sample its own gradient."""
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    x = torch.tensor([[3.0, 4.0], [5.0, 6.0]])
    found = vmap(lambda row: torch.autograd.grad((row * w).sum(), w)[0])(x)
    assert found.tolist() == x.tolist()


def test_grads_batched():
    """Several vectors at once, and the gradients of that."""
    x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
    y = x**3
    eye = torch.eye(3, dtype=torch.float64)
    (jacobian,) = torch.autograd.grad(y, x, eye, is_grads_batched=True, create_graph=True)
    assert jacobian.tolist() == [[3.0, 0.0, 0.0], [0.0, 12.0, 0.0], [0.0, 0.0, 27.0]]
    (second,) = torch.autograd.grad(jacobian.sum(), x)
    assert second.tolist() == [6.0, 12.0, 18.0]


def test_walks_that_nest_leave_no_level_open():
    """A rule that differentiates in turn, inside a second derivative of vmap, ends with its walk."""
    torch.manual_seed(0)
    rnn = torch.nn.RNN(2, 3).double()
    x = torch.randn(2, 4, 1, 2, dtype=torch.float64, requires_grad=True)
    before = dict(BACKENDS)
    out = vmap(lambda s: rnn(s)[0])(x)
    (g,) = torch.autograd.grad(out.sum(), x, create_graph=True)
    (h,) = torch.autograd.grad(g.pow(2).sum(), x)
    out = torch.stack([rnn(s)[0] for s in x])
    (g,) = torch.autograd.grad(out.sum(), x, create_graph=True)
    torch.testing.assert_close(h, torch.autograd.grad(g.pow(2).sum(), x)[0])
    assert dict(BACKENDS) == before


def test_function_with_a_rule_of_its_own():
    """`Function.vmap` gets whole batches, one level at a time."""
    seen = []

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return torch.from_numpy(x.detach().numpy() ** 3)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g):
            return 3 * ctx.saved_tensors[0] ** 2 * g

        @staticmethod
        def vmap(info, in_dims, x):
            seen.append((info.batch_size, in_dims))
            return Cube.apply(x), in_dims[0]

    x = arange(2, 3)
    assert vmap(vmap(Cube.apply))(x).tolist() == (x**3).tolist()
    assert seen == [(3, (0,)), (2, (0,))]
    assert vmap(torch.func.grad(lambda s: Cube.apply(s).sum()))(x).tolist() == (3 * x**2).tolist()


def test_function_made_of_operations_needs_no_rule():
    """Its forward and backward see the samples like any other code."""

    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = arange(2, 3)
    assert vmap(Double.apply)(x).tolist() == (x * 2).tolist()
    assert vmap(torch.func.grad(lambda s: Double.apply(s).sum()))(x).tolist() == [[2.0] * 3] * 2


# ------------------------------------------------------------------------------------- randomness


def test_different_numbers_are_those_of_one_large_draw():
    """As PyTorch's are, in nested levels too."""
    x = torch.zeros(4, 2)
    torch.manual_seed(0)
    got = vmap(lambda s: s + torch.rand(2), randomness="different")(x)
    torch.manual_seed(0)
    assert got.tolist() == torch.rand(4, 2).tolist()
    torch.manual_seed(0)
    twice = vmap(vmap(lambda s: s + torch.randn(3), randomness="different"), randomness="different")
    got = twice(torch.zeros(2, 4, 3))
    torch.manual_seed(0)
    assert got.tolist() == torch.randn(2, 4, 3).tolist()


def test_same_numbers():
    """One draw for all, in every chunk."""
    for chunk_size in (None, 1):
        torch.manual_seed(0)
        got = vmap(lambda s: s + torch.rand(2), randomness="same", chunk_size=chunk_size)(
            torch.zeros(3, 2)
        )
        torch.manual_seed(0)
        assert got.tolist() == [torch.rand(2).tolist()] * 3


def test_dropout_masks():
    """Each sample its own mask, or all the same one."""
    x = torch.ones(8, 16)
    drop = lambda s: functional.dropout(s, 0.5)
    different = vmap(drop, randomness="different")(x)
    assert len({tuple(row) for row in different.tolist()}) > 1
    same = vmap(drop, randomness="same")(x)
    assert len({tuple(row) for row in same.tolist()}) == 1
    with pytest.raises(RuntimeError, match="randomness error mode"):
        vmap(drop)(x)


@pytest.mark.parametrize("draw", [
    lambda x: torch.randint(10, (2,)), lambda x: torch.randperm(6), torch.rand_like, torch.bernoulli,
    lambda x: torch.multinomial(x, 2), lambda x: torch.normal(x, 1.0), lambda x: x.clone().exponential_(),
    torch.poisson, lambda x: functional.gumbel_softmax(x), lambda x: functional.dropout1d(x[None, :, None]),
])  # fmt: skip
def test_all_draws_differ(draw):
    """None of the ways to random numbers forgets the samples."""
    torch.manual_seed(0)
    out = vmap(draw, randomness="different")(torch.full((20, 6), 0.5))
    assert len({str(row.tolist()) for row in out}) > 1


def test_same_numbers_are_refused_where_they_cannot_be():
    """What depends on a sample has no draw that is the same for all; nor has a constant different ones."""
    x = torch.full((3, 2), 0.5)
    with pytest.raises(RuntimeError, match="same random numbers"):
        vmap(lambda s: torch.multinomial(s, 1), randomness="same")(x)
    with pytest.raises(RuntimeError, match="is not being vmapped over"):
        vmap(lambda s: torch.zeros(2).normal_(), randomness="different")(x)
    filled = vmap(lambda s: s.clone().normal_(), randomness="same")(x)
    assert filled[0].tolist() == filled[1].tolist() == filled[2].tolist()


# ---------------------------------------------------------------------------------- what is around


def test_other_threads_go_on_meanwhile():
    """The registry serves both while a vmap is going on."""
    results, inside, done = [], threading.Event(), threading.Event()

    def function(x):
        inside.set()
        assert done.wait(10)
        return x.sin()

    worker = threading.Thread(target=lambda: results.append(vmap(function)(torch.ones(2, 2))))
    worker.start()
    assert inside.wait(10)
    w = torch.ones(2, requires_grad=True)
    (w * torch.tensor([1.0, 2.0]) + torch.rand(2)).sum().backward()
    done.set()
    worker.join()
    assert w.grad.tolist() == [1.0, 2.0]
    torch.testing.assert_close(results[0], torch.ones(2, 2).sin())


def test_kernels_learnt_inside_are_the_plain_ones():
    """An op that is first called inside vmap has its usual kernel afterwards."""
    declared = torch.exp2.declared
    saved, declared.kernels = dict(declared.kernels), declared.kernels
    declared.kernels.clear()
    try:
        vmap(lambda x: (declared.op(x), declared.op(torch.ones(2)))[0])(torch.ones(2, 2))
        assert declared.kernels[np.ndarray] is saved.get(np.ndarray, declared.kernels[np.ndarray])
        assert "batched" not in repr(declared.kernels[np.ndarray])
    finally:
        declared.kernels.update(saved)


DETAILS = [
    (lambda x, y: x.masked_fill(x > 0, y[0]), "masked_fill with a value that differs"),
    (lambda x, y: torch.flip(x, ()), "flip of no dimension"),
    (lambda x, y: functional.nll_loss(torch.log_softmax(OTHER, 1), (y * 9).abs().long() % 3, OTHER[1].abs()), "labels"),
    (lambda x, y: functional.cross_entropy(OTHER, (y * 9).abs().long() % 3, OTHER[1].abs(), label_smoothing=0.1), "smoothed"),
    (lambda x, y: functional.batch_norm(OTHER.T, torch.zeros(4).double(), torch.ones(4).double(), bias=y, training=True), "bias of batch norm"),
    (lambda x, y: torch.linalg.lstsq(torch.outer(y, y) + OTHER @ OTHER.T, y).solution, "lstsq"),
    (lambda x, y: torch.bincount((y * 9).abs().long() % 3, minlength=5), "bincount"),
    (lambda x, y: functional.embedding((y * 9).abs().long() % 4, OTHER), "embedding of a shared table"),
    (lambda x, y: functional.scaled_dot_product_attention(x[None], OTHER[None, :, :2] * y[:, None], OTHER[None]), "keys alone"),
    (lambda x, y: torch.cumprod(x, 0).sum() * y, "cumprod"),
    (lambda x, y: torch.istft(torch.stft(y.repeat(4), 4, 2, window=torch.ones(4).double(), return_complex=True), 4, 2, window=torch.ones(4).double()), "istft"),
]  # fmt: skip
OTHER = torch.sin(torch.arange(12.0, dtype=torch.float64)).reshape(4, 3)


@pytest.mark.parametrize(("function", "what"), DETAILS, ids=[what for _, what in DETAILS])
def test_operations_that_look_at_elements_or_mix_arguments(function, what):
    """The same as a loop, where an argument other than the first is batched, or the host looks."""
    x = torch.cos(torch.arange(30.0, dtype=torch.float64)).reshape(3, 5, 2)
    y = torch.sin(torch.arange(12.0, dtype=torch.float64) * 3).reshape(3, 4)
    wanted = torch.stack([function(a, b) for a, b in zip(x, y, strict=True)])
    torch.testing.assert_close(vmap(function)(x, y), wanted)


def test_places_of_as_many_elements():
    """argwhere works where all samples have as many nonzero elements, and nonzero_static anywhere."""
    x = torch.tensor([[1, 0, 1], [0, 1, 1]])
    assert vmap(torch.argwhere)(x).tolist() == [[[0], [2]], [[1], [2]]]
    x[0, 0] = 0
    found = vmap(lambda x: torch.nonzero_static(x, size=2))(x)
    assert found.tolist() == [[[2], [-1]], [[1], [2]]]


def test_repetitions_that_differ_between_samples():
    """Each sample has its own counts, as long as they add up to the same."""
    counts, rows = torch.tensor([[1, 2, 3], [2, 2, 2]]), torch.arange(6.0).reshape(3, 2)
    found = vmap(lambda c: torch.repeat_interleave(torch.arange(3), c))(counts)
    assert found.tolist() == [[0, 1, 1, 2, 2, 2], [0, 0, 1, 1, 2, 2]]
    found = vmap(lambda c: torch.repeat_interleave(rows, c, 0))(counts)
    assert found[:, :, 0].tolist() == [[0, 2, 2, 4, 4, 4], [0, 0, 2, 2, 4, 4]]
