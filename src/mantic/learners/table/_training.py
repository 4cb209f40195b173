"""Train the network of `_network.py`: first weights, schedule, steps, and which epoch is kept."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from mantic.core.budget import Deadline
from mantic.core.learner import Params
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.learners.table._network import Pass, Weights, backward, forward

_MEMORY, _MEMORY_SQUARES, _TINY = 0.9, 0.95, 1e-8  # of Adam
_MIXED = 3  # outputs per number, beside the number itself
_MOST_WAVES = 64  # numbers; with more (texts, mostly) waves cost more than they bring
_RATE_FACTORS = {"scale": 6.0, "base": 0.1, "frequency": 0.1, "phase": 0.1, "mix": 0.1, "shift": 0.1}
_CYCLE_ENDS = (1 / 15, 3 / 15, 7 / 15, 1.0)
_JUDGED_AT_ONCE = 1_000  # rows: a pass keeps what each layer said of each of them by each voice
_SAFETY = 0.85  # share of the time that steps are planned for; answers come after them


@dataclass(frozen=True)
class Rows:
    """Encoded rows with what the network should answer: one-hot classes, or standardised values (n_rows, 1)."""

    inputs: tuple[Array, Array]
    labels: Array

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.labels)

    def take(self, places: Array) -> "Rows":
        """Return some of them."""
        numbers, flags = self.inputs
        return Rows((numbers[places], flags[places]), self.labels[places])


def coslog4(done: float) -> float:
    """Return the factor on the rate when a share of the training is done: four waves, each twice as long.

    Source: Holzmueller et al. (2024).

    >>> [round(coslog4(share), 3) for share in (0, 0.0276, 1)]
    [0.0, 1.0, 0.0]
    """
    return float(0.5 * (1 - np.cos(2 * np.pi * np.log2(1 + 15 * done))))


def flat_cos(done: float) -> float:
    """Return 1 for the first half, then a fall to 0.

    >>> flat_cos(0.2), round(flat_cos(0.75), 3), round(flat_cos(1.0), 3)
    (1.0, 0.5, 0.0)
    """
    return float(0.5 * (1 + np.cos(np.pi * max(0.0, 2 * done - 1))))


@dataclass
class Adam:
    """All weights in one vector with their gradient, moved by Adam with decoupled decay (Loshchilov, Hutter 2019)."""

    weights: Weights
    gradient: Weights
    vector: Array
    slope: Array
    rate: Array  # factor per weight
    decay: Array
    mean: Array = field(init=False)
    square: Array = field(init=False)
    n_steps: int = 0

    def __post_init__(self) -> None:
        """Start without memory."""
        self.mean, self.square = np.zeros_like(self.vector), np.zeros_like(self.vector)

    @classmethod
    def of(cls, first: Weights) -> "Adam":
        """Take over these weights."""
        vector = np.concatenate([one.ravel() for one in first.values()]).astype(np.float32)
        slope, rate, decay = np.zeros_like(vector), np.ones_like(vector), np.zeros_like(vector)
        weights, gradient, at = {}, {}, 0
        for name, one in first.items():
            part = slice(at, at + one.size)
            weights[name], gradient[name] = vector[part].reshape(one.shape), slope[part].reshape(one.shape)
            rate[part] = _RATE_FACTORS.get(name.rstrip("0123456789"), 1.0)
            decay[part] = name.startswith("weight")
            at += one.size
        return cls(weights, gradient, vector, slope, rate, decay)

    def step(self, rate: float, decay: float) -> None:
        """Move the weights along the gradient."""
        self.n_steps += 1
        first, second = 1 - _MEMORY**self.n_steps, 1 - _MEMORY_SQUARES**self.n_steps
        self.mean += (1 - _MEMORY) * (self.slope - self.mean)
        self.square += (1 - _MEMORY_SQUARES) * (self.slope * self.slope - self.square)
        moved = self.mean / (np.sqrt(self.square) + _TINY * second**0.5)
        moved *= second**0.5 / first
        if decay:
            moved += decay * self.decay * self.vector
        moved *= rate
        moved *= self.rate
        self.vector -= moved


def first_weights(rows: Rows, params: Params, chance: np.random.Generator) -> Weights:
    """Return where training starts: the last layer says the shares of the classes (or the mean), whatever the row."""
    (numbers, flags), n_outputs = rows.inputs, rows.labels.shape[1]
    weights: Weights = {}
    n_inputs = numbers.shape[1] + flags.shape[1]
    n_waves = params["waves"]
    if n_waves and 0 < numbers.shape[1] <= _MOST_WAVES:
        shape = (numbers.shape[1], n_waves)
        weights["frequency"] = params["wave_sigma"] * chance.normal(size=shape)
        weights["phase"] = chance.uniform(-np.pi, np.pi, shape)
        weights["mix"] = chance.uniform(-1, 1, (*shape, _MIXED)) / n_waves**0.5
        weights["shift"] = chance.uniform(-1, 1, (shape[0], _MIXED)) / n_waves**0.5
        n_inputs += _MIXED * numbers.shape[1]
    n_voices = params["voices"]
    weights["scale"] = chance.choice([-1.0, 1.0], (n_voices, n_inputs)) if n_voices > 1 else np.ones((1, n_inputs))
    widths = [n_inputs, *[params["hidden"]] * params["layers"]]
    for place, (wide, out) in enumerate(pairwise(widths)):
        weights[f"weight{place}"], weights[f"base{place}"] = chance.normal(size=(wide, out)), chance.normal(size=out)
    mean = rows.labels.mean(axis=0)
    first = np.log(np.maximum(mean, 1e-6)) if n_outputs > 1 else mean
    weights[f"weight{params['layers']}"] = np.zeros((n_voices, params["hidden"], n_outputs))
    weights[f"base{params['layers']}"] = np.tile(first, (n_voices, 1))
    return weights


def loss(output: Array, labels: Array) -> tuple[float, Array]:
    """Return the mean log loss (squared error for a single output) and its gradient with respect to the outputs."""
    n_answers = np.float32(output.size / output.shape[-1])
    if labels.shape[1] == 1:
        error = output - labels
        return float((error**2).mean()), 2 * error / n_answers
    shifted = output - output.max(axis=-1, keepdims=True)
    grown = np.exp(shifted)
    total = grown.sum(axis=-1, keepdims=True)
    value = float(((np.log(total) - shifted) * labels).sum() / n_answers)
    return value, (grown / total - labels) / n_answers


def train(rows: Rows, judge: Rows | None, params: Params, run: Run) -> tuple[Weights, float]:
    """Return the weights and the share of the schedule at which they were best on `judge`.

    Without rows to judge by, it ends at `params["share"]` of the schedule. A deadline that comes before the end of
    `params["epochs"]` makes the schedule as short as needed; at least one step is done.
    """
    chance = np.random.default_rng(run.seed)
    adam = Adam.of(first_weights(rows, params, chance))
    best, best_share, kept = float("inf"), 0.0, adam.vector.copy()
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a training that runs away is not kept
        best = best if judge is None else _judged(adam, judge, params)
        for share in _epochs(adam, rows, params, chance=chance, run=run):
            now = best if judge is None else _judged(adam, judge, params)
            if judge is None or now < best:
                best, best_share = now, share
                kept = adam.vector.copy() if np.isfinite(adam.vector).all() else kept
            run.progress(round(100 * share), 100, "percent of the schedule")
            if _is_over(share, best_share, params, judge):
                break
    adam.vector[:] = kept
    return {name: one.copy() for name, one in adam.weights.items()}, best_share


def _is_over(share: float, best_share: float, params: Params, judge: Rows | None) -> bool:
    """Whether the wanted share is done, or a whole cycle brought nothing."""
    if judge is None:
        return bool(share >= params["share"])
    passed = [end for end in _CYCLE_ENDS if share >= end]
    return len(passed) > 1 and best_share < passed[-2]


def _judged(adam: Adam, judge: Rows, params: Params) -> float:
    total = 0.0
    for at in range(0, len(judge), _JUDGED_AT_ONCE):
        part = judge.take(np.arange(at, min(at + _JUDGED_AT_ONCE, len(judge))))
        output = forward(adam.weights, part.inputs, activation=params["activation"]).output
        total += loss(output.mean(axis=0), part.labels)[0] * len(part)
    return total / len(judge)


def _epochs(adam: Adam, rows: Rows, params: Params, *, chance: np.random.Generator, run: Run) -> Iterator[float]:
    """Step through the rows, and say after each epoch which share of the schedule is done."""
    size = min(params["batch"], max(16, len(rows) // 20), len(rows))
    per_epoch = len(rows) // size
    wanted, share, began, n_done = params["epochs"] * per_epoch, 0.0, time.monotonic(), 0
    limit = run.deadline if run.deadline.at == float("inf") else Deadline.after(_SAFETY * run.deadline.left())
    while share < 1:
        order = chance.permutation(len(rows))
        for place in range(per_epoch):
            _step(adam, rows.take(order[place * size : (place + 1) * size]), params, share=share, chance=chance)
            n_done += 1
            seconds = (time.monotonic() - began) / n_done  # with what it takes to judge after each epoch
            wanted -= 1
            left = min(wanted, limit.left() / max(seconds, 1e-9))
            share = 1.0 if left < 1 else share + (1 - share) / (left + 1)
            if share >= 1:
                break
        yield share


def _step(adam: Adam, batch: Rows, params: Params, *, share: float, chance: np.random.Generator) -> None:
    dropped = params["dropout"] * flat_cos(share)
    masks = tuple(
        (chance.random((params["voices"] * len(batch), params["hidden"]), dtype=np.float32) >= dropped)
        * np.float32(1 / (1 - dropped))
        for _ in range(params["layers"] if dropped > 0 else 0)
    )
    done: Pass = forward(adam.weights, batch.inputs, activation=params["activation"], masks=masks)
    _, slope = loss(done.output, batch.labels)
    backward(adam.weights, batch.inputs[0], done, slope, into=adam.gradient)
    adam.step(params["rate"] * coslog4(share), params["decay"] * flat_cos(share))
