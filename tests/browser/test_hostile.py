"""What an API, a server or a person gives as data is text in a real browser, and nothing more."""

import json
import re
from pathlib import Path

from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Dialog, Page, Request, expect

from tests.browser.hostile_strings import HOSTILE, LIVE
from tests.support.lab import Lab

PREPARE = """
import json
from pathlib import Path
from IPython.display import HTML, display
from nango_jupyter import NangoError
from nango_jupyter.display import render_card, render_error
hostile = json.loads(Path("hostile.json").read_text())
%load_ext nango_jupyter
%nango_connect --local
%nango_register demo ada --token-env TOKEN
"""

# Each is a cell; one that fails shows its error, and the next one runs.
CELLS = [
    # Values, keys, column names, and all of them nested.
    "%nango_trigger demo echo ada $hostile",
    "value = {text: {text: [text, [text]]} for text in hostile}\n"
    "%nango_trigger demo echo ada $value",
    "for start in range(0, len(hostile), 10):\n"
    "    rows = [{text: text for text in hostile[start:start + 10]}, {'id': 1}]\n"
    "    result = %nango_trigger demo echo ada $rows\n"
    "    display(result)\n"
    "    result.show(all=True)",
    # Captions: a path's names above a table.
    "for text in hostile[::3]:\n"
    "    value = {'a': {text: [{text: text}]}}\n"
    "    result = %nango_trigger demo echo ada $value\n"
    "    try:\n"
    "        display(result.table('a.' + text))\n"
    "    except NangoError as error:\n"
    "        display(render_card(str(error), 'bad', [(text, str(error))]), raw=True)",
    # Messages of errors: as cards, and as they are shown when nobody catches them.
    "message = ' '.join(hostile)\n%nango_trigger demo fail ada {\"message\": $message}",
    "def tell(magic, line):\n"
    "    try:\n"
    "        result = get_ipython().run_line_magic(magic, line)\n"
    "    except NangoError as error:\n"
    "        error.on_show = None\n"
    "        display(render_error(error), raw=True)\n"
    "    else:\n"
    "        display(result)\n"
    "for start in range(0, len(hostile), 6):\n"
    "    text = '\\n'.join(hostile[start:start + 6])\n"
    "    tell('nango_trigger', 'demo fail ada {\"message\": $text}')",
    # Integrations, actions and users; all who could be registered as a table.
    "for a, b, c, d in zip(*[iter(hostile)] * 4):\n"
    "    tell('nango_trigger', '$a echo ada')\n"
    "    tell('nango_trigger', 'demo $b ada')\n"
    "    tell('nango_register', 'demo $c --token-env TOKEN')\n"
    "    tell('nango_trigger', 'demo whoami $d')",
    "%nango_connections --integration demo",
    # Lines of a log, and what an action's cell may hold.
    "%%nango_action demo chatty\n"
    "def chatty(ctx, texts: list[str]):\n"
    "    for text in texts:\n"
    "        ctx.logger.warning(text)\n"
    "    raise ValueError('\\n'.join(texts))",
    '%nango_trigger demo chatty ada {"texts": $hostile}',
    # Cards of facts.
    "for start in range(0, len(hostile), 6):\n"
    "    some = hostile[start:start + 6]\n"
    "    facts = [fact for text in some for fact in ((text, text), ('a', {text: [text]}))]\n"
    "    display(render_card(some[0], 'ok', facts), raw=True)",
    # Rows: failures by message, rows beside results, users.
    "rows = [{'text': text, text: text} for text in hostile]",
    '%%nango_trigger demo fail ada --each rows --out failed\n{"message": {{ row.text }}}',
    "failed",
    "%%nango_trigger demo echo ada --each rows\n{{ row }}",
    "%nango_trigger demo whoami {{ row.text }} --each rows",
    # What was asked, again.
    "%nango_history",
    "%nango_jobs",
    "%nango_status",
]
LEAST_CARDS = 2 * len(HOSTILE)


# Elements of all kinds that a card has, with the names that its style uses, but outside of it.
AROUND = """
from IPython.display import HTML
HTML("<div id=around class=ng-ok><p class=ng-head>a <small>b</small> <i>c</i> <b>d</b></p>"
     "<table class=ng-facts><thead><tr><th>a</th></tr></thead><tbody><tr><th class=ng-n>b</th>"
     "<td class=ng-w>c</td></tr></tbody></table><ul><li><b>d</b><span>e</span></li></ul>"
     "<details open class=ng-log><summary>f<span class=ng-peek>g</span></summary><pre>h</pre>"
     "</details><div class=ng-scroll><svg class=ng-bars><rect /></svg></div>"
     "<a href=#>i</a><bdi class=ng-note>j</bdi><code>k</code></div>")
"""
STYLES = """() => [...document.querySelectorAll("#around, #around *, .jp-Notebook, .jp-Cell pre")]
    .map(node => [node.tagName, ...getComputedStyle(node)].map(
        name => name + ":" + getComputedStyle(node).getPropertyValue(name)).join(";"))"""

