"""Attention, resampling, CTC and their layers, where rows of a table cannot say it.

The numbers are PyTorch's.
"""

from __future__ import annotations

import numpy as np
import pytest

import arraytorch as torch

nn, F = torch.nn, torch.nn.functional
PLAIN = [0.187017, -0.323764, -0.104218, 0.041424, 0.151437, -0.384258, -0.121109, -0.028429]
MASKED = [0.220757, -0.265006, -0.084342, 0.114558, 0.169441, -0.345795, -0.112126, 0.002955]
ADAPTIVE = [-2.078117, -3.42109, -4.353633, -1.891515, -4.391233, -3.797364]
approx = lambda values: pytest.approx(values, rel=2e-5, abs=2e-6)


def ramp(*shape):
    """0, 0.1, 0.2 ... in this shape."""
    return torch.arange(24.0).reshape(shape) / 10


def listed(t):
    return t.flatten().tolist()


def test_random_numbers_are_drawn_as_in_pytorch():
    """After the same seed: where windows begin, Gumbel noise, tables and what attention drops."""
    x = torch.sin(ramp(1, 2, 3, 4) * 7)
    torch.manual_seed(3)
    pooled = nn.FractionalMaxPool2d(2, output_size=2)(x)
    assert listed(pooled) == approx(
        [0.644218, 0.98545, 0.334988, 0.988168, 0.854599, 0.66957, 0.990607, 0.66957]
    )
    torch.manual_seed(3)
    assert listed(nn.FractionalMaxPool3d(1, output_ratio=0.5)(x)) == approx([0.990607, -0.382072])
    torch.manual_seed(3)
    noise = F.gumbel_softmax(torch.zeros(4), tau=0.5)
    assert listed(noise) == approx([0.958158, 0.010106, 0.000525, 0.03121])
    torch.manual_seed(3)
    bag = nn.EmbeddingBag(3, 2, padding_idx=0)
    assert listed(bag(torch.tensor([1, 2, 0, 2]), torch.tensor([0, 1]))) == approx(
        [0.088978, -0.613718, 0.046182, -1.368259]
    )
    torch.manual_seed(3)
    q = torch.sin(ramp(1, 6, 4))
    dropped = F.scaled_dot_product_attention(q, q, q, dropout_p=0.5)[0, :2]
    assert listed(dropped) == approx(
        [0.457798, 0.526291, 0.589525, 0.646869, 0.778685, 0.840994, 0.8949, 0.939865]
    )


def test_resampling_layers():
    """Bilinear with aligned corners, bicubic and Lanczos have PyTorch's numbers."""
    x = ramp(1, 2, 3, 4)[:, :1]
    assert listed(nn.UpsamplingBilinear2d((2, 3))(x)) == approx([0, 0.15, 0.3, 0.8, 0.95, 1.1])
    assert listed(F.interpolate(x[:, :, :2, :2], size=(2, 3), mode="bicubic")) == approx(
        [-0.008681, 0.05, 0.108681, 0.39132, 0.45, 0.508681]
    )
    small = F.interpolate(x, size=(2, 2), mode="lanczos", antialias=True)
    assert listed(small) == approx([0.163393, 0.355767, 0.744233, 0.936607])


def test_resampling_bytes_rounds_as_pytorch():
    """uint8 images stay uint8."""
    x = torch.tensor([[[[0, 10, 255, 3], [7, 7, 80, 90]]]], dtype=torch.uint8)
    y = F.interpolate(x, size=(2, 2), mode="bilinear")
    assert y.dtype is torch.uint8 and listed(y) == [5, 129, 7, 85]
    assert listed(F.interpolate(x, size=(3, 6), mode="bicubic")) == [
        0,
        0,
        53,
        255,
        157,
        0,
        4,
        0,
        34,
        156,
        122,
        46,
        8,
        0,
        14,
        54,
        87,
        99,
    ]


def test_cross_map_normalisation_keeps_the_first_channel():
    """The sums of PyTorch's old layer never let go of the first channel."""
    normalised = nn.CrossMapLRN2d(1, alpha=2.0)(torch.ones(1, 3, 1, 1))
    assert listed(normalised) == approx([0.438691, 0.29907, 0.29907])


