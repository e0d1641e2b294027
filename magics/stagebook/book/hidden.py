"""Names for what stages share without naming it: random generators, settings of libraries, files.

They travel beside the notebook's own names, and links treat them alike. What has a colon in it is no Python name:

- `state:numpy.random`: a global random generator. Who draws from it changes it for the next one.
- `setting:pandas`: options that hold from where they are set, for those that have the library loaded.
- `file:data/x.csv`: a file, relative to the notebook; `file:data/`, the list of files in a folder.
- `process:IPython`: what cannot be carried to another process, so that all that comes later goes on in this one.
"""

from __future__ import annotations

from collections.abc import Iterable

FILE = "file:"
HERE = "file:./"
"""The list of files in the notebook's own folder."""

GENERATORS = {"numpy.random": "state:numpy.random", "random": "state:random"}
"""Modules whose functions draw from a global generator."""

NO_DRAWS = frozenset(
    {
        *("default_rng", "Generator", "RandomState", "SeedSequence", "BitGenerator", "MT19937", "PCG64", "PCG64DXSM"),
        *("Philox", "SFC64", "get_state", "Random", "SystemRandom", "getstate"),
    }
)
"""What those modules have that leaves the generator alone."""

SEEDS = frozenset({"seed", "set_state", "setstate"})
"""Functions after which it does not matter what was drawn before."""

SETTERS = {
    "os.chdir": "setting:folder",
    "sys.path": "setting:folder",
    "os.environ": "setting:environ",
    "os.putenv": "setting:environ",
    "pandas.options": "setting:pandas",
    "pandas.set_option": "setting:pandas",
    "numpy.set_printoptions": "setting:numpy",
    "numpy.seterr": "setting:numpy",
    "sklearn.set_config": "setting:sklearn",
    "matplotlib.rc": "setting:matplotlib",
    "matplotlib.rcParams": "setting:matplotlib",
    "matplotlib.pyplot.rcParams": "setting:matplotlib",
    "matplotlib.pyplot.rc": "setting:matplotlib",
    "matplotlib.style.use": "setting:matplotlib",
    "matplotlib.pyplot.style.use": "setting:matplotlib",
    "seaborn.set_theme": "setting:matplotlib",
    "decimal.setcontext": "setting:decimal",
    "locale.setlocale": "setting:locale",
    "sys.setrecursionlimit": "setting:recursion",
}
"""Functions whose call, and objects whose change, is a change of a setting. Others are found when the stage runs."""

READERS = frozenset({"copy", "get", "items", "keys", "values", "find_all"})
"""Methods of those objects that change nothing."""

OF_THE_PROCESS = (
    "setting:compiler",
    "setting:environ",
    "setting:folder",
    "setting:recursion",
    "setting:warnings",
)
"""Settings that hold for all code, whatever it has loaded."""

WATCHED = frozenset({"setting:logging", "setting:warnings"})
"""Settings that libraries change on import, too: they count where the stage's own code may change them."""

EMITTING = frozenset({"critical", "debug", "error", "exception", "fatal", "info", "log", "warn", "warning"})
"""Functions of `logging` that set nothing."""

OF_LOGGERS = frozenset({"addFilter", "addHandler", "removeHandler", "setLevel"})
"""Methods by which a logger is set up."""

REGISTERING = frozenset({"atexit.register", "copyreg.pickle"})
"""Functions that leave something in the process; `register_...` of `IPython.core.magic` do so, too."""

WARNING_FILTERS = frozenset({"warnings.filterwarnings", "warnings.simplefilter", "warnings.resetwarnings"})

_CALLED = {
    "state:numpy.random": "NumPy's global random state",
    "state:random": "the global random state of `random`",
    "setting:decimal": "the decimal context",
    "process:pyplot": "the figures that pyplot holds open",
    "setting:compiler": "the set of future statements",
    "setting:environ": "the set of environment variables",
    "setting:folder": "the working directory",
    "setting:locale": "the locale",
    "setting:warnings": "the list of warning filters",
}


def process_of(path: str) -> str:
    """The name of what a module holds for its process, by the dotted path of something in it."""
    return f"process:{path.partition('.')[0]}"


def is_process(name: str) -> bool:
    """Whether this stands for what cannot be carried to another process."""
    return name.startswith("process:")


def setting_of(path: str) -> str | None:
    """The setting that a change of what a dotted path leads to is a change of."""
    while path:
        if path in SETTERS:
            return SETTERS[path]
        path = path.rpartition(".")[0]
    return None


def is_hidden(name: str) -> bool:
    """Whether this is no name of the notebook's."""
    return ":" in name


def is_file(name: str) -> bool:
    """Whether this stands for a file, or for the list of files in a folder."""
    return name.startswith(FILE)


def is_folder(name: str) -> bool:
    """Whether this stands for the list of files in a folder."""
    return name.startswith(FILE) and name.endswith("/")


def path_of(name: str) -> str:
    """The path of a file's or a folder's name."""
    return name[len(FILE) :]


def in_folder(folder: str, names: Iterable[str]) -> list[str]:
    """Those of `names` that stand for files right in `folder`, sorted."""
    start = FILE if folder == HERE else folder
    return sorted(name for name in names if is_file(name) and name.startswith(start) and "/" not in name[len(start) :])


def folder_of(name: str) -> str:
    """The folder that a file is in."""
    return f"{name.rpartition('/')[0]}/" if "/" in name else HERE


def called(name: str) -> str:
    """A name of either kind, as a person would call it."""
    if not is_hidden(name):
        return f"`{name}`"
    kind, _, what = name.partition(":")
    if kind == "file":
        return f"the list of files in {what}" if is_folder(name) else f"file {what}"
    if kind == "process":
        return f"what has been changed in {what} for the whole process"
    return _CALLED.get(name) or f"the {'configuration' if kind == 'setting' else 'global random state'} of {what}"
