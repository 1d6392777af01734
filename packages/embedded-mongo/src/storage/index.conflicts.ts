import { CommandError } from '../errors.js';
import { hasSameOptions, type IndexSpec, isSameSignature } from './index.spec.js';
import { valueText } from './value-text.js';

/**
 * Whether there is this very index already.
 * @throws CommandError IndexOptionsConflict (85) or IndexKeySpecsConflict (86) when another one is in its way
 */
export function isThere(spec: IndexSpec, existing: readonly IndexSpec[]): boolean {
  const sameName = existing.find(({ name }) => name === spec.name);
  if (sameName) {
    if (isSameSignature(sameName, spec)) {
      if (hasSameOptions(sameName, spec)) return true;
      throw conflict('IndexOptionsConflict', 'An equivalent index already exists with the same name but different options.', spec, sameName); // prettier-ignore
    }
    throw conflict(
      'IndexKeySpecsConflict',
      'An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation.',
      spec,
      sameName,
    );
  }
  const same = existing.find((other) => isSameSignature(other, spec));
  if (!same) return false;
  if (same.isId) return true;
  if (hasSameOptions(same, spec)) {
    throw new CommandError('IndexOptionsConflict', `Index already exists with a different name: ${same.name}`);
  }
  throw conflict(
    'IndexOptionsConflict',
    'An equivalent index already exists with a different name and options.',
    spec,
    same,
  );
}

function conflict(
  code: 'IndexOptionsConflict' | 'IndexKeySpecsConflict',
  what: string,
  requested: IndexSpec,
  existing: IndexSpec,
): CommandError {
  return new CommandError(
    code,
    `${what} Requested index: ${valueText(requested.doc)}, existing index: ${valueText(existing.doc)}`,
  );
}
