"""Answers are kept in a file of bounded size, in an order that no clock decides, and survive a cut at any byte of the log."""

from __future__ import annotations

import json
import resource
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from edge_answers import Answers, NotKept

from flyweight.toolkit import resources

SMALL = 64 * 4096
BODY = b'{"n":%d,"pad":"' + b"x" * 900 + b'"}'


def forward(answers: Answers, most: int = 100) -> list[int]:
    """Forward all that waits; return the sequence numbers."""
    found = []
    while (batch := answers.batch(most)) is not None:
        found += [json.loads(line)["sequence"] for line in batch.body.splitlines()]
        assert (batch.first, batch.last) == (found[-len(batch.body.splitlines())], found[-1])
        answers.forwarded(batch)
    return found


def test_answers_are_numbered_and_forwarded_in_order(state: Path) -> None:
    answers = Answers(f"{state}/answers.db", SMALL)
    assert [answers.keep(b'{"n":%d}' % number) for number in range(25)] == [*range(1, 26)]
    assert forward(answers, 10) == [*range(1, 26)]
    assert answers.batch(10) is None
    assert answers.counts() | {"store": ""} == {
        "store": "", "kept": 25, "waiting": 0, "last": 25, "forwarded": 25, "dropped": 0, "bytes": answers.counts()["bytes"],
    }  # fmt: skip
    answers.close()


def test_a_batch_stays_the_same_until_it_has_arrived(state: Path) -> None:
    answers = Answers(f"{state}/answers.db", SMALL)
    answers.keep(b'{"n":1}')
    batch = answers.batch(10)
    answers.keep(b'{"n":2}')
    answers.close()
    again = Answers(f"{state}/answers.db", SMALL)
    assert batch is not None and again.batch(10) == batch
    again.forwarded(batch)
    assert forward(again) == [2]
    again.close()


def test_forwarded_answers_make_room_and_the_file_does_not_grow(state: Path) -> None:
    answers = Answers(f"{state}/answers.db", SMALL)
    for number in range(600):
        answers.keep(BODY % number)
        if number % 10 == 9:
            forward(answers)
    counts = answers.counts()
    assert counts["last"] == 600 and counts["dropped"] == 0 and 0 < counts["kept"] < 300
    assert sum(path.stat().st_size for path in state.iterdir()) < SMALL + (1 << 20) + 65536
    answers.close()


def test_what_waits_is_never_given_up_for_what_comes(state: Path) -> None:
    answers, kept = Answers(f"{state}/answers.db", SMALL), []
    dropped = 0
    for number in range(400):
        try:
            kept.append(answers.keep(BODY % number))
        except NotKept as error:
            assert "full" in str(error)
            dropped += 1
    assert dropped > 100 and len(kept) > 100
    assert answers.counts()["dropped"] == dropped
    answers.close()
    again = Answers(f"{state}/answers.db", SMALL)
    assert again.counts()["dropped"] == dropped  # it is counted on the disk, which was full
    assert forward(again) == kept == [*range(1, len(kept) + 1)]
    assert again.keep(BODY % 1) == len(kept) + 1
    again.close()


def test_no_number_is_given_twice_after_its_answer_was_deleted(state: Path) -> None:
    answers = Answers(f"{state}/answers.db", SMALL)
    last = 0
    for number in range(300):
        sequence = answers.keep(BODY % number)
        assert sequence == last + 1
        last = sequence
        forward(answers)
        if number % 50 == 0:
            answers.close()
    answers.close()


