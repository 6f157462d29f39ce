"""Settings that a line does not say: where they come from, which one wins, what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.preferences import LocalTarget, Preferences
from nango_jupyter.secrets import MASK, redact
from nango_jupyter.settings import Settings

Make = Callable[..., Preferences]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Preferences of a folder with this pyproject.toml, these variables and this %config."""

    def preferences(
        toml: str = "", config: dict[str, object] | None = None, **environ: str
    ) -> Preferences:
        if toml:
            (tmp_path / "pyproject.toml").write_text(toml)
        return Preferences(lambda: config or {}, environ, lambda: tmp_path)

    return preferences


def broker(preferences: Preferences, *args: Any, **known: Any) -> Settings:
    found = preferences.settings(*args, **known)
    assert isinstance(found, Settings)
    return found


def shown(error: NangoUsageError) -> str:
    return f"{error.message} {error.hint}"


PROJECT = """
[tool.nango-jupyter]
host = "project.example"
port = 1
user = "project-user"
vhost = "project"
timeout = 1
concurrency = 2
rows = 3
columns = 4
"""


def test_without_anything_it_is_localhost(make: Make) -> None:
    settings = broker(make())
    assert settings.address == "amqp://localhost:5672"
    assert settings.username == "guest"
    assert not settings.needs_password
    preferences = make()
    assert preferences.timeout() is None
    assert (
        preferences.concurrency()
        is preferences.rows_and_columns()[0]
        is preferences.rows_and_columns()[1]
        is None
    )
    assert preferences.connection_names() == []


def test_the_project_says_all(make: Make) -> None:
    preferences = make(PROJECT)
    settings = broker(preferences)
    assert settings.address == "amqp://project.example:1/project"
    assert (settings.username, settings.timeout) == ("project-user", 1.0)
    assert settings.needs_password
    assert preferences.timeout() == 1
    assert preferences.concurrency() == 2
    assert (preferences.rows_and_columns()[0], preferences.rows_and_columns()[1]) == (3, 4)


def test_the_environment_wins_over_the_project(make: Make) -> None:
    preferences = make(
        PROJECT,
        NANGO_HOST="env.example",
        NANGO_PORT="22",
        NANGO_USER="env-user",
        NANGO_VHOST="env",
        NANGO_TIMEOUT="2.5",
        NANGO_CONCURRENCY="20",
        NANGO_ROWS="30",
        NANGO_COLUMNS="40",
    )
    settings = broker(preferences)
    assert settings.address == "amqp://env.example:22/env"
    assert (settings.username, settings.timeout) == ("env-user", 2.5)
    assert preferences.concurrency() == 20
    assert (preferences.rows_and_columns()[0], preferences.rows_and_columns()[1]) == (30, 40)


def test_config_wins_over_the_environment_and_the_line_over_both(make: Make) -> None:
    config: dict[str, object] = {"host": "config.example", "port": 333, "rows": 7, "timeout": 3.0}
    preferences = make(config=config, NANGO_HOST="e", NANGO_PORT="22", NANGO_ROWS="9")
    assert broker(preferences).address == "amqp://config.example:333"
    assert preferences.rows_and_columns()[0] == 7
    settings = broker(
        preferences, "line.example:4444", vhost="v", user="ada", timeout=4, password_env=None
    )
    assert settings.address == "amqp://line.example:4444/v"
    assert (settings.username, settings.timeout) == ("ada", 4)
    assert broker(preferences, "line.example", port=5555).port == 5555


def test_what_is_empty_means_nothing(make: Make) -> None:
    names = ("URL", "HOST", "PORT", "USER", "PASSWORD", "VHOST", "TIMEOUT", "ROWS")
    preferences = make(
        PROJECT,
        {"host": "", "port": None, "url": ""},
        **{f"NANGO_{name}": blank for name in names for blank in ("",)},
    )
    assert broker(preferences).address == "amqp://project.example:1/project"
    assert preferences.rows_and_columns()[0] == 3
    assert broker(make(NANGO_HOST="  ")).host == "project.example"


