// The page at /: list, open, edit and delete documents, and see changes arrive.
// The content of documents is put on the page as text, never as markup.

import { difference } from './diff.js';
import { follow } from './feed.js';
import { fault, indented, members, parts } from './json.js';

const PAGE_SIZE = 25;
const PREVIEW = 200; // characters

const element = (id) => document.getElementById(id);
const items = element('items');
const text = element('text');
const idField = element('id');

/** The list: where each page so far begins, the filter, and the rows by their ids. */
const list = { filter: null, starts: [''], next: null, rows: new Map() };
/** The document in the editor: `etag` is null for a new one, `saved` what the server has. */
let open = null;

/** What works on the document in the editor goes one after the other: the feed tells of a write of
    our own before, after, or while its answer comes. */
let working = Promise.resolve();
function inTurn(work) {
  const result = working.then(work);
  working = result.catch(() => {});
  return result;
}

// --- The server

/** `encodeURIComponent` leaves dots, and browsers take a path of dots for a direction. */
const address = (id) => `stuff/${encodeURIComponent(id)}`;

async function request(url, options) {
  let response;
  try {
    const headers = { ...authorization(), ...options?.headers };
    response = await fetch(url, { cache: 'no-store', ...options, headers });
  } catch {
    throw new Error('The server does not answer.');
  }
  if (response.ok || response.status === 412) return response;
  if (response.status === 401) askForKey();
  const problem = await response.json().catch(() => ({}));
  const error = new Error(problem.detail ?? `${response.status} ${response.statusText}`);
  error.status = response.status;
  error.pointer = problem.pointer;
  throw error;
}

// --- The key, kept as long as the window is open

const authorization = () => {
  const key = sessionStorage.getItem('key');
  return key ? { Authorization: `Bearer ${key}` } : {};
};

function askForKey() {
  element('key-form').hidden = false;
  element('key').focus();
}

async function takeKey(event) {
  event.preventDefault();
  sessionStorage.setItem('key', element('key').value.trim());
  element('key').value = '';
  element('key-form').hidden = true;
  say('');
  await begin();
  await route();
}

// --- Notices

function say(message, good = false) {
  const notice = element('notice');
  notice.textContent = message;
  notice.classList.toggle('good', good);
  notice.hidden = !message;
}

/** An event handler that shows what goes wrong. */
const guarded = (work) => async (event) => {
  try {
    await work(event);
  } catch (error) {
    say(error.message);
  }
};

// --- The list

async function load() {
  const query = new URLSearchParams({ limit: PAGE_SIZE });
  if (list.filter) query.set('filter', list.filter);
  const start = list.starts[list.starts.length - 1];
  if (start) query.set('after', start);
  const page = members(await (await request(`stuff?${query}`)).text());
  const documents = parts(page.get('items'));
  list.next = JSON.parse(page.get('next'));
  list.rows.clear();
  items.replaceChildren(...documents.map(row));
  element('empty').hidden = documents.length > 0;
  element('previous').disabled = list.starts.length === 1;
  element('next').disabled = !list.next;
  element('fresh').hidden = true;
  mark();
}

/** The row of a document, which is given as text, so that its numbers are shown as they are. */
function row(json) {
  const fields = members(json);
  const id = JSON.parse(fields.get('_id'));
  const key = typeof id === 'string' ? id : fields.get('_id');
  fields.delete('_id');
  const item = document.createElement('li');
  const button = document.createElement('button');
  const name = document.createElement('span');
  const preview = document.createElement('span');
  name.className = 'id';
  preview.className = 'preview';
  name.textContent = key;
  const shown = [...fields].map(([field, value]) => `${JSON.stringify(field)}:${value}`);
  preview.textContent = `{${shown.join(',')}}`.slice(0, PREVIEW);
  button.type = 'button';
  button.append(name, preview);
  if (typeof id === 'string') {
    button.addEventListener('click', () => { location.hash = `/${encodeURIComponent(id)}`; });
  } else {
    button.disabled = true; // other programs' ids have no address
  }
  item.append(button);
  list.rows.set(key, item);
  return item;
}

