from pathlib import Path
from typing import Any

import pytest

from mantic.core.errors import SettingsError
from mantic.core.settings import Settings, known, read_settings


def read(folder: Path, explicit: dict[str, Any] | None = None, **environ: str) -> Settings:
    return read_settings(explicit, environ=environ, folder=folder)


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    settings = read(tmp_path)

    assert settings["budget.default"] == "60s"
    assert settings["serve.host"] == "127.0.0.1"
    assert settings.origin("serve.port") == "default"


def test_the_nearer_place_wins_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.mantic.serve]\nport = 1\nmax_rows = 1\nmax_bytes = 1001\nhost = 'a'"
    )
    (tmp_path / "mantic.toml").write_text("[serve]\nport = 2\nmax_rows = 2\nmax_bytes = 1002")

    settings = read(tmp_path, {"serve.port": 4}, MANTIC_SERVE_PORT="3", MANTIC_SERVE_MAX_ROWS="3", HOME="/x")

    assert (settings.serve.port, settings.serve.max_rows, settings.serve.max_bytes) == (4, 3, 1002)
    assert settings.serve.host == "a"
    assert settings.origin("serve.port") == "given"
    assert settings.origin("serve.max_rows") == "MANTIC_SERVE_MAX_ROWS"
    assert settings.origin("serve.max_bytes") == str(tmp_path / "mantic.toml")
    assert "pyproject.toml" in settings.origin("serve.host")


def test_an_option_that_was_not_given_does_not_count(tmp_path: Path) -> None:
    assert read(tmp_path, {"serve.port": None}, MANTIC_SERVE_PORT="3").serve.port == 3


def test_every_unknown_key_and_bad_value_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "mantic.toml").write_text("colour = 'red'\n[serve]\nprot = 2\nmax_rows = 0\nmax_bytes = 1500.5")

    with pytest.raises(SettingsError) as caught:
        read(tmp_path, MANTIC_BUDGET_DEFAULT="soon", MANTIC_SERVE_PROT="3", MANTIC_EXECUTOR_WORKERS="many")

    what = caught.value.what
    assert f"'serve.prot' ({tmp_path / 'mantic.toml'}); did you mean 'serve.port'?" in what
    assert "'serve.prot' (MANTIC_SERVE_PROT)" in what
    assert "'colour'" in what
    assert "serve.max_rows cannot be 0" in what
    assert "serve.max_bytes cannot be 1500.5" in what
    assert "executor.workers cannot be 'many'" in what
    assert "budget.default cannot be 'soon'" in what
    assert "pyproject.toml" in caught.value.where
    assert "serve.port" in caught.value.fix


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "mantic.toml").write_text("serve = [")

    with pytest.raises(SettingsError, match="no TOML"):
        read(tmp_path)


def test_every_setting_says_what_it_is_for() -> None:
    assert all(len(about) > 10 for about in known().values())
    assert {"budget.default", "serve.port"} <= set(known())
