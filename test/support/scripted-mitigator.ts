/** A driver whose device is a map, and which fails, hangs and counts as a test tells it to. */
import type { Counters } from '#core/model/mitigation.ts';
import type { Capabilities, Plan } from '#core/plan/plan.ts';
import type { EnsureResult, Mitigator } from '#core/ports/mitigator.ts';

export class ScriptedMitigator implements Mitigator {
  readonly name: string;
  readonly capabilities: Capabilities;
  /** What is installed, by key. */
  readonly device = new Map<string, Plan>();
  readonly calls: string[] = [];
  /** Ends every call with it. */
  trouble: Error | 'hangs' | undefined;
  /** Before `ensure` installs anything. */
  beforeEnsure: () => Promise<void> = () => Promise.resolve();
  state: EnsureResult['state'] = 'active';
  counters: Counters | undefined;
  leaseSeconds: number | undefined;

  constructor(name: string, counters: Capabilities['counters'] = 'none') {
    this.name = name;
    this.capabilities = {
      families: [4, 6],
      ports: true,
      protocols: true,
      profiles: ['limit', 'blackhole'],
      counters,
      maxRules: 100,
    };
  }

  keyOf({ key }: Plan): string {
    return `${key.domainId}/${key.cuid}/${key.mid}`;
  }

  async ensure(plan: Plan): Promise<EnsureResult> {
    await this.#call('ensure', plan);
    await this.beforeEnsure();
    if (this.state !== 'refused') this.device.set(this.keyOf(plan), plan);
    return {
      state: this.state,
      actualTargets: plan.targets,
      ...(this.state === 'active' ? {} : { reason: 'so' }),
    };
  }

  async remove(plan: Plan): Promise<void> {
    await this.#call('remove', plan);
    this.device.delete(this.keyOf(plan));
  }

  async collect(plan: Plan) {
    await this.#call('collect', plan);
    const installed = this.device.get(this.keyOf(plan));
    if (installed === undefined) return undefined;
    return {
      state: this.state,
      ...(this.counters === undefined ? {} : { counters: this.counters }),
      ...(this.leaseSeconds === undefined ? {} : { leaseSeconds: this.leaseSeconds }),
    };
  }

  async *list() {
    await this.#call('list');
    for (const [key, plan] of this.device) yield { key, refs: key, prefix: plan.targets[0]?.prefix ?? '' };
  }

  async removeInstalled({ key }: { readonly key: string }): Promise<void> {
    await this.#call('removeInstalled');
    this.device.delete(key);
  }

  health() {
    return Promise.resolve({ healthy: this.trouble === undefined, detail: 'scripted' });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #call(name: string, plan?: Plan): Promise<void> {
    this.calls.push(plan === undefined ? name : `${name} ${plan.key.mid}`);
    if (this.trouble === 'hangs') return new Promise(() => undefined);
    return this.trouble === undefined ? Promise.resolve() : Promise.reject(this.trouble);
  }
}
