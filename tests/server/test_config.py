"""The folder's two YAML files: both forms, and everything that can be wrong with them."""

import logging
from pathlib import Path
from textwrap import dedent

import pytest

from nango_jupyter.exceptions import NangoConfigError
from nango_jupyter.secrets import redact
from nango_jupyter.server import NangoServer
from nango_jupyter.server.config import FolderConfig, Integration
from tests.server.support import write_folder


def load(
    folder: Path, integrations: str, server: str = "", environ: dict[str, str] | None = None
) -> FolderConfig:
    return FolderConfig.load(write_folder(folder, integrations, server), environ or {})


def problems(
    folder: Path, integrations: str, server: str = "", environ: dict[str, str] | None = None
) -> list[str]:
    with pytest.raises(NangoConfigError) as caught:
        load(folder, integrations, server, environ)
    first, *lines = caught.value.message.split("\n- ")
    assert first == f"The integrations folder {folder} can't be used:"
    return lines


SLACK_01 = """
integrations:
    - slack:
          base_url: https://slack.com/api/
          call_auth: {mode: AUTH_HEADER_TOKEN}
          log_level: debug
          http_request_timeout_seconds: 60
    - plain:
          base_url: http://localhost:1
"""
SLACK_02 = """
slack:
    auth:
        auth_mode: OAUTH2
    requests:
        base_url: https://slack.com/api/
        headers:
            Authorization: Bearer ${access_token}
    log_level: debug
    http_request_timeout_seconds: 60
plain:
    requests:
        base_url: http://localhost:1
"""


@pytest.mark.parametrize(
    "text",
    [
        SLACK_01,
        SLACK_01.replace("integrations:\n", ""),
        SLACK_02,
        "integrations:\n" + SLACK_02.replace("\n", "\n    "),
        "\ufeff" + SLACK_02,
    ],
)
def test_both_forms_say_the_same(tmp_path: Path, text: str) -> None:
    config = load(tmp_path, text)
    assert config.integrations == {
        "slack": Integration(
            name="slack",
            base_url="https://slack.com/api/",
            headers={"Authorization": "Bearer ${access_token}"},
            log_level=logging.DEBUG,
            http_timeout=60,
        ),
        "plain": Integration(name="plain", base_url="http://localhost:1", http_timeout=100),
    }


def test_defaults(tmp_path: Path) -> None:
    config = load(tmp_path, "integrations: {demo: }")
    assert config.main_log_level == logging.INFO
    assert config.integrations == {"demo": Integration(name="demo", http_timeout=100)}


def test_defaults_of_the_folder(tmp_path: Path) -> None:
    server = """
        main_server_log_level: silly
        default_http_request_timeout_seconds: 0
        default_action_log_level: warn
    """
    text = "a: {}\nb: {log_level: http, http_request_timeout_seconds: 2.5}"
    config = load(tmp_path, text, server)
    assert config.main_log_level == 5
    found = [(one.log_level, one.http_timeout) for one in config.integrations.values()]
    assert found == [(logging.WARNING, 0), (18, 2.5)]


@pytest.mark.parametrize("text", ["integrations: []", "integrations: {}", "{}", "[]"])
def test_no_integrations_yet(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text).integrations == {}


def test_environment_variables(tmp_path: Path) -> None:
    text = """
        shop:
            auth: {auth_mode: "${MODE}"}
            requests:
                base_url: https://${raw.shop}.example.com/${VERSION}
                headers: {X-Key: "${api_key} ${MY_API_KEY}", X-Version: 2}
                params: {key: "${raw.KEY}"}
            app_api_key: ${APP}
            http_request_timeout_seconds: ${SECONDS}
    """
    environ = {
        "MODE": "API_KEY",
        "VERSION": "v1: {",
        "MY_API_KEY": "from-the-environment",
        "APP": "app-secret-1",
        "SECONDS": "7",
        "access_token": "never used",
    }
    shop = load(tmp_path, text, environ=environ).integrations["shop"]
    assert shop.auth_mode == "API_KEY"
    assert shop.base_url == "https://${raw.shop}.example.com/v1: {"
    assert shop.headers == {"X-Key": "${api_key} from-the-environment", "X-Version": "2"}
    assert shop.params == {"key": "${raw.KEY}"}
    assert (shop.app_api_key, shop.http_timeout) == ("app-secret-1", 7)
    assert "app-secret-1" not in repr(shop)
    assert redact("from-the-environment app-secret-1") == "•••••• ••••••"


