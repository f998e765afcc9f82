"""Refresh tokens that work once, many callers, and crashes at the worst moment."""

from collections import Counter
from datetime import timedelta

import requests

from integrations.access import tokens
from integrations.ghl import errors
from integrations.models import Agency, Connection
from tests.faults import rivals
from tests.faults.callers import Callers
from tests.faults.rig import ago, nap
from tests.faults.verdict import Verdict, case

# The real figures: a token endpoint up to 15 s slow, a naive lock that lives 10 s, our time-out and lease. All scaled.
SLOWEST_S, NAIVE_LOCK_S, TIMEOUT_S, LEASE_S = 15, 10, 20, 60
PATIENCE_S, SKIP_S = 3, 30  # when nothing has happened for so long, a row's clock is put on by so much


@case("1", "refresh race")
def many_callers_at_expiry(rig):
    scale = rig.size(quick=0.1, usual=0.2, full=1)
    callers, rounds = rig.size(quick=8, usual=50), rig.size(quick=3, usual=40)
    sandbox = rig.start_sandbox(contacts=5, grace_s=0, rate=0)
    connection = rig.connect()
    rig.configure(GHL_TIMEOUT_S=TIMEOUT_S * scale, WORK_LEASE_S=LEASE_S * scale)

    def ask(how):
        """The status of an API call made with the token that the product gives."""
        if how == "rejected":  # nobody knows yet that it is dead: GHL says so
            old = Connection.objects.get(pk=connection.pk).access_token
            assert call(sandbox, connection, old) == 401
            return call(sandbox, connection, tokens.valid_token(connection.pk, rejected=old))
        return call(sandbox, connection, tokens.valid_token(connection.pk))

    delays = [delay_of_round(rig.chance, number) for number in range(rounds)]
    score = Counter()
    findings = []
    with Callers(callers, ask) as crowd:
        for number, delay in enumerate(delays):
            how = "rejected" if number % 2 else "expired"
            let_expire(sandbox, connection, how)
            slow_down(sandbox, delay * scale, before=rig.chance.random() < 0.5)
            since = rig.requests_so_far()
            heard = crowd.all(how, seconds=LEASE_S * scale * 3)
            refreshes = [entry["status"] for entry in sandbox.log(since=since, path="/oauth/token")["entries"]]
            sandbox.no_faults()
            without = [answer for answer in heard if answer != (True, 200)]
            alive = is_alive(sandbox, connection)
            score["connections lost"] += not alive
            score["rounds with another number of refreshes than one"] += refreshes != [200]
            score["invalid_grant seen"] += sum(status != 200 for status in refreshes)
            score["callers without a working token"] += len(without)
            if refreshes != [200] or without or not alive:
                findings.append(
                    f"round {number} ({how}, {delay:.1f} s × {scale}): refreshes {refreshes}, {without[:3]}"
                )
            if not alive:
                connection = reconnect(rig, connection)
    some = [delay * scale for delay in delays[: rig.size(quick=0, usual=10)]]
    others = (
        {}
        if not some
        else {
            "no lock (SDK)": rivals.refresh_race(rig, rivals.WithoutLock, callers, some),
            "Redis lock, plain delete": rivals.refresh_race(
                rig, rivals.plain_lock(NAIVE_LOCK_S * scale), callers, some
            ),
        }
    )
    names = (
        "connections lost",
        "rounds with another number of refreshes than one",
        "invalid_grant seen",
        "callers without a working token",
    )
    figures = {name: score[name] for name in names}
    return Verdict(
        "1",
        "one refresh a round, everybody gets a working token",
        figures | {"seconds scaled by": scale, **others},
        ok=not any(figures.values()),
        repeats=f"{callers} processes × {rounds} rounds",
        findings=findings,
    )


def delay_of_round(chance, number):
    """Seconds; in every third round longer than the naive lock lives."""
    return chance.uniform(NAIVE_LOCK_S + 1, SLOWEST_S) if number % 3 == 0 else chance.uniform(0, SLOWEST_S)


def slow_down(sandbox, seconds, before=False):
    action = {"delay_before_ms" if before else "delay_ms": round(seconds * 1000)}
    sandbox.faults({"match": {"method": "POST", "path": "/oauth/token", "times": 0}, "action": action})


def let_expire(sandbox, connection, how="expired"):
    """The access token dies at GHL; our row knows it, unless it is to be learnt from a 401."""
    sandbox.post("tokens", {"action": "expire", "token": Connection.objects.get(pk=connection.pk).access_token})
    if how == "expired":
        Connection.objects.filter(pk=connection.pk).update(expires_at=ago(1), renew_at=ago(1))


def call(sandbox, connection, token):
    headers = rivals.VERSION | {"Authorization": f"Bearer {token}"}
    return requests.get(
        f"{sandbox.url}/locations/{connection.location.remote_id}", headers=headers, timeout=30
    ).status_code


def is_alive(sandbox, connection):
    """What the row says can be used is accepted by GHL."""
    row = Connection.objects.get(pk=connection.pk)
    return row.is_active and call(sandbox, connection, row.access_token) == 200


def reconnect(rig, connection):
    from tests.sandbox_control import consent

    return consent(rig.admin, connection.location.business, rig.sandbox)


# --- 2 ----------------------------------------------------------------------------------------------------------------

