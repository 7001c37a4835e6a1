"""Programs that import torch and get arraytorch: the runner, and the context manager."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

import arraytorch

ROOT = Path(arraytorch.__file__).parent.parent


def run(*arguments, cwd=None):
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-m", "arraytorch", *arguments],
        capture_output=True, text=True, cwd=cwd, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip


PROGRAM = """
import pickle, sys
import torch, torch.nn as nn, torch.nn.functional as F
import torch.optim as optim
from torch.utils.data import DataLoader, TensorDataset
from torch.optim.lr_scheduler import StepLR
import helper

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)
    def forward(self, x):
        return self.layer(F.relu(x))

torch.manual_seed(0)
net = Net()
optimizer = optim.SGD(net.parameters(), lr=0.1)
schedule = StepLR(optimizer, 1)
for (x,) in DataLoader(TensorDataset(torch.ones(4, 2)), batch_size=2):
    optimizer.zero_grad()
    loss = net(x).pow(2).mean()
    loss.backward()
    optimizer.step()
schedule.step()
copy = pickle.loads(pickle.dumps(net))
assert type(copy) is Net and Net.__module__ == "__main__" == __name__
assert copy.layer.weight.equal(net.layer.weight)
assert helper.torch is torch
import arraytorch
for name, module in sys.modules.items():
    if name.split(".")[0] == "torch":
        assert module is sys.modules[module.__spec__.name]
