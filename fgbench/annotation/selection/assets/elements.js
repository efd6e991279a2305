// Elements. Whatever comes from the data is set as text, never as markup.

/** An element: attributes (``on…`` are listeners), then children or texts. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

const byId = (id) => document.getElementById(id);
const whole = (value) => value.toLocaleString("en");
const plural = (count, one) => `${whole(count)} ${one}${count === 1 ? "" : "s"}`;
