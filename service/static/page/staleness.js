// Finds out whether the list is out of date: changes are collected, and then the server is asked.

const MIN_PAUSE = 500; // milliseconds between two looks
const PARTS = 10; // a look takes at most this part of the time

export class Staleness {
  #look;
  #written = new Set();
  #timer = null;
  #pause = MIN_PAUSE;

  /** `look(ids)` asks the server about the documents that have been written. */
  constructor(look) {
    this.#look = look;
  }

  /** A document was written that is not in the list, or one was deleted. */
  note(id) {
    this.#written.add(id);
    this.#timer ??= setTimeout(() => this.#ask(), this.#pause);
  }

  /** The list has just been loaded. */
  forget() {
    this.#written.clear();
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #ask() {
    const written = this.#written;
    this.#written = new Set();
    const start = performance.now();
    try {
      await this.#look(written);
    } catch {
      // The next change asks again.
    }
    this.#pause = Math.max(MIN_PAUSE, PARTS * (performance.now() - start));
    this.#timer = this.#written.size > 0 ? setTimeout(() => this.#ask(), this.#pause) : null;
  }
}
