import secrets
import uuid
from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts.models import Business, Role
from contacts.models.leased import Leased, LeasedQuerySet
from integrations import crypto
from integrations.erp import webhook_signature as signature

BOTH_SIGN = timedelta(hours=24)  # after a rotation: time enough to bring the new secret to the ERP
LONG = timedelta(days=1)  # of failing, after which somebody should look


class OutgoingHookQuerySet(models.QuerySet):
    def administered_by(self, user):
        return self.filter(
            business__memberships__user=user, business__memberships__role=Role.ADMIN, removed_at=None
        ).order_by("name", "pk")

    def told(self):
        """Those that hear what happens."""
        return self.filter(is_on=True, removed_at=None)

    def deaf(self):
        """Those that have not heard us for so long that somebody should look."""
        return self.told().filter(failing_since__lt=timezone.now() - LONG)

    def with_work(self):
        """Those that something waits for which could go out now."""
        waiting = OutgoingDelivery.objects.due().filter(hook=models.OuterRef("pk"))
        return self.told().filter(rests_until__lte=timezone.now()).filter(models.Exists(waiting))

    def make(self, business, by, **values):
        hook = OutgoingHook(business=business, made_by=by, **values)
        hook.sealed_secret = crypto.seal(signature.new_secret(), hook._bound("secret"))
        hook.save()
        return hook


class OutgoingHook(models.Model):
    """An address of a business's ERP that is told what happens here, and the secret its requests are signed with.

    `kinds` are the types it wants to hear; none means all. Nothing that happened before `on_since` is told. After a
    failure that is the address's own and not one message's, nothing is sent before `rests_until`. `replay_*` say which
    part of the past is told once more.
    """

    SEALED = {"sealed_secret": "secret", "sealed_old_secret": "old_secret"}

    business = models.ForeignKey(Business, models.CASCADE, related_name="outgoing_hooks")
    name = models.CharField(max_length=80)
    url = models.CharField(max_length=500)
    kinds = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    hears_own_effects = models.BooleanField(default=False)
    seal_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sealed_secret = models.TextField(editable=False)
    sealed_old_secret = models.TextField(blank=True, editable=False)
    old_until = models.DateTimeField(null=True, blank=True)
    is_on = models.BooleanField(default=True)
    off_because = models.TextField(blank=True)
    on_since = models.DateTimeField(default=timezone.now)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    changed_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    rests_until = models.DateTimeField(default=timezone.now)
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    sentence = models.TextField(blank=True)
    heard_at = models.DateTimeField(null=True, blank=True)
    replay_since = models.DateTimeField(null=True, blank=True)
    replay_until = models.DateTimeField(null=True, blank=True)
    replay_after = models.CharField(max_length=200, blank=True)

    objects = OutgoingHookQuerySet.as_manager()

    class Meta:
        verbose_name = "outgoing webhook"
        ordering = ["name", "pk"]

    def __str__(self):
        return self.name

    @property
    def secret(self):
        return crypto.unseal(self.sealed_secret, self._bound("secret"))

    @property
    def old_secret(self):
        return crypto.unseal(self.sealed_old_secret, self._bound("old_secret"))

    @property
    def is_rotating(self):
        return bool(self.sealed_old_secret) and self.old_until is not None and self.old_until > timezone.now()

    @property
    def secrets(self):
        """Those that sign now, the newest first."""
        return [self.secret, self.old_secret] if self.is_rotating else [self.secret]

    def resealed(self):
        return {column: crypto.seal(getattr(self, name), self._bound(name)) for column, name in self.SEALED.items()}

    def _bound(self, field):
        return f"outgoinghook|{self.business_id}|{self.seal_id}|{field}"

    @property
    def fails_long(self):
        return self.is_on and self.failing_since is not None and self.failing_since < timezone.now() - LONG

    def wants(self, kind):
        return not self.kinds or kind in self.kinds

    def rotate(self, by):
        """A new secret. The one before signs beside it for a day."""
        now = timezone.now()
        self.sealed_old_secret = crypto.seal(self.secret, self._bound("old_secret"))
        self.sealed_secret = crypto.seal(signature.new_secret(), self._bound("secret"))
        self.old_until, self.changed_by, self.changed_at = now + BOTH_SIGN, by, now
        self.save(update_fields=["sealed_old_secret", "sealed_secret", "old_until", "changed_by", "changed_at"])

    def switch_on(self, by):
        """True for the one call that did. It hears what happens from now on, and what had been waiting."""
        now = timezone.now()
        values = {"is_on": True, "on_since": now, "off_because": "", "changed_by": by, "changed_at": now}
        fresh = {"failures": 0, "failing_since": None, "sentence": "", "rests_until": now}
        return OutgoingHook.objects.filter(pk=self.pk, is_on=False).update(**values, **fresh) == 1

    def switch_off(self, by=None, because=""):
        """True for the one call that did. What waits stays, in case it is switched on again."""
        values = {"is_on": False, "off_because": because, "changed_by": by, "changed_at": timezone.now()}
        stopped = {"replay_since": None, "replay_until": None, "replay_after": ""}
        return OutgoingHook.objects.filter(pk=self.pk, is_on=True).update(**values, **stopped) == 1

    def wake(self):
        """Somebody is waiting: the next message need not wait for the end of a rest."""
        OutgoingHook.objects.filter(pk=self.pk).update(rests_until=timezone.now())

    def change(self, by, **values):
        """Save what a person has entered. Another address begins without the failures of the one before."""
        if values.get("url", self.url) != self.url:
            values |= {"failures": 0, "failing_since": None, "sentence": "", "rests_until": timezone.now()}
        OutgoingHook.objects.filter(pk=self.pk).update(**values, changed_by=by, changed_at=timezone.now())

    def remove(self, by):
        """It is gone from the pages, and nothing is sent there any more. True for the one call that did."""
        self.switch_off(by)
        return OutgoingHook.objects.filter(pk=self.pk, removed_at=None).update(removed_at=timezone.now()) == 1


