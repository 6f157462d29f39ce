"""Settings that a line does not say: from ``%config``, NANGO_* variables and pyproject.toml."""

from nango_jupyter.preferences.merged import LocalTarget
from nango_jupyter.preferences.preferences import Preferences

__all__ = ["LocalTarget", "Preferences"]
