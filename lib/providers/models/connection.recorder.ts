import type { Connection } from 'mongoose';
import type { Plugin } from '../../polymongo.options.js';

/**
 * What a `connectionFactory` is given: the connection, of which `plugin()` is for the schemas of all models instead. Schemas are
 * compiled once for all databases, so a plugin of one connection would come too late.
 */
export function recordPlugins(connection: Connection, use: (plugin: Plugin) => void): Connection {
  const recorder: Connection = new Proxy(connection, {
    get(target, key) {
      if (key === 'plugin') {
        return (...plugin: Plugin) => {
          use(plugin);
          return recorder;
        };
      }
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
  return recorder;
}
