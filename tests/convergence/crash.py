"""The death of a worker at any statement it sends to the database."""

from contextlib import contextmanager

from django.db import connection


class Killed(BaseException):
    """kill -9: nothing that is to happen afterwards happens."""


@contextmanager
def killed_at(statement):
    """The code inside dies at this statement, before it is sent; what was committed until then stays. 0: never."""
    left = [statement]

    def count(execute, sql, params, many, context):
        left[0] -= 1
        if left[0] <= 0:  # the dead say nothing more, whoever catches what
            raise Killed
        return execute(sql, params, many, context)

    if not statement:
        yield
        return
    try:
        with connection.execute_wrapper(count):
            yield
    except Killed:
        connection.close()
