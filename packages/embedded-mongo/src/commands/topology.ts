import { ObjectId } from 'bson';
import type { Timestamp } from 'bson';
import type { Doc } from '../bson/value.js';
import { fieldsOf, long } from './reply.js';

/** The one-node replica set, whose only member this server is. */
export class Topology {
  /** New at each start: drivers then forget what they knew of this server. */
  readonly processId = new ObjectId();
  private readonly counter = 6n;

  constructor(
    readonly setName: string,
    /** `127.0.0.1:PORT` */
    readonly host: string,
    /** How often the set has elected a primary: once at each start. */
    private readonly term: number,
  ) {}

  get version(): Doc {
    return fieldsOf({ processId: this.processId, counter: this.counter });
  }

  isCurrent(version: Doc): boolean {
    const processId = version.get('processId');
    return processId instanceof ObjectId && processId.equals(this.processId) && version.get('counter') === this.counter;
  }

  get electionId(): ObjectId {
    return new ObjectId(`7fffffff${this.term.toString(16).padStart(16, '0')}`);
  }

  opTime(ts: Timestamp): Doc {
    return fieldsOf({ ts, t: long(this.term) });
  }
}
