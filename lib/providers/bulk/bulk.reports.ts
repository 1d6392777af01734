import { Subject } from 'rxjs';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { keptProgress } from '../sessions/subscriber.listener.js';
import { ProgressMeter } from './bulk.progress.js';
import { BulkReport } from './bulk.report.js';
import type { BulkProgress, BulkTaskOptions, ImportOptions } from './bulk.types.js';

interface TaskSubject {
  /** Where a copy goes. */
  readonly target?: string;
  /** Of a task on one collection. */
  readonly collection?: string | undefined;
  readonly onError?: 'stop' | 'skip' | undefined;
  readonly rejects?: ImportOptions['rejects'] | undefined;
}

/** The reports of all tasks, and their progress in one stream. */
export class BulkReports {
  readonly progress = new Subject<BulkProgress>();

  constructor(private readonly pools: PolyMongoPools) {
    pools.onClosed(() => this.progress.complete());
  }

  /** That of a new task. */
  of(
    task: BulkProgress['task'],
    database: string,
    { signal, onProgress }: BulkTaskOptions,
    { target, collection, onError, rejects }: TaskSubject = {},
  ): BulkReport {
    const subject = { task, database, ...(target !== undefined && { target }) };
    const meter = new ProgressMeter(subject, [
      onProgress && keptProgress(this.pools.events, database, onProgress),
      (progress) => this.progress.next(progress),
    ]);
    const what = collection === undefined ? database : `${database}.${collection}`;
    const title = { copy: `Copying ${what} to ${target}`, export: `Exporting ${what}`, import: `Importing ${what}` };
    return new BulkReport(title[task], meter, onError, rejects, signal);
  }
}
