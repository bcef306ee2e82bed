/** The real programs that suites speak to, and the Debian package that brings each. */
export const PEERS = {
  'coap-client-openssl': { debianPackage: 'libcoap3-bin' },
  'coap-client-gnutls': { debianPackage: 'libcoap3-bin' },
  'coap-client-notls': { debianPackage: 'libcoap3-bin' },
  'coap-server-openssl': { debianPackage: 'libcoap3-bin' },
  'coap-server-gnutls': { debianPackage: 'libcoap3-bin' },
  'coap-server-notls': { debianPackage: 'libcoap3-bin' },
  curl: { debianPackage: 'curl' },
  'gnutls-cli': { debianPackage: 'gnutls-bin' },
  gobgp: { debianPackage: 'gobgpd' },
  gobgpd: { debianPackage: 'gobgpd' },
  ip: { debianPackage: 'iproute2' },
  nft: { debianPackage: 'nftables' },
  openssl: { debianPackage: 'openssl' },
  python3: { debianPackage: 'python3' },
  unshare: { debianPackage: 'util-linux' },
} as const satisfies Record<string, { readonly debianPackage: string }>;

export type PeerName = keyof typeof PEERS;

export const isPeerName = (name: string): name is PeerName => Object.hasOwn(PEERS, name);
