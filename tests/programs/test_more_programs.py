"""More libraries that nobody wrote for arraytorch: graphs, probability, flows, attribution, metrics.

Each program returns some numbers, which are compared with those of PyTorch 2.13 from the same seed. The
libraries come from the files of requirements here, but for some that need packages of many megabytes
(captum, nflows, pytorch-metric-learning); a program is skipped without its own.
"""

from __future__ import annotations

import importlib
import importlib.util
import random
from collections.abc import Callable

import numpy as np
import pytest

import arraytorch as torch
from arraytorch import nn

F = nn.functional
pytestmark = pytest.mark.filterwarnings("ignore")
PROGRAMS: list[tuple[Callable[[], list[float]], str, list[float]]] = []


def program(library: str, *expected: float):
    """Enters a program in the list: the library it needs, and its results in PyTorch."""

    def enter(function):
        PROGRAMS.append((function, library, list(expected)))
        return function

    return enter


def train(model, loss_of, optimizer=None, steps=3):
    """Returns the losses of some steps, and the sum of the norms of the first gradients."""
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=1e-2)
    results = []
    for step in range(steps):
        loss = loss_of()
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            grads = [p.grad for p in model.parameters() if p.grad is not None]
            norms = sum(g.double().norm().item() for g in grads)
        optimizer.step()
        results.append(loss.item())
    return [*results, norms]


def norms(*tensors):
    return [t.detach().double().norm().item() for t in tensors]


# --------------------------------------------------------------------------------------- graphs


def graph():
    from torch_geometric.data import Data

    x, edges = torch.randn(20, 8), torch.randint(0, 20, (2, 60))
    return Data(x=x, edge_index=edges, y=torch.randint(0, 3, (20,)))


@program(
    "torch_geometric",
    1.153387, 0.7302875, 1.095265, 0.9276181, 1.063665, 0.6843188, 1.069034, 1.183408,
    1.022795, 0.9483303,
)  # fmt: skip
def graph_convolutions():
    import torch_geometric.nn as G

    results = []
    for kind in (G.GCNConv, G.GATv2Conv, G.SAGEConv, G.TransformerConv, G.GENConv):
        torch.manual_seed(0)
        g, layer, head = graph(), kind(8, 16), nn.Linear(16, 3)
        model = nn.ModuleList([layer, head])
        logits = lambda: head(layer(g.x, g.edge_index).relu())  # noqa: B023
        results += train(model, lambda: F.cross_entropy(logits(), g.y))[1::2]  # noqa: B023
    return results


