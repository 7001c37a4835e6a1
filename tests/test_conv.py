"""Convolutions against sums written out, their derivatives, PyTorch's numbers and its errors."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import arraytorch as torch
from arraytorch import nn
from arraytorch.autograd import gradcheck, gradgradcheck
from arraytorch.backends import numpy_columns, numpy_convolution
from arraytorch.backends.convolution import ConvolutionKernels, convolution

F = nn.functional
RNG = np.random.default_rng(7)


def floats(*shape, dtype=np.float64):
    values = RNG.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * RNG.standard_normal(shape)
    return values.astype(dtype)


def meetings(spatial, size, stride, padding, dilation, out):
    """All (output place, kernel place, input place) that meet."""
    for o, k in product(product(*map(range, out)), product(*map(range, size))):
        i = tuple(a * s + b * d - p for a, s, b, d, p in zip(o, stride, k, dilation, padding))
        if all(0 <= a < n for a, n in zip(i, spatial)):
            yield o, k, i


def reference(x, w, b, stride, padding, dilation, groups, out=None):
    """The definition: every product by itself."""
    size, spatial = w.shape[2:], x.shape[2:]
    out = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, p, d, k, s in zip(spatial, padding, dilation, size, stride)
    )
    y = np.zeros((len(x), len(w), *out), x.dtype)
    per, share = len(w) // groups, w.shape[1]
    for o, k, i in meetings(spatial, size, stride, padding, dilation, out):
        for c in range(len(w)):
            start = c // per * share
            part = x[(slice(None), slice(start, start + share), *i)]
            y[(slice(None), c, *o)] += part @ w[(c, slice(None), *k)]
    return y if b is None else y + b.reshape(-1, *[1] * len(out))


def reference_transposed(x, w, b, stride, padding, output_padding, groups, dilation):
    """The definition: every input adds a kernel to the output."""
    size = w.shape[2:]
    spatial = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(x.shape[2:], stride, padding, dilation, size, output_padding)
    )
    per, share = x.shape[1] // groups, w.shape[1]
    y = np.zeros((len(x), share * groups, *spatial), x.dtype)
    for o, k, i in meetings(spatial, size, stride, padding, dilation, x.shape[2:]):
        for c in range(x.shape[1]):
            start = c // per * share
            added = x[(slice(None), c, *o)][:, None] * w[(c, slice(None), *k)]
            y[(slice(None), slice(start, start + share), *i)] += added
    return y if b is None else y + b.reshape(-1, *[1] * len(spatial))


# input, output channels; size; stride; padding; dilation; groups
CASES = [
    ((2, 3, 7), 4, (3,), (1,), (0,), (1,), 1),
    ((3, 4, 9), 6, (2,), (3,), (2,), (2,), 2),
    ((2, 2, 6, 5), 3, (3, 3), (1, 1), (1, 1), (1, 1), 1),
    ((1, 3, 7, 8), 2, (3, 2), (2, 1), (1, 0), (1, 2), 1),
    ((2, 4, 6, 7), 4, (3, 3), (2, 2), (1, 1), (1, 1), 4),
    ((2, 4, 5, 5), 8, (2, 2), (1, 1), (0, 0), (1, 1), 4),
    ((5, 6, 4, 4), 4, (1, 1), (1, 1), (0, 0), (1, 1), 2),
    ((2, 3, 20, 18), 2, (1, 1), (1, 1), (0, 0), (1, 1), 1),
    ((2, 3, 5, 5), 2, (1, 1), (2, 2), (0, 0), (1, 1), 1),
    ((1, 2, 9, 9), 2, (4, 4), (3, 3), (2, 2), (1, 1), 1),
    ((1, 2, 4, 3, 5), 2, (2, 3, 2), (1, 2, 2), (1, 1, 0), (1, 1, 2), 1),
    ((2, 2, 3, 3, 3), 4, (2, 2, 2), (1, 1, 1), (0, 0, 0), (1, 1, 1), 2),
]


def arrays(case, dtype=np.float64):
    shape, channels, size, *_, groups = case
    return (
        floats(*shape, dtype=dtype),
        floats(channels, shape[1] // groups, *size, dtype=dtype),
        floats(channels, dtype=dtype),
    )


@pytest.fixture(params=["flat", "exact", "small blocks"])
def layout(request, monkeypatch):
    """Each of the ways in which columns are made."""
    numpy_convolution._parts.cache_clear()
    if request.param == "exact":
        monkeypatch.setattr(numpy_columns, "_RUN", 0.0)
    elif request.param == "flat":
        monkeypatch.setattr(numpy_columns, "_RUN", 1e9)
    else:
        for module in (numpy_columns, numpy_convolution):
            monkeypatch.setattr(module, "BLOCK", 1 << 10)
            monkeypatch.setattr(module, "PRODUCT", 4)
    yield
    numpy_convolution._parts.cache_clear()


@pytest.mark.parametrize("case", CASES)
def test_conv_is_the_sum_of_products(case, layout):
    """Every geometry gives what the definition gives."""
    _, _, size, stride, padding, dilation, groups = case
    x, w, b = arrays(case)
    convolve = (F.conv1d, F.conv2d, F.conv3d)[len(size) - 1]
    y = convolve(*map(torch.tensor, (x, w, b)), stride, padding, dilation, groups)
    np.testing.assert_allclose(
        y.numpy(), reference(x, w, b, stride, padding, dilation, groups), atol=1e-12
    )


@pytest.mark.parametrize("case", CASES)
def test_conv_transpose_adds_kernels_up(case):
    """Every geometry gives what the definition gives, with output_padding where it may be."""
    shape, channels, size, stride, padding, dilation, groups = case
    output_padding = tuple(max(s, d) - 1 for s, d in zip(stride, dilation))
    x, w = floats(*shape), floats(shape[1], channels // groups, *size)
    b = floats(channels)
    transpose = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[len(size) - 1]
    arguments = stride, padding, output_padding, groups, dilation
    y = transpose(*map(torch.tensor, (x, w, b)), *arguments)
    np.testing.assert_allclose(y.numpy(), reference_transposed(x, w, b, *arguments), atol=1e-12)


class Generic(ConvolutionKernels):
    xp = np


class Fast(numpy_convolution.NumpyConvolutionKernels):
    xp = np


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
@pytest.mark.parametrize("case", CASES)
def test_three_kernels_are_one_bilinear_form(case, dtype, layout):
    """sum(conv(x, w) g) = sum(x conv_input(g, w)) = sum(w conv_weight(x, g)), in both kinds of kernels."""
    shape, _, size, stride, padding, dilation, groups = case
    x, w, b = arrays(case, dtype)
    c = convolution(stride, tuple((p, p) for p in padding), dilation, groups, size, shape[2:])
    for kernels in (Generic(), Fast()):
        y = kernels.conv(x, w, c, b)
        g = floats(*y.shape, dtype=dtype)
        total = ((y - b.reshape(-1, *[1] * len(size))) * g).sum()
        np.testing.assert_allclose((x * kernels.conv_input(g, w, c)).sum(), total)
        np.testing.assert_allclose((w * kernels.conv_weight(x, g, c)).sum(), total)
    np.testing.assert_allclose(Fast().conv(x, w, c, b), Generic().conv(x, w, c, b), atol=1e-12)
    inputs = (
        k.conv_input(g, w, c, floats(shape[1], dtype=dtype) * 0 + 1) for k in (Generic(), Fast())
    )
    np.testing.assert_allclose(*inputs, atol=1e-12)


@pytest.mark.parametrize("case", [CASES[1], CASES[3], CASES[4], CASES[10]])
def test_conv_gradients(case):
    """First and second derivatives agree with differences."""
    _, _, size, stride, padding, dilation, groups = case
    convolve = (F.conv1d, F.conv2d, F.conv3d)[len(size) - 1]
    inputs = [
        torch.tensor(v[:1] if i == 0 else v).requires_grad_() for i, v in enumerate(arrays(case))
    ]

    def function(x, w, b):
        return convolve(x, w, b, stride, padding, dilation, groups)

    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs)


def test_conv_transpose_gradients():
    """First and second derivatives agree with differences, complex ones too."""
    for dtype in (np.float64, np.complex128):
        values = floats(1, 4, 3, dtype=dtype), floats(4, 1, 3, dtype=dtype), floats(2, dtype=dtype)
        inputs = [torch.tensor(v).requires_grad_() for v in values]

        def function(x, w, b):
            return F.conv_transpose1d(x, w, b, 2, 1, 1, groups=2)

        assert gradcheck(function, inputs)
        assert gradgradcheck(function, inputs)


@pytest.mark.parametrize("size", [2, 3, 4])
def test_same_padding_keeps_the_size_and_pads_more_at_the_end(size):
    """An even kernel has its extra zero behind, as in PyTorch."""
    x, w = floats(1, 1, 6), floats(1, 1, size)
    y = F.conv1d(torch.tensor(x), torch.tensor(w), padding="same")
    before = (size - 1) // 2
    padded = np.pad(x, ((0, 0), (0, 0), (before, size - 1 - before)))
    np.testing.assert_allclose(y.numpy(), reference(padded, w, None, (1,), (0,), (1,), 1))


def test_unbatched_and_empty_inputs():
    """A sample without a batch dimension stays without; no samples give no results, and no error."""
    x, w = torch.tensor(floats(3, 5, 5)), torch.tensor(floats(2, 3, 3, 3)).requires_grad_()
    assert torch.equal(F.conv2d(x, w), F.conv2d(x[None], w)[0])
    y = F.conv2d(x[:0].reshape(0, 3, 5, 5), w)
    assert y.shape == (0, 2, 3, 3)
    y.sum().backward()
    assert (w.grad == 0).all()
    assert (
        F.conv_transpose2d(x[:0].reshape(0, 3, 5, 5), torch.ones(3, 1, 2, 2).double()).shape[0] == 0
    )


def test_strided_inputs_need_not_be_contiguous():
    """Views, reversed or transposed, are convolved as what they show."""
    x, w = floats(4, 6, 5, 3), floats(2, 4, 3, 3)
    seen = torch.tensor(x).permute(3, 0, 2, 1).flip(2)
    y = F.conv2d(seen, torch.tensor(w), padding=1)
    shown = x.transpose(3, 0, 2, 1)[:, :, ::-1]
    np.testing.assert_allclose(
        y.numpy(), reference(shown, w, None, (1, 1), (1, 1), (1, 1), 1), atol=1e-12
    )


def test_half_precision_sums_in_float32():
    """4096 ones sum to 4096 in 16 bits, where adding one by one would stop at 2048 or 256."""
    for dtype in (torch.float16, torch.bfloat16):
        y = F.conv1d(torch.ones(1, 4096, 1, dtype=dtype), torch.ones(1, 4096, 1, dtype=dtype))
        assert y.dtype is dtype and y.item() == 4096


def test_integers_wrap_around():
    """Integers are multiplied and added in their own width."""
    y = F.conv1d(
        torch.full((1, 1, 2), 20, dtype=torch.uint8), torch.full((1, 1, 2), 10, dtype=torch.uint8)
    )
    assert y.dtype is torch.uint8 and y.item() == 400 % 256
    y = F.conv2d(
        torch.ones(1, 2, 3, 3, dtype=torch.int64), torch.ones(1, 2, 3, 3, dtype=torch.int64)
    )
    assert y.item() == 18


def test_layer_starts_and_computes_as_in_pytorch():
    """Weights, result and gradients of Conv2d after manual_seed(0), recorded from PyTorch 2.13."""
    torch.manual_seed(0)
    layer = nn.Conv2d(2, 2, 2)
    np.testing.assert_array_equal(
        layer.weight.detach().numpy().ravel(),
        np.float32(
            [-0.0026469905860722065, 0.18966144323349, -0.2909903824329376, -0.26019373536109924,
             -0.13617262244224548, 0.0948079451918602, -0.007005016785115004, 0.28032875061035156,
             -0.03137575834989548, 0.09355466812849045, -0.10684845596551895, -0.06949635595083237,
             -0.33776670694351196, -0.23415207862854004, -0.14574287831783295, 0.013096880167722702]
        ),
    )  # fmt: skip
    assert layer.bias.tolist() == [0.13977210223674774, 0.21214008331298828]
    y = layer(torch.linspace(-1, 1, 18).reshape(1, 2, 3, 3))
    expected = [0.45535391569137573, 0.4397996664047241, 0.40869128704071045, 0.3931370973587036,
                0.15262934565544128, 0.056308090686798096, -0.13633446395397186, -0.23265573382377625]  # fmt: skip
    np.testing.assert_allclose(y.detach().numpy().ravel(), expected, rtol=1e-5)
    y.square().sum().backward()
    expected = [-2.6319823265075684, -2.2326924800872803, -1.434112787246704, -1.0348228216171265,
                0.9616265892982483, 1.3609164953231812, 2.159496307373047, 2.558786153793335,
                0.01814831793308258, -0.01951117068529129, -0.09483014792203903, -0.1324896216392517,
                -0.3207869827747345, -0.35844647884368896, -0.4337654113769531, -0.4714248478412628]  # fmt: skip
    np.testing.assert_allclose(layer.weight.grad.numpy().ravel(), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        layer.bias.grad.numpy(), [3.3939640522003174, -0.32010552287101746], rtol=1e-5
    )


def test_transposed_layer_starts_and_computes_as_in_pytorch():
    """ConvTranspose1d after manual_seed(0), recorded from PyTorch 2.13."""
    torch.manual_seed(0)
    layer = nn.ConvTranspose1d(2, 1, 3, stride=2, output_padding=1)
    assert layer.weight.shape == (2, 1, 3)
    expected = [-1.2904455661773682, -0.36883023381233215, 0.3940872550010681, 0.8303614854812622,
                -1.1166305541992188, -0.011439144611358643]  # fmt: skip
    y = layer(torch.tensor([[1.0, 2.0], [3.0, -1.0]]))
    np.testing.assert_allclose(y.detach().numpy().ravel(), expected, rtol=1e-5)


def test_layers_print_as_in_pytorch():
    """What differs from the defaults is shown."""
    assert repr(nn.Conv2d(3, 4, 3)) == "Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1))"
    layer = nn.Conv2d(4, 4, (3, 2), 1, (1, 2), 2, 2, False, "reflect")
    assert repr(layer) == (
        "Conv2d(4, 4, kernel_size=(3, 2), stride=(1, 1), padding=(1, 2), dilation=(2, 2), groups=2, "
        "bias=False, padding_mode=reflect)"
    )
    assert repr(nn.ConvTranspose1d(3, 4, 3, 2, 1, 1)) == (
        "ConvTranspose1d(3, 4, kernel_size=(3,), stride=(2,), padding=(1,), output_padding=(1,))"
    )


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_padding_modes_pad_before_convolving(mode):
    """The layer's border is NumPy's of that name."""
    layer = nn.Conv2d(2, 3, 3, padding=(1, 2), padding_mode=mode, dtype=torch.float64)
    x = floats(1, 2, 4, 5)
    how = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (2, 2)), how)
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    expected = reference(padded, weight, bias, (1, 1), (0, 0), (1, 1), 1)
    np.testing.assert_allclose(layer(torch.tensor(x)).detach().numpy(), expected, atol=1e-12)


def test_transposed_layer_reaches_the_size_asked_for():
    """Among the sizes that a stride maps to the input's, output_size chooses; others raise."""
    layer, x = nn.ConvTranspose2d(3, 4, 3, 2), torch.ones(1, 3, 4, 4)
    assert layer(x, output_size=(10, 9)).shape == (1, 4, 10, 9)
    assert layer(x, output_size=(1, 4, 9, 10)).shape == (1, 4, 9, 10)
    with pytest.raises(ValueError, match=r"valid sizes range from \[9, 9\] to \[10, 10\]"):
        layer(x, output_size=(12, 9))
    with pytest.raises(ValueError, match="output_size must have 2 or 4 elements"):
        layer(x, output_size=(9,))


