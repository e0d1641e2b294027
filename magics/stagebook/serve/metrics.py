"""What a service says of itself to Prometheus."""

from __future__ import annotations

from collections.abc import Callable

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Counters and gauges of one service.

    Args:
        in_flight: how many requests are being answered.
    """

    def __init__(self, in_flight: Callable[[], int]) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "stagebook_requests", "Requests to be scored, by the status they got.", ["status"], registry=self._registry
        )
        self._seconds = Histogram(
            "stagebook_request_seconds",
            "Seconds that scored requests took.",
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self._rows = Counter("stagebook_rows", "Rows that were scored.", registry=self._registry)
        flying = Gauge("stagebook_requests_in_flight", "Requests being answered.", registry=self._registry)
        flying.set_function(lambda: float(in_flight()))
        self._model = Gauge(
            "stagebook_model_info", "The version in use.", ["model", "version", "backend"], registry=self._registry
        )
        self._stale = Gauge(
            "stagebook_model_stale",
            "1 while it is not known whether the version is the one meant.",
            registry=self._registry,
        )
        self._reloads = Counter(
            "stagebook_reloads", "Times the alias had moved, by outcome.", ["outcome"], registry=self._registry
        )
        self._logged = Counter(
            "stagebook_logged_requests",
            "Requests written to the log, or dropped.",
            ["outcome"],
            registry=self._registry,
        )
        self._statuses = {status: self._requests.labels(str(status)) for status in (200, 400, 429)}

    def answered(self, status: int, seconds: float, rows: int) -> None:
        """A request got its answer."""
        counter = self._statuses.get(status)
        if counter is None:
            counter = self._statuses[status] = self._requests.labels(str(status))
        counter.inc()
        if status == 200:
            self._seconds.observe(seconds)
            self._rows.inc(rows)

    def serving(self, model: str, version: str, backend: str) -> None:
        """This version answers from now on."""
        self._model.clear()
        self._model.labels(model, version, backend).set(1)

    def stale(self, is_stale: bool) -> None:  # noqa: FBT001 - a state, told as it is
        """Whether the registry could not be asked."""
        self._stale.set(int(is_stale))

    def reloaded(self, outcome: str) -> None:
        """The alias had moved; `done` or `failed`."""
        self._reloads.labels(outcome).inc()

    def logged(self, outcome: str, requests: int) -> None:
        """Requests were `written` to the log, or `dropped`."""
        self._logged.labels(outcome).inc(requests)

    def text(self) -> bytes:
        """All of it, in Prometheus's text format."""
        from prometheus_client import generate_latest

        return generate_latest(self._registry)
