"""Who may read what, over restframe's sessions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from restframe.errors import InsufficientPrivilege
from restframe_epidemic.gaps import claims
from restframe_epidemic.privacy import roles
from restframe_epidemic.store import Store

CLAIMS = "SELECT count(*) FROM epidemic_claims.medical_claim"
DETAIL = "SELECT count(*) FROM epidemic_gaps.diagnosis_patient"
PUBLISHED = "SELECT count(*) FROM epidemic_published.condition_burden"
STAGED = "SELECT count(*) FROM epidemic_staging.claims_patient"
PLACES = "SELECT count(*) FROM epidemic.location"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("roles") / "warehouse") as opened:
        opened.prepare()  # what is published may be read from now on, before there are claims
        opened.run(claims.schema())
        # Made after the rights were given, as measures and published tables are again and again.
        opened.run("CREATE TABLE epidemic_gaps.diagnosis_patient (token varchar(64))")
        opened.run("CREATE TABLE epidemic_staging.claims_patient (patient varchar(64))")
        for user, role in (("ana", roles.ANALYST), ("dash", roles.DASHBOARD)):
            opened.run(f"CREATE USER {user} PASSWORD 'Passw0rd-of-theirs'")
            opened.run(f"GRANT ROLE {role} TO {user}")
        opened.run("CREATE USER nobody PASSWORD 'Passw0rd-of-theirs'")
        yield opened


@pytest.mark.parametrize(
    ("user", "query"),
    [("ana", CLAIMS), ("ana", DETAIL), ("ana", PUBLISHED), ("ana", PLACES), ("dash", PUBLISHED)],
    ids=["analyst claims", "analyst detail", "analyst published", "analyst places", "dashboard published"],
)
def test_what_a_role_may_read(store: Store, user: str, query: str) -> None:
    with store.connection.warehouse.session() as session:
        session.execute(f"SET SESSION AUTHORIZATION {user}")
        assert session.execute(query).scalar() == 0


@pytest.mark.parametrize(
    ("user", "query"),
    [
        ("dash", CLAIMS),
        ("dash", DETAIL),
        ("dash", PLACES),
        ("dash", STAGED),
        ("dash", "INSERT INTO epidemic_published.condition_burden (patients) VALUES (1)"),
        ("ana", STAGED),
        ("ana", "DELETE FROM epidemic_claims.patient"),
        ("nobody", PUBLISHED),
    ],
    ids=["claims", "detail", "places", "staging", "write", "analyst staging", "analyst write", "nobody published"],
)
def test_what_a_role_may_not_do(store: Store, user: str, query: str) -> None:
    with store.connection.warehouse.session() as session:
        session.execute(f"SET SESSION AUTHORIZATION {user}")
        with pytest.raises(InsufficientPrivilege):
            session.execute(query)


def test_rights_are_given_again_without_harm(store: Store) -> None:
    roles.grant(store)
    held = store.run("SELECT role_name FROM svv_roles WHERE role_name LIKE 'epidemic%' ORDER BY 1").fetchall()
    assert held == [("epidemic_analyst",), ("epidemic_dashboard",)]


def test_a_dashboard_reads_views_over_tables_that_it_may_not_read(store: Store) -> None:
    with store.connection.warehouse.session() as session:
        session.execute("SET SESSION AUTHORIZATION dash")
        assert session.execute("SELECT count(*) FROM epidemic_published.latest_forecast").scalar() == 0


def test_a_dashboard_may_draw_a_map(store: Store) -> None:
    store.run("DELETE FROM epidemic.location")
    store.run("INSERT INTO epidemic.location VALUES ('d1', 'One', 'district', NULL, 5000, 47.5, 8.25)")
    with store.connection.warehouse.session() as session:
        session.execute("SET SESSION AUTHORIZATION dash")
        places = session.execute("SELECT * FROM epidemic_published.place").fetchall()
    store.run("DELETE FROM epidemic.location")
    assert places == [("d1", "One", "district", None, 5000, 47.5, 8.25)]


def test_questions_of_the_page_are_answered_from_what_is_published(store: Store) -> None:
    page = (Path(__file__).parents[3] / "docs" / "epidemic.md").read_text(encoding="utf-8")
    questions = [text for text in page.split("```sql\n")[1].split("```")[0].split(";") if text.strip()]
    assert len(questions) == 3
    with store.connection.warehouse.session() as session:
        session.execute("SET SESSION AUTHORIZATION dash")
        for question in questions:
            assert session.execute(question).fetchall() == []
