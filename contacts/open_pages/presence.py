"""Who has an editor open at this moment. It lives in Redis, for seconds; while that is away nobody seems to edit."""

import math
import re
import time

from django.db import connection
from redis.exceptions import RedisError

from contacts.models import User
from contacts.open_pages import live
from rankr_dash.htmx import asking_tab
from rankr_dash.shared_redis import hasty_redis

LASTS_S = 20  # an open editor says so every 8 s
RECORD = re.compile(r"(note|task|field|appointment):[\w-]{1,80}")


def enter(contact, record, user):
    """This user has an editor of this record open."""
    line = _line(record, user)
    now = time.time()
    try:
        with hasty_redis().pipeline(transaction=False) as pipe:
            pipe.hget(_key(contact), line)
            pipe.hset(_key(contact), line, now + LASTS_S)
            pipe.expire(_key(contact), LASTS_S * 2)
            until = pipe.execute()[0]
    except (RedisError, OSError):
        return
    if until is None or float(until) < now:
        _tell(contact)


def leave(contact, record, user):
    try:
        was_there = hasty_redis().hdel(_key(contact), _line(record, user))
    except (RedisError, OSError):
        return
    if was_there:
        _tell(contact)


def others(contact, user):
    """{record: [names]} of everybody else who edits something of this contact, and for how many seconds that holds."""
    try:
        lines = hasty_redis().hgetall(_key(contact))
    except (RedisError, OSError):
        return {}, 0
    now, found, last = time.time(), {}, 0.0
    for line, until in lines.items():
        record, user_pk, _ = line.decode().rsplit("/", 2)
        if float(until) > now and int(user_pk) != user.pk:
            found.setdefault(record, set()).add(int(user_pk))
            last = max(last, float(until) - now)
    names = {one.pk: str(one) for one in User.objects.filter(pk__in=set().union(*found.values()))} if found else {}
    return {record: sorted({names[pk] for pk in pks if pk in names}) for record, pks in found.items()}, math.ceil(last)


def _tell(contact):
    live.tell(contact.business_id, [contact.pk], ["editing"])


def _key(contact):
    return f"live:editing:{connection.settings_dict['NAME']}:{contact.pk}"


def _line(record, user):
    # By tab: who closes one of two editors still has the other.
    return f"{record}/{user.pk}/{asking_tab.get()}"
