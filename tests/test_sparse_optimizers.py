"""Steps of optimizers with sparse gradients, and who refuses them."""

from __future__ import annotations

import pytest
from test_sparse import make
from test_sparse_gradients import table

import arraytorch as torch
from arraytorch.nn import functional as F


def trained(name, **options):
    """The weights after three steps of a small problem with sparse gradients."""
    p = torch.nn.Parameter(torch.arange(10.0).reshape(5, 2))
    optimizer = getattr(torch.optim, name)([p], **options)
    for k in range(3):
        optimizer.zero_grad()
        rows = F.embedding(torch.tensor([1, 3, 1, k]), p, sparse=True)
        (rows * torch.tensor([1.0, -2.0])).pow(2).sum().backward()
        assert p.grad.is_sparse
        optimizer.step()
    return p.flatten().tolist(), optimizer


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("SparseAdam", {},
         [0.0, 0.9990000128746033, 1.997029423713684, 2.9970295429229736, 3.999361276626587,
          4.999361038208008, 5.997000217437744, 6.997000217437744, 8.0, 9.0]),
        ("SparseAdam", {"maximize": True},
         [0.0, 1.0010000467300415, 2.0029704570770264, 3.0029704570770264, 4.000638961791992,
          5.000638961791992, 6.002999782562256, 7.002999782562256, 8.0, 9.0]),
        ("SparseAdam", {"lr": 0.1, "betas": (0.5, 0.7), "eps": 1e-3},
         [0.0, 0.9000228047370911, 1.703330397605896, 2.7028865814208984, 3.9154555797576904,
          4.915440082550049, 5.700514316558838, 6.700414657592773, 8.0, 9.0]),
        ("SparseAdam", {"lr": torch.tensor(0.1)},
         [0.0, 0.9000000357627869, 1.7030014991760254, 2.7029623985290527, 3.9361186027526855,
          4.9361186027526855, 5.700174808502197, 6.70014762878418, 8.0, 9.0]),
        ("SGD", {"lr": 0.01},
         [0.0, 0.9200000166893005, 1.7326079607009888, 1.6087678670883179, 3.9200000762939453,
          4.599999904632568, 5.647151947021484, 5.4508161544799805, 8.0, 9.0]),
        ("SGD", {"lr": 0.01, "momentum": 0.9},
         [0.0, 0.7832000851631165, 1.495008111000061, 0.3127683103084564, 3.9200000762939453,
          4.599999904632568, 5.338272571563721, 4.0698561668396, 8.0, 9.0]),
        ("SGD", {"lr": 0.01, "momentum": 0.9, "dampening": 0.5},
         [0.0, 0.7832000851631165, 1.6379520893096924, 0.9817922711372375, 3.9600000381469727,
          4.800000190734863, 5.505948066711426, 4.765824317932129, 8.0, 9.0]),
        ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True},
         [0.0, 0.724880039691925, 1.3048831224441528, -0.23586495220661163, 3.8480000495910645,
          4.240000247955322, 5.067169666290283, 3.0910556316375732, 8.0, 9.0]),
        ("SGD", {"lr": 0.01, "momentum": 0.5, "maximize": True},
         [0.0, 1.1399999856948853, 2.416991949081421, 5.821631908416748, 4.079999923706055,
          5.400000095367432, 6.51964807510376, 9.562783241271973, 8.0, 9.0]),
        ("Adagrad", {},
         [0.0, 0.9900000095367432, 1.976862907409668, 2.976851463317871, 3.990000009536743,
          4.989999771118164, 5.977168560028076, 6.977166652679443, 8.0, 9.0]),
        ("Adagrad", {"lr_decay": 0.1},
         [0.0, 0.9900000095367432, 1.978421926498413, 2.978412628173828, 3.991666555404663,
          4.991666793823242, 5.978771686553955, 6.9787702560424805, 8.0, 9.0]),
        ("Adagrad", {"initial_accumulator_value": 0.5, "eps": 1e-3},
         [0.0, 0.9900400638580322, 1.9769182205200195, 2.976853370666504, 3.9900400638580322,
          4.990001678466797, 5.977197647094727, 6.977168560028076, 8.0, 9.0]),
        ("Adagrad", {"maximize": True},
         [0.0, 1.0099999904632568, 2.023205041885376, 3.023193597793579, 4.010000228881836,
          5.010000228881836, 6.022858142852783, 7.022856712341309, 8.0, 9.0]),
    ],
)  # fmt: skip
def test_steps(name, options, expected):
    """Steps with sparse gradients end at PyTorch's weights."""
    assert trained(name, **options)[0] == pytest.approx(expected, rel=2e-6)


