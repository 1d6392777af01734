// Run by Node as it is: these libraries are CommonJS that requires Nest, which Jest cannot load on Node 20.
import 'reflect-metadata';
import { Controller, Get, Inject, Injectable, Module, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { ClsModule, ClsServiceManager } from 'nestjs-cls';
import { fromHeader, PolyMongoModule, TenantContext, type TenantOptions } from 'nestjs-polymongo';

// #region nestjs-cls
const cls = ClsServiceManager.getClsService();

export const stored: TenantOptions['onEnter'] =
  ({ id }) =>
  (fn) =>
    cls.run({ ifNested: 'inherit' }, () => {
      cls.set('tenant', id);
      return fn();
    });
// #endregion

// #region throttler
@Injectable()
export class TenantThrottlerGuard extends ThrottlerGuard {
  @Inject(TenantContext) private readonly tenant!: TenantContext;

  protected override async getTracker(request: Record<string, unknown>): Promise<string> {
    const tenantId = this.tenant.current();
    return tenantId ? `tenant:${tenantId}` : super.getTracker(request);
  }
}
// #endregion

@Controller()
class Orders {
  @Inject(TenantContext) private readonly tenant!: TenantContext;

  @Get('stored')
  stored() {
    const read = () => cls.get<string | undefined>('tenant') ?? null;
    return [read(), this.tenant.run('initech', read), read()];
  }

  @Get('throttled')
  @UseGuards(TenantThrottlerGuard)
  throttled() {}
}

@Module({
  imports: [
    PolyMongoModule.forRoot({
      mongoURI: 'mongodb://127.0.0.1:1', // nothing is sent
      tenant: { resolve: fromHeader('x-tenant-id'), onEnter: stored! },
    }),
    ClsModule.forRoot({ middleware: { mount: true } }),
    ThrottlerModule.forRoot([{ ttl: 60_000, limit: 2 }]),
  ],
  controllers: [Orders],
})
class Root {}

const app = await NestFactory.create(Root, { logger: false });
await app.listen(0, '127.0.0.1');
const ask = async (path: string, tenant?: string) =>
  fetch(`${await app.getUrl()}${path}`, { headers: tenant ? { 'x-tenant-id': tenant } : {} });
const kept = [await (await ask('/stored', 'acme')).json(), await (await ask('/stored')).json()] as unknown[];
const statuses: Record<string, number[]> = {};
for (const tenant of ['acme', 'globex', undefined]) {
  statuses[tenant ?? 'none'] = [];
  for (let i = 0; i < 3; i++) statuses[tenant ?? 'none']!.push((await ask('/throttled', tenant)).status);
}
await app.close();
console.log(JSON.stringify({ kept, statuses }));
