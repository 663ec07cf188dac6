"""`restframe demo taxi`: the story of bring-your-own-model anomaly detection, from a CSV in a bucket to named events.

The statements are those of the Redshift ML demonstration script "BYOM to Redshift ML", with the endpoint's name in the
place where the script leaves a blank. It can be played again: what an earlier run left is replaced.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from restframe import __version__, errors
from restframe.cli import formats
from restframe.cli.demo import ridership
from restframe.cli.demo.calendar import NYC_TAXI, Event, clock_goes_back, with_holidays
from restframe.cli.demo.chart import page
from restframe.cli.demo.findings import Findings, Found, Row, find
from restframe.cli.demo.stage import Stage
from restframe.result import Result
from restframe.storage import ObjectUrl
from restframe.warehouse import Session, Warehouse

DATA = ObjectUrl.parse("s3://sagemaker-sample-files/datasets/tabular/anomaly_benchmark_taxi/NAB_nyc_taxi.csv")
TRAINING_DATA = "s3://restframe-demo/taxi/train/"
MODELS = "s3://restframe-demo/taxi/models"
ENDPOINT = "taxi-random-cut-forest"

# The forest of the notebook that belongs to the script.
HYPERPARAMETERS = {"feature_dim": 1, "num_trees": 50, "num_samples_per_tree": 512}

CREATE_TABLE = """\
DROP TABLE IF EXISTS public.rcf_taxi_data CASCADE;
CREATE TABLE public.rcf_taxi_data
(
ride_timestamp timestamp,
nbr_passengers int
);"""

COPY = f"""\
COPY public.rcf_taxi_data
FROM '{DATA}'
iam_role default ignoreheader 1 csv delimiter ',';"""

UNLOAD = f"""\
UNLOAD ('SELECT nbr_passengers FROM public.rcf_taxi_data ORDER BY ride_timestamp')
TO '{TRAINING_DATA}'
iam_role default csv parallel off cleanpath;"""

TRAIN = f"""\
job = warehouse.train(
    "random_cut_forest",
    {{"train": "{TRAINING_DATA}"}},
    "{MODELS}",
    hyperparameters={HYPERPARAMETERS},
)"""

DEPLOY = f'warehouse.deploy(job, "{ENDPOINT}")'

CREATE_MODEL = f"""\
CREATE MODEL public.remote_random_cut_forest
FUNCTION remote_fn_rcf(int)
RETURNS decimal(10,6)
SAGEMAKER '{ENDPOINT}'
IAM_ROLE  default;"""

SHOW_MODEL = "show model public.remote_random_cut_forest"

SCORES = """\
select ride_timestamp, nbr_passengers, public.remote_fn_rcf(nbr_passengers) as score
from public.rcf_taxi_data;"""

_CUTOFF = """\
with score_cutoff as
(select stddev(public.remote_fn_rcf(nbr_passengers)) as std, avg(public.remote_fn_rcf(nbr_passengers)) as mean, \
( mean + 3 * std ) as score_cutoff_value
from public.rcf_taxi_data)
"""

CUTOFF_VALUE = f"{_CUTOFF}\nselect score_cutoff_value from score_cutoff;"

ANOMALIES = f"""\
{_CUTOFF}
select ride_timestamp, nbr_passengers, public.remote_fn_rcf(nbr_passengers) as score
from public.rcf_taxi_data
where score > (select score_cutoff_value from score_cutoff)
order by 2 desc;"""


def run(given: argparse.Namespace) -> int:
    formats.utf8_output()
    given.out.mkdir(parents=True, exist_ok=True)
    directory = given.directory or given.out / "warehouse"
    with Warehouse(directory) as warehouse, warehouse.session() as session:
        stage = Stage()
        print(f"Anomalies in New York's taxi ridership, found with SQL. The warehouse is in {directory}")
        _put_data(stage, warehouse, given.data_file)
        _load(stage, session)
        _train(stage, warehouse)
        _create_model(stage, session)
        generated = given.data_file is None
        findings = _score(stage, session, generated=generated)
        with stage.step("Say what stands out"):
            _say_what_stands_out(stage, findings, generated=generated)
        chart = given.out / "taxi.html"
        with stage.step("Draw the chart"):
            _write_chart(stage, chart, findings, generated=generated)
            stage.say(f"{chart.resolve()} ({chart.stat().st_size / 1000:.0f} kB, opens in any browser, offline)")
        total_s = sum(step.seconds for step in stage.steps)
        print(f"\nDone in {total_s:.1f} s. Look around in it: restframe sql -d {directory}")
    return 0


# The steps


def _put_data(stage: Stage, warehouse: Warehouse, data_file: str | None) -> None:
    title = "Put the ridership into a bucket" if data_file else "Make up ridership and put it into a bucket"
    with stage.step(title):
        if data_file is None:
            _put_generated(warehouse)
            stage.say("No --data-file was given, so this is not New York's ridership: it is generated, in the same")
            stage.say(f"shape, from a fixed seed, with {len(ridership.HAPPENINGS)} invented events.")
        elif data_file.startswith("s3://"):
            source = ObjectUrl.parse(data_file)
            if source != DATA:
                warehouse.storage.put(DATA, warehouse.storage.read(source))
        else:
            warehouse.storage.put(DATA, _existing(data_file))
        stage.say(f"{data_file or 'generated'} -> {DATA}")


def _put_generated(warehouse: Warehouse) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "ridership.csv"
        ridership.write_csv(path)
        warehouse.storage.put(DATA, path)


def _existing(data_file: str) -> Path:
    path = Path(data_file).expanduser()
    if not path.is_file():
        raise errors.OperationalError(f'there is no file "{data_file}"')
    return path


def _load(stage: Stage, session: Session) -> None:
    with stage.step("Make the table", CREATE_TABLE):
        session.execute(CREATE_TABLE)
    with stage.step("Load it", COPY):
        _say_done(stage, session.execute(COPY))


def _train(stage: Stage, warehouse: Warehouse) -> None:
    with stage.step("Hand the passenger counts to training", UNLOAD):
        _say_done(stage, warehouse.sql(UNLOAD))
    with stage.step("Train a Random Cut Forest, as a job in a process of its own", TRAIN, "python"):
        job = warehouse.train(
            "random_cut_forest", {"train": TRAINING_DATA}, MODELS, hyperparameters=HYPERPARAMETERS, wait=False
        )
        for line in job.log(follow=True):
            # the metrics repeat in JSON what the other lines say
            if not line.text.startswith("#metrics"):
                stage.log(line.text)
        job.wait()
        stage.say(str(job.artifact))
    with stage.step("Deploy it as an endpoint", DEPLOY, "python"):
        if any(one.name == ENDPOINT for one in warehouse.jobs.endpoints.describe_all()):
            warehouse.jobs.remove(ENDPOINT)
        endpoint = warehouse.deploy(job, ENDPOINT)
        stage.say(f"{endpoint.name}: {endpoint.status}")


def _say_done(stage: Stage, result: Result) -> None:
    for text in [notice.message for notice in result.notices] or [result.tag]:
        stage.say(text)


def _create_model(stage: Stage, session: Session) -> None:
    if session.catalog.find_model("public", "remote_random_cut_forest") is not None:
        session.execute("DROP MODEL public.remote_random_cut_forest")
    with stage.step("Name the endpoint in SQL", CREATE_MODEL):
        session.execute(CREATE_MODEL)
    with stage.step("Ask whether the model is ready", SHOW_MODEL):
        stage.rows(session.execute(SHOW_MODEL))


def _score(stage: Stage, session: Session, *, generated: bool) -> Findings:
    with stage.step("Score every half hour", SCORES):
        stage.rows(session.execute(SCORES), limit=10)
    with stage.step("Cut off at three standard deviations above the mean", CUTOFF_VALUE):
        cutoff = float(session.execute(CUTOFF_VALUE).scalar())
        stage.say(f"{cutoff:.6f}")
    with stage.step("List what lies above, busiest first", ANOMALIES):
        stage.rows(session.execute(ANOMALIES), limit=15)
    rows = sorted(
        (Row(moment, riders, float(score)) for moment, riders, score in session.execute(SCORES)),
        key=lambda row: row.moment,
    )
    if not rows:
        raise errors.DataError("the data file has no rows")
    return find(rows, cutoff, _events(rows, generated))


def _events(rows: Sequence[Row], generated: bool) -> list[Event]:
    """A file that was given is taken to be New York's; its holidays are named even where no label does."""
    if generated:
        return ridership.events()
    return with_holidays(NYC_TAXI, rows[0].moment, rows[-1].moment)