IMAGE, KERNEL = (1, 3, 4, 4), (2, 3, 3, 3)
BAD = [
    (
        {"input": (3, 4)},
        r"Expected 3D \(unbatched\) or 4D \(batched\) input to conv2d, but got input",
    ),
    ({"weight": (2, 4, 3, 3)}, "to have 4 channels, but got 3 channels instead"),
    ({"weight": (2, 3, 5, 5)}, "Kernel size can't be greater than actual input size"),
    ({"weight": (2, 3, 3)}, "expected stride to be|Expected 3-dimensional input"),
    ({"weight": (0, 3, 3, 3)}, "expected weight to be at least 1 at dimension 0"),
    ({"bias": (3,)}, "expected bias to be 1-dimensional with 2 elements"),
    ({"stride": 0}, "non-positive stride is not supported"),
    ({"stride": (1, 1, 1)}, "expected stride to be a single integer value or a list of 2 values"),
    ({"padding": -1}, "negative padding is not supported"),
    ({"padding": "sam"}, "Invalid padding string: 'sam'"),
    ({"padding": "same", "stride": 2}, "padding='same' is not supported for strided convolutions"),
    ({"dilation": 0}, "dilation should be greater than zero"),
    ({"groups": 0}, "non-positive groups is not supported"),
    ({"groups": 2}, "to have 6 channels, but got 3 channels instead"),
    ({"input": (1, 3, 0, 4), "padding": 2}, "Only zero batch or zero channel inputs are supported"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_geometry_raises_what_pytorch_raises(change, message):
    """RuntimeError, with the shapes."""
    arguments = {"input": IMAGE, "weight": KERNEL} | change
    for name in ("input", "weight", "bias"):
        if name in arguments:
            arguments[name] = torch.zeros(arguments[name])
    with pytest.raises(RuntimeError, match=message):
        F.conv2d(**arguments)


def test_bad_dtypes_and_types_raise_what_pytorch_raises():
    """RuntimeError for dtypes that differ, NotImplementedError for bools, TypeError for no tensors."""
    x, w = torch.ones(IMAGE), torch.ones(KERNEL)
    with pytest.raises(RuntimeError, match="expected scalar type Float but found Double"):
        F.conv2d(x, w.double())
    with pytest.raises(RuntimeError, match=r"Input type \(float\) and bias type \(double\)"):
        F.conv2d(x, w, torch.ones(2).double())
    with pytest.raises(NotImplementedError, match="not implemented for 'Bool'"):
        F.conv2d(x.bool(), w.bool())
    with pytest.raises(TypeError, match="argument 'weight'"):
        F.conv2d(x, [1])
    with pytest.raises(TypeError, match="stride"):
        F.conv2d(x, w, stride=1.5)


def test_bad_transposed_geometry_raises_what_pytorch_raises():
    """Where output_padding and padding leave no meaning."""
    x, w = torch.ones(1, 3, 4, 4), torch.ones(3, 2, 3, 3)
    with pytest.raises(
        RuntimeError, match="output padding must be smaller than either stride or dilation"
    ):
        F.conv_transpose2d(x, w, stride=2, output_padding=2)
    with pytest.raises(RuntimeError, match="Output size is too small"):
        F.conv_transpose2d(x, w, padding=5)
    with pytest.raises(RuntimeError, match="to have 2 channels, but got 3 channels instead"):
        F.conv_transpose2d(x, w[:2])
    with pytest.raises(RuntimeError, match="expected bias to be 1-dimensional with 2 elements"):
        F.conv_transpose2d(x, w, torch.ones(3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"groups": 0}, "groups must be a positive integer"),
        ({"groups": 2}, "in_channels must be divisible by groups"),
        ({"padding": "x"}, "Invalid padding string 'x'"),
        ({"padding": "same", "stride": 2}, "not supported for strided convolutions"),
        ({"padding_mode": "x"}, "padding_mode must be one of"),
    ],
)
def test_bad_layers_raise_what_pytorch_raises(arguments, message):
    """ValueError, when the layer is made."""
    with pytest.raises(ValueError, match=message):
        nn.Conv2d(3, 4, 3, **arguments)
    with pytest.raises(ValueError, match='Only "zeros" padding mode is supported'):
        nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect")


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
def test_pad_is_numpys(mode):
    """The four modes, and their derivatives."""
    x = floats(2, 4, 5)
    how = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    y = F.pad(torch.tensor(x), (1, 2, 3, 0), mode)
    np.testing.assert_array_equal(y.numpy(), np.pad(x, ((0, 0), (3, 0), (1, 2)), how[mode]))
    assert gradcheck(lambda t: F.pad(t, (1, 2, 3, -1), mode), [torch.tensor(x).requires_grad_()])
    cropped = F.pad(torch.arange(4.0)[None], (-1, 2), mode)
    tail = {"constant": [0, 0], "reflect": [2, 1], "replicate": [3, 3], "circular": [1, 2]}[mode]
    assert cropped.tolist() == [[1, 2, 3, *tail]]


