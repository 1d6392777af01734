import { join } from 'node:path';
import { Injectable, Module } from '@nestjs/common';
import {
  Migration,
  PolyMongoMigrationsModule,
  type MigrationContext,
  type PolyMongoMigrations,
  type PolyMongoTenants,
} from 'nestjs-polymongo';

@Injectable()
class NameParser {
  parse(name: string) {
    const [first = '', ...rest] = name.split(' ');
    return { first, last: rest.join(' ') };
  }
}

@Module({ providers: [NameParser], exports: [NameParser] })
class NamesModule {}

// #region class
@Migration('0002-split-name')
class SplitName {
  constructor(private readonly names: NameParser) {}

  async up({ db, log }: MigrationContext) {
    let count = 0;
    for await (const member of db.collection('members').find({ name: { $exists: true } })) {
      const { first, last } = this.names.parse(member['name'] as string);
      await db.collection('members').updateOne({ _id: member._id }, { $set: { first, last }, $unset: { name: '' } });
      count++;
    }
    log(`${count} names split`);
  }

  async down({ db }: MigrationContext) {
    const name = { $concat: ['$first', ' ', '$last'] };
    await db
      .collection('members')
      .updateMany({ first: { $exists: true } }, [{ $set: { name } }, { $unset: ['first', 'last'] }]);
  }
}
// #endregion

// #region without a transaction
@Migration('0003-email-index', { isTransactional: false })
export class EmailIndex {
  async up({ db }: MigrationContext) {
    await db.collection('members').createIndex({ email: 1 }, { name: 'by_email' });
  }
}
// #endregion

export const files = {
  directory: join(import.meta.dirname, 'migrations'),
  classes: [SplitName],
  imports: [NamesModule],
};

export const registered = () =>
  // #region registered
  PolyMongoMigrationsModule.forRoot({
    directory: join(import.meta.dirname, 'migrations'), // 0001-plans.mjs …
    classes: [SplitName], // both, or one of them
    imports: [NamesModule], // what the classes inject
  });
// #endregion

export const rolling = (directory: string) =>
  // #region rolling
  PolyMongoMigrationsModule.forRoot({ directory, runs: 'lazily', behind: 'wait', ahead: 'refuse' });
// #endregion

export async function run(tenants: PolyMongoTenants) {
  // #region run
  const results = await tenants.migrate({ onError: 'collect', concurrency: 8 });
  for (const result of results) if (!result.ok) console.error(result.tenantId, result.error);

  for await (const { tenantId, done, total } of tenants.migrate({ to: '0002' })) console.log(tenantId, done / total);
  tenants.migrate({ only: ['0003-email-index'] }).subscribe(({ tenantId }) => console.log(tenantId));

  const [planned] = await tenants.migrate({ tenants: ['acme'], dryRun: true });
  // #endregion
  return { results, planned };
}

export async function rest(migrations: PolyMongoMigrations) {
  // #region rest
  await migrations.redo('0002', { tenants: ['acme'] }); // down and up; where it is half-done, what was not finished
  await migrations.down({ tenants: ['acme'], to: '0001' }); // 0001 stays; without `to` the last one is taken back
  await migrations.mark('0003', 'done', { tenants: ['acme'] }); // finished by hand
  const { version, pending, ahead, records } = await migrations.statusOf('acme');
  // #endregion
  return { version, pending, ahead, records };
}
