"""Counter-based random numbers: published values, distributions, and the same on every device."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from scipy import stats
from toy_backend import ToyBackend

import arraytorch as torch
from arraytorch import _device
from arraytorch.backends.philox import PhiloxGenerator, rounds

SAMPLES = 20_000


def seeded(seed=7):
    """A counting generator of the CPU."""
    return torch.Generator(algorithm="philox").manual_seed(seed)


# The test vectors of its authors' library (Random123, kat_vectors): counter, key, result.
PUBLISHED = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]  # fmt: skip


@pytest.mark.parametrize(("counter", "key", "words"), PUBLISHED)
def test_bits_are_the_published_ones(counter, key, words):
    """Ten rounds of Philox4x32 give the words that its authors publish."""
    c = [int(w, 16) for w in counter.split()]
    k = [int(w, 16) for w in key.split()]
    place = np.array([c[2] | c[3] << 32], "u8")
    found = rounds(place, k[0] | k[1] << 32, c[0] | c[1] << 32)
    assert [int(w[0]) for w in found] == [int(w, 16) for w in words.split()]


def test_normals_are_those_of_pytorch_on_cuda():
    """What users of PyTorch report of randn([1, 64, 2048]) on CUDA after manual_seed(42)."""
    x = torch.randn(1, 64, 2048, generator=seeded(42))[0]
    rows = [x[0, :3], x[0, -3:], x[1, :3]]
    wanted = [[0.1940, 2.1614, -0.1721], [1.4540, -2.7733, -0.8932], [-0.4574, 0.8063, 0.1580]]
    np.testing.assert_allclose([r.tolist() for r in rows], wanted, atol=5.1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("fill", "distribution"),
    [
        (lambda x, g: x.uniform_(-2, 3, generator=g), stats.uniform(-2, 5)),
        (lambda x, g: x.normal_(1, 2, generator=g), stats.norm(1, 2)),
        (lambda x, g: x.exponential_(0.5, generator=g), stats.expon(scale=2)),
        (lambda x, g: x.cauchy_(1, 3, generator=g), stats.cauchy(1, 3)),
        (lambda x, g: x.log_normal_(0, 0.5, generator=g), stats.lognorm(0.5)),
    ],
    ids=["uniform", "normal", "exponential", "cauchy", "log_normal"],
)
def test_continuous_distributions(dtype, fill, distribution):
    """A Kolmogorov-Smirnov test does not tell the numbers from the distribution."""
    x = fill(torch.empty(SAMPLES, dtype=dtype), seeded())
    assert stats.kstest(x.numpy(), distribution.cdf).pvalue > 0.01


@pytest.mark.parametrize(
    ("draw", "chances"),
    [
        (lambda g: torch.randint(3, 9, (SAMPLES,), generator=g) - 3, [1 / 6] * 6),
        (lambda g: torch.randint(0, 3 << 40, (SAMPLES,), generator=g) >> 40, [1 / 3] * 3),
        (lambda g: torch.empty(SAMPLES).bernoulli_(0.3, generator=g), [0.7, 0.3]),
        (lambda g: torch.bernoulli(torch.full((SAMPLES,), 0.3), generator=g), [0.7, 0.3]),
        (lambda g: torch.empty(SAMPLES).geometric_(0.5, generator=g).clamp(max=4) - 1,
         [0.5, 0.25, 0.125, 0.125]),
        (lambda g: torch.multinomial(torch.tensor([1.0, 0.0, 3.0]), SAMPLES, True, generator=g),
         [0.25, 0, 0.75]),
        (lambda g: torch.multinomial(torch.tensor([[1.0, 0.0, 3.0]] * SAMPLES), 1, generator=g)[:, 0],
         [0.25, 0, 0.75]),
        (lambda g: torch.stack([torch.randperm(4, generator=g) for _ in range(2000)]).reshape(-1)[::4],
         [0.25] * 4),
        (lambda g: torch.poisson(torch.full((SAMPLES,), 1.0), generator=g).clamp(max=2),
         [0.36788, 0.36788, 0.26424]),
        (lambda g: torch.binomial(torch.full((SAMPLES,), 2.0), torch.full((SAMPLES,), 0.5), generator=g),
         [0.25, 0.5, 0.25]),
    ],
    ids=["randint", "wide", "bernoulli", "each", "geometric", "multinomial", "one", "randperm",
         "poisson", "binomial"],
)  # fmt: skip
def test_discrete_distributions(draw, chances):
    """A chi-squared test does not tell the counts from what is expected."""
    counts = np.bincount(draw(seeded()).long().numpy(), minlength=len(chances))
    expected = np.array(chances) * counts.sum()
    assert counts[expected == 0].sum() == 0
    some = expected > 0
    total = counts.sum()
    assert (
        stats.chisquare(counts[some], expected[some] / expected[some].sum() * total).pvalue > 0.01
    )


def test_all_devices_give_the_same(monkeypatch):
    """Each method fills another library's arrays with the numbers of the CPU."""
    monkeypatch.setattr(_device, "KNOWN_TYPES", {*_device.KNOWN_TYPES, "toy"})
    toys = ToyBackend()
    cpu = torch.backends.backend_for(torch.device("cpu"))
    fills = [
        lambda c, x: c.uniform_(x, -1, 2),
        lambda c, x: c.normal_(x, 1, 2),
        lambda c, x: c.integers_(x, -5, 100),
        lambda c, x: c.full_integers_(x),
        lambda c, x: c.bernoulli_(x, 0.5),
        lambda c, x: c.exponential_(x, 2.0),
        lambda c, x: c.geometric_(x, 0.5),
        lambda c, x: c.cauchy_(x, 0.0, 1.0),
        lambda c, x: c.log_normal_(x, 0.0, 1.0),
    ]
    ours, theirs = PhiloxGenerator(cpu), PhiloxGenerator(toys)
    for fill in fills:
        for dtype in ("f4", "f8"):
            x = np.zeros((5, 7), dtype).T
            y = toys.from_host(x)
            fill(ours, x)
            fill(theirs, y)
            np.testing.assert_array_equal(toys.to_host(y), x)
    np.testing.assert_array_equal(toys.to_host(theirs.permutation(50)), ours.permutation(50))
    p = np.array([[0.2, 0.5, 0.3]], "f4")
    for replacement in (True, False):
        a = ours.multinomial(p, 3, replacement)
        b = theirs.multinomial(toys.from_host(p), 3, replacement)
        np.testing.assert_array_equal(toys.to_host(b), a)
    a, b = ours.poisson(p * 9), theirs.poisson(toys.from_host(p * 9))
    np.testing.assert_array_equal(toys.to_host(b), a)


