"""Random Cut Forest as SageMaker's container `randomcutforest` runs it.

https://docs.aws.amazon.com/sagemaker/latest/dg/randomcutforest.html
https://docs.aws.amazon.com/sagemaker/latest/dg/rcf_hyperparameters.html
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.ml.algorithm import Algorithm, Channel, Trained
from restframe.ml.containers.records import (
    TRAINING_CONTENT_TYPES,
    answer_scores,
    read_channel,
)
from restframe.ml.hyperparameters import HyperParameter
from restframe.ml.training_log import TrainingLog

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from restframe.ml.random_cut_forest import Forest

    FloatArray = npt.NDArray[np.float64]

_MODEL_FILE = "random_cut_forest.model"
_METRICS = ("accuracy", "precision_recall_fscore")

_HYPERPARAMETERS = (
    HyperParameter("feature_dim", "integer", required=True, low=1, high=10_000),
    HyperParameter("num_trees", "integer", "100", low=50, high=1000),
    HyperParameter("num_samples_per_tree", "integer", "256", low=1, high=2048),
    HyperParameter("eval_metrics", "list", '["accuracy", "precision_recall_fscore"]', choices=_METRICS),
    HyperParameter("mini_batch_size", "integer", "1000", low=1),
    # ours: the same seed gives the same forest; SageMaker has no such parameters
    HyperParameter("seed", "integer", "0", low=0, high=2**63 - 1),
    HyperParameter("partition", "text", "sagemaker", choices=("sagemaker", "random")),
)


class ForestPredictor:
    """A forest in memory that scores rows in its own units."""

    def __init__(self, forest: Forest) -> None:
        self._forest = forest

    @property
    def feature_count(self) -> int:
        return self._forest.feature_count

    def predict(self, points: FloatArray) -> FloatArray:
        from restframe.ml.random_cut_forest import score

        return score(self._forest, points)


def train(parameters: Mapping[str, Any], channels: Mapping[str, Channel], log: TrainingLog) -> Trained:
    from restframe.ml.random_cut_forest import fit, save

    _log_configuration(parameters, log)
    log.info("Verifying hyperparamemters...")  # spelled as the container spells it
    log.info("Hyperparameters are correct.")
    log.info("Validating that feature_dim agrees with dimensions in training data...")
    began = time.time()
    points = read_channel("train", channels["train"]).features
    feature_dim = parameters["feature_dim"] or points.shape[1]
    if points.shape[1] != feature_dim:
        raise errors.DataError(f"feature_dim is {feature_dim}, but the training data has {points.shape[1]} columns")
    log.info("feature_dim is correct.")
    log.took(log.started, "initialize.time")
    log.info("Sampling training data...")
    log.info("Sampling training data completed.")
    log.took(began, "update.time", epochs=1)
    log.progress(100)
    batches = -(-len(points) // parameters["mini_batch_size"])
    counts = {"Total Records Seen": len(points), "Total Batches Seen": batches, "Reset Count": 1}
    log.metrics(began, counts, Meta="training_data_iter", epoch=0)
    throughput = log.throughput(len(points), began)
    log.info("Master node: building Random Cut Forest...")
    log.info("Gathering samples...")
    pool = min(len(points), parameters["num_trees"] * parameters["num_samples_per_tree"])
    log.info(f"{pool} samples gathered")
    log.info("Building Random Cut Forest...")
    began = time.time()
    forest = fit(
        points,
        num_trees=parameters["num_trees"],
        num_samples_per_tree=parameters["num_samples_per_tree"],
        seed=parameters["seed"],
        partition=parameters["partition"],
    )
    fitted = time.time()
    log.info("Random Cut Forest built: ")
    model = save(forest)
    log.line(_forest_info(forest, len(model)))
    log.metrics(began, {"fit_model.time": (fitted - began) * 1000, "model.bytes": len(model)})
    log.info("Master node: Serializing the RandomCutForest model")
    log.took(fitted, "serialize_model.time")
    metrics = {"train:progress": 100.0, "train:throughput": throughput}
    if "test" in channels:
        metrics |= _test(ForestPredictor(forest), channels["test"], parameters["eval_metrics"], log)
    else:
        log.info("Test data is not provided.")
    log.took(log.started, "totaltime")
    return Trained({_MODEL_FILE: model}, metrics)


def load(files: Mapping[str, bytes]) -> ForestPredictor:
    import numpy as np

    from restframe.ml.random_cut_forest import load as load_forest

    if _MODEL_FILE not in files:
        raise errors.DataError(f'the artefact has no "{_MODEL_FILE}"')
    predictor = ForestPredictor(load_forest(files[_MODEL_FILE]))
    # the first score brings the compiled kernel into memory: better now than in the first request
    predictor.predict(np.zeros((1, predictor.feature_count)))
    return predictor


RANDOM_CUT_FOREST = Algorithm(
    name="random_cut_forest",
    image="randomcutforest",
    label="RandomCutForest",
    hyperparameters=_HYPERPARAMETERS,
    model_file=_MODEL_FILE,
    required_channels=("train",),
    optional_channels=("test",),
    training_content_types=TRAINING_CONTENT_TYPES,
    train=train,
    load=load,
    invoke=answer_scores,
    metrics={
        "train:progress": r"#progress_metric: host=\S+, completed (\S+) % epochs",
        "train:throughput": r"#throughput_metric: host=\S+, train throughput=(\S+) records/second",
        "test:accuracy": r"#test_score \(algo-1\) : \('accuracy', ([^)]+)\)",
        "test:precision": r"#test_score \(algo-1\) : \('precision_recall_fscore', \(([^,]+), [^,]+, [^)]+\)\)",
        "test:recall": r"#test_score \(algo-1\) : \('precision_recall_fscore', \([^,]+, ([^,]+), [^)]+\)\)",
        "test:f1": r"#test_score \(algo-1\) : \('precision_recall_fscore', \([^,]+, [^,]+, ([^)]+)\)\)",
    },
)


def _log_configuration(parameters: Mapping[str, Any], log: TrainingLog) -> None:
    default = {
        "num_samples_per_tree": 256, "num_trees": 100, "force_dense": "true", "eval_metrics": list(_METRICS),
        "epochs": 1, "mini_batch_size": 1000, "_log_level": "info", "_kvstore": "dist_async",
        "_num_kv_servers": "auto", "_num_gpus": "auto", "_tuning_objective_metric": "",
    }  # fmt: skip
    log.info(f"Reading default configuration from default-conf.json: {default}")
    log.info(f"Final configuration: {default | {k: v for k, v in parameters.items() if v is not None}}")


def _forest_info(forest: Forest, size_bytes: int) -> str:
    """The container's summary; its lists end in a comma, and its averages are cut to whole numbers."""
    nodes, depths = forest.node_counts, forest.depths
    per_tree = forest.samples_per_tree
    fields = {
        "num_trees": len(nodes),
        "num_samples_in_forest": per_tree * len(nodes),
        "num_samples_per_tree": per_tree,
        "sample_dim": forest.feature_count,
        "shingle_size": 1,
        "trees_num_nodes": _listed(nodes),
        "trees_depth": _listed(depths),
        "max_num_nodes": max(nodes),
        "min_num_nodes": min(nodes),
        "avg_num_nodes": sum(nodes) // len(nodes),
        "max_tree_depth": max(depths),
        "min_tree_depth": min(depths),
        "avg_tree_depth": sum(depths) // len(depths),
        "mem_size": size_bytes,
    }
    return "ForestInfo{" + ", ".join(f"{name}: {value}" for name, value in fields.items()) + "}"


