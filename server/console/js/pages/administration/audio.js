// Announcements and music: uploaded as WAV or written as text, played back, removed.

import { h, field, values } from "../../element.js";
import { attempt, confirmed, dialog } from "../../dialog.js";
import { length } from "../../time.js";
import { addWords, t } from "../../words.js";
import { Place } from "../shared/place.js";
import { table } from "../supervision/table.js";
import { audioName } from "./choices.js";
import { floor } from "./floor.js";

addWords({
  "administration.audio": ["Announcements and music", "アナウンスと音楽"],
  "sound.kind": ["Kind", "種類"],
  "sound.built-in": ["Built in", "内蔵"],
  "sound.recording": ["Recording", "録音"],
  "sound.text": ["Spoken text", "読み上げテキスト"],
  "sound.used": ["Used by", "使用箇所"],
  "sound.playback": ["Playback", "再生"],
  "sound.play": ["Playback: {}", "再生: {}"],
  "sound.upload": ["Upload a recording", "録音をアップロード"],
  "sound.file": ["WAV file", "WAVファイル"],
  "sound.file.hint": ["Mono, 8 or 16 kHz, 16-bit PCM, or G.711 µ-law or A-law at 8 kHz; at most 8 MiB.", "モノラル、8または16 kHz、16ビットPCM、もしくは8 kHzのG.711(µ-law・A-law)。最大8 MiB。"],
  "sound.add-text": ["Add a text", "テキストを追加"],
  "sound.text.hint": ["Spoken by the server's speech program; without one a beep is played in its place.", "サーバーの音声合成で読み上げます。未設定の場合はビープ音になります。"],
  "sound.remove": ["{} is removed for good.", "{} を完全に削除します。"],
  "sound.ring-back": ["heard while a number rings", "呼出中の音声"],
  "sound.hold-music": ["{}: hold music", "{}: 保留音"],
  "sound.forced-end": ["{}: forced end", "{}: 強制終了"],
  "sound.flow": ["{}: call flow", "{}: シナリオ"],
  "sound.unused": ["nothing", "なし"],
  "sound.choose": ["Choose a file", "ファイルを選択してください"],
});

/** @type {import("../administration.js").Section} */
export const audioSection = {
  key: "audio",
  async open(into) {
    // Everything is known already: the dialog gives the focus back first.
    const place = new Place(() => list(() => setTimeout(() => place.refresh())));
    into.append(place.element);
    await place.show();
  },
};

/** @param {() => void} again */
async function list(again) {
  return [
    h("div.heading", null, h("h2", null, t("administration.audio")),
      h("button", { type: "button", data: { action: "upload", key: "upload" }, onclick: () => upload(again) }, t("sound.upload")),
      h("button", { type: "button", data: { action: "text", key: "add-text" }, onclick: () => text(again) }, t("sound.add-text"))),
    table(t("administration.audio"), [t("name"), t("sound.kind"), t("sound.playback"), t("sound.used"), ""],
      floor.audio.map((it) => ({ data: { audio: it.audio }, cells: row(it, again) })), { key: "audio" }),
  ];
}

/** @param {any} it @param {() => void} again */
function row(it, again) {
  const name = audioName(it);
  const used = users(it.audio);
  const { recording } = it;
  return [
    name,
    it.built_in ? t("sound.built-in")
      : recording ? [t("sound.recording"), h("br"), h("small", null, `${length(recording.length_ms * 1_000)}, ${recording.rate_hz / 1_000} kHz ${recording.encoding}`)]
        : [t("sound.text"), h("br"), h("small.spoken.roomy", null, it.text)],
    recording && h("audio", { controls: true, preload: "none", src: `/api/v1/floor/audio/${it.audio}`, "aria-label": t("sound.play").replace("{}", name) }),
    h("span.roomy", null, used.join(", ") || t("sound.unused")),
    !it.built_in && h("button.danger", {
      type: "button", disabled: used.length > 0, title: used.length > 0 ? used.join(", ") : null, "aria-label": `${t("remove")}: ${name}`, data: { action: "remove" },
      onclick: async () => {
        if (!await confirmed(name, t("sound.remove").replace("{}", name), t("remove"))) return;
        await attempt(() => floor.write("DELETE", `/floor/audio/${it.audio}`));
        again();
      },
    }, t("remove")),
  ];
}

/** Where it is played. @param {number} audio @returns {string[]} */
function users(audio) {
  const { organisation, services } = floor.value;
  const found = organisation.ring_back === audio ? [t("sound.ring-back")] : [];
  for (const { name, settings, flow } of services) {
    if (settings.hold_music === audio) found.push(t("sound.hold-music").replace("{}", name));
    if (settings.forced_end_audio === audio) found.push(t("sound.forced-end").replace("{}", name));
    if (flow.some((/** @type {any} */ step) => step.audio === audio)) found.push(t("sound.flow").replace("{}", name));
  }
  return found;
}

/** @param {() => void} again */
function upload(again) {
  const name = /** @type {HTMLInputElement} */ (h("input", { name: "name", required: true, maxlength: 60 }));
  const file = /** @type {HTMLInputElement} */ (h("input", { name: "file", type: "file", accept: ".wav,audio/wav,audio/x-wav", required: true, onchange: () => {
    if (!name.value && file.files?.[0]) name.value = file.files[0].name.replace(/\.wav$/i, "").slice(0, 60);
  } }));
  dialog({
    title: t("sound.upload"),
    key: "upload",
    content: [field(t("sound.file"), file, t("sound.file.hint")), field(t("name"), name)],
    actions: [{ text: t("save"), kind: "primary" }],
    submit: async () => {
      const chosen = file.files?.[0];
      if (!chosen) throw new Error(t("sound.choose"));
      await floor.write("POST", "/floor/audio", new Blob([chosen], { type: "audio/wav" }), { name: name.value });
      again();
    },
  });
}

/** @param {() => void} again */
function text(again) {
  dialog({
    title: t("sound.add-text"),
    key: "text",
    content: [
      field(t("name"), h("input", { name: "name", required: true, maxlength: 60 })),
      field(t("sound.text"), h("textarea", { name: "text", required: true, rows: 5, maxlength: 1000 }), t("sound.text.hint")),
    ],
    actions: [{ text: t("save"), kind: "primary" }],
    submit: async (form) => {
      const { name, text: said } = values(form);
      await floor.write("POST", "/floor/texts", { name, text: said });
      again();
    },
  });
}
