// The calendar: its dialog and the notice about one appointment close when something was saved.
const dialog = document.getElementById("appointment-dialog");

document.body.addEventListener("calendar-changed", () => {
  dialog?.close();
  document.querySelector("#calendar [popover]:popover-open")?.hidePopover();
});

// The notice is read whenever it opens; closing it tells the same.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.matches(".about:not(:popover-open)")) event.preventDefault();
});

dialog?.addEventListener("close", () => document.getElementById("appointment-form").replaceChildren());