def test_bad_pads_raise_what_pytorch_raises():
    """Odd or too many numbers, a mirror too small, an unknown mode."""
    x = torch.ones(2, 3)
    for around, mode, message in (
        ((1,), "constant", "Padding length must be divisible by 2"),
        ((1,) * 6, "constant", "less than or equal to two times the input dimension"),
        ((-4, 0), "constant", "length must be non-negative"),
        ((3, 0), "reflect", "Padding size should be less than the corresponding input dimension"),
        ((4, 0), "circular", "wrapping around more than once"),
    ):
        with pytest.raises(RuntimeError, match=message):
            F.pad(x, around, mode)
    with pytest.raises(NotImplementedError, match="Unrecognised padding mode foo"):
        F.pad(x, (1, 1), "foo")
    with pytest.raises(NotImplementedError, match="Padding size 2 is not supported for 1D input"):
        F.pad(x[0], (1, 1), "reflect")


def test_padding_layers_print_and_pad():
    """Their names say how; an int stands for all borders."""
    x = torch.tensor(floats(1, 2, 3, 3))
    for layer, mode in (
        (nn.ReflectionPad2d, "reflect"),
        (nn.ReplicationPad2d, "replicate"),
        (nn.CircularPad2d, "circular"),
        (nn.ZeroPad2d, "constant"),
    ):
        assert torch.equal(layer((1, 2, 0, 1))(x), F.pad(x, (1, 2, 0, 1), mode))
        assert repr(layer(1)) == f"{layer.__name__}((1, 1, 1, 1))"
    assert torch.equal(nn.ConstantPad2d(1, 2.5)(x), F.pad(x, (1, 1, 1, 1), value=2.5))
    assert repr(nn.ConstantPad1d(2, 3.5)) == "ConstantPad1d(padding=(2, 2), value=3.5)"


