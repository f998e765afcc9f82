"""The one page, written by the server; a few lines of script keep its lists fresh."""

from html import escape
from pathlib import Path

from .books import SHOWN

STYLE, SCRIPT = (Path(__file__).with_name(name).read_text() for name in ("page.css", "page.js"))
FINAL = {"handled": "ok", "superseded": "soft", "ignored": "soft", "unmatched": "bad", "failed": "bad"}


def whole(desk):
    down = "It answers again" if desk.books.is_down else "Pretend to be down"
    rows = "".join(_customer(desk, one) for one in list(desk.books.customers.values())[::-1]) or _nobody()
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Rankr (pretend)</title><link rel="icon" href="data:,"><style>{STYLE}</style>
<header><h1>Rankr (pretend)</h1>
<span class="soft">A made-up ERP. It speaks to Rankr Dashboard by its public API and webhooks alone.</span>
<form method="post" action="/press">
{_button("new_customer", "New customer", "main")}{_button("down", down)}</form></header>
<main><section><h2>Customers</h2><div class="scroll"><table>
<thead><tr><th>Customer</th><th>Invoice and order</th><th>Tell Rankr Dashboard</th></tr></thead>
<tbody>{rows}</tbody></table></div></section>
<div class="lists" id="latest">{latest(desk)}</div></main><script>{SCRIPT}</script></html>"""


def latest(desk):
    books = desk.books
    sent = "".join(_sent(desk, one) for one in list(books.sent)[:SHOWN]) or _empty("Nothing yet. Press a button.")
    heard = "".join(_heard(one) for one in list(books.heard)[:SHOWN]) or _empty(
        "Nothing yet. Change a contact in Rankr Dashboard, or finish a task there."
    )
    notes = "".join(_note(*one) for one in list(books.notes.values())[-SHOWN:][::-1]) or _empty("No notes yet.")
    is_down = ' <span class="bad">(it pretends to be down, and answers 503)</span>' if books.is_down else ""
    return (
        f"<section><h2>Sent, and what became of it</h2><ul>{sent}</ul></section>"
        f"<section><h2>Heard from Rankr Dashboard{is_down}</h2><ul>{heard}</ul></section>"
        f"<section><h2>Notes, the same on both sides</h2><ul>{notes}</ul></section>"
    )


def _customer(desk, one):
    about = ["nobody there knows them yet"] if one.is_stranger else filter(None, [one.city, one.tier])
    buttons = "".join(_button(what, label) for what, label in desk.BUTTONS.items())
    invoice = one.invoice
    return f"""<tr id="{escape(one.reference)}"><td><b>{escape(one.name)}</b>
<div class="soft">{escape(", ".join([one.reference, *about]))}</div></td>
<td><span class="nowrap">{escape(invoice["number"])} <b>${invoice["amount"]:,}</b></span>
<span class="soft nowrap">due {escape(invoice["due_date"])}</span>
<div class="soft">{escape(one.order["number"])} by {escape(one.order["carrier"])}</div></td>
<td><form method="post" action="/press" class="buttons">
<input type="hidden" name="customer" value="{escape(one.reference)}">{buttons}</form></td></tr>"""


def _sent(desk, one):
    if not one.id:
        state, kind = (f"refused, {one.status}" if one.status else "did not arrive"), "bad"
    else:
        state, kind = one.state or "queued", FINAL.get(one.state, "soft")
    arrived = f", in GHL: <b>{escape(one.arrived)}</b>" if one.arrived else ""
    times = f" ({one.times} times)" if one.times > 1 else ""
    return f"""<li><form method="post" action="/press"><input type="hidden" name="key" value="{one.key}">
{_button("again", "Send again")}</form><b>{escape(one.what)}</b> {escape(one.customer)}{times}
<span class="soft">{one.at:%H:%M:%S}</span><div><span class="{kind}">{escape(state)}</span>{arrived}
<span class="soft">{escape(one.reason)}</span></div></li>"""


def _heard(one):
    if not one.is_genuine:
        return f'<li><span class="bad">✗ signature not valid</span> <span class="soft">{one.at:%H:%M:%S}</span></li>'
    by = f"by {one.by}" if one.by else ""
    times = f", {one.times} times" if one.times > 1 else ""
    return f"""<li><details id="heard-{escape(one.uid)}"><summary><b>{escape(one.type)}</b> {escape(one.about)}
<span class="soft">{escape(by)} {one.at:%H:%M:%S}{times}</span> <span class="ok">✓ signature checked</span></summary>
<pre>{escape(one.body)}</pre></details></li>"""


def _note(customer, text, whose):
    return f'<li><b>{escape(customer)}</b> {escape(text)} <span class="soft">{escape(whose)}</span></li>'


def _button(what, label, kind=""):
    return f'<button name="what" value="{what}" class="{kind}">{escape(label)}</button>'


def _empty(words):
    return f'<li class="soft">{escape(words)}</li>'


def _nobody():
    return '<tr><td colspan="3" class="soft">No customers yet: the demo is still being prepared.</td></tr>'
