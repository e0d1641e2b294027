"""A Prefect flow: a task for each stage, wired as data flows, with the deployments that schedule it."""

from __future__ import annotations

import builtins
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stagebook.book.notebook import Document
from stagebook.book.registered import registered_names
from stagebook.errors import UsageError
from stagebook.export.exporter import ExportOption
from stagebook.export.layout import WIDTH, call, docstring, quoted, sentence, signature
from stagebook.export.titles import cells_of, function_names, headings_of, module_name, title_of
from stagebook.model import Parameter, Pipeline, Stage

_OURS = frozenset(
    {
        *("Path", "flow", "task", "NO_CACHE", "DaskTaskRunner", "CLUSTER", "Secret"),
        *("Job", "Stages", "run_stage", "watch", "NOTEBOOK", "job", "stages", "promote"),
    }
)
"""Names that the module has for itself."""
APP = "/app"
"""Where the notebook's folder is in an image."""
_CRON = re.compile(r"\S+(?: \S+){4}")
_NO_NAME = re.compile(r"[/%&<>\"\n]")


class PrefectExporter:
    """See the module."""

    title = "Prefect flow"
    says = "flow.py with a task for each stage, and prefect.yaml with its deployments."
    options = (
        ExportOption("name", help="What flow and deployment are called [the notebook's name]."),
        ExportOption("cron", help="When it runs, as '0 6 * * 1' [when it is asked to]."),
        ExportOption("watch", default="0 7 * * *", help="When the service's requests are looked at for drift."),
        ExportOption("work_pool", default="default", help="The work pool whose workers run it."),
        ExportOption("image", help="The image that a pool of containers starts; it holds flow, notebook and packages."),
        ExportOption(
            "task_runner", "choice", "threads", help="Where tasks run in the flow.", choices=("threads", "dask")
        ),
        ExportOption("source", help="Where the notebook is, as seen from flow.py [../NOTEBOOK]."),
    )

    def files(self, pipeline: Pipeline, document: Document, options: Mapping[str, Any]) -> Mapping[str, bytes]:
        """The flow and its deployments; see `Exporter`."""
        written = _Written.of(pipeline, document, options)
        return {"flow.py": written.module().encode("utf-8"), "prefect.yaml": written.deployments().encode("utf-8")}


