"""Checkpoints: bit for bit, whole or not at all, and never a damaged one."""

import itertools
import resource
import shutil
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lit.errors import CheckpointError, ConfigError, OutputError
from lit.training import checkpoints as module
from lit.training.checkpoints import Checkpoints
from lit.training.state import TrainState, architecture, sums

# What Orbax drops when a read or a write fails, Python may report a little later, from wherever it collects.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def state(seed=0, width=48, ema=False):
    rng = np.random.default_rng(seed)
    kernel = jnp.asarray(rng.normal(size=(width, 64)), jnp.float32)
    optimizer = ({"mu": kernel.astype(jnp.bfloat16), "count": jnp.int32(7)}, (), None)
    return TrainState(
        jnp.int32(seed), {"txt": {"kernel": kernel}, "t": jnp.ones(1)}, optimizer, kernel if ema else None
    )


def same(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(np.asarray(x), np.asarray(y))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    directory = tmp_path_factory.mktemp("run") / "checkpoints"
    with Checkpoints(directory, keep=2) as checkpoints:
        for step in (1, 2, 3):
            checkpoints.save(step, state(step), {"data": {"epoch": step}, "text": "é"})
    return directory


@pytest.fixture
def three(tmp_path, written):
    """A directory of which steps 2 and 3 were kept."""
    return shutil.copytree(written, tmp_path / "checkpoints")


def restore(directory, **changes):
    with Checkpoints(directory) as checkpoints:
        return checkpoints.restore(state(**changes))


def data_files(directory, step):
    """Files that hold arrays' bytes: the largest first."""
    files = [path for path in (directory / str(step)).rglob("*") if path.is_file() and "/d/" in str(path)]
    return sorted(files, key=lambda path: path.stat().st_size, reverse=True)


@pytest.mark.parametrize("ema", [False, True])
def test_round_trip_keeps_every_bit_and_the_record(tmp_path, ema):
    with Checkpoints(tmp_path / "c") as checkpoints:
        checkpoints.save(5, state(5, ema=ema), {"data": [1, 2]})
        checkpoints.wait()
        restored = checkpoints.restore(state(ema=ema))
    same(restored.state, state(5, ema=ema))
    assert restored.record == {"data": [1, 2]}
    assert restored.damaged == ()


def test_the_newest_is_restored_and_only_so_many_are_kept(three):
    restored = restore(three)
    same(restored.state, state(3))
    assert restored.record == {"data": {"epoch": 3}, "text": "é"}
    assert sorted(path.name for path in three.iterdir()) == ["2", "3"]


def test_an_empty_directory_has_nothing_to_restore(tmp_path):
    assert restore(tmp_path / "none") is None


def test_a_state_may_be_donated_while_it_is_written(tmp_path):
    overwrite = jax.jit(lambda tree: jax.tree.map(lambda x: x + jnp.ones_like(x), tree), donate_argnums=0)
    live = state(4)
    with Checkpoints(tmp_path / "c") as checkpoints:
        checkpoints.save(4, live, {})
        for _ in range(5):
            live = overwrite(live)
    same(restore(tmp_path / "c").state, state(4))


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x55
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [flip, lambda path: path.unlink(), lambda path: path.write_bytes(b""), lambda path: path.write_bytes(b"\0" * 9)],
)
def test_a_damaged_newest_gives_way_to_the_one_before_and_is_named(three, damage):
    damage(data_files(three, 3)[0])
    restored = restore(three)
    same(restored.state, state(2))
    assert len(restored.damaged) == 1
    assert restored.damaged[0].startswith("step 3 (")
    # It is out of the way, not gone, and the step can be saved again.
    assert (three.with_name("checkpoints-damaged") / "3").is_dir()
    with Checkpoints(three) as checkpoints:
        checkpoints.save(3, state(9), {})
    same(restore(three).state, state(9))


@pytest.mark.parametrize("name", ["record/metadata", "state/_METADATA"])
def test_descriptions_that_are_cut_off_are_damage_too(three, name):
    path = three / "3" / name
    path.write_bytes(path.read_bytes()[:20])
    assert restore(three).damaged[0].startswith("step 3 (")


