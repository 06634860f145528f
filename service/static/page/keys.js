// The API key. A tab remembers it until it is closed. A new tab asks the others that show this page
// for it; only pages of this origin, which are trusted with it anyway, hear each other.

import { element } from './elements.js';
import { forget, recall, remember } from './storage.js';

const PATIENCE = 300; // milliseconds for the other tabs to answer

const channel = new BroadcastChannel(`stuff ${location.pathname}`);
let asking = null; // the timer until somebody is asked, while a key is wanted
let refused = null; // the last key that the server did not take

export const key = () => recall('key');

/** `taken()` is called when there is a key, `lost()` when it has been forgotten. */
export function watchKey({ taken, lost }) {
  channel.addEventListener('message', ({ data }) => {
    if (data.kind === 'wanted' && key()) {
      channel.postMessage({ kind: 'key', key: key() });
    } else if (data.kind === 'key' && asking !== null && data.key !== refused) {
      take(data.key);
    } else if (data.kind === 'forget' && key()) {
      drop();
    }
  });
  element('key-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const given = element('key').value.trim();
    channel.postMessage({ kind: 'key', key: given });
    take(given);
  });
  element('forget').addEventListener('click', () => {
    channel.postMessage({ kind: 'forget' });
    drop();
  });
  show();

  function take(given) {
    clearTimeout(asking);
    asking = null;
    remember('key', given);
    show();
    taken();
  }

  function drop() {
    forget('key');
    lost();
    ask();
  }
}

/** The server did not take this key, or wants one (null). */
export function refuse(given) {
  if (given !== key() || asking !== null) return;
  refused = given;
  forget('key');
  channel.postMessage({ kind: 'wanted' });
  asking = setTimeout(ask, PATIENCE);
}

/** Ask for a key. */
function ask() {
  asking ??= 0;
  show();
  element('key-form').hidden = false;
  element('key').focus();
}

function show() {
  element('key').value = '';
  element('key').blur(); // a field that is hidden would keep the focus until the next frame
  element('key-form').hidden = true;
  element('forget').hidden = !key();
}