def test_a_url_is_complete_but_for_its_user(make: Make) -> None:
    preferences = make(
        PROJECT,
        NANGO_URL="amqps://env.example?timeout=9",
        NANGO_HOST="other",
        NANGO_PORT="22",
        NANGO_VHOST="env",
        NANGO_USER="ada",
        NANGO_PASSWORD="hunter22",
    )
    settings = broker(preferences)
    assert settings.address == "amqps://env.example:5671"
    assert (settings.username, settings.password.reveal()) == ("ada", "hunter22")
    assert settings.timeout == 9
    assert broker(preferences, vhost="line", port=99, timeout=5).address.endswith(":99/line")
    own = broker(make(NANGO_URL="amqp://bob:secret-1@h", NANGO_USER="ada", NANGO_PASSWORD="wrong"))
    assert (own.username, own.password.reveal()) == ("bob", "secret-1")


def test_a_table_lends_nothing_to_another_host(make: Make) -> None:
    preferences = make(PROJECT + 'password-env = "PROJECT_PASSWORD"', PROJECT_PASSWORD="hunter22")
    settings = broker(preferences, "elsewhere.example")
    assert settings.address == "amqp://elsewhere.example:5672"
    assert settings.username == "guest"
    assert settings.password.reveal() == "guest"
    assert settings.timeout == 1  # which is nobody's secret
    assert broker(preferences).password.reveal() == "hunter22"


def test_a_table_without_a_host_goes_with_any(make: Make) -> None:
    preferences = make('[tool.nango-jupyter]\nvhost = "v"\nport = 7')
    assert broker(preferences, "h").address == "amqp://h:7/v"


CONNECTIONS = """
[tool.nango-jupyter]
host = "dev.example"
user = "dev"

[tool.nango-jupyter.connections.prod]
url = "amqps://svc@prod.example/v"
timeout = 60
password-env = "PROD_PASSWORD"

[tool.nango-jupyter.connections.staging]
vhost = "staging"

[tool.nango-jupyter.connections.samples]
local = true
timeout = 5

[tool.nango-jupyter.connections.mine]
local = "integrations"
"""


def test_named_connections(make: Make, tmp_path: Path) -> None:
    environ = {"NANGO_HOST": "env.example", "NANGO_USER": "ada", "PROD_PASSWORD": "hunter22"}
    preferences = make(CONNECTIONS, NANGO_PASSWORD="not-for-prod", **environ)
    assert preferences.connection_names() == ["prod", "staging", "samples", "mine"]
    prod = broker(preferences, name="prod")
    assert prod.address == "amqps://prod.example:5671/v"
    assert (prod.username, prod.password.reveal(), prod.timeout) == ("svc", "hunter22", 60)
    staging = broker(preferences, name="staging")
    assert staging.address == "amqp://env.example:5672/staging"
    assert (staging.username, staging.password.reveal()) == ("ada", "not-for-prod")
    assert preferences.settings(name="samples") == LocalTarget(None, 5)
    assert preferences.settings(name="mine") == LocalTarget(str(tmp_path / "integrations"), None)
    assert broker(preferences).host == "env.example"
    assert broker(preferences, "line.example", "prod").address == "amqp://line.example:5672"
    assert (preferences.timeout("prod"), preferences.timeout()) == (60, None)


def test_the_table_called_default_is_that_of_no_name(make: Make) -> None:
    preferences = make('[tool.nango-jupyter.connections.default]\nhost = "d.example"')
    assert broker(preferences).host == broker(preferences, name="default").host == "d.example"
    assert broker(preferences, name="new").host == "localhost"


def test_a_password_is_only_sent_for_the_user_that_it_belongs_to(make: Make) -> None:
    assert broker(make(NANGO_USER="ada", NANGO_PASSWORD="hunter22")).password.reveal() == "hunter22"
    assert broker(make(NANGO_PASSWORD="hunter22"), user="bob").password.reveal() == "hunter22"
    other = broker(make(NANGO_USER="ada", NANGO_PASSWORD="hunter22"), user="bob")
    assert other.needs_password
    assert other.password.reveal() != "hunter22"
    prod = make(CONNECTIONS, PROD_PASSWORD="hunter22", NANGO_PASSWORD="another")
    other = broker(prod, name="prod", user="eve")
    assert other.password.reveal() == "another"
    named = '[tool.nango-jupyter.connections.prod]\nhost = "p"\nuser = "svc"'
    assert broker(make(named, NANGO_PASSWORD="hunter22"), name="prod").needs_password


