"""What it costs to begin: CPU seconds of `import restframe` and of one statement from the command line.

    python benchmarks/startup.py

Each is a new process, run alternately with the ones it is compared with, a plain Python and one that imports the
engine alone. CPU time (user and system, children included) of the process; the median of the rounds. The bars are
0.3 s and 1 s.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile

ROUNDS = 11


def cpu_s(command: list[str]) -> float:
    """CPU seconds of one process from its start to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        sql = [sys.executable, "-m", "restframe", "sql", "-d", directory, "-c", "select 1"]
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "import duckdb, pyarrow": [sys.executable, "-c", "import duckdb, pyarrow"],
            "import restframe": [sys.executable, "-c", "import restframe"],
            "restframe sql -c 'select 1'": sql,
        }
        for command in commands.values():
            cpu_s(command)  # byte code is written, the warehouse is made
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                taken[name].append(cpu_s(command))
    base = statistics.median(taken["python -c pass"])
    print(f"{'process':<30}{'CPU s':>8}{'above Python':>14}")
    for name, values in taken.items():
        median = statistics.median(values)
        print(f"{name:<30}{median:>8.3f}{median - base:>14.3f}")


if __name__ == "__main__":
    main()
