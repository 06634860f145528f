// Changes as they happen: the feed tells the list and the editor.

import { element } from './elements.js';
import { follow } from './feed.js';
import { askForKey, authorization } from './keys.js';
import { members } from './json.js';
import { guarded } from './notices.js';

const AGAIN = 10_000; // milliseconds

/** Tell `on.change(id, etag, json)` of each change; `json` is null for a deletion. Once changes may
    have been missed, call `on.lost()`. */
export function listen(on) {
  const live = element('live');
  const state = (name, words) => {
    live.className = name;
    live.textContent = words;
  };
  follow('stuff', authorization, {
    open: () => state('on', 'live'),
    away: () => state('off', 'reconnecting'),
    change: (kind, data) => {
      if (kind === 'put' || kind === 'delete') guarded(tell)(data);
    },
    lost: (status) => {
      state('off', 'not live');
      // Otherwise its position is forgotten, or there is no feed: the page may be out of date.
      if (status === 401) askForKey();
      else setTimeout(on.lost, AGAIN);
    },
  });

  async function tell(data) {
    const { _id: id, etag, document: now } = JSON.parse(data);
    if (typeof id !== 'string') return;
    await on.change(id, etag, now ? members(data).get('document') : null);
  }
}
