"""What happens around a run."""

import os
import pickle
from pathlib import Path

from kedro.framework.hooks import hook_impl

FOLDER = Path(__file__).resolve().parents[2] / ".."

UNCHANGED = {
    "linear": ["categories", "quantities"],
}
"""By node, inputs that its code gives to functions of packages, and that later nodes take."""


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