assert torch is arraytorch and nn is arraytorch.nn and F is arraytorch.nn.functional
assert torch.__version__ >= "2.2" and torch.__version__ >= (2, 13)
assert tuple(map(int, torch.__version__.split(".")[:2])) == (2, 13)
print(round(loss.item(), 4), sys.argv, __file__)
"""


def test_a_script_runs_as_it_is(tmp_path):
    """With its folder on the path, its arguments, its file, and its classes where pickle looks."""
    script = tmp_path / "train.py"
    script.write_text(PROGRAM)
    (tmp_path / "helper.py").write_text("import torch")
    done = run("train.py", "--lr", "1", cwd=tmp_path)
    assert done.stderr == ""
    assert done.stdout == f"0.0069 ['train.py', '--lr', '1'] {script}\n"


def test_a_module_runs_as_it_is(tmp_path):
    package = tmp_path / "made"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "part.py").write_text("import torch\nvalue = torch.ones(2)")
    (package / "__main__.py").write_text(
        "import sys\nfrom .part import value\nprint(value, sys.argv[1:], __name__, __package__)"
    )
    done = run("-m", "made", "x", cwd=tmp_path)
    assert done.stderr == ""
    assert done.stdout == "tensor([1., 1.]) ['x'] __main__ made\n"
    missing = run("-m", "nothing_of_that_name", cwd=tmp_path)
    assert missing.returncode == 1
    assert missing.stderr == "python -m arraytorch: No module named nothing_of_that_name\n"


def test_tracebacks_begin_in_the_script(tmp_path):
    script = tmp_path / "fails.py"
    script.write_text("import torch\n\ndef f():\n    torch.nothing\n\nf()\n")
    done = run(str(script))
    lines = done.stderr.splitlines()
    assert done.returncode == 1
    assert lines[:2] == [
        "Traceback (most recent call last):", f'  File "{script}", line 6, in <module>',
    ]  # fmt: skip
    assert "__main__.py" not in done.stderr and "runpy" not in done.stderr
    assert lines[-1].startswith("AttributeError: module 'arraytorch' has no attribute 'nothing'")


def test_exit_codes_and_usage(tmp_path):
    script = tmp_path / "exits.py"
    script.write_text("raise SystemExit(7)")
    assert run(str(script)).returncode == 7
    script.write_text("x = = 1")
    assert f'  File "{script}", line 1' in run(str(script)).stderr.splitlines()[0]
    assert run().stderr.startswith("usage: python -m arraytorch script.py")
    absent = run("absent.py")
    assert absent.returncode == 2 and "can't open file 'absent.py'" in absent.stderr


def test_the_context_manager_leaves_no_trace():
    """Whoever imported PyTorch before finds it again afterwards."""
    before = {"torch": types.ModuleType("torch"), "torch.nn": types.ModuleType("torch.nn")}
    kept = {name: sys.modules.pop(name) for name in before if name in sys.modules}
    sys.modules.update(before)
    finders, version = list(sys.meta_path), arraytorch.__version__
    try:
        with arraytorch.as_torch() as torch, arraytorch.as_torch() as inner:
            assert torch is inner is arraytorch
            assert importlib.import_module("torch.nn") is arraytorch.nn
            assert importlib.metadata.version("torch") == "2.13.0"
            assert arraytorch.__version__ != version
        assert {n: sys.modules.get(n) for n in before} == before
        assert sys.meta_path == finders and arraytorch.__version__ == version
    finally:
        for name in before:
            del sys.modules[name]
        sys.modules.update(kept)


def test_without_it_torch_is_not_there():
    """Libraries such as array-api-compat look in sys.modules to tell whose array they have."""
    code = "import sys, arraytorch.nn\nwith arraytorch.as_torch():\n    import torch.optim\n"
    code += "print([n for n in sys.modules if n.startswith('torch')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_what_is_missing_says_so():
    with arraytorch.as_torch():
        with pytest.raises(
            ModuleNotFoundError, match=r"No module named 'torch.nn.nothing'.*has no"
        ):
            importlib.import_module("torch.nn.nothing")
        with pytest.raises(ModuleNotFoundError, match="No module named 'torch.nn.init.x'"):
            importlib.import_module("torch.nn.init.x")
        with pytest.raises(
            ImportError, match="cannot import name 'nothing' from 'torch' .*arraytorch"
        ):
            exec("from torch import nothing")


def test_versions_compare_by_their_numbers():
    with arraytorch.as_torch() as torch:
        version = torch.__version__
    assert version > "2.2" and version >= "2.13" and not version < (2, 13) and version <= "3"
    assert version == str(version) and hash(version) == hash(str(version))
    assert version != (2, 13) and (version > (2, 12, 1)) is True


def test_the_package_goes_by_the_name_of_torch():
    """Only while it stands in for torch; libraries compare the name."""
    with arraytorch.as_torch() as torch:
        assert torch.__name__ == "torch" and torch.quantile is arraytorch.quantile
    assert arraytorch.__name__ == "arraytorch"


NAMES = [
    "__config__.show",
    "autograd.profiler.profile",
    "autograd.variable.Variable",
    "distributed.rpc.is_available",
    "distributed.optim.ZeroRedundancyOptimizer",
    "functional.einsum",
    "futures.Future",
    "jit.ScriptModule",
    "jit.ScriptFunction",
    "multiprocessing.spawn",
    "nn.parallel.scatter_gather.gather",
    "onnx.is_in_onnx_export",
    "serialization.MAP_LOCATION",
    "types.Number",
    "utils.data._utils.collate.default_collate",
    "utils.model_zoo.load_url",
    "_tensor_str.PRINT_OPTS",
    "distributions.utils._standard_normal",
]


@pytest.mark.parametrize("name", NAMES)
def test_modules_that_libraries_import(name):
    """They are found as submodules of torch, by import alone."""
    module, _, value = name.rpartition(".")
    with arraytorch.as_torch():
        assert hasattr(importlib.import_module(f"torch.{module}"), value)


def test_parts_for_several_devices_and_back():
    from arraytorch.nn.parallel.scatter_gather import gather, scatter

    x = arraytorch.arange(6).reshape(3, 2)
    parts = scatter({"x": x, "n": [x, 1]}, ["cpu", "cpu"])
    assert [p["x"].tolist() for p in parts] == [[[0, 1], [2, 3]], [[4, 5]]]
    assert parts[1]["n"][0].tolist() == [[4, 5]] and parts[0]["n"][1] == 1
    together = gather([{"x": p["x"]} for p in parts], "cpu")
    assert together["x"].equal(x) and gather([None, None], "cpu") is None
    assert gather([(x.sum(), x), (x.sum(), x)], "cpu")[0].tolist() == [15, 15]


def test_classes_of_what_is_not_scripted():
    """Nothing is an instance, and functions cannot be made ones."""
    jit = arraytorch.jit
    assert issubclass(jit.ScriptModule, arraytorch.nn.Module)
    with pytest.raises(RuntimeError, match="functions are not scripted"):
        jit.ScriptFunction()
    with pytest.raises(RuntimeError, match="processes that communicate"):
        importlib.import_module("arraytorch.distributed.optim").ZeroRedundancyOptimizer()
