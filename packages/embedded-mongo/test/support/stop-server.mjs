// Jest's globalTeardown: stops the mongod that choose-server.mjs started, if it did.
export default async function stopServer() {
  await globalThis.__MONGOD__?.stop();
}
