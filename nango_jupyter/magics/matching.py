"""Lets IPython complete our lines; how, is imported with the first Tab on one of them."""

from __future__ import annotations

from IPython.core.completer import CompletionContext, SimpleMatcherResult, context_matcher
from IPython.core.interactiveshell import InteractiveShell

from nango_jupyter.magics.notebook import Notebook

__all__ = ["register", "unregister"]

_IDENTIFIER = "nango_jupyter"
_PREFIX = "nango_"


def register(notebook: Notebook) -> None:
    """Let a notebook's shell complete our magics."""

    @context_matcher(identifier=_IDENTIFIER, priority=100)
    def match(context: CompletionContext) -> SimpleMatcherResult:
        if _PREFIX not in context.full_text:
            return {"completions": [], "suppress": False}
        return notebook.completer.match(context)

    unregister(notebook.shell)
    notebook.shell.Completer.custom_matchers.append(match)


def unregister(shell: InteractiveShell) -> None:
    """Take away what `register` added."""
    matchers = shell.Completer.custom_matchers
    matchers[:] = [one for one in matchers if getattr(one, "matcher_identifier", "") != _IDENTIFIER]
