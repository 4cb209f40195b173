"""The pretrained models that can be asked, and what their `config.json` may say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mantic.core.strict_json import read_json

_MOST_LAYERS, _MOST_WIDE, _MOST_STEPS = 200, 100_000, 100_000
_ACTIVATIONS = ("relu", "gelu", "gelu_new", "silu", "gated-relu", "gated-gelu", "gated-silu")
_NEEDED = ("d_model", "d_kv", "d_ff", "num_layers", "num_heads")
_COUNTS = {
    **dict.fromkeys(("num_layers", "num_decoder_layers"), _MOST_LAYERS),
    **dict.fromkeys(("d_model", "d_kv", "d_ff", "num_heads"), _MOST_WIDE),
    **dict.fromkeys(("relative_attention_num_buckets", "relative_attention_max_distance"), _MOST_WIDE),
}
_NUMBERS = ("layer_norm_epsilon", "rope_theta")
_IDS = ("pad_token_id", "eos_token_id", "decoder_start_token_id")
_FLAGS = ("use_reg_token", "use_arcsinh")
_UNROLLED = tuple(number / 10 for number in range(1, 10))  # by which a forecast is carried on past its own reach


@dataclass(frozen=True)
class Family:
    """A kind of pretrained model.

    Parameters
    ----------
    title : what reports call it.
    module, model, pipeline : where the package `chronos` has it, and the names of its classes.
    n_inputs : numbers that the model sees of each step: the value, whether it is there, and for some the time.
    steps : names of the numbers of steps in `chronos_config`, all needed.
    """

    title: str
    module: str
    model: str
    pipeline: str
    n_inputs: int
    steps: tuple[str, ...]


_PATCH = ("context_length", "input_patch_size", "input_patch_stride")
FAMILIES = {
    "ChronosBoltModelForForecasting": Family(
        "Chronos-Bolt", "chronos.chronos_bolt", "ChronosBoltModelForForecasting", "ChronosBoltPipeline", 2,
        (*_PATCH, "prediction_length"),
    ),
    "Chronos2Model": Family(
        "Chronos-2", "chronos.chronos2", "Chronos2Model", "Chronos2Pipeline", 3,
        (*_PATCH, "output_patch_size", "max_output_patches"),
    ),
}  # fmt: skip
"""By the architecture that a config names."""


@dataclass(frozen=True)
class Config:
    """What is taken of a `config.json`: known names with plain values, nothing else.

    Parameters
    ----------
    family : the kind of model.
    sizes : of the network.
    steps : what it calls `chronos_config`: context, patches, quantiles.
    """

    family: Family
    sizes: Mapping[str, Any]
    steps: Mapping[str, Any]

    @property
    def context(self) -> int:
        """Return how many steps of a series it looks at."""
        return int(self.steps["context_length"])

    @property
    def patch(self) -> int:
        """Return how many steps it takes as one."""
        return int(self.steps["input_patch_size"])

    @property
    def reach(self) -> int:
        """Return how many steps it forecasts at once."""
        if "prediction_length" in self.steps:
            return int(self.steps["prediction_length"])
        return int(self.steps["output_patch_size"] * self.steps["max_output_patches"])


def read_config(text: bytes) -> Config:
    """Return what a `config.json` says of the model, as far as it is known here.

    What is not known is not handed on: in a config other libraries read names of code to fetch and run.

    Raises
    ------
    ValueError : names all that is wrong.
    """
    found = read_json(text)
    if not isinstance(found, dict):
        raise ValueError("the config is no JSON object")
    if "auto_map" in found:
        raise ValueError("it wants code of its own to be run, and that is never done")
    family = _family(found.get("architectures"))
    about = found.get("chronos_config")
    about = about if isinstance(about, dict) else {}
    faults = [f"{name} is missing" for name in _NEEDED if name not in found]
    faults += [f"chronos_config.{name} is missing" for name in (*family.steps, "quantiles") if name not in about]
    sizes = {name: found[name] for name in (*_COUNTS, *_NUMBERS, *_IDS, "feed_forward_proj") if name in found}
    steps = {name: about[name] for name in (*family.steps, *_FLAGS, "quantiles") if name in about}
    if about.get("time_encoding_scale") is not None and family.n_inputs == 3:
        steps["time_encoding_scale"] = about["time_encoding_scale"]
    faults += _faults(sizes, steps)
    if faults:
        raise ValueError("; ".join(faults))
    return Config(family, sizes, steps)


def _family(named: Any) -> Family:
    name = named[0] if isinstance(named, list) and len(named) == 1 and isinstance(named[0], str) else ""
    if name not in FAMILIES:
        known = " and ".join(one.title for one in FAMILIES.values())
        raise ValueError(f"it is of the architecture '{name[:60]}'; {known} are known")
    return FAMILIES[name]


def _faults(sizes: Mapping[str, Any], steps: Mapping[str, Any]) -> list[str]:
    found = []
    for name, value in {**sizes, **steps}.items():
        if name in _COUNTS or name.endswith(("_length", "_size", "_stride", "_patches", "_scale")):
            is_right = _is_whole(value) and 1 <= value <= _COUNTS.get(name, _MOST_STEPS)
        elif name in _IDS:
            is_right = _is_whole(value) and 0 <= value <= 1
        elif name in _NUMBERS:
            is_right = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9
        elif name in _FLAGS:
            is_right = isinstance(value, bool)
        elif name == "feed_forward_proj":
            is_right = value in _ACTIVATIONS
        else:
            is_right = _are_quantiles(value)
        if not is_right:
            found.append(f"{name} is {str(value)[:60]}")
    return found


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _are_quantiles(value: Any) -> bool:
    if not isinstance(value, list) or not all(isinstance(one, float) and 0 < one < 1 for one in value):
        return False
    return sorted(set(value)) == value and set(_UNROLLED) <= set(value) and len(value) <= 99
