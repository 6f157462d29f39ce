"""The form that runs an action."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ipywidgets import Combobox, Dropdown, Text

from nango_jupyter.calls import TriggerCall
from nango_jupyter.connections import ConnectionList, OpenConnection
from nango_jupyter.exceptions import NangoClosedError, NangoUsageError
from nango_jupyter.known import KnownNames
from nango_jupyter.messages import UserId
from nango_jupyter.results import NangoResult
from nango_jupyter.settings import check_timeout
from nango_jupyter.widgets import look
from nango_jupyter.widgets.cell_text import write_cell
from nango_jupyter.widgets.cell_view import CellView
from nango_jupyter.widgets.checked_field import CheckedField
from nango_jupyter.widgets.choices import choose
from nango_jupyter.widgets.input_area import InputArea
from nango_jupyter.widgets.question import Question, find_users
from nango_jupyter.widgets.result_form import ResultForm
from nango_jupyter.widgets.shared import Shared
from nango_jupyter.widgets.user_field import UserField

if TYPE_CHECKING:
    from nango_jupyter.catalog import Catalog, CatalogAction

__all__ = ["TriggerForm"]

_NOT_CONNECTED = "Not connected: use the form Connect, or %nango_connect."
_CANCELLED = "Cancelled: the server may go on with it."
_FILLED = "Filled in: change it, and press Trigger."

Served = Mapping[str, Mapping[str, "CatalogAction | None"]]


class TriggerForm(ResultForm):
    """Run an action in the name of a user.

    What the server can list is offered; where it tells the schema of an action's input, the
    input has a field for each part.

    Parameters
    ----------
    integration, action : str, optional
        What is filled in at first.
    user : str or int, optional
        For whom; 1 and "1" are two users.
    shared : Shared, optional
        As in `Form`.
    """

    def __init__(
        self,
        integration: str = "",
        action: str = "",
        user: UserId = "",
        *,
        shared: Shared | None = None,
    ) -> None:
        super().__init__(shared=shared)
        self._users = Question(self, self._offer_users)
        self._catalog = Question(self, self._take_catalog)
        self._input = InputArea(self._follow)
        self._cell = CellView(self._write_cell)
        self._drawing = threading.RLock()  # callbacks of fields come from another thread
        self._known: KnownNames | None = None
        self._served: Served = {}
        self._make_fields(integration, action, user)
        trigger = look.button("Trigger", "primary", "Run the action now")
        trigger.on_click(self.guarded(self._on_trigger))
        copy = look.button("Copy as cell", tooltip="Show the cell that does the same")
        copy.on_click(self.guarded(self._on_copy))
        self.buttons = (trigger,)
        for button in (trigger, copy, self.cancel_button):
            button.layout.width = "auto"
        self.lay_out(
            look.title("Trigger"),
            self._where,
            self._connection,
            self._integration.widget,
            self._action.widget,
            self._about,
            self._user.widget,
            self._input.widget,
            self._timeout.widget,
            look.row(trigger, copy, self.cancel_button),
            self._cell.widget,
            self.status,
            self.result,
        )

    def _make_fields(self, integration: str, action: str, user: UserId) -> None:
        self._where = look.help_text(_NOT_CONNECTED)
        self._about = look.help_text("")
        self._connection = look.field(Dropdown, "Connection", options=[("", "")], value="")
        self._integration = CheckedField(
            look.field(Combobox, "Integration", value=integration, placeholder="crm")
        )
        self._action = CheckedField(
            look.field(Combobox, "Action", value=action, placeholder="list-contacts")
        )
        self._user = UserField(on_change=self._follow)
        if user != "":
            self._user.set(user)
        self._timeout = CheckedField(look.field(Text, "Time limit (s)"))
        self._connection.observe(self.guarded(self._on_connection), "value")
        for checked in (self._integration, self._action):
            checked.field.observe(self.guarded(self._on_name), "value")
        self._timeout.field.observe(self.guarded(self._on_timeout), "value")

    def fill(self, call: TriggerCall, connection: str = "") -> None:
        """Put a call into the form, to change it or to run it again.

        Parameters
        ----------
        call : TriggerCall
        connection : str, optional
            The name of the connection to run it on; the current one without it.
        """
        with self._drawing:
            current = _current(self.session.connections())
            self._choose_connection("" if connection == current else connection)
            self._integration.field.value = call.integration
            self._action.field.value = call.action
            self._user.set(call.user_id)
            self._timeout.field.value = "" if call.timeout is None else f"{call.timeout:g}"
            self._input.set(call.input)
            self._follow()
        self.say(_FILLED)

    def refresh(self) -> None:
        """Offer what there is to trigger now: called on the main loop."""
        with self._drawing:
            self._choose_connection(self._connection.value)
            connection = self._find_connection()
            self._show_where(connection)
            if connection is not None:
                known = connection.known
                # One behind a broker is asked when something was run on it, too: see `on_end`.
                if known is not self._known or connection.local is not None:
                    self._catalog.ask(known.refresh)
                self._known, self._served = known, _served(known)
            self._draw()
        self._ask_users()

    def _take_catalog(self, _: Catalog | None) -> None:
        if self._known is not None:
            with self._drawing:
                self._served = _served(self._known)
                self._draw()

    def _find_connection(self) -> OpenConnection | None:
        try:
            return self.session.connection(self._connection.value or None)
        except NangoClosedError:
            return None

    def _show_where(self, connection: OpenConnection | None) -> None:
        text, limit = _NOT_CONNECTED, ""
        if connection is not None:
            text = f"On {connection.address}"
            if connection.state == "interrupted":
                text += " (interrupted: the next request connects again)"
            limit = f"{connection.client.timeout:g}"
        self._where.value = look.text_html(text, "nango-help")
        self._timeout.field.placeholder = limit

    def _choose_connection(self, chosen: str) -> None:
        """Offer the open connections, where there is more than one to choose from."""
        rows = self.session.connections()
        names = [row.name for row in rows]
        current = _current(rows)
        options = [(f"{current} (the current one)" if current else "the current one", "")]
        options += [(name, name) for name in names]
        if chosen and chosen not in names:
            options.append((f"{chosen} (closed)", chosen))
        choose(self._connection, options, chosen)
        self._connection.layout.display = "" if len(options) > 2 else "none"

    def _on_connection(self, _: object) -> None:
        self._refresh_soon()

    def _on_name(self, _: object) -> None:
        with self._drawing:
            self._integration.error = self._action.error = ""
            self._draw()
        self._ask_users()

    def _on_timeout(self, _: object) -> None:
        self._timeout.error = ""
        self._follow()

    def _names(self) -> tuple[str, str]:
        return self._integration.field.value.strip(), self._action.field.value.strip()

    def _draw(self) -> None:
        """Show what belongs to the names that are in the fields; from any thread."""
        integration, action = self._names()
        actions = self._served.get(integration, {})
        self._integration.offer(self._served)
        self._action.offer(actions)
        found = actions.get(action)
        about = "" if found is None else found.description
        self._about.value = look.text_html(about, "nango-help")
        self._about.layout.display = "" if about else "none"
        self._input.show((integration, action), None if found is None else found.input_schema)
        self._follow()

    def _follow(self) -> None:
        self._cell.follow()

    def _ask_users(self) -> None:
        known, (integration, _) = self._known, self._names()
        if known is None:
            return
        names = [integration] if integration in self._served else list(self._served)
        self._users.ask(lambda: find_users(known, names))

    def _offer_users(self, users: list[UserId]) -> None:
        self._user.offer(users)

    def _read(self) -> TriggerCall:
        """Return what the form holds; what is wrong is shown at its field."""
        problems: list[NangoUsageError] = []

        def read(reader: Callable[[], Any]) -> Any:
            try:
                return reader()
            except NangoUsageError as error:
                problems.append(error)
                return None

        call = TriggerCall(
            integration=read(lambda: _needed(self._integration, "integration")),
            action=read(lambda: _needed(self._action, "action")),
            user_id=read(self._user.read),
            input=read(self._input.read),
            timeout=read(self._read_timeout),
        )
        if problems:
            raise NangoUsageError("Nothing was sent:", "\n".join(map(_sentence, problems)))
        return call

    def _read_timeout(self) -> float | None:
        text = self._timeout.field.value.strip()
        self._timeout.error = ""
        try:
            return check_timeout(float(text)) if text else None
        except ValueError:  # what check_timeout raises is one, too
            self._timeout.error = "A number of seconds above 0, such as 60."
            raise NangoUsageError("The time limit is not a number of seconds.") from None

    def _on_trigger(self, _: object) -> None:
        call, connection = self._read(), self._connection.value or None
        self.begin(
            lambda: self.session.trigger(call, connection),
            f"Running {call.request}",
            self._came,
            cancelled=_CANCELLED,
        )

    def _came(self, result: NangoResult) -> None:
        self.show(result)
        self.say("Done.", "ok")

    def on_end(self, error: BaseException | None) -> None:
        """Ask what there is to trigger now: a name may have been wrong, or the files changed."""
        super().on_end(error)
        if self._known is not None and not self._is_closed:
            self._catalog.ask(self._known.refresh)

    def _write_cell(self) -> str:
        return write_cell(self._read(), self._connection.value)

    def _on_copy(self, _: object) -> None:
        if self._cell.is_shown:
            self._cell.hide()
        else:
            self._cell.show()
            self.say("Copy the text of this cell.")

    def close(self) -> None:
        """Close every part; see `Form.close`."""
        if not self._is_closed:
            self._users.close()
            self._catalog.close()
            self._input.close()
        super().close()


def _current(rows: ConnectionList) -> str:
    return next((row.name for row in rows if row.is_current), "")


def _served(known: KnownNames) -> Served:
    """Return what can be triggered, with what the server tells of each action."""
    told = known.catalog.integrations if known.catalog is not None else {}
    return {
        name: {action: told.get(name, {}).get(action) for action in actions}
        for name, actions in known.names().items()
    }


def _needed(checked: CheckedField, what: str) -> str:
    name: str = checked.field.value.strip()
    checked.error = "" if name else f"Which {what}? Give its name."
    if not name:
        raise NangoUsageError(f"There is no {what}.")
    return name


def _sentence(error: NangoUsageError) -> str:
    return f"{error.message.rstrip('.')}. {error.hint}".strip()
