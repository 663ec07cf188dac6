"""Agent-days per second, and memory, of the agent-based simulation against covasim on one and the same population.

    python benchmarks/epidemic_agents.py --covasim /path/to/python [--agents 100000] [--days 180]

`--covasim` is an interpreter of its own that has covasim 4. Each side runs in a process of its own with one thread;
times are CPU seconds of that process, memory is the growth of its largest resident size (Linux).

What is the same: the people (covasim makes them: ages, households, who goes to school and to work; we read them), the
contact rates per layer, the course of the disease (latent, before symptoms, with and without them; severe cases stay
infectious for longer), susceptibility and severity by age, the first infections. Turned off in covasim: waning
immunity, rescaling, spread of infectiousness between people and over time; testing, tracing and quarantine are off by
default. What is not: covasim's contacts at school, at work and in the community are fixed pairs, ours anybody of the
same group; so attack rates agree only nearly, and are printed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

FIRST = 100  # infected on day 0
BETAS = (0.016, 0.008)  # covasim's transmissions per contact and day; the first is its default
LAYERS = {"h": 3.0, "s": 0.6, "w": 0.6, "c": 0.3}
CONTACTS = {"h": 2.5, "s": 20, "w": 16, "c": 20}
SEED = 1


def memory(entry: str) -> float:
    """MB of this process: VmRSS now, VmHWM the largest since `forget`."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(entry)) / 1e3


def forget() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def covasim(agents: int, days: int, beta: float, path: Path) -> dict[str, Any]:
    """Run in the other interpreter. Leaves the people in `path`, for us to read."""
    import covasim as cv

    cv.Sim(pop_size=1000, n_days=2, pop_type="hybrid", verbose=0).run()  # compiled, imported
    forget()
    before = memory("VmRSS")
    sim = cv.Sim(
        pop_size=agents, pop_infected=FIRST, pop_type="hybrid", n_days=days, rand_seed=SEED, verbose=0, beta=beta,
        contacts=CONTACTS, beta_layer=LAYERS, use_waning=False, rescale=False,
        beta_dist={"dist": "uniform", "par1": 1.0, "par2": 1.0000001},
        viral_dist={"frac_time": 0.3, "load_ratio": 1, "high_cap": 4},
    )  # fmt: skip
    began = time.process_time()
    sim.init()
    initialised = time.process_time()
    edges = {name: np.array([net.edges.p1, net.edges.p2]) for name, net in sim.networks.items()}
    prognoses = {name: np.asarray(values) for name, values in cv.parameters.get_prognoses().items()}
    np.savez(path, age=np.asarray(sim.people.age), **edges, **{f"by_age_{name}": v for name, v in prognoses.items()})
    start = time.process_time()
    sim.run()
    end = time.process_time()
    infected = int(np.asarray(sim.results["cum_infections"])[-1])
    return {
        "version": cv.__version__, "init_s": initialised - began, "run_s": end - start, "infected": infected,
        "peak_day": int(np.asarray(sim.results["covid"]["n_infectious"]).argmax()), "mb": memory("VmHWM") - before,
        "died": int(np.asarray(sim.results["cum_deaths"])[-1]),
    }  # fmt: skip


def ours(days: int, beta: float, path: Path) -> dict[str, Any]:
    from restframe_epidemic.models.agents import kernel, randomness, simulation

    small = {name: values[..., :50] if name in LAYERS else values for name, values in np.load(path).items()}
    small = {name: values % 100 if name in LAYERS else values for name, values in small.items()}
    small["age"] = small["age"][:100]
    warm = np.full((1, 5), kernel.FREE)
    warm[0, 0] = 1
    simulation.simulate(
        population(small), prepared(small, beta), randomness.stream(0), target=warm, transmission=np.ones((1, 5))
    )  # compiled, or read from disk
    given = dict(np.load(path))
    forget()
    before = memory("VmRSS")
    began = time.process_time()
    people, disease = population(given), prepared(given, beta)
    made = time.process_time()
    target = np.full((1, days), kernel.FREE)
    target[0, 0] = FIRST

    def run(replicate: int) -> Any:
        return simulation.simulate(
            people, disease, randomness.stream(SEED, replicate), target=target, transmission=np.ones((1, days))
        )

    start = time.process_time()
    course = run(1)
    end = time.process_time()
    grown = memory("VmHWM") - before
    died = int(course.series("died").sum())
    more = [int(run(replicate).series("infected").sum()) for replicate in range(2, 7)]
    return {
        "init_s": made - began, "run_s": end - start, "infected": int(course.series("infected").sum()), "more": more,
        "peak_day": int(course.expected[0].argmax()), "contacts": int(course.contacts.sum()), "mb": grown,
        "died": died,
    }  # fmt: skip


