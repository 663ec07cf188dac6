"""Fuzzes the PostgreSQL protocol of a live `restframe serve`, with state, and says what it finds.

    python tests/fuzz_pgwire.py --minutes 60 --threads 4 --kill-every 120 /tmp/somewhere

Talkers say messages in any order, bent and cut ones among them, with and without TLS, and go away when they like: each
ReadyForQuery that is due must come, with a state that can be, or the connection must end. Beside them bankers move
money between accounts in transactions and load files by COPY: nothing that was acknowledged may be missing, nothing
may be there by half, and the sum stays what it was, also after the server was killed. At the end no session, thread
or file of the server may be left over.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import psycopg

from fuzz_server import Finds, Server
from fuzz_wire import Talker
from fuzz_words import tested_sql

SLOW_S = 5.0
ACCOUNTS, MONEY = 6, 1000
MEMORY_MB = 1500

# What a transaction among others may end with, and what a server that is killed leaves to its clients.
TRY_AGAIN = (
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.QueryCanceled,
)


class Banker:
    """Moves money and loads parts, and knows what was acknowledged.

    kept, doubtful : of its transactions, those that must be there and those that may be
    """

    def __init__(self, server: Server, number: int, seed: str, finds: Finds) -> None:
        self.server = server
        self.number = number
        self.rng = random.Random(f"{seed}-banker-{number}")
        self.finds = finds
        self.kept: set[int] = set()
        self.doubtful: set[int] = set()
        self._next = 0

    def step(self) -> None:
        """One connection, some transactions, and a look at what is there."""
        with contextlib.closing(connect(self.server)) as connection:
            for _ in range(self.rng.randint(1, 5)):
                with contextlib.suppress(*TRY_AGAIN):
                    self.rng.choice((self._transfer, self._transfer, self._load, self._look, self._leave))(connection)
                connection.rollback()

    def _numbered(self) -> int:
        self._next += 1
        self.doubtful.add(self._next)
        return self._next

    def _done(self, number: int) -> None:
        self.doubtful.discard(number)
        self.kept.add(number)

    def _move(self, connection: psycopg.Connection, number: int) -> None:
        one, other = self.rng.sample(range(ACCOUNTS), 2)
        amount = self.rng.randint(1, 50)
        prepare = self.rng.random() < 0.5
        connection.execute("update accounts set money = money - %s where id = %s", (amount, one), prepare=prepare)
        connection.execute("insert into moves values (%s, %s)", (self.number, number), prepare=prepare)
        connection.execute("update accounts set money = money + %s where id = %s", (amount, other), prepare=prepare)

    def _transfer(self, connection: psycopg.Connection) -> None:
        number = self._numbered()
        try:
            self._move(connection, number)
            connection.commit()
        except TRY_AGAIN:
            self.doubtful.discard(number)
            raise
        self._done(number)

    def _load(self, connection: psycopg.Connection) -> None:
        """A part of a hundred rows, all of it or nothing."""
        number, goes = self._numbered(), self.rng.random() < 0.3
        rows = [f"{self.number}\t{number}\t{i}\n" for i in range(100)]
        with connection.cursor().copy("copy parts from stdin") as copy:
            copy.write("".join(rows[:60]))
            if goes:
                connection.close()
                self.doubtful.discard(number)
                return
            copy.write("".join(rows[60:]))
        connection.execute("insert into moves values (%s, %s)", (self.number, number))
        connection.commit()
        self._done(number)

    def _leave(self, connection: psycopg.Connection) -> None:
        """Go in the middle of a transaction, or of a large result."""
        self._move(connection, 0)
        if self.rng.random() < 0.5:
            connection.pgconn.send_query(b"select i, repeat('x', 100) from generate_series(1, 3000000) as g(i)")
            time.sleep(0.1)
        connection.close()

    def _look(self, connection: psycopg.Connection) -> None:
        row = connection.execute("select sum(money) from accounts").fetchone()
        assert row is not None
        if row[0] != ACCOUNTS * MONEY:
            self.finds.add("money lost", None, f"{row}")
        listed = connection.execute("select number from moves where banker = %s", (self.number,)).fetchall()
        found = {number for (number,) in listed if number}
        if self.kept - found or found - self.kept - self.doubtful or len(listed) != len(found):
            self.finds.add("moves", None, f"missing {self.kept - found}, not known {found - self.kept - self.doubtful}")
        halves = connection.execute("select part, count(*) from parts group by 1 having count(*) % 100 <> 0").fetchall()
        if halves:
            self.finds.add("half a part", None, repr(halves))


def connect(server: Server) -> psycopg.Connection:
    return psycopg.connect(
        host="127.0.0.1", port=server.sql_port, user="awsuser", password=server.password, dbname="dev",
        sslmode="disable", connect_timeout=30,
    )  # fmt: skip


def prepare(server: Server) -> None:
    with connect(server) as connection:
        connection.execute("create table accounts (id int, money int)")
        connection.execute("create table moves (banker int, number int)")
        connection.execute("create table parts (banker int, part int, line int)")
        connection.execute("create table talk (a int, b varchar(20))")
        for number in range(ACCOUNTS):
            connection.execute("insert into accounts values (%s, %s)", (number, MONEY))
        connection.execute("create user talker password disable")
        connection.execute("grant all on talk to talker")


def run(
    server: Server, finds: Finds, *, seed: str, threads: int, seconds: float, kill_every: float, slow_s: float
) -> int:
    """Fuzz for some seconds; how many messages were said. The server is killed about every so many seconds, 0 never."""
    prepare(server)
    threads_at_first, files_at_first = server.threads(), server.files()
    end = time.monotonic() + seconds
    quiet = threading.Event()
    password = temporary_password(server)
    talkers = [Talker(server, f"{seed}-{n}", finds, tested_sql(), slow_s) for n in range(threads)]
    bankers = [Banker(server, n, seed, finds) for n in range(max(2, threads // 2))]

    def work(step: Callable[[], None]) -> None:
        while time.monotonic() < end and not quiet.is_set():
            generation = server.generation
            try:
                step()
            except (ConnectionError, psycopg.OperationalError, TimeoutError, OSError) as error:
                told = getattr(error, "sqlstate", None)
                if told is not None and not told.startswith(("08", "57P", "53")):
                    finds.add("a banker's error", None, repr(error))
                time.sleep(0.05 if server.alive and generation == server.generation else 0.3)
            except Exception:  # noqa: BLE001 - a find, and no end of the others
                finds.add("the fuzzer itself", None, traceback.format_exc())

    steps = [lambda one=one: one.step("talker", password) for one in talkers] + [one.step for one in bankers]
    workers = [threading.Thread(target=work, args=(step,)) for step in steps]
    for worker in workers:
        worker.start()
    rng, next_kill, next_word = random.Random(seed), time.monotonic() + (kill_every or 10**9), time.monotonic()
    while any(worker.is_alive() for worker in workers):
        time.sleep(0.3)
        if server.process.poll() is not None:
            server.alive = False
            finds.add("the server has ended", None, str(server.process.returncode))
            server.start()
        if time.monotonic() > next_kill:
            next_kill = time.monotonic() + kill_every * rng.uniform(0.3, 1.7)
            server.kill()
            server.start()
        if time.monotonic() > next_word:
            next_word = time.monotonic() + 30
            said, kept = sum(one.said for one in talkers), sum(len(one.kept) for one in bankers)
            print(f"{time.strftime('%T')} {said} messages, {kept} transactions, {server.memory_mb()} MB,", end=" ")
            print(f"{server.threads()} threads, {server.files()} files, {finds.counts.total()} finds", flush=True)
            if server.memory_mb() > MEMORY_MB:
                finds.add("memory", None, f"{server.memory_mb()} MB")
    with contextlib.closing(connect(server)) as connection:
        for banker in bankers:
            banker._look(connection)
    nothing_is_left(server, finds, threads_at_first, files_at_first)
    for line in server.complaints():
        finds.add("log", None, line)
    return sum(one.said for one in talkers)


def temporary_password(server: Server) -> str:
    """Of the user that talks, as GetClusterCredentials gives it."""
    answer = server.client("redshift").get_cluster_credentials(
        ClusterIdentifier="restframe", DbUser="talker", DbName="dev", DurationSeconds=3600
    )
    return str(answer["DbPassword"])


def nothing_is_left(server: Server, finds: Finds, threads: int, files: int) -> None:
    """Sessions end at once; threads that have nothing to do end after ten seconds, as many as at first are left."""
    end = time.monotonic() + 30
    while True:
        with contextlib.closing(connect(server)) as connection:
            sessions = connection.execute("select usename, query from pg_stat_activity").fetchall()
        found = server.threads(), server.files()
        if (len(sessions) == 1 and found[0] <= threads + 6 and found[1] <= files + 12) or time.monotonic() > end:
            break
        time.sleep(0.3)
    if len(sessions) != 1:
        finds.add("sessions left", None, repr(sessions))
    if found[0] > threads + 6 or found[1] > files + 12:
        finds.add("left over", None, f"{found[0]} threads, {found[1]} files; {threads}, {files} at first")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="for the warehouse, the server's log and the finds")
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--kill-every", type=float, default=0, metavar="SECONDS", help="about; 0 never")
    parser.add_argument("--slow", type=float, default=SLOW_S, metavar="SECONDS", help="what takes longer is a find")
    parser.add_argument("--seed", default=str(int(time.time())))
    given = parser.parse_args()
    given.directory.mkdir(parents=True, exist_ok=True)
    finds = Finds(given.directory / "finds.jsonl")
    server = Server(given.directory / "warehouse")
    try:
        said = run(
            server, finds, seed=given.seed, threads=given.threads, seconds=given.minutes * 60,
            kill_every=given.kill_every, slow_s=given.slow,
        )  # fmt: skip
    finally:
        server.stop()
    print(f"seed {given.seed}: {said} messages, {len(finds.counts)} kinds of finds")
    for name, count in (finds.counts + finds.codes).most_common():
        print(f"{count:8} {name} {finds.messages.get(name, '')[:150]}")
    return 1 if finds.counts else 0


if __name__ == "__main__":
    sys.exit(main())
