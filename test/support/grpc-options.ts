import { Transport, type GrpcOptions } from '@nestjs/microservices';
import { join } from 'node:path';
import { freePort } from './free-port.js';

/** A service of orders.proto on a free port, for its server and its clients. */
export const grpcOptions = async (): Promise<GrpcOptions> => ({
  transport: Transport.GRPC,
  options: {
    package: 'orders',
    protoPath: join(import.meta.dirname, 'orders.proto'),
    url: `127.0.0.1:${await freePort()}`,
  },
});
