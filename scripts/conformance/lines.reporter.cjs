// A mocha reporter: one JSON line a test as it ends, so that a run that crashes leaves what it had.
const { appendFileSync } = require('node:fs');

module.exports = class {
  constructor(runner) {
    const file = process.env.CONFORMANCE_RESULTS;
    appendFileSync(file, '');
    const write = (state) => (test, error) =>
      appendFileSync(
        file,
        JSON.stringify({ title: test.fullTitle(), state, error: error && String(error.stack ?? error) }) + '\n',
      );
    runner.on('pass', write('passed')).on('fail', write('failed')).on('pending', write('pending'));
  }
};
