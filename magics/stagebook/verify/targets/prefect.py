"""`export prefect`: the flow is called, on a server that is started for it."""

from __future__ import annotations

import ast

from stagebook.errors import StagebookError
from stagebook.verify.exported import ask, export
from stagebook.verify.staged import own_store, unless_told
from stagebook.verify.target import Outcome, lacking
from stagebook.verify.work import TargetError, Work


class Prefect:
    """See the module."""

    says = "export prefect, flow.py called"
    asked = False
    by_name = False

    def lacks(self) -> str:
        """Prefect."""
        return lacking(["prefect"], "pip install 'stagebook[prefect]'")

    def run(self, work: Work) -> Outcome:
        """See `Target`."""
        from stagebook.export.exporters.prefect import block_of

        path = export(work, "prefect") / "flow.py"
        secrets = {one.name: one.value for one in work.pipeline.parameters if one.secret} | dict(work.secrets)
        job = {
            "path": str(path),
            "folder": str(work.folder),
            "main": _called(path.read_text(encoding="utf-8")),
            "given": dict(work.values),
            "secrets": {block_of(name): "" if value is None else str(value) for name, value in secrets.items()},
        }
        try:
            ask(work, "flow", job, variables=_own(work))
        except TargetError as error:
            unless_told(work.store, error)
        return Outcome(store=own_store(work, "prefect"))


def _own(work: Work) -> dict[str, str]:
    """Variables under which Prefect keeps all that it has to itself."""
    return {
        "PREFECT_HOME": str(work.scratch / "prefect"),
        "PREFECT_PROFILES_PATH": str(work.scratch / "prefect" / "profiles.toml"),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    }


def _called(text: str) -> str:
    """The flow that the file calls at its end."""
    last = ast.parse(text).body[-1]
    call = last.body[-1] if isinstance(last, ast.If) else None
    if isinstance(call, ast.Expr) and isinstance(call.value, ast.Call) and isinstance(call.value.func, ast.Name):
        return call.value.func.id
    raise StagebookError("flow.py does not call a flow at its end.")


target = Prefect()
