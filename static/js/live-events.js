// One stream of announcements for all tabs of a browser. One tab holds it, chosen by a lock; the others hear through it.
// Pages hear of it as events of the document: live:changed (what has changed) and live:missed (something may have).
const { liveStream: address, liveUser: user, liveSince } = document.body.dataset;
const HIDDEN_FOR_MS = 5 * 60_000; // then a page nobody looks at lets go
const SILENT_MS = 50_000; // the server says something every 20 s
const SHORTEST_MS = 1000, LONGEST_MS = 60_000;
const REMEMBERED_S = 20; // for a tab that was being opened meanwhile

export const tab = Math.random().toString(36).slice(2, 12);
const channel = address && "BroadcastChannel" in window ? new BroadcastChannel(`live-${user}`) : null;
let source = null;
let hears = false;
let heardAt = 0;
let lately = [];
let since = Number(liveSince); // by the server's clock: what is older stands on this page, or has been heard

// Whether announcements come at present. If not, pages ask by themselves.
export const isOn = () => hears && Date.now() - heardAt < SILENT_MS;

// The server names this tab in what it announces, so that nobody hears an echo of what they did themselves.
document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-Tab"] = tab; });

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

function take({ kind, data }) {
  heardAt = Date.now();
  if (kind === "ready" || kind === "beat") {
    const was = hears;
    hears = data.on;
    if (hears && !was && kind === "ready" && data.again) tell("live:missed");
  }
  if (kind === "change") {
    since = data.at;
    tell("live:changed", data);
  }
  if (kind === "missed") tell("live:missed");
  if (kind === "over") hears = false;
  document.documentElement.toggleAttribute("data-live-on-air", hears);
}

// --- the tab that holds the stream --------------------------------------------------------------------------------
let wait = SHORTEST_MS;
let timer = 0;
let wasReady = false;
let isOver = false;

function share(kind, data) {
  if (kind === "change") lately = [...lately.filter((one) => data.at - one.at < REMEMBERED_S), data];
  channel?.postMessage({ kind, data });
  take({ kind, data });
}

function open() {
  shut();
  if (isOver) return;
  source = new EventSource(`${address}?since=${since}`);
  for (const kind of ["ready", "beat", "change", "missed"]) {
    source.addEventListener(kind, (event) => {
      const data = JSON.parse(event.data);
      if (kind === "ready") {
        data.again = wasReady;
        wasReady = true;
        wait = SHORTEST_MS;
      }
      share(kind, data);
    });
  }
  source.addEventListener("over", (event) => {
    const { reason } = JSON.parse(event.data);
    shut();
    share("over", { reason });
    if (reason === "restart") later();
    else { // signed out, or too many streams: ask as before, and let another tab try
      isOver = true;
      letGo();
    }
  });
  source.addEventListener("error", () => {
    shut();
    share("over", { reason: "lost" });
    later();
  });
}

// By ourselves: a browser gives up for good after one answer of a proxy whose server is being restarted.
function later() {
  clearTimeout(timer);
  timer = setTimeout(open, wait * (0.5 + Math.random() / 2));
  wait = Math.min(wait * 2, LONGEST_MS);
}

function shut() {
  clearTimeout(timer);
  source?.close();
  source = null;
}

// A line that died without a word.
setInterval(() => { if (source && heardAt && Date.now() - heardAt > SILENT_MS) open(); }, 10_000);

// --- who holds it -------------------------------------------------------------------------------------------------
let release = null;
let waiting = null;

function begin() {
  // Addresses without https have no locks: then each tab has a stream of its own.
  if (!navigator.locks || !channel) return open();
  waiting = new AbortController();
  const held = () => new Promise((resolve) => { release = resolve; open(); });
  navigator.locks.request(`live-${user}`, { signal: waiting.signal }, held).catch(() => { /* it was let go before */ });
}

function letGo() {
  waiting?.abort();
  release?.();
  waiting = release = null;
  shut();
}

if (channel) {
  channel.addEventListener("message", ({ data: message }) => {
    if (message.kind === "hello") {
      if (!source) return;
      channel.postMessage({ kind: "told", to: message.from, on: hears, missed: lately.filter((one) => one.at >= message.since) });
    } else if (message.kind === "told") {
      if (message.to !== tab) return;
      take({ kind: "ready", data: { on: message.on } });
      for (const data of message.missed) take({ kind: "change", data });
    } else take(message);
  });
}

let hiding = 0;
let isResting = false;

function rest() {
  isResting = true;
  hears = false;
  letGo();
}

function wake() {
  if (!isResting) return;
  isResting = false;
  begin();
  tell("live:missed");
}

if (address) {
  begin();
  channel?.postMessage({ kind: "hello", from: tab, since });
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(rest, HIDDEN_FOR_MS);
    else wake();
  });
  addEventListener("pagehide", rest);
  addEventListener("pageshow", (event) => event.persisted && wake());
}
