// The bell asks again when something was done from it; a notice that was answered leaves.
document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.successful || !event.target.closest?.(".bell, .toast--reminder")) return;
  if (event.detail.requestConfig.verb === "post") htmx.trigger(document.body, "reminders-changed");
});
