"""All forms in one place."""

from __future__ import annotations

from ipywidgets import Tab

from nango_jupyter.calls import TriggerCall
from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.suggestions import did_you_mean
from nango_jupyter.widgets import look
from nango_jupyter.widgets.connect_form import ConnectForm
from nango_jupyter.widgets.connections_view import ConnectionsView
from nango_jupyter.widgets.form import Form
from nango_jupyter.widgets.history_view import HistoryView
from nango_jupyter.widgets.register_form import RegisterForm
from nango_jupyter.widgets.shared import Shared
from nango_jupyter.widgets.trigger_form import TriggerForm

__all__ = ["PARTS", "Panel"]

PARTS = ("Connect", "Register", "Trigger", "Connections", "History")


class Panel(Form):
    """One panel with every form: Connect, Register, Trigger, Connections and History.

    It shares the session with the magics: what a cell connects is connected here, and the other
    way round.

    Parameters
    ----------
    part : str, optional
        The one to open first, such as ``trigger``. Without it Connect, or Trigger when something
        is connected.
    shared : Shared, optional
        As in `Form`.

    Raises
    ------
    NangoUsageError
        If there is no such part, or outside of IPython.
    """

    def __init__(self, part: str = "", *, shared: Shared | None = None) -> None:
        super().__init__(shared=shared)
        self._trigger = TriggerForm(shared=self.shared)
        self._forms: tuple[Form, ...] = (
            ConnectForm(shared=self.shared),
            RegisterForm(shared=self.shared),
            self._trigger,
            ConnectionsView(shared=self.shared),
            HistoryView(on_edit=self._edit, shared=self.shared),
        )
        tabs = Tab(self._forms, titles=PARTS, selected_index=self._first(part))
        self._tabs = look.answering(tabs)
        self.lay_out(self._tabs)

    def _edit(self, call: TriggerCall, connection: str) -> None:
        """Put what was triggered into the form, to change it and to send it again."""
        self._trigger.fill(call, connection)
        self._tabs.selected_index = PARTS.index("Trigger")

    def close(self) -> None:
        """Close every form."""
        for form in getattr(self, "_forms", ()):
            form.close()
        super().close()

    def _first(self, part: str) -> int:
        if not part:
            is_open = bool(self.session.connections())
            return PARTS.index("Trigger" if is_open else "Connect")
        names = [name.lower() for name in PARTS]
        if part.lower() not in names:
            raise NangoUsageError(
                f"The panel has no part {part!r}",
                f"{did_you_mean(part, names)} There are: {', '.join(names)}.".strip(),
            )
        return names.index(part.lower())
