"""A reader of pickles that never runs what a file says.

Pickle is a small stack machine. This one knows its data instructions; a name is looked up in a
fixed table instead of being imported, and a call is made only if that table says what it does.
"""

from __future__ import annotations

import pickletools
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import Counter, OrderedDict
from collections.abc import Callable
from pickle import UnpicklingError
from typing import IO, Any

from .._size import Size
from .._tensor import Tensor
from ..nn.parameter import Parameter
from . import rebuild
from .allowed import BLOCKED, REBUILD, Entry, find, users_class


class Unpickler:
    """Reads one object of a file; ``persistent_load`` turns a storage's description into it."""

    def __init__(
        self, file: IO[bytes], persistent_load: Callable[[Any], Any], encoding: str = "utf-8"
    ) -> None:
        self._file, self._persistent_load, self._encoding = file, persistent_load, encoding
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._calls: dict[int, tuple[Any, Any]] = {}  # by identity: a file cannot forge that
        self._protocol = 0
        self._failure: Exception | None = None  # of persistent_load: not the pickle's

    def load(self) -> Any:
        """Returns the object.

        Raises pickle.UnpicklingError for all that is not allowed, not known or not whole.
        """
        actions = {name: getattr(self, method) for name, method in _METHODS.items()}
        try:
            for opcode, argument, _ in pickletools.genops(self._file):
                if opcode.name == "STOP":
                    break
                if opcode.name in _CONSTANTS:
                    self._stack.append(_CONSTANTS[opcode.name]())
                elif opcode.name in actions:
                    actions[opcode.name](argument)
                else:
                    raise UnpicklingError(f"Unsupported operand {opcode.name}")
            return self._stack.pop()
        except UnpicklingError:
            raise
        except Exception as error:
            if error is self._failure or isinstance(error, (RecursionError, MemoryError)):
                raise
            # Whatever a nonsensical file makes fail: an empty stack, a missing memo, bad text.
            detail = f"{type(error).__name__}: {error}"
            raise UnpicklingError(f"the pickle is damaged or truncated ({detail})") from error

    # names and calls

    def _global(self, full: str) -> None:
        module, _, name = full.partition(" ")
        self._stack.append(self._named(module, name))

    def _stack_global(self, _: None) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if type(name) is not str or type(module) is not str:
            raise UnpicklingError("the file names a global by something other than text")
        self._stack.append(self._named(module, name))

    def _named(self, module: str, name: str) -> Any:
        if self._protocol < 3:  # written with the names of Python 2
            module, name = NAME_MAPPING.get((module, name), (module, name))
            module = IMPORT_MAPPING.get(module, module)
        entry = self._find(module, name)
        if entry.call is not None:
            self._calls[id(entry.value)] = entry.value, entry.call
        return entry.value

    def _find(self, module: str, name: str) -> Entry:
        full = f"{module}.{name}"
        if (top := full.partition(".")[0]) in BLOCKED:
            raise UnpicklingError(
                f"Trying to load unsupported GLOBAL {full} whose module {top} is blocked."
            )
        entry = find(full)
        if entry is None:
            short = full.removeprefix("builtins.")
            raise UnpicklingError(
                f"Unsupported global: GLOBAL {short} was not an allowed global by default. Please use "
                f"`serialization.add_safe_globals([{short}])` or the "
                f"`serialization.safe_globals([{short}])` context manager to allowlist this global "
                "if you trust this class/function."
            )
        return entry

    def _reduce(self, _: None) -> None:
        arguments = self._stack.pop()
        function = self._stack[-1]
        self._stack[-1] = self._call(function, arguments)

    def _call(self, function: Any, arguments: Any) -> Any:
        _, call = self._calls.get(id(function), (None, None))
        if call is None:
            raise UnpicklingError(f"Trying to call reduce for unrecognized function {function!r}")
        if type(arguments) is not tuple:
            raise UnpicklingError("the file calls a function with something other than a tuple")
        if call is rebuild._rebuild_from_type_v2:
            self._check_type(*arguments)
        return call(*arguments)

    def _check_type(self, function: Any, new_type: Any, arguments: Any, state: Any) -> None:
        if not any(function is entry.value for entry in REBUILD.values()):
            raise UnpicklingError(f"Trying to call reduce for unrecognized function {function!r}")
        if not (new_type is Tensor or new_type is Parameter or users_class(new_type)):
            raise UnpicklingError(f"the file makes a tensor of the type {new_type!r}")

    def _newobj(self, _: None) -> None:
        arguments, kind = self._stack.pop(), self._stack.pop()
        self._stack.append(self._new(kind, arguments, {}))

    def _newobj_ex(self, _: None) -> None:
        keywords, arguments, kind = self._stack.pop(), self._stack.pop(), self._stack.pop()
        self._stack.append(self._new(kind, arguments, keywords))

    def _new(self, kind: Any, arguments: Any, keywords: Any) -> Any:
        if isinstance(kind, type) and users_class(kind):
            return kind.__new__(kind, *arguments, **keywords)
        if keywords or not any(kind is k for k in (OrderedDict, Counter, set, Size)):
            raise UnpicklingError(
                "Can only create new object for classes allowlisted via `add_safe_globals` "
                f"but got {kind!r}"
            )
        return self._call(kind, arguments)

    def _build(self, _: None) -> None:
        state = self._stack.pop()
        obj = self._stack[-1]
        kind = type(obj)
        if kind is OrderedDict or kind is Parameter:
            rebuild.set_state(obj, state)
        elif not users_class(kind):
            raise UnpicklingError(
                "Can only build Parameter, OrderedDict or types allowlisted "
                f"via `add_safe_globals`, but got {kind}"
            )
        elif hasattr(obj, "__setstate__"):
            obj.__setstate__(state)
        else:
            plain, slots = state if type(state) is tuple and len(state) == 2 else (state, None)
            obj.__dict__.update(plain or {})
            for name, value in (slots or {}).items():
                setattr(obj, name, value)

    def _persistent(self, _: None) -> None:
        spec = self._stack.pop()
        if type(spec) is not tuple or not spec:
            raise UnpicklingError(f"persistent_load id must be tuple, but got {type(spec)}")
        try:
            self._stack.append(self._persistent_load(spec))
        except Exception as error:
            self._failure = error
            raise

    # containers

    def _mark(self, _: None) -> None:
        self._marks.append(self._stack)
        self._stack = []

    def _pop_mark(self) -> list[Any]:
        items = self._stack
        self._stack = self._marks.pop()
        return items

    def _target(self, *kinds: type) -> Any:
        target = self._stack[-1]
        if type(target) not in kinds and not users_class(type(target)):
            raise UnpicklingError(f"the file adds elements to an object of {type(target)}")
        return target

    def _extend(self, items: list[Any]) -> None:
        target = self._target(list)
        target.extend(items) if type(target) is list else [target.append(i) for i in items]

    def _set_items(self, items: list[Any]) -> None:
        target = self._target(dict, OrderedDict, Counter)
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[key] = value

    def _add_items(self, _: None) -> None:
        items = self._pop_mark()
        self._target(set).update(items)

    def _append(self, _: None) -> None:
        self._extend([self._stack.pop()])

    def _appends(self, _: None) -> None:
        self._extend(self._pop_mark())

    def _set_item(self, _: None) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set_items([key, value])

    def _set_many(self, _: None) -> None:
        self._set_items(self._pop_mark())

    def _dict(self, _: None) -> None:
        items = self._pop_mark()
        self._stack.append(dict(zip(items[::2], items[1::2], strict=True)))

    def _list(self, _: None) -> None:
        self._value(self._pop_mark())

    def _frozenset(self, _: None) -> None:
        self._value(frozenset(self._pop_mark()))

    def _tuple(self, _: None) -> None:
        self._value(tuple(self._pop_mark()))

    def _tuple1(self, _: None) -> None:
        self._tuple_of(1)

    def _tuple2(self, _: None) -> None:
        self._tuple_of(2)

    def _tuple3(self, _: None) -> None:
        self._tuple_of(3)

    def _tuple_of(self, count: int) -> None:
        if len(self._stack) < count:
            raise UnpicklingError("the pickle is damaged: its stack is empty")
        self._stack[-count:] = [tuple(self._stack[-count:])]

    # the rest

    def _value(self, argument: Any) -> None:
        self._stack.append(argument)

    def _text_of_python2(self, argument: str) -> None:
        raw = argument.encode("latin-1")
        self._stack.append(raw if self._encoding == "bytes" else raw.decode(self._encoding))

    def _put(self, index: int) -> None:
        self._memo[index] = self._stack[-1]

    def _memoize(self, _: None) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _get(self, index: int) -> None:
        self._stack.append(self._memo[index])

    def _pop(self, _: None) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._pop_mark()

    def _drop_to_mark(self, _: None) -> None:
        self._pop_mark()

    def _dup(self, _: None) -> None:
        self._value(self._stack[-1])

    def _frame(self, _: int) -> None:
        """Frames only help readers that read ahead."""

    def _proto(self, version: int) -> None:
        if version > 5:
            raise UnpicklingError(f"unsupported pickle protocol: {version}")
        self._protocol = version


