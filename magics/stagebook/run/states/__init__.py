"""One file a state: what a library keeps for the whole process, and code changes without naming it.

A state has `name` (as links call it, see `book/hidden`), `module` (a state is looked at, and put back, only where that
is loaded; None: always), `get() -> value` (plain, equal for equal states) and `put(value)`.
"""
