"""Ops whose results a table of references does not tell: in place, of strides, and of places."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

import arraytorch as torch


def same(a, b):
    """Whether a tensor, or several, hold these numbers."""
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a.tolist() == b


def test_memory_formats_permute_memory():
    """channels_last keeps the shape and the values, and lays the channels next to each other."""
    x = torch.arange(120).reshape(2, 3, 4, 5)
    y = x.to(memory_format=torch.channels_last)
    assert y.shape == x.shape and torch.equal(x, y) and y.stride() == (60, 1, 15, 3)
    assert y.is_contiguous(memory_format=torch.channels_last) and not y.is_contiguous()
    assert y.contiguous(memory_format=torch.channels_last) is y
    assert y.contiguous().stride() == x.stride()
    assert y.clone().stride() == y.stride() == torch.zeros_like(y).stride()
    assert y.clone(memory_format=torch.contiguous_format).stride() == x.stride()
    assert y.float(memory_format=torch.contiguous_format).stride() == x.stride()
    assert torch.empty(2, 3, 4, 5, memory_format=torch.channels_last).stride() == y.stride()
    z = torch.ones(1, 2, 3, 4, 5).contiguous(memory_format=torch.channels_last_3d)
    assert z.stride() == (120, 1, 40, 10, 2)
    with pytest.raises(RuntimeError, match="required rank 4 tensor"):
        torch.ones(2).contiguous(memory_format=torch.channels_last)
    with pytest.raises(RuntimeError, match="unsupported memory format Preserve"):
        torch.empty(2, memory_format=torch.preserve_format)


def test_formats_and_layouts_are_names():
    """They print as in PyTorch and survive pickling as themselves; most are of no tensor."""
    assert (
        repr(torch.channels_last) == "torch.channels_last"
        and repr(torch.strided) == "torch.strided"
    )
    for one in (torch.preserve_format, torch.channels_last_3d, torch.sparse_coo, torch.strided):
        assert pickle.loads(pickle.dumps(one)) is one
    assert torch.ones(1).layout is torch.strided
    assert torch.zeros(2, layout=torch.strided).shape == (2,)
    with pytest.raises(RuntimeError, match="strided"):
        torch.zeros(2, layout=torch.sparse_csr)


def test_copies_keep_the_order_of_permuted_memory():
    """Like PyTorch's preserve_format: dense permutations as they are, gaps closed in their order."""
    x = torch.zeros(2, 3, 4).permute(2, 0, 1)
    assert x.clone().stride() == torch.ones_like(x).stride() == (1, 12, 4)
    assert torch.full_like(x, 3).stride() == torch.empty_like(x).stride() == (1, 12, 4)
    assert x[::2].clone().stride() == (1, 6, 2)
    assert torch.zeros(3, 1).expand(3, 4).clone().stride() == (4, 1)


def test_gradients_flow_through_formats():
    """A conversion of the memory's order is the identity to autograd."""
    x = torch.ones(1, 2, 2, 2, requires_grad=True)
    x.to(memory_format=torch.channels_last).sum().backward()
    assert torch.equal(x.grad, torch.ones(1, 2, 2, 2))


def test_sequences_count_as_pytorch():
    """int64 cuts its arguments first; other dtypes count them as they are."""
    assert same(torch.arange(1.0, 5.000001, 2.0, dtype=torch.int64), [1, 3])
    assert same(torch.arange(1.0, 5.000001, 2.0, dtype=torch.int32), [1, 3, 5])
    assert same(torch.arange(5, 1, -2), [5, 3])
    assert same(torch.arange(0, 3, 0.5, dtype=torch.int32), [0] * 6)
    assert same(torch.linspace(4.3, 0, 5, dtype=torch.int64), [4, 3, 2, 1, 0])
    assert same(torch.logspace(0, 2.9, 3, 2.5, dtype=torch.int64), [1, 2, 6])
    assert same(torch.logspace(1.5, 0, 1, 2.5, dtype=torch.int64), [3])
    assert same(torch.logspace(0, 1.2, 2, 5.0, dtype=torch.int64), [1, 5])
    for bad, error, words in (
        (lambda: torch.arange(0, 64, 0.5, dtype=torch.int64), ValueError, "step must be nonzero"),
        (lambda: torch.arange(0, 5, float("nan")), RuntimeError, "step must be nonzero"),
        (lambda: torch.arange(2, dtype=torch.bool), NotImplementedError, "arange_cpu"),
        (lambda: torch.linspace(torch.ones(2), 3, 3), RuntimeError, "start with 1 dimension"),
        (lambda: torch.linspace(0, 1j, 3, dtype=torch.float32), RuntimeError, "safely cast"),
    ):
        with pytest.raises(error, match=words):
            bad()


