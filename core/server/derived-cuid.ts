/** RFC 9132 Appendix B: deriving the cuid "allows the detection of compromised DOTS clients that do not adhere to" it. */
import { equalBytes, fromBase64Url } from '../base/bytes.ts';
import type { Cuid, IdentityId } from '../model/identifiers.ts';

const CUID_BYTES = 16;

/** Whether the cuid is the first 16 bytes of the identity's hash, as §4.4.1.1 recommends: both are of the same key. */
export function isDerivedCuid(cuid: Cuid, identityId: IdentityId): boolean {
  const claimed = fromBase64Url(cuid);
  const hash = fromBase64Url(identityId)?.subarray(0, CUID_BYTES);
  return claimed !== undefined && hash !== undefined && equalBytes(claimed, hash);
}