_VALUES = (
    "INT", "LONG", "FLOAT", "UNICODE", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT",
    "SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8",
    "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8",
)  # fmt: skip
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
}
_METHODS = {
    **dict.fromkeys(_VALUES, "_value"),
    **dict.fromkeys(("STRING", "SHORT_BINSTRING", "BINSTRING"), "_text_of_python2"),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), "_put"),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), "_get"),
    "PROTO": "_proto",
    "FRAME": "_frame",
    "MEMOIZE": "_memoize",
    "MARK": "_mark",
    "POP": "_pop",
    "POP_MARK": "_drop_to_mark",
    "DUP": "_dup",
    "TUPLE": "_tuple",
    "TUPLE1": "_tuple1",
    "TUPLE2": "_tuple2",
    "TUPLE3": "_tuple3",
    "LIST": "_list",
    "DICT": "_dict",
    "FROZENSET": "_frozenset",
    "APPEND": "_append",
    "APPENDS": "_appends",
    "SETITEM": "_set_item",
    "SETITEMS": "_set_many",
    "ADDITEMS": "_add_items",
    "GLOBAL": "_global",
    "STACK_GLOBAL": "_stack_global",
    "REDUCE": "_reduce",
    "NEWOBJ": "_newobj",
    "NEWOBJ_EX": "_newobj_ex",
    "BUILD": "_build",
    "BINPERSID": "_persistent",
}


class Scanner(Unpickler):
    """Follows a pickle without making anything: every name and call is a placeholder.

    ``globals`` are the names met. Storage types are looked up, so that ``persistent_load`` learns
    what it needs.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.globals: set[str] = set()

    def _find(self, module: str, name: str) -> Entry:
        full = f"{module}.{name}"
        self.globals.add(full)
        return (find(full) if name.endswith("Storage") else None) or _NOTHING

    def _call(self, function: Any, arguments: Any) -> Any:
        return _PLACEHOLDER

    def _new(self, kind: Any, arguments: Any, keywords: Any) -> Any:
        return _PLACEHOLDER

    def _build(self, _: None) -> None:
        self._stack.pop()

    def _extend(self, items: list[Any]) -> None:
        return

    def _set_items(self, items: list[Any]) -> None:
        return

    def _add_items(self, _: None) -> None:
        self._pop_mark()

    def _dict(self, _: None) -> None:
        self._pop_mark()
        self._value(_PLACEHOLDER)

    def _frozenset(self, _: None) -> None:
        self._dict(None)


_PLACEHOLDER = object()
_NOTHING = Entry(_PLACEHOLDER)