def population(given: dict[str, Any]) -> Any:
    """covasim's people in our order: households side by side, one school, one workplace, which mix at random there as
    its random networks do."""
    from restframe_epidemic.models.agents.population import Population

    n = len(given["age"])
    household = np.arange(n)
    a, b = given["h"].min(axis=0), given["h"].max(axis=0)
    np.minimum.at(household, b, a)  # households are complete graphs: the smallest neighbour names them
    order = np.argsort(household, kind="stable")
    household = household[order]
    new = np.flatnonzero(np.diff(household, prepend=-1))
    size = np.diff(np.append(new, n))
    group = np.full(n, -1, dtype=np.int32)
    for number, layer in enumerate(("s", "w")):
        group[np.unique(given[layer])] = number
    group = group[order]
    start = np.array([0, *np.cumsum([(group == 0).sum(), (group == 1).sum()])], dtype=np.int32)
    member = np.concatenate([np.flatnonzero(group == 0), np.flatnonzero(group == 1)]).astype(np.int32)
    cutoffs = given["by_age_age_cutoffs"]
    band = (np.digitize(given["age"][order], cutoffs) - 1).astype(np.uint8)
    return Population(
        band, np.repeat(new, size).astype(np.int32), np.repeat(size - 1, size).astype(np.uint8), group, start, member, 1
    )


def prepared(given: dict[str, Any], beta: float) -> Any:
    """covasim's default parameters in our form. Its probabilities per contact and day become rates."""
    from scipy import stats

    from restframe_epidemic.models.agents.disease import SLICES, Prepared

    def days(mean: float, deviation: float) -> Any:
        spread = np.sqrt(np.log(1 + (deviation / mean) ** 2))
        at = (np.arange(SLICES) + 0.5) / SLICES
        return np.rint(stats.lognorm.ppf(at, spread, scale=mean * np.exp(-(spread**2) / 2))).clip(0, 255)

    by_age = {name.removeprefix("by_age_"): values for name, values in given.items() if name.startswith("by_age_")}
    symptoms, severe = by_age["symp_probs"], by_age["symp_probs"] * by_age["severe_probs"]
    critical = severe * by_age["crit_probs"]
    severity = np.stack([symptoms, severe, critical, critical * by_age["death_probs"]], axis=1)
    band = np.digitize(given["age"], by_age["age_cutoffs"]) - 1
    share = severe[band].mean() / symptoms[band].mean()
    # Severe cases are infectious until they recover: as many slices of the table as there are of them.
    ill = days(8.0, 2.0)
    slices = np.arange(SLICES) % 12 < round(12 * share)
    ill[slices] = (days(6.6, 4.9).mean() + days(18.1, 6.3))[slices]
    tables = np.stack(
        [
            days(4.5, 1.5).clip(min=1), days(1.1, 0.9), ill, days(8.0, 2.0), days(6.6, 4.9), days(18.1, 6.3),
            days(1.5, 2.0), days(10.7, 4.8), days(18.8, 6.8),
        ]
    ).astype(np.uint8)  # fmt: skip
    rate = {name: -np.log(1 - beta * factor) for name, factor in LAYERS.items()}
    degree = {name: 2 * given[name].shape[1] / len(np.unique(given[name])) for name in ("s", "w", "c")}
    strongest = by_age["sus_ORs"].max()
    rates = np.array([rate["h"], *(rate[name] * degree[name] for name in ("s", "w", "c"))]) * strongest
    return Prepared(
        rates, np.rint(by_age["sus_ORs"] / strongest * 65536).astype(np.int64),
        np.rint(severity * 65536).astype(np.int64), tables, 65536, float(tables[2].mean()),
    )  # fmt: skip


def child(python: str, *arguments: object) -> dict[str, Any]:
    command = ["nice", "-n", "5", python, __file__, "--child", *(str(argument) for argument in arguments)]
    threads = {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin", "HOME": str(Path.home())}
    printed = subprocess.run(command, check=True, capture_output=True, text=True, env=threads).stdout
    answer: dict[str, Any] = json.loads(printed.strip().splitlines()[-1])
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--covasim", default=sys.executable, help="a Python that has covasim 4")
    parser.add_argument("--agents", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        side, agents, days, beta, path = options.child
        run = covasim(int(agents), int(days), float(beta), Path(path)) if side == "covasim" else None
        print(json.dumps(run or ours(int(days), float(beta), Path(path))))
        return
    agent_days = options.agents * options.days
    print(f"{options.agents:,} agents, {options.days} days, one thread, CPU seconds")
    heads = ("beta", "side", "init s", "run s", "agent-days/s", "attack", "peak day", "deaths", "MB")
    print(" ".join(f"{head:>12}" for head in heads))
    for beta in BETAS:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "people.npz"
            theirs = child(options.covasim, "covasim", options.agents, options.days, beta, path)
            mine = child(sys.executable, "ours", options.agents, options.days, beta, path)
        for name, side in ((f"covasim {theirs['version']}", theirs), ("restframe", mine)):
            attack = side["infected"] / options.agents
            cells = (
                f"{beta:g}", name, f"{side['init_s']:.2f}", f"{side['run_s']:.4f}", f"{agent_days / side['run_s']:.3g}",
                f"{attack:.3f}", side["peak_day"], side["died"], f"{side['mb']:.0f}",
            )  # fmt: skip
            print(" ".join(f"{cell:>12}" for cell in cells))
        mean = float(np.mean([mine["infected"], *mine["more"]]))
        print(
            f"{beta:>12g} {'ratio':>12} speed {theirs['run_s'] / mine['run_s']:.0f}, memory "
            f"{theirs['mb'] / max(mine['mb'], 1):.1f} times less, attack (six seeds) {mean / theirs['infected']:.3f}; "
            f"{mine['run_s'] / mine['infected'] * 1e9:.0f} ns per infection of "
            f"{mine['contacts'] / mine['infected']:.1f} contacts"
        )


if __name__ == "__main__":
    main()
