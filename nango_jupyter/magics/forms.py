"""``%nango``: the forms, for who would rather not remember the other magics."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.magics.notebook import Notebook
from nango_jupyter.magics.options import takes_arguments

__all__ = ["FormMagics"]


@magics_class
class FormMagics(Magics):
    """Show the panel with all forms."""

    def __init__(self, notebook: Notebook) -> None:
        super().__init__(notebook.shell)
        self.notebook = notebook

    @takes_arguments
    @argument(
        "part",
        nargs="?",
        metavar="PART",
        default="",
        help="What to open first: connect, register, trigger, connections or history.",
    )
    @no_var_expand
    @line_magic
    def nango(self, line: str) -> Any:
        """Show forms to connect, register, trigger and look back.

        They share everything with the other magics. Each is there alone as well, for layouts of
        your own: nango_jupyter.ConnectForm(), RegisterForm(), TriggerForm(integration=, action=).

        Examples::

            %nango
            %nango trigger
        """
        args = self.notebook.parse(self.nango, line, self.notebook.shell.user_ns)
        if not self.notebook.has_cards:
            raise NangoUsageError(
                "Forms need a notebook",
                "Here, use %nango_connect, %nango_register and %nango_trigger.",
            )
        from nango_jupyter.widgets.panel import Panel

        panel = Panel(args.part, shared=self.notebook)
        return self.notebook.shown(panel, args, "nango", line)
