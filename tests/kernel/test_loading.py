"""Loading the extension, its cost, and its end."""

import json
import time
from pathlib import Path

from tests.support.kernel import Kernel

HEAVY = ["pandas", "aio_pika", "ipywidgets", "jinja2", "sqlalchemy", "httpx", "pydantic"]


def test_loading_imports_nothing_heavy_and_leaves_handlers_alone(tmp_path: Path) -> None:
    with Kernel(tmp_path) as kernel:
        state = (
            "[signal.getsignal(signal.SIGINT), get_ipython().custom_exceptions, "
            "logging.root.handlers]"
        )
        kernel.ok(f"import logging, signal, sys\nbefore = {state}")
        reply = kernel.ok("%load_ext nango_jupyter")
        assert reply.all_text.strip() == ""
        assert kernel.ok(f"{state} == before").plain == "True"
        found = kernel.ok(
            f"import json\nprint(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
        )
        assert json.loads(found.text) == []


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
