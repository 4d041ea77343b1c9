"""The store: what was put in is found and opened again, after a restart, and after a kill at the worst moment."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segdebug import Experiment
from segdebug.errors import StoreError
from segdebug.scene import Scene, read_scene
from segdebug.store import Store
from tests.scenes import blocks, discs, striped
from tests.store.made_up import same, whole_run

ROOT = Path(__file__).parents[2]
TINY = Experiment().changed({"training.size": 8, "training.steps": 5, "model.depth": 1})


def put(store: Store, scene: Scene, id: str, key: str = "", **changes: object) -> None:
    experiment = TINY.changed({name.replace("__", "."): value for name, value in changes.items()})
    store.put(whole_run(scene, experiment), scene, id=id, key=key or f"key of {id}")


@pytest.mark.parametrize("scene", [blocks(4, void=True), discs(), striped()], ids=["void", "planes", "binary"])
def test_a_run_and_its_scene_open_again_after_a_restart(tmp_path: Path, scene: Scene) -> None:
    run = whole_run(scene, TINY)
    Store(tmp_path).put(run, scene, id="one", key="k")
    store = Store(tmp_path)
    again, its_scene = store.load("one")
    assert same(again, run)
    assert same(vars(its_scene), vars(scene))
    assert replace(its_scene, digest="").digest == scene.digest  # counted again from what was read
    entry = store.by_key("k")
    assert entry is not None
    assert entry == store.entry("one") == store.entries()[0]
    assert (entry.id, entry.key, entry.name, entry.scene) == ("one", "k", scene.name, scene.name)
    assert (entry.digest, entry.verdict, entry.computes) == (scene.digest, "broken", "double_activation")
    assert (entry.configuration, entry.steps, entry.seconds) == (TINY.in_words(), 5, 1.25)
    assert Experiment.from_json(entry.experiment) == TINY
    assert entry.mean_iou == pytest.approx(run.trace.mean_iou()[-1])
    with Image.open(io.BytesIO(entry.thumbnail.read_bytes())) as picture:
        assert picture.width <= 160
        assert picture.height <= 96


@pytest.mark.parametrize("levels", [255, 65535, 1000], ids=["8 bits", "16 bits", "floats"])
def test_every_picture_comes_back_bit_for_bit(tmp_path: Path, levels: int) -> None:
    random = np.random.default_rng(0)
    image = (random.integers(0, levels + 1, (9, 7, 3)) / np.float32(levels)).astype(np.float32)
    mask = random.integers(0, 300, (9, 7)).astype(np.uint16)
    scene = read_scene(image, mask, encoding="index")
    put(Store(tmp_path), scene, "one")
    again = Store(tmp_path).load("one")[1]
    np.testing.assert_array_equal(again.image, scene.image)
    np.testing.assert_array_equal(again.labels, scene.labels)


def test_a_scene_is_kept_once_and_goes_with_its_last_run(tmp_path: Path) -> None:
    store, scene = Store(tmp_path), blocks()
    put(store, scene, "one")
    put(store, scene.with_classes({0: "sky"}), "two", training__seed=1)
    assert len(list((tmp_path / "scenes").iterdir())) == 1
    opened = [store.load(id)[1] for id in ("one", "two", "two")]
    assert [s.classes[0].name for s in opened] == ["band 0", "sky", "sky"]
    assert opened[1] is opened[2]
    store.delete("one")
    store.delete("one")
    assert store.load("two")[1].digest == scene.digest
    store.delete("two")
    assert list((tmp_path / "scenes").iterdir()) == list((tmp_path / "runs").iterdir()) == []
    with pytest.raises(StoreError, match="no longer kept"):
        store.load("two")


def test_the_same_run_is_put_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store, blocks(), "one", training__seed=1)
    put(store, blocks(), "one", training__seed=2)
    assert store.load("one")[0].experiment.training.seed == 1
    put(store, blocks(), "two", key="key of one")
    latest = store.by_key("key of one")
    assert latest is not None
    assert latest.id == "two"


def test_runs_are_named_searched_and_newest_first(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store, blocks(), "one")
    put(store, striped(), "two", loss__name="dice")
    store.rename("one", "  My   first\nrun ")
    assert [entry.id for entry in store.entries()] == ["two", "one"]
    assert [entry.name for entry in Store(tmp_path).entries("my FIRST")] == ["My first run"]
    assert [entry.id for entry in store.entries("dice")] == ["two"]
    assert [entry.id for entry in store.entries("broken categorical crossentropy")] == ["one"]
    assert store.entries("first dice") == store.entries("%") == []
    store.rename("one", " ")
    assert store.entries()[1].name == blocks().name
    with pytest.raises(StoreError, match="no longer kept"):
        store.rename("three", "x")


def test_the_oldest_go_first_but_never_one_that_is_looked_at(tmp_path: Path) -> None:
    looked_at = {"0"}
    store = Store(tmp_path, keep=3, held=looked_at.__contains__)
    for n in range(5):
        put(store, blocks(2 + n), str(n))
    assert [entry.id for entry in store.entries()] == ["4", "3", "0"]
    assert len(list((tmp_path / "scenes").iterdir())) == 3
    looked_at.clear()
    put(store, blocks(), "5")
    assert [entry.id for entry in store.entries()] == ["5", "4", "3"]


def test_room_counts_scenes_too_and_the_newest_always_stays(tmp_path: Path) -> None:
    store, scene = Store(tmp_path, keep_bytes=1), blocks()
    put(store, scene, "one")
    put(store, scene, "two")
    assert [entry.id for entry in store.entries()] == ["two"]
    taken = sum(path.stat().st_size for path in tmp_path.glob("*/*/*"))
    roomy = Store(tmp_path, keep_bytes=2 * taken)
    put(roomy, scene, "three")
    assert len(roomy.entries()) == 2  # the scene is there once
    put(roomy, blocks(5), "four")
    assert len(roomy.entries()) < 3


def test_what_is_no_run_takes_no_room_from_the_runs(tmp_path: Path) -> None:
    def kept(folder: Path) -> tuple[list[str], int]:
        store = Store(folder, keep_bytes=60_000)
        (folder / "runs" / "notes.txt").write_text("mine")
        (folder / "runs" / "unreadable").mkdir()
        (folder / "runs" / "unreadable" / "run.json").write_text("{")
        for n in range(8):
            put(store, blocks(2 + n), str(n))
        return [entry.id for entry in store.entries()], len(list((folder / "scenes").iterdir()))

    runs, scenes = kept(tmp_path)
    assert 1 < len(runs) < 8
    assert scenes == len(runs)


@pytest.mark.parametrize("damage", ["gone", "garbage", "other layout", "stale"])
def test_the_index_is_made_again_from_the_folders(tmp_path: Path, damage: str) -> None:
    store = Store(tmp_path)
    for n in range(3):
        put(store, blocks(), str(n))
    store.rename("1", "second")
    before = store.entries()
    if damage == "stale":
        store._index.delete("2")
        store._index.put({**store._index.rows()[0], "id": "ghost"})
    if damage == "other layout":
        store._index._asked("PRAGMA user_version = 77")
    store.close()
    for path in tmp_path.glob("index.sqlite*"):
        if damage == "gone":
            path.unlink()
        elif damage == "garbage":
            path.write_bytes(b"no database " * 400)
    assert Store(tmp_path).entries() == before


def test_a_run_of_a_newer_version_stays_on_disk_with_its_scene(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store, blocks(), "old")
    put(store, striped(), "new")
    path = tmp_path / "runs" / "new" / "run.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(StoreError, match="newer segdebug"):
        store.load("new")
    store.close()
    for index in tmp_path.glob("index.sqlite*"):
        index.unlink()
    store = Store(tmp_path)
    assert [entry.id for entry in store.entries()] == ["old"]
    store.delete("old")
    path.write_text(path.read_text().replace('"format": 2', '"format": 1'))
    assert Store(tmp_path).load("new")[1].digest == striped().digest


def test_ids_are_no_paths(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    put(store, blocks(), "one")
    for id in ("../one", "", "a/b", ".", "x" * 65):
        with pytest.raises(StoreError, match="cannot name a run"):
            put(store, blocks(), id)
        store.delete(id)
        assert store.entry(id) is None
    assert store.load("one")


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be kept here"):
        Store(tmp_path / "file" / "runs")


def test_two_hundred_runs_are_listed_and_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # 2400 of them say nothing here, and take seconds
    store, scene = Store(tmp_path), blocks()
    first = whole_run(scene, TINY)
    for n in range(200):
        store.put(first, scene, id=f"run-{n}", key=str(n % 50))
    entries = store.entries()
    assert [entry.id for entry in entries] == [f"run-{n}" for n in reversed(range(200))]
    assert all(entry.thumbnail.is_file() for entry in entries)
    found = store.by_key("7")
    assert found is not None
    assert found.id == "run-157"


def test_threads_can_write_read_and_delete_at_once(tmp_path: Path) -> None:
    store, scene, failures = Store(tmp_path, keep=8), blocks(), []

    def work(first: int) -> None:
        try:
            for n in range(first, first + 6):
                put(store, scene, str(n))
                for entry in store.entries():
                    store.rename(entry.id, "x") if n % 2 else store.delete(str(n - 1))
        except StoreError as error:
            if "no longer kept" not in str(error):  # another thread was faster
                failures.append(error)

    threads = [threading.Thread(target=work, args=(100 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(store.entries()) <= 8
    assert all(store.load(entry.id) for entry in store.entries())


_KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from segdebug import atomic, store as module
from tests.scenes import blocks, striped
from tests.store.test_store import put

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def after(n, function):
    "The function, and at its n-th call a half-written file and the end."
    calls = iter(range(n))
    def called(path, *rest, **named):
        if next(calls, None) is None:
            Path(path).write_bytes(b"half")
            die()
        return function(path, *rest, **named)
    return called

folder = Path(sys.argv[1])
put(module.Store(folder), blocks(), "kept")
where = {
    "scene": lambda: setattr(np, "save", after(1, np.save)),
    "run": lambda: setattr(np, "save", after(6, np.save)),
    "before its name": lambda: setattr(Path, "rename", die),
    "before the index": lambda: setattr(module.Index, "put", die),
    "renaming": lambda: setattr(Path, "replace", die),
    "deleting": lambda: setattr(atomic.shutil, "rmtree", die),
}
for n, arm in enumerate(where.values()):
    child = os.fork()
    if child == 0:
        store = module.Store(folder)
        arm()
        if n == 4:
            store.rename("kept", "never")
        elif n == 5:
            store.delete("run-3")
        else:
            put(store, striped(), f"run-{n}")
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, (n, status)
    store = module.Store(folder)
    print(sorted(entry.id for entry in store.entries()), [entry.name for entry in store.entries()][-1])
    for entry in store.entries():
        store.load(entry.id)
        assert entry.thumbnail.is_file()
    store.close()
"""


def test_a_process_killed_while_it_writes_loses_no_run_and_leaves_none_half(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    name = blocks().name
    only, both = f"['kept'] {name}", f"['kept', 'run-3'] {name}"
    assert done.stdout.splitlines() == [only, only, only, both, both, only]
