"""Answer many connections from one thread, and let another thread go on in its place when one answer takes long.

That thread, the leader, waits for all sockets and also answers, because most answers take less time than waking another thread.
`Server.run` watches it. When one answer keeps the leader, another thread leads, and the former leader only finishes that answer.
All sockets belong to the leader.
"""

import errno
import sys
import time
from _socket import SHUT_WR, SOCK_STREAM, socket
from _thread import allocate_lock, start_new_thread
from time import monotonic

from server_connections import BLOCK, LINGER, WORK, WRITE, Connection, head
from server_http import Message, Overloaded, TooSlow
from server_sockets import EXCLUSIVE, FEW, READABLE, Selection, Waker, poller

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flyweight.settings import Serving
    from flyweight.values import Response

    Answer = Callable[[Message], Response]

PATIENCE = 0.02  # seconds; an answer that takes longer gives the other callers a new leader, at most twice as late
SLOW_SECONDS = 1.0  # for which bodies as long as one that took long are answered in threads of their own
LOOK_SECONDS = 0.5  # after which the leader looks for callers that take too long
IDLE_SECONDS = 1.0  # after which a server that nobody calls looks for signals
ACCEPTED = 64  # connections that are accepted before others have their turn; 1 if several processes share them
NO_MORE_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Server:
    """Accepts connections of one listening socket, and answers their requests.

    :param answer: answers one request; it never raises.
    :param max_body_bytes: of one request.
    :raises OSError: the process has no more files.
    """

    def __init__(self, listener: socket, answer: "Answer", bounds: "Serving", max_body_bytes: int) -> None:
        self.listener, self.answer, self.bounds, self.max_body_bytes = listener, answer, bounds, max_body_bytes
        self.connections: dict[int, Connection] = {}  # by the number of their socket
        self.stopping = self._closed = self._running = self._led = False
        self._over = self._asleep = False  # whether nobody leads any more, and whether `run` waits for the next request
        self._bell = allocate_lock()  # which `run` waits for
        self._bell.acquire()
        self._count = 0  # requests that leaders have begun to answer
        self._at_work: list[tuple[Connection, Message]] = []  # what the leader answers; the thread that takes it out leads
        self._answered: list[tuple[Connection, Message, Response | None]] = []  # by other threads
        self._further: dict[Connection, None] = {}  # connections whose next request has been read, at least in part
        self._slow_bytes, self._slow_until = 0, 0.0
        self._now = self._looked = monotonic()
        listener.settimeout(0.0)
        self._poller = poller()
        self._waker = Waker(self._poller)
        self._most = min(bounds.connections, FEW) if isinstance(self._poller, Selection) else bounds.connections

    def run(self) -> None:
        """Answer until `close` or the end of `drain`.

        :raises RuntimeError: the thread that answers has failed.
        """
        self._running = True
        if self._closed:
            return self._stop()
        try:
            shared = EXCLUSIVE if self.bounds.workers > 1 else 0
            self._poller.register(self.listener.fileno(), READABLE | shared)
            start_new_thread(self._lead, ())
            self._led = True
            self._watch()
        finally:
            failed = self._over and not self._closed
            self._stop()
        if failed:
            raise RuntimeError("the server's thread has failed; the error above says why. Please report it")

    def close(self) -> None:
        """Stop accepting connections, and close those that are open."""
        self._closed = self.stopping = True
        self._waker.wake()
        if not self._running:
            self._stop()

    def drain(self) -> bool:
        """Finish the requests that have begun, close the other connections, and stop accepting.

        Until then requests on new connections are answered as well, so that those who ask for readiness see its change.

        :returns: whether all requests were finished within the grace.
        """
        self.stopping = True
        deadline = monotonic() + self.bounds.grace_seconds
        while monotonic() < deadline and not all([one.phase == LINGER for one in [*self.connections.values()]]):
            self._waker.wake()  # the leader ends connections that are idle
            time.sleep(0.01)
        finished = not any([connection.busy for connection in [*self.connections.values()]])
        self._closed = True
        self._waker.wake()
        return finished

    def _watch(self) -> None:
        """Let another thread lead whenever one answer keeps the leader; return when nobody leads."""
        seen = 0
        while not self._over:
            count = self._count
            active = count != seen or bool(self._at_work)
            self._asleep = not active
            self._bell.acquire(True, PATIENCE if active else IDLE_SECONDS)
            if active and self._at_work and self._count == count:
                try:
                    start_new_thread(self._succeed, ())
                except RuntimeError:  # the system gives no more threads; the answer has to end first
                    pass
            seen = count

    def _stop(self) -> None:
        """Wait for the leader's end, and close all sockets. A leader whom an answer keeps loses them."""
        self._closed = True
        self._waker.wake()
        while self._led and not self._over and not self._take_work():
            self._bell.acquire(True, PATIENCE)
        self._running, self._over = False, True
        self.listener.close()
        for connection in [*self.connections.values()]:
            connection.close()
        self.connections.clear()
        self._poller.close()
        self._waker.close()

    def _ring(self) -> None:
        """Let `run` look at once."""
        try:
            self._bell.release()
        except RuntimeError:  # it was rung already
            pass

    def _take_work(self) -> "tuple[Connection, Message] | None":
        """Take what the leader answers, which makes the caller of this method the leader; None if it answers nothing now."""
        try:
            return self._at_work.pop()
        except IndexError:
            return None

    def _succeed(self) -> None:
        """Lead in place of a thread that an answer keeps, unless it has finished meanwhile."""
        work = self._take_work()
        if work is None:
            return
        connection, message = work
        connection.leave()
        now, length = monotonic(), len(message.body)
        self._slow_bytes = min(self._slow_bytes, length) if now < self._slow_until else length
        self._slow_until = now + SLOW_SECONDS
        self._lead()

    def _lead(self) -> None:
        """Wait for sockets and answer, until another thread leads or the server is closed."""
        leads = True
        try:
            while leads and not self._closed:
                leads = self._turn()
        finally:
            if leads:
                self._over = True
                self._ring()

    def _turn(self) -> bool:
        """Give each caller that has sent something its turn, one request at most; return whether this thread still leads."""
        wait = 0.0 if self._further else LOOK_SECONDS if self.connections else IDLE_SECONDS
        ready = self._poller.poll(wait)
        self._now = monotonic()
        for descriptor, _ in ready:
            connection = self.connections.get(descriptor)
            if connection is None:
                self._greet(descriptor)
            elif connection not in self._further:
                step = connection.send_rest if connection.phase == WRITE else connection.receive
                if not self._advance(connection, step):
                    return False
        for connection in [*self._further]:
            if connection in self._further:  # else it was closed in this turn
                del self._further[connection]
                if not self._advance(connection, connection.next):
                    return False
        while self._answered:
            connection, message, response = self._answered.pop(0)
            connection.join()
            self._reply(connection, message, response)
        if self.stopping or self._now - self._looked > LOOK_SECONDS:
            self._look()
        return True

    def _advance(self, connection: Connection, step: "Callable[[float], Message | None]") -> bool:
        """Take a connection one step further, and answer a request that is whole; return whether this thread still leads."""
        try:
            message = step(self._now)
        except (OSError, EOFError):
            self._drop(connection)
            return True
        return message is None or self._respond(connection, message)

    def _respond(self, connection: Connection, message: Message) -> bool:
        """Answer a request; return whether this thread still leads."""
        connection.phase = WORK
        if self._now < self._slow_until and len(message.body) >= self._slow_bytes and self._respond_apart(connection, message):
            return True
        work = (connection, message)
        self._at_work.append(work)
        self._count += 1
        if self._asleep:
            self._asleep = False
            self._ring()
        response = self._response(message)
        try:
            self._at_work.remove(work)
        except ValueError:  # another thread leads, and may answer a request of its own; the connection has left
            self._answered.append((connection, message, response))
            self._waker.wake()
            return False
        self._reply(connection, message, response)
        return True

    def _respond_apart(self, connection: Connection, message: Message) -> bool:
        """Answer a request in a thread of its own; return whether there is one."""

        def respond() -> None:
            self._answered.append((connection, message, self._response(message)))
            self._waker.wake()

        connection.leave()
        try:
            start_new_thread(respond, ())
        except RuntimeError:  # the system gives no more threads
            connection.join()
            return False
        return True

    def _response(self, message: Message) -> "Response | None":
        """Make an answer; None after an error that the answering function should have answered."""
        try:
            return self.answer(message)
        except Exception:
            sys.excepthook(*sys.exc_info())
            return None

    def _reply(self, connection: Connection, message: Message, response: "Response | None") -> None:
        """Send an answer, and close the connection if it was the last one."""
        try:
            if response is None:
                raise EOFError
            connection.send(message, response, message.keep_alive and not self.stopping, self._now)
        except (OSError, EOFError):
            return self._drop(connection)
        if connection.has_more:
            self._further[connection] = None

    def _greet(self, descriptor: int) -> None:
        """Accept connections, if the listening socket is ready."""
        if descriptor == self._waker.descriptor:
            return self._waker.clear()
        for _ in range(ACCEPTED if self.bounds.workers == 1 else 1):
            try:
                number, _ = self.listener._accept()  # type: ignore[attr-defined]
            except BlockingIOError:
                return None
            except OSError as error:
                if error.errno in NO_MORE_FILES and not self._make_room():
                    time.sleep(0.01)
                return None  # else the caller has gone already
            connected = socket(self.listener.family, SOCK_STREAM, 0, number)
            if len(self.connections) < self._most or self._make_room():
                self._welcome(connected)
            else:
                self._refuse(connected)
        return None

    def _welcome(self, connected: socket) -> None:
        """Wait for the requests of a new connection."""
        try:
            connection = Connection(connected, self._poller, self.max_body_bytes, self._now)
        except OSError:  # the system has no more memory for it
            return connected.close()
        self.connections[connection.descriptor] = connection

    def _refuse(self, connected: socket) -> None:
        """Answer that the server has too many connections, without waiting for the caller."""
        try:
            connected.settimeout(0.0)
            response = self.answer(Message(error=Overloaded("the server has too many connections; try again")))
            connected.send(head(response, False) + response.body)
            connected.shutdown(SHUT_WR)
            connected.recv(BLOCK)  # closing with bytes that were not read could take the answer away from the caller
        except OSError:
            pass
        finally:
            connected.close()

    def _make_room(self) -> bool:
        """Close the connection that has waited longest for its caller; return whether there was one."""
        waiting = [connection for connection in self.connections.values() if connection.phase != WORK]
        if not waiting:
            return False
        self._drop(min(waiting, key=lambda connection: (connection.busy, connection.since)))
        return True

    def _drop(self, connection: Connection) -> None:
        """Close a connection."""
        self._further.pop(connection, None)
        if self.connections.pop(connection.descriptor, None) is not None:
            connection.leave()
            connection.close()

    def _look(self) -> None:
        """Refuse requests that arrive too slowly, close connections that wait too long, and end idle ones if the server stops."""
        self._looked = self._now
        for connection in [*self.connections.values()]:
            if self.stopping and connection.is_idle(self._now):
                connection.end()
            seconds = connection.seconds(self.bounds)
            if self._now - connection.since <= seconds:
                continue
            if connection.has_more:
                late = f"the {connection.phase} of the request did not arrive whole in {seconds:g} seconds"
                message = Message(error=TooSlow(late))
                self._further.pop(connection, None)
                self._reply(connection, message, self._response(message))
            else:
                self._drop(connection)
