"""Loading the extension, its cost, and its end."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.kernel import Kernel

HEAVY = [
    *("aio_pika", "aiormq", "aiosqlite", "click", "cryptography", "httpx", "ipywidgets", "jinja2"),
    *("keyring", "nest_asyncio2", "numpy", "pandas", "polars", "pydantic", "sqlalchemy", "tqdm"),
    *("watchfiles", "yaml"),
]

# Everything that an extension could take for itself, as it stands. Lists are copied: what is put
# into them would else be in both.
STATE = """
import asyncio, builtins, logging, os, signal, sys, threading, warnings

def state():
    ip = get_ipython()
    return {
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "sys": (sys.excepthook, sys.displayhook, sys.unraisablehook, threading.excepthook),
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "errors": (ip.custom_exceptions, ip.CustomTB, ip.showtraceback, ip.InteractiveTB),
        "display": (ip.displayhook, ip.display_pub, ip.display_formatter),
        "drawing": {
            name: (dict(one.type_printers), dict(one.deferred_printers))
            for name, one in ip.display_formatter.formatters.items()
        },
        "cells": (ip.run_cell, ip.run_cell_async, ip.run_ast_nodes, ip.transform_cell),
        "kernel": (dict(ip.kernel.shell_handlers), dict(ip.kernel.control_handlers)),
        "transformers": (
            list(ip.input_transformers_cleanup),
            list(ip.input_transformers_post),
            list(ip.ast_transformers),
        ),
        "events": {name: list(found) for name, found in ip.events.callbacks.items()},
        "hooks": dict(ip.hooks),
        "logging": (logging.root.level, list(logging.root.handlers), logging.getLoggerClass()),
        "warnings": (warnings.showwarning, warnings.formatwarning, list(warnings.filters)),
        "asyncio": (
            asyncio.get_event_loop_policy(),
            asyncio.get_running_loop().get_exception_handler(),
            (asyncio.run, asyncio.Task, asyncio.Future, asyncio.get_event_loop),
            type(asyncio.get_running_loop()).run_until_complete,
        ),
        "builtins": dict(vars(builtins), _=None),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "imports": (list(sys.path), list(sys.meta_path), list(sys.path_hooks)),
        "names": {name for name in ip.user_ns if not name.startswith("_")},
        "threads": {thread.name for thread in threading.enumerate()},
    }
"""

# What Python itself tells of files, sockets and processes. Other threads write IPython's history.
WATCH = """
import os, sys, threading
touched = []
CHANGES = (
    *("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.link", "os.truncate"),
    *("os.chmod", "shutil.", "tempfile.", "socket.", "subprocess.", "os.exec", "os.fork"),
    *("os.system", "os.posix_spawn", "sqlite3."),
)
is_watching = False

def watch(event, args, main=threading.main_thread()):
    if not is_watching or threading.current_thread() is not main:
        return
    if event == "open":
        changes = args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        if changes and "__pycache__" not in str(args[0]):
            touched.append((event, str(args[0])))
    elif event.startswith(CHANGES) and "__pycache__" not in str(args):
        touched.append((event, str(args)))

sys.addaudithook(watch)
"""


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel of its own, for each test."""
    with Kernel(tmp_path, {"HOME": str(tmp_path), "TOKEN": "any-token"}) as found:
        yield found


def test_loading_imports_nothing_heavy(kernel: Kernel) -> None:
    kernel.ok("import json, sys\nbefore = set(sys.modules)")
    kernel.ok("%load_ext nango_jupyter")
    found = kernel.ok(
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        f"print(json.dumps([name for name in {HEAVY} if name in sys.modules]))\n"
        "print(json.dumps(sorted(new - sys.stdlib_module_names)))"
    )
    heavy, new = map(json.loads, found.text.splitlines())
    assert heavy == []
    assert set(new) <= {"nango_jupyter", "IPython"}
    # Of our own, the magics' arguments: what they do is imported when it is first done.
    late = ["client", "display", "messages", "preferences", "results", "secrets", "session"]
    late += ["magics.arguments", "magics.completion", "magics.template"]
    found = kernel.ok(
        f"print([name for name in {late} if f'nango_jupyter.{{name}}' in sys.modules])"
    )
    assert found.text.strip() == "[]"


