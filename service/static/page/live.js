// Changes as they happen: the feed tells the list and the editor.

import { element } from './elements.js';
import { follow } from './feed.js';
import { members } from './json.js';
import { key, refuse } from './keys.js';
import { guarded } from './notices.js';
import { authorization } from './requests.js';

const SILENT = /^The database has not answered/;

let following = new AbortController();

/** Tell `on.change(id, etag, json)` of each change of a collection; `json` is null for a deletion.
    When changes have been missed, call `on.missed()`. */
export function listen({ name }, on) {
  stopListening();
  following = new AbortController();
  const given = key();
  const start = () => follow(name, () => authorization(given), {
    open: () => state('on', 'live'),
    silent: (comment) => {
      if (SILENT.test(comment)) state('off', 'waiting for the database');
      else state('on', 'live');
    },
    away: () => state('off', navigator.onLine ? 'reconnecting' : 'offline'),
    change: (kind, data) => {
      state('on', 'live');
      if (kind === 'put' || kind === 'delete') guarded(tell)(data);
    },
    gone: () => {
      on.missed();
      start();
    },
    refused: (status) => {
      state('off', 'not live');
      if (status === 401) refuse(given);
    },
  }, following.signal);
  start();

  async function tell(data) {
    const { _id: id, etag, document: now } = JSON.parse(data);
    if (typeof id !== 'string') return;
    await on.change(id, etag, now ? members(data).get('document') : null);
  }
}

export function stopListening() {
  following.abort();
  state('off', 'not live');
}

function state(name, words) {
  const live = element('live');
  if (live.textContent === words) return; // not announced again
  live.className = name;
  live.textContent = words;
}
