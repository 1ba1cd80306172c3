"""Checks inviterd-sandbox: what the other tests are measured against has to be right itself.

The program is found through the environment variable INVITERD_SANDBOX.
"""

import concurrent.futures
import gzip
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.parse

PROGRAM = os.environ.get("INVITERD_SANDBOX", "inviterd-sandbox")
INVITES = "/v1/organization/invites"
USERS = "/v1/organization/users"
KEY = "sk-admin-test"


# ---- the documented shapes ----


def check_keys(value, required, optional=()):
    assert isinstance(value, dict), value
    missing, unknown = set(required) - set(value), set(value) - set(required) - set(optional)
    assert not missing and not unknown, f"missing {missing}, unknown {unknown}: {value}"


def check_time(value, nullable):
    assert (nullable and value is None) or type(value) is int, value


def check_invite(value):
    check_keys(value, ("object", "id", "email", "role", "status", "created_at", "expires_at",
                       "accepted_at", "projects"))
    assert value["object"] == "organization.invite", value
    assert re.fullmatch("invite-[0-9a-z]{24}", value["id"]), value
    assert isinstance(value["email"], str), value
    assert value["role"] in ("owner", "reader"), value
    assert value["status"] in ("accepted", "expired", "pending"), value
    check_time(value["created_at"], False)
    check_time(value["expires_at"], True)
    check_time(value["accepted_at"], True)
    assert isinstance(value["projects"], list), value
    for project in value["projects"]:
        check_keys(project, ("id", "role"))
        assert isinstance(project["id"], str) and project["role"] in ("member", "owner"), project


def check_person(value, kind):
    assert value["object"] == kind, value
    assert re.fullmatch("user_[0-9a-zA-Z]{24}", value["id"]), value
    for name in ("email", "name"):
        assert value[name] is None or isinstance(value[name], str), value


def check_user(value):
    """The documented object; or the older one, whose person stands within it alone. Tells which."""
    flags = ("is_service_account", "is_scim_managed")
    if "id" not in value:
        check_keys(value, ("object", "role", "created", "user", *flags))
        assert value["object"] == "organization.user", value
    else:
        check_keys(value, ("object", "id", "name", "email", "role", "added_at"),
                   ("created", "user", *flags))
        check_person(value, "organization.user")
        check_time(value["added_at"], False)
    if "user" in value:
        check_keys(value["user"], ("object", "id", "email", "name"))
        check_person(value["user"], "user")
        check_time(value["created"], False)
    assert value["role"] is None or isinstance(value["role"], str), value
    assert all(isinstance(value.get(flag, False), bool) for flag in flags), value
    return "nested" if "id" not in value else "full" if "user" in value else "flat"


def whole(value):
    """A user in whatever shape as (id, email, name, role, added_at, service account, SCIM)."""
    check_user(value)
    person = value if "id" in value else value["user"]
    return (person["id"], person["email"], person["name"], value["role"],
            value["added_at"] if "added_at" in value else value["created"],
            value.get("is_service_account", False), value.get("is_scim_managed", False))


def check_list(value, check_item=None, id_of=lambda item: item["id"]):
    check_keys(value, ("object", "data", "first_id", "last_id", "has_more"))
    assert value["object"] == "list" and isinstance(value["data"], list), value
    assert isinstance(value["has_more"], bool), value
    for item in value["data"]:
        (check_item or check_invite)(item)
    ids = [id_of(item) for item in value["data"]] or [None]
    assert (value["first_id"], value["last_id"]) == (ids[0], ids[-1]), value


def check_deleted(value):
    check_keys(value, ("object", "id", "deleted"))
    assert value["object"] == "organization.invite.deleted" and value["deleted"] is True, value


def check_removed(value):
    check_keys(value, ("object", "id", "deleted"))
    assert value["object"] == "organization.user.deleted" and value["deleted"] is True, value


def check_error(value):
    check_keys(value, ("error",))
    check_keys(value["error"], ("message", "type", "param", "code"))
    for name, text in value["error"].items():
        assert isinstance(text, str) or (name in ("param", "code") and text is None), value


# ---- running it ----


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.raw = response.read()
        text = self.raw
        if self.headers.get("content-encoding") == "gzip":
            text = gzip.decompress(text)
        self.text = text.decode()

    @property
    def json(self):
        return json.loads(self.text)


class Sandbox:
    def __init__(self, *options, org=None):
        self.directory = tempfile.TemporaryDirectory()
        arguments = [PROGRAM, "--listen", "127.0.0.1:0", "--key", KEY, "--die-with-parent",
                     *options]
        if org is not None:
            path = os.path.join(self.directory.name, "org.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(org, file)
            arguments += ["--org", path]
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]
        self.port = urllib.parse.urlsplit(self.url).port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(10)
        self.process.stdout.close()
        self.directory.cleanup()
        assert status == 0, f"exit status {status}"

    def connect(self, timeout=10):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def send(self, method, path, body=None, key=KEY, headers=None, connection=None, timeout=10):
        used = connection or self.connect(timeout)
        headers = dict(headers or {})
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
            headers["Content-Type"] = "application/json"
        try:
            used.request(method, path, body, headers)
            return Answer(used.getresponse())
        finally:
            if not connection:
                used.close()

    def page(self, **parameters):
        query = urllib.parse.urlencode(parameters)
        return self.send("GET", INVITES + ("?" + query if query else ""))

    def emails(self):
        return [item["email"] for item in self.page(limit=100).json["data"]]

    def create(self, email, role="reader", **more):
        return self.send("POST", INVITES, {"email": email, "role": role, **more})

    def retrieve(self, invite_id):
        return self.send("GET", f"{INVITES}/{invite_id}")

    def delete(self, invite_id):
        return self.send("DELETE", f"{INVITES}/{invite_id}")

    def users(self, *query, **parameters):
        """A page of users, checked."""
        query = urllib.parse.urlencode([*query, *parameters.items()])
        page = self.send("GET", USERS + ("?" + query if query else "")).json
        check_list(page, check_user, lambda item: whole(item)[0])
        return page

    def user_emails(self):
        return [whole(item)[1] for item in self.users(limit=100)["data"]]

    def retrieve_user(self, user_id):
        return self.send("GET", f"{USERS}/{user_id}")

    def set_role(self, user_id, role):
        return self.send("POST", f"{USERS}/{user_id}", {"role": role})

    def remove_user(self, user_id):
        return self.send("DELETE", f"{USERS}/{user_id}")

    def control(self, method, name, body=None, status=200):
        answer = self.send(method, f"/_sandbox/{name}", body, key=None)
        assert answer.status == status, (answer.status, answer.text)
        return answer.json

    def fault(self, spec):
        self.control("POST", "fault", {"spec": spec})

    def log(self):
        return self.control("GET", "log")


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=10)


def people(count, **more):
    return {"generate": {"count": count, "email": "user%03d@example.com", **more}}


# ---- the tests ----


