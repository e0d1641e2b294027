"""The routes: each reads what is asked for, calls a plain function in a thread, and answers."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar, cast

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web
from tornado.iostream import StreamClosedError

from stagebook.errors import StagebookError
from stagebook.lab import exports, jobs, runs, values
from stagebook.lab.analysis import analysis_of
from stagebook.lab.bodies import body_of
from stagebook.lab.monitors import monitors_answer
from stagebook.lab.pages import page_of
from stagebook.lab.places import checked_id, folder_at, notebook_at
from stagebook.lab.plain import plain
from stagebook.lab.refusals import RefusedError, refusal_of
from stagebook.lab.suggesting import suggestion_of

_QUICK = ThreadPoolExecutor(4, "stagebook-quick")
"""Analyses and events do not wait for what takes long."""
_SLOW = ThreadPoolExecutor(4, "stagebook")
_PAUSE = 0.2  # seconds between two looks at the events of a job
_AWAKE = 15.0
"""Seconds after which a connection on which nothing has come is kept awake."""

_SANDBOX = (
    "sandbox allow-scripts allow-popups; frame-ancestors 'self'; default-src 'none'; img-src data:; font-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)
_FEWEST, _MOST = 2, 8  # runs that are compared
_DIGITS = 9  # of the number of an event

Answer = dict[str, Any]
Found = TypeVar("Found")
Method = TypeVar("Method", bound=Callable[..., Awaitable[None]])


def refusing(method: Method) -> Method:
    """A route's method, whose refusals become answers."""

    @functools.wraps(method)
    async def inner(self: Route, *arguments: str) -> None:
        with suppress(StreamClosedError):  # whoever asked has left
            try:
                await method(self, *arguments)
            except RefusedError as refusal:
                self.set_status(refusal.status)
                await self.finish(json.dumps({"message": str(refusal)}))

    return cast("Method", inner)


class Route(APIHandler):
    """What all routes share: who may ask, which notebook is meant, and what becomes of errors."""

    auth_resource = "stagebook"

    @property
    def root(self) -> Path:
        """The server's root directory."""
        return Path(self.settings["server_root_dir"]).expanduser()

    def notebook(self, path: str, *, is_saved: bool = True) -> Path:
        """The notebook that the request is about; see `notebook_at`."""
        return notebook_at(self.root, path, hidden=self.contents_manager.allow_hidden, is_saved=is_saved)

    def run_or_none(self) -> str | None:
        """The run that the query names, if it names one."""
        run = self.get_query_argument("run", None)
        return None if run is None else checked_id(run, what="run")

    def words(self, name: str) -> str:
        """A text of the query.

        Raises:
            RefusedError: it is not given.
        """
        text = self.get_query_argument(name, "", strip=False)
        if not text:
            raise RefusedError(400, f"`{name}` is missing. Give it in the query: ?{name}=...")
        return text

    async def answer(
        self, work: Callable[[], Answer], *, status: HTTPStatus = HTTPStatus.OK, pool: ThreadPoolExecutor = _SLOW
    ) -> None:
        """Answer with what `work` gives, in a thread of `pool`, or with why it gives nothing."""
        found = await asyncio.get_running_loop().run_in_executor(pool, _as_json, work)
        self.set_status(status)
        await self.finish(found)


def _told(work: Callable[[], Found]) -> Found:
    try:
        return work()
    except StagebookError as error:
        raise refusal_of(error) from error


def _as_json(work: Callable[[], Answer]) -> str:
    return json.dumps(_told(work), allow_nan=False)


class Analyse(Route):
    """How a notebook stands, as it is on the screen."""

    @web.authenticated
    @authorized
    @refusing
    async def post(self) -> None:
        """Analyse it."""

        def work() -> Answer:
            asked = body_of(self.request.body, "AnalyseAsked")
            path = self.notebook(asked["path"], is_saved=False)
            given, within = asked.get("parameters"), asked.get("within")
            return analysis_of(asked["notebook"], path, parameters=given, within=within)

        await self.answer(work, pool=_QUICK)


