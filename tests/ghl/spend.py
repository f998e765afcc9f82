"""A process that spends from a shared budget and sends one datagram for each grant. Run by test_limits and by hand."""

import socket
import sys
import threading

import redis

from integrations.ghl.limits import RateBudget


def main(url, key, port, count, limit, window, lane, threads):
    budget = RateBudget(redis.Redis.from_url(url), key, limit=int(limit), window=float(window))
    each = int(count) // int(threads)

    def spend():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            for _ in range(each):
                grant = budget.acquire(lane)
                wire.sendto(lane.encode(), ("127.0.0.1", int(port)))
                budget.settle(grant)

    crowd = [threading.Thread(target=spend) for _ in range(int(threads))]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