@dataclass(frozen=True, slots=True)
class _Written:
    """What is written of a pipeline."""

    pipeline: Pipeline
    options: Mapping[str, Any]
    title: str
    says: Mapping[str, str]
    functions: Mapping[str, str]
    flow: str
    model: str | None

    @classmethod
    def of(cls, pipeline: Pipeline, document: Document, options: Mapping[str, Any]) -> _Written:
        for one in ("cron", "watch"):
            if options[one] and not _CRON.fullmatch(options[one]):
                raise UsageError(f"`{options[one]}` is no cron schedule of five fields. Write it as '0 6 * * 1'.")
        for one in ("name", "work_pool"):
            if options[one] and _NO_NAME.search(options[one]):
                raise UsageError(f"Prefect takes no `{options[one]}` as a name: leave out / % & < > and quotes.")
        taken = {*dir(builtins), *_OURS, *(one.name for one in pipeline.parameters)}
        functions = function_names(pipeline, taken)
        flow = module_name(pipeline.notebook.stem)
        while flow in taken or flow in functions.values():
            flow += "_flow"
        model = next(iter(registered_names(pipeline).values()), None)
        title, says = title_of(pipeline, document), headings_of(pipeline, document)
        return cls(pipeline, options, title, says, functions, flow, model)

    @property
    def name(self) -> str:
        """What flow and deployment are called."""
        return self.options["name"] or self.pipeline.notebook.stem

    @property
    def watching(self) -> str:
        """The function that looks for drift."""
        return f"watch_{self.flow}"

    def module(self) -> str:
        """The text of flow.py."""
        tasks = "\n\n\n".join("\n".join(self._task(stage)) for stage in self.pipeline.stages)
        parts = ["\n".join(self._head()), tasks, "\n".join(self._flow())]
        if self.model is not None:
            parts.append("\n".join(self._watch()))
        parts.append(f'if __name__ == "__main__":\n    {self.flow}()')
        return "\n\n\n".join(parts) + "\n"

    def _head(self) -> Iterator[str]:
        notebook = self.pipeline.notebook.name
        yield from docstring(
            [
                sentence(self.title),
                f"The stages of {notebook} as tasks, written by `stagebook export prefect`. What a stage does stands "
                "in the notebook; change here how it is called, scheduled and retried. Results are kept in the "
                "notebook's store, which decides what need not run again.",
            ],
            indent=0,
        )
        is_secret = any(one.secret for one in self.pipeline.parameters)
        yield from ["", "from pathlib import Path", "", "from prefect import flow, task"]
        yield from ["from prefect.blocks.system import Secret"] if is_secret else []
        yield "from prefect.cache_policies import NO_CACHE"
        yield from ["from prefect_dask import DaskTaskRunner"] if self._on_dask else []
        names = ["Job", "Stages", "run_stage", *(["watch"] if self.model is not None else [])]
        yield from [f"from stagebook.flows import {', '.join(names)}", ""]
        path = self.options["source"] or f"../{notebook}"
        yield f"NOTEBOOK = Path(__file__).parent / {quoted(path)}"
        yield from ['CLUSTER = {"n_workers": 2, "threads_per_worker": 1}'] if self._on_dask else []

    @property
    def _on_dask(self) -> bool:
        return bool(self.options["task_runner"] == "dask")

    def _task(self, stage: Stage) -> Iterator[str]:
        arguments = [f"name={quoted(stage.name)}", "cache_policy=NO_CACHE"]
        if stage.options.retries:
            arguments.append(f"retries={stage.options.retries}")
        yield from call("@task", arguments, indent=0)
        yield from signature(self.functions[stage.name], ["job: Job"])
        says = self.says[stage.name]
        where = f"Stage `{stage.name}`, {cells_of(stage)} of the notebook."
        if stage.options.timeout is not None:  # Prefect cannot end what blocks a thread; the run ends the kernel
            where += f" It is ended after {stage.options.timeout:g} s."
        yield from docstring([sentence(says), where] if says else [where])
        yield "    return run_stage(job)"

    def _flow(self) -> Iterator[str]:
        yield from call("@flow", self._flow_options(), indent=0)
        given = [one for one in self.pipeline.parameters if one.literal and not one.secret]
        parameters = [_parameter(one) for one in given]
        yield from signature(self.flow, [*parameters, *(["promote: bool = False"] if self.model is not None else [])])
        yield from docstring(self._about(given))
        values = [f'"{one.name}": {one.name}' for one in given]
        values += [f'"{one.name}": {_secret(one)}' for one in self.pipeline.parameters if one.secret]
        arguments = ["NOTEBOOK", *(["\n".join(_dictionary(values, indent=8))] if values else [])]
        if self.model is not None:
            arguments.append("promote=promote")
        yield from call("Stages", arguments, start="stages = ")
        sources = {edge.source for edge in self.pipeline.edges}
        for stage in self.pipeline.stages:
            name = self.functions[stage.name]
            after = [f"after_{self.functions[one]}" for one in self._before(stage)]
            start = f"after_{name} = " if stage.name in sources else ""
            yield from call("stages.add", [name, *after], start=start)
        yield "    return stages.run()"

    def _flow_options(self) -> list[str]:
        runner = "task_runner=DaskTaskRunner(cluster_kwargs=CLUSTER)"
        return [f"name={quoted(self.name)}", *([runner] if self._on_dask else [])]

    def _before(self, stage: Stage) -> list[str]:
        """The stages that it takes from, in order."""
        taken = {edge.source for edge in self.pipeline.edges if edge.target == stage.name}
        return [one.name for one in self.pipeline.stages if one.name in taken]

    def _about(self, given: list[Parameter]) -> list[str]:
        told = [sentence(self.title)]
        rows = [f"        {one.name}: {sentence(one.help)}" for one in given if one.help]
        if self.model is not None:
            rows.append("        promote: Whether the model becomes the one in use, if its gates allow.")
        if rows:
            told.append("\n".join(["Args:", *(row[4:] for row in rows)]))
        left = [one.name for one in self.pipeline.parameters if not one.literal and not one.secret]
        if left:
            told.append(f"Not asked for, since the notebook works them out: {', '.join(left)}.")
        return told

    def _watch(self) -> Iterator[str]:
        yield from call("@flow", [f"name={quoted(f'{self.name}-watch')}"], indent=0)
        yield from signature(self.watching, ['window: str = "7d"', 'every: str = "1d"'])
        yield from docstring(
            [
                "Train again where what the service is asked has drifted from the training data.",
                "\n".join(
                    [
                        "Args:",
                        "    window: A window of requests that is compared, as 12h, 7d or 2w.",
                        "    every: From the end of one window to the end of the next.",
                    ]
                ),
            ]
        )
        train = f"lambda: {self.flow}(promote=True, return_state=True)"
        arguments = [quoted(f"models:/{self.model}@champion"), "NOTEBOOK", train, "window=window", "every=every"]
        yield from call("watch", arguments, start="return ")

    def deployments(self) -> str:
        """The text of prefect.yaml."""
        lines = [
            f"# Deployments of flow.py, written by `stagebook export prefect {self.pipeline.notebook.name}`.",
            "# `prefect --no-prompt deploy --all` in this folder makes them; "
            f"`prefect worker start --pool {self.options['work_pool']}` runs them.",
            f"name: {_yaml(self.name)}",
            *self._pull(),
            "deployments:",
            *self._deployment(self.name, self.flow, self.options["cron"], sentence(self.title)),
        ]
        if self.model is not None:
            told = f"Looks whether requests to {self.model} have drifted, and trains again where they have."
            lines += self._deployment(f"{self.name}-watch", self.watching, self.options["watch"], told)
        return "\n".join(lines) + "\n"

    def _pull(self) -> Iterator[str]:
        """Where a container finds flow.py; elsewhere, it stays where it was deployed from."""
        if self.options["image"]:
            folder = f"{APP}/{self.pipeline.notebook.stem}-prefect"
            yield "# The image holds the notebook's folder there, and in it this one."
            yield from ["pull:", "  - prefect.deployments.steps.set_working_directory:"]
            yield f"      directory: {_yaml(folder)}"

    def _deployment(self, name: str, function: str, cron: str | None, told: str) -> Iterator[str]:
        yield f"  - name: {_yaml(name)}"
        yield f"    description: {_yaml(told)}"
        yield f"    entrypoint: flow.py:{function}"
        yield "    parameters: {}"
        if cron:
            yield from ["    schedules:", f"      - cron: {_yaml(cron)}", "        timezone: UTC"]
        else:
            yield "    schedules: []"
        yield from ["    work_pool:", f"      name: {_yaml(self.options['work_pool'])}"]
        image = self.options["image"]
        yield "      job_variables: " + (f"{{image: {_yaml(image)}}}" if image else "{}")