def test_all_problems_at_once(tmp_path: Path) -> None:
    text = """
        integrations:
            - one:
                  base_url: ftp://files.example.com
                  call_auth: {mode: MAGIC}
                  log_level: loud
            - one: {base_url: "${GONE}/x"}
            - two: {requests: {headers: {A: [1]}}, http_request_timeout_seconds: -1}
              extra: {}
            - ../three: {}
            - 4: {}
            - just text
            - five: text
            - six: {auth: {auth_mode: NONE}, base_url: 2026-01-01}
    """
    found = problems(tmp_path, text, "# Ours\nmain_server_log_level: [1]\n")
    entry = (
        "an entry is not one integration's map: write 'integrations:' and under it 'NAME:' with "
        "its settings, indented"
    )
    levels = "Input should be 'error', 'warn', 'info', 'http', 'verbose', 'debug' or 'silly'"
    modes = "Input should be 'OAUTH2', 'OAUTH1', 'API_KEY' or 'USERNAME_PASSWORD'"
    assert found == [
        "integrations.yaml:4: one.base_url: it is not a URL such as https://api.example.com/v1",
        "integrations.yaml:5: one.call_auth.mode: Input should be 'AUTH_HEADER_TOKEN'",
        f"integrations.yaml:6: one.log_level: {levels}",
        "integrations.yaml:7: one: there are two integrations of this name",
        "integrations.yaml:7: one.base_url: the environment variable GONE is not set",
        f"integrations.yaml:8: {entry}",
        "integrations.yaml:10: '../three' can't be an integration's name",
        "integrations.yaml:11: 4 can't be an integration's name",
        f"integrations.yaml:12: {entry}",
        "integrations.yaml:13: five: it must be a map, with keys and values",
        "integrations.yaml:14: six.base_url: Input should be a valid string",
        f"integrations.yaml:14: six.auth.auth_mode: {modes}",
        f"nango-config.yaml:2: main_server_log_level: {levels}",
    ]


def test_two_integrations_of_one_name(tmp_path: Path) -> None:
    found = problems(tmp_path, "integrations:\n  - a: {}\n  - a: {}\n")
    assert found == ["integrations.yaml:3: a: there are two integrations of this name"]
    found = problems(tmp_path, "integrations:\n  a: {}\n  b: {}\n  a: {}\n")
    assert found == ["integrations.yaml:4: 'a' stands here twice"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1", "integrations.yaml:1: expected ',' or ']'"),
        ("a: b: c", "integrations.yaml:1: mapping values are not allowed here"),
        ("a:\n\tb: c", "integrations.yaml:2: found character '\\t'"),
        ("a: !!python/object:os.system {}", "integrations.yaml:1: could not"),
        ("a: *nowhere", "integrations.yaml:1: found undefined alias 'nowhere'"),
        ("a: 2026-13-45", "integrations.yaml:1: a value can't be read: month must be in 1..12"),
        ("? {a: b}\n: c", "integrations.yaml:1: found unhashable key"),
        ("a: \x07", "integrations.yaml:1: it is not text: special characters"),
        ("a: &a {b: *a}", "integrations.yaml:1: a.b: it contains itself"),
        ("[" * 5000, "integrations.yaml: it is nested too deeply"),
        ("", "integrations.yaml: it names no integrations"),
        ("just text", "integrations.yaml: it names no integrations"),
        ("integrations: 5", "integrations.yaml:1: it names no integrations"),
        ("integrations:", "integrations.yaml:1: it names no integrations"),
        ("a: {requests: {base_url: 'http://[::1'}}", "a.requests.base_url: Invalid IPv6 URL"),
        ("a: {requests: {base_url: 'http://x:99999'}}", "a.requests.base_url: Port out of range"),
        ("a: {requests: 5}", "integrations.yaml:1: a.requests: it must be a map"),
        ("a: {1: 2}", "integrations.yaml:1: a[1]: Keys should be strings"),
        ("a: {log_level: '${A B}'}", "a.log_level: the environment variable A B is not set"),
        ("a: {http_request_timeout_seconds: .nan}", "a.http_request_timeout_seconds: Input"),
    ],
)
def test_one_problem(tmp_path: Path, text: str, said: str) -> None:
    found = problems(tmp_path, text)
    assert said in found[0]


def test_a_file_of_other_bytes(tmp_path: Path) -> None:
    (tmp_path / "integrations.yaml").write_bytes(b"a: \xff")
    with pytest.raises(NangoConfigError, match="it is not UTF-8 text"):
        FolderConfig.load(tmp_path, {})


def test_merge_keys_are_allowed(tmp_path: Path) -> None:
    text = """
        a: &base {log_level: debug, http_request_timeout_seconds: 3}
        b: {<<: *base, log_level: error}
    """
    found = load(tmp_path, text).integrations["b"]
    assert (found.log_level, found.http_timeout) == (logging.ERROR, 3)


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(NangoConfigError, match="There is no integrations folder") as caught:
        FolderConfig.load(tmp_path / "none", {})
    assert "integrations.yaml" in caught.value.hint
    with pytest.raises(NangoConfigError, match=r"integrations.yaml: it can't be read: No such"):
        FolderConfig.load(tmp_path, {})


def test_unknown_keys_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = dedent(
        """
        more: 1
        integrations:
            a: {auth: {auth_mode: OAUTH2, scope_separator: x}, extends_blueprint: y}
        """
    )
    load(tmp_path, text, "port: 80\n")
    assert [record.getMessage() for record in caplog.records] == [
        "nango-config.yaml:1: port: this key is unknown, and ignored",
        "integrations.yaml:2: more: this key is unknown, and ignored",
        "integrations.yaml:4: a.extends_blueprint: this key is unknown, and ignored",
        "integrations.yaml:4: a.auth.scope_separator: this key is unknown, and ignored",
    ]


async def test_the_server_starts_only_on_a_good_folder(tmp_path: Path) -> None:
    server = NangoServer(write_folder(tmp_path, "a: {log_level: loud}"), environ={})
    with pytest.raises(NangoConfigError, match=r"a\.log_level"):
        await server.start()
    assert not (tmp_path / ".nango-jupyter").exists()
    write_folder(tmp_path, "a: {}", "main_server_log_level: debug\n")
    async with server:
        assert server.log_level == logging.DEBUG
