"""Failed logins by address and user, with a clock of our own."""

from __future__ import annotations

from restframe.identity import throttle
from restframe.identity.throttle import Throttle


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_first_mistakes_cost_nothing_and_the_next_ever_more() -> None:
    guarded = Throttle(_Clock())
    delays = [guarded.attempt("10.0.0.1", "joe") for _ in range(10)]
    assert delays == [0, 0, 0, 0.25, 0.5, 1, 2, 4, 5, 5]


def test_others_do_not_wait_for_it() -> None:
    guarded = Throttle(_Clock())
    for _ in range(10):
        guarded.attempt("10.0.0.1", "joe")
    assert guarded.attempt("10.0.0.1", "jane") == 0
    assert guarded.attempt("10.0.0.2", "joe") == 0


def test_success_ends_it_for_this_user_alone() -> None:
    guarded = Throttle(_Clock())
    for user in ("joe", "jane"):
        for _ in range(4):
            guarded.attempt("10.0.0.1", user)
    guarded.succeeded("10.0.0.1", "joe")
    assert guarded.attempt("10.0.0.1", "joe") == 0
    assert guarded.attempt("10.0.0.1", "jane") > 0


def test_ten_minutes_end_it() -> None:
    clock = _Clock()
    guarded = Throttle(clock)
    for _ in range(10):
        guarded.attempt("10.0.0.1", "joe")
    clock.now = 601
    assert guarded.attempt("10.0.0.1", "joe") == 0


def test_what_it_remembers_has_a_bound(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(throttle, "_MAX_KEPT", 5)
    guarded = Throttle(_Clock())
    for number in range(100):
        guarded.attempt("10.0.0.1", f"{number}" * 1000)
    assert sum(len(key[1]) <= 128 for key in guarded._failures) == 5
