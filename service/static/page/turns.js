// Work that goes one after the other.

export class Turns {
  #last = Promise.resolve();

  /** Do the work after what was begun before. Its result, or its error. */
  take(work) {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}
