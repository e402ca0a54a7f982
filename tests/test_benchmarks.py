"""What `python -m benchmarks` makes of measurements; what it measures is not timed here."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

import benchmarks
from benchmarks import cases, microcircuit, sweeps, w2, w2_sweep
from benchmarks.environment import peers_python, timed
from neurolab.api import experiment_of


def measured(case, value, repeat=0, size=4000, **more):
    simulator = case.split()[0].lower()
    about = {"case": case, "simulator": simulator, "size": size, "repeat": repeat}
    return {**about, "us_per_step": value, "build_s": 1.0, "peak_rss_mb": 1.0, **more}


def test_ratios_are_to_the_best_row_of_a_peer_of_medians():
    ones = [measured("neurolab", value, n, rate_hz=21.0) for n, value in enumerate((9.0, 5.0, 1.0))]
    ones += [measured("Brian2 1 thread", 20.0, rate_hz=21.0)]
    ones += [measured("Brian2 2 threads", 10.0, rate_hz=24.0)]
    rows = w2.table(ones)
    assert rows[0]["us_per_step"] == 5.0
    assert (rows[0]["lowest"], rows[0]["highest"]) == (1.0, 9.0)
    assert [row["times_brian2"] for row in rows] == [2.0, 0.5, 1.0]
    assert rows[0]["times_nest"] is None
    (odd,) = w2.odd(rows)
    assert odd.startswith("Brian2 2 threads, N = 4,000: 24.00 Hz")
    most = cases.table(ones, "us_per_step", (), most=True)
    assert [row["times_brian2"] for row in most] == [0.25, 1.0, 0.5]


def test_a_rate_that_is_not_a_number_is_odd():
    assert w2.odd([{"case": "x", "size": 1, "rate_hz": float("nan")}])


def test_a_sweep_is_estimated_from_a_part_and_its_ends_are_compared():
    def run(seconds, rate):
        def of(line, folder, repeat):
            found = {"wall_s": 3.0 + seconds * line.points, "run_s": seconds * line.points}
            return {**sweeps.estimated(found, line.points), "ends_hz": [30.0, rate]}

        return of

    rows = [sweeps.Case("neurolab", "neurolab", run(0.5, 12.0))]
    rows += [sweeps.Case("Brian2 run_args", "brian2", run(2.0, 11.0), w2_sweep.Line(10))]
    options = cases.Options(("neurolab", "brian2"), repeats=1)
    found = sweeps.table([*sweeps.measure(rows, [w2_sweep.Line(100)], options, lambda _: None)])
    assert [row["total_s"] for row in found] == pytest.approx([53.0, 203.0])
    assert [row["estimated_from"] for row in found] == [None, "10 points"]
    assert found[0]["times_brian2"] == pytest.approx(203 / 53)
    (odd,) = w2_sweep.odd(found)
    assert "at the upper half of weights: Brian2 run_args has 11.00 Hz, neurolab 12.00 Hz" in odd


@pytest.mark.parametrize("size", w2.SIZES)
def test_each_neuron_of_w2_has_eighty_synapses(size):
    experiment = experiment_of(list(w2.network(size)))
    sizes = [population.size for population in experiment.structure.populations]
    assert sizes == [0.8 * size, 0.2 * size]
    ps = [value for key, value in experiment.numbers.items() if key.endswith("connectivity.p")]
    assert [p * size for p in ps] == pytest.approx([80.0] * 4)


def test_the_microcircuit_in_nest_has_its_published_numbers(monkeypatch):
    """298,880,970 synapses; at a tenth of the size, the currents that make up for lost synapses."""
    monkeypatch.setitem(sys.modules, "nest", types.ModuleType("nest"))
    monkeypatch.syspath_prepend(Path(benchmarks.__file__).parent)
    import microcircuit_nest

    full, tenth = (microcircuit_nest.scaled(scale) for scale in (1.0, 0.1))
    assert full.synapses.sum() == pytest.approx(298_880_970, abs=5)
    assert full.currents == pytest.approx(0.0)
    published = [29.0, 112.4, 113.0, 115.0, 125.4, 151.7, 43.8, 153.7]
    assert tenth.currents == pytest.approx(published, abs=0.1)
    assert len(microcircuit.POPULATIONS) == len(full.sizes)


def test_populations_are_compared_with_published_rates():
    row = {"case": "NEST", "size": 0.1, "rates_hz": [*microcircuit.PUBLISHED_HZ[0.1]]}
    assert microcircuit.odd([row]) == []
    row["rates_hz"][2] = 3.0
    assert microcircuit.odd([row]) == ["NEST, L4E: 3.00 Hz, published 4.00 Hz"]


def test_an_interpreter_without_the_peers_is_refused():
    assert peers_python(None, ()) is None
    with pytest.raises(SystemExit, match=r"--python .*nest cannot be imported"):
        peers_python(Path("no_python"), ("nest",))


def test_a_command_that_fails_tells_its_last_lines():
    with pytest.raises(SystemExit, match="ended with 3:\nwhy"):
        timed([sys.executable, "-c", "import sys; print('why'); sys.exit(3)"])
    _, peak_mb, printed = timed(
        [sys.executable, "-c", "import os; print(os.environ['OWN'])"], {"OWN": "given"}
    )
    assert printed == "given\n"
    assert peak_mb > 1
