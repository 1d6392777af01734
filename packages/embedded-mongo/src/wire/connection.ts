import type { Socket } from 'node:net';
import { once } from 'node:events';
import type { ClientConnection, Reply, RequestHandler, RequestMessage } from '../commands/request.js';
import { FrameReader } from './frame-reader.js';
import type { ReceiveBudget, Receiver } from './receive-budget.js';
import { legacyReply, msgReply, parseMessage } from './message.js';

/** While set, nothing is read or answered (`EmbeddedMongo.stall`). */
export interface StallGate {
  readonly stalled: Promise<void> | undefined;
}

let nextReplyId = 1;
const replyId = (): number => (nextReplyId = (nextReplyId + 1) & 0x7fffffff);

/** One client's socket: requests are answered one after the other, as they came. */
export class Connection implements ClientConnection, Receiver {
  readonly openedAt = new Date();
  private readonly reader = new FrameReader();
  private isBusy = false;
  private isClosed = false;
  lastBytesMS = performance.now();

  constructor(
    readonly id: number,
    private readonly socket: Socket,
    private readonly handler: RequestHandler,
    private readonly gate: StallGate,
    private readonly budget: ReceiveBudget,
  ) {
    socket.setNoDelay(true);
    handler.connected(this);
    socket.on('data', (chunk) => {
      this.lastBytesMS = performance.now();
      this.reader.push(chunk);
      if (!this.isBusy) this.pump();
      else if (this.reader.bufferedLength > handler.maxMessageLength(this)) socket.pause(); // until the answer is given
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.isClosed = true;
      budget.release(this);
      handler.disconnected(this);
    });
  }

  get remoteAddress(): string {
    return `${this.socket.remoteAddress}:${this.socket.remotePort}`;
  }

  close(): void {
    this.socket.destroy();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Answers what can be answered at once without leaving the tick; the first wait hands over to `pumpAsync`. */
  private pump(): void {
    try {
      for (;;) {
        if (this.isClosed) return;
        const frame = this.reader.next(this.handler.maxMessageLength(this));
        if (!frame) return this.receive();
        this.budget.release(this);
        if (this.gate.stalled || this.socket.writableNeedDrain) return void this.pumpAsync(frame);
        const request = parseMessage(frame);
        const reply = this.handler.handle(request, this);
        if (reply instanceof Promise || reply?.next) return void this.pumpAsync(frame, request, reply);
        this.answer(request, reply);
      }
    } catch {
      this.close(); // a malformed frame ends its own connection only
    }
  }

  /** Waits for the rest of a message, if there is room for it. */
  private receive(): void {
    if (this.budget.admits(this, this.reader.nextLength ?? 0)) this.resume();
    else this.socket.pause();
  }

  private async pumpAsync(
    frame: Buffer,
    parsed?: RequestMessage,
    pending?: Reply | Promise<Reply | undefined>,
  ): Promise<void> {
    this.isBusy = true;
    try {
      await this.ready();
      const request = parsed ?? parseMessage(frame);
      let reply = await (pending ?? this.handler.handle(request, this));
      let responseTo = request.requestId;
      await this.ready();
      while (reply?.next && !this.isClosed) {
        const id = replyId();
        this.socket.write(msgReply(id, responseTo, [reply.body], true));
        responseTo = id;
        reply = await reply.next();
        await this.ready();
      }
      this.answer(request, reply, responseTo);
    } catch {
      this.close();
    }
    this.isBusy = false;
    this.pump();
  }

  private async ready(): Promise<void> {
    while (this.gate.stalled && !this.isClosed) await this.gate.stalled;
    if (this.socket.writableNeedDrain && !this.isClosed) {
      await Promise.race([once(this.socket, 'drain'), once(this.socket, 'close')]);
    }
  }

  private answer(request: RequestMessage, reply: Reply | undefined, responseTo = request.requestId): void {
    if (this.isClosed) return;
    if (!reply) return this.close();
    if (request.isUnacknowledged) return;
    this.socket.write(
      request.isLegacy
        ? legacyReply(replyId(), responseTo, [reply.body])
        : msgReply(replyId(), responseTo, [reply.body], false),
    );
  }
}
