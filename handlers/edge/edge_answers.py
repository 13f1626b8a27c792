"""Keep inputs and answers in a SQLite file of bounded size until they are forwarded, and some longer.

Answers have sequence numbers, which order them even where the clock is wrong. A number is given out once, also after a loss of
power: the write-ahead log is synchronised before a number is returned (https://www.sqlite.org/wal.html,
https://www.sqlite.org/pragma.html#pragma_synchronous). A batch that is about to be sent is fixed on the disk first, so that it
has the same bytes and the same name however often it is sent.
"""

import os
import sqlite3
from _thread import allocate_lock
from time import monotonic, sleep

from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PAGE = 4096  # bytes
LEAST_PAGES = 16
WAIT = 5.0  # seconds for other processes that write
BATCH_BYTES = 256 * 1024
CHUNK = 64  # forwarded answers that make room at once, at least
SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (sequence INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO marks VALUES ('store', lower(hex(randomblob(8))));
INSERT OR IGNORE INTO marks VALUES ('forwarded', 0);
INSERT OR IGNORE INTO marks VALUES ('sending', 0);
INSERT OR IGNORE INTO marks VALUES ('dropped', 0);
"""


class NotKept(Exception):
    """An answer that the disk or the limit leaves no room for."""


class Batch(Value):
    """Answers that are forwarded together: those from `first` to `last`, a line of JSON each.

    `store` is the random name of the file that they were kept in.
    """

    store: str
    first: int
    last: int
    body: bytes


class Answers:
    """The kept answers of one device; several processes may use one file.

    :param path: of the file; its folder is made.
    :param most_bytes: of the file; its log beside it has at most 1 MiB more.
    """

    def __init__(self, path: str, most_bytes: int) -> None:
        self._path, self._pages = path, max(LEAST_PAGES, most_bytes // PAGE)
        self._lock = allocate_lock()
        self._file: sqlite3.Connection | None = None
        self._dropped = 0  # that the file does not count yet
        self.trouble = ""

    def keep(self, body: bytes) -> int:
        """Keep an answer on the disk; the oldest forwarded ones make room where the file is full.

        :param body: a JSON object with at least one name.
        :returns: its sequence number.
        :raises NotKept: there is no room, or the disk fails; the answer is counted as dropped.
        """
        with self._lock:
            try:
                file = self._opened()
                while True:
                    try:
                        return int(file.execute("INSERT INTO answers (body) VALUES (?)", (body,)).lastrowid or 0)
                    except sqlite3.OperationalError:
                        if not self._make_room(file):
                            raise
            except (sqlite3.Error, OSError) as error:
                self._dropped += 1
                self._fail(error)
                raise NotKept(self.trouble) from None

    def batch(self, most: int) -> "Batch | None":
        """Fix the next batch, or return the one that was fixed and not forwarded.

        :param most: answers in a new batch.
        :returns: None if all answers are forwarded.
        :raises NotKept: the disk fails.
        """
        with self._lock:
            try:
                file = self._opened()
                marks = self._marks(file)
                if marks["sending"] <= marks["forwarded"]:
                    last, size = marks["forwarded"], 0
                    wanted = "SELECT sequence, length(body) FROM answers WHERE sequence > ? ORDER BY sequence LIMIT ?"
                    for sequence, length in file.execute(wanted, (last, most)):
                        size += length
                        if size > BATCH_BYTES and last > marks["forwarded"]:
                            break
                        last = sequence
                    if last == marks["forwarded"]:
                        return None
                    file.execute("UPDATE marks SET value = ? WHERE name = 'sending'", (last,))
                    marks["sending"] = last
                chosen = "SELECT sequence, body FROM answers WHERE sequence > ? AND sequence <= ? ORDER BY sequence"
                rows = file.execute(chosen, (marks["forwarded"], marks["sending"])).fetchall()
            except (sqlite3.Error, OSError) as error:
                self._fail(error)
                raise NotKept(self.trouble) from None
        lines = [b'{"sequence":%d,%s\n' % (sequence, body[1:]) for sequence, body in rows]
        return Batch(marks["store"], rows[0][0], rows[-1][0], b"".join(lines))

    def forwarded(self, batch: Batch) -> None:
        """Note that a batch has arrived.

        :raises NotKept: the disk fails; the same batch is sent again.
        """
        self._mark("forwarded", batch.last)

    def rename(self) -> None:
        """Give the file another random name, after it turned out that a copy of it forwards as well.

        :raises NotKept: the disk fails.
        """
        self._mark("store", os.urandom(8).hex())

    def counts(self) -> "dict[str, Any]":
        """Count the answers: those kept, waiting and dropped, the last sequence numbers, and the bytes of the file."""
        with self._lock:
            found: dict[str, Any] = {}
            try:
                file = self._opened()
                marks = self._marks(file)
                kept, last = file.execute("SELECT count(*), max(sequence) FROM answers").fetchone()
                (waiting,) = file.execute("SELECT count(*) FROM answers WHERE sequence > ?", (marks["forwarded"],)).fetchone()
                found = {"store": marks["store"], "kept": kept, "waiting": waiting, "last": last or marks["forwarded"]}
                found.update(forwarded=marks["forwarded"], dropped=marks["dropped"] + self._dropped)
                found["bytes"] = file.execute("PRAGMA page_count").fetchone()[0] * PAGE
                self._count_dropped(file)
            except (sqlite3.Error, OSError) as error:
                self._fail(error)
                found.setdefault("dropped", self._dropped)
            return found | ({"trouble": self.trouble} if self.trouble else {})

    def last_body(self) -> bytes:
        """Return the newest answer that is kept; b"" if none exists."""
        with self._lock:
            try:
                row = self._opened().execute("SELECT body FROM answers ORDER BY sequence DESC LIMIT 1").fetchone()
            except (sqlite3.Error, OSError) as error:
                self._fail(error)
                row = None
            return bytes(row[0]) if row else b""

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._close()

    def _opened(self) -> sqlite3.Connection:
        """Open the file unless it is open; one that is no database any more is put aside.

        :raises OSError: the folder can't be made.
        :raises sqlite3.Error: the file can't be opened.
        """
        if self._file is not None:
            return self._file
        os.makedirs(os.path.dirname(self._path), 0o700, exist_ok=True)
        try:
            self._file = self._connected_in_turn()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            self._put_aside()
            self._file = self._connected_in_turn()
        return self._file

    def _connected_in_turn(self) -> sqlite3.Connection:
        """Connect, again where others do: of two that turn the write-ahead log on at once, SQLite refuses one without waiting."""
        until = monotonic() + WAIT
        while True:
            try:
                return self._connected()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > until:
                    raise
                sleep(0.01)

    def _connected(self) -> sqlite3.Connection:
        file = sqlite3.connect(self._path, timeout=WAIT, isolation_level=None, check_same_thread=False)
        try:
            file.execute(f"PRAGMA page_size = {PAGE}")
            file.execute("PRAGMA journal_mode = WAL")
            file.execute("PRAGMA synchronous = FULL")
            file.execute("PRAGMA cache_size = -256")  # KiB
            file.execute("PRAGMA wal_autocheckpoint = 128")
            file.execute("PRAGMA journal_size_limit = 1048576")
            file.execute(f"PRAGMA max_page_count = {self._pages}")
            if not file.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'marks'").fetchone()[0] or not self._marked(
                file
            ):
                file.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")
        except BaseException:
            file.close()
            raise
        return file

    @staticmethod
    def _marked(file: sqlite3.Connection) -> bool:
        return int(file.execute("SELECT count(*) FROM marks").fetchone()[0]) == SCHEMA.count("INSERT")

    @staticmethod
    def _marks(file: sqlite3.Connection) -> "dict[str, Any]":
        return dict(file.execute("SELECT name, value FROM marks"))

    def _mark(self, name: str, value: "int | str") -> None:
        with self._lock:
            try:
                file = self._opened()
                file.execute("UPDATE marks SET value = ? WHERE name = ?", (value, name))
                self._count_dropped(file)
                self.trouble = ""
            except (sqlite3.Error, OSError) as error:
                self._fail(error)
                raise NotKept(self.trouble) from None

    def _count_dropped(self, file: sqlite3.Connection) -> None:
        if self._dropped:
            file.execute("UPDATE marks SET value = value + ? WHERE name = 'dropped'", (self._dropped,))
            self._dropped = 0

    def _make_room(self, file: sqlite3.Connection) -> bool:
        """Delete the oldest forwarded answers; tell whether there were any."""
        oldest = file.execute("SELECT min(sequence) FROM answers").fetchone()[0]
        last = self._marks(file)["forwarded"]
        if oldest is None or oldest > last:
            return False
        until = min(last, oldest + max(CHUNK, (last - oldest) // 16) - 1)
        return file.execute("DELETE FROM answers WHERE sequence <= ?", (until,)).rowcount > 0

    def _fail(self, error: Exception) -> None:
        """Note why the file can't be used, and open it again next time; one that is damaged is put aside."""
        self.trouble = f"answers can't be kept: {error}"
        full = isinstance(error, sqlite3.OperationalError) and "full" in str(error)
        if not full:
            self._close()
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            self._put_aside()

    def _put_aside(self) -> None:
        """Rename a file that is no database any more, with its log."""
        self.trouble = f"{self._path} was damaged; it is kept as {self._path}.damaged"
        for end in ("", "-wal", "-shm"):
            try:
                os.replace(self._path + end, f"{self._path}.damaged{end}")
            except OSError:  # none exists
                pass

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
