// Fields edited where they stand: Enter and leaving save what differs, Esc restores what was there.
const formOf = (target) => target.closest?.("form[data-inline-edit]");
const controls = (form) => [...form.elements].filter((one) => one.name && one.type !== "hidden");

function differs(form) {
  return controls(form).some((one) => {
    if (one.type === "checkbox" || one.type === "radio") return one.checked !== one.defaultChecked;
    if (one.tagName === "SELECT") return [...one.options].some((option) => option.selected !== option.defaultSelected);
    return one.value !== one.defaultValue;
  });
}

function save(form) {
  if (form.dataset.saving === "" || !differs(form)) return;
  if (!form.reportValidity()) return;
  form.dataset.saving = "";
  form.requestSubmit();
}

document.addEventListener("keydown", (event) => {
  const form = formOf(event.target);
  if (!form || event.isComposing) return;
  if (event.key === "Escape") {
    event.stopPropagation();
    form.reset();
    form.dispatchEvent(new CustomEvent("restored", { bubbles: true }));
    event.target.blur();
  }
  if (event.key === "Enter" && (event.target.tagName !== "TEXTAREA" || event.ctrlKey || event.metaKey || "enterSaves" in event.target.dataset)) {
    if (event.shiftKey || event.target.matches("button, a")) return;
    event.preventDefault();
    if (differs(form)) save(form);
    else event.target.blur();
  }
});

document.addEventListener("focusout", (event) => {
  const form = formOf(event.target);
  if (!form || form.contains(event.relatedTarget)) return;
  if (differs(form)) save(form);
  else form.dispatchEvent(new CustomEvent("restored", { bubbles: true }));
});

document.addEventListener("change", (event) => {
  const form = formOf(event.target);
  if (form && event.target.matches("select, input[type=checkbox], input[type=radio], input[type=date]")) {
    // A date typed by keyboard changes with every figure; it waits for Enter or leaving.
    if (event.target.type !== "date") save(form);
  }
});

// An answer that failed leaves the typed value in place and may be sent again.
document.addEventListener("htmx:afterRequest", (event) => {
  const form = formOf(event.detail.elt);
  if (form) delete form.dataset.saving;
});
