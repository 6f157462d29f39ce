"""Where to connect: hosts, URLs, the environment; and nothing secret in what is refused."""

import dataclasses
import ssl
import subprocess
import sys
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.secrets import Secret
from nango_jupyter.settings import MAX_TIMEOUT, Settings, check_timeout

SPECIAL = "p@ss:w/o?r#d%41 +&=;,[]<>\"'\\^`{|}~é🎉"


@pytest.mark.parametrize(
    ("target", "port", "found"),
    [
        ("localhost", None, ("localhost", 5672)),
        ("broker.example", 1234, ("broker.example", 1234)),
        ("broker:1234", None, ("broker", 1234)),
        ("broker:1234", 5672, ("broker", 1234)),
        (" 10.0.0.1 ", None, ("10.0.0.1", 5672)),
        ("::1", None, ("::1", 5672)),
        ("[::1]", 1234, ("::1", 1234)),
        ("[2001:db8::1]:99", None, ("2001:db8::1", 99)),
    ],
)
def test_hosts(target: str, port: int | None, found: tuple[str, int]) -> None:
    settings = Settings.from_target(target, port)
    assert (settings.host, settings.port) == found
    assert (settings.username, settings.password, settings.vhost) == ("guest", Secret("guest"), "/")
    assert not settings.tls


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("amqp://host", {"host": "host", "port": 5672, "vhost": "/", "tls": False}),
        ("amqp://host/", {"vhost": "/"}),
        ("amqp://host/%2F", {"vhost": "/"}),
        ("amqp://host/%2f", {"vhost": "/"}),
        ("amqp://host//", {"vhost": "/"}),
        ("amqp://host/a", {"vhost": "a"}),
        ("amqp://host/a%2Fb", {"vhost": "a/b"}),
        ("amqp://host/a/b", {"vhost": "a/b"}),
        ("amqp://host/%2Fa", {"vhost": "/a"}),
        ("amqp://host/%C3%A9%20%3F%23%40", {"vhost": "é ?#@"}),
        ("AMQP://Host:1234", {"host": "Host", "port": 1234}),
        ("amqp://host:/v", {"port": 5672, "vhost": "v"}),
        ("amqps://host", {"port": 5671, "tls": True}),
        ("amqps://host:5673/v", {"port": 5673, "tls": True, "vhost": "v"}),
        ("amqp://[::1]:1234/v", {"host": "::1", "port": 1234, "vhost": "v"}),
        ("amqp://[fe80::1%25eth0]", {"host": "fe80::1%eth0"}),
        ("amqp://", {"host": "localhost"}),
        ("amqp:///v", {"host": "localhost", "vhost": "v"}),
        ("amqp://user@host", {"username": "user", "password": Secret("guest")}),
        ("amqp://user:@host", {"username": "user", "password": Secret("")}),
        ("amqp://:pw12@host", {"username": "guest", "password": Secret("pw12")}),
        ("amqp://u:a:b@host", {"username": "u", "password": Secret("a:b")}),
        ("amqp://us%40er:p%3Aw@host", {"username": "us@er", "password": Secret("p:w")}),
        ("amqp://h?heartbeat=5&timeout=2.5", {"heartbeat": 5, "timeout": 2.5}),
        ("amqps://h?cafile=/a%20b.pem", {"options": {"cafile": "/a b.pem"}}),
        ("  amqp://host/v\n", {"host": "host", "vhost": "v"}),
    ],
)
def test_urls(url: str, found: dict[str, Any]) -> None:
    settings = Settings.from_target(url)
    assert {name: getattr(settings, name) for name in found} == found


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(min_size=1))
def test_what_is_percent_encoded_comes_back(password: str, user: str) -> None:
    user = user.encode(errors="replace").decode()
    url = f"amqp://{quote(user, safe='')}:{quote(password, safe='')}@host/v"
    settings = Settings.from_target(url)
    assert settings.username == user
    assert settings.password.reveal() == password
    assert (settings.host, settings.port, settings.vhost) == ("host", 5672, "v")


def test_a_url_has_its_own_port_and_keywords_win_over_its_options() -> None:
    settings = Settings.from_target("amqp://h:1?timeout=5&heartbeat=6", 2, timeout=7, heartbeat=8)
    assert (settings.port, settings.timeout, settings.heartbeat) == (1, 7, 8)
    settings = Settings.from_target("amqp://h?timeout=5", timeout=None, heartbeat=None)
    assert (settings.timeout, settings.heartbeat) == (5, 60)


def test_an_ssl_context_means_tls() -> None:
    context = ssl.create_default_context()
    for target in ("host", "amqp://host", "amqps://host"):
        settings = Settings.from_target(target, ssl_context=context)
        assert settings.tls
        assert settings.ssl_context is context


@pytest.mark.parametrize(
    "target",
    [
        "",
        " ",
        "a b",
        "host:port",
        "host:123456",
        "host:0",
        "host:70000",
        "[::1",
        "host/vhost",
        "user@host",
        "http://host",
        "amqp:/host",
        "amqp://ho st",
        "amqp://host:x",
        "amqp://host:70000",
        "amqp://host:" + "9" * 5000,
        "amqp://a@b@c",
        "amqp://host/v#fragment",
        "amqp://host?nonsense=1",
        "amqp://host?timeout=soon",
        "amqp://host?timeout=0",
        "amqp://host?timeout=nan",
        "amqp://host?timeout=inf",
        "amqp://host?timeout=-1",
        "amqp://host?heartbeat=1.5",
        "amqp://host?heartbeat=-1",
        "amqp://host?heartbeat=70000",
        "a\x00b",
    ],
)
def test_what_is_refused(target: str) -> None:
    with pytest.raises(NangoUsageError) as caught:
        Settings.from_target(target)
    assert caught.value.message