# What is said at the end


def _say_what_stands_out(stage: Stage, findings: Findings, *, generated: bool) -> None:
    rows = [_table_row(one) for one in findings.found]
    if findings.elsewhere:
        peak = max(findings.elsewhere, key=lambda row: row.score)
        rows.append(
            ("no event known", f"{findings.days_elsewhere} days", "", str(len(findings.elsewhere)), *_peak(peak))
        )
    names = ("event", "from", "to", "half hours", "score", "highest at", "passengers")
    stage.table(names, rows, right=(3, 4, 6))
    hit = sum(one.above > 0 for one in findings.labelled)
    stage.say("")
    stage.say(
        f"{len(findings.above)} of {len(findings.rows):,} half hours are above the cut-off; "
        f"they touch {hit} of the {len(findings.labelled)} named events."
    )
    if not generated and any(clock_goes_back(one.peak.moment) for one in findings.found if one.above):
        stage.say("In the night of the marathon the clocks went back: the hour from 01:00 was counted twice.")


def _table_row(one: Found) -> tuple[str, ...]:
    name = one.event.name if one.event.kind == "event" else f"{one.event.name} (no label)"
    last = one.event.end - timedelta(minutes=30)
    return (
        name,
        f"{one.event.start:%d %b %H:%M}",
        f"{last:%d %b %H:%M}",
        str(one.above) if one.above else "none",
        *_peak(one.peak),
    )


def _peak(row: Row) -> tuple[str, str, str]:
    return f"{row.score:.4f}", f"{row.moment:%Y-%m-%d %H:%M}", f"{row.riders:,}"


def _write_chart(stage: Stage, path: Path, findings: Findings, *, generated: bool) -> None:
    first, last = findings.rows[0].moment, findings.rows[-1].moment
    source = (
        "The ridership is generated, in the shape of New York's, with five invented events."
        if generated
        else "Ridership as published with the Numenta Anomaly Benchmark or in its form."
    )
    lede = (
        f"{len(findings.rows):,} half hours from {_day(first)} to {_day(last)}, scored by a Random Cut Forest that was "
        f"trained, deployed and called from SQL on one machine. {source}"
    )
    forest = f"{HYPERPARAMETERS['num_trees']} trees, {HYPERPARAMETERS['num_samples_per_tree']} samples per tree at most"
    footer = f"Made by restframe {__version__}. Random Cut Forest with {forest}."
    with formats.whole_file(path) as partial:
        partial.write_text(page(findings, stage.steps, lede=lede, footer=footer), encoding="utf-8")


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"
