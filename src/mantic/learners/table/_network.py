"""A small neural network in NumPy: what it computes, and the gradient of that."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from mantic.core.table import Array

_TAU = 2 * np.pi
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
_LARGE = 30.0  # exp beyond it would be of no use
Weights = dict[str, Array]


@dataclass(frozen=True)
class Inputs:
    """How columns become inputs: numbers by a robust scale and a smooth clip, flags as they are.

    Parameters
    ----------
    numbers, flags : positions of the columns that are measured, and of those that hold 0 and 1 only.
    middle, scale : of the numbers: the median, and 1 / (distance of the quartiles); 0 where a column does not vary.

    Source: Holzmueller et al. (2024), Better by Default.

    >>> Inputs.of(np.array([[1.0, 0], [3, 1], [5, 1]])).numbers
    array([0])
    """

    numbers: Array
    flags: Array
    middle: Array
    scale: Array

    @classmethod
    def of(cls, rows: Array) -> Self:
        """Return the inputs that suit these rows."""
        is_flag = ((rows == 0) | (rows == 1)).all(axis=0)
        measured = rows[:, ~is_flag]
        low, middle, high = np.quantile(measured, (0.25, 0.5, 0.75), axis=0)
        width = np.where(high > low, high - low, np.ptp(measured, axis=0) / 2)
        scale = np.where(width > 0, 1 / np.where(width > 0, width, 1.0), 0.0)
        return cls(np.flatnonzero(~is_flag), np.flatnonzero(is_flag), middle, scale)

    def apply(self, rows: Array) -> tuple[Array, Array]:
        """Return numbers, shape (n_rows, n_numbers), and flags."""
        numbers = (rows[:, self.numbers] - self.middle) * self.scale
        return numbers / np.sqrt(1 + (numbers / 3) ** 2), rows[:, self.flags]


def selu(x: Array) -> tuple[Array, Array]:
    """Return the activation of Klambauer et al. (2017) and its slope."""
    below = _SELU_SCALE * _SELU_ALPHA * np.exp(np.minimum(x, 0))
    is_above = x > 0
    return np.where(is_above, _SELU_SCALE * x, below - _SELU_SCALE * _SELU_ALPHA), np.where(
        is_above, _SELU_SCALE, below
    )


def mish(x: Array) -> tuple[Array, Array]:
    """Return the activation of Misra (2020), x tanh(log(1 + e^x)), and its slope."""
    grown = np.exp(np.minimum(x, _LARGE))
    square = grown * (grown + 2)
    gate = square / (square + 2)
    return x * gate, gate + x * (1 - gate * gate) * (grown / (1 + grown))


ACTIVATIONS = {"selu": selu, "mish": mish}


@dataclass(frozen=True)
class Pass:
    """One pass forward: the outputs of each voice, and what the pass back needs."""

    output: Array  # (n_voices, n_rows, n_outputs)
    angles: Array | None
    waves: Array | None
    plain: Array  # inputs before the scaling layer
    signals: list[Array]  # inputs of each layer
    slopes: list[Array]  # of each activation, dropout included


def forward(weights: Weights, inputs: tuple[Array, Array], *, activation: str, masks: tuple[Array, ...] = ()) -> Pass:
    """Compute the outputs of rows.

    Each voice looks at the inputs through a scaling layer of its own and has a last layer of its own; the layers
    between them are shared.

    Parameters
    ----------
    weights : `scale` (n_voices, n_inputs), `weight0`, `base0`, ..., the last of them per voice; with waves also
        `frequency`, `phase` (n_numbers, n_waves), `mix` (n_numbers, n_waves, n_mixed) and `shift` (n_numbers, n_mixed).
    inputs : numbers and flags as `Inputs.apply` gives them.
    masks : factors on the outputs of each hidden layer (dropout); none for an answer.

    Source: Gorishniy et al. (2025), TabM, of which this is the mini variant.
    """
    numbers, flags = inputs
    waves = angles = None
    parts = [numbers, flags]
    if "frequency" in weights:
        angles = _TAU * numbers.T[:, :, None] * weights["frequency"][:, None, :] + weights["phase"][:, None, :]
        waves = np.cos(angles)
        mixed = waves @ weights["mix"] + weights["shift"][:, None, :]  # (n_numbers, n_rows, n_mixed)
        parts.append(mixed.transpose(1, 0, 2).reshape(len(numbers), -1))
    plain = np.concatenate(parts, axis=1)
    scale = weights["scale"]
    signal = (plain * scale[:, None, :]).reshape(-1, plain.shape[1])  # the rows of one voice after the other's
    act = ACTIVATIONS[activation]
    signals: list[Array] = []
    slopes: list[Array] = []
    n_hidden = sum(name.startswith("weight") for name in weights) - 1
    for place in range(n_hidden):
        signals.append(signal)
        signal = signal @ weights[f"weight{place}"]
        signal *= _shrink(weights[f"weight{place}"])
        signal += weights[f"base{place}"]
        signal, slope = act(signal)
        if masks:
            signal, slope = signal * masks[place], slope * masks[place]
        slopes.append(slope)
    signals.append(np.reshape(signal, (len(scale), len(numbers), -1)))
    last = weights[f"weight{n_hidden}"]
    output = signals[-1] @ last * _shrink(last) + weights[f"base{n_hidden}"][:, None, :]
    return Pass(output, angles, waves, plain, signals, slopes)


def _shrink(weight: Array) -> Array:
    """Return the factor that keeps a layer's outputs at the size of its inputs (neural tangent parametrisation)."""
    return np.asarray(weight.shape[-2] ** -0.5, dtype=weight.dtype)


def backward(weights: Weights, numbers: Array, done: Pass, slope: Array, *, into: Weights) -> None:
    """Write the gradient of a loss to `into`, given its gradient with respect to the outputs."""
    last = len(done.slopes)
    np.sum(slope, axis=1, out=into[f"base{last}"])
    slope = slope * _shrink(weights[f"weight{last}"])
    np.matmul(done.signals[last].transpose(0, 2, 1), slope, out=into[f"weight{last}"])
    slope = slope @ weights[f"weight{last}"].transpose(0, 2, 1)
    slope = slope.reshape(-1, slope.shape[2])
    for place in reversed(range(last)):
        slope *= done.slopes[place]
        np.sum(slope, axis=0, out=into[f"base{place}"])
        slope *= _shrink(weights[f"weight{place}"])
        np.matmul(done.signals[place].T, slope, out=into[f"weight{place}"])
        slope = slope @ weights[f"weight{place}"].T
    seen = slope.reshape(len(weights["scale"]), *done.plain.shape)
    np.einsum("vri,ri->vi", seen, done.plain, out=into["scale"])
    if done.waves is None or done.angles is None:
        return
    n_numbers, _, n_mixed = weights["mix"].shape
    at = done.plain.shape[1] - n_numbers * n_mixed
    mixed = np.einsum("vri,vi->ri", seen[:, :, at:], weights["scale"][:, at:])
    mixed = mixed.reshape(len(mixed), n_numbers, n_mixed).transpose(1, 0, 2)
    np.sum(mixed, axis=1, out=into["shift"])
    np.matmul(done.waves.transpose(0, 2, 1), mixed, out=into["mix"])
    turned = -np.sin(done.angles) * (mixed @ weights["mix"].transpose(0, 2, 1))
    np.sum(turned, axis=1, out=into["phase"])
    np.matmul(_TAU * numbers.T[:, None, :], turned, out=into["frequency"][:, None, :])
