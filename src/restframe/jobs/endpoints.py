"""Endpoints: what is served under which name.

    Creating -> InService | Failed        Updating -> InService        Deleting -> gone

Models of our own algorithms are loaded once into this process; others are asked over HTTP. An endpoint keeps what it
was made of: its model and configuration may be deleted while it serves.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from restframe import errors
from restframe.jobs.local import LocalServer, check_artifact
from restframe.jobs.logs import Logs
from restframe.jobs.models import Models
from restframe.jobs.remote import RemoteServer
from restframe.jobs.specs import EndpointConfig, ModelSpec, check_name, endpoint_config, model_spec, to_json
from restframe.jobs.waiting import wait_for
from restframe.journal import Journal
from restframe.storage import ObjectUrl, Storage

logger = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/Endpoints"
_MAX_FAILURE = 1024  # what DescribeEndpoint's FailureReason can hold


@dataclass(frozen=True, slots=True)
class EndpointDescription:
    """One moment of an endpoint.

    status : Creating, InService, Updating, Deleting or Failed
    failure : why creating it, or the last update, failed
    """

    name: str
    config: EndpointConfig
    model: ModelSpec
    status: str
    created: datetime
    modified: datetime
    failure: str | None


Server = LocalServer | RemoteServer


class _Slot:
    """Where an endpoint's server stands once it is loaded; the lock keeps it from being loaded twice."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.server: Server | None = None


