"""The Python of cells in IPython's syntax: what it reads and binds, and on which lines."""

import ast
import subprocess
import sys

import pytest

from stagebook.book import syntax
from stagebook.book.names import analyse
from stagebook.book.syntax import CellSyntaxError, nodes_of, parse

NOISE = {"print", "open"}


def names_of(code):
    names = analyse([(1, parse(code))]).names
    return set(names.reads) - NOISE, set(names.binds)


@pytest.mark.parametrize(
    ("code", "reads", "binds"),
    [
        pytest.param("x = a", "a", "x", id="plain Python"),
        pytest.param("x = await f(a)", "f a", "x", id="await at top level"),
        pytest.param("x = a % b", "a b", "x", id="a remainder is no magic"),
        pytest.param("x = 'what? %time !ls'", "", "x", id="marks inside text are no magic"),
        pytest.param("%matplotlib inline\nx = a", "a", "x", id="a line magic reads nothing"),
        pytest.param("!ls {folder}", "folder", "", id="braces in a command"),
        pytest.param("!ls $folder", "folder", "", id="a dollar name in a command"),
        pytest.param("!echo $$HOME {{x}}", "", "", id="escaped dollars and braces"),
        pytest.param("!awk '{print $1}' {path}", "path", "", id="braces of another language"),
        pytest.param("!ls {paths[0].parent}", "paths", "", id="an expression in braces"),
        pytest.param("files = !ls {folder}", "folder", "files", id="a command's output is bound"),
        pytest.param("files = !ls $folder | head\nn = len(files)", "len folder", "files n", id="and then is ours"),
        pytest.param("%cd $folder", "folder", "", id="a dollar name in a line magic"),
        pytest.param("x = %sql select {column}", "column", "x", id="a line magic's result is bound"),
        pytest.param("%time y = f(a)", "f a", "y", id="time runs its line"),
        pytest.param("y = %time f(a)", "f a", "y", id="time's result is bound"),
        pytest.param("%timeit -n 10 y = f(a)", "f a", "", id="timeit binds nothing"),
        pytest.param("%prun -s cumtime f(a)", "f a", "", id="prun runs its line"),
        pytest.param("if c:\n    %time x = f(a)\ny = x", "c f a x", "x y", id="a magic under if"),
        pytest.param("df?\n?df\ndf.head??\nx = a", "a", "x", id="help reads nothing"),
        pytest.param("%%time\nx = a", "a", "x", id="cell time runs in the namespace"),
        pytest.param("%%timeit\nx = a", "a", "", id="cell timeit binds nothing"),
        pytest.param("%%timeit b = c\nx = a + b", "a c", "", id="cell timeit has setup code on its line"),
        pytest.param("%%capture out\nx = a", "a", "x out", id="capture binds its output"),
        pytest.param("%%capture out --no-stderr\nx = a", "a", "x out", id="capture with options"),
        pytest.param("%%capture\nx = a", "a", "x", id="capture without a name"),
        pytest.param("%%prun\nx = a", "a", "x", id="cell prun"),
        pytest.param("%%time\n%matplotlib inline\nx = !ls {d}", "d", "x", id="magics in a magic's body"),
        pytest.param("%%capture out\n%%time\nx = a", "a", "x out", id="a cell magic in a cell magic"),
        pytest.param("%%bash\necho $x {y}", "", "", id="another language's body is opaque"),
        pytest.param("%%bash -s {x} $y\necho $1", "x y", "", id="its arguments are not"),
        pytest.param("%%bash --out text --err errors\nls", "", "text errors", id="script magics bind their output"),
        pytest.param("%%writefile {path}\nx = a", "path", "", id="writefile reads its path"),
        pytest.param("%%html\n<b>{x}</b>", "", "", id="html"),
        pytest.param("%%stage clean needs=a\nx = b", "b", "x", id="stage's line counts as blank"),
        pytest.param("%%stage clean\n%%time\nx = b", "b", "x", id="stage over another magic"),
        pytest.param("%%stage clean", "", "", id="stage alone"),
        pytest.param("\n\n  x = a\n", "a", "x", id="indented as a whole"),
        pytest.param(">>> x = a", "a", "x", id="pasted with prompts"),
        pytest.param("x = a\n;", "a", "x", id="a semicolon on a line of its own"),
        pytest.param("x = a;", "a", "x", id="a semicolon that hides the result"),
        pytest.param("", "", "", id="an empty cell"),
    ],
)
def test_ipython_syntax(code, reads, binds):
    assert names_of(code) == (set(reads.split()), set(binds.split()))


