"""What Redshift's own drivers are told at the start, by what their start-up messages say."""

from __future__ import annotations

import pytest

from restframe.pgwire import redshift
from restframe.pgwire.messages import Startup
from restframe.pgwire.startup import negotiation

PYTHON = {"user": "awsuser", "client_protocol_version": "2", "driver_version": "Redshift Python Driver 2.2.0"}


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [("0", 0), ("1", 1), ("2", 2), ("3", 2), ("999999999", 2), ("-1", 0), ("x", 0), ("", 0), ("9" * 4000, 0)],
)
def test_the_protocol_is_what_the_driver_asks_for_and_we_know(asked: str, spoken: int) -> None:
    startup = {**PYTHON, "client_protocol_version": asked}
    assert redshift.protocol_version(startup) == spoken
    assert redshift.parameter_statuses(startup)["server_protocol_version"] == str(spoken)


def test_a_driver_is_told_how_to_read_and_where_to_find_metadata() -> None:
    assert redshift.parameter_statuses(PYTHON) == {
        "server_version": "8.0.2",
        "server_protocol_version": "2",
        "show_discovery": "5",
        "datashare_enabled": "off",
        "external_database": "off",
    }


def test_clients_of_postgresql_are_told_nothing_of_it() -> None:
    assert redshift.protocol_version({"user": "awsuser"}) is None
    assert redshift.parameter_statuses({"user": "awsuser"}) == {}


@pytest.mark.parametrize(
    ("driver", "knows"),
    [
        ("Redshift Python Driver 2.0.904", False),
        ("Redshift Python Driver 2.0.905", True),
        ("Redshift Python Driver 2.1.8", True),
        ("Redshift JDBC Driver 2.0.0.7", False),
        ("Redshift JDBC Driver 2.1.0.1", False),
        ("Redshift JDBC Driver 2.1.0.30", True),
        ("Redshift JDBC Driver 2.2.6", True),
        ("Amazon Redshift ODBC Driver 1.4.0", False),
        ("", False),
    ],
)
def test_digests_are_asked_of_drivers_that_know_them(driver: str, knows: bool) -> None:
    assert redshift.knows_digest({**PYTHON, "driver_version": driver}) is knows


def test_the_jdbc_driver_gets_no_answer_to_its_wish_for_compression() -> None:
    wish = {"user": "awsuser", "_pq_.compression": "lz4"}
    assert negotiation(Startup(0, {**wish, "client_protocol_version": "3"})) == b""
    assert negotiation(Startup(0, wish)).startswith(b"v")
