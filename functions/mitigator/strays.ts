/** What devices hold and nobody owns: left by a crash, by a record that was forgotten, by a plan that has changed. */
import type { DomainId } from '#core/model/identifiers.ts';
import type { Installed } from '#core/ports/mitigator.ts';
import type { Store } from '#core/ports/store.ts';
import { choiceOf, type Device, reasonOf, removalOf } from './act.ts';
import type { CollectParts } from './collect.ts';

/** Resolves when every device was looked at, or could not be; rejects only when the store fails. */
export async function removeStrays(parts: CollectParts): Promise<void> {
  const { devices, trace } = parts;
  // Devices first: what a device shows was committed before, so the records read afterwards hold its owner.
  const found = await Promise.all(
    [...devices.values()].map(async (device) => {
      try {
        return { device, installed: await device.gate.run(() => listed(device)) };
      } catch (error) {
        trace({
          type: 'driver-failed',
          mitigator: device.mitigator.name,
          call: 'list',
          reason: reasonOf(error),
        });
        return { device, installed: [] };
      }
    }),
  );
  if (found.every(({ installed }) => installed.length === 0)) return;
  const owned = await ownedKeys(parts);
  await Promise.all(
    found.map(async ({ device, installed }) => {
      const { name } = device.mitigator;
      const audited = new Set<string>();
      for (const stray of installed.filter(({ key }) => owned.get(name)?.has(key) !== true)) {
        try {
          await device.gate.run(() => device.mitigator.removeInstalled(stray));
        } catch (error) {
          trace({ type: 'driver-failed', mitigator: name, call: 'removeInstalled', reason: reasonOf(error) });
          continue;
        }
        const { key, prefix } = stray;
        trace({ type: 'stray-removed', mitigator: name, key, ...(prefix === undefined ? {} : { prefix }) });
        if (!audited.has(key)) await audit(parts, name, stray);
        audited.add(key);
      }
    }),
  );
}

async function listed({ mitigator }: Device): Promise<readonly Installed[]> {
  const installed: Installed[] = [];
  for await (const one of mitigator.list()) installed.push(one);
  return installed;
}

/** By mitigator: keys of all that it is to hold, or has yet to take away by command. */
async function ownedKeys({
  store,
  devices,
}: CollectParts): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const owned = new Map([...devices.keys()].map((name) => [name, new Set<string>()]));
  const choices = new Map<DomainId, Awaited<ReturnType<Store['domain']>>>();
  for await (const mitigation of store.unsettled()) {
    const { domainId } = mitigation;
    if (!choices.has(domainId)) choices.set(domainId, await store.domain(domainId));
    for (const [name, { mitigator }] of devices) {
      const choice = choiceOf(choices.get(domainId), name);
      if (choice !== undefined) owned.get(name)?.add(mitigator.keyOf(removalOf(mitigation, choice, name)));
    }
  }
  return owned;
}

/** In the trail of the domain whose prefix it acted on; there is none when nobody owns that. */
async function audit({ store, clock }: CollectParts, mitigator: string, stray: Installed): Promise<void> {
  if (stray.prefix === undefined) return;
  const nobody = '' as DomainId;
  const domainId = await store.prefixOwner(stray.prefix, nobody);
  if (domainId === undefined) return;
  const detail = { mitigator, key: stray.key, prefix: stray.prefix };
  const entry = { at: clock.epochSeconds(), domainId, actor: 'reconciler', action: 'stray-removed', detail };
  for (;;) {
    // Of the snapshot only the version is wanted: nothing has changed since the largest one.
    const snapshot = await store.snapshot(domainId, Number.MAX_SAFE_INTEGER);
    if (snapshot === undefined) return;
    const result = await store.commit({ domainId, expectedSv: snapshot.sv, mitigations: [], audit: [entry] });
    if (result.ok || result.reason !== 'lock-lost') return;
  }
}
