// The contact list: what is ticked, what is done with it, and the search box that says what the list was searched for.
import { isFree } from "./keys.js";

const list = () => document.getElementById("list");
const bar = () => document.getElementById("bulk-bar");
const boxes = () => [...(list()?.querySelectorAll("tbody .table__box .check") ?? [])];

document.addEventListener("htmx:afterSettle", (event) => {
  const box = document.getElementById("search");
  if (!list() || !box || event.target.id !== "list" || document.activeElement === box) return;
  box.value = list().dataset.q;
});

// The tab of the view that is shown is not left outside its scrolling row.
function bringTabIn() {
  const row = document.querySelector(".view-tabs__scroll");
  const tab = row?.querySelector("[aria-current]");
  if (!tab) return;
  const [inner, outer] = [tab.getBoundingClientRect(), row.getBoundingClientRect()];
  if (inner.left < outer.left || inner.right > outer.right) row.scrollLeft += inner.right - outer.right + 24;
}
bringTabIn();
document.addEventListener("htmx:oobAfterSwap", bringTabIn);

function tick(box, on) {
  if (box.checked === on) return;
  box.checked = on;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}

function selectAll(on) {
  const all = document.getElementById("bulk-all");
  if (!all) return;
  all.value = on ? "1" : "";
  bar().toggleAttribute("data-all", on);
}

function selectNone() {
  selectAll(false);
  for (const box of boxes()) tick(box, false);
}

document.addEventListener("click", (event) => {
  const { target } = event;
  if (target.closest("[data-select-all]")) {
    for (const box of boxes()) tick(box, true);
    selectAll(true);
  }
  if (target.closest("[data-select-none]")) selectNone();
  const folds = target.closest("[data-folds]")?.closest("details");
  if (folds) {
    folds.open = false;
    folds.querySelector("summary").focus();
  }
  const unfolds = target.closest("[data-unfolds]");
  // After this click's own work, which closes the menus that it did not happen in.
  if (unfolds) setTimeout(() => { document.getElementById(unfolds.dataset.unfolds).open = true; });
});

// One box less is no longer all of them; of all of them, those that come in later are too.
document.addEventListener("change", (event) => {
  if (event.target.matches?.("#list tbody .table__box .check") && !event.target.checked) selectAll(false);
});
document.addEventListener("htmx:load", () => {
  if (document.getElementById("bulk-all")?.value === "1") for (const box of boxes()) tick(box, true);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !isFree(event) || document.querySelector("details[data-menu][open]")) return;
  if (document.querySelector("#peek:not([hidden])")) return;
  if (boxes().some((box) => box.checked)) selectNone();
});

// A menu that is fetched anew each time it is opened, since what it shows depends on what is ticked.
document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("details[data-unfold]") && event.target.open) htmx.trigger(event.target, "unfold");
}, true);
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.matches?.("details[data-menu] .menu__panel")) event.target.querySelector("[autofocus]")?.focus();
});

document.addEventListener("selection-done", () => {
  selectNone();
  for (const menu of document.querySelectorAll("details[data-menu][open]")) menu.open = false;
});
// Many rows have changed by what was done here: live-list.js looks at them as at those that others change.
document.addEventListener("list-stale", () => document.dispatchEvent(new CustomEvent("live:missed")));
