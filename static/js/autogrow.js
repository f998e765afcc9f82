// Text boxes as high as their text. Browsers with `field-sizing: content` do it themselves.
if (!CSS.supports("field-sizing", "content")) {
  const fit = (box) => {
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight + box.offsetHeight - box.clientHeight}px`;
  };
  const fitAll = (root) => root.querySelectorAll?.("textarea[data-autogrow]").forEach(fit);
  document.addEventListener("input", (event) => event.target.matches("textarea[data-autogrow]") && fit(event.target));
  document.addEventListener("reset", (event) => setTimeout(() => fitAll(event.target)));
  document.addEventListener("htmx:load", (event) => fitAll(event.detail.elt.parentNode ?? document));
  fitAll(document);
}
