// Elements without a framework: text is always text, never markup.

/**
 * @typedef {Node | string | number | null | undefined | false} Child
 * @typedef {Record<string, unknown>} Properties
 */

/**
 * An element. Properties that begin with `on` are listeners, `data` is a record of data attributes, a boolean is an
 * attribute that is there or not; everything else is an attribute.
 * @param {string} name tag, with classes after dots: `button.primary`
 * @param {Properties | null} [properties]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElement}
 */
export function h(name, properties, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length > 0) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties ?? {})) set(element, key, value);
  append(element, children);
  return element;
}

/** @param {HTMLElement} element @param {string} key @param {unknown} value */
function set(element, key, value) {
  if (value === null || value === undefined || value === false) return;
  if (key.startsWith("on")) element.addEventListener(key.slice(2), /** @type {EventListener} */ (value));
  else if (key === "data") Object.assign(element.dataset, value);
  else if (key === "value") /** @type {HTMLInputElement} */ (element).value = String(value);
  else element.setAttribute(key, value === true ? "" : String(value));
}

/** @param {Element} element @param {(Child | Child[])[]} children */
function append(element, children) {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/**
 * Puts other children into an element. What had the focus has it again, where an element of the same id, or with the same
 * `data-key`, is there; a text field keeps what was typed and the selection.
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function replace(element, ...children) {
  const focused = element.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
  const key = focused && (focused.id ? `#${CSS.escape(focused.id)}` : focused.dataset.key && `[data-key="${CSS.escape(focused.dataset.key)}"]`);
  const typed = focused instanceof HTMLInputElement || focused instanceof HTMLTextAreaElement ? focused : null;
  const scrolled = element.scrollTop;
  element.replaceChildren();
  append(element, children);
  element.scrollTop = scrolled;
  const again = key ? /** @type {HTMLElement | null} */ (element.querySelector(key)) : null;
  if (!again) return;
  if (typed && (again instanceof HTMLInputElement || again instanceof HTMLTextAreaElement)) {
    again.value = typed.value;
    again.focus({ preventScroll: true });
    if (typed.selectionStart !== null) again.setSelectionRange(typed.selectionStart, typed.selectionEnd);
  } else {
    again.focus({ preventScroll: true });
  }
}

/**
 * The values of a form's named fields; a checkbox gives a boolean.
 * @param {HTMLFormElement} form
 * @returns {Record<string, any>}
 */
export function values(form) {
  /** @type {Record<string, any>} */
  const found = {};
  for (const field of form.elements) {
    const input = /** @type {HTMLInputElement} */ (field);
    if (!input.name) continue;
    if (input.type === "checkbox") found[input.name] = input.checked;
    else if (input.type !== "radio" || input.checked) found[input.name] = input.value;
  }
  return found;
}

let labels = 0;

/**
 * A field with its label.
 * @param {string} text
 * @param {HTMLElement} input
 * @param {string} [hint]
 */
export function field(text, input, hint) {
  labels += 1;
  if (!input.id) input.id = `field-${labels}`;
  const help = hint ? h("small", { id: `${input.id}-hint` }, hint) : null;
  if (help) input.setAttribute("aria-describedby", help.id);
  return h("div.field", null, h("label", { for: input.id }, text), input, help);
}

/**
 * A choice.
 * @param {Properties} properties
 * @param {[value: string | number, text: string][]} options
 * @param {string | number | null} [chosen]
 */
export function select(properties, options, chosen) {
  return h("select", properties, options.map(([value, text]) =>
    h("option", { value, selected: String(value) === String(chosen ?? "") }, text)));
}
