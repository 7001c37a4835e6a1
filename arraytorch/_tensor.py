"""class Tensor: what a tensor is, its part in autograd, its ways in and out of the library."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from importlib import import_module
from math import prod
from typing import Any

from . import _device, _dtypes
from ._attributes import Attributes, set_attributes
from ._device import device
from ._dtypes import dtype
from ._errors import NotOneElement
from ._layouts import layout, strided
from ._methods import Methods
from ._size import Size
from .autograd import calculus, engine, tape
from .autograd.tape import Leaf, TensorBase, wrap
from .backends import backend_of, dtype_of, host
from .ops import _intercept, conversion, creation, newcomers
from .ops import shape as shapes
from .ops._assigned_grads import check_grad
from .ops._declare import OPS
from .ops._late import loaded
from .ops._promote import dim_of
from .ops._strides import check_layout, in_elements


class Tensor(Methods):
    """A multi-dimensional array of one dtype on one device, with PyTorch's methods.

    Make one with `torch.tensor`, `torch.zeros` and the like.

    >>> torch.tensor([[1.0, 2.0], [3.0, 4.0]]).sum(0)
    tensor([4., 6.])
    """

    __array_priority__ = 1000
    __torch_function__ = classmethod(_intercept.default)
    __dict__ = property(Attributes, set_attributes)  # type: ignore[assignment]

    def __new__(cls, *args: Any, device: Any = None) -> Any:
        """Makes a float tensor of a shape (``Tensor(2, 3)``) or from data; prefer `torch.tensor`."""
        if not args:
            return _as_subclass(cls, creation.empty(0, device=device))
        if len(args) == 1 and isinstance(args[0], TensorBase):
            return _as_subclass(cls, shapes.alias(args[0]))
        if all(isinstance(a, int) for a in args) or isinstance(args[0], Size):
            return _as_subclass(cls, creation.empty(*args, device=device))
        return _as_subclass(
            cls, creation.tensor(*args, dtype=_dtypes.get_default_dtype(), device=device)
        )

    # what it is

    @property
    def shape(self) -> Size:
        """The size of each dimension."""
        return Size(self._data.shape)

    @property
    def dtype(self) -> dtype:
        """The element type."""
        return dtype_of(self._data)

    @property
    def device(self) -> device:
        """Where the memory is."""
        x = self._data
        return _device.CPU if x.__class__ is host.ndarray else backend_of(x).device_of(x)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._data.ndim

    @property
    def itemsize(self) -> int:
        """The bytes of an element."""
        return self._data.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """The bytes of all elements; RuntimeError for a sparse tensor."""
        if self.is_sparse:
            raise RuntimeError(
                "nbytes is not defined for sparse tensors.  If you want the size of the constituent "
                "tensors, add the nbytes of the indices and values."
            )
        return self._data.size * self._data.dtype.itemsize

    @property
    def is_leaf(self) -> bool:
        """Whether it has no history: gradients of a leaf that requires them gather in ``grad``."""
        return self._node is None or self._node.__class__ is Leaf

    @property
    def is_cpu(self) -> bool:
        """Whether the memory is the host's."""
        return self.device.type == "cpu"

    @property
    def is_cuda(self) -> bool:
        """Whether it is on a CUDA or ROCm device."""
        return self.device.type == "cuda"

    @property
    def is_xpu(self) -> bool:
        """Whether it is on an Intel device."""
        return self.device.type == "xpu"

    @property
    def is_meta(self) -> bool:
        """Whether it has a shape and a dtype but no elements."""
        return self.device.type == "meta"

    @property
    def layout(self) -> layout:
        """How the elements are stored: ``torch.strided``, or ``torch.sparse_coo``."""
        return getattr(self._data, "layout", strided)

    @property
    def is_sparse(self) -> bool:
        """Whether it holds some elements with their places; see `torch.sparse_coo_tensor`."""
        return hasattr(self._data, "layout")

    is_quantized = is_mkldnn = is_nested = is_sparse_csr = is_mps = False

    def as_subclass(self, cls: Any) -> Any:
        """Returns the same elements and history as a tensor of another class."""
        return _as_subclass(cls, shapes.alias(self))

    @staticmethod
    def _make_subclass(cls: Any, data: Any, require_grad: bool = False) -> Any:
        """Returns a leaf over the memory of ``data`` as a tensor of another class."""
        return _as_subclass(cls, shapes.detach(data)).requires_grad_(require_grad)

    def size(self, dim: int | None = None) -> Any:
        """Returns the shape, or the size of one dimension."""
        shape = self._data.shape
        return Size(shape) if dim is None else shape[dim_of(dim, len(shape))]

    def dim(self) -> int:
        """Returns the number of dimensions."""
        return self._data.ndim

    ndimension = dim

    def numel(self) -> int:
        """Returns the number of elements."""
        return prod(self._data.shape)

    nelement = numel

    def element_size(self) -> int:
        """Returns the bytes of an element."""
        return self._data.dtype.itemsize

    def stride(self, dim: int | None = None) -> Any:
        """Returns how many elements apart neighbours along each dimension, or along one, lie."""
        x = self._data
        strides = in_elements(x.shape, x.strides, x.dtype.itemsize)
        return strides if dim is None else strides[dim_of(dim, x.ndim)]

    def storage_offset(self) -> int:
        """Returns how many elements after the start of its memory the tensor begins."""
        return backend_of(self._data).storage_offset(self._data)

    def untyped_storage(self) -> Any:
        """Returns the bytes of the memory that the tensor and its views share."""
        if self.is_sparse:
            raise NotImplementedError("Cannot access storage of SparseTensorImpl")
        return import_module(".storage", __package__).UntypedStorage.under(self)

    def data_ptr(self) -> int:
        """Returns the address of the first element."""
        return backend_of(self._data).data_ptr(self._data)

    const_data_ptr = data_ptr

    def is_floating_point(self) -> bool:
        """Returns whether the dtype is a real floating-point one."""
        return self._data.dtype.kind == "f" or self.dtype.is_floating_point

    def is_complex(self) -> bool:
        """Returns whether the dtype is complex."""
        return self._data.dtype.kind == "c"

    def is_signed(self) -> bool:
        """Returns whether the dtype has negative numbers."""
        return self.dtype.is_signed

    def get_device(self) -> int:
        """Returns the index of the device, -1 for the CPU."""
        where = self.device
        return -1 if where.type == "cpu" else where.index or 0

    def is_same_size(self, other: Tensor) -> bool:
        """Returns whether the shapes are equal."""
        return self._data.shape == other._data.shape

    # autograd

    @property
    def requires_grad(self) -> bool:
        """Whether ops on the tensor are recorded."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Makes the tensor a leaf whose gradients are wanted, or not, and returns it."""
        lost = self._node.__class__ is Leaf and self._node.variable is None  # see early_views
        if requires_grad and (self._node is None or lost):
            if self._data.dtype.kind in "biu":
                raise RuntimeError(
                    "only Tensors of floating point dtype can require gradients, not "
                    f"{self.dtype!r}"
                )
            self._node = Leaf(self)
            if self._views is not None and self._owner is None:
                late = import_module(".autograd.early_views", __package__)
                self._early = late.EarlyViews(self._views)
            if hasattr(self, "_grad_dtype"):
                self.grad_dtype = self._grad_dtype
        elif not requires_grad and self._node is not None and not lost:
            if self._node.__class__ is not Leaf:
                raise RuntimeError(
                    "you can only change requires_grad flags of leaf variables. If you want to use a "
                    "computed variable in a subgraph that doesn't require differentiation use "
                    "var_no_grad = var.detach()."
                )
            self._node = None
            if self._early is not None:
                self._early = self._early.release()
        return self

    @property
    def grad(self) -> Any:
        """The gradient that ``backward`` has gathered, or None."""
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            check_grad(self, value)
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def grad_fn(self) -> Any:
        """The tape's node of the op that made the tensor, or None."""
        node = self._node
        if node.__class__ is tape.Port:
            return node.edges[0]  # type: ignore[union-attr]
        return None if node.__class__ is Leaf else node

    @property
    def output_nr(self) -> int:
        """Which result of its op the tensor is."""
        return getattr(self._node, "index", 0)

    @property
    def _version(self) -> int:
        """How often the memory was written in place; here a date, which grows with each write."""
        return (self if self._owner is None else self._owner)._written

    def _is_view(self) -> bool:
        """Tells whether the tensor is a view, whose ``_base`` then is another tensor."""
        return self._base is not None

    @property
    def data(self) -> Any:
        """The same memory without history; assigning gives the tensor other memory."""
        return wrap(self._data[...])

    @data.setter
    def data(self, value: Any) -> None:
        if not isinstance(value, TensorBase):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if self._node is not None and value._data.dtype.kind in "iub":
            raise RuntimeError(
                "data set to a tensor that requires gradients must be floating point or complex dtype"
            )
        self._data = value._data
        self._owner = None  # else it would keep the old memory alive
        if self._node.__class__ is Leaf:
            self._node.shape, self._node.dtype = value._data.shape, value._data.dtype  # type: ignore

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Adds the gradients of this tensor to the ``grad`` of the leaves; see `autograd.backward`."""
        calculus.backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def register_hook(self, hook: Any) -> Any:
        """Calls ``hook(grad)`` when the tensor's gradient is there; it may return another."""
        if self._node is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        return tape.hooks_of(self._node).add("tensor", hook)

    def register_post_accumulate_grad_hook(self, hook: Any) -> Any:
        """Calls ``hook(tensor)`` after a gradient was added to a leaf's ``grad``."""
        if self._node.__class__ is not Leaf:
            raise RuntimeError(
                "post accumulate grad hooks cannot be registered on non-leaf tensors"
            )
        return tape.hooks_of(self._node).add("accumulated", hook)

    def retain_grad(self) -> None:
        """Lets a tensor that is no leaf gather its gradient in ``grad`` too."""
        if self._node is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self._node.__class__ is not Leaf:
            tape.hooks_of(self._node).retain = tape.weakref.ref(self)

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called on a tensor that is no leaf."""
        hooks = getattr(self._node, "hooks", None)
        return hooks is not None and hooks.retain is not None

    def detach_(self) -> Any:
        """Makes the tensor forget its history."""
        if self._base is not None:
            raise RuntimeError(
                "Can't detach views in-place. Use detach() instead. If you are using "
                "DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as "
                "True, gradients are views of DDP buckets, and hence detach_() cannot be called on "
                "these gradients."
            )
        self._node = None
        return self

    # out of the library

    def item(self) -> Any:
        """Returns the only element as a Python number."""
        x = self._data
        try:
            value = x.item()
        except ValueError:
            message = f"a Tensor with {x.size} elements cannot be converted to Scalar"
            raise NotOneElement(message) from None
        if value.__class__ is tuple:  # a type of eight bits
            return host.decoded(x).item()
        if x.__class__ is not host.ndarray:
            backend_of(x).report()
        return value

    def tolist(self) -> Any:
        """Returns the elements as nested lists of Python numbers."""
        x = self._host()
        return (host.decoded(x) if host.is_float8(x.dtype) else x).tolist()

    def numpy(self, *, force: bool = False) -> Any:
        """Returns the elements as a NumPy array, which shares the memory of a CPU tensor.

        Raises RuntimeError for one that requires gradients, TypeError for one elsewhere; with
        ``force=True`` they are detached and copied.
        """
        if not force:
            if self._node is not None:
                raise RuntimeError(
                    "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() "
                    "instead."
                )
            if not self.is_cpu:
                raise TypeError(
                    f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() to "
                    "copy the tensor to host memory first."
                )
            if host.is_float8(self._data.dtype):
                name = _dtypes.scalar_type_name(self.dtype)
                raise TypeError(f"Got unsupported ScalarType {name}")
        return self._host()

    def _host(self) -> Any:
        return backend_of(self._data).to_host(self._data)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return host.converted(self.numpy(), dtype, copy)

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return creation.from_numpy(host.as_native(array))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _numpy().call_function(function, types, args, kwargs)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return _numpy().call_ufunc(ufunc, method, inputs, kwargs)

    def __dlpack__(self, **options: Any) -> Any:
        return self._data.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self._data.__dlpack_device__()

    def __bool__(self) -> bool:
        if self._data.size != 1:
            found = "more than one value" if self._data.size else "no values"
            raise RuntimeError(f"Boolean value of Tensor with {found} is ambiguous")
        try:
            return bool(self.item())
        except RuntimeError:  # vmap's arrays have words of their own for this
            return bool(self._data)

    def __int__(self) -> int:
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        if self._data.size != 1 or self._data.dtype.kind not in "iub":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self._data.item())

    def __len__(self) -> int:
        if not self._data.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self._data.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self._data.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter(shapes.unbind(self))

    def __reversed__(self: Any) -> Any:
        """Returns the tensor with its first dimension in the opposite order."""
        return self.flip(0) if self._data.ndim else self

    def __contains__(self, element: Any) -> bool:
        if isinstance(element, (TensorBase, int, float, complex)):
            return bool((self == element)._data.any())
        raise RuntimeError(
            f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}."
        )

    def __repr__(self, *, tensor_contents: str | None = None) -> str:
        return _printing().tensor_str(self, tensor_contents=tensor_contents)

    def _repr_html_(self) -> str:
        return _printing().tensor_html(self)

    def __format__(self, spec: str) -> str:
        if self._data.ndim == 0 and self._data.size and type(self) is Tensor:
            return format(self.item(), spec)
        return object.__format__(self, spec)

    __hash__ = object.__hash__

    def __dir__(self) -> list[str]:
        return sorted({*dir(type(self)), *vars(self)})

    # copies

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
                "protocol at the moment. If you were attempting to deepcopy a module, this may be "
                "because of a torch.nn.utils.weight_norm usage."
            )
        if id(self) in memo:
            return memo[id(self)]
        copied = _as_subclass(type(self), wrap(backend_of(self._data).copy(self._data)))
        copied._node = None if self._node is None else Leaf(copied)
        memo[id(self)] = copied
        if self._grad is not None:
            copied._grad = deepcopy(self._grad, memo)
        for name, value in vars(self).items():
            if not name.startswith("_"):
                copied.__dict__[name] = deepcopy(value, memo)
        return copied

    def __reduce_ex__(self, protocol: Any) -> Any:
        extra = {n: v for n, v in vars(self).items() if not n.startswith("_")}
        if self.is_sparse:
            parts = self._indices(), self._values(), self.shape, self.is_coalesced()
            return _rebuilt_sparse, (type(self), parts, self.requires_grad, extra)
        array = host.as_native(self._host())
        return _rebuilt, (
            type(self),
            array,
            self.dtype.name,
            str(self.device),
            self.requires_grad,
            extra,
        )

    clone = conversion.clone
    detach = shapes.detach
    contiguous = conversion.contiguous
    is_contiguous = conversion.is_contiguous
    to = conversion.to
    type_as = conversion.type_as

    def cpu(self, memory_format: Any = None) -> Any:
        """Returns the tensor on the CPU; itself if it is there."""
        here = memory_format is None and self._data.__class__ is host.ndarray
        return self if here else conversion.to(self, "cpu", memory_format=memory_format)

    def cuda(
        self, device: Any = None, non_blocking: bool = False, memory_format: Any = None
    ) -> Any:
        """Returns the tensor on a CUDA or ROCm device, the current one unless another is named."""
        place = conversion.of_type("cuda", device)
        return conversion.to(self, place, non_blocking=non_blocking, memory_format=memory_format)

    def xpu(self, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Any:
        """Returns the tensor on an Intel device, the current one unless another is named."""
        place = conversion.of_type("xpu", device)
        return conversion.to(self, place, non_blocking=non_blocking, memory_format=memory_format)

    bool = conversion.astype("bool")
    byte = conversion.astype("uint8")
    char = conversion.astype("int8")
    short = conversion.astype("int16")
    int = conversion.astype("int32")
    long = conversion.astype("int64")
    half = conversion.astype("float16")
    bfloat16 = conversion.astype("bfloat16")
    float = conversion.astype("float32")
    double = conversion.astype("float64")
    cfloat = conversion.astype("complex64")
    cdouble = conversion.astype("complex128")

    def type(self, dtype: Any = None, non_blocking: Any = False) -> Any:
        """Returns the tensor as another dtype, or without one the name of PyTorch's tensor type."""
        if dtype is None:
            kind = self.device.type
            prefix = "torch" if kind in ("cpu", "meta") else f"torch.{kind}"
            prefix += ".sparse" if self.is_sparse else ""
            return f"{prefix}.{_dtypes.scalar_type_name(self.dtype)}Tensor"
        if isinstance(dtype, _dtypes.dtype):
            return conversion.to(self, dtype, non_blocking=non_blocking)
        return conversion.to(
            self, _device.place_of_type(dtype), _dtypes.of_type(dtype), non_blocking
        )

    def new_tensor(self, data: Any, *, dtype: Any = None, device: Any = None,
                   requires_grad: Any = False, layout: Any = None,
                   pin_memory: Any = False) -> Any:  # fmt: skip
        """Returns a new tensor with this one's dtype and device unless others are given."""
        check_layout("new_tensor", layout)
        return creation.tensor(data, dtype=dtype or self.dtype, device=device or self.device,
                               requires_grad=requires_grad)  # fmt: skip

    new_zeros, new_ones = newcomers.new_zeros, newcomers.new_ones
    new_empty, new_full = newcomers.new_empty, newcomers.new_full


def _printing() -> Any:
    """How tensors are shown, loaded when the first one is."""
    return import_module("._printing", __package__)


def _numpy() -> Any:
    """What serves NumPy's functions, loaded when the first one is called."""
    return import_module("._numpy", __package__)


def _as_subclass(cls: Any, tensor: Any) -> Any:
    if tensor.__class__ is not cls:
        tensor.__class__ = cls
        _intercept.notice(cls)
    return tensor


def _rebuilt(cls: Any, array: Any, name: str, where: str, requires_grad: Any, extra: Any) -> Any:
    """Restores a pickled tensor."""
    tensor = _as_subclass(cls, conversion.to(wrap(host.viewed(array, name)), where))
    tensor.__dict__.update(extra)
    return tensor.requires_grad_() if requires_grad else tensor


def _rebuilt_sparse(cls: Any, parts: Any, requires_grad: Any, extra: Any) -> Any:
    """Restores a pickled sparse tensor."""
    tensor = _as_subclass(cls, loaded("sparse:restored")(*parts))
    tensor.__dict__.update(extra)
    return tensor.requires_grad_() if requires_grad else tensor


tape.adopt(Tensor)
engine.adopt_ops(OPS)
