"""A tuning: the strength of a method is found instead of given."""

import dataclasses
import itertools

import numpy as np

from power_bert_tf.analysis.trade_off import draw_trade_offs
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_json
from power_bert_tf.measure.comparison import operations
from power_bert_tf.methods import DEFAULT
from power_bert_tf.methods import get_method
from power_bert_tf.methods.method import FINE_TUNE
from power_bert_tf.runs.fit import job_in_memory
from power_bert_tf.runs.folder import DEV
from power_bert_tf.runs.folder import TEST
from power_bert_tf.runs.folder import RunFolder
from power_bert_tf.runs.folder import check_holds_only
from power_bert_tf.runs.job import named_epochs
from power_bert_tf.runs.job import total_epochs
from power_bert_tf.runs.layout import BEST
from power_bert_tf.runs.options import TuningOptions
from power_bert_tf.runs.options import as_json
from power_bert_tf.runs.points import panel
from power_bert_tf.runs.points import table
from power_bert_tf.runs.run import finish
from power_bert_tf.runs.scores import bert_at_its_best
from power_bert_tf.runs.scores import bert_steps
from power_bert_tf.runs.scores import drop
from power_bert_tf.runs.scores import outputs
from power_bert_tf.runs.strength_search import StrengthSearch
from power_bert_tf.runs.targets import MaxDrop
from power_bert_tf.runs.targets import Speedup
from power_bert_tf.training.loop import kept_by_text

FINE_TUNED, TRIED, RESULT, PICTURE = "fine-tuned", "tried", "tuning.json", "tuning.png"
_RATIOS = {"padded": "padded_over_padded", "unpadded": "unpadded_over_unpadded"}


def tune(
    train,
    dev=None,
    *,
    checkpoint,
    output,
    test=None,
    max_drop=None,
    speedup=None,
    trials=6,
    against="padded",
    confident=False,
    method=DEFAULT,
    task=None,
    **options,
):
    """Finds how much faster a BERT can be for a drop that you accept, or the reverse.

    Args:
        train, dev, checkpoint, output, test, method, task, **options: see `fit`.
        max_drop: float. The fastest model that loses at most so many points of the metric, on dev.
        speedup: float, instead. The smallest drop at so many times BERT's speed, in operations.
        trials: int, how many strengths to try at most, in each variant.
        against: "padded" or "unpadded": which speed counts.
        confident: bool. `max_drop` limits the upper end of the drop's 95 % interval.

    Returns:
        `Run`, the best one.

    Raises:
        InputError: where an argument cannot be used, or no trial meets the target.
    """
    target = TuningOptions(max_drop, speedup, trials, against, confident)
    target.check()
    job = job_in_memory(train, dev, test, checkpoint, output, method, task, options)
    return Tuning(job, target).run()


