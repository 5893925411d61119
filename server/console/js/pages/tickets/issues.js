// Issues of a ticket: escalating it, how its issues stand; and of an issue: its end, and the case behind it.

import { exchange, get, post } from "../../api.js";
import { field, h, replace, select, values } from "../../element.js";
import { attempt, dialog, tell } from "../../dialog.js";
import { names } from "../../session.js";
import { moment } from "../../time.js";
import { addWords, t } from "../../words.js";
import { owner, say, ticketLink, ticketStatus } from "../shared/say.js";
import { Timeline } from "./timeline.js";

addWords({
  "issues.title": ["Issues", "エスカレーション"],
  "issues.escalate": ["Escalate …", "エスカレーション…"],
  "issues.escalate.done": ["Issue #{issue} is made", "エスカレーション #{issue} を作成しました"],
  "issues.service": ["To", "依頼先"],
  "issues.subject": ["Subject", "件名"],
  "issues.description": ["What is asked of them", "依頼内容"],
  "issues.none": ["Not escalated", "エスカレーションはありません"],
  "issues.reopen": ["Open again …", "再オープン…"],
  "issues.reason": ["Reason", "理由"],
  "issues.settle": ["End the issue …", "エスカレーションを終了…"],
  "issues.verdict": ["How it ends", "結果"],
  "issues.solved": ["Solved", "解決"],
  "issues.refused": ["Refused", "却下"],
  "issues.reason.hint": ["A refusal needs one", "却下の場合は必須"],
  "issues.from": ["Escalated from", "エスカレーション元"],
  "issues.case": ["Look at the case", "元のチケットを見る"],
  "issues.no-service": ["There is no service to escalate to: an administrator makes one.", "エスカレーション先のサービスがありません。管理者に連絡してください。"],
});

export class IssuesCard {
  /** @param {{reread: () => Promise<unknown>, take: (ticket: any, etag: string | null) => void}} page */
  constructor(page) {
    this.page = page;
    this.element = h("div", { data: { key: "issues" } });
    /** @type {any[]} */
    this.issues = [];
  }

  /** Reads what the ticket has. @param {any} ticket */
  async load(ticket) {
    this.issues = ticket.issues.length > 0 ? await get(`/tickets/${ticket.id}/issues`).catch(() => []) : [];
    this.render(ticket);
  }

  /** @param {any} ticket */
  render(ticket) {
    const open = !["solved", "closed"].includes(ticket.status);
    const button = (/** @type {string} */ key, /** @type {() => unknown} */ press) => h("button", { type: "button", data: { key }, onclick: press }, t(`issues.${key}`));
    replace(this.element,
      ticket.escalated_from !== null && h("div", null,
        h("p", null, `${t("issues.from")} `, ticketLink(ticket.escalated_from)),
        ticket.outcome && h("p", { data: { outcome: ticket.outcome.verdict } }, this.outcome(ticket.outcome)),
        h("div.buttons", null, button("case", () => this.showCase(ticket)), open && button("settle", () => this.settle(ticket)))),
      this.issues.length === 0 && ticket.escalated_from === null && h("p.empty", null, t("issues.none")),
      h("ul.rows", null, this.issues.map((it) => h("li", { data: { issue: it.issue } },
        h("span", null, ticketLink(it.issue), ` ${it.subject} `, ticketStatus(it.status), h("br"),
          h("small", null, `${names.service(it.service)} · ${owner(it.owner)} · ${moment(it.changed_us)}`),
          it.outcome && [h("br"), h("span", { data: { outcome: it.outcome.verdict } }, this.outcome(it.outcome))]),
        it.status === "solved" && h("button", { type: "button", "aria-label": `${t("issues.reopen")} #${it.issue}`, data: { key: "reopen" }, onclick: () => this.reopen(ticket, it) }, t("issues.reopen"))))),
      open && button("escalate", () => attempt(() => this.escalate(ticket))));
  }

  /** @param {{verdict: string, reason: string}} outcome */
  outcome({ verdict, reason }) {
    return [h("strong", null, t(`issues.${verdict}`)), reason && `: ${reason}`];
  }

  /** @param {any} ticket */
  async escalate(ticket) {
    const services = (await get("/issue-services")).filter((/** @type {any} */ it) => it.service !== ticket.service);
    if (services.length === 0) throw new Error(t("issues.no-service"));
    dialog({
      title: t("issues.escalate"),
      key: "escalate",
      content: [
        field(t("issues.service"), select({ name: "service" }, services.map((/** @type {any} */ it) => [it.service, it.name]))),
        field(t("issues.subject"), h("input", { name: "subject", maxlength: 200, required: true, value: ticket.subject, autocomplete: "off" })),
        field(t("issues.description"), h("textarea", { name: "description", rows: 6, maxlength: 20_000, required: true, autofocus: true })),
      ],
      submit: async (form) => {
        const { service, subject, description } = values(form);
        const made = await post(`/tickets/${ticket.id}/issues`, { service: Number(service), subject, description });
        tell(say("issues.escalate.done", { issue: made.issue }));
        await this.page.reread();
      },
    });
  }

  /** @param {any} ticket @param {any} issue */
  reopen(ticket, issue) {
    dialog({
      title: `${t("issues.reopen")} #${issue.issue}`,
      key: "reopen-issue",
      content: [field(t("issues.reason"), h("textarea", { name: "reason", rows: 4, maxlength: 20_000, required: true, autofocus: true }))],
      submit: async (form) => {
        await post(`/tickets/${ticket.id}/issues/${issue.issue}/reopen`, { reason: values(form).reason });
        await this.page.reread();
      },
    });
  }

  /** @param {any} ticket */
  settle(ticket) {
    dialog({
      title: t("issues.settle"),
      key: "settle",
      content: [
        field(t("issues.verdict"), select({ name: "verdict" }, [["solved", t("issues.solved")], ["refused", t("issues.refused")]])),
        field(t("issues.reason"), h("textarea", { name: "reason", rows: 4, maxlength: 20_000 }), t("issues.reason.hint")),
      ],
      submit: async (form) => {
        const { verdict, reason } = values(form);
        const done = await exchange("POST", `/tickets/${ticket.id}/outcome`, { body: { verdict, reason }, etag: `"${ticket.revision}"` });
        this.page.take(done.value, done.etag);
        await this.load(done.value);
      },
    });
  }

  /** @param {any} issue */
  async showCase(issue) {
    const found = /** @type {any} */ (await attempt(() => get(`/tickets/${issue.id}/case`)));
    if (!found) return;
    const timeline = new Timeline();
    timeline.take({ lines: found.lines, fields: [], calls: [], chat: [], accounts: found.accounts });
    dialog({ title: `#${found.id} ${found.subject}`, key: "case", wide: true, content: [h("p", null, ticketStatus(found.status)), timeline.element], actions: [{ text: t("close"), name: "close" }] });
  }
}
