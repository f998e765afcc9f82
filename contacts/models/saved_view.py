from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from contacts.models.business import Business, Role

MAX_NAME = 60


class SavedViewQuerySet(models.QuerySet):
    def visible_to(self, user):
        """One's own, and what is shared with the team of a business one is a member of."""
        if not user.is_authenticated:
            return self.none()
        mine = Business.objects.visible_to(user).values("pk")
        here = self.filter(Q(business=None) | Q(business__in=mine))
        return here.filter(Q(owner=user) | Q(is_shared=True))

    def changeable_by(self, user):
        """Those who may rename it, delete it, or save another filter into it: its owner and, if shared, admins."""
        administered = Business.objects.administered_by(user).values("pk")
        return self.visible_to(user).filter(Q(owner=user) | Q(business__in=administered))

    def present(self):
        return self.filter(deleted_at=None)


class SavedView(models.Model):
    """A contact list worth coming back to: what it is narrowed to, its order and its columns.

    `params` is the query string of a ContactFilter with its order. Without columns it has the usual ones.
    """

    business = models.ForeignKey(Business, models.CASCADE, null=True, blank=True, related_name="saved_views")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="saved_views"
    )
    name = models.CharField(max_length=MAX_NAME)
    params = models.TextField(blank=True)
    columns = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="saved_view_shared_with_a_team", condition=Q(is_shared=False) | Q(business__isnull=False)
            )
        ]

    def __str__(self):
        return self.name

    @property
    def key(self):
        return str(self.pk)

    @property
    def query(self):
        """The query string of the list that shows it."""
        return f"view={self.pk}&{self.params}"

    def may_be_changed_by(self, user):
        if self.owner_id == user.pk:
            return True
        return self.is_shared and self.business.role_of(user) == Role.ADMIN


class ListHabits(models.Model):
    """How one person likes the contact list: the view it opens with, in what order views stand, and columns by view
    where that person chose."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="list_habits")
    opens_with = models.CharField(max_length=20, blank=True)
    order = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    columns = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name_plural = "list habits"

    def __str__(self):
        return f"list habits of {self.user_id}"

    @classmethod
    def of(cls, user):
        return cls.objects.filter(user=user).first() or cls(user=user)
