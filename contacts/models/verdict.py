from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts.models.contact import Contact


class VerdictQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Whoever may not see one of the two must not learn that it exists."""
        if not user.is_authenticated:
            return self.none()
        mine = user.memberships.values("business")
        return self.filter(first__business__in=mine, second__business__in=mine)

    def about(self, contact):
        return self.filter(Q(first=contact) | Q(second=contact))

    def between(self, one, other):
        first, second = sorted((one.pk, other.pk))
        return self.filter(first=first, second=second)

    def decide(self, one, other, word, by):
        """What these two are from now on; None leaves it open again."""
        if word is None:
            self.between(one, other).delete()
            return
        first, second = sorted((one.pk, other.pk))
        told = {"word": word, "decided_by": by, "decided_at": timezone.now()}
        self.update_or_create(first_id=first, second_id=second, defaults=told)


class Verdict(models.Model):
    """What somebody said of two contacts that look like one person. Nothing is ever merged by it.

    It stands in no history: that is read by people who may see only one of the two.
    """

    class Word(models.TextChoices):
        SAME = "same", _("The same person")  # in two businesses: each shows the other
        DIFFERENT = "different", _("Different people")
        RESOLVED = "resolved", _("Resolved")  # a duplicate that has been dealt with

    first = models.ForeignKey(Contact, models.CASCADE, related_name="+")
    second = models.ForeignKey(Contact, models.CASCADE, related_name="+")
    word = models.CharField(max_length=10, choices=Word.choices)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(default=timezone.now)

    objects = VerdictQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="verdict_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="verdict_in_order"),
        ]

    def __str__(self):
        return f"contacts {self.first_id} and {self.second_id}: {self.word}"

    def other_than(self, contact):
        return self.second if self.first_id == contact.pk else self.first
