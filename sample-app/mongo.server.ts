import { EmbeddedMongo } from 'nestjs-polymongo/testing';

/** The MongoDB this application talks to. */
export interface MongoServer {
  uri: string;
  description: string;
  stop(): Promise<void>;
}

/** The cluster at `MONGODB_URI`, else an embedded MongoDB that lives in this process and forgets everything with it. */
export async function openMongo({ MONGODB_URI }: NodeJS.ProcessEnv): Promise<MongoServer> {
  if (MONGODB_URI) return { uri: MONGODB_URI, description: 'the MongoDB at MONGODB_URI', stop: async () => {} };
  const embedded = await EmbeddedMongo.start();
  return {
    uri: embedded.uri,
    description: `an embedded MongoDB on port ${embedded.port} (in memory; set MONGODB_URI to use your own)`,
    stop: () => embedded.stop(),
  };
}
