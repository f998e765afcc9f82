"""One request after another to the web server's own handler, in this process, as somebody who is signed in."""

import random
import time
from contextlib import ExitStack
from pathlib import Path

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import RequestFactory

from contacts.models import User
from rankr_dash.bench import filling
from rankr_dash.bench.rig import spread

ALL, LARGE = filling.email(0), filling.email(4)  # a member of all businesses, one of the large business only


def signed_in(email):
    """The session cookie of this user."""
    user = User.objects.get(email=email)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def repeatedly(visit, cookie, times):
    """Figures of so many requests, each for another contact, word or page that `visit(dice)` comes upon."""
    dice = random.Random(filling.SEED)
    handler = Handler(cookie)
    handler.forget()
    first = handler.ask(visit(dice))
    asked = [handler.ask(visit(dice)) for _ in range(times)]
    queries = [one.queries for one in asked]
    return {
        "first ms": round(first.seconds * 1000, 1),
        **with_p99([one.seconds for one in asked]),
        "CPU p95 ms": spread([one.cpu_s for one in asked])["p95 ms"],
        "queries": f"{min(queries)} to {max(queries)}",
        "errors": sum(one.status != 200 for one in [first, *asked]),
    }


def with_p99(seconds):
    if not seconds:
        return {}
    return {**spread(seconds), "p99 ms": round(sorted(seconds)[round(0.99 * (len(seconds) - 1))] * 1000, 1)}


class Answer:
    status = 0
    seconds = cpu_s = 0.0
    queries = 0
    body = b""


class Handler:
    """Django's handler as a web server calls it, with a database connection that stays open between requests."""

    def __init__(self, cookie):
        self.cookie = cookie
        self.handler = WSGIHandler()
        self.environ = RequestFactory()._base_environ
        connection.settings_dict["CONN_MAX_AGE"] = None

    def forget(self):
        """As after a pause: no open connection, and with it nothing that Postgres keeps for one."""
        connection.close()
        connection.ensure_connection()

    def ask(self, path, watch=None):
        answer = Answer()
        address, _, query = path.partition("?")
        host = settings.ALLOWED_HOSTS[0]
        environ = self.environ(
            PATH_INFO=address, QUERY_STRING=query, HTTP_COOKIE=self.cookie, HTTP_HOST=host, SERVER_NAME=host,
        )  # fmt: skip

        def count(execute, sql, params, many, context):
            answer.queries += 1
            if watch:
                watch(sql, params)
            return execute(sql, params, many, context)

        def start(status, headers):
            answer.status = int(status.split()[0])

        with ExitStack() as around:
            around.enter_context(connection.execute_wrapper(count))
            cpu, begun = self.cpu_s(), time.perf_counter()
            response = self.handler(environ, start)
            answer.body = b"".join(response)
            response.close()
            answer.seconds = time.perf_counter() - begun
            answer.cpu_s = self.cpu_s() - cpu
        return answer

    @staticmethod
    def cpu_s():
        """What this thread and its Postgres process have computed so far: other programs do not lengthen that."""
        times = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat") if connection.connection else None
        theirs = int(times.read_text().split()[0]) / 1e9 if times and times.exists() else 0.0
        return time.thread_time() + theirs