class Tuning:
    """Tries strengths over one fine-tuned BERT until a target is met as well as it can be.

    The output folder gets `fine-tuned`, a run for each trial below `tried`, tuning.json with all
    of them, tuning.png, and `best`, the run that is handed back. Nothing that is done is
    repeated: the same command goes on where it was, and another target in the same folder begins
    with the trials that are there.

    Args:
        job: `Job`, whose output is the folder.
        target: `TuningOptions`.
        command: dict, JSON-ready, what is recorded as the command; that of the job where None.
    """

    def __init__(self, job, target, command=None):
        self.job = job
        self.options = target
        self.command = command
        self.method = get_method(job.method)
        self.target = (
            Speedup(target.speedup)
            if target.max_drop is None
            else MaxDrop(target.max_drop, target.confident)
        )
        self._time_is_said = False
        self._sizes = None

    def run(self):
        """Runs what is not done yet; prints a table. Returns the best `Run`.

        Raises:
            InputError: where an option cannot be used, or no trial meets the target.
        """
        self.options.check()
        if self.job.training.seeds > 1:
            raise InputError(
                "`seeds` goes with `fit`: give it what a tuning has found. "
                f"Received: seeds={self.job.training.seeds}"
            )
        self.method.check_tuning(self.job.options)
        known = (FINE_TUNED, TRIED, RESULT, PICTURE, BEST)
        check_holds_only(self.job.output, known, "a tuning")
        jobs = [self._variant(name) for name in self.method.chosen_variants(self.job.options)]
        self._announce(jobs)
        # What the trials differ in plays no part in fine-tuning; one control serves them all.
        names = [step.name for step in jobs[0].steps() if step.shared]
        shared = dataclasses.replace(
            self.job,
            output=self.job.output / FINE_TUNED,
            options=self.method.shared_options(self.job.options),
            control_epochs=max(total_epochs(self._own_steps(job)) for job in jobs),
        )
        folder = shared.run(last=names[-1])
        # Kept beside the models, so that no trial has to ask them again.
        for step, name in itertools.product(bert_steps(folder), (DEV, TEST)):
            if name in folder.sets:
                outputs(folder, step, name)
        trains = not (self.job.training.skip_fine_tuning or self.job.training.fine_tuned)
        if trains:
            self._announce_time(folder, FINE_TUNE, jobs)
        tried = [trial for job in jobs for trial in self._try_out(job, jobs)]
        best = self.target.best(tried)
        self._write(folder, tried, best)
        if best is None:
            raise InputError(
                f"no configuration of the {len(tried)} tried {self.target.missed(tried)}. All are "
                f"kept in {self.job.output}: more `trials` go on from there. "
                f"Received: trials={self.options.trials}"
            )
        run = finish(RunFolder.open(self.job.output / TRIED / best["name"]))
        run.folder.link_to(self.job.output / BEST)
        return finish(RunFolder.open(self.job.output))

    def _variant(self, name):
        """The job of one variant, with what the method chooses for a tuning."""
        options = self.method.with_variant(self.job.options, name)
        times = self.options.speedup if self.options.against == "unpadded" else None
        job = dataclasses.replace(self.job, options=options)
        job = job.tuned(times=times, max_drop=self.options.max_drop)
        job.plan()  # Fails where an option cannot be used.
        return job

    @staticmethod
    def _own_steps(job):
        """The steps that each trial does for itself."""
        return [step for step in job.steps() if not step.shared]

    def _announce(self, jobs):
        own = self._own_steps(jobs[0])
        shared = [step for step in jobs[0].steps() if step not in own]
        count = self.options.trials * len(jobs)
        most = total_epochs(shared) + count * total_epochs(own)

        print(
            f"At most {count} trials over one fine-tuned BERT. Epochs, of "
            f"{jobs[0].epoch_length}: {named_epochs(shared)}; in each trial "
            f"{named_epochs(own)}, the latter where that is promising; {most} at most.",
            flush=True,
        )

    def _announce_time(self, folder, name, jobs):
        seconds = folder.step(name).seconds_an_epoch()
        count = self.options.trials * len(jobs) * total_epochs(self._own_steps(jobs[0]))
        print(
            f"\nAn epoch of {name} took {seconds:.0f} s. At that rate the trials take at most "
            f"{count * seconds / 60:.0f} minutes in all.",
            flush=True,
        )
        self._time_is_said = True

    def _try_out(self, job, jobs):
        """The trials in one variant, a list of dicts."""
        options = job.plan().options
        start = getattr(options, self.method.strength)
        search, tried = StrengthSearch(start, **self.method.strength_steps(options)), []
        while len(tried) < self.options.trials and (strength := search.next()) is not None:
            # As the folder's name says it.
            trial_job = self._trial(job, float(f"{strength:.3g}"))
            name = trial_job.output.name
            print(f"\n[trial {len(tried) + 1} of at most {self.options.trials}: {name}]")
            trial, exhausted = self._strengthened(trial_job, jobs)
            promising, trial["verdict"] = self.target.promising(trial, tried)
            if promising:
                self._complete(trial, trial_job)
            print(table(self.method.name, [trial]), flush=True)
            search.record(strength, self.target.too_much(trial, tried))
            tried.append(trial)
            if self.target.ends(trial):
                break
            following = search.next()
            if exhausted and following is not None and following > strength:
                break
        for trial in self.target.to_complete(tried):
            self._complete(trial, self._trial(job, trial["configuration"]["strength"]))
            print(table(self.method.name, [trial]), flush=True)
        return tried

    def _trial(self, job, strength):
        variant = next(
            name
            for name in self.method.variants(self.job.options)
            if self.method.with_variant(job.options, name) == job.options
        )
        options = dataclasses.replace(job.options, **{self.method.strength: strength})
        training = dataclasses.replace(
            job.training, fine_tuned=self.job.output / FINE_TUNED, skip_fine_tuning=False
        )
        name = f"{variant}-{strength:g}" if variant else f"{strength:g}"
        return dataclasses.replace(
            job, output=self.job.output / TRIED / name, options=options, training=training
        )

    def _strengthened(self, job, jobs):
        """A trial after the step that shows its speed, and whether more could not be faster."""
        folder = job.run(last=self.method.strengthened)
        if not self._time_is_said:
            self._announce_time(folder, self.method.strengthened, jobs)
        step = folder.step(self.method.strengthened)
        model = step.load_model()
        dev, reduction = self.job.data.dev, self.method.reduced(model)
        if self._sizes is None:
            token_ids, _ = folder.preprocessor().encode(dev.texts, dev.text_pairs)
            self._sizes = np.array([len(ids) for ids in token_ids])
        kept = kept_by_text(model, reduction, dev, folder.preprocessor(), self._sizes)
        cost = operations(model.config, model.sequence_length, reduction, self._sizes, kept)
        trial = {
            "name": job.output.name,
            "foretells": self.method.foretells(job.plan().options),
            "configuration": self.method.configuration(job.plan().options, model),
            "operations": cost,
            "speed": cost["speedup"][_RATIOS[self.options.against]],
            "score": {
                "bert": folder.step(bert_at_its_best(folder)).metrics()["score"],
                "strengthened": step.metrics()["score"],
            },
        }
        return trial, self.method.nothing_left(model)

    def _complete(self, trial, job):
        trial["score"] |= drop(job.run(), DEV)
        trial["verdict"] = self.target.verdict(trial)

    def _write(self, folder, tried, best):
        """Writes tuning.json and its picture; prints the table."""
        settings = folder.settings()
        value = self.options.speedup if self.options.max_drop is None else self.options.max_drop
        result = {
            "method": self.method.name,
            "task": settings["identity"]["task"]["name"],
            "metric": settings["identity"]["task"]["metric"],
            "examples": settings["examples"],
            "measured_by": DEV,
            "held_out": False,
            "target": {type(self.target).__name__: value, "confident": self.options.confident},
            "against": self.options.against,
            "bert": bert_at_its_best(folder),
            "best": None if best is None else best["name"],
            "points": tried,
            "command": self.command or as_json(self.options),
        }
        write_json(self.job.output / RESULT, result)
        print(
            f"\n{result['task']}, {result['metric']} on {result['examples']['dev']} dev examples; "
            f"{type(self.target).__name__} {value:g}, operations {result['against']}; BERT is the "
            f"better one by dev: {result['bert']}"
        )
        marked = [
            {**trial, "verdict": f"{trial['verdict']}: the best"} if trial is best else trial
            for trial in tried
        ]
        print(table(self.method.name, marked))
        title, lines = panel([result])
        if lines:
            draw_trade_offs({title: lines}, self.job.output / PICTURE)
