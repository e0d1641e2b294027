"""How Sphinx builds the site: `make docs`.

The repository is the source folder, so that links between README, docs and notebooks are the same on the site as in the
files. What a page generates stands in `docs/generated.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "magics"), str(ROOT), str(ROOT / "docs")]

from stagebook import __version__  # noqa: E402 - the lines above find it

project = "Stagebook"
author = "The Stagebook developers"
copyright = "The Stagebook developers; Apache-2.0"  # noqa: A001 - Sphinx's name
version = release = __version__

root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "notebooks/*.ipynb", "notebooks/data/*.md", "benchmarks/*.md", "binder/*.md"]
exclude_patterns = [".*", "build", "dist", "extension", "magics", "tests", "mlruns"]  # folders that need no look
exclude_patterns += ["notebooks/my-model.ipynb", "benchmarks/NOTES.md"]  # made by the tutorial; part of the results
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]

myst_heading_anchors = 4
myst_enable_extensions = ["html_image"]
nb_execution_mode = "off"  # tests run the notebooks
nb_ipywidgets_js: dict[str, Any] = {}  # else a page with a widget asks a CDN
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
suppress_warnings = ["mystnb.unknown_mime_type"]  # what flights.ipynb shows has a plain form beside it

highlight_language = "text"
copybutton_prompt_text = "$ "
copybutton_exclude = ".linenos, .go"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"
napoleon_google_docstring = True
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]  # names of other packages, which only a network could resolve

html_theme = "furo"
html_title = "Stagebook"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["_root"]  # the address without a path leads to the first page
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"


def setup(app: Any) -> None:
    """Python is IPython's, with magics; marked pages get what is generated of the code."""
    import generated
    from ipython_pygments_lexers import IPython3Lexer
    from pygments.lexers.special import TextLexer

    app.add_lexer("python", IPython3Lexer)
    app.add_lexer("mermaid", TextLexer)
    app.connect("source-read", generated.fill)
    app.connect("autodoc-process-docstring", generated.plain_docstring, priority=900)  # after Google's style is read
