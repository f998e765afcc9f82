"""What the API answers, and the ways it refuses. Every JSON body carries a traceId."""

import json
import uuid

REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    422: "Unprocessable Entity",
}


class Answer:
    def __init__(self, body, status=200, headers=None, media_type=None):
        self.body, self.status, self.headers = body, status, headers or {}
        self.given_type = media_type

    def encoded(self):
        if isinstance(self.body, str):
            return self.body.encode()
        if self.body is None:
            return b""
        body = self.body if "traceId" in self.body else {**self.body, "traceId": str(uuid.uuid4())}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")

    @property
    def media_type(self):
        plain = "text/plain; charset=utf-8" if isinstance(self.body, str) else "application/json; charset=utf-8"
        return self.given_type or plain


class Created(Answer):
    """201, unless the sandbox was told to answer creates as the real API was recorded doing: 200."""

    def __init__(self, body):
        super().__init__(body, status=None)


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(status, body)
        self.answer = Answer(body, status)


def bad_request(message, **extra):
    return Refused(400, {"message": message, "error": "Bad Request", "statusCode": 400, **extra})


def unauthorized(message):
    return Refused(401, {"statusCode": 401, "message": message})


def forbidden():
    return Refused(403, {"statusCode": 403, "message": "The token does not have access to this location."})


def not_found(message):
    return Refused(404, {"message": message, "error": "Not Found", "statusCode": 404})


def invalid(messages):
    return Refused(422, {"statusCode": 422, "message": list(messages), "error": "Unprocessable Entity"})


def absent(noun, record_id):
    """GHL answers 400, not 404, for a record that is not there."""
    return bad_request(f"{noun} not found for id:{record_id}")


def default_error_body(status):
    if status == 429:
        return {"statusCode": 429, "message": "Too Many Requests"}
    body = {"statusCode": status, "message": REASONS.get(status, "Internal server error")}
    return body | ({"error": REASONS[status]} if status in REASONS else {})
