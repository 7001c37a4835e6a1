"""Dual numbers: tensors with a tangent, which operations carry along.

The tape has no second kind of derivative for that. A dual tensor is one whose operations are recorded,
and the tangent of a result is computed when it is asked for, from the record: a Jacobian times a
vector is the derivative of a vector times the Jacobian (Townsend 2017). So tensors made of duals say
that they require gradients, and under ``no_grad`` no tangent is carried along.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, NamedTuple

from ._reach import needs_others
from .calculus import grad
from .modes import enable_grad
from .tape import Leaf, TensorBase

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual",
           "unpack_dual"]  # fmt: skip

Tensor = Any

# The duals of the level that there is, each with its tangent; None outside of levels.
_duals: list[list[tuple[Any, Any]] | None] = [None]


class UnpackedDualTensor(NamedTuple):
    """What `unpack_dual` returns: a tensor and its tangent, None if it has none."""

    primal: Tensor
    tangent: Tensor | None


def enter_dual_level() -> int:
    """Begins the level in which duals can be made, and returns its number; better use `dual_level`.

    Raises RuntimeError inside another: there is one.
    """
    if _duals[0] is not None:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    _duals[0] = []
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """Ends the level: its duals have no tangents any longer."""
    if _duals[0] is None and level is None:
        raise RuntimeError("Dual level must be a positive number.")
    if level not in (None, 0):
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created. This is "
            "not supported."
        )
    _duals[0] = None


class dual_level:
    """Context manager in which duals can be made.

    >>> import arraytorch.autograd.forward_ad as fwAD
    >>> with fwAD.dual_level():
    ...     x = fwAD.make_dual(torch.tensor(3.0), torch.tensor(1.0))
    ...     fwAD.unpack_dual(x * x)
    UnpackedDualTensor(primal=tensor(9.), tangent=tensor(6.))
    """

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        exit_dual_level()


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """Returns a view of ``tensor`` with a tangent, which operations on it carry along.

    Raises RuntimeError outside of a level and for a tangent of another shape, ValueError for
    tensors that are neither floating point nor complex.
    """
    duals = _duals[0]
    if duals is None:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
            "enter_dual_level() first."
        )
    for what, t in (("primal", tensor), ("tangent", tangent)):
        if not (t.is_floating_point() or t.is_complex()):
            raise ValueError(f"Expected {what} to be floating point or complex, but got: {t.dtype}")
    if tensor._data.shape != tangent._data.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original "
            f"Tensor, this is not supported. Tensor is of size {list(tensor._data.shape)} while the "
            f"given forward gradient is of size {list(tangent._data.shape)}."
        )
    with enable_grad():
        dual = tensor.detach() if tensor._node is None else tensor.view_as(tensor)
    if dual._node is None:
        dual._node = Leaf(dual)
    duals.append((dual, tangent))
    return dual


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """Returns a tensor without its tangent, and the tangent, None if it has none.

    Each call walks the tape twice.
    """
    if not isinstance(tensor, TensorBase):
        raise TypeError(
            f"_unpack_dual(): argument 'dual' (position 1) must be Tensor, not {type(tensor).__name__}"
        )
    duals = _duals[0] or []
    if tensor._node is None or not duals:
        return UnpackedDualTensor(tensor, None)
    tangents = {id(d): t for d, t in duals}
    own = {id(d) for d, _ in duals}
    with enable_grad():
        seed = tensor.detach() * 0
        seed._node = Leaf(seed)
        found = grad(
            tensor,
            [d for d, _ in duals],
            seed,
            retain_graph=True,
            create_graph=True,
            allow_unused=True,
        )
        used = [
            (g, tangents[id(d)]) for g, (d, _) in zip(found, duals, strict=True) if g is not None
        ]
        if not used:
            return UnpackedDualTensor(tensor, None)
        pushed = _pushed(used, seed, own | {id(seed)})
    primal = tensor if needs_others(tensor, own) else tensor.detach()
    return UnpackedDualTensor(primal, pushed)


def _pushed(pairs: list[tuple[Any, Any]], seed: Any, inner: set[int]) -> Any:
    """The sum of the Jacobians times the tangents: the gradient of their transposes' products."""
    live = [(g, t) for g, t in pairs if g._node is not None]
    if not live:
        return seed.detach()
    (found,) = grad(
        [g for g, _ in live], [seed], [t for _, t in live], create_graph=True, allow_unused=True
    )
    if found is None:
        return seed.detach()
    return found if needs_others(found, inner) else found.detach()
