// A part that refreshes itself ([data-live]) rests while nobody looks or somebody selects text in it, and keeps what the
// reader has opened and where the focus was. Both are found again by their id.
const STALE_AFTER = 3;
let kept = null;
let misses = 0;

document.addEventListener("htmx:beforeRequest", (event) => {
  const part = event.detail.elt;
  if (!part.matches("[data-live]")) return;
  const selection = getSelection();
  const isReading = !selection.isCollapsed && part.contains(selection.anchorNode);
  const isChoosing = part.querySelector("details[data-menu][open], select:focus");
  if (document.hidden || isReading || isChoosing) event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const part = event.detail.target;
  if (!event.detail.shouldSwap || !part.matches("[data-live]")) return;
  kept = {
    opened: [...part.querySelectorAll("details[open][id]")].map((details) => details.id),
    focused: part.contains(document.activeElement) ? document.activeElement.id : "",
  };
});

document.addEventListener("htmx:afterSwap", () => {
  if (!kept) return;
  for (const id of kept.opened) document.getElementById(id)?.setAttribute("open", "");
  if (kept.focused) document.getElementById(kept.focused)?.focus({ preventScroll: true });
  kept = null;
  misses = 0;
});

for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => {
    if (!event.detail.elt.matches("[data-live]")) return;
    misses += 1;
    if (misses >= STALE_AFTER) event.detail.elt.querySelector("[data-live-stale]")?.removeAttribute("hidden");
  });
}
