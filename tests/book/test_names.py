"""What cells read, bind, change, touch and delete: a table of cases, and what a table cannot show."""

import builtins

import pytest
from tests.cases.names import GROUPS

from stagebook.book.names import NOTHING_KNOWN, analyse
from stagebook.book.scopes import mentioned
from stagebook.book.syntax import parse
from stagebook.model import Place

CASES = [pytest.param(case, id=f"{group}: {case.id}") for group, cases in GROUPS.items() for case in cases]
BUILTINS = frozenset(dir(builtins))


def names_of(code, *, setup=""):
    known = analyse([(1, parse(setup))]).definitions if setup else NOTHING_KNOWN
    return analyse([(2, parse(code))], known=known).names


def words(text):
    return set(text.split())


@pytest.mark.parametrize("case", CASES)
def test_names(case):
    names = names_of(case.code, setup=case.setup)
    binds = names.binds.keys()
    if case.imports == "math":
        binds = {name for name in binds if name in case.binds.split()}
    found = {
        "reads": names.reads.keys() - (BUILTINS - words(case.reads)),
        "binds": set(binds),
        "maybe": set(names.maybe_binds),
        "changes": set(names.changes),
        "touches": set(names.touches),
        "deletes": set(names.deletes),
        "imports": set(names.imports),
        "stars": set(names.star_imports),
    }
    assert found == {field: words(getattr(case, field)) for field in found}


def test_builtins_are_read_like_other_names():
    assert set(names_of("print(max(a))").reads) == {"print", "max", "a"}


def test_places_are_the_first_of_each_kind():
    cells = [(3, parse("a\n\nb = a\nb.append(1)")), (5, parse("b = 2\nc[0] = (\n    d)\ndel e"))]
    names = analyse(cells).names
    assert names.reads == {"a": Place(3, 1), "c": Place(5, 2), "d": Place(5, 3), "e": Place(5, 4)}
    assert names.binds == {"b": Place(3, 3)}
    assert names.changes == {"a": Place(3, 4), "c": Place(5, 2)}
    assert names.deletes == {"e": Place(5, 4)}


def test_what_a_function_does_is_placed_at_its_call():
    names = names_of("x = 1\nclean(\n    df)", setup="\n\n\ndef clean(d):\n    log.append(d)\n    d.x = 1")
    assert names.reads["log"] == names.changes["log"] == names.changes["df"] == Place(2, 2)


def test_cells_of_a_block_run_one_after_the_other():
    names = analyse([(1, parse("x = a")), (2, parse("y = x"))]).names
    assert set(names.reads) == {"a"}
    assert set(names.binds) == {"x", "y"}


def test_summary_tells_what_a_call_does():
    code = """
def clean(df, *, log=None):
    global seen
    seen = True
    df["x"] = limit
    other(log)
    return [df, cache]
"""
    summary = analyse([(1, parse(code))]).definitions["clean"]
    assert set(summary.names.reads) == {"limit", "other", "cache"}
    assert set(summary.names.binds) == {"seen"}
    assert summary.changes == {"df"}
    assert summary.touches == {"log"}
    assert summary.returns == {"df", "cache", "limit"}


def test_definitions_are_a_mapping_of_functions_and_classes():
    known = analyse([(1, parse("import m\nx = 1\ndef f(): pass\nclass A: pass\ng = f\nh = lambda: 1"))]).definitions
    assert set(known) == {"f", "A", "g", "h"}
    assert "x" not in known
    assert "m" not in known
    with pytest.raises(KeyError):
        known["m"]


def test_later_definitions_come_before_earlier_ones():
    first = analyse([(1, parse("def f():\n    return a\ndef g():\n    return b"))]).definitions
    second = analyse([(2, parse("f = 1\ndef g():\n    return c\ndef h():\n    return g()"))], known=first).definitions
    known = first.merged(second)
    assert set(known) == {"g", "h"}
    assert set(known["h"].names.reads) == {"g", "c"}


def test_function_calls_what_a_later_block_defines():
    first = analyse([(1, parse("def f():\n    return g()"))]).definitions
    known = first.merged(analyse([(2, parse("def g():\n    return a"))], known=first).definitions)
    assert set(known["f"].names.reads) == {"g", "a"}


def test_future_import_of_setup_holds_for_stages():
    assert not names_of("x: T = 1", setup="from __future__ import annotations").reads


def test_code_too_tangled_to_follow_is_taken_by_what_it_mentions():
    lines = [f"def f{i}(*p):\n    global g{i}\n    g{i} = p\n    return [f(*p) for f in p]" for i in range(40)]
    lines.append("x = [" + ", ".join(f"f{i}" for i in range(40)) + "]")
    lines += ["for a in x:\n    for b in x:\n        for c in x:\n            a(b, c, *x, unknown)"] * 20
    names = names_of("\n".join(lines))
    assert {"unknown", "f0"} <= names.reads.keys()
    assert {"x", "g39"} <= names.binds.keys()
    assert "unknown" in names.touches
    assert names.reads.keys() - names.maybe_reads == {"unknown"}
    assert not {"p", "f"} & (names.reads.keys() | names.binds.keys())


def test_deep_nesting_is_no_error():
    assert set(names_of("x = " + "f(" * 80 + "a" + ")" * 80).reads) == {"f", "a"}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def f(*args, k=d):\n    n = g(*args)\n    return n + k", "d g"),
        ("@dec\nasync def f(x: T) -> U:\n    return lambda y: x + y + z", "dec T U z"),
        ("[f(a, b) for a in a if b for c in d(a)]", "f a b d"),
        ("def f():\n    global n\n    n = 1", "n"),
    ],
)
def test_names_of_nested_functions_are_not_mentioned_around_them(code, expected):
    assert mentioned(parse(code).body) == words(expected)
