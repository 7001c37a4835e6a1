"""Random numbers: PyTorch's own, bit for bit, from recorded checksums; states, errors, gradients."""

from __future__ import annotations

import copy
import math
import pickle
import zlib

import numpy as np
import pytest

import arraytorch as torch

T = torch


def checksum(tensor):
    """The CRC of the elements in logical order."""
    return zlib.crc32(np.ascontiguousarray(tensor.detach().numpy()).tobytes())


# What PyTorch 2.13 gives after manual_seed(2024), as the CRC-32 of its bytes.
RECORDED = [
    ("T.rand(1000)", 2835615544),
    ("T.rand(1000, dtype=T.float16)", 3111425664),
    ("T.rand(1000, dtype=T.bfloat16)", 2986916879),
    ("T.rand(1000, dtype=T.float64)", 3277596061),
    ("T.rand(50, dtype=T.complex64)", 1526184228),
    ("T.empty(1000).uniform_(-0.13, 0.577)", 3967007365),
    ("T.empty(1000, dtype=T.float64).uniform_(-0.13, 0.577)", 2956802900),
    ("T.empty(1000, dtype=T.bfloat16).uniform_(-0.13, 0.577)", 2948206817),
    ("T.randn(15)", 553661669),
    ("T.randn(16)", 2422860029),
    ("T.randn(17)", 2468624352),
    ("T.randn(1000)", 2255124634),
    ("T.randn(100000)", 1838622887),
    ("T.randn(1000, dtype=T.float16)", 944225516),
    ("T.randn(999, dtype=T.bfloat16)", 1965950558),
    ("T.randn(20, dtype=T.complex64)", 2632225504),
    ("T.empty(1000).normal_(0.3, 1.7)", 2805253538),
    ("T.empty(9).normal_(0.3, 1.7)", 3238592515),
    ("T.empty(30, 7).t().normal_()", 4210028143),
    ("T.empty(30, 7).t().uniform_()", 3890905973),
    ("T.rand_like(T.empty(30, 7).t())", 3890905973),
    ("T.randint(7, (1000,))", 1385622467),
    ("T.randint(-5, 250, (1000,), dtype=T.int16)", 4035255161),
    ("T.randint(0, 2**28, (1000,))", 3573390984),
    ("T.randint(-(2**40), 2**41, (1000,))", 2998392118),
    ("T.empty(1000, dtype=T.int64).random_(-(2**63), None)", 1060023126),
    ("T.empty(100, dtype=T.int64).random_()", 777003758),
    ("T.empty(100, dtype=T.int8).random_()", 1798109508),
    ("T.empty(100).random_()", 12236042),
    ("T.empty(100, dtype=T.float16).random_()", 1653011589),
    ("T.empty(100, dtype=T.bool).random_()", 3797697545),
    ("T.randperm(10)", 215222838),
    ("T.randperm(256)", 2936004263),
    ("T.randperm(60000)", 996784609),
    ("T.empty(1000).bernoulli_(0.3)", 3846379789),
    ("T.bernoulli(T.full((1000,), 0.3))", 2967148934),
    ("T.bernoulli(T.full((1000,), 0.3, dtype=T.float64))", 910169934),
    ("T.empty(1000).exponential_(1.5)", 1993144586),
    ("T.empty(1000).geometric_(0.3)", 2156798549),
    ("T.empty(1000).cauchy_(0.5, 2.0)", 694229959),
    ("T.empty(1000).log_normal_(0.5, 0.25)", 2219764553),
    ("T.multinomial(T.rand(100), 20)", 326125059),
    ("T.multinomial(T.rand(100), 1)", 1877464688),
    ("T.multinomial(T.rand(100), 200, True)", 2638401721),
    ("T.multinomial(T.rand(20, 30), 7, True)", 3016833874),
    ("T.poisson(T.rand(1000) * 40)", 1411086968),
    ("T.binomial(T.full((500,), 60.0), T.rand(500))", 2465973980),
    ("T.normal(T.rand(30), T.rand(30))", 2446377374),
    ("T.normal(T.rand(30), 2.0)", 4214654433),
    ("T.normal(0.5, T.rand(30))", 4019595009),
]


@pytest.mark.parametrize(("expression", "expected"), RECORDED)
def test_numbers_are_those_of_pytorch(expression, expected):
    """Every distribution and dtype gives PyTorch's numbers to the last bit."""
    torch.manual_seed(2024)
    assert checksum(eval(expression)) == expected


