"""The three steps in a run folder: what is done stays, what is not is done."""

import dataclasses
import shutil
import time

import keras

from power_bert_tf.commands.fit_options import FitOptions
from power_bert_tf.data import Task
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_json
from power_bert_tf.methods.power_bert import plots
from power_bert_tf.modeling import RetentionConfiguration
from power_bert_tf.runs.folder import RunFolder
from power_bert_tf.training import steps


@dataclasses.dataclass(frozen=True)
class FitSteps:
    """Fine-tuning, search and re-training of one run, each skipped where it is finished.

    Args:
        options: `FitOptions`.
        run: `RunFolder`.
        task: `Task`, with the values that hold for the run.
        data: `StepData`.
    """

    options: FitOptions
    run: RunFolder
    task: Task
    data: steps.StepData

    def fine_tune(self, model):
        """Step 1, from a model that stands over the checkpoint."""
        folder = self.run.step("fine-tune")
        skipped = ", as the checkpoint is" if self.options.skip_fine_tuning else ""
        if self._announce(folder, f"1/3 fine-tune{skipped}"):
            return
        start = time.perf_counter()
        if self.options.skip_fine_tuning:
            result = steps.take_fine_tuned(model, self.data)
            print(f"{self.task.metric} on dev: {result.score:.4f}")
            folder.finish(result, time.perf_counter() - start)
            return
        result = steps.fine_tune(
            model,
            self.data,
            self.options.step_epochs(self.task)["fine-tune"],
            self.task.learning_rate,
            folder.backup,
            self.options.xla,
        )
        folder.finish(result, time.perf_counter() - start)

    def search(self):
        """Step 2, and the retention configuration that it found."""
        folder = self.run.step("search")
        if self._announce(folder, "2/3 search"):
            return
        epochs = self.options.step_epochs(self.task)["search"]
        lowest = steps.reachable_retention(
            self.task.retention_learning_rate, epochs * self.data.steps_per_epoch
        )
        if lowest > 0:
            print(
                f"Note: {epochs * self.data.steps_per_epoch} steps at a retention learning rate of "
                f"{self.task.retention_learning_rate:g} bring a retention parameter down to "
                f"{lowest:.2f} at the lowest. A higher --retention-learning-rate or more epochs "
                "let the search go further."
            )
        keras.utils.set_random_seed(self.options.seed + 1)
        start = time.perf_counter()
        result, course = steps.search(
            self.run.step("fine-tune").load_model(),
            self.data,
            epochs,
            self.task.learning_rate,
            self.task.retention_learning_rate,
            folder.backup,
            self.task.strength,
            self.options.basis,
            self.options.xla,
        )
        reduction = result.model.reduction
        retention = RetentionConfiguration.from_search(result.model)
        parameters = reduction.retention_parameters(result.model)
        write_json(
            folder.path / "masses.json",
            {
                **course,
                "final_masses": reduction.masses(result.model),
                "retention_parameters": [values.tolist() for values in parameters],
            },
        )
        try:
            plots.draw_search(course, parameters, retention, folder.path / "masses.png")
        except InputError as error:
            print(f"No picture of the search: {error}")
        self.run.write_retention(retention)
        folder.finish(result, time.perf_counter() - start, retention=str(retention))

    def re_train(self, source):
        """Step 3, from the model of the step called `source`."""
        folder = self.run.step("re-train")
        if self._announce(folder, f"3/3 re-train with {self.run.retention()}"):
            return
        keras.utils.set_random_seed(self.options.seed + 2)
        start = time.perf_counter()
        result = steps.re_train(
            self.run.step(source).load_model(),
            self.data,
            self.options.step_epochs(self.task)["re-train"],
            self.task.learning_rate,
            folder.backup,
            self.run.retention(),
            self.options.xla,
        )
        folder.finish(result, time.perf_counter() - start)

    @staticmethod
    def _announce(folder, title):
        print(f"\n[{title}]{' done before' if folder.finished else ''}", flush=True)
        if folder.finished:
            # There still, where the run was killed between the last file and its removal.
            shutil.rmtree(folder.backup, ignore_errors=True)
        return folder.finished
