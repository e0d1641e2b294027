"""The steps of which GitHub workflows are made: what is checked out, installed, restored, run and told."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stagebook.export.workflowtext import Step

KEY = "STAGEBOOK_KEY"
"""The secret that holds the key which signs the store."""
SERVER = {
    "MLFLOW_TRACKING_USERNAME": "${{ secrets.MLFLOW_TRACKING_USERNAME }}",
    "MLFLOW_TRACKING_PASSWORD": "${{ secrets.MLFLOW_TRACKING_PASSWORD }}",
}
SERVER_URI = {"MLFLOW_TRACKING_URI": "${{ vars.MLFLOW_TRACKING_URI }}"}
HAS_SERVER = "vars.MLFLOW_TRACKING_URI != ''"
STORE_SIZE = "2GB"
"""What a cache of the store may be; GitHub keeps 10 GB of a repository's."""
_MOST = 60_000
"""Bytes of a comment; GitHub takes 65,536."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the steps of all workflows of a notebook have in common.

    Attributes:
        name: what files, caches and groups of workflows are called by.
        notebook: its path in the repository.
        python: the version, or the expression for it where there are several.
        installed: what pip is told to install.
        dependencies: the file that says so, for pip's cache; empty where there is none.
        secrets: the names of secret parameters.
        variables: secrets that are handed on under their own names.
        store: URL of the store; empty for a folder that is cached.
        extras: Stagebook's extras that runs take.
    """

    name: str
    notebook: str
    python: str
    installed: tuple[str, ...]
    dependencies: str
    secrets: tuple[str, ...]
    variables: tuple[str, ...]
    store: str
    extras: tuple[str, ...]

    @property
    def shown(self) -> str:
        """The notebook's path as the shell takes it."""
        return shlex.quote(self.notebook)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of what runs stages: secrets, by name."""
        names = [*(one.upper() for one in self.secrets), *self.variables]
        return {name: f"${{{{ secrets.{name} }}}}" for name in dict.fromkeys(names)}

    def given(self, parameters: Mapping[str, str]) -> str:
        """The words that give parameters, each after a space; a secret is given where there is one."""
        words = [f" -p {shlex.quote(name)} {shlex.quote(value)}" for name, value in parameters.items()]
        return "".join([*words, *(f" ${{{one.upper()}:+--secret {one}}}" for one in self.secrets)])


def set_up(
    setting: Setting, *, depth: int = 1, tools: tuple[str, ...] = (), extras: tuple[str, ...] = ()
) -> list[Step]:
    """The repository, Python, and packages.

    Args:
        setting: the setting.
        depth: how many commits are fetched.
        tools: packages that the job takes beyond the notebook's.
        extras: Stagebook's extras that it takes beyond those of runs.
    """
    more = ",".join(dict.fromkeys([*setting.extras, *extras]))
    words = [*setting.installed, f"stagebook[{more}]" if more else "stagebook", *tools]
    cached = {"cache": "pip", "cache-dependency-path": setting.dependencies} if setting.dependencies else {}
    fetched = {"fetch-depth": depth} if depth > 1 else {}
    return [
        Step("Check out", uses="actions/checkout", given={**fetched, "persist-credentials": False}),
        Step("Set up Python", uses="actions/setup-python", given={"python-version": setting.python, **cached}),
        Step("Install", id="install", run=f"python -m pip install {' '.join(map(shlex.quote, words))}"),
    ]


def check(setting: Setting) -> Step:
    """What is wrong with the notebook, at its place in the pull request."""
    return Step("Check", run=f"stagebook check {setting.shown} --format github")


def open_store(setting: Setting, parameters: Mapping[str, str], *, keeps: bool = True) -> Iterator[Step]:
    """The store with what earlier runs have made, where there is the key that signed it.

    Args:
        setting: the setting.
        parameters: what the run is given, by whose stages' fingerprints the cache is called.
        keeps: whether the job's results are kept in the cache, too.
    """
    yield Step(
        "Open the store",
        id="store",
        env={KEY: f"${{{{ secrets.{KEY} }}}}", **setting.environment},
        run="\n".join(_opening(setting, parameters)),
    )
    if setting.store:
        return
    called = f"stagebook-{setting.name}-${{{{ runner.os }}}}-{setting.python}-"
    yield Step(
        "Restore what earlier runs made",
        when="steps.store.outputs.shared == 'true'",
        uses="actions/cache" if keeps else "actions/cache/restore",
        given={
            "path": "${{ runner.temp }}/stagebook",
            "key": f"{called}${{{{ steps.store.outputs.key }}}}",
            "restore-keys": called,
        },
    )


def _opening(setting: Setting, parameters: Mapping[str, str]) -> Iterator[str]:
    yield "# Without the secret, as on pull requests from forks, a new key is made, and nothing is reused."
    yield 'export STAGEBOOK_KEY_FILE="$RUNNER_TEMP/stagebook.key" STORE="$RUNNER_TEMP/stagebook"'
    yield f'if [ -n "${KEY}" ]; then'
    yield f'  (umask 077 && printf \'%s\\n\' "${KEY}" > "$STAGEBOOK_KEY_FILE")'
    if setting.store:
        yield f"  STORE={shlex.quote(setting.store)}"
    else:
        yield f'  key=$(stagebook plan {setting.shown} --store "$STORE" --format key{setting.given(parameters)})'
        yield '  { echo "shared=true"; echo "key=$key"; } >> "$GITHUB_OUTPUT"'
    yield "fi"
    yield '{ echo "STAGEBOOK_KEY_FILE=$STAGEBOOK_KEY_FILE"; echo "STORE=$STORE"; } >> "$GITHUB_ENV"'


def run(setting: Setting, name: str, parameters: Mapping[str, str], *, out: str = "", recorded: bool = False) -> Step:
    """A run of the pipeline.

    Args:
        setting: the setting.
        name: what the step is called.
        parameters: what the run is given.
        out: the folder of the output notebook below the runner's own; empty for one in the store.
        recorded: whether it is recorded in MLflow, where there is a server.
    """
    told = f'stagebook run {setting.shown} --store "$STORE"{setting.given(parameters)}'
    told += f' --out "$RUNNER_TEMP/{out}"' if out else ""
    if not recorded:
        return Step(name, env=setting.environment, run=f"{told} --no-track")
    lines = ["# Without a server there is nothing that a record would outlive the runner in."]
    lines += ['[ -n "$MLFLOW_TRACKING_URI" ] || set -- --no-track', f'{told} "$@"']
    return Step(name, env={**setting.environment, **SERVER}, run="\n".join(lines))


def trim(setting: Setting) -> Iterator[Step]:
    """The store without what is old, before it is kept."""
    if not setting.store:
        told = f'stagebook gc "$STORE" --max-size {STORE_SIZE}'
        yield Step("Trim the store", when="steps.store.outputs.shared == 'true'", run=told)


def test_cells(setting: Setting, parameters: Mapping[str, str]) -> Step:
    """The notebook's test cells, on what the run has made."""
    given = setting.given(parameters)
    return Step(
        "Run test cells",
        env=setting.environment,
        run=f'stagebook test {setting.shown} --run --store "$STORE"{given}',
    )


