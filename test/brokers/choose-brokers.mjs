// Jest's globalSetup of the tests with brokers: says which of them there are. Each test file starts its own.
import { execFileSync } from 'node:child_process';
import chooseServer from '../../packages/embedded-mongo/test/support/choose-server.mjs';

const BROKERS = ['redis-server', 'nats-server', 'rabbitmq-server'];

function isOnPath(command) {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export default async function chooseBrokers() {
  await chooseServer();
  const there = BROKERS.filter(isOnPath);
  const missing = BROKERS.filter((broker) => !there.includes(broker));
  process.env.POLYMONGO_TEST_BROKERS = there.join(' ');
  console.log(`Brokers: ${there.join(', ') || 'none'}.`);
  if (missing.length > 0) console.log(`Skipped, as they are not on PATH: ${missing.join(', ')}.`);
}
