"""The steps of PoWER-BERT after fine-tuning (section 3.4): a search, and re-training."""

import dataclasses

import numpy as np

from power_bert_tf.files import write_json
from power_bert_tf.methods.method import FINE_TUNE
from power_bert_tf.methods.method import Step
from power_bert_tf.methods.method import TrainingStep
from power_bert_tf.methods.power_bert import plots
from power_bert_tf.methods.power_bert.linear_search import linear_search
from power_bert_tf.methods.power_bert.linear_search import operations_ratio
from power_bert_tf.methods.power_bert.mass_history import MassHistory
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.reductions import SoftExtraction
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration
from power_bert_tf.methods.power_bert.search_optimizer import search_optimizer
from power_bert_tf.training.optimizers import fine_tuning_optimizer
from power_bert_tf.training.schedules import rate_to_reach
from power_bert_tf.training.schedules import reach
from power_bert_tf.training.training_data import TrainingResult

SEARCH, RE_TRAIN = "search", "re-train"
MASSES, PICTURE = "masses.json", "masses.png"


@dataclasses.dataclass(frozen=True)
class Search(TrainingStep):
    """BERT with soft-extract layers learns how many word-vectors to keep.

    Keeps the last epoch, because the masses go on falling while the score does.

    Args:
        epochs: int.
        learning_rate: float, the peak for BERT's weights.
        retention_learning_rate: float, the peak for the retention parameters.
        strength: float, the paper's lambda.
        basis: "absolute" or "relative".
    """

    epochs: int
    learning_rate: float
    retention_learning_rate: float
    strength: float
    basis: str = "absolute"
    name = SEARCH
    keeps_best = False

    def build(self, work):
        return work.finished(FINE_TUNE).with_reduction(SoftExtraction(self.strength, self.basis))

    def optimizer(self, steps):
        return search_optimizer(self.learning_rate, self.retention_learning_rate, steps)

    def callbacks(self, work):
        return (MassHistory(work.backup / MASSES, work.data.steps_per_epoch),)

    def run(self, work):
        steps = self.epochs * work.data.steps_per_epoch
        lowest = reachable_retention(self.retention_learning_rate, steps)
        if lowest > 0:
            print(
                f"Note: {steps} steps at a retention learning rate of "
                f"{self.retention_learning_rate:g} bring a retention parameter down to "
                f"{lowest:.2f} at the lowest. A higher --retention-learning-rate or more epochs "
                "let the search go further."
            )
        return super().run(work)

    def findings(self, result, work):
        reduction = result.model.reduction
        retention = RetentionConfiguration.from_search(result.model)
        history = MassHistory(work.backup / MASSES, work.data.steps_per_epoch).record
        parameters = reduction.retention_parameters(result.model)
        masses = {
            **history,
            "final_masses": reduction.masses(result.model),
            "retention_parameters": [values.tolist() for values in parameters],
        }
        write_json(work.folder / MASSES, masses)
        plots.draw_search(history, parameters, retention, work.folder / PICTURE)
        return {"retention": str(retention)}


@dataclasses.dataclass(frozen=True)
class LinearSearch(Step):
    """Finds the linear configuration of a speed; nothing is trained.

    Args:
        times: float, how many times fewer operations than BERT's, both without padding.
        basis: "absolute" or "relative".
    """

    times: float
    basis: str = "absolute"
    name = SEARCH

    @property
    def title(self):
        return f"{SEARCH}, linear: {self.times:g} times fewer operations without padding"

    def run(self, work):
        # TensorFlow's: a method can be asked for its reduction without.
        from power_bert_tf.training.loop import evaluate

        bert, data = work.finished(FINE_TUNE), work.data
        token_ids, _ = data.preprocessor.encode(data.dev.texts, data.dev.text_pairs)
        sizes = np.array([len(ids) for ids in token_ids])
        found = linear_search(bert.config, sizes, bert.sequence_length, self.times, self.basis)
        reached = operations_ratio(bert.config, sizes, found)
        if reached < self.times:
            print(f"Note: nothing is faster than {reached:.2f} times on the dev examples.")
        model = bert.with_reduction(Extraction(found))
        score = evaluate(model, data)
        print(
            f"retention: {found}, {reached:.2f} times fewer operations; {data.metric} on dev "
            f"before re-training: {score:.4f}"
        )
        return TrainingResult(model, [], 0, score), {"retention": str(found)}


@dataclasses.dataclass(frozen=True)
class ReTrain(TrainingStep):
    """BERT with extract layers recovers. Keeps the best epoch.

    Args:
        epochs: int, at most.
        learning_rate: float, the peak.
        retention: `RetentionConfiguration`; what the search has learnt where None.
        patience: int, see `TrainingStep`.
    """

    epochs: int
    learning_rate: float
    retention: RetentionConfiguration | None = None
    patience: int | None = None
    name = RE_TRAIN

    @property
    def title(self):
        return RE_TRAIN if self.retention is None else f"{RE_TRAIN} with {self.retention}"

    def build(self, work):
        if self.retention is not None:
            return work.finished(FINE_TUNE).with_reduction(Extraction(self.retention))
        searched = work.finished(SEARCH)
        if isinstance(searched.reduction, Extraction):
            return searched
        retention = RetentionConfiguration.from_search(searched)
        print(f"retention: {retention}")
        return searched.with_reduction(Extraction(retention))

    def optimizer(self, steps):
        return fine_tuning_optimizer(self.learning_rate, steps)

    def findings(self, result, work):
        return {"retention": str(result.model.reduction.retention)}


def reachable_retention(retention_learning_rate, steps):
    """How far down a retention parameter can come from 1 in a search of so many steps.

    Where it can move by 0.4, no position can be dropped below 0.6 of itself, whatever lambda is.

    Args:
        retention_learning_rate: float, the peak.
        steps: int.

    Returns:
        float in [0, 1]: the lowest value that a retention parameter can reach.
    """
    return max(0.0, 1.0 - reach(retention_learning_rate, steps))


def reaching_rate(steps):
    """The retention learning rate that can bring a parameter from 1 to 0, and a quarter further.

    Args:
        steps: int, of the search.
    """
    return rate_to_reach(1.25, steps)
