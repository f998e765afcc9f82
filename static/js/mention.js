// An @ in a text box marked [data-mentions] suggests people. The box stays a text box to a screen reader, for a list
// that comes and goes with what is typed does not make it another control: it is told of the list and of the choice.
import { announce, words } from "./announce.js";

const SHOWN = 8;
const BEGUN = /(?:^|[^\p{L}\p{N}_@])@([\p{L}\p{N}_.'’-]*(?: [\p{L}\p{N}_.'’-]*)?)$/u;
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

const people = new Map(); // address → its list
let open = null; // { box, list, start }
let isWriting = false; // a name of one word would suggest itself again
let asking = 0; // the latest keystroke: a list that comes too late, or after Esc, is nobody's

async function listOf(address) {
  if (!people.has(address)) {
    const answer = await fetch(address, { headers: { "HX-Request": "true" } });
    if (!answer.ok || answer.redirected) return null;
    people.set(address, await answer.text());
  }
  const holder = document.createElement("div");
  holder.innerHTML = people.get(address); // made by our own template, names escaped
  return holder.firstElementChild;
}

function begun(box) {
  if (box.selectionStart !== box.selectionEnd) return null;
  const found = BEGUN.exec(box.value.slice(0, box.selectionStart));
  return found && { typed: found[1], start: box.selectionStart - found[1].length - 1 };
}

async function suggest(box) {
  const here = begun(box);
  if (!here) return close();
  const mine = ++asking;
  if (open?.box !== box) {
    const list = await listOf(box.dataset.mentions).catch(() => null);
    if (!list || document.activeElement !== box || mine !== asking) return;
    close();
    show(box, list);
  }
  open.start = here.start;
  const typed = fold(here.typed).trim();
  const fits = (one) => {
    const name = fold(one.dataset.name);
    return name.startsWith(typed) || name.split(/\s+/).some((word) => word.startsWith(typed));
  };
  let found = 0;
  for (const one of open.list.children) {
    one.hidden = !(found < SHOWN && fits(one));
    found += !one.hidden;
  }
  if (!found) return close();
  choose(options()[0]);
  announce(found === 1 ? words.onePerson : words.people.replace("{n}", found));
}

function show(box, list) {
  list.id = `${box.id}-people`;
  [...list.children].forEach((one, at) => { one.id = `${list.id}-${at}`; });
  box.after(list);
  if (list.getBoundingClientRect().bottom > innerHeight - 8) list.classList.add("mentionable--up");
  box.setAttribute("aria-controls", list.id);
  open = { box, list, start: 0 };
}

function close() {
  asking += 1;
  if (!open) return;
  open.box.removeAttribute("aria-controls");
  open.box.removeAttribute("aria-activedescendant");
  open.list.remove();
  open = null;
}

const options = () => [...open.list.children].filter((one) => !one.hidden);
const chosen = () => options().find((one) => one.getAttribute("aria-selected") === "true");

function choose(option) {
  for (const one of open.list.children) one.setAttribute("aria-selected", String(one === option));
  open.box.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

function write(option) {
  const { box, start } = open;
  const end = box.selectionStart;
  close();
  box.setRangeText(`@${option.dataset.name} `, start, end, "end");
  isWriting = true;
  box.dispatchEvent(new Event("input", { bubbles: true }));
  isWriting = false;
  box.focus();
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-mentions]") && !event.isComposing && !isWriting) suggest(event.target);
});

// Before anybody else hears the key: Enter, Esc and the arrows are the list's while it is open.
document.addEventListener("keydown", (event) => {
  if (!open || event.target !== open.box || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = options();
  const at = all.indexOf(chosen());
  const acts = {
    ArrowDown: () => choose(all[(at + 1) % all.length]),
    ArrowUp: () => choose(all.at(at - 1)),
    Enter: () => write(all[at]),
    Tab: () => write(all[at]),
    Escape: close,
  };
  if (!Object.hasOwn(acts, event.key) || event.shiftKey) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  acts[event.key]();
}, true);

document.addEventListener("mousedown", (event) => {
  const option = open && event.target.closest?.(".mentionable > *");
  if (option && open.list.contains(option)) {
    event.preventDefault(); // the box keeps the focus
    write(option);
  }
});
document.addEventListener("focusout", (event) => { if (open?.box === event.target) close(); });
document.addEventListener("htmx:beforeSwap", (event) => { if (open && event.detail.target?.contains(open.box)) close(); });
