import { SCRAM_MECHANISMS } from '../auth/scram.secret.js';
import type { ReplyDoc, ReplyValue } from '../reply.js';
import { fieldsOf, int, long, reply } from '../reply.js';

/** Parameters that `setParameter` cannot change on a server that runs. */
const STARTUP_ONLY = new Set([
  'authenticationMechanisms',
  'authSchemaVersion',
  'enableTestCommands',
  'featureCompatibilityVersion',
  'localLogicalSessionTimeoutMinutes',
]);
/** Parameters that the configuration of a server cannot give. */
const RUNTIME_ONLY = new Set(['authSchemaVersion', 'featureCompatibilityVersion']);

/** The parameters of `getParameter` and `setParameter` that mean something here. */
export class ServerParameters {
  private readonly values = new Map<string, ReplyValue>([
    ['authSchemaVersion', int(5)],
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

  /** A parameter as `getParameter: { showDetails: true }` gives it. */
  detailsOf(name: string): ReplyDoc {
    return reply({
      value: this.values.get(name),
      settableAtRuntime: !STARTUP_ONLY.has(name),
      settableAtStartup: !RUNTIME_ONLY.has(name),
    });
  }

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
