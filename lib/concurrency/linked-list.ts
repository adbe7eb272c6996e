/** What is in a {@link LinkedList}. */
export class ListEntry<T> {
  before: ListEntry<T> | undefined;
  after: ListEntry<T> | undefined;

  constructor(readonly value: T) {}
}

/**
 * A list in order of arrival. Joining and leaving it take constant time.
 *
 * It keeps nothing of what has left. A Set would: each time it is rebuilt, its old table stays in
 * memory until the next full garbage collection, with all that was in it, and so do later ones.
 */
export class LinkedList<T> {
  #size = 0;
  #first: ListEntry<T> | undefined;
  #last: ListEntry<T> | undefined;

  get size(): number {
    return this.#size;
  }

  get first(): ListEntry<T> | undefined {
    return this.#first;
  }

  get last(): ListEntry<T> | undefined {
    return this.#last;
  }

  /** @returns the entry, to remove it */
  append(value: T): ListEntry<T> {
    const entry = new ListEntry(value);
    entry.before = this.#last;
    if (this.#last === undefined) this.#first = entry;
    else this.#last.after = entry;
    this.#last = entry;
    this.#size++;
    return entry;
  }

  /** @returns false if it had already been removed */
  remove(entry: ListEntry<T>): boolean {
    const { before, after } = entry;
    if (before === undefined && this.#first !== entry) return false;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    entry.before = undefined;
    entry.after = undefined;
    this.#size--;
    return true;
  }
}
