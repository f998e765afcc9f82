"""What led to a line of history, by whatever way: its causes, theirs, and so on."""

from collections.abc import Iterable

from django.db import connection as database

ABOVE = """
WITH RECURSIVE up(start, id, cause_id, actor_kind, depth) AS (
    SELECT id, id, cause_id, actor_kind, 0 FROM contacts_historyevent WHERE id = ANY(%s)
    UNION ALL SELECT up.start, above.id, above.cause_id, above.actor_kind, up.depth + 1
    FROM contacts_historyevent above JOIN up ON above.id = up.cause_id WHERE up.depth < %s
) SELECT start, id, actor_kind FROM up WHERE depth > 0
"""


def above(lines: Iterable[int], farthest: int) -> list[tuple[int, int, str]]:
    """(line, one that led to it, who did that) of each of these lines, `farthest` causes up at the most. One query."""
    with database.cursor() as cursor:
        cursor.execute(ABOVE, [list(lines), farthest])
        return cursor.fetchall()
