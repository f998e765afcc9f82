"""Speaks to the API of Rankr Dashboard, as any ERP would."""

import requests

TIMEOUT_S = 10


class Rankr:
    def __init__(self, url: str, key: str):
        self.url = url.rstrip("/")
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {key}"

    def contacts(self) -> list[dict]:
        return self._ask("GET", "/contacts?limit=200")[1].get("items", [])

    def send(self, method: str, path: str, body: dict, idempotency_key: str) -> tuple[int, dict]:
        return self._ask(method, path, json=body, headers={"Idempotency-Key": idempotency_key})

    def became(self, event_id: str) -> dict | None:
        status, told = self._ask("GET", f"/events/{event_id}")
        return told if status == 200 else None

    def _ask(self, method: str, path: str, **options) -> tuple[int, dict]:
        """(status, what it says); status 0 when nothing came back."""
        try:
            answer = self.session.request(method, f"{self.url}/api/v1{path}", timeout=TIMEOUT_S, **options)
            return answer.status_code, answer.json()
        except (requests.RequestException, ValueError) as trouble:
            return 0, {"error": f"No answer ({type(trouble).__name__})."}
