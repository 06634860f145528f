// The page at /: list, open, edit and delete documents, and see changes arrive.
// The content of documents is put on the page as text, never as markup.

import { addressedCollection, begin, choose, visit } from './addresses.js';
import { offer, onChoose } from './chooser.js';
import { copy } from './clipboard.js';
import { findCollections } from './collections.js';
import { Drafts } from './drafts.js';
import { Editor } from './editor.js';
import { element } from './elements.js';
import { typed } from './form.js';
import { watchKey } from './keys.js';
import { List } from './list.js';
import { listen, stopListening } from './live.js';
import { guarded, say } from './notices.js';
import { Turns } from './turns.js';
import { Writer } from './writer.js';

const AGAIN = 2000; // milliseconds

let collections = []; // those that the key may see
let shown = null; // one of them

const list = new List();
const drafts = new Drafts(guarded(async (name, id) => {
  if (id) {
    visit(name, id);
  } else {
    if (name !== shown?.name) await go(name);
    start();
  }
}));
const turns = new Turns();
const editor = new Editor(list, drafts, turns);
const writer = new Writer(editor, list, drafts, turns);

/** Find out what there is to see, and show what is in the address, as soon as the server can. */
async function load() {
  try {
    collections = await findCollections();
  } catch (error) {
    say(error.message);
    if (error.isPassing) setTimeout(load, AGAIN);
    return;
  }
  say('');
  begin(collections[0].name);
  shown = null;
  await route();
}

/** Show the collection and the document in the address. */
const route = guarded(async () => {
  if (collections.length === 0) return; // which are yet to be found
  const name = addressedCollection();
  const collection = collections.find((each) => each.name === name);
  if (!collection) {
    leave();
    throw new Error(`There is no collection ${name}, or the key may not see it.`);
  }
  if (name !== shown?.name) await enter(collection);
  await editor.route();
});

async function enter(collection) {
  shown = collection;
  offer(collections, collection.name);
  drafts.enter(collection);
  editor.enter(collection);
  list.enter(collection);
  listen(collection, {
    change: async (id, etag, json) => {
      list.change(id, json);
      await editor.change(collection, id, etag, json);
    },
    missed: guarded(async () => {
      list.suspect();
      await editor.refresh();
    }),
  });
  while (shown === collection && !await isLoaded()) await paused(AGAIN);
}

/** Whether the list is loaded, or cannot be, or is another one by now. */
async function isLoaded() {
  try {
    if (await list.load()) say('');
  } catch (error) {
    say(error.message);
    return !error.isPassing;
  }
  return true;
}

const paused = (time) => new Promise((resolve) => {
  setTimeout(resolve, time);
});

/** Show no collection. */
function leave() {
  shown = null;
  offer(collections, null);
  stopListening();
  list.clear();
  editor.close();
}

/** Show a document that is to be created, where that is known. */
function start() {
  if (shown) editor.start();
}

/** Show a collection, as a step that Back undoes. */
async function go(name) {
  choose(name);
  await route();
}

/** What a key does: false if nothing. Fields other than the editor keep their Escape. */
function pressed(event) {
  const isTyping = event.target.matches('input, textarea, select');
  const isModified = event.ctrlKey || event.metaKey || event.altKey;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 's') return writer.save();
  if (isModified || event.isComposing) return false;
  if (event.key === 'Escape') {
    if (!editor.open || event.target.closest('header, #key-form')) return false;
    return editor.leave();
  }
  if (isTyping) return false;
  if (event.key === '/') return element('query').focus();
  if (event.key === 'n') return start();
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
onClick('new', start);
onClick('save', () => writer.save());
onClick('delete', () => writer.remove());
onClick('copy-id', async () => {
  await copy(editor.open.id);
  say('The id is copied.', true);
});
onClick('copy-text', async () => {
  await copy(typed().text);
  say('The document is copied.', true);
});
onClick('discard', () => editor.discard());
onClick('close', () => editor.leave());
onClick('theirs', () => editor.takeTheirs());
onClick('mine', () => editor.keepMine());
onClick('fresh', () => list.refresh());
onClick('next', () => list.next());
onClick('previous', () => list.previous());
element('search').addEventListener('submit', guarded(async (event) => {
  event.preventDefault();
  if (!shown) return;
  await list.find(element('query').value.trim(), element('sort').value.trim());
  say('');
}));
onChoose(guarded(go));
watchKey({
  taken: load,
  lost: () => {
    collections = [];
    leave();
  },
});
window.addEventListener('hashchange', route);
window.addEventListener('beforeunload', (event) => {
  if (editor.isDirty || drafts.size > 0) event.preventDefault();
});

await load();
