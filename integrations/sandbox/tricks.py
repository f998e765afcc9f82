"""What happens to webhooks on their way: lost, doubled, late, out of order, thin. Seeded, so it can be had again."""

import random

WORDS = {"drop", "duplicate", "reorder", "thin_tasks", "delay_s"}


class Tricks:
    """How often, and by whose dice. Each word has dice of its own: adding one does not change what another decides."""

    def __init__(self, seed):
        self.dice = {word: random.Random(f"webhook {word} {seed}") for word in WORDS | {"jitter"}}

    def strikes(self, word, words):
        """True in so many of a hundred cases; a trick that is not wanted costs no throw."""
        chance = float(words.get(word) or 0)
        return chance > 0 and self.dice[word].random() < chance

    def delay(self, words):
        return drawn(words.get("delay_s") or 0, self.dice["delay_s"])

    def shuffled(self, items):
        self.dice["reorder"].shuffle(items)
        return items

    def spread(self, seconds, part):
        """Up to so great a part more or less."""
        return seconds * (1 + part * (2 * self.dice["jitter"].random() - 1)) if part else seconds


def checked(words):
    if not isinstance(words, dict) or set(words) - WORDS:
        raise ValueError(f"webhook_tricks is an object with any of {', '.join(sorted(WORDS))}")
    return words


def drawn(amount, dice):
    """A number, or one between the two of [low, high]."""
    return dice.uniform(*amount) if isinstance(amount, list | tuple) else float(amount)
