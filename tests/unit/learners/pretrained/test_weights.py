"""The folder of a pretrained model: what is taken from it, and what is refused."""

import json
import pickle
import shutil
from pathlib import Path

import pytest
from tests.tiny_models import BOLT, REACH, TWO

from mantic.core.errors import ArtifactError, SettingsError, SourceError
from mantic.learners.pretrained.weights import found, found_again, read_shapes


@pytest.fixture
def folder(tiny_models, tmp_path) -> Path:
    """Give a copy of the tiny Chronos-Bolt, to be spoilt."""
    return shutil.copytree(tiny_models[BOLT], tmp_path / "model")


def config(folder: Path, **changed: object) -> None:
    """Change entries of a config; those of `chronos_config` by their own names."""
    about = json.loads((folder / "config.json").read_text())
    for name, value in changed.items():
        place = about["chronos_config"] if name in about["chronos_config"] else about
        place[name] = value
    (folder / "config.json").write_text(json.dumps(about))


def refused(source: object) -> str:
    with pytest.raises(ArtifactError) as caught:
        found(str(source))
    assert caught.value.where == str(source)
    assert caught.value.fix
    return f"{caught.value.what} -> {caught.value.fix}"


@pytest.mark.parametrize("family", [BOLT, TWO])
def test_a_model_says_what_it_is(tiny_models, family):
    weights = found(str(tiny_models[family]))

    assert weights.config.family.title == family
    assert weights.config.reach == REACH[family]
    assert (weights.config.context, weights.config.patch) == (64, 8)
    assert 1_000 < weights.n_weights < 20_000
    assert str(weights) == f"{tiny_models[family]} ({family}, {weights.n_weights:,} weights)"


def test_a_model_is_known_again_by_its_content_wherever_it_lies(tiny_models, folder):
    before = found(str(tiny_models[BOLT]))

    moved = found_again(str(folder))
    config(folder, layer_norm_epsilon=1e-5)
    changed = found_again(str(folder))

    assert moved.sha256 == before.sha256
    assert changed.sha256 != before.sha256
    assert found(str(tiny_models[TWO])).sha256 != before.sha256


def test_a_place_that_is_none_is_named(tmp_path):
    (tmp_path / "file").write_text("")

    assert "there is no such folder" in refused(tmp_path / "nowhere")
    assert "hf://" not in refused(tmp_path / "nowhere")
    assert "not the folder of a model" in refused(tmp_path / "file")
    assert "config.json and model.safetensors are missing" in refused(tmp_path)


def test_a_name_of_the_hub_is_no_wish_to_reach_it():
    assert "hf://amazon/chronos-2 if it is of the hub" in refused("amazon/chronos-2")


@pytest.mark.parametrize(
    "source", ["https://example.org/model", "s3://bucket/model", "hf://model", "HF://a/b", "hf://a/b/c"]
)
def test_other_places_are_not_asked(source):
    with pytest.raises(SettingsError, match="no place of a pretrained model"):
        found(source)


def test_weights_in_a_pickle_are_refused_and_not_opened(folder, tmp_path):
    class Payload:
        def __reduce__(self):
            return Path.touch, (tmp_path / "run",)

    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Payload()))

    said = refused(folder)

    assert "as a pickle only, which could run code" in said
    shutil.copy(folder / "pytorch_model.bin", folder / "model.safetensors")
    assert "no safetensors file" in refused(folder)
    assert not (tmp_path / "run").exists()


