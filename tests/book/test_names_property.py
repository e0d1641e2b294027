"""Whatever code does when it is run, the analysis has said before: checked on code that hypothesis makes up."""

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.book.made_up import Writer, compiles
from tests.book.observed import observe

from stagebook.book.names import NOTHING_KNOWN, analyse
from stagebook.book.syntax import parse

# More for a long search: STAGEBOOK_EXAMPLES=20000 pytest tests/book/test_names_property.py
EXAMPLES = int(os.environ.get("STAGEBOOK_EXAMPLES", "1000"))


@st.composite
def notebooks(draw):
    """A setup cell and the code of a stage."""
    writer = Writer(lambda options: draw(st.sampled_from(options)))
    return writer.setup(), writer.snippet()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(notebooks())
def test_code_does_nothing_that_the_analysis_does_not_contain(notebook):
    setup, snippet = notebook
    if not (compiles(setup) and compiles(snippet)):
        return
    seen = observe(setup, snippet)
    known = analyse([(1, parse(setup))]).definitions if seen.setup_runs else NOTHING_KNOWN
    names = analyse([(2, parse(snippet))], known=known).names
    unfinished = names.binds.keys() | names.deletes.keys() if seen.raised else set()
    assert seen.reads <= names.reads.keys()
    assert seen.bound <= names.binds.keys() | unfinished
    assert seen.gone <= names.deletes.keys() | unfinished
    assert seen.changed <= names.changes.keys() | names.touches.keys()
    assert seen.raised or names.binds.keys() - names.maybe_binds <= seen.present
    assert not names.changes.keys() & names.touches.keys()
    assert names.maybe_binds <= names.binds.keys()
