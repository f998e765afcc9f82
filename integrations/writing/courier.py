"""Carries the edits of one record to GHL: look first, send, read back.

GHL has no idempotency key and its reads may be some seconds old. So the row says what leaves before it leaves
(`sent_at`), an update is compared with what GHL has at that moment, and a creation whose answer was lost is looked for
until even an old reading must show it, before it is sent again.
"""

from datetime import timedelta
from itertools import pairwise

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from contacts.models import Change, Contact, HistoryEvent
from contacts.models.change import TWO_ALIKE
from contacts.models.leased import LeaseLost
from contacts.models.mirrored import plain
from contacts.open_pages import live
from integrations.access.tokens import ConnectionParked
from integrations.ghl import errors
from integrations.models import Delivery
from integrations.reading import sync
from integrations.reading.merge import hold, merge
from integrations.writing import sentences, verdict
from integrations.writing.counterpart import COUNTERPARTS
from integrations.writing.settling import Settling

CHILD_WAIT = timedelta(seconds=2)
JUST_READ = timedelta(seconds=2)
_LOCK = 7_304  # any number of our own


def changes_of(kind, record_id):
    return Change.objects.filter(kind=kind, **{f"{kind}_id": record_id})


class Courier(Settling):
    def __init__(self, delivery, connection, client):
        super().__init__(delivery, connection)
        self.client = client
        counterpart = COUNTERPARTS[delivery.kind]
        self.record = counterpart.model.objects.select_related("location").get(pk=delivery.record_id)
        self.counterpart = counterpart(client, self.record)
        self.kind = delivery.kind
        self.freed: list[int] = []  # deliveries that had to wait for this one
        self.seen = None  # (when, the record as GHL had it)
        client.transport.before_write = self._still_mine

    def go(self):
        while self._step():
            pass

    def _step(self):
        """One request's worth of work. True while there is more to do now."""
        under_way = list(self._changes().filter(state__in=Change.UNDER_WAY).order_by("pk"))
        if under_way:
            return self.go_on([change for change in under_way if change.state == under_way[0].state])
        if batch := self.next_batch():
            return self.send(batch)
        return not self.finish()

    def finish(self):
        """Nothing is left to send now. A change that is not due yet keeps the delivery for later.

        False when a change has come in at the last moment.
        """
        later = self._changes().filter(state=Change.State.QUEUED).order_by("not_before").first()
        if later and later.not_before <= timezone.now():
            return False
        if later:
            self.delivery.hand_in(next_at=later.not_before, sent_at=None, attempts=0)
        else:
            self.delivery.hand_in(finished_at=timezone.now())
        return True

    def next_batch(self):
        """The next changes that fit into one request: a run of updates, or a single creation, tagging or deletion."""
        queued = list(self._changes().filter(state=Change.State.QUEUED).order_by("pk"))
        if not queued:
            return []
        first = queued[0]
        if first.not_before > timezone.now():
            return []
        batch = [first]
        if first.verb == Change.Verb.UPDATE:
            for change in queued[1:]:
                if change.verb != Change.Verb.UPDATE:
                    break
                batch.append(change)
        return batch

    # --- sending --------------------------------------------------------------------------------------------------

    def send(self, batch):
        """Claim the batch, send it, take the answer. True when the delivery can go on at once."""
        obstacle = self._obstacle(batch[0])
        if obstacle is not None:
            return obstacle
        with transaction.atomic():
            if batch[0].verb == Change.Verb.CREATE and self._twin_is_under_way(batch[0]):
                self.delivery.hand_in(next_at=timezone.now() + timedelta(seconds=1))
                return False
            moved = Change.objects.filter(pk__in=[change.pk for change in batch], state=Change.State.QUEUED).update(
                state=Change.State.SENDING, attempts=F("attempts") + 1, sent_at=timezone.now()
            )
            if moved != len(batch):  # one was cancelled meanwhile: look again
                transaction.set_rollback(True)
                return True
            self.delivery.changes.add(*batch)
            self.delivery.keep(sent_at=timezone.now(), doubt_since=None)
            live.tell_of(batch)
        for change in batch:
            change.state, change.attempts = Change.State.SENDING, change.attempts + 1
        return self._request(batch)

    def go_on(self, under_way):
        """A batch that an earlier claim has sent, perhaps. Only what is known to be safe is repeated."""
        first = under_way[0]
        if first.state == Change.State.SENT:
            return self.confirm(under_way)
        if first.verb != Change.Verb.CREATE:
            return self._request(under_way)  # looked at first, and the same effect twice
        if self.record.remote_id:
            return self._arrived([first], {})
        try:
            found = self._look_for(first)
        except errors.GhlError as trouble:
            return self._later([first], trouble, state=Change.State.UNKNOWN)
        if found is not None:
            return found
        if self._is_in_doubt([first], Change.State.UNKNOWN):
            return False
        if first.failure.startswith("Invalid"):
            return self._refused([first])  # GHL had said so, and it was the truth
        with transaction.atomic():
            self._settle([first], Change.State.SENDING, attempts=F("attempts") + 1)
            self.delivery.keep(sent_at=timezone.now(), doubt_since=None)
        first.refresh_from_db()
        return self._request([first])

    def _request(self, batch):
        verb = batch[0].verb
        try:
            fresh, values = None, verdict.laid_over(batch)
            if verb in (Change.Verb.UPDATE, Change.Verb.DELETE):
                fresh = self._as_it_is_now()
                batch, values = self._without_conflicts(batch, fresh)
                if not batch:
                    return True
                if verb == Change.Verb.UPDATE and not values:
                    return self._take(batch, fresh)  # GHL has it already
            answer = self.counterpart.send(verb, values, fresh)
        except errors.NotFound as gone:
            if verb == Change.Verb.DELETE:
                self._settle(batch, Change.State.CONFIRMED)
                return True
            return self._gone(batch, gone)
        except errors.Duplicate as duplicate:
            return self._duplicate(batch, duplicate)
        except errors.GhlError as trouble:
            return self._trouble(batch, trouble)
        return self._arrived(batch, answer)

    def _as_it_is_now(self):
        if self.seen and self.seen[0] > timezone.now() - JUST_READ:
            return self.seen[1]
        return self._read()

    def _read(self):
        theirs = self.counterpart.read()
        self.seen = (timezone.now(), theirs)
        return theirs

    # --- conflicts ------------------------------------------------------------------------------------------------

    def _without_conflicts(self, batch, fresh):
        """What of the batch can be sent, and its values; the rest waits for a person to decide."""
        if batch[0].verb == Change.Verb.DELETE:
            moved = verdict.moved_since(self.kind, batch[0].before, fresh)
            moved = {key: value for key, value in moved.items() if not self._stood_lately(key, value)}
            if not moved:
                return batch, {}
            self._flag(batch, moved, sentences.CHANGED_BEFORE_DELETION)
            return [], {}
        values, conflicts = verdict.to_send(self.kind, batch, fresh)
        stale = [place for place, theirs in conflicts.items() if self._stood_lately(place[0], theirs, place[1])]
        conflicts = {place: theirs for place, theirs in conflicts.items() if place not in stale}
        if not conflicts:
            return batch, verdict.laid_over(batch) if stale else values
        stopped = [change for change in batch if conflicts.keys() & dict(verdict.flat(change.values)).keys()]
        for change in stopped:
            places = dict(verdict.flat(change.values)).keys() & conflicts.keys()
            theirs: dict = {}
            for key, part in places:
                if part:
                    theirs.setdefault(key, {})[part] = plain(conflicts[key, part])
                else:
                    theirs[key] = plain(conflicts[key, part])
            self._flag([change], theirs, sentences.CHANGED)
        for older, newer in pairwise(stopped):
            self._hand_on(older, newer)
        rest = [change for change in batch if change not in stopped]
        return self._without_conflicts(rest, fresh) if rest else ([], {})

    def _flag(self, changes, theirs, sentence):
        theirs = {key: plain(value) for key, value in theirs.items()}
        self._settle(changes, Change.State.CONFLICT, sentence=sentence, theirs=theirs, failure="conflict", technical="")

    def _hand_on(self, older, newer):
        """Of two edits of one field in conflict people decide about the newer one, beside what stood there first."""
        shared = older.values.keys() & newer.values.keys() - {verdict.PARTED}
        before = {**newer.before, **{key: older.before[key] for key in shared if key in older.before}}
        Change.objects.filter(pk=newer.pk).update(before=before)
        newer.before = before
        if older.values.keys() <= shared:
            older.refresh_from_db()
            older.give_way(newer.made_by)

    def _stood_lately(self, key, theirs, part=""):
        """Whether GHL's reading shows just what stood here until a moment ago: then it is the reading that is old."""
        since = timezone.now() - timedelta(seconds=settings.GHL_SETTLE_S)
        events = HistoryEvent.objects.filter(contact=self.record.person, created_at__gt=since)
        if self.kind != "contact":
            events = events.filter(**{self.kind: self.record})
        for changes in events.values_list("changes", flat=True):
            if key in changes:
                old = (changes[key][0] or {}).get(part) if part else changes[key][0]
                if verdict.same(self.kind, (key, part), old, theirs):
                    return True
        return False

    # --- creations ------------------------------------------------------------------------------------------------

    def _twin_is_under_way(self, change):
        """Whether a creation with the same words may be on its way: two at once could not be told apart afterwards."""
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, self.record.location_id])
        others = Change.objects.filter(
            location=self.record.location, kind=self.kind, verb=Change.Verb.CREATE,
            state__in=[Change.State.SENDING, Change.State.UNKNOWN],
        ).exclude(pk=change.pk)  # fmt: skip
        if self.kind != "contact":
            others = others.filter(contact_id=change.contact_id)
        asked = others.values_list("values", flat=True)
        return any(verdict.looks_like(self.kind, change.values, values) for values in asked)

    def _look_for(self, change):
        """None when GHL shows no row that this creation can have made. Else what became of it, as for `_step`."""
        since = (self.delivery.sent_at or change.created_at) - verdict.CLOCKS_APART
        found = {}
        for row in self.counterpart.alike(change.values, since):
            if verdict.looks_like(self.kind, change.values, row) and not verdict.is_old(row, since):
                found[row["remote_id"]] = row
        taken = self.counterpart.model.objects.filter(location=self.record.location, remote_id__in=found)
        for remote_id in taken.exclude(pk=self.record.pk).values_list("remote_id", flat=True):
            del found[remote_id]
        if not found:
            return None
        if len(found) == 1:
            return self._arrived([change], next(iter(found.values())))
        words = f"GHL has {len(found)} like this one, and one of them may be this. Look there before you send it again."
        self._settle([change], Change.State.DIFFERS, sentence=words, failure=TWO_ALIKE)
        return True

    def _lost_answer(self, batch, trouble):
        """GHL may have made it. The row keeps what went wrong, and looking begins."""
        said = {"sentence": f"{trouble.plain} We look whether it arrived.", **self._told(trouble, batch)}
        if isinstance(trouble, errors.Invalid):
            said["sentence"] = trouble.plain
        self._settle(batch, Change.State.UNKNOWN, **said)
        for change in batch:
            change.failure = said["failure"]
        try:
            found = self._look_for(batch[0])
        except errors.GhlError as again:
            return self._later(batch, again, state=Change.State.UNKNOWN)
        if found is not None:
            return found
        return not self._is_in_doubt(batch, Change.State.UNKNOWN)

    def _duplicate(self, batch, duplicate):
        """GHL has this person. Perhaps it is the very one that we sent before and heard nothing of."""
        change = batch[0]
        if change.verb == Change.Verb.CREATE and change.attempts > 1 and duplicate.contact_id:
            try:
                found = self._look_for(change)
            except errors.GhlError as trouble:
                return self._later(batch, trouble, state=Change.State.UNKNOWN)
            if found is not None:
                return found
        return self._refuse(batch, duplicate, self._duplicate_sentence(duplicate))

    def _duplicate_sentence(self, duplicate):
        field = {"email": "e-mail address", "phone": "phone number"}.get(duplicate.matching_field, "details")
        other = Contact.objects.filter(location=self.record.location, remote_id=duplicate.contact_id).first()
        return f"GHL already has {other.name if other else 'another contact'} with this {field}."

    # --- taking answers -------------------------------------------------------------------------------------------

    def _arrived(self, batch, answer):
        """GHL has it. Remember the id before anything else, then read back."""
        self.seen = None
        with transaction.atomic():
            hold(self.record.location)
            remote_id = answer.get("remote_id")
            if remote_id and self.record.remote_id != remote_id and batch[0].verb == Change.Verb.CREATE:
                self._make_room_for(remote_id)
                self.record.remote_id = remote_id
                self.record.snapshot = {key: plain(answer[key]) for key in self.record.VALUES if key in answer}
                self.record.save(update_fields=["remote_id", "snapshot"])
            self._settle(batch, Change.State.SENT, sentence="")
            self.delivery.keep(doubt_since=None, attempts=0)
        return self.confirm(batch)

    def _make_room_for(self, remote_id):
        """A reading may have brought in, as a row of its own, what we have made: there is one too many of it here."""
        others = self.counterpart.model.objects.filter(location=self.record.location, remote_id=remote_id)
        for other in others.exclude(pk=self.record.pk):
            if other.changes.exists():  # somebody has worked with it already: let that one go on
                other.remote_id, other.deleted_at = None, other.deleted_at or timezone.now()
                other.save(update_fields=["remote_id", "deleted_at"])
            else:
                other.delete()

    def confirm(self, batch):
        """Read the record by id and say what GHL kept."""
        try:
            theirs = self._read()
        except errors.NotFound as gone:
            if batch[0].verb == Change.Verb.DELETE:
                self._settle(batch, Change.State.CONFIRMED)
                return True
            if self._is_young() and self._is_in_doubt(batch, Change.State.SENT):
                return False
            return self._gone(batch, gone)
        except errors.GhlError as trouble:
            return self._later(batch, trouble, state=Change.State.SENT)
        words = verdict.last_words(batch)
        apart = {change.pk: verdict.differences(change, theirs, self._words(words, change)) for change in batch}
        may_be_old = all(verdict.is_what_was(change, apart[change.pk]) for change in batch)
        if any(apart.values()) and may_be_old and self._is_in_doubt(batch, Change.State.SENT):
            return False
        return self._take(batch, theirs, apart)

    def _words(self, words, change):
        return words[change.pk] if change.verb == Change.Verb.UPDATE else None

    def _take(self, batch, theirs, apart=None):
        """Settle the batch by what GHL has, and take that in."""
        with transaction.atomic():
            hold(self.record.location)
            for change in batch:
                self._judge(change, (apart or {}).get(change.pk))
            if batch[0].verb != Change.Verb.DELETE:
                row = theirs if self.kind == "contact" else {**theirs, "contact_remote_id": self.counterpart.person}
                merge(self.record.location, self.counterpart.model, [row])
            self.delivery.keep(doubt_since=None, attempts=0)
        self.record.refresh_from_db()
        self._afterwards(batch)
        return True

    def _judge(self, change, apart):
        if not apart:
            self._settle([change], Change.State.CONFIRMED)
            return
        kept = {key: plain(theirs) for key, theirs in apart.items()}
        sentence = sentences.STILL_THERE if change.verb == Change.Verb.DELETE else sentences.OTHER_VALUE
        self._settle([change], Change.State.DIFFERS, sentence=sentence, theirs=kept, failure="kept another value")

    def _afterwards(self, batch):
        if batch[0].verb != Change.Verb.CREATE:
            return
        # GHL workflows often make a task when a note arrives, and no webhook tells us about every task.
        if self.kind == "note":
            sync.start_contact(self.record.person, only=["tasks"])
        if self.kind == "contact":
            self._free_children()

    def _free_children(self):
        """What belongs to this contact waited for it, or was refused for want of it."""
        for change in self.record.changes.undecided().filter(failure=verdict.NO_CONTACT):
            change.retry()
        waiting = self.record.changes.filter(state=Change.State.QUEUED).exclude(kind="contact")
        for kind, record_id in {(change.kind, change.record_id) for change in waiting}:
            children = Delivery.objects.filter(kind=kind, record_id=record_id, finished_at=None, lease_until=None)
            if children.filter(next_at__lte=timezone.now() + CHILD_WAIT).update(next_at=timezone.now()):
                self.freed += children.values_list("pk", flat=True)

    # --- doubt ----------------------------------------------------------------------------------------------------

    def _is_young(self):
        """Made here so recently that GHL may not show it yet."""
        since = timezone.now() - timedelta(seconds=settings.GHL_SETTLE_S * 2)
        made = self._changes().filter(verb=Change.Verb.CREATE)
        return made.filter(state=Change.State.SENT).exists() or made.filter(settled_at__gt=since).exists()

    # --- what can stand in the way --------------------------------------------------------------------------------

    def _obstacle(self, change):
        """None when the change can be sent. Else it has been dealt with: True to go on with the next, False to wait."""
        if change.verb != Change.Verb.CREATE and self.record.remote_id is None:
            if change.verb == Change.Verb.DELETE:
                self._settle([change], Change.State.CONFIRMED)
            else:
                told = {"sentence": sentences.NEVER_CREATED, "failure": "never made"}
                self._settle([change], Change.State.REFUSED, **told)
            return True
        if self.kind != "contact":
            return self._obstacle_at_contact(change)
        return None

    def _obstacle_at_contact(self, change):
        person = self.record.person
        if self.counterpart.person is None:
            if person.changes.unsettled().filter(kind="contact", verb=Change.Verb.CREATE).exists():
                self.delivery.hand_in(next_at=timezone.now() + CHILD_WAIT)
                return False
            self._settle(
                [change], Change.State.REFUSED,
                sentence=sentences.NO_CONTACT, failure=verdict.NO_CONTACT,
            )  # fmt: skip
            return True
        deletion = person.changes.filter(kind="contact", verb=Change.Verb.DELETE, state=Change.State.CONFIRMED)
        if person.deleted_at and deletion.exists():
            done = change.verb == Change.Verb.DELETE
            self._settle(
                [change], Change.State.CONFIRMED if done else Change.State.REFUSED,
                sentence="" if done else sentences.CONTACT_DELETED, failure="" if done else verdict.CONTACT_DELETED,
            )  # fmt: skip
            return True
        return None

    # --- failures -------------------------------------------------------------------------------------------------

    def _trouble(self, batch, trouble):
        trouble = self._or_parked(trouble)
        if isinstance(trouble, ConnectionParked):
            self._settle(batch, Change.State.QUEUED)
            raise trouble
        if batch[0].verb == Change.Verb.CREATE and (trouble.maybe_done or isinstance(trouble, errors.Invalid)):
            # An error does not mean that nothing happened: look first, even after a 422.
            return self._lost_answer(batch, trouble)
        return self._later(batch, trouble, state=Change.State.UNKNOWN if trouble.maybe_done else Change.State.QUEUED)

    def _gone(self, batch, gone):
        if self.kind != "contact" and gone.what == "contact":
            return self._refuse(batch, gone, sentences.CONTACT_GONE, verdict.CONTACT_DELETED)
        return self._refuse(batch, gone, sentences.GONE)

    # --- the claim ------------------------------------------------------------------------------------------------

    def _changes(self):
        return changes_of(self.kind, self.delivery.record_id)

    def _still_mine(self):
        """Asked right before a write leaves us: a worker that slept through its lease must not send."""
        if not self.delivery.renew():
            raise LeaseLost
