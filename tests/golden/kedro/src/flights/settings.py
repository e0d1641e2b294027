"""The project's settings."""

from flights.hooks import NotebookFolder, UnseenChanges

HOOKS = (NotebookFolder(), UnseenChanges())
DISABLE_HOOKS_FOR_PLUGINS = ("kedro_mlflow",)  # where it is installed, it wants a store; take this out to use it
