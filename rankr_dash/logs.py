import logging
import re

# How a database error repeats the row that it refused, in a traceback or within a repr; the row may have many lines.
ROW = re.compile(r"DETAIL:  .*?(?=\n\nThe above exception|\n\nDuring handling|\nTraceback \(most recent|\Z)", re.DOTALL)


class WithoutRows(logging.Formatter):
    """People's data has no place in a log, not even in that of an accident."""

    def format(self, record):
        return ROW.sub("DETAIL: [left out]", super().format(record))
