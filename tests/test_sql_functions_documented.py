"""docs/sql_functions.md lists the functions that there are."""

import re
from pathlib import Path

from restframe.sql.functions import FUNCTIONS

PAGE = Path(__file__).parents[1] / "docs" / "sql_functions.md"
# These have a syntax of their own, and no entry in the table.
WITHOUT_PARENTHESES = {
    "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "sysdate", "current_user_id",
    "substring", "position", "extract",
}  # fmt: skip


def test_every_function_is_documented_and_no_other() -> None:
    text = PAGE.read_text(encoding="utf-8").split("## Text", 1)[1]
    cells = "".join(row.split("|")[1] for row in text.splitlines() if row.startswith("|"))
    documented = set(re.findall(r"`([a-z_0-9]+)`", cells))
    assert documented - WITHOUT_PARENTHESES == set(FUNCTIONS)
    assert documented >= WITHOUT_PARENTHESES
