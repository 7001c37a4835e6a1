"""Transforms: inverses, Jacobians, caches, and what is composed of them."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from families import D, double

import arraytorch as torch
from arraytorch.autograd.functional import jacobian

T, C = D.transforms, D.constraints

# name: the transform, and a point of its domain
BIJECTIONS = {
    "exp": (T.ExpTransform(), [0.3, -1.2]),
    "power": (T.PowerTransform(double(2.5)), [0.3, 1.2]),
    "negative power": (T.PowerTransform(double(-0.7)), [0.3, 1.2]),
    "sigmoid": (T.SigmoidTransform(), [0.3, -1.2]),
    "softplus": (T.SoftplusTransform(), [0.3, -1.2]),
    "tanh": (T.TanhTransform(), [0.3, -1.2]),
    "affine": (T.AffineTransform(1.0, -2.0), [0.3, -1.2]),
    "affine by tensors": (T.AffineTransform(double([1.0, 2.0]), double([-2.0, 0.5])), [0.3, -1.2]),
    "affine of vectors": (T.AffineTransform(1.0, double(-2.0), event_dim=1), [0.3, -1.2]),
    "cumulative": (T.CumulativeDistributionTransform(D.Normal(double(0.2), 1.5)), [0.3, -1.2]),
    "stick breaking": (T.StickBreakingTransform(), [0.3, -1.2, 2.0]),
    "correlations": (T.CorrCholeskyTransform(), [0.3, -1.2, 0.5]),
    "reshape": (T.ReshapeTransform((2, 2), (4,)), [[0.3, -1.2], [0.5, 2.0]]),
    "independent": (T.IndependentTransform(T.ExpTransform(), 1), [0.3, -1.2]),
    "composed": (
        T.ComposeTransform([T.ExpTransform(), T.AffineTransform(1.0, 2.0), T.ExpTransform().inv]),
        [0.3, -1.2]),
    "composed of vectors": (
        T.ComposeTransform([T.AffineTransform(0.5, 2.0), T.StickBreakingTransform()]), [0.3, -1.2]),
    "cat": (T.CatTransform([T.ExpTransform(), T.TanhTransform()], -1, [1, 2]), [0.3, -1.2, 0.5]),
    "stack": (T.StackTransform([T.ExpTransform(), T.TanhTransform()], -1), [0.3, -1.2]),
    "inverse": (T.SigmoidTransform().inv, [0.3, 0.6]),
}  # fmt: skip
each = pytest.mark.parametrize("name", BIJECTIONS)


def at(name):
    """A transform, its point and what it makes of it."""
    transform, point = BIJECTIONS[name]
    x = double(point)
    return transform, x, transform(x)


@each
def test_inverse(name):
    """The inverse leads back, and its inverse is the transform."""
    transform, x, y = at(name)
    assert transform.bijective
    assert torch.allclose(transform.inv(y), x)
    assert transform.inv.inv == transform
    assert transform.domain.check(x).all() and transform.codomain.check(y).all()


@each
def test_log_abs_det_jacobian(name):
    """It is the logarithm of the determinant that autograd's Jacobian has, of each event."""
    transform, x, y = at(name)
    J = jacobian(transform, x).detach().numpy()
    found = transform.log_abs_det_jacobian(x, y)
    if name != "stack":  # whose domain counts the stacked dimension to the event; its Jacobian not
        assert found.shape == x.shape[: x.dim() - transform.domain.event_dim]
    if name == "stick breaking" or name == "composed of vectors":
        J = J[:-1]  # the last share follows from the others
    if name == "correlations":
        J = J[[1, 2, 2], [0, 0, 1]]
    J = J.reshape(x.numel(), -1)
    wanted = np.linalg.slogdet(J)[1]
    assert found.sum().item() == pytest.approx(wanted, abs=1e-9)
    assert torch.allclose(transform.inv.log_abs_det_jacobian(y, x), -found)


@each
def test_shapes(name):
    """The shapes of values are told without values, also of batches."""
    transform, x, y = at(name)
    assert transform.forward_shape(x.shape) == y.shape
    assert transform.inverse_shape(y.shape) == x.shape
    if name not in ("affine by tensors", "reshape"):
        many = torch.stack([x, x])
        assert transform(many).shape == transform.forward_shape(many.shape)


@each
def test_cache(name):
    """With a cache, the inverse of a result is the very argument."""
    transform, x, _ = at(name)
    cached = transform.with_cache()
    assert cached.inv(cached(x)) is x or name in ("cat", "stack", "composed")
    assert cached.with_cache() is cached
    assert torch.equal(cached.with_cache(0)(x), transform(x))


@each
def test_copies(name):
    """Transforms can be copied and pickled."""
    transform, x, y = at(name)
    assert torch.equal(copy.deepcopy(transform)(x), y)
    assert torch.equal(pickle.loads(pickle.dumps(transform))(x), y)


@pytest.mark.parametrize(
    ("transform", "sign"),
    [
        (T.ExpTransform(), 1),
        (T.AffineTransform(0.0, -3.0), -1),
        (T.PowerTransform(double(-1.0)), -1),
        (T.ComposeTransform([T.AffineTransform(0.0, -3.0), T.ExpTransform()]), -1),
        (T.TanhTransform().inv, 1),
    ],
)
def test_sign(transform, sign):
    """It tells whether a function rises."""
    assert transform.sign == sign


