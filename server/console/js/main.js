// The console: sign in, the frame, the pages of a role.

import { onSignedOut } from "./api.js";
import { h, field, values, replace } from "./element.js";
import { show, tell, wordsOf } from "./dialog.js";
import { ownPasswordDialog } from "./own-password.js";
import { names, resume, signIn, signOut, stream, who } from "./session.js";
import { language, speak, t } from "./words.js";
import { Phone } from "./phone/phone.js";
import { pages } from "./pages.js";

/** @typedef {{key: string, roles: string[], open: (into: HTMLElement, rest: string[]) => void | (() => void)}} Page */

const THEME = "callfloor-theme";
/** @type {(() => void) | void} */
let leavePage;
/** @type {Phone | null} */
let phone = null;

function applyTheme() {
  const theme = localStorage.getItem(THEME);
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

function switchTheme() {
  const dark = document.documentElement.dataset.theme === "dark"
    || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  localStorage.setItem(THEME, dark ? "light" : "dark");
  applyTheme();
}

function switchLanguage() {
  speak(language() === "ja" ? "en" : "ja");
  begin();
}

const languageButton = () => h("button.quiet", { type: "button", lang: language() === "ja" ? "en" : "ja", onclick: switchLanguage }, t("language"));
const themeButton = () => h("button.quiet", { type: "button", "aria-label": t("theme"), title: t("theme"), onclick: switchTheme }, "◐");

/** @param {string} [notice] */
function showSignIn(notice) {
  stop();
  const wrong = h("p.wrong", { role: "alert", hidden: !notice }, notice ?? "");
  const form = /** @type {HTMLFormElement} */ (h("form.sign-in", null,
    h("h1", null, h("img", { src: "/console/icon.svg", alt: "", width: 32, height: 32 }), "Callfloor"),
    field(t("login"), h("input", { name: "login", autocomplete: "username", required: true, autofocus: true, maxlength: 60 })),
    field(t("password"), h("input", { name: "password", type: "password", autocomplete: "current-password", required: true, maxlength: 256 })),
    field(t("organisation"), h("input", { name: "organisation", autocomplete: "organization", maxlength: 32 }), t("organisation.hint")),
    wrong,
    h("button.primary", { type: "submit" }, t("sign-in")),
    h("p.choices", null, languageButton(), themeButton())));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { login, password, organisation } = values(form);
    const button = /** @type {HTMLButtonElement} */ (form.querySelector("button.primary"));
    button.disabled = true;
    try {
      await signIn({ login, password, ...(organisation ? { organisation } : {}) });
      await showConsole();
    } catch (problem) {
      wrong.hidden = false;
      wrong.textContent = wordsOf(problem);
      button.disabled = false;
    }
  });
  replace(document.body, form, document.querySelector(".messages"));
  /** @type {HTMLInputElement} */ (form.elements.namedItem("login")).focus();
}

function stop() {
  leavePage?.();
  leavePage = undefined;
  phone?.stop();
  phone = null;
  stream.stop();
}

async function showConsole() {
  const { role, operator, login } = who();
  const mine = pages.filter((page) => page.roles.includes(role));
  const banner = h("p.banner", { role: "status", hidden: true }, t("no-connection"));
  const main = h("main", { id: "main", tabindex: -1 });
  const links = mine.map((page) => h("a", { href: `#/${page.key}`, data: { page: page.key } }, t(`page.${page.key}`)));
  const nav = h("nav", { "aria-label": t("menu") }, links);
  const side = h("aside", { "aria-label": t("phone"), hidden: operator === null });
  const top = h("header.top", null,
    h("a.mark", { href: "#/", "aria-label": "Callfloor" }, h("img", { src: "/console/icon.svg", alt: "", width: 28, height: 28 })),
    nav,
    h("button.quiet.who", { type: "button", title: `${t(`role.${role}`)} · ${t("own-password")}`, data: { key: "own-password" }, onclick: ownPasswordDialog }, login),
    languageButton(), themeButton(),
    h("button.quiet", { type: "button", onclick: leave }, t("sign-out")));
  replace(document.body, h("a.skip", { href: "#main" }, t("menu")), top, banner, h("div.columns", null, main, side), document.querySelector(".messages"));
  document.documentElement.lang = language();

  stream.addEventListener("lost", () => { banner.hidden = false; });
  stream.addEventListener("live", () => { banner.hidden = true; });
  stream.addEventListener("signed-out", () => showSignIn(t("session-over")), { once: true });

  await names.load().catch((problem) => tell(wordsOf(problem), "bad"));
  let after = null;
  if (operator !== null) {
    phone = new Phone(side, operator);
    after = await phone.load();
  }
  if (!["auditor", "server-administrator"].includes(role)) stream.start(after);

  // On a narrow screen the menu is wider than its place: the page that is open is in sight.
  const showCurrent = () => {
    const current = /** @type {HTMLElement | null} */ (nav.querySelector("[aria-current]"));
    if (current) nav.scrollLeft = current.offsetLeft - nav.offsetLeft - (nav.clientWidth - current.offsetWidth) / 2;
  };
  new ResizeObserver(showCurrent).observe(nav);
  const turn = () => {
    leavePage?.();
    leavePage = undefined;
    const [key, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
    const page = mine.find((it) => it.key === key) ?? (key === "" ? mine[0] : undefined);
    for (const link of links) {
      if (link.dataset.page === page?.key) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    showCurrent();
    document.title = page ? `${t(`page.${page.key}`)} · Callfloor` : "Callfloor";
    if (!page) return replace(main, h("p.failed", null, t("page.not-yours")));
    replace(main, h("p.loading", null, t("loading")));
    leavePage = page.open(main, rest);
  };
  onhashchange = turn;
  turn();
}

async function leave() {
  stop();
  await signOut();
  onhashchange = null;
  showSignIn();
}

async function begin() {
  stop();
  document.documentElement.lang = language();
  const root = h("div");
  replace(document.body, root, document.querySelector(".messages"));
  await show(root, async () => {
    if (await resume()) await showConsole();
    else showSignIn();
    return [];
  });
}

onSignedOut(() => {
  if (document.querySelector("form.sign-in")) return;
  for (const open of document.querySelectorAll("dialog")) open.remove();
  showSignIn(t("session-over"));
});

applyTheme();
begin();

