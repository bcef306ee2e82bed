/** Uri-Query `c` of GET mitigate (RFC 9132 §4.4.2, Table 3; decision D17). */
import type { ContentFilter } from './bodies.ts';

/** The filter asked for. Unknown values and foreign parameters are ignored: then everything is told. */
export function parseContentFilter(queries: readonly string[]): ContentFilter {
  for (const query of queries) {
    if (query === 'c=c') return 'c';
    if (query === 'c=n') return 'n';
  }
  return 'a';
}

export const formatContentFilter = (filter: ContentFilter): string => `c=${filter}`;
