"""What is left out of an import is there when it is used."""

from __future__ import annotations

import subprocess
import sys

PAPERMILL = """
import sys
from stagebook.run.lean import imported
papermill = imported("papermill")
assert "pyarrow" not in sys.modules
import papermill.iorw as iorw
made = iorw.FileSelector("/data")
import pyarrow.fs
assert type(made) is pyarrow.fs.FileSelector and made.base_dir == "/data"
assert papermill.__name__ == "papermill" and callable(papermill.execute_notebook)
"""
SCHEMAS = """
import sys
from stagebook.run.lean import imported
imported("papermill")
assert "jsonschema" in sys.modules and "rfc3987_syntax" not in sys.modules
import jsonschema
def check(text, form):
    jsonschema.validate(text, {"format": form}, format_checker=jsonschema.FormatChecker())
for form in ("uri", "iri"):
    check("https://example.org/a", form)
    try:
        check("no address", form)
    except jsonschema.ValidationError:
        continue
    raise AssertionError(form)
assert "rfc3987_syntax" in sys.modules
"""
NOT_INSTALLED = """
from stagebook.run.lean import postponed
with postponed({"nowhere_to_be_found": ("f",)}):
    try:
        from nowhere_to_be_found import f
    except ImportError:
        print("missing")
"""


def in_a_process(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_papermill_comes_without_pyarrow_and_finds_it_for_paths_of_hdfs():
    in_a_process(PAPERMILL)


def test_formats_that_jupyterlab_brings_are_checked_where_a_schema_names_them():
    in_a_process(SCHEMAS)


def test_what_is_not_installed_stays_so():
    assert in_a_process(NOT_INSTALLED) == "missing\n"
