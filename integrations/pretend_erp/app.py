"""The pretend ERP as an ASGI app: one page with buttons, and an ear for webhooks."""

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from . import page
from .books import Books
from .desk import Desk

ANSWERS_DOWN_S = "20"


def create_app():
    desk = Desk(Books(), "")

    async def settings(request):
        told = await request.json()
        desk.own_url = str(request.base_url).rstrip("/")
        await run_in_threadpool(desk.settle_in, told["url"], told["key"], told["secret"])
        return JSONResponse({"customers": len(desk.books.customers)})

    async def whole(_request):
        return HTMLResponse(page.whole(desk))

    async def latest(_request):
        if desk.rankr:
            await run_in_threadpool(desk.look_again, desk.rankr)
        return HTMLResponse(page.latest(desk))

    async def press(request):
        form = await request.form()
        if form.get("what") == "again":
            await run_in_threadpool(desk.send_again, form.get("key", ""))
        elif form.get("what") == "down":
            desk.books.is_down = not desk.books.is_down
        else:
            await run_in_threadpool(desk.press, form.get("what", ""), form.get("customer", ""))
        return RedirectResponse("/", status_code=303)

    async def webhook(request):
        status = desk.hear(request.headers, await request.body())
        headers = {"Retry-After": ANSWERS_DOWN_S} if status == 503 else {}
        return Response(status_code=status, headers=headers)

    routes = [
        Route("/", whole),
        Route("/latest", latest),
        Route("/press", press, methods=["POST"]),
        Route("/webhooks/rankr", webhook, methods=["POST"]),
        Route("/__erp__/settings", settings, methods=["POST"]),
    ]
    app = Starlette(routes=routes)
    app.state.desk = desk
    return app
