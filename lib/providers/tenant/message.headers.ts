import type { TenantRequest } from '../../polymongo.tenant-options.js';

/** What Nest gives the handlers of a message as its context, by transport. */
interface MessageContext {
  /** NATS. */
  getHeaders?(): { keys(): Iterable<string>; values(key: string): string[] } | undefined;
  /** Kafka and RabbitMQ. */
  getMessage?(): { headers?: Values; properties?: { headers?: Values } } | undefined;
  /** MQTT, version 5. */
  getPacket?(): { properties?: { userProperties?: Values } } | undefined;
  /** gRPC, where it is the metadata. */
  getMap?(): Values;
  get?(key: string): unknown[];
}

type Values = Readonly<Record<string, unknown>>;

/**
 * The headers of a microservice message, by names in lower case; of TCP and Redis there are none. Values that are no text
 * are left out.
 */
export function headersOfMessage(context: unknown): TenantRequest['headers'] {
  const headers = Object.create(null) as TenantRequest['headers'];
  if (typeof context !== 'object' || context === null) return headers;
  for (const [name, values] of entriesOf(context)) {
    const key = name.toLowerCase();
    const texts = [headers[key] ?? [], values]
      .flat()
      .map(textOf)
      .filter((text) => text !== undefined);
    if (texts.length > 0) headers[key] = texts.length === 1 ? texts[0]! : texts;
  }
  return headers;
}

function entriesOf(context: MessageContext): [string, unknown][] {
  if (context.getHeaders) {
    const headers = context.getHeaders();
    return headers ? [...headers.keys()].map((key) => [key, headers.values(key)]) : [];
  }
  if (context.getMessage) {
    const message = context.getMessage();
    return Object.entries(message?.properties?.headers ?? message?.headers ?? {});
  }
  if (context.getPacket) return Object.entries(context.getPacket()?.properties?.userProperties ?? {});
  if (context.getMap && context.get) return Object.keys(context.getMap()).map((key) => [key, context.get!(key)]);
  return [];
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : Buffer.isBuffer(value) ? value.toString() : undefined;
