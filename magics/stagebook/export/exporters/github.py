"""Workflows of GitHub Actions: checks and a report on pull requests, the full run on main, monitoring by the clock."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from stagebook.book.notebook import Document
from stagebook.book.registered import registered_names
from stagebook.export import githubsteps as steps
from stagebook.export.exporter import ExportOption
from stagebook.export.githubasked import checked_options, installed_by, listed, name_of, path_of, sample_of, secrets_of
from stagebook.export.githubsteps import HAS_SERVER, SERVER, SERVER_URI, Setting
from stagebook.export.workflowtext import Job, Step, Workflow, scalar
from stagebook.model import Pipeline

FOLDER = ".github/workflows"
_READ = {"contents": "read"}
_PUSH = {**_READ, "packages": "write", "id-token": "write", "attestations": "write"}
_AWS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


class GithubExporter:
    """See the module."""

    title = "GitHub Actions"
    says = "Workflows for pull requests, for the main branch, and by the clock, in .github/workflows."
    in_repository = True
    options = (
        ExportOption("name", help="What files and workflows are called by [the notebook's name]."),
        ExportOption("path", help="The notebook's path in the repository [found, as the repository is]."),
        ExportOption("sample", help="Parameters for pull requests, as 'rows=1000 depth=3' [the notebook's own]."),
        ExportOption("python", default="3.12", help="The Python, or several for pull requests, as 3.11,3.12."),
        ExportOption(
            "requirements", help="File that pip installs from [requirements.txt beside it, else its imports]."
        ),
        ExportOption("branch", default="main", help="The branch that full runs are made on."),
        ExportOption("environment", default="production", help="The environment that a promotion waits for."),
        ExportOption("image", help="The image that is pushed, as ghcr.io/OWNER/NAME [none]."),
        ExportOption("store", help="URL of the store, as s3://bucket/prefix [a folder in GitHub's cache]."),
        ExportOption("secrets", help="Secrets that runs get as variables of the same name, as DB_URL,AWS_PROFILE."),
        ExportOption("cron", help="When it is monitored, or trained anew, as '30 6 * * 1' in UTC [never]."),
        ExportOption("requests", help="URL of the service's request log, which is monitored; see --cron."),
        ExportOption("nbval", "switch", default=True, help="Whether the whole notebook is run on pull requests, too."),
        ExportOption("runs_on", default="ubuntu-latest", help="The runners' label."),
        ExportOption("timeout", "number", default=60, help="Minutes that a job may take."),
    )

    def files(
        self,
        pipeline: Pipeline,
        document: Document,  # noqa: ARG002 - the protocol's
        options: Mapping[str, Any],
    ) -> Mapping[str, bytes]:
        """The workflows; see `Exporter`."""
        written = _Written.of(pipeline, options)
        files = {"pull-request": written.pull_request(), "main": written.main()}
        if options["cron"]:
            files["schedule"] = written.schedule()
        return {written.path(kind): flow.text().encode("utf-8") for kind, flow in files.items()}


@dataclass(frozen=True, slots=True)
class _Written:
    """What is written of a pipeline."""

    pipeline: Pipeline
    options: Mapping[str, Any]
    setting: Setting
    pythons: tuple[str, ...]
    sample: Mapping[str, str]
    models: tuple[str, ...]

    @classmethod
    def of(cls, pipeline: Pipeline, options: Mapping[str, Any]) -> _Written:
        """What there is to write, once the options are found to be in order."""
        notebook = path_of(pipeline, options["path"])
        models = tuple(sorted(set(registered_names(pipeline).values())))
        pythons = checked_options(options, models)
        installed, dependencies = installed_by(pipeline, notebook, options["requirements"])
        store = options["store"] or ""
        on_s3 = store.startswith("s3://")
        setting = Setting(
            name=name_of(pipeline, options["name"]),
            notebook=notebook,
            python=pythons[0],
            installed=installed,
            dependencies=dependencies,
            secrets=secrets_of(pipeline),
            variables=(*(_AWS if on_s3 else ()), *listed(options["secrets"])),
            store=store,
            extras=("s3",) if on_s3 else (),
        )
        return cls(pipeline, options, setting, pythons, sample_of(pipeline, options["sample"]), models)

    def path(self, kind: str) -> str:
        """Where a workflow stands."""
        return f"{FOLDER}/{self.setting.name}-{kind}.yml"

    def _workflow(self, kind: str, says: str, on: list[str], jobs: Mapping[str, Job], *, each: str = "") -> Workflow:
        head = [says, f"Written by `stagebook export github {self.setting.notebook}`."]
        name = f"{self.setting.name}-{kind}"
        group = f"{name}-{each}" if each else name
        about = (self.options["runs_on"], int(self.options["timeout"]))
        return Workflow(head, name.replace("-", " "), on, group, bool(each), jobs, *about)

    def _paths(self, kind: str) -> Iterator[str]:
        """What a change must touch to count: the notebook's folder, what is installed, the workflow itself."""
        folder = PurePosixPath(self.setting.notebook).parent.as_posix()
        if folder == ".":
            return
        requirements = self.setting.dependencies
        inside = PurePosixPath(requirements).is_relative_to(folder)
        named = [f"{_plain(folder)}/**", *([_plain(requirements)] if requirements and not inside else [])]
        named.append(self.path(kind))
        yield "paths:"
        yield from (f"  - {scalar(one)}" for one in named)

    def pull_request(self) -> Workflow:
        """What is done for each pull request."""
        setting, first = self.setting, ""
        if len(self.pythons) > 1:
            setting = replace(setting, python="${{ matrix.python }}")
            first = f"matrix.python == '{self.pythons[0]}'"
        tools = ("pytest", "nbval") if self.options["nbval"] else ()
        made = [
            *steps.set_up(setting, depth=2, tools=tools),
            steps.check(setting),
            *steps.open_store(setting, self.sample),
            steps.run(setting, "Run the pipeline", self.sample, out="head"),
        ]
        if any(cell.role == "test" for cell in self.pipeline.cells):
            made.append(steps.test_cells(setting, self.sample))
        if self.options["nbval"]:
            made.append(steps.notebook_test(setting))
        made += [
            steps.base_run(setting, self.sample, first),
            *steps.report(setting, first),
            *steps.trim(setting),
        ]
        jobs = {
            "pipeline": Job(
                "Pipeline" if not first else "Pipeline, Python ${{ matrix.python }}",
                made,
                permissions=_READ,
                matrix=self.pythons if first else (),
            ),
            "comment": Job(
                "Comment",
                list(steps.comment(setting)),
                needs="pipeline",
                says="On pull requests from forks the token can only read: their report is in the run's summary.",
                when="!cancelled() && github.event.pull_request.head.repo.full_name == github.repository",
                permissions={"pull-requests": "write"},
            ),
        }
        says = f"For each pull request: is {setting.notebook} in order, do its tests pass, what does it change?"
        on = ["pull_request:", *(f"  {line}" for line in self._paths("pull-request"))]
        return self._workflow("pull-request", says, on, jobs, each="${{ github.event.pull_request.number }}")

    def main(self) -> Workflow:
        """What is done when something is merged, and when the schedule asks for it."""
        setting = self.setting
        jobs = {"run": Job("Run", list(self._full_run()), permissions=_READ, env=SERVER_URI)}
        if self.models:
            jobs["promote"] = self._promote()
        if self.options["image"]:
            jobs["image"] = self._image()
        on = ["push:", f"  branches: [{scalar(self.options['branch'])}]", *(f"  {one}" for one in self._paths("main"))]
        on.append("workflow_dispatch:")
        says = f"When something is merged: runs all of {setting.notebook}"
        does = [
            *(["promotes its model"] if self.models else []),
            *(["pushes its image"] if self.options["image"] else []),
        ]
        return self._workflow("main", f"{', '.join([says, *does])}.", on, jobs)

    def _full_run(self) -> Iterator[Step]:
        setting = self.setting
        yield from steps.set_up(setting)
        yield steps.check(setting)
        yield from steps.open_store(setting, {})
        yield steps.run(setting, "Run the pipeline", {}, out="run", recorded=True)
        yield Step(
            "Keep the output notebook",
            when="!cancelled()",
            uses="actions/upload-artifact",
            given={
                "name": f"{setting.name}-run",
                "path": "${{ runner.temp }}/run",
                "if-no-files-found": "ignore",
            },
        )
        yield Step(
            "See that MLflow knows it",
            when=f"!cancelled() && {HAS_SERVER}",
            env=SERVER,
            run=f'stagebook sync {setting.shown} --store "$STORE"',
        )
        if self.sample:
            yield steps.run(setting, "Make what pull requests are compared with", self.sample)
        yield from steps.trim(setting)

    def _promote(self) -> Job:
        lines = [f'stagebook promote {shlex.quote(model)} --why "commit $GITHUB_SHA"' for model in self.models]
        promotes = Step("Promote", env=SERVER, run="\n".join(lines))
        return Job(
            "Promote",
            [*steps.set_up(self.setting), promotes],
            needs="run",
            says="The registry is MLflow's: without a server, there is none that others see.",
            when=HAS_SERVER,
            permissions=_READ,
            environment=self.options["environment"],
            env=SERVER_URI,
        )

    @property
    def _is_ghcr(self) -> bool:
        return bool((self.options["image"] or "").startswith("ghcr.io/"))

    def _image(self) -> Job:
        setting, image = self.setting, self.options["image"]
        token = {"REGISTRY_USER": "${{ github.actor }}", "REGISTRY_PASSWORD": "${{ github.token }}"}
        if not self._is_ghcr:
            token = {name: f"${{{{ secrets.{name} }}}}" for name in token}
        registry = image.partition("/")[0]
        login = "printf '%s' \"$REGISTRY_PASSWORD\" | "
        login += f'docker login {registry} --username "$REGISTRY_USER" --password-stdin'
        target = "serve" if self.models else "train"
        build = [
            f'stagebook export image {setting.shown} --target {target} --out "$RUNNER_TEMP/image" \\',
            '  --engine docker --tag "$IMAGE:$GITHUB_SHA" --push',
            "reference=$(docker image inspect --format '{{index .RepoDigests 0}}' \"$IMAGE:$GITHUB_SHA\")",
            'echo "digest=${reference#*@}" >> "$GITHUB_OUTPUT"',
        ]
        made = [
            *steps.set_up(setting, extras=("image",)),
            Step("Log in", env=token, run=login),
            Step("Build and push", id="push", env=SERVER if self.models else {}, run="\n".join(build)),
            Step(
                "Attest where it is from",
                uses="actions/attest-build-provenance",
                given={
                    "subject-name": image,
                    "subject-digest": "${{ steps.push.outputs.digest }}",
                    "push-to-registry": True,
                },
            ),
        ]
        before = "promote" if self.models else "run"
        server = SERVER_URI if self.models else {}
        return Job("Image", made, needs=before, permissions=_PUSH, env={"IMAGE": image, **server})

    def schedule(self) -> Workflow:
        """What is done by the clock: monitoring and, on drift, the full run; or the full run each time."""
        on = ["schedule:", f'  - cron: "{self.options["cron"]}"', "workflow_dispatch:"]
        starts = Step(
            "Start the run on main",
            env={"GH_TOKEN": "${{ github.token }}"},
            run=f'gh workflow run {self.setting.name}-main.yml --repo "$GITHUB_REPOSITORY" --ref {self._branch}',
        )
        train = Job("Train", [starts], permissions={"actions": "write"})
        if not self.options["requests"]:
            return self._workflow("schedule", "By the clock: trains anew, as on main.", on, {"train": train})
        drifted = "needs.monitor.outputs.drifted == 'true'"
        says = "By the clock: has what the service is asked drifted? If so, trains anew, as on main."
        jobs = {"monitor": self._monitor(), "train": replace(train, needs="monitor", when=drifted)}
        return self._workflow("schedule", says, on, jobs)

    @property
    def _branch(self) -> str:
        return shlex.quote(self.options["branch"])

    def _monitor(self) -> Job:
        model, log = shlex.quote(f"models:/{self.models[0]}@champion"), shlex.quote(self.options["requests"])
        called, is_s3 = f"stagebook-monitor-{self.setting.name}-", self.options["requests"].startswith("s3://")
        variables = {
            **self.setting.environment,
            **({one: f"${{{{ secrets.{one} }}}}" for one in _AWS} if is_s3 else {}),
        }
        lines = [
            "status=0",
            f'stagebook monitor {model} --once --log {log} > "$RUNNER_TEMP/windows.txt" || status=$?',
            'tee --append "$GITHUB_STEP_SUMMARY" < "$RUNNER_TEMP/windows.txt"',
            "case $status in",
            "  0) drifted=false ;;",
            "  4) drifted=true ;;",
            '  *) exit "$status" ;;',
            "esac",
            'echo "drifted=$drifted" >> "$GITHUB_OUTPUT"',
        ]
        history = {"path": ".stagebook/monitors", "key": f"{called}${{{{ github.run_id }}}}", "restore-keys": called}
        made = [
            *steps.set_up(self.setting, extras=("s3",) if is_s3 else ()),
            *steps.open_store(self.setting, {}, keeps=False),
            Step("Restore what was seen", uses="actions/cache", given=history),
            Step("Monitor", id="monitor", env={**variables, **SERVER}, run="\n".join(lines)),
        ]
        outputs = {"drifted": "${{ steps.monitor.outputs.drifted }}"}
        return Job("Monitor", made, when=HAS_SERVER, permissions=_READ, outputs=outputs, env=SERVER_URI)


def _plain(path: str) -> str:
    """A path as a filter of paths that nothing else matches."""
    return re.sub(r"([*?+\[\]!\\])", r"\\\1", path)


exporter = GithubExporter()
