// The inquiry form: what the service asks for, files, and the receipt. It is sent once, however often the network fails.

import { h, field, replace, select, values } from "../js/element.js";
import { addWords, t } from "../js/words.js";
import { customInput } from "../js/pages/tickets/inputs.js";
import { ask, number, pageAddress, sendInTurn } from "./customer.js";
import { ownAddress } from "./own.js";

addWords({
  "inquiry.name": ["Your name", "お名前"],
  "inquiry.email": ["E-mail", "メールアドレス"],
  "inquiry.phone": ["Telephone", "電話番号"],
  "inquiry.reach": ["We need one of the two to answer you.", "ご連絡のため、どちらか一つは必須です。"],
  "inquiry.category": ["What is it about?", "お問い合わせの種類"],
  "inquiry.choose": ["Please choose", "選択してください"],
  "inquiry.subject": ["Subject", "件名"],
  "inquiry.text": ["Your question", "お問い合わせ内容"],
  "inquiry.files": ["Files", "添付ファイル"],
  "inquiry.files.hint": ["At most {most}, {one} MB each and {all} MB together", "最大{most}件、1件{one}MB、合計{all}MBまで"],
  "inquiry.too-many": ["At most {most} files can be sent.", "添付できるのは{most}件までです。"],
  "inquiry.too-large": ["{name} is larger than {one} MB.", "{name} は{one}MBを超えています。"],
  "inquiry.too-much": ["The files together are larger than {all} MB.", "添付ファイルの合計が{all}MBを超えています。"],
  "inquiry.empty-file": ["{name} is empty.", "{name} は空のファイルです。"],
  "inquiry.unreadable": ["{name} cannot be read.", "{name} を読み込めません。"],
  "inquiry.send": ["Send", "送信"],
  "inquiry.sending": ["Sending …", "送信中…"],
  "inquiry.trap": ["Leave this empty", "入力しないでください"],
  "inquiry.received": ["We have received your inquiry", "お問い合わせを受け付けました"],
  "inquiry.number": ["Receipt number", "受付番号"],
  "inquiry.received.text": ["Please keep this number. We will answer by e-mail or telephone, or here:", "この番号をお控えください。メール・お電話、または下記のページでご連絡します。"],
  "inquiry.own": ["Your inquiry and our answers", "お問い合わせの状況と回答"],
  "inquiry.own.hint": ["Keep this address to yourself: whoever has it reads your inquiry.", "このアドレスを知る人は内容を閲覧できます。他の人に知らせないでください。"],
  "inquiry.another": ["Write another", "別のお問い合わせ"],
});

/** @param {string} key @param {Record<string, string | number>} of */
function say(key, of) {
  return Object.entries(of).reduce((text, [name, value]) => text.replace(`{${name}}`, String(value)), t(key));
}

/** @param {any[]} categories @returns {[number, string][]} */
function options(categories) {
  return categories.map((it) => {
    const path = [it.name];
    for (let up = it.under, n = 0; up && n < 6; n += 1) {
      const above = categories.find((other) => other.category === up);
      if (above) path.unshift(above.name);
      up = above?.under;
    }
    return /** @type {[number, string]} */ ([it.category, path.join(" / ")]);
  });
}

/** A file in Base64. @param {File} file @returns {Promise<string>} */
function content(file) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result).replace(/^[^,]*,/, ""));
    reader.onerror = () => failed(new Error(say("inquiry.unreadable", { name: file.name })));
    reader.readAsDataURL(file);
  });
}

