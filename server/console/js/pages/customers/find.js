/** What customers are looked for by: a telephone number, or part of a name. @param {string} text */
export function wanted(text) {
  return /^[+\d][\d\s()-]{2,}$/.test(text) ? { number: text.replace(/[\s()-]/g, "") } : { q: text };
}