def test_ctc_of_impossible_targets():
    """Two equal labels need a blank between; with too few frames the loss is inf, or 0 on request."""
    x = torch.log_softmax(torch.sin(ramp(6, 2, 2)), -1).requires_grad_()
    targets = torch.tensor([[1, 1], [1, 1]])
    loss = nn.CTCLoss(reduction="none")
    assert listed(loss(x, targets, [6, 5], [2, 1])) == approx([0.598857, 0.760186])
    assert loss(x, targets, [2, 5], [2, 1])[0] == float("inf")
    safe = nn.CTCLoss(reduction="none", zero_infinity=True)(x, targets, [2, 5], [2, 1])
    assert listed(safe) == approx([0, 0.760186])
    safe.sum().backward()
    assert x.grad.isfinite().all() and (x.grad[:, 0] == 0).all()


def test_ctc_targets_in_a_row():
    """Targets one behind the other are those in rows."""
    x = torch.log_softmax(torch.sin(ramp(6, 2, 2)), -1)
    rows = F.ctc_loss(x, torch.tensor([[1, 1], [1, 0]]), torch.tensor([6, 5]), torch.tensor([2, 1]))
    assert rows == F.ctc_loss(x, torch.tensor([1, 1, 1]), (6, 5), (2, 1))


def test_attention_in_blocks_is_attention():
    """Scores larger than a block, causal or masked, with and without gradients."""
    rng = np.random.default_rng(0)
    q, k, v = (torch.from_numpy(rng.standard_normal((2, 700, 4))) for _ in range(3))
    hidden = torch.ones(700, 700, dtype=torch.bool).tril()
    wanted = F.scaled_dot_product_attention(q[:, 600:], k, v, hidden[600:])
    for inputs in ((q, k, v), [t.clone().requires_grad_() for t in (q, k, v)]):
        causal = F.scaled_dot_product_attention(*inputs, is_causal=True)
        np.testing.assert_allclose(causal[:, 600:].detach().numpy(), wanted.numpy(), 1e-10, 1e-12)


def test_attention_that_may_look_nowhere_gives_zeros():
    """Not NaN, neither in the result nor in gradients."""
    x = torch.ones(2, 3, requires_grad=True)
    mask = torch.tensor([[True, True], [False, False]])
    y = F.scaled_dot_product_attention(x, x, x, mask)
    y.sum().backward()
    assert listed(y) == [1, 1, 1, 0, 0, 0] and x.grad.isfinite().all()


def test_points_of_a_grid_that_are_not_finite():
    """NaN and inf lie outside the image, and make the weights of pixels there NaN."""
    grid = torch.tensor([[[[float("nan"), 0.0], [float("inf"), 0.0], [1e30, 0.0]]]])
    read = lambda **options: listed(
        F.grid_sample(torch.ones(1, 1, 2, 2), grid, align_corners=False, **options)
    )
    assert read(mode="nearest") == [0, 0, 0]
    assert read(padding_mode="border") == read(padding_mode="reflection") == [1, 1, 1]
    assert read() == pytest.approx([float("nan"), float("nan"), 0], nan_ok=True)


@pytest.mark.parametrize(
    ("message", "kind", "call"),
    [
        ("only one of size or scale_factor", ValueError, lambda x: F.interpolate(x, 2, 2.0)),
        ("either size or scale_factor", ValueError, lambda x: F.interpolate(x)),
        ("Got 4D input, but linear mode", NotImplementedError, lambda x: F.interpolate(x, 2, mode="linear")),
        ("align_corners option", ValueError, lambda x: F.interpolate(x, 2, align_corners=True)),
        ("Anti-alias option", ValueError, lambda x: F.interpolate(x, 2, antialias=True)),
        ("should be greater than 0", RuntimeError, lambda x: F.interpolate(x, 0)),
        ("same dtype", RuntimeError, lambda x: F.scaled_dot_product_attention(x, x, x.double())),
        ("attn_mask dtype", RuntimeError, lambda x: F.scaled_dot_product_attention(x, x, x, x.double())),
        ("divisible by groups", RuntimeError, lambda x: nn.ChannelShuffle(3)(x)),
        ("divisible by the square", RuntimeError, lambda x: nn.PixelShuffle(3)(x)),
        ("only one of output_size", ValueError, lambda x: nn.FractionalMaxPool2d(2, 1, 0.5)),
        ("greater than 0, got -1", ValueError, lambda x: nn.TripletMarginLoss(margin=-1)),
        ("offsets has to be a 1D", ValueError, lambda x: F.embedding_bag(torch.tensor([0]), x[0, 0])),
        ("only supports 2D", RuntimeError, lambda x: torch.pdist(x)),
    ],
)  # fmt: skip
def test_errors_are_pytorchs(message, kind, call):
    """Bad arguments raise PyTorch's exceptions in its words."""
    with pytest.raises(kind, match=message):
        call(torch.ones(1, 4, 2, 2))


