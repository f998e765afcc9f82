import socket
import time
from urllib.parse import urlsplit

import psycopg
import pytest

from rankr_dash import embedded
from rankr_dash.embedded.home import Home, ServicesError

from .conftest import keeper_of, processes_on, until, wait_for_stop


def test_the_first_user_starts_both_and_the_last_one_out_stops_both(checkout, arrive):
    ana = arrive()
    assert ana.sql("SELECT 1") == [(1,)]
    assert ana.valkey.ping()
    assert embedded.running(checkout) == ana.urls
    ana.leave()
    until(lambda: not processes_on(checkout))
    assert embedded.running(checkout) is None


def test_a_second_user_joins_and_the_first_may_leave(checkout, arrive):
    ana = arrive()
    ben = arrive() if ana.urls else None
    assert ben.urls == ana.urls
    ana.leave()
    time.sleep(2.5)  # that nothing happens can only be waited for
    assert ben.sql("SELECT 1") == [(1,)]
    ben.leave()
    wait_for_stop(checkout)


def test_six_who_come_at_once_share_one_pair(checkout, arrive):
    six = [arrive() for _ in range(6)]
    assert len({user.urls for user in six}) == 1
    assert len(processes_on(checkout)) == 3, "one keeper and two servers"


def test_a_killed_user_is_not_counted(checkout, arrive):
    ana = arrive()
    assert ana.urls
    ana.die()
    until(lambda: not processes_on(checkout))


def test_who_comes_while_they_stop_gets_a_fresh_start(checkout, arrive):
    ana = arrive()
    ana.sql("CREATE TABLE seen (id int)")
    for _ in range(3):
        ana.leave()
        with Home(checkout).lock("users"):
            pass  # nobody else, or the keeper is done
        ana = arrive()
        assert ana.sql("SELECT count(*) FROM seen") == [(0,)]


def test_release_waits_until_they_have_stopped(checkout):
    urls = embedded.ensure(checkout)
    keeper = keeper_of(checkout)
    embedded.release(checkout)
    assert set(processes_on(checkout)) <= {keeper}, "it has nothing left to do but to exit"
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(urls.database, connect_timeout=2)


def test_release_leaves_them_to_another_user(checkout, arrive):
    ben = arrive()
    assert ben.urls == embedded.ensure(checkout)
    embedded.release(checkout)
    assert ben.sql("SELECT 1") == [(1,)]


def test_addresses_stay_the_same_from_one_start_to_the_next(checkout, arrive):
    ana = arrive()
    before = ana.urls
    ana.leave()
    wait_for_stop(checkout)
    assert arrive().urls == before


def test_only_who_knows_the_password_gets_in(checkout, arrive):
    ana = arrive()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(ana.urls.database, password="guess")
    with socket.create_connection(("127.0.0.1", urlsplit(ana.urls.redis).port)) as line:
        line.sendall(b"KEYS *\r\n")
        assert line.recv(100).startswith(b"-NOAUTH")


def test_nobody_else_can_read_the_local_folder(checkout, arrive):
    assert arrive().urls
    local = checkout / ".local"
    assert local.stat().st_mode & 0o777 == 0o700
    for name in ("state.json", "services.json", "valkey/valkey.conf"):
        assert (local / name).stat().st_mode & 0o777 == 0o600


def test_letters_with_accents_can_be_searched(checkout, arrive):
    ana = arrive()
    ana.sql("CREATE EXTENSION pg_trgm")
    assert ana.sql("SELECT similarity('Zoë', 'ZOË'), to_tsvector('simple', 'MÜLLER')") == [(1.0, "'müller':1")]


def test_a_throwaway_pair_is_gone_afterwards():
    with embedded.throwaway() as urls:
        with psycopg.connect(urls.database) as connection:
            (folder,) = connection.execute("SHOW data_directory").fetchone()
        root = Home(folder).root.parents[1]
        assert processes_on(root)
    assert not root.exists()
    until(lambda: not processes_on(root))


def test_a_throwaway_pair_is_gone_even_when_its_user_was_killed(arrive):
    ana = arrive("throwaway")
    ((folder,),) = ana.sql("SHOW data_directory")
    root = Home(folder).root.parents[1]
    ana.die()
    until(lambda: not root.exists() and not processes_on(root))


def test_local_data_is_wiped_only_when_nobody_uses_it(checkout, arrive):
    ana = arrive()
    assert ana.urls
    with pytest.raises(ServicesError, match="in use"):
        embedded.wipe(checkout)
    ana.leave()
    wait_for_stop(checkout)
    embedded.wipe(checkout)
    assert not (checkout / ".local").exists()


def test_a_dead_server_takes_the_other_along_and_the_next_user_has_both(checkout, arrive):
    ana = arrive()
    ana.valkey.connection_pool.disconnect()
    with psycopg.connect(ana.urls.database) as connection:
        assert connection.execute("SELECT 1").fetchone()
    keeper = keeper_of(checkout)
    ana.valkey.shutdown(nosave=True)
    wait_for_stop(checkout)
    ben = arrive()
    assert ben.sql("SELECT 1") == [(1,)]
    assert ben.valkey.ping()
    assert keeper_of(checkout) != keeper
