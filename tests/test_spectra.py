"""Special functions, Fourier transforms and windows: what the sample table does not say."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest
from scipy import special
from scipy.signal import windows

import arraytorch as torch

F, S, W = torch.fft, torch.special, torch.signal.windows


def test_modules_load_when_first_asked_for():
    """`import arraytorch` does not pay for special functions, spectra or windows."""
    code = """if True:
        import sys, arraytorch as torch
        late = ["special", "fft", "signal", "ops.bessel", "ops.spectral", "ops.short_time"]
        assert not [n for n in late if "arraytorch." + n in sys.modules]
        assert torch.ones(1).i0().item() > 1.26 and "i0" in dir(torch.Tensor)
        assert "scipy.fft" not in sys.modules
        torch.fft.fft(torch.ones(2))
        """
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("entr", [0.0, -1.0, float("nan")], [0, -np.inf, np.nan]),
        ("bessel_y0", [0.0, -1.0], [-np.inf, np.nan]),
        ("modified_bessel_k1", [0.0, -1.0], [np.inf, np.nan]),
        ("spherical_bessel_j0", [0.0, float("inf")], [1, 0]),
        ("ndtri", [0.0, 1.0, 2.0], [-np.inf, np.inf, np.nan]),
        ("gammaln", [0.0, -np.inf], [np.inf, np.inf]),
        ("airy_ai", [1e10, -1e7], [0, 0.005418505489451748]),
    ],
)
def test_special_functions_at_their_ends(name, value, wanted):
    """Poles, infinities and arguments outside give what PyTorch gives."""
    got = getattr(S, name)(torch.tensor(value, dtype=torch.float64))
    np.testing.assert_allclose(got.numpy(), wanted, 1e-5)


def test_slopes_at_zero_are_the_limits():
    """Quotients by x have a limit at 0."""
    for op, slope in ((S.i0, 0), (S.i1, 0.5), (S.i1e, 0.5), (S.sinc, 0)):
        x = torch.zeros(1, requires_grad=True)
        op(x).sum().backward()
        assert x.grad.item() == slope


@pytest.mark.parametrize("op", [torch.xlogy, S.xlog1py])
def test_zero_times_a_logarithm_is_zero(op):
    """Whatever the logarithm is, unless NaN; the slope in x is 0 where the logarithm is none."""
    x = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    y = torch.tensor([-2.0, float("inf"), float("nan")], dtype=torch.float64)
    out = op(x, y)
    np.testing.assert_array_equal(out.detach().numpy(), [0, 0, np.nan])
    out.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [0, np.inf, np.nan])


def test_functions_without_a_derivative_say_so():
    """The order of a gamma function has no gradient; Bessel functions of PyTorch's have none at all."""
    a = torch.ones(2, requires_grad=True)
    for op in (S.gammainc, S.gammaincc, S.zeta):
        with pytest.raises(NotImplementedError, match="is not implemented"):
            op(a, torch.ones(2) * 2).sum().backward()
    assert not S.bessel_j0(a).requires_grad
    assert not S.chebyshev_polynomial_t(a, 2).requires_grad


def test_float32_is_as_accurate_as_its_rounding():
    """Results are computed in doubles and rounded once."""
    x = np.linspace(0.1, 20, 500, dtype="f4")
    for name, ref in (("bessel_j0", special.j0), ("i0e", special.i0e), ("erfcx", special.erfcx)):
        got = getattr(S, name)(torch.from_numpy(x)).numpy()
        np.testing.assert_allclose(got, ref(x.astype("f8")), 2e-7, 1e-9)


def test_degrees_are_truncated_and_negative_ones_give_zero():
    """As in PyTorch, a degree of 2.7 is 2; beyond degree 512 Hermite's polynomials are NaN."""
    n = torch.tensor([2.7, -1.0, 0.0])
    assert S.legendre_polynomial_p(torch.full((3,), 2.0), n).tolist() == [5.5, 0.0, 1.0]
    assert S.hermite_polynomial_h(torch.tensor([0.1]), 513).isnan().all()
    assert S.chebyshev_polynomial_t(2, torch.tensor([1.0, 2.0])).tolist() == [2.0, 7.0]
    ends = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    assert S.chebyshev_polynomial_u(ends, 20).tolist() == [21.0, 21.0]
    assert S.chebyshev_polynomial_w(ends, 21).tolist() == [-1.0, 43.0]
    with pytest.raises(TypeError, match="must be a Tensor"):
        S.laguerre_polynomial_l(1, 2)


