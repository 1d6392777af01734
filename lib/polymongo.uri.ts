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
  // What stands there may be part of a password with a / in it.
  return { dbName: isUserInfoMalformed(uri) ? '' : safeDecode(path), options };
}

/** The hosts of a connection string, as in `db1:27017,db2:27017`: what names a cluster without telling how to get in. */
export const hostsOf = (uri: string): string =>
  redactURI(uri)
    .replace(/^mongodb(\+srv)?:\/\//, '')
    .replace(REDACTED, '')
    .replace(/[/?].*$/s, '');

const SECRET_PART = 'password|passphrase|username|secret|token';
const SECRET_WHOLE = 'auth|authMechanismProperties|autoEncryption|cert|key|pfx|secureContext|ssl(?:pass|key|cert)';

/** Options whose values are shown to nobody: the driver's, those of its earlier versions, and those of the TLS socket. */
export const SECRET_NAME = new RegExp(`${SECRET_PART}|^(?:${SECRET_WHOLE})$`, 'i');
/** Where one of these is in a URI. An escaped name may be any; the driver reads it. */
const SECRET_OPTION = new RegExp(
  `[?&](?:\\w{0,40}(?:${SECRET_PART})\\w{0,40}|${SECRET_WHOLE}|[^=&\\s%]*%[^=&\\s]*)=` +
    `(?!\\*\\*\\*(?:[\\s:.,;)'"&]|$))`,
  'i',
);
const NEXT_URI = /(?=mongodb(?:\+srv)?:\/\/)/i;
const CREDENTIALS = /^(mongodb(?:\+srv)?:\/\/)(?!\*\*\*:\*\*\*@)[^]*@/i;
const REDACTED = '***:***@';

/**
 * Replaces the credentials of every connection string in a text, and the secrets that are known. The one place where
 * secrets are taken out of what reaches statistics, logs, errors, inspection and the command line. Where it cannot be
 * told how far a secret goes, it takes more: credentials go to the last @, the value of a secret option to the end.
 */
export function redactURI(text: string, secrets: readonly string[] = []): string {
  let redacted = text;
  for (const secret of secrets) redacted = redacted.replaceAll(secret, '***');
  const option = SECRET_OPTION.exec(redacted);
  if (option) {
    const end = option.index + option[0].length;
    redacted = `${redacted.slice(0, end)}***${redacted.includes('@', end) ? '@' : ''}`; // credentials, perhaps
  }
  const uris: string[] = [];
  for (let uri of redacted.split(NEXT_URI)) {
    // "mongodb://" may itself be part of a secret: then the URI that ends at this @ began before.
    const isWhole = !uri.includes('@') || uri.includes(`://${REDACTED}`);
    while (!isWhole && isUnended(uris.at(-1) ?? '')) uri = uris.pop()! + uri;
    uris.push(uri);
  }
  return uris.map((uri) => uri.replace(CREDENTIALS, `$1${REDACTED}`)).join('');
}

/** A URI without its @, or without anything behind it where the next one would begin. */
const isUnended = (text: string): boolean =>
  /^mongodb(?:\+srv)?:\/\/(?:[^@]*|(?!\*\*\*:\*\*\*@)[^]*[^\s"'`,;|()<>[\]{}=])$/i.test(text);

/** What is to be kept secret of a connection string: as it is written there, and decoded. */
export function secretsInURI(uri: string): string[] {
  const [user = '', password = ''] = splitOnce(userInfoOf(uri), ':');
  const { index = uri.length } = SECRET_OPTION.exec(uri) ?? {};
  // Also what a value with & in it seems to be; who reads it as a URL leaves line breaks out, or ends there.
  const values = uri
    .slice(index)
    .split(/[?&=,:]/)
    .flatMap((value) => [value, ...value.split(/\s+/)]);
  return [user, password, ...values].flatMap((secret) => [secret, safeDecode(secret)]).filter(Boolean);
}

/** The user name or the password has characters that the driver takes for the end of it. */
export const isUserInfoMalformed = (uri: string): boolean => /[/?#[\]@]|:.*:/s.test(userInfoOf(uri));

/** What stands before the last @. */
function userInfoOf(uri: string): string {
  const rest = uri.replace(/^mongodb(\+srv)?:\/\//, '');
  return rest.slice(0, Math.max(0, rest.lastIndexOf('@')));
}

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
