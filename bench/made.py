"""Tables made for measurements: seeded, of mixed columns, of any size."""

from pathlib import Path

import numpy as np
import polars as pl


def wide_table(path: Path, *, n_rows: int, n_numbers: int = 14, seed: int = 0) -> Path:
    """Write a CSV of numbers, three categories (one of 500 levels), a date, gaps, and a yes-or-no `target`."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(n_rows, n_numbers)).round(4)
    plan = rng.choice(["basic", "plus", "premium"], n_rows)
    shop = rng.integers(0, 500, n_rows)
    worth = rng.normal(size=500)[shop]
    day = rng.integers(0, 1400, n_rows)
    odds = numbers[:, 0] - 0.8 * numbers[:, 1] * (plan == "plus") + worth + 0.5 * np.sin(day / 58)
    truth = rng.random(n_rows) < 1 / (1 + np.exp(-odds))
    columns: dict[str, object] = {f"number {place}": numbers[:, place] for place in range(n_numbers)}
    columns |= {
        "plan": plan,
        "region": rng.choice([f"region {place}" for place in range(12)], n_rows),
        "shop": [f"shop {place}" for place in shop],
        "day": np.datetime64("2021-01-01") + day,
        "target": np.where(truth, "yes", "no"),
    }
    frame = pl.DataFrame(columns)
    gaps = pl.Series(rng.random(n_rows) < 0.05)
    frame.with_columns(frame["number 2"].set(gaps, None), frame["plan"].set(gaps, None)).write_csv(path)
    return path


def text_table(path: Path, *, n_rows: int, seed: int = 0) -> Path:
    """Write a CSV of a text of some 30 words, a short title, a category, a number, and a yes-or-no `target`."""
    rng = np.random.default_rng(seed)
    sounds = np.array([a + b for a in ("ba", "ko", "mi", "tru", "se", "lan") for b in ("rd", "x", "nne", "ton", "la")])
    words = np.array(["".join(rng.choice(sounds, 2)) for _ in range(3_000)])
    share = 1 / np.arange(1, len(words) + 1)
    texts = [rng.choice(words, rng.integers(10, 50), p=share / share.sum()) for _ in range(n_rows)]
    worth = rng.normal(size=len(words))
    odds = np.array([worth[np.isin(words, text)].mean() for text in texts]) * 8
    columns = {
        "review": [" ".join(text) for text in texts],
        "title": [" ".join(text[:3]) for text in texts],
        "plan": rng.choice(["basic", "plus", "premium"], n_rows),
        "stars": rng.integers(1, 6, n_rows),
        "target": np.where(rng.random(n_rows) < 1 / (1 + np.exp(-odds)), "yes", "no"),
    }
    pl.DataFrame(columns).write_csv(path)
    return path