class Api(unittest.TestCase):
    def test_create_retrieve_delete(self):
        with Sandbox() as sandbox:
            created = sandbox.create("Ada@example.com", "owner",
                                     projects=[{"id": "proj_x", "role": "member"}])
            self.assertEqual(created.status, 200)
            check_invite(created.json)
            self.assertEqual(created.json["projects"], [{"id": "proj_x", "role": "member"}])
            self.assertEqual(created.json["expires_at"], created.json["created_at"] + 604800)
            self.assertEqual(sandbox.retrieve(created.json["id"]).json, created.json)
            self.assertEqual(sandbox.page().json["data"], [created.json])
            deleted = sandbox.delete(created.json["id"])
            check_deleted(deleted.json)
            self.assertEqual(deleted.json["id"], created.json["id"])
            for answer in (sandbox.delete(created.json["id"]), sandbox.retrieve("invite-none")):
                self.assertEqual(answer.status, 404)
                check_error(answer.json)
            check_list(sandbox.page().json)
            self.assertEqual(sandbox.page().json["first_id"], None)

    def test_projects_have_three_meanings(self):
        with Sandbox() as sandbox:
            self.assertEqual(sandbox.create("a@x.org").json["projects"],
                             [{"id": "proj_default", "role": "member"}])
            self.assertEqual(sandbox.create("b@x.org", projects=[]).json["projects"], [])

    def test_wrong_bodies_are_refused(self):
        good = {"email": "a@x.org", "role": "reader"}
        bodies = ["", "{", "[]", '"text"', '{"email":"a@x.org","role":"reader"} x', b"\xff\xfe",
                  {"role": "reader"}, {"email": "a@x.org"}, {**good, "email": "no address"},
                  {**good, "email": "a@b@c"}, {**good, "email": 7}, {**good, "email": "@x.org"},
                  {**good, "role": "admin"}, {**good, "role": None}, {**good, "projects": None},
                  {**good, "projects": {}}, {**good, "projects": ["proj_x"]},
                  {**good, "projects": [{"id": "proj_x", "role": "reader"}]},
                  {**good, "projects": [{"id": "proj_x"}]}, {**good, "projects": [{"role": "owner"}]}]
        with Sandbox() as sandbox:
            for body in bodies:
                with self.subTest(body=body):
                    answer = sandbox.send("POST", INVITES, body)
                    self.assertEqual(answer.status, 400)
                    check_error(answer.json)
            self.assertEqual(sandbox.send("POST", INVITES, "x" * 2000000).status, 413)
            self.assertEqual(sandbox.emails(), [])
            self.assertEqual(sandbox.log()["mails"], {})

    def test_who_cannot_be_invited(self):
        org = {"users": [{"email": "Owner@example.com"}],
               "invites": [{"email": "old@x.org", "status": "expired"},
                           {"email": "late@x.org", "expires_in": 0},
                           {"email": "in@x.org", "status": "accepted"},
                           {"email": "left@x.org", "status": "accepted", "member": False}]}
        with Sandbox(org=org) as sandbox:
            self.assertEqual(sandbox.create("ada@x.org").status, 200)
            again = sandbox.create("ADA@X.org")
            self.assertEqual(again.status, 400)
            check_error(again.json)
            for member in ("owner@EXAMPLE.com", "in@x.org"):
                answer = sandbox.create(member)
                self.assertEqual(answer.status, 400)
                check_error(answer.json)
                self.assertIn("already exists in this organization", answer.text)
            for free in ("old@x.org", "late@x.org", "left@x.org"):
                self.assertEqual(sandbox.create(free).status, 200)
            self.assertEqual(sandbox.log()["mails"], {"ada@x.org": 1, "old@x.org": 1,
                                                      "late@x.org": 1, "left@x.org": 1})
        with Sandbox("--strict-reinvite", org=org) as sandbox:
            for taken in ("old@x.org", "late@x.org", "left@x.org"):
                self.assertEqual(sandbox.create(taken).status, 400)
            sandbox.control("POST", "settings", {"strict_reinvite": False})
            self.assertEqual(sandbox.create("old@x.org").status, 200)

    def test_accepted_invites_cannot_be_deleted(self):
        with Sandbox() as sandbox:
            invite = sandbox.create("ada@x.org").json
            accepted = sandbox.control("POST", "accept", {"email": "ADA@x.org"})
            check_invite(accepted)
            self.assertEqual((accepted["status"], accepted["id"]), ("accepted", invite["id"]))
            self.assertIsNotNone(accepted["accepted_at"])
            answer = sandbox.delete(invite["id"])
            self.assertEqual(answer.status, 400)
            self.assertIn("already accepted", answer.text)
            check_error(answer.json)
            self.assertEqual([user["email"] for user in sandbox.control("GET", "org")["users"]],
                             ["ada@x.org"])

    def test_keys(self):
        with Sandbox("--key", "second", "--key-readonly", "reader", org=people(1)) as sandbox:
            for key in (None, "wrong", "", KEY + "x"):
                answer = sandbox.send("GET", INVITES, key=key)
                self.assertEqual(answer.status, 401)
                check_error(answer.json)
                self.assertEqual(answer.json["error"]["code"], "invalid_api_key")
            self.assertEqual(sandbox.send("GET", INVITES, key="second").status, 200)
            listing = sandbox.send("GET", INVITES, key="reader")
            self.assertEqual(listing.status, 200)
            invite = f"{INVITES}/{listing.json['first_id']}"
            self.assertEqual(sandbox.send("GET", invite, key="reader").status, 200)
            for method, path in (("POST", INVITES), ("DELETE", invite)):
                answer = sandbox.send(method, path, {}, key="reader")
                self.assertEqual(answer.status, 403)
                self.assertIsInstance(answer.json["error"], str)
                self.assertIn("api.management.write", answer.json["error"])
            self.assertEqual(len(sandbox.emails()), 1)

    def test_other_paths_and_methods(self):
        with Sandbox() as sandbox:
            for method, path, status in (
                    ("GET", "/v1/organization/projects", 404), ("GET", "/v1/nothing", 404),
                    ("GET", "/", 404), ("GET", INVITES + "/", 404),
                    ("GET", INVITES + "/a/b", 404), ("PUT", INVITES, 405),
                    ("DELETE", INVITES, 405), ("POST", INVITES + "/invite-x", 405),
                    ("POST", USERS, 405), ("DELETE", USERS, 405), ("GET", USERS + "/", 404),
                    ("PUT", USERS + "/user_x", 405), ("GET", USERS + "/a/b", 404)):
                with self.subTest(method=method, path=path):
                    answer = sandbox.send(method, path)
                    self.assertEqual(answer.status, status)
                    check_error(answer.json)
            self.assertEqual(sandbox.log()["counts"]["other"], 13)

    def test_headers(self):
        with Sandbox(org={"organization": "org-seven"}) as sandbox:
            first, second = sandbox.page(), sandbox.send("GET", INVITES, key=None)
            for answer in (first, second):
                headers = answer.headers
                self.assertEqual(headers["content-type"], "application/json")
                self.assertEqual(headers["openai-organization"], "org-seven")
                self.assertRegex(headers["x-request-id"], "^req_[0-9a-f]{32}$")
                self.assertRegex(headers["openai-processing-ms"], "^[0-9]+$")
                self.assertIn("openai-version", headers)
                self.assertRegex(headers["date"], r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
            self.assertNotEqual(first.headers["x-request-id"], second.headers["x-request-id"])
        with Sandbox("--no-date") as sandbox:
            self.assertNotIn("date", sandbox.page().headers)

    def test_gzip(self):
        with Sandbox(org=people(50)) as sandbox:
            plain = sandbox.page(limit=50)
            self.assertNotIn("content-encoding", plain.headers)
            for accept, packed in (("gzip", True), ("deflate, gzip;q=0.5", True), ("*", True),
                                   ("gzip;q=0", False), ("identity", False)):
                answer = sandbox.send("GET", INVITES + "?limit=50",
                                      headers={"Accept-Encoding": accept})
                self.assertEqual(answer.headers.get("content-encoding") == "gzip", packed, accept)
                self.assertEqual(answer.text, plain.text)
            small = sandbox.send("GET", INVITES + "?limit=1", headers={"Accept-Encoding": "gzip"})
            self.assertNotIn("content-encoding", small.headers)

    def test_connections_are_reused_and_told_apart(self):
        with Sandbox() as sandbox:
            connection = sandbox.connect()
            for _ in range(2):
                sandbox.send("GET", INVITES, connection=connection)
            sandbox.send("POST", INVITES, {"email": "a@x.org", "role": "reader"},
                         connection=connection)
            connection.close()
            sandbox.page()
            numbers = [request["connection"] for request in sandbox.log()["requests"]]
            self.assertEqual(len(set(numbers[:3])), 1)
            self.assertNotEqual(numbers[3], numbers[0])


class Listing(unittest.TestCase):
    def collect(self, sandbox, limit):
        items, after = [], {}
        while True:
            page = sandbox.page(limit=limit, **after).json
            check_list(page)
            items += [item["email"] for item in page["data"]]
            if not page["has_more"]:
                return items
            self.assertEqual(len(page["data"]), limit)
            after = {"after": page["last_id"]}

    def test_pages_chain_in_both_orders(self):
        expected = [f"user{n:03}@example.com" for n in range(1, 251)]
        for order, emails in (("oldest", expected), ("newest", expected[::-1])):
            with Sandbox("--order", order, org=people(250)) as sandbox:
                self.assertEqual(self.collect(sandbox, 100), emails)
                self.assertEqual(self.collect(sandbox, 50), emails)
                self.assertEqual(self.collect(sandbox, 7), emails)

    def test_limit(self):
        with Sandbox(org=people(101)) as sandbox:
            self.assertEqual(len(sandbox.page().json["data"]), 20)
            self.assertEqual(len(sandbox.page(limit=100).json["data"]), 100)
            for limit in ("0", "101", "-1", "x", "1.5", "", "1e1", "99999999999999999999"):
                answer = sandbox.page(limit=limit)
                self.assertEqual(answer.status, 400, limit)
                check_error(answer.json)

    def test_newest_is_first_by_creation_time(self):
        org = {"invites": [{"email": "b@x.org", "age": 20}, {"email": "c@x.org", "age": 10},
                           {"email": "a@x.org", "age": 30}]}
        with Sandbox(org=org) as sandbox:
            sandbox.create("d@x.org")
            sandbox.control("POST", "invite", {"email": "middle@x.org", "age": 15})
            self.assertEqual(sandbox.emails(), ["d@x.org", "c@x.org", "middle@x.org", "b@x.org",
                                                "a@x.org"])

    def test_a_dead_cursor(self):
        with Sandbox(org=people(5)) as sandbox:
            gone = sandbox.page(limit=1).json["last_id"]
            sandbox.delete(gone)
            for word, status, count in (("404", 404, None), ("400", 400, None),
                                        ("empty", 200, 0), ("top", 200, 4)):
                sandbox.control("POST", "settings", {"dead_cursor": word})
                answer = sandbox.page(after=gone)
                self.assertEqual(answer.status, status)
                if count is None:
                    check_error(answer.json)
                else:
                    check_list(answer.json)
                    self.assertEqual(len(answer.json["data"]), count)
                    self.assertFalse(answer.json["has_more"])

    def test_listings_lag_behind_writes(self):
        with Sandbox("--lag", "60000") as sandbox:
            invite = sandbox.create("a@x.org").json
            self.assertEqual(sandbox.emails(), [])
            self.assertEqual(sandbox.retrieve(invite["id"]).status, 200)
            self.assertEqual(sandbox.create("a@x.org").status, 400)
            self.assertEqual(len(sandbox.control("GET", "org")["invites"]), 1)
            sandbox.control("POST", "advance", {"seconds": 61})
            self.assertEqual(sandbox.emails(), ["a@x.org"])
            sandbox.delete(invite["id"])
            self.assertEqual(sandbox.emails(), ["a@x.org"])
            self.assertEqual(sandbox.retrieve(invite["id"]).status, 404)
            self.assertEqual(sandbox.page(after=invite["id"]).status, 200)
            self.assertEqual(sandbox.control("GET", "org")["invites"], [])
            sandbox.control("POST", "advance", {"seconds": 61})
            self.assertEqual(sandbox.emails(), [])


class Users(unittest.TestCase):
    OLGA = {"email": "olga@x.org", "name": "Olga", "role": "owner", "id": "user_" + "o" * 24}
    REX = {"email": "rex@x.org", "id": "user_" + "r" * 24, "age": 100}

    def sandbox(self, *options, users=(OLGA, REX), **org):
        sandbox = Sandbox(*options, org={"users": list(users), **org}).__enter__()
        self.addCleanup(sandbox.__exit__)
        return sandbox

    def refused(self, answer, status=400):
        self.assertEqual(answer.status, status, answer.text)
        check_error(answer.json)

    def test_list_and_retrieve(self):
        sandbox = self.sandbox()
        olga, rex = sandbox.users()["data"]
        self.assertEqual(whole(olga)[:4], (self.OLGA["id"], "olga@x.org", "Olga", "owner"))
        self.assertEqual(whole(rex)[:4], (self.REX["id"], "rex@x.org", None, "reader"))
        self.assertEqual(olga["added_at"] - rex["added_at"], 100)
        self.assertEqual(sandbox.retrieve_user(rex["id"]).json, rex)
        self.refused(sandbox.retrieve_user("user_none"), 404)

    def test_shapes(self):
        people = [self.OLGA, self.REX, {"email": None, "name": "Bot", "is_service_account": True},
                  {"email": "sam@x.org", "role": None, "is_scim_managed": True}]
        expected = None
        for shape in ("flat", "nested", "full", "mixed"):
            sandbox = self.sandbox("--user-shape", shape, users=people)
            users = sandbox.users()["data"]
            shapes = {check_user(user) for user in users}
            self.assertEqual(shapes, {"flat", "nested", "full"} if shape == "mixed" else {shape})
            for user in users:
                alone = sandbox.retrieve_user(whole(user)[0]).json
                self.assertEqual(whole(alone), whole(user))
                self.assertEqual(check_user(alone) == check_user(user), shape != "mixed")
            facts = sorted((whole(user)[1:4] + whole(user)[5:] for user in users), key=repr)
            self.assertEqual(facts, expected or facts)
            expected = facts
        sandbox.control("POST", "settings", {"user_shape": "nested"})
        self.assertEqual({check_user(user) for user in sandbox.users()["data"]}, {"nested"})
        self.assertIn((None, "Bot", "reader", True, False), expected)
        self.assertIn(("sam@x.org", None, None, False, True), expected)

    def test_pages_chain_in_both_orders(self):
        emails = [f"user{n:03}@x.org" for n in range(1, 251)]
        for order, expected in (("oldest", emails), ("newest", emails[::-1])):
            sandbox = self.sandbox("--order", order, "--user-shape", "mixed", users=(),
                                   generate_users={"count": 250, "email": "user%03d@x.org"})
            for limit in (100, 7):
                found, after = [], {}
                while True:
                    page = sandbox.users(limit=limit, **after)
                    found += [whole(user)[1] for user in page["data"]]
                    if not page["has_more"]:
                        break
                    self.assertEqual(len(page["data"]), limit)
                    after = {"after": page["last_id"]}
                self.assertEqual(found, expected)
        self.refused(sandbox.send("GET", USERS + "?limit=101"))
        self.assertEqual(len(sandbox.users()["data"]), 20)

    def test_a_dead_cursor(self):
        sandbox = self.sandbox()
        sandbox.remove_user(self.REX["id"])
        for word, status, count in (("404", 404, None), ("400", 400, None), ("empty", 200, 0),
                                    ("top", 200, 1)):
            sandbox.control("POST", "settings", {"dead_cursor": word})
            answer = sandbox.send("GET", f"{USERS}?after={self.REX['id']}")
            if count is None:
                self.refused(answer, status)
            else:
                self.assertEqual(len(answer.json["data"]), count)

    def test_emails_that_are_asked_for(self):
        sandbox = self.sandbox(users=[self.OLGA, self.REX, {"email": "zoe@x.org"},
                                      {"email": None}])
        def found(*query):
            return sorted(whole(user)[1] for user in sandbox.users(*query)["data"])
        self.assertEqual(found(("emails", "REX@x.org")), ["rex@x.org"])
        self.assertEqual(found(("emails[]", "rex@x.org"), ("emails[]", "zoe@x.org")),
                         ["rex@x.org", "zoe@x.org"])
        self.assertEqual(found(("emails", "nobody@x.org")), [])
        page = sandbox.users(("emails", "rex@x.org"), ("emails", "zoe@x.org"), ("limit", 1))
        self.assertTrue(page["has_more"])
        last = sandbox.users(("emails", "rex@x.org"), ("emails", "zoe@x.org"), ("limit", 1),
                             ("after", page["last_id"]))
        self.assertEqual((len(last["data"]), last["has_more"]), (1, False))

    def test_set_role(self):
        sandbox = self.sandbox()
        answer = sandbox.set_role(self.REX["id"], "owner")
        self.assertEqual((answer.status, whole(answer.json)[3]), (200, "owner"))
        self.assertEqual(sandbox.retrieve_user(self.REX["id"]).json, answer.json)
        self.assertIn(answer.json, sandbox.users()["data"])
        self.assertEqual(sandbox.set_role(self.REX["id"], "owner").status, 200)
        for body in ("", "[]", {}, {"role": None}, {"role": "member"}, {"role": 7}):
            self.refused(sandbox.send("POST", f"{USERS}/{self.REX['id']}", body))
        self.refused(sandbox.set_role("user_none", "owner"), 404)
        self.assertEqual(whole(sandbox.retrieve_user(self.REX["id"]).json)[3], "owner")

    def test_remove(self):
        sandbox = self.sandbox()
        removed = sandbox.remove_user(self.REX["id"])
        check_removed(removed.json)
        self.assertEqual(removed.json["id"], self.REX["id"])
        self.assertEqual(sandbox.user_emails(), ["olga@x.org"])
        for answer in (sandbox.remove_user(self.REX["id"]),
                       sandbox.retrieve_user(self.REX["id"])):
            self.refused(answer, 404)
        self.assertEqual(sandbox.create("rex@x.org").status, 200)

    def test_who_cannot_be_removed_or_changed(self):
        scim = {"email": "sam@x.org", "is_scim_managed": True, "id": "user_" + "s" * 24}
        bot = {"email": None, "is_service_account": True, "role": "owner",
               "id": "user_" + "b" * 24}
        sandbox = self.sandbox(users=[self.OLGA, scim, bot])
        for user, role in ((self.OLGA, "reader"), (scim, "owner"), (bot, "reader")):
            before = sandbox.retrieve_user(user["id"]).json
            self.refused(sandbox.remove_user(user["id"]))
            self.refused(sandbox.set_role(user["id"], role))
            self.assertEqual(sandbox.retrieve_user(user["id"]).json, before)
        # With another owner she is the last no more.
        sandbox.control("POST", "user", {"email": "oz@x.org", "role": "owner"})
        self.assertEqual(sandbox.set_role(self.OLGA["id"], "reader").status, 200)
        self.assertEqual(sandbox.remove_user(self.OLGA["id"]).status, 200)

    def test_an_accepted_invite_makes_a_user_and_outlives_it(self):
        for lag in (0, 60):
            sandbox = self.sandbox("--user-lag", str(lag * 1000))
            invite = sandbox.create("Ada@x.org", "owner").json
            accepted = sandbox.control("POST", "accept", {"id": invite["id"]})
            self.assertEqual("Ada@x.org" in sandbox.user_emails(), not lag)
            self.refused(sandbox.create("ada@x.org"))
            sandbox.control("POST", "advance", {"seconds": lag})
            ada = [whole(user) for user in sandbox.users()["data"]
                   if whole(user)[1] == "Ada@x.org"]
            self.assertEqual([user[3:5] for user in ada], [("owner", accepted["accepted_at"])])
            self.assertEqual(sandbox.remove_user(ada[0][0]).status, 200)
            self.assertEqual(sandbox.retrieve(invite["id"]).json["status"], "accepted")
            # Who has a user already gets no second one.
            stray = sandbox.control("POST", "invite", {"email": "REX@x.org"})
            sandbox.control("POST", "accept", {"id": stray["id"]})
            self.assertEqual(sorted(sandbox.user_emails()), ["olga@x.org", "rex@x.org"])

    def test_invites_of_the_file_make_users(self):
        sandbox = self.sandbox(
            invites=[{"email": "in@x.org", "status": "accepted", "age": 500, "role": "owner"},
                     {"email": "OLGA@x.org", "status": "accepted"},
                     {"email": "left@x.org", "status": "accepted", "member": False},
                     {"email": "stray@x.org", "member": True}],
            generate={"count": 2, "email": "g%d@x.org", "status": "accepted"})
        self.assertEqual(sorted(sandbox.user_emails()), ["g1@x.org", "g2@x.org", "in@x.org",
                                                         "olga@x.org", "rex@x.org", "stray@x.org"])
        user, = [one for one in sandbox.users()["data"] if one["email"] == "in@x.org"]
        invite, = [one for one in sandbox.page().json["data"] if one["email"] == "in@x.org"]
        self.assertEqual((user["role"], user["added_at"]), ("owner", invite["accepted_at"]))

    def test_listings_lag_behind_writes(self):
        sandbox = self.sandbox("--lag", "60000")
        other = sandbox.control("POST", "user", {"email": "oz@x.org", "role": "owner"})["id"]
        def listed(user_id):
            return [whole(user)[1:4] for user in sandbox.users()["data"]
                    if whole(user)[0] == user_id]
        sandbox.set_role(self.REX["id"], "owner")
        self.assertEqual(whole(sandbox.retrieve_user(self.REX["id"]).json)[3], "owner")
        self.assertEqual(listed(self.REX["id"]), [("rex@x.org", None, "reader")])
        sandbox.control("POST", "advance", {"seconds": 40})
        sandbox.control("POST", "change-user",
                        {"id": self.REX["id"], "set": {"email": "ben@x.org"}})
        sandbox.remove_user(other)
        self.assertEqual(listed(self.REX["id"]), [("rex@x.org", None, "reader")])
        self.assertEqual(listed(other), [("oz@x.org", None, "owner")])
        self.refused(sandbox.retrieve_user(other), 404)
        sandbox.control("POST", "advance", {"seconds": 30})
        self.assertEqual(listed(self.REX["id"]), [("rex@x.org", None, "owner")])
        self.assertEqual(len(listed(other)), 1)
        sandbox.control("POST", "advance", {"seconds": 31})
        self.assertEqual(listed(self.REX["id"]), [("ben@x.org", None, "owner")])
        self.assertEqual(listed(other), [])

    def test_other_people(self):
        sandbox = self.sandbox()
        added = sandbox.control("POST", "user", {"email": "ada@x.org", "name": "Ada", "age": 50,
                                                 "is_scim_managed": True})
        self.assertEqual(whole(added), whole(sandbox.retrieve_user(added["id"]).json))
        self.assertEqual(sandbox.user_emails(), ["olga@x.org", "ada@x.org", "rex@x.org"])
        changed = sandbox.control("POST", "change-user", {"email": "ADA@x.org", "set": {
            "email": "eva@x.org", "name": None, "role": "owner", "is_service_account": True}})
        self.assertEqual(whole(changed),
                         (added["id"], "eva@x.org", None, "owner", added["added_at"], True, True))
        # Whose address it is decides who can be invited.
        self.assertEqual(sandbox.create("ada@x.org").status, 200)
        self.refused(sandbox.create("eva@x.org"))
        sandbox.control("POST", "remove-user", {"email": "Eva@x.org"})
        sandbox.control("POST", "remove-user", {"email": "eva@x.org"}, status=404)
        sandbox.control("POST", "remove-user", {"id": self.OLGA["id"]})
        self.assertEqual(sandbox.user_emails(), ["rex@x.org"])
        self.assertEqual(len(sandbox.control("GET", "org")["users"]), 1)
        for name, body in (("user", {"name": "x"}), ("user", {"email": "a@b", "x": 1}),
                           ("user", {"email": "a@b", "id": self.REX["id"]}),
                           ("remove-user", {}), ("change-user", {"email": "rex@x.org"}),
                           ("change-user", {"email": "rex@x.org", "set": {}}),
                           ("change-user", {"email": "rex@x.org", "set": {"id": "u"}}),
                           ("change-user", {"email": "rex@x.org", "set": {"role": 7}}),
                           ("settings", {"user_shape": "round"}), ("settings", {"user_lag": -1})):
            check_error(sandbox.control("POST", name, body, status=400))

    def test_keys(self):
        sandbox = self.sandbox("--key-without-users", "half", "--key-readonly", "reader")
        rex = f"{USERS}/{self.REX['id']}"
        for method, path, key, status in (
                ("GET", USERS, "half", 403), ("GET", rex, "half", 403), ("DELETE", rex, "half", 403),
                ("GET", INVITES, "half", 200), ("GET", USERS, "reader", 200),
                ("GET", rex, "reader", 200), ("POST", rex, "reader", 403),
                ("DELETE", rex, "reader", 403), ("GET", USERS, "wrong", 401)):
            with self.subTest(method=method, path=path, key=key):
                answer = sandbox.send(method, path, {} if method == "POST" else None, key=key)
                self.assertEqual(answer.status, status)
                if status == 403:
                    scope = "read" if key == "half" else "write"
                    self.assertIn(f"Missing scopes: api.management.{scope}", answer.json["error"])
        self.assertEqual(sandbox.send("POST", INVITES, {"email": "a@x.org", "role": "reader"},
                                      key="half").status, 200)
        self.assertEqual(len(sandbox.user_emails()), 2)

    def test_log(self):
        sandbox = self.sandbox()
        sandbox.users()
        sandbox.retrieve_user(self.REX["id"])
        sandbox.set_role(self.REX["id"], "owner")
        sandbox.remove_user(self.REX["id"])
        sandbox.remove_user(self.REX["id"])
        log = sandbox.log()
        self.assertEqual([(entry["call"], entry["status"], entry["user_id"], entry["email"])
                          for entry in log["requests"]],
                         [("list-users", 200, None, None),
                          ("retrieve-user", 200, self.REX["id"], "rex@x.org"),
                          ("set-role", 200, self.REX["id"], "rex@x.org"),
                          ("delete-user", 200, self.REX["id"], "rex@x.org"),
                          ("delete-user", 404, self.REX["id"], None)])
        self.assertEqual(log["requests"][2]["body"], {"role": "owner"})
        self.assertEqual({call: count for call, count in log["counts"].items() if count},
                         {"list-users": 1, "retrieve-user": 1, "set-role": 1, "delete-user": 2})

    def test_rate_and_latency_hold_for_users(self):
        sandbox = self.sandbox("--rpm", "1", "--burst", "2", "--latency", "200")
        start = time.monotonic()
        statuses = [sandbox.send("GET", USERS).status for _ in range(3)]
        self.assertEqual(statuses, [200, 200, 429])
        self.assertGreater(time.monotonic() - start, 0.59)

    def test_faults(self):
        sandbox = self.sandbox(users=(), generate_users={"count": 45, "email": "user%02d@x.org"})
        first = sandbox.users()
        someone = first["data"][3]
        def met(spec, send):
            sandbox.control("DELETE", "fault")
            sandbox.fault(spec + ",times=1,do=status,status=500")
            return send().status == 500
        def page_2():
            return sandbox.send("GET", f"{USERS}?after={first['last_id']}")
        self.assertTrue(met("call=list-users,page=2", page_2))
        self.assertTrue(met("page=2", page_2))
        self.assertFalse(met("call=list,page=2", page_2))
        self.assertFalse(met("call=list-users", sandbox.page))
        self.assertFalse(met("call=list-users,page=1", page_2))
        for call, send in (("retrieve-user", lambda: sandbox.retrieve_user(someone["id"])),
                           ("set-role", lambda: sandbox.set_role(someone["id"], "owner")),
                           ("delete-user", lambda: sandbox.remove_user(someone["id"]))):
            self.assertTrue(met(f"call={call}", send))
            self.assertTrue(met(f"call={call},id={someone['id']}", send))
            self.assertTrue(met(f"email={someone['email']}", send))
            self.assertFalse(met(f"id={first['data'][4]['id']}", lambda: sandbox.retrieve_user(
                someone["id"])))
        sandbox.control("DELETE", "fault")
        sandbox.fault("call=delete-user,do=status-after,status=500")
        self.assertEqual(sandbox.remove_user(someone["id"]).status, 500)
        self.assertEqual(sandbox.retrieve_user(someone["id"]).status, 404)

    def test_distorted_listings(self):
        sandbox = self.sandbox("--user-shape", "full", users=(),
                               generate_users={"count": 30, "email": "user%02d@x.org"})
        first = sandbox.users()
        def distorted(action, after=""):
            sandbox.control("DELETE", "fault")
            sandbox.fault(f"call=list-users,do={action}")
            return sandbox.send("GET", USERS + after).json
        self.assertNotIn("has_more", distorted("no-has-more"))
        self.assertNotIn("data", distorted("no-data"))
        self.assertEqual(distorted("empty-page")["data"], [])
        self.assertEqual(distorted("repeat-cursor", f"?after={first['last_id']}"),
                         {**first, "has_more": True})
        wrong = distorted("wrong-types")["data"][0]
        self.assertEqual((wrong["id"], wrong["user"]["id"], wrong["added_at"]),
                         (7, 7, "yesterday"))


class Clock(unittest.TestCase):
    def test_invites_expire(self):
        for reads in ("expired", "pending"):
            with Sandbox(org={"lifetime": 100, "expiry_reads": reads}) as sandbox:
                invite = sandbox.create("a@x.org").json
                sandbox.control("POST", "advance", {"seconds": 101})
                self.assertEqual(sandbox.retrieve(invite["id"]).json["status"], reads)
                self.assertEqual(sandbox.create("a@x.org").status, 200)
                self.assertEqual(sandbox.delete(invite["id"]).status, 200)

    def test_the_clock_shows_in_the_date(self):
        with Sandbox() as sandbox:
            before = sandbox.page().headers["date"]
            sandbox.control("POST", "advance", {"seconds": 86400 * 400})
            after = sandbox.page().headers["date"]
            self.assertNotEqual(before[12:16], after[12:16])

    def test_rate_limit(self):
        with Sandbox("--rpm", "6", "--burst", "2", "--rate-headers") as sandbox:
            first = sandbox.create("a@x.org")
            self.assertEqual(first.headers["x-ratelimit-limit-requests"], "6")
            self.assertEqual(first.headers["x-ratelimit-remaining-requests"], "1")
            self.assertIn("x-ratelimit-reset-requests", first.headers)
            sandbox.page()
            refused = sandbox.create("b@x.org")
            self.assertEqual(refused.status, 429)
            check_error(refused.json)
            self.assertEqual(refused.json["error"]["code"], "rate_limit_exceeded")
            self.assertIn(refused.headers["retry-after"], ("9", "10", "11"))
            self.assertEqual(len(sandbox.control("GET", "org")["invites"]), 1)
            sandbox.control("POST", "advance", {"seconds": 11})
            self.assertEqual(sandbox.create("b@x.org").status, 200)
        with Sandbox("--rpm", "1") as sandbox:
            answers = [sandbox.page() for _ in range(5)]
            self.assertEqual([answer.status for answer in answers], [200] * 4 + [429])
            self.assertNotIn("retry-after", answers[4].headers)
            self.assertNotIn("x-ratelimit-limit-requests", answers[4].headers)
            sandbox.control("POST", "settings", {"rpm": 0})
            self.assertEqual(sandbox.page().status, 200)

    def test_latency_and_concurrency(self):
        with Sandbox("--latency", "300") as sandbox:
            start = time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(lambda n: sandbox.create(f"p{n}@x.org"), range(8)))
            spent = time.monotonic() - start
            self.assertTrue(all(answer.status == 200 for answer in answers))
            self.assertEqual(len(set(answer.json["id"] for answer in answers)), 8)
            self.assertGreater(spent, 0.29)
            self.assertLess(spent, 1.5)


