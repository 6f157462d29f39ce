"""What the rehearsal would fail for."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import binder_dockerfile
import binder_jupyter
import binder_memory
import binder_notebooks
import binder_python
import binder_rehearsal
import binder_requirements
import binder_sandbox
import pytest

BINDER = Path(__file__).parent.parent.parent / "binder"
DOCKERFILE = """Building conda environment for python=3.12

RUN apt-get -qq update && \\
apt-get install --yes --no-install-recommends rabbitmq-server && \\
USER ${NB_USER}
RUN ${KERNEL_PYTHON_PREFIX}/bin/pip install --no-cache-dir -r "binder/requirements.txt"
RUN ./binder/postBuild
ENV R2D_ENTRYPOINT="${REPO_DIR}/binder/start"
"""


def test_the_dockerfile_has_all_of_binder() -> None:
    version = binder_python.wanted_version(BINDER / "runtime.txt")
    assert binder_dockerfile.check_dockerfile(DOCKERFILE, BINDER, version) == []


@pytest.mark.parametrize(
    "lost", ["python=3.12", "rabbitmq-server", "requirements", "postBuild", "start", "NB_USER"]
)
def test_what_the_dockerfile_lacks_is_a_failure(lost: str) -> None:
    changed = DOCKERFILE.replace(lost, "other")
    [failure] = binder_dockerfile.check_dockerfile(changed, BINDER, "3.12")
    assert failure.startswith("the Dockerfile lacks")


def notebook(source: str, text: str) -> dict[str, Any]:
    cell = {"cell_type": "code", "source": [source], "outputs": [{"text": [text]}]}
    return {"cells": [{"cell_type": "markdown", "source": []}, cell]}


def test_a_cell_for_binder_must_have_used_the_services() -> None:
    check = binder_notebooks.check_services_used
    assert check(notebook("# needs Binder\n1", "msg: Hello through RabbitMQ")) == ""
    assert check(notebook("print(1)", "ValueError: it is meant to be")) == ""
    assert "does not run" in check(notebook("# needs Binder\n1", "Binder's RabbitMQ does not run"))


def test_of_a_failed_notebook_the_cell_and_its_error_are_told() -> None:
    essence = binder_notebooks.essence
    line = "-" * 18
    printed = (
        "jupyter execute …\nnbclient.exceptions.CellExecutionError: An error occurred\n"
        f"{line}\n1/0\n2\n{line}\n\n\x1b[31mZeroDivisionError\x1b[39m: division by zero\n"
    )
    told = "code cell 1 (1/0 …): ZeroDivisionError: division by zero"
    assert essence(notebook("1/0\n2", ""), printed) == told
    assert essence(notebook("1/0", ""), "no end after 600 s") == "no end after 600 s"


def test_of_a_failure_the_line_is_told() -> None:
    blamed = binder_requirements.blamed
    text = "# mine\nno_such-thing[x]==1\nmatplotlib\n"
    told = "line 2 of binder/requirements.txt, no_such-thing[x]==1,"
    assert blamed(text, "Because no-such-thing was not found, …") == told
    assert blamed(text, "ERROR: Invalid: (from line 3 of binder/requirements.txt)").endswith("lib,")
    assert blamed(text, "Couldn't parse … at position 8").startswith("line 2 of")
    assert blamed(text, "no network") == "binder/requirements.txt"
    place = binder_jupyter.place_in
    assert (
        place("binder/postBuild", "/x/binder/postBuild: line 7")
        == ", at line 7 of binder/postBuild"
    )
    assert (
        place("binder/start", '  File "/x/binder/start", line 4') == ", at line 4 of binder/start"
    )
    assert place("binder/start", "line 4 of something") == ""
    told = binder_jupyter.file_in("Error: …\n- shop/price.action.py:1: invalid syntax\nended\n")
    assert told == "; line 1 of shop/price.action.py: invalid syntax"
    failure = binder_rehearsal.Failure("postBuild", "it failed.", "a line\n" * 50)
    lines = str(failure).splitlines()
    assert len(lines) < 20
    assert lines[-1] == "FAILED in the step postBuild: it failed."


@pytest.mark.parametrize(
    ("line", "new"),
    [
        ("nango-jupyter", "nango-jupyter @ file:///c"),
        ("Nango_Jupyter[local, lab]>=0.1  # mine", "nango-jupyter[local, lab] @ file:///c"),
        ("nango-jupyter[lab] @ git+https://host/me/x.git@main", "nango-jupyter[lab] @ file:///c"),
        ("git+https://host/me/nango-jupyter.git", "nango-jupyter @ file:///c"),
        (
            "-e git+https://h/o/nango-jupyter@v1#egg=nango-jupyter[lab]",
            "nango-jupyter[lab] @ file:///c",
        ),
    ],
)
def test_this_checkout_takes_the_place_of_what_may_not_be_published(line: str, new: str) -> None:
    text, replaced = binder_requirements.with_checkout(f"pandas\n{line}\n", Path("/c"))
    assert text == f"pandas\n{new}\n"
    assert replaced == [line]


@pytest.mark.parametrize(
    "line",
    [
        "-e .[tutorials]",
        "nango-jupyter-more",
        "./nango_jupyter-0.1.0-py3-none-any.whl[lab]",
        "# nango-jupyter",
    ],
)
def test_other_requirements_stay(line: str) -> None:
    assert binder_requirements.with_checkout(line, Path("/c")) == (f"{line}\n", [])


def test_binder_may_be_without_rabbitmq(tmp_path: Path) -> None:
    less = DOCKERFILE.replace("rabbitmq-server", "curl").replace("ENV R2D_ENTRYPOINT", "ENV OTHER")
    assert binder_dockerfile.check_dockerfile(less, tmp_path, "3.12") == []


def test_memory_is_added_up_by_part() -> None:
    processes = [
        binder_sandbox.Process(1, "/usr/lib/erlang/bin/beam.smp -W w", 100.0),
        binder_sandbox.Process(2, "python -m ipykernel_launcher -f x", 50.0),
        binder_sandbox.Process(3, "python -m ipykernel_launcher -f y", 70.0),
    ]
    assert binder_memory.by_role(processes) == [("kernels", 120.0), ("RabbitMQ", 100.0)]


def test_processes_are_found_by_their_ancestor() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        found = [one for one in binder_sandbox.descendants() if one.pid == child.pid]
        child.kill()
    assert "sleep 60" in found[0].command
    assert found[0].megabytes > 0


def test_a_sandbox_belongs_to_somebody_without_rights() -> None:
    program = """
from binder_sandbox import Sandbox, descendants
with Sandbox() as sandbox:
    sandbox.home.mkdir()
    sandbox.own(sandbox.home)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(sandbox.home)}
    print(sandbox.run(["id", "-u"], environment).strip(), sandbox.folder)
    sandbox.run(["sh", "-c", "touch mine; sleep 60 >&2 & disown 2>/dev/null; true"], environment)
    print(len(descendants()))
"""
    environment = {**os.environ, "PYTHONPATH": str(BINDER.parent / "tools")}
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    user, folder, left = printed.stdout.split()
    assert user != "0"
    assert left == "1"  # the orphan was found, and ended
    assert not Path(folder).exists()
