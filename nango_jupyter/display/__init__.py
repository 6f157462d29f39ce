"""Results, errors and facts as HTML and as plain text.

Everything drawn is escaped, masked and capped; a cap says so on the output. The HTML is one card
that carries its own small style and neither script nor external file, and reads well where the
style is taken away.
"""

from nango_jupyter.display.facts import render_card
from nango_jupyter.display.limits import LIMITS, Limits
from nango_jupyter.display.results import render_result

__all__ = ["LIMITS", "Limits", "render_card", "render_result"]
