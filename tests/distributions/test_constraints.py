"""Constraints, the registries that map real numbers into them, and validation."""

from __future__ import annotations

import pytest
from families import EXAMPLES, D, double

import arraytorch as torch
from arraytorch.distributions import utils

C = D.constraints
t = torch.tensor

INSIDE_AND_OUT = {
    "boolean": (C.boolean, [0.0, 1.0], [0.5, 2.0]),
    "one_hot": (C.one_hot, [[0.0, 1.0]], [[1.0, 1.0], [0.0, 0.0], [0.5, 0.5]]),
    "nonnegative_integer": (C.nonnegative_integer, [0.0, 3.0], [-1.0, 0.5]),
    "positive_integer": (C.positive_integer, [1.0], [0.0, 1.5]),
    "integer_interval": (C.integer_interval(-1, 2), [-1.0, 2.0], [-2.0, 0.5, 3.0]),
    "real": (C.real, [0.0, float("inf")], [float("nan")]),
    "real_vector": (C.real_vector, [[0.0, 1.0]], [[0.0, float("nan")]]),
    "positive": (C.positive, [0.1], [0.0, -1.0]),
    "nonnegative": (C.nonnegative, [0.0], [-0.1]),
    "less_than": (C.less_than(1.0), [0.9], [1.0]),
    "unit_interval": (C.unit_interval, [0.0, 1.0], [-0.1, 1.1]),
    "half_open_interval": (C.half_open_interval(0.0, 1.0), [0.0], [1.0]),
    "simplex": (C.simplex, [[0.3, 0.7]], [[0.3, 0.6], [-0.3, 1.3]]),
    "multinomial": (C.multinomial(3), [[1.0, 2.0]], [[2.0, 2.0], [-1.0, 2.0]]),
    "lower_triangular": (C.lower_triangular, [[[1.0, 0.0], [2.0, -1.0]]], [[[1.0, 1.0], [0.0, 1.0]]]),
    "lower_cholesky": (C.lower_cholesky, [[[1.0, 0.0], [2.0, 1.0]]], [[[1.0, 0.0], [2.0, -1.0]]]),
    "corr_cholesky": (C.corr_cholesky, [[[1.0, 0.0], [0.6, 0.8]]], [[[1.0, 0.0], [0.6, 0.9]]]),
    "square": (C.square, [[[1.0, 2.0], [3.0, 4.0]]], []),
    "symmetric": (C.symmetric, [[[1.0, 2.0], [2.0, 4.0]]], [[[1.0, 2.0], [3.0, 4.0]]]),
    "positive_semidefinite": (
        C.positive_semidefinite, [[[1.0, 0.0], [0.0, 0.0]]], [[[1.0, 0.0], [0.0, -1.0]]]),
    "positive_definite": (
        C.positive_definite, [[[1.0, 0.5], [0.5, 1.0]]], [[[1.0, 2.0], [2.0, 1.0]]]),
    "cat": (C.cat([C.positive, C.real], -1), [[1.0, -1.0]], []),
    "independent": (C.independent(C.positive, 1), [[1.0, 2.0]], [[1.0, -1.0]]),
}  # fmt: skip


@pytest.mark.parametrize("name", INSIDE_AND_OUT)
def test_check(name):
    """Each event is told to be in or out, one by one."""
    constraint, inside, outside = INSIDE_AND_OUT[name]
    assert constraint.check(double(inside)).all()
    if outside:
        assert not constraint.check(double(outside)).any()


def test_parts():
    """Constraints of parts give an answer for each part."""
    x = t([[1.0, -1.0], [-1.0, -1.0]])
    assert C.stack([C.positive, C.real], 0).check(x).tolist() == [[True, False], [True, True]]
    assert C.cat([C.positive, C.real], 1).check(x).tolist() == [[True, True], [False, True]]
    assert C.stack([C.boolean, C.real]).is_discrete and not C.cat([C.real]).is_discrete
    assert C.square.check(torch.zeros(3, 2, 4)).tolist() == [False] * 3


def test_looks():
    """Constraints are shown by PyTorch's names, with their bounds."""
    assert repr(C.greater_than(t(2.0))) == "GreaterThan(lower_bound=2.0)"
    assert repr(C.interval(t([0.0, 1.0]), 3)) == (
        "Interval(lower_bound=tensor([0., 1.]), upper_bound=3)"
    )
    assert repr(C.real_vector) == "IndependentConstraint(Real(), 1)"
    assert repr(D.Uniform.support) == "DependentProperty()" and D.Uniform.support.event_dim == 0


