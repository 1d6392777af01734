import type { INestApplicationContext } from '@nestjs/common';
import { freshDatabase, overrideTenant, PolyMongoTestingModule, TestClock } from 'nestjs-polymongo/testing';

// #region testing-options
export const imports = [
  PolyMongoTestingModule.forRoot({
    database: freshDatabase('orders'), // the beginning of the names of all its databases
    tenant: { exists: (tenantId) => tenantId !== 'nobody' }, // as in PolyMongoModule.forRoot, and all other options
  }),
];
// #endregion

export function signedIn(app: INestApplicationContext) {
  // #region testing-override
  const signOut = overrideTenant(app, 'acme'); // every request is acme's, whatever it names
  // #endregion
  return signOut;
}

export async function later() {
  // #region testing-clock
  const clock = TestClock.install(); // before the application
  await clock.advance(60_000); // pools that were to close after a minute of quiet do; the driver hears nothing of it
  clock.uninstall();
  // #endregion
}
