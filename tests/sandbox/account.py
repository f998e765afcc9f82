"""A requests client for the sandbox's API and its control plane."""

import requests


class Account:
    def __init__(self, base, reset=True):
        self.base = base
        self.http = requests.Session()
        (self.reset if reset else self.meet)()

    def reset(self, **settings):
        settings = {"contacts": 60, "seed": 1, "rate": 0, "lag": 0} | settings
        self.control("POST", "reset", settings)
        self.meet()

    def meet(self):
        self.known = self.control("GET", "credentials")
        self.headers = {
            "Authorization": f"Bearer {self.known['location_access_token']}",
            "Version": "2021-07-28",
        }

    def control(self, method, path, body=None, /, **query):
        answer = requests.request(method, f"{self.base}/__sandbox__/{path}", json=body, params=query, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, method, path, body=None, headers=None, **options):
        """The raw answer. A header of None is left out."""
        headers = {name: value for name, value in {**self.headers, **(headers or {})}.items() if value is not None}
        return self.http.request(method, self.base + path, json=body, headers=headers, timeout=10, **options)

    def get(self, path, **query):
        return self.ok(self.ask("GET", path, params=query))

    def post(self, path, body):
        return self.ok(self.ask("POST", path, body))

    def put(self, path, body):
        return self.ok(self.ask("PUT", path, body))

    def delete(self, path, body=None):
        return self.ok(self.ask("DELETE", path, body))

    @staticmethod
    def ok(answer):
        assert answer.ok, answer.text
        return answer.json()

    def search(self, **body):
        return self.post("/contacts/search", {"locationId": self.location, "pageLimit": 500, **body})

    def create(self, **values):
        return self.post("/contacts/", {"locationId": self.location, **values})["contact"]

    def token(self, secret="client_secret", **fields):
        data = {"client_id": self.known["client_id"], "client_secret": self.known[secret], **fields}
        return self.http.post(f"{self.base}/oauth/token", data=data, timeout=10)

    def fault(self, match=None, **action):
        return self.control("POST", "faults", {"match": match or {}, "action": action})

    def log(self, since=0, **query):
        return self.control("GET", "log", since=since, **query)["entries"]

    def settings(self, **values):
        return self.control("POST", "settings", values)

    def use(self, token):
        self.headers["Authorization"] = f"Bearer {token}"

    @property
    def location(self):
        return self.known["location_id"]

    @property
    def contact(self):
        return self.known["contact_id"]

    @property
    def calendar(self):
        return self.known["calendar_id"]
