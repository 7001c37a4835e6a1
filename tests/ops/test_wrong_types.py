"""What is no tensor, where a tensor belongs: a TypeError that names the function and the argument."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import arraytorch as torch
from arraytorch.nn import functional as F

WRONG = (3, [1.0, 2.0], None, "x")
SPACES = {
    "": torch,
    "nn.functional.": F,
    "linalg.": torch.linalg,
    "special.": torch.special,
    "fft.": torch.fft,
}


def functions():
    """Every public function that has a parameter annotated as Tensor, by its full name."""
    for prefix, space in SPACES.items():
        for name in sorted(set(dir(space)) | set(getattr(space, "__all__", ()))):
            f = getattr(space, name)
            if name.startswith("_") or inspect.isclass(f) or not callable(f):
                continue
            if not (getattr(f, "__module__", None) or "").startswith("arraytorch."):
                continue
            if any("Tensor" in str(p.annotation) for p in required(f)):
                yield pytest.param(f, id=prefix + name)


def required(f):
    """The positional parameters up to the last one without a default."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    found = [p for p in inspect.signature(f).parameters.values() if p.kind in kinds]
    return [p for p in found if p.default is p.empty]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("f", list(functions()))
def test_no_attribute_error(f):
    """Nothing but a tensor gets so far that an attribute is missed."""
    parameters = required(f)
    for at, parameter in enumerate(parameters):
        if "Tensor" not in str(parameter.annotation):
            continue
        for wrong in WRONG:
            given = [torch.ones(2, 2) if "Tensor" in str(p.annotation) else 1 for p in parameters]
            given[at] = wrong
            try:
                f(*given)
            except AttributeError as error:
                pytest.fail(f"{parameter.name}={wrong!r}: {error}")
            except Exception:
                continue


A = torch.ones(2, 2)


@pytest.mark.parametrize(
    ("f", "args", "name", "argument", "position"),
    [
        (torch.sum, (3,), "sum", "input", 1),
        (torch.mean, (3,), "mean", "input", 1),
        (torch.reshape, (3, (1,)), "reshape", "input", 1),
        (torch.transpose, (3, 0, 1), "transpose", "input", 1),
        (torch.permute, (3, (0,)), "permute", "input", 1),
        (torch.squeeze, (3,), "squeeze", "input", 1),
        (torch.unsqueeze, (3, 0), "unsqueeze", "input", 1),
        (torch.flatten, (3,), "flatten", "input", 1),
        (torch.select, (3, 0, 0), "select", "input", 1),
        (torch.unbind, (3,), "unbind", "input", 1),
        (torch.mm, (3, A), "mm", "input", 1),
        (torch.mm, (A, 3), "mm", "mat2", 2),
        (torch.mv, (A, 3), "mv", "vec", 2),
        (torch.bmm, (3, A), "bmm", "input", 1),
        (torch.dot, (A, 3), "dot", "tensor", 2),
        (torch.exp, (3,), "exp", "input", 1),
        (torch.max, (3,), "max", "input", 1),
        (torch.clone, (3,), "clone", "input", 1),
        (torch.detach, (3,), "detach", "input", 1),
        (torch.numel, (3,), "numel", "input", 1),
        (torch.is_floating_point, (3,), "is_floating_point", "input", 1),
        (torch.zeros_like, (3,), "zeros_like", "input", 1),
        (torch.full_like, (3, 1), "full_like", "input", 1),
        (torch.softmax, (3, 0), "softmax", "input", 1),
        (torch.log_softmax, (3, 0), "log_softmax", "input", 1),
        (torch.zero_, (3,), "zero_", "input", 1),
        (F.softplus, (3,), "softplus", "input", 1),
        (F.gelu, (3,), "gelu", "input", 1),
        (F.dropout, (3,), "dropout", "input", 1),
        (F.alpha_dropout, (3,), "alpha_dropout", "input", 1),
        (F.kl_div, (3, A), "kl_div", "input", 1),
        (torch.dist, (A, 3), "dist", "other", 2),
        (F.layer_norm, (3, (1,)), "layer_norm", "input", 1),
    ],
)
def test_message(f, args, name, argument, position):
    """The words are PyTorch's."""
    with pytest.raises(TypeError) as error:
        f(*args)
    wanted = f"{name}(): argument '{argument}' (position {position}) must be Tensor, not int"
    assert str(error.value) == wanted


@pytest.mark.parametrize(
    "call",
    [
        lambda x, n: x.split(n),
        lambda x, n: x.split([n, n, 1]),
        lambda x, n: x.chunk(n),
        lambda x, n: x.topk(n),
        lambda x, n: x.kthvalue(n),
        lambda x, n: x.roll(n),
        lambda x, n: x.roll(n, 0),
        lambda x, n: x.tril(n),
        lambda x, n: x.triu(n),
        lambda x, n: torch.rot90(x, n),
        lambda x, n: torch.nn.functional.one_hot(torch.tensor([0]), n),
        lambda x, n: x.sum(n - 1),
        lambda x, n: x.mean(n - 1),
        lambda x, n: x.any(n - 1),
        lambda x, n: x.std(n - 1),
        lambda x, n: F.group_norm(x[:4, :4].reshape(1, 4, 4), n),
        lambda x, n: F.conv1d(x[:4], torch.ones(2, 2, 1), groups=n),
        lambda x, n: F.conv_transpose1d(x[:4], torch.ones(4, 1, 1), groups=n),
        lambda x, n: F.adaptive_avg_pool1d(x, n),
        lambda x, n: F.adaptive_max_pool2d(x[None], (n, None)),
    ],
)
def test_floats_are_no_integers(call):
    """They are neither cut to some nor taken for equal ones that an operation met before."""
    x = torch.ones(5, 5)
    for _ in range(2):
        for number in (2.0, 2.7, torch.tensor(2.0)):
            with pytest.raises(TypeError):
                call(x, number)
        call(x, 2)
        call(x, np.int64(2))
