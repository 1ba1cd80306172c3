#!/usr/bin/env python3
"""What is interrupted half-way goes on where it stood: no second mail, and nobody is left out."""

import re
import signal
import socket
import threading

import harness
from harness import (EXIT_OK, EXIT_TROUBLE, READONLY_KEY, TestCase, World, wait_for)

ADA, BEN = "ada@example.com", "ben@example.com"


class Front(threading.Thread):
    """A gateway before the sandbox: it passes the first create on, closes without its answer, and
    refuses connections for a moment, as a service does that is started again."""

    def __init__(self, port, away_seconds):
        super().__init__(daemon=True)
        self.back, self.away_seconds, self.fired = port, away_seconds, False
        self.came_back = threading.Event()
        self.listen(0)
        self.port = self.listener.getsockname()[1]
        self.start()

    def listen(self, port):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(16)

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                self.came_back.wait(0.1)
                continue
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    @staticmethod
    def message(stream):
        """The head and body of the next request or answer; None at the end."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = stream.recv(1)
            if not byte:
                return None
            head += byte
        found = re.search(rb"content-length: *(\d+)", head, re.I)
        body = b""
        while len(body) < (int(found[1]) if found else 0):
            body += stream.recv(65536)
        return head + body

    def serve(self, client):
        back = socket.create_connection(("127.0.0.1", self.back))
        with client, back:
            while (request := self.message(client)) is not None:
                back.sendall(request)
                answer = self.message(back)
                if request.startswith(b"POST") and not self.fired:
                    self.fired = True
                    self.listener.shutdown(socket.SHUT_RDWR)
                    self.listener.close()
                    client.close()
                    self.came_back.wait(self.away_seconds)
                    self.listen(self.port)
                    return
                client.sendall(answer)


class Interrupted(TestCase):
    def wait_for_call(self, world, call, count=1):
        return wait_for(lambda: len(world.sandbox.requests(call)) >= count and
                        world.sandbox.requests(call), f"{count} of {call}")

    def kill_during(self, world, call, count=1):
        process = world.start("apply")
        self.wait_for_call(world, call, count)
        process.popen.kill()
        process.end()

    def calls(self, world):
        return [(entry["call"], entry["status"]) for entry in world.sandbox.requests()]


class LostConnection(Interrupted):
    def test_a_create_is_not_repeated_when_the_service_is_away_as_well(self):
        """libcurl connects anew by itself; that this fails says nothing of the first connection."""
        world = World(self, settle="3s")
        world.declare(ADA)
        front = Front(world.sandbox.port, 1.5)
        world.configure(settle="3s", api={"base_url": f"http://127.0.0.1:{front.port}/v1"})
        run = world.apply()
        self.assert_exit(run, EXIT_OK)
        self.assertEqual(self.calls(world), [("list", 200), ("create", 200), ("list", 200)])
        self.assertEqual(world.sandbox.mails(), {ADA: 1})

    def test_an_unknown_outcome_says_what_comes_next(self):
        world = World(self, settle="1s")
        world.declare(ADA, BEN)
        world.sandbox.fault(f"call=create,email={ADA},do=cut")
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual(run.line(ADA)["result"], "unknown")
        self.assertRegex(run.line(ADA)["error"],
                         "the connection was lost .*the next pass decides from a listing")


class Renewal(Interrupted):
    """The expired invite has to go first, and something comes between the two."""

    def world(self, *options):
        world = World(self, "--strict-reinvite", *options,
                      invites=[{"email": ADA, "status": "expired", "id": "invite-old"}])
        world.declare(ADA)
        return world

    def check_goes_on(self, world):
        world.sandbox.clear_faults()
        run = world.apply()
        self.assert_exit(run, EXIT_OK)
        self.assertEqual(run.line(ADA)["result"], "done", str(run))
        self.assertEqual(world.sandbox.mails(), {ADA: 1})

    def test_the_delete_fails(self):
        world = self.world()
        world.sandbox.fault("call=delete,do=status,status=503")
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual(run.line(ADA)["result"], "unknown", str(run))
        self.check_goes_on(world)

    def test_a_signal_comes(self):
        world = self.world("--latency", "300")
        process = world.start("apply", "-o", "json")
        self.wait_for_call(world, "create")
        process.signal(signal.SIGTERM)
        run = process.end()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertIn("the next pass goes on", run.line(ADA)["error"])
        self.check_goes_on(world)

    def test_the_service_refuses_both(self):
        world = self.world()
        world.sandbox.fault("call=delete,do=status,status=400")
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertIn("still there after its delete", run.line(ADA)["error"])
        self.assertEqual(self.calls(world)[1:],
                         [("create", 400), ("retrieve", 200), ("delete", 400), ("retrieve", 200)])
        # That will not change by itself: once a day is enough.
        self.assertEqual(world.plan().lines(), [("attention", ADA, "create-refused")])


class Replacement(Interrupted):
    def world(self, role="reader", wanted="owner", **more):
        world = World(self, invites=[{"email": ADA, "role": role, "id": "invite-old"}], **more)
        world.declare({"email": ADA, "role": wanted})
        return world

    def live(self, world):
        return [(one["email"], one["role"]) for one in world.sandbox.invites(ADA)
                if one["status"] == "pending"]

    def test_the_key_is_refused_before_the_old_invite_is_restored(self):
        world = self.world()
        world.sandbox.fault("call=create,times=1,do=status,status=400")
        world.sandbox.fault("call=create,times=1,do=status,status=403")
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertIn("the next pass that may write restores it", run.line(ADA)["error"])
        self.assertEqual(self.live(world), [])
        world.sandbox.fault("call=create,times=1,do=status,status=400")
        self.assert_exit(world.apply(), EXIT_TROUBLE)
        self.assertEqual(self.live(world), [(ADA, "reader")])
        self.assertEqual(world.sandbox.mails(), {ADA: 1})

    def test_a_wish_that_changes_after_a_crash_still_gives_the_old_invite_back(self):
        world = self.world(settle="1s")
        world.sandbox.fault("call=create,times=1,do=hang")
        self.kill_during(world, "create")
        world.declare({"email": ADA, "role": "owner", "projects": ["proj_a"]})
        world.sandbox.fault("call=create,times=1,do=status,status=400")
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual(self.live(world), [(ADA, "reader")], str(run))

    def test_who_left_in_between_does_not_get_the_old_invite_back(self):
        world = self.world(role="owner", wanted="reader", settle="1s")
        world.sandbox.fault("call=create,times=1,do=hang")
        self.kill_during(world, "create")
        world.sandbox.clear_faults()
        world.declare(BEN)
        self.assert_exit(world.apply(), EXIT_OK)
        world.declare(ADA, BEN)
        world.sandbox.fault(f"call=create,email={ADA},times=1,do=status,status=400")
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual(self.live(world), [], str(run))

    def test_an_old_loss_is_forgotten(self):
        world = self.world(role="owner", wanted="reader", settle="1s")
        world.sandbox.fault("call=create,times=1,do=hang")
        self.kill_during(world, "create")
        world.sandbox.clear_faults()
        world.sandbox.post("advance", seconds=2 * 86400)
        world.sandbox.fault(f"call=create,email={ADA},times=1,do=status,status=400")
        self.assert_exit(world.apply(), EXIT_TROUBLE)
        self.assertEqual(self.live(world), [])

    def test_who_accepted_while_we_waited_is_not_invited_again(self):
        world = self.world(settle="3s")
        world.sandbox.fault("call=delete,times=1,do=hang")
        self.kill_during(world, "delete")
        world.sandbox.clear_log()
        process = world.start("apply", "-o", "json")
        self.wait_for_call(world, "list")
        world.sandbox.post("accept", email=ADA)
        run = process.end()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertIn("accepted in the meantime", run.line(ADA)["error"])
        self.assertEqual(self.calls(world), [("list", 200)] * 2)

    def test_a_key_that_may_only_read_deletes_nothing(self):
        world = self.world()
        world.env["OPENAI_ADMIN_KEY"] = READONLY_KEY
        self.assert_exit(world.apply(), EXIT_TROUBLE)
        self.assertEqual(self.live(world), [(ADA, "reader")])


if __name__ == "__main__":
    harness.main()
