"""Sphinx's configuration; `make docs` builds the site into build/site."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
# jsonschema, which reads notebooks, would compile the grammar of IRIs for seconds if it were there.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

import tutorials  # noqa: E402 - from the folder _ext

import nango_jupyter  # noqa: E402

project = "nango-jupyter"
author = "the authors of nango-jupyter"
copyright = author  # noqa: A001 - Sphinx's word
version = release = nango_jupyter.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "nango_reference",
]
exclude_patterns = ["_ext", "_static", "**/.ipynb_checkpoints"]
templates_path: list[str] = []
smartquotes = False  # it would turn the -- of options into a dash

# Pages.
myst_enable_extensions = ["attrs_inline", "colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the tests of the notebooks execute them, and check what they show
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # nothing is fetched from elsewhere
nb_mime_priority_overrides = [
    ("html", "text/html", 0),  # a widget's own text, where its state is not kept
    ("html", "application/vnd.jupyter.widget-view+json", None),
]
nb_render_markdown_format = "myst"
# Code is run by the tests; with an … in it, it may be no code to a lexer.
suppress_warnings = ["misc.highlighting_failure"]

# The reference. Unknown names of Python and of other packages are no links: nothing is fetched.
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = [
    ("py:obj", ".*"),  # `words` that are no public name
    ("py:.*", r"(?!nango_jupyter\.).*"),
    ("py:.*", r"nango_jupyter\.(?!Nango|[A-Z]\w+$).*"),
]
add_module_names = False
toc_object_entries_show_parents = "hide"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
napoleon_preprocess_types = False

# The looks: everything that a page needs is in the site.
html_theme = "pydata_sphinx_theme"
html_title = "nango-jupyter"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_favicon = "_static/favicon.svg"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "nango-jupyter"},
    "navbar_align": "left",
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "show_prev_next": True,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": []}
copybutton_exclude = ".linenos, .gp, .go"


def setup(app: Any) -> None:
    """Bring the executed notebooks here, and colour magics as IPython does."""
    from ipython_pygments_lexers import IPython3Lexer

    app.add_lexer("python", IPython3Lexer)
    app.connect("source-read", tutorials.link)
    tutorials.copy(HERE.parent, HERE / "tutorials")
