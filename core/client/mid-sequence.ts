/** Which mid comes next (RFC 9132 §4.4.1.1): they grow, so that a server can tell an old request from a new one. */
import type { Mid } from '../model/identifiers.ts';

/** "If the 'mid' value has reached 3/4 of (2^(32) - 1) (i.e., 3221225471) and no attack is detected" */
export const MID_ROLLOVER = 3_221_225_471;
const MID_MAX = 0xffff_ffff;
const FIRST = 1;

/**
 * The mid after `last`, the highest one ever used towards a server with one cuid; undefined when none was. At the
 * rollover and beyond it starts again from 0 as soon as no attack is active; undefined when 2^32-1 is used up during one.
 */
export function nextMid(last: number | undefined, attackActive: boolean): Mid | undefined {
  if (last === undefined) return FIRST as Mid;
  if (last >= MID_ROLLOVER && !attackActive) return 0 as Mid;
  return last >= MID_MAX ? undefined : ((last + 1) as Mid);
}
