// Find a field: filters by name and value while typing. Empty fields, which the page leaves out, are fetched for it.
let words = "";
const panel = () => document.getElementById("panel-fields");
const valueOf = (field) => [...field.querySelectorAll(".field__input")].map((one) => one.value ?? "").join(" ");

function filter() {
  const fields = panel();
  if (!fields) return;
  let found = 0;
  for (const field of fields.querySelectorAll(".field")) {
    field.hidden = !`${field.dataset.find ?? ""} ${valueOf(field)}`.toLowerCase().includes(words);
    found += !field.hidden && (words !== "" || !field.closest("#fields-hidden"));
  }
  for (const group of fields.querySelectorAll("[data-find-group]")) group.hidden = !group.querySelector(".field:not([hidden])");
  const left = fields.querySelector("#fields-hidden");
  if (left) left.hidden = words === "";
  const foot = fields.querySelector(".fields-foot");
  if (foot) foot.hidden = words !== "";
  fields.querySelector("[data-find-none]").hidden = found > 0 || words === "";
}

document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-find-field]")) return;
  words = event.target.value.trim().toLowerCase();
  filter();
  // One that was filled in meanwhile belongs among the others now.
  const filled = [...document.querySelectorAll("#fields-hidden .field")].some((field) => valueOf(field).trim());
  if (!words && filled) htmx.trigger(panel(), "contact-refreshed");
});

document.addEventListener("keydown", (event) => {
  if (!event.target.matches?.("[data-find-field]")) return;
  if (event.key === "Escape" && event.target.value) {
    event.stopPropagation();
    event.target.value = "";
    event.target.dispatchEvent(new Event("input", { bubbles: true }));
  } else if (event.key === "Escape") {
    event.target.blur();
  } else if (event.key === "Enter" || event.key === "ArrowDown") {
    event.preventDefault();
    const boxes = [...panel().querySelectorAll(".field:not([hidden]) :is(.field__input, .field__lock)")];
    boxes.find((one) => one.offsetParent)?.focus();
  }
});

// The panel or the empty fields have come anew: what was looked for still counts.
document.addEventListener("htmx:afterSwap", (event) => {
  if (!words || !event.target.closest?.("#panel-fields, .columns__fields")) return;
  const box = panel()?.querySelector("[data-find-field]");
  if (box && !box.value) box.value = words;
  filter();
});
