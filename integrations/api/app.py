"""The API as one thing: its addresses, and how it says no."""

from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser

from integrations.api import doors, reads, writes  # noqa: F401 (they fill the router)
from integrations.erp import payloads

AWAY_S = 30


class CarefulParser(Parser):
    """Only what can be stored."""

    def parse_body(self, request: HttpRequest) -> Any:
        return payloads.read(doors.whole_body(request))


api = NinjaAPI(
    title="Rankr Dashboard",
    version="1",
    description="What an ERP sends to Rankr Dashboard, and what it may read. docs/erp-api.md shows how.",
    urls_namespace="integrations:erp-api",
    docs_url=None,  # its page would load scripts from elsewhere, which the content policy refuses
    parser=CarefulParser(),
)
api.add_router("", doors.router)


def problem(status: int, error: str, fields: Any = (), headers: Any = None) -> HttpResponse:
    return JsonResponse({"error": error, "fields": list(fields)}, status=status, headers=headers)


@api.exception_handler(doors.TooLarge)
def too_large(request: Any, refusal: Any) -> HttpResponse:
    return problem(413, f"The body is larger than {doors.MOST_BYTES // 1_000_000} MB. Send several smaller requests.")


@api.exception_handler(doors.MissingScope)
def missing_scope(request: Any, refusal: Any) -> HttpResponse:
    return problem(403, f"This key lacks the scope {refusal}. An admin can make one that has it.")


@api.exception_handler(doors.TooMany)
def too_many(request: Any, refusal: Any) -> HttpResponse:
    words = "This key has made too many requests this minute. Events can be sent in batches."
    return problem(429, words, headers={"Retry-After": str(refusal.seconds)})


@api.exception_handler(AuthenticationError)
def unknown(request: Any, refusal: Any) -> HttpResponse:
    words = "No valid key and no valid signature came with this request."
    return problem(401, words, headers={"WWW-Authenticate": "Bearer"})


@api.exception_handler(ValidationError)
def not_in_order(request: Any, refusal: Any) -> HttpResponse:
    errors = [{**error, "loc": _path(error["loc"])} for error in refusal.errors]
    return problem(422, "The request is not in order.", payloads.fields_in(errors))


def _path(loc: Any) -> Any:
    """Without where it stood (body, query) and, of a body, the name our function gives to it."""
    return loc[2:] if loc[0] == "body" else loc[1:]


@api.exception_handler(HttpError)
def refused(request: Any, refusal: Any) -> HttpResponse:
    if isinstance(refusal.__context__, payloads.Unreadable):
        cause = refusal.__context__
        fields = [{"field": cause.field, "message": str(cause)}] if cause.field else []
        return problem(422, str(cause), fields)
    return problem(refusal.status_code, str(refusal))


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def away(request: Any, trouble: Any) -> HttpResponse:
    """Nothing is pretended: what could not be stored must be sent again."""
    words = "We cannot reach our database. Nothing was stored; send it again."
    return problem(503, words, headers={"Retry-After": str(AWAY_S)})


@csrf_exempt
def no_such_address(request: HttpRequest, rest: str = "") -> HttpResponse:
    return problem(404, "There is no such address. /api/v1/openapi.json lists those that there are.")


# Whatever else is asked for below /api/: a machine reads no page.
nowhere = ([path("", no_such_address), path("<path:rest>", no_such_address)], "erp-api-nowhere")
