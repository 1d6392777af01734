/** Parts of a MongoDB connection string that this package reads. Multi-host strings are no WHATWG URLs, so no `URL` here. */
export interface MongoURIParts {
  /** The default database in the path, '' when there is none. */
  dbName: string;
  /** The options of the query string, their names in lower case (MongoDB's are case-insensitive). */
  options: ReadonlyMap<string, string>;
}

const SCHEME = /^mongodb(\+srv)?:\/\/./;

export const isMongoURI = (value: unknown): value is string => typeof value === 'string' && SCHEME.test(value);

/** Reads the database name and the options of a connection string. */
export function parseMongoURI(uri: string): MongoURIParts {
  const [address = '', query = ''] = splitOnce(uri.replace(SCHEME, ''), '?');
  const [, path = ''] = splitOnce(address.slice(address.lastIndexOf('@') + 1), '/');
  const options = new Map<string, string>();
  for (const pair of query.split('&').filter(Boolean)) {
    const [name = '', value = ''] = splitOnce(pair, '=');
    options.set(name.toLowerCase(), safeDecode(value));
  }
  return { dbName: safeDecode(path), options };
}

const SECRET_OPTIONS =
  /([?&](?:proxyPassword|proxyUsername|tlsCertificateKeyFilePassword|authMechanismProperties)=)[^&\s"']*/gi;
/** Up to the last @: a secret with / or ? in it makes no valid URI, but is one all the same. */
const CREDENTIALS = /(mongodb(?:\+srv)?:\/\/)[^\s"']*@/gi;

/**
 * Replaces the credentials of every connection string in a text. The one place where secrets are taken out of what
 * reaches statistics, logs, errors and the command line.
 */
export const redactURI = (text: string): string =>
  text.replace(CREDENTIALS, '$1***:***@').replace(SECRET_OPTIONS, '$1***');

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
