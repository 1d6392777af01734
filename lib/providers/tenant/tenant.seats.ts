/** How many sockets the tenants that are being visited may have between them; in the order they ask. */
export class TenantSeats {
  readonly #waiting: { size: number; sit: () => void }[] = [];
  #used = 0;

  constructor(readonly max: number) {}

  /** Resolves when there is room for `size`. What is larger than all there is waits until nobody else is there. */
  async take(size: number): Promise<void> {
    if (this.#waiting.length === 0 && this.#fits(size)) this.#used += size;
    else await new Promise<void>((sit) => this.#waiting.push({ size, sit }));
  }

  give(size: number): void {
    this.#used -= size;
    for (let next = this.#waiting[0]; next && this.#fits(next.size); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#used += next.size;
      next.sit();
    }
  }

  #fits(size: number): boolean {
    return this.#used === 0 || this.#used + size <= this.max;
  }
}
