"""What of a statement may be logged."""

from __future__ import annotations

import pytest

from restframe.sql.secrets import masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("SELECT 'password'", "SELECT 'password'"),
        ("CREATE USER a PASSWORD 'Sesame1!'", "CREATE USER a PASSWORD '***'"),
        ("alter user a password $$Sesame1!$$", "alter user a password '***'"),
        (
            "CREATE USER a PASSWORD /* it's */ 'Ses''a\\'me1' VALID UNTIL '2030-01-01'",
            "CREATE USER a PASSWORD /* it's */ '***' VALID UNTIL '***'",
        ),
        ("CREATE USER a PASSWORD -- it's\n'Sesame1!'", "CREATE USER a PASSWORD -- it's\n'***'"),
        ('CREATE USER "password" PASSWORD "Sesame1!"', "CREATE USER \"password\" PASSWORD '***'"),
        ("CREATE USER a PASSWORD 'Sesame1! CREATEDB", "CREATE USER a PASSWORD '***'"),
        ("CREATE USER a PASSWORD DISABLE", "CREATE USER a PASSWORD DISABLE"),
        (
            "COPY t FROM 's3://b/k' ACCESS_KEY_ID 'A' SECRET_ACCESS_KEY 'S' CSV",
            "COPY t FROM 's3://b/k' ACCESS_KEY_ID '***' SECRET_ACCESS_KEY '***' CSV",
        ),
        ("COPY t FROM 's3://b/k' CREDENTIALS AS 'key=S'", "COPY t FROM 's3://b/k' CREDENTIALS AS '***'"),
    ],
)
def test_nothing_secret_is_shown(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_of_a_text_that_is_too_long_nothing_secret_is_shown() -> None:
    assert masked("CREATE USER a PASSWORD 'Sesame1!'" + " ," * 600_000) == "CREATE USER a PASSWORD '***'"
