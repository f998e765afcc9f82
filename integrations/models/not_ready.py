class NotReady(Exception):
    """A version of a rule or a mapping that cannot be made to hold yet; the message says why."""