RECORDED_INITS = [
    ("xavier_uniform_(w)", 3878318128),
    ("xavier_normal_(w, 2.0)", 918723296),
    ("kaiming_uniform_(w, a=5**0.5)", 43270448),
    ("kaiming_normal_(w, mode='fan_out', nonlinearity='relu')", 68148442),
    ("trunc_normal_(w, std=0.02)", 49917119),
    ("trunc_normal_(w, 0.0, 1.0, 2.0, 3.0)", 4170084841),
    ("sparse_(w.flatten(1), 0.3)", 3349502783),
    ("dirac_(w, 2)", 2847512814),
]


@pytest.mark.parametrize(("expression", "expected"), RECORDED_INITS)
def test_initial_values_are_those_of_pytorch(expression, expected):
    """Parameters start from PyTorch's values to the last bit."""
    torch.manual_seed(2024)
    scope = {"w": torch.empty(8, 4, 3, 3), "init": torch.nn.init}
    assert checksum(eval("init." + expression, scope)) == expected


def test_float64_numbers_are_those_of_pytorch():
    """In float64 logarithm and sine may differ from PyTorch's in the last bit."""
    torch.manual_seed(2024)
    f64 = torch.float64
    got = torch.randn(20, dtype=f64)[:4].tolist()
    for fill in ("exponential_", "cauchy_", "log_normal_", "normal_"):
        got += getattr(torch.empty(3, dtype=f64), fill)().tolist()
    expected = [
        -0.7040247420378066, 1.3312587303505539, 0.6143000993844849, -0.6918590645004565,
        1.108784180149084, 0.4111084931687912, 0.9794405965492297,
        -0.41626663566938227, -0.46676211811112006, 1.5416755295234645,
        0.05962045010846241, 3.127881670028306, 8.576977701841166,
        -1.3964266182052967, 1.3639311875042512, -0.9215877772203613,
    ]  # fmt: skip
    np.testing.assert_allclose(got, expected, rtol=1e-14)


def test_calls_of_all_kinds_share_one_stream():
    """What one call leaves, half a pair of normals too, is where the next one goes on."""
    torch.manual_seed(2024)
    parts = [
        torch.rand(7), torch.randn(5), torch.randperm(9).float(), torch.randn(33),
        torch.randint(9, (3,)).float(), torch.empty(4).bernoulli_(0.5), torch.randn(2),
        torch.rand(3),
    ]  # fmt: skip
    assert checksum(torch.cat(parts)) == 882807453


# ------------------------------------------------------------------------------ seeds and states


def test_seeds():
    """Seeds have 64 bits, negative ones count from above; a Generator has a fixed first seed."""
    torch.manual_seed(-1)
    assert torch.initial_seed() == 2**64 - 1
    np.testing.assert_allclose(
        torch.rand(3).numpy(), [0.9937993884086609, 0.5713063478469849, 0.5700080394744873]
    )
    torch.manual_seed(2**40 + 5)
    np.testing.assert_allclose(
        torch.rand(3).numpy(), [0.8302518725395203, 0.12611091136932373, 0.9074696898460388]
    )
    fresh = torch.Generator()
    assert fresh.initial_seed() == 67280421310721
    np.testing.assert_allclose(
        torch.rand(3, generator=fresh).numpy(),
        [0.267295241355896, 0.8725283145904541, 0.3352888226509094],
    )
    assert torch.manual_seed(3) is torch.default_generator


@pytest.mark.parametrize(
    ("seed", "error"), [(2**64, ValueError), (-(2**63) - 1, ValueError), (1.5, RuntimeError)]
)
def test_bad_seeds(seed, error):
    """What is no 64-bit integer is no seed."""
    with pytest.raises(error):
        torch.Generator().manual_seed(seed)


def test_seed_is_not_foreseeable():
    """seed() returns the new seed, another one each time."""
    assert torch.seed() == torch.initial_seed() != torch.seed()


def test_state_has_the_layout_of_pytorch():
    """The bytes of a state, with a normal waiting, are those that PyTorch would write."""
    torch.manual_seed(2024)
    torch.randn(3)
    torch.rand(700)
    state = torch.get_rng_state()
    assert state.dtype is torch.uint8 and state.shape == (5056,)
    assert checksum(state) == 301423310
    torch.rand(1000)
    torch.set_rng_state(state)
    np.testing.assert_allclose(
        torch.rand(3).numpy(), [0.7909759879112244, 0.23233306407928467, 0.12470823526382446]
    )
    np.testing.assert_allclose(
        torch.randn(3).numpy(), [1.372166633605957, -0.9159659147262573, 0.8701872229576111]
    )


