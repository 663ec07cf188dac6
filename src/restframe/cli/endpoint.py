"""`restframe endpoint`."""

from __future__ import annotations

import argparse
import sys

from restframe.cli.listing import local_time, print_facts, print_json, print_list, simple
from restframe.warehouse import Warehouse


def create(given: argparse.Namespace) -> int:
    header = tuple(name.strip() for name in given.header.split(",")) if given.header else ()
    with Warehouse(given.directory) as warehouse:
        endpoint = warehouse.deploy(
            given.model, given.name, algorithm=given.algorithm, header=header, content_type=given.content_type
        )
        print(f"Endpoint {endpoint.name} is {endpoint.status}")
    return 0


def show_all(given: argparse.Namespace) -> int:
    with Warehouse(given.directory) as warehouse:
        found = warehouse.jobs.endpoints.describe_all()
    if given.json:
        print_json([simple(one) for one in found])
    else:
        rows = [(one.name, one.status, one.model.artifact or one.model.url, local_time(one.created)) for one in found]
        print_list(("endpoint", "status", "serves", "created"), rows)
    return 0


def describe(given: argparse.Namespace) -> int:
    with Warehouse(given.directory) as warehouse:
        found = warehouse.jobs.endpoint(given.name).describe()
    if given.json:
        print_json(simple(found))
        return 0
    print_facts(
        [
            ("endpoint", found.name),
            ("status", found.status),
            ("failure", found.failure),
            ("serves", found.model.artifact or found.model.url),
            ("algorithm", found.model.algorithm),
            ("content type", found.model.content_type if found.model.url else None),  # what other servers are sent
            ("created", local_time(found.created)),
            ("modified", local_time(found.modified)),
        ]
    )
    return 0


def invoke(given: argparse.Namespace) -> int:
    body = sys.stdin.buffer.read() if given.body is None else given.body.encode()
    with Warehouse(given.directory) as warehouse:
        looks = "application/json" if body.lstrip().startswith((b"{", b"[")) else "text/csv"
        content_type = given.content_type or looks
        answer, _ = warehouse.jobs.invoke(given.name, body, content_type, given.accept or content_type)
    sys.stdout.flush()
    sys.stdout.buffer.write(answer)
    if sys.stdout.isatty() and not answer.endswith(b"\n"):
        print()
    return 0


def delete(given: argparse.Namespace) -> int:
    with Warehouse(given.directory) as warehouse:
        warehouse.jobs.remove(given.name)
    print(f"Endpoint {given.name} is deleted")
    return 0


def serve(given: argparse.Namespace) -> int:
    """Until ctrl-C, which is how one leaves and therefore no failure."""
    from restframe.jobs.serving import EndpointServer

    with (
        Warehouse(given.directory) as warehouse,
        EndpointServer(warehouse.jobs, given.name, given.host, given.port) as server,
    ):
        try:
            print(f"Serving {given.name} at {server.url}/invocations; ctrl-C ends it", flush=True)
            server.wait()
        except KeyboardInterrupt:
            print()
    return 0
