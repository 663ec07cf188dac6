"""statsforecast's side of ets_accuracy.py, in an interpreter that has it: AutoETS of each series.

A JSON object {"season", "steps", "series": [[..], ..]} on standard input; {"cpu_s", "quantiles": [[9 x steps], ..]} for
0.1, 0.2, .. 0.9 on standard output.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from statsforecast.models import AutoETS

LEVELS = [20, 40, 60, 80]


def main() -> None:
    asked = json.load(sys.stdin)
    AutoETS(season_length=1).forecast(y=np.arange(10.0), h=1)  # compiles
    began, found = time.process_time(), []
    for target in asked["series"]:
        model = AutoETS(season_length=asked["season"])
        one = model.forecast(y=np.array(target), h=asked["steps"], level=LEVELS)
        low = [one[f"lo-{level}"] for level in reversed(LEVELS)]
        quantiles = [*low, one["mean"], *(one[f"hi-{level}"] for level in LEVELS)]
        found.append([row.tolist() for row in quantiles])
    json.dump({"cpu_s": time.process_time() - began, "quantiles": found}, sys.stdout)


if __name__ == "__main__":
    main()
