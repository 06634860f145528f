// The documents of the list as lines: the id, and the beginning of the rest. A document is given as
// text, so that its numbers are shown as they are.

import { visit } from './addresses.js';
import { members } from './json.js';

const PREVIEW = 200; // characters

/** What tells a row from all others: its id, or the JSON of an id that is not a string, after a
    character that no id has. */
export function keyOf(json) {
  const text = members(json).get('_id');
  return text.startsWith('"') ? JSON.parse(text) : `\0${text}`;
}

/** A button that opens a document, and names it. */
export function opener({ name }, json) {
  const button = document.createElement('button');
  button.type = 'button';
  const key = keyOf(json);
  if (key.startsWith('\0')) button.disabled = true; // other programs' ids have no address
  else button.addEventListener('click', () => visit(name, key));
  return button;
}

/** The id of a document, as people read it. */
export function title(fields) {
  const id = fields.get('_id');
  return span('id', id.startsWith('"') ? JSON.parse(id) : id);
}

/** The beginning of a text. */
export const shortened = (text, length) => text.slice(0, length).replace(/[\ud800-\udbff]$/, '');

function span(kind, text) {
  const node = document.createElement('span');
  node.className = kind;
  node.textContent = text;
  return node;
}

export class Lines {
  #collection;

  constructor(collection) {
    this.#collection = collection;
    this.container = document.createElement('ul');
    this.container.id = 'items';
  }

  show(rows) {
    this.container.replaceChildren(...rows);
  }

  row(json) {
    const item = document.createElement('li');
    item.append(opener(this.#collection, json));
    this.fill(item, json);
    return item;
  }

  /** Show a document in its row, which keeps the focus. */
  fill(item, json) {
    const fields = members(json);
    const id = title(fields);
    fields.delete('_id');
    const shown = [...fields].map(([name, value]) => `${JSON.stringify(name)}:${value}`);
    const preview = shortened(`{${shown.join(',')}}`, PREVIEW);
    item.firstElementChild.replaceChildren(id, span('preview', preview));
  }
}