@program(
    "torch_geometric",
    1.043071, 8.96946,
)  # fmt: skip
def batches_of_graphs():
    import torch_geometric.nn as G
    from torch_geometric.loader import DataLoader

    graphs = [graph() for _ in range(4)]
    for i, g in enumerate(graphs):
        g.y = torch.tensor([i % 2])
    mlp = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 16))
    layer, head, results = G.GINConv(mlp), nn.Linear(16, 2), []
    optimizer = torch.optim.SGD([*layer.parameters(), *head.parameters()], 1e-2)
    for batch in DataLoader(graphs, batch_size=2, shuffle=True):
        pooled = G.global_add_pool(layer(batch.x, batch.edge_index), batch.batch)
        loss = F.cross_entropy(head(pooled), batch.y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        results.append(loss.item())
    return results


# ---------------------------------------------------------------------------------- probability


@program(
    "pyro",
    89.49464, 100.2936, 70.92474, 14.5262, 86.35862, 85.73808, 74.97591, 24.94574,
)  # fmt: skip
def variational_inference():
    """SVI with guides made by themselves, and samples of the posterior."""
    import pyro
    import pyro.distributions as dist
    from pyro.infer import SVI, Predictive, Trace_ELBO
    from pyro.infer.autoguide import AutoMultivariateNormal, AutoNormal

    def model(x, y=None):
        w = pyro.sample("w", dist.Normal(torch.zeros(3), 1.0).to_event(1))
        scale = pyro.sample("scale", dist.HalfCauchy(1.0))
        with pyro.plate("data", x.shape[0]):
            return pyro.sample("y", dist.Normal(x @ w, scale), obs=y)

    results = []
    for kind in (AutoNormal, AutoMultivariateNormal):
        pyro.set_rng_seed(0)
        pyro.clear_param_store()
        x = torch.randn(30, 3)
        y = x.sum(1) + 0.1 * torch.randn(30)
        guide = kind(model)
        svi = SVI(model, guide, pyro.optim.ClippedAdam({"lr": 0.02}), Trace_ELBO())
        results += [svi.step(x, y) for _ in range(3)]
        results += norms(Predictive(model, guide=guide, num_samples=5)(x)["y"])
    return results


@program(
    "pyro",
    -1.445132, -1.445132, -1.445132, -1.445132, -1.445132, 0.3566287, 0.3566287,
    0.3566287, 0.3566287, 0.3566287,
)  # fmt: skip
def hamiltonian_monte_carlo():
    import pyro
    import pyro.distributions as dist
    from pyro.infer import MCMC, NUTS

    def model(y):
        mean = pyro.sample("mean", dist.Normal(0.0, 2.0))
        scale = pyro.sample("scale", dist.LogNormal(0.0, 1.0))
        with pyro.plate("data", len(y)):
            pyro.sample("y", dist.Normal(mean, scale), obs=y)

    pyro.set_rng_seed(0)
    y = torch.randn(20) + 1
    kernel = NUTS(model, step_size=0.2, adapt_step_size=False, max_tree_depth=4)
    chain = MCMC(kernel, num_samples=5, warmup_steps=2, disable_progbar=True)
    chain.run(y)
    samples = chain.get_samples()
    return [*samples["mean"].tolist(), *samples["scale"].tolist()]


@program(
    "pyro",
    100.1863, 95.92966, 91.76263, 87.72107,
)  # fmt: skip
def enumerated_mixture():
    import pyro
    import pyro.distributions as dist
    from pyro.infer import SVI, TraceEnum_ELBO, config_enumerate
    from pyro.infer.autoguide import AutoDelta

    @config_enumerate
    def model(y):
        weights = pyro.sample("weights", dist.Dirichlet(torch.ones(2)))
        with pyro.plate("parts", 2):
            means = pyro.sample("means", dist.Normal(0.0, 5.0))
        with pyro.plate("data", len(y)):
            part = pyro.sample("part", dist.Categorical(weights))
            pyro.sample("y", dist.Normal(means[part], 1.0), obs=y)

    pyro.set_rng_seed(0)
    pyro.clear_param_store()
    y = torch.cat([torch.randn(10) - 3, torch.randn(10) + 3])
    guide = AutoDelta(pyro.poutine.block(model, expose=["weights", "means"]))
    svi = SVI(model, guide, pyro.optim.Adam({"lr": 0.1}), TraceEnum_ELBO(max_plate_nesting=1))
    return [svi.step(y) for _ in range(4)]


@program(
    "gpytorch",
    1.043432, 1.039836, 1.036242, 0.3589375, 1.059519, 1.054908, 1.050355, 0.4639161,
    1.047345, 1.04371, 1.040093, 0.3644199, 2.478315, 1.687502,
)  # fmt: skip
def gaussian_processes():
    """Exact ones with several kernels, and predictions of the last."""
    import gpytorch
    from gpytorch import kernels as K

    class Process(gpytorch.models.ExactGP):
        def __init__(self, x, y, likelihood, kernel):
            super().__init__(x, y, likelihood)
            self.mean, self.kernel = gpytorch.means.ConstantMean(), kernel

        def forward(self, x):
            return gpytorch.distributions.MultivariateNormal(self.mean(x), self.kernel(x))

    results = []
    x = torch.rand(15, 2)
    y = (3 * x).sin().sum(-1)
    for kernel in (K.RBFKernel(ard_num_dims=2), K.ScaleKernel(K.MaternKernel(2.5)), K.RQKernel()):
        likelihood = gpytorch.likelihoods.GaussianLikelihood()
        model = Process(x, y, likelihood, kernel)
        mll = gpytorch.mlls.ExactMarginalLogLikelihood(likelihood, model)
        results += train(model, lambda: -mll(model(x), y))  # noqa: B023
    model.eval(), likelihood.eval()
    with torch.no_grad():
        predicted = likelihood(model(torch.rand(4, 2)))
    return [*results, *norms(predicted.mean, predicted.variance)]


@program(
    "gpytorch",
    1.598423, 1.575032, 1.552638, 1.531206, 1.955425,
)  # fmt: skip
def variational_gaussian_process():
    import gpytorch
    from gpytorch import variational as V

    class Process(gpytorch.models.ApproximateGP):
        def __init__(self, points):
            chosen = V.CholeskyVariationalDistribution(len(points))
            super().__init__(V.VariationalStrategy(self, points, chosen))
            self.mean = gpytorch.means.ConstantMean()
            self.kernel = gpytorch.kernels.ScaleKernel(gpytorch.kernels.RBFKernel())

        def forward(self, x):
            return gpytorch.distributions.MultivariateNormal(self.mean(x), self.kernel(x))

    x = torch.rand(30, 1)
    y = (6 * x).sin().squeeze()
    model, likelihood = Process(x[:6].clone()), gpytorch.likelihoods.GaussianLikelihood()
    mll = gpytorch.mlls.VariationalELBO(likelihood, model, 30)
    return train(nn.ModuleList([model, likelihood]), lambda: -mll(model(x), y), steps=4)


@program(
    "zuko",
    2.553376, 22.44114, 2.510215, 2.426615, 11.725, 2.161693, 2.779278, 10.17841, 2.399655,
)  # fmt: skip
def conditional_flows():
    import zuko

    results = []
    for kind in (zuko.flows.NSF, zuko.flows.MAF, zuko.flows.NICE):
        torch.manual_seed(0)
        flow, x, c = kind(3, 2, hidden_features=[16]), torch.rand(8, 3), torch.randn(8, 2)
        results += train(flow, lambda: -flow(c).log_prob(x).mean())[2:]  # noqa: B023
        results += norms(flow(c[0]).sample((4,)))
    return results


@program(
    "nflows",
    6.331673, 6.142695, 5.980647, 5.965002, 5.746416,
)  # fmt: skip
def autoregressive_flow():
    from nflows import transforms as T
    from nflows.distributions.normal import StandardNormal
    from nflows.flows.base import Flow

    layers = [T.MaskedAffineAutoregressiveTransform(4, 16), T.ReversePermutation(4), T.LULinear(4)]
    flow, x = Flow(T.CompositeTransform(layers), StandardNormal([4])), torch.randn(16, 4)
    return [*train(flow, lambda: -flow.log_prob(x).mean()), *norms(flow.sample(3))]


# -------------------------------------------------------------------------------------- equations


@program(
    "torchsde",
    0.1637464, 0.1577166, 0.1519662, 0.3094895, 0.1464958, 0.1412662, 0.1363034, 0.2700845,
)  # fmt: skip
def stochastic_differential_equation():
    import torchsde

    class Field(nn.Module):
        noise_type, sde_type = "diagonal", "stratonovich"

        def __init__(self):
            super().__init__()
            self.drift, self.noise = nn.Linear(3, 3), nn.Linear(3, 3)

        def f(self, t, y):
            return self.drift(y).tanh()

        def g(self, t, y):
            return self.noise(y).sigmoid()

    field, start, times = Field(), torch.full((4, 3), 0.1), torch.linspace(0, 1, 5)

    def loss(solve):
        path = torchsde.BrownianInterval(0.0, 1.0, (4, 3), entropy=9)
        return solve(field, start, times, bm=path, dt=0.1, method="midpoint").pow(2).mean()

    plain = train(field, lambda: loss(torchsde.sdeint))
    return [*plain, *train(field, lambda: loss(torchsde.sdeint_adjoint))]


@program(
    "torchcde",
    1.022548, 0.9820433, 0.9447927, 1.088662,
)  # fmt: skip
def controlled_differential_equation():
    import torchcde

    x, field = torch.rand(2, 10, 3), nn.Linear(4, 12)
    coefficients = torchcde.hermite_cubic_coefficients_with_backward_differences(x)
    path = torchcde.CubicSpline(coefficients)

    def loss():
        return torchcde.cdeint(
            X=path, func=lambda t, z: field(z).tanh().view(2, 4, 3), z0=torch.ones(2, 4),
            t=path.interval, adjoint=False, method="rk4", options={"step_size": 1.0},
        ).pow(2).mean()  # fmt: skip

    return train(field, loss)


# ------------------------------------------------------------------------------- models and losses


@program(
    "captum",
    0.1873888, 0.1956007, 0.1875201, 0.1655418, 0.005792908, 0.1782714,
)  # fmt: skip
def attribution():
    from captum import attr

    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)).eval()
    x, base = torch.rand(2, 1, 8, 8, requires_grad=True), torch.zeros(2, 1, 8, 8)
    return norms(
        attr.IntegratedGradients(model).attribute(x, base, target=1, n_steps=10),
        attr.DeepLift(model).attribute(x, base, target=0),
        attr.GuidedBackprop(model).attribute(x, target=1),
        attr.LayerConductance(model, model[0]).attribute(x, target=1, n_steps=5),
        attr.NeuronConductance(model, model[0]).attribute(x, (0, 1, 1), target=1, n_steps=5),
        attr.FeatureAblation(model).attribute(x, target=1),
    )