GO_ON = ("raises-exception",)


class Watched:
    """A page, with what it asked people and the network for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.dialogs: list[str] = []
        self.requests: list[str] = []
        page.on("dialog", self._dismiss)
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        self.requests.append(request.url)

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(str(dialog))
        dialog.dismiss()

    def live(self) -> list[str]:
        """What is alive of that which should be text."""
        self.page.wait_for_timeout(500)  # an image that is missing takes its time to say so
        found: list[str] = self.page.evaluate(LIVE)
        away = [
            url
            for url in self.requests
            if not re.match(r"(http://127\.0\.0\.1:|data:|blob:|file:)", url)
        ]
        hostile = [url for url in self.requests if "hostile" in url]
        return [*found, *self.dialogs, *away, *hostile]


def as_page(notebook: Path) -> Path:
    """Write an executed notebook as nbconvert does, but without scripts from elsewhere."""
    nothing = "data:text/javascript,"
    exporter = HTMLExporter(require_js_url=nothing, mathjax_url=nothing)
    html, _ = exporter.from_filename(str(notebook))
    page = notebook.with_suffix(".html")
    page.write_text(html, encoding="utf-8")
    return page


def test_no_string_is_live(lab: Lab, page: Page, browser: Browser) -> None:
    (lab.work / "hostile.json").write_text(json.dumps(HOSTILE))
    lab.write("strings.ipynb", PREPARE, *CELLS, "print('all', 'done')", tags=GO_ON)
    watched = Watched(page)
    notebook = lab.open(page, "strings.ipynb")
    notebook.begin("notebook:run-all-cells")
    expect(notebook.output(len(CELLS) + 1)).to_contain_text("all done", timeout=60_000)
    rows = notebook.output(CELLS.index("failed") + 1)
    expect(rows).to_contain_text(f"{len(HOSTILE)} of {len(HOSTILE)} rows failed")
    assert watched.live() == []
    assert page.locator(".nango-card").count() >= LEAST_CARDS
    notebook.command("docmanager:save")

    static = Watched(browser.new_page())
    static.page.goto(as_page(lab.work / "strings.ipynb").as_uri())
    assert static.page.locator(".nango-card").count() >= LEAST_CARDS
    assert static.live() == []
    static.page.close()


def test_what_watches_sees_what_is_live(browser: Browser, tmp_path: Path) -> None:
    control = tmp_path / "control.html"
    control.write_text(
        "<div class=jp-OutputArea-output>"
        '<img id=hostile src=hostile onerror="window.hacked=1;alert(1)">'
        '<img src="http://hostile.example/x"></div>'
    )
    watched = Watched(browser.new_page())
    watched.page.goto(control.as_uri())
    watched.page.wait_for_function("window.hacked")
    found = "\n".join(watched.live())
    watched.page.close()
    for sign in ("a script ran", "#hostile", "alert", "http://hostile.example/x", "/hostile"):
        assert sign in found


def test_the_style_of_a_card_stays_in_it(lab: Lab, page: Page) -> None:
    lab.write(
        "style.ipynb",
        AROUND,
        "%load_ext nango_jupyter\n%nango_connect --local\n"
        "%nango_register demo ada --token-env TOKEN",
        '%nango_trigger demo echo ada [{"a": 1, "b": {"c": [1, "x"]}}, {"a": 2}]',
        "%nango_trigger demo fail ada",
        "%nango_history",
        tags=GO_ON,
    )
    notebook = lab.open(page, "style.ipynb")
    notebook.command("notebook:run-cell-and-select-next")
    expect(page.locator("#around")).to_be_visible()
    page.evaluate("() => document.activeElement.blur()")
    before = page.evaluate(STYLES)
    notebook.begin("notebook:run-all-below")
    expect(notebook.output(4)).to_contain_text("demo.echo", timeout=30_000)
    page.evaluate("() => document.activeElement.blur()")
    after = page.evaluate(STYLES)
    assert len(before) > 20
    assert after[: len(before)] == before
