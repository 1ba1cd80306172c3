"""A gateway between inviterd and the sandbox that knows when a request passes.

A test arms it with a moment in the life of the n-th request of some calls; when that comes, the
gate calls the test back, with the request and its answer held where they are.
"""

import re
import socket
import threading

# Where the request is when the gate calls back:
LOST = "lost"            # it has left inviterd, and never gets to the service
LATE = "late"            # it gets to the service after the call, and its answer nowhere
ANSWERED = "answered"    # the service has done it, and its answer gets nowhere
DELIVERED = "delivered"  # inviterd has been sent the answer
MOMENTS = (LOST, LATE, ANSWERED, DELIVERED)

WRITES = (b"POST", b"DELETE")
READS = (b"GET",)


class Alarm:
    """The callback, and what it waits for."""

    def __init__(self, methods, nth, moment, callback):
        self.methods, self.nth, self.moment, self.callback = methods, nth, moment, callback
        self.seen, self.lock = 0, threading.Lock()

    def is_due(self, request):
        if not request.startswith(self.methods):
            return False
        with self.lock:
            self.seen += 1
            return self.seen == self.nth


def read_message(stream):
    """The head and body of the next request or answer; None at the end, or where it is cut."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return None
        head += line
    found = re.search(rb"content-length: *(\d+)", head, re.I)
    length = int(found[1]) if found else 0
    body = stream.read(length)
    return head + body if len(body) == length else None


class Gate:
    def __init__(self, test, port):
        self.back, self.alarm, self.threads = port, None, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        threading.Thread(target=self._accept, daemon=True).start()
        test.addCleanup(self._close)

    def arm(self, methods, nth, moment, callback):
        self.alarm = Alarm(methods, nth, moment, callback)

    def disarm(self):
        self.alarm = None

    def drain(self):
        """Waits until what came of a process that is dead has run its course."""
        while self.threads:
            self.threads.pop().join()

    def _close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.drain()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            thread.start()
            self.threads.append(thread)

    def _serve(self, client):
        try:
            with client, socket.create_connection(("127.0.0.1", self.back)) as back, \
                    client.makefile("rb") as requests, back.makefile("rb") as answers:
                while (request := read_message(requests)) is not None:
                    self._pass_on(request, client, back, answers)
        except OSError:
            pass  # whom it was for is dead

    def _pass_on(self, request, client, back, answers):
        alarm = self.alarm
        moment = alarm.moment if alarm and alarm.is_due(request) else None
        if moment in (LOST, LATE):
            alarm.callback()
        if moment != LOST:
            back.sendall(request)
            answer = read_message(answers)
            if moment == ANSWERED:
                alarm.callback()
            client.sendall(answer or b"")
        if moment == DELIVERED:
            alarm.callback()