def test_dependent():
    """What depends on parameters cannot be checked, and may say how it is."""
    with pytest.raises(ValueError, match="Cannot determine validity of dependent constraint"):
        C.dependent.check(1)
    with pytest.raises(NotImplementedError, match=".event_dim cannot be determined statically"):
        _ = C.dependent.event_dim
    assert C.dependent(is_discrete=True, event_dim=2).event_dim == 2
    assert C.dependent(event_dim=2)(is_discrete=True).event_dim == 2
    assert C.is_dependent(D.Uniform.support) and not C.is_dependent(C.real)
    with pytest.raises(ValueError, match=r"Expected value.dim\(\) >= 1 but got 0"):
        C.real_vector.check(t(1.0))


BIJECTED = [C.real, C.positive, C.nonnegative, C.less_than(2.0), C.interval(-1.0, 3.0),
            C.unit_interval, C.half_open_interval(0.0, 2.0), C.real_vector, C.simplex,
            C.cat([C.positive, C.less_than(0.0), C.real], -1),
            C.stack([C.positive, C.less_than(0.0), C.real], -1), C.corr_cholesky]  # fmt: skip


@pytest.mark.parametrize("constraint", BIJECTED, ids=repr)
def test_biject_to(constraint):
    """Real numbers are taken into the constraint, and back."""
    x = double([0.3, -1.2, 0.7])
    for registry in (D.biject_to, D.transform_to):
        transform = registry(constraint)
        y = transform(x)
        assert constraint.check(y).all()
        assert torch.allclose(transform(transform.inv(y)), y)
    assert D.biject_to(constraint).bijective
    assert torch.allclose(D.biject_to(constraint).inv(D.biject_to(constraint)(x)), x)


@pytest.mark.parametrize(
    "constraint", [C.lower_cholesky, C.positive_definite, C.positive_semidefinite], ids=repr
)
def test_transform_to_matrices(constraint):
    """Matrices are reached without a bijection, which is said."""
    x = double([[0.3, -1.2], [0.7, 2.0]])
    assert constraint.check(D.transform_to(constraint)(x)).all()
    with pytest.raises(NotImplementedError, match="Cannot transform .* constraints"):
        D.biject_to(constraint)


def test_registering():
    """Classes of constraints are entered, and nothing else."""
    with pytest.raises(TypeError, match="Expected constraint to be either a Constraint subclass"):
        D.biject_to.register(3, lambda c: c)


# -------------------------------------------------------------------------------- validation


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: D.Normal(t(0.0), t(-1.0)), ValueError,
         r"Expected parameter scale \(Tensor of shape \(\)\) of distribution Normal\(loc: 0.0, "
         r"scale: -1.0\) to satisfy the constraint GreaterThan\(lower_bound=0.0\), but found "
         r"invalid values:\n-1.0"),
        (lambda: D.Normal(0.0, 1.0).log_prob(1.0), ValueError,
         "The value argument to log_prob must be a Tensor"),
        (lambda: D.Normal(t([0.0, 1.0]), 1.0).log_prob(torch.zeros(3)), ValueError,
         r"Value is not broadcastable with batch_shape\+event_shape: torch.Size\(\[3\]\) vs "
         r"torch.Size\(\[2\]\)."),
        (lambda: D.Dirichlet(torch.ones(2)).log_prob(torch.ones(3) / 3), ValueError,
         r"The right-most size of value must match event_shape: torch.Size\(\[3\]\) vs"),
        (lambda: D.Bernoulli(0.5).log_prob(t(0.5)), ValueError,
         r"Expected value argument \(Tensor of shape \(\)\) to be within the support "
         r"\(Boolean\(\)\) of the distribution Bernoulli\(probs: 0.5\), but found invalid values"),
        (lambda: D.Normal("a", 1.0), ValueError, "Input arguments must all be instances of Number"),
        (lambda: D.Bernoulli(), ValueError, "Either `probs` or `logits` must be specified, but not"),
        (lambda: D.Categorical(t(1.0)), ValueError, "`probs` parameter must be at least one-dim"),
        (lambda: D.Uniform(1.0, 0.0), ValueError, r"LessThan\(upper_bound=0.0\)"),
        (lambda: D.Geometric(0.0), ValueError, "to be positive but found invalid values"),
        (lambda: D.Multinomial(t([1, 2]), torch.ones(2)), NotImplementedError, "inhomogeneous"),
        (lambda: D.MultivariateNormal(torch.zeros(2)), ValueError, "Exactly one of covariance_mat"),
        (lambda: D.MultivariateNormal(torch.zeros(2), t(1.0)), ValueError,
         "covariance_matrix must be at least two-dimensional"),
        (lambda: D.MultivariateNormal(torch.zeros(2), -torch.eye(2)), ValueError,
         r"PositiveDefinite\(\)"),
        (lambda: D.LowRankMultivariateNormal(torch.zeros(2), torch.ones(3, 1), torch.ones(2)),
         ValueError, "cov_factor must be a batch of matrices with shape 2 x m"),
        (lambda: D.Wishart(t(1.0), torch.eye(2)), ValueError,
         "Value of df=1.0 expected to be greater than ndim - 1 = 1"),
        (lambda: D.LKJCholesky(1), ValueError, "Expected dim to be an integer greater than or eq"),
        (lambda: D.Independent(D.Normal(0.0, 1.0), 1), ValueError, "actual 1 vs 0"),
        (lambda: D.MixtureSameFamily(D.Normal(0.0, 1.0), D.Normal(0.0, 1.0)), ValueError,
         "The Mixture distribution needs to be an  instance of"),
        (lambda: D.MixtureSameFamily(D.Categorical(torch.ones(3)), D.Normal(torch.ones(4, 2), 1.0)),
         ValueError, r"`mixture_distribution component` \(3\) does not equal"),
        (lambda: D.Independent(D.Bernoulli(torch.ones(2) / 2), 1).enumerate_support(),
         NotImplementedError, "Enumeration over cartesian product is not implemented"),
        (lambda: D.Bernoulli(0.5).rsample(), NotImplementedError, "^$"),
        (lambda: D.ContinuousBernoulli(1.5, validate_args=True), ValueError,
         "The parameter probs has invalid values"),
        (lambda: D.Distribution.set_default_validate_args(3), ValueError, "^$"),
    ],
)  # fmt: skip
def test_errors(call, error, words):
    """PyTorch's classes and words."""
    with pytest.raises(error, match=words):
        call()


