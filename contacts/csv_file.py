"""Rows as a CSV file that a spreadsheet opens without running anything in it."""

import csv
import re
from datetime import UTC, datetime
from itertools import chain, islice

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse

# A cell that begins so is a formula to a spreadsheet, whoever wrote it (OWASP, "CSV injection").
FORMULA = re.compile(r"\s*[=+\-@\t\r]")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
AT_ONCE = 200  # lines


def csv_response(name, head, rows):
    """`rows` may be a generator: the file is sent as it is read. Moments are written in UTC, as ISO 8601."""
    writer = csv.writer(_Echo())
    lines = (writer.writerow([cell(value) for value in row]) for row in chain([head], rows))
    # Excel takes a file for UTF-8 only when it begins with this mark.
    response = _Streamed(chain(["\ufeff"], lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def cell(value):
    """The value as text; one that a spreadsheet would run or reckon with gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    text = str(value)
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


class _Streamed(StreamingHttpResponse):
    """Under ASGI Django would gather a plain iterator in memory before it sends the first line."""

    async def __aiter__(self):
        lines = iter(self.streaming_content)
        while part := await sync_to_async(lambda: b"".join(islice(lines, AT_ONCE)))():
            yield part


class _Echo:
    """What csv writes is handed on instead of kept."""

    def write(self, line):
        return line
