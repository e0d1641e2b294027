"""What cells read, bind, change, touch and delete: a table of cases, and what a table cannot show."""

import builtins

import pytest

from stagebook.book.names import NOTHING_KNOWN, analyse
from stagebook.book.syntax import parse
from stagebook.model import Place
from tests.cases.names import GROUPS

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
