import { SetMetadata } from '@nestjs/common';
import { databaseNames } from '../../polymongo.checks.js';

/** What a decorated method wants to hear of. */
export interface HookMetadata {
  moment: 'connect' | 'disconnect' | 'error';
  names: readonly string[];
}

export const HOOK_METADATA = 'polymongo:hooks';

/** Marks a method as a hook; several marks on one method add up. @throws InvalidDatabaseNameError */
export function hookDecorator(hook: HookMetadata): MethodDecorator {
  databaseNames(hook.names);
  return (target, key, descriptor: PropertyDescriptor) => {
    const earlier = (Reflect.getMetadata(HOOK_METADATA, descriptor.value as object) ?? []) as HookMetadata[];
    SetMetadata(HOOK_METADATA, [...earlier, hook])(target, key, descriptor);
  };
}
