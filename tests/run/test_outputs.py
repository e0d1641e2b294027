"""What cells put out comes into the notebook as Jupyter's own tools bring it there."""

from __future__ import annotations

import asyncio

import nbformat
import pytest
from nbclient import NotebookClient

from stagebook.run.as_papermill import notebook_text

LINES = [f'{number}: "quoted" \\ back, tab\t, ä 雪 \x1b[31m red\x0c\n' for number in range(200)]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 200])
@pytest.mark.parametrize("end", ["", "last"])
def test_a_notebook_is_written_as_nbformat_writes_it(count, end):
    text = "".join(LINES[:count]) + end
    cell = nbformat.v4.new_code_cell("print()")
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stdout", text=text),
        nbformat.v4.new_output("display_data", data={"text/html": text, "application/json": {"a": [1]}}),
        nbformat.v4.new_output("stream", name="stderr", text=text[::-1]),
    ]
    node = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Ä\ntext"), cell])
    assert notebook_text(node) == nbformat.writes(node)


SPOKEN = {
    "one stream": "print('a')\nprint('b', flush=True)\nimport time; time.sleep(0.3)\nprint('c')",
    "two streams": "import sys\nfor n in 1, 2:\n    print(n, flush=True)\n    print(n, file=sys.stderr, flush=True)",
    "errors first": "import sys\nprint('e', file=sys.stderr, flush=True)\nprint('o', flush=True)",
    "with a display between": "print('a', flush=True)\ndisplay(1)\nprint('b')",
    "a bar": "for n in range(3):\n    print(f'\\r{n}', end='', flush=True)\nprint()",
    "taken back": "print('abc\\b\\bd')",
    "lines of Windows": "print('a\\r\\nb\\r\\n')",
}


@pytest.mark.parametrize("source", SPOKEN.values(), ids=SPOKEN)
def test_streams_are_merged_as_nbclient_merges_them(bench, source):
    node = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    asyncio.run(NotebookClient(node, coalesce_streams=True).async_execute())
    ours = bench.output(bench.run([("stage:a", source)]))[0].outputs
    assert ours == node.cells[0].outputs