def test_parts_are_copies():
    """split_copy and its like return new memory, and nothing where they were given some."""
    x = torch.arange(5)
    assert same(torch.split_copy(x, 2), [[0, 1], [2, 3], [4]])
    assert same(torch.split_with_sizes_copy(x, [2, 3]), [[0, 1], [2, 3, 4]])
    assert same(torch.unsafe_split(x, 3), [[0, 1, 2], [3, 4]])
    assert same(torch.unsafe_split_with_sizes(x, [1, 4]), [[0], [1, 2, 3, 4]])
    assert same(torch.unsafe_chunk(x, 2), [[0, 1, 2], [3, 4]])
    outs = [torch.empty(0, dtype=torch.int64) for _ in range(2)]
    assert torch.unbind_copy(torch.tensor([[1, 2], [3, 4]]), out=outs) is None
    assert same(outs, [[1, 2], [3, 4]])
    torch.split_copy(x, 5)[0].fill_(9)
    assert same(x, [0, 1, 2, 3, 4])


def test_resizing_in_place():
    """resize_ keeps what there is room for and grows into new memory; set_ takes another's."""
    x = torch.arange(6)
    assert x.resize_(2, 2) is x and same(x, [[0, 1], [2, 3]])
    assert same(x.resize_(6), [0, 1, 2, 3, 4, 5])
    assert x.resize_(8).shape == (8,) and same(x[:6], [0, 1, 2, 3, 4, 5])
    assert x.resize_(1, 2, 2, 2, memory_format=torch.channels_last).stride() == (8, 1, 4, 2)
    assert torch.resize_as_(torch.ones(4), torch.ones(2, 2)).shape == (2, 2)
    y = torch.arange(4)
    z = torch.empty(0, dtype=torch.int64).set_(y, 1, (2,), (2,))
    assert same(z, [1, 3])
    z[0] = 7
    assert same(y, [0, 7, 2, 3]) and z.set_().shape == (0,)
    with pytest.raises(RuntimeError, match="Could not set tensor"):
        y.set_(torch.ones(2))
    with pytest.raises(RuntimeError, match="cannot resize variables that require grad"):
        torch.ones(2, requires_grad=True).resize_(3)
    w = torch.ones(2, 3)
    assert w.as_strided_((3, 2), (1, 3)) is w and w.shape == (3, 2)


def test_tensors_of_given_strides():
    """Strides count elements; the room is what they need."""
    x = torch.empty_strided((2, 3), (1, 2), dtype=torch.float64)
    assert x.stride() == (1, 2) and x.dtype == torch.float64
    assert torch.ones(1).new_empty_strided((2,), (3,)).stride() == (3,)
    assert torch.empty_permuted((2, 3, 4), (1, 2, 0)).stride() == (1, 8, 2)
    assert torch.ones(2, 3).t().dim_order() == (1, 0)
    for bad, words in (
        (lambda: torch.empty_strided((2, 3), (1,)), "must match dimensionality of strides"),
        (lambda: torch.empty_permuted((2, 3), (0, 0)), "Duplicate dim"),
        (lambda: torch.empty_permuted((2, 3), (0, 2)), "Dimension out of range"),
    ):
        with pytest.raises(RuntimeError, match=words):
            bad()


def test_sum_to_size():
    """It undoes broadcasting, and refuses sizes that would not broadcast."""
    x = torch.ones(2, 3)
    assert same(x.sum_to_size(1, 3), [[2.0, 2.0, 2.0]]) and same(x.sum_to_size(3), [2.0, 2.0, 2.0])
    assert x.sum_to_size(2, 3) is x
    with pytest.raises(RuntimeError, match="is not expandable to size"):
        x.sum_to_size(4)


def test_what_conj_leaves_is_resolved():
    """Conjugates and signs are computed at once, so there is nothing left to resolve."""
    x = torch.tensor([1j]).conj()
    assert torch.resolve_conj(x) is x and torch.resolve_neg(x) is x
    assert not (x.is_conj() or x.is_neg() or x.is_inference() or x.is_pinned() or x.is_shared())
    assert x.is_set_to(x) and not x.is_set_to(x.clone())


