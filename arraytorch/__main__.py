"""Runs a program that was written for PyTorch: ``python -m arraytorch script.py [arguments]``."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from types import CodeType, ModuleType, TracebackType

from ._alias import install

USAGE = "usage: python -m arraytorch script.py [arguments]\n       python -m arraytorch -m module [arguments]"


def main() -> None:
    """Runs the script or module that the command line names, as Python itself would."""
    arguments = sys.argv[1:]
    if arguments[:1] in (["-h"], ["--help"]):
        print(USAGE)
        return
    if not arguments or arguments == ["-m"] or (arguments[0] != "-m" and arguments[0][0] == "-"):
        sys.exit(USAGE)
    sys.excepthook = _WithoutRunner(sys.excepthook)
    program = ModuleType("__main__")
    program.__dict__["__builtins__"] = __builtins__
    install()  # for good: what runs at exit may import torch too
    if arguments[0] == "-m":
        code = _prepare_module(program, arguments[1])
        sys.argv[:] = [program.__file__ or "", *arguments[2:]]
    else:
        sys.argv[:] = arguments
        code = _prepare_script(program, arguments[0])
    # Classes of the program say that they are of __main__, and pickle looks for them there.
    sys.modules["__main__"] = program
    exec(code, program.__dict__)


def _prepare_script(program: ModuleType, path: str) -> CodeType:
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        print(f"python -m arraytorch: can't open file '{path}': {error}", file=sys.stderr)
        sys.exit(2)
    program.__file__ = os.path.abspath(path)
    program.__spec__ = None
    sys.path[0] = os.path.dirname(os.path.realpath(path))
    return compile(source, program.__file__, "exec", dont_inherit=True)


def _prepare_module(program: ModuleType, name: str) -> CodeType:
    spec = find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = find_spec(f"{name}.__main__")
    get_code = getattr(spec.loader, "get_code", None) if spec is not None else None
    code = get_code(spec.name) if spec is not None and get_code is not None else None
    if spec is None or code is None:
        sys.exit(f"python -m arraytorch: No module named {name}")
    program.__file__ = spec.origin
    program.__spec__ = spec
    program.__loader__ = spec.loader
    program.__package__ = spec.parent
    return code


class _WithoutRunner:
    """An excepthook that leaves this file's frames, and those below it, out of the traceback."""

    def __init__(self, show: object) -> None:
        self.show = show

    def __call__(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        own = {__file__, "<frozen runpy>"}
        while trace is not None and trace.tb_frame.f_code.co_filename in own:
            trace = trace.tb_next
        self.show(kind, error.with_traceback(trace), trace)  # type: ignore[operator]


if __name__ == "__main__":
    main()