def attended(batch_first=False, **masks):
    """An attention layer of fixed weights on a ramp."""
    torch.manual_seed(3)
    layer = nn.MultiheadAttention(4, 2, add_bias_kv=True, batch_first=batch_first)
    x = torch.sin(ramp(3, 2, 4))
    return layer(x, x, x, **masks)


def test_attention_layer_has_pytorchs_numbers():
    """Starting values, results and weights, with both masks and without."""
    out, weights = attended()
    assert listed(out[0]) == approx(PLAIN) and weights.shape == (2, 3, 4)
    hidden = torch.tensor([[False, False, True], [False, True, False]])
    bias = torch.arange(9.0).reshape(3, 3) / 5
    out, weights = attended(key_padding_mask=hidden, attn_mask=bias, average_attn_weights=False)
    assert listed(out[0]) == approx(MASKED) and weights.shape == (2, 2, 3, 4)
    assert (weights[0, :, :, 2] == 0).all() and (weights[1, :, :, 1] == 0).all()


def test_attention_layer_needs_the_mask_that_is_causal_speaks_of():
    """Without weights, the hint makes attention causal by itself."""
    with pytest.raises(RuntimeError, match="Need attn_mask if specifying the is_causal hint"):
        attended(is_causal=True)
    later = torch.ones(3, 3, dtype=torch.bool).triu(1)
    layer, x = nn.MultiheadAttention(4, 2), torch.sin(ramp(3, 2, 4))
    slow, _ = layer(x, x, x, attn_mask=later)
    fast, weights = layer(x, x, x, attn_mask=later, is_causal=True, need_weights=False)
    assert weights is None and listed(fast) == approx(listed(slow))


def test_adaptive_softmax_agrees_with_its_full_table():
    """The loss is minus the log-probability of the target; probabilities sum to 1."""
    torch.manual_seed(2)
    softmax = nn.AdaptiveLogSoftmaxWithLoss(4, 20, [5, 10], div_value=2.0)
    x, target = ramp(6, 4).sin(), torch.tensor([1, 7, 19, 0, 12, 9])
    output, loss = softmax(x, target)
    table = softmax.log_prob(x)
    assert listed(output) == approx(listed(table.gather(1, target[:, None])))
    assert listed(output) == approx(ADAPTIVE) and loss.item() == approx(-output.mean().item())
    assert listed(table.exp().sum(1)) == approx([1.0] * 6)
    assert listed(softmax.predict(x)) == listed(table.argmax(1))
    with pytest.raises(RuntimeError, match=r"Target values should be in \[0, 19\]"):
        softmax(x, target + 1)


def test_reprs():
    """Layers show what they were made with."""
    assert repr(nn.Upsample(scale_factor=2)) == "Upsample(scale_factor=2.0, mode='nearest')"
    bag = nn.EmbeddingBag(3, 2, padding_idx=1, max_norm=1.0, mode="sum")
    assert repr(bag) == "EmbeddingBag(3, 2, max_norm=1.0, mode='sum', padding_idx=1)"
    assert repr(nn.LocalResponseNorm(3)) == "LocalResponseNorm(3, alpha=0.0001, beta=0.75, k=1.0)"
    assert repr(nn.PixelUnshuffle(2)) == "PixelUnshuffle(downscale_factor=2)"


@pytest.mark.parametrize("padding_mode", ["zeros", "border"])
def test_grid_sample_of_many_images(padding_mode):
    """Half a pixel to the right of each pixel lies the mean of two, and the slope is their difference."""
    rng = np.random.default_rng(0)
    image = rng.standard_normal((5, 9, 30, 40))  # more corners than are read at a time
    x = torch.tensor(image, requires_grad=True)
    rows, columns = (np.arange(30) + 0.5) / 15 - 1, (np.arange(39) + 1) / 20 - 1
    points = np.stack(np.meshgrid(columns, rows), -1)
    grid = torch.tensor(np.broadcast_to(points, (5, 30, 39, 2)).copy(), requires_grad=True)
    out = F.grid_sample(x, grid, padding_mode=padding_mode, align_corners=False)
    np.testing.assert_allclose(
        out.detach().numpy(), (image[..., 1:] + image[..., :-1]) / 2, atol=1e-12
    )
    out.sum().backward()
    shares = np.ones(40)
    shares[[0, -1]] = 0.5
    np.testing.assert_allclose(x.grad.numpy(), np.broadcast_to(shares, image.shape), atol=1e-12)
    slopes = (image[..., 1:] - image[..., :-1]).sum(1) * 20
    np.testing.assert_allclose(grid.grad[..., 0].numpy(), slopes, atol=1e-10)
