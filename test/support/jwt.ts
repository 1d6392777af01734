import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { ExtractJwt, Strategy } from 'passport-jwt';

const SECRET = 'for tests';
const encoded = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');

/** A signed token with these claims, as the value of `Authorization`. */
export function bearer(claims: Record<string, unknown>): string {
  const body = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(claims)}`;
  return `Bearer ${body}.${createHmac('sha256', SECRET).update(body).digest('base64url')}`;
}

/** As Nest's documentation has it: `request.user` is what the token says. */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  constructor() {
    super({ jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), secretOrKey: SECRET });
  }
  validate(claims: Record<string, unknown>) {
    return claims;
  }
}
