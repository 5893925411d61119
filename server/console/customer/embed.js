// For other sites: <script src="https://CALLFLOOR/console/customer/embed.js" data-queue="1" defer></script>
// puts a button in the corner that opens the chat in a frame of its own.
(() => {
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const origin = new URL(script.src).origin;
  const query = new URLSearchParams();
  for (const key of ["organisation", "service", "queue", "language"]) if (script.dataset[key]) query.set(key, script.dataset[key]);
  /** @param {HTMLElement} element @param {Record<string, string>} rules */
  const style = (element, rules) => Object.assign(element.style, rules);
  const corner = { position: "fixed", right: "16px", zIndex: "2147483000" };
  const frame = document.createElement("iframe");
  frame.title = "Chat";
  style(frame, { ...corner, bottom: "80px", width: "min(380px, calc(100vw - 32px))", height: "min(560px, calc(100vh - 110px))",
    border: "1px solid #8886", borderRadius: "12px", boxShadow: "0 8px 32px #0005", display: "none", background: "#fff" });
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = script.dataset.label ?? "Chat";
  button.setAttribute("aria-expanded", "false");
  style(button, { ...corner, bottom: "16px", padding: "14px 22px", borderRadius: "99px", border: "0", background: "#0b6e5f",
    color: "#fff", font: "600 16px system-ui, sans-serif", cursor: "pointer", boxShadow: "0 4px 16px #0004" });
  button.addEventListener("click", () => {
    // Loaded at the first opening: a visitor who does not chat loads nothing.
    if (!frame.src) frame.src = `${origin}/chat?${query}`;
    const open = frame.style.display === "none";
    frame.style.display = open ? "block" : "none";
    button.setAttribute("aria-expanded", String(open));
    if (open) frame.focus();
  });
  document.body.append(frame, button);
})();
