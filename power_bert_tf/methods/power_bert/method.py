"""PoWER-BERT as a method: its options, its steps, and what it says of what it found."""

import dataclasses

from power_bert_tf.errors import InputError
from power_bert_tf.methods.method import Method
from power_bert_tf.methods.power_bert.options import BOTH
from power_bert_tf.methods.power_bert.options import LINEAR
from power_bert_tf.methods.power_bert.options import PAPER
from power_bert_tf.methods.power_bert.options import PowerBertOptions
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration
from power_bert_tf.methods.power_bert.soft_extract import BASES
from power_bert_tf.methods.power_bert.steps import PICTURE
from power_bert_tf.methods.power_bert.steps import SEARCH
from power_bert_tf.methods.power_bert.steps import LinearSearch
from power_bert_tf.methods.power_bert.steps import ReTrain
from power_bert_tf.methods.power_bert.steps import Search
from power_bert_tf.methods.power_bert.steps import reaching_rate


class PowerBert(Method):
    """Fine-tune, search for a retention configuration, re-train with it."""

    name = "power-bert"
    title = "PoWER-BERT"
    Options = PowerBertOptions
    strength = "strength"
    strengthened = SEARCH

    def resolve(self, plan):
        options = plan.options
        options.check()
        if options.basis not in BASES:
            raise InputError(
                f"`basis` must be one of {', '.join(BASES)}. Received: basis={options.basis!r}"
            )
        if options.retention is not None:
            retention = RetentionConfiguration.parse(options.retention)
            retention.check(plan.num_layers, plan.task.sequence_length)
            options = dataclasses.replace(options, retention=str(retention), basis=retention.basis)
        if options.search is None:
            options = dataclasses.replace(options, search=PAPER)
        search_epochs = options.search_epochs or plan.epochs
        rate = options.retention_learning_rate
        options = options.with_published(plan.task.name)
        if rate is None:
            # The paper's is for its own number of steps: in a shorter search no strength would
            # eliminate much.
            rate = max(
                options.retention_learning_rate, reaching_rate(search_epochs * plan.steps_per_epoch)
            )
        return dataclasses.replace(
            options,
            retention_learning_rate=rate,
            search_epochs=search_epochs,
            retraining_epochs=options.retraining_epochs or plan.epochs,
        )

    def steps(self, plan):
        options, rate = plan.options, plan.task.learning_rate
        if options.retention is not None:
            retention = RetentionConfiguration.parse(options.retention)
            return (ReTrain(options.retraining_epochs, rate, retention, plan.patience),)
        if options.search == LINEAR:
            search = LinearSearch(options.strength, options.basis)
        else:
            search = Search(
                options.search_epochs,
                rate,
                options.retention_learning_rate,
                options.strength,
                options.basis,
            )
        return (search, ReTrain(options.retraining_epochs, rate, patience=plan.patience))

    def configuration(self, options, model):
        retention = self.reduced(model).retention
        return {
            "variant": retention.basis,
            "search": None if options.retention else options.search,
            "strength": None if options.retention else options.strength,
            "text": str(retention),
        }

    def describe(self, configuration):
        how = self.strength_text(configuration)
        return f"Retention configuration ({configuration['variant']}, {how})"

    def strength_text(self, configuration):
        if configuration["strength"] is None:
            return "given"
        if configuration.get("search") == LINEAR:
            return f"linear {configuration['strength']:g}x"
        return f"lambda {configuration['strength']:g}"

    def point_label(self, configuration):
        # The linear search's strength is the speed.
        is_linear = configuration.get("search") == LINEAR
        return "" if is_linear else self.strength_text(configuration)

    def reduced(self, model):
        if isinstance(model.reduction, Extraction):
            return model.reduction
        return Extraction(RetentionConfiguration.from_search(model))

    def check_configuration(self, text, num_layers, sequence_length):
        RetentionConfiguration.parse(text).check(num_layers, sequence_length)

    def with_configuration(self, model, text):
        return model.with_reduction(Extraction(RetentionConfiguration.parse(text)))

    def variants(self, options):
        return BASES

    def chosen_variants(self, options):
        return BASES if options.basis == BOTH else (options.basis,)

    def with_variant(self, options, name):
        return dataclasses.replace(options, basis=name)

    def searching(self, options):
        return dataclasses.replace(options, retention=None)

    def check_tuning(self, options):
        if options.strength == 0:
            raise InputError("`strength` must be above 0 to begin with. Received: strength=0")
        if options.retention is not None:
            raise InputError(
                "`retention` leaves nothing to find for `max_drop` or `speedup`. "
                f"Received: retention={options.retention!r}"
            )

    def for_tuning(self, plan, times=None, max_drop=None):
        options = plan.options
        if options.search is None:
            options = dataclasses.replace(options, search=LINEAR)
        if options.search == LINEAR:
            return dataclasses.replace(options, strength=options.strength or times)
        return options

    def strength_steps(self, options):
        if options.search == LINEAR:
            return {"step": 1.3, "narrow": 1.08, "least": 1.05}
        return {}

    def foretells(self, options):
        return options.search != LINEAR

    def nothing_left(self, model):
        return set(self.reduced(model).retention.lengths) == {1}

    def pictures(self, folder):
        return {"The search": folder / SEARCH / PICTURE}

    @property
    def demo(self):
        return PowerBertOptions(
            retention_learning_rate=4.5e-2, strength=7e-5, search_epochs=1, retraining_epochs=2
        )


METHOD = PowerBert()
