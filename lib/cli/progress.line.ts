import type { BulkProgress } from '../providers/bulk/bulk.types.js';
import type { CliIO } from './cli.io.js';
import { printable } from './printable.js';

const BAR_WIDTH = 24;
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
    this.draw(done / total, `${done} of ${total} tenants${failed > 0 ? `, ${failed} failed` : ''}`);

  private draw(share: number | undefined, text: string): void {
    if (!this.isShown) return;
    if (this.io.stderr.isTTY) {
      this.io.stderr.write(`\r\x1b[K${barOf(share)} ${text}`);
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

function barOf(share: number | undefined): string {
  if (share === undefined) return '';
  const filled = Math.round(Math.min(1, share) * BAR_WIDTH);
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${String(Math.floor(Math.min(1, share) * 100)).padStart(3)} %`;
}

function textOf(progress: BulkProgress): string {
  const { collection = '', documents, totalDocuments, bytes, bytesPerSecond } = progress;
  const of = totalDocuments === undefined ? '' : ` of about ${totalDocuments}`;
  return `${documents}${of} documents, ${formatBytes(bytes)}, ${formatBytes(bytesPerSecond)}/s ${printable(collection)}`.trimEnd();
}

export function formatBytes(bytes: number): string {
  let unit = 0;
  for (; bytes >= 1000 && unit < UNITS.length - 1; unit++) bytes /= 1000;
  return `${unit === 0 ? Math.round(bytes) : bytes.toFixed(1)} ${UNITS[unit]}`;
}
