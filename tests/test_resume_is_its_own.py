"""What a run goes on from is its own, and what it keeps: files of another are not used, and what
would make results of two kinds is not accepted."""

import shutil

import pytest
from test_resume import KEEP, same

import neurolab
from neurolab.problems import ConfigError
from neurolab.results.export import export_point
from neurolab.results.same import plain
from neurolab.results.verify import verify

USUAL = ("neuron=lif_ref", "input=constant", "size=5", "duration=200ms", "record.variables=[V]")


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def two(tmp_path):
    """Runs that differ in a number."""
    neurolab.run([*USUAL, KEEP], tmp_path / "one")
    neurolab.run([*USUAL, "neuron.tau=50ms", KEEP], tmp_path / "other")
    return tmp_path / "one", tmp_path / "other"


def test_a_checkpoint_of_another_run_is_not_gone_on_from(two, tmp_path, caplog):
    """It had been: 120 spikes were stored, and the summary had 65."""
    one, other = two
    shutil.copy(other / "checkpoint.npz", one)
    (told,) = verify(one)
    assert "checkpoint.npz is damaged: it is of other results" in str(told)
    longer = neurolab.resume(one, ["duration=400ms"])
    assert "computed again from its beginning" in caplog.text
    same(longer, neurolab.run([*USUAL, "duration=400ms", KEEP], tmp_path / "whole"))


def test_results_of_another_run_are_not_gone_on_with(two, tmp_path, caplog):
    """Nor all that a run leaves, beside the record of this one."""
    one, other = two
    shutil.rmtree(one / "results.zarr")
    shutil.copytree(other / "results.zarr", one / "results.zarr")
    for name in ("commit.json", "checkpoint.npz"):
        shutil.copy(other / name, one)
    assert any("of another run than run.json says" in str(told) for told in verify(one))
    longer = neurolab.resume(one, ["duration=400ms"])
    same(longer, neurolab.run([*USUAL, "duration=400ms", KEEP], tmp_path / "whole"))


def test_results_without_their_commit_are_told_and_computed_again(two, tmp_path, caplog):
    """They were computed again, and nothing said why."""
    (two[0] / "commit.json").unlink()
    more = [*USUAL, "duration=400ms", KEEP]
    same(neurolab.resume(two[0], ["duration=400ms"]), neurolab.run(more, tmp_path / "whole"))
    assert "commit.json is damaged: it is missing; step 2000 was reached" in caplog.text


def test_a_page_of_before_does_not_stay(tmp_path, monkeypatch):
    """Of a run that was extended, and killed while it drew, the page and the pictures were those
    of the shorter one for good, and it was complete."""
    folder = neurolab.run([*USUAL, "duration=200ms", KEEP], tmp_path / "run").path
    before = {name: (folder / name).read_bytes() for name in ("report.html", "raster.png")}

    def killed(*_):
        raise SystemExit(137)

    with monkeypatch.context() as patched:
        patched.setattr("neurolab.simulation.runner.show", killed)
        with pytest.raises(SystemExit):
            neurolab.resume(folder, ["duration=400ms"])
    assert not (folder / "report.html").exists()
    assert neurolab.resume(folder).summary["duration_ms"] == 400
    assert all((folder / name).read_bytes() != old for name, old in before.items())


def test_a_part_of_a_sweep_says_what_goes_on(tmp_path):
    """A batch, and a folder of a point: "copy it again" was the advice."""
    sweep = tmp_path / "sweep"
    neurolab.run_sweep(["neuron=lif_ref", "duration=20ms", "seed=0,1", KEEP], sweep)
    export_point(sweep, 1, sweep / "1")
    for part in (*(sweep / "batches").iterdir(), sweep / "1"):
        with pytest.raises(ConfigError, match=f"goes on as a whole: resume={sweep}$"):
            neurolab.resume(part)
    with pytest.raises(ConfigError, match="no such folder"):
        neurolab.resume(sweep / "7")


def test_a_copy_of_a_run_goes_on(two, tmp_path):
    """Wherever it is, it is itself."""
    shutil.copytree(two[0], tmp_path / "copy")
    assert verify(tmp_path / "copy") == []
    longer = neurolab.resume(tmp_path / "copy", ["duration=300ms"])
    same(longer, neurolab.run([*USUAL, "duration=300ms", KEEP], tmp_path / "whole"))


LASTING = [
    ("dt=0.05ms", "dt"),
    ("size=7", "size"),
    ("device.precision=float64", "device.precision"),
    ("record.neurons=[4,3,2,1]", "record.neurons"),
    ("record.interval=1ms", "record.interval"),
    ("record.spikes=false", "record.spikes"),
    ("record.rate_bin=50ms", "record.rate_bin"),
    ("neuron.V_th=0.02V", "neuron.V_th"),
    ("neuron=adexif_ref", "neuron._target_"),
]


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    folder = tmp_path_factory.mktemp("begun") / "run"
    neurolab.run([*USUAL, KEEP], folder)
    return folder


@pytest.mark.parametrize(("typed", "key"), LASTING, ids=[key for _, key in LASTING])
def test_what_results_are_of_stays(begun, typed, key):
    """It was advised, failed with a traceback, or gave samples the names of other neurons; then
    the run could not go on at all."""
    before = contents(begun)
    with pytest.raises(ConfigError) as plain:
        neurolab.resume(begun, ["duration=300ms", typed])
    keys = [problem.key for problem in plain.value.problems]
    assert key in keys
    with pytest.raises(ConfigError, match="begin another run with it") as refused:
        neurolab.resume(begun, ["duration=300ms", typed], accept=keys)
    assert key in [problem.key for problem in refused.value.problems]
    assert contents(begun) == before


def test_a_value_may_be_written_in_another_way(two, tmp_path):
    """``tau: 5 ms``, as the option has it, is what is typed as 5.0ms: it was another."""
    more = ["duration=300ms", "neuron.tau=5.0ms"]
    same(neurolab.resume(two[0], more), neurolab.run([*USUAL, *more, KEEP], tmp_path / "whole"))


def test_numbers_are_other_ones_beyond_what_a_float_can_tell():
    seed, next_to_it = 2**53, 2**53 + 1
    assert plain(f"{seed}") != plain(f"{next_to_it}")
    assert plain("1e-3 mV") == plain("0.001mV") != plain("0.001 V")
