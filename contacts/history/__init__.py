"""What has been: the history of a contact and across contacts, a contact as of a moment, what is new since a look."""
