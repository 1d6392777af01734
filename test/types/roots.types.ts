// Compiled by `npm run typecheck`, never run: see poly-model.types.ts.
import type { INestApplicationContext } from '@nestjs/common';
import {
  getPolyMongoToken,
  InjectTenantModel,
  OnChange,
  OnDbConnect,
  PolyMongoModule,
  PolyMongoTenants,
  TENANT_ID,
  TenantGuard,
  Transactional,
  WithTenant,
  type ModelDefinition,
} from 'nestjs-polymongo';

declare const app: INestApplicationContext;
declare const definitions: ModelDefinition[];

export const tenants: PolyMongoTenants = app.get<PolyMongoTenants>(getPolyMongoToken(PolyMongoTenants, 'audit'));
export const ofClass: PolyMongoTenants = app.get(PolyMongoTenants);
export const guard: TenantGuard = new (TenantGuard.of('audit'))();
// @ts-expect-error a part is a class or a token
getPolyMongoToken('PolyMongoTenants', 'audit');
getPolyMongoToken(TENANT_ID, 'audit');

PolyMongoModule.forRoot({ mongoURI: '', name: 'audit' });
PolyMongoModule.forRootAsync({ name: 'audit', useFactory: () => ({ mongoURI: '' }) });
PolyMongoModule.forFeature(definitions, 'audit');
// @ts-expect-error a root is named by a string
PolyMongoModule.forFeature(definitions, { root: 'audit' });

export class Decorated {
  @OnDbConnect('acme', { root: 'audit' })
  @OnChange({ model: 'Note', root: 'audit' })
  @Transactional({ root: 'audit', propagation: 'requiresNew' })
  @WithTenant('acme', 'audit')
  async run(): Promise<void> {}

  // @ts-expect-error no such option
  @OnDbConnect({ rot: 'audit' })
  wrong(): void {}

  constructor(
    @InjectTenantModel('Note', 'audit') readonly one: unknown,
    @InjectTenantModel('Note', { root: 'audit' }) readonly two: unknown,
  ) {}
}
