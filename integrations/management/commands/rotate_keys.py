from collections import Counter

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError

from integrations import crypto

BATCH = 200


class Command(BaseCommand):
    help = "Seal everything stored with the newest key of ENCRYPTION_KEYS, so that older keys can be taken away."

    def handle(self, *args, **options):
        stuck = []
        for model in sealed_models():
            done, lost = reseal_all(model)
            stuck += [f"{model._meta.model_name} {pk}" for pk in lost]
            self.stdout.write(f"{done} {model._meta.verbose_name_plural} sealed anew.")
        for key_id, count in sorted(keys_in_use().items()):
            newest = " (the newest)" if key_id == next(iter(crypto.key_ring())) else ""
            self.stdout.write(f"{count} values on key {key_id}{newest}.")
        if stuck:
            raise CommandError(f"{len(stuck)} rows cannot be opened with the keys given: {', '.join(stuck)}.")


def sealed_models():
    """Every model that says which of its columns are sealed."""
    return [model for model in apps.get_models() if hasattr(model, "SEALED")]


def reseal_all(model):
    """(rows sealed anew, ids of rows that cannot be opened). By ranges of ids: rows may come and go meanwhile."""
    done, lost, last = 0, [], 0
    while rows := list(model.objects.filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = rows[-1].pk
        for row in rows:
            try:
                done += reseal(row)
            except crypto.CannotOpen:
                lost.append(row.pk)
    return done, lost


def reseal(row):
    """True when it was sealed anew. A renewal that comes between is not overwritten: look again."""
    model = type(row)
    while row is not None:
        before = {column: getattr(row, column) for column in model.SEALED}
        if all(crypto.is_current(sealed) for sealed in before.values()):
            return False
        if model.objects.filter(pk=row.pk, **before).update(**row.resealed()):
            return True
        row = model.objects.filter(pk=row.pk).first()
    return False


def keys_in_use():
    """{key id: values sealed with it}."""
    used: Counter[str] = Counter()
    for model in sealed_models():
        for column in model.SEALED:
            used.update(crypto.key_of(sealed) for sealed in model.objects.values_list(column, flat=True) if sealed)
    return used
