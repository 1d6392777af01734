import type { WebSocketAdapter, WsMessageHandler } from '@nestjs/common';
import { lastValueFrom, type Observable } from 'rxjs';

type Transform = (given: unknown) => Observable<unknown>;
type Connected = (client: object) => void;

/** Gateways inside of the process: a message is handled in the context of its sender. */
export class LoopbackSockets implements WebSocketAdapter {
  readonly #handlers = new Map<string, (data: unknown) => unknown>();
  #transform: Transform = () => {
    throw new Error('No gateway.');
  };
  #connected: Connected = () => {};

  create(): object {
    return {};
  }
  bindClientConnect(_: object, connected: Connected): void {
    this.#connected = connected;
  }
  bindMessageHandlers(_: object, handlers: WsMessageHandler[], transform: Transform): void {
    this.#transform = transform;
    for (const { message, callback } of handlers) this.#handlers.set(message as string, callback as never);
  }
  close(): void {}
  dispose(): void {}

  connect(client: object): void {
    this.#connected(client);
  }

  /** What the last one to connect is answered; undefined for what a filter has seen to. */
  async ask(message: string, data: unknown): Promise<unknown> {
    return lastValueFrom(this.#transform(this.#handlers.get(message)!(data)), { defaultValue: undefined });
  }
}
