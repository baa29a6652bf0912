"""AdapLeR as a method: its options, its steps, and what it says of what it found."""

import dataclasses

from power_bert_tf.errors import InputError
from power_bert_tf.methods.adapler.options import AdaplerOptions
from power_bert_tf.methods.adapler.steps import ADAPT
from power_bert_tf.methods.adapler.steps import BEST_EPOCHS
from power_bert_tf.methods.adapler.steps import Adapt
from power_bert_tf.methods.adapler.steps import Saliency
from power_bert_tf.methods.method import Method


class Adapler(Method):
    """Fine-tune, find the saliency of words, and adapt: drop what a text does not need."""

    name = "adapler"
    title = "AdapLeR"
    Options = AdaplerOptions
    strength = "phi"
    strengthened = ADAPT
    fine_tuned_epochs = BEST_EPOCHS

    def resolve(self, plan):
        plan.options.check()
        if plan.options.gammas and plan.options.gamma not in plan.options.gammas:
            raise InputError(
                "`gammas` goes with a tuning or a trade-off. "
                f"Received: gammas={plan.options.gammas}"
            )
        task = plan.task
        options = plan.options.with_published(
            task.name, task.learning_rate, plan.learning_rate_given
        )
        return options.with_fitting_rates(plan.steps_per_epoch)

    def steps(self, plan):
        return (Saliency(plan.options.no_separators), Adapt(plan.options))

    def configuration(self, options, model):
        etas = ",".join(f"{eta:.2f}" for eta in self.reduced(model).etas(model))
        variant = _variant(options.gamma) if options.gammas else ""
        return {"variant": variant, "strength": options.phi, "text": f"eta {etas}"}

    def describe(self, configuration):
        return f"Thresholds ({self.strength_text(configuration)})"

    def strength_text(self, configuration):
        return f"phi {configuration['strength']:g}"

    def variants(self, options):
        return tuple(map(_variant, options.gammas)) if options.gammas else ("",)

    def with_variant(self, options, name):
        by_name = {_variant(gamma): gamma for gamma in options.gammas or ()}
        return dataclasses.replace(options, gamma=by_name[name]) if name else options

    def shared_options(self, options):
        return AdaplerOptions(no_separators=options.no_separators)

    def check_tuning(self, options):
        if options.phi == 0:
            raise InputError("`phi` must be above 0 to begin with. Received: phi=0")

    def for_tuning(self, plan, times=None, max_drop=None):
        if plan.options.epoch_limit is not None or max_drop is None:
            return plan.options
        return dataclasses.replace(plan.options, epoch_limit=max_drop)

    def foretells(self, options):
        # There is nothing after the step that shows the speed.
        return False

    def nothing_left(self, model):
        return min(self.reduced(model).etas(model)) >= 0.999


def _variant(gamma):
    return f"gamma-{gamma:g}"


METHOD = Adapler()
