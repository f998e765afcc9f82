import contextlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.open_pages import live

INVITATION_DAYS = 14


class Role(models.TextChoices):
    STAFF = "staff", gettext_lazy("Staff")
    MANAGER = "manager", gettext_lazy("Manager")
    ADMIN = "admin", gettext_lazy("Admin")


class BusinessQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(memberships__user=user) if user.is_authenticated else self.none()

    def administered_by(self, user):
        return self.filter(memberships__user=user, memberships__role=Role.ADMIN)


class Business(models.Model):
    """The tenant: one customer of ours."""

    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="businesses")

    objects = BusinessQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "businesses"
        ordering = ["name", "pk"]

    def __str__(self):
        return self.name

    def role_of(self, user):
        """The user's role here, or None."""
        return self.memberships.filter(user=user).values_list("role", flat=True).first()

    def join(self, user, role):
        """The user's membership; one who is a member already keeps the role."""
        return self.memberships.get_or_create(user=user, defaults={"role": role})[0]

    def invite(self, email, role, by):
        """A fresh invitation; an older one for the same address, open or expired, is withdrawn."""
        with transaction.atomic():
            Business.objects.select_for_update().get(pk=self.pk)
            self.invitations.waiting().filter(email__iexact=email).delete()
            return self.invitations.create(email=email, role=role, invited_by=by)


class LastAdmin(Exception):
    """A business without an admin could let nobody in any more."""

    def __init__(self):
        super().__init__(_("Somebody has to be admin. Make another member admin first."))


class MembershipQuerySet(models.QuerySet):
    def administered_by(self, user):
        return self.filter(business__memberships__user=user, business__memberships__role=Role.ADMIN)


class Membership(models.Model):
    """A user's role in a Business."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    business = models.ForeignKey(Business, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.STAFF)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "business"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self):
        return f"{self.user}: {self.get_role_display()} of {self.business}"

    @property
    def is_last_admin(self):
        others = self.business.memberships.filter(role=Role.ADMIN).exclude(pk=self.pk)
        return self.role == Role.ADMIN and not others.exists()

    def change_role(self, role):
        """Give another role. LastAdmin when that would leave the business without an admin."""
        with self._alone():
            if role != Role.ADMIN and self.is_last_admin:
                raise LastAdmin
            self.role = role
            self.save(update_fields=["role"])

    def end(self):
        """Out of the business, and no longer any of its GHL users. LastAdmin as for `change_role`."""
        with self._alone():
            if self.is_last_admin:
                raise LastAdmin
            self.user.remote_users.filter(location__business=self.business_id).update(user=None)
            self.delete()
            live.tell(self.business_id, kinds=["team"])

    @contextlib.contextmanager
    def _alone(self):
        # Two admins who demote one another at the same moment must not both succeed.
        with transaction.atomic():
            Business.objects.select_for_update().get(pk=self.business_id)
            self.refresh_from_db(fields=["role"])
            yield


class InvitationQuerySet(models.QuerySet):
    def waiting(self):
        """Not used yet; some may have expired."""
        return self.filter(accepted_at=None)

    def open(self):
        return self.waiting().filter(expires_at__gt=timezone.now())

    def administered_by(self, user):
        return self.filter(business__memberships__user=user, business__memberships__role=Role.ADMIN)


def invitation_token():
    return secrets.token_urlsafe(32)


def invitation_end():
    return timezone.now() + timedelta(days=INVITATION_DAYS)


class Invitation(models.Model):
    """A way in for one e-mail address, once, for two weeks."""

    business = models.ForeignKey(Business, models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.STAFF)
    token = models.CharField(max_length=64, unique=True, default=invitation_token)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(default=invitation_end)
    accepted_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"), "business", condition=models.Q(accepted_at=None), name="invitation_open_once"
            )
        ]

    def __str__(self):
        return f"{self.email} to {self.business}"

    @property
    def is_expired(self):
        return self.expires_at <= timezone.now()

    def is_for(self, user):
        return self.email.casefold() == user.email.casefold()

    def renew(self):
        """Two weeks from now, with the same link. False when it was used or withdrawn meanwhile."""
        self.expires_at = invitation_end()
        return Invitation.objects.waiting().filter(pk=self.pk).update(expires_at=self.expires_at) == 1

    def accept(self, user):
        """Make the user a member. True for the one call that used the invitation up."""
        with transaction.atomic():
            used = Invitation.objects.open().filter(pk=self.pk).update(accepted_at=timezone.now())
            if used:
                self.business.join(user, self.role)
            return used == 1
