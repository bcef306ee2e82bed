/** A session configuration as the store keeps it: JSON, checked on the way back in. */
import { parseSid } from '../model/identifiers.ts';
import type { InstalledConfiguration } from './negotiate.ts';
import { DEFAULT_PARAMETERS, type SessionParameters } from './parameters.ts';

/** Undefined for anything this version would not have written, e.g. what DELETE config leaves. */
export function parseStoredConfiguration(stored: unknown): InstalledConfiguration | undefined {
  if (!isRecord(stored) || !isRecord(stored['configuration'])) return undefined;
  const sid = parseSid(String(stored['sid']));
  const { mitigating, idle } = stored['configuration'];
  if (sid === undefined || !isParameters(mitigating) || !isParameters(idle)) return undefined;
  return { sid, configuration: { mitigating, idle } };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const isParameters = (value: unknown): value is SessionParameters =>
  isRecord(value) && Object.keys(DEFAULT_PARAMETERS).every((name) => Number.isFinite(value[name]));
