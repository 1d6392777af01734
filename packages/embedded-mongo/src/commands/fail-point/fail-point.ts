import { CommandError } from '../../errors.js';
import type { Doc, Value } from '../../bson/value.js';
import { isDoc } from '../../bson/value.js';
import { arrayArgument, boolArgument, integerArgument, stringArgument } from '../arguments.js';

/** When a fail point acts, as `configureFailPoint`'s `mode` says it. */
type Mode =
  | { readonly kind: 'alwaysOn' }
  | { readonly kind: 'times'; left: number }
  | { readonly kind: 'skip'; left: number }
  | { readonly kind: 'random'; readonly probability: number };

/** One enabled fail point. */
export class FailPoint {
  constructor(
    private readonly mode: Mode,
    readonly data: Doc,
  ) {}

  /** Whether it acts now; counts against `times` and `skip`. */
  fires(): boolean {
    switch (this.mode.kind) {
      case 'alwaysOn':
        return true;
      case 'times':
        return this.mode.left > 0 && this.mode.left-- > 0;
      case 'skip':
        return this.mode.left <= 0 || this.mode.left-- <= 0;
      case 'random':
        return Math.random() < this.mode.probability;
    }
  }
}

/** `undefined` is mode "off". */
export function parseMode(mode: Value | undefined): Mode | undefined {
  if (mode === 'alwaysOn') return { kind: 'alwaysOn' };
  if (mode === 'off') return undefined;
  if (isDoc(mode)) {
    const times = integerArgument(mode, 'times');
    if (times !== undefined) return { kind: 'times', left: notNegative('times', times) };
    const skip = integerArgument(mode, 'skip');
    if (skip !== undefined) return { kind: 'skip', left: notNegative('skip', skip) };
    const probability = mode.get('activationProbability');
    if (typeof probability === 'number' && probability >= 0 && probability <= 1) return { kind: 'random', probability };
  }
  throw new CommandError(
    'BadValue',
    "'mode' must be one of: 'off', 'alwaysOn', { times: n }, { skip: n }, { activationProbability: p }",
  );
}

function notNegative(name: string, count: number): number {
  if (count < 0) throw new CommandError('BadValue', `'${name}' option to 'mode' must be positive`);
  return count;
}

/** What `failCommand` does to a command that it matches. */
export interface CommandFault {
  readonly blockMS: number;
  readonly closesConnection: boolean;
  readonly error?: CommandError;
  /** Replaces the labels a server would add by itself. */
  readonly errorLabels?: readonly string[];
  readonly writeConcernError?: Doc;
}

export interface FailCandidate {
  readonly names: readonly string[];
  readonly appName: string | undefined;
  readonly namespace: string | undefined;
}

/** The fault an enabled `failCommand` holds for this command, if it is meant and fires now. */
export function commandFault(failPoint: FailPoint | undefined, candidate: FailCandidate): CommandFault | undefined {
  if (!failPoint || !isMeant(failPoint.data, candidate) || !failPoint.fires()) return undefined;
  const { data } = failPoint;
  const labels = arrayArgument(data, 'errorLabels')?.filter((label) => typeof label === 'string');
  const errorCode = integerArgument(data, 'errorCode');
  const extra = data.get('errorExtraInfo');
  const writeConcernError = data.get('writeConcernError');
  return {
    blockMS: boolArgument(data, 'blockConnection') ? (integerArgument(data, 'blockTimeMS') ?? 0) : 0,
    closesConnection: boolArgument(data, 'closeConnection'),
    error:
      errorCode === undefined
        ? undefined
        : new CommandError(
            errorCode,
            "Failing command via 'failCommand' failpoint",
            isDoc(extra) ? Object.fromEntries(extra) : {},
          ),
    errorLabels: labels,
    writeConcernError: isDoc(writeConcernError) ? writeConcernError : undefined,
  };
}

function isMeant(data: Doc, { names, appName, namespace }: FailCandidate): boolean {
  const failCommands = arrayArgument(data, 'failCommands') ?? [];
  if (!names.some((name) => failCommands.includes(name))) return false;
  const wantedApp = stringArgument(data, 'appName');
  if (wantedApp !== undefined && wantedApp !== appName) return false;
  const wantedNamespace = stringArgument(data, 'namespace');
  return wantedNamespace === undefined || wantedNamespace === namespace;
}
