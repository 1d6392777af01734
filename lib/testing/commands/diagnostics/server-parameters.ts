import { SCRAM_MECHANISMS } from '../auth/scram.secret.js';
import type { ReplyValue } from '../reply.js';
import { fieldsOf, int, long } from '../reply.js';

/** The parameters of `getParameter` and `setParameter` that mean something here. */
export class ServerParameters {
  private readonly values = new Map<string, ReplyValue>([
    ['authenticationMechanisms', [...SCRAM_MECHANISMS]],
    ['cursorTimeoutMillis', long(600_000)],
    ['enableTestCommands', true],
    ['featureCompatibilityVersion', fieldsOf({ version: '7.0' })],
    ['localLogicalSessionTimeoutMinutes', int(30)],
    ['maxTransactionLockRequestTimeoutMillis', int(5)],
    ['notablescan', false],
    ['quiet', false],
    ['requireApiVersion', false],
    ['transactionLifetimeLimitSeconds', int(60)],
    ['ttlMonitorEnabled', true],
    ['ttlMonitorSleepSecs', int(60)],
  ]);

  get cursorTimeoutMS(): number {
    return Number(this.values.get('cursorTimeoutMillis'));
  }

  get transactionLifetimeMS(): number {
    return Number(this.values.get('transactionLifetimeLimitSeconds')) * 1000;
  }

  get isApiVersionRequired(): boolean {
    return this.values.get('requireApiVersion') === true;
  }

  get all(): ReadonlyMap<string, ReplyValue> {
    return this.values;
  }

  set(name: string, value: ReplyValue): void {
    this.values.set(name, value);
  }
}
