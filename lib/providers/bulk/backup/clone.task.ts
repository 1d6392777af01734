import type { Database } from '../../databases/database.js';
import type { BulkSummary } from '../bulk.types.js';
import { TenantNotEmptyError } from './backup.errors.js';
import { collectionsOf, namesOf, STATE_COLLECTION, type CloneRecord } from './restore.state.js';

/** Copies a tenant's database to a new one. What a clone that did not end has left there is dropped, and nothing else. */
export class CloneTask {
  constructor(
    private readonly tenantId: string,
    private readonly newId: string,
    private readonly database: Database,
    private readonly copy: () => Promise<BulkSummary>,
    /** To be asked before what somebody who has taken over must not see. @throws TenantTakenOverError */
    private readonly renew: () => Promise<void>,
  ) {}

  async run(): Promise<BulkSummary> {
    const db = this.database.connection.db!;
    const found = await collectionsOf(this.database);
    const marks = db.collection<CloneRecord>(STATE_COLLECTION);
    if (found.length > 0) {
      const mark = await marks.findOne({ _id: 'clone' });
      if (!mark) throw new TenantNotEmptyError(this.newId, namesOf(found));
      await this.renew();
      await db.dropDatabase();
    }
    await marks.insertOne({ _id: 'clone', of: this.tenantId }, { writeConcern: { w: 'majority' } });
    const summary = await this.copy();
    await this.renew();
    await marks.drop();
    this.database.forgetContents();
    return summary;
  }
}
