"""Lists as GHL gives them: they may be cut short, somebody else's, or the same page again."""

from integrations.ghl import errors


def of_location(rows, location):
    """The rows. One that says it belongs elsewhere spoils the whole answer: nothing of it is believed."""
    for row in rows:
        if row.get("locationId") not in (None, "", location.remote_id):
            raise errors.BadAnswer("the list holds rows of another location")
    return rows


class Walk:
    """Reads a list page by page with `read(after)`, from a cursor that a run before us may have left.

    A page that is not full ends the list unless GHL told a higher total: to be sure, ask `prove()`.
    """

    TRIES = 3  # an end that contradicts GHL's own total is asked about again so often

    def __init__(self, read, after=None, seen=0):
        self.read, self.after, self.seen = read, after, seen
        self.is_over = self.is_proven = False
        self.total = None

    def next(self):
        """The next page's rows."""
        page = self.read(self.after)
        self.seen += len(page.rows)
        self.total = page.total
        if not page.rows:
            self.is_over = self.is_proven = True
        elif page.search_after is None or page.search_after == self.after:
            raise errors.BadAnswer("the list does not move on")
        elif page.is_short and (self.total is None or self.seen >= self.total):
            self.is_over = True
        self.after = page.search_after or self.after
        return page.rows

    def doubt_the_end(self):
        """Go on after a page that looked like the last."""
        self.is_over = self.is_proven

    @property
    def fell_short(self):
        """The list ended before GHL's own count of it was reached."""
        return self.is_over and self.total is not None and self.seen < self.total
