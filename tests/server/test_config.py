"""The folder's two YAML files: both forms, and everything that can be wrong with them."""

import logging
from pathlib import Path

import pytest

from nango_jupyter.exceptions import NangoConfigError
from nango_jupyter.secrets import redact
from nango_jupyter.server import NangoServer
from nango_jupyter.server.config import FolderConfig, Integration, read_config
from nango_jupyter.server.problems import in_order
from tests.server.support import write_folder


def load(
    folder: Path, integrations: str, server: str = "", environ: dict[str, str] | None = None
) -> FolderConfig:
    reading = read_config(write_folder(folder, integrations, server), environ or {})
    assert reading.problems == []
    return reading.config


def problems(
    folder: Path, integrations: str, server: str = "", environ: dict[str, str] | None = None
) -> list[str]:
    reading = read_config(write_folder(folder, integrations, server), environ or {})
    return [str(problem) for problem in in_order(reading.problems)]


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
    found = problems(tmp_path, "a:\n  auth: {}\n  auth: {}\nb: {}\na: {log_level: x}\n")
    assert [line.rpartition(": ")[0] for line in found] == [
        "integrations.yaml:3",
        "integrations.yaml:5",
        "integrations.yaml:5: a.log_level",
    ]


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
    reading = read_config(tmp_path, {})
    assert [str(problem) for problem in reading.problems] == [
        "integrations.yaml:1: it is not UTF-8 text: invalid start byte"
    ]
    assert reading.names is None


def test_merge_keys_are_allowed(tmp_path: Path) -> None:
    text = """
        a: &base {log_level: debug, http_request_timeout_seconds: 3}
        b: {<<: *base, log_level: error}
    """
    found = load(tmp_path, text).integrations["b"]
    assert (found.log_level, found.http_timeout) == (logging.ERROR, 3)


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(NangoConfigError, match="There is no integrations folder") as caught:
        read_config(tmp_path / "none", {})
    assert "integrations.yaml" in caught.value.hint
    found = [str(problem) for problem in read_config(tmp_path, {}).problems]
    assert found == ["integrations.yaml: it can't be read: No such file or directory"]


def test_unknown_keys_are_warnings(tmp_path: Path) -> None:
    text = """\
        more: 1
        integrations:
            a:
                auth: {auth_mode: OAUTH2, scope_separator: x}
                extends_blueprint: y
    """
    reading = read_config(write_folder(tmp_path, text, "port: 80\n"), {})
    assert reading.problems == []
    assert [str(warning) for warning in in_order(reading.warnings)] == [
        "integrations.yaml:1: more: this key is unknown, and ignored",
        "integrations.yaml:4: a.auth.scope_separator: this key is unknown, and ignored",
        "integrations.yaml:5: a.extends_blueprint: this key is unknown, and ignored",
        "nango-config.yaml:1: port: this key is unknown, and ignored",
    ]


def test_lines_of_what_comes_by_merge_keys_and_in_the_list_form(tmp_path: Path) -> None:
    text = """\
        integrations:
            - a: &base
                  log_level: loud
            - b:
                  <<: *base
                  requests:
                      headers: {X: 1}
                      params:
                          list: [1]
            - c:
                  oauth_scopes: [read, [x]]
    """
    assert [line.partition(": I")[0] for line in problems(tmp_path, text)] == [
        "integrations.yaml:3: a.log_level",
        "integrations.yaml:3: b.log_level",
        "integrations.yaml:9: b.requests.params.list",
        "integrations.yaml:11: c.oauth_scopes[1]",
    ]


def test_a_key_may_override_what_a_merged_map_overrode(tmp_path: Path) -> None:
    text = """
        x: {auth: &a {auth_mode: API_KEY}, requests: {}}
        y: {auth: &b {<<: *a, auth_mode: OAUTH1}}
        z: {auth: {<<: *b, auth_mode: OAUTH2}}
    """
    found = load(tmp_path, text).integrations
    assert [one.auth_mode for one in found.values()] == ["API_KEY", "OAUTH1", "OAUTH2"]


def test_oauth2_settings(tmp_path: Path) -> None:
    text = """
        a:
            auth:
                token_url: https://x.example/token
                token_request_auth_method: basic
            oauth_client_id: id
            oauth_client_secret: client-secret-1
            oauth_scopes: [read, write]
        b: {auth: {token_url: https://x.example/1, refresh_url: https://x.example/2}}
        c: {oauth_scopes: "read  write"}
    """
    a, b, c = load(tmp_path, text).integrations.values()
    assert (a.token_url, a.token_auth) == ("https://x.example/token", "basic")
    assert (a.oauth_client_id, a.oauth_client_secret) == ("id", "client-secret-1")
    assert "client-secret-1" not in f"{a!r} {redact('client-secret-1')}"
    assert (b.token_url, b.token_auth) == ("https://x.example/2", "body")
    assert (a.oauth_scopes, b.oauth_scopes, c.oauth_scopes) == ("read write", "", "read write")


def test_time_limits_and_retries(tmp_path: Path) -> None:
    server = "default_http_request_retries: 5\ndefault_execution_timeout_seconds: 9\n"
    text = "a: {}\nb: {http_request_retries: 0, execution_timeout_seconds: 0}"
    found = load(tmp_path, text, server).integrations.values()
    assert [(one.http_retries, one.execution_timeout) for one in found] == [(5, 9), (0, 0)]
    assert load(tmp_path, "a: {}", "{}").integrations["a"] == Integration("a")


def test_the_defaults_hold_for_integrations_made_later(tmp_path: Path) -> None:
    config = load(tmp_path, "a: {}", "default_action_log_level: debug\n")
    assert config.defaults == Integration(name="", log_level=logging.DEBUG)


async def test_the_server_starts_only_on_a_good_folder(tmp_path: Path) -> None:
    server = NangoServer(write_folder(tmp_path, "a: {log_level: loud}"), environ={})
    with pytest.raises(NangoConfigError, match=r"a\.log_level"):
        await server.start()
    assert not (tmp_path / ".nango-jupyter").exists()
    write_folder(tmp_path, "a: {}", "main_server_log_level: debug\n")
    async with server:
        assert server.log_level == logging.DEBUG
