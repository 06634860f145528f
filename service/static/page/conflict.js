// How the server's document and the one in the editor differ, and what can be done about it.

import { differences } from './differences.js';
import { element } from './elements.js';
import { fault, parse, printed } from './json.js';

const MAX_SHOWN = 200; // differences
const MAX_VALUE = 1000; // characters

/** The differences of two documents as text. What is in the editor may leave out the id. */
export function compared(theirs, mine) {
  const [left, right] = [parse(theirs), parse(mine)];
  if (!right.has('_id') || right.get('_id') === left.get('_id')) {
    left.delete('_id');
    right.delete('_id');
  }
  return differences(left, right);
}

/** Show it; `theirs` is null if the document was deleted. */
export function showConflict(theirs, mine) {
  if (theirs === null) {
    show('Somebody deleted this document.', 'What is here is all that is left of it.', []);
    label('Close it: it stays deleted', 'Keep mine, to be created again');
    return;
  }
  label('Take theirs, and discard mine', 'Keep mine, to be saved over theirs');
  const title = 'Somebody changed this document.';
  if (fault(mine) !== null) {
    const value = { pointer: '', theirs: parse(theirs), mine: undefined };
    show(title, 'Your text is not JSON, so it cannot be compared. This is theirs:', [value]);
    return;
  }
  const found = compared(theirs, mine);
  const hidden = found.length - MAX_SHOWN;
  const more = hidden > 0 ? ` (the first ${MAX_SHOWN} of ${found.length})` : '';
  show(title, `This is where yours differs${more}:`, found.slice(0, MAX_SHOWN));
}

export function hideConflict() {
  element('conflict').hidden = true;
}

export const isConflictShown = () => !element('conflict').hidden;

function show(title, explanation, found) {
  element('conflict').hidden = false;
  element('conflict-title').textContent = title;
  element('conflict-text').textContent = explanation;
  element('difference').hidden = found.length === 0;
  element('difference').replaceChildren(...found.flatMap(rows));
}

function label(theirs, mine) {
  element('theirs').textContent = theirs;
  element('mine').textContent = mine;
}

function rows({ pointer, order, theirs, mine }) {
  const place = tag('dt', '', pointer || 'the document');
  if (order) return [place, tag('dd', '', 'The members have another order.')];
  return [place, value('theirs', 'theirs', theirs), value('mine', 'yours', mine)];
}

function value(kind, whose, tree) {
  const item = tag('dd', kind, '');
  const text = tree === undefined ? 'nothing' : printed(tree, MAX_VALUE);
  item.append(tag('span', 'whose', whose), ' ', tag('code', tree === undefined ? 'none' : '', text));
  return item;
}

function tag(name, kind, text) {
  const node = document.createElement(name);
  node.className = kind;
  node.textContent = text;
  return node;
}
