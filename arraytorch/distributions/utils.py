"""What the families share: arguments brought together, probabilities and logits, triangles."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Number
from typing import Any, cast

from .._dtypes import bfloat16, float16, float32, get_default_dtype
from .._size import Size
from .._tensor import Tensor
from .._type_info import finfo
from ..autograd.modes import enable_grad
from ..nn.functional import logsigmoid, softmax
from ..ops import broadcast_tensors, is_tensor, logsumexp, normal, ones, sigmoid, tensor, zeros

Shape = Size | list[int] | tuple[int, ...]
ONCE = Size()  # the shape of a sample unless another is asked for

EULER = 0.57721566490153286060  # the Euler-Mascheroni constant, DLMF 5.2.3


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Returns numbers and tensors as tensors of one shape.

    Numbers take dtype and device of the first tensor, or the default dtype if there is none.

    >>> torch.distributions.utils.broadcast_all(1, torch.tensor([2.0, 3.0]))
    (tensor([1., 1.]), tensor([2., 3.]))
    """
    if not all(is_tensor(v) or isinstance(v, Number) for v in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing "
            "__torch_function__."
        )
    first = next((v for v in values if is_tensor(v)), None)
    dtype = get_default_dtype() if first is None else first.dtype
    device = None if first is None else first.device
    tensors = [v if is_tensor(v) else tensor(v, dtype=dtype, device=device) for v in values]
    return tuple(broadcast_tensors(*tensors))


def standard_normal(shape: Shape, dtype: Any, device: Any) -> Tensor:
    """Returns standard normal deviates."""
    kind = {"dtype": dtype, "device": device}
    return normal(zeros(shape, **kind), ones(shape, **kind))


def log1pexp(x: Tensor) -> Tensor:
    """Returns log(1 + exp(x)); unlike `softplus`, to the last digit."""
    return -logsigmoid(-x)


def sum_rightmost(value: Any, dims: int) -> Any:
    """Returns the sum over the last dimensions, as many as ``dims``."""
    return value if dims == 0 else value.reshape(*value.shape[: value.dim() - dims], -1).sum(-1)


def clamp_probs(probs: Tensor) -> Tensor:
    """Returns probabilities moved away from 0 and 1 by the rounding error of their dtype."""
    half = probs.dtype in (float16, bfloat16)
    eps = finfo(float32 if half else probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Returns the probabilities of log-odds, or of unnormalized log-probabilities in a last dim.

    >>> torch.distributions.utils.logits_to_probs(torch.zeros(2))
    tensor([0.5000, 0.5000])
    """
    return sigmoid(logits) if is_binary else softmax(logits, dim=-1)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Returns the log-odds of probabilities, or their logarithms; finite also for 0 and 1.

    >>> torch.distributions.utils.probs_to_logits(torch.tensor([0.5, 0.75]), is_binary=True)
    tensor([0.0000, 1.0986])
    """
    probs = clamp_probs(probs)
    return probs.log() - (-probs).log1p() if is_binary else probs.log()


def normalized_logits(logits: Tensor) -> Tensor:
    """Returns log-probabilities whose exponentials add up to 1."""
    return logits - logsumexp(logits, -1, True)


class lazy_property:
    """A property that is computed when first read, and kept; always with gradients recorded."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        self.__doc__ = wrapped.__doc__
        self.__name__ = wrapped.__name__

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        with enable_grad():
            value = self.wrapped(instance)
        instance.__dict__[self.__name__] = value
        return value


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """Returns the lower triangles of matrices as vectors, row after row.

    >>> torch.distributions.utils.tril_matrix_to_vec(torch.tensor([[1, 2], [3, 4]]))
    tensor([1, 3, 4])
    """
    n = mat.shape[-1]
    if diag < -n or diag >= n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    lower = ones(n, n, device=mat.device).tril(diag).bool()
    return cast("Tensor", mat[..., lower])


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """Returns lower triangular matrices with the given elements, row after row, and zeros.

    >>> torch.distributions.utils.vec_to_tril_matrix(torch.tensor([1.0, 2.0, 3.0]), -1)
    tensor([[0., 0., 0.],
            [1., 0., 0.],
            [2., 3., 0.]])
    """
    m = vec.shape[-1]
    # m is the (n + diag)th triangular number, for n + diag of the rows have something.
    root = ((1 + 2 * diag) ** 2 + 8 * m + 4 * abs(diag) * (diag + 1)) ** 0.5
    n = (-(1 + 2 * diag) + root) / 2
    if not round(n) - n == 0:
        raise ValueError(f"The size of last dimension is {m} which cannot be expressed as "
                         "the lower triangular part of a square D x D matrix.")  # fmt: skip
    n = round(n)
    lower = ones(n, n, device=vec.device).tril(diag).bool()
    matrix = zeros((*vec.shape[:-1], n, n), dtype=vec.dtype, device=vec.device)
    matrix[..., lower] = vec
    return matrix


# Under PyTorch's names, for libraries with distributions of their own.
_standard_normal, _sum_rightmost = standard_normal, sum_rightmost