@pytest.mark.parametrize("target", [None, 5, b"host", ["host"]])
def test_a_host_is_text(target: Any) -> None:
    with pytest.raises(NangoUsageError, match="host is a"):
        Settings.from_target(target)


@pytest.mark.parametrize("port", [0, -1, 65536, True, "5672", 5672.0, float("nan")])
def test_ports(port: Any) -> None:
    with pytest.raises(NangoUsageError, match="port is"):
        Settings.from_target("host", port)


@pytest.mark.parametrize(
    "url",
    [
        "amqp://user:hunter2@pass@host",
        "amqp://user:hunter2/pass@host",
        "amqp://user:12/hunter2@host",
        "amqp://user:12?hunter2@host",
        "amqp://user:12#hunter2@host",
        "amqp://user:hunter2#pass@host",
        "amqp://user:hunter2@host:port",
        "amqp://user:hunter2@host:99999",
        "amqp://user:hunter2@host?nonsense=1",
        "amqp://user:hunter2@",
        "user:hunter2@host",
        "hunter2@host:5672",
    ],
)
def test_a_url_that_is_refused_does_not_show_its_password(url: str) -> None:
    try:
        shown = repr(Settings.from_target(url))
    except NangoUsageError as error:
        shown = repr(error) + error.message + error.hint + repr(error.__context__)
    assert "hunter2" not in shown


def test_settings_show_no_password_and_stay_as_they_are() -> None:
    settings = Settings.from_target(f"amqp://u:{quote(SPECIAL, safe='')}@h:1/a%2Fb")
    assert settings.password.reveal() == SPECIAL
    assert SPECIAL not in repr(settings)
    assert quote(SPECIAL, safe="") not in repr(settings)
    assert settings.address == "amqp://h:1/a%2Fb"
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.host = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("h", "amqp://h:5672"),
        ("amqps://u:p@h", "amqps://h:5671"),
        ("amqp://[::1]/é", "amqp://[::1]:5672/%C3%A9"),
    ],
)
def test_addresses(target: str, address: str) -> None:
    assert Settings.from_target(target).address == address


@pytest.mark.parametrize(
    ("environ", "address"),
    [
        ({}, "amqp://localhost:5672"),
        ({"NANGO_HOST": "h"}, "amqp://h:5672"),
        ({"NANGO_HOST": "h", "NANGO_PORT": "99"}, "amqp://h:99"),
        ({"NANGO_PORT": "99"}, "amqp://localhost:99"),
        ({"NANGO_HOST": "", "NANGO_PORT": "", "NANGO_URL": ""}, "amqp://localhost:5672"),
        ({"NANGO_URL": "amqps://u:p@x/v", "NANGO_HOST": "h"}, "amqps://x:5671/v"),
    ],
)
def test_the_environment(environ: dict[str, str], address: str) -> None:
    assert Settings.from_environment(environ).address == address


def test_a_password_from_the_environment() -> None:
    environ = {"NANGO_URL": "amqp://ada@broker.example.com", "NANGO_PASSWORD": "s3c/ret"}
    found = Settings.from_environment(environ)
    assert found.password.reveal() == "s3c/ret"
    assert not found.needs_password
    known = Settings.from_environment({**environ, "NANGO_URL": "amqp://ada:own@example.com"})
    assert known.password.reveal() == "own"


@pytest.mark.parametrize("port", ["x", "5672.0", "-1", "0", "99999", "\uff11\uff12"])
def test_a_bad_port_in_the_environment(port: str) -> None:
    with pytest.raises(NangoUsageError):
        Settings.from_environment({"NANGO_PORT": port})


def test_time_limits() -> None:
    assert check_timeout(1) == 1.0
    assert isinstance(check_timeout(1), float)
    assert check_timeout(MAX_TIMEOUT) == MAX_TIMEOUT
    for wrong in (0, -1, MAX_TIMEOUT + 1, float("nan"), float("inf"), True, "5", None):
        with pytest.raises(NangoUsageError, match="timeout is"):
            check_timeout(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("heartbeat", [-1, 65536, 1.5, True, "60"])
def test_heartbeats(heartbeat: Any) -> None:
    with pytest.raises(NangoUsageError, match="heartbeat is"):
        Settings(heartbeat=heartbeat)


@pytest.mark.parametrize(
    ("target", "known", "needs"),
    [
        ("amqp://ada@host", {}, True),
        ("amqp://ada:@host", {}, False),
        ("amqp://ada:pw12@host", {}, False),
        ("amqp://:pw12@host", {}, False),
        ("amqp://guest@host", {}, False),
        ("host", {}, False),
        ("host", {"username": "ada"}, True),
        ("host", {"username": "guest"}, False),
        ("host", {"username": "ada", "password": Secret("pw12")}, False),
        ("amqp://host", {"username": "ada"}, True),
        ("amqp://ada:pw12@host", {"username": "ada"}, False),
        ("amqp://ada:pw12@host", {"username": "bob"}, True),
    ],
)
def test_a_user_without_a_password(target: str, known: dict[str, Any], needs: bool) -> None:
    settings = Settings.from_target(target, **known)
    assert settings.needs_password is needs
    if known.get("username") == "bob":
        assert settings.password.reveal() != "pw12"  # it is ada's
    found = settings.with_password(Secret("found1"))
    assert not found.needs_password
    assert found.password.reveal() == "found1"
    assert found.username == settings.username


def test_settings_load_no_ssl() -> None:
    code = "import sys, nango_jupyter.settings; print('ssl' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