def test_bad_states():
    """What is no state is refused, and changes nothing."""
    before = torch.get_rng_state()
    with pytest.raises(TypeError, match="ByteTensor"):
        torch.set_rng_state(torch.zeros(5056))
    with pytest.raises(RuntimeError, match="of size 5056 but found"):
        torch.set_rng_state(torch.zeros(5, dtype=torch.uint8))
    with pytest.raises(RuntimeError, match="Invalid mt19937 state"):
        torch.set_rng_state(torch.zeros(5056, dtype=torch.uint8))
    assert (before.numpy() == torch.get_rng_state().numpy()).all()


@pytest.mark.parametrize(
    "twin", [copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g)), lambda g: g.clone_state()]
)
def test_generators_are_copied_with_their_state(twin):
    """A copy goes on with the same numbers, by itself."""
    g = torch.Generator().manual_seed(7)
    torch.randn(3, generator=g)
    other = twin(g)
    assert torch.randn(4, generator=other).tolist() == torch.randn(4, generator=g).tolist()
    assert other.initial_seed() == 7


def test_generators_are_independent():
    """Drawing from a generator moves no other."""
    torch.manual_seed(1)
    expected = torch.rand(2).tolist()
    torch.manual_seed(1)
    torch.rand(5, generator=torch.Generator())
    assert torch.rand(2).tolist() == expected