def test_loading_replaces_nothing_and_unloading_leaves_nothing(kernel: Kernel) -> None:
    kernel.ok(STATE)
    kernel.ok("matchers = list(get_ipython().Completer.custom_matchers)")
    kernel.ok("before = after = None")
    kernel.ok("before = state()")
    different = "after = state()\nprint([name for name in before if before[name] != after[name]])"
    assert kernel.ok(different).text.strip() == "[]"  # else the test itself changes something
    kernel.ok("%load_ext nango_jupyter")
    assert kernel.ok(different).text.strip() == "[]"
    kernel.ok("%unload_ext nango_jupyter")
    assert kernel.ok(different).text.strip() == "[]"
    left = kernel.ok(
        "ip = get_ipython()\n"
        "print(ip.Completer.custom_matchers == matchers)\n"
        "print([n for kind in ip.magics_manager.magics.values() for n in kind if 'nango' in n])\n"
        "print([one for one in ip.configurables if 'nango' in type(one).__name__.lower()])"
    )
    assert left.text.split("\n") == ["True", "[]", "[]", ""]


def test_loading_writes_no_file_and_opens_no_socket(kernel: Kernel, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    kernel.ok(f"{WATCH}\nos.chdir({str(work)!r})")
    load = "is_watching = True\n%load_ext nango_jupyter\nis_watching = False\nprint(touched)"
    assert kernel.ok(load).text.strip().splitlines()[-1] == "[]"
    assert list(work.iterdir()) == []
    # The watch sees what there is to see.
    kernel.ok("is_watching = True\nopen('a', 'w').close()\nis_watching = False")
    assert kernel.ok("print(touched)").text.strip() == "[('open', 'a')]"


def test_loading_prints_a_line_at_most(kernel: Kernel) -> None:
    reply = kernel.ok("%load_ext nango_jupyter")
    assert reply.data == []
    assert reply.stderr == ""
    assert len(reply.text.splitlines()) <= 1


def test_reloading_and_unloading(tmp_path: Path) -> None:
    with Kernel(tmp_path) as kernel:
        kernel.ok("%load_ext nango_jupyter\n%nango_connect --local\n%load_ext nango_jupyter")
        assert "Connected" in kernel.ok("%nango_status").html
        kernel.ok("%reload_ext nango_jupyter")
        assert "Not connected" in kernel.ok("%nango_status").html
        kernel.ok("%nango_connect --local\n%unload_ext nango_jupyter")
        assert "not found" in kernel.run("%nango_status").all_text


def test_loaded_by_configuration_before_any_loop_runs(tmp_path: Path) -> None:
    profile = tmp_path / "ipythondir" / "profile_default"
    profile.mkdir(parents=True)
    (profile / "ipython_config.py").write_text(
        "c = get_config()\nc.InteractiveShellApp.extensions = ['nango_jupyter']\n"
    )
    with Kernel(tmp_path, {"TOKEN": "any-token"}) as kernel:
        kernel.ok("%nango_connect --local\n%nango_register demo ada --token-env TOKEN")
        reply = kernel.ok('x = %nango_trigger demo echo ada {"a": 1}\nprint(x.return_value)')
        assert reply.text.strip() == "{'a': 1}"


def test_a_kernel_ends_by_itself_with_a_server_open(tmp_path: Path) -> None:
    with Kernel(tmp_path) as kernel:
        kernel.ok("%load_ext nango_jupyter\n%nango_connect --local")
        kernel.client.shutdown()
        deadline = time.monotonic() + 20
        while kernel.manager.is_alive():
            assert time.monotonic() < deadline, "the kernel did not end"
            time.sleep(0.1)
