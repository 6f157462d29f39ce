"""``%%nango_action``: an action from a cell, on the embedded server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.magic import Magics, cell_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument

from nango_jupyter.magics.notebook import Notebook
from nango_jupyter.magics.options import takes_arguments

if TYPE_CHECKING:
    from nango_jupyter.defined import DefinedAction

__all__ = ["ActionMagics"]


@magics_class
class ActionMagics(Magics):
    """Define actions in a notebook."""

    def __init__(self, notebook: Notebook) -> None:
        super().__init__(notebook.shell)
        self.notebook = notebook

    @takes_arguments
    @argument("integration", metavar="INTEGRATION", help="One that is unknown is made.")
    @argument("action", metavar="ACTION", help="The action's name; one that is there is replaced.")
    @argument(
        "--save",
        metavar="FOLDER",
        help="Write it as FOLDER/INTEGRATION/ACTION.action.py too, from where "
        "nango-jupyter serve FOLDER runs it.",
    )
    @argument(
        "--idempotent",
        action="store_true",
        help="It may run again for a message that the broker delivers a second time.",
    )
    @argument("--base-url", metavar="URL", help="The API of an integration that is made.")
    @no_var_expand
    @cell_magic
    def nango_action(self, line: str, cell: str) -> DefinedAction:
        """Define an action on the embedded server, from the function in the cell.

        The cell is the text of an action file, and stands alone: it imports or defines all that it
        uses. Its type hints check the input. A class that derives from NangoAction works as well.

        Examples::

            %%nango_action slack notify --base-url https://slack.com/api
            async def notify(ctx, channel: str, text: str = "hi"):
                body = {"channel": channel, "text": text}
                return (await ctx.http_request("chat.postMessage", "POST", body=body)).json()

            %%nango_action demo add --save my-integrations
            def add(ctx, a: int, b: int = 1) -> int:
                return a + b
        """
        variables = self.notebook.shell.user_ns
        args = self.notebook.parse(self.nango_action, line, variables)
        try:
            return self.notebook.session.define_action(
                str(args.integration),
                str(args.action),
                cell,
                idempotent=args.idempotent,
                base_url=args.base_url,
                save=args.save,
                notebook=variables.keys(),
            )
        except SyntaxError as error:
            from nango_jupyter.magics.python_input import explain_python

            raise explain_python(error, cell) from None
