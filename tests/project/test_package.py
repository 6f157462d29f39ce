"""What is published: built, looked into, and installed into an environment of its own."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import nango_jupyter

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "nango_jupyter"
CELLS = """
import os
from pathlib import Path
import nango_jupyter
from nango_jupyter.widgets import look
os.environ["TOKEN"] = "crm-demo-token"
%load_ext nango_jupyter
%nango_connect --local
%nango_register crm ada --token-env TOKEN
found = %nango_trigger crm list-contacts ada {"city": "Berlin"}
assert len(found["contacts"]) > 1
assert "<style>" in found._repr_mimebundle_()["text/html"]
assert "<style>" in look.style().value
%nango_close
assert "site-packages" in nango_jupyter.__file__
print("fine")
"""


def uv(*arguments: str) -> None:
    """Run this environment's uv."""
    command = [sys.executable, "-m", "uv", "--quiet", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a source distribution, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--out-dir", str(folder))
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    [found] = built.glob("*.whl")
    return found


def test_everything_of_the_package_is_inside(built: Path, wheel: Path) -> None:
    ours = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and not {"__pycache__", ".nango-jupyter"} & set(path.parts)
    }
    assert {Path(name).suffix for name in ours} >= {".typed", ".j2", ".css", ".yaml", ".json"}
    version = nango_jupyter.__version__
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(f"nango_jupyter-{version}.dist-info/METADATA").decode()
    assert ours <= names
    assert {name.partition("/")[0] for name in names} == {
        *("nango_jupyter", f"nango_jupyter-{version}.dist-info"),
    }
    assert "\nLicense-Expression: BSD-3-Clause\n" in metadata
    [source] = built.glob("*.tar.gz")
    with tarfile.open(source) as tar:
        packed = {name.partition("/")[2] for name in tar.getnames()}
    assert ours | {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml"} <= packed
    assert not [name for name in packed if name.startswith((".venv", "build/", ".git/"))]


def test_it_works_where_it_is_installed(wheel: Path, tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    uv("venv", "--python", sys.executable, str(tmp_path / "venv"))
    uv("pip", "install", "--python", str(python), f"{wheel}[local]")
    (tmp_path / "cells.ipy").write_text(CELLS)
    variables = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython")}
    variables.pop("PYTHONPATH", None)
    done = subprocess.run(
        [python, "-m", "IPython", "--no-banner", "cells.ipy"],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stdout.strip().endswith("fine"), done.stdout + done.stderr
    told = subprocess.run(
        [python.with_name("nango-jupyter"), "--version"], capture_output=True, text=True, check=True
    )
    assert nango_jupyter.__version__ in told.stdout
