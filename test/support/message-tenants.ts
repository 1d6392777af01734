import { fromHeader, type TenantOptions } from 'nestjs-polymongo';

/** The tenant in the header of a request, or in the data of a message. */
export const headerOrMessage: TenantOptions['resolve'] = [
  fromHeader('x-tenant-id'),
  ({ data }) => (data as { tenant?: string } | undefined)?.tenant,
];
