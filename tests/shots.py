"""Pictures of every page of a running demo, wide and narrow, light and dark: python -m tests.shots [URL [FOLDER]]"""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PASSWORD = "demo-pass-2026"  # the demo prints it
PAGES = {
    "today": "/", "contacts": "/contacts/", "tasks": "/tasks/", "companies": "/companies/", "outbox": "/outbox/",
    "new-contact": "/contacts/new/", "connections": "/connections/", "token": "/connections/token/", "team": "/team/",
    "health": "/health/", "history": "/history/", "reports": "/reports/", "calendar": "/calendar/",
    "agenda": "/calendar/?view=agenda", "preferences": "/preferences/",
    "automations": "/automations/", "recipes": "/automations/recipes/", "runs": "/automations/runs/",
    "erp": "/erp/", "hooks": "/erp/hooks/", "new-hook": "/erp/hooks/new/", "unmatched": "/unmatched/",
    "operations": "/operations/",
}  # fmt: skip
# Each after a link of the page before it, as far as there is one: their addresses hold numbers.
BEHIND = {
    "mappings": ("/erp/", "a[href^='/erp/mapping/']"),
    "mapping": ("mappings", "a[href^='/erp/mapping/versions/']"),
    "matching": ("/erp/", "a[href^='/erp/matching/']"),
    "hook": ("/erp/hooks/", "main a[href^='/erp/hooks/']:not([href$='/new/'])"),
    "rule": ("/automations/", "a.table__link"),
    "run": ("/automations/runs/", "a[href^='/automations/runs/'][href$='/']:not([href$='/runs/'])"),
    "stranger": ("/unmatched/", "a[href^='/unmatched/']:not([href$='/unmatched/'], [href*='?'], [href$='/linked/'])"),
}
OF_CONTACT = {"contact": "", "as-of": "as-of/", "print": "history/print/", "duplicates": "duplicates/"}
WIDTHS = {1440: 900, 1024: 768, 390: 844}


def main(url, folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        program = os.environ.get("CHROMIUM") or shutil.which("chromium") or playwright.chromium.executable_path
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for theme in ("light", "dark"):
            for width, height in WIDTHS.items():
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
                take(context.new_page(), url, folder, f"{width}-{theme}")
                context.close()


def take(page, url, folder, name):
    page.on("console", lambda said: print(name, said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: print(name, error))
    page.goto(f"{url}/account/login/")
    page.locator("input[name=login]").fill("admin@example.com")
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state("networkidle")
    page.goto(f"{url}/contacts/?sort=overdue")
    contact = page.locator(".table__link").first.get_attribute("href").partition("?")[0]
    pages = {**PAGES, **{name: contact + part for name, part in OF_CONTACT.items()}, **behind(page, url)}
    for what, path in pages.items():
        answer = page.goto(url + path)
        page.wait_for_load_state("networkidle")
        if answer.status != 200:
            print(name, what, answer.status)
        page.screenshot(path=folder / f"{what}-{name}.png")


def behind(page, url):
    """Addresses of pages that have no fixed one, read off the pages that lead to them."""
    found = {}
    for what, (before, link) in BEHIND.items():
        path = found.get(before, before)
        if path.startswith("/"):
            page.goto(url + path)
            if page.locator(link).count():
                found[what] = page.locator(link).first.get_attribute("href").partition("?")[0]
    return found


if __name__ == "__main__":
    url, folder = [*sys.argv[1:], *("http://127.0.0.1:8000", ".local/shots")[len(sys.argv) - 1 :]]
    main(url.rstrip("/"), folder)