@program(
    "higher",
    0.1157126, 0.09251462, 0.04142411,
)  # fmt: skip
def learning_to_learn():
    """Gradients through the steps of an optimizer."""
    import higher

    net = nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 1))
    inner, outer = torch.optim.SGD(net.parameters(), 0.05), torch.optim.Adam(net.parameters(), 1e-2)
    results = []
    for _ in range(3):
        outer.zero_grad()
        x = torch.rand(10, 1)
        with higher.innerloop_ctx(net, inner, copy_initial_weights=False) as (fast, steps):
            for _ in range(2):
                steps.step(F.mse_loss(fast(x), x.sin()))
            loss = F.mse_loss(fast(x + 1), (x + 1).sin())
            loss.backward()
        outer.step()
        results.append(loss.item())
    return results


@program(
    "pytorch_metric_learning",
    0.3855388, 0.3810529, 0.2743215, 1.303209, 1.286389, 0.5761766, 9.09357, 6.281509,
    7.956615,
)  # fmt: skip
def metric_learning():
    from pytorch_metric_learning import losses, miners

    embed, x, y = nn.Linear(8, 16), torch.randn(24, 8), torch.arange(24) % 6
    results = []
    for kind in (losses.TripletMarginLoss, losses.MultiSimilarityLoss, losses.NTXentLoss):
        loss, miner = kind(), miners.MultiSimilarityMiner()
        optimizer = torch.optim.SGD(embed.parameters(), 0.1)
        value = lambda: loss(embed(x), y, miner(embed(x), y))  # noqa: B023
        results += train(embed, value, optimizer, 2)
    return results