def _listed(numbers: list[int]) -> str:
    return "[" + "".join(f"{number}, " for number in numbers) + "]"


def _test(predictor: ForestPredictor, channel: Channel, wanted: list[str], log: TrainingLog) -> dict[str, float]:
    """How well the usual rule finds the labelled anomalies: a score more than three standard deviations above the mean.

    https://docs.aws.amazon.com/sagemaker/latest/dg/random-cut-forest-tuning.html
    """
    records = read_channel("test", channel, label_size=1)
    if records.labels is None:
        raise errors.DataError('the channel "test" has no labels')
    scores = predictor.predict(records.features)
    found = scores > scores.mean() + 3 * scores.std()
    anomalous = records.labels != 0
    hits = int((found & anomalous).sum())
    precision = hits / max(1, int(found.sum()))
    recall = hits / max(1, int(anomalous.sum()))
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    metrics = {}
    if "accuracy" in wanted:
        metrics["test:accuracy"] = float((found == anomalous).mean())
        log.info(f"#test_score (algo-1) : ('accuracy', {metrics['test:accuracy']})")
    if "precision_recall_fscore" in wanted:
        metrics |= {"test:precision": precision, "test:recall": recall, "test:f1": f1}
        log.info(f"#test_score (algo-1) : ('precision_recall_fscore', ({precision}, {recall}, {f1}))")
    return metrics
