/** What a tenant has to be before it is served, beside existing: what comes after the tenants decides it. */
export interface TenantReadiness {
  /** It is, without being asked. */
  isReady(tenantId: string): boolean;
  /** Resolves when it is; called when it is known that it exists, and where. @throws why it is not served */
  becomeReady(tenantId: string): Promise<void>;
}
