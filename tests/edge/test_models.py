"""A download goes on where it was cut; a model that is wrong, older or deadly never replaces the last good one."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import edge_models
import pytest
from edge_models import Models

from flyweight.errors import ModelRefused, StoreFailed
from flyweight.predictor import load
from flyweight.registry.addresses import model_key
from flyweight.settings import Settings, Verification
from flyweight.toolkit.publishing import registry, signing
from tests.edge.world import ADDRESS, Store

SETTINGS = Settings("")


def models_of(state: Path, store: Store, address: str = ADDRESS) -> Models:
    made = Models(str(state), address)
    made._store = store
    return made


def answer(path: str) -> int:
    predictions = load(path).predict([[0.0]]).predictions
    assert predictions is not None
    return int(predictions[0])


@pytest.fixture
def store(versions: dict[int, Path]) -> Store:
    made = Store()
    made.publish(versions[1], 1)
    return made


def test_a_promoted_model_is_pulled_once_and_found_after_a_start(state: Path, store: Store) -> None:
    path = models_of(state, store).pull(SETTINGS)
    assert answer(path) == 1
    again = models_of(state, store)
    assert again.newest() == path and again.pull(SETTINGS) == ""
    assert Models(str(state), "s3://bucket/other@prod").newest() == ""  # of another address


def test_a_cut_download_goes_on_where_it_was_cut(
    state: Path, store: Store, versions: dict[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_models, "PIECE", 100)
    store.cut_reads = 4
    with pytest.raises(StoreFailed, match="cut"):
        models_of(state, store).pull(SETTINGS)
    (part,) = state.glob("*.part")
    assert part.read_bytes() == versions[1].read_bytes()[:300]
    assert models_of(state, store).newest() == ""
    starts: list[int] = []
    read = store.read
    monkeypatch.setattr(store, "read", lambda key, meta, start, size: starts.append(start) or read(key, meta, start, size))
    assert answer(models_of(state, store).pull(SETTINGS)) == 1
    assert starts[0] == 300 and not [*state.glob("*.part")]


def test_a_window_that_closes_stops_the_download_and_the_next_one_ends_it(
    state: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_models, "PIECE", 100)
    open_for = iter([True, True, False])
    assert models_of(state, store).pull(SETTINGS, lambda: next(open_for)) == ""
    assert [part.stat().st_size for part in state.glob("*.part")] == [200]
    assert answer(models_of(state, store).pull(SETTINGS)) == 1


def test_a_part_of_another_model_is_removed(state: Path, store: Store) -> None:
    state.mkdir()
    (state / f"{'0' * 64}.part").write_bytes(b"left")
    models_of(state, store).pull(SETTINGS)
    assert not [*state.glob("*.part")]


def test_a_model_that_does_not_answer_its_own_sample_is_refused_once(
    state: Path, store: Store, versions: dict[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    models = models_of(state, store)
    good = models.pull(SETTINGS)
    store.publish(versions[2], 2, "sample")
    with pytest.raises(ModelRefused, match="own sample"):
        models.pull(SETTINGS)
    assert models_of(state, store).newest() == good
    monkeypatch.setattr(store, "read", lambda *_: pytest.fail("it is not fetched again"))
    with pytest.raises(ModelRefused, match="own sample"):
        models_of(state, store).pull(SETTINGS)


def test_altered_bytes_are_fetched_again_and_given_up_after_three_times(
    state: Path, store: Store, versions: dict[int, Path]
) -> None:
    good = models_of(state, store).pull(SETTINGS)
    store.publish(versions[2], 2, "bytes")
    for _ in range(3):
        with pytest.raises(StoreFailed, match="altered"):
            models_of(state, store).pull(SETTINGS)
    with pytest.raises(ModelRefused, match="3 trials"):
        models_of(state, store).pull(SETTINGS)
    assert models_of(state, store).newest() == good


def test_a_model_that_ends_the_process_is_not_tried_a_fourth_time(
    state: Path, store: Store, versions: dict[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = models_of(state, store).pull(SETTINGS)
    store.publish(versions[2], 2)

    class Killed(BaseException):
        pass

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(edge_models, "Predictor", kill)
        for _ in range(3):
            with pytest.raises(Killed):
                models_of(state, store).pull(SETTINGS)
    with pytest.raises(ModelRefused, match="3 trials"):
        models_of(state, store).pull(SETTINGS)
    assert models_of(state, store).newest() == good
    store.publish(versions[3], 3)
    assert answer(models_of(state, store).pull(SETTINGS)) == 3


def test_an_older_state_of_the_store_is_not_followed(state: Path, store: Store, versions: dict[int, Path]) -> None:
    models = models_of(state, store)
    store.publish(versions[2], 5)
    models.pull(SETTINGS)
    store.publish(versions[1], 4)
    with pytest.raises(StoreFailed, match="older"):
        models.pull(SETTINGS)
    assert answer(models.newest()) == 2


def test_a_rollback_needs_no_download(
    state: Path, store: Store, versions: dict[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    models = models_of(state, store)
    for serial, number in ((2, 1), (3, 2)):
        store.publish(versions[number], serial)
        models.pull(SETTINGS)
    store.publish(versions[1], 4)
    monkeypatch.setattr(store, "read", lambda *_: pytest.fail("it is on the disk"))
    assert answer(models.pull(SETTINGS)) == 1


def test_a_damaged_model_is_answered_for_by_the_one_before(state: Path, store: Store, versions: dict[int, Path]) -> None:
    models = models_of(state, store)
    models.pull(SETTINGS)
    store.publish(versions[2], 2)
    path = Path(models.pull(SETTINGS))
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert answer(models_of(state, store).newest()) == 1
    assert len([*state.glob("*.safetensors")]) == 2  # those two and no more


def test_digital_signatures_are_required_and_kept(state: Path, versions: dict[int, Path], tmp_path: Path) -> None:
    keys = {name: base64.b64encode(signing.new_key(tmp_path / f"{name}.pem")).decode() for name in ("ours", "theirs")}
    address = f"file://{tmp_path}/store/m@prod"
    here = registry.at(f"file://{tmp_path}/store")
    here.push(versions[1], ["prod"], tmp_path / "ours.pem")
    required = Settings("", verification=Verification(public_keys=(keys["ours"],)))
    path = Models(str(state), address).pull(required)
    assert answer(path) == 1 and Path(f"{path}.sig").is_file()
    here.push(versions[2], ["prod"], tmp_path / "theirs.pem")
    with pytest.raises(ModelRefused, match="not trusted"):
        Models(str(state), address).pull(required)
    assert Models(str(state), address).newest() == path


def test_a_plain_object_is_followed_by_its_tag(state: Path, versions: dict[int, Path]) -> None:
    store = Store()
    for number in (1, 2, 1):
        store.objects["m.safetensors"] = versions[number].read_bytes()
        models = models_of(state, store, "s3://bucket/m.safetensors")
        assert answer(models.pull(SETTINGS)) == number
        assert models.pull(SETTINGS) == ""


def test_a_size_that_the_record_does_not_promise_is_refused(state: Path, store: Store, versions: dict[int, Path]) -> None:
    data = versions[1].read_bytes()
    store.objects[model_key("m", "1.0.0", hashlib.sha256(data).hexdigest())] = data + b"more"
    with pytest.raises(ModelRefused, match="expected"):
        models_of(state, store).pull(SETTINGS)
