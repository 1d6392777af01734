import type { BulkProgress } from '../providers/bulk/bulk.types.js';
import type { CliIO } from './cli.io.js';
import { plural } from './plural.js';
import { printable } from './printable.js';

const BAR_WIDTH = 24;
const DEFAULT_COLUMNS = 80;
const MIN_COLUMNS_WITH_BAR = 60;
/** From here on are scripts whose characters may be two columns wide. */
const FIRST_WIDE = 0x1100;
const PLAIN_INTERVAL_MS = 5000;
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Shows progress on stderr: a bar that is drawn over on a terminal, a line now and then elsewhere. */
export class ProgressLine {
  private toldMS = 0;
  private isDrawn = false;

  constructor(
    private readonly io: CliIO,
    private readonly isShown: boolean,
  ) {}

  readonly show = (progress: BulkProgress): void => {
    if (!progress.isDone) this.draw(shareOf(progress), textOf(progress));
  };

  readonly showTenants = ({ done, failed, total }: { done: number; failed: number; total: number }): void =>
    this.draw(done / total, `${done} of ${plural(total, 'tenant')}${failed > 0 ? `, ${failed} failed` : ''}`);

  private draw(share: number | undefined, text: string): void {
    if (!this.isShown) return;
    if (this.io.stderr.isTTY) {
      // The terminal may have become narrower. In its last column some go on in the next line.
      const width = (this.io.stderr.columns ?? DEFAULT_COLUMNS) - 1;
      const bar = width >= MIN_COLUMNS_WITH_BAR ? `${barOf(share)} ` : '';
      this.io.stderr.write(`\r\x1b[K${fitting(`${bar}${text}`.trimStart(), width)}`);
      this.isDrawn = true;
      return;
    }
    const now = performance.now();
    if (now - this.toldMS < PLAIN_INTERVAL_MS) return;
    this.toldMS = now;
    this.io.stderr.write(`${text}\n`);
  }

  /** Takes the bar away. */
  clear(): void {
    if (this.isDrawn) this.io.stderr.write('\r\x1b[K');
    this.isDrawn = false;
  }
}

const shareOf = ({ documents, totalDocuments, bytes, totalBytes }: BulkProgress): number | undefined =>
  totalDocuments ? documents / totalDocuments : totalBytes ? bytes / totalBytes : undefined;

/** As much of a text as has room in so many columns. */
function fitting(text: string, columns: number): string {
  let [end, width] = [0, 0];
  for (const character of text) {
    width += character.codePointAt(0)! < FIRST_WIDE ? 1 : 2;
    if (width > columns) return text.slice(0, end);
    end += character.length;
  }
  return text;
}

function barOf(share: number | undefined): string {
  if (share === undefined) return '';
  const filled = Math.round(Math.min(1, share) * BAR_WIDTH);
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${String(Math.floor(Math.min(1, share) * 100)).padStart(3)} %`;
}

function textOf(progress: BulkProgress): string {
  const { collection = '', documents, totalDocuments, bytes, bytesPerSecond } = progress;
  const of = totalDocuments === undefined ? '' : ` of about ${totalDocuments}`;
  const what = plural(totalDocuments ?? documents, 'document').replace(/^\d+ /, '');
  return `${documents}${of} ${what}, ${formatBytes(bytes)}, ${formatBytes(bytesPerSecond)}/s ${printable(collection)}`.trimEnd();
}

export function formatBytes(bytes: number): string {
  let unit = 0;
  for (; bytes >= 1000 && unit < UNITS.length - 1; unit++) bytes /= 1000;
  return `${unit === 0 ? Math.round(bytes) : bytes.toFixed(1)} ${UNITS[unit]}`;
}

/** The same of what the library tells in MB of 1024². */
export const formatMegabytes = (megabytes: number): string => formatBytes(megabytes * 1024 * 1024);
