import { describe, expect, it } from '@jest/globals';
import * as polymongo from '../../lib/index.js';
import * as testing from '../../lib/testing/index.js';

describe('the public surface', () => {
  it('is exactly this', () => {
    expect(Object.keys(polymongo).sort()).toEqual([
      'BulkArgumentError',
      'BulkFormatError',
      'BulkTaskError',
      'BulkWriteError',
      'ConnectionBudgetError',
      'ConnectionOwnershipError',
      'IllegalPoolTransitionError',
      'InjectPolyModel',
      'InjectTenantModel',
      'InvalidDatabaseNameError',
      'InvalidTenantIdError',
      'ModelAlreadyRegisteredError',
      'ModelNotRegisteredError',
      'OnDbConnect',
      'OnDbDisconnect',
      'OnDbError',
      'PolyMongoBulk',
      'PolyMongoClosedError',
      'PolyMongoError',
      'PolyMongoHooks',
      'PolyMongoModule',
      'PolyMongoOptionsError',
      'PolyMongoPools',
      'PolyMongoStats',
      'PolyMongoTenants',
      'PolyMongoTransactions',
      'PolyMongoWrapper',
      'PoolConnectError',
      'PoolForceClosedError',
      'PoolInitializingError',
      'ReconfigurationPendingError',
      'SessionMismatchError',
      'TENANT_ID',
      'TenantBusyError',
      'TenantConfirmationError',
      'TenantConflictError',
      'TenantContext',
      'TenantContextIdStrategy',
      'TenantError',
      'TenantInterceptor',
      'TenantMissingError',
      'TenantNotReadyError',
      'TenantSwitchError',
      'TenantTaskError',
      'TenantUnknownError',
      'TransactionEndedError',
      'TransactionPropagationError',
      'Transactional',
      'WithTenant',
      'afterGuards',
      'fromClaim',
      'fromCookie',
      'fromHeader',
      'fromPath',
      'fromSubdomain',
      'getPolyModelToken',
      'getTenantModelToken',
    ]);
  });

  it('of the testing entry point is exactly this', () => {
    expect(Object.keys(testing)).toEqual(['EmbeddedMongo']);
  });
});
