"""The app in a worker that cannot close its connection to the broker; start it with -A tests.processes.broken.

So Celery finds no way back after the connection is cut (as in kombu 5.7, when what was read cannot be put back).
"""

from celery import bootsteps

from rankr_dash.celery import app


class NoWayBack(bootsteps.StartStopStep):
    requires = {"celery.worker.consumer.connection:Connection"}

    def start(self, consumer):
        consumer.connection.close = closes_nothing


def closes_nothing():
    raise AttributeError("There is nothing to close.")


app.steps["consumer"].add(NoWayBack)
