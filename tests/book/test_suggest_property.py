"""Whatever is suggested for a notebook is a pipeline without errors: checked on notebooks that hypothesis makes up."""

import os
import re
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.book.made_up import Writer
from tests.notebooks_factory import notebook

from stagebook.book.notebook import as_document
from stagebook.book.pipeline import examine
from stagebook.book.suggest import suggest
from stagebook.book.tagging import tagged

# More for a long search: STAGEBOOK_EXAMPLES=20000 pytest tests/book/test_suggest_property.py
EXAMPLES = int(os.environ.get("STAGEBOOK_EXAMPLES", "60"))
PATH = Path("notebook.ipynb")

# What data scientists write, on few names, so that cells meet in them; some of it in the wrong order, or broken.
NAMES = ("df", "X", "y", "model", "n", "i", "np", "f")
LINES = (
    *("import numpy as np", "from sklearn.svm import SVC", "import A as B", "from m import *", "%matplotlib inline"),
    *("np.random.seed(0)", "pd.set_option('a', 1)", "plt.rcParams['x'] = 1", "!pip install A", "!wget x.csv"),
    *("A = 1", "A = 'text'", "A = [1, 2]", "A = B", "A = B + C", "A, B = C, A", "A: int = 3", "A += B", "A = A + 1"),
    *("A = pd.read_csv('x.csv')", "A, B = train_test_split(C)", "A['x'] = B", "A.x = B", "A = B[C > 1]", "del A"),
    *("A.fit(B, C)", "A = SVC(C=B).fit(C)", "A.predict(B)", "print(A.score(B, C))", "A.to_csv('x.csv')", "A.append(B)"),
    *("A.head()", "A", "print(A)", "A.plot()", "A.hist()\nplt.show()", "display(A)", "assert A", "f(A)", "A = f(B)"),
    *(
        "def f(x):\n    return x",
        "def f(x, z=A):\n    return B",
        "f = lambda x: A",
        "class A:\n    b = B",
        "def A(): B()",
    ),
    *(
        "for A in B:\n    C.append(A)",
        "for A in B:\n    print(A)",
        "if A:\n    B = C",
        "try:\n    A\nexcept E:\n    B = 1",
    ),
    *("with open('x', 'w') as A:\n    A.write(B)", "%run other.py", "exec(A)", "A = (", "%%time\nA = B", "# nothing"),
)
# A cell that cannot run below code like this may be able to in one stage with it, which there is when it is accepted.
_OPEN = re.compile(r"\bdel\b|%run|exec|import \*|eval|globals")
HEADINGS = ("# Title", "## Load", "## 2. Train the model", "### Evaluate", "**Look**")


@st.composite
def cells(draw):
    """Text, or code that uses few names; at times code without any sense."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return "markdown", draw(st.sampled_from(HEADINGS))
    if kind == 1:
        return "code", Writer(lambda options: draw(st.sampled_from(options))).snippet()
    lines = []
    for line in draw(st.lists(st.sampled_from(LINES), min_size=1, max_size=3)):
        lines.append(re.sub(r"\b[ABC]\b", lambda _: draw(st.sampled_from(NAMES)), line))
    return "code", "\n".join(lines)


def document_of(drawn):
    made = notebook([("", source) for _, source in drawn])
    for cell, (kind, _) in zip(made["cells"], drawn, strict=True):
        cell["cell_type"] = kind
    return as_document(made, PATH)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(cells(), min_size=1, max_size=9).filter(lambda drawn: any(kind == "code" for kind, _ in drawn)))
def test_what_is_suggested_has_no_errors_and_is_final(drawn):
    document = document_of(drawn)
    found = suggest(document, PATH)
    assert found.remaining == ()
    accepted = tagged(document, found)
    if any(cell.role == "stage" for cell in found.cells):
        pipeline, findings = examine(accepted, PATH)
        assert pipeline is not None
        assert [one for one in findings if one.severity == "error"] == []
        assert pipeline.edges == found.pipeline.edges
    if not any(_OPEN.search(source) for _, source in drawn):
        assert suggest(accepted, PATH).new == ()
