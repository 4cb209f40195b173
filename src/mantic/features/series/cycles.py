"""After how many steps series repeat themselves, where no calendar says it."""

import numpy as np

from mantic.core.panel import Panel

_MOST_SERIES = 200
_LONGEST = 400  # steps
_CLEAR = 0.3  # mean autocorrelation from which a cycle is taken for real


def find_cycle(panel: Panel) -> tuple[int, ...]:
    """Return the length of the shortest clear cycle over all series, or nothing.

    The mean autocorrelation of the changes from step to step has a peak there that is at least 0.3 high.
    """
    chosen = np.unique(np.linspace(0, len(panel) - 1, min(len(panel), _MOST_SERIES)).astype(np.int64))
    total, count = np.zeros(_LONGEST + 1), np.zeros(_LONGEST + 1)
    for place in chosen:
        change = np.diff(panel.one(int(place)))
        change = change - change.mean() if len(change) else change
        power = float(change @ change)
        if len(change) < 8 or power <= 0:
            continue
        most = min(_LONGEST, len(change) // 2)
        size = 1 << (2 * len(change) - 1).bit_length()
        spectrum = np.fft.rfft(change, size)
        found = np.fft.irfft(spectrum * spectrum.conj(), size)[: most + 1] / power
        total[: most + 1] += found
        count[: most + 1] += 1
    mean = np.where(count >= max(1, 0.5 * count.max()), total / np.maximum(1, count), 0.0)
    inner = np.arange(2, _LONGEST)
    peaks = inner[(mean[inner] > _CLEAR) & (mean[inner] >= mean[inner - 1]) & (mean[inner] >= mean[inner + 1])]
    if not len(peaks):
        return ()
    best = mean[peaks].max()
    return (int(peaks[mean[peaks] > 0.9 * best][0]),)