def _parameter(parameter: Parameter) -> str:
    """A parameter of the flow, with its type, which Prefect checks and shows."""
    default = repr(parameter.value)
    if isinstance(parameter.value, str):
        default = quoted(parameter.value) if parameter.value.isprintable() else default
    if parameter.kind is None:
        return f"{parameter.name}={default}"
    kind = f"{parameter.kind} | None" if parameter.optional or parameter.value is None else parameter.kind
    return f"{parameter.name}: {kind} = {default}"


def _dictionary(items: Sequence[str], *, indent: int) -> list[str]:
    """The lines of a dictionary that is an argument, the first without its margin."""
    line = f"{{{', '.join(items)}}}"
    if indent + len(line) + 1 <= WIDTH:
        return [line]
    margin = " " * indent
    return ["{", *(f"{margin}    {one}," for one in items), f"{margin}}}"]


def _secret(parameter: Parameter) -> str:
    """Where the value of a secret parameter is: in a block of Prefect's, and in no file."""
    return f"Secret.load({quoted(block_of(parameter.name))}).get()"


def block_of(name: str) -> str:
    """The block that holds a secret parameter, as Prefect's names are."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "secret"


def _yaml(text: str) -> str:
    """A text as YAML has it between quotes, as JSON does."""
    return json.dumps(text, ensure_ascii=False)


exporter = PrefectExporter()