@pytest.mark.parametrize(
    ("code", "line"),
    [
        pytest.param("\n\nx = 1", 3, id="leading blank lines"),
        pytest.param("%%stage clean\nx = 1", 2, id="a stage's line"),
        pytest.param("%%stage clean\n\n%%time\n\nx = 1", 5, id="two magics and blank lines"),
        pytest.param("\n\n%matplotlib inline\n\nx = 1", 5, id="magics after blank lines"),
        pytest.param("%%capture out\n!ls\nx = 1", 3, id="a magic inside a magic"),
        pytest.param("!ls \\\n  -l \\\n  {d}\nx = 1", 4, id="a command over several lines"),
        pytest.param("y = !ls \\\n  -l\nx = 1", 3, id="a bound command over several lines"),
        pytest.param("if c:\n    !ls \\\n      -l\n    x = 1", 4, id="and indented"),
        pytest.param("df?\nx = 1", 2, id="help"),
        pytest.param("!ls\n%time x = 1", 2, id="a magic's own code"),
    ],
)
def test_lines_stay_those_of_the_cell(code, line):
    assert analyse([(1, parse(code))]).names.binds["x"].line == line


def test_script_file_may_bind_anything():
    assert analyse([(1, parse("%run prepare.py"))]).names.star_imports == {"%run prepare.py"}


@pytest.mark.parametrize(
    ("code", "line"),
    [
        pytest.param("x = 1\ny = = 2", 2, id="plain"),
        pytest.param("%matplotlib inline\n\ny = = 2", 3, id="after a magic"),
        pytest.param("%%stage clean\ny = = 2", 2, id="under a stage's line"),
        pytest.param("%%time\n\ny = = 2", 3, id="under a cell magic"),
        pytest.param("x = (1,", 1, id="unclosed"),
    ],
)
def test_what_is_no_python_is_named_with_its_line(code, line):
    with pytest.raises(CellSyntaxError) as caught:
        parse(code)
    assert caught.value.line == line
    assert caught.value.message


def test_null_byte_is_no_python():
    with pytest.raises(CellSyntaxError):
        parse("x = 1\0")


def test_warnings_of_the_parser_are_not_shown(recwarn):
    parse("x = '\\d'\ny = 1 is 1")
    assert not recwarn.list


def test_plain_cells_do_not_load_ipython():
    code = "import sys; from stagebook.book.syntax import parse; parse('x = a % 2'); print('IPython' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_what_is_made_of_magics_has_places_everywhere():
    tree = parse("%%stage s\n!ls {a}\nb = !ls\n%timeit f(x)\n%time y = 1\ndf?\n%run x.py")
    for node in ast.walk(tree):
        if isinstance(node, (ast.stmt, ast.expr)):
            assert 1 < node.lineno <= 7
    compile(tree, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)


def test_nodes_are_those_of_the_tree_whatever_else_hangs_on_them():
    tree = ast.parse("x = [f(y), z.w]")
    expected = [type(node) for node in ast.walk(tree)]
    for node in ast.walk(tree):
        node.parent = tree  # as `executing` does, which IPython shows tracebacks with
    try:
        assert [type(node) for node in nodes_of(tree)] == expected
    finally:
        for node in list(ast.walk(tree)):
            vars(node).pop("parent", None)  # some nodes are shared by all trees


def test_a_tree_that_another_thread_spoils_is_made_again(monkeypatch):
    """As CPython 3.11 lets happen; see `syntax._ONE_AT_A_TIME`."""
    spoilt = iter([SystemError("AST constructor recursion depth mismatch (before=75, after=52)"), None])

    def made(*arguments, **options):
        error = next(spoilt)
        if error is not None:
            raise error
        return compile(*arguments, **options)

    monkeypatch.setattr(syntax, "compile", made, raising=False)
    assert ast.unparse(syntax.syntax_tree("x = 1")) == "x = 1"
