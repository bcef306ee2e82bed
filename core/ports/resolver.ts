/** Names to addresses over a protected path (RFC 9132 §11); an answer is never older than its TTL. */
export interface Resolver {
  /** Canonical host prefixes (`192.0.2.1/32`) of the name, or undefined when it cannot be resolved. */
  resolve(
    name: string,
  ): Promise<{ readonly prefixes: readonly string[]; readonly ttlSeconds: number } | undefined>;
}
