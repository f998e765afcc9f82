// Who signs out leaves the page. What else it asks for meanwhile is answered "sign in first", and going there would call
// the way out back.
document.addEventListener("submit", (event) => {
  if (!event.target.querySelector("[data-sign-out]")) return;
  for (const step of ["htmx:beforeRequest", "htmx:beforeOnLoad"]) document.addEventListener(step, (late) => late.preventDefault(), true);
});
