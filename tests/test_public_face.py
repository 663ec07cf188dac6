"""What `import restframe` offers, and what it costs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import restframe
from restframe import errors

_HEAVY = (
    "duckdb",
    "sqlglot",
    "pyarrow",
    "numba",
    "numpy",
    "pandas",
    "obstore",
    "prompt_toolkit",
    "pygments",
    "sqlite3",
)


def _imported_by(code: str) -> set[str]:
    program = f"import sys, json\n{code}\nprint(json.dumps(sorted(name.partition('.')[0] for name in sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import restframe",
        "import restframe; restframe.Error; restframe.__version__; dir(restframe)",
        "import restframe; restframe.connect; restframe.paramstyle",
        "import restframe; restframe.Settings; restframe.Result",
        "from restframe.cli import main\ntry: main(['--version'])\nexcept SystemExit: pass",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_used(code: str) -> None:
    assert _imported_by(code).isdisjoint(_HEAVY)


def test_running_sql_needs_no_numerical_compiler_and_no_shell() -> None:
    code = "import tempfile, restframe\nwith restframe.open(tempfile.mkdtemp()) as w: w.sql('select 1').fetchall()"
    assert _imported_by(code).isdisjoint({"numba", "pandas", "prompt_toolkit", "pygments", "boto3"})


def test_every_promised_name_is_there() -> None:
    for name in restframe.__all__:
        assert getattr(restframe, name) is not None
    assert set(restframe.__all__) <= set(dir(restframe))


def test_a_name_that_is_not_promised_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'conect'"):
        restframe.conect  # noqa: B018


def test_the_module_is_a_db_api_module() -> None:
    assert (restframe.apilevel, restframe.threadsafety, restframe.paramstyle) == ("2.0", 1, "qmark")
    assert restframe.Error is errors.Error
    assert issubclass(restframe.ProgrammingError, restframe.DatabaseError)
