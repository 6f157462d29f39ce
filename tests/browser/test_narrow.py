"""Cards in a narrow page."""

from playwright.sync_api import sync_playwright

from nango_jupyter.results import NangoResult
from tests.support.lab import find_chromium


def test_a_text_that_is_opened_in_a_cell_has_room() -> None:
    rows = [{"a": [{"c": "x" * 30}, 1]}, {f"column {number}": "y" * 30 for number in range(9)}]
    html = NangoResult(True, None, rows)._repr_mimebundle_()["text/html"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium())
        page = chromium.new_page(viewport={"width": 700, "height": 500})
        page.set_content(html)
        page.evaluate("() => document.querySelectorAll('details').forEach(one => one.open = true)")
        box = page.get_by_text("x" * 30).bounding_box()
        chromium.close()
    assert box is not None
    assert box["height"] < 60  # two lines, not one for each letter
