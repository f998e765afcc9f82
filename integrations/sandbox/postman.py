"""Posts over connections that stay open, a bounded number at once."""

import asyncio
import contextlib
import ssl
import time
from urllib.parse import urlsplit

import h11

# Servers close idle connections after seconds. A post lost to such a close would be the postman's fault, not theirs.
FRESH_S = 0.8


class Postman:
    def __init__(self):
        self.idle = []

    async def post(self, url, headers, body, timeout_s):
        """The status of the answer, or in a word why there is none: timeout, refused, cut."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._post(urlsplit(url), headers, body)
        except TimeoutError:
            return "timeout"
        except (h11.RemoteProtocolError, ConnectionResetError, BrokenPipeError, EOFError):
            return "cut"
        except (OSError, ValueError):
            return "refused"

    def close(self):
        for line in self.idle:
            line.close()
        self.idle.clear()

    async def _post(self, url, headers, body):
        line = self._open_line(url) or await Line.to(url)
        try:
            status = await line.post(url, headers, body)
        except BaseException:
            line.close()
            raise
        if line.is_ready_again():
            self.idle.append(line)
        else:
            line.close()
        return status

    def _open_line(self, url):
        while self.idle:
            line = self.idle.pop()
            if line.place == (url.scheme, url.netloc) and line.is_fresh():
                return line
            line.close()
        return None


class Line:
    """One connection."""

    def __init__(self, place, reader, writer):
        self.place, self.reader, self.writer = place, reader, writer
        self.protocol = h11.Connection(h11.CLIENT)
        self.last_used = time.monotonic()

    @classmethod
    async def to(cls, url):
        secure = url.scheme == "https"
        port = url.port or (443 if secure else 80)
        context = ssl.create_default_context() if secure else None
        return cls((url.scheme, url.netloc), *await asyncio.open_connection(url.hostname, port, ssl=context))

    def is_fresh(self):
        return time.monotonic() - self.last_used < FRESH_S and not self.reader.at_eof()

    async def post(self, url, headers, body):
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        every = {"Host": url.netloc, "Content-Length": str(len(body)), "User-Agent": "sandbox-ghl", **headers}
        begin = self.protocol.send(h11.Request(method="POST", target=target, headers=list(every.items())))
        self.writer.write(begin + self.protocol.send(h11.Data(data=body)) + self.protocol.send(h11.EndOfMessage()))
        await self.writer.drain()
        status = None
        while True:
            event = self.protocol.next_event()
            if event is h11.NEED_DATA:
                self.protocol.receive_data(await self.reader.read(65_536))
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.EndOfMessage):
                return status
            elif isinstance(event, h11.ConnectionClosed):
                raise EOFError

    def is_ready_again(self):
        self.last_used = time.monotonic()
        if self.protocol.our_state is not h11.DONE or self.protocol.their_state is not h11.DONE:
            return False
        self.protocol.start_next_cycle()
        return True

    def close(self):
        with contextlib.suppress(Exception):
            self.writer.close()
