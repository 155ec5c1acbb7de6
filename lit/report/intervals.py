"""Wilson's interval, class by class."""

import numpy as np

#: The 97.5 % point of the normal distribution.
Z = 1.959963984540054


def wilson(correct: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends of the 95 % interval of each share `correct / n`; NaN where n is 0.

    Source: Wilson, Probable inference, the law of succession, and statistical inference (JASA 22, 1927).
    """
    n = np.where(n > 0, n, np.nan)
    share, shrink = correct / n, 1 + Z**2 / n
    middle = (share + Z**2 / (2 * n)) / shrink
    half = Z / shrink * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
