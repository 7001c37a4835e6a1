"""The layers: starting values, results, reprs and errors. The numbers are PyTorch's."""

from __future__ import annotations

import warnings

import pytest

import arraytorch as torch

nn = torch.nn
approx = pytest.approx


def close(tensor, values, rel=2e-5, abs=2e-6):
    assert tensor.flatten().tolist() == approx(values, rel=rel, abs=abs)


def error(kind, function, *args, **kwargs):
    with pytest.raises(kind) as info:
        function(*args, **kwargs)
    return str(info.value)


# -------------------------------------------------------------------------- starting values


def test_linear_starts_as_in_pytorch():
    """The same seed gives the same weights, weight before bias."""
    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    close(layer.weight, [-0.004323, 0.309716, -0.475185, -0.424895, -0.222369, 0.154821], abs=1e-6)
    close(layer.bias, [-0.011439, 0.457775], abs=1e-6)


def test_bilinear_starts_and_computes_as_in_pytorch():
    """One number per pair of inputs."""
    torch.manual_seed(0)
    layer = nn.Bilinear(2, 2, 1)
    close(layer.weight, [-0.005294, 0.379323, -0.581981, -0.520387])
    close(layer.bias, [-0.272345])
    close(layer(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]])), [-6.42592])


def test_embedding_starts_as_in_pytorch():
    """Normal numbers are drawn for all rows; the padding row is zeroed afterwards."""
    torch.manual_seed(0)
    table = nn.Embedding(3, 2, padding_idx=1)
    close(table.weight, [1.540996, -0.293429, 0.0, 0.0, -1.084522, -1.398595])


