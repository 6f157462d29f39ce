"""The form that registers a user's connection to an integration."""

from __future__ import annotations

from ipywidgets import Combobox

from nango_jupyter.exceptions import NangoClosedError, NangoUsageError
from nango_jupyter.results import NangoResult
from nango_jupyter.widgets import look
from nango_jupyter.widgets.checked_field import CheckedField
from nango_jupyter.widgets.credential_fields import CredentialFields
from nango_jupyter.widgets.json_area import JsonArea
from nango_jupyter.widgets.result_form import ResultForm
from nango_jupyter.widgets.shared import Shared
from nango_jupyter.widgets.user_field import UserField

__all__ = ["RegisterForm"]


class RegisterForm(ResultForm):
    """A form that registers a user's connection: a token, or what else the integration takes.

    Tokens and passwords leave their fields as soon as they are typed.

    Parameters
    ----------
    integration : str, optional
        What to fill in.
    shared : Shared, optional
        As in `Form`.
    """

    def __init__(self, integration: str = "", *, shared: Shared | None = None) -> None:
        super().__init__(shared=shared)
        self._integration = look.field(
            Combobox, "Integration", placeholder="slack", value=integration
        )
        self._checked = CheckedField(self._integration)
        self._user = UserField(on_change=self._say_what_is_left)
        self._credentials = CredentialFields(self.guarded, self._say_what_is_left)
        self._is_missing = False  # whether the status line says what is missing
        self._config = JsonArea(
            "Config", lambda: None, "An object in JSON, which the actions can read; optional."
        )
        self._register = look.button("Register", "primary")
        self._register.on_click(self.guarded(self._on_register))
        self._integration.observe(self.guarded(self._clear_error), "value")
        self.buttons = (self._register,)
        self.lay_out(
            look.title("Register"),
            self._checked.widget,
            self._user.widget,
            *self._credentials.widgets,
            self._config.widget,
            look.row(self._register, self.cancel_button),
            self.status,
            self.result,
        )

    def refresh(self) -> None:
        """Offer the integrations that there are."""
        try:
            known = self.session.connection().known
        except NangoClosedError:
            names: list[str] = []
        else:
            names = known.integrations()
        self._checked.offer(names)

    def _clear_error(self, _: object) -> None:
        self._checked.error = ""
        self._say_what_is_left()

    def _on_register(self, _: object) -> None:
        if self._worker.is_busy:
            return  # a double click: the first one has taken the token
        self._check_missing()
        integration, user = self._integration.value.strip(), self._user.read()
        config = self._config.read()
        if config is not None and not isinstance(config, dict):
            raise self._config.wrong("must be an object, such as {}")
        self.session.client()  # before a keyring is asked
        token, credentials = self._credentials.read(integration, user)

        async def register() -> NangoResult:
            return await self.session.register(
                integration, user, token, config, credentials=credentials
            )

        if self.begin(register, "Registering", self._registered):
            self._credentials.forget()

    def _check_missing(self) -> None:
        has_integration = bool(self._integration.value.strip())
        self._checked.error = "" if has_integration else "Which one? Give the integration's name."
        self._user.error = "" if self._user.typed.strip() else "Who? Give the user's id."
        text = self._missing()
        self._is_missing = bool(text)
        if text:
            self.result.value = ""
            raise NangoUsageError(text)

    def _missing(self) -> str:
        """Say all that is missing at once; "" if nothing is."""
        missing = [] if self._integration.value.strip() else ["Integration"]
        missing += [] if self._user.typed.strip() else ["User"]
        missing += self._credentials.missing()
        if not missing:
            return ""
        *rest, last = missing
        return f"{', '.join(rest)} and {last} are missing" if rest else f"{last} is missing"

    def _say_what_is_left(self) -> None:
        """Follow in the status line what is filled in."""
        if not self._is_missing or self._worker.is_busy:
            return
        text = self._missing()
        self._is_missing = bool(text)
        self.say(text, "error" if text else "")

    def _registered(self, result: NangoResult) -> None:
        self.say("Registered.", "ok")
        self.show(result)
