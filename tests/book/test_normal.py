"""When two cells are the same code, and when they are not."""

import pytest

from stagebook.book.normal import cell_code

SAME = [
    ("x=1", "x = 1  # one"),
    ("x = 1", "\n\n# A comment.\nx = 1\n"),
    ("x = 1", "%%stage a needs=b\nx = 1"),
    ("x = 1; y = 2", "x = 1\ny = 2"),
    ("f(1, 2)", "f(\n    1,\n    2,\n)"),
    ("x = (1 + 2)", "x = 1 + 2"),
    ("x = 1, 2", "x = (1, 2)"),
    ("x = 'a'", 'x = "a"'),
    ("x = 'a'", "x = '''a'''"),
    ("x = 'a'", "x = u'a'"),
    ("x = 'ab'", "x = 'a' 'b'"),
    ("x = 'a\\n'", 'x = """a\n"""'),
    ("x = 16", "x = 0x10"),
    ("x = 1000", "x = 1_000"),
    ("x = 1e3", "x = 1000.0"),
    ("if a:\n    b", "if a: b"),
    ("if a:\n    b", "if (a):\n\tb"),
    ("if a:\n    b\nelse:\n    if c:\n        d", "if a:\n    b\nelif c:\n    d"),
    ("x = a + \\\n    b", "x = a + b"),
    ("x = f'{a}b'", 'x = f"{a}" "b"'),
    ("x = f'{a}'", "x = f'{ a }'"),
    ("x = f'{a:>{w}}'", 'x = f"{a:>{w}}"'),
    ("x = f'a'", 'x = f"a"'),
    ("x: int = 1", "x : int=1"),
    ("def f(a, /, b, *, c): pass", "def f(\n    a, /, b, *, c,\n):\n    pass"),
    ("with a as b, c as d:\n    e", "with (a as b, c as d):\n    e"),
    ("%matplotlib inline", "%matplotlib inline"),
    ("not python (", "not python ("),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_layout_makes_no_difference(one, other):
    assert cell_code(one) == cell_code(other)


DIFFERENT = [
    ("!wget v1", "!wget v2"),
    ("x = !ls a", "x = !ls b"),
    ("%env A=1", "%env A=2"),
    ("%cd a", "%pushd a"),
    ("%%bash\necho 1", "%%bash\necho 2"),
    ("%%writefile a\n1", "%%writefile a\n2"),
    ("x = 1", "x = '1'"),
    ("x = 1", "x = True"),
    ("x = 1", "x = 1.0"),
    ("x = 1", "x = 1j"),
    ("x = 0.0", "x = -0.0"),
    ("x = '1'", "x = b'1'"),
    ("x = None", "x = 'None'"),
    ("x = ...", "x = None"),
    ("x = 1", "y = 1"),
    ("x = 1", "x += 1"),
    ("x = 1", "x == 1"),
    ("x = 1\ny = 2", "y = 2\nx = 1"),
    ("x = (1)", "x = (1,)"),
    ("x = [1]", "x = (1,)"),
    ("x = a[1:]", "x = a[:1]"),
    ("x = a[1:]", "x = a[1]"),
    ("x = {}", "x = set()"),
    ("x = {**a}", "x = {'a': a}"),
    ("f(a)", "f(*a)"),
    ("f(*a)", "f(**a)"),
    ("f(a=1)", "f(b=1)"),
    ("x = a - b - c", "x = a - (b - c)"),
    ("x = not a", "x = a"),
    ("x = f'{a}'", "x = '{a}'"),
    ("x = f'{a}'", "x = f'{a!r}'"),
    ("x = f'{a}'", "x = f'{a:d}'"),
    ("x = f'{a=}'", "x = f'{a}'"),
    ("x = f'{a:>{w}}'", "x = f'{a:<{w}}'"),
    ("def f(a): pass", "def f(a, /): pass"),
    ("def f(a): pass", "def f(*, a): pass"),
    ("def f(a=None): pass", "def f(a): pass"),
    ("def f(*, a, b=1): pass", "def f(*, a=1, b): pass"),
    ("async def f(): pass", "def f(): pass"),
    ("if a:\n    b\nc", "if a:\n    b\n    c"),
    ("for a in b:\n    c\nelse:\n    d", "for a in b:\n    c\nd"),
    ("try:\n    a\nexcept B:\n    c", "try:\n    a\nfinally:\n    c"),
    ("import a", "import a as b"),
    ("from a import b", "from .a import b"),
    ("from a import b", "import b"),
    ("x: int = 1", "x = 1"),
    ("global a", "nonlocal a"),
    ("lambda a: b", "lambda b: a"),
    ("%time f()", "%time g()"),
    ("", "pass"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_change_of_meaning_makes_a_difference(one, other):
    assert cell_code(one) != cell_code(other)
