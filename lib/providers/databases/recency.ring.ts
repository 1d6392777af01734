/**
 * A place in a ring, in which items stand in the order they were put there; alone at first. A ring begins and ends at a
 * place without an item. Every step costs the same, however many there are.
 */
export class Place<T> {
  #previous: Place<T> = this;
  #next: Place<T> = this;

  constructor(readonly item?: T) {}

  /** The place after this one. */
  get next(): Place<T> {
    return this.#next;
  }

  /** Leaves the ring it is in. */
  leave(): void {
    this.#previous.#next = this.#next;
    this.#next.#previous = this.#previous;
    this.#previous = this.#next = this;
  }

  /** Goes to the end of the ring that begins at `start`. */
  goToEndOf(start: Place<T>): void {
    this.leave();
    this.#previous = start.#previous;
    this.#next = start;
    start.#previous.#next = this;
    start.#previous = this;
  }
}
