// The page at /: list, open, edit and delete documents, and see changes arrive.
// The content of documents is put on the page as text, never as markup.

import { visit } from './addresses.js';
import { Drafts } from './drafts.js';
import { Editor } from './editor.js';
import { element } from './elements.js';
import { watchKey } from './keys.js';
import { List } from './list.js';
import { listen, stopListening } from './live.js';
import { guarded, say } from './notices.js';

const AGAIN = 2000; // milliseconds

const list = new List();
const drafts = new Drafts((id) => (id ? visit(id) : editor.start()));
const editor = new Editor(list, drafts);

const route = guarded(() => editor.route());

/** Load the list, as soon as the server can. */
async function load() {
  try {
    await list.load();
    say('');
  } catch (error) {
    say(error.message);
    if (error.isPassing) setTimeout(load, AGAIN);
  }
}

async function begin() {
  listen({
    change: async (id, etag, json) => {
      list.change(id, json);
      await editor.change(id, etag, json);
    },
    missed: guarded(async () => {
      list.suspect();
      await editor.refresh();
    }),
  });
  await load();
  if (location.hash) await route();
}

document.addEventListener('keydown', guarded(async (event) => {
  const typing = event.target.matches('input, textarea');
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 's') {
    event.preventDefault();
    await editor.save();
  } else if (event.key === 'Escape' && editor.isOpen) {
    editor.leave();
  } else if (event.key === '/' && !typing) {
    event.preventDefault();
    element('query').focus();
  } else if (event.key === 'n' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    editor.start();
  } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && !typing) {
    if (list.step(event.key === 'ArrowDown' ? 1 : -1)) event.preventDefault();
  }
}));

const onClick = (id, work) => element(id).addEventListener('click', guarded(work));
onClick('new', () => editor.start());
onClick('save', () => editor.save());
onClick('delete', () => editor.remove());
onClick('discard', () => editor.discard());
onClick('close', () => editor.leave());
onClick('theirs', () => editor.takeTheirs());
onClick('mine', () => editor.keepMine());
onClick('fresh', () => list.refresh());
onClick('next', () => list.next());
onClick('previous', () => list.previous());
element('search').addEventListener('submit', guarded(async (event) => {
  event.preventDefault();
  await list.find(element('query').value.trim(), element('sort').value.trim());
  say('');
}));
watchKey({
  taken: begin,
  lost: () => {
    stopListening();
    list.clear();
    editor.close();
  },
});
window.addEventListener('hashchange', route);
window.addEventListener('popstate', route);
window.addEventListener('beforeunload', (event) => {
  if (editor.isDirty || drafts.size > 0) event.preventDefault();
});

await begin();
