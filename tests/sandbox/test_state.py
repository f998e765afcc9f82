"""An account kept in a file, from one process to the next."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from integrations.sandbox.config import Config
from integrations.sandbox.sandbox import Sandbox

from .account import Account

ROOT = Path(__file__).resolve().parents[2]
RESET = {"contacts": 12, "seed": 7, "rate": 0, "lag": 0}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "kept" / "sandbox.json"


@pytest.fixture
def start(file):
    """Start a sandbox that keeps its account in the file; each start is an Account with its process."""
    running = []

    def begin(*options):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "integrations.sandbox", "--port", str(port), "--state", str(file)]
        process = subprocess.Popen(
            [*command, "--contacts", "30", "--rate", "0", "--lag-s", "0", *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(process)
        base = f"http://127.0.0.1:{port}"
        for _ in range(400):
            try:
                requests.get(f"{base}/__sandbox__/state", timeout=5)
                break
            except requests.ConnectionError:
                assert process.poll() is None, process.stdout.read()
                time.sleep(0.05)
        account = Account(base, reset=False)
        account.process = process
        return account

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def stop(account, how=signal.SIGTERM):
    """What it printed."""
    account.process.send_signal(how)
    return account.process.communicate(timeout=20)[0]


def saved_after(file, account, act):
    """Do it, then wait until the file is another one."""
    before = file.stat().st_ino, file.stat().st_mtime_ns
    act()
    began = time.monotonic()
    while (file.stat().st_ino, file.stat().st_mtime_ns) == before:
        assert time.monotonic() - began < 5, "never saved"
        time.sleep(0.02)
    return time.monotonic() - began


def everything(sandbox):
    return [
        (place.id, place.record, place.pipelines, {name: list(table) for name, table in place.tables().items()})
        for place in sandbox.company.locations.values()
    ]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_an_edit_and_the_tokens_survive_a_restart(start, how):
    first = start()
    pair = first.token(grant_type="authorization_code", code=first.known["code"]).json()
    newest = first.token(grant_type="refresh_token", refresh_token=pair["refresh_token"]).json()
    first.put(f"/contacts/{first.contact}", {"firstName": "Zoë 🦄 kept"})
    note = first.post(f"/contacts/{first.contact}/notes", {"body": "kept <b>too</b>"})["note"]
    first.delete(f"/contacts/{first.search()['contacts'][0]['id']}")
    first.settings(timezone="Europe/Paris")
    unspent = first.control("GET", "credentials")["code"]
    before = first.control("GET", "state")["locations"]
    printed = stop(first, how)
    assert "Traceback" not in printed

    again = start()
    assert again.known["client_secret"] == first.known["client_secret"]
    assert again.control("GET", "state")["locations"] == before
    for token in (first.known["private_integration_token"], pair["access_token"], newest["access_token"]):
        again.use(token)
        assert again.get(f"/contacts/{first.contact}")["contact"]["firstName"] == "Zoë 🦄 kept"
    assert again.get(f"/contacts/{first.contact}/notes/{note['id']}")["note"] == note
    found = again.search(filters=[{"field": "firstNameLowerCase", "operator": "eq", "value": "zoë 🦄 kept"}])
    assert [one["id"] for one in found["contacts"]] == [first.contact]
    assert again.token(grant_type="refresh_token", refresh_token=newest["refresh_token"]).ok
    assert again.token(grant_type="authorization_code", code=unspent).ok
    spent = again.token(grant_type="authorization_code", code=first.known["code"])
    assert spent.status_code == 400
    assert "wins" not in stop(again)


def test_kill_9_keeps_what_was_saved_about_a_second_before(start, file):
    first = start()
    took = saved_after(file, first, lambda: first.put(f"/contacts/{first.contact}", {"city": "Kept"}))
    assert took < 3
    stop(first, signal.SIGKILL)
    again = start()
    assert again.get(f"/contacts/{first.contact}")["contact"]["city"] == "Kept"


def test_kill_9_right_after_the_first_start_leaves_the_keys_good(start):
    first = start()
    stop(first, signal.SIGKILL)
    again = start()
    again.use(first.known["location_access_token"])
    assert again.get(f"/contacts/{first.contact}")


def test_reading_writes_nothing(start, file):
    first = start()
    time.sleep(1.5)
    before = file.stat().st_ino, file.stat().st_mtime_ns
    first.search()
    first.get(f"/contacts/{first.contact}")
    time.sleep(1.5)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == before


def test_a_reset_is_kept_as_well(start, file):
    first = start()
    saved_after(file, first, lambda: first.control("POST", "reset", RESET))
    new_key = first.control("GET", "webhooks")["public_key"]
    stop(first, signal.SIGKILL)
    again = start()
    assert again.control("GET", "state")["contacts"] == 12
    assert again.control("GET", "webhooks")["public_key"] == new_key, "webhooks are signed as before"
    assert "--seed 7 --contacts 12: it wins over --seed 1 --contacts 30" in stop(again)


def test_the_kept_account_wins_over_another_seed_until_a_reset(file, capsys):
    kept = Sandbox(Config(contacts=20, seed=1), file)
    assert capsys.readouterr().out == ""
    again = Sandbox(Config(contacts=9, seed=2, redirect_uris=["https://new.example/cb"]), file)
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert "--seed 1 --contacts 20: it wins over --seed 2 --contacts 9." in printed
    assert "POST /__sandbox__/reset or delete the file" in printed
    assert everything(again) == everything(kept)
    assert again.credentials.accepts_redirect("https://new.example/cb"), "other settings are those of this start"
    again.start(again.started_with.changed())
    again.keeper.save()
    assert json.loads(file.read_text())["made_from"] == {"seed": 2, "contacts": 9}


def test_all_of_a_large_account_comes_back_as_it_was(file):
    kept = Sandbox(Config(contacts=400), file)
    contact = kept.company.first.contacts.rows[next(iter(kept.company.first.contacts.rows))]
    kept.company.first.contacts.change(contact["id"], firstName="half a pair \ud83e", odd=[float("inf"), 2**70, None])
    kept.credentials.revoke(kept.credentials.living_token(kept.credentials.location_token, 0))
    kept.credentials.install(kept.company.first.id, 1.5)
    kept.credentials.suspended.add(kept.company.first.id)
    kept.keeper.save()
    again = Sandbox(Config(contacts=400), file)
    assert everything(again) == everything(kept)
    assert again.credentials.kept() == kept.credentials.kept()
    for before, after in zip(kept.company.locations.values(), again.company.locations.values(), strict=True):
        assert (after.by_email, after.by_phone) == (before.by_email, before.by_phone)
        assert after.contact_index.visible() == after.contacts.rows
        assert {one: after.notes.of(one) for one in after.contacts.rows} == {
            one: before.notes.of(one) for one in before.contacts.rows
        }


def test_twins_get_the_same_pair_across_a_restart(file):
    kept = Sandbox(Config(contacts=3), file)
    now = kept.clock()
    first = kept.credentials.new_pair(kept.credentials.grant_for(kept.company.first.id))
    pair = kept.credentials.rotate(first.refresh_token, now)
    kept.keeper.save()
    credentials = Sandbox(Config(contacts=3), file).credentials
    twin = credentials.rotate(first.refresh_token, now + 1)
    assert twin == pair and twin is credentials.tokens[pair.value]


def cut(text):
    return text[: len(text) // 2]


def without_tags(text):
    return json.dumps({**json.loads(text), "locations": [{}]})


@pytest.mark.parametrize(
    "spoil, reason",
    [
        (lambda text: "", "not JSON"),
        (cut, "not JSON"),
        (lambda text: "\x00\xff", "not JSON"),
        (lambda text: "[" * 100_000, "not JSON"),
        (lambda text: '{"name": "rankr", "version": 1}', "not written by a sandbox"),
        (lambda text: "[1]", "not written by a sandbox"),
        (lambda text: text.replace('"version":1', '"version":2', 1), "version 2, not 1"),
        (without_tags, "KeyError: 'record'"),
        (lambda text: json.dumps({**json.loads(text), "locations": []}), "StopIteration"),
    ],
)
def test_a_broken_file_is_put_aside_and_a_new_account_made(file, capsys, spoil, reason):
    Sandbox(Config(contacts=3, seed=4), file)
    bad = spoil(file.read_text()).encode("latin-1")
    file.write_bytes(bad)
    new = Sandbox(Config(contacts=5), file)
    printed = capsys.readouterr().out
    aside = file.with_name("sandbox.json.broken")
    assert printed.count("\n") == 1 and reason in printed and str(aside) in printed
    assert aside.read_bytes() == bad
    assert len(new.company.first.contacts) == 5 and new.config.seed == 1
    assert everything(Sandbox(Config(contacts=5), file)) == everything(new)
    file.write_text("bad again")
    Sandbox(Config(contacts=5), file)
    assert aside.read_bytes() == bad and aside.with_name("sandbox.json.broken2").read_text() == "bad again"


def test_only_its_owner_may_read_the_file(file):
    before = os.umask(0)
    try:
        kept = Sandbox(Config(contacts=3), file)
        assert file.stat().st_mode & 0o777 == 0o600
        file.chmod(0o644)
        kept = Sandbox(Config(contacts=3), file)
        assert file.stat().st_mode & 0o777 == 0o600
        left_over = file.with_name(".sandbox.json.new")
        left_over.touch(0o666)
        kept.credentials.new_code(kept.credentials.grant_for())
        kept.keeper.save()
        assert file.stat().st_mode & 0o777 == 0o600
        assert os.listdir(file.parent) == ["sandbox.json"]
    finally:
        os.umask(before)


def test_a_save_that_fails_is_said_once_and_tried_again(file, capsys):
    kept = Sandbox(Config(contacts=3), file)
    file.parent.rename(file.parent.with_name("away"))
    kept.credentials.new_code(kept.credentials.grant_for())
    kept.keeper.save()
    kept.keeper.save()
    assert capsys.readouterr().out.count("could not be saved") == 1
    file.parent.with_name("away").rename(file.parent)
    kept.keeper.save()
    assert Sandbox(Config(contacts=3), file).credentials.kept() == kept.credentials.kept()


def test_a_place_where_nothing_can_be_kept_is_refused_at_the_start(tmp_path, capsys):
    with pytest.raises(SystemExit, match="is a folder"):
        Sandbox(Config(contacts=3), tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit):
        Sandbox(Config(contacts=3), tmp_path / "file" / "state.json")
    assert "could not be saved" in capsys.readouterr().out
