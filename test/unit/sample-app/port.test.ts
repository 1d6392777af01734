import { describe, expect, it } from '@jest/globals';
import { describeStartError, portFromEnvironment } from '../../../sample-app/port.js';

describe('the port of the sample app', () => {
  it('is PORT, else 3000', () => {
    expect(portFromEnvironment({})).toBe(3000);
    expect(portFromEnvironment({ PORT: '8080' })).toBe(8080);
    expect(portFromEnvironment({ PORT: '0' })).toBe(0);
  });

  it.each(['abc', '-1', '65536', '3.5'])('is refused by its name and value when PORT is %s', (PORT) => {
    expect(() => portFromEnvironment({ PORT })).toThrow(`PORT must be a number from 0 to 65535, not "${PORT}".`);
  });

  it('that is taken gets an error that says so and what to do', () => {
    const taken = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' });
    expect(describeStartError(taken, 3000)).toBe(
      'Port 3000 is taken by another program. Choose another one: PORT=3001 npm start',
    );
  });

  it('has no part in other errors, which keep their own words', () => {
    expect(describeStartError(new Error('Database connection not ready'), 3000)).toBe('Database connection not ready');
  });
});