def test_validation_can_be_switched_off():
    """For one distribution, or for all."""
    assert D.Normal(0.0, -1.0, validate_args=False).scale == -1.0
    assert D.Normal(0.0, 1.0, validate_args=False).log_prob(0.0).item() == pytest.approx(-0.9189385)
    D.Distribution.set_default_validate_args(False)
    try:
        D.Normal(0.0, -1.0)
    finally:
        D.Distribution.set_default_validate_args(True)


class Unsaid(D.Distribution):
    """A family that says neither parameters nor support."""

    def log_prob(self, value):
        self._validate_sample(value)
        return value


class Shifted(D.Normal):
    """A family with an ``__init__`` of its own."""

    def __init__(self, by):
        super().__init__(by, 1.0)


def test_families_of_users():
    """What a family leaves out is warned of, or raises."""
    with pytest.warns(UserWarning, match="does not define `arg_constraints`"):
        family = Unsaid()
    with pytest.warns(UserWarning, match="does not define `support`"):
        family.log_prob(t(1.0))
    with pytest.raises(
        NotImplementedError, match="Subclass Shifted of Normal that defines a custom"
    ):
        Shifted(t(0.0)).expand((2,))
    for name in ("mean", "variance", "stddev", "support"):
        with pytest.raises(NotImplementedError):
            getattr(family, name)
    with pytest.raises(NotImplementedError, match="does not implement mode"):
        _ = family.mode


@pytest.mark.parametrize(
    "name", ["Bernoulli", "Beta", "Independent", "MixtureSameFamily", "Wishart"]
)
def test_looks_of_distributions(name):
    """A distribution shows what it was given."""
    wanted = {
        "Bernoulli": "Bernoulli(probs: torch.Size([2]))",
        "Beta": "Beta()",
        "Independent": "Independent(Normal(loc: torch.Size([2, 2]), scale: torch.Size([2, 2])), 1)",
        "MixtureSameFamily": "MixtureSameFamily(\n  Categorical(probs: torch.Size([2]), logits: "
        "torch.Size([2])),\n  Normal(loc: torch.Size([2]), scale: torch.Size([2])))",
        "Wishart": "Wishart(covariance_matrix: torch.Size([2, 2]), df: 4.0)",
    }
    assert repr(EXAMPLES[name](t, D)) == wanted[name]


def test_sample_n():
    """The deprecated way to ask for draws warns."""
    with pytest.warns(FutureWarning, match="will be deprecated"):
        assert D.Normal(0.0, 1.0).sample_n(3).shape == (3,)


def test_lazy_parameters_have_gradients():
    """What is computed of a parameter when first asked for keeps its history, also in `no_grad`."""
    logits = torch.zeros(2, requires_grad=True)
    coins = D.Bernoulli(logits=logits)
    with torch.no_grad():
        coins.sample()
    assert coins.probs.requires_grad and coins.probs is coins.probs


def test_triangles():
    """Vectors of the elements below a diagonal, and matrices of them."""
    matrix = torch.arange(9.0).reshape(3, 3)
    for diagonal in (-1, 0, 1):
        vector = utils.tril_matrix_to_vec(matrix, diagonal)
        assert torch.equal(utils.vec_to_tril_matrix(vector, diagonal), matrix.tril(diagonal))
    with pytest.raises(ValueError, match="provided is outside"):
        utils.tril_matrix_to_vec(matrix, 3)