def test_a_record_that_is_off_by_one_digit_is_damage_too(three):
    """It is valid JSON, and would go on at another place in the data."""
    path = three / "3" / "record" / "metadata"
    text = path.read_text()
    assert text.count('{"epoch": 3}') == 1
    path.write_text(text.replace('{"epoch": 3}', '{"epoch": 7}'))
    restored = restore(three)
    assert restored.damaged == ("step 3 (its record is not what was saved)",)
    same(restored.state, state(2))


def test_processes_wait_until_what_is_damaged_is_out_of_the_way(three, monkeypatch):
    """Else another one might still see the step, and not save it again.  Process 0 is played."""
    moved = []

    def meet(what):
        moved.append(what)
        shutil.rmtree(three / "3")

    monkeypatch.setattr(module, "exchange", meet)
    with Checkpoints(three) as checkpoints:
        with monkeypatch.context() as patch:
            patch.setattr(jax, "process_index", lambda: 1)
            checkpoints._move_away([3])
        assert checkpoints.steps == [2]
    assert moved


def test_a_checkpoint_that_was_being_written_when_the_process_died_is_not_there(three):
    (three / "3").rename(three / "4.orbax-checkpoint-tmp")
    same(restore(three).state, state(2))


def test_all_damaged_is_an_error_that_names_each(three):
    for step in (2, 3):
        data_files(three, step)[0].unlink()
    with pytest.raises(CheckpointError, match=r"not one checkpoint can be read: step 3 .*; step 2 .*--fresh"):
        restore(three)
    assert (three / "3").is_dir()


def test_another_architecture_is_refused_and_nothing_is_moved(three):
    with pytest.raises(ConfigError, match=r"another architecture \(step 3\).*kernel: was float32\[48,64\], is float32"):
        restore(three, width=40)
    assert sorted(path.name for path in three.iterdir()) == ["2", "3"]


@pytest.mark.parametrize("bytes_per_file", [600, 0])
def test_a_full_disk_is_said_and_the_older_checkpoint_stays(three, bytes_per_file):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        checkpoints = Checkpoints(three, keep=2)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_per_file, hard))
        with pytest.raises(OutputError, match="The checkpoint of step 3 is kept; free some space"), checkpoints:
            checkpoints.save(4, state(4), {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    same(restore(three).state, state(3))


def test_a_directory_that_was_removed_is_not_made_again(three):
    with Checkpoints(three) as checkpoints:
        three.rename(three.with_name("elsewhere"))
        with pytest.raises(OutputError, match="is not there any more: it was removed or renamed during the run"):
            checkpoints.save(4, state(4), {})
    assert not three.exists()


def test_sums_see_one_bit_a_swap_and_nothing_else():
    kernel = np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)
    one_bit, swapped = kernel.copy(), kernel.copy()
    one_bit.view(np.uint32)[3, 4] ^= 1
    swapped[[0, 1]] = swapped[[1, 0]]
    assert sums({"a": jnp.asarray(kernel)}) == sums({"a": jnp.asarray(kernel.copy())})
    assert len({str(sums({"a": jnp.asarray(x)})) for x in (kernel, one_bit, swapped)}) == 3


def test_architecture_names_type_and_shape():
    assert architecture({"b": jnp.zeros((2, 3)), "a": (jnp.int32(1),)}) == {"a/0": "int32[]", "b": "float32[2,3]"}


def test_what_a_failed_save_is_still_writing_does_not_stop_the_next_run(tmp_path):
    """Its threads live on for a while, in the same process."""
    left = tmp_path / "8.orbax-checkpoint-tmp" / "state.orbax-checkpoint-tmp"
    left.mkdir(parents=True)
    ends = threading.Event()

    def write():
        for i in itertools.count():
            try:
                (left / str(i)).touch()
            except FileNotFoundError:
                break
        ends.set()

    writer = threading.Thread(target=write)
    writer.start()
    with Checkpoints(tmp_path) as checkpoints:
        assert checkpoints.steps == []
        checkpoints.save(8, state(8), {})
        checkpoints.wait()
    assert ends.wait(60)
    assert [path.name for path in tmp_path.iterdir()] == ["8"]
