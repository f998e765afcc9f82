// Lists by keyboard: J and K move a cursor over [data-row], Enter opens, X ticks; Shift-click ticks a range.
import { isFree } from "./keys.js";

const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null || row.getClientRects().length);
const cursor = () => document.querySelector("[data-row][data-cursor]");

function moveTo(row) {
  if (!row) return;
  cursor()?.removeAttribute("data-cursor");
  row.setAttribute("data-cursor", "");
  row.scrollIntoView({ block: "nearest" });
  // The focus goes along, so that a screen reader reads the row and Tab continues from it.
  (row.querySelector("[data-row-link], .table__link, .line__title a, a") ?? row).focus({ preventScroll: true });
}

document.addEventListener("keydown", (event) => {
  if (!isFree(event)) return;
  const key = event.key.toLowerCase();
  if (key !== "j" && key !== "k" && key !== "x") return;
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(cursor());
  if (key === "j") moveTo(all[Math.min(at + 1, all.length - 1)]);
  if (key === "k") moveTo(all[Math.max(at - 1, 0)]);
  if (key === "x") all[at]?.querySelector(".check")?.click();
  event.preventDefault();
});

document.addEventListener("focusin", (event) => {
  const row = event.target.closest?.("[data-row]");
  if (!row || row.hasAttribute("data-cursor")) return;
  cursor()?.removeAttribute("data-cursor");
  if (event.target.matches(":focus-visible")) row.setAttribute("data-cursor", "");
});

let last = null;
document.addEventListener("click", (event) => {
  const box = event.target.closest?.(".table__box .check");
  if (!box) return;
  const boxes = [...document.querySelectorAll("tbody .table__box .check")];
  if (event.shiftKey && last && boxes.includes(last) && boxes.includes(box)) {
    const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
    for (const one of boxes.slice(from, to + 1)) {
      if (one.checked === box.checked) continue;
      one.checked = box.checked;
      one.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }
  last = box;
});

document.addEventListener("change", (event) => {
  const box = event.target;
  if (!box.matches?.(".table__box .check")) return;
  const table = box.closest("table");
  if (box.closest("thead")) {
    for (const one of table.querySelectorAll("tbody .table__box .check")) {
      if (one.checked === box.checked) continue;
      one.checked = box.checked;
      one.dispatchEvent(new Event("change", { bubbles: true }));
    }
    return;
  }
  box.closest("tr").setAttribute("aria-selected", String(box.checked));
  const boxes = [...table.querySelectorAll("tbody .table__box .check")];
  const ticked = boxes.filter((one) => one.checked).length;
  const head = table.querySelector("thead .table__box .check");
  if (head) {
    head.checked = ticked > 0 && ticked === boxes.length;
    head.indeterminate = ticked > 0 && ticked < boxes.length;
  }
  for (const count of document.querySelectorAll("[data-selected-count]")) count.textContent = ticked;
  for (const bar of document.querySelectorAll("[data-when-selected]")) bar.hidden = ticked === 0;
});
