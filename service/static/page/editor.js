// The editor of one document.

import { leaveAddress, rename } from './addresses.js';
import { compared, hideConflict, isConflictShown, showConflict } from './conflict.js';
import { element } from './elements.js';
import { fault, indented } from './json.js';
import { say } from './notices.js';
import { address, request } from './requests.js';

const text = element('text');
const idField = element('id');

export class Editor {
  /** The open document: `etag` is null for a new one, `saved` is what the server has. */
  #open = null;
  /** What works on it goes one after the other: the feed tells of a write of our own before, after,
      or while its answer comes. */
  #working = Promise.resolve();
  #list;

  constructor(list) {
    this.#list = list;
    text.addEventListener('input', () => this.#check());
  }

  #inTurn(work) {
    const result = this.#working.then(work);
    this.#working = result.catch(() => {});
    return result;
  }

  get isOpen() {
    return this.#open !== null;
  }

  get isDirty() {
    return this.#open !== null && text.value !== this.#open.saved;
  }

  /** Show the document that has this id; none if it is empty. */
  show(id) {
    return this.#inTurn(async () => {
      if (!id) {
        this.#close();
      } else if (!this.#open || this.#open.id !== id) {
        say('');
        await this.#load(id);
        text.focus({ preventScroll: true });
      }
    });
  }

  start() {
    leaveAddress();
    this.#fill({ id: '', etag: null, saved: '{\n  \n}' });
    idField.focus();
  }

  /** Close the editor, and let the address say so. */
  leave() {
    leaveAddress();
    this.#close();
  }

  save() {
    return this.#inTurn(() => this.#save());
  }

  remove() {
    return this.#inTurn(() => this.#remove());
  }

  /** Somebody, perhaps this page, wrote a document, given as text, or deleted it (null). */
  change(id, etag, json) {
    return this.#inTurn(async () => {
      const open = this.#open;
      if (!open || open.id !== id || open.etag === null || open.etag === `"${etag}"`) return;
      if (json === null || this.isDirty || isConflictShown()) {
        await this.#differ();
      } else {
        await this.#load(id);
        say('Somebody changed this just now.', true);
      }
    });
  }

  takeTheirs() {
    if (this.#open.theirs) this.#fill({ id: this.#open.id, ...this.#open.theirs });
    else this.leave();
  }

  keepMine() {
    const mine = text.value;
    const { id, theirs } = this.#open;
    this.#fill({ id, ...(theirs ?? { etag: null, saved: '' }) });
    if (!theirs) idField.value = id;
    text.value = mine;
    this.#check();
    text.focus();
  }

  async #get(id) {
    const response = await request(address(id));
    return { etag: response.headers.get('etag'), saved: indented(await response.text()) };
  }

  async #load(id) {
    this.#fill({ id, ...(await this.#get(id)) });
  }

  #fill(open) {
    this.#open = open;
    const isNew = open.etag === null;
    element('editor-title').textContent = isNew ? 'New document' : open.id;
    idField.value = isNew ? '' : open.id;
    idField.hidden = element('id-label').hidden = !isNew;
    element('delete').hidden = isNew;
    hideConflict();
    element('editor').hidden = false;
    document.body.classList.add('open');
    text.value = open.saved;
    this.#check();
    this.#list.mark(open.id);
  }

  #close() {
    this.#open = null;
    element('editor').hidden = true;
    document.body.classList.remove('open');
    this.#list.mark(null);
  }

  #check() {
    const wrong = fault(text.value);
    const line = element('check');
    line.textContent = wrong ?? (this.isDirty ? 'Changed, and not saved.' : '');
    line.classList.toggle('bad', wrong !== null);
    element('save').disabled = wrong !== null;
  }

  async #save() {
    if (!this.#open || fault(text.value)) return;
    const sent = text.value;
    const headers = { 'Content-Type': 'application/json' };
    const isNew = this.#open.etag === null;
    const id = isNew ? idField.value : this.#open.id;
    let response;
    try {
      if (isNew && !id) {
        response = await request('stuff', { method: 'POST', headers, body: sent });
      } else {
        headers[isNew ? 'If-None-Match' : 'If-Match'] = isNew ? '*' : this.#open.etag;
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
      else await this.#askAboutConflict();
      return;
    }
    const created = isNew && !id ? (await response.json())._id : id;
    const etag = response.headers.get('etag');
    this.#fill({ id: created, etag, saved: sent });
    say(isNew ? `${created} is created.` : 'Saved.', true);
    if (isNew) {
      await this.#list.load();
      rename(created);
    }
  }

  async #remove() {
    if (!confirm(`Delete ${this.#open.id}?`)) return;
    const { id, etag } = this.#open;
    const headers = { 'If-Match': etag };
    const response = await request(address(id), { method: 'DELETE', headers });
    if (response.status === 412) {
      await this.#askAboutConflict();
      return;
    }
    this.leave();
    say(`${id} is deleted.`, true);
    await this.#list.load();
  }

  async #askAboutConflict() {
    await this.#differ();
    if (isConflictShown()) element('conflict-title').focus();
  }

  /** Show how the server's document and the one in the editor differ. They do not if a write of
      our own was stored although its answer was lost. */
  async #differ() {
    const mine = text.value;
    let theirs = null;
    try {
      theirs = await this.#get(this.#open.id);
    } catch (error) {
      if (error.status !== 404) throw error;
    }
    if (theirs && !fault(mine) && compared(theirs.saved, mine).length === 0) {
      this.#fill({ id: this.#open.id, etag: theirs.etag, saved: mine });
      say('Saved.', true);
      return;
    }
    this.#open.theirs = theirs;
    showConflict(theirs && theirs.saved, mine);
  }
}