/** Show which document is open. */
function mark() {
  for (const [id, item] of list.rows) {
    const button = item.firstElementChild;
    if (open && open.id === id) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
  }
}

async function find() {
  const query = element('query').value.trim();
  if (!query) list.filter = null;
  else if (query.startsWith('{')) list.filter = query;
  else list.filter = JSON.stringify({ _id: { $gte: query, $lt: `${query}\u{10ffff}` } });
  list.starts = [''];
  say('');
  await load();
}

// --- The editor

async function show(id) {
  const response = await request(address(id));
  fill({ id, etag: response.headers.get('etag'), saved: indented(await response.text()) });
}

function fill(document_) {
  open = document_;
  const isNew = open.etag === null;
  element('editor-title').textContent = isNew ? 'New document' : open.id;
  idField.value = isNew ? '' : open.id;
  idField.hidden = element('id-label').hidden = !isNew;
  element('delete').hidden = isNew;
  element('conflict').hidden = true;
  element('editor').hidden = false;
  document.body.classList.add('open');
  text.value = open.saved;
  check();
  mark();
}

function close() {
  open = null;
  element('editor').hidden = true;
  document.body.classList.remove('open');
  mark();
}

const isDirty = () => open !== null && text.value !== open.saved;

function check() {
  const wrong = fault(text.value);
  const line = element('check');
  line.textContent = wrong ?? (isDirty() ? 'Changed, and not saved.' : '');
  line.classList.toggle('bad', wrong !== null);
  element('save').disabled = wrong !== null;
}

async function save() {
  if (!open || fault(text.value)) return;
  const sent = text.value;
  const headers = { 'Content-Type': 'application/json' };
  const isNew = open.etag === null;
  const id = isNew ? idField.value : open.id;
  let response;
  try {
    if (isNew && !id) {
      response = await request('stuff', { method: 'POST', headers, body: sent });
    } else {
      headers[isNew ? 'If-None-Match' : 'If-Match'] = isNew ? '*' : open.etag;
      response = await request(address(id), { method: 'PUT', headers, body: sent });
    }
  } catch (error) {
    const line = element('check');
    line.textContent = error.pointer ? `${error.message} (at ${error.pointer})` : error.message;
    line.classList.add('bad');
    return;
  }
  if (response.status === 412) {
    if (isNew) say(`There is a document ${id} already. Choose another id, or open that one.`);
    else await differ();
    return;
  }
  const created = isNew && !id ? (await response.json())._id : id;
  const etag = response.headers.get('etag');
  Object.assign(open, { id: created, etag, saved: sent });
  fill(open);
  say(isNew ? `${created} is created.` : 'Saved.', true);
  if (isNew) {
    await load();
    history.replaceState(null, '', `#/${encodeURIComponent(created)}`);
  }
}

/** Show how the server's document and the one in the editor differ. */
async function differ() {
  let theirs = null;
  try {
    const response = await request(address(open.id));
    theirs = { etag: response.headers.get('etag'), saved: indented(await response.text()) };
  } catch (error) {
    if (error.status !== 404) throw error;
  }
  open.theirs = theirs;
  const what = theirs ? 'Somebody changed this.' : 'Somebody deleted this.';
  element('conflict-title').textContent = what;
  const lines = difference(theirs ? theirs.saved : '', text.value).map(([kind, line]) => {
    const span = document.createElement('span');
    span.className = kind;
    span.textContent = `${{ same: ' ', theirs: '-', mine: '+' }[kind]} ${line}`;
    return span;
  });
  element('difference').replaceChildren(...lines);
  element('conflict').hidden = false;
  element('theirs').focus();
}

function takeTheirs() {
  if (open.theirs) fill({ id: open.id, ...open.theirs });
  else leave();
}

function keepMine() {
  const mine = text.value;
  if (open.theirs) {
    fill({ id: open.id, ...open.theirs });
  } else {
    const { id } = open;
    fill({ id, etag: null, saved: '' });
    idField.value = id;
  }
  text.value = mine;
  check();
  text.focus();
}

