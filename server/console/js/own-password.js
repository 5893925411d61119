// One's own password: whoever was given one changes it here.

import { put } from "./api.js";
import { h, field, values } from "./element.js";
import { dialog, tell } from "./dialog.js";
import { t } from "./words.js";

export function ownPasswordDialog() {
  const secret = (/** @type {string} */ name, /** @type {string} */ autocomplete) =>
    h("input", { name, type: "password", required: true, minlength: name === "password" ? 8 : 1, maxlength: 256, autocomplete });
  dialog({
    title: t("own-password"),
    key: "own-password",
    content: [
      field(t("own-password.current"), secret("current", "current-password")),
      field(t("own-password.new"), secret("password", "new-password"), t("own-password.hint")),
    ],
    actions: [{ text: t("save"), kind: "primary" }],
    submit: async (form) => {
      const { current, password } = values(form);
      await put("/sessions/current/password", { current, password });
      tell(t("own-password.done"));
    },
  });
}