class Suggest(Route):
    """Which cells could be which stages."""

    @web.authenticated
    @authorized
    @refusing
    async def post(self) -> None:
        """Say so."""

        def work() -> Answer:
            asked = body_of(self.request.body, "NotebookAsked")
            return suggestion_of(asked["notebook"], self.notebook(asked["path"], is_saved=False))

        await self.answer(work)


class Runs(Route):
    """The runs of a notebook."""

    @web.authenticated
    @authorized
    @refusing
    async def get(self) -> None:
        """List them."""
        path = self.words("path")
        await self.answer(lambda: runs.runs_answer(self.notebook(path), self.root, self.base_url))


class Run(Route):
    """A run."""

    @web.authenticated
    @authorized
    @refusing
    async def get(self, run: str) -> None:
        """Tell of it."""
        path, run = self.words("path"), checked_id(run, what="run")
        await self.answer(lambda: runs.run_answer(self.notebook(path), run, self.root))


class OutputNotebook(Route):
    """A run's output notebook."""

    @web.authenticated
    @authorized
    @refusing
    async def get(self, run: str) -> None:
        """Give it."""
        path, run = self.words("path"), checked_id(run, what="run")
        await self.answer(lambda: runs.output_notebook(self.notebook(path), run, self.root))


class OutputPage(Route):
    """A run's output notebook as a page."""

    @property
    def content_security_policy(self) -> str:
        """What the page holds is as little to be trusted as any notebook: it is of no origin, and fetches nothing."""
        return _SANDBOX

    @web.authenticated
    @authorized
    @refusing
    async def get(self, run: str) -> None:
        """Give it."""
        path, run = self.words("path"), checked_id(run, what="run")
        loop = asyncio.get_running_loop()
        page = await loop.run_in_executor(_SLOW, lambda: _told(lambda: page_of(self.notebook(path), run)))
        await self.finish(page, set_content_type="text/html; charset=utf-8")


class Compare(Route):
    """Runs beside one another."""

    @web.authenticated
    @authorized
    @refusing
    async def get(self) -> None:
        """Compare them."""
        path = self.words("path")
        named = [checked_id(run, what="run") for run in self.get_query_arguments("run")]
        if not _FEWEST <= len(named) <= _MOST:
            raise RefusedError(400, f"Name {_FEWEST} to {_MOST} runs: ?run=A&run=B.")
        await self.answer(lambda: runs.comparison(self.notebook(path), named))


class Jobs(Route):
    """Runs that are started for the panel."""

    @web.authenticated
    @authorized
    @refusing
    async def get(self) -> None:
        """List them."""
        path = self.words("path")
        await self.answer(lambda: jobs.listed(self.notebook(path), path))

    @web.authenticated
    @authorized
    @refusing
    async def post(self) -> None:
        """Start one."""

        def work() -> Answer:
            asked = body_of(self.request.body, "JobAsked")
            return jobs.started(self.notebook(asked["path"]), asked["path"], asked)

        await self.answer(work, status=HTTPStatus.CREATED)


class Job(Route):
    """One of them."""

    @web.authenticated
    @authorized
    @refusing
    async def delete(self, job: str) -> None:
        """Have it end."""
        path, job = self.words("path"), checked_id(job, what="job")
        await self.answer(lambda: jobs.cancelled(self.notebook(path), path, job), status=HTTPStatus.ACCEPTED)


