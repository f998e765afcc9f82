"""The door of the API: one request from bytes to bytes, with delays, faults and the log."""

import asyncio
import json
import traceback

from starlette.requests import Request

from .answers import Answer, default_error_body
from .checks import Call, bearer
from .routing import router


class Gate:
    def __init__(self, sandbox):
        self.sandbox = sandbox

    async def __call__(self, scope, receive, send):
        call = await read_call(self.sandbox, scope, receive)
        arrived = self.sandbox.clock()
        action = self.sandbox.faults.striking(call)
        await self._prepare(call, action)
        if action.get("drop_before"):
            self.sandbox.log.write(call, None, arrived, dropped="before", fault=action)
            return await drop(receive, send)
        answer = self._answered(call, action)
        status = None if action.get("drop_after_commit") else answer.status
        dropped = "after_commit" if action.get("drop_after_commit") else None
        self.sandbox.log.write(call, status, arrived, dropped=dropped, fault=action)
        delay = self.sandbox.latency(call) + action.get("delay_ms", 0) / 1000
        if delay:
            await asyncio.sleep(delay)
        if dropped:
            return await drop(receive, send)
        answer.headers.update(self._rate_headers(call))
        await respond(send, answer)

    async def _prepare(self, call, action):
        if action:
            self._introduce(call)
        if action.get("delay_before_ms"):
            await asyncio.sleep(action["delay_before_ms"] / 1000)
        if action.get("stale_read") and (call.method == "GET" or call.path.rstrip("/").endswith("/search")):
            call.stale_seconds = action["stale_read"]
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

    def _answered(self, call, action):
        if "status" in action:
            return fault_answer(action["status"], action)
        try:
            answer = self.sandbox.answer(call)
        except Exception:
            traceback.print_exc()
            answer = Answer(default_error_body(500), 500)
        if "status_but_created" in action:
            return fault_answer(action["status_but_created"], action)
        return answer

    def _rate_headers(self, call):
        return self.sandbox.limits.headers(call.rate_key, self.sandbox.clock())


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


async def respond(send, answer):
    body = answer.encoded()
    headers = [
        (b"content-type", answer.media_type.encode()),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), str(value).encode()) for name, value in answer.headers.items()),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def drop(receive, send):
    """Cut the connection so that the client hears nothing at all."""
    cycle = getattr(receive, "__self__", None)
    transport = getattr(cycle, "transport", None)
    if transport is not None:
        transport.abort()
        # The server must learn that the client is gone before this returns, or it would answer 500.
        while not getattr(cycle, "disconnected", True):
            await asyncio.sleep(0)
        return
    # Another server than uvicorn: promise bytes and never send them.
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
