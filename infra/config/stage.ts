/** What differs between two deployments, read from `-c stage=…` and checked before anything is synthesised. */
import { RetentionDays } from 'aws-cdk-lib/aws-logs';

export interface Stage {
  readonly name: string;
  /** Stateful resources survive `cdk destroy`, and cannot be deleted by an API call. */
  readonly protectState: boolean;
  readonly logRetention: RetentionDays;
}

const STAGES: readonly Stage[] = [
  { name: 'dev', protectState: false, logRetention: RetentionDays.ONE_WEEK },
  { name: 'prod', protectState: true, logRetention: RetentionDays.ONE_YEAR },
];

/** The stage called `name`; throws with the names there are. */
export function stageOf(name: unknown): Stage {
  const stage = STAGES.find((each) => each.name === name);
  if (stage !== undefined) return stage;
  const names = STAGES.map((each) => each.name).join('|');
  throw new Error(`no stage ${JSON.stringify(name)}: choose one with -c stage=${names}`);
}