def test_methods_and_in_place_forms():
    """Tensors have i0, igamma, igammac, mvlgamma and polygamma, and their in-place forms."""
    x = torch.tensor([2.0, 3.0])
    assert x.polygamma(1).tolist() == S.polygamma(1, x).tolist()
    assert x.clone().polygamma_(1).tolist() == S.polygamma(1, x).tolist()
    assert x.mvlgamma(2).tolist() == x.clone().mvlgamma_(2).tolist()
    assert x.igamma(x).tolist() == x.clone().igamma_(x).tolist()
    assert torch.i0_(x.clone()).tolist() == x.i0().tolist() == x.clone().i0_().tolist()
    with pytest.raises(RuntimeError, match="does not support negative n"):
        torch.polygamma(-1, x)
    with pytest.raises(RuntimeError, match="p has to be greater than or equal to 1"):
        torch.mvlgamma(x, 0)


def test_transforms_keep_precision():
    """float32 gives complex64, integers the default; half precision is refused."""
    assert F.fft(torch.ones(2)).dtype == F.rfft(torch.ones(2).int()).dtype == torch.complex64
    assert F.irfft(torch.ones(2).double()).dtype == torch.float64
    with pytest.raises(RuntimeError, match="Unsupported dtype Half"):
        F.fft(torch.ones(2).half())


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: F.fft(x, 0), RuntimeError, r"Invalid number of data points \(0\) specified"),
        (lambda x: F.irfft(x[:, :1]), RuntimeError, "Invalid number of data points"),
        (lambda x: F.fft(x, dim=2), IndexError, "Dimension out of range"),
        (lambda x: F.fft(x, norm="bad"), RuntimeError, 'Invalid normalization mode: "bad"'),
        (lambda x: F.rfft(x + 0j), RuntimeError, "rfft expects a real input tensor"),
        (lambda x: F.fftn(x, dim=(0, 0)), RuntimeError, "FFT dims must be unique"),
        (lambda x: F.fftn(x, (1, 1, 1)), RuntimeError, "Got shape with 3 values"),
        (lambda x: F.fft2(x, (2,)), RuntimeError, "must have the same length"),
        (lambda x: F.rfftn(x, dim=()), RuntimeError, "must transform at least one axis"),
        (lambda x: F.fft(x[0, 0]), IndexError, "tensor has no dimensions"),
        (lambda x: F.fft(x, 1.5), TypeError, "'n' must be int, not float"),
        (lambda x: F.fftfreq(3, dtype=torch.int64), RuntimeError, "requires a floating point"),
        (lambda x: F.fftshift(x[0, 0]), RuntimeError, "`shifts` required"),
    ],
)
def test_transforms_refuse(call, error, words):
    """Each with PyTorch's error."""
    with pytest.raises(error, match=words):
        call(torch.ones(2, 3))


def test_frequencies():
    """fftfreq and rfftfreq are NumPy's, in any floating dtype, and may require gradients."""
    for n in (1, 4, 5):
        np.testing.assert_allclose(F.fftfreq(n, 0.5).numpy(), np.fft.fftfreq(n, 0.5), 1e-7)
        np.testing.assert_allclose(F.rfftfreq(n, 0.5).numpy(), np.fft.rfftfreq(n, 0.5), 1e-7)
    out = torch.empty(0, dtype=torch.float64)
    assert F.fftfreq(4, out=out) is out and out.tolist() == [0, 0.25, -0.5, -0.25]
    assert F.rfftfreq(4, requires_grad=True).requires_grad


