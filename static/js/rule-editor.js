// The form of a rule: merge fields go where one is writing, the pickers go by keyboard, and nothing unsaved is lost unasked.
let box = null;
let isUnsaved = false;

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-takes-fields], [data-takes-ways]")) box = event.target;
});

document.addEventListener("click", (event) => {
  const offer = event.target.closest("[data-offer]");
  if (!offer) return;
  const known = box?.isConnected ? box : document.querySelector("#rule-form [data-takes-fields]");
  if (!known) return;
  const way = offer.dataset.offer;
  if (known.matches("[data-takes-ways]")) known.value = way;
  else known.setRangeText(`{{ ${way} }}`, known.selectionStart, known.selectionEnd, "end");
  known.dispatchEvent(new Event("input", { bubbles: true }));
  known.focus();
});

// What is chosen is the first of what was typed, not of what stood there before: a key pressed too soon waits.
let wish = "";

const isOf = (list, box) => list.querySelector("[data-found]")?.dataset.found === box.value;

function choose(list, key) {
  wish = "";
  const first = list.querySelector(".menu__item");
  if (key === "Enter") first?.click();
  else first?.focus();
}

document.addEventListener("keydown", (event) => {
  if (!event.target.matches?.("[data-picker]") || (event.key !== "Enter" && event.key !== "ArrowDown")) return;
  event.preventDefault();
  const list = event.target.closest(".menu__panel").querySelector(".rule-picker__found");
  if (isOf(list, event.target)) choose(list, event.key);
  else wish = event.key;
});

document.addEventListener("htmx:afterSettle", (event) => {
  const list = event.target;
  if (wish && list.matches?.(".rule-picker__found") && isOf(list, list.previousElementSibling)) choose(list, wish);
});

// "is empty" has nothing to compare with.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-compares]")) event.target.nextElementSibling.hidden = "alone" in event.target.selectedOptions[0].dataset;
});

// While the form is being drawn anew nobody types into the one that goes.
const isOfForm = (event) => event.detail.target?.id === "rule-form";
document.addEventListener("htmx:beforeRequest", (event) => { if (isOfForm(event)) event.detail.target.inert = true; });
document.addEventListener("htmx:afterRequest", (event) => { if (isOfForm(event)) event.detail.target.inert = false; });

document.addEventListener("input", (event) => {
  if (event.target.form?.id === "rule-form") isUnsaved = true;
});
document.addEventListener("htmx:configRequest", (event) => {
  const act = event.detail.parameters.act;
  if (act && act !== "look") isUnsaved = true;
});
document.addEventListener("submit", () => { isUnsaved = false; });
addEventListener("beforeunload", (event) => { if (isUnsaved) event.preventDefault(); });