def test_histograms():
    """Counts, weights, densities and edges, as PyTorch gives them."""
    hist, edges = torch.histogram(torch.tensor([1.0, 2.0, 1.0]), 4)
    assert same(hist, [2.0, 0.0, 0.0, 1.0]) and same(edges, [1.0, 1.25, 1.5, 1.75, 2.0])
    assert same(torch.histogram(torch.tensor([1.0, 1.0]), 4).hist, [0.0, 0.0, 2.0, 0.0])
    assert same(
        torch.histogram(torch.tensor([1.0, 2, 9]), torch.tensor([0.0, 1, 2])).hist, [0.0, 2.0]
    )
    weighted = torch.histogram(torch.tensor([0.0, 1.0]), 2, weight=torch.tensor([2.0, 3.0]))
    assert same(weighted.hist, [2.0, 3.0])
    points = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    hist, edges = torch.histogramdd(points, [2, 3], density=True)
    np.testing.assert_allclose(hist.numpy(), [[0, 0, 3], [3, 0, 0]], rtol=1e-6)
    assert [len(e) for e in edges] == [3, 4]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2))
    wanted, _, _ = np.histogram2d(x[:, 0], x[:, 1], (5, 7))
    assert same(torch.histogramdd(torch.from_numpy(x), [5, 7]).hist, wanted.tolist())
    with pytest.raises(RuntimeError, match="bins must be > 0"):
        torch.histogram(torch.ones(2), 0)
    with pytest.raises(RuntimeError, match="should have 4 elements, but got 2"):
        torch.histogramdd(points, [2, 2], range=[0, 1])


def test_places():
    """Coordinates of numbered elements; a fixed number of indices of nonzero ones."""
    assert same(torch.unravel_index(torch.tensor([5, -1]), (2, 3)), [[1, 1], [2, 2]])
    with pytest.raises(TypeError, match="integer dtype"):
        torch.unravel_index(torch.ones(1), (2,))
    x = torch.tensor([0, 1, 1])
    assert same(torch.nonzero_static(x, size=3), [[1], [2], [-1]])
    assert same(torch.nonzero_static(x, size=1), [[1]])


def test_slopes_over_uneven_coordinates():
    """Spacing may be coordinates; NumPy says what comes out."""
    x, at = np.array([1.0, 4.0, 9.0, 20.0]), np.array([0.0, 1.0, 3.0, 4.0])
    for order in (1, 2):
        (got,) = torch.gradient(
            torch.from_numpy(x), spacing=(torch.from_numpy(at),), edge_order=order
        )
        np.testing.assert_allclose(got.numpy(), np.gradient(x, at, edge_order=order))


def test_distance_of_equal_rows_has_no_slope():
    """Where the norm has a kink, cdist's gradient is 0, by differences and by products."""
    for mode in ("use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist"):
        x = torch.ones(2, 3, requires_grad=True)
        torch.cdist(x, torch.ones(1, 3), compute_mode=mode).sum().backward()
        assert same(x.grad, [[0.0] * 3] * 2)


def test_signs_squares_and_ignored_targets():
    """The sign of NaN is 0, the square of a bool an integer, a loss of nothing has no slope."""
    assert same(torch.sign(torch.tensor([float("nan"), -2.0])), [0.0, -1.0])
    assert torch.tensor([True]).square().dtype == torch.int64
    x = torch.zeros(3, requires_grad=True)
    torch.nn.functional.nll_loss(x, torch.tensor(-100)).backward()
    assert same(x.grad, [0.0] * 3)
    empty = torch.zeros(0, requires_grad=True)
    torch.cat([empty, torch.ones(2, 2)], 1).sum().backward()
    assert empty.grad.shape == (0,)


def test_nodes_bear_pytorch_names():
    """The nodes of views and sums are called as PyTorch calls them."""
    x = torch.ones(2, 2, requires_grad=True)
    for made, name in (
        (x[0], "Select"), (x[None], "Unsqueeze"), (x[1:], "Slice"), (x[...], "Alias"),
        (x[0, :], "Select"), (x[:, 0], "Select"), (x[0, 1:], "Slice"), (x.split(1)[0], "Split"),
        (x.split([1, 1])[0], "SplitWithSizes"), (x.unbind()[0], "Unbind"), (x.t(), "T"),
        (x.square(), "Pow"), (x.log1p(), "Log1P"), (x.sum(), "Sum"), (x.mean(), "Mean"),
    ):  # fmt: skip
        assert made.grad_fn.name() == name + "Backward0"
    for made, name in ((x.sum(0), "Sum"), (x.mean(0), "Mean"), (x[None].squeeze(0), "Squeeze")):
        assert made.grad_fn.name() == name + "Backward1"