@pytest.mark.parametrize("named", [{"NANGO_HOST": "corp"}, {"NANGO_URL": "amqp://ada@corp/v"}])
def test_a_password_is_only_sent_to_the_host_that_the_environment_names(
    make: Make, named: dict[str, str]
) -> None:
    environ = {**named, "NANGO_USER": "ada", "NANGO_PASSWORD": "hunter22"}
    assert broker(make(**environ)).password.reveal() == "hunter22"
    assert broker(make(**environ), "corp").password.reveal() == "hunter22"
    assert broker(make(**environ), "other.example").needs_password
    cloned = '[tool.nango-jupyter.connections.default]\nhost = "evil.example"'
    assert broker(make(cloned, **environ)).needs_password


def test_the_line_names_the_variable_of_a_password(make: Make) -> None:
    settings = broker(make(PW="hunter22"), "amqp://ada:typed@h", password_env="PW")
    assert (settings.username, settings.password.reveal()) == ("ada", "hunter22")
    for empty in ({}, {"PW": ""}):
        with pytest.raises(NangoUsageError, match="variable PW is not set, or empty"):
            make(**empty).settings("h", password_env="PW")
    with pytest.raises(NangoUsageError) as caught:
        make().settings("h", password_env="hunter22")
    assert "hunter22" not in shown(caught.value)
    with pytest.raises(NangoUsageError, match="PROD_PASSWORD is not set"):
        make(CONNECTIONS).settings(name="prod")


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"NANGO_PORT": "x"}, "NANGO_PORT is 'x'"),
        ({"NANGO_PORT": "0"}, "NANGO_PORT is 0"),
        ({"NANGO_PORT": "5_672"}, "NANGO_PORT is '5_672'"),
        ({"NANGO_PORT": "\uff11"}, "NANGO_PORT is"),
        ({"NANGO_PORT": "9" * 6000}, "NANGO_PORT is '999"),
        ({"NANGO_TIMEOUT": "soon"}, "NANGO_TIMEOUT is 'soon'"),
        ({"NANGO_TIMEOUT": "-1"}, "NANGO_TIMEOUT is '-1'"),
        ({"NANGO_TIMEOUT": "nan"}, "NANGO_TIMEOUT is 'nan'"),
        ({"NANGO_TIMEOUT": "1.2.3"}, "NANGO_TIMEOUT is '1.2.3'"),
        ({"NANGO_HOST": "a b"}, "NANGO_HOST: 'a b' is not a host name"),
        ({"NANGO_URL": "amqp://u:hunter2#@h"}, "NANGO_URL: The URL can't be read"),
    ],
    ids=lambda value: None if isinstance(value, str) else "-".join(value),
)
def test_a_variable_that_cant_be_used(make: Make, environ: dict[str, str], message: str) -> None:
    with pytest.raises(NangoUsageError) as caught:
        make(**environ).settings()
    assert caught.value.message.startswith(message)
    assert len(caught.value.message) < 200
    assert "hunter2" not in shown(caught.value)


def test_only_what_is_asked_for_is_looked_at(make: Make) -> None:
    preferences = make(NANGO_PORT="x", NANGO_ROWS="5", NANGO_CONCURRENCY="0")
    assert preferences.rows_and_columns()[0] == 5
    with pytest.raises(NangoUsageError, match="NANGO_CONCURRENCY is 0"):
        preferences.concurrency()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('host = ""', "host in"),
        ("host = 5", "host in"),
        ("port = true", "port in"),
        ("port = 70000", "port in"),
        ('port = "5672"', "port in"),
        ("timeout = 0", "timeout in"),
        ("timeout = nan", "timeout in"),
        ('timeout = "5"', "timeout in"),
        ("rows = 0", "rows in"),
        ("rows = 2.5", "rows in"),
        ("concurrency = []", "concurrency in"),
        ("local = false", "local in"),
        ("url = 1979-05-27", "url in"),
        ('user = ["a"]', "user in"),
        ("connections = 5", "connections in"),
        ("connections.prod = 5", "connections.prod. in"),
        ("connections.prod.rows = 5", "There is no setting connections.prod.rows in"),
        ('connections.prod.port = "x"', "connections.prod.port in"),
        ('url = "http://h"', "url in"),
        ('url = "amqp://h"\nhost = "h"', "url and host in"),
        ('local = true\nhost = "h"', "local and host in"),
    ],
)
def test_a_setting_of_the_file_that_cant_be_used(
    make: Make, tmp_path: Path, line: str, message: str
) -> None:
    with pytest.raises(NangoUsageError) as caught:
        make(f"[tool.nango-jupyter]\n{line}").settings()
    assert caught.value.message.startswith(message)
    assert str(tmp_path / "pyproject.toml") in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("key", "meant"),
    [("prot", "port"), ("conections", "connections"), ("password_env", "password-env")],
)
def test_a_misspelt_setting(make: Make, key: str, meant: str) -> None:
    with pytest.raises(NangoUsageError) as caught:
        make(f'[tool.nango-jupyter]\n{key} = "x"').rows_and_columns()
    assert caught.value.hint == f"Did you mean {meant}?"


