"""The form to register, in a real kernel."""

import pytest

from tests.support.kernel import Kernel

VARIABLE = "form._credentials.variable.value = 'CRM_TOKEN'; "


IDLE = "await until(lambda: not form._worker.is_busy)"


@pytest.fixture(autouse=True)
def form(kernel: Kernel) -> None:
    kernel.ok("%nango_close --all\n%nango_connect --local\nform = nango_jupyter.RegisterForm()")


def said(kernel: Kernel, code: str) -> str:
    return kernel.ok(f"print({code})").text.strip()


def test_a_token(kernel: Kernel) -> None:
    assert said(kernel, "form._integration.options") == "('billing', 'chat', 'crm', 'demo')"
    kernel.ok("form._integration.value = 'crm'; form._user._field.value = 'ada'")
    kernel.ok("form._credentials.token.widget.value = 'crm-demo-token'")
    assert said(kernel, "repr(form._credentials.token.widget.value)") == "''"
    kernel.ok("await run(form, form._register)")
    assert said(kernel, "text(form.status)") == "Registered."
    assert "crm-demo-token" not in said(kernel, "form.result.value")
    assert said(kernel, "form._credentials.token.given") == "None"
    assert "contacts" in kernel.ok("%nango_trigger crm list-contacts ada").html
    kernel.ok(
        "form._credentials.token.widget.value = 'crm-demo-token'; await run(form, form._register)"
    )
    assert said(kernel, "text(form.status)") == "It failed: the reason is below."
    assert "already-existing" in said(kernel, "text(form.result)")


def test_a_variable_and_config(kernel: Kernel) -> None:
    kernel.ok("form._integration.value = 'crm'; form._user._field.value = 'gus'")
    kernel.ok(
        "form._credentials.kind.value = 'named'; form._credentials.variable.value = 'CRM_TOKEN'"
    )
    kernel.ok('form._config.text = \'{"region": "eu"}\'; await run(form, form._register)')
    assert said(kernel, "text(form.status)") == "Registered."
    table = kernel.ok("%nango_connections gus").all_text
    assert "region" in table


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        ("token", "", "Token is missing"),
        ("token", "form._integration.value = ''", "Integration and Token are missing"),
        ("token", "form._user._field.value = ''", "User and Token are missing"),
        ("named", VARIABLE + "form._config.text = '[1'", "line 1, column 3"),
        ("named", VARIABLE + "form._config.text = '[1]'", "Config must be an object"),
        ("named", "", "Variable is missing"),
        ("named", "form._credentials.variable.value = 'NOWHERE'", "NOWHERE"),
        ("keyring", "", "keyring"),
        ("oauth2", "", "Token and Refresh token are missing"),
        ("oauth1", "form._credentials.token.widget.value = 'abc'", "Token secret is missing"),
        ("key", "", "API key is missing"),
        ("basic", "", "User name and Password are missing"),
        ("basic", "form._credentials.account.value = 'ada'", "Password is missing"),
    ],
)
def test_what_is_missing_is_said(kernel: Kernel, kind: str, given: str, message: str) -> None:
    kernel.ok(f"form._credentials.kind.value = {kind!r}")
    kernel.ok("form._integration.value = 'demo'; form._user._field.value = 'bob'")
    kernel.ok(f"{given}\nawait run(form, form._register)")
    assert message in said(kernel, "text(form.status)")


def test_without_a_connection(kernel: Kernel) -> None:
    kernel.ok("%nango_close --all")
    kernel.ok("form._integration.value = 'demo'; form._user._field.value = 'bob'")
    kernel.ok("form._credentials.token.widget.value = 'tok'; await run(form, form._register)")
    assert "Not connected" in said(kernel, "text(form.status)")
    assert said(kernel, "form._credentials.token.given is None") == "False"  # nothing is lost


def test_all_that_is_missing_is_said_at_once(kernel: Kernel) -> None:
    kernel.ok("await run(form, form._register)")
    assert said(kernel, "text(form.status)") == "Integration, User and Token are missing"
    assert "nango-error" in said(kernel, "form.status.value")
    assert "Which one?" in said(kernel, "form._checked.error")
    kernel.ok("form._integration.value = 'demo'; form._user._field.value = 'eve'")
    assert said(kernel, "repr(form._checked.error + form._user.error)") == "''"
    assert said(kernel, "text(form.status)") == "Token is missing"
    kernel.ok("form._credentials.token.widget.value = 'any-token'")
    assert said(kernel, "text(form.status)") == ""


def test_a_double_click_registers_once(kernel: Kernel) -> None:
    kernel.ok("form._integration.value = 'demo'; form._user._field.value = 'dora'")
    kernel.ok("form._credentials.token.widget.value = 'any-token'")
    kernel.ok("click(form._register); click(form._register)\n" + IDLE)
    assert said(kernel, "text(form.status)") == "Registered."


def test_a_number_and_its_text_are_two_users(kernel: Kernel) -> None:
    for typed in ("1", '"1"'):
        kernel.ok(f"form._integration.value = 'demo'; form._user._field.value = {typed!r}")
        kernel.ok("form._credentials.token.widget.value = 'any-token'")
        kernel.ok("await run(form, form._register); await until(lambda: not form._worker.is_busy)")
        assert said(kernel, "text(form.status)") == "Registered."
        assert said(kernel, "form._user.typed") == typed  # kept for the next one
    assert said(kernel, "form.session.connection().known.users_seen('demo')") == "['1', 1]"


def test_oauth_2_goes_out_whole(kernel: Kernel) -> None:
    kernel.ok("form._integration.value = 'demo'; form._user._field.value = 'fay'")
    kernel.ok("form._credentials.kind.value = 'oauth2'")
    kernel.ok("form._credentials.token.widget.value = 'access-1'")
    kernel.ok("form._credentials.refresh_token.widget.value = 'refresh-1'")
    kernel.ok("form._credentials.expires.value = '2030-12-31T12:00:00Z'")
    kernel.ok("token, sent = form._credentials.read('demo', 'fay')")
    assert said(
        kernel, "{key: getattr(it, 'reveal', lambda: it)() for key, it in sent.items()}"
    ) == (
        "{'access_token': 'access-1', 'refresh_token': 'refresh-1', "
        "'expires_at': '2030-12-31T12:00:00Z'}"
    )
    kernel.ok("await run(form, form._register)")
    assert said(kernel, "text(form.status)") == "Registered."
    states = "str([one.get_state() for one in ipywidgets.widgets.widget._instances.values()])"
    assert said(kernel, f"[word in {states} for word in ('access-1', 'refresh-1')]") == (
        "[False, False]"
    )


def test_a_token_in_the_place_of_a_variable_is_taken_out(kernel: Kernel) -> None:
    kernel.ok("form._credentials.kind.value = 'named'")
    kernel.ok("form._credentials.variable.value = 'xoxb-1234-pasted'")
    assert said(kernel, "repr(form._credentials.variable.value)") == "''"
    assert "not the name of an environment variable" in said(kernel, "text(form.status)")
    assert "xoxb" not in said(kernel, "form.status.value")


def test_only_the_fields_of_the_kind_are_shown(kernel: Kernel) -> None:
    shown = "[one.description for one in form._credentials.widgets if one.layout.display != 'none']"
    assert said(kernel, shown) == "['Credentials', 'Token']"
    kernel.ok("form._credentials.kind.value = 'basic'")
    assert said(kernel, shown) == "['Credentials', 'User name', 'Password']"
    kernel.ok("form._credentials.kind.value = 'keyring'")
    assert said(kernel, shown) == "['Credentials', 'Keyring service']"
