"""A transform job's own process: `python -m restframe.jobs.transform_child <file>`.

It knows nothing but the file: where the model is, local paths of the input and of the output. What happens goes to its
standard output, as in child.py: {"at", "log"}, and {"failure"} when it does not come to its end.
"""

from __future__ import annotations

import gzip
import sys
import time
import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from restframe import errors
from restframe.jobs.child import Tell, main
from restframe.jobs.local import LocalServer
from restframe.jobs.remote import RemoteServer
from restframe.jobs.specs import ModelSpec
from restframe.storage.objects import translated

_CONCURRENT = 8  # questions that a model of ours puts together
# Of a request of several records; a payload of six megabytes could be a hundred thousand of them.
_MAX_RECORDS = 1000
_PROGRESS_S = 10.0
_ERRORS = (errors.DataError, errors.NotSupportedError, errors.EndpointFailed)


@dataclass(frozen=True, slots=True)
class _Payload:
    """What is sent in one request: records of an object, by their lines from 1; or all of it, then first is None."""

    body: bytes
    first: int | None = None
    last: int | None = None

    @property
    def place(self) -> str:
        if self.first is None:
            return ""
        return f", line {self.first}" if self.first == self.last else f", lines {self.first} to {self.last}"


class _Transform:
    """One job: the same model answers about one object after another."""

    def __init__(self, task: Mapping[str, Any], tell: Tell) -> None:
        self._task = task
        self._tell = tell
        self._limit_bytes = task["max_payload_mb"] << 20
        self._server = _server(task)
        self._concurrent = task["concurrent"] or (_CONCURRENT if isinstance(self._server, LocalServer) else 1)
        self._answered = 0
        self._reported = time.monotonic()

    def run(self) -> None:
        strategy = "SINGLE_RECORD" if self._task["strategy"] == "SingleRecord" else "MULTI_RECORD"
        self._log(
            f"MaxConcurrentTransforms={self._concurrent}, MaxPayloadInMB={self._task['max_payload_mb']}, "
            f"BatchStrategy={strategy}"
        )
        with ThreadPoolExecutor(self._concurrent) as threads:
            for name, source, target in self._task["objects"]:
                with translated("output"), Path(target).open("xb") as file:
                    for answer in self._answers(name, Path(source), threads):
                        file.write(answer)
        self._log(f"{self._answered} requests answered")

    def _answers(self, name: str, source: Path, threads: ThreadPoolExecutor) -> Iterator[bytes]:
        """What the model says to an object, request by request in order; a few are under way at once."""
        under_way: deque[tuple[_Payload, Future[bytes]]] = deque()
        try:
            for payload in self._payloads(name, source):
                under_way.append((payload, threads.submit(self._ask, payload)))
                if len(under_way) > self._concurrent:
                    yield self._result(name, *under_way.popleft())
            while under_way:
                yield self._result(name, *under_way.popleft())
        finally:
            for _, future in under_way:
                future.cancel()

    def _ask(self, payload: _Payload) -> bytes:
        answer, _ = self._server.invoke(payload.body, self._task["content_type"], self._task["accept"])
        return answer.removesuffix(b"\n") + b"\n" if self._task["assemble"] == "Line" else answer

    def _result(self, name: str, payload: _Payload, future: Future[bytes]) -> bytes:
        try:
            answer = future.result()
        except _ERRORS as error:
            self._log_failure(name, error)
            raise type(error)(f'"{name[:200]}"{payload.place}: {error.message}', hint=error.hint) from error
        self._answered += 1
        if time.monotonic() - self._reported > _PROGRESS_S:
            self._reported = time.monotonic()
            self._log(f"{name.removeprefix('s3://')}: {self._answered} requests answered{payload.place}")
        return answer

    def _log_failure(self, name: str, error: errors.Error) -> None:
        """As SageMaker's data log says it."""
        status = 415 if isinstance(error, errors.NotSupportedError) else 400
        if isinstance(error, errors.EndpointFailed):
            status = error.status or 500
        name = name.removeprefix("s3://")
        self._log(f"{name}: Bad HTTP status received from algorithm: {status}")
        for line in ("", "Message:", error.message):
            self._log(f"{name}: {line}")

    def _log(self, text: str) -> None:
        self._tell({"at": time.time(), "log": f"[sagemaker logs]: {text}"})

    # Records

    def _payloads(self, name: str, source: Path) -> Iterator[_Payload]:
        try:
            with source.open("rb") as file:
                stream = gzip.GzipFile(fileobj=file) if self._task["compression"] == "Gzip" else file
                yield from self._records(name, stream) if self._task["split"] == "Line" else self._whole(name, stream)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise errors.DataError(f'"{name[:200]}" is no intact gzip file') from error

    def _whole(self, name: str, stream: BinaryIO | gzip.GzipFile) -> Iterator[_Payload]:
        body = stream.read(self._limit_bytes + 1)
        if len(body) > self._limit_bytes:
            raise self._too_large(name, _Payload(b""))
        yield _Payload(body)

    def _records(self, name: str, stream: BinaryIO | gzip.GzipFile) -> Iterator[_Payload]:
        """Lines, each by itself or as many together as a request holds; lines without anything in them are none."""
        most = 1 if self._task["strategy"] == "SingleRecord" else _MAX_RECORDS
        lines: list[bytes] = []
        first = number = size = 0
        while line := stream.readline(self._limit_bytes + 2):
            number += 1
            line = line.rstrip(b"\r\n")
            if not line:
                continue
            if len(line) > self._limit_bytes:
                raise self._too_large(name, _Payload(b"", number, number))
            if lines and (len(lines) == most or size + len(line) > self._limit_bytes):
                yield _Payload(b"\n".join(lines), first, number - 1)
                lines, size = [], 0
            first = first if lines else number
            lines.append(line)
            size += len(line) + 1
        if lines:
            yield _Payload(b"\n".join(lines), first, number)

    def _too_large(self, name: str, payload: _Payload) -> errors.DataError:
        return errors.DataError(
            f'"{name[:200]}"{payload.place} is larger than MaxPayloadInMB, {self._task["max_payload_mb"]} MB',
            hint="Split the object into lines with SplitType, or raise MaxPayloadInMB.",
        )


def _server(task: Mapping[str, Any]) -> LocalServer | RemoteServer:
    model = task["model"]
    if model["url"] is None:
        with Path(model["artifact"]).open("rb") as archive:
            return LocalServer.load(archive, model["algorithm"], task["environment"])
    spec = ModelSpec(model["name"], url=model["url"], header=tuple(model["header"]), content_type=model["content_type"])
    return RemoteServer(model["name"], spec, task["timeout_s"], task["concurrent"] or 1)


def _transform(task: Mapping[str, Any], tell: Tell) -> None:
    _Transform(task, tell).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], _transform))
