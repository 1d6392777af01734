import type { Tick } from './clock.js';
import type { ReadView, Writer } from './read-view.js';

/** The place of a record in its collection: grows in insertion order, never used twice. */
export type RecordId = number;

/** One state of a record: `bytes` is undefined where it was deleted, `unit` is set until its writer commits. */
export interface Version {
  bytes: Uint8Array | undefined;
  tick: Tick;
  unit: Writer | undefined;
  older: Version | undefined;
}

/** A record nobody needs the history of is its bytes alone, which is the usual case and costs no chain. */
export type Slot = Uint8Array | Version;

const PAGE = 1024;

/** The bytes of `slot` that `view` sees; undefined when it sees no record. */
export function readSlot(slot: Slot | undefined, view: ReadView): Uint8Array | undefined {
  if (slot === undefined || slot instanceof Uint8Array) return slot;
  for (let version: Version | undefined = slot; version; version = version.older) {
    if (version.unit ? version.unit === view.unit : version.tick <= view.tick) return version.bytes;
  }
  return undefined;
}

/** Every state of a record that is still kept, newest first. */
export function versionsOf(slot: Slot | undefined): (Uint8Array | undefined)[] {
  if (slot === undefined || slot instanceof Uint8Array) return [slot];
  const all: (Uint8Array | undefined)[] = [];
  for (let version: Version | undefined = slot; version; version = version.older) all.push(version.bytes);
  return all;
}

interface Page {
  readonly slots: (Slot | undefined)[];
  used: number;
}

/** The records of a collection by id, in pages, so that they are walked in both directions and from any place. */
export class RecordStore {
  private readonly pages = new Map<number, Page>();
  private firstPage = 0;
  private lastId = 0;

  /** The id the next record gets. */
  nextId(): RecordId {
    return ++this.lastId;
  }

  get newestId(): RecordId {
    return this.lastId;
  }

  get(id: RecordId): Slot | undefined {
    return this.pages.get(Math.floor(id / PAGE))?.slots[id % PAGE];
  }

  set(id: RecordId, slot: Slot): void {
    const number = Math.floor(id / PAGE);
    let page = this.pages.get(number);
    if (!page) this.pages.set(number, (page = { slots: [], used: 0 }));
    const at = id % PAGE;
    while (page.slots.length < at) page.slots.push(undefined);
    if (page.slots[at] === undefined) page.used++;
    page.slots[at] = slot;
  }

  delete(id: RecordId): void {
    const number = Math.floor(id / PAGE);
    const page = this.pages.get(number);
    if (page?.slots[id % PAGE] === undefined) return;
    page.slots[id % PAGE] = undefined;
    if (--page.used === 0) this.pages.delete(number);
  }

  /** The ids after `after` in insertion order; records added while it runs are included. */
  *ids(after: RecordId = 0): Generator<RecordId> {
    while (this.firstPage < Math.floor(this.lastId / PAGE) && !this.pages.has(this.firstPage)) this.firstPage++;
    let id = Math.max(after + 1, this.firstPage * PAGE);
    while (id <= this.lastId) {
      const base = id - (id % PAGE);
      const slots = this.pages.get(base / PAGE)?.slots;
      for (let at = id - base; slots && at < slots.length; at++) if (slots[at] !== undefined) yield base + at;
      const isNewestPage = this.lastId < base + PAGE;
      if (isNewestPage) return;
      id = base + PAGE;
    }
  }

  /** The ids in reverse insertion order, from the newest or from just before `before`. */
  *idsReversed(before: RecordId = this.lastId + 1): Generator<RecordId> {
    let id = before - 1;
    while (id >= 1 && id >= this.firstPage * PAGE) {
      const slots = this.pages.get(Math.floor(id / PAGE))?.slots;
      const base = id - (id % PAGE);
      if (slots) {
        for (let at = id - base; at >= 0; at--) if (slots[at] !== undefined) yield base + at;
      }
      id = base - 1;
    }
  }
}
