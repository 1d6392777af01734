import { expect, it } from '@jest/globals';
import type { ArgumentsHost } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/internal';
import { TenantMissingError } from '../../../lib/providers/tenant/tenant.errors.js';
import { TenantExceptionFilter } from '../../../lib/providers/tenant/tenant.exception-filter.js';

const hostOf = (type: string, client: object): ArgumentsHost => {
  const host = new ExecutionContextHost([client]);
  host.setType(type);
  return host;
};

it('tells a native WebSocket by a message, as its `emit` does not leave the process', () => {
  const sent: string[] = [];
  const socket = { readyState: 1, send: (message: string) => sent.push(message), emit: () => expect(true).toBe(false) };
  const error = new TenantMissingError();
  new TenantExceptionFilter().catch(error, hostOf('ws', socket));
  expect(sent.map((message) => JSON.parse(message) as unknown)).toEqual([
    { event: 'exception', data: { status: 'error', statusCode: 400, message: error.message } },
  ]);
});

it('gives GraphQL the error itself', () => {
  const error = new TenantMissingError();
  expect(new TenantExceptionFilter().catch(error, hostOf('graphql', {}))).toBe(error);
});
