/** `functions/authorizer`: a proven identity in, domain and role or a refusal out. One rule for both channels. */

export interface AuthorizerRequest {
  readonly identityId: string;
}

export type AuthorizerAnswer =
  | {
      readonly allowed: true;
      readonly domainId: string;
      readonly role: 'client' | 'gateway';
      /** For the degraded accept and for data-channel checks without another read. */
      readonly prefixes: readonly string[];
    }
  | { readonly allowed: false; readonly reason: 'unknown-identity' | 'revoked' | 'unknown-domain' };
