"""CSV files are read by people with spreadsheets, and written by everybody who may fill in a name."""

import asyncio
import csv
import io
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from contacts.csv_file import AT_ONCE, cell, csv_response


@pytest.mark.parametrize(
    "text", ["=1+1", "+1 312 555", "-1-1", "@SUM(A1)", "\t=1", "\r=1", "  =cmd|' /C calc'!A0", "\n=2"]
)
def test_what_a_spreadsheet_would_run_is_marked_as_text(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value, written", [("Óscar, Inc.", "Óscar, Inc."), (None, ""), (-3, "-3"), ("-4.5", "-4.5")])
def test_everything_else_stays_as_it_is(value, written):
    assert cell(value) == written


def test_moments_are_in_utc():
    assert cell(datetime(2026, 1, 5, 9, 30, tzinfo=ZoneInfo("America/Chicago"))) == "2026-01-05T15:30:00+00:00"


def test_a_file_is_sent_as_it_is_read():
    read = []

    def rows():
        for number in range(3):
            read.append(number)
            yield [number, 'He said "no",\nthen left']

    response = csv_response("people", ["Number", "Note"], rows())
    assert read == []
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [
        ["Number", "Note"], *([str(number), 'He said "no",\nthen left'] for number in range(3))
    ]  # fmt: skip
    assert response["Content-Disposition"] == 'attachment; filename="people.csv"'


def test_nor_is_it_gathered_first_where_the_server_is_asynchronous():
    read = []
    response = csv_response("people", ["Number"], ([read.append(number) or number] for number in range(5 * AT_ONCE)))

    async def taken():
        parts = aiter(response)
        first, read_by_then = await anext(parts), len(read)
        return first + b"".join([part async for part in parts]), read_by_then

    whole, read_by_then = asyncio.run(taken())
    assert read_by_then <= AT_ONCE
    assert len(whole.decode().splitlines()) == 1 + 5 * AT_ONCE
