"""Our own people: signing in, teams, invitations, being mentioned, and who did what."""