/** The form as the service has it now. @param {string} formPath @param {string} inquiriesPath @returns {Promise<HTMLElement>} */
export async function inquiryForm(formPath, inquiriesPath) {
  let given = await ask("GET", formPath);
  let since = Date.now();
  const mb = (/** @type {number} */ bytes) => Math.floor(bytes / (1 << 20));
  const sizes = { most: given.most_files, one: mb(given.largest_file), all: mb(given.largest_files) };
  const files = /** @type {HTMLInputElement} */ (h("input", { type: "file", name: "files", multiple: true }));
  const wrong = h("p.wrong", { role: "alert", hidden: true });
  const send = /** @type {HTMLButtonElement} */ (h("button.primary", { type: "submit", data: { key: "send" } }, t("inquiry.send")));
  const place = h("div");
  const categories = options(given.categories);
  const form = /** @type {HTMLFormElement} */ (h("form.inquiry", { "aria-label": t("help.inquiry"), onsubmit: submit },
    field(t("inquiry.name"), h("input", { name: "name", required: true, maxlength: 100, autocomplete: "name" })),
    h("div.two", { role: "group", "aria-describedby": "reach" },
      field(t("inquiry.email"), h("input", { name: "email", type: "email", maxlength: 254, autocomplete: "email" })),
      field(t("inquiry.phone"), h("input", { name: "phone", type: "tel", maxlength: 32, autocomplete: "tel" }))),
    h("p.small", { id: "reach" }, t("inquiry.reach")),
    categories.length > 0 && field(t("inquiry.category"), select({ name: "category" }, [["", t("inquiry.choose")], ...categories])),
    field(t("inquiry.subject"), h("input", { name: "subject", required: true, maxlength: 200, autocomplete: "off" })),
    field(t("inquiry.text"), h("textarea", { name: "text", required: true, rows: 7, maxlength: 20_000 })),
    given.fields.map((/** @type {any} */ it) => field(it.name, customInput(it, { name: `field-${it.field}` }))),
    field(t("inquiry.files"), files, say("inquiry.files.hint", sizes)),
    // People do not see it; programs that fill in everything fill it in.
    h("div.trap", { "aria-hidden": "true" }, h("label", null, t("inquiry.trap"), h("input", { name: "website", tabindex: -1, autocomplete: "off" }))),
    wrong, send));
  const reach = /** @type {HTMLInputElement[]} */ (["email", "phone"].map((name) => form.elements.namedItem(name)));
  for (const input of reach) input.addEventListener("input", () => reach[0].setCustomValidity(""));

  /** What is wrong with the files that were chosen. @param {File[]} chosen */
  function filesAreWrong(chosen) {
    if (chosen.length > given.most_files) return say("inquiry.too-many", sizes);
    const empty = chosen.find((file) => file.size === 0);
    if (empty) return say("inquiry.empty-file", { name: empty.name });
    const large = chosen.find((file) => file.size > given.largest_file);
    if (large) return say("inquiry.too-large", { ...sizes, name: large.name });
    return chosen.reduce((sum, file) => sum + file.size, 0) > given.largest_files ? say("inquiry.too-much", sizes) : "";
  }

  async function body() {
    const { name, email, phone, category, subject, text, website, ...rest } = values(form);
    const attachments = await Promise.all([...(files.files ?? [])].map(async (file) => ({
      name: file.name.slice(-100), media_type: /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(file.type) ? file.type : "application/octet-stream", base64: await content(file),
    })));
    const fields = Object.fromEntries(Object.entries(rest).filter(([key, value]) => key.startsWith("field-") && value !== "" && value !== false)
      .map(([key, value]) => [key.slice(6), String(value)]));
    return {
      from: { name, email: email.trim() || null, phone: phone.trim() || null },
      subject, text, category: category ? Number(category) : null, fields, attachments, website,
    };
  }

  /** Sends it; a form that was forgotten or is too old is replaced by another. @param {any} filledIn */
  async function deliver(filledIn) {
    for (let again = 0; ; again += 1) {
      await new Promise((done) => setTimeout(done, Math.max(0, since + given.wait_ms + 100 - Date.now())));
      try {
        return await sendInTurn(() => ask("POST", inquiriesPath, { ...filledIn, form: given.form }), (text) => {
          wrong.hidden = text === "";
          wrong.textContent = text;
        });
      } catch (problem) {
        if (/** @type {any} */ (problem).problem?.rule !== "stale-form" || again > 0) throw problem;
        given = await ask("GET", formPath);
        since = Date.now();
      }
    }
  }

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    wrong.hidden = true;
    const sent = await body().catch((/** @type {Error} */ problem) => problem);
    if (sent instanceof Error) return refuse(sent.message);
    if (!sent.from.email && !sent.from.phone) {
      reach[0].setCustomValidity(t("inquiry.reach"));
      reach[0].reportValidity();
      return;
    }
    const unfit = filesAreWrong([...(files.files ?? [])]);
    if (unfit) return refuse(unfit);
    send.disabled = true;
    send.textContent = t("inquiry.sending");
    try {
      receipt(await deliver(sent));
    } catch (problem) {
      refuse(/** @type {Error} */ (problem).message);
    } finally {
      send.disabled = false;
      send.textContent = t("inquiry.send");
    }
  }

  /** @param {string} text */
  function refuse(text) {
    wrong.textContent = text;
    wrong.hidden = false;
    wrong.scrollIntoView({ block: "nearest" });
  }

  /** @param {{inquiry: number}} made */
  function receipt(made) {
    const title = h("h2", { tabindex: -1 }, t("inquiry.received"));
    replace(place, h("div.receipt", { role: "status", data: { key: "receipt" } }, title,
      h("p", null, `${t("inquiry.number")}: `, h("span.number", { data: { inquiry: made.inquiry } }, String(made.inquiry))),
      h("p", null, t("inquiry.received.text")),
      h("p", null, h("a", { href: ownAddress(`${number("service")}/${given.form}`, pageAddress("/help")), target: "_blank", rel: "noopener", data: { key: "own" } }, t("inquiry.own"))),
      h("p.small", null, t("inquiry.own.hint")),
      h("button", { type: "button", onclick: async () => {
        // A form makes one inquiry: the next has another.
        const next = await inquiryForm(formPath, inquiriesPath).catch((/** @type {Error} */ problem) => h("p.wrong", { role: "alert" }, problem.message));
        replace(place, next);
      } }, t("inquiry.another"))));
    title.focus();
  }

  replace(place, form);
  return place;
}