def test_whole_networks_start_as_in_pytorch():
    """Layers draw one after the other; norms draw nothing."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Tanh(), nn.Linear(3, 2))
    close(net[0].weight, [-0.005294, 0.379323, -0.581981, -0.520387, -0.272345, 0.189616])
    close(net[1].weight, [1.0, 1.0, 1.0])
    close(net[3].bias, [0.021387, 0.228247])


# ----------------------------------------------------------------------------- activations

ACTIVATIONS = [
    (lambda: nn.ReLU(), [0.0, 0.0, 0.0, 0.5, 3.0]),
    (lambda: nn.ReLU6(), [0.0, 0.0, 0.0, 0.5, 3.0]),
    (lambda: nn.LeakyReLU(0.2), [-0.4, -0.1, 0.0, 0.5, 3.0]),
    (lambda: nn.ELU(2.0), [-1.729329, -0.786939, 0.0, 0.5, 3.0]),
    (lambda: nn.CELU(1.5), [-1.104604, -0.425203, 0.0, 0.5, 3.0]),
    (lambda: nn.SELU(), [-1.520167, -0.691758, 0.0, 0.525351, 3.152103]),
    (lambda: nn.GELU(), [-0.0455, -0.154269, 0.0, 0.345731, 2.99595]),
    (lambda: nn.GELU("tanh"), [-0.045402, -0.154286, 0.0, 0.345714, 2.996363]),
    (lambda: nn.SiLU(), [-0.238406, -0.18877, 0.0, 0.31123, 2.857723]),
    (lambda: nn.Mish(), [-0.252501, -0.220744, 0.0, 0.375245, 2.986535]),
    (lambda: nn.Sigmoid(), [0.119203, 0.377541, 0.5, 0.622459, 0.952574]),
    (lambda: nn.Tanh(), [-0.964028, -0.462117, 0.0, 0.462117, 0.995055]),
    (lambda: nn.Softplus(2, 10), [0.009075, 0.156631, 0.346574, 0.656631, 3.001238]),
    (lambda: nn.Softsign(), [-0.666667, -0.333333, 0.0, 0.333333, 0.75]),
    (lambda: nn.Hardtanh(-1, 2), [-1.0, -0.5, 0.0, 0.5, 2.0]),
    (lambda: nn.Hardsigmoid(), [0.166667, 0.416667, 0.5, 0.583333, 1.0]),
    (lambda: nn.Hardswish(), [-0.333333, -0.208333, 0.0, 0.291667, 3.0]),
    (lambda: nn.Hardshrink(0.5), [-2.0, 0.0, 0.0, 0.0, 3.0]),
    (lambda: nn.Softshrink(0.3), [-1.7, -0.2, 0.0, 0.2, 2.7]),
    (lambda: nn.Tanhshrink(), [-1.035972, -0.037883, 0.0, 0.037883, 2.004945]),
    (lambda: nn.LogSigmoid(), [-2.126928, -0.974077, -0.693147, -0.474077, -0.048587]),
    (lambda: nn.Threshold(0.1, 20), [20.0, 20.0, 20.0, 0.5, 3.0]),
    (lambda: nn.Softmax(dim=1), [0.005765, 0.025836, 0.042596, 0.07023, 0.855573]),
    (lambda: nn.LogSoftmax(-1), [-5.155984, -3.655984, -3.155984, -2.655984, -0.155984]),
    (lambda: nn.Softmin(dim=1), [0.690947, 0.154171, 0.09351, 0.056716, 0.004656]),
    (lambda: nn.PReLU(), [-0.5, -0.125, 0.0, 0.5, 3.0]),
]


@pytest.mark.parametrize(("make", "expected"), ACTIVATIONS)
def test_activation_values(make, expected):
    """Each activation at five points."""
    close(make()(torch.tensor([[-2.0, -0.5, 0.0, 0.5, 3.0]])), expected)


def test_glu_halves_the_last_dimension():
    """One half gates the other."""
    close(nn.GLU()(torch.tensor([[1.0, 2.0, -1.0, 3.0]])), [0.268941, 1.905148])


@pytest.mark.parametrize(
    "make", [nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.SiLU, nn.Mish, nn.Hardswish]
)
def test_inplace_activations_write_their_input(make):
    """inplace=True returns the input itself, with the values that a copy would have."""
    x = torch.tensor([-2.0, 0.5, 7.0])
    expected = make()(x).tolist()
    y = x.clone()
    assert make(inplace=True)(y) is y
    assert y.tolist() == approx(expected)


@pytest.mark.parametrize(
    "make",
    [nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.CELU, nn.SELU, nn.SiLU, nn.Mish, nn.Hardswish],
)
def test_inplace_activations_have_gradients(make):
    """The values before, which the gradient may need, are gone from the input but not lost."""
    grads = []
    for inplace in (False, True):
        x = torch.tensor([-2.0, -0.5, 0.5, 7.0], requires_grad=True)
        (make(inplace=inplace)(x * 1) * torch.tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
        grads.append(x.grad.tolist())
    assert grads[1] == approx(grads[0])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: nn.ReLU(True), "ReLU(inplace=True)"),
        (lambda: nn.ReLU6(), "ReLU6()"),
        (lambda: nn.LeakyReLU(0.2, True), "LeakyReLU(negative_slope=0.2, inplace=True)"),
        (lambda: nn.PReLU(4, 0.1), "PReLU(num_parameters=4)"),
        (lambda: nn.ELU(2.0, True), "ELU(alpha=2.0, inplace=True)"),
        (lambda: nn.GELU("tanh"), "GELU(approximate='tanh')"),
        (lambda: nn.Softplus(2, 10), "Softplus(beta=2, threshold=10)"),
        (lambda: nn.Hardtanh(-2, 3, True), "Hardtanh(min_val=-2, max_val=3, inplace=True)"),
        (lambda: nn.Hardsigmoid(True), "Hardsigmoid()"),
        (lambda: nn.Softshrink(1.0), "Softshrink(1.0)"),
        (lambda: nn.Threshold(0.1, 20), "Threshold(threshold=0.1, value=20)"),
        (lambda: nn.GLU(1), "GLU(dim=1)"),
        (lambda: nn.Softmax(), "Softmax(dim=None)"),
        (lambda: nn.Identity(1, b=2), "Identity()"),
        (lambda: nn.Linear(2, 3, False), "Linear(in_features=2, out_features=3, bias=False)"),
        (
            lambda: nn.Bilinear(2, 3, 4),
            "Bilinear(in1_features=2, in2_features=3, out_features=4, bias=True)",
        ),
        (lambda: nn.Flatten(0, 2), "Flatten(start_dim=0, end_dim=2)"),
        (lambda: nn.Unflatten(1, (2, 3)), "Unflatten(dim=1, unflattened_size=(2, 3))"),
        (
            lambda: nn.BatchNorm2d(3, 1e-3, 0.2, False, False),
            "BatchNorm2d(3, eps=0.001, momentum=0.2, affine=False, bias=False, "
            "track_running_stats=False)",
        ),
        (
            lambda: nn.BatchNorm1d(3, momentum=None),
            "BatchNorm1d(3, eps=1e-05, momentum=None, affine=True, bias=True, "
            "track_running_stats=True)",
        ),
        (
            lambda: nn.LayerNorm([2, 3], bias=False),
            "LayerNorm((2, 3), eps=1e-05, elementwise_affine=True, bias=False)",
        ),
        (lambda: nn.GroupNorm(2, 4), "GroupNorm(2, 4, eps=1e-05, affine=True, bias=True)"),
        (lambda: nn.RMSNorm(3), "RMSNorm((3,), eps=None, elementwise_affine=True)"),
        (lambda: nn.Dropout(0.2, True), "Dropout(p=0.2, inplace=True)"),
        (lambda: nn.ConstantPad1d(2, 3.5), "ConstantPad1d(padding=(2, 2), value=3.5)"),
        (lambda: nn.ZeroPad2d((1, 2, 0, 0)), "ZeroPad2d((1, 2, 0, 0))"),
        (lambda: nn.CircularPad3d(1), "CircularPad3d((1, 1, 1, 1, 1, 1))"),
        (lambda: nn.Dropout2d(0.1), "Dropout2d(p=0.1, inplace=False)"),
        (
            lambda: nn.Embedding(5, 3, -1, max_norm=2.0, norm_type=1.0, scale_grad_by_freq=True),
            "Embedding(5, 3, padding_idx=4, max_norm=2.0, norm_type=1.0, scale_grad_by_freq=True)",
        ),
        (lambda: nn.CrossEntropyLoss(label_smoothing=0.1), "CrossEntropyLoss()"),
    ],
)
def test_reprs(make, text):
    """Each layer prints what PyTorch prints."""
    assert repr(make()) == text


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (
            lambda: nn.Dropout(1.5),
            ValueError,
            "dropout probability has to be between 0 and 1, but got 1.5",
        ),
        (
            lambda: nn.GroupNorm(3, 4),
            ValueError,
            "num_channels (4) must be divisible by num_groups (3)",
        ),
        (
            lambda: nn.Embedding(5, 3, 7),
            AssertionError,
            "Padding_idx must be within num_embeddings",
        ),
        (
            lambda: nn.Embedding.from_pretrained(torch.zeros(4)),
            AssertionError,
            "Embeddings parameter is expected to be 2-dimensional",
        ),
        (
            lambda: nn.Unflatten(1, 3),
            TypeError,
            "unflattened_size must be a tuple of ints, but found type int",
        ),
        (lambda: nn.Hardtanh(1, 0), AssertionError, "max_val (0) must be greater than min_val (1)"),
        (
            lambda: nn.Softmax2d()(torch.ones(2)),
            ValueError,
            "Softmax2d: expected input to be 3D or 4D, got 1D instead",
        ),
        (
            lambda: nn.BatchNorm1d(2)(torch.ones(2)),
            ValueError,
            "expected 2D or 3D input (got 1D input)",
        ),
        (
            lambda: nn.BatchNorm2d(2)(torch.ones(2, 2)),
            ValueError,
            "expected 4D input (got 2D input)",
        ),
        (
            lambda: nn.BatchNorm2d(2)(torch.ones(1, 2, 1, 1)),
            ValueError,
            "Expected more than 1 value per channel when training, got input size "
            "torch.Size([1, 2, 1, 1])",
        ),
        (
            lambda: nn.Linear(2, 3)(torch.ones(4, 5)),
            RuntimeError,
            "mat1 and mat2 shapes cannot be multiplied (4x5 and 2x3)",
        ),
    ],
)
def test_bad_arguments_raise_in_pytorchs_words(make, kind, message):
    """The class and the words are PyTorch's."""
    with pytest.raises(kind) as info:
        make()
    assert message in str(info.value)