def test_native_norms_return_their_statistics():
    """The result is that of nn.functional; with it come means and one over the deviations."""
    x = torch.arange(24.0).reshape(2, 4, 3)
    f = torch.nn.functional
    for got, wanted, dims in (
        (torch.native_layer_norm(x, (3,), None, None, 1e-5), f.layer_norm(x, (3,)), (2,)),
        (torch.native_batch_norm(x, None, None, None, None, True, 0.1, 1e-5),
         f.batch_norm(x, None, None, training=True), (0, 2)),
        (torch.native_group_norm(x, None, None, 2, 4, 3, 2, 1e-5), f.group_norm(x, 2), None),
    ):  # fmt: skip
        out, mean, rstd = got
        assert torch.allclose(out, wanted)
        values = x.reshape(2, 2, 6) if dims is None else x
        dims = (2,) if dims is None else dims
        assert torch.allclose(mean.flatten(), values.mean(dims).flatten())
        spread = (values.var(dims, correction=0) + 1e-5).rsqrt()
        assert torch.allclose(rstd.flatten(), spread.flatten())
    assert torch.equal(torch.layer_norm(x, (3,)), f.layer_norm(x, (3,)))
    assert torch.equal(torch.group_norm(x, 2), f.group_norm(x, 2))
    assert torch.equal(torch.constant_pad_nd(x, (1, 1), 2), f.pad(x, (1, 1), value=2))


def test_out_is_resized_within_its_memory():
    """An out= of another size becomes another view of its memory, if that suffices."""
    base = torch.zeros(6)
    view = base[1:3]
    with pytest.warns(UserWarning, match="was resized"):
        torch.add(torch.ones(2, 2), 1, out=view)
    assert base.tolist() == [0.0, 2.0, 2.0, 2.0, 2.0, 0.0]
    assert view.shape == (2, 2) and view.storage_offset() == 1
    with pytest.warns(UserWarning, match="was resized"):
        torch.add(torch.ones(2, 4), 1, out=view)
    assert view.tolist() == [[2.0] * 4] * 2 and base[5].item() == 0.0
    before = base._version
    torch.add(torch.ones(2, 4), 2, out=view)
    assert base._version == before  # they share no longer


def test_names_of_dimensions_are_refused():
    """Named tensors do not exist, so names= must not pass unnoticed."""
    for make in (torch.zeros, torch.ones, torch.empty):
        assert make(2, names=None).shape == (2,)
        with pytest.raises(RuntimeError, match="no named dimensions"):
            make(2, names=("N",))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.uint32, torch.uint64])
def test_unsigned_integers_convolve_and_pool(dtype):
    """Kernels for integers take all of them."""
    x = torch.arange(16).reshape(1, 1, 4, 4).to(dtype)
    y = torch.nn.functional.conv2d(x, torch.ones(1, 1, 2, 2, dtype=dtype))
    assert y.dtype is dtype and y[0, 0, 0].tolist() == [10, 14, 18]
    assert torch.nn.functional.max_pool2d(x, 2).flatten().tolist() == [5, 7, 13, 15]


def test_repeated_tensors_have_memory_of_their_own():
    """Also where all that is repeated are dimensions of size 1."""
    for made in (
        torch.tensor(1.0).repeat(3, 2),
        torch.ones(2, 1).repeat(1, 3),
        torch.ones(1, 2).repeat_interleave(3, 0),
        torch.tensor([1.0]).tile(4),
    ):
        assert made.is_contiguous()
        made.view(-1)[0] = 5
        assert (made == 5).sum() == 1


def test_limits_of_a_single_number():
    """What clamp makes of a 0-d tensor can be written to."""
    x = torch.tensor(3.0).clamp(min=0.5)
    x.mul_(2)
    assert x.item() == 6 and torch.tensor(3.0).clamp_max(1).add_(1).item() == 2


def test_diagonals_of_arrays_in_other_orders():
    """Of memory that lies in another order than the dimensions, as NumPy's results may."""
    array = np.arange(24.0).reshape(4, 3, 2).transpose(2, 1, 0).copy(order="K")
    x = torch.from_numpy(array)
    for offset, d1, d2 in ((0, 0, 1), (1, 1, 2), (-1, 2, 0)):
        expected = np.diagonal(array, offset, d1, d2)
        assert torch.diagonal(x, offset, d1, d2).tolist() == expected.tolist()


def test_bounds_of_random_integers_by_name():
    torch.manual_seed(0)
    x = torch.randint_like(torch.zeros(100), high=2)
    assert set(x.tolist()) == {0.0, 1.0}
    with pytest.raises(TypeError, match="missing an argument: 'high'"):
        torch.randint_like(x)


