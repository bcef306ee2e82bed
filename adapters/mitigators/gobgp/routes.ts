/** One reading of GoBGP's tables: what is ours, and what of it the neighbors are told. */
import type { GobgpClient } from './client.ts';
import { FAMILIES, type Nlri } from './nlri.ts';
import { type AnnouncedPath, readOwnPath } from './paths.ts';

export interface Routes {
  /** Of gobgpd's own autonomous system; it marks what is ours. */
  readonly asn: number;
  /** Neighbors with an established session. */
  readonly peers: readonly string[];
  /** Paths of one mitigation. */
  own(key: string): readonly AnnouncedPath[];
  all(): Iterable<AnnouncedPath>;
  /** True when a neighbor is told to do with the NLRI what `path` wants, though it may be another mitigation's path. */
  isAnnounced(path: AnnouncedPath): boolean;
}

export async function readRoutes(client: GobgpClient): Promise<Routes> {
  const [asn, peers] = await Promise.all([client.asn(), client.establishedPeers()]);
  if (asn === 0) throw new Error('gobgpd has no BGP configuration yet: [global.config] as and router-id');
  const byKey = new Map<string, AnnouncedPath[]>();
  const announced = new Set<string>();
  for (const family of FAMILIES) {
    let isUsed = false;
    for await (const wire of client.routes(family)) {
      const path = readOwnPath(family, wire, asn);
      if (path === undefined) continue;
      isUsed = true;
      const paths = byKey.get(path.key);
      if (paths === undefined) byKey.set(path.key, [path]);
      else paths.push(path);
    }
    if (!isUsed) continue;
    for (const peer of peers)
      for await (const wire of client.announcedTo(peer, family)) {
        const path = readOwnPath(family, wire, asn);
        if (path !== undefined) announced.add(announcementOf(path));
      }
  }
  return {
    asn,
    peers,
    own: (key) => byKey.get(key) ?? [],
    all: () => [...byKey.values()].flat(),
    isAnnounced: (path) => announced.has(announcementOf(path)),
  };
}

const announcementOf = ({ nlri, effect }: AnnouncedPath): string => `${nlriText(nlri)} ${effect}`;

const nlriText = ({ family, text }: Nlri): string => `${family.afi}/${family.safi} ${text}`;
