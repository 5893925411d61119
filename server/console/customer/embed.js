// For other sites: <script src="https://CALLFLOOR/console/customer/embed.js" data-service="0" defer></script>
// puts a button in the corner that opens the chat in a frame of its own; data-page="inquiry" the inquiry form, "help" the help centre.
(() => {
  // A module has no current script.
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript ?? document.querySelector('script[src*="/console/customer/embed.js"]'));
  if (!script) return;
  const { origin } = new URL(script.src);
  const { page = "chat", ...of } = script.dataset;
  const query = new URLSearchParams();
  const own = of.language ?? (document.documentElement.lang || navigator.language);
  const language = own.toLowerCase().startsWith("ja") ? "ja" : "en";
  for (const key of ["organisation", "service", "queue"]) if (of[key]) query.set(key, String(of[key]));
  query.set("language", language);
  query.set("site", location.origin);
  if (page === "inquiry") query.set("view", "inquiry");
  const words = {
    chat: { en: "Chat", ja: "チャット" },
    inquiry: { en: "Write to us", ja: "お問い合わせ" },
    help: { en: "Help", ja: "ヘルプ" },
  }[page] ?? { en: "Chat", ja: "チャット" };
  const label = of.label ?? words[language];
  /** @param {HTMLElement} element @param {Record<string, string>} rules */
  const style = (element, rules) => Object.assign(element.style, rules);
  const corner = { position: "fixed", right: "16px", zIndex: "2147483000" };

  // Behind a shadow root the site's own styles do not reach what is ours, nor ours what is the site's.
  const host = document.createElement("div");
  host.dataset.callfloor = page;
  const root = host.attachShadow({ mode: "open" });
  const frame = document.createElement("iframe");
  frame.title = label;
  frame.referrerPolicy = "no-referrer";
  style(frame, { ...corner, bottom: "80px", width: "min(400px, calc(100vw - 32px))", height: "min(600px, calc(100vh - 110px))",
    border: "1px solid #8886", borderRadius: "12px", boxShadow: "0 8px 32px #0005", display: "none", background: "Canvas" });
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.setAttribute("aria-expanded", "false");
  style(button, { ...corner, bottom: "16px", padding: "14px 22px", borderRadius: "99px", border: "0", background: "#0b6e5f",
    color: "#fff", font: "600 16px system-ui, sans-serif", cursor: "pointer", boxShadow: "0 4px 16px #0004" });
  /** @param {boolean} open */
  const show = (open) => {
    // Loaded at the first opening: a visitor who does not ask loads nothing.
    if (open && !frame.src) {
      frame.src = `${origin}/${page === "chat" ? "chat" : "help"}?${query}`;
      root.prepend(frame);
    }
    frame.style.display = open ? "block" : "none";
    button.setAttribute("aria-expanded", String(open));
    (open ? frame : button).focus();
  };
  button.addEventListener("click", () => show(frame.style.display === "none"));
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && frame.style.display !== "none") show(false);
  });
  // Browsers give a frame of another site nothing to keep: what opens the chat again after a reload is kept here, for this tab.
  /** @param {string} key @param {string | null} [value] */
  const keep = (key, value) => {
    try {
      if (value === undefined) return sessionStorage.getItem(key);
      if (value === null) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, value);
    } catch {
      // A site without storage: a reload begins anew.
    }
    return null;
  };
  addEventListener("message", (event) => {
    if (event.origin !== origin || event.source !== frame.contentWindow) return;
    if (event.data === "callfloor-close") show(false);
    const { callfloor, key, value } = event.data ?? {};
    // The frame has its own keys, one for each service, and nothing else that the site keeps.
    if (!String(key).startsWith("callfloor-chat ")) return;
    if (callfloor === "keep") keep(key, value);
    else if (callfloor === "ask") frame.contentWindow?.postMessage({ callfloor: "kept", key, value: keep(key) }, origin);
  });
  root.append(button);
  const put = () => document.body.append(host);
  if (document.body) put();
  else addEventListener("DOMContentLoaded", put);
})();
