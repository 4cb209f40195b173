"""What a worker loads while it waits for its first piece: importing statsforecast takes seconds."""

from mantic.core.lazy import absent, need, quietly

if not absent(("statsforecast",)):
    with quietly():
        need("statsforecast.models", why="exponential smoothing")
