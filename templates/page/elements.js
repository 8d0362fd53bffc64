// Elements of the page: those that are there, and new ones.

// The element with an id, of a kind that the page's template gives it.
/** @template {HTMLElement} E @param {string} id @param {new () => E} kind @returns {E} */
function part(id, kind) {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`This page has no ${id}: the copy is damaged.`);
}

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {Record<string, unknown>} [properties] @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) Object.assign(node, { [name]: value });
    else node.setAttribute(name, String(value));
  }
  node.append(...children);
  return node;
}
