/** What the application says when it is ready: where it is, and calls to try. */
export function startupText(port: number, mongo: string): string {
  const url = `http://localhost:${port}`;
  return `
Order desk is running at ${url}
  on ${mongo}

Open ${url} in a browser for the live page, and try:

curl -s ${url}/catalogue
curl -s ${url}/orders -H 'x-tenant-id: bakery' -H 'content-type: application/json' -d '{"item":"rye bread","quantity":2,"price":4.5}'
curl -s ${url}/orders -H 'x-tenant-id: bakery'
curl -s ${url}/orders/total -H 'x-tenant-id: bakery'
curl -s ${url}/orders/total -H 'host: bikes.localhost:${port}'
curl -s ${url}/orders
curl -s ${url}/stats

Stop it with Ctrl-C.
`;
}
