"""What the buttons do, and what happens to what comes in."""

import json
import uuid

from .books import CITIES, TIERS, Heard, Sent
from .rankr import Rankr
from .standard_webhooks import is_genuine


class Desk:
    def __init__(self, books, own_url):
        self.books = books
        self.own_url = own_url
        self.rankr: Rankr | None = None
        self.rankr_url = ""
        self.secret = ""

    def settle_in(self, url, key, secret):
        """Where Rankr Dashboard is, our key there, and the secret its webhooks are signed with."""
        self.rankr, self.rankr_url, self.secret = Rankr(url, key), url, secret
        if not self.books.customers:
            self.books.open_accounts(self.rankr.contacts())

    # --- what is sent -------------------------------------------------------------------------------------------------

    def press(self, what, reference):
        if self.rankr is None:
            return
        if what == "new_customer":
            self.new_customer()
        elif (customer := self.books.customers.get(reference)) and what in self.BUTTONS:
            getattr(self, what)(customer)

    BUTTONS = {
        "invoice_paid": "Invoice paid",
        "invoice_overdue": "Invoice overdue",
        "order_shipped": "Order shipped",
        "change_details": "Change details",
        "add_note": "Add note",
    }

    def invoice_paid(self, customer):
        invoice, customer.invoice = customer.invoice, self.books.new_invoice()
        self._invoice_event("invoice.paid", customer, invoice, f"Invoice {invoice['number']} paid")

    def invoice_overdue(self, customer):
        title = f"Invoice {customer.invoice['number']} overdue"
        self._invoice_event("invoice.overdue", customer, customer.invoice, title)

    def order_shipped(self, customer):
        order, customer.order = customer.order, self.books.new_order()
        told = {"title": f"Order {order['number']} shipped", "detail": f"By {order['carrier']}", "payload": order}
        self._event("order.shipped", customer, record=order["number"], **told)

    def new_customer(self):
        customer = self.books.new_customer()
        self._put(customer)
        self._event("customer.created", customer, title="New customer", payload={"tier": customer.tier})

    def change_details(self, customer):
        cities = [city for city in CITIES if city[0] != customer.city]
        customer.city, postal_code = self.books.dice.choice(cities)
        customer.tier = TIERS[(TIERS.index(customer.tier) + 1) % len(TIERS)]
        self._put(customer, postal_code=postal_code)

    def add_note(self, customer):
        reference, text = f"NOTE-{next(self.books.numbers)}", "Asked for a copy of the last invoice by post."
        self.books.notes[reference] = (customer.name, text, "ours")
        body = {"reference": reference, "customer": customer.subject, "noteContent": text}
        self._send("Note", customer, "POST", "/notes", body)

    def send_again(self, key):
        """The same with the same idempotency key: nothing may happen twice."""
        found = next((one for one in self.books.sent if one.key == key), None)
        if found and self.rankr:
            self._bring(self.rankr, found)

    def _put(self, customer, **fields):
        body = {
            "reference": customer.reference, "first_name": customer.first_name, "last_name": customer.last_name,
            "email": customer.email, "fields": {"city": customer.city, "tier": customer.tier, **fields},
        }  # fmt: skip
        self._send("Customer", customer, "PUT", "/customers", body)

    def _invoice_event(self, type, customer, invoice, title):
        link = f"{self.own_url}/#{customer.reference}"
        detail = f"${invoice['amount']:,.2f}, due {invoice['due_date']}"
        told = {"title": title, "detail": detail, "link": link, "payload": {**invoice, "link": link}}
        self._event(type, customer, record=invoice["number"], **told)

    def _event(self, type, customer, **told):
        self._send(type, customer, "POST", "/events", {"type": type, "subject": customer.subject, **told})

    def _send(self, what, customer, method, path, body):
        sent = Sent(what, customer.name, method, path, body)
        self.books.sent.appendleft(sent)
        if self.rankr:
            self._bring(self.rankr, sent)

    def _bring(self, rankr, sent):
        sent.times += 1
        sent.status, told = rankr.send(sent.method, sent.path, sent.body, sent.key)
        sent.id = told.get("id", sent.id)
        sent.reason = told.get("error", "Known already: nothing happened twice." if told.get("repeated") else "")

    def look_again(self, rankr):
        """Ask what became of the newest that are not settled."""
        for sent in [one for one in list(self.books.sent)[:12] if one.is_open]:
            if (told := rankr.became(sent.id)) is None:
                continue
            sent.state, sent.reason = told["state"], told["reason"] or sent.reason
            sent.arrived = told["change"]["state"] if told["change"] else ""

    # --- what is heard ------------------------------------------------------------------------------------------------

    def hear(self, headers, body):
        """The status to answer with. The same message twice is one."""
        if self.books.is_down:
            return 503
        uid = headers.get("webhook-id", "")
        with self.books.lock:
            if known := next((one for one in self.books.heard if one.uid == uid and one.is_genuine), None):
                known.times += 1
                return 204
            heard = Heard(uid or str(uuid.uuid4()), bool(self.secret) and is_genuine(self.secret, headers, body))
            if heard.is_genuine:
                self._take(heard, json.loads(body))
            self.books.heard.appendleft(heard)
        return 204 if heard.is_genuine else 401

    def _take(self, heard, told):
        data = told["data"]
        heard.type, heard.body = told["type"], json.dumps(told, indent=2, ensure_ascii=False)
        contact = data.get("contact") or {}
        heard.about = self.books.name_of(contact.get("references")) or contact.get("name", "")
        by = data.get("by") or {}
        heard.by = by.get("name") or by.get("kind", "")
        if note := data.get("note"):
            self._keep_note(heard, note)

    def _keep_note(self, heard, note):
        own = next((one["value"] for one in note["references"] if one["value"] in self.books.notes), None)
        name = own or f"rankr-{note['id']}"
        if note["deleted"]:
            self.books.notes.pop(name, None)
        else:
            self.books.notes[name] = (
                heard.about,
                note["body"],
                "ours, changed there" if own else "from Rankr Dashboard",
            )
