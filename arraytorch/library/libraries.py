"""Ops of a namespace, declared by schemas and given functions one by one: `Library`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .custom_ops import REGISTRY, CustomOpDef, declare, found

# The kinds of devices that dispatch keys stand for; None is every kind.
DEVICES: dict[str, str | None] = {
    "": None, "CompositeImplicitAutograd": None, "CompositeExplicitAutograd": None,
    "CompositeExplicitAutogradNonFunctional": None, "CPU": "cpu", "CUDA": "cuda", "XPU": "xpu",
    "Meta": "meta",
}  # fmt: skip
AUTOCAST = {"AutocastCPU": "cpu", "AutocastCUDA": "cuda", "AutocastXPU": "xpu", "Autocast": "cpu"}


class Library:
    """The ops of a namespace: `define` declares them, and `impl` gives them functions.

    ``kind`` is "DEF" or "FRAGMENT" where ops are declared, "IMPL" where only functions are given;
    ``dispatch_key`` is that of functions without one of their own.

    >>> library = torch.library.Library("readme_ns", "DEF")
    >>> library.define("plus_one(Tensor x) -> Tensor")
    'plus_one'
    >>> library.impl("plus_one", lambda x: x + 1, "CompositeImplicitAutograd")
    >>> torch.ops.readme_ns.plus_one(torch.ones(2))
    tensor([2., 2.])
    """

    def __init__(self, ns: str, kind: str, dispatch_key: str = "") -> None:
        if kind not in ("IMPL", "DEF", "FRAGMENT"):
            raise ValueError("Unsupported kind: ", kind)
        self.ns, self.kind, self.dispatch_key = ns, kind, dispatch_key

    def __repr__(self) -> str:
        return f"Library(kind={self.kind}, ns={self.ns}, dispatch_key={self.dispatch_key})>"

    def define(self, schema: str, alias_analysis: str = "", *, tags: Any = ()) -> str:
        """Declares an op, and returns its name."""
        name = schema.partition("(")[0].strip().rpartition("::")[2]
        if f"{self.ns}::{name}" in REGISTRY:
            raise RuntimeError(
                f"Tried to register an operator ({self.ns}::{schema}) with the same name and overload "
                "name multiple times."
            )
        declare(f"{self.ns}::{name}", schema)
        return name

    def impl(
        self,
        op_name: str | CustomOpDef,
        fn: Callable[..., Any],
        dispatch_key: str = "",
        *,
        with_keyset: bool = False,
        allow_override: bool = False,
    ) -> None:
        """Gives an op a function: for a kind of device, for all, for autocast, or for recording."""
        if not callable(fn):
            raise TypeError(
                f"Input function is required to be a callable but found type {type(fn)}"
            )
        op = op_name if isinstance(op_name, CustomOpDef) else found(self._full(op_name))
        key = dispatch_key or self.dispatch_key
        if key in AUTOCAST:
            op.autocast_kernels[AUTOCAST[key]] = fn
        elif key.startswith("Autograd"):
            op.recording_kernel = fn
        elif key in DEVICES:
            op.implement(DEVICES[key], fn, composite=key in ("", "CompositeImplicitAutograd"))
        else:
            raise RuntimeError(f"could not parse dispatch key: {key}")

    def _full(self, name: str) -> str:
        return name if "::" in name else f"{self.ns}::{name.partition('.')[0]}"


def define(qualname: str, schema: str, *, lib: Library | None = None, tags: Any = ()) -> None:
    """Declares an op ``namespace::name`` by what it takes and returns.

    >>> torch.library.define("readme_ns::minus_one", "(Tensor x) -> Tensor")
    >>> @torch.library.impl("readme_ns::minus_one", "default")
    ... def minus_one(x):
    ...     return x - 1
    >>> torch.ops.readme_ns.minus_one(torch.ones(2))
    tensor([0., 0.])
    """
    if not isinstance(qualname, str):
        raise ValueError(
            "define(qualname, schema): expected qualname to be instance of str, got "
            f"{type(qualname)}"
        )
    namespace, _, name = qualname.partition("::")
    Library(namespace, "FRAGMENT").define(name + schema)


def impl(
    qualname: str | CustomOpDef,
    types: str | tuple[str, ...] | list[str],
    func: Callable[..., Any] | None = None,
    *,
    lib: Library | None = None,
) -> Any:
    """Gives an op a function for kinds of devices, "default" for all; without one, a decorator."""
    kinds = [types] if isinstance(types, str) else list(types)

    def given(function: Callable[..., Any]) -> Callable[..., Any]:
        for kind in kinds:
            found(qualname).implement(
                None if kind == "default" else kind, function, composite=kind == "default"
            )
        return function

    return given if func is None else given(func)


def get_ctx() -> Any:
    """Raises RuntimeError: sizes that depend on values cannot be known without them."""
    raise RuntimeError(
        "Attempted to call get_ctx() for the meta implementation of an operator. You have presumably "
        "called get_ctx() because the operator has a data-dependent output shape; if so, there is no "
        "such meta implementation and this error is the correct behavior."
    )