# ----------------------------------------------------------------------------------- norms

BATCH = [[1.0, 2.0], [3.0, 6.0], [5.0, 1.0]]


def test_batch_norm_tracks_statistics():
    """Training uses the batch's statistics and moves the running ones by the momentum."""
    layer, x = nn.BatchNorm1d(2), torch.tensor(BATCH)
    close(layer(x), [-1.224743, -0.46291, 0.0, 1.388729, 1.224742, -0.925819])
    close(layer.running_mean, [0.3, 0.3])
    close(layer.running_var, [1.3, 1.6])
    layer(2 * x)
    close(layer.running_mean, [0.87, 0.87])
    close(layer.running_var, [2.77, 4.24])
    assert layer.num_batches_tracked.item() == 2
    assert layer.num_batches_tracked.dtype == torch.int64
    close(layer.eval()(x), [0.078109, 0.548776, 1.279791, 2.491345, 2.481472, 0.063134])
    assert layer.num_batches_tracked.item() == 2
    layer.reset_running_stats()
    assert layer.running_var.tolist() == [1.0, 1.0]


def test_batch_norm_without_momentum_averages_all_batches():
    """momentum=None gives the mean over the batches seen."""
    layer, x = nn.BatchNorm1d(2, momentum=None), torch.tensor(BATCH)
    layer(x)
    layer(2 * x)
    close(layer.running_mean, [4.5, 4.5])
    close(layer.running_var, [10.0, 17.5])