def test_state_of_sparse_adam():
    """Its state has PyTorch's names and types, and serves another optimizer."""
    state = trained("SparseAdam")[1].state_dict()
    assert state["param_groups"] == [
        {"lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8, "maximize": False, "params": [0]}
    ]
    own = state["state"][0]
    assert own["step"] == 3 and type(own["step"]) is int
    assert own["exp_avg"][:, 0].tolist() == pytest.approx([0, 2.5267, 0.8, 3.2514, 0], abs=1e-4)
    assert own["exp_avg_sq"][:, 1].tolist() == pytest.approx([0.064, 9.7757, 1.6, 9.3959, 0], 1e-4)
    p = torch.nn.Parameter(torch.arange(10.0).reshape(5, 2))
    other = torch.optim.SparseAdam([p])
    other.load_state_dict(state)
    assert other.state[p]["step"] == 3
    p.grad = torch.sparse_coo_tensor(size=(5, 2))
    other.step()
    assert other.state[p]["step"] == 4 and p.flatten().tolist() == list(range(10))


@pytest.mark.parametrize(
    ("params", "options", "words"),
    [
        ([torch.ones(2)], {"lr": 0.0}, "Invalid learning rate: 0.0"),
        ([torch.ones(2)], {"lr": torch.ones(2)}, "Tensor lr must be 1-element"),
        ([torch.ones(2)], {"eps": 0}, "Invalid epsilon value: 0"),
        ([torch.ones(2)], {"betas": (1.0, 0.9)}, "Invalid beta parameter at index 0: 1.0"),
        ([torch.ones(2)], {"betas": (0.9, 1.0)}, "Invalid beta parameter at index 1: 1.0"),
        ([{"params": [torch.ones(2), make()]}], {},
         "Sparse params at indices [[0, 1]]: SparseAdam requires dense parameter tensors"),
        ([torch.ones(2, dtype=torch.complex64)], {},
         "Complex params at indices [[0, 0]]: SparseAdam does not support complex parameters"),
    ],
)  # fmt: skip
def test_what_sparse_adam_refuses(params, options, words):
    """Options out of range, and parameters of other kinds, raise ValueError."""
    with pytest.raises(ValueError) as caught:
        torch.optim.SparseAdam(params, **options)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        *[(name, {}, f"{name} does not support sparse gradients")
          for name in ("Adadelta", "Adafactor", "Adamax", "ASGD", "Muon", "NAdam", "RAdam",
                       "RMSprop", "Rprop")],
        ("Adam", {}, "Adam does not support sparse gradients, please consider SparseAdam instead"),
        ("AdamW", {}, "Adam does not support sparse gradients, please consider SparseAdam instead"),
        ("SGD", {"weight_decay": 0.1},
         "add(sparse, dense) is not supported. Use add(dense, sparse) instead."),
        ("SGD", {"fused": True}, "`_fused_sgd` does not support sparse gradients"),
        ("Adagrad", {"weight_decay": 0.1},
         "weight_decay option is not compatible with sparse gradients"),
        ("Adagrad", {"fused": True}, "`fused` does not support sparse grad or complex param"),
    ],
)  # fmt: skip
def test_what_others_refuse(name, options, words):
    """Optimizers without a sparse step say so, and change nothing."""
    e = table()
    other = torch.nn.Parameter(torch.ones(2, 2))
    optimizer = getattr(torch.optim, name)([other, e.weight], **options)
    (e(torch.tensor([1, 3])).sum() + other.sum()).backward()
    with pytest.raises(RuntimeError) as caught:
        optimizer.step()
    assert str(caught.value) == words
    assert e.weight.tolist() == [[1.0, 1.0]] * 5 and other.tolist() == [[1.0, 1.0]] * 2


def test_dense_gradients_in_sparse_adam():
    """SparseAdam refuses dense gradients."""
    p = torch.ones(2, requires_grad=True)
    optimizer = torch.optim.SparseAdam([p])
    p.sum().backward()
    with pytest.raises(
        RuntimeError, match="does not support dense gradients, please consider Adam"
    ):
        optimizer.step()


def test_sparse_and_dense_parameters_together():
    """One optimizer steps parameters with gradients of either kind, and one that changes its kind."""
    e, w = table(), torch.ones(2, requires_grad=True)
    optimizer = torch.optim.SGD([e.weight, w], lr=0.5, momentum=0.5)
    (e(torch.tensor([1])).sum() + w.sum()).backward()
    optimizer.step()
    assert e.weight[:, 0].tolist() == [1.0, 0.5, 1.0, 1.0, 1.0] and w.tolist() == [0.5, 0.5]
    assert optimizer.state[e.weight]["momentum_buffer"].is_sparse
    p = torch.ones(3, 1, requires_grad=True)
    optimizer = torch.optim.SGD([p], lr=1.0, momentum=0.5)
    p.grad = torch.ones(3, 1)
    optimizer.step()
    p.grad = torch.sparse_coo_tensor([[1]], [[1.0]], (3, 1))
    optimizer.step()
    assert p.flatten().tolist() == [-0.5, -1.5, -0.5]
    optimizer = torch.optim.SGD([p], lr=1.0, momentum=0.5)
    optimizer.step()
    p.grad = torch.ones(3, 1)
    with pytest.raises(RuntimeError, match="is not supported. Use add"):
        optimizer.step()


def test_lbfgs():
    """LBFGS makes sparse gradients dense, as PyTorch's does."""
    e = table()
    optimizer = torch.optim.LBFGS(e.parameters())

    def closure():
        optimizer.zero_grad()
        loss = e(torch.tensor([1, 3, 1])).pow(2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert e.weight.sum().item() == pytest.approx(6.0, abs=1e-4)


def test_grad_scaler():
    """A scaler unscales sparse gradients, and skips a step if one is infinite."""
    for factor, rows, scale in (
        (1.0, [1.0, -1.0, 1.0, 0.0, 1.0], 4.0),
        (float("inf"), [1.0] * 5, 2.0),
    ):
        e = table()
        optimizer = torch.optim.SGD(e.parameters(), lr=1.0)
        scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
        scaler.scale((e(torch.tensor([1, 3, 1])) * factor).sum()).backward()
        scaler.unscale_(optimizer)
        assert e.weight.grad._values()[0, 0].item() == factor
        scaler.step(optimizer)
        scaler.update()
        assert e.weight[:, 0].tolist() == rows and scaler.get_scale() == scale
