/** Prefixes as operators type them. */
import { fail, ok, type Result } from '#core/base/result.ts';
import type { DomainId } from '#core/model/identifiers.ts';
import { formatIpPrefix, parseIpPrefix } from '#core/model/ip-prefix.ts';
import type { Store } from '#core/ports/store.ts';

/** In canonical form; the error names the one that is no prefix, or that somebody else owns. */
export async function claimPrefixes(
  store: Pick<Store, 'prefixOwner'>,
  domainId: DomainId,
  texts: readonly string[],
): Promise<Result<readonly string[], string>> {
  const prefixes: string[] = [];
  for (const text of texts) {
    const prefix = parseIpPrefix(text);
    if (prefix === undefined) return fail(`${text} is no IP prefix`);
    const canonical = formatIpPrefix(prefix);
    const owner = await store.prefixOwner(canonical, domainId);
    if (owner !== undefined)
      return fail(`${canonical} overlaps what domain ${owner} owns; a prefix has one owner`);
    prefixes.push(canonical);
  }
  return ok(prefixes);
}