def test_a_misspelt_connection(make: Make) -> None:
    preferences = make(CONNECTIONS)
    with pytest.raises(NangoUsageError, match="no connection 'prdo'") as caught:
        preferences.settings(name="prdo")
    assert caught.value.hint.startswith("Did you mean prod?")
    assert broker(preferences, "h", "prdo").host == "h"
    assert broker(preferences, name="entirely-new").host == "dev.example"


@pytest.mark.parametrize(
    "line",
    [
        'password = "hunter22"',
        'pwd = "hunter22"',
        'token = "hunter22"',
        "password = 12345678",
        'url = "amqp://ada:hunter22@h"',
        'url = "amqp://ada:hunter22#@h"',
        'connections.prod.password = "hunter22"',
        'connections.prod.url = "amqps://ada:hunter22@h/v"',
    ],
)
def test_a_password_in_the_file_is_refused_and_not_shown(make: Make, line: str) -> None:
    with pytest.raises(NangoUsageError) as caught:
        make(f"[tool.nango-jupyter]\n{line}").settings()
    assert "holds a password" in caught.value.message
    assert "password-env" in caught.value.hint
    assert "keyring set" in caught.value.hint
    assert "hunter22" not in shown(caught.value)
    if '"hunter22"' in line:
        assert redact("it is hunter22 of course") == f"it is {MASK} of course"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("[tool.nango-jupyter]\nhost = \n", 2),
        ("[tool.nango-jupyter]\nhost = 'a'\nhost = 'hunter2'\n", 3),
        ("[tool.nango-jupyter]\nhost = '''\nabc", 3),
    ],
)
def test_a_broken_file_names_its_line(make: Make, tmp_path: Path, text: str, number: int) -> None:
    with pytest.raises(NangoUsageError) as caught:
        make(text).settings()
    assert f"{tmp_path / 'pyproject.toml'}:{number} is not TOML" in caught.value.message
    assert "hunter2" not in shown(caught.value)


def test_other_peoples_files_are_left_alone(make: Make, tmp_path: Path) -> None:
    for text in ("broken [", "\x00", '[tool.ruff]\npassword = "x"', 'tool = "nango-jupyter"'):
        assert broker(make(text)).host == "localhost"
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe nango-jupyter")
    with pytest.raises(NangoUsageError, match="is not UTF-8"):
        make().settings()
    (tmp_path / "pyproject.toml").unlink()
    (tmp_path / "pyproject.toml").mkdir()
    assert broker(make()).host == "localhost"


def test_a_file_that_fails_to_be_read_is_no_silent_default(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    preferences = make(PROJECT)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(NangoUsageError, match=r"pyproject.toml can't be read: Permission denied"):
        preferences.settings()


def test_the_nearest_file_with_the_table_counts(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "a" / "pyproject.toml").write_text('[project]\nname = "nango-jupyter-things"')
    preferences = Preferences(environ={}, folder=lambda: inner)
    assert broker(preferences).host == "project.example"
    (inner / "pyproject.toml").write_text('[tool.nango-jupyter]\nhost = "near.example"')
    assert broker(preferences).host == "near.example"
    (inner / "pyproject.toml").write_text('[tool.nango-jupyter]\nhost = "changed.example"')
    assert broker(preferences).host == "changed.example"
    (inner / "pyproject.toml").unlink()
    assert broker(preferences).host == "project.example"


def test_a_working_folder_that_is_gone(tmp_path: Path) -> None:
    def gone() -> Path:
        raise FileNotFoundError

    assert broker(Preferences(environ={}, folder=gone)).host == "localhost"


def test_the_embedded_server_takes_no_port(make: Make) -> None:
    with pytest.raises(NangoUsageError, match="which has no port"):
        make(CONNECTIONS).settings(name="samples", port=5)
    assert broker(make(CONNECTIONS), "h", name="samples", port=5).port == 5
