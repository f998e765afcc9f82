from django.contrib.postgres.indexes import GinIndex
from django.db import models

from contacts.models.business import Business


class SearchWord(models.Model):
    """A word that occurs in what a business's contacts are searched by; typing errors are looked for among these."""

    pk = models.CompositePrimaryKey("business_id", "word")
    business = models.ForeignKey(Business, models.CASCADE, related_name="+", db_index=False)
    word = models.CharField(max_length=40)

    class Meta:
        indexes = [
            GinIndex(fields=["business", "word"], opclasses=["int8_ops", "gin_trgm_ops"], name="search_word_alike")
        ]

    def __str__(self):
        return self.word
