"""Losses as the main namespace has them: the reduction is a number, 0 none, 1 mean, 2 sum."""

from __future__ import annotations

from typing import Any

from . import ctc, loss, margin_loss

Tensor = Any


def _named(name: str, position: int, reduction: Any) -> str:
    """The name of a reduction; like PyTorch's, numbers beyond 2 leave the losses as they are."""
    if not isinstance(reduction, int) or isinstance(reduction, bool):
        raise TypeError(
            f"{name}(): argument 'reduction' (position {position}) must be int, not "
            f"{type(reduction).__name__}"
        )
    return {1: "mean", 2: "sum"}.get(reduction, "none")


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    pos_weight: Tensor | None = None,
    reduction: int = 1,
) -> Tensor:
    """Returns the binary cross entropy of logits; see the function of that name in nn.functional.

    >>> torch.binary_cross_entropy_with_logits(torch.zeros(2), torch.ones(2))
    tensor(0.6931)
    """
    how = _named("binary_cross_entropy_with_logits", 5, reduction)
    return loss.binary_cross_entropy_with_logits(
        input, target, weight, reduction=how, pos_weight=pos_weight
    )


def kl_div(
    input: Tensor, target: Tensor, reduction: int = 1, *, log_target: bool = False
) -> Tensor:
    """Returns the Kullback-Leibler divergence, its mean per element; see `nn.functional.kl_div`.

    >>> torch.kl_div(torch.tensor([0.5, 0.5]).log(), torch.tensor([0.5, 0.5]))
    tensor(0.)
    """
    how = _named("kl_div", 3, reduction)
    # Reduced here: the other function warns of this mean, which is not the divergence's own.
    apart = loss.kl_div(input, target, reduction="none", log_target=log_target)
    return loss._reduced(apart, how)


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int
) -> Tensor:
    """Returns the loss of Poisson rates; see `nn.functional.poisson_nll_loss`.

    >>> torch.poisson_nll_loss(torch.zeros(2), torch.ones(2), True, False, 1e-8, 1)
    tensor(1.)
    """
    how = _named("poisson_nll_loss", 6, reduction)
    return loss.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=how)


def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 1
) -> Tensor:
    """Returns the loss of distances with targets 1 or -1; see `nn.functional.hinge_embedding_loss`.

    >>> torch.hinge_embedding_loss(torch.tensor([0.5, 0.25]), torch.tensor([1, -1]))
    tensor(0.6250)
    """
    how = _named("hinge_embedding_loss", 4, reduction)
    return loss.hinge_embedding_loss(input, target, margin, reduction=how)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 1
) -> Tensor:
    """Returns the loss of pairs in the wrong order; see `nn.functional.margin_ranking_loss`.

    >>> torch.margin_ranking_loss(torch.ones(1), torch.zeros(1), torch.tensor([-1.0]))
    tensor(1.)
    """
    how = _named("margin_ranking_loss", 5, reduction)
    return margin_loss.margin_ranking_loss(input1, input2, target, margin, reduction=how)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 1
) -> Tensor:
    """Returns the loss of angles with targets 1 or -1; see `nn.functional.cosine_embedding_loss`.

    >>> torch.cosine_embedding_loss(torch.ones(1, 2), torch.ones(1, 2), torch.tensor([-1]))
    tensor(1.)
    """
    how = _named("cosine_embedding_loss", 5, reduction)
    return margin_loss.cosine_embedding_loss(input1, input2, target, margin, reduction=how)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-06,
    swap: bool = False,
    reduction: int = 1,
) -> Tensor:
    """Returns the loss of triplets; see `nn.functional.triplet_margin_loss`.

    >>> x = torch.zeros(1, 1)
    >>> torch.triplet_margin_loss(x, x, x)
    tensor(1.)
    """
    how = _named("triplet_margin_loss", 8, reduction)
    return margin_loss.triplet_margin_loss(
        anchor, positive, negative, margin, p, eps, swap, reduction=how
    )


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: int = 1,
    zero_infinity: bool = False,
) -> Tensor:
    """Returns the loss of all alignments of labels; see `nn.functional.ctc_loss`.

    >>> steps = torch.full((2, 1, 2), 0.5).log()
    >>> torch.ctc_loss(steps, torch.tensor([[1]]), [2], [1])
    tensor(0.2877)
    """
    how = _named("ctc_loss", 6, reduction)
    return ctc.ctc_loss(
        log_probs, targets, input_lengths, target_lengths, blank, how, zero_infinity
    )
