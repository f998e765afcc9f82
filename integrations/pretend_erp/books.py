"""What the pretend ERP knows: customers, an open invoice and an order of each, notes, what it sent and heard."""

import itertools
import random
import threading
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

CITIES = [("Chicago", "60607"), ("Denver", "80202"), ("Austin", "78701"), ("Portland", "97205"), ("Boston", "02110")]
TIERS = ["standard", "silver", "gold"]
NEW = [
    ("Imogen", "Fairweather"),
    ("Tobias", "Lindqvist"),
    ("Renata", "Okafor"),
    ("Cormac", "Delaney"),
    ("Yuki", "Sato"),
]
CURRENCY = "USD"
SHOWN = 9  # customers, and lines of what was sent and heard


@dataclass
class Customer:
    reference: str
    first_name: str
    last_name: str
    email: str
    phone: str = ""
    company: str = ""
    city: str = ""
    tier: str = "standard"
    is_stranger: bool = False  # known to nobody there
    invoice: dict = field(default_factory=dict)
    order: dict = field(default_factory=dict)

    @property
    def name(self):
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def subject(self):
        told = {"reference": self.reference, "email": self.email, "phone": self.phone, "name": self.name}
        return {name: value for name, value in told.items() if value}


@dataclass
class Sent:
    what: str
    customer: str
    method: str
    path: str
    body: dict
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    status: int = 0
    id: str = ""
    times: int = 0
    state: str = ""
    reason: str = ""
    arrived: str = ""  # how far an edit has got towards GHL

    @property
    def is_open(self):
        return bool(self.id) and (self.state in ("", "queued", "unmatched") or self.arrived in OPEN_CHANGES)


OPEN_CHANGES = ("queued", "sending", "sent", "unknown")


@dataclass
class Heard:
    uid: str
    is_genuine: bool
    type: str = ""
    about: str = ""
    by: str = ""
    body: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    times: int = 1


class Books:
    def __init__(self):
        self.lock = threading.RLock()
        self.customers: dict[str, Customer] = {}
        self.sent: deque[Sent] = deque(maxlen=100)
        self.heard: deque[Heard] = deque(maxlen=100)
        self.notes: dict[str, tuple[str, str, str]] = {}  # {name of the note: (customer, text, whose)}
        self.is_down = False
        now = int(datetime.now(UTC).timestamp())
        self.numbers = itertools.count(now % 1_000_000)  # never the same after a restart
        self.dice = random.Random(7)

    def open_accounts(self, contacts):
        """Customers for the first contacts that can be recognised, and one whom nobody knows."""
        known = [one for one in contacts if one["email"] and one["first_name"] and not one["deleted"]]
        for one in sorted(known, key=lambda one: one["id"])[: SHOWN - 1]:
            values = {name: one[name] for name in ("first_name", "last_name", "email", "phone", "company", "city")}
            self.add(Customer(reference=f"CUST-{1000 + one['id']}", **values))
        self.add(Customer("CUST-9001", "Quentin", "Abernathy", "quentin@nowhere.example", is_stranger=True))

    def add(self, customer):
        with self.lock:
            customer.invoice, customer.order = self.new_invoice(), self.new_order()
            self.customers[customer.reference] = customer
        return customer

    def new_customer(self):
        number = next(self.numbers)
        first, last = NEW[number % len(NEW)]
        email = f"{first}.{last}.{number}@example.com".lower()
        city = self.dice.choice(CITIES)[0]
        return self.add(Customer(f"CUST-{number}", first, last, email, city=city))

    def new_invoice(self):
        due = date.today() + timedelta(days=self.dice.choice([-12, -3, 9, 14]))
        amount = self.dice.randrange(180, 14_000)
        return {"number": f"INV-{next(self.numbers)}", "amount": amount, "currency": CURRENCY, "due_date": str(due)}

    def new_order(self):
        return {"number": f"ORD-{next(self.numbers)}", "carrier": self.dice.choice(["UPS", "FedEx", "DHL"])}

    def name_of(self, references):
        """Whom of ours these names mean, or nobody."""
        found = (self.customers.get(one.get("value", "")) for one in references or ())
        return next((one.name for one in found if one), "")
