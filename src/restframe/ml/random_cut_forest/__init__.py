"""Random Cut Forest: anomaly scores as SageMaker's built-in algorithm gives them, and which features they come from.

forest = fit(points)
scores = score(forest, points)
blame = attribution(forest, points)
again = load(save(forest))
"""

from restframe.ml.random_cut_forest.file import load, save
from restframe.ml.random_cut_forest.fitting import fit
from restframe.ml.random_cut_forest.forest import Forest, Partition
from restframe.ml.random_cut_forest.scoring import attribution, score

__all__ = ["Forest", "Partition", "attribution", "fit", "load", "save", "score"]
