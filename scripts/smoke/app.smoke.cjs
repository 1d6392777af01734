// Run by check-package.mjs on the installed tarball, required from CommonJS: a Nest application with two tenants on
// the embedded server, with whatever versions of Nest and mongoose are installed beside it.
require('reflect-metadata');
const assert = require('node:assert/strict');
const { Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const mongoose = require('mongoose');
const {
  PolyMongoModule,
  PolyMongoWrapper,
  TenantContext,
  fromHeader,
  getPolyModelToken,
  getTenantModelToken,
} = require('nestjs-polymongo');
const { EmbeddedMongo } = require('nestjs-polymongo/testing');

async function main() {
  const server = await EmbeddedMongo.start();
  const schema = new mongoose.Schema({
    name: { type: String, unique: true },
    friend: { type: 'ObjectId', ref: 'User' },
  });
  class AppModule {}
  Module({
    imports: [
      PolyMongoModule.forRoot({
        mongoURI: server.uri,
        coldStart: false,
        dbSpecific: [{ dbName: 'tenant_own', options: { maxConnections: 3 } }],
        tenant: { resolve: fromHeader('x-tenant-id') },
      }),
      PolyMongoModule.forFeature([
        { name: 'User', schema, discriminators: [{ name: 'Admin', schema: new mongoose.Schema({ level: Number }) }] },
      ]),
    ],
  })(AppModule);
  const app = await NestFactory.create(AppModule, { logger: ['error'] });
  await app.init();

  const users = app.get(getPolyModelToken('User'));
  const mine = app.get(getTenantModelToken('User'));
  const tenants = app.get(TenantContext);
  for (const tenant of ['shared', 'own']) {
    await tenants.run(tenant, async () => {
      const ada = await mine.create({ name: 'Ada' });
      await mine.create({ name: 'Bob', friend: ada._id });
      await users.tenant().create({ __t: 'Admin', name: 'Eve', level: 3 });
      assert.equal((await mine.findOne({ name: 'Bob' }).populate('friend')).friend.name, 'Ada');
      assert.equal((await mine.findOne({ name: 'Eve' })).level, 3);
      await assert.rejects(mine.create({ name: 'Ada' }), { code: 11000 });
      const names = [];
      for await (const user of mine.find().sort('name').cursor()) names.push(user.name);
      assert.deepEqual(names, ['Ada', 'Bob', 'Eve']);
      assert.deepEqual(await mine.aggregate([{ $group: { _id: null, count: { $sum: 1 } } }]), [
        { _id: null, count: 3 },
      ]);
      await mine.bulkWrite([{ deleteOne: { filter: { name: 'Bob' } } }]);
      assert.equal(await mine.countDocuments(), 2);
    });
  }
  assert.equal(await users.countDocuments(), 0);
  assert.equal(await users.db('tenant_own').countDocuments(), 2);
  assert.throws(() => users.tenant(), { status: 400 });
  const { separateDB } = app.get(PolyMongoWrapper).stats.general();
  assert.equal(separateDB[0].readyState, 1);
  await app.close();
  assert.equal(mongoose.connections.length, 1);
  await server.stop();
  console.log(`smoke: ok on mongoose ${mongoose.version}, Nest ${require('@nestjs/core/package.json').version}`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
