"""Bodies between the event loop and a thread: no more than asked for, no more than fits, and no end that was none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from restframe.aws.bodies import Budget, Pipe
from restframe.aws.errors import AwsError

PIECE = b"x" * 65536


def piped(messages: Callable[[int], Any], read: Callable[[Pipe], Any], idle_s: float = 60.0) -> Any:
    """What `read` returns in a thread, while the loop receives message after message."""

    async def run() -> Any:
        count = 0

        async def receive() -> Any:
            nonlocal count
            message = messages(count)
            count += 1
            return await message if isinstance(message, Awaitable) else message

        pipe = Pipe(asyncio.get_running_loop(), receive, idle_s)
        try:
            return await asyncio.to_thread(read, pipe)
        finally:
            await pipe.close()

    return asyncio.run(run())


def part(data: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


def test_all_of_a_body_in_its_order() -> None:
    parts = [bytes([i]) * 50_000 for i in range(100)]
    read = piped(lambda i: part(parts[i], i < 99), lambda pipe: b"".join(pipe))
    assert read == b"".join(parts)


def test_a_client_is_held_back_while_nobody_reads() -> None:
    def read(pipe: Pipe) -> int:
        pieces = iter(pipe)
        next(pieces)
        before = -1
        while before != pipe.received:
            before = pipe.received
            time.sleep(0.05)
        return before

    assert piped(lambda i: part(PIECE), read) <= 3 << 20


def test_nothing_is_received_before_it_is_asked_for() -> None:
    def read(pipe: Pipe) -> bool:
        time.sleep(0.05)
        return pipe.started or pipe.received > 0

    assert piped(lambda i: part(PIECE), read) is False


def test_a_client_that_leaves_leaves_an_error_behind() -> None:
    def read(pipe: Pipe) -> str:
        with pytest.raises(AwsError) as caught:
            b"".join(pipe)
        return caught.value.code

    assert piped(lambda i: part(PIECE) if i < 3 else {"type": "http.disconnect"}, read) == "IncompleteBody"


def test_a_client_that_falls_silent_too() -> None:
    def read(pipe: Pipe) -> str:
        with pytest.raises(AwsError) as caught:
            b"".join(pipe)
        return caught.value.code

    assert piped(lambda i: part(PIECE) if i < 3 else asyncio.sleep(60), read, idle_s=0.05) == "RequestTimeout"


def test_what_goes_wrong_while_receiving_keeps_nobody_waiting() -> None:
    def fail(i: int) -> dict[str, Any]:
        raise RuntimeError("the connection broke")

    def read(pipe: Pipe) -> str:
        with pytest.raises(AwsError) as caught:
            b"".join(pipe)
        return caught.value.code

    assert piped(fail, read) == "IncompleteBody"


def test_a_budget() -> None:
    budget = Budget(10)
    assert [budget.take(6), budget.take(5), budget.take(4), budget.take(1)] == [True, False, True, False]
    budget.give_back(6)
    assert budget.take(6)
