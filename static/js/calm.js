// The calm swap: a part becomes what the answer says while everything that stays the same stays where it is, the focus,
// a selection and the scroll with it. What somebody is busy with is left alone. Used by whatever refreshes by itself.
const WRITES = "textarea, select, input:not([type=hidden], [type=checkbox], [type=radio], [type=search])";
const EDITORS = "form[data-editor], .note__form, .task--editing > form";
// The smallest things that are left alone as a whole.
const UNITS = 'form, details.menu, .note, .task, [data-calm-unit], .field:has([aria-invalid="true"])';
const LINGERS = ".line--done"; // with its Undo, until the page is left
// What scripts and browsers set, and no answer knows.
const KEPT = new Set(["open", "hidden", "style", "aria-current", "aria-selected", "aria-expanded", "data-cursor", "data-started"]);

export function differs(control) {
  if (control.tagName === "SELECT") {
    const options = [...control.options];
    // Without a chosen one among its options a browser shows the first.
    if (!control.multiple && !options.some((option) => option.defaultSelected)) return control.selectedIndex > 0;
    return options.some((option) => option.selected !== option.defaultSelected);
  }
  return control.value !== control.defaultValue;
}

export function isBusy(part) {
  const focused = document.activeElement;
  if (part.contains(focused) && focused.matches(WRITES)) return true;
  if (part.matches("details.menu[open]") || part.querySelector("details.menu[open]")) return true;
  if (part.matches(EDITORS) || part.querySelector(`${EDITORS}, [aria-invalid="true"]`)) return true;
  const controls = part.matches(WRITES) ? [part] : [...part.querySelectorAll(WRITES)];
  return controls.some((control) => !control.closest(".composer") && control.offsetParent && differs(control));
}

// --- the swap itself --------------------------------------------------------------------------------------------------
class Swap {
  constructor(root) {
    this.known = new Map([...root.querySelectorAll("[id]")].map((one) => [one.id, one]));
    this.left = false;
    this.fresh = []; // elements that were not here before
    this.moved = []; // elements whose htmx attributes have changed
  }

  settle(old, next) {
    if (old.isEqualNode(next)) return;
    if (old.matches(UNITS) && isBusy(old)) {
      this.left = true;
      return;
    }
    const untouched = old.matches("input, textarea, select") && !(old.type === "checkbox" || old.type === "radio" ? old.checked !== old.defaultChecked : differs(old));
    this.attributes(old, next);
    if (old.hasAttribute("data-calm-keep")) return;
    this.children(old, next);
    if (untouched) {
      if (next.type === "checkbox" || next.type === "radio") old.checked = next.checked;
      else if (old.value !== next.value) old.value = next.value;
    }
  }

  attributes(old, next) {
    let isMoved = false;
    for (const { name } of [...old.attributes]) {
      if (next.hasAttribute(name) || KEPT.has(name)) continue;
      old.removeAttribute(name);
      isMoved ||= name.startsWith("hx-");
    }
    for (const { name, value } of next.attributes) {
      if (old.getAttribute(name) === value || (KEPT.has(name) && name !== "hidden" && old.hasAttribute(name))) continue;
      old.setAttribute(name, value);
      isMoved ||= name.startsWith("hx-");
    }
    if (isMoved) this.moved.push(old);
  }

  children(old, next) {
    const stays = new Set([...next.children].map((child) => child.id).filter(Boolean));
    for (const child of [...old.children]) if (child.id && !stays.has(child.id)) this.remove(child);
    let at = old.firstChild;
    for (const child of [...next.childNodes]) {
      while (at?.id && !stays.has(at.id)) at = at.nextSibling; // left alone: what stays keeps its place beside it
      const match = child.id ? this.known.get(child.id) : this.alike(at, child);
      if (match && match.nodeName === child.nodeName) {
        if (match === at) at = at.nextSibling;
        else place(match, old, at);
        if (match.nodeType === Node.ELEMENT_NODE) this.settle(match, child);
        else if (match.data !== child.data) match.data = child.data;
      } else {
        // Made anew level by level: what it holds may stand elsewhere already.
        const made = child.cloneNode(child.nodeType !== Node.ELEMENT_NODE || !this.holdsKnown(child));
        old.insertBefore(made, at);
        if (made.nodeType !== Node.ELEMENT_NODE) continue;
        if (made.childNodes.length !== child.childNodes.length) this.children(made, child);
        this.fresh.push(made);
      }
    }
    while (at) {
      const after = at.nextSibling;
      this.remove(at);
      at = after;
    }
  }

