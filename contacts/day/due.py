"""When a task should be due, by the clock of its location."""

from datetime import datetime, time, timedelta

END_OF_WORK = time(17)


def next_working_day(location):
    """The end of tomorrow's working day; on Friday and Saturday that is Monday's."""
    day = location.today() + timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return at(day, location.zone)


def tomorrow(task):
    return moved_to(task, task.location.today() + timedelta(days=1))


def next_week(task):
    """Next Monday."""
    today = task.location.today()
    return moved_to(task, today + timedelta(days=7 - today.weekday()))


def moved_to(task, day):
    """Another day, the same time."""
    zone = task.location.zone
    return at(day, zone, task.due_at.astimezone(zone).time() if task.due_at else END_OF_WORK)


def at(day, zone, clock=END_OF_WORK):
    return datetime.combine(day, clock, tzinfo=zone)
