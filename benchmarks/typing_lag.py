"""What the Lab extension costs while one types in a notebook of 300 cells, beside Lab without it.

    python -m benchmarks.typing_lag

Tasks of the page above 50 ms (the browser's own measure), the time from a key to the next frame, and how long analyses
take. The extension has to be built.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from tests.conftest import chromium
from tests.lab.conftest import OUTPUT, Server, book, code, running

CELLS = 300
TYPED = "value = y10 + 1  # typed as a person types it"
PAUSE = 70
"""Milliseconds between keys."""

WATCH = """() => {
  window.longTasks = [];
  window.frames = [];
  new PerformanceObserver(list => window.longTasks.push(...list.getEntries().map(one => one.duration)))
    .observe({ entryTypes: ['longtask'] });
  document.activeElement.addEventListener('keydown', () => {
    const pressed = performance.now();
    requestAnimationFrame(() => setTimeout(() => window.frames.push(performance.now() - pressed)));
  }, true);
}"""
ANALYSES = """() => performance.getEntriesByType('resource')
  .filter(one => one.name.includes('/stagebook/api/analyse')).map(one => one.duration)"""


def notebook() -> str:
    """A pipeline of fifty stages, each of which takes something from the one before."""
    cells = [code(f"x{n} = {n}\ny{n} = x{n} + {f'y{n - 1}' if n else 0}", f"stage:s{n // 6}") for n in range(CELLS - 1)]
    return str(book(code("depth = 3", "parameters"), *cells))


def measured(browser: Any, server: Server, *, panel: bool) -> dict[str, Any]:
    """Type a line in the middle of the notebook."""
    (server.folder / "long.ipynb").write_text(notebook())
    page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
    page.goto(server.address("long.ipynb"))
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.wait_for_timeout(5000)
    if panel:
        page.evaluate("void jupyterapp.commands.execute('stagebook:show-panel')")
    page.evaluate(f"jupyterapp.shell.currentWidget.content.scrollToItem({CELLS // 2}, 'center')")
    page.locator(f".jp-Cell[data-windowed-list-index='{CELLS // 2}'] .cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.press("Enter")
    page.wait_for_timeout(2000)
    page.evaluate(WATCH)
    for letter in TYPED:
        page.keyboard.press(letter)
        page.wait_for_timeout(PAUSE)
    page.wait_for_timeout(1500)
    frames = page.evaluate("window.frames")
    found = {
        "tasks above 50 ms": sorted(map(round, page.evaluate("window.longTasks"))),
        "key to frame, median ms": round(statistics.median(frames), 1),
        "analyses, ms": sorted(map(round, page.evaluate(ANALYSES))),
    }
    page.close()
    return found


def main() -> None:
    """Measure both, and print a line each."""
    for name, panel in (("without the extension", False), ("with it, panel open", True)):
        with (
            tempfile.TemporaryDirectory() as folder,
            chromium() as browser,
            running("lab", Path(folder), OUTPUT) as server,
        ):
            if not panel:
                config = Path(folder) / "config/labconfig/page_config.json"
                config.parent.mkdir()
                config.write_text(json.dumps({"disabledExtensions": {"stagebook": True}}))
            print(name, json.dumps(measured(browser, server, panel=panel)), flush=True)


if __name__ == "__main__":
    main()
