"""Actions that are defined in a notebook, in real kernels."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.conftest import TOKEN
from tests.support.kernel import Kernel
from tests.support.serve import Serve

ADD = "%%nango_action demo add\ndef add(ctx, a: int, b: int = 1) -> int:\n    return a + b\n"


@pytest.fixture(scope="module")
def kernel(local: Kernel) -> Kernel:
    """The embedded server's."""
    return local


def test_a_function_is_there_at_once_and_replaced_by_the_next(kernel: Kernel) -> None:
    reply = kernel.ok(ADD)
    assert "Defined demo.add" in reply.plain
    assert "a: integer, required" in reply.plain
    assert "b: integer, default 1" in reply.html
    assert "%%nango_trigger demo add USER" in reply.plain
    assert "3" in kernel.ok('%%nango_trigger demo add ada\n{"a": "2"}').plain

    reply = kernel.ok(ADD.replace("a + b", "[a, b]"))
    assert "Replaced demo.add" in reply.plain
    assert "[2, 1]" in kernel.ok('%nango_trigger demo add ada {"a": 2}').plain


def test_a_wrong_input_names_each_field(kernel: Kernel) -> None:
    kernel.ok(ADD)
    reply = kernel.run('%nango_trigger demo add ada {"a": "x", "c": 1}')
    assert reply.error == "NangoServerError"
    assert "- a: Input should be a valid integer" in reply.plain
    assert "- c: There is no such input (it takes: a, b)" in reply.plain


def test_a_class(kernel: Kernel) -> None:
    reply = kernel.ok(
        "%%nango_action demo shout\n\nfrom nango_jupyter import NangoAction\n\n"
        "class Shout(NangoAction):\n"
        '    """Say it louder."""\n\n'
        "    async def execute_action(self, input):\n"
        '        self.logger.info("shouting")\n'
        "        return input.upper()\n"
    )
    assert "Say it louder." in reply.plain
    assert "whatever comes" in reply.plain
    assert "HI" in kernel.ok('%nango_trigger demo shout ada "hi"').plain


def test_a_new_integration(kernel: Kernel) -> None:
    reply = kernel.ok(
        "url = 'https://slack.com/api'\n"
        "get_ipython().run_cell_magic('nango_action', 'slack notify --base-url $url', "
        "'async def notify(ctx, msg: str):\\n    return msg')"
    )
    assert "the integration slack" in reply.plain
    assert "%nango_register slack USER" in reply.plain
    kernel.ok("%nango_register slack ada --token-env TOKEN")
    assert "sent" in kernel.ok('%nango_trigger slack notify ada {"msg": "sent"}').plain


def test_the_decorator_sees_the_notebook(kernel: Kernel) -> None:
    kernel.ok(
        "factor = 3\nstatus = %nango_status\n"
        '@status.local.action("demo")\n'
        "def times(ctx, a: int):\n    return a * factor"
    )
    assert "6" in kernel.ok('%nango_trigger demo times ada {"a": 2}').plain
    kernel.ok("factor = 10")
    assert "20" in kernel.ok('x = %nango_trigger demo times ada {"a": 2}\nx').plain
    assert kernel.ok("times(None, 1)").plain == "10"


MISTAKES = [
    ("%%nango_action demo bad\ndef bad(ctx:\n    pass", "line 1, column 8", 3),
    ("%%nango_action demo bad\nimport json\n!ls", "line 2, column 1", 4),
    ("%%nango_action demo bad\nx = 1", "The cell defines no action", 2),
    ("%%nango_action demo bad\ndef bad(): ...", "write bad(ctx, …)", 1),
    (
        "%%nango_action demo bad\nimport nothing_of_this_name\ndef bad(ctx): ...",
        "No module named",
        1,
    ),
    (
        "rows = [1]\nget_ipython().run_cell_magic('nango_action', 'demo bad', "
        "'def bad(ctx): return rows')",
        "The cell uses rows",
        3,
    ),
    ("%%nango_action demo bad --save\ndef bad(ctx): ...", "expected one argument", 2),
    ("%%nango_action ../demo bad\ndef bad(ctx): ...", "can't be a name", 2),
    (
        "%%nango_action demo bad --idempotent\nfrom nango_jupyter import action\n"
        "@action\ndef bad(ctx): ...",
        "--idempotent",
        2,
    ),
]


@pytest.mark.parametrize(("code", "said", "lines"), MISTAKES)
def test_mistakes_are_told_in_a_few_lines(kernel: Kernel, code: str, said: str, lines: int) -> None:
    reply = kernel.run(code)
    assert reply.error.startswith("Nango"), reply
    assert said in reply.traceback
    assert len(reply.traceback.splitlines()) == lines, reply.traceback
    assert kernel.run("%nango_trigger demo bad ada").error == "NangoServerError"


def test_help(kernel: Kernel) -> None:
    text = kernel.ok("print(get_ipython().find_cell_magic('nango_action').__doc__)").text
    for word in ("--save", "--idempotent", "--base-url", "%%nango_action slack notify"):
        assert word in text


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel that is not connected."""
    with Kernel(tmp_path / "home", {"TOKEN": TOKEN}) as kernel:
        kernel.ok("%load_ext nango_jupyter")
        yield kernel


def test_without_an_embedded_server(alone: Kernel, tmp_path: Path) -> None:
    reply = alone.run(ADD.replace("demo add", f"demo add --save {tmp_path / 'folder'}"))
    assert reply.error == "NangoClosedError"
    assert "%nango_connect --local first" in reply.traceback
    assert not (tmp_path / "folder").exists()


def test_what_was_saved_is_what_serve_runs(
    kernel: Kernel, broker_url: str, tmp_path: Path, alone: Kernel
) -> None:
    folder = tmp_path / "my integrations"
    reply = kernel.ok(
        ADD.replace("demo add", f'demo add --save "{folder}" --idempotent').replace(
            "def add", "import os\n\ndef add"
        )
    )
    file = folder / "demo" / "add.action.py"
    assert str(file) in reply.plain
    assert "demo was added to integrations.yaml" in reply.plain
    assert file.read_text() == (
        "import os\nfrom nango_jupyter import action\n\n"
        "@action(idempotent=True)\ndef add(ctx, a: int, b: int = 1) -> int:\n    return a + b\n"
    )
    with Serve(broker_url, folder):
        alone.ok(f"%nango_connect {broker_url}\n%nango_register demo ada --token-env TOKEN")
        assert "7" in alone.ok('%nango_trigger demo add ada {"a": 3, "b": 4}').plain
        reply = alone.run('%nango_trigger demo add ada {"b": 4}')
        assert "- a: Field required" in reply.plain
