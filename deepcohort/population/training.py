"""Networks of a window: trained fold by fold, or taken from before with the head trained anew."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.arrays import save_arrays
from deepcohort.genome.backend import keras, write_events
from deepcohort.genome.progress import progress
from deepcohort.genome.tables import write_table
from deepcohort.population import network
from deepcohort.population.pool import log_softmax
from deepcohort.population.study import Scale, Study, Window
from deepcohort.population.weights import Sidecar, load_network, save_network

log = logging.getLogger(__name__)

Float32 = NDArray[np.float32]

BATCH = 64
ASKED = 512
"""People whom a network is asked about at once."""
RATE = 1e-3
HEAD_EPOCHS = 3
"""Epochs of a head that is trained anew, for each one of a whole network: its steps are cheap."""

HISTORY = ("fold", "epoch", "loss", "held_out_loss", "held_out_accuracy")


@dataclass(frozen=True)
class Answers:
    """Log-probabilities by a window's networks.

    ``panel`` float32[n, P] and ``panel_super`` float32[n, Q] are by the network that has not seen the person;
    ``people`` float32[m, P] and ``people_super`` of the cohort are means over the folds' networks.
    """

    panel: Float32
    panel_super: Float32
    people: Float32
    people_super: Float32

    def save(self, path: Path) -> None:
        """Write an npz archive without pickled objects."""
        save_arrays(path, vars(self))


def train_window(
    study: Study, name: str, out: Path, logs: Path, *, epochs: int, seed: int, weights: Path | None = None
) -> Answers:
    """Train a network for each fold of a window and ask them all.

    Networks and their sidecars go to ``out``, the course of the training to ``logs`` (TensorBoard's files and
    history.tsv). Where ``weights`` has a network of the window, its trunk is kept and its head is trained
    anew on the sites that the cohort has. Raises ``InputError`` where such a network does not fit.
    """
    window = study.window(name)
    panel = _columns(study.panel, window)
    kinds = len(study.populations), len(study.superpopulations)
    answers = Answers(
        *(
            np.zeros((rows, columns), np.float32)
            for rows in (len(panel), len(study.names))
            for columns in kinds
        )
    )
    history: list[dict[str, str]] = []
    with progress(f"Training {name}", study.folds) as bar:
        for fold in range(study.folds):
            held = study.fold == fold
            stem = f"{name}.fold{fold + 1}"
            model, scale, rows = _trained(study, window, panel, held, weights, stem, epochs, seed + fold)
            scores = _asked(model, scale, panel[held])
            answers.panel[held], answers.panel_super[held] = scores
            for batch in study.batches():
                found = _asked(model, scale, _columns(study.people[batch], window))
                answers.people[batch] += found[0] / study.folds
                answers.people_super[batch] += found[1] / study.folds
            accuracy = float((scores[0].argmax(axis=1) == study.label[held]).mean())
            save_network(
                out / f"{stem}.keras",
                model,
                _sidecar(study, window, held, scale, epochs, seed + fold, accuracy),
            )
            history += [{"fold": str(fold + 1), **row} for row in rows]
            write_events(logs / stem, rows, "epoch", HISTORY[2:])
            log.info("%s: %.1f %% of the %d people held out are right", stem, 100 * accuracy, held.sum())
            bar.update()
    write_table(logs / f"{name}.history.tsv", history, HISTORY)
    return answers


def _columns(copies: Any, window: Window) -> NDArray[np.int8]:
    """Copies at the window's own sites, int8[people, sites]; -1 where the cohort lacks a site."""
    here = np.asarray(copies[:, np.maximum(window.column, 0)])
    return np.where(window.column >= 0, here, np.int8(-1))