class OutgoingDeliveryQuerySet(LeasedQuerySet):
    def administered_by(self, user):
        return self.filter(hook__in=OutgoingHook.objects.administered_by(user).order_by())

    def claim_next(self, hook_pk):
        """The next that may go to this address, for exactly one caller; None while another is being sent there.

        One at a time: a slow address keeps one worker busy and no more.
        """
        with transaction.atomic():
            hook = OutgoingHook.objects.select_for_update().filter(pk=hook_pk).first()
            if hook is None or not hook.is_on or hook.removed_at or hook.rests_until > timezone.now():
                return None
            own = self.filter(hook=hook, finished_at=None)
            if own.filter(lease_until__gt=timezone.now()).exists():
                return None
            first = own.filter(next_at__lte=timezone.now()).order_by("next_at", "pk").values_list("pk", flat=True)
            pk = first.first()
            return self.claim(pk) if pk else None

    def ready(self):
        """What only a worker is missing for: its address is on and does not rest."""
        return self.due().filter(hook__in=OutgoingHook.objects.told().filter(rests_until__lte=timezone.now()))

    def failed(self):
        """Not heard so far, whether we have given up or not."""
        return self.filter(state__in=[OutgoingDelivery.State.DEAD, OutgoingDelivery.State.RETRYING])

    def send_again(self):
        """Everything of these once more, from its first try. How many."""
        now = timezone.now()
        fresh = {"state": OutgoingDelivery.State.WAITING, "next_at": now, "since": now, "tries": 0, "strikes": 0}
        unheld = {"finished_at": None, "lease_until": None, "fence": F("fence") + 1}
        return self.update(**fresh, **unheld)


def new_uid():
    return f"msg_{secrets.token_urlsafe(20)}"


class OutgoingDelivery(Leased):
    """One message to one address: what is told, byte for byte, and how far it has got.

    `cause` names what it tells of ("line 123"): a hook is told of it once. `since` is when it was first due, or asked
    for anew, and `tries` counts from then.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RETRYING = "retrying", _("Will be tried again")
        DELIVERED = "delivered", _("Delivered")
        DEAD = "dead", _("Given up")

    hook = models.ForeignKey(OutgoingHook, models.CASCADE, related_name="deliveries", db_index=False)
    uid = models.CharField(max_length=60, unique=True, default=new_uid, editable=False)
    type = models.CharField(max_length=100)
    cause = models.CharField(max_length=200)
    body = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    tries = models.PositiveIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.TextField(blank=True)
    sentence = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    since = models.DateTimeField(default=timezone.now)
    tried_at = models.DateTimeField(null=True, blank=True)

    objects = OutgoingDeliveryQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hook", "cause"], name="outgoing_once_per_cause")]
        indexes = [
            models.Index(fields=["hook", "next_at", "id"], condition=Q(finished_at=None), name="outgoing_due"),
            models.Index(fields=["hook", "-created_at", "-id"], name="outgoing_by_time"),
            models.Index(fields=["hook", "state", "-created_at", "-id"], name="outgoing_by_state"),
            models.Index(fields=["finished_at"], name="outgoing_age"),
        ]

    def __str__(self):
        return f"{self.type} {self.uid}"

    @property
    def is_finished(self):
        return self.finished_at is not None
