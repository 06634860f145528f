// How the server's document and the one in the editor differ.

import { difference } from './diff.js';
import { element } from './elements.js';

const SIGNS = { same: ' ', theirs: '-', mine: '+' };

/** Show it; `theirs` is null if the document was deleted. */
export function showConflict(theirs, mine) {
  const what = theirs === null ? 'Somebody deleted this.' : 'Somebody changed this.';
  element('conflict-title').textContent = what;
  const lines = difference(theirs ?? '', mine).map(([kind, line]) => {
    const span = document.createElement('span');
    span.className = kind;
    span.textContent = `${SIGNS[kind]} ${line}`;
    return span;
  });
  element('difference').replaceChildren(...lines);
  element('conflict').hidden = false;
  element('theirs').focus();
}

export function hideConflict() {
  element('conflict').hidden = true;
}

export const isConflictShown = () => !element('conflict').hidden;
