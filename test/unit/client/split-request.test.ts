import { LARGEST_BODY, splitRequest } from '#core/client/split-request.ts';
import type { MitigationScope } from '#core/model/scope.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import type { MitigationRequestBody } from '#core/signal/bodies.ts';
import { encodeMitigationRequest } from '#core/signal/mitigation-codec.ts';

const bodyOf = (scope: Partial<MitigationScope>): MitigationRequestBody => ({
  scope: { ...EMPTY_SCOPE, targetProtocols: [17], targetPortRanges: [{ lowerPort: 53 }], ...scope },
  lifetimeSeconds: 600,
  triggerMitigation: true,
});
const many = Array.from({ length: 200 }, (_, number) => `192.0.2.${number}/32`);

test('a request that fits stays as it is', () => {
  const body = bodyOf({ targetPrefixes: ['192.0.2.0/24', '192.0.2.1/32'] });
  expect(splitRequest(body)).toEqual([body]);
});

test('S-402 a larger one becomes several that fit, each for other prefixes, together for all, alike in all else', () => {
  const body = bodyOf({ targetPrefixes: many });
  const parts = splitRequest(body);
  expect(parts.length).toBeGreaterThan(1);
  expect(parts.flatMap(({ scope }) => scope.targetPrefixes)).toEqual(many);
  for (const part of parts) {
    expect(encodeMitigationRequest(part).length).toBeLessThanOrEqual(LARGEST_BODY);
    expect({ ...part, scope: { ...part.scope, targetPrefixes: many } }).toEqual(body);
  }
});

test('no part overlaps with another: what a prefix contains goes with it, and what is there twice goes once', () => {
  const parts = splitRequest(
    bodyOf({ targetPrefixes: [...many, '192.0.2.7', '192.0.2.0/25', '192.0.2.129/25'] }),
    60,
  );
  expect(parts.flatMap(({ scope }) => scope.targetPrefixes)).toEqual(['192.0.2.0/25', '192.0.2.129/25']);
});

test('what is no prefix is left for the server to refuse', () => {
  const parts = splitRequest(bodyOf({ targetPrefixes: [...many, 'nonsense'] }));
  expect(parts.at(-1)?.scope.targetPrefixes).toContain('nonsense');
});

test('names and aliases stay together, since nobody knows here what they stand for', () => {
  const body = bodyOf({ targetPrefixes: many, aliasNames: ['web'] });
  expect(splitRequest(body)).toEqual([body]);
});
