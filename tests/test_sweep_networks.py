"""Sweeps of networks: what refers to a swept key follows in each point; synapses are drawn once."""

from __future__ import annotations

import pytest

import neurolab
from neurolab.engine import wiring

#: A fiftieth of Brunel's network, with its in-degrees.
SMALL = ("network=brunel", "populations.E.size=200", "populations.I.size=50", "duration=50ms")
SWEPT = ("projections.I_E.weight=-0.3mV,-0.8mV", "populations.E.inputs.external.rate=20Hz,40Hz")


def counts(run) -> dict[str, int]:
    neuron = run.spikes["neuron"].values
    return {name: int(((of.start <= neuron) & (neuron < of.stop)).sum())
            for name, of in run.populations.items()}  # fmt: skip


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    drawn = []
    with pytest.MonkeyPatch.context() as patch:
        synapses = wiring.synapses
        patch.setattr(wiring, "synapses", lambda *args: drawn.append(1) or synapses(*args))
        patch.setattr("neurolab.sweep.compute._NEURONS_PER_DEVICE", {"cpu": 1})
        found = neurolab.run_sweep([*SMALL, *SWEPT, "device=cpu"], tmp_path_factory.mktemp("s"))
    return found, len(drawn)


def test_what_follows_from_a_swept_key_follows_in_each_point(sweep):
    """The weight onto I is written as that onto E, and its inputs as those of E: in each point both
    populations fire as they do in a run of that point alone."""
    swept, _ = sweep
    seen = set()
    for k in range(4):
        alone = neurolab.run([*swept.overrides(k), "device=cpu"], save=False)
        expected = {name: of["spike_count"] for name, of in alone.summary["populations"].items()}
        assert counts(swept[k]) == expected
        seen.add(tuple(expected.values()))
    assert len(seen) == 4
    first, last = swept.config(0), swept.config(3)
    for config, weight, rate in ((first, "-0.3mV", "20Hz"), (last, "-0.8mV", "40Hz")):
        assert config.projections.I_I.weight == config.projections.I_E.weight == weight
        for name in ("E", "I"):
            assert config.populations[name].inputs.external.rate == rate


def test_synapses_that_all_points_share_are_drawn_once(sweep):
    """For each of 200 batches they took longer to draw than the points to compute."""
    swept, n_drawn = sweep
    assert len(list((swept.path / "batches").iterdir())) > 1
    assert n_drawn == 4  # projections
