import {
  fencedIn,
  fencedName,
  isFence,
  namesBehind,
  openIn,
  slippedName,
  viewsIn,
  type EndCollection,
  type MoveEnd,
} from './move.ends.js';

/**
 * A fence on the server: each collection of a database gets another name, which has that of the fence, and a view of
 * it takes its old one. Reads go on; every write, of whatever program, is answered 166 and not executed.
 */
export class MoveFence {
  /** @param assertMine asked before each command that somebody who has taken over must not see */
  constructor(
    private readonly end: MoveEnd,
    private readonly fence: string,
    private readonly assertMine: () => Promise<void>,
  ) {}

  /** Resolves when nothing takes writes any more; each round of commands is looked at again. */
  async set(): Promise<void> {
    for (;;) {
      const found = await this.end.list();
      const open = openIn(found);
      const views = viewsIn(found);
      const unseen = fencedIn(found, this.fence).filter((name) => !open.includes(name) && !views.has(name));
      if (open.length === 0 && unseen.length === 0) return this.carrySlipped(found);
      const fenced = new Set(fencedIn(found, this.fence));
      for (const name of open) {
        await this.assertMine();
        await this.end.rename(name, this.nameOfOpen(name, fenced));
        await this.end.createView(name, fencedName(this.fence, name));
      }
      for (const name of unseen) await this.createView(name);
      await this.carrySlipped(found);
    }
  }

  /** Takes it back. A view stays in the place of each fenced name, so that nobody who comes late fences it again. */
  async lift(): Promise<void> {
    for (;;) {
      const found = await this.end.list();
      await this.carrySlipped(found);
      const fenced = fencedIn(found, this.fence);
      const marks = viewsIn(found);
      const unmarked = openIn(found).filter((name) => !marks.has(fencedName(this.fence, name)));
      if (fenced.length === 0 && unmarked.length === 0) return;
      const open = new Set(openIn(found));
      for (const name of fenced) {
        await this.assertMine();
        if (open.has(name)) {
          await this.end.rename(name, slippedName(this.fence, name)); // it came between the two commands below
          continue;
        }
        if (found.some((each) => each.name === name && isFence(each))) await this.end.drop(name);
        await this.end.rename(fencedName(this.fence, name), name);
      }
      for (const name of unmarked)
        if (!fenced.includes(name)) await this.end.createView(fencedName(this.fence, name), name);
    }
  }

  /** A write that came between the two commands of the fence has made a new collection, which belongs to the fenced one. */
  private nameOfOpen(name: string, fenced: ReadonlySet<string>): string {
    return fenced.has(name) ? slippedName(this.fence, name) : fencedName(this.fence, name);
  }

  private async createView(name: string): Promise<void> {
    await this.assertMine();
    await this.end.createView(name, fencedName(this.fence, name));
  }

  private async carrySlipped(found: readonly EndCollection[]): Promise<void> {
    for (const name of namesBehind(found, slippedName(this.fence, ''))) {
      const slipped = slippedName(this.fence, name);
      await this.assertMine();
      await this.end.carry(slipped, fencedName(this.fence, name));
      await this.end.drop(slipped);
    }
  }
}
