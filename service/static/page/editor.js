// The editor of one document. What somebody types is never lost without a question: it is kept as a
// draft when the editor shows another document, and is not replaced while a request is under way.

import { addressed, leaveAddress, rename } from './addresses.js';
import { copy } from './clipboard.js';
import { compared, hideConflict, isConflictShown, showConflict } from './conflict.js';
import * as documents from './documents.js';
import { element } from './elements.js';
import * as form from './form.js';
import { newId } from './ids.js';
import { fault } from './json.js';
import { say } from './notices.js';
import { Turns } from './turns.js';

const BLANK = '{\n  \n}';
const PAUSE = 300; // milliseconds without typing, after which the draft is kept

export class Editor {
  /** The open document: `etag` is null for one that is to be created, `saved` is what the server
      has, `theirs` what it has by now if there is a conflict (null if it was deleted), `made` the
      id of one that nobody gives an id. */
  #open = null;
  /** What waits for the server goes one after the other: the feed tells of a write of our own
      before, after, or while its answer comes. */
  #turns = new Turns();
  #pause;
  #list;
  #drafts;

  constructor(list, drafts) {
    this.#list = list;
    this.#drafts = drafts;
    form.onInput(() => this.#typed());
    window.addEventListener('pagehide', () => this.#keep());
  }

  get isOpen() {
    return this.#open !== null;
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
    const theirs = await documents.find(id);
    if (addressed() !== id) return; // somebody has gone on meanwhile
    if (!theirs && !draft) throw new Error(`There is no document ${id}.`);
    this.#keep();
    if (draft) {
      this.#fill({ id, saved: theirs?.saved ?? '', etag: draft.etag }, draft);
      if (draft.etag !== (theirs?.etag ?? null)) this.#compare(theirs);
    } else {
      this.#fill({ id, ...theirs });
    }
    form.focusText();
  }

  /** Show a document that is to be created. */
  start() {
    say('');
    if (this.#open?.id !== '') {
      this.#keep();
      leaveAddress();
      this.#fill({ id: '', etag: null, saved: BLANK }, this.#drafts.get(''));
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
    const { id, etag, made } = this.#open;
    if (this.isDirty) this.#drafts.keep(id, { etag, made, ...form.typed() });
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
    const { id, etag, saved, theirs } = this.#open;
    if (!confirm(`Discard your changes of ${id || 'the new document'}?`)) return;
    this.#drafts.drop(id);
    if (theirs) this.#fill({ id, ...theirs });
    else if (theirs === null || (etag === null && id)) this.#gone(id);
    else this.#fill({ id, etag, saved });
  }

  /** The document does not exist (any more), and nothing of it is to be kept. */
  #gone(id) {
    this.#drafts.drop(id);
    leaveAddress();
    this.#abandon();
  }

  // --- Save and delete

  save() {
    return this.#turns.take(async () => {
      const open = this.#open;
      const { text, id: given } = form.typed();
      if (!open || fault(text)) return;
      open.made ??= newId(); // the same one when it is saved again, so that it is created once
      const id = open.etag === null ? given || open.made : open.id;
      form.tell('Saving…');
      let etag;
      try {
        etag = await documents.write(id, text, open.etag);
      } catch (error) {
        if (this.#open === open) form.tell(error.message, true);
        else say(error.message);
        return;
      }
      if (etag !== null) await this.#stored(open, text, { id, etag });
      else await this.#refused(open, text, id);
    });
  }

  /** This text was stored. Somebody may have typed on meanwhile, or have left the document. */
  async #stored(open, sent, { id, etag }) {
    if (this.#open === open) {
      this.#drafts.drop(open.id);
      this.#open = { id, etag, saved: sent };
      form.fill({ text: form.typed().text, id });
      hideConflict();
      this.#show();
      this.#keep();
      if (open.etag === null) rename(id);
    } else {
      const draft = this.#drafts.get(open.id);
      if (draft) this.#drafts.drop(open.id);
      if (draft && draft.text !== sent) this.#drafts.keep(id, { etag, text: draft.text, id });
    }
    const isHere = this.#open?.id === id;
    say(open.etag === null ? `${id} is created.` : isHere ? 'Saved.' : `${id} is saved.`, true);
    if (open.etag === null) await this.#list.load();
  }

  /** The document on the server is not the one that was changed here. */
  async #refused(open, sent, id) {
    const theirs = await documents.find(id);
    if (this.#open !== open) {
      say('The document was not saved: somebody else changed it. Open it to see the difference.');
    } else if (open.etag !== null) {
      this.#compare(theirs);
      if (isConflictShown()) element('conflict-title').focus();
    } else if (theirs && compared(theirs.saved, sent).length === 0) {
      await this.#stored(open, sent, { id, etag: theirs.etag }); // by an attempt before
    } else {
      form.tell(`There is a document ${id} already. Choose another id, or open that one.`, true);
    }
  }

  remove() {
    return this.#turns.take(async () => {
      const open = this.#open;
      if (!open) return;
      const unsaved = this.isDirty ? ' Your unsaved changes are lost, too.' : '';
      if (!confirm(`Delete ${open.id}?${unsaved}`)) return;
      if (!await documents.remove(open.id, open.etag)) {
        await this.#refused(open, '', open.id);
        return;
      }
      if (this.#open === open) this.#gone(open.id);
      else this.#drafts.drop(open.id);
      say(`${open.id} is deleted.`, true);
      await this.#list.load();
    });
  }

  // --- Changes by others

  /** Changes may have been missed. */
  async refresh() {
    const { id, etag } = this.#open ?? { etag: null };
    if (etag === null) return;
    const theirs = await documents.find(id);
    if (theirs?.etag !== etag) await this.change(id, theirs?.etag, theirs && theirs.saved);
  }

  /** Somebody, perhaps this page, wrote a document, given as text, or deleted it (null). */
  change(id, etag, json) {
    return this.#turns.take(async () => {
      const open = this.#open;
      if (!open || open.id !== id || open.etag === null || open.etag === `"${etag}"`) return;
      const theirs = json === null ? null : await documents.find(id);
      if (this.#open !== open) return;
      if (!theirs || this.isDirty || isConflictShown()) {
        this.#compare(theirs);
      } else {
        this.#fill({ id, ...theirs });
        say('Somebody changed this just now.', true);
      }
    });
  }

  /** Show how the server's document and the one in the editor differ. They do not if a write of
      our own was stored although its answer was lost. */
  #compare(theirs) {
    const { id } = this.#open;
    const { text } = form.typed();
    if (theirs && !fault(text) && compared(theirs.saved, text).length === 0) {
      this.#drafts.drop(id);
      this.#fill({ id, etag: theirs.etag, saved: text });
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
    else this.#gone(id);
  }

  keepMine() {
    const { id, theirs } = this.#open;
    const { text } = form.typed();
    this.#fill({ id, ...(theirs ?? { etag: null, saved: '' }) }, { text, id });
    this.#keep();
    form.focusText();
  }
}
