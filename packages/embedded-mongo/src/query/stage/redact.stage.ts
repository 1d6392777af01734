import { PAUSE } from '../../bson/pause.js';
import { isDoc, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { compileExpression } from '../expression.js';
import { display } from '../expression/display.js';
import type { StageDefinition } from './stage.js';

const VERDICTS = ['CURRENT', 'DESCEND', 'PRUNE', 'KEEP'];

export const redactStage: StageDefinition = {
  compile(spec, { env }) {
    const expression = compileExpression(spec, env, VERDICTS);
    /** What is left of a document, undefined for nothing; the expression sees it as $$CURRENT, and the whole as $$ROOT. */
    const redact = (doc: Doc, root: Doc): Doc | undefined => {
      const verdict = expression({ root, slots: [doc, 'descend', 'prune', 'keep'] });
      if (verdict === 'keep') return doc;
      if (verdict === 'prune') return undefined;
      if (verdict === 'descend') return descend(doc, root);
      throw new CommandError(
        17053,
        `$redact's expression should not return anything aside from the variables $$KEEP, $$DESCEND, and $$PRUNE, but returned ${display(verdict)}`,
      );
    };
    const descend = (doc: Doc, root: Doc): Doc => {
      const result: Doc = new Map();
      for (const [field, value] of doc) {
        const kept = within(value, root);
        if (kept !== undefined) result.set(field, kept);
      }
      return result;
    };
    const within = (value: Value, root: Doc): Value | undefined => {
      if (isDoc(value)) return redact(value, root);
      if (!Array.isArray(value)) return value;
      return value.map((item) => within(item, root)).filter((item) => item !== undefined);
    };
    return function* (docs) {
      for (const doc of docs) {
        const kept = doc === PAUSE ? PAUSE : redact(doc, doc);
        if (kept !== undefined) yield kept;
      }
    };
  },
};