def test_transforms_that_are_not_bijective():
    """They have a right inverse, and no Jacobian."""
    x = double([[0.3, -1.2], [2.0, 0.5]])
    for transform in (
        T.SoftmaxTransform(),
        T.LowerCholeskyTransform(),
        T.PositiveDefiniteTransform(),
        T.AbsTransform(),
    ):
        y = transform(x)
        assert not transform.bijective and transform.codomain.check(y).all()
        assert torch.allclose(transform(transform.inv(y)), y)
        with pytest.raises(NotImplementedError):
            transform.log_abs_det_jacobian(x, y)
        with pytest.raises(NotImplementedError):
            _ = transform.sign


def test_equality():
    """Transforms are equal if they do the same, as far as one can see; they have no hash."""
    assert T.ExpTransform() == T.ExpTransform() and T.ExpTransform() != T.TanhTransform()
    assert T.AffineTransform(1, 2) == T.AffineTransform(1.0, 2.0) != T.AffineTransform(1, 3)
    assert T.PowerTransform(double(2.0)) == T.PowerTransform(double(2.0))
    assert T.PowerTransform(double(2.0)).inv != T.PowerTransform(double(2.0))
    assert T.ComposeTransform([]) == T.identity_transform
    assert T.CorrCholeskyTransform() != T.CorrCholeskyTransform()  # as in PyTorch
    with pytest.raises(TypeError, match="unhashable"):
        hash(T.ExpTransform())


def test_composition_knows_its_events():
    """Domain and codomain have as many dimensions of events as any part needs."""
    chain = T.ComposeTransform([T.ExpTransform(), T.StickBreakingTransform()])
    assert repr(chain.domain) == "IndependentConstraint(Real(), 1)"
    assert repr(chain.codomain) == "Simplex()" and chain.event_dim == 1
    with pytest.raises(ValueError, match="Please use either .domain.event_dim"):
        _ = T.ReshapeTransform((2, 2), (4,)).event_dim
    assert repr(chain) == "ComposeTransform(\n    ExpTransform(),\n    StickBreakingTransform()\n)"
    assert repr(chain.inv.parts[1]) == "_InverseTransform(ExpTransform())"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: T.ExpTransform(cache_size=2), ValueError, "cache_size must be 0 or 1"),
        (lambda: T.ReshapeTransform((2, 3), (5,)), ValueError, "different numbers of elements"),
        (lambda: T.ReshapeTransform((2, 3), (6,)).forward_shape((3,)), ValueError, "Too few dimensions"),
        (lambda: T.ReshapeTransform((2, 3), (6,)).forward_shape((3, 2, 2)), ValueError,
         r"Shape mismatch: expected \(2, 2\) but got torch.Size\(\[2, 3\]\)"),
        (lambda: T.SoftmaxTransform().forward_shape(()), ValueError, "Too few dimensions on input"),
        (lambda: T.CorrCholeskyTransform().forward_shape((4,)), ValueError, "not a flattened lower"),
        (lambda: T.CorrCholeskyTransform().inverse_shape((3, 2)), ValueError, "Input is not square"),
        (lambda: T.IndependentTransform(T.ExpTransform(), 1)(double(1.0)), ValueError, "Too few"),
        (lambda: T.CatTransform([T.ExpTransform(), 3]), AssertionError, "All elements of tseq"),
        (lambda: T.CatTransform([T.ExpTransform()], 0, [2])(double([0.0])), AssertionError,
         r"x.size\(0\) = 1 must equal length 2"),
        (lambda: T.StackTransform([T.ExpTransform()])(torch.zeros(3)), AssertionError,
         r"x.size\(0\) = 3 must equal len\(transforms\) 1"),
    ],
)  # fmt: skip
def test_errors(call, error, words):
    """PyTorch's classes and words."""
    with pytest.raises(error, match=words):
        call()


def test_transformed_distributions():
    """Shapes grow by the transforms' own, and a falling one exchanges the ends of probabilities."""
    falling = D.TransformedDistribution(
        D.Uniform(double(0.0), 1.0), [T.AffineTransform(double([1.0, 2.0]), -2.0)]
    )
    assert falling.batch_shape == (2,) and falling.sample((3,)).shape == (3, 2)
    assert falling.cdf(double([0.5, 0.5])).tolist() == [0.75, 0.25]
    assert falling.icdf(double(0.75)).tolist() == [0.5, 1.5]
    simplex = D.TransformedDistribution(
        D.Normal(double([0.0, 1.0]), 1.0), T.StickBreakingTransform()
    )
    assert simplex.event_shape == (3,) and simplex.batch_shape == ()
    assert isinstance(simplex.base_dist, D.Independent) and simplex.support == C.simplex
    with pytest.raises(ValueError, match="needs to have shape with size at least 1"):
        D.TransformedDistribution(D.Normal(0.0, 1.0), T.StickBreakingTransform())
    with pytest.raises(ValueError, match="transforms must be a Transform or list, but was 3"):
        D.TransformedDistribution(D.Normal(0.0, 1.0), 3)
    with pytest.raises(ValueError, match="transforms must be a Transform or a list of Transforms"):
        D.TransformedDistribution(D.Normal(0.0, 1.0), [3])
