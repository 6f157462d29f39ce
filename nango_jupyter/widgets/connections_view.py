"""Which connections are registered: a user's, or those to an integration."""

from __future__ import annotations

from datetime import datetime

from ipywidgets import Combobox, Dropdown

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.messages import UserId
from nango_jupyter.results import NangoResult
from nango_jupyter.widgets import look
from nango_jupyter.widgets.checked_field import CheckedField
from nango_jupyter.widgets.question import Question, find_users
from nango_jupyter.widgets.result_form import ResultForm
from nango_jupyter.widgets.shared import Shared
from nango_jupyter.widgets.user_field import UserField

__all__ = ["ConnectionsView"]

_USER, _INTEGRATION = "user", "integration"


class ConnectionsView(ResultForm):
    """Lists what was registered, as ``%nango_connections`` does.

    Parameters
    ----------
    user : str or int, optional
        Whose connections to list.
    integration : str, optional
        Or the integration to list the connections to.
    shared : Shared, optional
        As in `Form`.
    """

    def __init__(
        self, user: UserId = "", integration: str = "", *, shared: Shared | None = None
    ) -> None:
        super().__init__(shared=shared)
        self._users = Question(self, self._offer_users)
        kinds = [("those of a user", _USER), ("those to an integration", _INTEGRATION)]
        self._kind = look.field(Dropdown, "List", options=kinds)
        self._kind.observe(self.guarded(self._on_kind), "value")
        self._user = UserField()
        if user != "":
            self._user.set(user)
        self._integration = look.field(Combobox, "Integration", placeholder="crm")
        self._checked = CheckedField(self._integration)
        self._integration.value = integration
        go = look.button("Refresh", "primary", "List them as they are now")
        go.on_click(self.guarded(self._on_go))
        self.buttons = (go,)
        go.layout.width = "auto"
        if integration and user == "":
            self._kind.value = _INTEGRATION
        self._on_kind(None)
        self.lay_out(
            look.title("Connections"),
            self._kind,
            self._user.widget,
            self._checked.widget,
            look.row(go, self.cancel_button),
            self.status,
            self.result,
        )

    def refresh(self) -> None:
        """Offer the integrations and users that are known."""
        connections = self.session.connections()
        current = next((row.name for row in connections if row.is_current), None)
        if current is None:
            self._checked.offer([])
            self._user.offer([])
            return
        known = self.session.connection().known
        integrations = known.integrations()
        self._checked.offer(integrations)
        self._users.ask(lambda: find_users(known, integrations))

    def _offer_users(self, users: list[UserId]) -> None:
        self._user.offer(users)

    def _on_kind(self, _: object) -> None:
        is_user = self._kind.value == _USER
        self._user.widget.layout.display = "" if is_user else "none"
        self._checked.widget.layout.display = "none" if is_user else ""

    def _on_go(self, _: object) -> None:
        if self._kind.value == _USER:
            user = self._user.read()
            self._begin(user, "")
            return
        name = self._integration.value.strip()
        self._checked.error = "" if name else "Which one? Give its name."
        if not name:
            raise NangoUsageError("There is no integration", "Give its name.")
        self._begin(None, name)

    def _begin(self, user: UserId | None, integration: str) -> None:
        async def work() -> NangoResult:
            client = self.session.client()
            if user is not None:
                return await client.get_connections_for_user_id(user)
            return await client.get_connections_for_integration(integration)

        self.begin(work, "Asking the server", self._came)

    def _came(self, result: NangoResult) -> None:
        self.show(result)
        self.say(f"Listed at {datetime.now():%H:%M:%S}.", "ok")

    def close(self) -> None:
        """Close every part; see `Form.close`."""
        if not self._is_closed:
            self._users.close()
        super().close()
