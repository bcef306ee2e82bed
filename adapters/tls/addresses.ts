/** Addresses as operators write and read them. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** `192.0.2.1:4646`, `[2001:db8::1]:4646`. */
export function formatEndpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** An address of `host`: itself when it is a literal, else what the system's resolver says. Rejects when that is nothing. */
export async function addressOfHost(host: string): Promise<string> {
  return isIP(host) === 0 ? (await lookup(host)).address : host;
}
