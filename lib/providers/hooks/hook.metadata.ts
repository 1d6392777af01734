import { SetMetadata } from '@nestjs/common';
import { checkOptions, databaseNames, type Checks } from '../../polymongo.checks.js';
import { ROOT_CHECK } from '../../polymongo.tokens.js';

/** Which root's databases are meant, where it has a name. */
export interface OfRoot {
  /** As `name` of `forRoot`. */
  root: string;
}

/** What a decorated method wants to hear of. */
export interface HookMetadata {
  moment: 'connect' | 'disconnect' | 'error';
  names: readonly string[];
  root: string | undefined;
}

export const HOOK_METADATA = 'polymongo:hooks';

const OF_ROOT: Checks<OfRoot> = { root: ROOT_CHECK };

/** Marks a method as a hook; several marks on one method add up. @throws InvalidDatabaseNameError, PolyMongoOptionsError */
export function hookDecorator(moment: HookMetadata['moment'], of: readonly (string | OfRoot)[]): MethodDecorator {
  const last = of.at(-1);
  const hasRoot = typeof last === 'object' && last !== null;
  if (hasRoot) checkOptions('hook.', last, OF_ROOT, ['root']);
  const names = (hasRoot ? of.slice(0, -1) : of) as readonly string[];
  databaseNames(names);
  const hook: HookMetadata = { moment, names, root: hasRoot ? last.root : undefined };
  return (target, key, descriptor: PropertyDescriptor) => {
    const earlier = (Reflect.getMetadata(HOOK_METADATA, descriptor.value as object) ?? []) as HookMetadata[];
    SetMetadata(HOOK_METADATA, [...earlier, hook])(target, key, descriptor);
  };
}