def test_parts_and_adapters_are_refused_with_what_to_do(folder):
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    (folder / "model.safetensors.index.json").write_text("{}")

    assert "put the parts together" in refused(folder)
    (folder / "model.safetensors.index.json").rename(folder / "adapter_config.json")
    assert "merge the adapter" in refused(folder)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"architectures": ["T5ForConditionalGeneration"]},
            "architecture 'T5ForConditionalGeneration'; Chronos-Bolt and",
        ),
        ({"architectures": None}, "architecture ''"),
        ({"architectures": ["Chronos2Model"]}, "chronos_config.output_patch_size is missing"),
        ({"auto_map": {"AutoModel": "evil.Model"}}, "code of its own"),
        ({"d_model": 10**9}, "d_model is 1000000000"),
        ({"num_layers": "2", "num_heads": True}, "num_layers is 2; num_heads is True"),
        ({"context_length": 0}, "context_length is 0"),
        ({"quantiles": [0.1, 0.5]}, "quantiles is [0.1, 0.5]"),
        ({"use_reg_token": "yes"}, "use_reg_token is yes"),
        ({"feed_forward_proj": "gated-evil"}, "feed_forward_proj is gated-evil"),
        ({"layer_norm_epsilon": -1}, "layer_norm_epsilon is -1"),
        ({"d_ff": 32}, "of another model than config.json"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(folder, changed, said):
    config(folder, **changed)

    assert said in refused(folder)


def test_what_a_config_says_beside_the_known_is_not_handed_on(folder):
    config(folder, attn_implementation="owner/kernel", quantization_config={"a": 1}, torch_dtype="os.system")

    about = found(str(folder)).config

    assert set(about.sizes) <= {
        "d_model", "d_kv", "d_ff", "num_layers", "num_decoder_layers", "num_heads", "feed_forward_proj",
        "relative_attention_num_buckets", "relative_attention_max_distance", "layer_norm_epsilon", "pad_token_id",
        "eos_token_id", "decoder_start_token_id",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "[]", "{", '{"architectures": NaN}', "[" * 10_000, "\xff"])
def test_a_config_that_is_none_is_refused(folder, text):
    (folder / "config.json").write_bytes(text.encode("latin-1"))

    assert "cannot be used" in refused(folder)


def test_damaged_weights_are_refused(folder):
    file = folder / "model.safetensors"
    whole = file.read_bytes()
    n_head = int.from_bytes(whole[:8], "little")
    for content, said in [
        (b"", "no safetensors file"),
        (whole[:-1], "cut off"),
        (whole + b"\0", "cut off"),
        (whole[: n_head // 2], "no safetensors file"),
        (b"\xff" * 8 + whole[8:], "no safetensors file"),
        (whole[:8] + whole[8:].replace(b'"F32"', b'"I64"', 1), "no table of plain numbers"),
    ]:
        file.write_bytes(content)
        assert said in refused(folder)


def table(*shape: object, at: tuple[object, object] = (0, 4)) -> dict[str, object]:
    return {"dtype": "F32", "shape": list(shape), "data_offsets": list(at)}


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ({"a": table(1), "b": table(1)}, "overlap"),
        ({"a": table(1), "b": table(1, at=(3, 7))}, "overlap"),
        ({"a": table(1, at=(4, 8))}, "bytes of none"),
        ({"a": table(1), "b": table(0, at=(2, 2))}, "overlap"),
        ({"a": table(float("inf"))}, "no table of plain numbers"),
        ({"a": table(at=(0, float("inf")))}, "no table of plain numbers"),
        ({"a": table(1.0)}, "no table of plain numbers"),
        ({"a": table(True)}, "no table of plain numbers"),
        ({"a": table("1")}, "no table of plain numbers"),
        ({"a": table(-1, -1)}, "no table of plain numbers"),
        ({"a": table(0, 10**30, at=(0, 0))}, "no table of plain numbers"),
        ({"a": table(*[1] * 9)}, "no table of plain numbers"),
        ({"a": table(1, at=(0, 4, 8))}, "no table of plain numbers"),
        ({"a": {"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]}}, "no table of plain numbers"),
        ({"a": 5}, "no table of plain numbers"),
    ],
)
def test_a_head_that_claims_what_cannot_be_is_refused(tmp_path, head, said):
    text = json.dumps(head).replace("Infinity", "1e999").encode()
    file = tmp_path / "model.safetensors"
    file.write_bytes(len(text).to_bytes(8, "little") + text + bytes(8))

    with pytest.raises(ValueError, match=said):
        read_shapes(file)


def test_tables_are_read_in_whatever_order_they_stand(tmp_path):
    text = json.dumps({"b": table(1, at=(4, 8)), "none": table(0, at=(4, 4)), "a": table()}).encode()
    file = tmp_path / "model.safetensors"
    file.write_bytes(len(text).to_bytes(8, "little") + text + bytes(8))

    assert read_shapes(file) == {"b": (1,), "none": (0,), "a": ()}


def test_weights_of_the_other_family_are_refused(tiny_models, folder):
    shutil.copy(tiny_models[TWO] / "model.safetensors", folder)

    assert "model.safetensors is of another model than config.json, which says Chronos-Bolt" in refused(folder)


def test_a_model_of_the_hub_that_was_not_fetched_is_not_found_again(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(SourceError) as caught:
        found_again("hf://owner/model")

    assert "hf download owner/model" in caught.value.fix