def test_batch_norm_without_statistics_uses_the_batch_in_evaluation():
    """There is nothing else to use."""
    layer = nn.BatchNorm1d(2, track_running_stats=False).eval()
    expected = [-1.224743, -0.46291, 0.0, 1.388729, 1.224742, -0.925819]
    close(layer(torch.tensor(BATCH)), expected)
    assert list(layer.state_dict()) == ["weight", "bias"]


def test_batch_norm_loads_old_state_dicts():
    """Before version 2 there was no count of batches."""
    layer = nn.BatchNorm1d(2)
    state = layer.state_dict()
    assert list(state) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert state._metadata[""] == {"version": 2}
    del state["num_batches_tracked"]
    assert "Missing key(s)" in error(RuntimeError, layer.load_state_dict, state)
    state._metadata[""]["version"] = 1
    assert "matched" in str(layer.load_state_dict(state))
    assert "matched" in str(layer.load_state_dict(dict(state)))


def test_instance_norm_takes_single_samples():
    """Each channel of each sample is normalized; a sample needs no batch dimension."""
    layer = nn.InstanceNorm1d(2)
    close(layer(torch.tensor([[1.0, 3.0], [2.0, 2.0]])), [-0.999995, 0.999995, 0.0, 0.0])
    assert repr(layer) == (
        "InstanceNorm1d(2, eps=1e-05, momentum=0.1, affine=False, bias=False, "
        "track_running_stats=False)"
    )
    assert layer.state_dict() == {}
    message = error(ValueError, nn.InstanceNorm2d(2, affine=True), torch.ones(3, 2, 2))
    assert message == "expected input's size at dim=0 to match num_features (2), but got: 3."
    with pytest.warns(UserWarning, match="does not match num_features"):
        nn.InstanceNorm2d(2)(torch.ones(3, 2, 2))


def test_other_norms():
    """Over the last dimensions, over groups of channels, and without the mean."""
    close(nn.LayerNorm(3)(torch.tensor([[1.0, 2.0, 4.0]])), [-1.069041, -0.26726, 1.336302])
    groups = nn.GroupNorm(2, 4)(torch.tensor([[1.0, 2.0, 4.0, 8.0]]))
    close(groups, [-0.99998, 0.99998, -0.999999, 0.999999])
    close(nn.RMSNorm(2)(torch.tensor([[3.0, 4.0]])), [0.848528, 1.131371])


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: nn.ConstantPad1d((1, 2), 9.0), [9.0, 1.0, 2.0, 3.0, 9.0, 9.0]),
        (lambda: nn.ZeroPad1d((-1, 1)), [2.0, 3.0, 0.0]),
        (lambda: nn.ReflectionPad1d(2), [3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0]),
        (lambda: nn.ReplicationPad1d((1, 2)), [1.0, 1.0, 2.0, 3.0, 3.0, 3.0]),
        (lambda: nn.CircularPad1d((2, 1)), [2.0, 3.0, 1.0, 2.0, 3.0, 1.0]),
    ],
)
def test_padding(make, expected):
    """What stands around the input."""
    assert make()(torch.tensor([[1.0, 2.0, 3.0]])).tolist() == [expected]


# ---------------------------------------------------------------------- dropout, embedding


def test_rrelu_draws_as_in_pytorch():
    """A slope for each element that is not positive, and no more numbers than that."""
    torch.manual_seed(0)
    layer = nn.RReLU(0.1, 0.3)
    close(
        layer(torch.tensor([-1.0, 2.0, -1.0, 0.0, -10.0])),
        [-0.294011, 2.0, -0.241564, 0.0, -2.841496],
    )
    close(torch.rand(1), [0.455628])
    close(layer.eval()(torch.tensor([-1.0, 2.0])), [-0.2, 2.0])


