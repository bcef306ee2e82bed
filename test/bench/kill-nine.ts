/** kill -9 of the provider while 1,000 requests are under way. */
import { putAndKill } from '#test/support/killed-puts.ts';
import type { Benchmark } from './figure.ts';

const ASKED = 1000;

export const killNine: Benchmark = {
  name: 'kill-nine',
  about: 'acknowledged mitigations lost by kill -9 in the middle of 1,000 requests',
  async run() {
    const { acknowledged, lost } = await putAndKill(ASKED, ASKED / 2);
    return [
      { name: `acknowledged of ${ASKED} before kill -9`, value: acknowledged, unit: 'requests' },
      {
        name: 'acknowledged and lost',
        value: lost.length,
        unit: 'requests',
        target: { says: 'none', met: lost.length === 0 },
      },
    ];
  },
};