def _trained(
    study: Study,
    window: Window,
    panel: NDArray[np.int8],
    held: NDArray[np.bool_],
    weights: Path | None,
    stem: str,
    epochs: int,
    seed: int,
) -> tuple[keras.Model, Scale, list[dict[str, str]]]:
    """A network that has not seen those held out, its scale, and the course of its training."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    old = weights / f"{stem}.keras" if weights else None
    if old is None or not old.exists():
        scale = Scale.of(panel[~held])
        trunk = network.build_trunk(len(window.sites), seed)
        head = network.build_head(trunk.output_shape[1], len(study.populations), len(study.superpopulations))
        model = network.joined(trunk, head)
        return model, scale, _fit(model, scale(panel), study, held, epochs)
    model, sidecar = load_network(old, study, window)
    scale = Scale(np.array(sidecar.mean, np.float32), np.array(sidecar.spread, np.float32))
    trunk, head = model.get_layer("trunk"), model.get_layer("head")
    (features,) = _outputs(trunk, scale(panel))
    return model, scale, _fit(head, features, study, held, HEAD_EPOCHS * epochs)


def _fit(
    model: keras.Model, given: Float32, study: Study, held: NDArray[np.bool_], epochs: int
) -> list[dict[str, str]]:
    """Train with a rate that falls to 0; returns the course, epoch by epoch."""
    targets = [
        np.eye(len(study.populations), dtype=np.float32)[study.label],
        np.eye(len(study.superpopulations), dtype=np.float32)[study.continent[study.label]],
    ]
    steps = epochs * -(-int((~held).sum()) // BATCH)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=network.SMOOTHING)
    model.compile(
        optimizer=keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(RATE, steps), weight_decay=0.01
        ),
        loss=[loss, loss],
        loss_weights=[1.0, network.SUPER_WEIGHT],
        jit_compile=False,  # compiling takes longer than such a training
    )
    rows: list[dict[str, str]] = []
    truth, watched = study.label[held], given[held]

    def note(epoch: int, logs: dict[str, float]) -> None:
        odds = _outputs(model, watched)[0]
        found = log_softmax(odds)
        rows.append(
            {
                "epoch": str(epoch + 1),
                "loss": f"{logs['loss']:.5f}",
                "held_out_loss": f"{-found[np.arange(len(truth)), truth].mean():.5f}",
                "held_out_accuracy": f"{(odds.argmax(axis=1) == truth).mean():.5f}",
            }
        )

    model.fit(
        given[~held],
        [target[~held] for target in targets],
        batch_size=BATCH,
        epochs=epochs,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=note)],
    )
    return rows


def _asked(model: keras.Model, scale: Scale, copies: NDArray[np.int8]) -> tuple[Float32, Float32]:
    """Log-probabilities of populations and of superpopulations."""
    one, other = _outputs(model, scale(copies))
    return log_softmax(one).astype(np.float32), log_softmax(other).astype(np.float32)


def _outputs(model: keras.Model, given: Float32) -> list[Float32]:
    """What a model gives, batch by batch (called as it is: compiling takes longer than a few batches)."""
    parts = [
        keras.tree.flatten(model(given[first : first + ASKED], training=False))
        for first in range(0, len(given), ASKED)
    ]
    return [
        np.concatenate([keras.ops.convert_to_numpy(one) for one in part]) for part in zip(*parts, strict=True)
    ]


def _sidecar(
    study: Study,
    window: Window,
    held: NDArray[np.bool_],
    scale: Scale,
    epochs: int,
    seed: int,
    accuracy: float,
) -> Sidecar:
    return Sidecar(
        window=window.name,
        chrom=window.chrom,
        sites=window.sites,
        mean=[round(float(value), 6) for value in scale.mean],
        spread=[round(float(value), 6) for value in scale.spread],
        populations=study.populations,
        superpopulations=study.superpopulations,
        continent=study.continent.tolist(),
        seed=seed,
        epochs=epochs,
        trained_on=int((~held).sum()),
        held_out=[name for name, out in zip(study.panel_names, held, strict=True) if out],
        held_out_accuracy=round(accuracy, 5),
    )
