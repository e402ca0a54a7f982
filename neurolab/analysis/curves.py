"""What the results of many points say: the gain of a curve, and what a result depends on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class FICurve(NamedTuple):
    """What `fi_curve` returns, a value for each curve.

    gain: slope of the rate where the neuron fires, in Hz per unit of the input; NaN of fewer than
        two different inputs.
    rheobase: the smallest input at which it fires; NaN where it never does.
    silent: the largest input below the rheobase, at which it does not; NaN where there is none.
    """

    gain: np.ndarray
    rheobase: np.ndarray
    silent: np.ndarray


def fi_curve(
    amplitude: np.ndarray,
    rate_hz: np.ndarray,
    *,
    above_hz: float = 0.0,
    between: tuple[float, float] | None = None,
) -> FICurve:
    r"""Gain and rheobase of f-I curves: of the inputs :math:`I_k` at which a neuron fires,

    .. math:: I_{rh} = \min_k I_k, \qquad g = \frac{\sum_k (I_k - \bar I)(f_k - \bar f)}
        {\sum_k (I_k - \bar I)^2}

    the line of least squares through the rates above the threshold, as the slope of f-I curves in
    the Allen Cell Types Database (technical white paper: electrophysiology). The rheobase is known
    as well as inputs are dense: it is above ``silent`` and at most what is given.

    Args:
        amplitude: inputs, in any order.
        rate_hz: rates over (.., amplitude); those that are NaN are not known.
        above_hz: a neuron fires at a rate above this one: some Hz where noise makes it fire.
        between: the least and the largest input of which the gain is; where it bends elsewhere.

    Raises:
        ValueError: sizes do not fit, or inputs are no finite numbers.
    """
    x, rate = np.asarray(amplitude, np.float64), np.asarray(rate_hz, np.float64)
    if x.ndim != 1 or not x.size or rate.shape[-1:] != x.shape or not np.isfinite(x).all():
        told = f"{x.shape} and {rate.shape}"
        raise ValueError(f"inputs are finite, and rates over (.., input); got {told}.")
    fires = rate > above_hz
    rheobase = np.where(fires, x, np.inf).min(axis=-1)
    silent = np.where((rate <= above_hz) & (x < rheobase[..., None]), x, -np.inf).max(axis=-1)
    low, high = (-np.inf, np.inf) if between is None else between
    used = fires & (x >= low) & (x <= high)
    n = np.maximum(used.sum(axis=-1), 1)[..., None]
    of_x = np.where(used, x - np.where(used, x, 0).sum(axis=-1, keepdims=True) / n, 0.0)
    of_rate = np.where(used, rate - np.where(used, rate, 0).sum(axis=-1, keepdims=True) / n, 0.0)
    spread = (of_x**2).sum(axis=-1)
    # Of equal inputs rounding leaves something: 1e-12 of them is no spread.
    some = spread > (1e-12 * np.abs(x).max()) ** 2
    gain = np.divide(
        (of_x * of_rate).sum(axis=-1), spread, out=np.full(spread.shape, np.nan), where=some
    )
    none = np.isinf(rheobase)
    return FICurve(
        gain,
        np.where(none, np.nan, rheobase),
        np.where(none | np.isinf(silent), np.nan, silent),
    )


def main_effect(values: np.ndarray, group: np.ndarray, *, sampled: bool = False) -> float:
    r"""The fraction of the variance of a result that one factor explains by itself.

    .. math:: S = \frac{\mathrm{Var}_x\, E[y \mid x]}{\mathrm{Var}\, y}
        = \frac{\sum_k n_k (\bar y_k - \bar y)^2}{\sum_p (y_p - \bar y)^2}

    over groups k of points with one value of the factor: the first-order index of Sobol' (1993,
    Math. Model. Comput. Exp. 1:407), on a grid with every value as probable as any other, where
    those of all factors and of their interactions add up to 1 (the analysis of variance; Saltelli
    et al. 2008, Global Sensitivity Analysis, 1.2).

    Of points that were drawn, groups are bins of the factor, and means of few points differ by
    chance, by (K - 1) / (n - 1) of the variance for K bins that explain nothing. ``sampled`` leaves
    that out (Kelley 1935, Proc. Natl. Acad. Sci. 21:554):

    .. math:: \epsilon^2 = S - \frac{K - 1}{n - K} (1 - S)

    which may be a little below 0.

    Args:
        values: the result of each point; those that are NaN are left out.
        group: of each point, a whole number from 0.
        sampled: whether points were drawn.

    Returns:
        The fraction; NaN where the result does not vary, or of sampled points with no two in a bin.

    Raises:
        ValueError: there are not as many groups as values.
    """
    y, k = np.asarray(values, np.float64), np.asarray(group)
    if y.ndim != 1 or y.shape != k.shape:
        raise ValueError(f"values and groups must be as many; got {y.shape} and {k.shape}.")
    known = np.isfinite(y)
    y, k = y[known], k[known]
    if not y.size or np.ptp(y) == 0:
        return float("nan")
    n = np.bincount(k)
    y = y - y.mean()
    total = np.bincount(k, weights=y)[n > 0]
    share = float((total**2 / n[n > 0]).sum() / (y**2).sum())
    many = np.count_nonzero(n)
    if not sampled:
        return share
    return share - (many - 1) / (y.size - many) * (1 - share) if y.size > many else float("nan")