def test_dropout_draws_as_in_pytorch():
    """The same seed drops the same elements; evaluation drops none."""
    torch.manual_seed(0)
    layer = nn.Dropout(0.5)
    assert layer(torch.ones(8)).tolist() == [0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0, 2.0]
    x = torch.ones(3)
    assert layer.eval()(x).tolist() == [1.0, 1.0, 1.0]


def test_embedding_renormalizes_what_is_looked_up():
    """max_norm changes those rows of the table, in place."""
    weight = torch.tensor([[3.0, 4.0], [0.3, 0.4], [1.0, 0.0], [6.0, 8.0]])
    table = nn.Embedding(4, 2, max_norm=1.0, _weight=weight)
    close(table(torch.tensor([0, 1, 3])), [0.6, 0.8, 0.3, 0.4, 0.6, 0.8])
    close(table.weight, [0.6, 0.8, 0.3, 0.4, 1.0, 0.0, 0.6, 0.8])


def test_embedding_padding_gets_no_gradient():
    """The padding row stays what it is."""
    table = nn.Embedding(3, 2, padding_idx=0)
    table(torch.tensor([0, 0, 2])).sum().backward()
    assert table.weight.grad.tolist() == [[0.0, 0.0], [0.0, 0.0], [1.0, 1.0]]
    frozen = nn.Embedding.from_pretrained(torch.ones(2, 2))
    assert not frozen.weight.requires_grad


# ---------------------------------------------------------------------------------- losses

INPUT = [[0.5, -1.0, 2.0], [0.1, 0.2, 0.3]]
TARGET = [[0.0, 1.0, 1.0], [1.0, 0.0, 0.5]]
CLASSES = [2, 0]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: nn.L1Loss(), 0.8),
        (lambda: nn.MSELoss(reduction="sum"), 6.14),
        (lambda: nn.SmoothL1Loss(beta=0.5), 0.58),
        (lambda: nn.HuberLoss(delta=0.7), 0.36),
        (lambda: nn.BCEWithLogitsLoss(pos_weight=torch.tensor([1.0, 2.0, 3.0])), 1.113772),
        (lambda: nn.KLDivLoss(reduction="batchmean"), -0.798287),
        (lambda: nn.SoftMarginLoss(), 0.681973),
        (lambda: nn.HingeEmbeddingLoss(), 0.683333),
        (lambda: nn.PoissonNLLLoss(), 1.972015),
    ],
)
def test_losses_of_equal_shapes(make, expected):
    """Target and input of one shape."""
    assert make()(torch.tensor(INPUT), torch.tensor(TARGET)).item() == approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: nn.NLLLoss(), -1.05),
        (lambda: nn.CrossEntropyLoss(), 0.721627),
        (
            lambda: nn.CrossEntropyLoss(torch.tensor([1.0, 2.0, 3.0]), label_smoothing=0.1),
            0.561318,
        ),
        (lambda: nn.CrossEntropyLoss(ignore_index=0), 0.241311),
        (lambda: nn.CrossEntropyLoss(reduction="sum"), 1.443254),
    ],
)
def test_losses_of_classes(make, expected):
    """Targets are class numbers."""
    assert make()(torch.tensor(INPUT), torch.tensor(CLASSES)).item() == approx(expected, rel=1e-5)


def test_binary_cross_entropy():
    """Probabilities instead of logits."""
    loss = nn.BCELoss()(torch.sigmoid(torch.tensor(INPUT)), torch.tensor(TARGET))
    assert loss.item() == approx(0.760193, rel=1e-5)


def test_old_reduction_arguments_warn():
    """size_average and reduce still work."""
    with pytest.warns(UserWarning, match="please use reduction='sum' instead"):
        assert nn.MSELoss(size_average=False).reduction == "sum"
    with pytest.warns(UserWarning, match="please use reduction='none' instead"):
        assert nn.MSELoss(reduce=False).reduction == "none"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert nn.MSELoss().reduction == "mean"


def test_loss_weights_are_buffers():
    """They move with the loss."""
    loss = nn.CrossEntropyLoss(weight=torch.ones(3)).double()
    assert loss.weight.dtype == torch.float64
    assert list(loss.state_dict()) == ["weight"]