class Control(unittest.TestCase):
    def test_log(self):
        with Sandbox() as sandbox:
            invite = sandbox.send("POST", INVITES, {"email": "Ada@x.org", "role": "reader"},
                                  headers={"User-Agent": "t/1", "X-Twice": "a"}).json
            sandbox.page(limit=100)
            sandbox.delete(invite["id"])
            log = sandbox.log()
            create, listing, delete = log["requests"]
            self.assertEqual([r["n"] for r in log["requests"]], [1, 2, 3])
            self.assertEqual((create["call"], create["method"], create["status"], create["email"],
                              create["invite_id"]),
                             ("create", "POST", 200, "Ada@x.org", invite["id"]))
            self.assertEqual(create["body"], {"email": "Ada@x.org", "role": "reader"})
            self.assertEqual(create["headers"]["user-agent"], "t/1")
            self.assertEqual(create["headers"]["x-twice"], "a")
            self.assertNotIn(KEY, json.dumps(log))
            self.assertEqual((listing["path"], listing["query"]), (INVITES, "limit=100"))
            self.assertEqual((delete["call"], delete["email"], delete["invite_id"]),
                             ("delete", "Ada@x.org", invite["id"]))
            self.assertEqual(log["counts"], {"create": 1, "list": 1, "delete": 1, "retrieve": 0,
                                             "list-users": 0, "retrieve-user": 0, "set-role": 0,
                                             "delete-user": 0, "other": 0})
            self.assertEqual(log["mails"], {"ada@x.org": 1})
            mail = log["mail_log"][0]
            self.assertEqual((mail["role"], mail["projects"], mail["invite_id"]),
                             ("reader", [{"id": "proj_default", "role": "member"}], invite["id"]))
            sandbox.control("DELETE", "log")
            log = sandbox.log()
            self.assertEqual((log["requests"], log["mails"], log["mail_log"]), ([], {}, []))

    def test_other_people(self):
        with Sandbox() as sandbox:
            first = sandbox.control("POST", "invite", {"email": "a@x.org", "role": "owner"})
            second = sandbox.control("POST", "invite", {"email": "a@x.org", "age": 50})
            check_invite(first)
            self.assertEqual(sandbox.emails(), ["a@x.org"] * 2)
            self.assertEqual(sandbox.log()["mails"], {})
            expired = sandbox.control("POST", "expire", {"id": second["id"]})
            self.assertEqual(expired["status"], "expired")
            sandbox.control("POST", "expire", {"id": second["id"]}, status=409)
            accepted = sandbox.control("POST", "accept", {"email": "A@x.org"})
            self.assertEqual(accepted["id"], first["id"])
            sandbox.control("POST", "delete", {"email": "a@x.org"})
            sandbox.control("POST", "delete", {"email": "a@x.org"}, status=404)
            self.assertEqual(sandbox.control("GET", "org")["invites"], [])
            for name, body in (("accept", {}), ("accept", {"id": "x", "email": "y"}),
                               ("invite", {"role": "reader"}), ("invite", {"email": "a@b", "x": 1}),
                               ("advance", {"seconds": -1}), ("advance", {}),
                               ("settings", {"lag": "1"}), ("settings", {"colour": 1}),
                               ("settings", []), ("fault", {}), ("fault", {"spec": "do=x"})):
                check_error(sandbox.control("POST", name, body, status=400))
            sandbox.control("GET", "nothing", status=404)

    def test_unknown_words_are_kept(self):
        org = {"invites": [
            {"email": "a@x.org", "status": "revoked", "role": "guest", "id": "x1"},
            {"email": "a@x.org", "projects": None, "expires_at": None, "id": "x2"},
            {"email": "a@x.org", "projects": "omit", "created_at": 5, "accepted_at": 7, "id": "x3"},
            {"email": "e@x.org", "status": "expired", "id": "x4"}]}
        with Sandbox(org=org) as sandbox:
            one, two, three, four = (sandbox.retrieve(f"x{n}").json for n in range(1, 5))
            self.assertEqual((one["status"], one["role"], one["projects"]), ("revoked", "guest", []))
            self.assertEqual((two["projects"], two["expires_at"]), (None, None))
            self.assertNotIn("projects", three)
            self.assertEqual((three["created_at"], three["accepted_at"]), (5, 7))
            self.assertLessEqual(four["expires_at"], time.time())

    def test_wrong_org_files(self):
        for text, words in (("{", "org.json:1"), ("[]", "object"), ('{"a":1}', "a: unknown key"),
                            ('{"invites":[{}]}', "invites[0].email"),
                            ('{"invites":[{"email":"a@b","x":1}]}', "invites[0].x"),
                            ('{"invites":[{"email":"a@b","age":"1"}]}', "invites[0].age"),
                            ('{"invites":[{"email":"a@b","id":"i"},{"email":"c@d","id":"i"}]}',
                             "invites[1].id"),
                            ('{"generate":{"count":1,"email":"a%s@b"}}', "generate.email"),
                            ('{"generate":[{"count":-1,"email":"a%d@b"}]}', "generate[0].count"),
                            ('{"lifetime":0}', "lifetime"), ('{"users":{}}', "users"),
                            ('{"users":[{}]}', "users[0].email"),
                            ('{"users":[{"email":7}]}', "users[0].email"),
                            ('{"users":[{"email":null,"role":""}]}', "users[0].role"),
                            ('{"users":[{"email":null,"age":1,"added_at":2}]}', "users[0]"),
                            ('{"users":[{"email":null,"is_scim_managed":1}]}',
                             "users[0].is_scim_managed"),
                            ('{"users":[{"email":null,"id":"u"},{"email":null,"id":"u"}]}',
                             "users[1].id"),
                            ('{"generate_users":{"count":1,"email":"a@b"}}',
                             "generate_users.email"),
                            ('{"members":[]}', "members: unknown key")):
            with self.subTest(text=text), tempfile.TemporaryDirectory() as directory:
                path = os.path.join(directory, "org.json")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                result = run("--listen", "127.0.0.1:0", "--key", KEY, "--org", path)
                self.assertEqual(result.returncode, 78)
                self.assertIn(words, result.stderr)


