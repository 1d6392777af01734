import { randomBytes, timingSafeEqual } from 'node:crypto';
import { CommandError } from '../../errors.js';
import type { Credentials } from './credentials.js';
import type { ScramMechanism, ScramSecret } from './scram.secret.js';
import { digest, hmac } from './scram.secret.js';

const NONCE_LENGTH = 24;

const failed = (): CommandError => new CommandError('AuthenticationFailed', 'Authentication failed.');

/** The attributes of a SCRAM message: `n=user,r=nonce`. */
const attributesOf = (message: string): Map<string, string> =>
  new Map(message.split(',').map((part) => [part.slice(0, 1), part.slice(2)]));

/** The server's side of one SCRAM exchange (RFC 5802). */
export class ScramConversation {
  readonly user: string;
  private readonly secret: ScramSecret;
  private readonly nonce: string;
  private readonly clientFirstBare: string;
  private readonly serverFirst: string;
  private step: 'proof' | 'empty' | 'done' = 'proof';

  /** @throws CommandError AuthenticationFailed for an unknown user, MechanismUnavailable for one without this mechanism */
  constructor(
    credentials: Credentials,
    mechanism: ScramMechanism,
    readonly db: string,
    clientFirst: string,
    private readonly skipsEmptyExchange: boolean,
  ) {
    const bareStart = clientFirst.indexOf(',', clientFirst.indexOf(',') + 1) + 1;
    this.clientFirstBare = clientFirst.slice(bareStart);
    const attributes = attributesOf(this.clientFirstBare);
    this.user = (attributes.get('n') ?? '').replaceAll('=2C', ',').replaceAll('=3D', '=');
    const user = credentials.find(db, this.user);
    if (!user) throw failed();
    const secret = user.secrets.get(mechanism);
    if (!secret) {
      throw new CommandError(
        'MechanismUnavailable',
        `Unable to use ${mechanism} based authentication for user without any ${mechanism} credentials registered`,
      );
    }
    this.secret = secret;
    this.nonce = `${attributes.get('r') ?? ''}${randomBytes(NONCE_LENGTH).toString('base64')}`;
    this.serverFirst = `r=${this.nonce},s=${secret.salt.toString('base64')},i=${secret.iterations}`;
  }

  get firstPayload(): string {
    return this.serverFirst;
  }

  get isDone(): boolean {
    return this.step === 'done';
  }

  /** @throws CommandError AuthenticationFailed for a wrong password */
  continue(message: string): string {
    if (this.step === 'done') throw failed();
    if (this.step === 'empty') {
      this.step = 'done';
      return '';
    }
    const attributes = attributesOf(message);
    const proof = Buffer.from(attributes.get('p') ?? '', 'base64');
    if (attributes.get('r') !== this.nonce) throw failed();
    const withoutProof = message.slice(0, message.lastIndexOf(',p='));
    const authMessage = `${this.clientFirstBare},${this.serverFirst},${withoutProof}`;
    const { hash, storedKey, serverKey } = this.secret;
    const signature = hmac(hash, storedKey, authMessage);
    if (proof.length !== signature.length) throw failed();
    const clientKey = Buffer.from(proof.map((byte, i) => byte ^ signature[i]!));
    if (!timingSafeEqual(digest(hash, clientKey), storedKey)) throw failed();
    this.step = this.skipsEmptyExchange ? 'done' : 'empty';
    return `v=${hmac(hash, serverKey, authMessage).toString('base64')}`;
  }
}
