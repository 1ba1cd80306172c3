"""A front before the sandbox, for faults below HTTP: connections, TLS, and answers that stop short.

It forwards each request to the sandbox and its answer back, until the fault takes hold:

- those of a connection hold for every connection after the answer to a given call, or from the
  start;
- those of a message hold for the requests of a call, all or only the first.

What goes on to the sandbox although its answer will not come back whole is marked there with the
header X-Front-Fault. After heal() the front only forwards, at the same address.
"""

import collections
import http.client
import http.server
import socket
import ssl
import struct
import subprocess
import threading

CONNECTION_FAULTS = ("refused", "no-accept", "no-handshake", "wrong-certificate",
                     "expired-certificate", "wrong-host")
MESSAGE_FAULTS = ("reset", "reset-after", "hang-in-headers", "hang-after-headers", "hang-in-body")
TLS_FAULTS = CONNECTION_FAULTS[2:]


class Certificates:
    """Certificates that sign themselves, made with the program openssl; `trusted` names a file of
    all but one of them."""

    def __init__(self, directory):
        self.directory = directory
        self.trusted = directory / "trusted.pem"
        for name, subject in (("good", "IP:127.0.0.1"), ("wrong-certificate", "IP:127.0.0.1"),
                              ("wrong-host", "DNS:elsewhere.example")):
            self._openssl("req", "-x509", *self._new_key(name, subject), "-out", f"{name}.pem",
                          "-days", "2")
        self._make_expired("expired-certificate", "IP:127.0.0.1")
        self.trusted.write_text("".join(
            (directory / f"{name}.pem").read_text()
            for name in ("good", "wrong-host", "expired-certificate")))

    def _openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self.directory, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True)
        assert done.returncode == 0, f"openssl {arguments}: {done.stderr}"

    @staticmethod
    def _new_key(name, subject):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                f"/CN={name}", "-addext", f"subjectAltName={subject}", "-keyout", f"{name}.key")

    def _make_expired(self, name, subject):
        """Only `openssl ca` lets the end be chosen, in every version."""
        (self.directory / "ca.conf").write_text(
            "[ca]\ndefault_ca = it\n[it]\nnew_certs_dir = .\ndatabase = index\nserial = serial\n"
            "default_md = sha256\npolicy = any\ncopy_extensions = copy\n[any]\n"
            "commonName = supplied\n")
        (self.directory / "index").touch()
        (self.directory / "serial").write_text("01\n")
        self._openssl("req", *self._new_key(name, subject), "-out", f"{name}.csr")
        self._openssl("ca", "-config", "ca.conf", "-batch", "-notext", "-selfsign", "-keyfile",
                      f"{name}.key", "-in", f"{name}.csr", "-out", f"{name}.pem",
                      "-startdate", "20200101000000Z", "-enddate", "20200201000000Z")

    def context(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.directory / f"{name}.pem", self.directory / f"{name}.key")
        return context


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection; `self.server` is the front."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    @property
    def call(self):
        if self.command == "GET":
            return "retrieve" if "/invites/" in self.path else "list"
        return "create" if self.command == "POST" else "delete"

    def relay(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.take(self.call)
        if fault == "reset":
            self.server.swallowed[self.call] += 1
            self.reset()
            return
        status, headers, answer = self.forward(body, fault)
        if fault == "reset-after":
            self.reset()
        elif fault:
            self.stop_short(fault, status, headers, answer)
        else:
            self.close_connection = self.server.takes_hold_after(self.call)
            self.send_whole(status, headers, answer)

    do_GET = do_POST = do_DELETE = relay

    def forward(self, body, fault):
        headers = {name: value for name, value in self.headers.items()
                   if name.lower() in ("authorization", "content-type", "openai-organization")}
        if fault:
            headers["X-Front-Fault"] = fault
        onward = http.client.HTTPConnection("127.0.0.1", self.server.sandbox_port, timeout=60)
        try:
            onward.request(self.command, self.path, body or None, headers)
            response = onward.getresponse()
            kept = [(name, value) for name, value in response.getheaders()
                    if name.lower() not in ("connection", "transfer-encoding", "content-length")]
            return response.status, kept, response.read()
        finally:
            onward.close()

    def send_head(self, status, headers, length):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def send_whole(self, status, headers, answer):
        self.send_head(status, headers, len(answer))
        self.wfile.write(answer)

    def stop_short(self, fault, status, headers, answer):
        """Sends a part, and nothing more until the other side has had enough."""
        if fault == "hang-in-headers":
            self.wfile.write(f"HTTP/1.1 {status} OK\r\nContent-Ty".encode())
        else:
            self.send_head(status, headers, len(answer))
        if fault == "hang-in-body":
            self.wfile.write(answer[:len(answer) // 2])
        self.wfile.flush()
        self.connection.recv(1)
        self.close_connection = True

    def reset(self):
        """The connection ends with RST when it is closed."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True


class Front:
    """`call`: what a fault of a message strikes; `after`: the call after which a fault of a
    connection takes hold, None for the start."""

    def __init__(self, sandbox_port, certificates, fault, call, after=None, once=False):
        assert fault in CONNECTION_FAULTS + MESSAGE_FAULTS, f"no such fault: {fault}"
        assert not (once and fault in CONNECTION_FAULTS), f"{fault} holds for all connections"
        self.sandbox_port, self.certificates = sandbox_port, certificates
        self.fault, self.call, self.after, self.once = fault, call, after, once
        self.swallowed = collections.Counter()  # requests that the sandbox never saw
        self.lock = threading.Lock()
        self.is_tls = fault in TLS_FAULTS
        self.holds = fault in CONNECTION_FAULTS and after is None
        self.open = []  # sockets to be closed in the end
        # Keeps the port while nobody listens there.
        self.holder = self._bind(0)
        self.port = self.holder.getsockname()[1]
        self.listener = None
        self._listen()

    @property
    def url(self):
        return f"{'https' if self.is_tls else 'http'}://127.0.0.1:{self.port}/v1"

    @staticmethod
    def _bind(port):
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(("127.0.0.1", port))
        return bound

    def _listen(self):
        """Listens as the fault has it at this time."""
        if self.holds and self.fault == "refused":
            return
        self.listener = self._bind(self.port)
        if self.holds and self.fault == "no-accept":
            self.listener.listen(0)
            for _ in range(4):
                waiting = socket.socket()
                waiting.setblocking(False)
                waiting.connect_ex(("127.0.0.1", self.port))
                self.open.append(waiting)
            return
        self.listener.listen(16)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def _stop_listening(self):
        if self.listener:
            try:
                self.listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.listener.close()
            self.listener = None

    def _accept(self, listener):
        while True:
            try:
                connection, address = listener.accept()
            except OSError:
                return
            self.open.append(connection)
            threading.Thread(target=self._serve, args=(connection, address), daemon=True).start()

    def _serve(self, connection, address):
        if self.holds and self.fault == "no-handshake":
            return
        try:
            if self.is_tls:
                name = self.fault if self.holds else "good"
                connection = self.certificates.context(name).wrap_socket(connection,
                                                                         server_side=True)
                self.open.append(connection)
            Handler(connection, address, self)
        except OSError:
            pass  # the other side went away
        connection.close()

    def take(self, call):
        """The fault that this request meets, if it meets one."""
        with self.lock:
            if self.fault not in MESSAGE_FAULTS or call != self.call:
                return None
            fault = self.fault
            if self.once:
                self.fault = None
            return fault

    def takes_hold_after(self, call):
        """Whether the connections after this answer fail; those before it are to close."""
        if self.fault not in CONNECTION_FAULTS or self.holds or self.after != call:
            return False
        self._stop_listening()
        self.holds = True
        self._listen()
        return True

    def heal(self):
        self._stop_listening()
        self._close_all()
        self.fault, self.holds = None, False
        self._listen()

    def _close_all(self):
        for one in self.open:
            one.close()
        self.open = []

    def stop(self):
        self._stop_listening()
        self._close_all()
        self.holder.close()
