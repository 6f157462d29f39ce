"""``nango-jupyter`` and ``python -m nango_jupyter``."""

from __future__ import annotations

import sys

from nango_jupyter.exceptions import NangoUsageError

__all__ = ["main"]


def main() -> None:
    """Run the command line, or say what to install for it."""
    try:
        from nango_jupyter.server import cli
    except ModuleNotFoundError as error:
        from nango_jupyter.local import missing_extra

        problem = missing_extra(error)
        if not isinstance(problem, NangoUsageError):
            raise
        sys.exit(f"{problem.message}\nHint: {problem.hint}")
    cli.main(prog_name="nango-jupyter")


if __name__ == "__main__":
    main()
