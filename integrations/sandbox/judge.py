"""What the sandbox saw, for whoever judges its client: requests, what they wrote, how fast they came, and webhooks."""

from .log import ledger, rates, wanted_by

LONGEST_WAIT_S = 60


class Judge:
    def __init__(self, sandbox):
        self.sandbox = sandbox

    def log(self, query, body):
        """Requests after `since`, the newest `limit` of those that are wanted, whole or only some `fields` of them."""
        found = self._entries(query)
        if query.get("limit"):
            found = found[-int(query["limit"]) :] if int(query["limit"]) else []
        if query.get("fields"):
            names = query["fields"].split(",")
            found = [{name: entry.get(name) for name in names} for entry in found]
        return {"entries": found, "last": self.sandbox.log.last}

    def forget_log(self, query, body):
        self.sandbox.log.entries.clear()
        return {"last": self.sandbox.log.last}

    def ledger(self, query, body):
        """Each record the wanted requests wrote, with the numbers of those that made, changed and deleted it."""
        found = ledger(self._entries({"writes": "1", **query}))
        if query.get("kind"):
            found = [line for line in found if line["kind"] == query["kind"]]
        return {"records": found, "made": sum(len(line["made"]) for line in found)}

    def rate(self, query, body):
        """Exact, from the log. Without `window_s`, over the window of the limit."""
        config = self.sandbox.config
        window_s = float(query.get("window_s", config.window_s))
        found = rates(self._entries(query), window_s)
        return {
            "window_s": window_s,
            "limit": config.rate,
            "highest": max((one["highest"] for one in found), default=0),
            "requests": sum(one["requests"] for one in found),
            "refused": sum(one["refused"] for one in found),
            "keys": found,
        }

    async def webhooks(self, query, body):
        """Fates, answers and deliveries. With `wait`, only once nothing is pending, or after so many seconds."""
        webhooks = self.sandbox.webhooks
        if query.get("wait"):
            await webhooks.wait_until_settled(min(float(query["wait"]), LONGEST_WAIT_S))
        asked = {"type": "type", "id": "id", "location": "locationId", "webhook_id": "webhookId"}
        wanted = {name: query[word] for word, name in asked.items() if query.get(word)}

        def fits(delivery):
            if query.get("fate") and delivery.fate != query["fate"]:
                return False
            return all(delivery.about.get(name) == value for name, value in wanted.items())

        return {
            "url": self.sandbox.config.webhook_url,
            "public_key": webhooks.public_key,
            "rsa_public_key": webhooks.rsa_public_key,
            **webhooks.report(fits, int(query.get("limit", 100_000))),
        }

    def forget_webhooks(self, query, body):
        """What is pending stays."""
        self.sandbox.webhooks.forget()
        return {"pending": len(self.sandbox.webhooks.pending)}

    def _entries(self, query):
        log, wanted = self.sandbox.log, wanted_by(query)
        return [entry for entry in log.since(int(query.get("since", 0))) if wanted(entry)]
