"""What is installed for the modules that a notebook's code imports."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from stagebook.export.imports import Import, is_known

_PACKAGES = {
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "imblearn": "imbalanced-learn",
    "cv2": "opencv-python",
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "yaml": "pyyaml",
    "dateutil": "python-dateutil",
    "mpl_toolkits": "matplotlib",
}
"""What is installed for a module that is called otherwise."""


def packages_of(modules: Iterable[str], code: str) -> set[str]:
    """The packages of those modules that are well known, as they are installed.

    Args:
        modules: dotted names of what is imported.
        code: the code that imports them: what it names of file formats takes packages, too.
    """
    roots = {one.partition(".")[0] for one in modules if is_known(Import(one))}
    roots -= sys.stdlib_module_names | {"IPython"}
    found = {_PACKAGES.get(root, root) for root in roots if root}
    return found | ({"pyarrow"} if "parquet" in code or "feather" in code else set())


def strange_modules(modules: Iterable[str]) -> list[str]:
    """The modules of which it is not known whether they are somebody's package or files beside the notebook."""
    every = {one.partition(".")[0] for one in modules if not is_known(Import(one))}
    return sorted(every - {"stagebook", "__future__", ""})
