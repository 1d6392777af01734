import type { Database } from '../../databases/database.js';

export async function serverVersionOf({ connection }: Database): Promise<string> {
  const { version } = (await connection.db!.admin().buildInfo()) as { version: string };
  return version;
}

interface Hello {
  setName?: string;
  hosts?: string[];
}

/** Whether two databases are on one cluster, so that the server can copy from one to the other by itself. */
export async function isSameCluster(first: Database, second: Database): Promise<boolean> {
  if (first.pool === second.pool) return true;
  const [a, b] = await Promise.all([first, second].map(identityOf));
  return a!.setName === b!.setName && a!.hosts.some((host) => b!.hosts.includes(host));
}

async function identityOf({ connection }: Database): Promise<{ setName: string | undefined; hosts: string[] }> {
  const { setName, hosts } = (await connection.db!.command({ hello: 1 })) as Hello;
  return { setName, hosts: hosts ?? connection.getClient().options.hosts.map(String) };
}