def notebook_test(setting: Setting) -> Step:
    """The whole notebook from top to bottom in one kernel, as Jupyter would run it."""
    told = f"python -m pytest --nbval-lax --nbval-current-env -p no:stagebook {setting.shown}"
    return Step("Run the notebook from top to bottom", run=told)


def base_run(setting: Setting, parameters: Mapping[str, str], when: str) -> Step:
    """The run of what the pull request is to be merged into: mostly reused, and what it is compared with."""
    told = f'stagebook run {setting.shown} --store "$STORE"{setting.given(parameters)} --no-track'
    lines = ['git worktree add --detach "$RUNNER_TEMP/base-tree" HEAD^1', 'cd "$RUNNER_TEMP/base-tree"']
    lines.append(f'{told} --out "$RUNNER_TEMP/base"')
    return Step("Run what it is compared with", when=when, may_fail=True, env=setting.environment, run="\n".join(lines))


def report(setting: Setting, when: str) -> Iterator[Step]:
    """What the pull request changes, in the run's summary and as an artifact."""
    before = shlex.quote(f"HEAD^1:{setting.notebook}")
    heading = shlex.quote(f"## {setting.notebook}")
    lines = [
        'mkdir "$RUNNER_TEMP/report"',
        "{",
        f"  echo '{marker(setting)}'",
        f"  echo {heading}",
        '  if [ -f "$RUNNER_TEMP/base/run.json" ] && [ -f "$RUNNER_TEMP/head/run.json" ]; then',
        '    stagebook diff "$RUNNER_TEMP/base" "$RUNNER_TEMP/head" --format markdown || [ $? -eq 1 ]',
        f"  elif git cat-file -e {before}; then",
        f"    stagebook diff {before} {setting.shown} --format markdown || [ $? -eq 1 ]",
        "  else",
        "    echo 'The notebook is new.'",
        "  fi",
        '} > "$RUNNER_TEMP/report/report.md"',
        'cat "$RUNNER_TEMP/report/report.md" >> "$GITHUB_STEP_SUMMARY"',
    ]
    wanted = " && ".join(["!cancelled()", "steps.install.outcome == 'success'", *([when] if when else [])])
    yield Step("Tell what changes", id="report", when=wanted, run="\n".join(lines))
    yield Step(
        "Keep the report",
        when="!cancelled() && steps.report.outcome == 'success'",
        uses="actions/upload-artifact",
        given={"name": f"{setting.name}-report", "path": "${{ runner.temp }}/report"},
    )


def marker(setting: Setting) -> str:
    """What the comment is known by."""
    return f"<!-- stagebook {setting.name} -->"


def comment(setting: Setting) -> Iterator[Step]:
    """The report as a comment of the pull request: the one that there is already is written anew."""
    yield Step(
        "Fetch the report",
        id="report",
        uses="actions/download-artifact",
        may_fail=True,
        given={"name": f"{setting.name}-report", "path": "${{ runner.temp }}/report"},
    )
    lines = [
        f'head --bytes {_MOST} "$RUNNER_TEMP/report/report.md" > "$RUNNER_TEMP/comment.md"',
        'issues="repos/$GITHUB_REPOSITORY/issues"',
        f'ours=\'.[] | select(.user.type == "Bot" and (.body | startswith("{marker(setting)}"))) | .id\'',
        'known=$(gh api --paginate "$issues/$PULL_REQUEST/comments" --jq "$ours" | head --lines 1)',
        'if [ -n "$known" ]; then',
        '  set -- --method PATCH "$issues/comments/$known"',
        "else",
        '  set -- --method POST "$issues/$PULL_REQUEST/comments"',
        "fi",
        'gh api --silent "$@" --field body=@"$RUNNER_TEMP/comment.md"',
    ]
    yield Step(
        "Write the comment",
        when="steps.report.outcome == 'success'",
        env={"GH_TOKEN": "${{ github.token }}", "PULL_REQUEST": "${{ github.event.pull_request.number }}"},
        run="\n".join(lines),
    )
