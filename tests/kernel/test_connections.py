"""Several connections at once, and where their settings come from, in real kernels."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.kernel import Kernel

NAMES = "%nango_connect --local --name first\n%nango_connect --local --name second"


@pytest.fixture(scope="module")
def kernel(broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """One in a folder of its own, that knows where a broker is."""
    home: Path = tmp_path_factory.mktemp("home")
    variables = {"TOKEN": "crm-demo-token", "BROKER": broker_url}
    with Kernel(home, variables) as found:
        found.ok(f"import os\nos.chdir({str(home)!r})\n%load_ext nango_jupyter")
        yield found


@pytest.fixture(autouse=True)
def closed(kernel: Kernel) -> Iterator[None]:
    yield
    kernel.ok("%nango_close --all")


def test_connections_have_names_and_one_is_current(kernel: Kernel) -> None:
    kernel.ok(f"{NAMES}\n%nango_register demo ada --token-env TOKEN")
    reply = kernel.ok("%nango_connect")
    lines = [line for line in reply.plain.splitlines() if line.startswith(("first", "second"))]
    assert ["current" in line for line in lines] == [False, True]
    assert kernel.run('%nango_trigger demo echo ada "x" --connection first').error
    kernel.ok("%nango_connect --use first\n%nango_register demo bob --token-env TOKEN")
    assert kernel.run("%nango_trigger demo whoami ada").error == "NangoServerError"
    assert kernel.ok("%nango_trigger demo whoami bob").html
    assert kernel.ok("%nango_trigger demo whoami ada --connection second").html


def test_closing_the_current_one_leaves_none(kernel: Kernel) -> None:
    kernel.ok(f"{NAMES}\n%nango_close second")
    reply = kernel.run("%nango_trigger demo whoami ada")
    assert reply.error == "NangoClosedError"
    assert "--use first" in reply.traceback
    assert "first" in kernel.ok("%nango_connect").plain


def test_a_misspelt_connection_is_guessed(kernel: Kernel) -> None:
    kernel.ok(NAMES)
    for code in (
        "%nango_connect --use secnd",
        "%nango_close secnd",
        "%nango_status secnd",
        '%nango_trigger demo echo ada "x" --connection secnd',
    ):
        reply = kernel.run(code)
        assert reply.error == "NangoClosedError", code
        assert "Did you mean second?" in reply.traceback


def test_the_settings_of_the_environment_are_read_when_they_are_needed(kernel: Kernel) -> None:
    kernel.ok("os.environ['NANGO_URL'] = os.environ['BROKER']\n%nango_connect")
    assert "amqp://" in kernel.ok("%nango_status").plain
    kernel.ok("del os.environ['NANGO_URL']")


def test_pyproject_and_config(kernel: Kernel) -> None:
    kernel.ok(
        "from pathlib import Path\nimport urllib.parse\n"
        "url = urllib.parse.urlsplit(os.environ['BROKER'])\n"
        "_ = Path('pyproject.toml').write_text(f'''\n"
        '[tool.nango-jupyter]\nhost = "127.0.0.1"\nport = 1\nconcurrency = 7\n'
        "[tool.nango-jupyter.connections.prod]\n"
        'url = "amqp://guest@{url.hostname}:{url.port}{url.path}"\n'
        'password-env = "BROKER_PASSWORD"\n'
        "''')\nos.environ['BROKER_PASSWORD'] = 'guest'"
    )
    assert "127.0.0.1:1" in kernel.run("%nango_connect").traceback
    assert "--name prod opens it" in kernel.run("%nango_connect --use prod").traceback
    kernel.ok("%nango_connect --name prod")
    assert "prod" in kernel.ok("%nango_connect").plain
    reply = kernel.run("%nango_connect --name prodd")
    assert "Did you mean prod?" in reply.traceback
    kernel.ok(
        "%nango_close --all\n%config NangoMagics.url = os.environ['BROKER'].replace(':guest', '')"
    )
    kernel.ok("os.environ['NANGO_PASSWORD'] = 'guest'\n%nango_connect\n%nango_close")
    kernel.ok(
        "%config NangoMagics.url = None\n"
        "del os.environ['NANGO_PASSWORD']\nos.remove('pyproject.toml')"
    )


def test_config_guesses_and_refuses_passwords(kernel: Kernel) -> None:
    reply = kernel.ok("%config NangoMagics.timeuot = 3")
    assert "Did you mean `timeout`?" in reply.all_text
    for url in ("amqp://ada:s3cret-word@host", "amqp://ada:s3cret-word/1@host"):
        reply = kernel.run(f"%config NangoMagics.url = '{url}'")
        assert "NANGO_PASSWORD" in reply.all_text
    assert "s3cret-word" not in kernel.ok("%config NangoMagics").all_text
    assert "timeout" in kernel.ok("%config NangoMagics").text
    kernel.ok("%config NangoMagics.timeout = 0.2\n%nango_connect --local")
    kernel.ok("%nango_register demo ada --token-env TOKEN")
    reply = kernel.run('%nango_trigger demo sleep ada {"seconds": 5}')
    assert reply.error == "NangoTimeoutError"
    kernel.ok("%config NangoMagics.timeout = None")


def test_rows_and_columns_of_config_are_drawn(kernel: Kernel) -> None:
    kernel.ok(
        "%config NangoMagics.rows = 3\n%config NangoMagics.columns = 2\n"
        "%nango_connect --local\n%nango_register demo ada --token-env TOKEN\n"
        "rows = [{'a': n, 'b': 2, 'c': 3} for n in range(9)]"
    )
    reply = kernel.ok("%nango_trigger demo echo ada $rows")
    for text in (reply.html, reply.plain):
        assert "showing 3 of 9 rows, 2 of 3 columns" in text
    kernel.ok("%config NangoMagics.rows = None\n%config NangoMagics.columns = None")


def test_a_password_in_a_cell_is_warned_of_once(kernel: Kernel) -> None:
    kernel.ok("url = os.environ['BROKER']")
    assert kernel.ok("%nango_connect $url").stderr == ""
    literal = kernel.ok("print(url)").text.strip()
    assert "keyring" in kernel.ok(f"%nango_connect {literal}").stderr
    assert kernel.ok(f"%nango_connect {literal}").stderr == ""


def test_registered_connections_are_a_table(kernel: Kernel) -> None:
    kernel.ok(
        "user = 7\n%nango_connect --local\n%nango_register demo $user --token-env TOKEN\n"
        "%nango_register demo 7 --token-env TOKEN\n%nango_register crm 7 --token-env TOKEN"
    )
    reply = kernel.ok(
        "text = %nango_connections 7\nnumber = %nango_connections $user\n"
        "every = %nango_connections --integration demo\n"
        "print([len(text), len(number), len(every), number[0].user_id])\nevery"
    )
    assert reply.text.strip() == "[2, 1, 2, 7]"
    assert "crm-demo-token" not in reply.all_text
    assert "integration" in reply.html
    frame = kernel.ok("%nango_connections 7 --frame").plain
    assert "crm" in frame
    for code in ("%nango_connections", "%nango_connections 7 --integration demo"):
        assert kernel.run(code).error == "NangoUsageError"


def test_a_time_limit_of_config_holds_for_what_is_open(kernel: Kernel) -> None:
    kernel.ok("%nango_connect --local\n%nango_register demo ada --token-env TOKEN")
    sleep = '%nango_trigger demo sleep ada {"seconds": 1}'
    try:
        kernel.ok("%config NangoMagics.timeout = 0.2")
        reply = kernel.run(sleep)
        assert reply.error == "NangoTimeoutError"
        assert "0.2 s" in reply.all_text
        assert "Give seconds" in kernel.run("%config NangoMagics.timeout = -1").stderr
    finally:
        kernel.ok("%config NangoMagics.timeout = None")
    kernel.ok(sleep)


def test_broken_settings_are_told_before_anything_is_sent(kernel: Kernel) -> None:
    kernel.ok("%nango_connect --local\n%nango_register demo ada --token-env TOKEN")
    echo = '%nango_trigger demo echo ada "x"'
    kernel.ok(echo)
    kernel.ok("before = %nango_history\nbefore = len(before)")
    kernel.ok(
        "from pathlib import Path\nn = Path('pyproject.toml').write_text('[tool.nango-jupyter')"
    )
    try:
        for code in (echo, f"{echo} --no-wait", "%nango_history --rerun 1"):
            assert "is not TOML" in kernel.run(code).traceback, code
        assert kernel.ok("now = %nango_history\nprint(len(now) - before)").text.strip() == "0"
    finally:
        kernel.ok("Path('pyproject.toml').unlink()")


def test_what_is_run_again_says_where_else_it_may_run(kernel: Kernel) -> None:
    kernel.ok(f"{NAMES}\n%nango_register demo ada --token-env TOKEN")
    kernel.ok('x = %nango_trigger demo echo ada "x"\nentries = %nango_history')
    kernel.ok("%nango_close second")
    reply = kernel.run("%nango_history --rerun {entries[-1].number}")
    assert reply.error == "NangoClosedError"
    assert "--connection NAME" in reply.traceback