def test_fork_rng():
    """After the block, also after an exception in it, the stream is where it was."""
    torch.manual_seed(0)
    with pytest.raises(ZeroDivisionError), torch.random.fork_rng():
        torch.rand(5 // torch.randint(0, 1, ()).item())
    with torch.random.fork_rng(enabled=False):
        first = torch.rand(1)
    assert first.item() == pytest.approx(0.4962565899)


# ------------------------------------------------------------------------------- distributions


MOMENTS = [
    ("uniform_", (-1.0, 2.0), 0.5, 9 / 12),
    ("normal_", (3.0, 0.5), 3.0, 0.25),
    ("bernoulli_", (0.3,), 0.3, 0.21),
    ("exponential_", (2.0,), 0.5, 0.25),
    ("geometric_", (0.25,), 4.0, 12.0),
    ("log_normal_", (0.0, 0.5), math.exp(0.125), (math.exp(0.25) - 1) * math.exp(0.25)),
    ("random_", (0, 6), 2.5, 35 / 12),
]


@pytest.mark.parametrize(("fill", "arguments", "mean", "variance"), MOMENTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_moments(fill, arguments, mean, variance, dtype):
    """Mean and variance of many numbers are those of the distribution."""
    torch.manual_seed(1)
    x = getattr(torch.empty(200000, dtype=dtype), fill)(*arguments).numpy()
    assert x.mean() == pytest.approx(mean, abs=5 * (variance / x.size) ** 0.5)
    assert x.var() == pytest.approx(variance, rel=0.05)


def test_moments_of_rejection_samplers():
    """Poisson, binomial and gamma deviates have the mean and variance that they should."""
    torch.manual_seed(1)
    for rate in (0.5, 4.0, 60.0):
        x = torch.poisson(torch.full((20000,), rate)).numpy()
        assert x.mean() == pytest.approx(rate, rel=0.03) == pytest.approx(x.var(), rel=0.1)
    for n, p in ((5, 0.1), (100, 0.4), (100, 0.95)):
        x = torch.binomial(torch.full((20000,), float(n)), torch.full((20000,), p)).numpy()
        assert x.mean() == pytest.approx(n * p, rel=0.03)
        assert x.var() == pytest.approx(n * p * (1 - p), rel=0.1)
    for alpha in (0.3, 2.0, 20.0):
        x = torch.default_generator.core.standard_gamma(np.full(20000, alpha))
        assert x.mean() == pytest.approx(alpha, rel=0.04)
        assert x.var() == pytest.approx(alpha, rel=0.1)


def test_edges():
    """Probabilities 0 and 1, rates of 0, one category, and nothing at all."""
    assert torch.empty(50).bernoulli_(0).sum() == 0 and torch.empty(50).bernoulli_(1).sum() == 50
    assert torch.poisson(torch.zeros(3)).tolist() == [0, 0, 0]
    assert torch.multinomial(torch.tensor([0.0, 2.0]), 4, True).tolist() == [1, 1, 1, 1]
    assert torch.randperm(0).shape == (0,) and torch.randperm(1).tolist() == [0]
    assert torch.nn.init.zeros_(torch.empty(0, 3)).shape == (0, 3)
    assert torch.rand(0, 3).shape == (0, 3) and torch.rand(()).ndim == 0
    before = torch.get_rng_state().tolist()
    torch.randn(0)
    assert torch.get_rng_state().tolist() == before


@pytest.mark.parametrize("n", [2, 257, 1000])
def test_permutations_have_each_number_once(n):
    """Nothing is lost in the shuffle without a loop."""
    assert sorted(torch.randperm(n).tolist()) == list(range(n))


def test_multinomial_without_replacement_repeats_nothing():
    """No index comes twice, and none of weight zero comes while others are left."""
    weights = torch.tensor([[0.0, 1.0, 2.0, 3.0], [4.0, 0.0, 1.0, 1.0]])
    drawn = torch.multinomial(weights, 3)
    assert sorted(drawn[0].tolist()) == [1, 2, 3] and sorted(drawn[1].tolist()) == [0, 2, 3]


# ------------------------------------------------------------------------- arguments and results


def test_sizes_dtypes_and_out():
    """Sizes come as numbers, as a tuple or by name; out= is filled, and resized from empty."""
    assert torch.rand(2, 3).shape == torch.rand((2, 3)).shape == torch.rand(size=[2, 3]).shape
    assert torch.randint(5, (2,)).dtype is torch.int64
    assert torch.randint(low=2, high=3, size=(2,)).tolist() == [2, 2]
    assert torch.rand(2, dtype=torch.float64).dtype is torch.float64
    out = torch.empty(0)
    assert torch.randn(4, out=out) is out and out.shape == (4,)
    assert torch.rand(2, requires_grad=True).is_leaf
    assert torch.empty(3).random_(**{"from": 4, "to": 5}).tolist() == [4, 4, 4]
    assert torch.empty(3).uniform_(**{"from": 0.5}).numpy().min() >= 0.5
    assert torch.randint_like(torch.zeros(2, dtype=torch.uint8), 5).dtype is torch.uint8


BAD = [
    ("T.rand(3, dtype=T.int64)", NotImplementedError, "not implemented for 'Long'"),
    ("T.rand(-1)", RuntimeError, "negative dimension -1"),
    ("T.rand(2.5)", TypeError, "must be tuple of ints, not float"),
    ("T.rand(2, generator=5)", TypeError, "must be torch.Generator, not int"),
    ("T.empty(2).uniform_(1, 0)", RuntimeError, "found from=1 > to=0"),
    ("T.empty(2, dtype=T.float16).uniform_(0, 1e6)", RuntimeError, "to is out of bounds"),
    ("T.empty(2).normal_(0, -1)", RuntimeError, "found std -1"),
    ("T.empty(2, dtype=T.int8).normal_()", NotImplementedError, "not implemented for 'Char'"),
    ("T.empty(2).bernoulli_(1.5)", RuntimeError, "p=1.5"),
    ("T.bernoulli(T.tensor([1.5]))", RuntimeError, "p_in >= 0 && p_in <= 1"),
    ("T.empty(2).exponential_(0)", RuntimeError, "lambda > 0.0"),
    ("T.empty(2).geometric_(1)", RuntimeError, "p=1"),
    ("T.empty(2).cauchy_(0, 0)", RuntimeError, "sigma=0"),
    ("T.empty(2).log_normal_(0, 0)", RuntimeError, "std=0"),
    ("T.empty(1).expand(3).uniform_()", RuntimeError, "single memory location"),
    ("T.empty(2).random_(**{'from': 3})", TypeError, "to"),
    ("T.empty(2).uniform_(low=3)", TypeError, "unexpected keyword argument 'low'"),
    ("T.randint(5, 5, (2,))", RuntimeError, "from=5 >= to=5"),
    ("T.randint(0, 300, (2,), dtype=T.uint8)", RuntimeError, "to - 1 is out of bounds"),
    ("T.randint(0, 2**70, (2,))", ValueError, "Overflow"),
    ("T.randperm(-1)", RuntimeError, "negative dimension"),
    ("T.randperm(300, dtype=T.uint8)", RuntimeError, "uint8_t without overflow"),
    ("T.randperm(2050, dtype=T.float16)", RuntimeError, "greater than 2049"),
    ("T.multinomial(T.ones(2), 3)", RuntimeError, "without replacement"),
    ("T.multinomial(T.zeros(2), 1)", RuntimeError, "sum of probabilities <= 0"),
    ("T.multinomial(T.tensor([-1.0, 2.0]), 2, True)", RuntimeError, "entry < 0"),
    ("T.poisson(T.tensor([-1.0]))", RuntimeError, "non-negative"),
    ("T.normal(T.zeros(2), T.ones(3))", RuntimeError, "must match the size"),
    ("T.normal(0.0, 1.0)", TypeError, "size"),
    ("T.nn.init.kaiming_normal_(T.empty(3))", ValueError, "fewer than 2 dimensions"),
    ("T.nn.init.calculate_gain('foo')", ValueError, "Unsupported nonlinearity foo"),
]


@pytest.mark.parametrize(("expression", "error", "words"), BAD)
def test_bad_input(expression, error, words):
    """Bad arguments raise PyTorch's exceptions with its words."""
    with pytest.raises(error) as caught:
        eval(expression)
    assert words in str(caught.value)


# ------------------------------------------------------------------------------------ gradients


@pytest.mark.parametrize(
    "draw",
    [
        lambda x, y: torch.bernoulli(x),
        lambda x, y: torch.poisson(x),
        lambda x, y: torch.normal(x, 1.0),
        lambda x, y: torch.normal(x, x),
        lambda x, y: y.uniform_(),
        lambda x, y: y.normal_(),
        lambda x, y: y.bernoulli_(0.5),
    ],
)
def test_gradients_are_zero(draw):
    """Random results are on the tape, but do not depend on what they were made from."""
    x = torch.rand(3, requires_grad=True)
    result = draw(x, x * 2)
    assert result.requires_grad
    result.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0]


def test_filling_a_view_forgets_only_that_part():
    """The rest of the tensor keeps its gradient."""
    x = torch.rand(4, requires_grad=True)
    y = x * 2
    y[:2].uniform_()
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 2.0, 2.0]


