"""What a crash, a full house or a wrong machine does."""

import os
import signal
import socket
import sys

import psycopg
import pytest

from rankr_dash.embedded import guise, servers
from rankr_dash.embedded.home import Home, ServicesError
from rankr_dash.embedded.servers import Postgres

from .conftest import keeper_of, processes_on, until, wait_for_stop


def leave_rows(user):
    user.sql("CREATE TABLE kept AS SELECT generate_series(1, 1000)")
    user.valkey.set("kept", "yes")


def has_rows(user):
    return user.sql("SELECT count(*) FROM kept") == [(1000,)] and user.valkey.get("kept") == b"yes"


def test_rows_survive_when_everything_is_killed(checkout, arrive):
    ana = arrive()
    leave_rows(ana)
    ana.process.kill()
    for pid in processes_on(checkout):
        os.kill(pid, signal.SIGKILL)
    assert (checkout / ".local" / "state.json").exists(), "it is stale now"
    assert has_rows(arrive())


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ties children to their parent on Linux only")
def test_a_killed_keeper_leaves_no_server_behind(checkout, arrive):
    ana = arrive()
    leave_rows(ana)
    os.kill(keeper_of(checkout), signal.SIGKILL)
    until(lambda: not processes_on(checkout))
    assert has_rows(arrive())


def test_servers_that_were_left_behind_are_ended_first(checkout, arrive):
    ana = arrive()
    leave_rows(ana)
    keeper = keeper_of(checkout)
    left = [pid for pid in processes_on(checkout) if pid != keeper]
    for pid in left:
        os.kill(pid, signal.SIGSTOP)  # so that they cannot go by themselves
    os.kill(keeper, signal.SIGKILL)
    ana.die()
    for pid in left:
        os.kill(pid, signal.SIGCONT)
    assert has_rows(arrive())
    assert not set(left) & set(processes_on(checkout))


def test_a_process_id_used_again_by_somebody_else_stops_nobody(checkout, arrive):
    ana = arrive()
    leave_rows(ana)
    ana.leave()
    wait_for_stop(checkout)
    pid_file = checkout / ".local" / "pgdata" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n0\n0\n\n127.0.0.1\n")
    (checkout / ".local" / "valkey" / "valkey.pid").write_text(f"{os.getpid()}\n")
    assert has_rows(arrive())


def test_a_start_that_was_killed_halfway_is_begun_again(checkout, arrive):
    half = checkout / ".local" / "pgdata.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert arrive().sql("SELECT 1") == [(1,)]


def test_a_lost_password_is_made_anew(checkout, arrive):
    ana = arrive()
    leave_rows(ana)
    ana.leave()
    wait_for_stop(checkout)
    (checkout / ".local" / "services.json").unlink()
    assert has_rows(arrive())


def test_a_busy_port_is_passed_over(checkout, arrive):
    ana = arrive()
    leave_rows(ana)
    ana.leave()
    wait_for_stop(checkout)
    remembered = Home(checkout).remembered()
    with socket.socket() as one, socket.socket() as other:
        for listener, name in ((one, "postgres"), (other, "valkey")):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", remembered[f"{name}_port"]))
            listener.listen()
        assert has_rows(arrive())
        now = Home(checkout).remembered()
    assert now["postgres_port"] != remembered["postgres_port"]
    assert now["valkey_port"] != remembered["valkey_port"]


def test_data_of_another_postgres_is_named_not_touched(checkout, arrive):
    ana = arrive()
    assert ana.urls
    ana.leave()
    wait_for_stop(checkout)
    (checkout / ".local" / "pgdata" / "PG_VERSION").write_text("9\n")
    complaint = arrive().complaint
    assert complaint.startswith("The local data was made by PostgreSQL 9, and this is ")
    assert "make fresh" in complaint


@pytest.mark.parametrize("name", ["PG_BIN_DIR", "REDIS_BIN"])
def test_a_wrong_place_for_the_programs_is_named(name, checkout, arrive):
    assert arrive(**{name: "/nowhere"}).complaint.startswith(f"{name} is /nowhere, but there ")
    assert not processes_on(checkout)


def test_without_any_program_one_sentence_says_what_to_do(monkeypatch):
    monkeypatch.setattr(servers, "package_folders", lambda package: [])
    monkeypatch.setattr(servers, "newest_first", lambda folders: [])
    monkeypatch.setattr(servers, "HOMEBREW", ())
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ServicesError, match="found no PostgreSQL: run `make install`"):
        servers.find_postgres()
    with pytest.raises(ServicesError, match="found no Valkey or Redis: run `make install`"):
        servers.find_valkey()


def test_programs_on_path_do_as_well(monkeypatch, tmp_path):
    monkeypatch.setattr(servers, "package_folders", lambda package: [])
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("postgres", "initdb", "redis-server"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    assert servers.find_postgres() == tmp_path / "postgres"
    assert servers.find_valkey() == tmp_path / "redis-server"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_lends_postgres_an_account_where_namespaces_are_refused(checkout, monkeypatch):
    monkeypatch.setattr(guise, "choose", guise.Lowered)
    home = Home(checkout)
    home.prepare()
    for _ in ("first", "again"):
        postgres = Postgres(home, lasting=False)
        try:
            postgres.start()
            with psycopg.connect(postgres.url) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS seen AS SELECT 1")
                assert connection.execute("SELECT count(*) FROM seen").fetchone() == (1,)
            assert postgres.folder.is_relative_to(home.shelter)
            assert postgres.folder.stat().st_uid == guise.an_account()[1]
        finally:
            postgres.stop()
    guise.shutil.rmtree(home.shelter)


@pytest.mark.skipif(os.geteuid() != 0, reason="root may enter any folder, so only root can meet this one")
def test_a_folder_of_somebody_else_is_named(checkout, arrive):
    (checkout / ".local").mkdir(mode=0o700)
    os.chown(checkout / ".local", 65534, -1)
    assert "is not yours to write" in arrive().complaint
