/**
 * A change as one's own: whoever alters it alters nobody else's. Values that are no plain data, such as an ObjectId or a
 * Binary, are the same.
 */
export function copyOfChange<T>(value: T): T;
export function copyOfChange(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => copyOfChange(each));
  if (value instanceof Date) return new Date(value);
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, copyOfChange<unknown>(each)]));
}

const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