@program(
    "entmax",
    1.705159, 3.341656, 1.515393, 2.120086, 1.355407, 1.786337,
)  # fmt: skip
def sparse_softmax():
    import entmax

    x, results = torch.randn(4, 6, requires_grad=True), []
    for f in (entmax.sparsemax, entmax.entmax15, lambda x: entmax.entmax_bisect(x, 1.3)):
        y = f(x)
        results += norms(y, *torch.autograd.grad((y * torch.arange(6.0)).sum(), x))
    return results


@program(
    "pytorch_msssim",
    0.002594157, 0.007988165, 0.07239052,
)  # fmt: skip
def structural_similarity():
    from pytorch_msssim import ms_ssim, ssim

    a, b = torch.rand(2, 3, 180, 180), torch.rand(2, 3, 180, 180, requires_grad=True)
    loss = ssim(a, b, data_range=1.0)
    loss.backward()
    return [loss.item(), *norms(b.grad, ms_ssim(a, b, data_range=1.0))]


@program(
    "ignite",
    1.063727, 0.325, 1.095559, 1.079737, 0.375, 1.078379,
)  # fmt: skip
def engines():
    from ignite.engine import Events, create_supervised_evaluator, create_supervised_trainer
    from ignite.metrics import Accuracy, Loss

    model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 3))
    data = torch.utils.data.TensorDataset(torch.randn(40, 5), torch.randint(0, 3, (40,)))
    loader = torch.utils.data.DataLoader(data, 8, shuffle=True)
    optimizer, criterion = torch.optim.SGD(model.parameters(), 0.1), nn.CrossEntropyLoss()
    trainer = create_supervised_trainer(model, optimizer, criterion)
    metrics = {"accuracy": Accuracy(), "loss": Loss(criterion)}
    evaluator, results = create_supervised_evaluator(model, metrics), []

    @trainer.on(Events.EPOCH_COMPLETED)
    def evaluate(engine):
        evaluator.run(loader)
        results.extend([engine.state.output, *evaluator.state.metrics.values()])

    trainer.run(loader, max_epochs=2)
    return results


