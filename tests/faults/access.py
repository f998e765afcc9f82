"""Access that is taken away, in truth or by somebody's word: what happens, who is told, how soon."""

import contextlib
import json
import socketserver
import threading
from email import message_from_bytes

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contacts.models import Note
from integrations.models import Connection, Incident
from tests.faults.rig import nap
from tests.faults.verdict import Verdict, case
from tests.integrations.signatures import HEADER, sign

SOON_S = 60
WAYS = ("forged, a stranger's key", "forged, GHL's key but still let in", "refresh token revoked", "uninstalled")


@case("5", "revoked, uninstalled, or only said to be")
def access_taken_away(rig):
    rounds = rig.size(quick=1, usual=3, full=10)
    sandbox = rig.start_sandbox(contacts=5, grace_s=0)
    with mailbox() as mails:
        processes = rig.start_processes(
            EMAIL_URL=f"smtp://127.0.0.1:{mails.port}", GHL_TIMEOUT_S="2", WORK_LEASE_S="4", SYNC_EVERY_S="3600"
        )
        processes.start_worker()
        processes.start_web()
        sandbox.settings(webhook_url=f"{processes.url}/webhooks/ghl", webhook_retry_s=1)
        told = [one_way(rig, mails, way) for _ in range(rounds) for way in WAYS]
    findings = [f"{one['way']}: {wrong}" for one in told for wrong in one["wrong"]]
    noticed = [one["seconds"] for one in told if one["seconds"] is not None]
    return Verdict(
        "5",
        f"true: parked, one incident, one mail within {SOON_S} s of the first request or webhook; forged: nothing",
        {
            "tokens wiped by forgery": sum("forged" in one["way"] and not one["has tokens"] for one in told),
            "mails for each true incident": sorted({one["mails"] for one in told if "forged" not in one["way"]}),
            "mails for forgeries": sum(one["mails"] for one in told if "forged" in one["way"]),
            "longest until the mail, s": round(max(noticed), 1) if noticed else None,
            "ended as": {one["way"]: one["state"] for one in told},
        },
        ok=not findings,
        repeats=f"{rounds} × {len(WAYS)} ways",
        findings=findings,
    )


def one_way(rig, mails, way):
    connection = rig.connect() if not hasattr(rig, "admin") else connected_again(rig)
    rig.waited(lambda: connection.sync_runs.filter(outcome="complete").exists(), 120)
    mails.received.clear()
    incidents = Incident.objects.filter(connection=connection).count()
    begun = rig.now()
    take_away(rig, connection, way)
    is_forged = "forged" in way
    if is_forged:
        rig.waited(rig.webhooks_are_heard, 30)
        nap(rig.size(quick=2, usual=5))
        seconds = None
    else:
        rig.waited(lambda: mails.received, SOON_S)
        seconds = rig.now() - begun
        nap(2)  # for a second mail that should not come
    row = Connection.objects.get(pk=connection.pk)
    opened = Incident.objects.filter(connection=connection).count() - incidents
    wanted = {"uninstalled": "uninstalled", "refresh token revoked": "needs_reauth"}.get(way, "active")
    wrong = [] if row.status == wanted else [f"state {row.status}, wanted {wanted}"]
    wrong += [] if len(mails.received) == opened == (0 if is_forged else 1) else [
        f"{len(mails.received)} mails, {opened} incidents"
    ]  # fmt: skip
    has_tokens = bool(row.sealed_refresh_token)
    wrong += ["tokens wiped"] if is_forged and not has_tokens else []
    wrong += [f"{seconds:.0f} s until the mail"] if seconds and seconds > SOON_S else []
    return {
        "way": way, "state": row.status, "mails": len(mails.received), "has tokens": has_tokens,
        "seconds": seconds, "wrong": wrong,
    }  # fmt: skip


def connected_again(rig):
    from tests.sandbox_control import consent

    connection = Connection.objects.select_related("location__business").latest("pk")
    return consent(rig.admin, connection.location.business, rig.sandbox)


def take_away(rig, connection, way):
    sandbox, location_id = rig.sandbox, connection.location.remote_id
    said = {"type": "UNINSTALL", "locationId": location_id, "webhookId": f"word-{rig.chance.getrandbits(64)}"}
    said |= {"appId": sandbox.credentials["app_id"], "companyId": sandbox.credentials["company_id"]}
    if way == "uninstalled":
        sandbox.tokens("uninstall", location_id=location_id)  # GHL tells us so itself
    elif way == "refresh token revoked":
        sandbox.tokens("revoke", location_id=location_id)
        person = rig.people(connection).first()
        Note(location=connection.location, contact=person, body="After it").create(by=rig.admin)
    elif "stranger" in way:
        body = json.dumps(said).encode()
        stranger = Ed25519PrivateKey.from_private_bytes(rig.chance.randbytes(32))
        answer = requests.post(f"{rig.processes.url}/webhooks/ghl/", body, headers={HEADER: sign(stranger, body)})
        assert answer.status_code == 401, answer.status_code
    else:
        sandbox.emit(said)


# --- the mail server --------------------------------------------------------------------------------------------------


class Mails(socketserver.ThreadingTCPServer):
    """Takes every message, and keeps it."""

    allow_reuse_address = daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Postman)
        self.port, self.received = self.server_address[1], []


class Postman(socketserver.StreamRequestHandler):
    def handle(self):
        self.say("220 here")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.received.append(message_from_bytes(b"".join(lines)))
            if word == b"QUIT":
                return self.say("221 bye")
            self.say("250 ok")

    def say(self, words):
        self.wfile.write(f"{words}\r\n".encode())


@contextlib.contextmanager
def mailbox():
    with Mails() as mails:
        threading.Thread(target=mails.serve_forever, daemon=True).start()
        try:
            yield mails
        finally:
            mails.shutdown()
