"""The door of the API: one request from bytes to bytes, with delays, faults and the log."""

import asyncio
import contextlib
import json
import socket
import struct
import traceback
from email.utils import formatdate

from starlette.requests import Request

from . import lies
from .answers import Answer, default_error_body
from .backstage import stir
from .checks import Call, bearer
from .routing import router

PROXY_PAGE = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><h1>502 Bad Gateway</h1></body>\r\n</html>"


class Gate:
    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.pages = lies.Pages()

    async def __call__(self, scope, receive, send):
        call = await read_call(self.sandbox, scope, receive)
        arrived = self.sandbox.clock()
        action, rules = self.sandbox.faults.striking(call)
        await self._prepare(call, action)
        cut = when_cut(action)
        answer = None if cut == "before" else self._answered(call, action, rules)
        status = None if cut else answer.status
        entry = self.sandbox.log.write(call, status, arrived, cut, action, [rule.id for rule in rules])
        if answer is not None and action.get("move") and call.token and lies.is_list_request(call):
            entry["moved"] = stir(self.sandbox, call.token.location_id, int(action["move"]), rules[-1].dice)
        delay = self.sandbox.latency(call) + action.get("delay_ms", 0) / 1000 if answer else 0
        if delay:
            await asyncio.sleep(delay)
        if cut:
            if action.get("hang_s"):
                await wait_for_leaving(receive, action["hang_s"])
            return await drop(receive, send, with_reset=bool(action.get("reset")))
        answer.headers.update(self._rate_headers(call))
        answer.headers["date"] = formatdate(self.sandbox.config.now_ms() / 1000, usegmt=True)
        await respond(send, answer, broken_off=action.get("junk") == "half")
        gone = getattr(getattr(receive, "__self__", None), "disconnected", False)
        entry["answer"] = "gone" if gone else "delivered"

    async def _prepare(self, call, action):
        if action:
            self._introduce(call)
        if action.get("delay_before_ms"):
            await asyncio.sleep(action["delay_before_ms"] / 1000)
        if action.get("stale_read") and lies.is_read(call):
            call.stale_seconds = action["stale_read"]
        if action.get("lie") == "foreign" and lies.is_list_request(call):
            lies.look_elsewhere(call)
        if action.get("expire_token") or action.get("revoke_token"):
            credentials = self.sandbox.credentials
            if call.token is not None:
                (credentials.revoke if action.get("revoke_token") else credentials.expire)(call.token)
                call.token = None

    def _introduce(self, call):
        """For the log and the rate headers of a request that may never reach the checks."""
        call.operation = next((operation for operation, _ in router.find(call.method, call.path)), None)
        call.token = self.sandbox.credentials.tokens.get(bearer(call.headers.get("authorization", "")))
        if call.token is not None:
            call.rate_key = call.token.rate_key

    def _answered(self, call, action, rules):
        if "status" in action:
            return fault_answer(action["status"], action)
        if action.get("junk") == "html":
            return Answer(PROXY_PAGE, media_type="text/html")
        try:
            answer = self.sandbox.answer(call)
        except Exception:
            traceback.print_exc()
            answer = Answer(default_error_body(500), 500)
        if "status_but_created" in action:
            return fault_answer(action["status_but_created"], action)
        if action.get("lie"):
            answer = lies.told(action, answer, call, self.pages, rules[-1].dice)
        if self.sandbox.faults.may_repeat():
            self.pages.remember(call, answer)
        return answer

    def _rate_headers(self, call):
        return self.sandbox.limits.headers(call.rate_key, self.sandbox.clock())


def when_cut(action):
    """before, after_commit, or None when the answer gets through."""
    if action.get("drop_before"):
        return "before"
    if action.get("drop_after_commit"):
        return "after_commit"
    return "before" if action.get("reset") or action.get("hang_s") else None


def fault_answer(status, action):
    body = action.get("body")
    answer = Answer(body if body is not None else default_error_body(status), status, dict(action.get("headers") or {}))
    if action.get("retry_after") is not None:
        answer.headers["retry-after"] = str(action["retry_after"])
    return answer


async def read_call(sandbox, scope, receive):
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            break
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    raw = bytes(body)
    call = Call(sandbox, scope["method"], scope["path"], scope["query_string"].decode("latin-1"), headers, raw)
    if headers.get("content-type", "").startswith("multipart/form-data"):
        call.form = await read_form(scope, raw)
    elif raw:
        call.json = read_json(raw)
    return call


def read_json(raw):
    try:
        return json.loads(raw, parse_float=number, parse_constant=no_number)
    except ValueError:
        return None


def number(digits):
    """As JavaScript reads it: `20.0` is 20, and is answered as 20."""
    value = float(digits)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def no_number(word):
    """NaN and Infinity, which Python writes and JSON does not know."""
    raise ValueError(word)


async def read_form(scope, raw):
    async def replay():
        return {"type": "http.request", "body": raw, "more_body": False}

    fields = {}
    async with Request(scope, replay).form() as form:
        for name, value in form.multi_items():
            if not isinstance(value, str):
                content = await value.read()
                value = {"name": value.filename, "type": value.content_type, "size": len(content)}
            fields[name] = value
    return fields


async def respond(send, answer, broken_off=False):
    body = answer.encoded()
    body = body[: len(body) // 2] if broken_off else body
    headers = [
        (b"content-type", answer.media_type.encode()),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), str(value).encode()) for name, value in answer.headers.items()),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def wait_for_leaving(receive, seconds):
    """So long, or until the client has had enough."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass


async def drop(receive, send, with_reset=False):
    """Cut the connection so that the client hears nothing at all."""
    cycle = getattr(receive, "__self__", None)
    transport = getattr(cycle, "transport", None)
    if transport is not None:
        if with_reset:
            # Closing a socket that lingers for no time sends RST instead of FIN.
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        # The server must learn that the client is gone before this returns, or it would answer 500.
        while not getattr(cycle, "disconnected", True):
            await asyncio.sleep(0)
        return
    # Another server than uvicorn: promise bytes and never send them.
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