def test_a_log_that_is_cut_at_any_byte_has_all_that_was_acknowledged(state: Path, tmp_path: Path) -> None:
    answers = Answers(f"{state}/answers.db", SMALL)
    for number in range(20):
        answers.keep(b'{"n":%d}' % number)
    before = {path.name: path.read_bytes() for path in state.iterdir()}
    answers.keep(BODY % 21)
    after = {path.name: path.read_bytes() for path in state.iterdir()}
    assert before["answers.db"] == after["answers.db"], "only the log has changed"
    old, new = before["answers.db-wal"], after["answers.db-wal"]
    first = next((place for place, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    cuts = {first, len(new), *range(first, len(new), 97)}
    assert len(cuts) > 20
    for cut in sorted(cuts):
        place = tmp_path / f"cut{cut}"
        place.mkdir()
        (place / "answers.db").write_bytes(after["answers.db"])
        (place / "answers.db-wal").write_bytes(new[:cut] + old[cut:])
        found = Answers(f"{place}/answers.db", SMALL)
        sequences = forward(found)
        assert sequences[:20] == [*range(1, 21)] and len(sequences) <= 21
        found.close()
        shutil.rmtree(place)
    answers.close()


def test_a_file_that_is_no_database_is_put_aside_and_said(state: Path) -> None:
    state.mkdir()
    (state / "answers.db").write_bytes(b"no database " * 1000)
    answers = Answers(f"{state}/answers.db", SMALL)
    assert answers.keep(b'{"n":1}') == 1
    assert "damaged" in answers.counts()["trouble"]
    assert (state / "answers.db.damaged").read_bytes().startswith(b"no database")
    answers.close()


def test_two_files_have_different_names_in_what_they_forward(tmp_path: Path) -> None:
    names = set()
    for place in ("one", "two"):
        answers = Answers(f"{tmp_path}/{place}/answers.db", SMALL)
        names.add(answers.counts()["store"])
        answers.close()
    assert len(names) == 2


def test_several_processes_keep_answers_in_one_file(state: Path) -> None:
    program = (
        "import sys; sys.path[:0] = sys.argv[1:3]\nfrom edge_answers import Answers\n"
        "answers = Answers(sys.argv[3], 1 << 20)\nprint(*[answers.keep(b'{\"n\":1}') for _ in range(100)])"
    )
    words = [str(resources.folder("handlers") / "edge"), str(Path(sys.modules["flyweight"].__file__ or "").parents[1])]
    started = [
        subprocess.Popen([sys.executable, "-c", program, *words, f"{state}/answers.db"], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    numbers = [int(word) for process in started for word in process.communicate()[0].split()]
    assert sorted(numbers) == [*range(1, 301)]


def test_all_that_open_a_new_file_at_once_keep_their_answers(tmp_path: Path) -> None:
    together = Barrier(4)

    def kept(path: str) -> int:
        answers = Answers(path, 1 << 20)
        together.wait()
        try:
            return answers.keep(b'{"n":1}')
        finally:
            answers.close()

    with ThreadPoolExecutor(4) as pool:
        for round_ in range(30):
            assert sorted(pool.map(kept, [f"{tmp_path}/{round_}/answers.db"] * 4)) == [1, 2, 3, 4]


def test_a_disk_with_no_room_drops_nothing_that_was_acknowledged(state: Path) -> None:
    """The system refuses to make files larger, as a full disk does."""
    program = (
        "import resource, sys; sys.path[:0] = sys.argv[1:3]\nfrom edge_answers import Answers, NotKept\n"
        "answers = Answers(sys.argv[3], 1 << 24)\nfirst = answers.keep(b'{\"n\":1}')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))\nfailed = 0\n"
        "for _ in range(500):\n  try: last = answers.keep(b'{\"n\":\"' + b'x' * 1000 + b'\"}')\n  except NotKept: failed += 1\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)\n"
        "print(last, failed, answers.keep(b'{\"n\":2}'), answers.counts()['dropped'])"
    )
    words = [str(resources.folder("handlers") / "edge"), str(Path(sys.modules["flyweight"].__file__ or "").parents[1])]
    done = subprocess.run([sys.executable, "-c", program, *words, f"{state}/answers.db"], capture_output=True, text=True)
    last, failed, after, dropped = map(int, done.stdout.split() or [0, 0, 0, done.stderr])
    assert failed > 100 and last > 100 and after == last + 1 and dropped == failed
    answers = Answers(f"{state}/answers.db", 1 << 24)
    assert forward(answers) == [*range(1, after + 1)]
    answers.close()


def test_the_log_is_synchronised_before_a_number_is_returned(state: Path) -> None:
    answers = Answers(f"{state}/answers.db", SMALL)
    answers.keep(b'{"n":1}')
    assert answers._file is not None
    told = {name: answers._file.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}
    assert told == {"journal_mode": "wal", "synchronous": 2}  # 2 is FULL
    answers.close()
    assert sqlite3.sqlite_version_info >= (3, 31) and resource.RLIMIT_FSIZE
