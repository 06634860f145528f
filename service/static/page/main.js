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
import { Turns } from './turns.js';
import { Writer } from './writer.js';

const AGAIN = 2000; // milliseconds

const list = new List();
const drafts = new Drafts((id) => (id ? visit(id) : editor.start()));
const turns = new Turns();
const editor = new Editor(list, drafts, turns);
const writer = new Writer(editor, list, drafts, turns);

const route = guarded(() => editor.route());

/** Load the list and the document in the address, as soon as the server can. */
async function load() {
  try {
    await list.load();
    say('');
  } catch (error) {
    say(error.message);
    if (error.isPassing) {
      setTimeout(load, AGAIN);
      return;
    }
  }
  if (location.hash) await route();
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
}

/** What a key does: false if nothing. Fields other than the editor keep their Escape. */
function pressed(event) {
  const isTyping = event.target.matches('input, textarea');
  const isModified = event.ctrlKey || event.metaKey || event.altKey;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 's') return writer.save();
  if (isModified || event.isComposing) return false;
  if (event.key === 'Escape') {
    if (!editor.open || event.target.closest('header, #key-form')) return false;
    return editor.leave();
  }
  if (isTyping) return false;
  if (event.key === '/') return element('query').focus();
  if (event.key === 'n') return editor.start();
  if (event.key === 'ArrowDown') return list.step(1);
  if (event.key === 'ArrowUp') return list.step(-1);
  return false;
}
document.addEventListener('keydown', guarded(async (event) => {
  const result = pressed(event);
  if (result !== false) event.preventDefault();
  await result;
}));

const onClick = (id, work) => element(id).addEventListener('click', guarded(work));
onClick('new', () => editor.start());
onClick('save', () => writer.save());
onClick('delete', () => writer.remove());
onClick('copy-id', () => editor.copyId());
onClick('copy-text', () => editor.copyText());
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
window.addEventListener('beforeunload', (event) => {
  if (editor.isDirty || drafts.size > 0) event.preventDefault();
});

await begin();
