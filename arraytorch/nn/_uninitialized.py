"""Parameters and buffers whose shape is not known yet."""

from __future__ import annotations

from typing import Any

from .._dtypes import dtype as DType
from .._size import Size
from .._tensor import Tensor
from ..ops import _intercept
from ..ops.creation import empty
from .parameter import Parameter

_NO_SHAPE = (
    "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
    "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. "
    "Call `forward` to initialize the parameters before accessing their attributes."
)
_NO_VALUES = (
    "Attempted to use an uninitialized parameter. This error happens when you are using a "
    "`LazyModule` or explicitly manipulating `torch.nn.parameter.UninitializedParameter` objects. "
    "When using LazyModules Call `forward` with a dummy batch to initialize the parameters before "
    "calling torch functions"
)


class UninitializedTensorMixin:
    """A tensor of which dtype and device are known: it can be converted, and gets its shape later.

    Whatever else asks for its values raises ValueError, and what asks for its shape RuntimeError.
    """

    cls_to_become: type[Tensor]
    _pending: Tensor  # without elements, of the dtype and on the device
    _wanted: bool
    __hash__ = object.__hash__
    __torch_function__ = staticmethod(_intercept.disabled)

    def materialize(self, shape: Any, device: Any = None, dtype: DType | None = None) -> None:
        """Makes an ordinary tensor of it, with memory of ``shape`` that is not filled yet."""
        device = self._pending.device if device is None else device
        dtype = self._pending.dtype if dtype is None else dtype
        wanted = self._wanted
        for name in ("_pending", "_wanted"):
            delattr(self, name)
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        self._data = empty(shape, device=device, dtype=dtype)._data  # type: ignore[misc]
        self.requires_grad_(wanted)  # type: ignore[attr-defined]

    @property
    def _data(self) -> Any:
        raise ValueError(_NO_VALUES)

    @property
    def shape(self) -> Size:
        raise RuntimeError(_NO_SHAPE)

    @property
    def dtype(self) -> DType:
        return self._pending.dtype

    @property
    def device(self) -> Any:
        return self._pending.device

    @property
    def requires_grad(self) -> bool:
        return self._wanted

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self._wanted = value

    @property
    def data(self) -> Tensor:
        return self._pending.data

    @data.setter
    def data(self, value: Tensor) -> None:
        self._pending = value.data

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        self._wanted = requires_grad
        return self

    def is_floating_point(self) -> bool:
        return self._pending.is_floating_point()

    def is_complex(self) -> bool:
        return self._pending.is_complex()

    def size(self, dim: int | None = None) -> Any:
        return self._pending.size(dim)

    def get_device(self) -> int:
        return self._pending.get_device()

    def to(self, *args: Any, **kwargs: Any) -> Any:
        return self._converted(self._pending.to(*args, **kwargs))

    def type(self, dtype: Any = None, non_blocking: Any = False) -> Any:
        found = self._pending.type(dtype)
        return found if dtype is None else self._converted(found)

    def cpu(self) -> Any:
        return self._converted(self._pending.cpu())

    def cuda(self, device: Any = None) -> Any:
        return self._converted(self._pending.cuda(device))

    def xpu(self, device: Any = None) -> Any:
        return self._converted(self._pending.xpu(device))

    def float(self) -> Any:
        return self._converted(self._pending.float())

    def double(self) -> Any:
        return self._converted(self._pending.double())

    def half(self) -> Any:
        return self._converted(self._pending.half())

    def bfloat16(self) -> Any:
        return self._converted(self._pending.bfloat16())

    def share_memory_(self) -> Any:
        raise RuntimeError(_NO_SHAPE.replace("access the shape of", "share memory on"))

    def _converted(self, pending: Tensor) -> Any:
        return type(self)(self._wanted, pending.device, pending.dtype)  # type: ignore[call-arg]

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = self._converted(self._pending)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self._wanted, self.device, self.dtype)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class UninitializedParameter(UninitializedTensorMixin, Parameter):  # type: ignore[misc]
    """A parameter whose shape is not known yet, as that of a lazy module before its first call.

    >>> weight = torch.nn.UninitializedParameter(dtype=torch.float64)
    >>> weight.materialize((2, 3))
    >>> weight.shape, weight.dtype, type(weight).__name__
    (torch.Size([2, 3]), torch.float64, 'Parameter')
    """

    cls_to_become = Parameter

    def __new__(
        cls, requires_grad: bool = True, device: Any = None, dtype: DType | None = None
    ) -> Any:
        return _made(cls, requires_grad, device, dtype)


class UninitializedBuffer(UninitializedTensorMixin, Tensor):  # type: ignore[misc]
    """A buffer whose shape is not known yet."""

    cls_to_become = Tensor

    def __new__(
        cls,
        requires_grad: bool = False,
        device: Any = None,
        dtype: DType | None = None,
        persistent: bool = True,
    ) -> Any:
        self = _made(cls, requires_grad, device, dtype)
        self._is_buffer, self.persistent = True, persistent
        return self


def _made(cls: type, requires_grad: bool, device: Any, dtype: DType | None) -> Any:
    self: Any = object.__new__(cls)
    self._node = self._base = self._owner = None
    self._pending, self._wanted = empty(0, device=device, dtype=dtype), requires_grad
    return self


def is_lazy(value: object) -> bool:
    """Returns whether a tensor still waits for its shape."""
    return isinstance(value, UninitializedTensorMixin)