def test_states_come_back():
    """A state is 16 bytes, seed and offset, as PyTorch's for CUDA; copies go on alike."""
    g = seeded(3)
    torch.rand(5, generator=g)
    assert g.get_state().tolist() == [3, *[0] * 7, 4, *[0] * 7]
    twins = [g.clone_state(), copy.deepcopy(g), pickle.loads(pickle.dumps(g)), seeded()]
    twins[-1].set_state(g.get_state())
    wanted = torch.rand(4, generator=g)
    for twin in twins:
        assert torch.equal(torch.rand(4, generator=twin), wanted)
    with pytest.raises(RuntimeError, match="RNG state is wrong size"):
        g.set_state(torch.zeros(7, dtype=torch.uint8))
    with pytest.raises(RuntimeError, match="multiple of 4"):
        g.set_offset(3)
    with pytest.raises(RuntimeError, match="CPU Generator does not use offset"):
        torch.Generator().get_offset()
    with pytest.raises(ValueError, match="no such algorithm"):
        torch.Generator(algorithm="xorshift")


def test_default_algorithm_changes_and_comes_back():
    """The choice starts the present seed's stream; None restores PyTorch's CPU numbers."""
    try:
        torch.manual_seed(5)
        first = torch.rand(3)
        torch.random.set_default_algorithm("philox")
        assert torch.initial_seed() == 5
        assert torch.equal(torch.rand(3), torch.rand(3, generator=seeded(5)))
        with pytest.raises(ValueError, match="no such algorithm"):
            torch.random.set_default_algorithm("xorshift")
    finally:
        torch.random.set_default_algorithm(None)
    assert torch.equal(torch.rand(3), first)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.complex64])
def test_narrow_and_complex_types_stay_in_bounds(dtype):
    """rand never gives the excluded end, also after rounding to 16 bits; randn has variance 1."""
    x = torch.rand(50_000, dtype=dtype, generator=seeded())
    parts = torch.view_as_real(x) if dtype.is_complex else x
    assert parts.min() >= 0 and parts.max() < 1
    z = torch.randn(50_000, dtype=dtype, generator=seeded())
    assert abs((z.abs().double() ** 2).mean().item() - 1) < 0.03
