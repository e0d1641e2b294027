"""Jobs of GitHub's workflows on this machine: `run:` as a runner runs it, the actions that ours use emulated.

A job has a fresh clone and a fresh folder for what is temporary, at the same place for all; caches and artifacts are
kept between jobs, as GitHub keeps them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from tests.export.expressions import filled, holds

ROOT = Path(__file__).resolve().parents[2]
_KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
    "OMP_WAIT_POLICY",
    "SSL_CERT_FILE",
    "PIP_CERT",
)
"""Variables that are of this machine, and not of what runs on it."""


@dataclass
class Done:
    """A job or a step that is over."""

    outcome: str = "skipped"
    outputs: dict[str, str] = field(default_factory=dict)
    steps: dict[str, Done] = field(default_factory=dict)
    log: str = ""
    summary: str = ""


@dataclass
class Actions:
    """GitHub, as far as workflows see it.

    Attributes:
        folder: where caches, artifacts and the runner's own files are.
        origin: the repository.
        secrets: its secrets.
        variables: its variables.
        path: folders with programs that runners have.
        has: what the runners' Python has already: pip is not asked again for that, as it takes ten seconds to say so.
    """

    folder: Path
    origin: Path
    secrets: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    path: tuple[Path, ...] = ()
    has: frozenset[str] = frozenset()
    runs: int = 0

    @property
    def temporary(self) -> Path:
        return self.folder / "_temp"

    def run(self, text: str, github: Mapping[str, Any], *, only: tuple[str, ...] = ()) -> dict[str, Done]:
        """Run a workflow's jobs, in the order in which they stand.

        Args:
            text: the workflow.
            github: the context `github`: event, commit, ...
            only: the jobs to run; all by default.
        """
        self.runs += 1
        workflow, done = yaml.load(text, yaml.BaseLoader), {}
        known = {"repository": "ada/story", "actor": "ada", "token": "a-token", "run_id": str(self.runs), **github}
        for name, job in workflow["jobs"].items():
            if only and name not in only:
                continue
            needs = {job["needs"]: done[job["needs"]]} if "needs" in job else {}
            contexts = {
                "github": known,
                "vars": self.variables,
                "secrets": self.secrets,
                "needs": {one: {"outputs": found.outputs, "result": found.outcome} for one, found in needs.items()},
            }
            succeeded = all(one.outcome == "success" for one in needs.values())
            status = {"success": succeeded, "cancelled": False, "failure": not succeeded}
            done[name] = Done()
            if holds(job.get("if", "success()"), contexts, status=status):
                done[name] = _Job(self, job, workflow, contexts, name).run()
        return done


class _Job:
    """A job on its runner."""

    def __init__(
        self, actions: Actions, job: dict[str, Any], workflow: dict[str, Any], contexts: Any, name: str
    ) -> None:
        self.actions, self.job, self.done = actions, job, Done("success")
        self.shell = workflow["defaults"]["run"]["shell"]
        self.workspace = actions.folder / f"work-{actions.runs}-{name}"
        self.workspace.mkdir()
        shutil.rmtree(actions.temporary, ignore_errors=True)
        actions.temporary.mkdir()
        self.contexts = {
            **contexts,
            "runner": {"temp": str(actions.temporary), "os": "Linux"},
            "matrix": {},
            "steps": {},
        }
        if "strategy" in job:
            self.contexts["matrix"] = {key: values[0] for key, values in job["strategy"]["matrix"].items()}
        self.environment = {key: os.environ[key] for key in _KEPT if key in os.environ}
        self.environment["PATH"] = os.pathsep.join(
            [*map(str, actions.path), str(Path(sys.executable).parent), os.environ["PATH"]]
        )
        github = contexts["github"]
        self.environment |= {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_STEP_SUMMARY": str(actions.folder / "summary"),
            "RUNNER_TEMP": str(actions.temporary),
            "RUNNER_OS": "Linux",
            **{
                f"GITHUB_{key.upper()}": value
                for key, value in github.items()
                if isinstance(value, str) and key != "token"
            },
        }
        for level in (workflow, job):
            self.environment |= self._filled(level.get("env", {}))
        self.after: list[Callable[[], None]] = []

    def run(self) -> Done:
        (self.actions.folder / "summary").write_text("")
        for step in self.job["steps"]:
            found = self._step(step)
            self.done.steps[step["name"]] = found
            told = "success" if step.get("continue-on-error") and found.outcome == "failure" else found.outcome
            if "id" in step:
                self.contexts["steps"][step["id"]] = {
                    "outputs": found.outputs,
                    "outcome": found.outcome,
                    "conclusion": told,
                }
            if told == "failure":
                self.done.outcome = "failure"
        if self.done.outcome == "success":
            for act in self.after:
                act()
        self.done.outputs = self._filled(self.job.get("outputs", {}))
        self.done.summary = (self.actions.folder / "summary").read_text()
        self.done.log = "\n".join(f"--- {name}: {one.outcome}\n{one.log}" for name, one in self.done.steps.items())
        return self.done

    def _filled(self, texts: Mapping[str, str]) -> dict[str, str]:
        return {key: filled(text, self.contexts) for key, text in texts.items()}

    def _step(self, step: dict[str, Any]) -> Done:
        succeeded = self.done.outcome == "success"
        status = {"success": succeeded, "cancelled": False, "failure": not succeeded}
        if not holds(step.get("if", "success()"), self.contexts, status=status):
            return Done()
        if "uses" in step:
            action, _, commit = step["uses"].partition("@")
            assert len(commit) == 40, f"{action} is not pinned to a commit"
            found = Done("success")
            act = _ACTIONS[action.removesuffix("/restore")]
            found.outcome = act(self, self._filled(step.get("with", {})), found) or "success"
            if action == "actions/cache/restore":
                self.after.pop()
            return found
        return self._ran(step)

    def _ran(self, step: dict[str, Any]) -> Done:
        files = {name: self.actions.folder / f"{name.lower()}.txt" for name in ("GITHUB_ENV", "GITHUB_OUTPUT")}
        for path in files.values():
            path.write_text("")
        assert "${{" not in step["run"], "what others write would be code"
        command, _, words = step["run"].partition("pip install ")
        if command == "python -m " and self.actions.has.issuperset(words.split()):
            return Done("success")
        script = self.actions.folder / "script.sh"
        script.write_text(step["run"])
        assert self.shell == "bash"
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace,
            env={
                **self.environment,
                **self._filled(step.get("env", {})),
                **{key: str(one) for key, one in files.items()},
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.environment |= _pairs(files["GITHUB_ENV"])
        outputs = _pairs(files["GITHUB_OUTPUT"])
        return Done("failure" if ran.returncode else "success", outputs, log=ran.stdout)


def _pairs(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def _check_out(job: _Job, given: Mapping[str, str], *_: Any) -> None:
    assert given["persist-credentials"] == "false"
    git = ["git", "-C", str(job.workspace)]
    commit = job.contexts["github"]["sha"]
    fetch = ["fetch", "-q", "--depth", given.get("fetch-depth", "1"), f"file://{job.actions.origin}", commit]
    for words in (["init", "-q"], fetch, ["checkout", "-q", "FETCH_HEAD"]):
        subprocess.run([*git, *words], check=True, capture_output=True)


def _set_up_python(job: _Job, given: Mapping[str, str], *_: Any) -> None:
    assert given["python-version"].startswith("3.")


def _cache(job: _Job, given: Mapping[str, str], done: Done) -> None:
    caches = job.actions.folder / "caches"
    caches.mkdir(exist_ok=True)
    place, key = job.workspace / given["path"], given["key"]
    by_prefix = [one for one in caches.iterdir() if one.name.startswith(given["restore-keys"])]
    newest = max(by_prefix, key=lambda one: one.stat().st_mtime, default=None)
    found = caches / key if (caches / key).exists() else newest
    if found is not None:
        shutil.copytree(found, place, dirs_exist_ok=True)
        done.outputs = {"cache-matched-key": found.name, "cache-hit": str(found.name == key).lower()}

    def save() -> None:
        if not (caches / key).exists() and place.exists():
            shutil.copytree(place, caches / key)
            os.utime(caches / key)

    job.after.append(save)


def _upload(job: _Job, given: Mapping[str, str], *_: Any) -> str | None:
    place = Path(given["path"])
    if not place.exists():
        return None
    kept = job.actions.folder / "artifacts" / given["name"]
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(place, kept)
    return None


def _download(job: _Job, given: Mapping[str, str], *_: Any) -> str | None:
    kept = job.actions.folder / "artifacts" / given["name"]
    if not kept.exists():
        return "failure"
    shutil.copytree(kept, Path(given["path"]), dirs_exist_ok=True)
    return None


def _attest(job: _Job, given: Mapping[str, str], *_: Any) -> None:
    assert given["subject-digest"].startswith("sha256:")


_ACTIONS: Mapping[str, Callable[..., str | None]] = {
    "actions/checkout": _check_out,
    "actions/setup-python": _set_up_python,
    "actions/cache": _cache,
    "actions/upload-artifact": _upload,
    "actions/download-artifact": _download,
    "actions/attest-build-provenance": _attest,
}
