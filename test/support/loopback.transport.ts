import { Server, type CustomTransportStrategy } from '@nestjs/microservices';
import { isObservable, lastValueFrom, type Observable } from 'rxjs';

/** A transport inside of the process: a message is handled in the context of its sender. */
export class Loopback extends Server implements CustomTransportStrategy {
  listen(callback: () => void): void {
    callback();
  }
  close(): void {}
  on(): void {}
  unwrap<T>(): T {
    return undefined as T;
  }

  async ask(pattern: string, data: unknown): Promise<unknown> {
    const answer: unknown = await this.getHandlerByPattern(pattern)!(data, {});
    return isObservable(answer) ? lastValueFrom(answer as Observable<unknown>) : answer;
  }

  async tell(pattern: string, data: unknown): Promise<void> {
    await this.ask(pattern, data);
  }
}