async function remove() {
  if (!confirm(`Delete ${open.id}?`)) return;
  const { id, etag } = open;
  const response = await request(address(id), { method: 'DELETE', headers: { 'If-Match': etag } });
  if (response.status === 412) {
    await differ();
    return;
  }
  leave();
  say(`${id} is deleted.`, true);
  await load();
}

/** Close the editor, and let the address say so. */
function leave() {
  if (location.hash) history.pushState(null, '', location.pathname + location.search);
  close();
}

function start() {
  history.pushState(null, '', location.pathname + location.search);
  fill({ id: '', etag: null, saved: '{\n  \n}' });
  idField.focus();
}

const route = guarded(() => inTurn(async () => {
  const id = decodeURIComponent(location.hash.slice(2));
  if (!id) {
    close();
  } else if (!open || open.id !== id) {
    say('');
    await show(id);
    text.focus({ preventScroll: true });
  }
}));

// --- The feed

function listen() {
  const live = element('live');
  const state = (name, words) => {
    live.className = name;
    live.textContent = words;
  };
  follow('stuff', authorization, {
    open: () => state('on', 'live'),
    away: () => state('off', 'reconnecting'),
    change: (kind, data) => {
      if (kind === 'put' || kind === 'delete') guarded(changed)(data);
    },
    lost: (status) => {
      state('off', 'not live');
      if (status === 401) {
        askForKey();
      } else {
        // Its position is forgotten, or there is no feed: the page may be out of date.
        setTimeout(guarded(begin), 10_000);
      }
    },
  });
}

async function begin() {
  listen();
  await load();
}

async function changed(data) {
  const { _id: id, etag, document: now } = JSON.parse(data);
  if (typeof id !== 'string') return;
  const item = list.rows.get(id);
  if (item) {
    const fresh = now ? row(members(data).get('document')) : item;
    if (now) item.replaceWith(fresh);
    fresh.classList.add(now ? 'changed' : 'deleted');
    mark();
  } else if (now) {
    element('fresh').hidden = false;
  }
  await inTurn(async () => {
    if (!open || open.id !== id || open.etag === null || open.etag === `"${etag}"`) return;
    if (!now || isDirty() || !element('conflict').hidden) {
      await differ();
    } else {
      await show(id);
      say('Somebody changed this just now.', true);
    }
  });
}

// --- Keys and buttons

document.addEventListener('keydown', guarded(async (event) => {
  const typing = event.target.matches('input, textarea');
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 's') {
    event.preventDefault();
    await inTurn(save);
  } else if (event.key === 'Escape' && open) {
    if (!isDirty() || confirm('Leave what is not saved?')) leave();
  } else if (event.key === '/' && !typing) {
    event.preventDefault();
    element('query').focus();
  } else if (event.key === 'n' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    start();
  } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && !typing) {
    const buttons = [...items.querySelectorAll('button')];
    const step = event.key === 'ArrowDown' ? 1 : -1;
    const position = buttons.indexOf(document.activeElement);
    const target = buttons[position < 0 ? 0 : position + step];
    if (target) {
      event.preventDefault();
      target.focus();
    }
  }
}));

const onClick = (id, work) => element(id).addEventListener('click', guarded(work));
onClick('new', start);
onClick('save', () => inTurn(save));
onClick('delete', () => inTurn(remove));
onClick('close', () => {
  if (!isDirty() || confirm('Leave what is not saved?')) leave();
});
onClick('theirs', takeTheirs);
onClick('mine', keepMine);
onClick('fresh', load);
onClick('next', async () => {
  list.starts.push(list.next);
  await load();
});
onClick('previous', async () => {
  list.starts.pop();
  await load();
});
element('search').addEventListener('submit', guarded(async (event) => {
  event.preventDefault();
  await find();
}));
element('key-form').addEventListener('submit', guarded(takeKey));
text.addEventListener('input', check);
window.addEventListener('hashchange', route);
window.addEventListener('popstate', route);
window.addEventListener('beforeunload', (event) => {
  if (isDirty()) event.preventDefault();
});

await guarded(begin)();
if (location.hash) await route();
