/** A collection or view at one end of a move. */
export interface EndCollection {
  readonly name: string;
  readonly type: string;
  /** What a view is on. */
  readonly viewOn?: string;
}

/** A tenant's database on one of the two clusters. Each method is one command, or may be repeated. */
export interface MoveEnd {
  list(): Promise<readonly EndCollection[]>;
  /** Nothing happens where there is none of that name, or the new name is taken. */
  rename(name: string, to: string): Promise<void>;
  /** Nothing happens where the name is taken. */
  createView(name: string, on: string): Promise<void>;
  drop(name: string): Promise<void>;
  /** Puts the documents of one collection into another, in the place of those with the same `_id`. */
  carry(from: string, into: string): Promise<void>;
}

const FENCED = 'polymongo_moved.';
const STAGED = 'polymongo_moving.';
const SLIPPED = 'polymongo_slipped.';

/** What a collection is called once it is fenced, by the fence of this name. */
export const fencedName = (fence: string, name: string): string => `${FENCED}${fence}.${name}`;

/** Under which name a mover stages a collection. */
export const stagedName = (attempt: number, name: string): string => `${STAGED}${attempt}.${name}`;

/** What came between a fence's two commands. */
export const slippedName = (fence: string, name: string): string => `${SLIPPED}${fence}.${name}`;

/** Which mover has staged it; undefined of what none has. */
export const stagedBy = (name: string): number | undefined =>
  name.startsWith(STAGED) ? Number.parseInt(name.slice(STAGED.length), 10) : undefined;

/** Of a move, and nothing of the tenant's. */
export const isOfMove = (name: string): boolean => [FENCED, STAGED, SLIPPED].some((prefix) => name.startsWith(prefix));

/** What stands after `prefix` in the names that begin with it. */
export const namesBehind = (found: readonly EndCollection[], prefix: string): string[] =>
  found.flatMap(({ name }) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));

/** The names of all views. */
export const viewsIn = (found: readonly EndCollection[]): Set<string> =>
  new Set(found.filter(({ type }) => type === 'view').map(({ name }) => name));

/** The names of the collections that are fenced by this fence, as the tenant calls them. */
export const fencedIn = (found: readonly EndCollection[], fence: string): string[] =>
  namesBehind(
    found.filter(({ type }) => type !== 'view'),
    fencedName(fence, ''),
  );

/** It is the view in the place of a collection that is fenced, in whatever move. */
export const isFence = ({ name, type, viewOn }: EndCollection): boolean =>
  type === 'view' && viewOn !== undefined && viewOn.startsWith(FENCED) && viewOn.endsWith(`.${name}`);

/** Of the server itself. */
const isSystem = (name: string): boolean => name.startsWith('system.');

/** What takes writes of the tenant. */
export const openIn = (found: readonly EndCollection[]): string[] =>
  found.flatMap(({ name, type }) => (type !== 'view' && !isOfMove(name) && !isSystem(name) ? [name] : []));
