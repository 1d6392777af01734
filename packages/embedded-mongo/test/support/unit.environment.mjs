// The environment of unit tests: whatever would listen or connect is refused, and fails the test that it came from.
import dns from 'node:dns';
import net from 'node:net';
import { TestEnvironment } from 'jest-environment-node';

const PLACES = [
  [net.Server.prototype, 'listen'],
  [net.Socket.prototype, 'connect'],
  [dns, 'lookup'],
];

export default class UnitEnvironment extends TestEnvironment {
  #natives = [];
  #refused = [];

  async setup() {
    await super.setup();
    this.global.refused = this.#refused; // for the test of this file
    for (const [owner, name] of PLACES) {
      this.#natives.push([owner, name, owner[name]]);
      owner[name] = () => {
        const error = new Error(`${name}() in a unit test: what needs a server or a network belongs to test/e2e.`);
        this.#refused.push(error);
        throw error;
      };
    }
  }

  async teardown() {
    for (const [owner, name, native] of this.#natives) owner[name] = native;
    await super.teardown();
    if (this.#refused.length > 0) throw this.#refused[0]; // it came after the last test
  }

  /** Also of what somebody has caught. */
  handleTestEvent({ name, test }) {
    if (name === 'test_done') test.errors.push(...this.#refused.splice(0));
  }
}
