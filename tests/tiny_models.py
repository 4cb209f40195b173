"""Pretrained models that nobody has trained: tiny ones, with the files that real ones have."""

from pathlib import Path

BOLT, TWO = "Chronos-Bolt", "Chronos-2"
_TENTHS = [number / 10 for number in range(1, 10)]
_TWENTIETHS = [0.01, *(number / 20 for number in range(1, 20)), 0.99]
_SIZES = {"d_model": 8, "d_kv": 4, "d_ff": 16, "num_layers": 2, "num_heads": 2, "pad_token_id": 0, "vocab_size": 2}
_STEPS = {"context_length": 64, "input_patch_size": 8, "input_patch_stride": 8, "use_reg_token": True}
REACH = {BOLT: 8, TWO: 16}


def make(family: str, folder: Path, *, seed: int = 0) -> Path:
    """Write a tiny model with random weights into a folder, as its own library does."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        _model(family).save_pretrained(folder)
    return folder


def make_mean(family: str, folder: Path) -> Path:
    """Write a tiny model that forecasts the mean of what it sees: the best there is for noise."""
    import torch

    model = _model(family)
    with torch.no_grad():
        for one in model.output_patch_embedding.parameters():
            one.zero_()
    model.save_pretrained(folder)
    return folder


def _model(family):
    if family == BOLT:
        from chronos.chronos_bolt import ChronosBoltModelForForecasting
        from transformers import T5Config

        steps = {**_STEPS, "prediction_length": REACH[BOLT], "quantiles": _TENTHS}
        more = {"num_decoder_layers": 2, "decoder_start_token_id": 0, "eos_token_id": 1, "is_encoder_decoder": True}
        more["chronos_pipeline_class"] = "ChronosBoltPipeline"
        return ChronosBoltModelForForecasting(T5Config(**_SIZES, **more, chronos_config=steps))
    from chronos.chronos2 import Chronos2CoreConfig, Chronos2Model

    steps = {
        **_STEPS, "output_patch_size": 8, "max_output_patches": REACH[TWO] // 8, "quantiles": _TWENTIETHS,
        "use_arcsinh": True, "time_encoding_scale": 64,
    }  # fmt: skip
    more = {"rope_theta": 10000.0, "chronos_pipeline_class": "Chronos2Pipeline"}
    return Chronos2Model(Chronos2CoreConfig(**_SIZES, **more, chronos_config=steps))
