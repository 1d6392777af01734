import { SetMetadata } from '@nestjs/common';

/** What a decorated method wants to hear of. */
export interface HookMetadata {
  moment: 'connect' | 'disconnect' | 'error';
  names: readonly string[];
}

export const HOOK_METADATA = 'polymongo:hooks';

/** Marks a method as a hook; several marks on one method add up. */
export const hookDecorator =
  (hook: HookMetadata): MethodDecorator =>
  (target, key, descriptor: PropertyDescriptor) => {
    const earlier = (Reflect.getMetadata(HOOK_METADATA, descriptor.value as object) ?? []) as HookMetadata[];
    SetMetadata(HOOK_METADATA, [...earlier, hook])(target, key, descriptor);
  };
