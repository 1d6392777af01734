import type { Observer } from 'rxjs';
import { copyOfChange } from './change.copy.js';
import type { Change } from './change.types.js';
import type { ResumingStream, StreamListener } from './resuming.stream.js';

interface Member {
  subscriber: Observer<Change>;
  listener: StreamListener;
}

interface Shared {
  stream: ResumingStream;
  members: Set<Member>;
  isOpen: boolean;
}

/** Streams with several subscribers, by what they watch. The first opens one, the last to leave closes it. */
export class SharedStreams {
  readonly #shared = new Map<string, Shared>();

  /**
   * @param listener whose callbacks never throw
   * @param make opens the stream when there is none; its listener tells all members
   */
  join(
    key: string,
    subscriber: Observer<Change>,
    listener: StreamListener,
    make: (listener: StreamListener) => ResumingStream,
  ): () => void {
    const member: Member = { subscriber, listener };
    let shared = this.#shared.get(key);
    if (shared) {
      shared.members.add(member);
      if (shared.isOpen) listener.onOpen?.();
    } else {
      shared = this.#open(key, member, make);
    }
    return () => {
      shared.members.delete(member);
      if (shared.members.size > 0) return;
      this.#forget(key, shared);
      void shared.stream.close();
    };
  }

  #open(key: string, first: Member, make: (listener: StreamListener) => ResumingStream): Shared {
    const members = new Set([first]);
    const shared: Shared = {
      members,
      isOpen: false,
      stream: make({
        onOpen: () => {
          shared.isOpen = true;
          for (const { listener } of [...members]) listener.onOpen?.();
        },
        onReconnect: (reconnect) => {
          for (const { listener } of [...members]) listener.onReconnect?.(reconnect);
        },
      }),
    };
    this.#shared.set(key, shared);
    void this.#pump(key, shared);
    return shared;
  }

  async #pump(key: string, shared: Shared): Promise<void> {
    const each = (tell: (subscriber: Observer<Change>) => void) => {
      for (const { subscriber } of [...shared.members]) tell(subscriber);
    };
    try {
      for (let change; (change = await shared.stream.next());) {
        const isShared = shared.members.size > 1;
        each((subscriber) => subscriber.next(isShared ? copyOfChange(change) : change));
      }
      this.#forget(key, shared);
      each((subscriber) => subscriber.complete());
    } catch (error) {
      this.#forget(key, shared);
      each((subscriber) => subscriber.error(error));
    }
  }

  /** Who comes from now on opens another one. */
  #forget(key: string, shared: Shared): void {
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
  }
}