# Where a lost pair can come back from: GHL's patience with the old refresh token, the agency's own access, or nowhere,
# with the old access token still good or dead as well.
SETTINGS = ("grace", "agency", "token lives", "token dead")


@case("2", "crash or lost answer during the rotation")
def crashes_between_rotation_and_commit(rig):
    rounds = rig.size(quick=4, usual=100)
    sandbox = rig.start_sandbox(contacts=5, grace_s=0, rate=0)
    connection = rig.connect()
    agency = an_agency(rig, connection)
    rig.configure(GHL_TIMEOUT_S=1.0, WORK_LEASE_S=1.6)
    outcomes, findings, noticed = Counter(), [], []
    for number in range(rounds):
        setting = SETTINGS[number % len(SETTINGS)]
        accident = ("kill", "cut")[number // len(SETTINGS) % 2]
        connection = reconnect(rig, connection)
        Connection.objects.filter(pk=connection.pk).update(agency=agency if setting == "agency" else None)
        sandbox.settings(grace=30 if setting == "grace" else 0)
        lose_the_answer(rig, connection, setting, accident)
        state, seconds, wrong = what_comes_of_it(rig, connection, setting)
        outcomes[f"{setting}, {accident}: {state}"] += 1
        noticed.append(seconds)
        if wrong:
            findings.append(f"round {number}, {setting}, {accident}: {wrong}")
    return Verdict(
        "2",
        "recovers by itself where GHL allows it, else says so; never silent",
        {
            "wrong states": len(findings),
            "longest until noticed, s": round(max(noticed), 1),
            "ended as": dict(sorted(outcomes.items())),
        },
        ok=not findings,
        repeats=f"{rounds} crashes",
        findings=findings,
    )


def an_agency(rig, connection):
    """The company's own access, as an install by the agency would have left it here."""
    made = rig.sandbox.post("tokens", {"action": "create_company"})
    tomorrow = ago(-86_400)
    business, company_id = connection.location.business, made["company_id"]
    agency = Agency(business=business, company_id=company_id, expires_at=tomorrow, renew_at=tomorrow)
    for column, value in agency.sealed(made["access_token"], made["refresh_token"]).items():
        setattr(agency, column, value)
    agency.save()
    return agency


def lose_the_answer(rig, connection, setting, accident):
    """GHL has rotated; we died before we could store it, or never heard it."""
    sandbox = rig.sandbox
    if setting == "token lives":
        Connection.objects.filter(pk=connection.pk).update(renew_at=ago(1))
    else:
        let_expire(sandbox, connection)
    since = rig.requests_so_far()
    if accident == "cut":
        rule = {"match": {"method": "POST", "path": "/oauth/token", "times": 1}, "action": {"drop_after_commit": True}}
        sandbox.faults(rule)
    else:
        slow_down(sandbox, 0.8)

    def rotated():
        return any(entry["committed"] for entry in sandbox.log(since=since, path="/oauth/token")["entries"])

    with Callers(1, lambda _: tokens.valid_token(connection.pk)) as crowd:
        crowd.begin()
        rig.waited(rotated, 30)
        if accident == "kill":
            crowd.kill(0)
        else:
            crowd.answers(30)
    sandbox.no_faults()


def what_comes_of_it(rig, connection, setting):
    """(state, seconds until then, what is wrong with it or ""), while callers go on asking for a token."""
    sandbox = rig.sandbox
    begun, skipped = rig.now(), 0
    state, works = "", False

    def decided():
        nonlocal state, works, skipped
        if rig.now() - begun > PATIENCE_S * (skipped // SKIP_S + 1):  # it waits for a better moment: here that comes
            an_age_passes(connection)
            skipped += SKIP_S
        try:
            token = tokens.valid_token(connection.pk)
        except (tokens.ConnectionParked, errors.GhlError):
            token = None
        row = Connection.objects.get(pk=connection.pk)
        state, works = row.status, bool(token) and call(sandbox, connection, token) == 200
        if setting in ("grace", "agency"):
            return state == "active" and works and row.expires_at > ago(0) and row.renew_at > ago(0)
        return state in ("unknown", "needs_reauth") if setting == "token lives" else state == "needs_reauth"

    in_time = rig.waited(decided, 40)
    seconds = rig.now() - begun + skipped
    if not in_time:
        return (
            state,
            seconds,
            f"after {seconds:.0f} s {state}, a call with the stored token {'works' if works else 'fails'}",
        )
    if setting == "token lives":
        return (state, seconds, "") if state == "needs_reauth" else after_its_death(rig, connection, seconds)
    return state, seconds, ""


def an_age_passes(connection):
    """What the row waits for is so much nearer."""
    row = Connection.objects.get(pk=connection.pk)
    if row.renew_at:
        Connection.objects.filter(pk=row.pk).update(renew_at=row.renew_at - timedelta(seconds=SKIP_S))


def after_its_death(rig, connection, seconds):
    """In doubt the old token was used on. When it dies too, somebody must be told."""
    let_expire(rig.sandbox, connection)

    def told():
        try:
            tokens.valid_token(connection.pk)
        except (tokens.ConnectionParked, errors.GhlError):
            nap(0.1)
        return Connection.objects.get(pk=connection.pk).status == "needs_reauth"

    if rig.waited(told, 40):
        return "unknown, then needs_reauth", seconds, ""
    state = Connection.objects.get(pk=connection.pk).status
    return state, seconds, f"still {state} 40 s after the old token has died"