class JobEvents(Route):
    """What happens in one of them."""

    @web.authenticated
    @authorized
    @refusing
    async def get(self, job: str) -> None:
        """Tell of it, as server-sent events, until it is over or nobody listens."""
        path, job = self.words("path"), checked_id(job, what="job")
        after = self.request.headers.get("Last-Event-ID") or self.get_query_argument("after", "0")
        if not after.isdecimal() or len(after) > _DIGITS:
            raise RefusedError(400, f"`{after[:80]}` is no event's number.")
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(_SLOW, lambda: jobs.known(self.notebook(path), job))
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-cache")
        self.set_header("X-Accel-Buffering", "no")  # a proxy is to pass on what comes as it comes
        await self.flush()
        try:
            await self._tell(jobs.Following(found, after=int(after)))
            await self.finish(set_content_type="text/event-stream")
        except StreamClosedError:
            return

    async def _tell(self, following: jobs.Following) -> None:
        loop, quiet = asyncio.get_running_loop(), 0.0
        while True:
            events, end = await loop.run_in_executor(_QUICK, following.look)
            for number, event in events:
                self.write(f"id: {number}\ndata: {json.dumps(plain(event))}\n\n")
            if end is not None:
                self.write(f"event: end\ndata: {json.dumps(end)}\n\n")
            elif not events and quiet >= _AWAKE:
                self.write(": still there\n\n")
            if events or end is not None or quiet >= _AWAKE:
                quiet = 0.0
                await self.flush()
            if end is not None:
                return
            if not events:
                await asyncio.sleep(_PAUSE)
                quiet += _PAUSE


class Values(Route):
    """What a stage has made."""

    @web.authenticated
    @authorized
    @refusing
    async def get(self) -> None:
        """Show it at a glance."""
        path, stage, run = self.words("path"), self.words("stage"), self.run_or_none()
        await self.answer(lambda: values.values_answer(self.notebook(path), stage, run))


class Figures(Route):
    """The pictures that a stage has put out."""

    @web.authenticated
    @authorized
    @refusing
    async def get(self) -> None:
        """Give them."""
        path, stage, run = self.words("path"), self.words("stage"), self.run_or_none()
        await self.answer(lambda: values.figures_answer(self.notebook(path), stage, run))


class Monitors(Route):
    """What monitors have said of a notebook's models."""

    @web.authenticated
    @authorized
    @refusing
    async def get(self) -> None:
        """Tell it."""
        path = self.words("path")
        await self.answer(lambda: monitors_answer(self.notebook(path)))


class Exporters(Route):
    """What a pipeline can be exported as."""

    @web.authenticated
    @authorized
    @refusing
    async def get(self) -> None:
        """List it."""
        await self.answer(exports.exporters_answer)


class ExportPreview(Route):
    """The files that an exporter would write."""

    @web.authenticated
    @authorized
    @refusing
    async def post(self, name: str) -> None:
        """Show them."""

        def work() -> Answer:
            asked = body_of(self.request.body, "ExportAsked")
            return exports.export_preview(self.notebook(asked["path"]), name, asked.get("options") or {})

        await self.answer(work)


class ExportFiles(Route):
    """The files that an exporter writes."""

    @web.authenticated
    @authorized
    @refusing
    async def post(self, name: str) -> None:
        """Write them."""

        def work() -> Answer:
            asked = body_of(self.request.body, "ExportWriteAsked")
            notebook = self.notebook(asked["path"])
            folder = folder_at(self.root, notebook, asked["folder"], hidden=self.contents_manager.allow_hidden)
            given, overwrite = asked.get("options") or {}, asked.get("overwrite", False)
            return exports.export_written(notebook, name, given, folder, root=self.root, overwrite=overwrite)

        await self.answer(work)


ROUTES: tuple[tuple[str, type[Route]], ...] = (
    ("analyse", Analyse),
    ("suggest", Suggest),
    ("runs", Runs),
    ("runs/([^/]+)", Run),
    ("runs/([^/]+)/notebook", OutputNotebook),
    ("runs/([^/]+)/page", OutputPage),
    ("compare", Compare),
    ("jobs", Jobs),
    ("jobs/([^/]+)", Job),
    ("jobs/([^/]+)/events", JobEvents),
    ("values", Values),
    ("figures", Figures),
    ("monitors", Monitors),
    ("exporters", Exporters),
    ("exporters/([^/]+)/preview", ExportPreview),
    ("exporters/([^/]+)/files", ExportFiles),
)
"""The routes, below `stagebook/api/`."""
