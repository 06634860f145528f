// Saves and deletes the document in the editor. While the server is at it, somebody may type on, or
// leave the document.

import { rename } from './addresses.js';
import { compared, isConflictShown } from './conflict.js';
import * as documents from './documents.js';
import { element } from './elements.js';
import { showFaults } from './faults.js';
import * as form from './form.js';
import { newId } from './ids.js';
import { fault } from './json.js';
import { say } from './notices.js';

export class Writer {
  #editor;
  #list;
  #drafts;
  #turns;

  constructor(editor, list, drafts, turns) {
    this.#editor = editor;
    this.#list = list;
    this.#drafts = drafts;
    this.#turns = turns;
  }

  save() {
    return this.#turns.take(async () => {
      const { open } = this.#editor;
      const { text, id: given } = form.typed();
      if (!open || open.collection.isReadOnly || fault(text)) return;
      // The same one when it is saved again, so that it is created once.
      open.made ??= newId(open.collection.idType);
      const id = open.etag === null ? given || open.made : open.id;
      if (!id) {
        form.tell('Give the document an id, which is an integer.', true);
        form.focusId();
        return;
      }
      form.tell('Saving…');
      try {
        const etag = await documents.write(open.collection, id, text, open.etag, open.type);
        if (etag !== null) await this.#stored(open, text, id, etag);
        else await this.#refused(open, text, id);
      } catch (error) {
        if (this.#editor.open !== open) say(error.message);
        else if (error.faults?.length > 0) form.tell(showFaults(error.faults), true);
        else form.tell(error.message, true);
      }
    });
  }

  remove() {
    return this.#turns.take(async () => {
      const { open, isDirty } = this.#editor;
      if (!open) return;
      const unsaved = isDirty ? ' Your unsaved changes are lost, too.' : '';
      if (!confirm(`Delete ${open.id}?${unsaved}`)) return;
      if (!await documents.remove(open.collection, open.id, open.etag)) {
        await this.#refused(open, null, open.id);
        return;
      }
      if (this.#editor.open === open) this.#editor.gone();
      else this.#drafts.drop(open);
      await this.#tell(`${open.id} is deleted.`);
    });
  }

  async #stored(open, text, id, etag) {
    const isNew = open.etag === null;
    const isHere = this.#editor.open === open;
    if (isHere) {
      this.#editor.stored(id, etag, text);
      if (isNew) rename(open.collection.name, id);
    } else {
      const draft = this.#drafts.get(open);
      if (draft) this.#drafts.drop(open);
      if (draft && draft.text !== text) this.#drafts.keep({ ...open, id }, { ...draft, etag, id });
    }
    if (isNew) await this.#tell(`${id} is created.`);
    else say(isHere ? 'Saved.' : `${id} is saved.`, true);
  }

  /** Say what was done, and load the list, which a key that may only write cannot. */
  async #tell(message) {
    say(message, true);
    try {
      await this.#list.load();
    } catch (error) {
      say(`${message} ${error.message}`);
    }
  }

  /** The document on the server is not the one that was changed, or is to be deleted (no text). */
  async #refused(open, text, id) {
    const theirs = await documents.find(open.collection, id, open.type);
    if (this.#editor.open !== open) {
      const undone = text === null ? 'deleted' : 'saved';
      say(`${id} was not ${undone}: somebody else changed it. Open it to see the difference.`);
    } else if (open.etag !== null) {
      this.#editor.compare(theirs);
      if (isConflictShown()) element('conflict-title').focus();
    } else if (theirs && compared(theirs.saved, text).length === 0) {
      await this.#stored(open, text, id, theirs.etag); // by an attempt before
    } else {
      form.tell(`There is a document ${id} already. Choose another id, or open that one.`, true);
    }
  }
}
