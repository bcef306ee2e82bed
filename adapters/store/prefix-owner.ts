/** One prefix, one owner: the rule that makes conflicts between customers impossible. */
import type { Domain } from '#core/model/domain.ts';
import type { DomainId } from '#core/model/identifiers.ts';
import { overlapsPrefix, parseIpPrefix } from '#core/model/ip-prefix.ts';

/** The domain other than `except` that owns an address of `prefix`. Throws on text that is no prefix. */
export function findPrefixOwner(
  domains: readonly Domain[],
  prefix: string,
  except: DomainId,
): DomainId | undefined {
  const wanted = mustParse(prefix);
  return domains.find(
    (domain) =>
      domain.id !== except && domain.prefixes.some((owned) => overlapsPrefix(mustParse(owned), wanted)),
  )?.id;
}

function mustParse(text: string): NonNullable<ReturnType<typeof parseIpPrefix>> {
  const prefix = parseIpPrefix(text);
  if (prefix === undefined) throw new RangeError(`not an IP prefix: ${text}`);
  return prefix;
}
