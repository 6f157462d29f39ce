"""What every form does: run things without blocking, say what happens, and leave nothing behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import CancelledError
from functools import wraps
from typing import Any, Literal, TypeVar

from ipywidgets import HTML, Button, Layout, VBox, Widget

from nango_jupyter.exceptions import NangoError
from nango_jupyter.session import Session
from nango_jupyter.widgets import look
from nango_jupyter.widgets.closing import Cells, close_tree
from nango_jupyter.widgets.shared import Shared, find_shared
from nango_jupyter.widgets.work import Worker

__all__ = ["Form"]

T = TypeVar("T")
Kind = Literal["", "ok", "error", "busy"]

logger = logging.getLogger(__name__)

_WAITING = "Waiting for the kernel: a cell is running…"

# The forms of this kernel by the cell that made them: ipywidgets keeps its models as globally.
_cells = Cells()


class Form(VBox):
    """A form, to be shown alone or as a part of any layout of ipywidgets.

    Parameters
    ----------
    children : sequence of Widget
    shared : Shared, optional
        What it works with; that of the magics, if it isn't given.

    Attributes
    ----------
    session : Session
    buttons : tuple of Button
        What is disabled while something runs.
    cancel_button : Button
        Ends what runs. Forms put it beside the button that begins it.
    status, result : HTML
        The line that says what happens, and the card below it: forms put them where they belong.
    """

    _is_closed = True  # until it is made: a widget that could not be made is closed, too

    def __init__(self, children: Sequence[Widget] = (), *, shared: Shared | None = None) -> None:
        self.shared = shared or find_shared()
        self.session: Session = self.shared.session
        self.buttons: tuple[Button, ...] = ()
        self.status = HTML()
        self.result = HTML()
        self.cancel_button = look.button("Cancel", tooltip="Stop waiting for this")
        self.cancel_button.layout.visibility = "hidden"
        self.cancel_button.on_click(self.guarded(lambda _: self.cancel()))
        self._worker = Worker(lambda: self.shared.loop.loop, self)
        self._doing, self._cancelled = "", "Cancelled."
        self._will_refresh = False
        super().__init__(children, layout=Layout(width="100%"))
        self.add_class("nango-form")
        self.say("")
        self._stop_listening = self.session.changes.listen(self._refresh_soon)
        self._is_closed = False
        _cells.add(self, self.shared.running_cell())

    def lay_out(self, *children: Widget) -> None:
        """Show the form's parts, and what they show at first."""
        self.children = (look.style(), *children)
        self.refresh()

    def refresh(self) -> None:
        """Show what the session is like now: called on the main loop whenever it has changed."""

    def _refresh_soon(self) -> None:
        if not self._will_refresh:
            self._will_refresh = True
            self.shared.loop.loop.call_soon_threadsafe(self._refresh_now)

    def _refresh_now(self) -> None:
        self._will_refresh = False
        if not self._is_closed:
            self.guarded(self.refresh)()

    def begin(
        self,
        work: Callable[[], Coroutine[Any, Any, T]],
        doing: str,
        done: Callable[[T], object] | None = None,
        *,
        cancelled: str = "Cancelled.",
    ) -> bool:
        """Run something on the kernel's main loop; from any thread, and without waiting for it.

        Parameters
        ----------
        work : coroutine function
        doing : str
            What the status says meanwhile, such as "Connecting".
        done : function, optional
            Called with the result, on the main loop.
        cancelled : str
            What the status says when it was cancelled.

        Returns
        -------
        bool
            False if it was not begun: something runs still, or this was a double click.
        """
        if self._worker.is_busy or self._is_closed:
            return False
        self._doing, self._cancelled = doing, cancelled
        return self._worker.begin(work, done)

    def cancel(self) -> None:
        """End what runs; from any thread."""
        if self._worker.is_busy:
            self.say("Cancelling…", "busy")
            self._worker.cancel()

    def on_begin(self) -> None:
        """Show that it waits for the kernel."""
        self._set_busy(True)
        self.say(_WAITING, "busy")

    def on_tick(self, seconds: float) -> None:
        """Show how long it has run."""
        self.say(f"{self._doing}…" + (f" {seconds:.0f} s" if seconds >= 1 else ""), "busy")

    def on_end(self, error: BaseException | None) -> None:
        """Show what went wrong, if something did."""
        self.cancel_button.layout.visibility = "hidden"
        if isinstance(error, (CancelledError, asyncio.CancelledError)):
            self.say(self._cancelled)
        elif error is not None:
            self.fail(error)

    def on_settled(self) -> None:
        """Let the next thing begin."""
        self._set_busy(False)

    def _set_busy(self, is_busy: bool) -> None:
        if self._is_closed:
            return
        for button in self.buttons:
            button.disabled = is_busy
        self.cancel_button.layout.visibility = "visible" if is_busy else "hidden"

    def say(self, text: str, kind: Kind = "") -> None:
        """Show a text in the status line."""
        classes = f"nango-status nango-{kind}" if kind else "nango-status"
        self.status.value = look.text_html(text, classes, "alert" if kind == "error" else "status")

    def fail(self, error: BaseException) -> None:
        """Show an error: what went wrong, and what to do."""
        if isinstance(error, NangoError):
            self.say(f"{error.message}\n{error.hint}".strip(), "error")
            if error.result is not None:
                from nango_jupyter.display import render_error

                self.result.value = render_error(error)["text/html"]
            return
        logger.error("A form failed", exc_info=error)
        self.say(f"{type(error).__name__}: {error}", "error")

    def show(self, value: Any) -> None:
        """Draw a result below the form, as a cell would draw it."""
        self.result.value = value._repr_mimebundle_()["text/html"]

    def guarded(self, function: Callable[..., T]) -> Callable[..., T | None]:
        """Wrap a callback of a widget: an error ends as a message in the form."""

        @wraps(function)
        def call(*arguments: Any) -> T | None:
            try:
                return function(*arguments)
            except Exception as error:
                self.fail(error)
                return None

        return call

    def __repr__(self) -> str:
        """Return what a notebook shows of it where no kernel runs."""
        return f"<{type(self).__name__}: a form that is drawn where a kernel runs>"

    def close(self) -> None:
        """End what runs, and close every part: nothing of the form is left in the kernel."""
        if self._is_closed:
            return
        self._is_closed = True
        self._stop_listening()
        self._worker.cancel()
        _cells.remove(self)
        # A form need not show all of these.
        for widget in (self, self.status, self.result, self.cancel_button):
            close_tree(widget)
