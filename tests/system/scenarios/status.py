"""What the daemon tells about itself: STATUS=, status, and the metrics."""

import re

from harness import wait_for
from service import ADA, BEN, CYD, NOTICE, SystemCase

METRICS = "/run/inviterd/inviterd.prom"
OUT = "out@example.com"


class Status(SystemCase):
    def check_state(self, service, line, state, code):
        """In all three places; returns what `status -o json` prints."""
        service.wait_status(line)
        service.machine.run("sleep", "0.2")
        text = service.cli("status", check=False)
        self.assertEqual(text.code, code, str(text))
        machine_readable = service.status()
        self.assertEqual(machine_readable["state"], state)
        self.assertEqual(machine_readable["schema"], "inviterd.status/1")
        self.assertTrue(machine_readable["running"])
        message = service.status_text().split("; next ")[0]
        self.assertIn(message, text.out)
        self.assertEqual(machine_readable["message"], message)
        return machine_readable

    def test_in_sync(self):
        service = self.running(members=(ADA, BEN))
        told = self.check_state(service, r"in sync, 2 people; next pass \d\d:\d\d", "in-sync", 0)
        last = told["last_pass"]
        self.assertEqual((last["number"], last["result"], last["requests"]), (1, "done", 3))
        self.assertEqual(last["changes"], {"invite": 2, "renew": 0, "replace": 0, "revoke": 0,
                                           "set_role": 0, "remove": 0})
        self.assertEqual((told["blocked"], told["attention"], told["failures"]), (None, [], []))
        self.assertEqual(str(told["pid"]), service.pid)
        # The next pass is when STATUS= says.
        self.assertEqual(told["next_pass"][11:16], service.status_text()[-5:])
        counted = {(one["call"], one["status"]): one["count"] for one in told["requests"]}
        self.assertEqual(counted, {("list", 200): 1, ("create", 200): 2})

    def test_blocked(self):
        service = self.service(invites=[{"email": OUT}], limits={"revocations": 0})
        service.start()
        told = self.check_state(service, "1 revocation blocked by a limit; next pass .*",
                                "blocked", 2)
        self.assertEqual([one["email"] for one in told["blocked"]["actions"]], [OUT])
        self.assertEqual(told["blocked"]["limits"][0]["limit"], "revocations")
        self.assertRegex(told["blocked"]["approval"], "^[0-9a-f]{12}$")

    def test_attention(self):
        service = self.service(invites=[{"email": OUT, "status": "accepted"}])
        service.start()
        told = self.check_state(service, "in sync, 1 person; 1 needs attention; next pass .*",
                                "attention", 2)
        self.assertEqual([(one["email"], one["reason"]) for one in told["attention"]],
                         [(OUT, "accepted-undeclared")])

    def test_pending(self):
        service = self.service(members=(ADA, BEN))
        service.sandbox.fault(f"call=create,email={ADA},do=status,status=400")
        service.start()
        told = self.check_state(service, "1 invite not done yet: 1 failed; next pass .*",
                                "pending", 2)
        self.assertEqual([one["email"] for one in told["failures"]], [ADA])

    def test_a_dry_run_by_drop_in_holds_it_still_and_tells_what_it_would_do(self):
        service = self.service(invites=[{"email": OUT}])
        service.machine.drop_in(service.unit, ExecStart="\nExecStart=/usr/sbin/inviterd run --dry-run")
        service.start()
        told = self.check_state(
            service, "1 invite, 1 revocation not done yet: dry run; next pass .*", "pending", 2)
        self.assertTrue(told["dry_run"])
        planned = service.entries(f"PRIORITY={NOTICE}", event="PLANNED")
        self.assertEqual({one["MESSAGE"] for one in planned},
                         {f"plan: invite {ADA} (not-invited)", f"plan: revoke {OUT} (undeclared)"})
        service.touch()
        service.wait_passes(2)
        self.assertEqual(len(service.entries(f"PRIORITY={NOTICE}", event="PLANNED")), 2)
        self.assertEqual(service.sandbox.writes(), [])

    def test_a_pass_under_way(self):
        service = self.running()
        service.sandbox.fault("call=list,do=hang")
        service.touch()
        service.wait_status("a pass is under way")
        self.assertTrue(service.status()["pass_under_way"])
        # The last one was good, and says so as long as nothing else is known.
        self.assertEqual(service.cli("status", check=False).code, 0)

    def test_a_pass_that_failed(self):
        service = self.service()
        service.sandbox.fault("call=list,do=status,status=500")
        service.start()
        told = self.check_state(service, r"the last pass failed: .*; next try \d\d:\d\d",
                                "failing", 1)
        self.assertEqual(told["last_pass"]["result"], "failed")
        self.assertIsNone(told["last_success"])

    def test_an_invalid_member_file(self):
        service = self.running(members=(ADA, BEN))
        service.machine.write(service.member_file, "organization:\n{\n  members = (\n")
        told = self.check_state(
            service, r"waiting for a valid member file: /etc/inviterd/members\.conf:\d+: .*",
            "failing", 1)
        self.assertEqual(len(told["problems"]), 1)
        self.assertRegex(told["problems"][0], r"^/etc/inviterd/members\.conf:\d+: ")

    def test_not_running(self):
        service = self.running()
        service.systemctl("stop")
        self.assertEqual(service.cli("status", check=False).code, 1)
        service.start()
        service.wait_in_sync()
        service.machine.drop_in(service.unit, RestartSec="1h")
        service.machine.run("systemctl", "kill", "--signal=KILL", service.unit)
        wait_for(lambda: service.show("SubState") == "auto-restart", "the death")
        self.assertEqual(service.cli("status", check=False).code, 1)

    def test_the_addresses_in_it_are_for_root_alone(self):
        service = self.running()
        stranger = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        done = service.machine.run(*stranger, "cat", "/run/inviterd/status.json", check=False)
        self.assertIn("Permission denied", done.err)
        done = service.machine.run(*stranger, "inviterd", "status", check=False)
        self.assertEqual(done.code, 1)


