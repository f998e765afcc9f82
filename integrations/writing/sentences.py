"""What a person is told of an edit that did not arrive as it was meant.

The row keeps the English sentence; `Change.said` puts it into the language of whoever reads it.
"""

from django.utils.translation import gettext_noop

GONE = gettext_noop("It was deleted in GHL meanwhile.")
CHANGED = gettext_noop("It was changed in GHL meanwhile.")
CHANGED_BEFORE_DELETION = gettext_noop("It was changed in GHL after you deleted it, or shortly before.")
STILL_THERE = gettext_noop("GHL still shows it.")
OTHER_VALUE = gettext_noop("GHL kept another value.")
NEVER_CREATED = gettext_noop("It was never created in GHL.")
NO_CONTACT = gettext_noop("Its contact was not created in GHL.")
CONTACT_DELETED = gettext_noop("Its contact was deleted.")
CONTACT_GONE = gettext_noop("Its contact was deleted in GHL meanwhile.")
GIVEN_UP = gettext_noop("GHL has failed for a day, so we have stopped trying.")
