// The calendar: its dialog and the notice about one appointment close when something was saved.
const dialog = document.getElementById("appointment-dialog");

document.body.addEventListener("calendar-changed", () => {
  dialog?.close();
  document.querySelector("#calendar [popover]:popover-open")?.hidePopover();
});

// A slot of the week. By data-opens the button would lose the focus before htmx has asked which one it was.
document.addEventListener("submit", (event) => {
  if (event.target.id === "book-at") dialog.showModal();
});

// The notice is read whenever it opens; closing it tells the same.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.matches(".about:not(:popover-open)")) event.preventDefault();
});

dialog?.addEventListener("close", () => document.getElementById("appointment-form").replaceChildren());
