"""Which stages run in one kernel, because what passes between them cannot be stored."""

from __future__ import annotations

import pytest

from stagebook.run.sessions import Sessions


@pytest.fixture
def sessions() -> Sessions:
    return Sessions()


def run(sessions: Sessions, stage: str, sources: tuple[str, ...] = (), leaves: tuple[str, ...] = ()) -> str:
    """Run a stage as the execution does: only once nothing has to run before it, in the session it belongs to."""
    assert sessions.to_run_again(stage, set(sources)) == set()
    session = sessions.of(stage, sources)
    sessions.note(stage, set(leaves), ran_in=session)
    return session


def test_a_stage_that_shares_nothing_has_a_kernel_of_its_own(sessions):
    assert sessions.of("load", ()) == "load"
    assert run(sessions, "load") == "load"
    assert sessions.of("load", ()) == "load"
    assert sessions.names("load") == set()


def test_who_takes_what_cannot_be_stored_goes_on_in_its_kernel(sessions):
    run(sessions, "connect", leaves=("socket",))
    assert sessions.names("connect") == {"socket"}
    assert run(sessions, "send", ("connect",)) == "connect"
    assert run(sessions, "receive", ("connect",)) == "connect"


def test_what_is_left_along_the_way_lives_in_the_same_kernel(sessions):
    run(sessions, "open", leaves=("file",))
    assert run(sessions, "lines", ("open",), leaves=("generator",)) == "open"
    assert sessions.names("open") == {"file", "generator"}
    assert run(sessions, "count", ("lines",)) == "open"
    assert run(sessions, "both", ("lines", "open")) == "open"


def test_a_kernel_that_is_not_there_is_made_again_first(sessions):
    """The stage was reused from the store: its values are there, what could not be stored is not."""
    assert sessions.to_run_again("send", {"connect"}) == {"connect"}
    run(sessions, "connect", leaves=("socket",))
    assert sessions.to_run_again("send", {"connect"}) == set()


def test_only_what_is_missing_is_made_again(sessions):
    run(sessions, "open", leaves=("file",))
    assert sessions.to_run_again("count", {"open", "lines"}) == {"lines"}


def test_a_stage_that_runs_again_does_not_find_its_kernel_used_up(sessions):
    """What `lines` took the first time, it may have consumed: the whole session begins anew."""
    run(sessions, "open", leaves=("file",))
    run(sessions, "lines", ("open",), leaves=("generator",))
    assert sessions.to_run_again("lines", {"open"}) == {"open", "lines"}
    run(sessions, "open", leaves=("file",))
    assert sessions.names("open") == {"file"}
    assert run(sessions, "lines", ("open",), leaves=("generator",)) == "open"


def test_two_kernels_that_one_stage_needs_become_one(sessions):
    run(sessions, "a", leaves=("x",))
    run(sessions, "b", leaves=("y",))
    assert sessions.to_run_again("both", {"a", "b"}) == {"b"}
    assert sessions.joined == {"b": "a"}
    assert sessions.of("b", ()) == "a"
    assert run(sessions, "b", leaves=("y",)) == "a"
    assert run(sessions, "both", ("a", "b")) == "a"
    assert sessions.names("a") == {"x", "y"}
    assert sessions.names("b") == set()


def test_all_that_ran_in_a_kernel_that_is_given_up_runs_again(sessions):
    run(sessions, "a", leaves=("x",))
    run(sessions, "b", leaves=("y",))
    run(sessions, "b2", ("b",), leaves=("z",))
    assert sessions.to_run_again("both", {"a", "b2"}) == {"b", "b2"}
    assert run(sessions, "b", leaves=("y",)) == "a"
    assert run(sessions, "b2", ("b",), leaves=("z",)) == "a"
    assert run(sessions, "both", ("a", "b2")) == "a"


def test_a_joined_stage_waits_for_the_kernel_it_is_to_run_in(sessions):
    run(sessions, "b", leaves=("x",))
    run(sessions, "c", leaves=("y",))
    assert sessions.to_run_again("both", {"b", "c"}) == {"c"}
    run(sessions, "a", leaves=("z",))
    assert sessions.to_run_again("late", {"a", "b"}) == {"b"}
    assert sessions.to_run_again("c", set()) == {"b"}


def test_kernels_can_be_joined_one_after_the_other(sessions):
    """`c` was joined to `b`; when `b` is joined to `a`, `c` goes there, too."""
    run(sessions, "b", leaves=("x",))
    run(sessions, "c", leaves=("y",))
    assert sessions.to_run_again("both", {"b", "c"}) == {"c"}
    assert run(sessions, "c", leaves=("y",)) == "b"
    run(sessions, "a", leaves=("z",))
    assert sessions.to_run_again("all", {"a", "b", "c"}) == {"b", "c"}
    assert run(sessions, "b", leaves=("x",)) == "a"
    assert run(sessions, "c", leaves=("y",)) == "a"
    assert run(sessions, "all", ("a", "b", "c")) == "a"
    assert sessions.names("a") == {"x", "y", "z"}


def test_a_kernel_begun_anew_holds_nothing_of_what_was_left_in_the_old_one(sessions):
    run(sessions, "open", leaves=("file",))
    run(sessions, "lines", ("open",), leaves=("generator",))
    run(sessions, "open", leaves=("file",))
    assert sessions.names("open") == {"file"}
    assert sessions.to_run_again("count", {"lines"}) == {"lines"}


def test_a_stage_that_no_longer_leaves_anything_keeps_no_kernel(sessions):
    run(sessions, "open", leaves=("file",))
    run(sessions, "open")
    assert sessions.names("open") == set()
    assert sessions.to_run_again("count", {"open"}) == {"open"}


def test_who_had_a_kernel_of_its_own_can_go_on_in_another(sessions):
    """`late` turned out to take something from `early` after it had run alone, and left something itself."""
    run(sessions, "late", leaves=("process:own",))
    run(sessions, "after", ("late",))
    run(sessions, "early", leaves=("process:own",))
    assert run(sessions, "late", ("early",), leaves=("process:own",)) == "early"
    assert run(sessions, "after", ("late",)) == "early"
