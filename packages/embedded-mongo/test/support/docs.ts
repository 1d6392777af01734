import { serialize, type Document } from 'bson';
import { decodeDoc } from '../../src/bson/decode.js';
import { encodeDoc } from '../../src/bson/encode.js';
import type { Doc } from '../../src/bson/value.js';

/** A document of the embedded server, of a JavaScript object as the driver would send it. */
export const doc = (object: Document): Doc => decodeDoc(serialize(object, { ignoreUndefined: true }));

/** The bytes of a document as hexadecimal text, so that an assertion sees types and key order. */
export const hexOf = (document: Doc): string => encodeDoc(document).toString('hex');