def test_values_of_linspace_to_the_last_bit():
    """The step is rounded, then each value once: PyTorch's bits."""
    x = torch.linspace(-1, 1, 28)
    assert [v.hex() for v in x[[2, 6, 13, 20]].tolist()] == [
        "-0x1.b425ec0000000p-1", "-0x1.1c71c80000000p-1", "-0x1.2f68480000000p-5",
        "0x1.ed097c0000000p-2",
    ]  # fmt: skip
    y = torch.linspace(0, 2.7, 7, dtype=torch.float64)
    assert y.tolist() == [0.0, 0.45, 0.9, 1.35, 1.8000000000000003, 2.25, 2.7]
    theta = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    grid = torch.nn.functional.affine_grid(theta, (1, 1, 28, 28), align_corners=False)
    assert grid[0, 0, 4, 0].item().hex() == "-0x1.5b6db60000000p-1"


def test_ranges_as_indices():
    """A range picks as a list does, as in ``log_probs[range(n), targets]``."""
    x = torch.arange(12).reshape(3, 4)
    assert x[range(3), [0, 1, 2]].tolist() == [0, 5, 10] and x[:, range(2)].shape == (3, 2)
    assert x[range(0)].shape == (0, 4)
    x[range(2), range(2)] = 9
    assert x[0, 0] == 9 == x[1, 1] and x[0, 1] == 1


def test_nan_is_nowhere():
    """NaN is not among elements, not even among none."""
    x = torch.tensor([math.nan, 1.0])
    assert torch.isin(x, torch.empty(0)).tolist() == [False, False]
    assert torch.isin(x, x).tolist() == [False, True]


def test_differences_and_integrals_of_nothing():
    """No differences are the input as it is; there is no area above fewer than two samples."""
    x = torch.tensor([1, 4])
    assert torch.diff(x, n=0, prepend=x).tolist() == [1, 4]
    assert torch.cumulative_trapezoid(torch.empty(2, 0)).shape == (2, 0)
    assert torch.cumulative_trapezoid(torch.empty(2, 1), dim=0).shape == (1, 1)


@pytest.mark.parametrize("shape", [(2, 2, 0), (2, 2, 0, 5), (0, 2, 3)])
def test_norms_of_nothing(shape):
    """Groups without places are as little to normalise as samples that are not there."""
    F, x = torch.nn.functional, torch.ones(shape, requires_grad=True)
    for y in (F.group_norm(x, 1), F.instance_norm(x), F.layer_norm(x, shape[1:])):
        assert y.shape == shape
        assert torch.autograd.grad(y.sum(), x)[0].shape == shape


def test_weights_of_losses():
    """The mean of a weighted Huber loss is over its elements; those of its kin are over the weights."""
    F = torch.nn.functional
    x, y, weight = (torch.tensor(v) for v in ([1.0, 2.0, 5.0], [0.0, 2.5, 3.0], [1.0, 0.5, 2.0]))
    assert F.huber_loss(x, y, weight=weight).item() == pytest.approx((0.5 + 0.0625 + 3.0) / 3)
    assert F.mse_loss(x, y, weight=weight).item() == pytest.approx((1 + 0.125 + 8) / 3.5)


def test_linear_layers_of_one_output():
    """A weight may be a vector, and have a bias, unless the input is a matrix."""
    F, weight, bias = torch.nn.functional, torch.ones(4), torch.tensor(1.0)
    assert F.linear(torch.ones(2, 3, 4), weight, bias).tolist() == [[5.0] * 3] * 2
    assert F.linear(torch.ones(4), weight, bias).item() == 5.0
    with pytest.raises(RuntimeError, match="mat2 must be a matrix"):
        F.linear(torch.ones(2, 4), weight, bias)


def test_noise_of_permuted_inputs():
    """PyTorch's noise: alpha dropout's lies as the input does, Gumbel's in the order of indices."""
    F, x = torch.nn.functional, torch.arange(28.0).view(7, 4).t()
    torch.manual_seed(3)
    dropped = F.alpha_dropout(x, 0.5, True) < 0
    assert dropped.int().sum(1).tolist() == [2, 4, 3, 2]
    torch.manual_seed(3)
    soft = F.gumbel_softmax(torch.arange(6.0).view(2, 3).t(), dim=0)
    torch.manual_seed(3)
    assert torch.equal(soft, F.gumbel_softmax(torch.arange(6.0).view(2, 3).t().contiguous(), dim=0))
