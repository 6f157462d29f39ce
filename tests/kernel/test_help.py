"""What ``%nango_trigger?`` shows: inspect_request to a real kernel, and `?` in a cell."""

import re
from collections.abc import Iterator

import pytest

from tests.support.kernel import Kernel

MAGICS = [
    "nango",
    "nango_action",
    "nango_close",
    "nango_connect",
    "nango_connections",
    "nango_history",
    "nango_jobs",
    "nango_register",
    "nango_status",
    "nango_trigger",
]
OPTIONS = """
import json
manager = get_ipython().magics_manager
name = {name!r}
magic = manager.magics["line"].get(name) or manager.magics["cell"][name]
print(json.dumps([n for one in magic.parser._actions for n in one.option_strings]))
print(json.dumps(sorted(n for n in {{*manager.magics["line"], *manager.magics["cell"]}}
                 if n.startswith("nango"))))
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with Kernel(tmp_path_factory.mktemp("home")) as kernel:
        kernel.ok("%load_ext nango_jupyter")
        yield kernel


def inspect(kernel: Kernel, code: str) -> str:
    """The pager's text, without colours."""
    message_id = kernel.client.inspect(code, len(code))
    while True:
        message = kernel.client.get_shell_msg(timeout=30)
        if message["parent_header"].get("msg_id") == message_id:
            break
    assert message["content"]["found"]
    return plain(message["content"]["data"]["text/plain"])


def paged(kernel: Kernel, code: str) -> str:
    """What a cell with `?` sends to the pager."""
    message_id = kernel.client.execute(code)
    while True:
        message = kernel.client.get_shell_msg(timeout=30)
        if message["parent_header"].get("msg_id") == message_id:
            break
    [page] = message["content"]["payload"]
    return plain(page["data"]["text/plain"])


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def section(text: str, title: str) -> str:
    return text.partition(f"\n{title}:\n")[2].partition("\n\n")[0]


def test_the_list_of_magics_is_whole(kernel: Kernel) -> None:
    import json

    lines = kernel.ok(OPTIONS.format(name="nango_trigger")).text.splitlines()
    assert json.loads(lines[1]) == MAGICS


@pytest.mark.parametrize("name", MAGICS)
def test_own_name_usage_options_and_examples(kernel: Kernel, name: str) -> None:
    import json

    text = inspect(kernel, f"%{name}" if name != "nango_action" else f"%%{name}")
    usage = re.search(r"^Usage: %%?(\w+)", text, re.MULTILINE)
    assert usage
    assert usage[1] == name
    assert "::" not in text
    assert "positional arguments" not in text
    options = json.loads(kernel.ok(OPTIONS.format(name=name)).text.splitlines()[0])
    listed = section(text, "Options")
    for option in options:
        assert re.search(rf"^  {option}\b.*\S", listed, re.MULTILINE), option
    examples = text.partition("\nExamples:\n")[2].partition("\nFile:")[0]
    shown = re.findall(rf"^    .*%%?{name}", examples, re.MULTILINE)
    assert len(shown) >= 2, f"{name} has {len(shown)} examples"
    assert max(map(len, text.partition("File:")[0].splitlines())) <= 100


@pytest.mark.parametrize("code", ["%nango_trigger?", "%%nango_trigger?", "nango_trigger?"])
def test_a_question_mark_in_a_cell(kernel: Kernel, code: str) -> None:
    text = paged(kernel, code)
    assert "%nango_trigger, %%nango_trigger\n" in text
    assert "Usage: %nango_trigger [INTEGRATION [ACTION [USER [JSON]]]] [OPTIONS]\n" in text
    assert "       %%nango_trigger [INTEGRATION [ACTION [USER]]] [OPTIONS]\n" in text


def test_help_in_the_middle_of_a_cell(kernel: Kernel) -> None:
    """Shift-Tab."""
    code = "x = 1\n%%nango_trigger"
    assert "Usage: %nango_trigger" in inspect(kernel, code)