WINDOWS = {
    "bartlett": {}, "blackman": {}, "cosine": {}, "exponential": {"tau": 2.0}, "nuttall": {},
    "gaussian": {"std": 3.0}, "general_cosine": {"a": [0.4, 0.5, 0.1]}, "hamming": {}, "hann": {},
    "general_hamming": {"alpha": 0.6}, "kaiser": {"beta": 8.0},
}  # fmt: skip


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("sym", [True, False])
def test_windows_are_scipys(name, sym):
    """Every window, symmetric and periodic, of every small length."""
    for n in (0, 1, 2, 5, 8):
        if (name, n, sym) == ("cosine", 1, False) or name == "exponential" and n == 1:
            continue  # SciPy returns 1 for every window of one point
        ref = getattr(windows, name if name != "nuttall" else "general_cosine")
        options = dict(WINDOWS[name], sym=sym)
        given = {"a": (0.3635819, 0.4891775, 0.1365995, 0.0106411)} if name == "nuttall" else {}
        got = getattr(W, name)(n, **options, dtype=torch.float64)
        np.testing.assert_allclose(got.numpy(), ref(n, **(options | given)), 1e-12, 1e-15)


@pytest.mark.parametrize("name", ["bartlett", "blackman", "hamming", "hann", "kaiser"])
def test_window_functions_are_periodic_unless_told(name):
    """torch.hann_window and its kind against torch.signal.windows; half precision is allowed."""
    ours, theirs = getattr(torch, name + "_window"), getattr(W, name)
    assert ours(7).tolist() == theirs(7, sym=False).tolist()
    assert ours(7, False).tolist() == theirs(7).tolist()
    assert ours(3, dtype=torch.float16, requires_grad=True).requires_grad
    with pytest.raises(RuntimeError, match="requires non-negative window_length"):
        ours(-1)
    with pytest.raises(ValueError, match="requires non-negative window length, got M=-1"):
        theirs(-1)
    with pytest.raises(ValueError, match="expects float32 or float64 dtypes"):
        theirs(3, dtype=torch.float16)


def test_short_time_transform_and_back():
    """istft undoes stft: of batches, real and complex, one-sided or not, normalized or not."""
    rng = np.random.default_rng(0)
    window = torch.hann_window(8, dtype=torch.float64)
    for more in ({}, {"normalized": True}, {"onesided": False}):
        x = torch.from_numpy(rng.standard_normal((2, 32)))
        z = torch.stft(x, 8, window=window, return_complex=True, **more)
        assert z.shape == (2, 8 if more.get("onesided") is False else 5, 17)
        np.testing.assert_allclose(torch.istft(z, 8, window=window, **more), x, 1e-12, 1e-12)
    x = torch.from_numpy(rng.standard_normal(32) + 1j)
    back = torch.istft(torch.stft(x, 8, window=window), 8, window=window, return_complex=True)
    np.testing.assert_allclose(back, x, 1e-12, 1e-12)


def test_short_time_transforms_refuse():
    """And warn of what PyTorch warns of."""
    x, window = torch.ones(32), torch.hann_window(8)
    with pytest.raises(RuntimeError, match="requires the return_complex parameter be given"):
        torch.stft(x, 8, window=window)
    with pytest.raises(RuntimeError, match="expected hop_length > 0, but got hop_length=0"):
        torch.stft(x, 8, 0, window=window, return_complex=True)
    with pytest.raises(RuntimeError, match="Cannot have onesided output"):
        torch.stft(x + 0j, 8, window=window, onesided=True)
    with pytest.warns(UserWarning, match="A window was not provided"):
        z = torch.stft(x, 8, return_complex=True)
    with pytest.warns(UserWarning, match="return_complex=False is deprecated"):
        assert torch.stft(x, 8, window=window, return_complex=False).shape == (5, 17, 2)
    with pytest.raises(RuntimeError, match="window overlap add min"):
        torch.istft(z, 8, window=window, center=False)
    with pytest.warns(UserWarning, match="Result is being padded with zeros"):
        assert torch.istft(z, 8, window=window, length=40)[-1] == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.istft(z, 8, window=window, length=20).shape == (20,)