@pytest.mark.parametrize("which", ["input", "weight", "neither"])
def test_convolutions_keep_channels_last(which):
    """Results have their channels last if the input or the weight has, else C order."""
    last = torch.channels_last
    x, w = torch.randn(2, 3, 8, 8), torch.randn(4, 3, 3, 3)
    expected = torch.nn.functional.conv2d(x, w)
    x = x.to(memory_format=last) if which == "input" else x
    w = w.to(memory_format=last) if which == "weight" else w
    y = torch.nn.functional.conv2d(x, w)
    assert y.stride() == ((144, 36, 6, 1) if which == "neither" else (144, 1, 24, 4))
    assert torch.allclose(y, expected, atol=1e-5)
    z = torch.nn.functional.conv_transpose2d(x, w.new_ones(3, 4, 2, 2))
    assert z.stride() == ((324, 1, 36, 4) if which == "input" else (324, 81, 9, 1))
    turned = x.permute(0, 1, 3, 2)  # neither format
    assert torch.nn.functional.conv2d(turned, torch.ones(4, 3, 3, 3)).is_contiguous()


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic", "area", "nearest-exact"])
def test_interpolate_keeps_the_memory_format(mode):
    """Resized images lie in C order, or with their channels last if they were."""
    x = torch.randn(2, 3, 8, 8)
    plain = torch.nn.functional.interpolate(x, scale_factor=2, mode=mode)
    assert plain.is_contiguous() and plain.stride() == (768, 256, 16, 1)
    last = torch.nn.functional.interpolate(
        x.to(memory_format=torch.channels_last).requires_grad_(), scale_factor=2, mode=mode
    )
    assert last.stride() == (768, 1, 48, 3)
    assert torch.allclose(last, plain, rtol=0, atol=1e-6) and last.requires_grad
