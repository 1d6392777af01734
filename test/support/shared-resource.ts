import { AsyncResource } from 'node:async_hooks';
import { bindCallback, type Observable } from 'rxjs';

/**
 * Something shared that answers by callback, in the context of whoever asked first: so do sockets that are opened with
 * their first use, and pools and batches made of them.
 */
export class SharedResource {
  #opened: AsyncResource | undefined;

  ask(callback: () => void): void {
    const opened = (this.#opened ??= new AsyncResource('SharedResource'));
    setImmediate(() => opened.runInAsyncScope(callback));
  }

  /** The same as an Observable, which emits in that context. */
  answer(): Observable<void> {
    return bindCallback((callback: () => void) => this.ask(callback))();
  }

  /** The next to ask opens it anew. */
  close(): void {
    this.#opened = undefined;
  }
}