class Metrics(SystemCase):
    def samples(self, service):
        return dict(re.findall(r"(?m)^(inviterd_[^ ]+) (\S+)$", service.machine.read(METRICS)))

    def check(self, service):
        """promtool says nothing at all."""
        text = service.machine.read(METRICS)
        done = service.machine.run("promtool", "check", "metrics", text=text)
        self.assertEqual(done.out + done.err, "")

    def test_they_are_clean_and_true(self):
        service = self.service(
            metrics=METRICS, limits={"revocations": 0},
            invites=[{"email": OUT}, {"email": CYD, "status": "accepted"}], members=(ADA, BEN))
        service.start()
        service.wait_passes(1)
        wait_for(lambda: self.samples(service).get('inviterd_people{verdict="keep"}'), "metrics")
        self.check(service)
        told = self.samples(service)
        for name, value in {
                'inviterd_people{verdict="invite"}': 2, 'inviterd_people{verdict="revoke"}': 1,
                'inviterd_people{verdict="attention"}': 1, "inviterd_blocked_actions": 1,
                "inviterd_attention_people": 1, "inviterd_failing": 0, "inviterd_failed_writes": 0,
                'inviterd_state{state="blocked"}': 1, 'inviterd_state{state="in-sync"}': 0,
                'inviterd_requests_total{call="list",status="200"}': 1,
                'inviterd_requests_total{call="create",status="200"}': 2}.items():
            self.assertEqual(told[name], str(value), name)
        self.assertGreater(float(told["inviterd_last_pass_duration_seconds"]), 0)
        now = service.sandbox.now()
        self.assertLess(abs(float(told["inviterd_last_success_timestamp_seconds"]) - now), 120)
        mode = service.machine.run("stat", "--format=%a", METRICS).out.strip()
        self.assertEqual(mode, "644")

    def test_they_tell_of_trouble(self):
        service = self.running(metrics=METRICS)
        service.sandbox.fault("call=list,do=status,status=403")
        service.touch()
        service.wait_status("the last pass failed: .*; next try .*")
        wait_for(lambda: self.samples(service)["inviterd_failing"] == "1", "the failure")
        self.check(service)
        self.assertEqual(self.samples(service)['inviterd_requests_total{call="list",status="403"}'],
                         "1")

    def test_a_collector_reads_them_through_a_symlink_and_sees_no_half(self):
        """Replaced, not rewritten: whoever has it open reads the old one to its end."""
        service = self.running(metrics=METRICS)
        machine = service.machine
        machine.run("ln", "-s", METRICS, "/srv/inviterd.prom")
        with open(machine.path(METRICS), encoding="utf-8") as before:
            service.declare(ADA, BEN)
            wait_for(lambda: self.samples(service)['inviterd_people{verdict="invite"}'] == "1" and
                     'call="create",status="200"} 2' in machine.read(METRICS), "new metrics")
            self.assertIn('call="create",status="200"} 1', before.read())
        through = machine.run("setpriv", "--reuid=nobody", "--clear-groups", "cat",
                              "/srv/inviterd.prom").out
        self.assertEqual(through, machine.read(METRICS))