def test_leaves_are_filled_without_recording_only():
    """A leaf that requires gradients is filled under no_grad, and stays a leaf."""
    x = torch.zeros(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        x.uniform_()
    torch.nn.init.uniform_(x, 1, 2)
    assert x.is_leaf and x.requires_grad and x.min() >= 1


def test_filling_makes_saved_values_stale():
    """backward() after a fill of a saved tensor says so instead of using the new numbers."""
    x = torch.rand(3, requires_grad=True)
    y = torch.rand(3)
    z = (x * y).sum()
    y.uniform_()
    with pytest.raises(RuntimeError):
        z.backward()


# ---------------------------------------------------------------------------------------- init


def test_gains():
    """Gains of the nonlinearities."""
    gain = torch.nn.init.calculate_gain
    assert [gain(n) for n in ("linear", "tanh", "relu", "selu")] == [1, 5 / 3, math.sqrt(2), 0.75]
    assert gain("leaky_relu", 0.2) == pytest.approx(1.3867504905630728)


def test_simple_initializers():
    """Constants, identity and Dirac weights."""
    init = torch.nn.init
    assert init.constant_(torch.empty(2), 0.25).tolist() == [0.25, 0.25]
    assert init.ones_(torch.empty(1)).item() == 1 and init.zeros_(torch.empty(1)).item() == 0
    assert init.eye_(torch.empty(2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]
    with pytest.warns(UserWarning, match="zero-element"):
        init.kaiming_uniform_(torch.empty(0, 3))
    with pytest.warns(FutureWarning, match="deprecated in favor of `nn.init.uniform_`"):
        init.uniform(torch.empty(2))


def test_orthogonal_is_that_of_pytorch():
    """Rows are orthonormal, and equal PyTorch's to rounding."""
    torch.manual_seed(2024)
    w = torch.nn.init.orthogonal_(torch.empty(3, 4)).numpy()
    expected = [
        [-0.01719808578491211, 0.7342198491096497, -0.3462839722633362, 0.5837060213088989],
        [0.42268070578575134, -0.5804620981216431, -0.5637586712837219, 0.4081430733203888],
        [-0.3208328187465668, -0.29457300901412964, 0.568204939365387, 0.6981663107872009],
    ]
    np.testing.assert_allclose(w, expected, atol=2e-6)
    tall = torch.nn.init.orthogonal_(torch.empty(6, 2, 1), gain=2.0).flatten(1).numpy()
    np.testing.assert_allclose(tall.T @ tall, 4 * np.eye(2), atol=1e-5)


def test_draws_of_expanded_probabilities():
    """They fill the result row after row, though the probabilities lie in one place."""
    torch.manual_seed(0)
    found = torch.bernoulli(torch.tensor([0.2, 0.7]).expand(3, 2))
    assert found.tolist() == [[0.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    torch.manual_seed(0)
    weights = torch.tensor([0.2, 0.7, 0.4]).expand(4, 3)
    assert torch.multinomial(weights, 1).flatten().tolist() == [2, 1, 1, 2]


def test_bernoulli_fills_in_the_order_of_rows():
    """Whatever the order of the probabilities in memory; checked against PyTorch."""
    torch.manual_seed(0)
    found = torch.bernoulli(torch.full((3, 2), 0.5).t())
    assert found.is_contiguous() and found.tolist() == [[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]
