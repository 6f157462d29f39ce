"""Tab, as a front end asks for it: complete_request to a real kernel."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.kernel import Kernel

USERS = ["ada", "Ada Lovelace", 7, "7", "O'Brien"]
# What a server behind a broker is known by: what was used. This broker is dead.
DEAD = """
from nango_jupyter import Nango
from nango_jupyter.calls import TriggerCall
from nango_jupyter.connections import OpenConnection
from nango_jupyter.known import KnownNames
_known = KnownNames()
_known.note_call(TriggerCall(integration="slack", action="notify", user_id="bob"))
_session = get_ipython().magics_manager.registry["NangoMagics"].notebook.session
_session._connections.add(OpenConnection("prod", Nango("localhost", 1), None, _known))
_ = _session.use("default")
"""
VARIABLES = """
import os, pandas
frame = pandas.DataFrame({"a": [1]})
dicts = [{"a": 1}]
lazily = (row for row in dicts)
number, text, where = 7, "abc", "demo"
def function(): pass
"""


@dataclass
class Completed:
    """What a front end gets."""

    matches: list[str]
    replaced: str


def complete(kernel: Kernel, code: str, cursor: int | None = None) -> Completed:
    at = len(code) if cursor is None else cursor
    message_id = kernel.client.complete(code, at)
    while True:
        message = kernel.client.get_shell_msg(timeout=30)
        if message["parent_header"].get("msg_id") == message_id:
            break
    content = message["content"]
    assert content["status"] == "ok"
    replaced = code[content["cursor_start"] : content["cursor_end"]]
    return Completed(content["matches"], replaced)


def complete_until(kernel: Kernel, code: str, wanted: set[str]) -> list[str]:
    """Press Tab until names are there: what a busy server tells late is there for the next one."""
    end = time.monotonic() + 30
    while not wanted <= {*(found := complete(kernel, code).matches)}:
        assert time.monotonic() < end, found
    return found


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    home = tmp_path_factory.mktemp("home")
    folder = tmp_path_factory.mktemp("work")
    (folder / "my folder").mkdir()
    (folder / "body.json").touch()
    (folder / "pyproject.toml").write_text(
        "[tool.nango-jupyter.connections]\nlab = {local = true}\nlive = {host = 'localhost'}\n"
    )
    with Kernel(home, {"TOKEN": "any-token"}) as kernel:
        kernel.ok(
            "%load_ext nango_jupyter\n%nango_connect --local\nstatus = %nango_status\n"
            f"for user in {USERS}:\n"
            "    _ = await status.client.register_connection('demo', user, 'any-token')"
        )
        kernel.ok(VARIABLES)
        kernel.ok(DEAD)
        kernel.ok(f"os.chdir({str(folder)!r})")
        complete_until(kernel, "%nango_trigger demo echo ", {"ada", '"O\'Brien"'})
        yield kernel


@pytest.fixture(params=["jedi", "no-jedi", "old-protocol"])
def tab(shared: Kernel, request: pytest.FixtureRequest) -> Kernel:
    """Each way in which a kernel may be told to complete."""
    jedi, is_new = request.param == "jedi", request.param != "old-protocol"
    shared.ok(
        f"get_ipython().Completer.use_jedi = {jedi}\n"
        f"get_ipython().kernel.use_experimental_completions = {is_new}"
    )
    return shared


ONLY = [
    ("%nango_trigger ", "", ["billing", "chat", "crm", "demo"]),
    ("%nango_trigger d", "d", ["demo"]),
    ("%%nango_trigger demo ", "", ["echo", "fail", "sleep", "whoami"]),
    ("%%nango_trigger demo e", "e", ["echo"]),
    ("x = %nango_trigger demo e", "e", ["echo"]),
    ("    x = %nango_trigger demo e", "e", ["echo"]),
    ("%nango_trigger result << demo e", "e", ["echo"]),
    ("%nango_trigger 'demo' e", "e", ["echo"]),
    ("%nango_trigger $where e", "e", ["echo"]),
    ("%time x = %nango_trigger crm list", "list", ["list-contacts", "list-deals"]),
    ("nango_trigger demo e", "e", ["echo"]),
    ("%%nango_action demo w", "w", ["whoami"]),
    ("%nango_trigger demo echo b", "b", []),
    ("%nango_trigger demo echo O", "O", ['"O\'Brien"']),
    ("%nango_trigger demo echo 'Ada L", "'Ada L", ["'Ada Lovelace'"]),
    ('%nango_trigger demo echo "Ada L', '"Ada L', ['"Ada Lovelace"']),
    ("%nango_trigger crm list-contacts ad", "ad", []),
    ("%nango_trigger --connection prod slack notify b", "b", ["bob"]),
    ("%nango_trigger slack notify b --connection=pr", "pr", ["prod"]),
    ("%nango_trigger --connection ", "", ["default", "prod"]),
    ("%nango_connect --use p", "p", ["prod"]),
    ("%nango_close p", "p", ["prod"]),
    ("%nango_connect --name ", "", ["lab", "live"]),
    ("%nango_connect --local --name=li", "li", ["live"]),
    ("%nango_connect broker.example.com --name x", "x", []),
    ("%nango_connections --integration d", "d", ["demo"]),
    ("%nango_trigger demo echo ada --ti", "--ti", ["--timeout"]),
    ("%nango_trigger demo echo ada --timeout 3 --ti", "--ti", []),
    ("%nango_trigger --no-such", "--no-such", []),
    ("%nango_register demo ada --token-env TOKE", "TOKE", ["TOKEN"]),
    ("%nango_trigger demo echo $n", "$n", ["$number"]),
    ('%nango_trigger demo echo ada {"a": $n', "$n", ["$number"]),
    ("%nango_trigger demo echo ada --each ", "", ["dicts", "frame", "lazily"]),
    ("%nango_trigger demo echo ada --each f", "f", ["frame"]),
    ("%nango_trigger demo echo ada --retry-failed ", "", []),
    ("%nango_trigger --each ", "", ["dicts", "frame", "lazily"]),
    ("%nango_trigger --each frame de", "de", ["demo"]),
    ('%nango_trigger demo echo {{ "}}" }} --each fr', "fr", ["frame"]),
    ("%nango_trigger demo echo ada --timeout ", "", []),
    ("%nango_trigger demo echo ada --input b", "b", ["body.json"]),
    ("%nango_connect --local my", "my", ["'my folder/'"]),
]


@pytest.mark.parametrize(("code", "replaced", "matches"), ONLY, ids=[code for code, *_ in ONLY])
def test_only_what_fits_is_offered(
    tab: Kernel, code: str, replaced: str, matches: list[str]
) -> None:
    found = complete(tab, code)
    assert found.matches == matches
    assert not matches or found.replaced == replaced


def test_users_are_offered_as_they_are_typed(tab: Kernel) -> None:
    users = {"ada", "'Ada Lovelace'", "{{7}}", "7", '"O\'Brien"'}
    complete_until(tab, "%%nango_trigger demo echo ", users)
    assert sorted(complete(tab, "%nango_trigger demo echo 7").matches) == ["7", "{{7}}"]


def test_every_option_is_offered(tab: Kernel) -> None:
    found = complete(tab, "%nango_trigger demo echo ada -").matches
    assert found[0] == "--input"
    for option in ("--each", "--out", "--frame", "--no-wait", "--connection", "--stop-on-error"):
        assert option in found


def test_where_the_cursor_is_counts(tab: Kernel) -> None:
    code = "y = 1\nx = %nango_trigger demo e ada\nz = 2"
    found = complete(tab, code, code.index(" ada"))
    assert (found.matches, found.replaced) == (["echo"], "e")


def test_who_was_used_last_comes_first(tab: Kernel) -> None:
    tab.ok("%nango_trigger demo echo ada")
    assert complete(tab, "%nango_trigger demo echo ").matches[0] == "ada"
    tab.ok('%nango_trigger demo echo "O\'Brien"')
    assert complete(tab, "%nango_trigger demo echo ").matches[0] == '"O\'Brien"'


def test_what_is_registered_past_the_magics_is_known(tab: Kernel) -> None:
    user = f"eve-{time.monotonic_ns()}"
    tab.ok(
        "status = %nango_status\n"
        f"_ = await status.client.register_connection('demo', {user!r}, 'any-token')"
    )
    assert complete_until(tab, f"%nango_trigger demo echo {user[:-1]}", {user}) == [user]


def test_a_number_stays_one(tab: Kernel) -> None:
    tab.run("status = %nango_status\n_ = await status.client.register_connection('demo', 42, 'x')")
    [offered] = complete_until(tab, "%nango_trigger demo whoami 42", {"{{42}}"})
    reply = tab.ok(f"x = %nango_trigger demo whoami {offered}\nprint(repr(x.user_id))")
    assert reply.text.strip() == "42"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("numb", "number"),
        ("x = numb", "number"),
        ("dicts[0].ke", "keys"),
        ("%ti", "%time"),
        ("x = %nango_tr", "%nango_trigger"),
        ('%%nango_trigger demo echo ada\n{"a": numb', "number"),
        ("# %nango_trigger d\nnumb", "number"),
    ],
)
def test_all_else_is_ipythons(tab: Kernel, code: str, expected: str) -> None:
    assert any(match.endswith(expected) for match in complete(tab, code).matches)


def test_a_dead_broker_is_not_asked(tab: Kernel) -> None:
    assert complete(tab, "%nango_trigger --connection prod slack notify ").matches == ["bob"]


def test_from_another_thread_on_a_busy_loop_what_is_known_is_offered(shared: Kernel) -> None:
    reply = shared.ok(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "line = '%nango_trigger demo echo a'\n"
        "with ThreadPoolExecutor() as pool:\n"
        "    found = pool.submit(get_ipython().Completer.complete, line_buffer=line).result()\n"
        "found[1]"
    )
    assert eval(reply.plain)[0] == "ada"


def test_the_results_of_batches(shared: Kernel) -> None:
    shared.ok("outcome = %nango_trigger demo echo ada --each dicts")
    assert complete(shared, "%nango_trigger --retry-failed ").matches == ["outcome"]
    shared.ok("del outcome")


def test_a_broken_pyproject_offers_nothing(tmp_path: Path) -> None:
    with Kernel(tmp_path) as kernel:
        folder = tmp_path / "broken"
        folder.mkdir()
        (folder / "pyproject.toml").write_text("[tool.nango-jupyter")
        kernel.ok(f"%load_ext nango_jupyter\nimport os\nos.chdir({str(folder)!r})")
        assert complete(kernel, "%nango_connect --name ").matches == []


def test_without_a_connection(tmp_path: Path) -> None:
    with Kernel(tmp_path) as kernel:
        kernel.ok("%load_ext nango_jupyter")
        assert complete(kernel, "%nango_trigger d").matches == []
        assert "--each" in complete(kernel, "%nango_trigger ").matches
        assert complete(kernel, "%nango_close d").matches == []
        matchers = "len(get_ipython().Completer.custom_matchers)"
        assert kernel.ok(matchers).plain == "1"
        kernel.ok("%reload_ext nango_jupyter")
        assert kernel.ok(matchers).plain == "1"
        kernel.ok("%unload_ext nango_jupyter")
        assert kernel.ok(matchers).plain == "0"
