import type { Stats, WriteStream } from 'node:fs';
import { type FileHandle, link, lstat, open, realpath, rename, rm, stat, unlink } from 'node:fs/promises';
import { UsageError } from './cli.io.js';

/** File systems without hard links. */
const NO_LINKS: ReadonlySet<unknown> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * A file that is there under its name once it is complete; until then it is NAME.part. It takes the place of nothing
 * but, if forced, of a regular file.
 */
export class OutputFile {
  private constructor(
    private readonly name: string,
    private readonly part: string,
    private readonly file: FileHandle,
    private readonly isForced: boolean,
  ) {}

  /** @throws UsageError where something is there that must not be replaced */
  static async create(named: string, isForced: boolean): Promise<OutputFile> {
    const name = await replaceable(named, isForced);
    const part = `${name}.part`;
    if (isForced) await rm(part, { force: true });
    try {
      // Exclusively: whoever put a link there would else have us write to where it points.
      return new OutputFile(name, part, await open(part, 'wx'), isForced);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      throw new UsageError(`${part} is there: another export writes it, or was killed. Remove it, or use --force.`);
    }
  }

  /** Ends when the disk has the file. */
  stream(): WriteStream {
    return this.file.createWriteStream({ flush: true });
  }

  /** Gives the file its name. To be called when the stream has ended. */
  async complete(): Promise<void> {
    if (this.isForced) return rename(this.part, this.name);
    try {
      await link(this.part, this.name); // unlike a rename it replaces nothing
      await unlink(this.part);
    } catch (error) {
      if (codeOf(error) === 'EEXIST')
        throw new KeptError(`${this.name} has appeared meanwhile: it is in ${this.part}.`);
      if (!NO_LINKS.has(codeOf(error))) throw error;
      await rename(this.part, this.name);
    }
  }

  /** Takes away what was written, unless that is complete. */
  async discard(cause: unknown): Promise<void> {
    await this.file.close().catch(() => undefined);
    if (!(cause instanceof KeptError)) await rm(this.part, { force: true });
  }
}

class KeptError extends Error {}

/**
 * Opens a file to write to, a new one or, if forced, a regular one in its place.
 * @param input the file that is read, which it must not be
 * @throws UsageError
 */
export async function openOutput(named: string, isForced: boolean, input: Stats | undefined): Promise<WriteStream> {
  const name = await replaceable(named, isForced, input);
  return (await open(name, isForced ? 'w' : 'wx')).createWriteStream();
}

/** The file itself where the name is that of a link. @throws UsageError where something is there that must stay */
async function replaceable(named: string, isForced: boolean, input?: Stats): Promise<string> {
  if (named === '') throw new UsageError('The name of a file to write is empty.');
  if (!(await lstat(named).catch(ignoreMissing))) return named;
  const name = await realpath(named).catch(ignoreMissing);
  if (name === undefined) throw new UsageError(`${named} is a link to nothing.`);
  const there = await stat(name);
  if (!there.isFile()) {
    throw new UsageError(
      `${named} is no regular file. To write to a device or a pipe leave it out, and redirect stdout.`,
    );
  }
  if (input && there.dev === input.dev && there.ino === input.ino) {
    throw new UsageError(`${named} is the file that is read.`);
  }
  if (!isForced) throw new UsageError(`${named} is there already. Use --force to replace it.`);
  return name;
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

function ignoreMissing(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
  return undefined;
}
