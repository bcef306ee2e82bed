/** What a mitigator function tells whoever runs it. */
export type MitigatorTrace =
  | {
      readonly type: 'driver-failed';
      readonly mitigator: string;
      readonly call: string;
      readonly reason: string;
    }
  /** Something that nobody owns was found on the device and taken away. */
  | {
      readonly type: 'stray-removed';
      readonly mitigator: string;
      readonly key: string;
      readonly prefix?: string;
    };
