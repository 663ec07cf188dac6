"""Series of reports looked at week by week, near and far: what the features of every regression are made of.

Everything of week w is computed from days up to its end, one number at a time, so that cutting off later weeks changes
no bit of those that remain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from restframe_epidemic.panel import DAYS_OF_WEEK, FloatArray, Panel

PER = 100_000.0
"""Incidence is per this many people."""

_PAST = 8  # weeks of history that stand before the first week, without reports


class Weeks:
    """One series per row; before its first day nothing was reported. All methods give (M, W).

    daily : (M, 7 W) reports, without NaN
    people : (M,) who they are of
    """

    def __init__(self, daily: FloatArray, people: FloatArray) -> None:
        padded = np.concatenate([np.zeros((len(daily), DAYS_OF_WEEK * _PAST)), daily], axis=1)
        self.days = padded.reshape(len(daily), -1, DAYS_OF_WEEK)  # (M, _PAST + W, 7)
        self.people = people[:, None]

    def lag(self, weeks: int = 0, *, days: int = DAYS_OF_WEEK) -> FloatArray:
        """reports of the week so many weeks ago, or of its last days"""
        result: FloatArray = self.days[:, _PAST - weeks : self.days.shape[1] - weeks, -days:].sum(axis=2)
        return result

    def mean(self, weeks: int, *, start: int = 0, days: int = DAYS_OF_WEEK) -> FloatArray:
        total: FloatArray = sum((self.lag(start + week, days=days) for week in range(weeks)), np.zeros(()))
        return total / weeks

    def total(self) -> FloatArray:
        return np.cumsum(self.lag(), axis=1)

    def growth(self, weeks: int = 0, *, over: int = 1) -> FloatArray:
        """log growth to the week `weeks` ago, from `over` weeks before that"""
        return log_ratio(self.lag(weeks), self.lag(weeks + over))

    def late_growth(self, days: int) -> FloatArray:
        """log growth of the last days against the same weekdays of the week before, so that weekdays do not matter"""
        return log_ratio(self.lag(days=days), self.lag(1, days=days))

    def late_share(self) -> FloatArray:
        """share of the week's reports on its last three days, less what it was in the four weeks before"""
        now, before = self.lag(days=3), 4 * self.mean(4, start=1, days=3)
        return (now + 3) / (self.lag() + 7) - (before + 3) / (4 * self.mean(4, start=1) + 7)

    def median_day(self) -> FloatArray:
        """the median day of the last two weeks, which a single day's dump does not move"""
        both = np.concatenate([self.days[:, _PAST - 1 : -1], self.days[:, _PAST:]], axis=2)
        result: FloatArray = np.partition(both, (6, 7), axis=2)[:, :, 6:8].mean(axis=2)
        return result

    def largest_share(self) -> FloatArray:
        share: FloatArray = (self.days[:, _PAST:].max(axis=2) + 1) / (self.lag() + 7)
        return share

    def zero_days(self) -> FloatArray:
        share: FloatArray = (self.days[:, _PAST:] == 0).mean(axis=2)
        return share

    def age(self) -> FloatArray:
        """weeks since the tenth report, to 20"""
        return np.minimum(np.cumsum(self.total() >= 10, axis=1), 20).astype(np.float64)

    def incidence(self) -> FloatArray:
        """log(1 + the week's reports per 100,000 people)"""
        return np.log1p(self.lag() / self.people * PER)

    def rate(self, weeks: int = 1) -> FloatArray:
        """log of the mean weekly reports, and one, per 100,000 people"""
        return np.log((self.mean(weeks) + 1) / np.maximum(self.people, 1.0) * PER)

    def noise(self, weeks: int = 1) -> FloatArray:
        """about the relative error of so many weeks' reports, were they a Poisson count"""
        return 1 / np.sqrt(1 + weeks * self.mean(weeks))


def log_ratio(now: FloatArray, before: FloatArray) -> FloatArray:
    """of reports, of which there is always one more"""
    result: FloatArray = np.log((now + 1) / (before + 1))
    return result


@dataclass(frozen=True, slots=True)
class Widths:
    """One series at four widths, each with a row per place: its own, with its neighbours', its group's, everybody's."""

    own: Weeks
    near: Weeks
    group: Weeks
    nation: Weeks

    @staticmethod
    def of(panel: Panel, daily: FloatArray, people: FloatArray) -> Widths:
        """daily : (N, D) new reports without NaN; people : (N,)"""
        group = panel.by_group(daily)
        nation = sum(group, np.zeros(daily.shape[1]))
        return Widths(
            Weeks(daily, people),
            Weeks(neighbour_sums(panel, daily) + daily, neighbour_sums(panel, people) + people),
            Weeks(group[panel.group], panel.by_group(people)[panel.group]),
            Weeks(np.broadcast_to(nation, daily.shape), np.broadcast_to(people.sum(), people.shape)),
        )


def neighbour_sums(panel: Panel, values: FloatArray) -> FloatArray:
    """(N, ...) -> (N, ...): the sum over the places that touch each place."""
    counts = [len(places) for places in panel.neighbours]
    indices = np.concatenate([np.zeros(0, dtype=np.int64), *panel.neighbours])
    shape = (len(counts), len(counts))
    touch = csr_matrix((np.ones(len(indices)), indices, np.concatenate([[0], np.cumsum(counts)])), shape=shape)
    result: FloatArray = touch @ values
    return result


def regular_share(panel: Panel) -> FloatArray:
    """(N, W) the share of each week's days whose reports were neither moved by cleansing nor on a holiday.

    As many as usual count as none (the median of the week and the 7 before): a place that reports weekly has all of its
    days moved, and its weeks are as good as others'.
    """
    if not panel.irregular.size:
        return np.ones((len(panel.locations), len(panel.weeks)))
    share = panel.irregular.reshape(len(panel.locations), -1, DAYS_OF_WEEK).mean(axis=2)
    padded = np.pad(share, ((0, 0), (_PAST - 1, 0)), mode="edge")
    usual = np.median(np.lib.stride_tricks.sliding_window_view(padded, _PAST, axis=1), axis=2)
    result: FloatArray = 1 - np.maximum(share - usual, 0.0)
    return result
