export { startTestServer, type TestServer } from '../../packages/embedded-mongo/test/support/test-server.js';
