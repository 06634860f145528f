// The editor of one document. What somebody types is never lost without a question: it is kept as a
// draft when the editor shows another document, and is not replaced while a request is under way.

import { addressed, leaveAddress } from './addresses.js';
import { copy } from './clipboard.js';
import { compared, hideConflict, isConflictShown, showConflict } from './conflict.js';
import * as documents from './documents.js';
import { EXTENDED } from './extended.js';
import * as form from './form.js';
import { fault } from './json.js';
import { say } from './notices.js';

const BLANK = '{\n  \n}';
const AMBIGUOUS = 'This document has objects that look like dates or other types of MongoDB. They are '
  + 'shown alike, and are stored as objects when it is saved here.';
const PAUSE = 300; // milliseconds without typing, after which the draft is kept

export class Editor {
  /** The open document: `etag` is null for one that is to be created, `saved` is what the server
      has, `type` the media type of that and of what is typed, `theirs` what the server has by now
      if there is a conflict (null if it was deleted), `made` the id of one that nobody gives an
      id. */
  #open = null;
  #turns;
  #pause;
  #list;
  #drafts;

  /** What waits for the server takes `turns`: the feed tells of a write of our own before, after, or
      while its answer comes. */
  constructor(list, drafts, turns) {
    this.#turns = turns;
    this.#list = list;
    this.#drafts = drafts;
    form.onInput(() => this.#typed());
    window.addEventListener('pagehide', () => this.#keep());
  }

  get open() {
    return this.#open;
  }

  get isDirty() {
    if (!this.#open) return false;
    const { id, etag, saved } = this.#open;
    const typed = form.typed();
    return typed.text !== saved || (etag === null && typed.id !== id);
  }

  // --- What is in the editor

  /** Show the document in the address; none if there is none. */
  route() {
    return this.#turns.take(async () => {
      try {
        const id = addressed();
        if (!id) this.close();
        else if (id !== this.#open?.id) await this.#load(id);
      } catch (error) {
        this.close();
        throw error;
      }
    });
  }

  async #load(id) {
    say('');
    const draft = this.#drafts.get(id);
    const type = draft ? draft.type ?? EXTENDED : undefined;
    const theirs = await documents.find(id, type);
    if (addressed() !== id) return; // somebody has gone on meanwhile
    if (!theirs && !draft) throw new Error(`There is no document ${id}.`);
    this.#keep();
    if (draft) {
      this.#fill({ id, type, saved: '', ...theirs, etag: draft.etag }, draft);
      if (draft.etag !== (theirs?.etag ?? null)) this.compare(theirs);
    } else {
      this.#fill({ id, ...theirs });
    }
    if (theirs?.isAmbiguous) say(AMBIGUOUS);
    form.focusText();
  }

  /** Show a document that is to be created. */
  start() {
    say('');
    if (this.#open?.id !== '') {
      this.#keep();
      leaveAddress();
      this.#fill({ id: '', etag: null, type: EXTENDED, saved: BLANK }, this.#drafts.get(''));
    }
    form.focusId();
  }

  close() {
    this.#keep();
    this.#abandon();
  }

  #abandon() {
    if (!this.#open) return;
    const { id } = this.#open;
    const isFocused = form.isFocused();
    this.#open = null;
    form.hideForm();
    this.#mark(null);
    if (isFocused) this.#list.focus(id);
  }

  /** Close the editor, and let the address say so. */
  leave() {
    leaveAddress();
    this.close();
  }

  #fill(open, draft) {
    this.#open = { ...open, made: draft?.made };
    form.fill(draft ?? { text: open.saved, id: open.id });
    hideConflict();
    this.#show();
  }

  #show() {
    const { id, etag } = this.#open;
    form.showForm(id, etag === null);
    form.check(this.isDirty);
    this.#mark(id);
  }

  #mark(id) {
    this.#list.mark(id);
    this.#drafts.mark(id);
  }

  // --- What is typed

  #typed() {
    form.check(this.isDirty);
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#keep();
      if (this.#open && isConflictShown()) this.#showConflict();
    }, PAUSE);
  }

  /** Keep what is not saved. */
  #keep() {
    if (!this.#open) return;
    const { id, etag, type, made } = this.#open;
    if (this.isDirty) this.#drafts.keep(id, { etag, type, made, ...form.typed() });
    else this.#drafts.drop(id);
  }

  async copyId() {
    await copy(this.#open.id);
    say('The id is copied.', true);
  }

  /** Copy the document as it is in the editor. */
  async copyText() {
    await copy(form.typed().text);
    say('The document is copied.', true);
  }

  discard() {
    const { id, etag, saved, type, theirs } = this.#open;
    if (!confirm(`Discard your changes of ${id || 'the new document'}?`)) return;
    this.#drafts.drop(id);
    if (theirs) this.#fill({ id, ...theirs });
    else if (theirs === null || (etag === null && id)) this.gone(id);
    else this.#fill({ id, etag, saved, type });
  }

  /** The open document was stored with this text; somebody may have typed on meanwhile. */
  stored(id, etag, saved) {
    this.#drafts.drop(this.#open.id);
    this.#open = { id, etag, saved, type: this.#open.type };
    form.fill({ text: form.typed().text, id });
    hideConflict();
    this.#show();
    this.#keep();
  }

  /** The document does not exist (any more), and nothing of it is to be kept. */
  gone(id) {
    this.#drafts.drop(id);
    leaveAddress();
    this.#abandon();
  }

  // --- Changes by others

  /** Changes may have been missed. */
  async refresh() {
    const { id, etag, type } = this.#open ?? { etag: null };
    if (etag === null) return;
    const theirs = await documents.find(id, type);
    if (theirs?.etag !== etag) await this.change(id, theirs?.etag, theirs && theirs.saved);
  }

  /** Somebody, perhaps this page, wrote a document, given as text, or deleted it (null). */
  change(id, etag, json) {
    return this.#turns.take(async () => {
      const open = this.#open;
      if (!open || open.id !== id || open.etag === null || open.etag === `"${etag}"`) return;
      const theirs = json === null ? null : await documents.find(id, open.type);
      if (this.#open !== open) return;
      if (!theirs || this.isDirty || isConflictShown()) {
        this.compare(theirs);
      } else {
        this.#fill({ id, ...theirs });
        say('Somebody changed this just now.', true);
      }
    });
  }

  /** Show how the server's document and the one in the editor differ. They do not if a write of
      our own was stored although its answer was lost. */
  compare(theirs) {
    const { id, type } = this.#open;
    const { text } = form.typed();
    if (theirs && !fault(text) && compared(theirs.saved, text).length === 0) {
      this.#drafts.drop(id);
      this.#fill({ id, etag: theirs.etag, type, saved: text });
      say('Saved.', true);
    } else {
      this.#open.theirs = theirs;
      this.#showConflict();
    }
  }

  #showConflict() {
    const { theirs } = this.#open;
    showConflict(theirs && theirs.saved, form.typed().text);
  }

  takeTheirs() {
    const { id, theirs } = this.#open;
    this.#drafts.drop(id);
    if (theirs) this.#fill({ id, ...theirs });
    else this.gone(id);
  }

  keepMine() {
    const { id, type, theirs } = this.#open;
    const { text } = form.typed();
    this.#fill({ id, type, ...(theirs ?? { etag: null, saved: '' }) }, { text, id });
    this.#keep();
    form.focusText();
  }
}
