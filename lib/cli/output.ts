import type { Writable } from 'node:stream';
import type { CliIO } from './cli.io.js';
import type { GlobalOptions } from './cli.session.js';
import type { BulkSummary } from '../providers/bulk/bulk.types.js';
import { redactURI } from '../polymongo.uri.js';
import { plural } from './plural.js';
import { printable } from './printable.js';
import { formatBytes } from './progress.line.js';

export const writeLine = (out: Writable, text: string): void => void out.write(`${printable(redactURI(text))}\n`);

export const writeJSON = (out: Writable, value: unknown): void => {
  const text = JSON.stringify(value, (_, each: unknown) => (typeof each === 'string' ? redactURI(each) : each));
  out.write(`${printable(text)}\n`);
};

/** Says on a terminal what a command does that would else show nothing for a time. */
export function explain({ stderr }: CliIO, { json, quiet }: GlobalOptions, text: string): void {
  if (stderr.isTTY && !json && !quiet) writeLine(stderr, text);
}

/** Rows under their headings, in columns as wide as they need. Numbers are set to the right. */
export function writeTable(
  out: Writable,
  headings: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): void {
  const all = [headings, ...rows.map((row) => row.map((cell) => printable(String(cell))))];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  for (const [i, row] of all.entries()) {
    const cells = row.map((cell, column) =>
      typeof (rows[Math.max(0, i - 1)] ?? [])[column] === 'number'
        ? cell.padStart(widths[column]!)
        : cell.padEnd(widths[column]!),
    );
    writeLine(out, cells.join('  ').trimEnd());
  }
}

const VIEW = 'view';

/** What a task did, one collection a line, and what it passed over. */
export function writeSummary(out: Writable, { collections, failures, durationMS }: BulkSummary): void {
  writeTable(
    out,
    ['COLLECTION', 'DOCUMENTS', 'INDEXES', 'SKIPPED', 'SIZE'],
    collections.map(({ name, type, documents, indexes, skipped, bytes }) =>
      type === VIEW && documents === 0
        ? [name, VIEW, '', '', '']
        : [name, documents, indexes, skipped, formatBytes(bytes)],
    ),
  );
  for (const { kind, collection, documentNumber, line, byteOffset, reason } of failures) {
    const place = [
      documentNumber && `document ${documentNumber}`,
      line && `line ${line}`,
      byteOffset !== undefined && `byte ${byteOffset}`,
    ];
    writeLine(out, `skipped ${kind} in ${[collection, ...place].filter(Boolean).join(', ')}: ${reason}`);
  }
  const total = collections.reduce((sum, { documents }) => sum + documents, 0);
  const views = collections.filter(({ type }) => type === VIEW).length;
  const places = [plural(collections.length - views, 'collection'), ...(views > 0 ? [plural(views, VIEW)] : [])];
  writeLine(out, `${plural(total, 'document')} in ${places.join(' and ')}, ${(durationMS / 1000).toFixed(1)} s`);
}

/** Why an output cannot be written, once it is known of all that was; undefined where it can. It is waited for until the signal. */
export function failureOf(out: Writable, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(signal.reason);
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
    out.write('', (error) => resolve(error ?? undefined));
  });
}
