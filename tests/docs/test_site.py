"""The site: it is built without a warning, and its reference has everything that has a name."""

import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

import nango_jupyter
from nango_jupyter.server.cli import main
from tests.docs.blocks import ROOT

# In a process of its own: Sphinx and what it imports warn of themselves. All pages are read and
# every link is looked up, but no HTML is written; `make docs` does that.
BUILD = """
import json
import sys
from IPython.core.interactiveshell import InteractiveShell
from sphinx.application import Sphinx

source, target = sys.argv[1:]
app = Sphinx(source, source, target, target, "dummy", status=None, warningiserror=True)
app.build()
shell = InteractiveShell.instance()
shell.extension_manager.load_extension("nango_jupyter")
magics = {name for kind in shell.magics_manager.magics.values() for name in kind}
json.dump({
    "status": app.statuscode,
    "objects": sorted(app.env.domains["py"].objects),
    "labels": sorted(app.env.domains["std"].anonlabels),
    "magics": sorted(name for name in magics if name.startswith("nango")),
}, sys.stdout)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Any:
    target = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(ROOT / "docs"), str(target)],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    # Among the warnings are links that lead nowhere, and names that are no names.
    assert found["status"] == 0, done.stderr
    return found


def test_every_public_name_is_in_the_reference(site: Any) -> None:
    names = {f"nango_jupyter.{name}" for name in nango_jupyter.__all__}
    assert names - set(site["objects"]) == set()
    assert "nango_jupyter.Nango.trigger_action" in site["objects"]


def test_every_magic_is_in_the_reference(site: Any) -> None:
    assert len(site["magics"]) > 5
    assert {f"magic-{name}" for name in site["magics"]} - set(site["labels"]) == set()


def test_every_command_is_in_the_reference(site: Any) -> None:
    commands = main.list_commands(click.Context(main))
    assert "serve" in commands
    assert {f"command-{name}" for name in commands} - set(site["labels"]) == set()


def test_a_notebook_is_shown_as_it_was_executed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
    tutorials = import_module("tutorials")

    widget = {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "Panel(…)"}
    cells = [
        {"cell_type": "markdown", "source": ["[more](../docs/how-to/", "forms.md)"]},
        {"cell_type": "code", "source": "f", "outputs": [{"data": widget}]},
    ]
    for folder, found in (("notebooks", []), ("build/notebooks", cells)):
        path = tmp_path / folder / "01_one.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"cells": found}))
    (tmp_path / "notebooks/02_two.ipynb").write_text('{"cells": []}')
    target = tmp_path / "site"
    target.mkdir()
    (target / "03_gone.ipynb").write_text("{}")
    tutorials.copy(tmp_path, target)
    assert sorted(path.name for path in target.iterdir()) == ["01_one.ipynb", "02_two.ipynb"]
    text, form = json.loads((target / "01_one.ipynb").read_text())["cells"]
    assert text["source"] == "[more](../how-to/forms.md)"
    assert "a running notebook shows the form" in form["outputs"][0]["data"]["text/html"]


def test_a_link_to_a_notebook_leads_there_in_the_repository_and_on_the_site(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
    tutorials = import_module("tutorials")

    for name in ("how-to/index.md", "tutorials/index.md"):
        path = ROOT / "docs" / name
        content = [path.read_text(encoding="utf-8")]
        linked = re.findall(r"\]\((\S+\.ipynb)\)", content[0])
        assert linked
        assert [one for one in linked if not (path.parent / one).exists()] == []
        tutorials.link(None, name, content)
        assert all(f"](../tutorials/{Path(one).name})" in content[0] for one in linked)
