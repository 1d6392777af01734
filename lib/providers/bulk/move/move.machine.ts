/**
 * How far a move is, as it is written down; a process that takes over begins the phase anew. Each of its steps may have been done before.
 * Until `moved` the tenant is at the source, and from `returned` on again.
 */
type MovePhase =
  'proving' | 'copying' | 'placing' | 'moved' | 'confirming' | 'comparing' | 'thawing' | 'reopening' | 'returned';

/** What a mover does. */
export type MoveStep =
  | 'prove'
  | 'hold'
  | 'fence'
  | 'stage'
  | 'verify'
  | 'place'
  | 'release'
  | 'drop'
  | 'freeze'
  | 'compare'
  | 'thaw'
  | 'unfence'
  | 'clear';

/** A move, as the registry has it. */
export interface Move {
  /** Of the move: what is fenced at its source has it in its name. No two moves of a tenant have the same. */
  readonly epoch: number;
  /** Of the mover: what it stages has it in its name, so that one which was taken over can damage nothing. */
  readonly attempt: number;
  readonly phase: MovePhase;
  /** Where it began, by the name of the cluster; null where none has a name. */
  readonly from: string | null;
  readonly to: string;
  /** Both are one cluster: only the pool changes. */
  readonly isOneCluster?: boolean;
  /** Whose staged collections are verified, and put in place. */
  readonly staged?: number;
  /** Who has fenced the target, to take the move back. */
  readonly frozen?: number;
}

/** What the fences have in their names: no two fences of one database the same, as what one of them leaves keeps it from being set again. */
export const fenceOf = ({ epoch, frozen }: Move, end: 'source' | 'target'): string =>
  end === 'source' ? `${epoch}` : `${epoch}-${frozen}`;

/** What a step found out. */
export interface StepOutcome {
  readonly isOneCluster?: boolean;
  readonly differences?: readonly string[];
}

/** Nobody has to do anything until somebody confirms it or takes it back. */
export const isAtRest = (move: Move): boolean => move.phase === 'moved';

/** Where the tenant is; written in one and the same write as the phase. */
export const clusterOf = ({ phase, from, to }: Move): string | null =>
  ['moved', 'confirming', 'comparing', 'thawing'].includes(phase) ? to : from;

const STEPS: Readonly<Record<MovePhase, readonly MoveStep[]>> = {
  proving: ['prove'],
  copying: ['hold', 'fence', 'stage', 'verify'],
  placing: ['hold', 'place'],
  moved: ['release'],
  confirming: ['drop'],
  comparing: ['hold', 'freeze', 'compare'],
  thawing: ['hold', 'thaw'],
  reopening: ['hold', 'unfence'],
  returned: ['clear', 'release'],
};
/** Where both are one cluster there is nothing to fence, copy or drop; whoever is served by the one pool may be. */
const ON_ONE_CLUSTER: readonly MoveStep[] = ['prove', 'release'];

/** The steps of its phase, in their order. */
export function stepsOf({ phase, isOneCluster }: Move): readonly MoveStep[] {
  return STEPS[phase].filter((step) => !isOneCluster || ON_ONE_CLUSTER.includes(step));
}

/** What a phase ends in, when all its steps are done; undefined: the move is over. */
export function nextOf(move: Move, { isOneCluster = false, differences = [] }: StepOutcome): Move | undefined {
  const isDifferent = differences.length > 0;
  switch (move.phase) {
    case 'proving':
      return isOneCluster ? { ...move, isOneCluster, phase: 'placing' } : { ...move, phase: 'copying' };
    case 'copying':
      return isDifferent ? { ...move, phase: 'reopening' } : { ...move, phase: 'placing', staged: move.attempt };
    case 'placing':
    case 'thawing':
      return { ...move, phase: 'moved' };
    case 'comparing':
      return { ...move, phase: isDifferent ? 'thawing' : 'reopening' };
    case 'reopening':
      return { ...move, phase: 'returned' };
    case 'moved':
      return move;
    case 'confirming':
    case 'returned':
      return undefined;
  }
}

/** What somebody asks for. */
export type MoveOrder = 'move' | 'confirm' | 'rollback';

/**
 * A move as a process that has the tenant's record to itself takes it up.
 * @returns the word for why it cannot, where it cannot
 */
export function takenUp(move: Move, order: MoveOrder, to?: string): Move | 'elsewhere' | 'ending' | 'unfinished' {
  const mine = { ...move, attempt: move.attempt + 1 };
  const { phase } = move;
  const isEnding = ['confirming', 'comparing', 'reopening', 'returned'].includes(phase);
  if (order === 'move') {
    if (to !== move.to) return 'elsewhere';
    return isEnding ? 'ending' : mine;
  }
  if (order === 'confirm') {
    if (phase === 'moved') return { ...mine, phase: 'confirming' };
    return phase === 'confirming' ? mine : isEnding ? 'ending' : 'unfinished';
  }
  if (phase === 'confirming') return 'ending';
  if (phase === 'thawing') return mine; // to its end first: the next fence has another name
  if (phase === 'moved') return { ...mine, phase: 'comparing', frozen: mine.attempt };
  return isEnding ? mine : { ...mine, phase: phase === 'proving' ? 'returned' : 'reopening' };
}

/** A failure before anything is placed is taken back; later on whoever comes next goes on. */
export function afterFailure(move: Move): Move | undefined {
  if (move.phase === 'proving') return { ...move, phase: 'returned' };
  return move.phase === 'copying' ? { ...move, phase: 'reopening' } : undefined;
}
