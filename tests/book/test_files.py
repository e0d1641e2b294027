"""Stages that meet in a file come one after the other, as in the notebook."""

from __future__ import annotations

import pytest
from notebooks_factory import arrows

WRITING = [
    "df.to_csv('x.csv')",
    "open('x.csv', 'w').write('1')",
    "open('x.csv', mode='a').write('1')",
    "pathlib.Path('x.csv').write_text('1')",
    "np.savetxt('x.csv', a)",
    "!echo 1 > x.csv",
    "!sort y.txt >> x.csv",
    "%%writefile x.csv\n1",
]
READING = ["pd.read_csv('x.csv')", "open('x.csv').read()", "!cat x.csv", "with open('x.csv') as f:\n    f.read()"]
SETUP = ("setup", "import pathlib\nimport numpy as np\nimport pandas as pd\ndf = pd.DataFrame()\na = np.ones(1)")


@pytest.mark.parametrize("write", WRITING)
def test_who_writes_a_file_comes_before_who_names_it_later(write):
    assert arrows([SETUP, ("stage:w", write), ("stage:r", "open('x.csv').read()")]) == {"w -> r": ""}


@pytest.mark.parametrize("read", READING)
def test_every_way_of_naming_it_counts(read):
    assert arrows([SETUP, ("stage:w", "df.to_csv('x.csv')"), ("stage:r", read)]) == {"w -> r": ""}


@pytest.mark.parametrize("read", READING)
def test_who_reads_a_file_comes_before_who_writes_it_later(read):
    assert arrows([SETUP, ("stage:r", read), ("stage:w", "df.to_csv('x.csv')")]) == {"r -> w": ""}


def test_two_that_only_read_a_file_can_run_at_the_same_time():
    assert arrows([SETUP, ("stage:a", "pd.read_csv('x.csv')"), ("stage:b", "pd.read_csv('x.csv')")]) == {}


def test_declared_files_order_their_stages():
    cells = [("stage:w", "x = 1", {"writes": "out/model"}), ("stage:r", "y = 1", {"reads": "out/model"})]
    assert arrows(cells) == {"w -> r": ""}


def test_a_module_that_a_stage_writes_is_there_for_its_import():
    assert arrows([("stage:w", "%%writefile own.py\nn = 1"), ("stage:r", "import own\nown.n")]) == {"w -> r": ""}


@pytest.mark.parametrize("text", ["1.5", "https://example.org/x.csv", "see x.csv there", "%H:%M"])
def test_other_texts_are_no_files(text):
    cells = [SETUP, ("stage:a", f"print(df.rename(columns={{'a': {text!r}}}))"), ("stage:b", f"print({text!r})")]
    assert arrows(cells) == {}


@pytest.mark.parametrize(
    "code", ["shutil.rmtree(folder)", "os.remove(folder + name)", "pathlib.Path(folder, name).unlink()"]
)
def test_who_removes_what_it_does_not_name_waits_for_all_before_it(code):
    setup = ("setup", "import os, pathlib, shutil\nfolder = name = str()")
    cells = [setup, ("stage:a", "x = 1"), ("stage:b", "y = 1"), ("stage:clear", code), ("stage:c", "z = 1")]
    assert arrows(cells) == {"a -> clear": "", "b -> clear": ""}


def test_a_list_loses_an_element_at_any_time():
    assert arrows([("stage:a", "x = 1"), ("stage:b", "items = [2]\nitems.remove(2)")]) == {}