# -------------------------------------------------------------------------------------- optimizers


def optimized(make, in_training=True):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    x, y = torch.randn(8, 4), torch.randn(8, 2)
    optimizer = make(model.parameters())
    if hasattr(optimizer, "train"):
        optimizer.train()
    return train(model, lambda: F.mse_loss(model(x), y), optimizer, 4)[3]


@program(
    "torch_optimizer",
    0.9640538, 1.068296, 1.122285, 1.115425, 1.115407, 0.990535, 1.110876, 0.9952359,
)  # fmt: skip
def optimizers_of_old():
    """Some with numbers before tensors, as in ``exp_avg.add_(1 - beta, grad)``."""
    import torch_optimizer as O

    kinds = (O.AdaBelief, O.DiffGrad, O.Lamb, O.RAdam, O.Ranger, O.RangerQH, O.Shampoo, O.Yogi)
    return [optimized(lambda p: kind(p, lr=1e-2)) for kind in kinds]  # noqa: B023


@program(
    "pytorch_optimizer",
    0.963856, 0.9889665, 0.9877222, 0.914944, 0.6821893, 1.150126, 0.9952359, 1.169967,
)  # fmt: skip
def optimizers_over_lists():
    """They call ``torch._foreach_add_`` and its like."""
    import pytorch_optimizer as O

    names = ("adabelief", "adan", "lion", "lamb", "came", "adopt", "yogi", "radam")
    return [optimized(lambda p: O.load_optimizer(n)(p, lr=1e-2)) for n in names]  # noqa: B023


@program(
    "schedulefree",
    0.6108114, 0.8858522, 1.169967,
)  # fmt: skip
def schedule_free():
    import schedulefree as S

    kinds = (S.AdamWScheduleFree, S.SGDScheduleFree, S.RAdamScheduleFree)
    return [optimized(lambda p: kind(p, lr=0.1)) for kind in kinds]  # noqa: B023


@pytest.mark.parametrize(
    ("function", "library", "expected"), PROGRAMS, ids=[p[0].__name__ for p in PROGRAMS]
)
def test_program(function, library, expected):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed: tests/programs/requirements.txt")
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - what libraries draw from
    with torch.as_torch():
        torch.manual_seed(0)
        try:
            found = function()
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] in ("torch", "arraytorch"):
                raise
            pytest.skip(f"{library} needs {error.name}")
    assert found == pytest.approx(expected, rel=1e-3, abs=2e-5)
