"""A service that answers what a test says, byte by byte: for what no honest organisation sends."""

import http.server
import json
import threading


class Stranger:
    """`answer` is called with method and path, and gives status, headers and body."""

    def __init__(self, test, answer):
        outer = self
        self.answer = answer
        self.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self):
                length = int(self.headers.get("Content-Length") or 0)
                sent = self.rfile.read(length)
                outer.requests.append((self.command, self.path, sent))
                status, headers, body = outer.answer(self.command, self.path)
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = handle_one

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        # A client that hangs up on a stranger is right to do so.
        self.server.handle_error = lambda *_: None
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        test.addCleanup(self.stop)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def page(*invites):
    """A whole listing."""
    return {"object": "list", "data": list(invites), "first_id": None, "last_id": None,
            "has_more": False}
