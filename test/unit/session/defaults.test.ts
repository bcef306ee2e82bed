import { parseServer } from '#agent-edge/cli/connection-options.ts';
import { RECOMMENDED_LIFETIME_SECONDS } from '#core/mitigation/lifetime.ts';
import { DEFAULT_POLICY } from '#core/model/domain.ts';
import { DEFAULT_BOUNDS } from '#core/session/config-bounds.ts';
import { DEFAULT_CONFIGURATION } from '#core/session/parameters.ts';
import { decodeMitigationRequest } from '#core/signal/mitigation-codec.ts';
import { fromHex } from '#test/support/hex.ts';

test('S-440 the defaults of RFC 9132, wherever they stand', () => {
  const parameters = {
    heartbeatInterval: 30,
    missingHbAllowed: 15,
    probingRate: 5,
    maxRetransmit: 3,
    ackTimeout: 2,
    ackRandomFactor: 1.5,
  };
  expect(DEFAULT_CONFIGURATION).toEqual({ mitigating: parameters, idle: parameters });
  expect(DEFAULT_BOUNDS.heartbeatInterval).toEqual({ min: 15, max: 240 });
  expect(DEFAULT_POLICY).toMatchObject({ terminatingSeconds: 120, maxTerminatingSeconds: 300 });
  expect(RECOMMENDED_LIFETIME_SECONDS).toBe(3600);
  expect(parseServer('dots.example')).toEqual({ host: 'dots.example', port: 4646 });
  const withoutTrigger = decodeMitigationRequest(
    fromHex('a101a10281a206816c3139322e302e322e312f33320e190e10'),
  );
  expect(withoutTrigger.ok && withoutTrigger.value.triggerMitigation).toBe(true);
});
