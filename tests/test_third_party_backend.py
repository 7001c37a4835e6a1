"""The backend printed in docs/backends.md, installed as a third party's package would be."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A folder with the module and the metadata that installing it would have written."""
    text = (ROOT / "docs" / "backends.md").read_text("utf-8")
    folder = tmp_path_factory.mktemp("site")
    module = re.search(r'```python\n("""chalk.py.*?)```', text, re.DOTALL)
    points = re.search(r"\[project.entry-points.(.*?)```", text, re.DOTALL)
    (folder / "chalk.py").write_text(module[1])
    metadata = folder / "chalk-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: chalk\nVersion: 1.0\n")
    group, entry = re.search(r'"(.*)"\]\n(.*)', points[1]).groups()
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{entry}\n".replace('"', ""))
    return folder


def run(package: Path, code: str) -> str:
    """What a fresh interpreter prints that finds the package."""
    path = os.pathsep.join([str(package), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", "import arraytorch as torch\n" + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_device_is_found_by_its_entry_point(package):
    """Naming the device loads the backend, and not before."""
    printed = run(
        package,
        """
        import sys
        print("chalk" in sys.modules)
        x = torch.ones(2, device="chalk")
        print(x.device, type(x._data).__name__, "chalk" in sys.modules)
        print("slates" in torch.backends.show())
        """,
    )
    assert printed.splitlines() == ["False", "chalk:0 Slate True", "True"]


def test_gradients_stay_on_the_device(package):
    """Forward, backward and higher derivatives run on the backend's own arrays."""
    printed = run(
        package,
        """
        x = torch.tensor([1.0, 2.0, 3.0], device="chalk", requires_grad=True)
        (first,) = torch.autograd.grad((x * x * x).sum(), x, create_graph=True)
        first.sum().backward()
        print(x.grad.tolist(), x.grad.device, type(x.grad._data).__name__)
        """,
    )
    assert printed.split("\n")[0] == "[6.0, 12.0, 18.0] chalk:0 Slate"


def test_a_model_trains_there(package):
    """A network moved to the device follows the one on the CPU."""
    run(
        package,
        """
        from arraytorch import nn

        def losses(where):
            torch.manual_seed(0)
            model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).to(where)
            optimizer = torch.optim.Adam(model.parameters())
            x, y = torch.randn(5, 4).to(where), torch.tensor([0, 1, 2, 1, 0]).to(where)
            for _ in range(3):
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(model(x), y)
                loss.backward()
                optimizer.step()
                yield loss.item()

        there, here = list(losses("chalk")), list(losses("cpu"))
        assert all(abs(a - b) < 1e-6 for a, b in zip(there, here, strict=True)), (there, here)
        """,
    )


def test_seed_counts_for_devices_named_later(package):
    """A device without a generator of its own gives the CPU's numbers for the same seed."""
    run(
        package,
        """
        torch.manual_seed(5)
        drawn = torch.rand(3), torch.randn(20), torch.randint(9, (4,)), torch.randperm(6)
        torch.manual_seed(5)
        there = (
            torch.rand(3, device="chalk"),
            torch.randn(20, device="chalk"),
            torch.randint(9, (4,), device="chalk"),
            torch.randperm(6, device="chalk"),
        )
        for x, y in zip(drawn, there, strict=True):
            assert y.device.type == "chalk" and torch.equal(x, y.cpu()), (x, y)
        """,
    )


def test_devices_do_not_mix(package):
    """Tensors of two devices in one operation are an error, as in PyTorch."""
    printed = run(
        package,
        """
        try:
            torch.ones(2) + torch.ones(2, device="chalk")
        except RuntimeError as error:
            print(error)
        """,
    )
    assert "Expected all tensors to be on the same device" in printed


def test_unknown_devices_are_refused(package):
    """A device that no entry point names is PyTorch's RuntimeError."""
    code = """
    try:
        torch.ones(2, device="ochre")
    except RuntimeError as error:
        print(error)
    """
    assert "device string: ochre" in run(package, code)