  // Without an id the place counts: the next node, if it is of the same kind.
  alike(at, child) {
    const isSame = at && !at.id && at.nodeType === child.nodeType && at.nodeName === child.nodeName;
    return isSame ? at : null;
  }

  holdsKnown(child) {
    return [...child.querySelectorAll("[id]")].some((one) => this.known.has(one.id));
  }

  remove(node) {
    if (node.nodeType === Node.ELEMENT_NODE) {
      if (node.matches(LINGERS)) return;
      const units = [node, ...node.querySelectorAll(UNITS)].filter((one) => one.matches(UNITS));
      if (units.some(isBusy)) {
        this.left = true;
        return;
      }
    }
    node.remove();
  }
}

// One element becomes as another says, outside of any answer of htmx.
export function become(old, next) {
  const swap = new Swap(old);
  swap.settle(old, next);
  for (const one of [...swap.moved, ...swap.fresh]) if (one.isConnected) htmx.process(one);
}

// Moving takes the focus away, except where the browser can move without.
function place(node, parent, before) {
  if (parent.moveBefore && node.isConnected && parent.isConnected) return parent.moveBefore(node, before);
  const focused = node.contains(document.activeElement) ? document.activeElement : null;
  parent.insertBefore(node, before);
  focused?.focus({ preventScroll: true });
}

// What has the focus does not move, whatever comes or goes above it: the rest scrolls around it.
function holdFocused(target) {
  const focused = document.activeElement;
  if (!focused || focused === document.body || !target.contains(focused)) return () => {};
  let scroller = focused.parentElement;
  while (scroller && !(scroller.scrollHeight > scroller.clientHeight && /auto|scroll/.test(getComputedStyle(scroller).overflowY))) scroller = scroller.parentElement;
  scroller ??= document.scrollingElement;
  const top = focused.getBoundingClientRect().top;
  scroller.style.overflowAnchor = "none"; // or the browser would do it once more
  return () => {
    scroller.scrollTop += focused.getBoundingClientRect().top - top;
    requestAnimationFrame(() => requestAnimationFrame(() => { scroller.style.overflowAnchor = ""; }));
  };
}

htmx.defineExtension("calm", {
  isInlineSwap: (style) => style === "calm",
  handleSwap(style, target, fragment, settling) {
    if (style !== "calm") return false;
    const next = fragment.firstElementChild;
    if (!next) {
      target.remove();
      return [];
    }
    const swap = new Swap(target);
    const hold = holdFocused(target);
    swap.settle(target, next);
    hold();
    settling.elts.push(target);
    for (const one of swap.moved) if (one.isConnected) htmx.process(one);
    if (swap.left) document.dispatchEvent(new CustomEvent("calm:left", { detail: { part: target } }));
    return next.hasAttribute("data-announce") ? [target] : swap.fresh;
  },
});

// A person's own act replaces its part; what comes by itself does not.
const ACTS = ["click", "submit", "change", "input", "keyup", "keydown", "search"];
document.addEventListener("htmx:beforeSwap", (event) => {
  const { requestConfig, target, shouldSwap, swapOverride } = event.detail;
  const cause = requestConfig?.triggeringEvent?.type;
  if (!shouldSwap || ACTS.includes(cause) || !target?.isConnected) return;
  if (cause === "live" || target.closest("[data-live-on], .columns, .contact-head")) {
    // An answer that goes into a part, instead of taking its place, has nothing to be compared with.
    const style = swapOverride ?? requestConfig?.elt?.closest("[hx-swap]")?.getAttribute("hx-swap") ?? "innerHTML";
    if (style.startsWith("outerHTML")) event.detail.swapOverride = "calm";
  }
});
// Whatever took the place of the part that asked is newer than an answer that names its own target.
const dropLate = (event) => {
  if (!event.target.isConnected && event.detail.xhr.getResponseHeader("HX-Retarget")) event.preventDefault();
};
document.addEventListener("htmx:beforeRequest", ({ detail }) => detail.elt.addEventListener("htmx:beforeOnLoad", dropLate));
