"""Will today's requests last?"""

from dataclasses import dataclass

HOUR = 3600.0


@dataclass(frozen=True)
class Forecast:
    spent_by_reset: int  # what the day would cost; more than the limit means that some of it must wait
    runs_out_in_s: float | None  # None: not before the count starts anew


def forecast(
    used_today: int, day_elapsed_s: float, recent_per_hour: float | None, daily_limit: int, resets_in: float
) -> Forecast:
    """The next hour goes as the last one did, the rest of the day at the day's average so far.

    So a sync that runs now counts for an hour and not for the whole day. Nothing is known of tomorrow's habits,
    of nights or of a run that is about to start: it is a straight line, to be shown with "about". Without
    `recent_per_hour` the average counts from now on. The average of the first hour is taken over a whole hour,
    since a few busy minutes after midnight say little.
    """
    average = max(0, used_today) / max(day_elapsed_s, HOUR)  # per second
    recent = average if recent_per_hour is None else max(0.0, recent_per_hour) / HOUR
    resets_in = max(0.0, resets_in)
    first = min(HOUR, resets_in)
    soon = used_today + recent * first
    spent = round(soon + average * (resets_in - first))
    return Forecast(spent, _runs_out(daily_limit - used_today, recent, first, average, resets_in))


def _runs_out(left: float, recent: float, first: float, average: float, resets_in: float) -> float | None:
    if left <= 0:
        return 0.0
    if recent * first >= left:
        return left / recent
    left -= recent * first
    if average * (resets_in - first) >= left and average > 0:
        return first + left / average
    return None