# -------------------------------------------------------------------------------- nn.utils


def with_grad(values, grad):
    parameter = nn.Parameter(torch.tensor(values))
    parameter.grad = torch.tensor(grad)
    return parameter


def test_clip_grad_norm():
    """All gradients together are one vector."""
    a, b = with_grad([1.0], [3.0]), with_grad([1.0, 1.0], [4.0, 0.0])
    assert nn.utils.clip_grad_norm_([a, b], 1.0).item() == 5.0
    close(a.grad, [0.6])
    close(b.grad, [0.8, 0.0])
    assert nn.utils.clip_grad_norm_(with_grad([1.0], [-3.0]), 9.0, float("inf")).item() == 3.0
    assert nn.utils.clip_grad_norm_([], 1.0).item() == 0.0
    bad = with_grad([1.0], [float("nan")])
    message = error(RuntimeError, nn.utils.clip_grad_norm_, bad, 1.0, error_if_nonfinite=True)
    assert message.startswith("The total norm of order 2.0 for gradients from `parameters` is non")


def test_clip_grad_value():
    """Each element on its own."""
    parameter = with_grad([1.0, 2.0], [3.0, -0.5])
    nn.utils.clip_grad_value_([parameter], 1)
    assert parameter.grad.tolist() == [1.0, -0.5]


def test_parameters_to_vector_and_back():
    """One vector holds all parameters."""
    layer = nn.Linear(2, 1)
    vector = nn.utils.parameters_to_vector(layer.parameters())
    assert vector.shape == (3,)
    nn.utils.vector_to_parameters(torch.tensor([1.0, 2.0, 3.0]), layer.parameters())
    assert layer.weight.tolist() == [[1.0, 2.0]]
    assert layer.bias.tolist() == [3.0]
    message = error(TypeError, nn.utils.vector_to_parameters, 3, [])
    assert message == "expected torch.Tensor, but got: int"


# -------------------------------------------------------------------------------- training


def train(net, x, y, rate):
    losses = []
    for _ in range(5):
        loss = nn.CrossEntropyLoss()(net(x), y)
        net.zero_grad()
        loss.backward()
        losses.append(loss.item())
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.sub_(rate * parameter.grad)
    return losses


def test_an_mlp_trains_as_in_pytorch():
    """From one seed: the same start, the same data, the same losses."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    losses = train(net, torch.randn(16, 4), torch.arange(16) % 3, 0.5)
    assert losses == approx([1.111874, 1.080208, 1.052341, 1.025221, 0.999725], rel=1e-5)


def test_a_cnn_trains_as_in_pytorch():
    """Convolution, batch norm, pooling and a classifier."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16, 3),
    )
    losses = train(net, torch.randn(6, 1, 4, 4), torch.arange(6) % 3, 0.1)
    assert losses == approx([1.182749, 0.974097, 0.842987, 0.733158, 0.643123], rel=1e-4)


def test_linear_takes_a_weight_that_is_no_parameter():
    """Pruning and the like replace the parameter by a plain tensor of that name."""
    layer = nn.Linear(2, 1, bias=False)
    del layer.weight
    layer.weight = torch.tensor([[3.0, 4.0]])
    assert layer(torch.ones(1, 2)).tolist() == [[7.0]]


def test_norms_keep_half_precision():
    """Statistics and weights in float32, as autocast gives them; checked against PyTorch."""
    x = torch.linspace(-2, 2, 6).reshape(2, 3).bfloat16()
    weight, bias = torch.linspace(0.5, 1.5, 3), torch.linspace(-1, 1, 3)
    means, variances = torch.tensor([0.1, 0.2, 0.3]), torch.tensor([1.0, 2.0, 3.0])
    expected = [[-2.046875, -0.9921875, 0.392578125], [-0.8515625, 0.7109375, 2.46875]]
    for kind in (torch.float32, torch.bfloat16):
        rest = [t.to(kind) for t in (means, variances, weight, bias)]
        found = torch.nn.functional.batch_norm(x, *rest)
        assert found.dtype is torch.bfloat16 and found.tolist() == expected
    found = torch.nn.functional.rms_norm(x, (3,), weight)
    assert found.dtype is torch.bfloat16
    assert found.tolist() == [
        [-0.73046875, -0.87890625, -0.439453125],
        [0.146484375, 0.87890625, 2.1875],
    ]
