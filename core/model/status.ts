/** Mitigation statuses by name, with the numbers and names IANA registered (RFC 9132 §10.6.2). */
export const STATUS_NUMBER = {
  inProgress: 1,
  mitigated: 2,
  stopped: 3,
  exceededCapability: 4,
  activeButTerminating: 5,
  terminated: 6,
  withdrawn: 7,
  signalLoss: 8,
} as const;

export type Status = keyof typeof STATUS_NUMBER;

export const STATUS_IANA_NAME = {
  inProgress: 'attack-mitigation-in-progress',
  mitigated: 'attack-successfully-mitigated',
  stopped: 'attack-stopped',
  exceededCapability: 'attack-exceeded-capability',
  activeButTerminating: 'dots-client-withdrawn-mitigation',
  terminated: 'attack-mitigation-terminated',
  withdrawn: 'attack-mitigation-withdrawn',
  signalLoss: 'attack-mitigation-signal-loss',
} as const satisfies Record<Status, string>;

const STATUS_BY_NUMBER = new Map<number, Status>(
  (Object.keys(STATUS_NUMBER) as Status[]).map((status) => [STATUS_NUMBER[status], status]),
);

export const statusOf = (number: number): Status | undefined => STATUS_BY_NUMBER.get(number);

/** What the client says of the attack in an efficacy update (RFC 9132 §4.4.3, Table 4). */
export const ATTACK_STATUS_NUMBER = { underAttack: 1, attackSuccessfullyMitigated: 2 } as const;

export type AttackStatus = keyof typeof ATTACK_STATUS_NUMBER;
