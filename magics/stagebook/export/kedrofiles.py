"""The files of a Kedro project that are the same, or nearly so, for all pipelines."""

from __future__ import annotations

GITIGNORE = """\
/data/
/conf/local/*
!/conf/local/.gitkeep
/build/
/.viz/
*.log
__pycache__/
.pytest_cache/
*.egg-info/
"""
SETTINGS = '''\
"""The project's settings."""

from PACKAGE.hooks import NAMES

HOOKS = (CALLS)
DISABLE_HOOKS_FOR_PLUGINS = ("kedro_mlflow",)  # where it is installed, it wants a store; take this out to use it
'''
REGISTRY = '''\
"""The project's pipelines."""

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline


def register_pipelines() -> dict[str, Pipeline]:
    """The pipelines by name; `__default__` is all of them."""
    pipelines = find_pipelines(raise_errors=True)
    pipelines["__default__"] = sum(pipelines.values(), Pipeline([]))
    return pipelines
'''
OWN = '''\
"""The pipeline of NOTEBOOK."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
'''
ENVIRONMENT = '''\
"""Secrets, which are written nowhere."""

import os
from typing import Any

from kedro.io import AbstractDataset, DatasetError

_NO_DEFAULT = "no default"


class EnvironmentVariable(AbstractDataset[None, str]):
    """A variable of the environment, read when a node takes it: not a parameter, since those are logged and shown."""

    def __init__(self, *, name: str, default: Any = _NO_DEFAULT, metadata: dict[str, Any] | None = None) -> None:
        self.name = name
        self.default = default
        self.metadata = metadata

    def load(self) -> Any:
        """Its value."""
        if self.name in os.environ or self.default != _NO_DEFAULT:
            return os.environ.get(self.name, self.default)
        raise DatasetError(f"Set the environment variable {self.name}.")

    def save(self, data: None) -> None:
        """Refuse to."""
        raise DatasetError(f"The environment variable {self.name} is not written.")

    def _describe(self) -> dict[str, Any]:
        return {"name": self.name}
'''
FOLDER_HOOK = '''\
"""What happens around a run."""

import os
from pathlib import Path

from kedro.framework.hooks import hook_impl

FOLDER = Path(__file__).resolve().parents[2] / {folder}


class NotebookFolder:
    """Nodes run in the notebook's folder: their code was written there, and names files as seen from it."""

    @hook_impl(trylast=True)
    def before_pipeline_run(self):
        """Go there."""
        self.before = Path.cwd()
        os.chdir(FOLDER)

    @hook_impl(tryfirst=True)  # others look for the project where they are
    def after_pipeline_run(self):
        """Go back."""
        os.chdir(self.before)

    @hook_impl(tryfirst=True)
    def on_pipeline_error(self):
        """Go back."""
        os.chdir(self.before)
'''
_COPIES_HOOK = '''

class UnseenChanges:
    """A node that changes its input in place, unseen, is told: later nodes take the input as it was."""

    def __init__(self):
        self.before = {}

    @hook_impl
    def before_node_run(self, node, inputs):
        """Note what the inputs are."""
        self.before[node.name] = {name: pickle.dumps(inputs[name]) for name in UNCHANGED.get(node.name, ())}

    @hook_impl
    def after_node_run(self, node, inputs):
        """Look whether they still are."""
        for name, before in self.before.pop(node.name, {}).items():
            if pickle.dumps(inputs[name]) != before:
                raise RuntimeError(f"Node {node.name} changes {name} in place: return it, as a dataset of its own.")
'''
_UNCHANGED = '''
UNCHANGED = {
{rows}}
"""By node, inputs that its code gives to functions of packages, and that later nodes take."""
'''


def with_copies_hook(text: str, rows: str, module: str) -> str:
    """The text of hooks.py with a hook that looks whether inputs are changed.

    Args:
        text: its text without.
        rows: the inputs, a line for each node.
        module: what pickles them.
    """
    here = text.index("\n\nclass ")
    text = text[:here] + _UNCHANGED.replace("{rows}", rows) + text[here:] + _COPIES_HOOK.replace("pickle", module)
    if module == "pickle":
        return text.replace("import os\n", "import os\nimport pickle\n", 1)
    return text.replace("from kedro.framework", f"import {module}\nfrom kedro.framework", 1)
