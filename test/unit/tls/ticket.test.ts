import { writeDer } from '#adapters/pki/der.ts';
import { pskIdentityOfSession } from '#adapters/tls/psk.ts';
import { openTicket, sealTicket } from '#adapters/tls/ticket.ts';

test('a ticket gives back what was put in, with a certificate or without', () => {
  const session = Uint8Array.of(1, 2, 3);
  const certificate = Uint8Array.of(9, 8);
  expect(openTicket(sealTicket({ certificate, session }))).toEqual({ certificate, session });
  expect(openTicket(sealTicket({ certificate: undefined, session }))).toEqual({
    certificate: undefined,
    session,
  });
});

test('what is no ticket is none', () => {
  for (const bytes of [[], [0, 0, 0], [0, 0, 0, 9, 1], [255, 255, 255, 255, 1], [0, 0, 0, 0]])
    expect(openTicket(Uint8Array.from(bytes))).toBeUndefined();
});

test('the PSK identity is read from its own field of a session, and from no other', () => {
  const text = Buffer.from('dots-client-1');
  const identity = writeDer(0xa8, writeDer(0x04, text));
  const hint = writeDer(0xa7, writeDer(0x04, Buffer.from('hint')));
  const version = writeDer(0x02, Uint8Array.of(1));
  expect(pskIdentityOfSession(writeDer(0x30, version, hint, identity))).toBe('dots-client-1');
  expect(pskIdentityOfSession(writeDer(0x30, version, hint))).toBeUndefined();
  expect(pskIdentityOfSession(Uint8Array.of(0x30, 0x7f, 1))).toBeUndefined();
  expect(pskIdentityOfSession(new Uint8Array())).toBeUndefined();
});
