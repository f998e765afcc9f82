from datetime import timedelta

from django.conf import settings
from django.db import connection, models
from django.utils import timezone

from contacts.models.contact import Contact

SAME_VISIT = timedelta(minutes=30)  # looking again within it is the same visit: a reload forgets nothing


class ContactViewQuerySet(models.QuerySet):
    def visible_to(self, user):
        if not user.is_authenticated:
            return self.none()
        return self.filter(user=user, contact__business__memberships__user=user)

    def before(self, user, contact):
        """When the visit before this one ended; None on the first."""
        return self.filter(user=user, contact=contact).values_list("looked_before", flat=True).first()


class ContactView(models.Model):
    """When somebody last looked at a contact, and when the time before that."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="contact_views")
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="views")
    looked_at = models.DateTimeField(default=timezone.now)
    looked_before = models.DateTimeField(null=True, blank=True)

    objects = ContactViewQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "contact"], name="contact_view_once")]
        indexes = [models.Index(fields=["user", "-looked_at"], name="contact_view_latest")]

    def __str__(self):
        return f"user {self.user_id} at contact {self.contact_id}"

    @classmethod
    def look(cls, user, contact):
        """Note the visit in one statement; when the one before it ended, None on the first."""
        with connection.cursor() as cursor:
            now = timezone.now()
            cursor.execute(LOOK, [user.pk, contact.pk, now, now - SAME_VISIT])
            return cursor.fetchone()[0]


LOOK = """
INSERT INTO contacts_contactview AS seen (user_id, contact_id, looked_at) VALUES (%s, %s, %s)
ON CONFLICT (user_id, contact_id) DO UPDATE SET looked_at = EXCLUDED.looked_at,
looked_before = CASE WHEN seen.looked_at < %s THEN seen.looked_at ELSE seen.looked_before END
RETURNING looked_before
"""
