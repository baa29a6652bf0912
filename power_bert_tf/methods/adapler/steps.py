"""The steps of AdapLeR after fine-tuning (section 3.3): saliency, and adapting."""

import dataclasses

import keras

from power_bert_tf.methods.adapler.adapting_optimizer import adapting_optimizer
from power_bert_tf.methods.adapler.reductions import SoftRemoval
from power_bert_tf.methods.adapler.saliency import averaged
from power_bert_tf.methods.adapler.saliency import fingerprint
from power_bert_tf.methods.adapler.saliency import read_saliency
from power_bert_tf.methods.adapler.saliency import saliency_of
from power_bert_tf.methods.adapler.saliency import without_separators
from power_bert_tf.methods.adapler.saliency import write_saliency
from power_bert_tf.methods.adapler.steepness import SteepnessSchedule
from power_bert_tf.methods.adapler.training_step import SALIENCY
from power_bert_tf.methods.method import FINE_TUNE
from power_bert_tf.methods.method import Step
from power_bert_tf.methods.method import TrainingStep
from power_bert_tf.methods.method import kept_models
from power_bert_tf.modeling import NoReduction
from power_bert_tf.modeling.flops import mean_flops
from power_bert_tf.training.training_data import TrainingResult

ADAPT = "adapt"
FILE = "saliency.npz"
# How many of the best epochs of fine-tuning saliency is averaged over.
BEST_EPOCHS = 3
# The log that says how good an epoch is, see `EpochMerit`.
MERIT, SPEED = "merit", "dev_times_fewer_operations"


@dataclasses.dataclass(frozen=True)
class Saliency(Step):
    """Finds what each word-piece of the training set contributes to its right answer.

    Averages over the best epochs of fine-tuning; what one file of the run holds.

    Args:
        no_separators: bool. [SEP] has none.
    """

    no_separators: bool = False
    name = SALIENCY
    shared = True

    def run(self, work):
        examples, preprocessor = work.data.train, work.data.preprocessor
        token_ids, _ = preprocessor.encode(examples.texts, examples.text_pairs)
        models = kept_models(work.folder_of(FINE_TUNE))
        megabytes = sum(map(len, token_ids)) * 2 / 1e6
        print(
            f"of {len(token_ids):,} texts, over the {len(models)} best epochs of fine-tuning: a "
            f"file of about {megabytes:.1f} MB",
            flush=True,
        )
        found = [
            saliency_of(
                keras.models.load_model(path), examples, preprocessor, work.backup / path.stem
            )
            for path in models
        ]
        saliency = averaged(found)
        if self.no_separators:
            saliency = without_separators(saliency, token_ids, preprocessor.tokenizer.sep_id)
        write_saliency(work.folder / FILE, saliency, fingerprint(examples, preprocessor))
        return TrainingResult(None, [], 0, None), {"epochs_averaged": len(models)}


@dataclasses.dataclass(frozen=True)
class Adapt(TrainingStep):
    """BERT, predictors and thresholds learn together; what is kept is the model that drops words.

    Keeps the fastest epoch whose dev score is within a limit of that of BERT at its best (the
    authors' rule, who have no control); the one with the best score where there is none.

    Args:
        options: `AdaplerOptions`, all resolved.
    """

    options: object
    name = ADAPT
    monitor = MERIT

    @property
    def epochs(self):
        return self.options.adapting_epochs

    def build(self, work):
        options = self.options
        bert = work.start() if options.from_pretrained else work.finished(FINE_TUNE)
        schedule = SteepnessSchedule(work.data.steps_per_epoch, *options.steepness)
        activation = bert.config.activation
        return bert.with_reduction(
            SoftRemoval(options.gamma, options.phi, schedule, activation=activation)
        )

    def optimizer(self, steps):
        options = self.options
        return adapting_optimizer(
            options.adapting_learning_rate,
            options.predictor_learning_rate,
            options.threshold_learning_rate,
            steps,
        )

    def callbacks(self, work):
        least = work.bert_score() - self.options.epoch_limit / 100
        return (EpochMerit(work.data, least),)

    def run(self, work):
        data, path = work.data, work.folder_of(SALIENCY) / FILE
        saliency = read_saliency(path, fingerprint(data.train, data.preprocessor))
        data = dataclasses.replace(data, by_word={SALIENCY: saliency})
        result, _ = super().run(dataclasses.replace(work, data=data))
        soft = result.model
        model = soft.with_reduction(soft.reduction.deployed)
        thetas = [
            float(soft.get_layer(soft.reduction.pooling_name(index)).theta.numpy())
            for index in range(1, soft.config.num_layers)
        ]
        etas = model.reduction.etas(model)
        return dataclasses.replace(result, model=model), {"eta": etas, "theta": thetas}


class EpochMerit(keras.callbacks.Callback):
    """Puts into the logs of every epoch how fast the model is on dev, and how good that makes it.

    The merit of an epoch is above that of all that lose too much, and the higher the fewer
    operations it takes without padding; of two that lose too much it is that of the better score.

    Args:
        data: `TrainingData`.
        least: float, the dev score that an epoch must reach.
    """

    def __init__(self, data, least):
        super().__init__()
        self.data = data
        self.least = least

    def on_epoch_end(self, epoch, logs=None):
        # TensorFlow's: a method can be asked for its reduction without.
        from power_bert_tf.training.loop import kept_words

        model = self.model.for_scoring(None)
        sizes, kept = kept_words(model, self.data.dev, self.data.preprocessor)
        bert = mean_flops(model.config, NoReduction(), sizes)
        logs[SPEED] = bert / mean_flops(model.config, model.reduction, sizes, kept)
        score = logs[f"dev_{self.data.metric}"]
        # A score is at most 1.
        logs[MERIT] = 1.0 + logs[SPEED] if score >= self.least else score