class Faults(unittest.TestCase):
    def setUp(self):
        self.sandbox = Sandbox(org=people(45)).__enter__()
        self.addCleanup(self.sandbox.__exit__)

    def fault(self, spec):
        self.sandbox.control("DELETE", "fault")
        self.sandbox.fault(spec)

    def raw(self, request, timeout=1.0):
        """All bytes that come back, and whether the connection was closed."""
        with socket.create_connection(("127.0.0.1", self.sandbox.port)) as connection:
            connection.sendall(request.encode())
            received, end = b"", time.monotonic() + timeout
            try:
                while (left := end - time.monotonic()) > 0:
                    connection.settimeout(left)
                    chunk = connection.recv(65536)
                    if not chunk:
                        return received, True
                    received += chunk
                return received, False
            except (TimeoutError, socket.timeout):
                return received, False
            except ConnectionResetError:
                pass
            return received, True

    def raw_create(self, email):
        body = json.dumps({"email": email, "role": "reader"})
        return self.raw(f"POST {INVITES} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
                        f"Content-Length: {len(body)}\r\n\r\n{body}")

    def raw_list(self, timeout=1.0):
        return self.raw(f"GET {INVITES}?limit=45 HTTP/1.1\r\nHost: x\r\n"
                        f"Authorization: Bearer {KEY}\r\n\r\n", timeout)

    def exists(self, email):
        return any(invite["email"] == email
                   for invite in self.sandbox.control("GET", "org")["invites"])

    def test_status(self):
        self.fault("do=status,status=503,retry-after=Wed%2C 21 Oct 2026 07:28:00 GMT,"
                   "retry-after-ms=1.5,should-retry=false")
        answer = self.sandbox.create("a@x.org")
        self.assertEqual(answer.status, 503)
        check_error(answer.json)
        self.assertEqual(answer.headers["retry-after"], "Wed, 21 Oct 2026 07:28:00 GMT")
        self.assertEqual(answer.headers["retry-after-ms"], "1.5")
        self.assertEqual(answer.headers["x-should-retry"], "false")
        self.assertIn("x-request-id", answer.headers)
        self.assertFalse(self.exists("a@x.org"))
        self.fault("call=create,do=status-after,status=500")
        self.assertEqual(self.sandbox.create("a@x.org").status, 500)
        self.assertTrue(self.exists("a@x.org"))
        request = self.sandbox.log()["requests"][-1]
        self.assertEqual((request["status"], request["fault"]),
                         (500, "call=create,do=status-after,status=500"))

    def test_envelopes(self):
        self.fault("do=status,status=504,envelope=html")
        self.assertEqual(self.sandbox.page().headers["content-type"], "text/html")
        self.fault("do=status,status=403,envelope=string")
        self.assertIsInstance(self.sandbox.page().json["error"], str)
        self.fault("do=status,status=500,envelope=empty")
        self.assertEqual(self.sandbox.page().text, "")
        self.fault("do=status,status=200,body={\"a\":1%2C\"b\":2}")
        self.assertEqual(self.sandbox.page().json, {"a": 1, "b": 2})

    def test_answers_without_a_body(self):
        for status in (204, 304):
            self.fault(f"do=status,status={status},times=1")
            connection = self.sandbox.connect()
            self.addCleanup(connection.close)
            answers = [self.sandbox.send("GET", INVITES, connection=connection) for _ in range(2)]
            self.assertEqual([answer.status for answer in answers], [status, 200])
            check_list(answers[1].json)

    def test_conditions(self):
        def statuses(spec, count=6):
            self.fault(spec + ",do=status,status=500")
            return [self.sandbox.page().status for _ in range(count)]
        self.assertEqual(statuses("nth=2"), [200, 500, 200, 200, 200, 200])
        self.assertEqual(statuses("every=3"), [200, 200, 500, 200, 200, 500])
        self.assertEqual(statuses("times=2"), [500, 500, 200, 200, 200, 200])
        self.assertEqual(statuses("every=2,times=1"), [200, 500, 200, 200, 200, 200])
        self.assertEqual(statuses("call=create", 1), [200])
        self.assertEqual(statuses("call=any", 1), [500])

    def test_faults_are_tried_in_order(self):
        self.fault("nth=2,do=status,status=501")
        self.sandbox.fault("do=status,status=502,times=2")
        self.assertEqual([self.sandbox.page().status for _ in range(4)], [502, 501, 502, 200])

    def test_by_person_and_invite(self):
        self.fault("email=A@x.org,do=status,status=500")
        self.assertEqual(self.sandbox.create("a@X.org").status, 500)
        self.assertEqual(self.sandbox.create("b@x.org").status, 200)
        invite = self.sandbox.create("c@x.org").json["id"]
        self.fault(f"id={invite},call=delete,do=status,status=500")
        self.assertEqual(self.sandbox.retrieve(invite).status, 200)
        self.assertEqual(self.sandbox.delete(invite).status, 500)
        self.fault("email=c@x.org,call=retrieve,do=status,status=500")
        self.assertEqual(self.sandbox.retrieve(invite).status, 500)

    def test_by_page(self):
        self.fault("page=2,do=status,status=504,times=1")
        first = self.sandbox.page()
        self.assertEqual(first.status, 200)
        self.assertEqual(self.sandbox.page(after=first.json["last_id"]).status, 504)
        second = self.sandbox.page(after=first.json["last_id"]).json
        self.fault("page=3,do=status,status=504")
        self.assertEqual(self.sandbox.page(after=first.json["last_id"]).status, 200)
        self.assertEqual(self.sandbox.page(after=second["last_id"]).status, 504)

    def test_cut(self):
        for action, effect in (("cut", False), ("cut-after", True)):
            email = f"{action}@x.org"
            self.fault(f"call=create,do={action}")
            received, closed = self.raw_create(email)
            self.assertEqual((received, closed), (b"", True))
            self.assertEqual(self.exists(email), effect)
            self.assertEqual(self.sandbox.log()["requests"][-1]["status"], 0)

    def test_hang(self):
        for action, effect in (("hang", False), ("hang-after", True)):
            email = f"{action}@x.org"
            self.fault(f"call=create,do={action}")
            received, closed = self.raw_create(email)
            self.assertEqual((received, closed), (b"", False))
            self.assertEqual(self.exists(email), effect)

    def test_slow(self):
        for action, effect in (("slow", False), ("slow-after", True)):
            email = f"{action}@x.org"
            self.fault(f"call=create,do={action},ms=1400")
            received, _ = self.raw_create(email)
            self.assertEqual(received, b"")
            self.assertEqual(self.exists(email), effect)
            time.sleep(0.7)
            self.assertTrue(self.exists(email))

    def test_cut_body(self):
        self.fault("do=cut-body")
        received, closed = self.raw_list()
        head, _, body = received.partition(b"\r\n\r\n")
        length = int(re.search(rb"content-length: (\d+)", head.lower()).group(1))
        self.assertTrue(closed)
        self.assertEqual(len(body), length // 2)

    def test_drip(self):
        self.fault("do=drip")
        received, closed = self.raw_list(1.1)
        self.assertFalse(closed)
        self.assertIn(len(received.partition(b"\r\n\r\n")[2]), range(2, 7))

    def test_broken_json(self):
        for action in ("cut-json", "garbage"):
            self.fault(f"do={action}")
            answer = self.sandbox.page()
            self.assertEqual(answer.status, 200)
            self.assertEqual(int(answer.headers["content-length"]), len(answer.raw))
            with self.assertRaises(ValueError):
                answer.json

    def test_broken_pages(self):
        honest = self.sandbox.page().json
        self.fault("do=no-has-more")
        self.assertNotIn("has_more", self.sandbox.page().json)
        self.assertEqual(self.sandbox.create("a@x.org").status, 200)
        self.sandbox.control("POST", "delete", {"email": "a@x.org"})
        self.fault("do=no-data")
        self.assertNotIn("data", self.sandbox.page().json)
        self.fault("do=empty-page")
        page = self.sandbox.page().json
        check_list(page)
        self.assertEqual((page["data"], page["has_more"]), ([], False))
        self.fault("call=list,do=wrong-types")
        page = self.sandbox.page().json
        self.assertEqual(page["has_more"], "yes")
        self.assertIsInstance(page["data"][0]["id"], int)
        self.fault("do=duplicate-keys")
        pairs = json.loads(self.sandbox.page().text, object_pairs_hook=list)
        self.assertEqual([name for name, _ in pairs].count("data"), 2)
        self.fault("do=deep,depth=5000")
        self.assertIn("[" * 5000, self.sandbox.page().text)
        self.sandbox.control("DELETE", "fault")
        self.assertEqual(self.sandbox.page().json, honest)

    def test_repeat_cursor(self):
        first = self.sandbox.page().json
        self.fault("page=2,do=repeat-cursor")
        again = self.sandbox.page(after=first["last_id"]).json
        check_list(again)
        self.assertEqual(again["data"], first["data"])
        self.assertTrue(again["has_more"])
        self.fault("do=repeat-cursor")
        whole = self.sandbox.page(limit=100).json
        self.assertEqual((len(whole["data"]), whole["has_more"]), (45, True))

    def test_big(self):
        self.fault("do=big,bytes=3000000")
        answer = self.sandbox.page()
        self.assertEqual(answer.headers["transfer-encoding"], "chunked")
        self.assertNotIn("content-length", answer.headers)
        self.assertEqual(len(answer.raw), 3000000)
        check_list(answer.json)

    def test_redirect(self):
        self.fault("call=create,do=redirect,to=http://127.0.0.1:9/x")
        answer = self.sandbox.create("a@x.org")
        self.assertEqual((answer.status, answer.headers["location"]),
                         (302, "http://127.0.0.1:9/x"))
        self.assertFalse(self.exists("a@x.org"))
        self.fault("do=redirect,status=307")
        answer = self.sandbox.page()
        self.assertEqual(answer.status, 307)
        self.assertTrue(answer.headers["location"].startswith("/"))

    def test_wrong_specifications(self):
        for spec, word in (("", "key=value"), ("do", "do"), ("do=explode", "explode"),
                           ("call=update,do=cut", "update"), ("colour=red,do=cut", "colour"),
                           ("do=status", "status"), ("do=status,status=99", "99"),
                           ("do=cut,status=500", "status"), ("nth=0,do=cut", "nth"),
                           ("nth=x,do=cut", "nth"), ("do=cut,do=cut", "twice"),
                           ("call=create,page=2,do=cut", "create"), ("do=slow", "ms"),
                           ("call=set-role,page=2,do=cut", "set-role"),
                           ("call=create,do=no-data", "no-data"), ("nth=1", "do="),
                           ("do=status,status=500,body=%zz", "%"),
                           ("do=status,status=500,body=@/etc/hostname", "command line"),
                           ("do=redirect,to=a%0d%0ab", "control"),
                           ("do=redirect,status=500", "500")):
            with self.subTest(spec=spec):
                answer = self.sandbox.control("POST", "fault", {"spec": spec}, status=400)
                check_error(answer)
                self.assertIn(word, answer["error"]["message"])
        self.assertEqual(self.sandbox.page().status, 200)


class Program(unittest.TestCase):
    def test_bad_usage(self):
        listen, key = ("--listen", "127.0.0.1:0"), ("--key", KEY)
        for arguments in ((), listen, key, ("--listen", "0.0.0.0:0", *key),
                          ("--listen", "192.0.2.1:0", *key), ("--listen", "[::]:0", *key),
                          ("--listen", "127.0.0.1", *key), ("--listen", "127.0.0.1:99999", *key),
                          (*listen, *key, "extra"), (*listen, *key, "--nonsense"),
                          (*listen, *key, "--latency", "-1"), (*listen, *key, "--burst", "0"),
                          (*listen, *key, "--order", "random"), (*listen, "--key", ""),
                          (*listen, *key, "--dead-cursor", "500"),
                          (*listen, *key, "--user-shape", "round"),
                          (*listen, *key, "--user-lag", "-1"),
                          (*listen, "--key-without-users", ""),
                          (*listen, *key, "--tls-cert", "x"),
                          (*listen, *key, "--fault", "do=nonsense")):
            with self.subTest(arguments=arguments):
                result = run(*arguments)
                self.assertEqual(result.returncode, 64)
                self.assertIn("inviterd-sandbox", result.stderr)
                self.assertEqual(result.stdout, "")

    def test_help(self):
        result = run("--help")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("repeat-cursor", result.stdout)

    def test_faults_from_the_command_line(self):
        with tempfile.NamedTemporaryFile("w", suffix=".html") as file:
            file.write("a page, with a comma")
            file.flush()
            with Sandbox("--fault", f"nth=1,do=status,status=502,body=@{file.name}",
                         "--fault", "nth=1,do=status,status=503") as sandbox:
                first = sandbox.page()
                self.assertEqual((first.status, first.text), (502, "a page, with a comma"))
                self.assertEqual([sandbox.page().status for _ in range(2)], [503, 200])

    def test_stops_at_once_with_hanging_requests(self):
        for stop in (signal.SIGTERM, signal.SIGINT):
            with Sandbox("--fault", "call=list,do=hang", "--fault", "call=create,do=drip") as sandbox:
                for request in (f"GET {INVITES} HTTP/1.1\r\n",
                                f"POST {INVITES} HTTP/1.1\r\nContent-Length: 0\r\n"):
                    hanging = socket.create_connection(("127.0.0.1", sandbox.port))
                    self.addCleanup(hanging.close)
                    hanging.sendall(f"{request}Host: x\r\nAuthorization: Bearer {KEY}\r\n\r\n"
                                    .encode())
                while sum(sandbox.log()["counts"].values()) < 2:
                    time.sleep(0.01)
                start = time.monotonic()
                sandbox.process.send_signal(stop)
                self.assertEqual(sandbox.process.wait(5), 0)
                self.assertLess(time.monotonic() - start, 0.8)

    def test_dies_with_its_parent(self):
        for options, dies in ((["--die-with-parent"], True), ([], False)):
            shell = subprocess.Popen(
                ["sh", "-c", '"$@" & read line', "sh", PROGRAM, "--listen", "127.0.0.1:0", "--key",
                 KEY, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            port = urllib.parse.urlsplit(shell.stdout.readline().split()[-1]).port
            with open(f"/proc/{shell.pid}/task/{shell.pid}/children", encoding="ascii") as file:
                pid = int(file.read().split()[0])
            shell.kill()
            shell.communicate() if dies else shell.wait()
            time.sleep(0.3)
            with socket.socket() as probe:
                alive = probe.connect_ex(("127.0.0.1", port)) == 0
            if alive:
                os.kill(pid, signal.SIGTERM)
            self.assertEqual(alive, not dies)
            shell.stdin.close()
            shell.stdout.close()

    def test_other_loopback_addresses(self):
        process = subprocess.Popen([PROGRAM, "--listen", "[::1]:0", "--key", KEY],
                                   stdout=subprocess.PIPE, text=True)
        line = process.stdout.readline()
        process.terminate()
        self.assertEqual(process.wait(5), 0)
        process.stdout.close()
        self.assertRegex(line, r"http://\[::1\]:\d+/v1\n$")

    @unittest.skipUnless(shutil.which("openssl"), "needs openssl to make a certificate")
    def test_tls(self):
        with tempfile.TemporaryDirectory() as directory:
            cert, key = os.path.join(directory, "cert"), os.path.join(directory, "key")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                            "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                            "-keyout", key, "-out", cert], check=True, capture_output=True)
            with Sandbox("--tls-cert", cert, "--tls-key", key) as sandbox:
                self.assertTrue(sandbox.url.startswith("https://"))
                context = ssl.create_default_context(cafile=cert)
                connection = http.client.HTTPSConnection("127.0.0.1", sandbox.port, context=context)
                self.addCleanup(connection.close)
                answer = sandbox.send("GET", INVITES, connection=connection)
                check_list(answer.json)


if __name__ == "__main__":
    unittest.main()
