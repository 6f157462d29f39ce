"""The form to register, in a real kernel."""

import pytest

from tests.support.kernel import Kernel


@pytest.fixture(autouse=True)
def form(kernel: Kernel) -> None:
    kernel.ok("%nango_close --all\n%nango_connect --local\nform = nango_jupyter.RegisterForm()")


def said(kernel: Kernel, code: str) -> str:
    return kernel.ok(f"print({code})").text.strip()


def test_a_token(kernel: Kernel) -> None:
    assert said(kernel, "form._integration.options") == "('crm', 'demo')"
    kernel.ok("form._integration.value = 'crm'; form._user._field.value = 'ada'")
    kernel.ok("form._token.widget.value = 'crm-demo-token'")
    assert said(kernel, "repr(form._token.widget.value)") == "''"
    kernel.ok("await run(form, form._register)")
    assert said(kernel, "text(form.status)") == "Registered."
    assert "crm-demo-token" not in said(kernel, "form.result.value")
    assert said(kernel, "form._token.given") == "None"
    assert "contacts" in kernel.ok("%nango_trigger crm list-contacts ada").html
    kernel.ok("form._token.widget.value = 'crm-demo-token'; await run(form, form._register)")
    assert "already-existing" in said(kernel, "text(form.status)")


def test_a_variable_and_config(kernel: Kernel) -> None:
    kernel.ok("form._integration.value = 'crm'; form._user._field.value = 'gus'")
    kernel.ok("form._kind.value = 'named'; form._variable.value = 'CRM_TOKEN'")
    kernel.ok('form._config.text = \'{"region": "eu"}\'; await run(form, form._register)')
    assert said(kernel, "text(form.status)") == "Registered."
    table = kernel.ok("%nango_connections gus").all_text
    assert "region" in table


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        ("token", "", "Token is required"),
        ("token", "form._integration.value = ''", "There is no integration"),
        ("token", "form._user._field.value = ''", "There is no user"),
        ("token", "form._config.text = '[1'", "line 1, column 3"),
        ("token", "form._config.text = '[1]'", "Config must be an object"),
        ("named", "form._variable.value = 'NOWHERE'", "NOWHERE"),
        ("oauth1", "form._token.widget.value = 'abc'", "Token secret is required"),
        ("key", "", "API key is required"),
        ("basic", "", "User name is required"),
        ("basic", "form._account.value = 'ada'", "Password is required"),
    ],
)
def test_what_is_missing_is_said(kernel: Kernel, kind: str, given: str, message: str) -> None:
    kernel.ok(f"form._kind.value = {kind!r}")
    kernel.ok("form._integration.value = 'demo'; form._user._field.value = 'bob'")
    kernel.ok(f"{given}\nawait run(form, form._register)")
    assert message in said(kernel, "text(form.status)")


def test_without_a_connection(kernel: Kernel) -> None:
    kernel.ok("%nango_close --all")
    kernel.ok("form._integration.value = 'demo'; form._user._field.value = 'bob'")
    kernel.ok("form._token.widget.value = 'tok'; await run(form, form._register)")
    assert "Not connected" in said(kernel, "text(form.status)")
    assert said(kernel, "form._token.given is None") == "False"  # nothing is lost
