"""Make README's animation: a notebook in a real JupyterLab, cell by cell.

Used by ``make pictures``. It shows what a person sees, so it is made anew when that changes.
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the tests' JupyterLab is this one

from tests.support.lab import Lab, Notebook, find_chromium  # noqa: E402

TARGET = ROOT / "docs" / "pictures" / "nango-jupyter.gif"
SIZE = {"width": 920, "height": 660}
FRAME_MILLISECONDS = 2200
COLOURS = 64
TOKENS = {f"{name.upper()}_TOKEN": f"{name}-demo-token" for name in ("crm", "chat", "billing")}
CELLS = (
    "%load_ext nango_jupyter\n%nango_connect --local",
    "%nango_register crm ada --token-env CRM_TOKEN;\n"
    "%nango_register chat ada --token-env CHAT_TOKEN;\n"
    "%nango_register billing ada --token-env BILLING_TOKEN",
    '%%nango_trigger crm list-contacts ada\n{"city": "Nairobi"}',
    'overdue = %nango_trigger billing list-invoices ada {"status": "overdue"}\n'
    'overdue.to_pandas().groupby("country")["amount"].agg(["count", "sum"]).head()',
    "%nango trigger",
)
MESSAGE = {"Integration": "chat", "Action": "post-message", "User": "ada"}
INPUT = {"channel": "#sales", "text": "18 invoices are overdue"}
# The notebook alone, all of it in the page.
SETTINGS: dict[str, object] = {"windowingMode": "none", "scrollPastLastCell": False}
SCROLL = """() => [...document.querySelectorAll(".jp-CodeCell")].findLast(
    cell => cell.querySelector(".jp-OutputArea-output"))?.scrollIntoView({block: "end"})"""
HIDE = ".jp-NotebookPanel-toolbar, .jp-Notebook-footer { display: none !important }"


class Film:
    """The frames so far, each as it stands in the page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._frames: list[Image.Image] = []

    def take(self) -> None:
        """Take a picture of the notebook, scrolled to its end."""
        self._page.evaluate(SCROLL)
        self._page.wait_for_timeout(400)
        picture = self._page.locator(".jp-WindowedPanel-outer").screenshot()
        frame = Image.open(io.BytesIO(picture)).convert("RGB")
        self._frames.append(frame.quantize(COLOURS, dither=Image.Dither.NONE))

    def write(self, target: Path) -> None:
        """Write the frames as one animation that begins again."""
        first, *others = self._frames
        times = [FRAME_MILLISECONDS] * len(others) + [2 * FRAME_MILLISECONDS]
        first.save(target, save_all=True, append_images=others, duration=times, loop=0)


def main() -> None:
    """Make the animation."""
    with (
        tempfile.TemporaryDirectory(prefix="nango-pictures-") as home,
        Lab(Path(home), TOKENS) as lab,
        sync_playwright() as playwright,
    ):
        lab.set("notebook-extension/tracker", SETTINGS)
        lab.write("fernwood.ipynb", *CELLS)
        chromium = playwright.chromium.launch(executable_path=find_chromium())
        page = chromium.new_page(viewport=SIZE)  # type: ignore[arg-type]
        notebook = lab.open(page, "fernwood.ipynb")
        notebook.command("application:toggle-left-area")
        page.add_style_tag(content=HIDE)
        film = Film(page)
        show(notebook, film)
        film.write(TARGET)
        chromium.close()
    print(f"Written: {TARGET.relative_to(ROOT)} ({TARGET.stat().st_size // 1024} KB)")


def show(notebook: Notebook, film: Film) -> None:
    """Run the cells one after another, and then use the form."""
    page = notebook.page
    for _ in CELLS:
        notebook.command("notebook:run-cell-and-select-next")
        page.wait_for_timeout(500)
        film.take()
    for label, text in {**MESSAGE, **INPUT}.items():
        field = page.get_by_label(label, exact=True).locator("visible=true")
        field.fill(text)
        field.blur()
    film.take()
    page.get_by_role("button", name="Trigger", exact=True).click()
    expect(page.locator(".nango-form .nango-card").last).to_contain_text("chat.post-message")
    film.take()


if __name__ == "__main__":
    main()