class Endpoints:
    """All endpoints of a warehouse, and the models they can serve. Usable from any thread."""

    def __init__(self, journal: Journal, logs: Logs, storage: Storage, timeout_s: float, connections: int) -> None:
        self.models = Models(journal)
        self._journal = journal
        self._logs = logs
        self._storage = storage
        self._timeout_s = timeout_s
        self._connections = connections
        self._slots: dict[str, _Slot] = {}
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._recover()

    def _recover(self) -> None:
        """What was being made when the warehouse ended has failed; what was being deleted is gone."""
        now = time.time()
        with self._journal.transaction() as connection:
            connection.execute("DELETE FROM endpoints WHERE status = 'Deleting'")
            connection.execute(
                "UPDATE endpoints SET status = 'Failed', modified = ?, "
                "failure = 'the warehouse ended while the endpoint was created' WHERE status = 'Creating'",
                (now,),
            )
            connection.execute(
                "UPDATE endpoints SET status = 'InService', modified = ?, "
                "failure = 'the warehouse ended while the endpoint was updated' WHERE status = 'Updating'",
                (now,),
            )

    # Endpoints

    def create(self, name: str, config_name: str) -> None:
        """Begin to serve what a configuration says; the model loads behind the answer.

        UndefinedObject for an unknown configuration or model, DuplicateObject for a name that is taken.
        """
        check_name("endpoint", name)
        config = self.models.config(config_name).spec
        model = self.models.find(config.model).spec
        now = time.time()
        with self._journal.transaction() as connection:
            try:
                connection.execute(
                    "INSERT INTO endpoints VALUES (?, ?, ?, 'Creating', ?, ?, NULL)",
                    (name, to_json(config), to_json(model), now, now),
                )
            except sqlite3.IntegrityError as error:
                raise errors.DuplicateObject(f'endpoint "{name}" already exists') from error
        slot = self._slot(name)
        self._in_thread(name, lambda: self._bring_up(name, now, slot, config, model, "Failed"))

    def update(self, name: str, config_name: str) -> None:
        """Serve what another configuration says, from the moment it is loaded; when that fails, the old goes on."""
        config = self.models.config(config_name).spec
        model = self.models.find(config.model).spec
        row = self._row(name)
        status, created = row["status"], row["created"]
        if status not in ("InService", "Failed"):
            raise errors.EndpointNotReady(f'endpoint "{name}" is {status}')
        self._note(name, "Updating")
        slot = self._slot(name)
        self._in_thread(name, lambda: self._bring_up(name, created, slot, config, model, status))

    def delete(self, name: str) -> None:
        """UndefinedObject when there is no such endpoint."""
        self.describe(name)
        self._note(name, "Deleting")
        with self._lock:
            slot = self._slots.pop(name, None)
        with self._journal.transaction() as connection:
            connection.execute("DELETE FROM endpoints WHERE name = ?", (name,))
        if slot is not None and slot.server is not None:
            slot.server.close()
        self._notify()

    def describe(self, name: str) -> EndpointDescription:
        return _description(self._row(name))

    def describe_all(self) -> list[EndpointDescription]:
        """All endpoints, oldest first."""
        return [_description(row) for row in self._journal.rows("SELECT * FROM endpoints ORDER BY created, name")]

    def wait(
        self, name: str, timeout_s: float | None = None, given_up: threading.Event | None = None
    ) -> EndpointDescription:
        """The endpoint when it is neither being created nor updated any more, or when the time is over.

        given_up : when it is set nobody wants to know any more
        """

        def is_settled() -> bool:
            return self.describe(name).status not in ("Creating", "Updating")

        wait_for(self._changed, is_settled, timeout_s, given_up)
        return self.describe(name)

    def server(self, name: str) -> Server:
        """What answers for an endpoint, loaded if this process has not done so yet.

        UndefinedObject, EndpointNotReady, or what loading it raises.
        """
        slot = self._slots.get(name)
        if slot is not None and slot.server is not None:
            return slot.server
        description = self.describe(name)
        if description.status not in ("InService", "Updating"):
            raise errors.EndpointNotReady(f'endpoint "{name}" is {description.status}', hint=_hint(description))
        slot = self._slot(name)
        with slot.lock:
            if slot.server is None:
                slot.server = self._load(name, description.model)
            return slot.server

    def close(self) -> None:
        for thread in list(self._threads):
            thread.join()
        with self._lock:
            slots, self._slots = list(self._slots.values()), {}
        for slot in slots:
            if slot.server is not None:
                slot.server.close()

    # Loading

    def _bring_up(
        self, name: str, created: float, slot: _Slot, config: EndpointConfig, model: ModelSpec, otherwise: str
    ) -> None:
        """Load a model and put it in an endpoint's slot; `otherwise` is the status when that fails.

        created : tells the endpoint from a later one of the same name
        """
        started = time.time()
        try:
            server = self._load(name, model)
            if isinstance(server, RemoteServer):
                self._check_answers(server)
        except errors.Error as error:
            self._say(name, f"model {model.name} cannot be served: {error.message}")
            self._note(name, otherwise, error.message[:_MAX_FAILURE], created)
            return
        except Exception as error:
            logger.exception("endpoint %s", name)
            self._note(name, otherwise, f"{type(error).__name__}: {error}"[:_MAX_FAILURE], created)
            return
        self._say(name, f"model {model.name} loaded in {(time.time() - started) * 1000:.0f} ms")
        with slot.lock:
            left_over, slot.server = slot.server, server  # before anybody is told
            if not self._note(name, "InService", None, created, config, model):
                left_over = server  # deleted meanwhile, and its slot with it
        if left_over is not None:
            left_over.close()

    def _load(self, name: str, model: ModelSpec) -> Server:
        if model.url is not None:
            return RemoteServer(name, model, self._timeout_s, self._connections)
        assert model.artifact is not None
        url = ObjectUrl.parse(model.artifact)
        with self._storage.open(url) as found:
            check_artifact(found.info)
            return LocalServer.load(found.stream, model.algorithm, model.environment)

    @staticmethod
    def _check_answers(server: RemoteServer) -> None:
        try:
            server.ping()
        except BaseException:
            server.close()
            raise

    def _in_thread(self, name: str, work: Callable[[], None]) -> None:
        def run() -> None:
            work()
            self._threads.remove(threading.current_thread())

        thread = threading.Thread(target=run, name=f"restframe-endpoint-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _slot(self, name: str) -> _Slot:
        with self._lock:
            return self._slots.setdefault(name, _Slot())

    # The journal

    def _say(self, name: str, text: str) -> None:
        self._logs.append(LOG_GROUP + "/" + name, "AllTraffic", [(time.time(), text)])

    def _row(self, name: str) -> sqlite3.Row:
        row = self._journal.row("SELECT * FROM endpoints WHERE name = ?", (name,))
        if row is None:
            raise errors.UndefinedObject(f'endpoint "{name[:100]}" does not exist')
        return row

    def _note(
        self,
        name: str,
        status: str,
        failure: str | None = None,
        created: float | None = None,
        config: EndpointConfig | None = None,
        model: ModelSpec | None = None,
    ) -> bool:
        """Write an endpoint's status down, with what it serves from now on; whether there still is one."""
        with self._journal.transaction() as connection:
            changed = connection.execute(
                "UPDATE endpoints SET status = ?, failure = ?, modified = ?, config = coalesce(?, config), "
                "model = coalesce(?, model) WHERE name = ? AND created = coalesce(?, created) AND status <> 'Deleting'",
                (status, failure, time.time(), config and to_json(config), model and to_json(model), name, created),
            )
        logger.info("endpoint %s: %s", name, status)
        self._notify()
        return changed.rowcount > 0

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()


def _description(row: sqlite3.Row) -> EndpointDescription:
    return EndpointDescription(
        name=row["name"],
        config=endpoint_config(row["config"]),
        model=model_spec(row["model"]),
        status=row["status"],
        created=_time(row["created"]),
        modified=_time(row["modified"]),
        failure=row["failure"],
    )


def _hint(description: EndpointDescription) -> str:
    if description.status == "Failed":
        return f"It failed: {(description.failure or 'no reason known')[:200]}."
    return "Wait until it is InService."


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
