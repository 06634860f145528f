// The editor of one document. What somebody types is never lost without a question: it is kept as a
// draft when the editor shows another document, and is not replaced while a request is under way.

import { addressed, addressedCollection, leaveAddress } from './addresses.js';
import { compared, hideConflict, isConflictShown, showConflict } from './conflict.js';
import * as documents from './documents.js';
import { EXTENDED } from './extended.js';
import * as form from './form.js';
import { fault } from './json.js';
import { say } from './notices.js';

const AMBIGUOUS = 'This document has objects that look like dates or other types of MongoDB. They are '
  + 'shown alike, and are stored as objects when it is saved here.';
const PAUSE = 300; // milliseconds without typing, after which the draft is kept

export class Editor {
  /** The open document of a `collection`: `etag` is null for one that is to be created, `saved` is
      what the server has, `type` the media type of that and of what is typed, `theirs` what the
      server has by now if there is a conflict (null if it was deleted), `made` the id of one that
      nobody gives an id. */
  #open = null;
  #collection = null;
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

  /** Edit documents of this collection. */
  enter(collection) {
    if (this.#open && this.#open.collection.name !== collection.name) this.close();
    this.#collection = collection;
    form.enter(collection);
  }

  /** Show the document in the address; none if there is none. */
  route() {
    return this.#turns.take(async () => {
      if (addressedCollection() !== this.#collection.name) return; // which is yet to be entered
      try {
        const id = addressed();
        if (id && id !== this.#open?.id) await this.#load(this.#collection, id);
        else if (!id && this.#open?.id) this.close();
      } catch (error) {
        this.close();
        throw error;
      }
    });
  }

  async #load(collection, id) {
    say('');
    const place = { collection, id };
    const draft = this.#drafts.get(place);
    const type = draft ? draft.type ?? EXTENDED : undefined;
    const theirs = await documents.find(collection, id, type);
    // Somebody may have gone on meanwhile.
    if (addressedCollection() !== collection.name || addressed() !== id) return;
    if (!theirs && !draft) throw new Error(`There is no document ${id}.`);
    this.#keep();
    if (draft) {
      this.#fill({ ...place, type, saved: '', ...theirs, etag: draft.etag }, draft);
      if (draft.etag !== (theirs?.etag ?? null)) this.compare(theirs);
    } else {
      this.#fill({ ...place, ...theirs });
    }
    if (theirs?.isAmbiguous) say(AMBIGUOUS);
    form.focusText();
  }

  /** Show a document that is to be created. */
  start() {
    const collection = this.#collection;
    if (collection.isReadOnly) return;
    say('');
    if (this.#open?.id !== '') {
      this.#keep();
      leaveAddress(collection.name);
      const place = { collection, id: '' };
      const open = { ...place, etag: null, type: EXTENDED, saved: collection.template };
      this.#fill(open, this.#drafts.get(place));
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
    leaveAddress(this.#open.collection.name);
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
    this.#mark(this.#open);
  }

  #mark(place) {
    this.#list.mark(place && place.id);
    this.#drafts.mark(place);
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
    const { etag, type, made } = this.#open;
    if (this.isDirty) this.#drafts.keep(this.#open, { etag, type, made, ...form.typed() });
    else this.#drafts.drop(this.#open);
  }

  discard() {
    const { collection, id, etag, saved, type, theirs } = this.#open;
    if (!confirm(`Discard your changes of ${id || 'the new document'}?`)) return;
    this.#drafts.drop(this.#open);
    if (theirs) this.#fill({ collection, id, ...theirs });
    else if (theirs === null || (etag === null && id)) this.gone();
    else this.#fill({ collection, id, etag, saved, type });
  }

  /** The open document was stored with this text; somebody may have typed on meanwhile. */
  stored(id, etag, saved) {
    const { collection, type } = this.#open;
    this.#drafts.drop(this.#open);
    this.#open = { collection, id, etag, saved, type };
    form.fill({ text: form.typed().text, id });
    hideConflict();
    this.#show();
    this.#keep();
  }

  /** The open document does not exist (any more), and nothing of it is to be kept. */
  gone() {
    this.#drafts.drop(this.#open);
    leaveAddress(this.#open.collection.name);
    this.#abandon();
  }

  // --- Changes by others

  /** Changes may have been missed. */
  async refresh() {
    const { collection, id, etag, type } = this.#open ?? { etag: null };
    if (etag === null) return;
    const theirs = await documents.find(collection, id, type);
    if (theirs?.etag !== etag) await this.change(collection, id, theirs?.etag, theirs?.saved ?? null);
  }

  /** Somebody, perhaps this page, wrote a document, given as text, or deleted it (null). */
  change({ name }, id, etag, json) {
    return this.#turns.take(async () => {
      const open = this.#open;
      if (!open || open.id !== id || open.collection.name !== name) return;
      if (open.etag === null || open.etag === `"${etag}"`) return;
      const { collection, type } = open;
      const theirs = json === null ? null : await documents.find(collection, id, type);
      if (this.#open !== open) return;
      if (!theirs || this.isDirty || isConflictShown()) {
        this.compare(theirs);
      } else {
        this.#fill({ collection, id, ...theirs });
        say('Somebody changed this just now.', true);
      }
    });
  }

  /** Show how the server's document and the one in the editor differ. They do not if a write of
      our own was stored although its answer was lost. */
  compare(theirs) {
    const { collection, id, type } = this.#open;
    const { text } = form.typed();
    if (theirs && !fault(text) && compared(theirs.saved, text).length === 0) {
      this.#drafts.drop(this.#open);
      this.#fill({ collection, id, etag: theirs.etag, type, saved: text });
      say('Saved.', true);
    } else {
      this.#open.theirs = theirs;
      form.check(this.isDirty);
      this.#showConflict();
    }
  }

  #showConflict() {
    const { theirs } = this.#open;
    showConflict(theirs && theirs.saved, form.typed().text);
  }

  takeTheirs() {
    const { collection, id, theirs } = this.#open;
    this.#drafts.drop(this.#open);
    if (theirs) this.#fill({ collection, id, ...theirs });
    else this.gone();
  }

  keepMine() {
    const { collection, id, type, theirs } = this.#open;
    const { text } = form.typed();
    this.#fill({ collection, id, type, ...(theirs ?? { etag: null, saved: '' }) }, { text, id });
    this.#keep();
    form.focusText();
  }
}
