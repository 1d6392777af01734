import { SetMetadata } from '@nestjs/common';
import { checks, checkValue } from '../../polymongo.checks.js';
import { ROOT_CHECK } from '../../polymongo.tokens.js';
import type { WatchOptions } from './watch.options.js';

/** Which changes a method handles, and how. */
export interface OnChangeOptions extends Omit<WatchOptions, 'process' | 'share' | 'bufferSize'> {
  /** A registered model. Without it: all collections of `db`, and without `db` too, of the cluster. */
  model?: string;
  /** Default: the default database. */
  db?: string;
  /** The name of the root whose databases these are, where that has one. */
  root?: string;
}

export const ON_CHANGE_METADATA = 'polymongo:on-change';

/** Marks a method as a handler; several marks on one method add up. */
export function onChangeDecorator(options: OnChangeOptions): MethodDecorator {
  checkValue('options of @OnChange', options, checks.object);
  if (options.root !== undefined) checkValue('root of @OnChange', options.root, ROOT_CHECK);
  return (target, key, descriptor: PropertyDescriptor) => {
    const earlier = (Reflect.getMetadata(ON_CHANGE_METADATA, descriptor.value as object) ?? []) as OnChangeOptions[];
    SetMetadata(ON_CHANGE_METADATA, [...earlier, options])(target, key, descriptor);
  };
}
